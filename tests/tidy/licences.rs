//! What we build on may be used by anyone, and is built once. Works without a network.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;
use spdx::{Expression, LicenseReq, ParseMode};

use crate::house::{none, root};

/// Permissive licences: they ask for a notice, and nothing of who builds on us.
const PERMISSIVE: [&str; 19] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BlueOak-1.0.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    // Root certificates: data, not code.
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    // The fuzzing runtime; nothing of it is shipped.
    "NCSA",
    // Parts of older TLS code; never the only licence of a crate of ours.
    "OpenSSL",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Zlib",
    "zlib-acknowledgement",
];

/// Nothing of these is shipped: they are what tests compare our bytes with.
const OFFICIAL: &str = "tests only; what the official Solana crates stand on is versions apart";

/// Crates that may be there in several incompatible versions, each with its reason.
const TWICE: [(&str, &str); 25] = [
    ("base64", "a table and a loop; HTTP and the PostgreSQL client are a version apart"),
    ("block-buffer", OFFICIAL),
    ("cpufeatures", "tiny; the hashes and the random numbers of TLS are a version apart"),
    ("crypto-common", OFFICIAL),
    ("curve25519-dalek", OFFICIAL),
    ("digest", OFFICIAL),
    ("fallible-iterator", "one trait; SQLite and the PostgreSQL client are a version apart"),
    ("fiat-crypto", OFFICIAL),
    ("getrandom", "a few lines per system; TLS and test randomness are versions apart"),
    ("hashbrown", "ordered maps of parsers and the SQLite cache move at their own pace"),
    ("num-derive", OFFICIAL),
    ("r-efi", "firmware targets only, by way of getrandom"),
    ("rand_core", "TLS and property tests are a version apart"),
    ("sha2", OFFICIAL),
    ("solana-address", OFFICIAL),
    ("solana-define-syscall", OFFICIAL),
    ("solana-instruction", OFFICIAL),
    ("solana-instruction-error", OFFICIAL),
    ("solana-pubkey", OFFICIAL),
    ("syn", "runs while macros expand; not in the binary"),
    ("thiserror", OFFICIAL),
    ("thiserror-impl", OFFICIAL),
    ("wasi", "WebAssembly only; declarations, not code"),
    ("windows-sys", "Windows only; declarations, not code"),
    ("windows-targets", "Windows only; declarations, not code"),
];

#[test]
fn every_licence_lets_people_use_what_they_build_on_us() {
    for bad in ["GPL-3.0-only", "MIT AND AGPL-3.0-only", "Nonsense", ""] {
        assert!(refused("planted", Some(bad)).is_some(), "missed {bad}");
    }
    assert!(refused("planted", None).is_some(), "missed a crate without a licence");
    for good in ["MIT OR GPL-3.0-only", "Apache-2.0 / MIT", "(MIT OR Apache-2.0) AND Unicode-3.0"] {
        assert_eq!(refused("planted", Some(good)), None);
    }
    let refuse = |package: &Value| refused(&name(package), package["license"].as_str());
    none(packages().iter().chain(&packages_apart()).filter_map(refuse));
}

fn refused(name: &str, licence: Option<&str>) -> Option<String> {
    let Some(text) = licence.filter(|text| !text.is_empty()) else {
        return Some(format!("{name} names no licence"));
    };
    let permissive = |wanted: &LicenseReq| PERMISSIVE.contains(&wanted.to_string().as_str());
    match Expression::parse_mode(text, ParseMode::LAX) {
        Ok(terms) if terms.evaluate(permissive) => None,
        Ok(_) => Some(format!("{name} is under {text}, which asks more than a notice")),
        Err(error) => Some(format!("{name}: {text} is no licence expression: {}", error.reason)),
    }
}

#[test]
fn no_crate_is_built_in_two_versions_without_a_reason() {
    let at = |name: &str, version: &str| (name.to_owned(), version.to_owned());
    assert_eq!(twice([at("a", "1.0.0"), at("a", "2.0.0")].into_iter()).len(), 1);
    assert_eq!(twice([at("a", "0.1.0"), at("a", "0.2.0")].into_iter()).len(), 1);
    assert_eq!(twice([at("a", "1.0.0"), at("a", "1.2.0")].into_iter()), [""; 0]);
    assert_eq!(twice([at("syn", "2.0.0"), at("syn", "3.0.0")].into_iter()), [""; 0]);

    let version = |package: &Value| package["version"].as_str().unwrap_or_default().to_owned();
    none(twice(packages().iter().map(|package| (name(package), version(package)))));
}

fn twice(packages: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let mut lines: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, version) in packages {
        lines.entry(name).or_default().insert(compatible(&version));
    }
    let reasoned = |name: &String| TWICE.iter().any(|(known, _)| known == name);
    lines.retain(|name, versions| versions.len() > 1 && !reasoned(name));
    let say = |(name, versions): (String, BTreeSet<String>)| {
        let versions: Vec<_> = versions.into_iter().collect();
        format!("{name} is there as {}: align them or write down why", versions.join(" and "))
    };
    lines.into_iter().map(say).collect()
}

/// The part of a version that has to differ for two of them to be built side by side.
fn compatible(version: &str) -> String {
    let mut parts = version.split('.');
    match (parts.next(), parts.next()) {
        (Some("0"), Some(minor)) => format!("0.{minor}"),
        (major, _) => major.unwrap_or_default().to_owned(),
    }
}

fn name(package: &Value) -> String {
    package["name"].as_str().unwrap_or_default().to_owned()
}

/// What the lock file resolves to: for every system when all of it was downloaded, for this one
/// otherwise.
fn packages() -> Vec<Value> {
    let found = resolved("Cargo.toml");
    found.expect("cargo metadata --offline answers once the workspace was built")
}

/// The same, of the workspaces that fuzz and that execute; nothing where they were never built.
fn packages_apart() -> Vec<Value> {
    let apart = ["fuzz/Cargo.toml", "tests/svm/Cargo.toml"];
    apart.into_iter().filter_map(resolved).flatten().collect()
}

fn resolved(manifest: &str) -> Option<Vec<Value>> {
    let (here, of) = (host(), ["--manifest-path", manifest]);
    let one = [of[0], of[1], "--filter-platform", &here];
    let found = metadata(&of).or_else(|| metadata(&one))?;
    let packages = found["packages"].as_array().cloned().unwrap_or_default();
    assert!(!packages.is_empty(), "cargo metadata names no package of {manifest}");
    Some(packages)
}

fn metadata(more: &[&str]) -> Option<Value> {
    let asked = ["metadata", "--offline", "--locked", "--format-version", "1"];
    let cargo = Command::new(env!("CARGO")).args(asked).args(more).current_dir(root()).output();
    let out = cargo.ok().filter(|out| out.status.success())?;
    serde_json::from_slice(&out.stdout).ok()
}

fn host() -> String {
    let rustc = Command::new("rustc").arg("-vV").output().expect("rustc is beside cargo");
    let text = String::from_utf8_lossy(&rustc.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("rustc names its host").to_owned()
}

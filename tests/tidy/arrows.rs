//! Who may depend on whom: strictly downward.

use toml::{Table, Value};

use crate::code::idents;
use crate::house::hold;

const RAILS: [&str; 4] = ["divvy-handcash", "divvy-bsv", "divvy-solana", "divvy-stripe"];
const CORE_REQUIRED_MAX: usize = 5;

#[test]
fn arrows_point_strictly_downward() {
    hold(
        downward,
        &[
            ("divvy-core/Cargo.toml", &manifest("divvy-core", "divvy-bsv = \"1\"")),
            ("divvy-bsv/Cargo.toml", &manifest("divvy-bsv", "divvy-solana = \"1\"")),
            ("divvy-stripe/Cargo.toml", &manifest("divvy-stripe", "divvy = \"1\"")),
            ("Cargo.toml", &manifest("divvy", "shop = { path = \"examples/shop\" }")),
            ("Cargo.toml", &manifest("divvy", "divvy-python = { path = \"b\" }")),
            (
                "divvy-core/Cargo.toml",
                "[package]\nname='divvy-core'\n[dev-dependencies]\ndivvy='1'",
            ),
            ("Cargo.toml", "[package]\nname='divvy'\n[target.x.dependencies]\ndivvy-node='1'"),
        ],
        &[
            ("divvy-core/Cargo.toml", &manifest("divvy-core", "serde = \"1\"")),
            ("divvy-bsv/Cargo.toml", &manifest("divvy-bsv", "divvy-core = \"1\"")),
            ("Cargo.toml", &manifest("divvy", "divvy-bsv = \"1\"\ndivvy-core = \"1\"")),
            ("bindings/node/Cargo.toml", &manifest("divvy-node", "divvy = \"1\"")),
            ("examples/rust/Cargo.toml", &manifest("shop", "divvy = \"1\"")),
        ],
    );
}

fn downward(path: &str, text: &str) -> Vec<String> {
    let Some(manifest) = package(path, text) else { return Vec::new() };
    let name = manifest["package"]["name"].as_str().unwrap_or_default();
    let may = |on: &str| match name {
        "divvy-core" => false,
        rail if RAILS.contains(&rail) => on == "divvy-core",
        "divvy" => on == "divvy-core" || RAILS.contains(&on),
        _ => on == "divvy" || on == "divvy-core" || RAILS.contains(&on),
    };
    let at_the_top = |spec: &Value| {
        let path = spec.get("path").and_then(Value::as_str).unwrap_or_default();
        path.split('/').any(|part| ["bindings", "examples"].contains(&part))
    };
    let needs = needs(&manifest).into_iter();
    let upward = needs.filter(|(on, spec)| at_the_top(spec) || on.starts_with("divvy") && !may(on));
    upward.map(|(on, _)| format!("{path}: {name} must not depend on {on}")).collect()
}

#[test]
fn the_core_stands_on_few_crates() {
    let six = manifest("divvy-core", "a='1'\nb='1'\nc='1'\nd='1'\ne='1'\nf='1'");
    let five = manifest("divvy-core", "a='1'\nb='1'\nc='1'\nd='1'\ne='1'\nf={optional=true}");
    hold(few, &[("divvy-core/Cargo.toml", &six)], &[("divvy-core/Cargo.toml", &five)]);
}

fn few(path: &str, text: &str) -> Vec<String> {
    let Some(manifest) = package(path, text) else { return Vec::new() };
    let table = manifest.get("dependencies").and_then(Value::as_table);
    let required = table.into_iter().flatten().filter(|(_, spec)| !optional(spec)).count();
    if path != "divvy-core/Cargo.toml" || required <= CORE_REQUIRED_MAX {
        return Vec::new();
    }
    vec![format!("{path}: {required} required dependencies, {CORE_REQUIRED_MAX} at most")]
}

#[test]
fn the_core_has_never_heard_of_a_rail_or_a_runtime() {
    hold(
        unaware,
        &[
            ("divvy-core/src/a.rs", "/// As Stripe does."),
            ("divvy-core/src/a.rs", "let rail = \"handcash\";"),
            ("divvy-core/src/a.rs", "fn solana_fee() {}"),
            ("divvy-core/src/a.rs", "use tokio::sync;"),
            ("divvy-core/src/a.rs", "async fn a() {}"),
        ],
        &[("src/a.rs", "use tokio::sync;"), ("divvy-core/src/a.rs", "// it works asynchronously")],
    );
}

fn unaware(path: &str, text: &str) -> Vec<String> {
    if !path.starts_with("divvy-core/src/") {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let lower = line.to_lowercase();
        let rail = ["stripe", "handcash", "solana"].into_iter().find(|word| lower.contains(word));
        let runtime = idents(&lower).map(|(_, word)| word);
        let heard = rail.or_else(|| runtime.into_iter().find(|w| ["tokio", "async"].contains(w)));
        if let Some(word) = heard {
            found.push(format!("{path}:{}: the core does not know the word {word}", at + 1));
        }
    }
    found
}

/// The manifest of a crate; nothing for another file or a workspace without a package.
fn package(path: &str, text: &str) -> Option<Table> {
    let crates = path == "Cargo.toml" || path.ends_with("/Cargo.toml");
    let manifest: Table = crates.then(|| toml::from_str(text).expect("a manifest is TOML"))?;
    manifest.contains_key("package").then_some(manifest)
}

/// Everything a crate depends on, whatever for and on whatever target.
fn needs(manifest: &Table) -> Vec<(String, Value)> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let nested = targets.into_iter().flatten().filter_map(|(_, target)| target.as_table());
    let mut all = Vec::new();
    for table in std::iter::once(manifest).chain(nested) {
        for part in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let specs = table.get(part).and_then(Value::as_table).into_iter().flatten();
            all.extend(specs.map(|(name, spec)| (real_name(name, spec), spec.clone())));
        }
    }
    all
}

/// A dependency may be renamed here; the arrow follows the crate.
fn real_name(name: &str, spec: &Value) -> String {
    spec.get("package").and_then(Value::as_str).unwrap_or(name).to_owned()
}

fn optional(spec: &Value) -> bool {
    spec.get("optional").and_then(Value::as_bool).unwrap_or(false)
}

fn manifest(name: &str, needs: &str) -> String {
    format!("[package]\nname = \"{name}\"\n[dependencies]\n{needs}\n")
}

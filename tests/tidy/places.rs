//! Where things live, and what must not leak in from the machine they were made on.

use crate::house::{hold, none, paths};

#[test]
fn every_room_is_named_after_what_is_in_it() {
    for bad in ["src/utils.rs", "divvy-core/src/common/mod.rs", "bindings/node/src/types.ts"] {
        assert!(!named_room(bad).is_empty(), "missed {bad}");
    }
    for good in ["src/host.rs", "examples/django/shop/models.py", "src/commons.rs"] {
        assert!(named_room(good).is_empty(), "refused {good}");
    }
    none(paths().iter().flat_map(|path| named_room(path)));
}

fn named_room(path: &str) -> Vec<String> {
    let nameless =
        ["utils", "util", "common", "types", "models", "prelude", "helpers", "helper", "misc"];
    // An example is a user's own app and keeps its framework's file names.
    if path.starts_with("examples/") {
        return Vec::new();
    }
    let rooms = path.split('/').map(|part| part.split('.').next().unwrap_or(part));
    let guilty = rooms.filter(|room| nameless.contains(room));
    guilty.map(|room| format!("{path}: `{room}` names no thing")).collect()
}

#[test]
fn the_repository_does_not_know_the_machine_it_was_made_on() {
    let bad = [
        concat!("see /ro", "ot/.cargo"),
        concat!("open('/ho", "me/ann/a')"),
        concat!("\"/wo", "rk/main\""),
        concat!("https://registry.npm", "js.org/a"),
        concat!("files.python", "hosted.org"),
        concat!("static.crates", ".io"),
        concat!("https://index.crates", ".io"),
        concat!("deb.deb", "ian.org"),
        concat!("https://crates", ".io/api/v1"),
        concat!("see ../sha", "red/a.md"),
    ]
    .map(|text| ("docs/a.md", text));
    hold(
        no_traces,
        &bad,
        &[
            ("Cargo.lock", "source = \"registry+https://github.com/rust-lang/crates.io-index\""),
            ("docs/a.md", "a seal's root/leaf, homework/ and /home/ alone, the proof/root/of"),
        ],
    );
}

fn no_traces(path: &str, text: &str) -> Vec<String> {
    let folders = [concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/ho", "me/")];
    let hosts = [
        concat!("registry.npm", "js"),
        concat!("files.python", "hosted"),
        concat!("static.crates", ".io"),
        concat!("index.crates", ".io"),
        concat!("deb.deb", "ian"),
        concat!("crates", ".io/api"),
        concat!("../sha", "red/"),
    ];
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let folder = folders.iter().any(|folder| absolute(line, folder));
        if folder || hosts.iter().any(|host| line.contains(host)) {
            found.push(format!("{path}:{}: a trace of one machine", at + 1));
        }
    }
    found
}

/// Whether the line holds the folder at the start of a path, with something inside it.
fn absolute(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let joined = |letter: char| letter.is_alphanumeric() || "_-.}/".contains(letter);
        let starts = !line[..at].ends_with(joined);
        starts && line[at + folder.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '.')
    })
}

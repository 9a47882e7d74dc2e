//! Pages point at things that are there.

use crate::house::{hold, none, pages, paths, root};

#[test]
fn every_link_of_every_page_leads_somewhere() {
    hold(
        live_links,
        &[("README.md", "see [the map](NOWHERE.md)"), ("docs/adr/README.md", "[x](Cargo.toml)")],
        &[
            ("README.md", "[a](Cargo.toml) [b](https://example.com) [c](#top) [d](divvy-core/)"),
            ("docs/adr/README.md", "[up](../../Cargo.toml#L1) and `[not](a link)`"),
        ],
    );
}

fn live_links(path: &str, text: &str) -> Vec<String> {
    if !path.ends_with(".md") {
        return Vec::new();
    }
    let folder = root().join(path).parent().map(ToOwned::to_owned).unwrap_or_default();
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let prose: String = line.split('`').step_by(2).collect();
        for target in prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = target.split(['#', ' ']).next().unwrap_or(target);
            let outside = target.is_empty() || target.contains(':');
            if !outside && !folder.join(target).exists() {
                found.push(format!("{path}:{}: {target} is not there", at + 1));
            }
        }
    }
    found
}

#[test]
fn every_room_on_the_map_is_there() {
    let tree = ["src/host/sqlite.rs".to_owned(), "benches/split.rs".to_owned()];
    let map = "# A\n## Map\n```text\nsrc/   the box\n  host/sqlite.rs  a file\nbenches/  b\n```\n";
    assert!(lost_rooms(map, &tree).is_empty());
    for lost in ["src/gone.rs", "fuzz/", "sqlite.py"] {
        let planted = map.replace("benches/", lost);
        assert_eq!(lost_rooms(&planted, &tree).len(), 1, "missed {lost}");
    }

    let architecture = pages().iter().find(|page| page.path == "ARCHITECTURE.md");
    none(architecture.map(|page| lost_rooms(&page.text, paths())).unwrap_or_default());
}

/// The first word of each line of the map, when it is a path, must be a file or folder, or the
/// tail of one: the map indents rooms under their crate.
fn lost_rooms(text: &str, tree: &[String]) -> Vec<String> {
    let heading = |line: &str| line.starts_with('#') && line.to_lowercase().contains("map");
    let section = text.lines().skip_while(|line| !heading(line)).skip(1);
    let section = section.take_while(|line| !line.starts_with('#'));
    let fenced = section.skip_while(|line| !line.starts_with("```")).skip(1);
    let rooms = fenced.take_while(|line| !line.starts_with("```"));
    let there = |room: &str| {
        let tail = format!("/{}", room.trim_end_matches('/'));
        tree.iter().map(|path| format!("/{path}")).any(|path| match room.ends_with('/') {
            true => path.contains(&format!("{tail}/")),
            false => path.ends_with(&tail),
        })
    };
    let mut lost = Vec::new();
    for room in rooms.filter_map(|line| line.split_whitespace().next()) {
        let path = room.contains('/') || room.contains('.');
        if path && !there(room) {
            lost.push(format!("ARCHITECTURE.md: {room} is on the map and not there"));
        }
    }
    lost
}

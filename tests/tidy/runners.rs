//! A vector that nobody runs proves nothing.

use std::collections::BTreeSet;

use crate::house::{none, pages, paths};

#[test]
fn every_folder_of_vectors_has_a_runner() {
    let planted = ["vectors/split/a.json".to_owned(), "vectors/README.md".to_owned()];
    assert_eq!(without_runner(&planted, ["run(\"pool\")"].into_iter()).len(), 1);
    assert!(without_runner(&planted, ["run(\"split\")"].into_iter()).is_empty());
    assert!(without_runner(&planted, ["\"vectors/split/a.json\""].into_iter()).is_empty());

    let runs = |path: &str| path.starts_with("tests/vectors") || path == "tests/tidy/codes.rs";
    let runners = pages().iter().filter(|page| page.path.ends_with(".rs") && runs(&page.path));
    none(without_runner(paths(), runners.map(|page| page.text.as_str())));
}

fn without_runner<'a>(paths: &'a [String], runners: impl Iterator<Item = &'a str>) -> Vec<String> {
    let areas = paths.iter().filter_map(|path| path.strip_prefix("vectors/")?.split_once('/'));
    let mut lonely: BTreeSet<&str> = areas.map(|(area, _)| area).collect();
    for text in runners {
        let named = |area: &str| text.contains(&format!("\"{area}\""));
        let opened = |area: &str| text.contains(&format!("vectors/{area}/"));
        let joined = |area: &str| text.contains(&format!("\"{area}/"));
        lonely.retain(|area| !named(area) && !opened(area) && !joined(area));
    }
    lonely.into_iter().map(|area| format!("vectors/{area}: no runner in tests/vectors")).collect()
}

//! Every public item of the core is shown at work: a type by its own example, a function by its own
//! or its type's.

use std::collections::BTreeSet;

use crate::code::{bare, production};
use crate::house::{none, pages};

/// Types and functions that need no example, each with its reason.
const WITHOUT: [(&str, &str); 0] = [];

#[test]
fn every_public_item_of_the_core_is_shown_at_work() {
    let bad = "impl Odd {\n    /// Nothing shown.\n    pub fn odd(&self) {}\n}\n";
    let shown = "/// ```\n/// odd();\n/// ```\n#[must_use]\npub fn odd() {}\n";
    let by_type = format!("/// ```\n/// Odd\n/// ```\n#[derive(Debug)]\npub struct Odd;\n{bad}");
    let inside = "pub(crate) fn odd() {}\n#[cfg(test)]\nmod tests {\n    pub fn odd() {}\n}\n";
    assert_eq!(unshown(&[("src/a.rs", bad)]).len(), 1);
    assert_eq!(unshown(&[("src/a.rs", "pub const fn odd() {}")]).len(), 1);
    assert_eq!(unshown(&[("src/a.rs", "/// A kind.\n#[derive(Debug)]\npub enum Odd {}")]).len(), 1);
    assert_eq!(unshown(&[("src/a.rs", shown), ("a.rs", &by_type), ("b.rs", inside)]), [""; 0]);

    let core = pages().iter().filter(|page| page.path.starts_with("divvy-core/src/"));
    let core: Vec<_> = core.map(|page| (page.path.as_str(), page.text.as_str())).collect();
    none(unshown(&core));
}

fn unshown(pages: &[(&str, &str)]) -> Vec<String> {
    let sources: Vec<_> = pages.iter().map(|(path, text)| (*path, production(text))).collect();
    let types: BTreeSet<_> = sources.iter().flat_map(|(_, text)| shown_types(text)).collect();
    let mut found = Vec::new();
    for (path, text) in &sources {
        let bare = bare(text);
        let mut owner = String::new();
        for (at, line) in bare.lines().enumerate() {
            if line.starts_with("impl") || line.trim_start().starts_with("impl ") {
                owner = implemented(line);
            }
            if line.starts_with('}') {
                owner.clear();
            }
            let by_type = public_type(line).is_none() && types.contains(&owner);
            let Some(name) = public_function(line).or_else(|| public_type(line)) else { continue };
            let excused = WITHOUT.iter().any(|(excused, _)| *excused == name);
            if !example_above(text, at) && !by_type && !excused {
                found.push(format!("{path}:{}: `{name}` has no example", at + 1));
            }
        }
    }
    found
}

/// The types whose documentation holds an example.
fn shown_types(text: &str) -> Vec<String> {
    let mut types = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let shown = public_type(line).filter(|_| example_above(text, at));
        types.extend(shown.map(ToOwned::to_owned));
    }
    types
}

/// The type that an `impl` line is for.
fn implemented(line: &str) -> String {
    let head = line.split('{').next().unwrap_or(line).trim();
    let last = head.rsplit(" for ").next().unwrap_or(head).trim_start_matches("impl").trim();
    let last = last.rsplit("> ").next().unwrap_or(last);
    last.split(|c: char| !c.is_alphanumeric()).next().unwrap_or(last).to_owned()
}

fn public_function(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("pub ")?;
    let rest = rest.strip_prefix("const ").unwrap_or(rest).strip_prefix("fn ")?;
    rest.split(['(', '<']).next()
}

fn public_type(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("pub ")?;
    let named = ["struct ", "enum ", "trait "].iter().find_map(|kind| rest.strip_prefix(kind))?;
    named.split(|letter: char| !letter.is_alphanumeric()).next()
}

/// Whether the documentation right above this line holds a fenced example.
fn example_above(text: &str, at: usize) -> bool {
    let above: Vec<_> = text.lines().take(at).collect();
    let about = above.iter().rev().map(|line| line.trim_start());
    let mut docs = about.take_while(|line| line.starts_with("///") || !ends_item(line));
    docs.any(|line| line.starts_with("/// ```"))
}

/// Whether this line, met on the way up from an item, belongs to what stands before it.
/// Attributes may span lines, so anything else is passed over.
fn ends_item(line: &str) -> bool {
    line.is_empty() || line.ends_with(['{', '}', ';'])
}

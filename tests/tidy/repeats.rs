//! The same dozen lines twice are one function that nobody wrote.

use std::collections::HashMap;

use crate::code::production;
use crate::house::{none, pages};

const LINES_MAX: usize = 12;

#[test]
fn nothing_is_written_twice() {
    let copied: String = (0..LINES_MAX).map(|n| format!("    step_{n}(a, b);\n\n")).collect();
    let (here, there) = (format!("fn a() {{\n{copied}}}\n"), format!("fn b() {{\n{copied}}}\n"));
    assert_eq!(repeats(&[("src/a.rs", &here), ("divvy-core/src/b.rs", &there)]).len(), 1);
    let shorter = there.replace("step_3", "other");
    assert_eq!(repeats(&[("src/a.rs", &here), ("divvy-core/src/b.rs", &shorter)]), [""; 0]);
    let trivial = "    }\n    // the same words\n    use a;\n".repeat(50);
    assert_eq!(repeats(&[("src/a.rs", &trivial), ("src/b.rs", &trivial)]), [""; 0]);

    let source = |path: &str| path.starts_with("src/") || path.contains("/src/");
    let kinds = [".rs", ".py", ".ts", ".js"];
    let ours = pages().iter().filter(|page| source(&page.path));
    let ours = ours.filter(|page| kinds.iter().any(|kind| page.path.ends_with(kind)));
    let ours: Vec<_> = ours.map(|page| (page.path.as_str(), page.text.as_str())).collect();
    none(repeats(&ours));
}

fn repeats(pages: &[(&str, &str)]) -> Vec<String> {
    let mut seen: HashMap<Vec<String>, String> = HashMap::new();
    let mut found = Vec::new();
    for (path, text) in pages {
        let lines = telling(text);
        let mut clear_from = 0;
        for (at, window) in lines.windows(LINES_MAX).enumerate() {
            let key = window.iter().map(|(_, line)| line.clone()).collect();
            let place = format!("{path}:{}", window[0].0);
            match seen.get(&key) {
                Some(first) if at >= clear_from => {
                    found.push(format!("{place}: the same {LINES_MAX} lines as {first}"));
                    clear_from = at + LINES_MAX;
                }
                Some(_) => {}
                None => drop(seen.insert(key, place)),
            }
        }
    }
    found
}

/// The lines that say something, with their numbers: no comments, imports or bare punctuation.
fn telling(text: &str) -> Vec<(usize, String)> {
    let production = production(text);
    let lines = production.lines().enumerate().map(|(at, line)| (at + 1, line.trim().to_owned()));
    let says = |line: &str| {
        let quiet = ["//", "#", "use ", "pub use ", "import ", "from "];
        let words = line.chars().filter(|letter| letter.is_alphanumeric()).count();
        words > 2 && !quiet.iter().any(|start| line.starts_with(start))
    };
    lines.filter(|(_, line)| says(line)).collect()
}

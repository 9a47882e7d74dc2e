//! How large a thing may grow before it is two things.

use crate::code::{bare, item, production};
use crate::house::hold;

const SOURCE_LINES_MAX: usize = 400;
const TEST_LINES_MAX: usize = 700;
const FUNCTION_LINES_MAX: usize = 60;
const COLUMNS_MAX: usize = 100;

#[test]
fn a_file_is_read_in_one_sitting() {
    let long = "fn a() {}\n".repeat(SOURCE_LINES_MAX + 1);
    let test = "fn a() {}\n".repeat(TEST_LINES_MAX + 1);
    let tested = format!("{}#[cfg(test)]\nmod tests {{\n{long}}}", "\n".repeat(390));
    hold(
        short_file,
        &[("src/a.rs", &long), ("bindings/node/a.ts", &long), ("src/a/tests.rs", &test)],
        &[("src/a/tests.rs", &long), ("tests/a/b.rs", &long), ("src/a.rs", &tested)],
    );
}

fn short_file(path: &str, text: &str) -> Vec<String> {
    let source = ["rs", "py", "js", "ts", "kt", "swift"];
    if !path.rsplit_once('.').is_some_and(|(_, end)| source.contains(&end)) {
        return Vec::new();
    }
    let room = format!("/{path}");
    let for_tests = ["/tests/", "/benches/", "/fuzz/", "/tests."];
    let (lines, max) = match for_tests.iter().any(|part| room.contains(part)) {
        true => (text.lines().count(), TEST_LINES_MAX),
        false if path.ends_with(".rs") => (production(text).lines().count(), SOURCE_LINES_MAX),
        false => (text.lines().count(), SOURCE_LINES_MAX),
    };
    if lines <= max {
        return Vec::new();
    }
    vec![format!("{path}: {lines} lines, {max} at most: find the second noun")]
}

#[test]
fn a_function_fits_on_a_screen() {
    let body = |lines: usize| format!("fn a(x: [u8; 2]) {{\n{}}}\n", "    b();\n".repeat(lines));
    let comments = format!("fn a() {{\n{}}}\n", "    // why\n\n".repeat(100));
    hold(
        short_functions,
        &[("src/a.rs", &body(FUNCTION_LINES_MAX + 1)), ("tests/a.rs", &body(90))],
        &[("src/a.rs", &body(FUNCTION_LINES_MAX)), ("src/a.rs", &comments)],
    );
}

fn short_functions(path: &str, text: &str) -> Vec<String> {
    if !path.ends_with(".rs") {
        return Vec::new();
    }
    let bare = bare(text);
    let mut found = Vec::new();
    for (at, _) in bare.match_indices("fn ") {
        let word = bare[..at].ends_with(|letter: char| letter.is_alphanumeric() || letter == '_');
        let whole = &bare[item(&bare, at)];
        let Some((head, body)) = whole.split_once('{').filter(|_| !word) else { continue };
        let lines = body.lines().filter(|line| !line.trim().is_empty()).count().saturating_sub(1);
        if lines > FUNCTION_LINES_MAX {
            let line = bare[..at].lines().count();
            let head = head.split(['(', '<']).next().unwrap_or(head);
            found.push(format!("{path}:{line}: {head} has {lines} lines of code"));
        }
    }
    found
}

#[test]
fn a_line_ends_at_column_one_hundred() {
    let wide = "x".repeat(COLUMNS_MAX + 1);
    let full = "é".repeat(COLUMNS_MAX);
    hold(narrow, &[("src/a.rs", &wide)], &[("src/a.rs", &full), ("a.csv", &wide)]);
}

fn narrow(path: &str, text: &str) -> Vec<String> {
    if !path.ends_with(".rs") {
        return Vec::new();
    }
    let lines = text.lines().enumerate();
    let wide = lines.filter(|(_, line)| line.chars().count() > COLUMNS_MAX);
    wide.map(|(at, _)| format!("{path}:{}: over {COLUMNS_MAX} columns", at + 1)).collect()
}

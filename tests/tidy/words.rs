//! Names and constructs that this house does without.

use crate::code::{bare, idents, production};
use crate::house::hold;

#[test]
fn functions_say_what_they_give_and_types_say_what_they_are() {
    hold(
        plain_names,
        &[
            ("src/a.rs", "fn get_balance() {}"),
            ("src/a.rs", "pub async fn handle_event() {}"),
            ("src/a.rs", "struct PayoutManager;"),
            ("divvy-core/src/a.rs", "pub enum BatchInfo { A }"),
        ],
        &[("src/a.rs", "/// Like `fn get_x`.\nfn get() {} fn doing() {} struct Serviced;")],
    );
}

fn plain_names(path: &str, text: &str) -> Vec<String> {
    if !path.ends_with(".rs") {
        return Vec::new();
    }
    let bare = bare(text);
    let mut found = Vec::new();
    let mut before = "";
    for (line, word) in idents(&bare) {
        let poor = match before {
            "fn" => ["get_", "do_", "handle_", "process_"].iter().any(|p| word.starts_with(p)),
            "struct" | "enum" | "trait" | "type" | "union" => {
                let ends = ["Manager", "Service", "Impl", "Info", "Data"];
                ends.iter().any(|end| word.ends_with(end))
            }
            _ => false,
        };
        if poor {
            found.push(format!("{path}:{line}: `{word}` says how, not what: name the thing"));
        }
        before = word;
    }
    found
}

#[test]
fn money_never_meets_a_float() {
    hold(
        no_floats,
        &[("divvy-core/src/a.rs", "fn a(x: f64) {}"), ("divvy-core/src/a.rs", "let x = 1 as f32;")],
        &[("divvy-core/src/a.rs", "// an f64 would lie here"), ("src/bar.rs", "let share: f64;")],
    );
}

fn no_floats(path: &str, text: &str) -> Vec<String> {
    if !(path.starts_with("divvy-core/") && path.ends_with(".rs")) {
        return Vec::new();
    }
    let bare = bare(text);
    let floats = idents(&bare).filter(|(_, word)| ["f32", "f64"].contains(word));
    floats.map(|(line, word)| format!("{path}:{line}: {word} in the core")).collect()
}

#[test]
fn lints_are_expected_with_a_reason_and_never_allowed() {
    let lint = concat!("#[al", "low(dead_code)]\nfn a() {}");
    let whole = concat!("#![al", "low(dead_code)]");
    let maybe = concat!("#[cfg_attr(test, al", "low(dead_code))]");
    hold(
        no_allow,
        &[("src/a.rs", lint), ("tests/a.rs", whole), ("src/a.rs", maybe)],
        &[("src/a.rs", "#[expect(dead_code, reason = \"one day\")]\nfn allowed() { allow(1); }")],
    );
}

fn no_allow(path: &str, text: &str) -> Vec<String> {
    if !path.ends_with(".rs") {
        return Vec::new();
    }
    let bare = bare(text);
    let lines = bare.lines().enumerate();
    let guilty = lines.filter(|(_, line)| {
        let attribute = line.trim_start().starts_with('#');
        attribute && (line.contains("[allow(") || line.contains(" allow("))
    });
    let say = |(at, _)| format!("{path}:{}: write #[expect(.., reason)] instead", at + 1);
    guilty.map(say).collect()
}

#[test]
fn nothing_is_left_for_later() {
    let later = concat!("// TO", "DO: the rest");
    let hole = concat!("fn a() { to", "do!() }");
    let gap = concat!("fn a() { unimple", "mented!() }");
    let skipped = concat!("#[ig", "nore]\nfn a() {}");
    hold(
        nothing_later,
        &[
            ("src/a.rs", later),
            ("src/a.rs", hole),
            ("src/a.rs", gap),
            ("tests/a.rs", skipped),
            ("docs/a.md", concat!("FIX", "ME")),
            ("bindings/python/a.py", concat!("# XX", "X")),
        ],
        &[("src/a.rs", "// ignored: todos are fine as a word\nfn todo() {}")],
    );
}

fn nothing_later(path: &str, text: &str) -> Vec<String> {
    let notes = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    let holes = [concat!("to", "do!"), concat!("unimple", "mented!"), concat!("#[ig", "nore")];
    let data = [".csv", ".json", ".lock", ".svg"].iter().any(|end| path.ends_with(end));
    if data || path.starts_with("LICENSE") {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let note = idents(line).any(|(_, word)| notes.contains(&word));
        let hole = path.ends_with(".rs") && holes.iter().any(|hole| line.contains(hole));
        if note || hole {
            found.push(format!("{path}:{}: finish it, or write it as an issue", at + 1));
        }
    }
    found
}

#[test]
fn production_code_gives_errors_and_not_panics() {
    hold(
        no_panics,
        &[
            ("src/a.rs", "fn a() { b().unwrap(); }"),
            ("divvy-core/src/a.rs", "fn a() { b().expect(\"it is there\"); }"),
        ],
        &[
            ("src/a.rs", "/// a().unwrap()\nfn a() {}\n#[cfg(test)]\nmod tests { b().unwrap(); }"),
            ("src/a/tests.rs", "b().unwrap();"),
            ("src/a/tests/b.rs", "b().unwrap();"),
            // A fuzz target tells a broken promise by a panic, as a test does; so does a chain that
            // is there for tests.
            ("fuzz/src/targets/a.rs", "b().unwrap();"),
            ("tests/svm/src/a.rs", "b().unwrap();"),
            ("src/a.rs", "#[expect(clippy::expect_used, reason = \"\")] fn a() { b().expect(c) }"),
        ],
    );
}

fn no_panics(path: &str, text: &str) -> Vec<String> {
    let source = path.starts_with("src/") || path.contains("/src/");
    let tests = ["/tests.rs", "/tests/"].iter().any(|part| path.contains(part));
    let tests = tests || ["fuzz/", "tests/"].iter().any(|room| path.starts_with(room));
    if !source || tests || !path.ends_with(".rs") {
        return Vec::new();
    }
    let bare = bare(&production(text));
    let reasoned = bare.contains("clippy::expect_used");
    let lines = bare.lines().enumerate();
    let guilty = lines
        .filter(|(_, line)| line.contains(".unwrap()") || (line.contains(".expect(") && !reasoned));
    guilty.map(|(at, _)| format!("{path}:{}: an error, not a panic", at + 1)).collect()
}

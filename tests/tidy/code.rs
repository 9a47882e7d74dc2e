//! Just enough of Rust's grammar to tell code from comments, text and tests.

use std::ops::Range;

/// The same text with comments, strings and character literals blanked; every byte that stays
/// keeps its offset.
pub(crate) fn bare(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (len, hidden) = hidden(rest).map_or((first.len_utf8(), false), |len| (len, true));
        let (token, after) = rest.split_at(len);
        if hidden {
            out.extend(token.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        } else {
            out.push_str(token);
        }
        rest = after;
    }
    out
}

/// The text without its `#[cfg(test)]` items.
pub(crate) fn production(text: &str) -> String {
    let bare = bare(text);
    let mut out = String::new();
    let mut from = 0;
    while let Some(at) = bare[from..].find("#[cfg(test)]").map(|at| at + from) {
        out.push_str(&text[from..at]);
        from = item(&bare, at).end;
    }
    out.push_str(&text[from..]);
    out
}

/// Where the item that begins at `at` begins and ends: up to its `;` or its closing brace.
pub(crate) fn item(bare: &str, at: usize) -> Range<usize> {
    let mut depth = 0_usize;
    let mut inner = 0_usize;
    for (offset, byte) in bare[at..].bytes().enumerate() {
        match byte {
            b'(' | b'[' => inner += 1,
            b')' | b']' => inner = inner.saturating_sub(1),
            b'{' => depth += 1,
            b'}' if depth <= 1 => return at..at + offset + 1,
            b'}' => depth -= 1,
            b';' if depth == 0 && inner == 0 => return at..at + offset + 1,
            _ => {}
        }
    }
    at..bare.len()
}

/// The identifiers and keywords of blanked text, each with its line.
pub(crate) fn idents(bare: &str) -> impl Iterator<Item = (usize, &str)> {
    let word = |letter: char| letter.is_alphanumeric() || letter == '_';
    bare.lines().enumerate().flat_map(move |(at, line)| {
        let parts = line.split(move |letter| !word(letter));
        parts.filter(|part| !part.is_empty()).map(move |part| (at + 1, part))
    })
}

/// How long the comment or literal is that begins here, if one does.
fn hidden(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block(rest));
    }
    if let Some(after) = rest.strip_prefix('r') {
        let hashes = after.len() - after.trim_start_matches('#').len();
        let close = format!("\"{}", "#".repeat(hashes));
        let body = after[hashes..].strip_prefix('"')?;
        return Some(body.find(&close).map_or(rest.len(), |end| 2 + hashes + end + close.len()));
    }
    match rest.as_bytes() {
        [b'"', ..] => Some(quoted(rest, b'"')),
        [b'\'', b'\\', ..] => Some(quoted(rest, b'\'')),
        [b'\'', ..] => {
            let letter = rest[1..].chars().next()?;
            let end = 1 + letter.len_utf8();
            rest[end..].starts_with('\'').then_some(end + 1)
        }
        _ => None,
    }
}

/// The length of a block comment; they nest.
fn block(rest: &str) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while at < rest.len() {
        match rest.as_bytes()[at..] {
            [b'/', b'*', ..] => (at, depth) = (at + 2, depth + 1),
            [b'*', b'/', ..] => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// The length of a quoted literal, escapes understood.
fn quoted(rest: &str, quote: u8) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            _ if byte == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

#[test]
fn comments_text_and_tests_are_told_from_code() {
    let text = "let a = \"// {\"; // b {\nr#\"c \"d\"# '{' 'e '\\'' /* /* f */ g */ h";
    let blank = bare(text);
    assert_eq!(blank.len(), text.len());
    let kept: Vec<_> = idents(&blank).collect();
    assert_eq!(kept, [(1, "let"), (1, "a"), (2, "e"), (2, "h")]);

    let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() {}\n}\nfn c() {}";
    assert_eq!(production(text), "fn a() {}\n\nfn c() {}");
    assert_eq!(production("#[cfg(test)]\nmod tests;\nfn c() {}"), "\nfn c() {}");
}

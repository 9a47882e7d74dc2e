//! Counts with their nouns, for sentences.

use core::fmt::Display;

/// A count and its noun: 1 line, 2 lines, 3 batches, 4 entries.
pub(crate) fn counted(count: impl Display, noun: &str) -> String {
    let count = count.to_string();
    let noun = if count == "1" { noun.to_owned() } else { several(noun) };
    format!("{count} {noun}")
}

/// The word for one, or for any other number.
pub(crate) fn one_or<'a>(count: impl Display, one: &'a str, several: &'a str) -> &'a str {
    if count.to_string() == "1" { one } else { several }
}

/// A noun for more than one.
fn several(noun: &str) -> String {
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with('a') => format!("{stem}ies"),
        _ if noun.ends_with("ch") || noun.ends_with("sh") => format!("{noun}es"),
        _ => format!("{noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_one_and_others_are_several() {
        for (count, noun, said) in [
            (0, "line", "0 lines"),
            (1, "line", "1 line"),
            (2, "batch", "2 batches"),
            (2, "flush", "2 flushes"),
            (3, "entry", "3 entries"),
            (4, "day", "4 days"),
            (11, "payee", "11 payees"),
        ] {
            assert_eq!(counted(count, noun), said);
        }
        assert_eq!((one_or(1, "is", "are"), one_or(0, "is", "are")), ("is", "are"));
    }
}

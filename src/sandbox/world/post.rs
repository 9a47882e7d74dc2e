//! A posted try, as the world reads it: its own reading, shared with nobody who writes one.

use divvy_core::Hash;
use serde::{Deserialize, Serialize};

/// A try as it was posted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Post {
    pub(crate) reference: String,
    pub(crate) batch: String,
    pub(crate) lines: Vec<PostLine>,
    pub(crate) window: Limit,
    #[serde(default)]
    pub(crate) coins: Vec<String>,
    #[serde(skip)]
    pub(crate) hash: Hash,
}

/// One line of a posted try.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PostLine {
    pub(crate) to: String,
    pub(crate) amount: String,
}

/// How long the world is asked to remember a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Limit {
    Unlimited,
    Until(u64),
    UntilHeight(u64),
    Once,
}

impl Post {
    /// Reads a body, or says what is wrong with it.
    pub(crate) fn read(body: &[u8]) -> Result<Self, String> {
        let mut post: Self = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        post.hash = Hash::of(body);
        if post.reference.is_empty() || post.lines.is_empty() {
            return Err("a try has a reference and at least one line".to_owned());
        }
        post.total().ok_or_else(|| "amounts are whole numbers above 0, as text".to_owned())?;
        Ok(post)
    }

    /// What its lines pay together; nothing when an amount is not one.
    pub(crate) fn total(&self) -> Option<u64> {
        let mut lines = self.lines.iter();
        lines.try_fold(0_u64, |sum, line| sum.checked_add(amount(&line.amount)?))
    }

    /// The total of some of its lines.
    pub(crate) fn total_of(&self, lines: &[u32]) -> u64 {
        let place = |line: &u32| usize::try_from(*line).ok();
        let chosen = lines.iter().filter_map(|line| self.lines.get(place(line)?));
        let amounts = chosen.filter_map(|line| amount(&line.amount));
        amounts.fold(0, u64::saturating_add)
    }

    /// The places of the lines whose address begins so.
    pub(crate) fn lines_to(&self, prefix: &str) -> Vec<u32> {
        let lines = (0_u32..).zip(&self.lines);
        lines.filter(|(_, line)| line.to.starts_with(prefix)).map(|(place, _)| place).collect()
    }

    pub(crate) fn lines_count(&self) -> u32 {
        u32::try_from(self.lines.len()).unwrap_or(u32::MAX)
    }
}

/// Digits alone, without leading zeros, above zero and within a signed 64-bit column.
fn amount(text: &str) -> Option<u64> {
    let digits = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    let amount = text.parse::<u64>().ok().filter(|_| digits)?;
    i64::try_from(amount).is_ok().then_some(amount)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_written_in_one_way() {
        for (text, read) in [
            ("1", Some(1)),
            ("9223372036854775807", Some(9_223_372_036_854_775_807)),
            ("9223372036854775808", None),
            ("0", None),
            ("01", None),
            ("+1", None),
            ("-1", None),
            ("1.5", None),
            ("", None),
        ] {
            assert_eq!(amount(text), read, "{text:?}");
        }
    }

    #[test]
    fn a_body_that_is_no_try_says_why() {
        let none = r#"{"reference":"r","batch":"b","lines":[],"window":"once"}"#;
        let zero = none.replace("[]", r#"[{"to":"a","amount":"0"}]"#);
        let ever = none.replace("once", "for ever");
        for (body, said) in [
            ("", "EOF"),
            ("{}", "reference"),
            (none, "at least one line"),
            (&zero, "whole numbers"),
            (&ever, "unknown variant"),
        ] {
            let why = Post::read(body.as_bytes()).unwrap_err();
            assert!(why.contains(said), "{body}: {why}");
        }
    }
}

//! Rows of a file that are taken in together: by halves, until it is known which one is to blame.

use divvy::BadLine;
use divvy::core::{Error, Evidence};

/// What is left of a file's rows, and the lines that were refused so far.
pub(crate) struct Halves<'a, T> {
    left: Vec<&'a [T]>,
    pub(crate) bad: Vec<BadLine>,
}

impl<'a, T> Halves<'a, T> {
    pub(crate) fn of(rows: &'a [T]) -> Self {
        Self { left: vec![rows], bad: Vec::new() }
    }

    /// The rows to try next.
    pub(crate) fn pop(&mut self) -> Option<&'a [T]> {
        self.left.pop()
    }

    /// None of these was taken in, because of one of them: a row alone is a bad line, and of
    /// several each half is tried, the first one first.
    pub(crate) fn refuse(
        &mut self,
        rows: &'a [T],
        error: &Error,
        evidence: impl Fn(&T) -> &Evidence,
    ) {
        if let [one] = rows {
            let (line, problem) = (line_of(evidence(one)), error.to_string());
            self.bad.push(BadLine { line, problem });
        } else {
            let (first, second) = rows.split_at(rows.len().div_euclid(2));
            self.left.extend([second, first]);
        }
    }
}

/// The line of a file that an evidence names.
fn line_of(evidence: &Evidence) -> u64 {
    let line = evidence.source.rsplit(':').next().and_then(|line| line.parse().ok());
    line.unwrap_or(0)
}

//! Tries that a rail shows and that our facts may not know.

use crate::amount::Amount;
use crate::error::Error;
use crate::fact::{Evidence, Stream};
use crate::rail::Answer;

/// A try that the rail shows under a book's tag, whether our facts know it or not.
///
/// When an older copy of a database is put in place of a newer one, the rail has moved money that
/// the copy knows nothing of. Whoever plans from such a copy pays everyone again.
///
/// ```
/// use divvy_core::{Amount, Answer, Evidence, Hash, Stranger, StrangerLine, Stream};
///
/// let stranger = Stranger {
///     batch: Stream::parse("batch/chapter-42/7/0")?,
///     reference: "t1".into(),
///     lines: vec![StrangerLine { to: "alice".into(), amount: Amount::new(90)? }],
///     answer: Answer::Final,
///     evidence: Evidence { source: "GET /tries".into(), hash: Hash::of(b""), said: "".into() },
/// };
/// assert_eq!(stranger.total()?, Amount::new(90)?);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, written as a literal")]
pub struct Stranger {
    /// The batch that it was tagged with.
    pub batch: Stream,
    /// The rail's name for it.
    pub reference: String,
    /// What it pays, in order.
    pub lines: Vec<StrangerLine>,
    /// What the rail says of it.
    pub answer: Answer,
    /// How we know.
    pub evidence: Evidence,
}

/// One line of a try as the rail shows it: an address and an amount, and no payee.
///
/// ```
/// use divvy_core::{Amount, StrangerLine};
///
/// let line = StrangerLine { to: "alice@pay.example".into(), amount: Amount::ONE };
/// assert_eq!(line.amount.get(), 1);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, written as a literal")]
pub struct StrangerLine {
    /// Where, in the rail's own form.
    pub to: String,
    /// How much, in the book's asset.
    pub amount: Amount,
}

impl Stranger {
    /// What its lines pay together.
    ///
    /// # Errors
    /// [`crate::Code::AmountAboveCeiling`] for a sum that no book can hold.
    pub fn total(&self) -> Result<Amount, Error> {
        Amount::total(self.lines.iter().map(|line| line.amount))
    }
}

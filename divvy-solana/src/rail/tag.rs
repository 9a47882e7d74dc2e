//! The memo of a try: which batch it is of, and at which slot it was signed.

use divvy_core::{Code, Error, Name, Place, Stream};

use crate::instruction::{Instruction, memo};
use crate::transaction::Transaction;

/// What a try says of itself, for everyone to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) batch: Stream,
    /// The block whose hash it carries is not younger than this slot: it landed in none before.
    pub(super) slot: u64,
}

impl Tag {
    /// The instruction that carries it.
    ///
    /// # Errors
    /// [`Code::RailRefused`] for a book whose name leaves too little room for payees.
    pub(super) fn memo(&self) -> Result<Instruction, Error> {
        let batch = self.batch.as_str();
        let batch = batch.strip_prefix(BATCH).unwrap_or(batch);
        let text = format!("{MARK}{batch}@{}", self.slot);
        if text.len() > MEMO_BYTES_MAX {
            let detail = format!("{text:?} has more than {MEMO_BYTES_MAX} bytes: shorten the book");
            return Err(Error::new(Code::RailRefused, detail));
        }
        Ok(memo::note(&text, &[]))
    }

    /// Room for the longest memo.
    pub(super) fn widest() -> Instruction {
        memo::note(&"x".repeat(MEMO_BYTES_MAX), &[])
    }

    /// The tag of a transaction, if it has one.
    pub(super) fn of(transaction: &Transaction) -> Option<Self> {
        let orders = transaction.message().instructions(&[]).ok()?;
        let mut memos = orders.iter().filter(|order| order.program == memo::PROGRAM);
        memos.find_map(|order| Self::parse(core::str::from_utf8(&order.data).ok()?))
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let (batch, slot) = text.strip_prefix(MARK)?.rsplit_once('@')?;
        let batch = Stream::parse(&format!("{BATCH}{batch}")).ok()?;
        Some(Self { batch, slot: slot.parse().ok()? })
    }

    /// Whether it is of a book, and of a run or a later one.
    pub(super) fn is_from(&self, own: &Name, from: u64) -> bool {
        let Place::Batch { book, run, .. } = self.batch.place() else { return false };
        book == own.as_str() && run >= from
    }
}

/// Whether what a node shows of memos may hold a tag of a book, and of a run or a later one: cheap,
/// and never wrong about no.
pub(super) fn may_hold(memos: &str, book: &Name, from: u64) -> bool {
    let run = |rest: &str| rest.split('/').next().and_then(|run| run.parse::<u64>().ok());
    let mark = format!("{MARK}{book}/");
    memos.split(&mark).skip(1).any(|rest| run(rest).is_none_or(|run| run >= from))
}

const MARK: &str = "divvy:";
const BATCH: &str = "batch/";

/// A book's name has up to 200 bytes, but no sensible one needs more than half of this.
const MEMO_BYTES_MAX: usize = 96;

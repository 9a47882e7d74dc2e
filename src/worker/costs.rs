//! What rails quote: a batch that would cost more than its book pays, or than a payee accepted who
//! asked to be paid now, is not signed, and says so.

use std::collections::BTreeMap;

use divvy_core::{Amount, Book, Code, Error, Line, Name, Rail, Time};

use crate::worker::suspects::Part;
use crate::worker::{Tick, Worker};

/// The books that a rail is too dear for just now, and the payees who asked to be paid, and why.
#[derive(Debug, Default)]
pub(super) struct Costs {
    books: BTreeMap<(Name, Name), Error>,
    demands: BTreeMap<(Name, Name), Error>,
}

impl Costs {
    /// Whether a batch may be signed at this price; if not, that stands in the way until it may.
    pub(super) fn allow(&mut self, book: &Book, rail: &Name, quoted: Amount) -> bool {
        let key = (book.name().clone(), rail.clone());
        let Err(error) = book.check_fee(quoted) else {
            self.books.remove(&key);
            return true;
        };
        tracing::warn!(book = %book.name(), %rail, %error, "not signed at this price");
        self.books.insert(key, error);
        false
    }

    /// The same for lines that are to be planned, one of which may be paid on demand alone.
    pub(super) fn allow_lines(
        &mut self,
        book: &Book,
        rail: &Name,
        lines: &[Line],
        quoted: Amount,
        now: Time,
    ) -> bool {
        if !self.allow(book, rail, quoted) {
            return false;
        }
        let Err(error) = book.check_demanded(lines, quoted, now) else { return true };
        if let Some(line) = lines.first() {
            tracing::warn!(book = %book.name(), payee = %line.payee, %error, "not paid on demand");
            self.demands.insert((book.name().clone(), line.payee.clone()), error);
        }
        false
    }

    /// Who is paid on demand is found anew in each tick, and why they are not.
    pub(super) fn forget_demands(&mut self, book: &Name) {
        self.demands.retain(|(of, _), _| of != book);
    }

    pub(super) fn obstacles(&self) -> impl Iterator<Item = Error> {
        self.books.values().chain(self.demands.values()).cloned()
    }
}

impl Worker {
    /// What a rail quotes for lines that go together, where its book allows so much.
    pub(super) async fn allowed(
        &mut self,
        book: &Book,
        rail: &dyn Rail,
        part: &Part,
        now: Time,
        tick: &mut Tick,
    ) -> Option<Amount> {
        let quoted = match part.fee {
            Some(fee) => fee,
            None => self.cost_of(rail, &part.lines, now, tick).await?,
        };
        self.costs.allow_lines(book, rail.name(), &part.lines, quoted, now).then_some(quoted)
    }

    /// What a rail quotes for lines that go together, asked now. Nothing when it cannot say.
    pub(super) async fn cost_of(
        &self,
        rail: &dyn Rail,
        lines: &[Line],
        now: Time,
        tick: &mut Tick,
    ) -> Option<Amount> {
        let packs = self.packs(rail, lines, now, tick).await?;
        Amount::total(packs.iter().map(|pack| pack.fee)).ok()
    }

    /// What the rail of this name quotes for lines that go together, asked now.
    pub(crate) async fn quote_lines(
        &self,
        rail: &Name,
        lines: &[Line],
        now: Time,
    ) -> Result<Amount, Error> {
        let Some(rail) = self.rails.get(rail) else {
            let detail = format!("they are paid over rail {rail}, which is none of these");
            return Err(Error::new(Code::RailRefused, detail));
        };
        let quoted = self.cost_of(&**rail, lines, now, &mut Tick::default()).await;
        quoted.ok_or_else(|| {
            let detail = format!("rail {} cannot say now what it charges: ask again", rail.name());
            Error::new(Code::QuoteMissing, detail)
        })
    }
}

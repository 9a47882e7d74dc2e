//! What a book is like beside its payees' money: treasury, fees, differences, and what people owe
//! an answer to.

use std::collections::BTreeMap;

use divvy_core::{
    Amount, Book, Break, BreakState, Difference, Error, Fee, Name, Runway, State, Stream, Time,
    TreasuryStatus, TreasuryTerms,
};

use crate::report::walk::{Asked, Walk};

/// All of it, as it stands.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    /// Nothing where nobody tells what the treasury gets.
    pub(super) treasury: Option<TreasuryStatus>,
    pub(super) weeks_closed: usize,
    /// What rails charged, by wallet.
    pub(super) charged: Vec<(Name, Fee)>,
    pub(super) borne: Amount,
    pub(super) rates: Difference,
    /// What went back, by what became of it.
    pub(super) went_back: BTreeMap<&'static str, (u64, Amount)>,
    /// Differences with statements that are open, oldest first.
    pub(super) breaks: Vec<Break>,
    pub(super) breaks_closed: usize,
    /// What waits until people agree, oldest first.
    pub(super) asks: Vec<Ask>,
}

/// A batch that people have to agree to.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) batch: Stream,
    pub(super) lines: usize,
    pub(super) total: Amount,
    pub(super) asked: Asked,
}

impl Standing {
    pub(super) fn of(
        book: &Book,
        walk: &Walk,
        terms: &TreasuryTerms,
        due: Amount,
        now: Time,
    ) -> Result<Self, Error> {
        let status = || book.treasury_status(terms, due, now);
        let (open, closed): (Vec<&Break>, Vec<&Break>) =
            book.breaks().map(|(_, one)| one).partition(|one| one.state != BreakState::Closed);
        let mut breaks: Vec<Break> = open.into_iter().cloned().collect();
        breaks.sort_by_key(|one| one.since);
        Ok(Self {
            treasury: walk.has_funds.then(status).transpose()?,
            weeks_closed: book.treasury().closings().len(),
            charged: book.charged()?,
            borne: book.totals().fees_borne,
            rates: book.totals().rate_difference(),
            went_back: walk.went_back()?,
            breaks,
            breaks_closed: closed.len(),
            asks: asks(book, walk),
        })
    }

    /// How long the money lasts, in words.
    pub(super) fn runway(status: &TreasuryStatus) -> String {
        match status.runway {
            Runway::Exhausted => "nothing can be spent".to_owned(),
            Runway::Days(1) => "it lasts one day".to_owned(),
            Runway::Days(days) => format!("it lasts {days} days"),
            Runway::Unbounded => "as much comes in as goes out".to_owned(),
            Runway::NoHistory | _ => "nobody can tell yet how long it lasts".to_owned(),
        }
    }
}

fn asks(book: &Book, walk: &Walk) -> Vec<Ask> {
    let ask = |standing: divvy_core::Standing| {
        let asked = walk.asked.get(&standing.batch)?.clone();
        let waits = standing.state == State::Planned;
        let (lines, total) = (standing.lines, standing.total);
        waits.then_some(Ask { batch: standing.batch, lines, total, asked })
    };
    let mut asks: Vec<Ask> = book.batches().filter_map(ask).collect();
    asks.sort_by_key(|ask| ask.asked.since);
    asks
}

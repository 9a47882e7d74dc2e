//! What belongs to a job beside payments in and payouts out: refunds, returns, fees, the treasury.

use divvy::core::{Amount, Asset, Book, BreakState, Difference, Error};

use crate::cli::out::Out;
use crate::cli::treasury::signed;
use crate::cli::words::counted;

/// A book's figures beside its payments and payouts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beside {
    /// What went back of payments, and stayed away.
    refunded: Amount,
    /// What payees have to give back, and what is not made up for yet.
    owed_back: Amount,
    /// Lines that settled and came back.
    pub(crate) lines_returned: usize,
    fees_charged: Amount,
    fees_borne: Amount,
    treasury: Difference,
    pub(crate) weeks_closed: usize,
    pub(crate) breaks_open: usize,
}

impl Beside {
    pub(crate) fn of(book: &Book) -> Result<Self, Error> {
        let totals = book.totals();
        let open = |state| state != BreakState::Closed;
        let came_back = book.batches().flat_map(|standing| standing.tries);
        Ok(Self {
            refunded: totals.refunded,
            owed_back: totals.deficit,
            lines_returned: came_back.map(|try_| try_.returned.len()).sum(),
            fees_charged: totals.fees_charged,
            fees_borne: totals.fees_borne,
            treasury: book.treasury().balance()?,
            weeks_closed: book.treasury().closings().len(),
            breaks_open: book.breaks().filter(|(_, one)| open(one.state)).count(),
        })
    }

    /// Says what there is; what a book does not have is not mentioned.
    pub(crate) fn say(&self, asset: &Asset, out: &mut Out) {
        let text = |amount: Amount| format!("{} {}", asset.text(amount), asset.code());
        if !self.refunded.is_zero() {
            let (refunded, left) = (text(self.refunded), text(self.owed_back));
            out.say(&format!("{refunded} went back to payers, {left} of it not made up for yet"));
        }
        if self.lines_returned > 0 {
            let lines = counted(self.lines_returned, "line");
            out.say(&format!("{lines} came back from where they were paid"));
        }
        if !self.fees_charged.is_zero() {
            let (charged, borne) = (text(self.fees_charged), text(self.fees_borne));
            out.say(&format!("{charged} charged by the rail, {borne} of it borne by payees"));
        }
        if self.weeks_closed > 0 {
            let (balance, code) = (signed(self.treasury, asset), asset.code());
            let weeks = counted(self.weeks_closed, "week");
            out.say(&format!("treasury: {balance} {code} there, {weeks} closed"));
        }
    }
}

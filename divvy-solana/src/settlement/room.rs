//! How many collaborators fit beside everything else, tried with accounts that are all different.

use divvy_core::{Amount, Error};
use sha2::{Digest as _, Sha256};

use crate::account::Presence;
use crate::address::Address;
use crate::lifetime::Lifetime;
use crate::message::{Draft, LOCKS_MAX, TRACE_MAX, unfit};
use crate::settlement::Settlement;
use crate::settlement::plan::Part;
use crate::tariff::UNITS_MAX;

impl Settlement {
    /// How many collaborators fit beside the edition and the caller's orders: all of whom have a
    /// token account, or none of whom has.
    ///
    /// # Errors
    /// [`divvy_core::Code::WireUnfit`] when not even what stands around them fits.
    pub fn room(&self, presence: Presence) -> Result<usize, Error> {
        let made = presence != Presence::There;
        self.fits(0, made)?;
        let most = (0..=LOCKS_MAX).rev().find(|count| self.fits(*count, made).is_ok());
        Ok(most.unwrap_or(0))
    }

    /// Whether so many more collaborators fit who are like nobody else.
    fn fits(&self, count: usize, made: bool) -> Result<(), Error> {
        self.check_steps(self.steps(if made { count } else { 0 }, count))?;
        let (limits, _) = self.offered(UNITS_MAX);
        let mut orders = self.allowing(limits);
        orders.extend(self.before.iter().map(|extra| extra.instruction.clone()));
        if let Some(edition) = &self.edition {
            let own = edition.orders(self.payer, u64::MAX)?;
            orders.extend(own.into_iter().map(|order| order.instruction));
        }
        let source = self.source()?;
        for place in 0..count {
            let part = Part {
                name: String::new(),
                wallet: sample("wallet", place),
                account: sample("account", place),
                amount: Amount::MAX,
                is_kept: false,
                is_made: made,
            };
            let paying = self.paying(&part, source);
            orders.extend(paying.into_iter().map(|order| order.instruction));
        }
        orders.extend(self.after.iter().map(|extra| extra.instruction.clone()));
        let (format, payer) = (self.format(limits), self.payer);
        let lifetime = Lifetime::new([0xff; 32]);
        Draft { format, payer, lifetime, instructions: orders }.compile().map(drop)
    }

    /// How many orders run: those of the transaction, and those that programs give to others.
    pub(super) fn steps(&self, made: usize, paid: usize) -> usize {
        let (limits, _) = self.offered(UNITS_MAX);
        let extra = self.before.iter().chain(&self.after);
        let extra = extra.map(|extra| extra.steps_inner_max.saturating_add(1));
        let edition = self.edition.iter().map(|_| STEPS_EDITION);
        let payees = [made.saturating_mul(STEPS_MADE), paid, self.allowing(limits).len()];
        extra.chain(edition).chain(payees).fold(0, usize::saturating_add)
    }

    pub(super) fn check_steps(&self, steps: usize) -> Result<(), Error> {
        if steps <= TRACE_MAX {
            return Ok(());
        }
        Err(unfit("more than 64 orders would run"))
    }

    /// Says how many would fit.
    pub(super) fn too_many(&self, paid: usize, made: usize, error: Error) -> Error {
        let presence = if made > 0 { Presence::Missing } else { Presence::There };
        let Ok(room) = self.room(presence) else { return error };
        let accounts = if made > 0 { "whose accounts are made" } else { "who have accounts" };
        let other = Self { uses_v1: !self.uses_v1, tables: Vec::new(), ..self.clone() };
        let (own, others) = if self.uses_v1 { ("v1", "v0") } else { ("v0", "v1") };
        let beside =
            other.room(presence).map_or(String::new(), |room| format!(", and {room} in {others}"));
        unfit(&format!(
            "{paid} collaborators are more than its {own} takes: {room} fit {accounts}{beside}"
        ))
    }
}

/// An address that nobody has.
fn sample(what: &str, place: usize) -> Address {
    Address::new(Sha256::digest(format!("divvy settlement {what} {place}")).into())
}

/// Making a token account: the order, and up to six that it gives if somebody has sent lamports
/// ahead.
const STEPS_MADE: usize = 7;

/// Seven orders, and up to six that making the buyer's account gives.
const STEPS_EDITION: usize = 13;

/// What is counted on for an edition, as for payees.
pub(super) const UNITS_EDITION: u32 = 100_000;

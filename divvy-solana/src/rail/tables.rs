//! Lookup tables that the settings name: read anew for each batch, and used where they serve.

use divvy_core::{Error, Turn};

use crate::account::LookupTable;
use crate::message::Table;
use crate::node::{Provider, Talk, accounts, done};
use crate::pack::{Packing, Payout};
use crate::rail::SolanaRail;

impl SolanaRail {
    /// The tables that may be used at a slot. One that is not there, was ended, or was extended at
    /// that slot or after is left out: a batch is smaller then, and lands.
    pub(super) fn tables(
        &self,
        talk: &Talk<'_>,
        providers: &[&Provider],
        slot: u64,
    ) -> Result<Turn<Vec<Table>>, Error> {
        let named = &self.settings.tables;
        if named.is_empty() || self.settings.uses_v1 {
            return Ok(Turn::Done(Vec::new()));
        }
        let found = done!(accounts(talk, providers, named));
        let table = |(address, found): (_, &Option<_>)| {
            found.as_ref().and_then(LookupTable::read)?.usable(address, slot)
        };
        Ok(Turn::Done(named.iter().copied().zip(&found).filter_map(table).collect()))
    }
}

/// Batches of payouts, by their places: those whom one table serves go together, and the others.
pub(super) fn batches(
    packing: &dyn Fn(Vec<Table>) -> Packing,
    tables: Vec<Table>,
    payouts: &[Payout],
) -> Result<Vec<Vec<usize>>, Error> {
    let mut left: Vec<usize> = (0..payouts.len()).collect();
    let mut batches = Vec::new();
    for table in tables.into_iter().map(Some).chain([None]) {
        let serves = |place: &usize| {
            let payout = payouts.get(*place);
            table.as_ref().is_none_or(|table| {
                payout.is_some_and(|payout| table.addresses.contains(&payout.account))
            })
        };
        let (served, others): (Vec<usize>, Vec<usize>) = left.into_iter().partition(serves);
        left = others;
        let chosen: Vec<Payout> =
            served.iter().filter_map(|place| payouts.get(*place).copied()).collect();
        if chosen.is_empty() {
            continue;
        }
        let packed = packing(table.into_iter().collect()).pack(&chosen)?;
        let whole = |batch: Vec<usize>| {
            batch.iter().filter_map(|place| served.get(*place).copied()).collect()
        };
        batches.extend(packed.into_iter().map(whole));
    }
    Ok(batches)
}

//! How many payees fit into one batch, tried with accounts that are all different.

use divvy_core::Error;
use sha2::{Digest as _, Sha256};

use crate::account::Presence;
use crate::address::Address;
use crate::lifetime::Lifetime;
use crate::message::{Format, TRACE_MAX, Table};
use crate::pack::{Packing, Payout, Prefunding};

impl Packing {
    /// For each number of accounts that are made in a batch, how many others fit beside them.
    pub(super) fn room(&self, payouts: &[Payout]) -> Result<Vec<usize>, Error> {
        let samples = Samples::of(self, payouts);
        // What does not fit alone says why.
        samples.check(0, usize::from(payouts.iter().any(|payout| !self.is_new(payout))))?;
        let mut room: Vec<usize> = Vec::new();
        let mut most = TRACE_MAX;
        loop {
            let made = room.len();
            let fitting = (0..=most).rev().find(|others| samples.fit(made, *others));
            let Some(others) = fitting else { return Ok(room) };
            room.push(others);
            most = others;
            // Where nothing is to be made, or nothing can be, one row is all.
            if !payouts.iter().any(|payout| self.is_new(payout)) {
                return Ok(room);
            }
        }
    }
}

/// Payees that nobody has, to try with.
struct Samples {
    packing: Packing,
    steps_made: usize,
    made: Vec<Payout>,
    others: Vec<Payout>,
}

impl Samples {
    fn of(packing: &Packing, payouts: &[Payout]) -> Self {
        let payee = |kind: &str, presence: Presence| {
            let address = |what: &str, n: usize| {
                let hash = Sha256::digest(format!("divvy sample {kind} {what} {n}"));
                Address::new(hash.into())
            };
            let payee = |n| {
                let (wallet, account) = (address("wallet", n), address("account", n));
                Payout { wallet, account, amount: u64::MAX, presence }
            };
            (0..=TRACE_MAX).map(payee).collect::<Vec<_>>()
        };
        let made = payee("made", Presence::Missing);
        let others = payee("there", Presence::There);
        let format = match &packing.format {
            Format::V0(tables) => {
                let all = |table: &&Table| payouts.iter().all(|one| packing.serves(table, one));
                let sampled = |table: &Table| {
                    let fixed = table.addresses.iter().filter(|one| packing.names(one)).copied();
                    let members = made.iter().chain(&others);
                    let members = members.flat_map(|payee| [payee.account, payee.wallet]);
                    // A table has places for 256, and a batch names fewer.
                    Table { address: table.address, addresses: fixed.chain(members).collect() }
                };
                Format::V0(tables.iter().filter(all).map(sampled).collect())
            }
            Format::Legacy | Format::V1(_) => packing.format.clone(),
        };
        let seen = payouts.iter().any(|payout| payout.presence == Presence::Prefunded);
        let inner = match packing.prefunding {
            Prefunding::AsSeen if !seen => INNER_STEPS,
            Prefunding::AsSeen | Prefunding::Feared => INNER_STEPS_PREFUNDED,
        };
        // The order to make it, what that calls, and the transfer.
        let steps_made = inner.saturating_add(2);
        Self { packing: Packing { format, ..packing.clone() }, steps_made, made, others }
    }

    fn fit(&self, made: usize, others: usize) -> bool {
        self.check(made, others).is_ok()
    }

    fn check(&self, made: usize, others: usize) -> Result<(), Error> {
        let frame = self.packing.before.len().saturating_add(self.packing.after.len());
        let steps = self.steps_made.saturating_mul(made);
        if frame.saturating_add(steps).saturating_add(others) > TRACE_MAX {
            return Err(crate::message::unfit("more than 64 orders would run"));
        }
        let payees = self.made.iter().take(made).chain(self.others.iter().take(others));
        let payees: Vec<Payout> = payees.copied().collect();
        self.packing.message(&payees, Lifetime::new([0xff; 32])).map(drop)
    }
}

impl Packing {
    /// Whether an address stands in every batch.
    fn names(&self, address: &Address) -> bool {
        let orders = self.orders(&Payout {
            wallet: self.payer,
            account: self.payer,
            amount: 0,
            presence: Presence::Missing,
        });
        let frame = self.before.iter().chain(&self.after);
        frame.chain(&orders).flat_map(|order| &order.accounts).any(|one| one.address == *address)
    }
}

/// What making a token account calls: its size, the account, its owner for good, its beginning.
const INNER_STEPS: usize = 4;

/// With lamports there already: a transfer, the bytes and the owner in place of the account.
const INNER_STEPS_PREFUNDED: usize = 6;

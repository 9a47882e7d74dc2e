//! What a checkpoint holds of a book.
//!
//! The name index, the routes of rules and the heaps follow from the rest and are made anew.

use std::collections::HashMap;

use crate::book::divisions::{Back, Divisions, Shares, Waiting};
use crate::book::payee::{Choices, Chosen, Holding, Payee};
use crate::book::pools::PoolAccount;
use crate::book::reversals::Makeup;
use crate::book::slips::Slip;
use crate::book::tally::Tally;
use crate::book::{Book, PayeeId, Route, Totals, Unruled};
use crate::checkpoint::{Reader, Stored, Writer, stored};
use crate::fact::{Destination, Head, Opened, RuleSet, Sealed};
use crate::policy::{Period, Policy};
use crate::signature::PublicKey;

stored!(Holding { pool, slot });
stored!(Choices { n, hash, policy, fee_share, destinations, held });
stored!(Unruled { amount, event_at, at, payer });
stored!(Divisions { head, referrers, tallies, waiting, shares });
stored!(Tally { so_far, levels, people });
stored!(Waiting { rule, amount, event_at, payer, back });
stored!(Back { whole, before, after, at });
stored!(Shares { at, parts });
stored!(Chosen { destination, n, from });
stored!(Makeup { reversed, restored, netted, regained, mirrored });
stored!(PoolAccount {
    name,
    head,
    pool,
    holders,
    members,
    undeclared,
    undeclared_total,
    makeup,
    flow_millis,
    flows,
    flowed_until,
    proofs,
    rooted,
    payee,
    drawn,
    begun
});
stored!(Slip { batch, lines, fees });
stored!(Head { stream, n, hash });
stored!(Totals as cbor);
stored!(Opened as cbor);
stored!(RuleSet as cbor);
stored!(PublicKey as cbor);
stored!(Period as cbor);
stored!(Sealed as cbor);
stored!(Payee { name, one_shot, reserved, paid, waiting_since, is_due, holdings, choices });

impl Stored for Destination {
    fn store(&self, to: &mut Writer) {
        self.rail.store(to);
        self.address.store(to);
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self { rail: from.take_shared_name()?, address: Stored::load(from)? })
    }
}

impl Stored for Route {
    fn store(&self, to: &mut Writer) {
        match self {
            Self::Payee(id) => (false, *id).store(to),
            Self::Pool(pool) => (true, *pool).store(to),
        }
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        Some(match <(bool, u32)>::load(from)? {
            (false, id) => Self::Payee(id),
            (true, pool) => Self::Pool(pool),
        })
    }
}

impl Stored for Policy {
    fn store(&self, to: &mut Writer) {
        match self {
            Self::Instant => to.put(&[0]),
            Self::Threshold { min, max_wait_secs } => {
                to.put(&[1]);
                min.store(to);
                max_wait_secs.store(to);
            }
            Self::Periodic { every, min } => {
                to.put(&[2]);
                every.store(to);
                min.store(to);
            }
        }
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        Some(match from.take()? {
            [0] => Self::Instant,
            [1] => Self::Threshold { min: Stored::load(from)?, max_wait_secs: Stored::load(from)? },
            [2] => Self::Periodic { every: Stored::load(from)?, min: Stored::load(from)? },
            _ => return None,
        })
    }
}

impl Stored for Book {
    fn store(&self, to: &mut Writer) {
        let Self { name, settings, everyone, weighing, rules, rule_ns, routes: _, .. } = self;
        name.store(to);
        settings.store(to);
        everyone.store(to);
        weighing.store(to);
        rules.store(to);
        rule_ns.store(to);
        let Self { issuer, rule_head, .. } = self;
        issuer.store(to);
        rule_head.store(to);
        let Self {
            run_head,
            run_batches,
            payees,
            payee_ids: _,
            pools,
            slips,
            open,
            due,
            totals,
            ..
        } = self;
        run_head.store(to);
        run_batches.store(to);
        let Self { guards, guarded_runs, day, acts, fee_terms, demands, .. } = self;
        guards.store(to);
        guarded_runs.store(to);
        day.store(to);
        acts.store(to);
        fee_terms.store(to);
        demands.store(to);
        payees.store(to);
        pools.store(to);
        slips.store(to);
        open.store(to);
        due.store(to);
        totals.store(to);
        let Self { taken, compounded, back, brought, unruled, .. } = self;
        taken.store(to);
        compounded.store(to);
        back.store(to);
        brought.store(to);
        unruled.store(to);
        self.divisions.store(to);
        self.treasury.store(to);
        self.breaks.store(to);
        self.endpoints.store(to);
        self.strict.store(to);
        let Self { event_newest, event_first, newest, .. } = self;
        event_newest.store(to);
        event_first.store(to);
        newest.store(to);
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        let mut book = Self {
            name: Stored::load(from)?,
            settings: Stored::load(from)?,
            everyone: Stored::load(from)?,
            weighing: Stored::load(from)?,
            rules: Stored::load(from)?,
            rule_ns: Stored::load(from)?,
            routes: Vec::new(),
            issuer: Stored::load(from)?,
            rule_head: Stored::load(from)?,
            run_head: Stored::load(from)?,
            run_batches: Stored::load(from)?,
            guards: Stored::load(from)?,
            guarded_runs: Stored::load(from)?,
            day: Stored::load(from)?,
            acts: Stored::load(from)?,
            fee_terms: Stored::load(from)?,
            demands: Stored::load(from)?,
            payees: Stored::load(from)?,
            payee_ids: HashMap::new(),
            pools: Stored::load(from)?,
            slips: Stored::load(from)?,
            open: Stored::load(from)?,
            due: Stored::load(from)?,
            totals: Stored::load(from)?,
            taken: Stored::load(from)?,
            compounded: Stored::load(from)?,
            back: Stored::load(from)?,
            brought: Stored::load(from)?,
            unruled: Stored::load(from)?,
            divisions: Stored::load(from)?,
            treasury: Stored::load(from)?,
            breaks: Stored::load(from)?,
            endpoints: Stored::load(from)?,
            strict: Stored::load(from)?,
            event_newest: Stored::load(from)?,
            event_first: Stored::load(from)?,
            newest: Stored::load(from)?,
        };
        book.payee_ids.reserve(book.payees.len());
        for (id, payee) in (0..PayeeId::MAX).zip(&book.payees) {
            book.payee_ids.insert(payee.name.clone(), id);
        }
        for rule in book.rules.clone() {
            let routes = book.routes_of(&rule).ok()??;
            book.routes.push(routes);
        }
        Some(book)
    }
}

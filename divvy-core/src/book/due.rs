//! Finding who is due without asking every holder.
//!
//! A payee below their threshold sits in a heap of each of their pools, keyed by the index at
//! which they may cross it, and, if their money may wait only so long, in a heap keyed by time.
//! A tick looks at the top of each heap and stops there.

use std::collections::BTreeSet;

use crate::amount::Amount;
use crate::book::waiting::Waiting;
use crate::book::{Book, PayeeId, lost, place};
use crate::checkpoint::stored;
use crate::error::Error;
use crate::policy::Policy;
use crate::pool::Index;
use crate::time::Time;

/// Who is due, and who may become so next.
#[derive(Clone, Debug, Default)]
pub(super) struct DueQueue {
    pub(super) due: BTreeSet<PayeeId>,
    /// For each pool the holders' slots, by index.
    by_index: Vec<Waiting<Index>>,
    by_time: Waiting<Time>,
}

stored!(DueQueue { due, by_index, by_time });

impl DueQueue {
    pub(super) fn add_pool(&mut self) {
        self.by_index.push(Waiting::default());
    }
}

impl Book {
    /// How often a heap was touched so far. An idle tick adds at most a few.
    #[must_use]
    pub fn heap_operations(&self) -> u64 {
        let by_index = self.due.by_index.iter().map(|waiting| waiting.operations);
        by_index.fold(self.due.by_time.operations, u64::saturating_add)
    }

    /// Moves everyone whose waiting time is over by `now` among the due.
    ///
    /// # Errors
    /// [`crate::Code::BookUnbalanced`] when the book contradicts itself.
    pub fn wake_waited(&mut self, now: Time) -> Result<(), Error> {
        while let Some(id) = self.due.by_time.wake(now) {
            self.arm(id, now)?;
        }
        Ok(())
    }

    /// Looks again at everyone who crossed their index in a pool.
    pub(super) fn wake_crossed(&mut self, pool: u32, at: Time) -> Result<(), Error> {
        let index = self.account_mut(pool)?.pool.index();
        loop {
            let waiting = self.due.by_index.get_mut(place(pool));
            let Some(slot) = waiting.and_then(|waiting| waiting.wake(index)) else { return Ok(()) };
            let member = self.account_mut(pool)?.members.get(place(slot)).copied();
            self.arm(member.ok_or_else(|| lost(slot))?, at)?;
        }
    }

    /// Puts a payee where the next change will find them: among the due, or in the heaps.
    pub(super) fn arm(&mut self, id: PayeeId, at: Time) -> Result<(), Error> {
        let earned = self.earned(id)?;
        let terms = self.terms(id)?;
        let payable_as_it_is = self.is_payable(id, at)?;
        let payee = self.payee_mut(id)?;
        let spoken_for = payee.spoken_for()?;
        let payable = earned.less(spoken_for);
        let runs = payable >= terms.runs_from();
        payee.waiting_since = match (runs, payee.waiting_since) {
            (false, _) => Time::ZERO,
            (true, Time::ZERO) => at,
            (true, since) => since,
        };
        let since = payee.waiting_since;
        let expires = terms.expires(since);
        let waited = payable >= terms.least() && expires.is_some_and(|expires| expires <= at);
        let at_once = terms.at_once();
        let is_due = payable_as_it_is && (at_once.is_some_and(|min| payable >= min) || waited);
        self.list(id, is_due)?;
        if is_due || !payable_as_it_is {
            return Ok(());
        }
        // Before so much is payable no time runs, so that is the next thing to find.
        let goal = match expires {
            Some(_) if !runs => Some(terms.runs_from()),
            Some(_) if payable < terms.least() => Some(terms.least()),
            Some(expires) => {
                self.due.by_time.wait(id, expires);
                at_once
            }
            None => at_once,
        };
        let Some(goal) = goal else { return Ok(()) };
        self.arm_in_pools(id, lacking(goal, spoken_for, earned))
    }

    /// Puts a payee among the due or takes them off, which is mostly where they are already.
    fn list(&mut self, id: PayeeId, is_due: bool) -> Result<(), Error> {
        let payee = self.payee_mut(id)?;
        match (std::mem::replace(&mut payee.is_due, is_due), is_due) {
            (false, true) => self.due.due.insert(id),
            (true, false) => self.due.due.remove(&id),
            (true, true) | (false, false) => true,
        };
        Ok(())
    }

    /// Arms in each pool at the index at which that pool alone brings its share of what lacks: the
    /// payee cannot cross before one of them does.
    fn arm_in_pools(&mut self, id: PayeeId, lacking: u128) -> Result<(), Error> {
        let payee = self.payees.get(place(id)).ok_or_else(|| lost(id))?;
        let Ok(count) = u64::try_from(payee.holdings.len()) else { return Ok(()) };
        let share = lacking.div_ceil(u128::from(count.max(1))).max(1);
        // More than a book can hold is never reached: nothing wakes them.
        let Ok(share) = Amount::from_wide(share) else { return Ok(()) };
        for holding in &payee.holdings {
            let key = self.pools.get(place(holding.pool)).and_then(|account| {
                account.pool.index_at_which(account.holders.get(place(holding.slot))?, share)
            });
            let waiting = self.due.by_index.get_mut(place(holding.pool));
            if let Some((waiting, key)) = waiting.zip(key) {
                waiting.wait(holding.slot, key);
            }
        }
        Ok(())
    }

    /// When a payee's money is due, in this book.
    pub(super) fn terms(&self, id: PayeeId) -> Result<Terms, Error> {
        let policy = self.payee(id)?.policy().unwrap_or(self.settings.policy);
        Ok(Terms { policy, floor: self.floor() })
    }

    pub(super) fn floor(&self) -> Amount {
        self.settings.floor.max(Amount::ONE)
    }
}

/// A policy in a book that pays no line below its floor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    policy: Policy,
    floor: Amount,
}

impl Terms {
    /// The amount that is due without waiting; none where money waits for a boundary.
    pub(super) fn at_once(&self) -> Option<Amount> {
        match self.policy {
            Policy::Instant | Policy::Threshold { .. } => Some(self.policy.min().max(self.floor)),
            Policy::Periodic { .. } => None,
        }
    }

    /// The amount that is due once it has waited.
    pub(super) fn least(&self) -> Amount {
        match self.policy {
            Policy::Instant | Policy::Threshold { .. } => self.floor,
            Policy::Periodic { .. } => self.policy.min().max(self.floor),
        }
    }

    /// The amount from which on time runs. What reaches the least amount between two boundaries
    /// waits for the second one.
    pub(super) fn runs_from(&self) -> Amount {
        match self.policy {
            Policy::Instant | Policy::Threshold { .. } => Amount::ONE,
            Policy::Periodic { .. } => self.least(),
        }
    }

    /// When what has been waiting since a moment has waited long enough.
    pub(super) fn expires(&self, since: Time) -> Option<Time> {
        match self.policy {
            Policy::Instant => None,
            Policy::Threshold { max_wait_secs, .. } => {
                max_wait_secs.map(|secs| since.plus_secs(secs))
            }
            Policy::Periodic { every, .. } => Some(every.boundary(since)),
        }
    }
}

/// What is missing until a goal is payable. Both the goal and what is spoken for may be as large
/// as an amount gets, so their sum may be larger, which no payee's settings may stop the fold for.
pub(super) fn lacking(goal: Amount, spoken_for: Amount, earned: Amount) -> u128 {
    let needed = u128::from(goal.get()).saturating_add(spoken_for.get().into());
    needed.saturating_sub(earned.get().into())
}

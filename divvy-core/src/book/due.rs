//! Finding who is due without asking every holder.
//!
//! A payee below their threshold sits in a heap of each of their pools, keyed by the index at
//! which they may cross it, and, if their money may wait only so long, in a heap keyed by time.
//! A tick looks at the top of each heap and stops there.

use std::collections::BTreeSet;

use crate::amount::Amount;
use crate::book::lanes::{Gate, Lanes};
use crate::book::waiting::Waiting;
use crate::book::{Book, PayeeId, lost, place};
use crate::checkpoint::{Reader, Stored, Writer};
use crate::error::Error;
use crate::policy::{FeeShare, Policy};
use crate::pool::Index;
use crate::time::Time;

/// Who is due, and who may become so next.
#[derive(Clone, Debug, Default)]
pub(super) struct DueQueue {
    pub(super) due: BTreeSet<PayeeId>,
    /// For each pool the holders' slots, by index.
    by_index: Vec<Waiting<Index>>,
    by_time: Waiting<Time>,
    pub(super) lanes: Lanes,
}

impl Stored for DueQueue {
    fn store(&self, to: &mut Writer) {
        let Self { due, by_index, by_time, lanes: _ } = self;
        due.store(to);
        by_index.store(to);
        by_time.store(to);
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        let (due, by_index) = (Stored::load(from)?, Stored::load(from)?);
        Some(Self { due, by_index, by_time: Stored::load(from)?, lanes: Lanes::default() })
    }
}

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
        let others = [self.due.by_time.operations, self.due.lanes.operations];
        by_index.chain(others).fold(0, u64::saturating_add)
    }

    /// Moves everyone whose waiting time is over by `now` among the due.
    ///
    /// # Errors
    /// [`crate::Code::BookUnbalanced`] when the book contradicts itself.
    pub fn wake_waited(&mut self, now: Time) -> Result<(), Error> {
        while let Some(id) = self.due.by_time.wake(now) {
            self.arm(id, now)?;
        }
        self.look_at_near(now)
    }

    /// Looks again at everyone who crossed their index in a pool.
    pub(super) fn wake_crossed(&mut self, pool: u32, at: Time) -> Result<(), Error> {
        let index = self.account_mut(pool)?.pool.index();
        self.due.lanes.note_declared();
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
        let may = payable_as_it_is && terms.is_met(payable, since, at);
        let gate = match may {
            false => Gate::Closed,
            true if terms.share.ends(since).is_some_and(|ends| ends <= at) => Gate::Open,
            true => self.gate(id, terms.share, payable, at)?,
        };
        self.list(id, gate == Gate::Open)?;
        self.due.lanes.list(id, gate);
        let goal = match gate {
            Gate::Open => return Ok(()),
            Gate::Closed => self.next_goal(id, &terms, payable, payable_as_it_is)?,
            Gate::Priced { goal, .. } => {
                let change = self.payee(id)?.next_change(at);
                for wake in terms.share.ends(since).into_iter().chain(change) {
                    self.due.by_time.wait(id, wake);
                }
                goal
            }
        };
        let Some(goal) = goal else { return Ok(()) };
        self.arm_in_pools(id, lacking(goal, spoken_for, earned))
    }

    /// The payable amount at which to look again at somebody whose policy does not say now.
    fn next_goal(
        &mut self,
        id: PayeeId,
        terms: &Terms,
        payable: Amount,
        payable_as_it_is: bool,
    ) -> Result<Option<Amount>, Error> {
        let runs = payable >= terms.runs_from();
        if !payable_as_it_is {
            // Nothing is due, but since when it waits is to be known.
            return Ok((!runs).then(|| terms.runs_from()));
        }
        let since = self.payee(id)?.waiting_since;
        let at_once = terms.at_once();
        // Before so much is payable no time runs, so that is the next thing to find.
        Ok(match terms.expires(since) {
            Some(_) if !runs => Some(terms.runs_from()),
            None if !runs && terms.share.ends(since).is_some() => Some(terms.runs_from()),
            Some(_) if payable < terms.least() => Some(terms.least()),
            Some(expires) => {
                self.due.by_time.wait(id, expires);
                at_once
            }
            None => at_once,
        })
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
        let (payee, everyone) = (self.payee(id)?, &self.everyone);
        let policy = payee.policy().unwrap_or(everyone.policy);
        let share = payee.fee_share().unwrap_or(everyone.fee_share);
        Ok(Terms { policy, floor: everyone.floor, share })
    }

    pub(super) const fn floor(&self) -> Amount {
        self.everyone.floor
    }
}

/// A policy in a book that pays no line below its floor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) policy: Policy,
    floor: Amount,
    pub(super) share: FeeShare,
}

impl Terms {
    /// Whether the policy says now, whatever it costs.
    pub(super) fn is_met(&self, payable: Amount, since: Time, at: Time) -> bool {
        let waited = self.expires(since).is_some_and(|expires| expires <= at);
        let at_once = self.at_once().is_some_and(|min| payable >= min);
        at_once || (payable >= self.least() && waited)
    }

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

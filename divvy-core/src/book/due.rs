//! Finding who is due without asking every holder.
//!
//! A payee below their threshold sits in a heap of each of their pools, keyed by the index at
//! which they may cross it, and, if their money may wait only so long, in a heap keyed by time.
//! A tick looks at the top of each heap and stops there.

use core::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use crate::amount::Amount;
use crate::book::payee::Payee;
use crate::book::{Book, PayeeId, lost, place};
use crate::checkpoint::{Reader, Stored, Writer};
use crate::error::Error;
use crate::pool::Index;
use crate::time::Time;

/// Who is due, and who may become so next.
#[derive(Clone, Debug, Default)]
pub(super) struct DueQueue {
    pub(super) due: BTreeSet<PayeeId>,
    by_index: Vec<BinaryHeap<Reverse<(Index, PayeeId, u32)>>>,
    by_time: BinaryHeap<Reverse<(Time, PayeeId, u32)>>,
    /// Pushes, pops and looks at a top, for the test that holds a tick's cost.
    operations: u64,
}

impl DueQueue {
    pub(super) fn add_pool(&mut self) {
        self.by_index.push(BinaryHeap::new());
    }

    fn push_index(&mut self, pool: u32, key: Index, payee: PayeeId, armed: u32) {
        self.operations = self.operations.saturating_add(1);
        if let Some(heap) = self.by_index.get_mut(place(pool)) {
            heap.push(Reverse((key, payee, armed)));
        }
    }

    fn push_time(&mut self, key: Time, payee: PayeeId, armed: u32) {
        self.operations = self.operations.saturating_add(1);
        self.by_time.push(Reverse((key, payee, armed)));
    }

    fn pop_crossed(&mut self, pool: u32, index: Index) -> Option<(PayeeId, u32)> {
        self.operations = self.operations.saturating_add(1);
        let heap = self.by_index.get_mut(place(pool))?;
        let Reverse((key, _, _)) = heap.peek()?;
        if *key > index {
            return None;
        }
        heap.pop().map(|Reverse((_, payee, armed))| (payee, armed))
    }

    fn pop_expired(&mut self, now: Time) -> Option<(PayeeId, u32)> {
        self.operations = self.operations.saturating_add(1);
        let Reverse((key, _, _)) = self.by_time.peek()?;
        if *key > now {
            return None;
        }
        self.by_time.pop().map(|Reverse((_, payee, armed))| (payee, armed))
    }

    /// Drops what arming anew has outdated, once that is most of a heap.
    fn compact(&mut self, payees: usize, live: impl Fn(PayeeId, u32) -> bool) {
        let limit = payees.saturating_mul(3).saturating_add(4_096);
        for heap in &mut self.by_index {
            if heap.len() > limit {
                heap.retain(|Reverse((_, payee, armed))| live(*payee, *armed));
            }
        }
        if self.by_time.len() > limit {
            self.by_time.retain(|Reverse((_, payee, armed))| live(*payee, *armed));
        }
    }
}

impl DueQueue {
    /// Writes who is due, and of the heaps what is not outdated, in one order.
    pub(super) fn store_live(&self, payees: &[Payee], to: &mut Writer) {
        // The count of operations is of this process alone.
        let Self { due, by_index, by_time, operations: _ } = self;
        due.store(to);
        to.put_count(by_index.len());
        by_index.iter().for_each(|heap| live(heap, payees).store(to));
        live(by_time, payees).store(to);
    }

    pub(super) fn load(from: &mut Reader<'_>) -> Option<Self> {
        let due = Stored::load(from)?;
        let heaps = Vec::<Vec<(Index, Armed)>>::load(from)?;
        let by_index = heaps.into_iter().map(heap).collect();
        let by_time = heap(Vec::<(Time, Armed)>::load(from)?);
        Some(Self { due, by_index, by_time, operations: 0 })
    }
}

/// A payee, and their count of armings when they were put into a heap.
type Armed = (PayeeId, u32);

fn live<K: Copy + Ord>(
    heap: &BinaryHeap<Reverse<(K, PayeeId, u32)>>,
    payees: &[Payee],
) -> Vec<(K, Armed)> {
    let newest = |id: PayeeId| payees.get(place(id)).map(|payee| payee.armed);
    let entries = heap.iter().map(|Reverse((key, payee, armed))| (*key, (*payee, *armed)));
    let mut live: Vec<_> =
        entries.filter(|(_, (payee, armed))| newest(*payee) == Some(*armed)).collect();
    live.sort_unstable();
    live
}

fn heap<K: Ord>(entries: Vec<(K, Armed)>) -> BinaryHeap<Reverse<(K, PayeeId, u32)>> {
    let entries = entries.into_iter().map(|(key, (payee, armed))| Reverse((key, payee, armed)));
    entries.collect::<Vec<_>>().into()
}

impl Book {
    /// How often a heap was touched so far. An idle tick adds at most a few.
    #[must_use]
    pub const fn heap_operations(&self) -> u64 {
        self.due.operations
    }

    /// Moves everyone whose waiting time is over by `now` among the due.
    ///
    /// # Errors
    /// [`crate::Code::BookUnbalanced`] when the book contradicts itself.
    pub fn wake_waited(&mut self, now: Time) -> Result<(), Error> {
        while let Some((id, armed)) = self.due.pop_expired(now) {
            if self.payee(id)?.armed == armed {
                self.arm(id, now)?;
            }
        }
        Ok(())
    }

    /// Looks again at everyone who crossed their index in a pool.
    pub(super) fn wake_crossed(&mut self, pool: u32, at: Time) -> Result<(), Error> {
        let index = self.account_mut(pool)?.pool.index();
        while let Some((id, armed)) = self.due.pop_crossed(pool, index) {
            if self.payee(id)?.armed == armed {
                self.arm(id, at)?;
            }
        }
        let payees = &self.payees;
        let newest = |id: PayeeId| payees.get(place(id)).map(|payee| payee.armed);
        self.due.compact(payees.len(), |id, armed| newest(id) == Some(armed));
        Ok(())
    }

    /// Puts a payee where the next change will find them: among the due, or in the heaps.
    pub(super) fn arm(&mut self, id: PayeeId, at: Time) -> Result<(), Error> {
        let earned = self.earned(id)?;
        let (min, max_wait_secs) = self.threshold(id)?;
        let payable_as_it_is = self.is_payable(id, at)?;
        let payee = self.payee_mut(id)?;
        payee.armed = payee.armed.wrapping_add(1);
        let spoken_for = payee.spoken_for()?;
        let payable = earned.less(spoken_for);
        payee.waiting_since = match (payable.is_zero(), payee.waiting_since) {
            (true, _) => Time::ZERO,
            (false, Time::ZERO) => at,
            (false, since) => since,
        };
        let (armed, since) = (payee.armed, payee.waiting_since);
        self.due.due.remove(&id);
        if !payable_as_it_is {
            return Ok(());
        }
        let expires = max_wait_secs.map(|secs| since.plus_secs(secs));
        let waited = payable >= self.floor() && expires.is_some_and(|expires| expires <= at);
        if payable >= min || waited {
            self.due.due.insert(id);
            return Ok(());
        }
        // Before anything is payable no time runs, so the first unit is the next thing to find.
        let goal = match expires {
            Some(_) if payable.is_zero() => Amount::ONE,
            Some(_) if payable < self.floor() => self.floor(),
            Some(expires) => {
                self.due.push_time(expires, id, armed);
                min
            }
            None => min,
        };
        self.arm_in_pools(id, armed, goal.plus(spoken_for)?.minus(earned)?)
    }

    /// Arms in each pool at the index at which that pool alone brings its share of what lacks: the
    /// payee cannot cross before one of them does.
    fn arm_in_pools(&mut self, id: PayeeId, armed: u32, lacking: Amount) -> Result<(), Error> {
        let payee = self.payees.get(place(id)).ok_or_else(|| lost(id))?;
        let Ok(count) = u64::try_from(payee.holdings.len()) else { return Ok(()) };
        let share = Amount::new(lacking.get().div_ceil(count.max(1)).max(1))?;
        for holding in &payee.holdings {
            let key = self.pools.get(place(holding.pool)).and_then(|account| {
                account.pool.index_at_which(account.holders.get(place(holding.slot))?, share)
            });
            if let Some(key) = key {
                self.due.push_index(holding.pool, key, id, armed);
            }
        }
        Ok(())
    }

    /// The least amount at which a payee is due, and how long money may wait below it.
    pub(super) fn threshold(&self, id: PayeeId) -> Result<(Amount, Option<u64>), Error> {
        let policy = self.payee(id)?.policy().unwrap_or(self.settings.policy);
        Ok((policy.min().max(self.floor()), policy.max_wait_secs()))
    }

    pub(super) fn floor(&self) -> Amount {
        self.settings.floor.max(Amount::ONE)
    }
}

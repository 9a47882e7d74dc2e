//! A book as lists: payments are divided when they come, everybody's sums are counted when asked.

use crate::action::{Part, Place, Policy, Target};
use crate::pool::NaivePool;

/// One book. Every payee has a place from the start; `known` says who was ever named.
#[derive(Clone, Debug)]
pub(crate) struct NaiveBook {
    pub(crate) name: String,
    pub(crate) policy: Policy,
    pub(crate) floor: u64,
    pub(crate) cooling_secs: u64,
    /// Whether payees without a destination are paid at their own name, on rail 0.
    pub(crate) named: bool,
    pub(crate) rules: Vec<(u64, Vec<(Target, Part)>)>,
    pub(crate) pools: Vec<NaivePool>,
    pub(crate) payees: Vec<NaivePayee>,
    /// Payments without a rule, in the order of their names.
    pub(crate) unruled: Vec<NaivePayment>,
    pub(crate) recorded: u64,
    pub(crate) event_newest: u64,
    pub(crate) event_first: Option<u64>,
    pub(crate) newest: u64,
    pub(crate) facts: u64,
    pub(crate) runs: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct NaivePayment {
    pub(crate) stream: String,
    pub(crate) amount: u64,
    pub(crate) event_at: u64,
    pub(crate) at: u64,
    /// The rule that it names.
    pub(crate) rule: Option<usize>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct NaivePayee {
    pub(crate) known: bool,
    pub(crate) one_shot: u64,
    pub(crate) reserved: u64,
    pub(crate) paid: u64,
    /// Facts of their own stream.
    pub(crate) n: u64,
    pub(crate) policy: Option<Policy>,
    /// Destinations, the fact that chose each, and since when it is in force.
    pub(crate) places: Vec<(Place, u64, u64)>,
    pub(crate) held: bool,
    pub(crate) since: Option<Since>,
}

/// Since when something is payable.
///
/// Nobody watches a holder without a waiting limit, or one that cannot be paid: their waiting
/// counts from the next time that somebody looks, never earlier than from the first unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Since {
    pub(crate) first: u64,
    /// When it was surely noticed, if it was.
    pub(crate) noticed: Option<u64>,
}

impl NaiveBook {
    pub(crate) fn earned(&self, payee: usize) -> u64 {
        let pooled: u64 = self.pools.iter().map(|pool| pool.earned(payee)).sum();
        self.payees[payee].one_shot + pooled
    }

    pub(crate) fn spoken_for(&self, payee: usize) -> u64 {
        self.payees[payee].reserved + self.payees[payee].paid
    }

    pub(crate) fn payable(&self, payee: usize) -> u64 {
        self.earned(payee).saturating_sub(self.spoken_for(payee))
    }

    pub(crate) fn floor(&self) -> u64 {
        self.floor.max(1)
    }

    /// The least amount that is due, and how long money may wait below it.
    pub(crate) fn threshold(&self, payee: usize) -> (u64, Option<u64>) {
        match self.payees[payee].policy.unwrap_or(self.policy) {
            Policy::Instant => (self.floor(), None),
            Policy::Threshold { min, wait_secs } => (min.max(self.floor()), wait_secs),
        }
    }

    /// Where a payee is paid at a moment: rail, address, and the fact that says so.
    pub(crate) fn place(&self, payee: usize, at: u64) -> Option<(usize, Option<(Place, u64)>)> {
        let chosen = self.payees[payee].places.iter().rev().find(|(_, _, from)| *from <= at);
        match chosen {
            Some((place, n, _)) => Some((place.rail, Some((*place, *n)))),
            None if self.named => Some((0, None)),
            None => None,
        }
    }

    pub(crate) fn is_free(&self, payee: usize, at: u64) -> bool {
        !self.payees[payee].held && self.place(payee, at).is_some()
    }

    /// Whether a payee is surely due, and whether they may be, by asking them.
    pub(crate) fn is_due(&self, payee: usize, at: u64) -> (bool, bool) {
        let payable = self.payable(payee);
        if payable == 0 || !self.is_free(payee, at) {
            return (false, false);
        }
        let (min, wait_secs) = self.threshold(payee);
        let waited = |since: u64| {
            let until = |secs: u64| (since + secs.saturating_mul(1_000).min(END)).min(END);
            payable >= self.floor() && wait_secs.is_some_and(|secs| until(secs) <= at)
        };
        let since = self.payees[payee].since.unwrap();
        let surely = payable >= min || since.noticed.is_some_and(waited);
        (surely, payable >= min || waited(since.first))
    }

    /// Notes a fact: when it is, and that it counts.
    pub(crate) fn note(&mut self, at: u64) {
        self.newest = self.newest.max(at);
        self.facts += 1;
    }

    /// Follows since when everyone waits; whoever is in `seen` was looked at.
    pub(crate) fn refresh(&mut self, at: u64, seen: &[usize]) {
        for payee in 0..self.payees.len() {
            let noticed = seen.contains(&payee);
            let watched = self.threshold(payee).1.is_some() && self.is_free(payee, self.newest);
            let payable = self.payable(payee) > 0;
            let since = &mut self.payees[payee].since;
            *since = match *since {
                _ if !payable => None,
                None => Some(Since { first: at, noticed: (noticed || watched).then_some(at) }),
                Some(Since { first, noticed: None }) if noticed => {
                    Some(Since { first, noticed: Some(at) })
                }
                since => since,
            };
        }
    }

    pub(crate) fn pool(&self, name: usize) -> Option<usize> {
        self.pools.iter().position(|pool| pool.name == name)
    }

    pub(crate) fn open_pool(&mut self, name: usize, supply: u64, at: u64) {
        self.pools.push(NaivePool::open(name, supply, self.payees.len()));
        self.note(at);
    }

    pub(crate) fn set_rule(&mut self, from: u64, legs: Vec<(Target, Part)>, at: u64) {
        for (target, _) in &legs {
            if let Target::Payee(payee) = target {
                self.payees[*payee].known = true;
            }
        }
        self.rules.push((from, legs));
        self.note(at);
        for payment in std::mem::take(&mut self.unruled) {
            self.divide(payment);
        }
    }

    pub(crate) fn rule_at(&self, event_at: u64) -> Option<usize> {
        self.rules.iter().rposition(|(from, _)| *from <= event_at)
    }

    pub(crate) fn record(&mut self, payment: NaivePayment) {
        self.recorded += payment.amount;
        self.event_newest = self.event_newest.max(payment.event_at);
        let first = self.event_first.unwrap_or(payment.event_at);
        self.event_first = Some(first.min(payment.event_at));
        self.note(payment.at);
        self.divide(payment);
    }

    fn divide(&mut self, payment: NaivePayment) {
        // What names no rule is the first one's, or nobody's when it came before that.
        let rule = self.rules.get(payment.rule.unwrap_or(0));
        let Some((_, legs)) = rule.filter(|(from, _)| *from <= payment.event_at) else {
            self.unruled.push(payment);
            self.unruled.sort_by(|a, b| a.stream.cmp(&b.stream));
            return;
        };
        let legs = legs.clone();
        for ((target, _), part) in legs.iter().zip(parts(&legs, payment.amount)) {
            match target {
                Target::Payee(payee) => {
                    self.payees[*payee].one_shot += part;
                    self.refresh(payment.at, &[*payee]);
                }
                Target::Pool(_) if part == 0 => {}
                Target::Pool(name) => {
                    let pool = self.pool(*name).unwrap();
                    let waiting = &mut self.pools[pool].waiting;
                    waiting.push((payment.stream.clone(), part));
                    waiting.sort();
                }
            }
        }
    }

    /// Declares what waits in each pool that somebody holds; says which they were.
    pub(crate) fn declare(&mut self, at: u64) -> Vec<usize> {
        let ready = |pool: &NaivePool| pool.supply > 0 && !pool.waiting.is_empty();
        let pools: Vec<usize> =
            (0..self.pools.len()).filter(|pool| ready(&self.pools[*pool])).collect();
        for pool in &pools {
            self.pools[*pool].declare();
            self.note(at);
            self.refresh(at, &[]);
        }
        pools
    }

    /// A fact of the payee's own stream.
    pub(crate) fn choose(
        &mut self,
        payee: usize,
        destination: Option<Place>,
        policy: Option<Policy>,
        at: u64,
    ) {
        let (named, cooling_secs) = (self.named, self.cooling_secs);
        let own = &mut self.payees[payee];
        own.policy = policy.or(own.policy);
        if let Some(place) = destination {
            if own.places.last().is_some_and(|(_, _, from)| *from > at) {
                own.places.pop();
            }
            let at_once = own.places.is_empty() && !named;
            let from = at + if at_once { 0 } else { cooling_secs * 1_000 };
            own.places.push((place, own.n, from));
        }
        self.own_fact(payee, at);
    }

    pub(crate) fn hold(&mut self, payee: usize, held: bool, at: u64) {
        self.payees[payee].held = held;
        self.own_fact(payee, at);
    }

    fn own_fact(&mut self, payee: usize, at: u64) {
        self.payees[payee].known = true;
        self.payees[payee].n += 1;
        self.note(at);
        self.refresh(at, &[payee]);
    }
}

/// What each leg gets: caps first, then the largest remainder among the portions, earlier first.
pub(crate) fn parts(legs: &[(Target, Part)], amount: u64) -> Vec<u64> {
    let mut rest = amount;
    let mut parts = vec![0; legs.len()];
    for (at, (_, part)) in legs.iter().enumerate() {
        if let Part::UpTo(cap) = part {
            parts[at] = rest.min(*cap);
            rest -= parts[at];
        }
    }
    let portion = |part: &Part| match part {
        Part::Portion(num, den) => Some((*num, *den)),
        Part::UpTo(_) | Part::Remaining => None,
    };
    let whole = legs.iter().find_map(|(_, part)| portion(part)).map_or(1, |(_, den)| den);
    let taken: u64 = legs.iter().filter_map(|(_, part)| portion(part)).map(|(num, _)| num).sum();
    let mut remainders = Vec::new();
    let mut left = rest;
    for (at, (_, part)) in legs.iter().enumerate() {
        let weight = match part {
            Part::UpTo(_) => continue,
            Part::Portion(num, _) => *num,
            Part::Remaining => whole - taken,
        };
        let scaled = u128::from(rest) * u128::from(weight);
        parts[at] = u64::try_from(scaled / u128::from(whole)).unwrap();
        left -= parts[at];
        remainders.push((scaled % u128::from(whole), at));
    }
    remainders.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    for (_, at) in remainders.into_iter().take(usize::try_from(left).unwrap()) {
        parts[at] += 1;
    }
    parts
}

/// No moment is later than this.
pub(crate) const END: u64 = 253_402_207_200_000;

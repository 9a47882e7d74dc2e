//! What everyone must have earned, by plain integers from the facts: no code of the core is used
//! but to read what a fact says.

mod divided;
mod flow;
mod paid;
mod pool;
mod pools;

use std::collections::BTreeMap;

use divvy_core::{
    Body, Compounded, Divided, Error, Fact, Name, Parts, Place, Planned, Recorded, RuleSet, Stream,
    Target,
};

use divided::{Count, bands, counts, parts};
use paid::{Paid, Undivided};
use pool::Pool;
pub(super) use pool::Share;

/// One book, computed beside the engine.
#[derive(Debug)]
pub(super) struct Expected {
    book: Name,
    /// Where each rule stands in its stream.
    rules: Vec<(u64, RuleSet)>,
    /// What each rule has counted, by its place.
    counts: BTreeMap<u64, Count>,
    /// Who brought whom.
    brought_by: BTreeMap<Name, Name>,
    /// What waits for its place among the payments that a rule counts.
    undivided: BTreeMap<Stream, Undivided>,
    pools: BTreeMap<String, Pool>,
    one_shot: BTreeMap<Name, u128>,
    /// Each payment by its parts, and what went back of it.
    payments: BTreeMap<Stream, Paid>,
    /// What ever went back of legs, whatever came again.
    gone: BTreeMap<Name, u128>,
    /// What was taken from holders of an earlier day.
    taken: BTreeMap<Name, u128>,
    /// Each payment's part for each pool, until it is declared.
    waiting: BTreeMap<(String, Stream), u128>,
    /// What payees were paid otherwise than by a batch: what they passed on to the holders of a
    /// pool, what they staked, and what they were paid before the book began.
    passed: BTreeMap<Name, u128>,
    /// What of that pools' payees passed on: it was earned twice.
    drawn: u128,
    /// What was earned before the book began.
    pub(super) brought: u128,
    /// Money that became units, until they are issued.
    staked: Option<Compounded>,
    pub(super) recorded: u128,
}

/// What one payee has earned at least and at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) least: u128,
    pub(super) most: u128,
}

/// What a fact says otherwise than it must, if it does.
type Wrong = Option<String>;

impl Expected {
    pub(super) const fn new(book: Name) -> Self {
        Self {
            book,
            rules: Vec::new(),
            counts: BTreeMap::new(),
            brought_by: BTreeMap::new(),
            undivided: BTreeMap::new(),
            pools: BTreeMap::new(),
            one_shot: BTreeMap::new(),
            payments: BTreeMap::new(),
            gone: BTreeMap::new(),
            taken: BTreeMap::new(),
            waiting: BTreeMap::new(),
            passed: BTreeMap::new(),
            drawn: 0,
            brought: 0,
            staked: None,
            recorded: 0,
        }
    }

    pub(super) const fn book(&self) -> &Name {
        &self.book
    }

    /// Takes in the next fact of all, in the order in which they were written.
    pub(super) fn take(&mut self, fact: &Fact, body: &Body) -> Result<Wrong, Error> {
        let own = |of: &str| of == self.book.as_str();
        Ok(match (fact.stream.place(), body) {
            (Place::Rule { book }, Body::RuleSet(rule)) if own(book) => {
                self.rules.push((fact.n, rule.clone()));
                None
            }
            (Place::Pool { book, pool }, body) if own(book) => self.pool(pool, fact, body),
            (Place::Division { book }, Body::Referred(said)) if own(book) => {
                self.brought_by.insert(said.who.clone(), said.by.clone());
                None
            }
            (Place::Division { book }, Body::Divided(said)) if own(book) => self.count(said)?,
            (Place::Run { book }, Body::Compounded(said)) if own(book) => {
                add(&mut self.passed, &said.holder, said.amount.into());
                self.staked = Some(said.clone());
                None
            }
            (Place::Payee { book, payee }, Body::Brought(said)) if own(book) => {
                let payee = Name::new(payee)?;
                add(&mut self.one_shot, &payee, said.earned.into());
                add(&mut self.passed, &payee, said.paid.into());
                self.brought = self.brought.saturating_add(said.earned.into());
                None
            }
            (Place::Batch { book, .. }, Body::Planned(planned)) if own(book) => {
                self.is_kept(planned)
            }
            (Place::Payment { .. }, Body::Recorded(recorded)) if own(recorded.book.as_str()) => {
                self.record(&fact.stream, recorded)?;
                None
            }
            (Place::Payment { .. }, Body::Reversed(reversed)) => {
                let (id, amount) = (reversed.id.clone(), u128::from(reversed.amount));
                self.go(&fact.stream, |back| {
                    back.insert(id, amount);
                })?;
                None
            }
            (Place::Payment { .. }, Body::Restored(restored)) => {
                self.go(&fact.stream, |back| {
                    back.remove(&restored.id);
                })?;
                None
            }
            _ => None,
        })
    }

    /// What all payees together were paid otherwise than by a batch.
    pub(super) fn passed_all(&self) -> u128 {
        self.passed.values().sum()
    }

    /// What a payee was paid otherwise than by a batch.
    pub(super) fn passed(&self, payee: &Name) -> u128 {
        self.passed.get(payee).copied().unwrap_or(0)
    }

    /// What of the payments has gone back to the payers.
    pub(super) fn gone_back(&self) -> u128 {
        self.payments.values().map(Paid::gone).sum()
    }

    /// The payees of pools that somebody holds, and what of their earnings may stay with them:
    /// what their pool is to keep back.
    pub(super) fn feeders(&self) -> impl Iterator<Item = (&Name, u128)> {
        let held = self.pools.values().filter(|pool| pool.is_held());
        held.filter_map(|pool| Some((pool.payee.as_ref()?, pool.deficit())))
    }

    /// What a holder had in each declaration of which they can prove it: of the pool and the place
    /// that are named.
    pub(super) fn provable(&self, holder: &Name) -> impl Iterator<Item = (&str, u64, Share)> {
        self.pools.iter().flat_map(move |(name, pool)| {
            pool.shares(holder).map(move |(n, share)| (name.as_str(), n, share))
        })
    }

    /// What a payee has earned: exactly by legs, and within a unit of the ideal in each pool.
    pub(super) fn bounds(&self, payee: &Name) -> Bounds {
        let taken = self.taken.get(payee).copied().unwrap_or(0);
        let own = self.one_shot.get(payee).copied().unwrap_or(0);
        let pools = self.pools.values().map(|pool| pool.earned(payee));
        let (least, most) = pools.fold((own, own), |(least, most), (less, more)| {
            (least.saturating_add(less), most.saturating_add(more))
        });
        Bounds { least: least.saturating_sub(taken), most: most.saturating_sub(taken) }
    }

    /// Every payment is divided, declared, on its way, waiting or gone back: to the unit. What went
    /// back of a pool and nobody has made up for yet is somewhere twice, so it is taken off.
    pub(super) fn accounted(&self) -> u128 {
        let sum = |of: fn(&Pool) -> u128| self.pools.values().map(of).sum::<u128>();
        let there = [
            sum(|pool| pool.declared),
            sum(Pool::flowing),
            sum(Pool::surplus),
            self.undivided.values().map(|waiting| waiting.amount).sum(),
            self.waiting.values().sum(),
            self.gone_back(),
            self.one_shot.values().sum(),
        ];
        let borne: u128 = self.payments.values().map(Paid::borne).sum();
        let taken = self.taken.values().sum();
        let twice = [sum(Pool::deficit), borne, taken, self.drawn, self.brought];
        there.into_iter().sum::<u128>().saturating_sub(twice.into_iter().sum())
    }

    /// A payment came in: it is divided by the rule that it names, or waits where that one counts.
    fn record(&mut self, stream: &Stream, recorded: &Recorded) -> Result<(), Error> {
        let (amount, event_at) = (u128::from(recorded.amount), recorded.event_at);
        self.recorded = self.recorded.saturating_add(amount);
        let named = |(n, _): &&(u64, RuleSet)| recorded.rule.is_none_or(|rule| rule == *n);
        let Some((n, rule)) = self.rules.iter().find(named) else { return Ok(()) };
        self.payments.insert(stream.clone(), Paid::new(amount));
        if counts(rule) {
            let payer = recorded.payer.as_deref().map(Name::new).transpose()?;
            let waiting = Undivided { rule: *n, amount, event_at, payer };
            self.undivided.insert(stream.clone(), waiting);
            return Ok(());
        }
        let Some((_, legs)) = bands(rule, event_at).into_iter().next() else { return Ok(()) };
        let own = legs.legs().iter().map(|leg| leg.to.clone()).zip(parts(legs, amount));
        let own = own.collect();
        self.give(stream, own)
    }

    /// Payments have their places among those that a rule counts.
    fn count(&mut self, said: &Divided) -> Result<Wrong, Error> {
        for Parts { payment, parts } in &said.payments {
            let waiting = self.undivided.remove(payment).filter(|one| one.rule == said.rule);
            let rule = self.rules.iter().find(|(n, _)| *n == said.rule);
            let Some((waiting, (_, rule))) = waiting.zip(rule) else {
                return Ok(Some(format!("{payment} does not wait for rule {}", said.rule)));
            };
            let above = std::iter::successors(
                waiting.payer.and_then(|payer| self.brought_by.get(&payer)),
                |person| self.brought_by.get(*person),
            );
            let above: Vec<Name> = above.take(LEVELS_MAX).cloned().collect();
            let count = self.counts.entry(said.rule).or_default();
            let own = count.divide(rule, (waiting.amount, waiting.event_at), &above);
            let mut told: BTreeMap<Target, u128> = BTreeMap::new();
            for part in parts {
                add(&mut told, &part.to, part.amount.into());
            }
            if own != told {
                return Ok(Some(format!("{payment} brings {own:?}, and not {told:?}")));
            }
            self.give(payment, own.into_iter().collect())?;
        }
        Ok(None)
    }

    /// A payment has its parts. What had gone back of it before goes back of them now.
    fn give(&mut self, stream: &Stream, parts: Vec<(Target, u128)>) -> Result<(), Error> {
        for (to, part) in &parts {
            match to {
                Target::Payee(payee) => add(&mut self.one_shot, &Name::new(payee)?, *part),
                Target::Pool(pool) if *part > 0 => {
                    self.waiting.insert((pool.clone(), stream.clone()), *part);
                }
                Target::Pool(_) | _ => {}
            }
        }
        let Some(mut paid) = self.payments.remove(stream) else { return Ok(()) };
        paid.parts = parts;
        let mut before = 0;
        for after in std::mem::take(&mut paid.was) {
            self.take_back(&paid, before, after)?;
            before = after;
        }
        self.payments.insert(stream.clone(), paid);
        Ok(())
    }

    /// Money of a payment goes back, or comes again.
    fn go(
        &mut self,
        payment: &Stream,
        change: impl FnOnce(&mut BTreeMap<String, u128>),
    ) -> Result<(), Error> {
        let Some(mut paid) = self.payments.remove(payment) else { return Ok(()) };
        let before = paid.gone();
        change(&mut paid.back);
        if self.undivided.contains_key(payment) {
            paid.was.push(paid.gone());
        } else {
            self.take_back(&paid, before, paid.gone())?;
        }
        self.payments.insert(payment.clone(), paid);
        Ok(())
    }

    /// More or less of each part has gone back than before.
    fn take_back(&mut self, paid: &Paid, before: u128, after: u128) -> Result<(), Error> {
        let shares = paid.shares(before).into_iter().zip(paid.shares(after));
        for ((to, _), (before, after)) in paid.parts.iter().zip(shares) {
            let (more, less) = (after.saturating_sub(before), before.saturating_sub(after));
            match to {
                Target::Payee(payee) => {
                    let payee = Name::new(payee)?;
                    add(&mut self.gone, &payee, more);
                    let own = self.one_shot.entry(payee).or_default();
                    *own = own.saturating_add(less).saturating_sub(more);
                }
                Target::Pool(pool) => {
                    let pool = self.pools.entry(pool.clone()).or_default();
                    pool.reversed = pool.reversed.saturating_add(more);
                    pool.restored = pool.restored.saturating_add(less);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Nobody is paid out what is for the holders of a pool.
    fn is_kept(&self, planned: &Planned) -> Wrong {
        let fed = |payee: &Name| self.pools.values().any(|pool| pool.payee.as_ref() == Some(payee));
        let line = planned.lines.iter().find(|line| fed(&line.payee))?;
        Some(format!("{} is paid {} that is for holders", line.payee, line.amount))
    }
}

fn add<K: Ord + Clone>(sums: &mut BTreeMap<K, u128>, to: &K, more: u128) {
    let sum = sums.entry(to.clone()).or_default();
    *sum = sum.saturating_add(more);
}

/// No upline has more levels.
const LEVELS_MAX: usize = 8;

//! Payments divided one after another, by rules that count.
//!
//! Payments stand in streams of their own and are read in any order, so none of them knows what
//! came before it. A fact of the book's division stream names payments and thereby puts them in
//! order, as a declaration does for a pool; who brought whom stands in the same stream. So what a
//! payment brings to whom depends on that stream alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::amount::Amount;
use crate::batch::Step;
use crate::book::apply::{Folded, follows, misplaced};
use crate::book::tally::{Referrers, Tally};
use crate::book::{Book, PayeeId, Route, Unruled, lost};
use crate::error::{Code, Error};
use crate::fact::{Body, Divided, Extent, Fact, Head, Part, Parts, Referred, Stream};
use crate::movement::share_reversed;
use crate::name::Name;
use crate::split::Target;
use crate::time::Time;

/// One fact divides at most so many payments.
const PAYMENTS_MAX: usize = 500;

/// What the division stream of a book says, and what waits for its next fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Divisions {
    pub(super) head: Head,
    pub(super) referrers: Referrers,
    /// What each rule has counted, by its place.
    pub(super) tallies: BTreeMap<u64, Tally>,
    pub(super) waiting: BTreeMap<Stream, Waiting>,
    /// What each payment was divided into, for what goes back of it.
    pub(super) shares: BTreeMap<Stream, Shares>,
}

/// A payment that waits to be divided by a rule that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    /// The place of its rule.
    pub(super) rule: u64,
    pub(super) amount: Amount,
    pub(super) event_at: Time,
    pub(super) payer: Option<Box<str>>,
    /// What went back of it or came again meanwhile.
    pub(super) back: Vec<Back>,
}

/// One step of what went back of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Back {
    pub(super) whole: Amount,
    pub(super) before: Amount,
    pub(super) after: Amount,
    pub(super) at: Time,
}

/// What a payment was divided into, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shares {
    pub(super) at: Time,
    pub(super) parts: Box<[(Route, Amount)]>,
}

impl Divisions {
    pub(super) fn new(book: &Name) -> Self {
        Self {
            head: Head::start(Stream::division(book)),
            referrers: Referrers::new(),
            tallies: BTreeMap::new(),
            waiting: BTreeMap::new(),
            shares: BTreeMap::new(),
        }
    }

    /// What all that waits would bring.
    pub(super) fn waiting_total(&self) -> u128 {
        self.waiting.values().map(|waiting| waiting.amount).sum()
    }
}

impl Book {
    /// Who brought a person, if anybody did.
    #[must_use]
    pub fn referrer(&self, who: &str) -> Option<&Name> {
        self.divisions.referrers.get(who)
    }

    /// How much a rule that counts has divided so far, by the rule's place in `rule/<book>`.
    #[must_use]
    pub fn divided_by(&self, rule: u64) -> Amount {
        self.divisions.tallies.get(&rule).map_or(Amount::ZERO, |tally| tally.so_far)
    }

    /// How many payments wait to be divided by a rule that counts.
    #[must_use]
    pub fn undivided(&self) -> usize {
        self.divisions.waiting.len()
    }

    /// Says who was brought, and by whom: from now on, for what is divided after it. What was said
    /// before is passed over.
    ///
    /// # Errors
    /// [`Code::UplineConflict`] for a person whom another has brought, and for a circle.
    pub fn refer(&self, pairs: &[(Name, Name)], now: Time) -> Result<Step, Error> {
        let mut referrers = self.divisions.referrers.clone();
        let mut bodies = Vec::new();
        for (who, by) in pairs {
            if referrers.get(who) == Some(by) {
                continue;
            }
            check_referral(&referrers, who, by)?;
            referrers.insert(who.clone(), by.clone());
            bodies.push(Body::Referred(Referred { who: who.clone(), by: by.clone() }));
        }
        let facts = Fact::chain(&self.divisions.head, self.stamp(now), &bodies);
        Ok(Step::new(facts, Vec::new()))
    }

    /// Divides the payments that wait for a rule that counts: by rule, then by their own time, then
    /// by name. The step is empty when none waits.
    ///
    /// What is for a pool waits for [`Book::declare`] then.
    ///
    /// # Errors
    /// [`Code::AmountAboveCeiling`] when a rule would have divided more than an amount can be.
    pub fn divide(&self, now: Time) -> Result<Step, Error> {
        let mut by_rule: BTreeMap<u64, Vec<(Time, &Stream)>> = BTreeMap::new();
        for (payment, waiting) in &self.divisions.waiting {
            by_rule.entry(waiting.rule).or_default().push((waiting.event_at, payment));
        }
        let mut bodies = Vec::new();
        for (rule, mut payments) in by_rule {
            payments.sort_unstable();
            let mut tally = self.tally(rule);
            for chunk in payments.chunks(PAYMENTS_MAX) {
                let named = chunk.iter().map(|(_, payment)| *payment);
                let Some(payments) = self.division(rule, &mut tally, named)? else { continue };
                bodies.push(Body::Divided(Divided { rule, payments, until: tally.so_far }));
            }
        }
        let facts = Fact::chain(&self.divisions.head, self.stamp(now), &bodies);
        Ok(Step::new(facts, Vec::new()))
    }

    fn tally(&self, rule: u64) -> Tally {
        self.divisions.tallies.get(&rule).cloned().unwrap_or_default()
    }

    /// The parts of payments that wait for a rule, in this order; nothing while one is not there.
    fn division<'a>(
        &self,
        rule: u64,
        tally: &mut Tally,
        payments: impl Iterator<Item = &'a Stream>,
    ) -> Result<Option<Vec<Parts>>, Error> {
        let at = self.rule_named(Some(rule))?;
        let Some(terms) = at.and_then(|at| self.rules.get(at)) else { return Ok(None) };
        let mut divided = Vec::new();
        for payment in payments {
            let Some(waiting) = self.divisions.waiting.get(payment) else { return Ok(None) };
            if waiting.rule != rule {
                let detail = format!("{payment} is divided by rule {}, not {rule}", waiting.rule);
                return Err(Error::new(Code::DivisionWrong, detail));
            }
            let (money, payer) = ((waiting.amount, waiting.event_at), waiting.payer.as_deref());
            let parts = tally.divide(terms, money, payer, &self.divisions.referrers)?;
            divided.push(Parts { payment: payment.clone(), parts });
        }
        Ok(Some(divided))
    }

    /// Keeps a payment until a fact says what came before it.
    pub(super) fn await_division(
        &mut self,
        stream: &Stream,
        payment: Unruled,
        rule: usize,
    ) -> Result<Folded, Error> {
        let rule = self.rule_ns.get(rule).copied().ok_or_else(|| lost(PayeeId::MAX))?;
        self.totals.undeclared = self.totals.undeclared.plus(payment.amount)?;
        let Unruled { amount, event_at, payer, .. } = payment;
        let waiting = Waiting { rule, amount, event_at, payer, back: Vec::new() };
        self.divisions.waiting.insert(stream.clone(), waiting);
        Ok(Folded::Yes)
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "nothing else stands among divisions")]
    pub(super) fn apply_division(&mut self, fact: &Fact, body: &Body) -> Result<Folded, Error> {
        if !follows(&self.divisions.head, fact) {
            return Ok(Folded::Early);
        }
        match body {
            Body::Referred(referred) => {
                let Referred { who, by } = referred.clone();
                check_referral(&self.divisions.referrers, &who, &by)?;
                self.divisions.referrers.insert(who, by);
            }
            Body::Divided(divided) => {
                if !self.divide_folded(divided, fact.at)?.is_done() {
                    return Ok(Folded::Early);
                }
            }
            _ => return Err(misplaced(fact)),
        }
        self.divisions.head = Head::after(fact);
        Ok(Folded::Yes)
    }

    fn divide_folded(&mut self, divided: &Divided, at: Time) -> Result<Folded, Error> {
        let names: BTreeSet<_> = divided.payments.iter().map(|parts| &parts.payment).collect();
        let twice = names.iter().find(|payment| self.divisions.shares.contains_key(**payment));
        if twice.is_some() || names.len() != divided.payments.len() {
            return Err(Error::new(Code::DivisionWrong, "it divides a payment a second time"));
        }
        let mut tally = self.tally(divided.rule);
        let named = divided.payments.iter().map(|parts| &parts.payment);
        let Some(own) = self.division(divided.rule, &mut tally, named)? else {
            return Ok(Folded::Early);
        };
        if own != divided.payments || tally.so_far != divided.until {
            let detail = format!(
                "rule {} would divide it otherwise, and would have divided {} then",
                divided.rule, tally.so_far
            );
            return Err(Error::new(Code::DivisionWrong, detail));
        }
        for Parts { payment, parts } in &divided.payments {
            self.give_parts(payment, parts, at)?;
        }
        self.divisions.tallies.insert(divided.rule, tally);
        Ok(Folded::Yes)
    }

    /// Gives a payment's parts, and takes back what of them had gone back already.
    fn give_parts(&mut self, payment: &Stream, parts: &[Part], at: Time) -> Result<(), Error> {
        let Some(waiting) = self.divisions.waiting.remove(payment) else { return Ok(()) };
        self.totals.undeclared = self.totals.undeclared.minus(waiting.amount)?;
        // One part for each place, so that a payment waits in a pool once.
        let mut sums: BTreeMap<Route, Amount> = BTreeMap::new();
        for part in parts {
            let sum = sums.entry(self.route_to(&part.to)?).or_default();
            *sum = sum.plus(part.amount)?;
        }
        for (route, amount) in &sums {
            self.give(*route, *amount, payment, at)?;
        }
        let shares = Shares { at, parts: sums.into_iter().collect() };
        let (mut taken, mut given) = (Amount::ZERO, Amount::ZERO);
        for back in &waiting.back {
            let moved = self.take_parts(&shares, back)?;
            (taken, given) = (taken.plus(moved.0)?, given.plus(moved.1)?);
        }
        // Until now the platform bore all of it.
        self.totals.borne = self.totals.borne.plus(given)?.minus(taken)?;
        self.divisions.shares.insert(payment.clone(), shares);
        Ok(())
    }

    /// Takes each part back as far as the payment went back; returns what was taken, and given.
    pub(super) fn take_parts(
        &mut self,
        shares: &Shares,
        back: &Back,
    ) -> Result<(Amount, Amount), Error> {
        let (mut taken, mut given) = (Amount::ZERO, Amount::ZERO);
        let at = back.at.max(shares.at);
        for (route, part) in &shares.parts {
            let was = share_reversed(*part, back.before, back.whole)?;
            let is = share_reversed(*part, back.after, back.whole)?;
            self.take_back(*route, is.less(was), was.less(is), at)?;
            (taken, given) = (taken.plus(is.less(was))?, given.plus(was.less(is))?);
        }
        Ok((taken, given))
    }

    /// What a payment was divided into; nothing while it waits, or its rule is not there.
    pub(super) fn shares_of(
        &self,
        payment: &Stream,
        extent: &Extent,
    ) -> Result<Option<Shares>, Error> {
        let Some(number) = self.rule_named(extent.rule)? else { return Ok(None) };
        if self.rules.get(number).is_some_and(|rule| rule.is_counted()) {
            return Ok(self.divisions.shares.get(payment).cloned());
        }
        let net = extent.amount.minus(extent.withheld)?;
        let parts = self.parts_by_legs(number, net, extent.paid_at)?.into();
        Ok(Some(Shares { at: Time::ZERO, parts }))
    }

    /// What a rule that does not count divides a payment into.
    pub(super) fn parts_by_legs(
        &self,
        number: usize,
        amount: Amount,
        event_at: Time,
    ) -> Result<Vec<(Route, Amount)>, Error> {
        let gone = || lost(PayeeId::MAX);
        let (rule, routes) =
            self.rules.get(number).zip(self.routes.get(number)).ok_or_else(gone)?;
        let (tier, legs) = rule.legs_at(event_at);
        let before = rule.all_legs().take(super::place(tier)).map(|legs| legs.legs().len());
        let own = routes.get(before.sum()..).ok_or_else(gone)?;
        Ok(own.iter().copied().zip(legs.divide(amount)?).collect())
    }

    /// Where a part goes.
    fn route_to(&mut self, to: &Target) -> Result<Route, Error> {
        match to {
            Target::Payee(payee) => Ok(Route::Payee(self.payee_named(&Name::new(payee)?)?)),
            Target::Pool(pool) => {
                self.pool_id(pool).map(Route::Pool).ok_or_else(|| lost(PayeeId::MAX))
            }
        }
    }
}

/// Refuses a person who was brought by another, and a circle.
fn check_referral(referrers: &Referrers, who: &Name, by: &Name) -> Result<(), Error> {
    if let Some(before) = referrers.get(who) {
        let detail = format!("{who} was brought by {before}: nobody is brought twice");
        return Err(Error::new(Code::UplineConflict, detail));
    }
    let mut above = std::iter::successors(Some(by), |person| referrers.get(*person));
    if above.any(|person| person == who) {
        let detail = format!("{by} cannot have brought {who}, who is above them");
        return Err(Error::new(Code::UplineConflict, detail));
    }
    Ok(())
}

//! What each fact does to a book.

use crate::amount::Amount;
use crate::asset::Asset;
use crate::book::payee::{Choices, Chosen};
use crate::book::pools::PoolAccount;
use crate::book::terms::check_own;
use crate::book::{Book, Route, Unruled, lost, place};
use crate::error::{Code, Error};
use crate::fact::{Body, Declared, Fact, Hash, Head, Issued, PayeeSet, Place, Stream, TermsSet};
use crate::name::Name;
use crate::time::Time;

/// Whether a fact could be folded, or has to wait for what it rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Folded {
    Yes,
    Early,
}

impl Folded {
    pub(crate) fn is_done(self) -> bool {
        self == Self::Yes
    }
}

impl Book {
    /// Folds one fact of this book.
    pub(crate) fn apply(
        &mut self,
        fact: &Fact,
        place: Place<'_>,
        body: &Body,
    ) -> Result<Folded, Error> {
        let folded = match place {
            Place::Rule { .. } => self.apply_rule(fact, body)?,
            Place::Pool { pool, .. } => self.apply_pool(pool, fact, body)?,
            Place::Payee { payee, .. } => self.apply_payee(payee, fact, body)?,
            Place::Payment { .. } => self.apply_payment(fact, body)?,
            Place::Run { .. } => self.apply_run(fact, body)?,
            Place::Batch { run, i, .. } => self.apply_batch((run, i), fact, body)?,
            Place::Treasury { .. } => self.apply_treasury(fact, body)?,
            Place::Division { .. } => self.apply_division(fact, body)?,
            Place::Break { id, .. } => self.apply_break(id, fact, body)?,
            Place::Webhook { endpoint, .. } => self.apply_webhook(endpoint, fact, body)?,
            Place::Coins { .. } | Place::Seal => return Err(misplaced(fact)),
        };
        if folded == Folded::Yes {
            self.newest = self.newest.max(fact.at);
            self.totals.facts = self.totals.facts.saturating_add(1);
            self.acts.note(fact, body)?;
            self.check_accrual()?;
        }
        Ok(folded)
    }

    fn apply_payment(&mut self, fact: &Fact, body: &Body) -> Result<Folded, Error> {
        if fact.n > 0 {
            return self.apply_reversal(fact, body);
        }
        let Body::Recorded(recorded) = body else { return Err(misplaced(fact)) };
        let total = self.totals.recorded.plus(recorded.amount)?;
        let withheld = recorded.withheld.unwrap_or(Amount::ZERO);
        let (amount, event_at) = (recorded.amount.minus(withheld)?, recorded.event_at);
        let payer = recorded.payer.as_deref().map(Box::from);
        let payment = Unruled { amount, event_at, at: fact.at, payer };
        if !self.divide_recorded(&fact.stream, payment, recorded.rule)?.is_done() {
            return Ok(Folded::Early);
        }
        self.totals.recorded = total;
        self.totals.withheld = self.totals.withheld.plus(withheld)?;
        let day = self.treasury.on(fact.at);
        day.recorded = day.recorded.plus(recorded.amount)?;
        day.withheld = day.withheld.plus(withheld)?;
        self.event_newest = self.event_newest.max(event_at);
        self.event_first = Some(self.event_first.map_or(event_at, |first| first.min(event_at)));
        Ok(Folded::Yes)
    }

    /// Divides a payment by the rule that it names. One that names none is divided by the first,
    /// whatever came since, or kept until there is one: so the order in which the streams of rules
    /// and payments are read changes nothing.
    pub(super) fn divide_recorded(
        &mut self,
        stream: &Stream,
        payment: Unruled,
        named: Option<u64>,
    ) -> Result<Folded, Error> {
        let number = self.rule_named(named)?;
        let rule = number.and_then(|at| Some((at, self.rules.get(at)?)));
        let Some((number, rule)) = rule.filter(|(_, rule)| rule.from <= payment.event_at) else {
            return match (named, rule) {
                (None, _) => self.leave_unruled(stream, payment),
                (Some(_), None) => Ok(Folded::Early),
                (Some(n), Some((_, rule))) => {
                    let (at, from) = (payment.event_at, rule.from);
                    let detail = format!("it is of {at}, but rule {n} starts at {from}");
                    Err(Error::new(Code::RuleMissing, detail))
                }
            };
        };
        if rule.is_counted() {
            return self.await_division(stream, payment, number);
        }
        for (route, part) in self.parts_by_legs(number, payment.amount, payment.event_at)? {
            self.give(route, part, stream, payment.at)?;
        }
        Ok(Folded::Yes)
    }

    fn leave_unruled(&mut self, stream: &Stream, payment: Unruled) -> Result<Folded, Error> {
        self.totals.undeclared = self.totals.undeclared.plus(payment.amount)?;
        self.unruled.insert(stream.clone(), payment);
        Ok(Folded::Yes)
    }

    /// One leg of a payment: earned at once by a payee, or waiting for a pool's declaration.
    pub(super) fn give(
        &mut self,
        route: Route,
        part: Amount,
        stream: &Stream,
        at: Time,
    ) -> Result<(), Error> {
        match route {
            Route::Payee(id) => {
                self.totals.one_shot = self.totals.one_shot.plus(part)?;
                let payee = self.payee_mut(id)?;
                payee.one_shot = payee.one_shot.plus(part)?;
                self.treasury.leg(at, id, part, Amount::ZERO)?;
                self.arm(id, at)
            }
            Route::Pool(_) if part.is_zero() => Ok(()),
            Route::Pool(pool) => {
                let account = self.account_mut(pool)?;
                account.undeclared.insert(stream.clone(), part);
                account.undeclared_total = account.undeclared_total.plus(part)?;
                self.totals.undeclared = self.totals.undeclared.plus(part)?;
                Ok(())
            }
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "whatever else does not belong into a pool's stream"
    )]
    fn apply_pool(&mut self, pool: &str, fact: &Fact, body: &Body) -> Result<Folded, Error> {
        let Some(id) = self.pool_id(pool) else {
            let Body::PoolOpened(opened) = body else { return Ok(Folded::Early) };
            let payee = opened.payee.as_ref().map(|payee| self.payee_named(payee)).transpose()?;
            let account = PoolAccount::new(Name::new(pool)?, Head::after(fact), opened, payee)?;
            self.pools.push(account);
            self.due.add_pool();
            // Whoever feeds a pool is not paid any more.
            payee.map_or(Ok(()), |payee| self.arm(payee, fact.at))?;
            return Ok(Folded::Yes);
        };
        if !follows(&self.account_mut(id)?.head, fact) {
            return Ok(Folded::Early);
        }
        self.account_mut(id)?.note_day(fact.at);
        if matches!(body, Body::Issued(_) | Body::Moved(_) | Body::Redeemed(_)) {
            let account = self.account_mut(id)?;
            account.check_flowed(fact)?;
            account.rooted = None;
        }
        match body {
            Body::Issued(issued) => self.issue(id, issued, fact.at)?,
            Body::Moved(moved) => {
                let ids = [self.payee_named(&moved.from)?, self.payee_named(&moved.to)?];
                self.move_units(id, ids, moved.units, fact.at)?;
            }
            Body::Redeemed(redeemed) => {
                let holder = self.payee_named(&redeemed.holder)?;
                self.with_holder(id, holder, fact.at, |pool, holder| {
                    pool.redeem(holder, redeemed.units)
                })?;
            }
            Body::Declared(declared) => {
                if !self.declare_folded(id, declared, fact.at)? {
                    return Ok(Folded::Early);
                }
            }
            Body::Flowing(flowing) => {
                if !self.apply_flowing(id, flowing, fact)?.is_done() {
                    return Ok(Folded::Early);
                }
            }
            Body::Accrued(accrued) => {
                if !self.apply_accrued(id, accrued, fact.at)?.is_done() {
                    return Ok(Folded::Early);
                }
            }
            Body::Mirrored(mirrored) => {
                if !self.mirror_folded(id, mirrored, fact.at)? {
                    return Ok(Folded::Early);
                }
            }
            _ => return Err(misplaced(fact)),
        }
        let account = self.account_mut(id)?;
        account.head = Head::after(fact);
        account.pool.check()?;
        Ok(Folded::Yes)
    }

    fn issue(&mut self, pool: u32, issued: &Issued, at: Time) -> Result<(), Error> {
        for (name, units) in &issued.entries {
            let id = self.payee_named(name)?;
            self.with_holder(pool, id, at, |pool, holder| pool.issue(holder, *units))?;
        }
        Ok(())
    }

    fn declare_folded(&mut self, id: u32, declared: &Declared, at: Time) -> Result<bool, Error> {
        self.check_root(id, declared)?;
        if !self.may_draw(id, declared)? || !self.account_mut(id)?.declare(declared)? {
            return Ok(false);
        }
        self.draw(id, declared, at)?;
        let totals = &mut self.totals;
        let (netted, regained) = declared.made_up();
        totals.undeclared = totals.undeclared.minus(declared.gross)?;
        totals.declared = totals.declared.plus(declared.effective()?)?;
        totals.deficit = totals.deficit.minus(netted)?;
        totals.surplus = totals.surplus.minus(regained)?;
        self.wake_crossed(id, at)?;
        Ok(true)
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "whatever else does not belong into a payee's stream"
    )]
    fn apply_payee(&mut self, payee: &str, fact: &Fact, body: &Body) -> Result<Folded, Error> {
        let id = match self.payee_ids.get(payee) {
            Some(id) => *id,
            None => self.payee_named(&Name::new(payee)?)?,
        };
        let cooling_secs = self.settings.cooling_secs;
        // Who is paid at their own name has a destination already: their first one is a change.
        let first_secs = if self.settings.named_on.is_some() { cooling_secs } else { 0 };
        if let Body::Decided(decided) = body
            && self.apply_decided(decided, fact)? == Folded::Early
        {
            return Ok(Folded::Early);
        }
        let payee = self.payees.get_mut(place(id)).ok_or_else(|| lost(id))?;
        let weighed = payee.weighs();
        let choices = payee
            .choices
            .get_or_insert_with(|| Box::new(Choices::new(Hash::of_stream(&fact.stream))));
        if choices.n != fact.n {
            return Ok(Folded::Early);
        }
        match body {
            Body::PayeeSet(set) => choices.set(set, fact, first_secs, cooling_secs),
            Body::TermsSet(set) => choices.set_terms(set, &self.settings.asset)?,
            Body::Held(held) => choices.held = Some(held.reason.as_str().into()),
            Body::Released(_) => choices.held = None,
            Body::Brought(_) | Body::Decided(_) => (),
            _ => return Err(misplaced(fact)),
        }
        (choices.n, choices.hash) = (fact.n.saturating_add(1), fact.hash);
        let weighs = payee.weighs();
        self.weighing = self.weighing.saturating_add(weighs.into()).saturating_sub(weighed.into());
        if let Body::Brought(brought) = body {
            self.bring_folded(id, brought, fact)?;
        }
        self.arm(id, fact.at)?;
        Ok(Folded::Yes)
    }
}

impl Choices {
    const fn new(hash: Hash) -> Self {
        let (policy, fee_share) = (None, None);
        Self { n: 0, hash, policy, fee_share, destinations: Vec::new(), held: None }
    }

    fn set_terms(&mut self, set: &TermsSet, asset: &Asset) -> Result<(), Error> {
        set.check(asset)?;
        check_own(set)?;
        self.policy = set.policy.or(self.policy);
        self.fee_share = set.fee_share.or(self.fee_share);
        Ok(())
    }

    fn set(&mut self, set: &PayeeSet, fact: &Fact, first_secs: u64, cooling_secs: u64) {
        if let Some(policy) = set.policy {
            self.policy = Some(policy);
        }
        let Some(destination) = &set.destination else { return };
        // What still cools is replaced; what was in force stays, for batches of that time.
        self.destinations.pop_if(|chosen| chosen.from > fact.at);
        let secs = if self.destinations.is_empty() { first_secs } else { cooling_secs };
        let from = fact.at.plus_secs(secs);
        self.destinations.push(Chosen { destination: destination.clone(), n: fact.n, from });
    }
}

pub(super) fn follows(head: &Head, fact: &Fact) -> bool {
    head.n == fact.n
}

pub(crate) fn misplaced(fact: &Fact) -> Error {
    let detail = format!("fact {} of {} cannot be a {}", fact.n, fact.stream, fact.kind);
    Error::new(Code::FactMalformed, detail)
}

//! Money that went back: whose part it was, and how a pool makes up for it.
//!
//! A payee's part is taken off what they earned, so that they may owe it back. A pool's part is
//! netted off its next declarations, or mirrored to those who held units at the record date. Facts
//! of a payment and of a pool come in any order among themselves, so each sum below only grows.

use std::collections::HashSet;

use crate::amount::Amount;
use crate::batch::Step;
use crate::book::apply::{Folded, misplaced};
use crate::book::divisions::Back;
use crate::book::{Book, PayeeId, Route};
use crate::error::{Code, Error};
use crate::fact::{Body, Brought, Declared, Extent, Fact, Mirrored, Stream};
use crate::movement::share_reversed;
use crate::name::Name;
use crate::pool::{Holdings, Pool};
use crate::time::Time;

/// What went back of a pool's parts, and what has made up for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Makeup {
    /// What went back.
    pub(super) reversed: Amount,
    /// What of that came again.
    pub(super) restored: Amount,
    /// What declarations kept back for what went back.
    pub(super) netted: Amount,
    /// What declarations added for what came again.
    pub(super) regained: Amount,
    /// What was taken from those who held units at the record date.
    pub(super) mirrored: Amount,
}

impl Makeup {
    /// What has gone back, and nobody has made up for yet.
    pub(super) fn deficit(&self) -> Amount {
        self.reversed.less(self.netted).less(self.mirrored)
    }

    /// What came again, and was not declared again yet.
    pub(super) const fn surplus(&self) -> Amount {
        self.restored.less(self.regained)
    }

    /// What the next declaration of so much keeps back, and adds.
    pub(super) fn next(&self, gross: Amount) -> Result<(Amount, Amount), Error> {
        let regained = self.surplus();
        Ok((self.deficit().min(gross.plus(regained)?), regained))
    }

    /// Takes what a declaration kept back and added; false when it rests on what is not seen yet.
    pub(super) fn declared(&mut self, netted: Amount, regained: Amount) -> Result<bool, Error> {
        let (netted, regained) = (self.netted.plus(netted)?, self.regained.plus(regained)?);
        if netted.plus(self.mirrored)? > self.reversed || regained > self.restored {
            return Ok(false);
        }
        (self.netted, self.regained) = (netted, regained);
        Ok(true)
    }
}

impl Book {
    /// What payees bring along from before the book began, once each: everything that they had
    /// earned, and what of it they were paid.
    ///
    /// # Errors
    /// [`Code::BookConflict`] for a payee who brought money along before.
    pub fn bring(&self, entries: &[(Name, Brought)], now: Time) -> Result<Step, Error> {
        let most = |(_, brought): &(Name, Brought)| brought.earned.max(brought.paid);
        self.check_room(entries.iter().map(most))?;
        let paid = entries.iter().map(|(_, brought)| brought.paid);
        Amount::total(core::iter::once(self.totals.paid).chain(paid))?;
        let (mut step, mut named) = (Step::default(), HashSet::new());
        for (payee, brought) in entries {
            let id = self.payee_ids.get(payee.as_str());
            if id.is_some_and(|id| self.brought.contains_key(id)) || !named.insert(payee) {
                let detail = format!("{payee} brought money along before: correct it otherwise");
                return Err(Error::new(Code::BookConflict, detail));
            }
            let body = Body::Brought(brought.clone());
            let fact = Fact::new(&self.payee_head(payee), self.stamp(now), &body);
            step = step.and(Step::new(vec![fact], Vec::new()));
        }
        Ok(step)
    }

    /// Takes what a reversal takes of a pool's part from those who held units when that part was
    /// declared, instead of keeping it back from the next declarations. To be committed together
    /// with the reversal; `pool_facts` are the pool's whole stream.
    ///
    /// Each holder gives back the same part of the whole units that the declaration brought them;
    /// odd units are kept back from the next declaration. The step is empty when the part is not
    /// declared yet.
    ///
    /// # Errors
    /// [`Code::PoolUnknown`], and the errors of a pool's history that breaks a rule.
    pub fn mirror(
        &self,
        pool: &str,
        pool_facts: &[Fact],
        payment: &Stream,
        extent: &Extent,
        now: Time,
    ) -> Result<Step, Error> {
        let account = self.pool_account(pool)?;
        let naming = pool_facts.iter().enumerate().find_map(|(at, fact)| match fact.body() {
            Ok(Body::Declared(declared)) if declared.payments.contains(payment) => {
                Some((at, declared))
            }
            _ => None,
        });
        let Some((at, declared)) = naming else { return Ok(Step::default()) };
        let Some(shares) = self.shares_of(payment, extent)? else { return Ok(Step::default()) };
        let route = self.pool_id(pool).map(Route::Pool);
        let own = shares.parts.iter().filter(|(to, _)| Some(*to) == route);
        let part = Amount::total(own.map(|(_, part)| *part))?;
        // What the declaration kept back reached nobody, and nobody can give it back.
        let kept_back = declared.netted.unwrap_or(Amount::ZERO);
        let reached = share_reversed(part, declared.gross.less(kept_back), declared.gross)?;
        // Each reversal alone: what an earlier one left as odd units is kept back meanwhile.
        let taken_of = |part: Amount| -> Result<Amount, Error> {
            let was = share_reversed(part, extent.before, extent.amount)?;
            Ok(share_reversed(part, extent.after, extent.amount)?.less(was))
        };
        let taken = taken_of(part)?.min(taken_of(reached)?);
        let before = pool_facts.get(..at).unwrap_or_default();
        let entries = given_back(&account.pool, before, &declared, taken)?;
        if entries.is_empty() {
            return Ok(Step::default());
        }
        let declaration = u64::try_from(at).unwrap_or(u64::MAX);
        let body = Body::Mirrored(Mirrored { declaration, entries });
        Ok(Step::new(vec![Fact::new(&account.head, self.stamp(now), &body)], Vec::new()))
    }

    /// A reversal, its undoing, or the loss of a dispute, on a payment's own stream.
    #[expect(clippy::wildcard_enum_match_arm, reason = "nothing else follows a payment")]
    pub(super) fn apply_reversal(&mut self, fact: &Fact, body: &Body) -> Result<Folded, Error> {
        // A payment without a rule is nobody's yet: what goes back of it waits for the rule.
        if self.unruled.contains_key(&fact.stream) {
            return Ok(Folded::Early);
        }
        match body {
            Body::Reversed(reversed) => self.reverse(&reversed.extent, fact),
            Body::Restored(restored) => self.reverse(&restored.extent, fact),
            Body::Lost(_) => Ok(Folded::Yes),
            _ => Err(misplaced(fact)),
        }
    }

    fn reverse(&mut self, extent: &Extent, fact: &Fact) -> Result<Folded, Error> {
        let Extent { amount, before, after, .. } = extent;
        let back = Back { whole: *amount, before: *before, after: *after, at: fact.at };
        let (taken, given) = match self.shares_of(&fact.stream, extent)? {
            Some(shares) => self.take_parts(&shares, &back)?,
            None => match self.divisions.waiting.get_mut(&fact.stream) {
                // Nobody has a part of it yet.
                Some(waiting) => {
                    waiting.back.push(back);
                    (Amount::ZERO, Amount::ZERO)
                }
                None => return Ok(Folded::Early),
            },
        };
        let totals = &mut self.totals;
        totals.refunded = totals.refunded.plus(*after)?.minus(*before)?;
        let day = self.treasury.on(fact.at);
        day.reversed = day.reversed.plus(after.less(*before))?;
        day.restored = day.restored.plus(before.less(*after))?;
        // The platform bears what no share covers: odd units, and what was kept back at receipt.
        let borne = totals.borne.plus(*after)?.plus(given)?;
        totals.borne = borne.minus(before.plus(taken)?)?;
        Ok(Folded::Yes)
    }

    /// Takes back, or gives back, one leg's part.
    pub(super) fn take_back(
        &mut self,
        route: Route,
        taken: Amount,
        given: Amount,
        at: Time,
    ) -> Result<(), Error> {
        if taken == given {
            return Ok(());
        }
        match route {
            Route::Payee(id) => {
                let totals = &mut self.totals;
                totals.one_shot = totals.one_shot.plus(given)?.minus(taken)?;
                let payee = self.payee_mut(id)?;
                payee.one_shot = payee.one_shot.plus(given)?.minus(taken)?;
                let back = self.back.entry(id).or_default();
                *back = back.plus(taken)?;
                self.treasury.leg(at, id, given, taken)?;
                self.arm(id, at)
            }
            Route::Pool(pool) => {
                self.totals.deficit = self.totals.deficit.plus(taken)?;
                self.totals.surplus = self.totals.surplus.plus(given)?;
                let makeup = &mut self.account_mut(pool)?.makeup;
                makeup.reversed = makeup.reversed.plus(taken)?;
                makeup.restored = makeup.restored.plus(given)?;
                Ok(())
            }
        }
    }

    /// Takes a part of a payment from those who held units at its record date; false when what
    /// went back is not seen yet.
    pub(super) fn mirror_folded(
        &mut self,
        pool: u32,
        mirrored: &Mirrored,
        at: Time,
    ) -> Result<bool, Error> {
        let sum = Amount::total(mirrored.entries.iter().map(|(_, amount)| *amount))?;
        let makeup = &mut self.account_mut(pool)?.makeup;
        let more = makeup.mirrored.plus(sum)?;
        if more.plus(makeup.netted)? > makeup.reversed {
            return Ok(false);
        }
        makeup.mirrored = more;
        self.totals.deficit = self.totals.deficit.minus(sum)?;
        self.totals.mirrored = self.totals.mirrored.plus(sum)?;
        for (holder, amount) in &mirrored.entries {
            let id = self.payee_named(holder)?;
            let taken = self.taken.entry(id).or_default();
            *taken = taken.plus(*amount)?;
            self.arm(id, at)?;
        }
        Ok(true)
    }

    /// What a payee brings along from before the book began: once.
    pub(super) fn bring_folded(
        &mut self,
        id: PayeeId,
        brought: &Brought,
        fact: &Fact,
    ) -> Result<(), Error> {
        if self.brought.contains_key(&id) {
            let detail = "a payee brings money along once: correct it by a payment or a reversal";
            return Err(fact.named(&Error::new(Code::BookConflict, detail)));
        }
        let totals = &mut self.totals;
        totals.opened = totals.opened.plus(brought.earned)?;
        totals.one_shot = totals.one_shot.plus(brought.earned)?;
        totals.paid = totals.paid.plus(brought.paid)?;
        totals.moved = totals.moved.plus(brought.paid)?;
        let payee = self.payee_mut(id)?;
        payee.one_shot = payee.one_shot.plus(brought.earned)?;
        payee.paid = payee.paid.plus(brought.paid)?;
        self.brought.insert(id, brought.paid);
        Ok(())
    }

    /// What was taken from a payee as a holder at some record date.
    pub(super) fn taken(&self, id: PayeeId) -> Amount {
        if self.taken.is_empty() {
            return Amount::ZERO;
        }
        self.taken.get(&id).copied().unwrap_or_default()
    }
}

/// What each holder gives back of a declaration when so much of it is taken: never more than the
/// whole units that it brought them, so that nobody can have earned less than nothing.
fn given_back(
    pool: &Pool,
    before: &[Fact],
    declared: &Declared,
    taken: Amount,
) -> Result<Vec<(Name, Amount)>, Error> {
    let index = before.iter().rev().find_map(|fact| match fact.body() {
        Ok(Body::Declared(before)) => Some(before.index.get()),
        Ok(Body::Accrued(before)) => Some(before.index.get()),
        _ => None,
    });
    let steps = declared.index.get().saturating_sub(index.unwrap_or(0));
    let mut entries = Vec::new();
    for (holder, units) in Holdings::fold(before)?.entries() {
        let scaled = u128::from(units.get()).saturating_mul(steps);
        let brought = Amount::from_wide(scaled.checked_div(pool.scale().get()).unwrap_or(0))?;
        let effective = declared.effective()?;
        if effective.is_zero() {
            continue;
        }
        let share = share_reversed(brought, taken.min(effective), effective)?;
        if !share.is_zero() {
            entries.push((holder.clone(), share));
        }
    }
    Ok(entries)
}

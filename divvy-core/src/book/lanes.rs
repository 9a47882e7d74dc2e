//! Those whose policy says now, and who wait for what a rail charges.
//!
//! A fee moves at every tick, and must not move every holder with it. So each rail has a band
//! around its fee. Whoever waits is armed at the favourable edge, as if the fee were as low as the
//! band goes; whoever has passed that edge stands in a list, ordered by the highest fee at which
//! they are paid, and those at its top are due. Only a fee that leaves the band arms anybody anew.

use core::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::amount::Amount;
use crate::book::{Book, Obstacle, PayeeId};
use crate::error::Error;
use crate::name::Name;
use crate::policy::FeeShare;
use crate::quote::FeeQuote;
use crate::time::Time;

/// What is quoted for each rail, and who has come near it.
///
/// It is made of quotes, which are no facts, so no checkpoint holds it.
#[derive(Clone, Debug, Default)]
pub(super) struct Lanes {
    lanes: Vec<Lane>,
    /// Where each of the near stands.
    places: BTreeMap<PayeeId, (usize, Amount)>,
    /// The latest moment that was told.
    now: Time,
    /// Changes of the lists and looks at their tops.
    pub(super) operations: u64,
}

/// One rail.
#[derive(Clone, Debug)]
struct Lane {
    rail: Name,
    fee: Amount,
    at: Time,
    until: Time,
    band: (Amount, Amount),
    /// By the highest fee at which they are paid, as it was when they were looked at last; what
    /// pools have brought since is not in it.
    near: BTreeSet<(Reverse<Amount>, PayeeId)>,
    /// The fee for which all of the near are armed in their pools, if it is the same for all.
    looked: Option<Amount>,
    /// Whether a pool has declared since the near were looked at.
    moved: bool,
}

/// What the fee says of somebody whose policy says now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// The policy does not say now.
    Closed,
    /// The fee does not matter.
    Open,
    /// It does: their place in a list, and the payable amount at which to look again.
    Priced { near: Option<(usize, Amount)>, goal: Option<Amount> },
}

impl Lanes {
    fn of(&self, rail: &Name) -> Option<usize> {
        self.lanes.iter().position(|lane| lane.rail == *rail)
    }

    /// A pool has declared: what is known of the near may be too little.
    pub(super) fn note_declared(&mut self) {
        self.lanes.iter_mut().for_each(|lane| lane.moved = true);
    }

    /// Puts a payee where the gate says, and nowhere else.
    pub(super) fn list(&mut self, id: PayeeId, gate: Gate) {
        let near = if let Gate::Priced { near, .. } = gate { near } else { None };
        if self.places.get(&id) == near.as_ref() {
            return;
        }
        self.operations = self.operations.saturating_add(1);
        if let Some((at, fee_max)) = self.places.remove(&id)
            && let Some(lane) = self.lanes.get_mut(at)
        {
            lane.near.remove(&(Reverse(fee_max), id));
        }
        if let Some((at, fee_max)) = near
            && let Some(lane) = self.lanes.get_mut(at)
        {
            lane.near.insert((Reverse(fee_max), id));
            self.places.insert(id, (at, fee_max));
        }
    }

    /// Those who are due over a rail at its fee, by the highest fee at which they are paid.
    pub(super) fn due(&self, now: Time) -> impl Iterator<Item = (&Name, PayeeId)> {
        let fresh = self.lanes.iter().filter(move |lane| now <= lane.until);
        fresh.flat_map(|lane| lane.reached().map(|(_, id)| (&lane.rail, *id)))
    }

    /// How many are due, as of the latest moment that was told.
    pub(super) fn due_count(&self) -> usize {
        self.due(self.now).count()
    }

    pub(super) fn is_due(&self, id: PayeeId, now: Time) -> bool {
        let place = self.places.get(&id);
        let lane = place.and_then(|(at, fee_max)| Some((self.lanes.get(*at)?, fee_max)));
        lane.is_some_and(|(lane, fee_max)| lane.fee <= *fee_max && now <= lane.until)
    }
}

impl Lane {
    fn reached(&self) -> impl Iterator<Item = &(Reverse<Amount>, PayeeId)> {
        self.near.range(..=(Reverse(self.fee), PayeeId::MAX))
    }

    fn holds(&self, fee: Amount) -> bool {
        (self.band.0..=self.band.1).contains(&fee)
    }
}

impl Book {
    /// Whether anybody's terms weigh what a rail charges, so that it has to be quoted.
    #[must_use]
    pub const fn weighs_fees(&self) -> bool {
        self.weighing > 0 || !matches!(self.everyone.fee_share, FeeShare::Any)
    }

    /// Takes in what a rail charges for a line, for [`Book::due`] to weigh. Inside the band of
    /// the quotes before it costs the same for any number of holders.
    ///
    /// # Errors
    /// [`crate::Code::QuoteMissing`] when the rail charges in another asset and no rate says what
    /// that is in the book's; [`crate::Code::BookUnbalanced`] when the book contradicts itself.
    pub fn take_quote(&mut self, quote: &FeeQuote, now: Time) -> Result<(), Error> {
        let fee = quote.fee_in(&self.settings.asset)?;
        let lanes = &mut self.due.lanes;
        lanes.now = lanes.now.max(now);
        let known = lanes.of(&quote.rail);
        let at = known.unwrap_or(lanes.lanes.len());
        if known.is_none() {
            lanes.lanes.push(Lane {
                rail: quote.rail.clone(),
                fee,
                at: quote.at,
                until: quote.until,
                band: around(fee),
                near: BTreeSet::new(),
                looked: None,
                moved: false,
            });
        }
        let Some(lane) = lanes.lanes.get_mut(at) else { return Ok(()) };
        (lane.fee, lane.at, lane.until) = (fee, quote.at, quote.until);
        if known.is_some() && lane.holds(fee) {
            return self.look_at_near(now);
        }
        (lane.band, lane.looked, lane.moved) = (around(fee), Some(fee), false);
        self.arm_weighing(&quote.rail, now)
    }

    /// Forgets what a rail charges, since nobody can say it now: whoever weighs it waits.
    pub fn lose_quote(&mut self, rail: &Name) {
        if let Some(at) = self.due.lanes.of(rail)
            && let Some(lane) = self.due.lanes.lanes.get_mut(at)
        {
            lane.until = Time::ZERO;
        }
    }

    /// Arms everyone anew who weighs what a rail charges.
    fn arm_weighing(&mut self, rail: &Name, now: Time) -> Result<(), Error> {
        let at = self.stamp(now);
        for id in self.ids() {
            let weighs = !matches!(self.terms(id)?.share, FeeShare::Any);
            if weighs && self.rail_of(id, at)? == Some(rail) {
                self.arm(id, at)?;
            }
        }
        Ok(())
    }

    /// After a pool has declared, a fee that moved may have been reached by somebody who is armed
    /// for another one: the near are looked at, once for each declaration at most.
    pub(super) fn look_at_near(&mut self, now: Time) -> Result<(), Error> {
        self.due.lanes.now = self.due.lanes.now.max(now);
        let mut near = Vec::new();
        for lane in &mut self.due.lanes.lanes {
            self.due.lanes.operations = self.due.lanes.operations.saturating_add(1);
            if lane.moved && lane.looked != Some(lane.fee) {
                (lane.moved, lane.looked) = (false, Some(lane.fee));
                near.extend(lane.near.iter().map(|(_, id)| *id));
            }
        }
        let at = self.stamp(now);
        near.into_iter().try_for_each(|id| self.arm(id, at))
    }

    /// What the fee says of a payee whose policy says now.
    pub(super) fn gate(
        &mut self,
        id: PayeeId,
        share: FeeShare,
        payable: Amount,
        at: Time,
    ) -> Result<Gate, Error> {
        let Some(fee_max) = share.fee_max(payable) else { return Ok(Gate::Open) };
        let place = self.rail_of(id, at)?.and_then(|rail| self.due.lanes.of(rail));
        let lane = place.and_then(|at| Some((at, self.due.lanes.lanes.get_mut(at)?)));
        let Some((at, lane)) = lane else { return Ok(Gate::Priced { near: None, goal: None }) };
        if fee_max < lane.band.0 {
            return Ok(Gate::Priced { near: None, goal: share.least_for(lane.band.0) });
        }
        lane.looked = lane.looked.filter(|fee| *fee == lane.fee);
        let goal = if fee_max < lane.fee { share.least_for(lane.fee) } else { None };
        Ok(Gate::Priced { near: Some((at, fee_max)), goal })
    }

    /// Why the fee keeps back what the policy would pay, if it does.
    pub(super) fn fee_obstacle(
        &self,
        id: PayeeId,
        fee_max: Amount,
        now: Time,
    ) -> Result<Option<Obstacle>, Error> {
        let Some(rail) = self.rail_of(id, self.stamp(now))? else { return Ok(None) };
        let lane = self.due.lanes.of(rail).and_then(|at| self.due.lanes.lanes.get(at));
        Ok(match lane {
            Some(lane) if now > lane.until => {
                Some(Obstacle::QuoteOld { rail: rail.clone(), at: lane.at })
            }
            Some(lane) if fee_max < lane.fee => {
                Some(Obstacle::FeeAbove { rail: rail.clone(), fee: lane.fee, most: fee_max })
            }
            Some(_) => None,
            None => Some(Obstacle::NoQuote(rail.clone())),
        })
    }

    /// The rail over which a payee would be paid.
    pub(super) fn rail_of(&self, id: PayeeId, at: Time) -> Result<Option<&Name>, Error> {
        let chosen = self.payee(id)?.chosen(at).map(|chosen| &chosen.destination.rail);
        Ok(chosen.or(self.settings.named_on.as_ref()))
    }
}

/// The band around a fee: a quarter of it to either side.
fn around(fee: Amount) -> (Amount, Amount) {
    let quarter = Amount::new(fee.get().div_ceil(4)).unwrap_or(Amount::MAX);
    (fee.less(quarter), fee.plus(quarter).unwrap_or(Amount::MAX))
}

//! Everything that a payee earned, was paid, and waits for.

use std::collections::BTreeMap;

use crate::amount::Amount;
use crate::asset::Asset;
use crate::error::Error;
use crate::explain::{Told, batch_sentence};
use crate::fact::{Body, Declared, Fact, PayeeSet, Place, Recorded, RuleSet, Stream};
use crate::name::Name;
use crate::pool::{Holder, Pool, Units};
use crate::split::Target;

#[derive(Debug)]
pub(super) struct PayeeStory {
    book: Name,
    payee: Name,
    asset: Asset,
    rules: Vec<RuleSet>,
    pools: BTreeMap<Stream, PoolPart>,
    /// The payee's line in each batch that has one: its place, and its amount.
    lines: BTreeMap<Stream, (u32, Amount)>,
}

/// A pool seen by one holder: everyone else is one other holder.
#[derive(Debug)]
struct PoolPart {
    pool: Pool,
    own: Holder,
    others: Holder,
}

impl PayeeStory {
    pub(super) fn new(book: Name, payee: Name, asset: Asset) -> Self {
        let (rules, pools, lines) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        Self { book, payee, asset, rules, pools, lines }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "other kinds are no part of this story")]
    pub(super) fn tell(&mut self, fact: &Fact) -> Result<Told, Error> {
        let own = self.book.as_str();
        match fact.stream.place() {
            Place::Rule { book } if book == own => {
                if let Body::RuleSet(rule) = fact.body()? {
                    self.rules.push(rule);
                }
                Ok(None)
            }
            Place::Pool { book, .. } if book == own => self.tell_pool(fact),
            Place::Payee { book, payee } if book == own && payee == self.payee.as_str() => {
                self.tell_choice(fact)
            }
            Place::Payment { .. } => match fact.body()? {
                Body::Recorded(recorded) if recorded.book == self.book => {
                    self.tell_payment(fact, &recorded)
                }
                _ => Ok(None),
            },
            Place::Batch { book, .. } if book == own => self.tell_batch(fact),
            Place::Rule { .. }
            | Place::Pool { .. }
            | Place::Payee { .. }
            | Place::Run { .. }
            | Place::Batch { .. }
            | Place::Coins { .. } => Ok(None),
        }
    }

    fn tell_payment(&self, fact: &Fact, recorded: &Recorded) -> Result<Told, Error> {
        let rule = self.rules.iter().rev().find(|rule| rule.from <= recorded.event_at);
        let Some(rule) = rule else { return Ok(None) };
        let parts = rule.legs.divide(recorded.amount)?;
        let own = rule.legs.legs().iter().zip(parts).find(|(leg, _)| {
            matches!(&leg.to, Target::Payee(payee) if payee.as_str() == self.payee.as_str())
        });
        let Some((leg, part)) = own else { return Ok(None) };
        let text = |amount| self.asset.text(amount);
        let sentence = format!(
            "earned {} {}: {} of the {} that came in as {}",
            text(part),
            self.asset.code(),
            leg.share,
            text(recorded.amount),
            fact.stream
        );
        Ok(Some((Some(format!("earned +{}", text(part))), sentence)))
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "other kinds are no part of this story")]
    fn tell_pool(&mut self, fact: &Fact) -> Result<Told, Error> {
        let body = fact.body()?;
        if let Body::PoolOpened(opened) = &body {
            let (own, others) = (Holder::default(), Holder::default());
            let part = PoolPart { pool: Pool::open(opened.supply)?, own, others };
            self.pools.insert(fact.stream.clone(), part);
            return Ok(None);
        }
        let Some(part) = self.pools.get_mut(&fact.stream) else { return Ok(None) };
        let before = part.own.units();
        match &body {
            Body::Issued(issued) => {
                for (holder, units) in &issued.entries {
                    part.issue(*holder == self.payee, *units)?;
                }
            }
            Body::Moved(moved) => {
                let (from, to) = (moved.from == self.payee, moved.to == self.payee);
                part.transfer(from, to, moved.units)?;
            }
            Body::Redeemed(redeemed) => {
                part.redeem(redeemed.holder == self.payee, redeemed.units)?
            }
            Body::Declared(declared) => {
                return part.declare(declared, &self.asset, fact);
            }
            _ => (),
        }
        let after = part.own.units();
        Ok((before != after).then(|| (None, format!("holds {after} units now, after {before}"))))
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "other kinds are no part of this story")]
    fn tell_choice(&self, fact: &Fact) -> Result<Told, Error> {
        let sentence = match fact.body()? {
            Body::PayeeSet(PayeeSet { destination, policy }) => {
                let place =
                    destination.map(|to| format!("to be paid at {} over {}", to.address, to.rail));
                let when = policy.map(|policy| match policy {
                    crate::policy::Policy::Instant => "to be paid at once".to_owned(),
                    crate::policy::Policy::Threshold { min, .. } => {
                        format!("to be paid from {} on", self.asset.text(min))
                    }
                });
                let chosen: Vec<String> = place.into_iter().chain(when).collect();
                format!("chose {}", chosen.join(" and "))
            }
            Body::Held(held) => format!("held: {}", held.reason),
            Body::Released(released) => format!("released: {}", released.reason),
            _ => return Ok(None),
        };
        Ok(Some((None, sentence)))
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "other kinds are no part of this story")]
    fn tell_batch(&mut self, fact: &Fact) -> Result<Told, Error> {
        let body = fact.body()?;
        if let Body::Planned(planned) = &body {
            let own = (0_u32..).zip(&planned.lines).find(|(_, line)| line.payee == self.payee);
            let Some((at, line)) = own else { return Ok(None) };
            self.lines.insert(fact.stream.clone(), (at, line.amount));
            let amount = self.asset.text(line.amount);
            let sentence = format!("{amount} reserved in {}, to {}", fact.stream, line.to);
            return Ok(Some((Some(format!("reserved +{amount}")), sentence)));
        }
        let Some((at, amount)) = self.lines.get(&fact.stream) else { return Ok(None) };
        let amount = self.asset.text(*amount);
        let change = match &body {
            Body::Settled(_) => format!("reserved -{amount}, paid +{amount}"),
            Body::Cancelled(_) | Body::Refused(_) | Body::Declined(_) => {
                format!("reserved -{amount}")
            }
            Body::Reopened(_) => format!("paid -{amount}, reserved +{amount}"),
            Body::Returned(returned)
                if !returned.lines.is_empty() && !returned.lines.contains(at) =>
            {
                return Ok(None);
            }
            Body::Returned(_) => format!("paid -{amount}"),
            _ => String::new(),
        };
        let change = (!change.is_empty()).then_some(change);
        Ok(batch_sentence(&body).map(|sentence| (change, format!("{}: {sentence}", fact.stream))))
    }
}

impl PoolPart {
    fn issue(&mut self, own: bool, units: Units) -> Result<(), Error> {
        let holder = if own { &mut self.own } else { &mut self.others };
        self.pool.issue(holder, units)
    }

    fn redeem(&mut self, own: bool, units: Units) -> Result<(), Error> {
        let holder = if own { &mut self.own } else { &mut self.others };
        self.pool.redeem(holder, units)
    }

    fn transfer(&mut self, from_own: bool, to_own: bool, units: Units) -> Result<(), Error> {
        match (from_own, to_own) {
            (true, false) => self.pool.transfer(&mut self.own, &mut self.others, units),
            (false, true) => self.pool.transfer(&mut self.others, &mut self.own, units),
            (true, true) | (false, false) => Ok(()),
        }
    }

    fn declare(&mut self, declared: &Declared, asset: &Asset, fact: &Fact) -> Result<Told, Error> {
        let before = self.pool.earned(&self.own);
        self.pool.declare(declared.gross)?;
        let more = self.pool.earned(&self.own).less(before);
        self.pool.touch(&mut self.own)?;
        if self.own.units() == Units::ZERO {
            return Ok(None);
        }
        let sentence = format!(
            "earned {} {} with {} of {} units from declaration {} of {} ({} from {} payments)",
            asset.text(more),
            asset.code(),
            self.own.units(),
            self.pool.supply(),
            fact.n,
            fact.stream,
            asset.text(declared.gross),
            declared.payments.len()
        );
        Ok(Some((Some(format!("earned +{}", asset.text(more))), sentence)))
    }
}

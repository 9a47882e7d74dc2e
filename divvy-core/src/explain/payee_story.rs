//! Everything that a payee earned, was paid, and waits for.

use std::collections::BTreeMap;

use crate::amount::Amount;
use crate::asset::Asset;
use crate::error::Error;
use crate::explain::payment_story::named_rule;
use crate::explain::{Told, batch_sentence, decided_sentence};
use crate::fact::{
    Accrued, Body, Declared, Extent, Fact, Mirrored, PayeeSet, Place, Recorded, Restored, Reversed,
    RuleSet, Stream,
};
use crate::movement::share_reversed;
use crate::name::Name;
use crate::policy::Period;
use crate::pool::{Holder, Pool, Units};
use crate::split::{Leg, Target};

#[derive(Debug)]
pub(super) struct PayeeStory {
    book: Name,
    payee: Name,
    asset: Asset,
    /// Where each rule stands, and what it says.
    rules: Vec<(u64, RuleSet)>,
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
                    self.rules.push((fact.n, rule));
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
                Body::Reversed(Reversed { id, extent, .. }) if extent.book == self.book => {
                    self.tell_reversal(fact, &id, &extent)
                }
                Body::Restored(Restored { id, extent, .. }) if extent.book == self.book => {
                    self.tell_reversal(fact, &id, &extent)
                }
                _ => Ok(None),
            },
            Place::Batch { book, .. } if book == own => self.tell_batch(fact),
            Place::Run { book } if book == own => self.tell_compounded(fact),
            Place::Rule { .. }
            | Place::Pool { .. }
            | Place::Payee { .. }
            | Place::Run { .. }
            | Place::Batch { .. }
            | Place::Coins { .. }
            | Place::Treasury { .. }
            | Place::Break { .. }
            | Place::Webhook { .. }
            | Place::Seal => Ok(None),
        }
    }

    fn tell_payment(&self, fact: &Fact, recorded: &Recorded) -> Result<Told, Error> {
        let rule = self.rule(recorded.rule).filter(|rule| rule.from <= recorded.event_at);
        let Some(rule) = rule else { return Ok(None) };
        let withheld = recorded.withheld.unwrap_or(Amount::ZERO);
        let own = self.own_part(rule, recorded.amount.minus(withheld)?)?;
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

    fn rule(&self, named: Option<u64>) -> Option<&RuleSet> {
        named_rule(self.rules.iter().map(|(n, rule)| (*n, rule)), named)
    }

    /// The payee's own leg of a rule, and its part of an amount.
    fn own_part<'a>(
        &self,
        rule: &'a RuleSet,
        divided: Amount,
    ) -> Result<Option<(&'a Leg, Amount)>, Error> {
        let parts = rule.legs.divide(divided)?;
        Ok(rule.legs.legs().iter().zip(parts).find(|(leg, _)| {
            matches!(&leg.to, Target::Payee(payee) if payee.as_str() == self.payee.as_str())
        }))
    }

    /// Money of a payment that went back, or came again, as far as it was this payee's.
    fn tell_reversal(&self, fact: &Fact, id: &str, extent: &Extent) -> Result<Told, Error> {
        let Extent { amount, withheld, before, after, .. } = extent;
        let Some(rule) = self.rule(extent.rule) else { return Ok(None) };
        let own = self.own_part(rule, amount.minus(*withheld)?)?;
        let Some((_, part)) = own else { return Ok(None) };
        let was = share_reversed(part, *before, *amount)?;
        let is = share_reversed(part, *after, *amount)?;
        let (what, sign, change) = if is < was {
            ("got back", '+', was.less(is))
        } else {
            ("gave back", '-', is.less(was))
        };
        let text = |amount| self.asset.text(amount);
        let sentence = format!(
            "{what} {} {} of {} as {id}: {} of its {} are reversed now",
            text(change),
            self.asset.code(),
            fact.stream,
            text(*after),
            text(*amount)
        );
        Ok(Some((Some(format!("earned {sign}{}", text(change))), sentence)))
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
            Body::Accrued(accrued) => return part.accrue(accrued, &self.asset, fact),
            Body::Mirrored(mirrored) => return Ok(self.tell_mirrored(fact, mirrored)),
            _ => (),
        }
        let after = part.own.units();
        Ok((before != after).then(|| (None, format!("holds {after} units now, after {before}"))))
    }

    fn tell_compounded(&self, fact: &Fact) -> Result<Told, Error> {
        let Body::Compounded(compounded) = fact.body()? else { return Ok(None) };
        if compounded.holder != self.payee {
            return Ok(None);
        }
        let amount = self.asset.text(compounded.amount);
        let sentence = format!("staked {amount} of what was payable in pool {}", compounded.pool);
        Ok(Some((Some(format!("paid +{amount}")), sentence)))
    }

    fn tell_mirrored(&self, fact: &Fact, mirrored: &Mirrored) -> Told {
        let own = mirrored.entries.iter().find(|(holder, _)| *holder == self.payee);
        let amount = self.asset.text(own?.1);
        let sentence = format!(
            "gave back {amount} {} of declaration {} of {}, for money that had gone back",
            self.asset.code(),
            mirrored.declaration,
            fact.stream
        );
        Some((Some(format!("earned -{amount}")), sentence))
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "other kinds are no part of this story")]
    fn tell_choice(&self, fact: &Fact) -> Result<Told, Error> {
        let sentence = match fact.body()? {
            Body::PayeeSet(PayeeSet { destination, policy }) => {
                let place =
                    destination.map(|to| format!("to be paid at {} over {}", to.address, to.rail));
                let when = policy.map(|policy| match policy {
                    crate::policy::Policy::Instant => "to be paid at once".to_owned(),
                    crate::policy::Policy::Periodic { every, min } => {
                        let every = match every {
                            Period::Every { secs, .. } => format!("every {secs} s"),
                            Period::Monthly => "every month".to_owned(),
                        };
                        let from = min.map(|min| format!(", from {} on", self.asset.text(min)));
                        format!("to be paid {every}{}", from.unwrap_or_default())
                    }
                    crate::policy::Policy::Threshold { min, .. } => {
                        format!("to be paid from {} on", self.asset.text(min))
                    }
                });
                let chosen: Vec<String> = place.into_iter().chain(when).collect();
                format!("chose {}", chosen.join(" and "))
            }
            Body::Decided(decided) => decided_sentence(&decided),
            Body::Held(held) => format!("held: {}", held.reason),
            Body::Released(released) => format!("released: {}", released.reason),
            Body::Brought(brought) => {
                let (earned, paid) =
                    (self.asset.text(brought.earned), self.asset.text(brought.paid));
                let change = format!("earned +{earned}, paid +{paid}");
                let source = &brought.evidence.source;
                let sentence =
                    format!("brought along {earned}, of which {paid} was paid ({source})");
                return Ok(Some((Some(change), sentence)));
            }
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

    fn accrue(&mut self, accrued: &Accrued, asset: &Asset, fact: &Fact) -> Result<Told, Error> {
        let more = self.earn(accrued.gross.minus(accrued.netted.unwrap_or(Amount::ZERO))?)?;
        if more.is_zero() {
            return Ok(None);
        }
        let sentence = format!(
            "earned {} {} with {} of {} units, of what flowed in {}",
            asset.text(more),
            asset.code(),
            self.own.units(),
            self.pool.supply(),
            fact.stream
        );
        Ok(Some((Some(format!("earned +{}", asset.text(more))), sentence)))
    }

    /// What the own holder earns of an amount that is given to all.
    fn earn(&mut self, amount: Amount) -> Result<Amount, Error> {
        if amount.is_zero() {
            return Ok(Amount::ZERO);
        }
        let before = self.pool.earned(&self.own);
        self.pool.declare(amount)?;
        let more = self.pool.earned(&self.own).less(before);
        self.pool.touch(&mut self.own)?;
        Ok(more)
    }

    fn declare(&mut self, declared: &Declared, asset: &Asset, fact: &Fact) -> Result<Told, Error> {
        let more = self.earn(declared.effective()?)?;
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

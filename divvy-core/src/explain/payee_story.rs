//! Everything that a payee earned, was paid, and waits for.

use std::collections::BTreeMap;

use crate::amount::Amount;
use crate::asset::Asset;
use crate::error::Error;
use crate::explain::own_parts::OwnParts;
use crate::explain::payment_story::named_rule;
use crate::explain::terms_story::{demanded_sentence, policy_sentence, terms_sentence};
use crate::explain::words::share_text;
use crate::explain::{Told, batch_sentence, counted, decided_sentence, fees_sentence};
use crate::fact::{
    Accrued, Body, Declared, Extent, Fact, Mirrored, PayeeSet, Place, Recorded, Restored, Reversed,
    RuleSet, Stream,
};
use crate::movement::share_reversed;
use crate::name::Name;
use crate::pool::{Holder, Pool, Units};
use crate::split::{Leg, Target};
use crate::time::Time;

#[derive(Debug)]
pub(super) struct PayeeStory {
    book: Name,
    payee: Name,
    asset: Asset,
    /// Where each rule stands, and what it says.
    rules: Vec<(u64, RuleSet)>,
    pools: BTreeMap<Stream, PoolPart>,
    parts: OwnParts,
    /// The payee's line in each batch that has one: its place, and its amount.
    lines: BTreeMap<Stream, (u32, Amount)>,
}

/// A pool seen by one holder: everyone else is one other holder.
#[derive(Debug)]
struct PoolPart {
    pool: Pool,
    own: Holder,
    others: Holder,
    /// Whether what the payee earns goes to this pool.
    feeds: bool,
}

impl PayeeStory {
    pub(super) fn new(book: Name, payee: Name, asset: Asset) -> Self {
        let (rules, pools, lines) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        Self { book, payee, asset, rules, pools, parts: OwnParts::default(), lines }
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
            Place::Run { book } if book == own => self.tell_run(fact),
            Place::Division { book } if book == own => self.tell_division(fact),
            Place::Rule { .. }
            | Place::Pool { .. }
            | Place::Payee { .. }
            | Place::Run { .. }
            | Place::Batch { .. }
            | Place::Coins { .. }
            | Place::Division { .. }
            | Place::Treasury { .. }
            | Place::Break { .. }
            | Place::Webhook { .. }
            | Place::Seal => Ok(None),
        }
    }

    fn tell_payment(&self, fact: &Fact, recorded: &Recorded) -> Result<Told, Error> {
        let rule = self.rule(recorded.rule).filter(|rule| rule.from <= recorded.event_at);
        let Some(rule) = rule.filter(|rule| !rule.is_counted()) else { return Ok(None) };
        let withheld = recorded.withheld.unwrap_or(Amount::ZERO);
        let own = self.own_part(rule, recorded.amount.minus(withheld)?, recorded.event_at)?;
        let Some((leg, part)) = own else { return Ok(None) };
        let text = |amount| self.asset.text(amount);
        let sentence = format!(
            "earned {} {}: {} of the {} that came in as {}",
            text(part),
            self.asset.code(),
            share_text(&leg.share, &self.asset),
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
        event_at: Time,
    ) -> Result<Option<(&'a Leg, Amount)>, Error> {
        let (_, legs) = rule.legs_at(event_at);
        let parts = legs.divide(divided)?;
        Ok(legs.legs().iter().zip(parts).find(|(leg, _)| {
            matches!(&leg.to, Target::Payee(payee) if payee.as_str() == self.payee.as_str())
        }))
    }

    /// What a rule that counts brought of payments, or who brought the payee.
    #[expect(clippy::wildcard_enum_match_arm, reason = "nothing else stands among divisions")]
    fn tell_division(&mut self, fact: &Fact) -> Result<Told, Error> {
        match fact.body()? {
            Body::Referred(referred) if referred.who == self.payee => {
                Ok(Some((None, format!("was brought by {}", referred.by))))
            }
            Body::Referred(referred) if referred.by == self.payee => {
                Ok(Some((None, format!("brought {}", referred.who))))
            }
            Body::Divided(divided) => {
                let rules = self.rules.iter().map(|(n, rule)| (*n, rule));
                let Some(rule) = named_rule(rules, Some(divided.rule)) else { return Ok(None) };
                self.parts.tell(&self.payee, &divided, rule, &self.asset)
            }
            _ => Ok(None),
        }
    }

    /// Money of a payment that went back, or came again, as far as it was this payee's.
    fn tell_reversal(&mut self, fact: &Fact, id: &str, extent: &Extent) -> Result<Told, Error> {
        let Extent { amount, withheld, before, after, .. } = extent;
        let Some(rule) = self.rule(extent.rule) else { return Ok(None) };
        let part = if rule.is_counted() {
            self.parts.of_reversed(&fact.stream, extent)
        } else {
            let own = self.own_part(rule, amount.minus(*withheld)?, extent.paid_at)?;
            own.map(|(_, part)| part)
        };
        let Some(part) = part else { return Ok(None) };
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
            let feeds = opened.payee.as_ref() == Some(&self.payee);
            let part = PoolPart { pool: Pool::open(opened.supply)?, own, others, feeds };
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
        let holds = || format!("holds {} now, after {before}", counted(after.get(), "unit"));
        Ok((before != after).then(|| (None, holds())))
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "other kinds are no part of this story")]
    fn tell_run(&self, fact: &Fact) -> Result<Told, Error> {
        let compounded = match fact.body()? {
            Body::Compounded(compounded) => compounded,
            Body::FeesSet(set) => return Ok(Some((None, fees_sentence(&set, &self.asset)))),
            Body::Demanded(demanded) if demanded.payee == self.payee => {
                let sentence = demanded_sentence(&demanded, &self.asset);
                return Ok(Some((None, sentence)));
            }
            Body::TermsSet(set) => {
                let sentence = format!(
                    "for everyone without other terms: {}",
                    terms_sentence(&set, &self.asset)
                );
                return Ok(Some((None, sentence)));
            }
            _ => return Ok(None),
        };
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
                let when = policy.map(|policy| policy_sentence(policy, &self.asset));
                let chosen: Vec<String> = place.into_iter().chain(when).collect();
                format!("chose {}", chosen.join(" and "))
            }
            Body::TermsSet(set) => format!("chose {}", terms_sentence(&set, &self.asset)),
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
            let debit = line.debit()?;
            self.lines.insert(fact.stream.clone(), (at, debit));
            let amount = self.asset.text(debit);
            let borne = line.fee.map(|fee| {
                let (fee, arrives) = (self.asset.text(fee), self.asset.text(line.amount));
                format!(", where {arrives} arrives: they bear {fee} of the fee")
            });
            let borne = borne.unwrap_or_default();
            let sentence = format!("{amount} reserved in {}, to {}{borne}", fact.stream, line.to);
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
        Ok(batch_sentence(&body, &self.asset)
            .map(|sentence| (change, format!("{}: {sentence}", fact.stream))))
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
        let drawn = declared.drawn.unwrap_or(Amount::ZERO);
        if self.feeds && !drawn.is_zero() {
            let (drawn, code) = (asset.text(drawn), asset.code());
            let sentence = format!("passed on {drawn} {code} to the holders of {}", fact.stream);
            return Ok(Some((Some(format!("paid +{drawn}")), sentence)));
        }
        if self.own.units() == Units::ZERO {
            return Ok(None);
        }
        let payments = u64::try_from(declared.payments.len()).unwrap_or(u64::MAX);
        let payments = counted(payments, "payment");
        let sentence = format!(
            "earned {} {} with {} of {} units from declaration {} of {} ({} from {payments}{})",
            asset.text(more),
            asset.code(),
            self.own.units(),
            self.pool.supply(),
            fact.n,
            fact.stream,
            asset.text(declared.gross),
            match drawn {
                Amount::ZERO => String::new(),
                drawn => format!(", {} earned in other places", asset.text(drawn)),
            }
        );
        Ok(Some((Some(format!("earned +{}", asset.text(more))), sentence)))
    }
}

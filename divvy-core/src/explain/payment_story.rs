//! How a payment was divided, and which declarations distributed it.

use crate::amount::Amount;
use crate::asset::Asset;
use crate::error::Error;
use crate::explain::own_parts::why;
use crate::explain::words::{price_text, share_text};
use crate::explain::{Told, counted};
use crate::fact::{Body, Cause, Fact, Part, Place, Recorded, Restored, Reversed, RuleSet, Stream};

#[derive(Debug)]
pub(super) struct PaymentStory {
    stream: Stream,
    asset: Asset,
    /// The rules of all books: where each stands, and what it says.
    rules: Vec<(Stream, u64, RuleSet)>,
}

impl PaymentStory {
    pub(super) const fn new(stream: Stream, asset: Asset) -> Self {
        Self { stream, asset, rules: Vec::new() }
    }

    pub(super) fn tell(&mut self, fact: &Fact) -> Result<Told, Error> {
        match fact.stream.place() {
            Place::Rule { .. } if fact.n > 0 => {
                if let Body::RuleSet(rule) = fact.body()? {
                    self.rules.push((fact.stream.clone(), fact.n, rule));
                }
                Ok(None)
            }
            Place::Payment { .. } if fact.stream == self.stream => self.tell_own(fact),
            Place::Pool { pool, .. } if fact.kind == "declared.1" => {
                let Body::Declared(declared) = fact.body()? else { return Ok(None) };
                if !declared.payments.contains(&self.stream) {
                    return Ok(None);
                }
                let others = declared.payments.len().saturating_sub(1);
                let others = match u64::try_from(others).unwrap_or(u64::MAX) {
                    0 => "and nothing else with it".to_owned(),
                    others => format!("together with {}", counted(others, "other payment")),
                };
                let (gross, code) = (self.asset.text(declared.gross), self.asset.code());
                let sentence = format!(
                    "its part for pool {pool} was declared to the holders of that moment, \
                     {gross} {code} {others}"
                );
                Ok(Some((None, sentence)))
            }
            Place::Pool { pool, .. } if fact.kind == "flowing.1" => {
                let Body::Flowing(flowing) = fact.body()? else { return Ok(None) };
                if !flowing.payments.contains(&self.stream) {
                    return Ok(None);
                }
                let secs = flowing.millis.checked_div(1_000).unwrap_or(0);
                let sentence =
                    format!("its part for pool {pool} began to flow to the holders, over {secs} s");
                Ok(Some((None, sentence)))
            }
            Place::Division { book } => self.tell_division(fact, book),
            Place::Rule { .. }
            | Place::Pool { .. }
            | Place::Payee { .. }
            | Place::Payment { .. }
            | Place::Run { .. }
            | Place::Batch { .. }
            | Place::Coins { .. }
            | Place::Treasury { .. }
            | Place::Break { .. }
            | Place::Webhook { .. }
            | Place::Seal => Ok(None),
        }
    }

    /// How a rule that counts divided it, once others had their place before it.
    fn tell_division(&self, fact: &Fact, book: &str) -> Result<Told, Error> {
        let Body::Divided(divided) = fact.body()? else { return Ok(None) };
        let own = divided.payments.iter().find(|parts| parts.payment == self.stream);
        let Some(own) = own else { return Ok(None) };
        let rules = self.rules.iter().filter(|(of, ..)| of.place() == Place::Rule { book });
        let rule = named_rule(rules.map(|(_, n, rule)| (*n, rule)), Some(divided.rule));
        let Some(rule) = rule else { return Ok(None) };
        let part = |part: &Part| {
            format!(
                "{} to {} ({})",
                self.asset.text(part.amount),
                part.to,
                why(rule, part, &self.asset)
            )
        };
        let parts: Vec<String> = own.parts.iter().map(part).collect();
        let until = self.asset.text(divided.until);
        let sentence = format!(
            "divided by rule {} as {}; after this fact the rule has divided {until} {}",
            divided.rule,
            parts.join(", "),
            self.asset.code()
        );
        Ok(Some((None, sentence)))
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "nothing else follows a payment")]
    fn tell_own(&self, fact: &Fact) -> Result<Told, Error> {
        let text = |amount| format!("{} {}", self.asset.text(amount), self.asset.code());
        let (change, sentence) = match fact.body()? {
            Body::Recorded(recorded) => return self.divided(&recorded),
            Body::Reversed(Reversed { id, cause, extent, evidence, .. }) => {
                let more = extent.after.less(extent.before);
                let what = match cause {
                    Cause::Refund => "was refunded",
                    Cause::Dispute => "was disputed",
                    Cause::Failure => "failed after all",
                };
                let sentence = format!(
                    "{} {what} as {id}, {} so far, known from {}",
                    text(more),
                    text(extent.after),
                    evidence.source
                );
                (Some(format!("reversed +{}", self.asset.text(more))), sentence)
            }
            Body::Restored(Restored { id, extent, .. }) => {
                let less = extent.before.less(extent.after);
                let sentence = format!("{} came again: {id} is undone", text(less));
                (Some(format!("reversed -{}", self.asset.text(less))), sentence)
            }
            Body::Lost(lost) => (None, format!("{} was lost: it stays away", lost.id)),
            _ => return Ok(None),
        };
        Ok(Some((change, sentence)))
    }

    fn divided(&self, recorded: &Recorded) -> Result<Told, Error> {
        let asset = &self.asset;
        let came = recorded.converted.as_ref().map_or_else(String::new, |converted| {
            format!(
                " ({} {} at {}, {})",
                converted.asset.text(converted.amount),
                converted.asset.code(),
                price_text((converted.rate_num, converted.rate_den), &converted.asset, asset),
                converted.source
            )
        });
        let stream = Stream::rule(&recorded.book);
        let rules = self.rules.iter().filter(|(of, ..)| *of == stream);
        let rule = named_rule(rules.map(|(_, n, rule)| (*n, rule)), recorded.rule);
        let rule = rule.filter(|rule| rule.from <= recorded.event_at);
        let divided = match rule {
            None => "no rule covers it, so it belongs to nobody yet".to_owned(),
            Some(rule) if rule.is_counted() => {
                "its rule counts, so it waits for its place among the others".to_owned()
            }
            Some(rule) => {
                let withheld = recorded.withheld.unwrap_or(Amount::ZERO);
                let (tier, legs) = rule.legs_at(recorded.event_at);
                let parts = legs.divide(recorded.amount.minus(withheld)?)?;
                let part = |(leg, part): (&crate::split::Leg, Amount)| {
                    let share = share_text(&leg.share, asset);
                    format!("{} to {} ({share})", asset.text(part), leg.to)
                };
                let parts: Vec<String> = legs.legs().iter().zip(parts).map(part).collect();
                let tier = if tier > 0 { format!(" by tier {tier}") } else { String::new() };
                format!("divided{tier} as {}", parts.join(", "))
            }
        };
        let sentence = format!(
            "{} {}{came} came in at {} for book {}, known from {}; {divided}",
            asset.text(recorded.amount),
            asset.code(),
            recorded.event_at,
            recorded.book,
            recorded.evidence.source
        );
        Ok(Some((Some(format!("recorded +{}", asset.text(recorded.amount))), sentence)))
    }
}

/// The rule that a payment names, or the first.
pub(super) fn named_rule<'a>(
    mut rules: impl Iterator<Item = (u64, &'a RuleSet)>,
    named: Option<u64>,
) -> Option<&'a RuleSet> {
    rules.find(|(n, _)| named.is_none_or(|named| named == *n)).map(|(_, rule)| rule)
}

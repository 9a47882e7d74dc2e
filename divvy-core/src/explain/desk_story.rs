//! What a treasury noted, what became of a difference with a statement, what people said of rules
//! and limits, and what the endpoint of a webhook has heard.

use crate::amount::Amount;
use crate::asset::Asset;
use crate::error::Error;
use crate::explain::{Told, counted};
use crate::fact::{
    Alerted, Body, BreakFound, Fact, Funds, Guarded, Purpose, RuleSet, Stream, WeekClosed,
};
use crate::name::Name;
use crate::split::{Legs, Level, Share, Upline};

#[derive(Debug)]
pub(super) struct DeskStory {
    stream: Stream,
    asset: Asset,
}

impl DeskStory {
    pub(super) const fn new(stream: Stream, asset: Asset) -> Self {
        Self { stream, asset }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "nothing else stands in these streams")]
    pub(super) fn tell(&self, fact: &Fact) -> Result<Told, Error> {
        if fact.stream != self.stream {
            return Ok(None);
        }
        Ok(match fact.body()? {
            Body::Funds(funds) => Some(self.noted(&funds)),
            Body::WeekClosed(closing) => Some((None, self.closed(&closing))),
            Body::BreakFound(found) => Some((None, self.found(&found))),
            Body::BreakExplained(explained) => {
                let cause = explained.cause.name();
                Some((None, format!("a person explained it as {cause}: {}", explained.reason)))
            }
            Body::BreakClosed(closed) => Some((None, format!("closed: {}", closed.reason))),
            Body::Decided(decided) => Some((None, super::decided_sentence(&decided))),
            Body::RuleSet(rule) => Some((None, self.rule(&rule))),
            Body::IssuerSet(set) => {
                let by =
                    if set.signature.is_some() { ", as the key before has signed" } else { "" };
                Some((None, format!("rules are set with key {} from now on{by}", set.key)))
            }
            Body::Guarded(guarded) => Some((None, self.guarded(&guarded))),
            Body::Run(run) => {
                let total = self.text(run.total);
                Some((None, format!("{} of {total} together planned", counted(run.lines, "line"))))
            }
            Body::Alerted(alerted) => Some((None, alerted_sentence(&alerted))),
            Body::WebhookHeard(heard) => {
                let up_to = heard.count.saturating_add(heard.facts.into());
                Some((None, format!("it has heard of {}", counted(up_to, "fact"))))
            }
            Body::WebhookUnheard(unheard) => Some((
                None,
                format!(
                    "attempt {} to send it {} failed, and the next is not before {}: {}",
                    unheard.attempts, unheard.id, unheard.not_before, unheard.reason
                ),
            )),
            Body::WebhookSilenced(silenced) => {
                let cause = silenced.cause.name();
                Some((None, format!("it is told nothing more ({cause}): {}", silenced.reason)))
            }
            Body::WebhookResumed(resumed) => {
                Some((None, format!("it is told again: {}", resumed.reason)))
            }
            _ => None,
        })
    }

    fn text(&self, amount: Amount) -> String {
        format!("{} {}", self.asset.text(amount), self.asset.code())
    }

    fn rule(&self, rule: &RuleSet) -> String {
        let mut sentence =
            format!("payments from {} on are divided so: {}", rule.from, self.legs(&rule.legs));
        for tier in rule.tiers.iter().flatten() {
            let from = tier.from.map(|from| format!(" from {from} on"));
            let over = tier.over.map(|over| format!(" beyond {} in all", self.text(over)));
            let (from, over) = (from.unwrap_or_default(), over.unwrap_or_default());
            sentence.push_str(&format!(";{from}{over}: {}", self.legs(&tier.legs)));
        }
        if let Some(upline) = &rule.upline {
            sentence.push_str(&self.upline(upline));
        }
        let by = if rule.signature.is_some() { ", as the issuer has signed" } else { "" };
        sentence + by
    }

    fn legs(&self, legs: &Legs) -> String {
        let legs = legs.legs().iter().map(|leg| match &leg.share {
            Share::Remaining => format!("the rest to {}", leg.to.name()),
            Share::UpTo(amount) => format!("up to {} to {}", self.text(*amount), leg.to.name()),
            Share::Portion(portion) => format!("{portion} to {}", leg.to.name()),
            Share::Fixed(amount) => format!("{} to {}", self.text(*amount), leg.to.name()),
        });
        legs.collect::<Vec<_>>().join(", ")
    }

    fn upline(&self, upline: &Upline) -> String {
        let most = |most: Option<Amount>, of: &str| {
            most.map_or_else(String::new, |most| format!("{of}{} at most", self.text(most)))
        };
        let level = |level: &Level| format!("{}{}", level.portion, most(level.most, " and "));
        let levels: Vec<String> = upline.levels.iter().map(level).collect();
        format!(
            "; before that {} to whoever brought the payer, and so on up{}{}; what nobody is there \
             for to {}",
            levels.join(", "),
            most(upline.each_most, ", each "),
            most(upline.most, ", all together "),
            upline.rest.name()
        )
    }

    fn guarded(&self, guarded: &Guarded) -> String {
        let names = |names: Vec<&Name>| {
            names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ")
        };
        let people = names(guarded.people.iter().map(|person| &person.name).collect());
        let limit = self.text(guarded.limit);
        let mut sentence = format!(
            "above {limit} of a day, {} of these people approve from now on: {people}",
            guarded.approvals
        );
        if !guarded.consents.is_empty() {
            let by = names(guarded.consents.iter().map(|consent| &consent.by).collect());
            sentence.push_str("; signed by ");
            sentence.push_str(&by);
        }
        if let Some(unsigned) = guarded.unsigned {
            let acts = counted(unsigned, "act");
            sentence.push_str(&format!("; {acts} that nobody signed may stand"));
        }
        sentence
    }

    fn noted(&self, funds: &Funds) -> (Option<String>, String) {
        let amount = self.asset.text(funds.amount);
        let (sign, what) = match funds.purpose {
            Purpose::Replenished => ("+", "was put in by the owner".to_owned()),
            Purpose::Withdrawn => ("-", "was taken out by the owner".to_owned()),
            Purpose::FeeEarned => ("+", "was earned as a fee".to_owned()),
            Purpose::FeePaid => ("-", "was paid as a fee".to_owned()),
            Purpose::Expected(on) => ("", format!("is on its way and expected on {on}")),
            Purpose::Arrived => ("+", "of a settlement arrived".to_owned()),
            Purpose::Missed => ("", "will not arrive".to_owned()),
            Purpose::Drawn => ("+", "of credit was drawn".to_owned()),
            Purpose::Repaid => ("-", "of credit was paid back".to_owned()),
            Purpose::CreditLimit => ("", "may be drawn at most".to_owned()),
            Purpose::Reserve => ("", "must stay there".to_owned()),
        };
        let change = (!sign.is_empty()).then(|| format!("treasury {sign}{amount}"));
        let sentence = format!(
            "{} {what} ({}, as {} says)",
            self.text(funds.amount),
            funds.id,
            funds.evidence.source
        );
        (change, sentence)
    }

    fn closed(&self, closing: &WeekClosed) -> String {
        let figures = &closing.figures;
        format!(
            "the week from {} until {} was closed: {} paid out, {} arrived, and {} recorded since \
             the beginning",
            closing.from,
            closing.until,
            self.text(figures.paid),
            self.text(figures.arrived),
            self.text(figures.recorded)
        )
    }

    fn found(&self, found: &BreakFound) -> String {
        let said = |amount: Option<Amount>| {
            amount.map_or_else(|| "nothing".to_owned(), |amount| self.text(amount))
        };
        format!(
            "our books say {} of {}, {} says {}: {}",
            said(found.ours),
            found.reference,
            found.evidence.source,
            said(found.theirs),
            found.cause.name()
        )
    }
}

fn alerted_sentence(alerted: &Alerted) -> String {
    if alerted.alerts.is_empty() {
        return "there is nothing to look at any more".to_owned();
    }
    let names: Vec<String> = alerted.alerts.iter().map(ToString::to_string).collect();
    format!("a person should look: {}", names.join(", "))
}

//! What a treasury noted, what became of a difference with a statement, and what the endpoint of a
//! webhook has heard.

use crate::amount::Amount;
use crate::asset::Asset;
use crate::error::Error;
use crate::explain::Told;
use crate::fact::{Alerted, Body, BreakFound, Fact, Funds, Purpose, Stream, WeekClosed};

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
            Body::Alerted(alerted) => Some((None, alerted_sentence(&alerted))),
            Body::WebhookHeard(heard) => {
                let up_to = heard.count.saturating_add(heard.facts.into());
                Some((None, format!("it has heard of {up_to} facts")))
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

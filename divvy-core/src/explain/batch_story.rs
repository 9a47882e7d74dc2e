//! A batch's life.

use crate::amount::Amount;
use crate::asset::Asset;
use crate::error::Error;
use crate::explain::{Told, batch_sentence, counted};
use crate::fact::{Body, Fact, Stream};

#[derive(Debug)]
pub(super) struct BatchStory {
    stream: Stream,
    asset: Asset,
}

impl BatchStory {
    pub(super) const fn new(stream: Stream, asset: Asset) -> Self {
        Self { stream, asset }
    }

    pub(super) fn tell(&mut self, fact: &Fact) -> Result<Told, Error> {
        if fact.stream != self.stream {
            return Ok(None);
        }
        let body = fact.body()?;
        let Body::Planned(planned) = &body else {
            return Ok(batch_sentence(&body, &self.asset).map(|sentence| (None, sentence)));
        };
        let total = Amount::total(planned.lines.iter().map(|line| line.amount))?;
        let fees = Amount::total(planned.lines.iter().filter_map(|line| line.fee))?;
        let borne = match fees {
            Amount::ZERO => String::new(),
            fees => format!("; their payees bear {} of the fee", self.asset.text(fees)),
        };
        let lines = u64::try_from(planned.lines.len()).unwrap_or(u64::MAX);
        let sentence = format!(
            "{} of {} {} together planned over {} from wallet {}{borne}",
            counted(lines, "line"),
            self.asset.text(total),
            self.asset.code(),
            planned.rail,
            planned.wallet
        );
        Ok(Some((Some(format!("reserved +{}", self.asset.text(total.plus(fees)?))), sentence)))
    }
}

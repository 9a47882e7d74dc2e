//! Money that goes back: drawn, told to the front door, and told again.

use divvy_core::danger::{VouchedReversal, vouched_reversal};
use divvy_core::{Amount, Cause, Error, Evidence, Hash, Name, Time};

use crate::simulation::dice::Dice;
use crate::simulation::till::Receipt;
use crate::{Divvy, Makeup};

/// A part of a payment that goes back, or comes again.
#[derive(Clone, Debug)]
pub(super) struct Refund {
    receipt: Receipt,
    id: String,
    amount: Amount,
    turn: Turn,
}

#[derive(Clone, Copy, Debug)]
enum Turn {
    Back(Cause, Makeup),
    Again,
    Lost,
}

impl Refund {
    /// Of few names, so that the same one is told twice, undone, and contradicted.
    pub(super) fn draw(receipt: Receipt, dice: &mut Dice) -> Result<Self, Error> {
        let part = u128::from(receipt.amount.get()).saturating_mul(dice.within(1, 100).into());
        let amount = Amount::from_wide(part.div_ceil(100))?;
        let causes = [Cause::Refund, Cause::Dispute, Cause::Failure];
        let cause = dice.pick(&causes).copied().unwrap_or(Cause::Refund);
        let makeup = if dice.permille(300) { Makeup::Mirror } else { Makeup::Net };
        let turn = match dice.below(10) {
            0..=6 => Turn::Back(cause, makeup),
            7..=8 => Turn::Again,
            _ => Turn::Lost,
        };
        Ok(Self { receipt, id: format!("back-{}", dice.below(3)), amount, turn })
    }

    pub(super) async fn tell(&self, divvy: &mut Divvy, now: Time) -> Result<String, Error> {
        let payment = self.receipt.stream()?;
        let said = format!("{} of {}", self.amount, self.receipt.id);
        let evidence = Evidence { source: "till".to_owned(), hash: Hash::of(b"back"), said };
        let name: &Name = &self.receipt.book;
        let mut book = divvy.book(name.as_str())?;
        let told = match self.turn {
            Turn::Again => book.restore(&payment, &self.id, &evidence, now).await?,
            Turn::Lost => book.lose(&payment, &self.id, &evidence, now).await?,
            Turn::Back(cause, makeup) => {
                let (id, amount, event_at) = (self.id.clone(), self.amount, self.receipt.event_at);
                let said = VouchedReversal { payment, id, cause, amount, event_at, evidence };
                let told = book.reverse(&[vouched_reversal(said)], makeup, now).await?;
                return Ok(format!("{told:?}"));
            }
        };
        Ok(format!("{told:?}"))
    }
}

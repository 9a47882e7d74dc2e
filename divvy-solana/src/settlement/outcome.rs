//! What became of a settlement, as values for a treasury.

use divvy_core::{
    Amount, Answer, Code, Error, Evidence, Funds, Purpose, Stranger, StrangerLine, Stream, Time,
};

use crate::settlement::plan::{Part, Settling};
use crate::signature::Signature;

/// What a settlement moved, once it is final.
///
/// What it paid in the coin belongs to the book of the sale, and what it cost in lamports to a book
/// that is kept in SOL. Both take the same values again without counting them twice.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// The network's name for it.
    pub name: Signature,
    /// What the treasury paid to others, in the coin: fronted until the money of the sale arrives.
    pub fronted: Amount,
    /// What stayed in the treasury, in the coin: the platform's share.
    pub earned: Amount,
    /// What the network charged, in lamports.
    pub fee: Amount,
    /// What is held in the accounts that were made, in lamports. It is the payees', and gone.
    pub rent: Amount,
    /// Who was paid.
    pub lines: Vec<StrangerLine>,
}

impl Settling {
    /// What it moved, if it landed: it landed whole. `spent_lamports` is by how much the payer has
    /// less, as the chain tells: an account that somebody else made meanwhile costs nothing.
    ///
    /// # Errors
    /// [`Code::RailReply`] for less than the fee: then this is another transaction.
    pub fn landed(&self, name: Signature, spent_lamports: u64) -> Result<Outcome, Error> {
        let rent = spent_lamports.checked_sub(self.costs.fee()).ok_or_else(|| {
            let detail = format!(
                "{name} has cost {spent_lamports} lamports and its fee is {}: it is another one",
                self.costs.fee()
            );
            Error::new(Code::RailReply, detail)
        })?;
        let (kept, paid): (Vec<&Part>, Vec<&Part>) =
            self.parts.iter().partition(|part| part.is_kept);
        let line = |part: &&Part| StrangerLine { to: part.wallet.to_string(), amount: part.amount };
        Ok(Outcome {
            name,
            fronted: Amount::total(paid.iter().map(|part| part.amount))?,
            earned: Amount::total(kept.iter().map(|part| part.amount))?,
            fee: Amount::new(self.costs.fee())?,
            rent: Amount::new(rent)?,
            lines: paid.iter().map(line).collect(),
        })
    }

    /// What it has cost, if it failed on the chain: the fee, and nothing else was done.
    ///
    /// # Errors
    /// [`Code::AmountAboveCeiling`] for a fee that no book can hold.
    pub fn failed(&self, name: Signature) -> Result<Outcome, Error> {
        Ok(Outcome {
            name,
            fronted: Amount::ZERO,
            earned: Amount::ZERO,
            fee: Amount::new(self.costs.fee())?,
            rent: Amount::ZERO,
            lines: Vec::new(),
        })
    }
}

impl Outcome {
    /// What it cost, for the treasury of a book that is kept in SOL with nine decimals.
    #[must_use]
    pub fn funds(&self, event_at: Time, evidence: &Evidence) -> Vec<Funds> {
        let costs = [("fee", self.fee), ("rent", self.rent)].into_iter();
        let funds = costs.filter(|(_, amount)| !amount.is_zero()).map(|(what, amount)| Funds {
            id: format!("{}:{what}", self.name),
            purpose: Purpose::FeePaid,
            amount,
            event_at,
            evidence: evidence.clone(),
        });
        funds.collect()
    }

    /// What it paid, for the book of the sale: by [`divvy_core::Books::adopt`] it becomes a batch
    /// that is settled, so that everyone in it has been paid, and nobody is paid again.
    #[must_use]
    pub fn stranger(&self, batch: Stream, evidence: Evidence) -> Stranger {
        Stranger {
            batch,
            reference: self.name.to_string(),
            lines: self.lines.clone(),
            answer: Answer::Final,
            evidence,
        }
    }
}

//! Where money comes in: receipts, each of which is to be recorded once, whatever it takes.

use std::collections::{BTreeMap, BTreeSet};

use divvy_core::danger::{Vouched, vouched};
use divvy_core::{Amount, Asset, Body, Error, Evidence, Fact, Hash, Name, Payment, Stream, Time};

use crate::simulation::dice::Dice;

/// Receipts by their number.
#[derive(Debug)]
pub(super) struct Till {
    left: u64,
    receipts: Vec<Receipt>,
    /// What the till ever said of each.
    said: BTreeMap<u64, BTreeSet<(Name, Amount)>>,
    /// The same money under another name, and its first one.
    renamed: BTreeMap<u64, u64>,
    /// What is known to be recorded.
    pub(super) recorded: BTreeSet<u64>,
}

/// One movement of money, as the till vouches for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Receipt {
    pub(super) id: u64,
    pub(super) book: Name,
    pub(super) amount: Amount,
    pub(super) event_at: Time,
    pub(super) payer: Option<Name>,
}

impl Till {
    pub(super) const fn new(payments: u64) -> Self {
        Self {
            left: payments,
            receipts: Vec::new(),
            said: BTreeMap::new(),
            renamed: BTreeMap::new(),
            recorded: BTreeSet::new(),
        }
    }

    /// The next receipts for a book: mostly new ones, some for the second time, some of which the
    /// same name says something else.
    pub(super) fn next(
        &mut self,
        book: &Name,
        (start, now): (Time, Time),
        payers: &[Name],
        dice: &mut Dice,
    ) -> Result<Vec<Receipt>, Error> {
        let mut next = Vec::new();
        for _ in 0..dice.within(1, 4) {
            if dice.permille(200)
                && let Some(again) = dice.pick(&self.receipts).cloned()
            {
                let other = dice.permille(250);
                let amount = if other { amount(dice)? } else { again.amount };
                if again.book == *book || other {
                    next.push(Receipt { amount, book: book.clone(), ..again });
                }
                continue;
            }
            if self.left == 0 {
                continue;
            }
            self.left = self.left.saturating_sub(1);
            let id = u64::try_from(self.receipts.len()).unwrap_or(u64::MAX);
            let late_millis = if dice.permille(250) { dice.below(259_200_000) } else { 0 };
            let event_at = Time::from_millis(now.millis().saturating_sub(late_millis)).max(start);
            let payer = dice.permille(700).then(|| dice.pick(payers).cloned()).flatten();
            let (book, amount) = (book.clone(), amount(dice)?);
            let receipt = Receipt { id, book, amount, event_at, payer };
            self.receipts.push(receipt.clone());
            next.push(receipt);
        }
        for receipt in &next {
            let said = (receipt.book.clone(), receipt.amount);
            self.said.entry(receipt.id).or_default().insert(said);
        }
        Ok(next)
    }

    /// Any receipt of a book, recorded or not.
    pub(super) fn pick(&self, book: &Name, dice: &mut Dice) -> Option<Receipt> {
        dice.pick(&self.receipts).filter(|receipt| receipt.book == *book).cloned()
    }

    /// The receipts of which nobody knows yet that they are recorded.
    pub(super) fn unrecorded(&self, book: &Name) -> Vec<Receipt> {
        let open =
            |receipt: &&Receipt| receipt.book == *book && !self.recorded.contains(&receipt.id);
        self.receipts.iter().filter(open).cloned().collect()
    }

    /// A planted mistake: the till is told that nothing was written, and takes another name for
    /// the same money.
    pub(super) fn rename(&mut self, stream: &Stream) {
        let known = self.receipts.iter().find(|one| one.stream().is_ok_and(|own| own == *stream));
        let Some(receipt) = known.cloned() else { return };
        if self.renamed.values().any(|first| *first == receipt.id) {
            return;
        }
        let id = u64::try_from(self.receipts.len()).unwrap_or(u64::MAX);
        self.recorded.insert(receipt.id);
        self.renamed.insert(id, receipt.id);
        self.said.entry(id).or_default().insert((receipt.book.clone(), receipt.amount));
        self.receipts.push(Receipt { id, ..receipt });
    }

    /// What a book must have recorded: of each receipt once what the till said of it first, or at
    /// another time under the same name.
    pub(super) fn recorded_in(&self, book: &Name, facts: &[Fact]) -> Result<u128, Error> {
        let mut sum = 0_u128;
        for receipt in self.receipts.iter().filter(|one| !self.renamed.contains_key(&one.id)) {
            let stream = receipt.stream()?;
            let Some(fact) = facts.iter().find(|fact| fact.stream == stream) else {
                if receipt.book == *book {
                    sum = sum.saturating_add(receipt.amount.into());
                }
                continue;
            };
            let Body::Recorded(recorded) = fact.body()? else { continue };
            let said = self
                .said
                .get(&receipt.id)
                .is_some_and(|said| said.contains(&(recorded.book.clone(), recorded.amount)));
            if said && recorded.book == *book {
                sum = sum.saturating_add(recorded.amount.into());
            }
        }
        Ok(sum)
    }
}

impl Receipt {
    pub(super) fn stream(&self) -> Result<Stream, Error> {
        let id = Name::new(&format!("r{}", self.id))?;
        Ok(Stream::payment(&Name::new(SOURCE)?, &Name::new("main")?, &id))
    }

    /// The payment that the till vouches for.
    pub(super) fn payment(&self, asset: &Asset) -> Result<Payment, Error> {
        let said = format!("{} minor units", self.amount);
        let evidence = Evidence { source: "till".to_owned(), hash: Hash::of(b"till"), said };
        let vouched_for = Vouched {
            source: Name::new(SOURCE)?,
            account: Name::new("main")?,
            id: Name::new(&format!("r{}", self.id))?,
            amount: self.amount,
            asset: asset.clone(),
            payer: self.payer.as_ref().map(Name::to_string),
            event_at: self.event_at,
            evidence,
        };
        vouched(vouched_for, asset)
    }
}

/// Mostly everyday amounts; some of next to nothing, some of very much.
fn amount(dice: &mut Dice) -> Result<Amount, Error> {
    Amount::new(match dice.below(20) {
        0..=3 => dice.within(1, 9),
        4 => dice.within(1_000_000, 1_000_000_000_000),
        _ => dice.within(10, 100_000),
    })
}

/// What the till's payments are from.
pub(super) const SOURCE: &str = "till";

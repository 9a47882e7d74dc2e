//! The treasury as a diary: what moved when, added up whenever somebody asks.

use std::collections::BTreeMap;

use crate::money::deed::Noted;

pub(crate) const DAY: i128 = 86_400_000;

#[derive(Clone, Debug, Default)]
pub(crate) struct Diary {
    moved: Vec<(i128, Entry, i128)>,
    /// What was noted under which id and purpose; settlements with the moment they are expected.
    noted: BTreeMap<(u64, usize), (Noted, i128, i128)>,
    pub(crate) credit_limit: i128,
    pub(crate) reserve: i128,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Recorded,
    Withheld,
    Reversed,
    Restored,
    Kept(usize),
    GivenBack(usize),
    Paid,
    Returned,
    Arrived,
    FeeEarned,
    FeePaid,
    Replenished,
    Withdrawn,
    Drawn,
    Repaid,
    /// Something that moves no money.
    Word,
}

impl Diary {
    pub(crate) fn note(&mut self, at: i128, entry: Entry, amount: i128) {
        self.moved.push((at, entry, amount));
    }

    /// Everything of a kind before a moment.
    pub(crate) fn sum(&self, entry: Entry, until: i128) -> i128 {
        self.between(entry, 0, until)
    }

    pub(crate) fn between(&self, entry: Entry, from: i128, until: i128) -> i128 {
        let own =
            |(at, kind, _): &&(i128, Entry, i128)| *kind == entry && (from..until).contains(at);
        self.moved.iter().filter(own).map(|(_, _, amount)| amount).sum()
    }

    /// The first moment at which anything was written that is a figure of the treasury.
    pub(crate) fn begins(&self) -> Option<i128> {
        let legs = |entry: &Entry| matches!(entry, Entry::Kept(_) | Entry::GivenBack(_));
        self.moved.iter().filter(|(_, entry, _)| !legs(entry)).map(|(at, _, _)| *at).min()
    }

    /// Notes what no payment tells: whether it is new, or told otherwise before.
    pub(crate) fn tell(
        &mut self,
        id: u64,
        purpose: Noted,
        [amount, on, now]: [i128; 3],
    ) -> Result<bool, ()> {
        let key = (id, place(purpose));
        if let Some(known) = self.noted.get(&key) {
            let due = |known: &(Noted, i128, i128)| match purpose {
                Noted::Expected { .. } => known.2 == on,
                _ => true,
            };
            return if known.1 == amount && due(known) { Ok(false) } else { Err(()) };
        }
        self.noted.insert(key, (purpose, amount, on));
        let entry = match purpose {
            Noted::Replenished => Entry::Replenished,
            Noted::Withdrawn => Entry::Withdrawn,
            Noted::FeeEarned => Entry::FeeEarned,
            Noted::FeePaid => Entry::FeePaid,
            Noted::Arrived => Entry::Arrived,
            Noted::Drawn => Entry::Drawn,
            Noted::Repaid => Entry::Repaid,
            Noted::Expected { .. } | Noted::Missed => Entry::Word,
            Noted::CreditLimit => {
                self.credit_limit = amount;
                Entry::Word
            }
            Noted::Reserve => {
                self.reserve = amount;
                Entry::Word
            }
        };
        self.note(now, entry, amount);
        Ok(true)
    }

    /// Settlements on their way: how much, and when each is expected.
    pub(crate) fn expected(&self) -> Vec<(i128, i128)> {
        let ended = |id: u64| {
            let of = |purpose| self.noted.contains_key(&(id, place(purpose)));
            of(Noted::Arrived) || of(Noted::Missed)
        };
        let open = self.noted.iter().filter(|((id, _), (purpose, _, _))| {
            matches!(purpose, Noted::Expected { .. }) && !ended(*id)
        });
        open.map(|(_, (_, amount, on))| (*amount, *on)).collect()
    }

    pub(crate) fn balance(&self) -> i128 {
        let all = |entries: &[Entry]| -> i128 {
            entries.iter().map(|entry| self.sum(*entry, i128::MAX)).sum()
        };
        let came =
            [Entry::Arrived, Entry::FeeEarned, Entry::Replenished, Entry::Drawn, Entry::Returned];
        all(&came) - all(&[Entry::Paid, Entry::FeePaid, Entry::Withdrawn, Entry::Repaid])
    }
}

fn place(purpose: Noted) -> usize {
    match purpose {
        Noted::Replenished => 0,
        Noted::Withdrawn => 1,
        Noted::FeeEarned => 2,
        Noted::FeePaid => 3,
        Noted::Expected { .. } => 4,
        Noted::Arrived => 5,
        Noted::Missed => 6,
        Noted::Drawn => 7,
        Noted::Repaid => 8,
        Noted::CreditLimit => 9,
        Noted::Reserve => 10,
    }
}

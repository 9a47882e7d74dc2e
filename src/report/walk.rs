//! A walk through all facts, which sees when money came and went, and what only facts tell.

use std::collections::{BTreeMap, BTreeSet};

use divvy_core::{Amount, Body, Books, Cause, Error, Fact, Hash, Name, Place, Stream, Time};

use crate::report::calendar::Days;

/// What was seen on the way.
pub(super) struct Walk {
    book: String,
    books: Books,
    pub(super) before: Sums,
    /// What was paid before the book, or never left it: no money that went out.
    elsewhere: Amount,
    /// What of that payees turned into units.
    pub(super) staked: Amount,
    pub(super) days: Days,
    pub(super) seal: Option<(Time, Hash)>,
    /// The holders that the latest declaration of each pool commits to.
    pub(super) roots: BTreeMap<String, (Time, Hash)>,
    /// Batches that people were asked about.
    pub(super) asked: BTreeMap<Stream, Asked>,
    /// What went back of payments, by payment and id.
    gone: BTreeMap<(Stream, String), Gone>,
    /// Whether anybody keeps the treasury: without funds its balance says nothing.
    pub(super) has_funds: bool,
}

/// What came, went back and went out until some moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    pub(super) came: Amount,
    pub(super) back: Amount,
    pub(super) out: Amount,
}

/// Since when people are asked about a batch, how many have to agree, and who has.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) since: Time,
    pub(super) needed: u32,
    pub(super) by: BTreeSet<Name>,
}

/// What became of money that went back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gone {
    Refunded(Amount),
    Failed(Amount),
    Disputed(Amount),
    Lost(Amount),
    CameAgain(Amount),
}

impl Gone {
    pub(super) const fn amount(self) -> Amount {
        let (Self::Refunded(amount)
        | Self::Failed(amount)
        | Self::Disputed(amount)
        | Self::Lost(amount)
        | Self::CameAgain(amount)) = self;
        amount
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Refunded(_) => "refunded",
            Self::Failed(_) => "failed after they were reported",
            Self::Disputed(_) => "disputed, and still open",
            Self::Lost(_) => "disputed and lost",
            Self::CameAgain(_) => "came again: won, or never left",
        }
    }
}

impl Walk {
    pub(super) fn of(book: &str) -> Self {
        Self {
            book: book.to_owned(),
            books: Books::default(),
            before: Sums::default(),
            elsewhere: Amount::ZERO,
            staked: Amount::ZERO,
            days: Days::default(),
            seal: None,
            roots: BTreeMap::new(),
            asked: BTreeMap::new(),
            gone: BTreeMap::new(),
            has_funds: false,
        }
    }

    /// What went back, by what became of it: how many times, and how much.
    pub(super) fn went_back(&self) -> Result<BTreeMap<&'static str, (u64, Amount)>, Error> {
        let mut sums: BTreeMap<&'static str, (u64, Amount)> = BTreeMap::new();
        for gone in self.gone.values() {
            let (count, sum) = sums.entry(gone.word()).or_default();
            *count = count.saturating_add(1);
            *sum = sum.plus(gone.amount())?;
        }
        Ok(sums)
    }

    pub(super) fn feed(&mut self, facts: &[Fact]) -> Result<(), Error> {
        for fact in facts {
            self.books.feed(std::slice::from_ref(fact))?;
            let body = fact.body()?;
            if self.is_ours(fact, &body) {
                self.see(fact, &body);
            }
            self.take(fact, &body)?;
        }
        Ok(())
    }

    fn is_ours(&self, fact: &Fact, body: &Body) -> bool {
        match (fact.stream.place(), body) {
            (Place::Payment { .. }, Body::Reversed(reversed)) => {
                reversed.extent.book.as_str() == self.book
            }
            (Place::Payment { .. }, Body::Restored(restored)) => {
                restored.extent.book.as_str() == self.book
            }
            (Place::Payment { .. }, Body::Lost(lost)) => lost.book.as_str() == self.book,
            (
                Place::Pool { book, .. } | Place::Batch { book, .. } | Place::Treasury { book },
                _,
            ) => book == self.book,
            _ => false,
        }
    }

    /// Whether what a payee brought along, staked or passed on was so in this book.
    fn is_in(&self, fact: &Fact) -> bool {
        matches!(
            fact.stream.place(),
            Place::Payee { book, .. } | Place::Run { book } | Place::Pool { book, .. }
                if book == self.book
        )
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "most facts are told by the fold")]
    fn see(&mut self, fact: &Fact, body: &Body) {
        let named = |id: &str| (fact.stream.clone(), id.to_owned());
        match body {
            Body::Declared(declared) => {
                if let (Place::Pool { pool, .. }, Some(holders)) =
                    (fact.stream.place(), &declared.holders)
                {
                    self.roots.insert(pool.to_owned(), (fact.at, holders.root));
                }
            }
            Body::Asked(asked) => {
                let (since, needed) = (fact.at, asked.approvals);
                let asked = Asked { since, needed, by: BTreeSet::new() };
                self.asked.insert(fact.stream.clone(), asked);
            }
            Body::Approved(approved) => {
                if let Some(asked) = self.asked.get_mut(&fact.stream) {
                    asked.by.insert(approved.by.clone());
                }
            }
            Body::Reversed(reversed) => {
                let amount = reversed.extent.after.less(reversed.extent.before);
                let gone = match reversed.cause {
                    Cause::Dispute => Gone::Disputed(amount),
                    Cause::Failure => Gone::Failed(amount),
                    Cause::Refund | _ => Gone::Refunded(amount),
                };
                self.gone.insert(named(&reversed.id), gone);
            }
            Body::Restored(restored) => self.end(&named(&restored.id), Gone::CameAgain),
            Body::Lost(lost) => self.end(&named(&lost.id), Gone::Lost),
            Body::Funds(_) | Body::WeekClosed(_) => self.has_funds = true,
            _ => (),
        }
    }

    fn end(&mut self, name: &(Stream, String), end: impl Fn(Amount) -> Gone) {
        if let Some(gone) = self.gone.get_mut(name) {
            *gone = end(gone.amount());
        }
    }

    /// What counts as paid in this book, and went out to nobody.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the rest of what is paid went out")]
    fn set_apart(&mut self, fact: &Fact, body: &Body) -> Result<(), Error> {
        // What other books were paid elsewhere is none of ours.
        if !self.is_in(fact) {
            return Ok(());
        }
        let apart = match body {
            Body::Brought(brought) => brought.paid,
            Body::Compounded(compounded) => {
                self.staked = self.staked.plus(compounded.amount)?;
                compounded.amount
            }
            Body::Declared(declared) => declared.drawn.unwrap_or_default(),
            _ => Amount::ZERO,
        };
        self.elsewhere = self.elsewhere.plus(apart)?;
        Ok(())
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "most facts move no money over the border")]
    fn take(&mut self, fact: &Fact, body: &Body) -> Result<(), Error> {
        let at = match body {
            Body::Recorded(recorded) => recorded.event_at,
            Body::Reversed(reversed) => reversed.event_at,
            Body::Sealed(sealed) => {
                self.seal = Some((fact.at, sealed.root));
                return Ok(());
            }
            _ => fact.at,
        };
        self.set_apart(fact, body)?;
        let Ok(book) = self.books.book(&self.book) else { return Ok(()) };
        let totals = book.totals();
        let after = Sums {
            came: totals.recorded,
            back: totals.refunded,
            out: totals.paid.less(self.elsewhere),
        };
        self.days.add(at, self.before, after)?;
        self.before = after;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use divvy_core::{Asset, Brought, Evidence, Hash, Name, Opened, Policy, Time};

    use super::*;

    #[test]
    fn what_another_book_was_paid_elsewhere_is_none_of_this_one() {
        let (mut books, mut walk) = (Books::default(), Walk::of("shop"));
        let opened = Opened {
            asset: Asset::parse("USD").unwrap(),
            policy: Policy::Instant,
            floor: Amount::ONE,
            cooling_secs: 0,
            named_on: None,
        };
        for (name, paid) in [("shop", 300), ("stall", 500)] {
            let name = Name::new(name).unwrap();
            let open = books.open(&name, opened.clone(), Time::ZERO).unwrap();
            books.feed(open.facts()).unwrap();
            walk.feed(open.facts()).unwrap();
            let (source, said) = ("an old ledger".to_owned(), "its last page".to_owned());
            let evidence = Evidence { source, hash: Hash::of(b"ledger"), said };
            let [earned, paid] = [700, paid].map(|minor| Amount::new(minor).unwrap());
            let entry = (Name::new("ann").unwrap(), Brought { earned, paid, evidence });
            let step = books.book(name.as_str()).unwrap().bring(&[entry], Time::ZERO).unwrap();
            books.feed(step.facts()).unwrap();
            walk.feed(step.facts()).unwrap();
        }
        assert_eq!(walk.elsewhere, Amount::new(300).unwrap());
    }
}

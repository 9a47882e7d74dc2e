//! Every book of one database, and the wallets that they pay from: the fold of everything.

mod acts;
mod adopt;
mod fold;
mod review;
mod wallets;

pub use adopt::Shown;
pub use review::{Resolution, Verdict};

use std::collections::{BTreeMap, BTreeSet};

use crate::amount::Amount;
use crate::batch::{Batch, Step};
use crate::book::{Book, Plan};
use crate::checkpoint::stored;
use crate::error::{Code, Error};
use crate::fact::{
    Approved, Body, Cancelled, Fact, Hash, Head, Opened, Place, Refused, Sealed, Signed, Stream,
};
use crate::name::Name;
use crate::rail::{Seen, Timing};
use crate::time::Time;
pub(crate) use wallets::Wallet;

/// The fold of every fact in one database.
///
/// Feed it what `since` returns, and nothing else: a fact that was written but not read back is
/// not part of it. It may be fed in any order that respects each stream's own; a fact that comes
/// early waits until what it rests on is there.
///
/// ```
/// use divvy_core::{Amount, Asset, Books, Name, Opened, Policy, Time};
///
/// let mut books = Books::default();
/// let name = Name::new("chapter-42")?;
/// let opened = Opened {
///     asset: Asset::parse("USD")?,
///     policy: Policy::Instant,
///     floor: Amount::ONE,
///     cooling_secs: 0,
///     named_on: None,
/// };
/// let step = books.open(&name, opened, Time::ZERO)?;
/// assert!(books.book("chapter-42").is_err());
/// books.feed(step.facts())?;
/// assert!(books.book("chapter-42").is_ok());
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Books {
    pub(crate) books: BTreeMap<Name, Book>,
    pub(crate) wallets: BTreeMap<Name, Wallet>,
    /// The newest seal, and where the next one goes.
    pub(crate) sealed: Option<(Head, Sealed)>,
    /// Whether what is costly to check is checked too, as `verify` does.
    pub(crate) strict: bool,
    pub(crate) early: Vec<Fact>,
    pub(crate) newest: Time,
    pub(crate) count: u64,
    /// A running digest over the hashes in the order in which they were fed.
    pub(crate) digest: Hash,
}

stored!(Books { books, wallets, sealed, strict, early, newest, count, digest });

impl Books {
    /// Checks every equation of every book, in O(everything).
    ///
    /// # Errors
    /// As [`Book::check`], for the first book that does not balance.
    pub fn check(&self) -> Result<(), Error> {
        self.books.values().try_for_each(Book::check)
    }

    /// A book by its name.
    ///
    /// # Errors
    /// [`Code::BookUnknown`] when there is none of that name.
    pub fn book(&self, book: &str) -> Result<&Book, Error> {
        self.books.get(book).ok_or_else(|| unknown(book, self.books.keys()))
    }

    /// A book by its name, for what only arranges it anew, such as [`Book::wake_waited`].
    ///
    /// # Errors
    /// [`Code::BookUnknown`] when there is none of that name.
    pub fn book_mut(&mut self, book: &str) -> Result<&mut Book, Error> {
        let error = unknown(book, self.books.keys());
        self.books.get_mut(book).ok_or(error)
    }

    /// Every book, by name.
    pub fn all(&self) -> impl Iterator<Item = &Book> {
        self.books.values()
    }

    /// The newest fact's time.
    #[must_use]
    pub const fn newest(&self) -> Time {
        self.newest
    }

    /// How many facts were fed.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The running digest over the hashes of the facts, in the order in which they were fed.
    #[must_use]
    pub const fn digest(&self) -> Hash {
        self.digest
    }

    /// The newest seal over everything that was written, and where the next one goes.
    #[must_use]
    pub const fn sealed(&self) -> Option<&(Head, Sealed)> {
        self.sealed.as_ref()
    }

    /// Facts that wait for what they rest on. At a horizon there are none.
    #[must_use]
    pub fn early(&self) -> &[Fact] {
        &self.early
    }

    /// Opens a book.
    ///
    /// # Errors
    /// [`Code::BookConflict`] when the book is there already, [`Code::PolicyMalformed`] for a
    /// period of no time.
    pub fn open(&self, book: &Name, opened: Opened, now: Time) -> Result<Step, Error> {
        if self.books.contains_key(book) {
            let detail = format!("there is a book {book} already: choose another name");
            return Err(Error::new(Code::BookConflict, detail));
        }
        opened.policy.check(Amount::ZERO)?;
        let head = Head::start(Stream::rule(book));
        let fact = Fact::new(&head, now.max(self.newest), &Body::Opened(opened));
        Ok(Step::new(vec![fact], Vec::new()))
    }

    /// Plans a run of a book together with what its tries claim.
    ///
    /// # Errors
    /// As for a run that cannot be planned, and [`Code::RailRefused`] when two tries claim the
    /// same of a wallet.
    pub fn plan(&self, book: &str, plans: &[Plan], now: Time) -> Result<Step, Error> {
        let book = self.book(book)?;
        let mut step = book.plan(plans, now)?;
        let mut heads: BTreeMap<Name, Head> = BTreeMap::new();
        let mut claims = BTreeSet::new();
        for (i, plan) in (0_u32..).zip(plans) {
            let head = heads.get(&plan.planned.wallet).cloned();
            let head = head.unwrap_or_else(|| self.wallet_head(&plan.planned.wallet));
            let batch = book.next_batch(i);
            for claim in &plan.signed.claims {
                if !claims.insert((&plan.planned.wallet, claim)) {
                    let detail = format!("{claim} is claimed twice in one run: sign with another");
                    return Err(Error::new(Code::RailRefused, detail));
                }
            }
            if let Some(claimed) =
                self.claim(&plan.planned.wallet, &head, &batch, &plan.signed, now)?
            {
                heads.insert(plan.planned.wallet.clone(), Head::after(&claimed));
                step = step.and(Step::new(vec![claimed], Vec::new()));
            }
        }
        Ok(step)
    }

    /// Takes in that a person approved a batch as it was planned.
    ///
    /// # Errors
    /// [`Code::SignatureWrong`] for somebody else's signature, or one over something else;
    /// [`Code::BatchState`] when the batch is signed or given up; [`Code::ApprovalMissing`] when
    /// it asks for no approval.
    pub fn approve(&self, batch: &Batch, approved: Approved, now: Time) -> Result<Step, Error> {
        self.follow(batch, &[Body::Approved(approved)], now)
    }

    /// Signs a batch anew, with what the new try claims.
    ///
    /// # Errors
    /// [`Code::BatchState`] when the new try could coexist with an earlier one;
    /// [`Code::ApprovalMissing`] when it is not approved now; [`Code::BatchStale`] when a line's
    /// destination is not in force any more, or its payee is held: cancel it then, and what is due
    /// is planned anew. [`Code::ActUnsigned`] as [`Book::check_acts`].
    pub fn sign(&self, batch: &Batch, signed: Signed, now: Time) -> Result<Step, Error> {
        let at = now.max(self.newest);
        if let Place::Batch { book, .. } = batch.stream().place() {
            self.book(book)?.check_acts()?;
        }
        self.check_current(batch, at)?;
        let mut after = batch.clone();
        let fact = Fact::new(batch.head(), at, &Body::Signed(signed.clone()));
        after.apply(&fact)?;
        let head = self.wallet_head(batch.wallet());
        let claimed = self.claim(batch.wallet(), &head, batch.stream(), &signed, now)?;
        let facts = std::iter::once(fact).chain(claimed).collect();
        Ok(Step::new(facts, vec![Step::call(batch.stream().clone(), signed)]))
    }

    /// Whether every line of a batch may be signed as it was planned.
    ///
    /// # Errors
    /// [`Code::BatchStale`] when a destination has changed or a payee is held.
    pub fn check_current(&self, batch: &Batch, at: Time) -> Result<(), Error> {
        let Place::Batch { book, .. } = batch.stream().place() else { return Ok(()) };
        self.book(book)?.check_lines(batch.rail(), batch.lines(), at)
    }

    /// Gives up a batch that no try can move; its lines are payable again.
    ///
    /// # Errors
    /// [`Code::BatchState`] while a try may still move money.
    pub fn cancel(&self, batch: &Batch, reason: &str, now: Time) -> Result<Step, Error> {
        let body = Body::Cancelled(Cancelled { reason: reason.to_owned() });
        self.follow(batch, &[body], now)
    }

    /// The facts that a look teaches, and the holds that follow from them in the same commit.
    ///
    /// The step is empty when nothing was learned.
    ///
    /// # Errors
    /// [`Code::RailReply`] unless there is one answer for each try.
    pub fn learn(
        &self,
        batch: &Batch,
        seen: &Seen,
        now: Time,
        timing: Timing,
    ) -> Result<Step, Error> {
        let bodies = batch.learn(seen, now, timing)?;
        let mut step = self.follow(batch, &bodies, now)?;
        let Place::Batch { book, .. } = batch.stream().place() else { return Ok(step) };
        let book = self.book(book)?;
        for (payee, reason) in holds(batch, &bodies) {
            step = step.and(book.hold(&payee, &reason, Some(batch.stream()), now));
        }
        Ok(step)
    }

    /// Facts of a batch's stream, where they may follow.
    ///
    /// # Errors
    /// [`Code::BatchState`] for facts that may not follow.
    pub fn follow(&self, batch: &Batch, bodies: &[Body], now: Time) -> Result<Step, Error> {
        let facts = Fact::chain(batch.head(), now.max(self.newest), bodies);
        let mut after = batch.clone();
        facts.iter().try_for_each(|fact| after.apply(fact))?;
        Ok(Step::new(facts, Vec::new()))
    }
}

/// Whom to hold for what was learned: a refused or returned payee is not planned again before a
/// person has looked, or a new destination came.
#[expect(clippy::wildcard_enum_match_arm, reason = "only two kinds hold anybody")]
fn holds(batch: &Batch, bodies: &[Body]) -> BTreeMap<Name, String> {
    // One hold each: two at the same place of a payee's stream would refuse the whole commit.
    let mut holds: BTreeMap<Name, String> = BTreeMap::new();
    let payee = |line: u32| {
        let at = usize::try_from(line).ok()?;
        batch.lines().get(at).map(|line| line.payee.clone())
    };
    for body in bodies {
        let (lines, reason) = match body {
            Body::Refused(Refused { line: Some(line), reason, .. }) => (vec![*line], reason),
            // Of a single line nobody need be named.
            Body::Refused(Refused { line: None, reason, .. }) if batch.lines().len() == 1 => {
                (vec![0], reason)
            }
            Body::Returned(returned) if returned.lines.is_empty() => {
                let all = u32::try_from(batch.lines().len()).unwrap_or(u32::MAX);
                ((0..all).collect(), &returned.reason)
            }
            Body::Returned(returned) => (returned.lines.clone(), &returned.reason),
            _ => continue,
        };
        for payee in lines.into_iter().filter_map(payee) {
            holds.entry(payee).or_insert_with(|| reason.clone());
        }
    }
    holds
}

fn unknown<'a>(book: &str, known: impl Iterator<Item = &'a Name>) -> Error {
    let known: Vec<&str> = known.map(Name::as_str).take(8).collect();
    let known = if known.is_empty() { "none yet".to_owned() } else { known.join(", ") };
    Error::new(Code::BookUnknown, format!("there is no book {book:?}; known are: {known}"))
}

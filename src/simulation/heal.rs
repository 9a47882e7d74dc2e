//! The end: nothing goes wrong any more, everybody works on, time passes; then all must be well.

use std::collections::BTreeMap;

use divvy_core::{Books, Error, Fact, Fate, FeesSet, Name, Place, State, Stream, Time, Window};

use crate::simulation::dice::Dice;
use crate::simulation::jobs::Job;
use crate::simulation::promise::{Broken, Promise};
use crate::simulation::scene::Scene;
use crate::simulation::scheduler::Simulation;
use crate::simulation::wishes::Wish;

impl Simulation {
    /// Lets the world heal, and looks whether everything is as it must be.
    pub(super) fn heal(&mut self) {
        let books = self.scene.with(Scene::heal);
        self.unstall();
        self.finish_jobs();
        for book in &books {
            let receipts = self.scene.with(|scene| scene.till.unrecorded(book));
            self.give(0, Job::Record { book: book.clone(), receipts });
            self.finish_jobs();
        }
        for book in &books {
            let fees = FeesSet { ceiling: None, borne_max: None };
            let by = self.scene.with(|scene| scene.who_decides(book));
            self.give(0, Job::SetFees { book: book.clone(), fees, by });
            self.finish_jobs();
        }
        for book in &books {
            let wishes = self.scene.with(|scene| scene.last_wishes(book));
            self.fulfil(wishes);
        }
        self.work_on(&books);
        for book in &books {
            let wishes = self.scene.with(|scene| scene.closing(book));
            self.fulfil(wishes);
        }
        self.each(&Job::Verify);
        if !self.is_broken() {
            self.scene.with(|scene| {
                let found = scene.ends_well().unwrap_or_else(|error| {
                    Some(Broken { promise: Promise::Balances, said: format!("{error:?}") })
                });
                scene.found(found);
            });
        }
    }

    fn fulfil(&mut self, wishes: Vec<Wish>) {
        for wish in wishes {
            self.give(0, Job::Wish(wish));
            self.finish_jobs();
        }
    }

    /// Minutes at first, then hours, until a week after the last fact: whoever looks again at what
    /// settled does so in that time.
    fn work_on(&mut self, books: &[Name]) {
        let mut rounds = 0_u64;
        loop {
            for book in books {
                self.give(0, Job::Declare { book: book.clone() });
                self.finish_jobs();
            }
            self.each(&Job::Tick);
            for approval in self.scene.with(|scene| scene.approvals_missing()) {
                self.give(0, Job::Approve(approval));
                self.finish_jobs();
            }
            self.each(&Job::Tick);
            rounds = rounds.saturating_add(1);
            let is_over = self.scene.with(|scene| scene.rest(rounds));
            if is_over || self.is_broken() {
                return;
            }
            if rounds > ROUNDS_MAX {
                self.scene.with(|scene| {
                    let open = scene.open_batches();
                    scene.breaks(Promise::Settles, format!("still open: {open:?}"));
                });
                return;
            }
        }
    }

    /// Everybody does the same, in any order.
    fn each(&mut self, job: &Job) {
        let workers = self.scene.with(|scene| scene.seats.len());
        for process in 0..workers {
            self.give(process, job.clone());
        }
        self.finish_jobs();
    }
}

/// After so many rounds everything must be settled: who is paid monthly may wait for a whole month,
/// and then for approvals.
const ROUNDS_MAX: u64 = 240;
/// So many rounds are minutes apart.
const ROUNDS_SHORT: u64 = 12;
const SHORT_MILLIS: u64 = 900_000;
const LONG_MILLIS: u64 = 28_800_000;
const WEEK_SECS: u64 = 7 * 86_400;

impl Scene {
    fn heal(&mut self) -> Vec<Name> {
        self.faulty = false;
        for seat in &mut self.seats {
            seat.ahead_millis = 0;
        }
        self.tell(|| "the world heals".to_owned());
        self.land_all();
        self.town.books.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Time passes between two rounds; whether it has been long enough, and nothing is open.
    fn rest(&mut self, rounds: u64) -> bool {
        let quiet = self.witness.books.newest().plus_secs(WEEK_SECS) < self.now;
        let is_over = quiet && self.open_batches().is_empty();
        if !is_over {
            self.pass(if rounds < ROUNDS_SHORT { SHORT_MILLIS } else { LONG_MILLIS });
        }
        is_over
    }

    /// What is open and does not wait for a person.
    fn open_batches(&self) -> Vec<&Stream> {
        let open = self.witness.batches.values().filter(|batch| {
            let once = |try_: &divvy_core::Try| try_.signed.window == Window::Once;
            let person = batch.state() == State::Review && batch.tries().iter().any(once);
            batch.is_reserved() && !person
        });
        open.map(divvy_core::Batch::stream).collect()
    }

    fn ends_well(&mut self) -> Result<Option<Broken>, Error> {
        self.witness.books.check()?;
        for (book, _) in &self.town.books {
            if let Some(broken) = nobody_due(&self.witness.books, book, self.now)? {
                return Ok(Some(broken));
            }
        }
        if let Some(broken) = self.all_came_in()? {
            return Ok(Some(broken));
        }
        if let Some(broken) = self.agrees() {
            return Ok(Some(broken));
        }
        if let Some(broken) = self.fees_agree()? {
            return Ok(Some(broken));
        }
        if let Some(broken) = self.reconciles()? {
            return Ok(Some(broken));
        }
        if let Some(broken) = self.all_told() {
            return Ok(Some(broken));
        }
        let shuffled = shuffled(self.store.facts(), self.set_up, &mut self.dice);
        any_order(&shuffled, &self.witness.books, self.now)
    }

    /// Line by line: what moved for good is settled, and what is settled has moved.
    fn agrees(&self) -> Option<Broken> {
        for tried in &self.witness.tries {
            let batch = self.witness.batches.get(&tried.batch)?;
            let own = |try_: &&divvy_core::Try| try_.signed.reference == tried.reference;
            let try_ = batch.tries().iter().find(own)?;
            for ((n, line), paid) in (0_u32..).zip(batch.lines()).zip(&tried.paid) {
                let settled = try_.fate == Fate::Settled && !try_.returned.contains(&n);
                let undecided = try_.is_open() && try_.signed.window == Window::Once;
                if *paid != i64::from(settled) && !(undecided && *paid == 1) {
                    let said = format!(
                        "{} of {} in {}: {:?}, settled {settled} by the facts, paid {paid} times",
                        line.payee, line.amount, tried.batch, try_.fate
                    );
                    return Some(Broken { promise: Promise::Agrees, said });
                }
            }
        }
        None
    }
}

/// Whoever is due is paid, or somebody says why not.
fn nobody_due(books: &Books, book: &Name, now: Time) -> Result<Option<Broken>, Error> {
    let mut fold = books.book(book.as_str())?.clone();
    fold.wake_waited(now)?;
    let due = fold.due(now)?;
    if due.is_empty() {
        return Ok(None);
    }
    let said = format!("still due in {book}: {due:?}");
    Ok(Some(Broken { promise: Promise::Settles, said }))
}

/// The same facts in another order, in which each stream keeps its own. Payments and rules keep
/// theirs together: a payment is divided by the rules that are there when it comes. So the pools
/// that rules name are there first, as they were set up.
fn shuffled(facts: &[Fact], set_up: usize, dice: &mut Dice) -> Vec<Fact> {
    let (first, facts) = facts.split_at(set_up.min(facts.len()));
    let mut streams: BTreeMap<&str, Vec<&Fact>> = BTreeMap::new();
    for fact in facts.iter().rev() {
        let together = matches!(fact.stream.place(), Place::Payment { .. } | Place::Rule { .. });
        let name = if together { "" } else { fact.stream.as_str() };
        streams.entry(name).or_default().push(fact);
    }
    let mut streams: Vec<Vec<&Fact>> = streams.into_values().collect();
    let mut shuffled = first.to_vec();
    while !streams.is_empty() {
        let place = dice.place(streams.len());
        let Some(stream) = streams.get_mut(place) else { break };
        shuffled.extend(stream.pop().cloned());
        if stream.is_empty() {
            streams.swap_remove(place);
        }
    }
    shuffled
}

fn any_order(facts: &[Fact], books: &Books, now: Time) -> Result<Option<Broken>, Error> {
    let mut other = Books::default();
    for facts in facts.chunks(7) {
        other.feed(facts)?;
    }
    for book in books.all() {
        let again = other.book(book.name().as_str())?;
        for payee in book.payees() {
            let (one, two) =
                (book.balance(payee.as_str(), now)?, again.balance(payee.as_str(), now)?);
            if (one.earned, one.reserved, one.paid) != (two.earned, two.reserved, two.paid) {
                let said = format!("{payee} of {}: {one:?}, in another order {two:?}", book.name());
                return Ok(Some(Broken { promise: Promise::AnyOrder, said }));
            }
        }
    }
    Ok(None)
}

//! What all processes share: the store, the worlds, time, chance, and who watches over it all.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use divvy_core::{
    Body, Code, Cursor, Error, Fact, Manner, Page, PayeeSet, Policy, RuleSet, Stream, Time, Units,
    Written,
};

use crate::simulation::dice::Dice;
use crate::simulation::ear::Heard;
use crate::simulation::expected::Expected;
use crate::simulation::jobs::Job;
use crate::simulation::knobs::Knobs;
use crate::simulation::notes::Notes;
use crate::simulation::planted::Planted;
use crate::simulation::prices::Prices;
use crate::simulation::promise::{Broken, Promise};
use crate::simulation::proofs::Shown;
use crate::simulation::rulings::Rulings;
use crate::simulation::statement::Statement;
use crate::simulation::store::Store;
use crate::simulation::till::Till;
use crate::simulation::town::Town;
use crate::simulation::trace::{Telling, Trace, addresses};
use crate::simulation::waits::Waits;
use crate::simulation::witness::Witness;
use crate::simulation::worlds::Worlds;

/// The scene, as every process holds it. There is one thread, so nobody ever waits for the lock.
#[derive(Clone, Debug)]
pub(super) struct Shared(Arc<Mutex<Scene>>);

/// Everything outside of the processes.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) knobs: Knobs,
    pub(super) town: Town,
    pub(super) dice: Dice,
    pub(super) step: u64,
    /// The true time. What a process thinks is this and its own error.
    pub(super) now: Time,
    /// Whether anything may still go wrong.
    pub(super) faulty: bool,
    pub(super) store: Store,
    pub(super) worlds: Worlds,
    pub(super) witness: Witness,
    pub(super) trace: Trace,
    pub(super) till: Till,
    pub(super) prices: Prices,
    pub(super) seats: Vec<Seat>,
    pub(super) checkpoints: Vec<Vec<u8>>,
    /// So many facts set the town up.
    pub(super) set_up: usize,
    /// What payees chose and asked for.
    pub(super) waits: Waits,
    pub(super) notes: Notes,
    pub(super) rulings: Rulings,
    pub(super) statement: Statement,
    pub(super) shown: Shown,
    pub(super) heard: Heard,
    /// What everyone must have earned, book by book.
    pub(super) expected: Vec<Expected>,
    pub(super) broken: Option<Broken>,
}

/// What is known of one process from outside.
#[derive(Debug, Default)]
pub(super) struct Seat {
    /// Which of its lives it is in; a crash ends one.
    pub(super) life: u64,
    /// What it is to do next.
    pub(super) job: Option<Job>,
    /// Whether it is at work.
    pub(super) busy: bool,
    /// So many facts it had read when it read last.
    pub(super) read: usize,
    /// How far its clock is ahead of the true time.
    pub(super) ahead_millis: i64,
    /// When its worker wants to look again.
    pub(super) not_before: Option<Time>,
}

impl Shared {
    pub(super) fn new(scene: Scene) -> Self {
        Self(Arc::new(Mutex::new(scene)))
    }

    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Scene) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Scene {
    pub(super) fn new(knobs: Knobs, telling: Telling) -> Result<Self, Error> {
        let mut dice = Dice::new(knobs.seed);
        let town = Town::new(&knobs, &mut dice)?;
        let worlds = Worlds::new(&knobs, &town, &mut dice)?;
        let expected = town.books.iter().map(|(name, _)| Expected::new(name.clone())).collect();
        let seats = (0..knobs.workers).map(|_| Seat::default()).collect();
        Ok(Self {
            town,
            dice,
            step: 0,
            now: Time::from_millis(START_MILLIS),
            faulty: false,
            store: Store::default(),
            worlds,
            witness: Witness::default(),
            trace: Trace::new(telling),
            till: Till::new(knobs.payments),
            prices: Prices::default(),
            seats,
            checkpoints: Vec::new(),
            set_up: 0,
            waits: Waits::default(),
            notes: Notes::default(),
            rulings: Rulings::default(),
            statement: Statement::default(),
            shown: Shown::default(),
            heard: Heard::default(),
            expected,
            broken: None,
            knobs,
        })
    }

    /// The first promise that was broken is the one that counts.
    pub(super) fn found(&mut self, broken: Option<Broken>) {
        if self.broken.is_none() {
            self.broken = broken;
        }
    }

    pub(super) fn breaks(&mut self, promise: Promise, said: impl Into<String>) {
        self.found(Some(Broken { promise, said: said.into() }));
    }

    pub(super) fn tell(&mut self, said: impl FnOnce() -> String) {
        self.trace.tell(self.step, self.now, said);
    }

    /// What a process's own clock says.
    pub(super) fn clock(&self, process: usize) -> Time {
        let ahead = self.seats.get(process).map_or(0, |seat| seat.ahead_millis);
        let now = self.now.millis();
        let shown = now.checked_add_signed(ahead).unwrap_or(0);
        Time::from_millis(shown)
    }

    /// Whether something goes wrong that does so often in ten thousand, at the usual knob.
    pub(super) fn goes_wrong(&mut self, often: u64) -> bool {
        let often = often.saturating_mul(self.knobs.faults).checked_div(100).unwrap_or(0);
        self.faulty && self.dice.below(10_000) < often
    }

    pub(super) fn is_planted(&self, planted: Planted) -> bool {
        self.faulty && self.knobs.planted == Some(planted)
    }

    /// One commit as the host does it, and what the host says of it.
    pub(super) fn commit(
        &mut self,
        process: usize,
        facts: Vec<Fact>,
        manner: Manner,
    ) -> Result<Vec<Written>, Error> {
        let shown = || addresses(&facts);
        self.offered(process, &facts);
        if self.goes_wrong(100) {
            self.trace.count("commits failed");
            self.trace
                .tell(self.step, self.now, || format!("{process}: fails to write {}", shown()));
            return Err(Error::new(Code::StoreUnusable, "the disk is gone for a moment"));
        }
        let unknown = || Error::new(Code::CommitUnknown, "the line dropped while it committed");
        if self.goes_wrong(100) {
            self.trace.count("commits unknown, lost");
            self.tell(|| format!("{process}: nobody knows, not written: {}", shown()));
            return Err(unknown());
        }
        if self.goes_wrong(100) {
            self.trace.count("commits unknown, late");
            self.tell(|| format!("{process}: nobody knows, written later: {}", shown()));
            let until = self.step.saturating_add(self.dice.within(1, 60));
            let life = self.life(process);
            self.store.delay(until, ((process, life), facts, manner));
            return Err(unknown());
        }
        let outcome = self.write((process, self.life(process)), &facts, manner);
        if outcome.is_ok() && self.goes_wrong(200) {
            self.trace.count("commits unknown, done");
            self.tell(|| format!("{process}: nobody knows, and it is written"));
            if self.is_planted(Planted::UnknownIsNotDone) {
                facts.iter().for_each(|fact| self.till.rename(&fact.stream));
                return Err(Error::new(Code::StoreUnusable, "nothing was written"));
            }
            return Err(unknown());
        }
        outcome
    }

    /// Commits of unknown outcome whose time has come are written, or find their place taken.
    pub(super) fn land(&mut self) {
        for (author, facts, manner) in self.store.arrived(self.step) {
            self.tell(|| "what was on its way arrives".to_owned());
            drop(self.write(author, &facts, manner));
        }
    }

    /// Whatever is still on its way arrives.
    pub(super) fn land_all(&mut self) {
        let step = std::mem::replace(&mut self.step, u64::MAX);
        self.land();
        self.step = step;
    }

    fn write(
        &mut self,
        author: (usize, u64),
        facts: &[Fact],
        manner: Manner,
    ) -> Result<Vec<Written>, Error> {
        let before = self.store.facts().len();
        let mut outcome = self.store.write(facts, manner);
        if outcome.is_err() && self.is_planted(Planted::Overwrites) {
            let all = facts.iter().all(|fact| self.store.overwrite(fact));
            outcome = if all { Ok(vec![Written::New; facts.len()]) } else { outcome };
        }
        self.trace.mark(&(author.0, outcome.is_ok()));
        for fact in facts {
            self.trace.mark(fact.hash.as_bytes());
        }
        let taken = outcome.as_ref().is_err_and(|error| error.code() == Code::AddressTaken);
        self.trace.count(if taken { "commits too late" } else { "commits" });
        let said = outcome.as_ref().err().map(ToString::to_string);
        self.tell(|| match said {
            None => format!("{}: writes {}", author.0, addresses(facts)),
            Some(said) => format!("{}: cannot write {}: {said}", author.0, addresses(facts)),
        });
        if self.store.facts().len() > before.saturating_add(1) {
            if self.is_planted(Planted::LosesCommit) && self.dice.permille(20) {
                self.store.forget(before);
            }
            if self.is_planted(Planted::TearsCommit) && self.dice.permille(20) {
                self.store.forget(self.store.facts().len().saturating_sub(1));
            }
        }
        let new = self.store.newest(before).to_vec();
        for fact in &new {
            if let Cow::Borrowed(kind) = &fact.kind {
                self.trace.count(kind);
            }
        }
        let found = self.witness.written(author, &new);
        self.found(found);
        self.held_against(|scene| scene.prices.written(&new, &scene.town));
        self.held_against(|scene| scene.witness.said.written(&new));
        self.held_against(|scene| {
            for _ in 0..scene.waits.written(&new, before, &scene.town)? {
                scene.trace.count("paid on demand");
            }
            Ok(None)
        });
        self.held_against(|scene| scene.notes.written(&new, before));
        self.held_against(|scene| scene.rulings.written(&new, before));
        self.held_against(|scene| scene.heard.written(&new).map(|()| None));
        self.held_against(|scene| scene.earns(&new));
        outcome
    }

    fn offered(&mut self, process: usize, facts: &[Fact]) {
        let read = self.seats.get(process).map_or(0, |seat| seat.read);
        self.held_against(|scene| {
            scene.prices.offered((process, read), facts, &scene.waits, &scene.town)
        });
        self.held_against(|scene| scene.waits.offered(facts, read, &scene.town));
        self.held_against(|scene| scene.notes.offered(facts, read));
        self.held_against(|scene| scene.rulings.offered(facts, read));
    }

    fn held_against(&mut self, look: impl FnOnce(&mut Self) -> Result<Option<Broken>, Error>) {
        let found = look(self).unwrap_or_else(|error| {
            Some(Broken { promise: Promise::Balances, said: format!("{error:?}") })
        });
        self.found(found);
    }

    pub(super) fn read(&mut self, stream: &Stream) -> Result<Vec<Fact>, Error> {
        if self.goes_wrong(20) {
            self.trace.count("reads failed");
            return Err(Error::new(Code::StoreUnusable, "the disk is gone for a moment"));
        }
        let mut facts = self.store.read(stream);
        if self.is_planted(Planted::ShowsOtherUnits) {
            facts.iter_mut().for_each(one_more);
        }
        Ok(facts)
    }

    pub(super) fn since(
        &mut self,
        process: usize,
        cursor: Option<&Cursor>,
        facts_max: usize,
    ) -> Result<Page, Error> {
        if self.goes_wrong(20) {
            self.trace.count("reads failed");
            return Err(Error::new(Code::StoreUnusable, "the disk is gone for a moment"));
        }
        let small = usize::try_from(self.dice.within(1, 20)).unwrap_or(1);
        let most = if self.goes_wrong(500) { small } else { facts_max };
        let mut page = self.store.since(cursor, most.min(facts_max))?;
        if self.is_planted(Planted::SkipsFact) && page.facts.len() > 1 && self.dice.permille(30) {
            page.facts.pop();
        }
        if self.is_planted(Planted::ShowsOtherPolicy) {
            page.facts.iter_mut().for_each(hurried);
        }
        if self.is_planted(Planted::ShowsOtherRule) {
            page.facts.iter_mut().for_each(put_off);
        }
        if let Some(seat) = self.seats.get_mut(process) {
            seat.read = usize::try_from(page.cursor.position).unwrap_or(0);
        }
        Ok(page)
    }

    pub(super) fn life(&self, process: usize) -> u64 {
        self.seats.get(process).map_or(0, |seat| seat.life)
    }

    /// Time passes; what the worlds do by themselves is seen.
    pub(super) fn pass(&mut self, millis: u64) {
        self.now = Time::from_millis(self.now.millis().saturating_add(millis));
        if millis >= 5_000 {
            for (rail, effects) in self.worlds.advance(self.now) {
                self.seen(rail, &effects);
            }
        }
    }
}

/// A planted mistake: whoever chose to wait seems to have chosen not to.
fn hurried(fact: &mut Fact) {
    let Ok(Body::PayeeSet(set)) = fact.body() else { return };
    if set.policy.is_some() {
        fact.bytes = Body::PayeeSet(PayeeSet { policy: Some(Policy::Instant), ..set }).encode();
    }
}

/// A planted mistake: whoever was given units first seems to have been given one more.
fn one_more(fact: &mut Fact) {
    let Ok(Body::Issued(mut issued)) = fact.body() else { return };
    if let Some((_, units)) = issued.entries.first_mut() {
        *units = Units::new(units.get().saturating_add(1)).unwrap_or(*units);
        fact.bytes = Body::Issued(issued).encode();
    }
}

/// A planted mistake: a rule that was set later seems to begin later still.
fn put_off(fact: &mut Fact) {
    let Ok(Body::RuleSet(rule)) = fact.body() else { return };
    if rule.from > Time::ZERO {
        fact.bytes = Body::RuleSet(RuleSet { from: rule.from.plus_secs(500_000), ..rule }).encode();
    }
}

/// 2026-03-01T00:00:00Z.
pub(super) const START_MILLIS: u64 = 1_772_323_200_000;

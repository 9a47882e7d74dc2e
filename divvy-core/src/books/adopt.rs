//! Adopting: tries that a rail shows and no fact knows become the facts that were lost.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::amount::Amount;
use crate::batch::{Batch, Step};
use crate::book::{Book, RUN_LINES_MAX};
use crate::books::{Books, holds};
use crate::error::{Code, Error};
use crate::fact::{Body, Fact, Hash, Head, Line, Place, Planned, Run, Signed, Stream, Window};
use crate::name::Name;
use crate::rail::{Answer, Seen, Stranger, Timing};
use crate::time::Time;

/// What one rail shows of a book that no fact knows.
///
/// ```
/// use divvy_core::{Name, Shown, Timing};
///
/// let timing = Timing { grace_secs: 60, deadline_secs_max: 300, watch_secs: 0 };
/// let (rail, wallet) = (Name::new("sandbox")?, Name::new("till")?);
/// let shown = Shown { rail, wallet, timing, strangers: vec![] };
/// assert!(shown.strangers.is_empty(), "nothing was lost");
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, written as a literal")]
pub struct Shown {
    /// The rail.
    pub rail: Name,
    /// The wallet that paid.
    pub wallet: Name,
    /// The rail's timing.
    pub timing: Timing,
    /// Its tries.
    pub strangers: Vec<Stranger>,
}

/// A batch that is made of a try.
struct Adopted {
    planned: Planned,
    signed: Signed,
    seen: Seen,
    timing: Timing,
}

impl Books {
    /// The facts that take in what rails show of a book, so that nobody is paid for it again:
    /// runs up to the newest one shown, and batches that were signed and settled, with the rails'
    /// own listings as evidence. What payees were paid beyond what they earned is owed back.
    ///
    /// All rails of a book are adopted together, because they share its runs.
    ///
    /// # Errors
    /// [`Code::PayeeUnknown`] for an address that is of no payee, or of several;
    /// [`Code::RailAhead`] for a try that is not final yet, and for a new try of a batch that the
    /// facts know with others: only the newer copy tells what became of those.
    pub fn adopt(&self, book: &str, shown: &[Shown], now: Time) -> Result<Step, Error> {
        let fold = self.book(book)?;
        let mut last = fold.runs();
        let mut adopted = Vec::new();
        for shown in shown {
            let payees = fold.payees_at(&shown.rail);
            for stranger in &shown.strangers {
                last = last.max(Self::run_of(fold, stranger)?);
                adopted.push(adopt_one(shown, stranger, &payees)?);
            }
        }
        if adopted.is_empty() {
            return Ok(Step::default());
        }
        if last.saturating_sub(fold.runs()) > RUNS_MAX {
            let detail =
                format!("a run {last} where ours are {}: no book lost so many", fold.runs());
            return Err(Error::new(Code::RailAhead, detail));
        }
        self.adopt_all(fold, last, adopted, now.max(self.newest()))
    }

    /// The run of a try, which must be one that no fact knows.
    fn run_of(fold: &Book, stranger: &Stranger) -> Result<u64, Error> {
        let refused = |why: &str| {
            let Stranger { batch, reference, .. } = stranger;
            Error::new(Code::RailAhead, format!("try {reference} of {batch} {why}"))
        };
        let place = stranger.batch.place();
        let Place::Batch { book, run, .. } = place else {
            return Err(refused("is of no batch: ask the rail again"));
        };
        if book != fold.name().as_str() {
            return Err(refused("is of another book: ask the rail again"));
        }
        if run < fold.runs() {
            return Err(refused(
                "is a new try of a batch that the facts know: restore the newer copy, which knows \
                 what became of the others",
            ));
        }
        if !matches!(stranger.answer, Answer::Final | Answer::Returned { .. }) {
            return Err(refused("is not final yet: adopt it when it is"));
        }
        Ok(run)
    }

    fn adopt_all(
        &self,
        fold: &Book,
        last: u64,
        adopted: Vec<Adopted>,
        at: Time,
    ) -> Result<Step, Error> {
        let mut facts = Vec::new();
        let mut run_head = fold.run_head().clone();
        // What is between was planned over rails that show nothing of it, or refused.
        while run_head.n < last {
            let nothing =
                Run { batches: 0, lines: 0, total: Amount::ZERO, digest: Hash::default() };
            facts.push(Fact::new(&run_head, at, &Body::Run(nothing)));
            run_head = Head::after(facts.last().ok_or_else(no_fact)?);
        }
        let mut held: BTreeSet<Name> = BTreeSet::new();
        let mut waiting = adopted.into_iter().peekable();
        while waiting.peek().is_some() {
            let (mut chains, mut lines) = (Vec::new(), Vec::new());
            let mut digest = Hash::default();
            while let Some(next) = waiting.next_if(|next| {
                lines.len().saturating_add(next.planned.lines.len()) <= RUN_LINES_MAX
                    || lines.is_empty()
            }) {
                let i = u32::try_from(chains.len()).unwrap_or(u32::MAX);
                let head = Head::start(Stream::batch(fold.name(), run_head.n, i));
                lines.extend(next.planned.lines.iter().map(|line| line.amount));
                let chain = self.adopt_batch(fold, &head, next, at, &mut held)?;
                digest = chain.first().map_or(digest, |first| digest.then(&first.hash));
                chains.push(chain);
            }
            let run = Run {
                batches: u32::try_from(chains.len()).unwrap_or(u32::MAX),
                lines: u32::try_from(lines.len()).unwrap_or(u32::MAX),
                total: Amount::total(lines)?,
                digest,
            };
            let run = Fact::new(&run_head, at, &Body::Run(run));
            run_head = Head::after(&run);
            facts.push(run);
            facts.extend(chains.into_iter().flatten());
        }
        Ok(Step::new(facts, Vec::new()))
    }

    /// The life of one batch, and the holds that follow from it.
    fn adopt_batch(
        &self,
        fold: &Book,
        head: &Head,
        adopted: Adopted,
        at: Time,
        held: &mut BTreeSet<Name>,
    ) -> Result<Vec<Fact>, Error> {
        let Adopted { planned, signed, seen, timing } = adopted;
        let mut facts = Fact::chain(head, at, &[Body::Planned(planned), Body::Signed(signed)]);
        let batch = Batch::fold(&facts)?;
        let bodies = batch.learn(&seen, at, timing)?;
        facts.extend(self.follow(&batch, &bodies, at)?.facts().iter().cloned());
        for (payee, reason) in holds(&batch, &bodies) {
            // One hold each: two at the same place of a payee's stream would refuse the commit.
            if held.insert(payee.clone()) {
                let hold = fold.hold(&payee, &reason, Some(batch.stream()), at);
                facts.extend(hold.facts().iter().cloned());
            }
        }
        Ok(facts)
    }
}

/// The payees at each address of a rail, and the facts that say so.
type PayeesAt = HashMap<String, BTreeMap<Name, Option<u64>>>;

fn adopt_one(shown: &Shown, stranger: &Stranger, payees: &PayeesAt) -> Result<Adopted, Error> {
    let mut lines = Vec::with_capacity(stranger.lines.len());
    for line in &stranger.lines {
        let known = payees.get(&line.to).map(|known| known.iter().collect::<Vec<_>>());
        let [(payee, to_n)] = known.as_deref().unwrap_or_default() else {
            let detail = format!(
                "{} of rail {} is the address of {} payees, and try {} paid it: import who it is, \
                 and adopt again",
                line.to,
                shown.rail,
                known.map_or(0, |known| known.len()),
                stranger.reference
            );
            return Err(Error::new(Code::PayeeUnknown, detail));
        };
        let (payee, to) = ((*payee).clone(), line.to.clone());
        lines.push(Line { payee, amount: line.amount, to, to_n: **to_n, fee: None });
    }
    let signed = Signed {
        reference: stranger.reference.clone(),
        // The bytes are lost, and never sent again.
        bytes: Vec::new(),
        window: Window::Until(Time::ZERO),
        deadline: Time::ZERO,
        sender: None,
        lines: Line::hash(&lines),
        claims: Vec::new(),
    };
    let (rail, wallet) = (shown.rail.clone(), shown.wallet.clone());
    let (answers, evidence) = (vec![stranger.answer.clone()], stranger.evidence.clone());
    let seen = Seen { answers, tip: None, evidence, bills: Vec::new() };
    Ok(Adopted { planned: Planned { rail, wallet, lines }, signed, seen, timing: shown.timing })
}

fn no_fact() -> Error {
    Error::new(Code::BatchState, "a run without a fact: run verify")
}

/// More runs than any copy lags behind.
const RUNS_MAX: u64 = 100_000;

//! What a book keeps of each batch: who is in it with how much, and where it stands.

use std::collections::{BTreeMap, HashMap};

use crate::amount::Amount;
use crate::batch::{Batch, State, Try};
use crate::book::apply::{Folded, follows, misplaced};
use crate::book::fees::fees_of;
use crate::book::payee::Chosen;
use crate::book::{BatchKey, Book, PayeeId};
use crate::error::{Code, Error};
use crate::fact::{Body, Fact, Head, Line, Planned, Stream};
use crate::name::Name;
use crate::time::Time;

/// A batch without the text of its lines; whoever drives it reads its own stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slip {
    pub(super) batch: Batch,
    /// Who is debited how much.
    pub(super) lines: Debits,
    /// What of that each line bears of the fee; empty where none does.
    pub(super) fees: Box<[Amount]>,
}

/// Who is debited how much, line by line.
type Debits = Box<[(PayeeId, Amount)]>;

/// Where a batch stands, for lists.
///
/// ```
/// use divvy_core::{Amount, Asset, Books, Leg, Legs, Name, Opened, Policy, Share, Target, Time};
/// # let opened = Opened {
/// #     asset: Asset::parse("USD")?,
/// #     policy: Policy::Threshold { min: Amount::new(5_000)?, max_wait_secs: None },
/// #     floor: Amount::ONE,
/// #     cooling_secs: 0,
/// #     named_on: None,
/// # };
/// # let mut books = Books::default();
/// # books.feed(books.open(&Name::new("chapter-42")?, opened, Time::ZERO)?.facts())?;
/// # let all = Leg { to: Target::Payee("alice".into()), share: Share::Remaining };
/// # let rule = books.book("chapter-42")?.set_rule(Time::ZERO, Legs::new(vec![all])?, Time::ZERO)?;
/// # books.feed(rule.facts())?;
/// let book = books.book("chapter-42")?;
/// assert_eq!(book.batches().count(), 0);
/// // What still reserves money is a short list, however many batches were settled.
/// assert!(book.open_batches().is_empty());
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Standing {
    /// The batch.
    pub batch: Stream,
    /// Where it stands.
    pub state: State,
    /// How many lines it has.
    pub lines: usize,
    /// What it takes from its payees.
    pub total: Amount,
    /// Its tries, without their bytes.
    pub tries: Vec<Try>,
    /// When it was settled last; [`Time::ZERO`] while it never was.
    pub settled_at: Time,
}

/// What a batch does to each of its lines: whether it is reserved, and how often it is paid.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Effect {
    pub(super) reserved: bool,
    pub(super) paid: u32,
}

impl Slip {
    /// What a line bears of the fee.
    pub(super) fn fee(&self, line: u32) -> Amount {
        self.fees.get(crate::book::place(line)).copied().unwrap_or(Amount::ZERO)
    }

    fn effect(&self, line: u32) -> Effect {
        let settled = |fate| fate == crate::batch::Fate::Settled;
        let here = self.batch.tries().iter();
        let paid = here.filter(|try_| settled(try_.fate) && !try_.returned.contains(&line)).count();
        Effect { reserved: self.batch.is_reserved(), paid: u32::try_from(paid).unwrap_or(u32::MAX) }
    }

    pub(super) fn effects(&self) -> Vec<Effect> {
        let untouched = self.batch.tries().iter().all(|try_| try_.returned.is_empty());
        let count = u32::try_from(self.lines.len()).unwrap_or(u32::MAX);
        if untouched {
            return vec![self.effect(0); self.lines.len()];
        }
        (0..count).map(|line| self.effect(line)).collect()
    }
}

impl Book {
    /// Where every batch stands, oldest first.
    pub fn batches(&self) -> impl Iterator<Item = Standing> {
        self.slips.values().map(|slip| Standing {
            batch: slip.batch.stream().clone(),
            state: slip.batch.state(),
            lines: slip.lines.len(),
            total: Amount::total(slip.lines.iter().map(|line| line.1)).unwrap_or(Amount::MAX),
            tries: slip.batch.tries().to_vec(),
            settled_at: slip.batch.settled_at(),
        })
    }

    /// Where one batch stands, if it is of this book.
    #[must_use]
    pub fn batch_state(&self, batch: &Stream) -> Option<State> {
        self.slip_of(batch).map(|slip| slip.batch.state())
    }

    /// The batches that still need something, oldest first.
    #[must_use]
    pub fn open_batches(&self) -> Vec<Stream> {
        self.open
            .iter()
            .filter_map(|key| self.slips.get(key))
            .map(|slip| slip.batch.stream().clone())
            .collect()
    }

    /// The references of every try of a run and of those after it.
    pub fn references(&self, run_from: u64) -> impl Iterator<Item = &str> {
        let own = self.slips.range((run_from, 0)..);
        let tries = own.flat_map(|(_, slip)| slip.batch.tries());
        tries.map(|try_| try_.signed.reference.as_str())
    }

    /// Where the stream of runs goes on.
    pub(crate) const fn run_head(&self) -> &Head {
        &self.run_head
    }

    /// The payees at each address of a rail, with the newest fact that says so; none for those who
    /// are paid at their own name.
    pub(crate) fn payees_at(&self, rail: &Name) -> HashMap<String, BTreeMap<Name, Option<u64>>> {
        let mut payees: HashMap<String, BTreeMap<Name, Option<u64>>> = HashMap::new();
        for payee in &self.payees {
            let mut note = |address: &str, n| {
                payees.entry(address.to_owned()).or_default().insert(payee.name.clone(), n);
            };
            if self.settings.named_on.as_ref() == Some(rail) {
                note(payee.name.as_str(), None);
            }
            let chosen = payee.choices.iter().flat_map(|choices| &choices.destinations);
            for Chosen { destination, n, .. } in chosen {
                if destination.rail == *rail {
                    note(&destination.address, Some(*n));
                }
            }
        }
        payees
    }

    /// The oldest run that may have a new try: one with a batch that is still open, or the next.
    ///
    /// What waits for a person gets no new try by itself, and does not count.
    #[must_use]
    pub fn run_from(&self) -> u64 {
        let waits = |key: &&BatchKey| {
            let slip = self.slips.get(key);
            slip.is_some_and(|slip| slip.batch.state() != State::Review)
        };
        self.open.iter().find(waits).map_or(self.run_head.n, |(run, _)| *run)
    }

    /// How many payout runs were planned.
    #[must_use]
    pub const fn runs(&self) -> u64 {
        self.run_head.n
    }

    /// How many batches a run was planned with; no other batch belongs to it.
    fn run_batches(&self, run: u64) -> Option<u32> {
        usize::try_from(run).ok().and_then(|run| self.run_batches.get(run)).copied()
    }

    fn slip_of(&self, batch: &Stream) -> Option<&Slip> {
        let crate::fact::Place::Batch { run, i, .. } = batch.place() else { return None };
        self.slips.get(&(run, i))
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "whatever else does not belong into the stream of runs"
    )]
    pub(super) fn apply_run(&mut self, fact: &Fact, body: &Body) -> Result<Folded, Error> {
        if !follows(&self.run_head, fact) {
            return Ok(Folded::Early);
        }
        let run = match body {
            Body::Run(run) => run,
            Body::Compounded(compounded) => return self.apply_compounded(compounded, fact),
            Body::Guarded(guarded) => return self.apply_guarded(guarded, fact),
            Body::FeesSet(set) => return self.apply_fees_set(set, fact),
            Body::TermsSet(set) => return self.apply_terms(set, fact),
            Body::Demanded(demanded) => return self.apply_demanded(demanded, fact),
            Body::Decided(decided) => {
                let folded = self.apply_decided(decided, fact)?;
                if folded.is_done() {
                    self.pass_run(fact);
                }
                return Ok(folded);
            }
            _ => return Err(misplaced(fact)),
        };
        self.note_run(run.total, fact);
        self.run_batches.push(run.batches);
        self.run_head = Head::after(fact);
        Ok(Folded::Yes)
    }

    pub(super) fn apply_batch(
        &mut self,
        key: BatchKey,
        fact: &Fact,
        body: &Body,
    ) -> Result<Folded, Error> {
        if let Body::Planned(planned) = body {
            return self.begin_batch(key, fact, planned.clone());
        }
        let Some(slip) = self.slips.get(&key) else { return Ok(Folded::Early) };
        if slip.batch.head().n != fact.n {
            return Ok(Folded::Early);
        }
        if let Body::Decided(decided) = body
            && self.apply_decided(decided, fact)? == Folded::Early
        {
            return Ok(Folded::Early);
        }
        self.check_guard(key.0, &slip.batch, body, fact.at)?;
        let Some(slip) = self.slips.get_mut(&key) else { return Ok(Folded::Early) };
        let own = &self.settings.asset;
        let (before, cost_before) = (slip.effects(), slip.outcome(own)?);
        slip.batch.apply_known(fact, body)?;
        slip.batch.shed();
        let (after, cost_after) = (slip.effects(), slip.outcome(own)?);
        self.track_open(key);
        self.move_lines(key, &before, &after, fact.at)?;
        self.note_outcome(&cost_before, &cost_after, fact.at)?;
        Ok(Folded::Yes)
    }

    fn begin_batch(
        &mut self,
        key: BatchKey,
        fact: &Fact,
        planned: Planned,
    ) -> Result<Folded, Error> {
        // The run is written first in the same commit; a batch without it is not there yet.
        if key.0 >= self.run_head.n {
            return Ok(Folded::Early);
        }
        if self.run_batches(key.0).is_none_or(|batches| key.1 >= batches) {
            return Err(misplaced(fact));
        }
        let Some(lines) = self.lines_of(&planned) else { return Ok(Folded::Early) };
        self.check_borne(key.0, &planned)?;
        for (line, (id, _)) in planned.lines.iter().zip(&lines) {
            self.check_named_destination(line, *id, &planned.rail)?;
        }
        let fees = fees_of(&planned);
        let mut batch = Batch::planned(fact, planned)?;
        batch.shed();
        let before = vec![Effect { reserved: false, paid: 0 }; lines.len()];
        let after = vec![Effect { reserved: true, paid: 0 }; lines.len()];
        self.demands.serve(key.0, &lines);
        self.slips.insert(key, Slip { batch, lines, fees });
        self.track_open(key);
        self.move_lines(key, &before, &after, fact.at)?;
        Ok(Folded::Yes)
    }

    /// The lines by payee; nothing while a payee, or the fact that chose a destination, is not
    /// there yet.
    fn lines_of(&self, planned: &Planned) -> Option<Debits> {
        let known = |line: &Line| {
            let id = *self.payee_ids.get(&line.payee)?;
            let choices = self.payee(id).ok()?.choices.as_ref();
            let next = choices.map_or(0, |choices| choices.n);
            // A debit that is too much is refused with its batch.
            let debit = line.debit().unwrap_or(Amount::MAX);
            line.to_n.is_none_or(|n| n < next).then_some((id, debit))
        };
        planned.lines.iter().map(known).collect()
    }

    /// A line goes where the fact that it names says, and nowhere else.
    ///
    /// Whether that was in force is for the planner and the signer to check, before anything is
    /// written. Their commit may be long on its way while the payee chooses anew, and what was
    /// committed is history: it must fold, whoever was quicker.
    fn check_named_destination(&self, line: &Line, id: PayeeId, rail: &Name) -> Result<(), Error> {
        let payee = self.payee(id)?;
        let fits = |chosen: &Chosen| {
            chosen.destination.rail == *rail && chosen.destination.address == line.to
        };
        let named = match line.to_n {
            None => {
                let rail_fits = self.settings.named_on.as_ref() == Some(rail);
                rail_fits && payee.name.as_str() == line.to
            }
            // One that was replaced while it cooled is not kept, and never came into force.
            Some(n) => payee.choices.as_ref().is_some_and(|choices| {
                let mut known = choices.destinations.iter();
                n < choices.n && known.find(|chosen| chosen.n == n).is_none_or(fits)
            }),
        };
        if named {
            return Ok(());
        }
        let detail = format!("a line pays {} where no fact of theirs says: run verify", line.payee);
        Err(Error::new(Code::BatchStale, detail))
    }

    /// A line goes where the payee's destination in force says, and nowhere else.
    pub(super) fn check_destination(
        &self,
        line: &Line,
        id: PayeeId,
        rail: &Name,
        at: Time,
    ) -> Result<(), Error> {
        let payee = self.payee(id)?;
        let same = match payee.chosen(at) {
            Some(Chosen { destination, n, .. }) => {
                let here = destination.rail == *rail && destination.address == line.to;
                here && line.to_n == Some(*n)
            }
            None => {
                let named = self.settings.named_on.as_ref() == Some(rail);
                named && payee.name.as_str() == line.to && line.to_n.is_none()
            }
        };
        if same {
            return Ok(());
        }
        let detail = format!(
            "a line pays {} at a destination that was not in force then: plan it anew",
            line.payee
        );
        Err(Error::new(Code::BatchStale, detail))
    }

    fn track_open(&mut self, key: BatchKey) {
        let open = self.slips.get(&key).is_some_and(|slip| slip.batch.is_reserved());
        if open {
            self.open.insert(key);
        } else {
            self.open.remove(&key);
        }
    }

    fn move_lines(
        &mut self,
        key: BatchKey,
        before: &[Effect],
        after: &[Effect],
        at: Time,
    ) -> Result<(), Error> {
        if before == after {
            return Ok(());
        }
        let Some(slip) = self.slips.get(&key) else { return Ok(()) };
        let lines: Vec<(PayeeId, Amount)> = slip.lines.to_vec();
        for ((id, amount), (before, after)) in lines.into_iter().zip(before.iter().zip(after)) {
            let totals = &mut self.totals;
            totals.reserved =
                moved(totals.reserved, amount, before.reserved.into(), after.reserved.into())?;
            totals.lines_settled = totals
                .lines_settled
                .saturating_sub(before.paid.into())
                .saturating_add(after.paid.into());
            let payee = self.payee_mut(id)?;
            payee.reserved =
                moved(payee.reserved, amount, before.reserved.into(), after.reserved.into())?;
            let paid_before = payee.paid;
            payee.paid = moved(payee.paid, amount, before.paid, after.paid)?;
            let paid_after = payee.paid;
            self.totals.paid = self.totals.paid.minus(paid_before)?.plus(paid_after)?;
            self.arm(id, at)?;
        }
        Ok(())
    }
}

/// A sum with one amount taken out `before` times and put in `after` times.
fn moved(sum: Amount, amount: Amount, before: u32, after: u32) -> Result<Amount, Error> {
    let times = |count: u32| u128::from(amount.get()).saturating_mul(count.into());
    let more = Amount::from_wide(u128::from(sum.get()).saturating_add(times(after)))?;
    more.minus(Amount::from_wide(times(before))?)
}

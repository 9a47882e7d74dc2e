//! From who is due to a payout run: one commit that reserves every line, or none.

use std::collections::BTreeMap;

use crate::amount::Amount;
use crate::batch::{Batch, Step};
use crate::book::{Book, PayeeId};
use crate::error::{Code, Error};
use crate::fact::{Body, Destination, Fact, Hash, Head, Line, Planned, Run, Signed, Stream};
use crate::name::Name;
use crate::time::Time;

/// A run has at most so many lines; the next one follows at once.
pub const RUN_LINES_MAX: usize = 10_000;

/// Everyone who is due on one rail.
///
/// ```
/// use divvy_core::{Amount, Due, Error};
///
/// /// What a dry run would show.
/// fn total(due: &[Due]) -> Result<Amount, Error> {
///     Amount::total(due.iter().flat_map(|due| &due.lines).map(|line| line.amount))
/// }
/// assert_eq!(total(&[])?, Amount::ZERO);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data for the rail's `pack`")]
pub struct Due {
    /// The rail.
    pub rail: Name,
    /// Who gets how much, and where.
    pub lines: Vec<Line>,
}

/// One batch of a run, and its first try where it could be signed at once.
///
/// ```
/// use divvy_core::{Line, Plan, Planned, Signed};
///
/// /// A try must pay the lines exactly as they were planned.
/// fn plan(planned: Planned, signed: Signed) -> Option<Plan> {
///     (signed.lines == Line::hash(&planned.lines)).then_some(Plan { planned, signed })
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, written as a literal")]
pub struct Plan {
    /// What is paid, how and from where.
    pub planned: Planned,
    /// The first try.
    pub signed: Signed,
}

impl Book {
    /// Who is due now, rail by rail, at most as many lines as a run may have.
    ///
    /// It is a pure function of the book, the quotes that it was given and `now`, and costs what
    /// is due, not what is held. Call [`Book::take_quote`] and [`Book::wake_waited`] first, so
    /// that whoever waited long enough is among them.
    ///
    /// # Errors
    /// [`Code::BookUnbalanced`] when the book contradicts itself.
    pub fn due(&self, now: Time) -> Result<Vec<Due>, Error> {
        self.due_on(now, |_| true)
    }

    /// Who is due now on some of the rails: whoever waits for another one is not in their way.
    ///
    /// # Errors
    /// As [`Book::due`].
    pub fn due_on(&self, now: Time, is_served: impl Fn(&Name) -> bool) -> Result<Vec<Due>, Error> {
        self.due_up_to(RUN_LINES_MAX, now, is_served)
    }

    /// Who is due now on some of the rails, at most so many lines, for whoever shares the work.
    ///
    /// # Errors
    /// As [`Book::due`].
    pub fn due_up_to(
        &self,
        lines_max: usize,
        now: Time,
        is_served: impl Fn(&Name) -> bool,
    ) -> Result<Vec<Due>, Error> {
        let now = self.stamp(now);
        let mut rails: BTreeMap<Name, Vec<Line>> = BTreeMap::new();
        let mut count = 0_usize;
        let plain = self.due.due.iter().map(|id| (None, *id));
        let priced = self.due.lanes.due(now).map(|(rail, id)| (Some(rail), id));
        for (quoted, id) in plain.chain(priced) {
            if count == lines_max.min(RUN_LINES_MAX) {
                break;
            }
            let Some((destination, to_n)) = self.destination_of(id, now)? else { continue };
            let other = quoted.is_some_and(|rail| *rail != destination.rail);
            if other || !is_served(&destination.rail) {
                continue;
            }
            count = count.saturating_add(1);
            let (rail, line) = self.line_to(id, destination, to_n)?;
            rails.entry(rail).or_default().push(line);
        }
        Ok(rails.into_iter().map(|(rail, lines)| Due { rail, lines }).collect())
    }

    /// The line that pays a payee everything payable, and the rail that it goes over.
    pub(super) fn line_to(
        &self,
        id: PayeeId,
        Destination { rail, address: to }: Destination,
        to_n: Option<u64>,
    ) -> Result<(Name, Line), Error> {
        let (payee, amount) = (self.payee(id)?.name.clone(), self.payable(id)?);
        Ok((rail, Line { payee, amount, to, to_n, fee: None }))
    }

    /// How many payees are due, at the fees that were quoted last.
    #[must_use]
    pub fn due_count(&self) -> usize {
        self.due.due.len().saturating_add(self.due.lanes.due_count())
    }

    /// The name of the next run's batch, known before it is planned.
    #[must_use]
    pub fn next_batch(&self, i: u32) -> Stream {
        Stream::batch(&self.name, self.run_head.n, i)
    }

    /// Plans a run: the run's fact, and for each batch its lines and its first try.
    ///
    /// The run's address comes from this fold alone, so a planner that has not folded run *n*
    /// cannot write run *n + 1*, and nobody plans the same payable twice.
    ///
    /// # Errors
    /// [`Code::ActUnsigned`] as [`Book::check_acts`]; [`Code::ApprovalMissing`] above the limit of
    /// the day; [`Code::BatchState`] for no batches,
    /// no lines, too many lines, or a try that pays other lines; [`Code::BatchStale`] for a
    /// destination that is not in force on the batch's rail, a payee who is held, and more than is
    /// payable.
    pub(crate) fn plan(&self, plans: &[Plan], now: Time) -> Result<Step, Error> {
        let at = self.stamp(now);
        self.check_acts()?;
        let total = Amount::total(plans.iter().map(|plan| plan.planned.total()))?;
        if self.is_guarded(total, at) {
            let detail = format!(
                "a run of {total} is above the {} that book {} still pays today without \
                 approvals: plan it to wait for them",
                self.left_today(at),
                self.name
            );
            return Err(Error::new(Code::ApprovalMissing, detail));
        }
        let signed = |plan: &Plan| (plan.planned.clone(), Body::Signed(plan.signed.clone()));
        let facts = self.plan_chains(plans.iter().map(signed).collect(), at)?;
        let calls = (0..).zip(plans);
        let calls = calls.map(|(i, plan)| Step::call(self.next_batch(i), plan.signed.clone()));
        Ok(Step::new(facts, calls.collect()))
    }

    /// Plans a run whose batches wait until they are approved; nothing of them is signed before.
    ///
    /// Each batch comes with what its rail may charge for it, which those who approve sign too.
    ///
    /// # Errors
    /// [`Code::ApprovalMissing`] in a book that knows nobody who could approve,
    /// [`Code::ActUnsigned`] as [`Book::check_acts`]; otherwise as for a
    /// run that is signed at once.
    pub fn plan_to_wait(&self, plans: &[(Planned, Amount)], now: Time) -> Result<Step, Error> {
        self.check_acts()?;
        let asked = |(planned, fee_max): &(Planned, Amount)| {
            let asked = self.asks(*fee_max).ok_or_else(|| {
                let detail = format!("book {} knows nobody who could approve", self.name);
                Error::new(Code::ApprovalMissing, detail)
            })?;
            Ok((planned.clone(), Body::Asked(asked)))
        };
        let plans = plans.iter().map(asked).collect::<Result<Vec<_>, Error>>()?;
        Ok(Step::new(self.plan_chains(plans, self.stamp(now))?, Vec::new()))
    }

    /// A run and its batches, each with the fact that follows its plan.
    fn plan_chains(&self, plans: Vec<(Planned, Body)>, at: Time) -> Result<Vec<Fact>, Error> {
        let lines: usize = plans.iter().map(|(planned, _)| planned.lines.len()).sum();
        if plans.is_empty() || lines == 0 || lines > RUN_LINES_MAX {
            let detail = format!("a run of {lines} lines: plan 1 to {RUN_LINES_MAX}");
            return Err(Error::new(Code::BatchState, detail));
        }
        self.check_payable(plans.iter().flat_map(|(planned, _)| &planned.lines))?;
        let batches = u32::try_from(plans.len())
            .map_err(|_| Error::new(Code::BatchState, "too many batches"))?;
        let total = Amount::total(plans.iter().map(|(planned, _)| planned.total()))?;
        let mut facts = Vec::new();
        let mut digest = Hash::default();
        for (i, (planned, next)) in (0..).zip(plans) {
            self.check_borne(self.run_head.n, &planned)?;
            self.check_lines(&planned.rail, &planned.lines, at)?;
            let head = Head::start(self.next_batch(i));
            let chain = Fact::chain(&head, at, &[Body::Planned(planned), next]);
            Batch::fold(&chain)?;
            digest = chain.first().map_or(digest, |first| digest.then(&first.hash));
            facts.extend(chain);
        }
        let lines = u32::try_from(lines).unwrap_or(u32::MAX);
        let run = Run { batches, lines, total, digest };
        facts.insert(0, Fact::new(&self.run_head, at, &Body::Run(run)));
        Ok(facts)
    }

    /// Whether nobody is given more than is payable to them, whatever the lines say.
    fn check_payable<'a>(&self, lines: impl Iterator<Item = &'a Line>) -> Result<(), Error> {
        let mut sums: BTreeMap<PayeeId, Amount> = BTreeMap::new();
        for line in lines {
            let id = self.payee_id(line.payee.as_str())?;
            let sum = sums.entry(id).or_default();
            *sum = sum.plus(line.debit()?)?;
            let payable = self.payable(id)?;
            if line.amount.is_zero() || *sum > payable {
                let detail =
                    format!("{sum} for {} of {payable} that are payable: plan anew", line.payee);
                return Err(Error::new(Code::BatchStale, detail));
            }
        }
        Ok(())
    }

    /// Whether lines may be signed as they were planned.
    pub(crate) fn check_lines(&self, rail: &Name, lines: &[Line], at: Time) -> Result<(), Error> {
        for line in lines {
            let id = self.payee_id(line.payee.as_str())?;
            self.check_kept(id)?;
            if let Some(reason) = self.payee(id)?.held() {
                let detail = format!("{} is held ({reason}): plan without them", line.payee);
                return Err(Error::new(Code::BatchStale, detail));
            }
            self.check_destination(line, id, rail, at)?;
        }
        Ok(())
    }
}

//! Payees who ask to be paid now, and what they accept that it costs.
//!
//! A demand stands in the stream of runs, so its place among them is the same in every order of
//! reading: the first later run with a batch that names the payee has served it, whatever becomes
//! of that batch. Whoever has not read a demand plans no further run, and whoever asks twice is
//! paid once.

use std::collections::{BTreeMap, BTreeSet};

use crate::amount::Amount;
use crate::batch::Step;
use crate::book::apply::Folded;
use crate::book::{BatchKey, Book, Due, PayeeId};
use crate::checkpoint::{Reader, Stored, Writer, stored};
use crate::error::{Code, Error};
use crate::fact::{Body, Demanded, Fact, Line, Place, Stream};
use crate::name::Name;
use crate::time::Time;

/// A payee's wish to be paid what is payable, without waiting for what their policy waits for.
///
/// ```
/// use divvy_core::{Amount, Asset, Books, Evidence, Hash, Name, Opened, Policy, Time};
/// use divvy_core::{Brought, Line};
///
/// let usd = Asset::parse("USD")?;
/// let opened = Opened {
///     asset: usd.clone(),
///     policy: Policy::Threshold { min: usd.amount("20.00")?, max_wait_secs: None },
///     floor: usd.amount("1.00")?,
///     cooling_secs: 0,
///     named_on: Some(Name::new("sandbox")?),
/// };
/// let (mut books, now, alice) = (Books::default(), Time::ZERO, Name::new("alice")?);
/// books.feed(books.open(&Name::new("chapter-42")?, opened, now)?.facts())?;
/// let evidence = Evidence { source: "a ledger".into(), hash: Hash::of(b""), said: "".into() };
/// let brought = Brought { earned: usd.amount("5.00")?, paid: Amount::ZERO, evidence };
/// books.feed(books.book("chapter-42")?.bring(&[(alice.clone(), brought)], now)?.facts())?;
///
/// // Below the threshold, at a cost of 0.10 at most; after three days nobody pays it any more.
/// let step = books.book("chapter-42")?.demand(&alice, usd.amount("0.10")?, now)?;
/// books.feed(step.facts())?;
/// let book = books.book("chapter-42")?;
/// assert_eq!(book.demand_of("alice", now).unwrap().until, now.plus_secs(3 * 86_400));
/// assert_eq!(book.demanded(now, |_| true)?[0].lines[0].amount, usd.amount("5.00")?);
/// // To ask for the same again changes nothing.
/// assert!(book.demand(&alice, usd.amount("0.10")?, now)?.facts().is_empty());
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Demand {
    /// The highest fee that they accept, in the book's asset.
    pub fee_max: Amount,
    /// The last moment at which a run may still pay it.
    pub until: Time,
    /// Its place in the stream of runs.
    n: u64,
    /// The first later run with a batch that names the payee.
    run: Option<u64>,
}

/// Every demand of a book.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Demands {
    /// Oldest first.
    of: BTreeMap<PayeeId, Vec<Demand>>,
    /// Those whose newest demand no run has served.
    asking: BTreeSet<PayeeId>,
}

stored!(Demand { fee_max, until, n, run });

impl Stored for Demands {
    fn store(&self, to: &mut Writer) {
        let Self { of, asking: _ } = self;
        of.store(to);
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        let mut demands = Self { of: Stored::load(from)?, asking: BTreeSet::new() };
        let asks = |(id, of): (&PayeeId, &Vec<Demand>)| of.last()?.run.is_none().then_some(*id);
        demands.asking = demands.of.iter().filter_map(asks).collect();
        Some(demands)
    }
}

impl Demands {
    /// A run has a batch with these lines.
    pub(super) fn serve(&mut self, run: u64, lines: &[(PayeeId, Amount)]) {
        if self.of.is_empty() {
            return;
        }
        for (id, _) in lines {
            let Some(of) = self.of.get_mut(id) else { continue };
            for demand in of.iter_mut().filter(|demand| demand.n < run) {
                demand.run = Some(demand.run.map_or(run, |known| known.min(run)));
            }
            if of.last().is_some_and(|newest| newest.run.is_some()) {
                self.asking.remove(id);
            }
        }
    }

    /// What nobody has served and nobody has to ask for again.
    fn open(&self, id: PayeeId, now: Time) -> Option<&Demand> {
        let newest = self.of.get(&id)?.last()?;
        (newest.run.is_none() && now <= newest.until).then_some(newest)
    }

    /// The demand that a run has served.
    fn served(&self, id: PayeeId, run: u64) -> Option<&Demand> {
        self.of.get(&id)?.iter().rfind(|demand| demand.run == Some(run))
    }
}

impl Book {
    /// Records that a payee asks to be paid now, below what their policy waits for and whatever
    /// their fee share says, at a cost of at most so much. Three days later nobody pays it any
    /// more. What is asked for already is not written again; asked for at another cost, the newest
    /// one counts.
    ///
    /// All else that stands in the way of a payout does so here too: the book's floor, a hold, a
    /// destination that cools, and the limit of a day.
    ///
    /// # Errors
    /// [`Code::DemandRefused`] for a payee who is held, has no destination, feeds a pool or has
    /// less than the book's floor payable; [`Code::PayeeUnknown`].
    pub fn demand(&self, payee: &Name, fee_max: Amount, now: Time) -> Result<Step, Error> {
        let at = self.stamp(now);
        let known = self.demand_of(payee.as_str(), at);
        if known.is_some_and(|known| known.fee_max == fee_max) {
            return Ok(Step::default());
        }
        self.demandable(payee.as_str(), at)?;
        let (payee, until) = (payee.clone(), at.plus_secs(LAPSES_SECS));
        let body = Body::Demanded(Demanded { payee, fee_max, until });
        Ok(Step::new(vec![Fact::new(&self.run_head, at, &body)], Vec::new()))
    }

    /// What a payee would get who asked to be paid now, and over which rail, for that rail to say
    /// what it costs.
    ///
    /// # Errors
    /// As [`Book::demand`].
    pub fn demandable(&self, payee: &str, now: Time) -> Result<Due, Error> {
        let (id, asset) = (self.payee_id(payee)?, &self.settings.asset);
        let refused = |why: String| {
            Error::new(Code::DemandRefused, format!("{payee} cannot be paid on demand: {why}"))
        };
        if let Some(reason) = self.payee(id)?.held() {
            return Err(refused(format!("they are held ({reason})")));
        }
        if let Some(pool) = self.passed_on_to(payee) {
            return Err(refused(format!("what they earn goes to the holders of {pool}")));
        }
        let payable = self.payable(id)?;
        if payable < self.floor() {
            let (payable, floor) = (asset.text(payable), asset.text(self.floor()));
            let why =
                format!("{payable} of the least line of {floor} {} are payable", asset.code());
            return Err(refused(why));
        }
        let due = self.line_now(id, self.stamp(now))?;
        due.ok_or_else(|| refused("they have told no destination".to_owned()))
    }

    /// What a payee has asked for and is still to be paid, if that did not lapse.
    #[must_use]
    pub fn demand_of(&self, payee: &str, now: Time) -> Option<&Demand> {
        self.demands.open(self.payee_id(payee).ok()?, now)
    }

    /// Who is to be paid now only because they asked for it, on some of the rails: each alone, so
    /// that what they accepted is held against what their own line costs.
    ///
    /// # Errors
    /// [`Code::BookUnbalanced`] when the book contradicts itself.
    pub fn demanded(
        &self,
        now: Time,
        is_served: impl Fn(&Name) -> bool,
    ) -> Result<Vec<Due>, Error> {
        let now = self.stamp(now);
        let mut dues = Vec::new();
        for id in self.demands.asking.iter().copied() {
            if self.demands.open(id, now).is_none() || self.is_due(id, now) {
                continue;
            }
            if self.payable(id)? < self.floor() || !self.is_payable(id, now)? {
                continue;
            }
            dues.extend(self.line_now(id, now)?.filter(|due| is_served(&due.rail)));
        }
        Ok(dues)
    }

    /// Whether a try may be signed anew for which its rail quotes so much: not above what its payee
    /// accepted, where it pays on demand.
    ///
    /// # Errors
    /// [`Code::FeeAboveCeiling`] with both figures: give it up then, and it is payable again.
    pub fn check_fee_anew(&self, batch: &Stream, quoted: Amount) -> Result<(), Error> {
        let Place::Batch { run, i, .. } = batch.place() else { return Ok(()) };
        let key: BatchKey = (run, i);
        let Some([(id, _)]) = self.slips.get(&key).map(|slip| &*slip.lines) else { return Ok(()) };
        let served = self.demands.served(*id, run);
        served.map_or(Ok(()), |demand| self.check_accepted(*id, demand, quoted))
    }

    /// Whether lines that go together may cost so much: a payee who is paid on demand alone has
    /// said how much they accept.
    ///
    /// # Errors
    /// [`Code::FeeAboveCeiling`] with both figures.
    pub fn check_demanded(&self, lines: &[Line], quoted: Amount, now: Time) -> Result<(), Error> {
        let [line] = lines else { return Ok(()) };
        let (id, now) = (self.payee_id(line.payee.as_str())?, self.stamp(now));
        match self.demands.open(id, now) {
            Some(demand) if !self.is_due(id, now) => self.check_accepted(id, demand, quoted),
            Some(_) | None => Ok(()),
        }
    }

    fn check_accepted(&self, id: PayeeId, demand: &Demand, quoted: Amount) -> Result<(), Error> {
        if quoted <= demand.fee_max {
            return Ok(());
        }
        let (asset, until) = (&self.settings.asset, demand.until);
        let detail = format!(
            "{} asked to be paid now at a cost of {} {} at most, and the rail quotes {}: it is \
             tried again until {until}; wait, or let them accept more",
            self.payee(id)?.name,
            asset.text(demand.fee_max),
            asset.code(),
            asset.text(quoted)
        );
        Err(Error::new(Code::FeeAboveCeiling, detail))
    }

    pub(super) fn apply_demanded(
        &mut self,
        demanded: &Demanded,
        fact: &Fact,
    ) -> Result<Folded, Error> {
        let Some(id) = self.payee_ids.get(&demanded.payee).copied() else {
            return Ok(Folded::Early);
        };
        let (fee_max, until) = (demanded.fee_max, demanded.until);
        let demand = Demand { fee_max, until, n: fact.n, run: None };
        self.demands.of.entry(id).or_default().push(demand);
        self.demands.asking.insert(id);
        self.pass_run(fact);
        Ok(Folded::Yes)
    }

    /// Each demand was served by the first later run that names its payee, and by no other.
    pub(super) fn check_demands(&self) -> Result<(), Error> {
        let mut runs: BTreeMap<PayeeId, BTreeSet<u64>> = BTreeMap::new();
        for ((run, _), slip) in &self.slips {
            for (id, _) in slip.lines.iter().filter(|(id, _)| self.demands.of.contains_key(id)) {
                runs.entry(*id).or_default().insert(*run);
            }
        }
        for (id, of) in &self.demands.of {
            for demand in of {
                let later = runs.get(id).and_then(|runs| runs.range(demand.n..).next()).copied();
                if later != demand.run {
                    let detail = format!(
                        "the demand at {} of {} is served by run {:?}, and not by {later:?}; run \
                         verify",
                        demand.n, self.run_head.stream, demand.run
                    );
                    return Err(Error::new(Code::BookUnbalanced, detail));
                }
            }
        }
        Ok(())
    }

    /// Whether the policy pays somebody now, whatever they ask for.
    fn is_due(&self, id: PayeeId, now: Time) -> bool {
        self.due.due.contains(&id) || self.due.lanes.is_due(id, now)
    }

    /// The line that pays a payee all that is payable.
    fn line_now(&self, id: PayeeId, now: Time) -> Result<Option<Due>, Error> {
        let Some((destination, to_n)) = self.destination_of(id, now)? else { return Ok(None) };
        let (rail, line) = self.line_to(id, destination, to_n)?;
        Ok(Some(Due { rail, lines: vec![line] }))
    }
}

/// A demand that nobody could pay lapses after so many seconds.
const LAPSES_SECS: u64 = 3 * 86_400;

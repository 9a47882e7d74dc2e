//! The book: what everyone has earned, what is due, and where every unit is.
//!
//! ```text
//! per payee   earned + owed_back == payable + reserved + paid
//! accrual     recorded + opened + deficit + borne + drawn
//!             == refunded + withheld + undeclared + surplus + Σ one-shot + Σ declared − Σ mirrored
//! payout      Σ paid == Σ moved + Σ fees borne by payees + Σ rate differences
//! ```
//!
//! A book is a fold of facts and of nothing else. It may be fed in any order that respects each
//! stream's own; a fact that comes early waits until what it rests on is there.

mod acts;
mod apply;
mod balance;
mod breaks;
mod demands;
mod divisions;
mod due;
mod equations;
mod expected;
mod fees;
mod flows;
mod guard;
mod lanes;
mod movements;
mod nested;
mod pace;
mod payee;
mod plan;
mod pools;
mod record;
mod reversals;
mod rules;
mod settings;
mod slips;
mod stored;
mod tally;
mod terms;
mod treasury;
mod waiting;
mod waits;
mod webhooks;

pub(crate) use apply::misplaced;
pub use balance::{Balance, Obstacle};
pub use breaks::{Break, BreakState};
pub use demands::Demand;
pub use equations::Totals;
pub use expected::Expected;
pub use guard::Judge;
pub(crate) use guard::body_hash;
pub use plan::{Due, Plan, RUN_LINES_MAX};
pub use record::Payment;
pub use slips::Standing;
pub use terms::PayoutTerms;
pub use waits::Wait;
pub use webhooks::Endpoint;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::amount::Amount;
use crate::error::{Code, Error};
use crate::fact::{Hash, Head, Opened, Place, RuleSet, Stream};
use crate::name::Name;
use crate::signature::PublicKey;
use crate::time::Time;
use crate::treasury::Treasury;
use acts::Acts;
use demands::Demands;
use divisions::Divisions;
use due::DueQueue;
use fees::FeeTerms;
use guard::{Day, Guard};
use payee::Payee;
use pools::PoolAccount;
use slips::Slip;

/// One book: one asset, its rules, pools, payees and batches.
///
/// ```
/// use divvy_core::{Amount, Asset, Books, Name, Opened, Policy, Time};
///
/// let name = Name::new("chapter-42")?;
/// let opened = Opened {
///     asset: Asset::parse("USD")?,
///     policy: Policy::Instant,
///     floor: Amount::ONE,
///     cooling_secs: 86_400,
///     named_on: Some(Name::new("sandbox")?),
/// };
/// let mut books = Books::default();
/// let step = books.open(&name, opened, Time::ZERO)?;
/// books.feed(step.facts())?;
/// assert_eq!(books.book("chapter-42")?.totals().recorded, Amount::ZERO);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Book {
    name: Name,
    settings: Opened,
    /// The terms of payouts of those who have no others.
    everyone: PayoutTerms,
    /// How many payees weigh what a rail charges, by terms of their own.
    weighing: u64,
    rules: Vec<RuleSet>,
    /// Where each rule stands in the rule stream.
    rule_ns: Vec<u64>,
    /// Where each rule's legs lead, in the legs' order.
    routes: Vec<Box<[Route]>>,
    /// Whose key sets the rules.
    issuer: Option<PublicKey>,
    rule_head: Head,
    run_head: Head,
    run_batches: Vec<u32>,
    /// Who approves and decides, oldest first.
    guards: Vec<Guard>,
    /// The runs that were above the limit of their day.
    guarded_runs: BTreeSet<u64>,
    /// What was planned today.
    day: Day,
    acts: Acts,
    /// What fees may cost, and who bears them, oldest first.
    fee_terms: Vec<FeeTerms>,
    /// Who asked to be paid now.
    demands: Demands,
    payees: Vec<Payee>,
    payee_ids: HashMap<Name, PayeeId>,
    pools: Vec<PoolAccount>,
    slips: BTreeMap<BatchKey, Slip>,
    /// The batches that still reserve their lines.
    open: BTreeSet<BatchKey>,
    due: DueQueue,
    totals: Totals,
    /// What was taken back from holders at a record date, from those who were any.
    taken: BTreeMap<PayeeId, Amount>,
    /// What holders turned into units, or pools' payees passed on, from those who did.
    compounded: BTreeMap<PayeeId, Amount>,
    /// What went back of legs, from those it went back from; it only grows.
    back: BTreeMap<PayeeId, Amount>,
    /// What those were paid before who brought money along.
    brought: BTreeMap<PayeeId, Amount>,
    /// Payments that no rule covers; they belong to nobody yet.
    unruled: BTreeMap<Stream, Unruled>,
    /// Payments in the order in which rules that count have divided them.
    divisions: Divisions,
    treasury: Treasury,
    breaks: BTreeMap<Name, Break>,
    endpoints: BTreeMap<Name, Endpoint>,
    /// Whether roots over holders are recomputed, as `verify` does.
    pub(crate) strict: bool,
    event_newest: Time,
    event_first: Option<Time>,
    newest: Time,
}

/// A payment that waits for a first rule.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Unruled {
    amount: Amount,
    event_at: Time,
    at: Time,
    payer: Option<Box<str>>,
}

/// Where a leg leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Route {
    Payee(PayeeId),
    Pool(u32),
}

/// A payee's place in the book, in the order in which they were first named.
type PayeeId = u32;

/// A batch's run and its place in it.
type BatchKey = (u64, u32);

impl Book {
    pub(crate) fn open(name: Name, settings: Opened, rule_head: Head, at: Time) -> Self {
        let run_head = Head::start(Stream::run(&name));
        let treasury = Treasury::new(&name);
        let divisions = Divisions::new(&name);
        let everyone = PayoutTerms::opened(&settings);
        Self {
            name,
            settings,
            everyone,
            weighing: 0,
            rules: Vec::new(),
            rule_ns: Vec::new(),
            routes: Vec::new(),
            issuer: None,
            rule_head,
            run_head,
            run_batches: Vec::new(),
            guards: Vec::new(),
            guarded_runs: BTreeSet::new(),
            day: Day::default(),
            acts: Acts::default(),
            fee_terms: Vec::new(),
            demands: Demands::default(),
            payees: Vec::new(),
            payee_ids: HashMap::new(),
            pools: Vec::new(),
            slips: BTreeMap::new(),
            open: BTreeSet::new(),
            due: DueQueue::default(),
            totals: Totals::default(),
            taken: BTreeMap::new(),
            compounded: BTreeMap::new(),
            back: BTreeMap::new(),
            brought: BTreeMap::new(),
            unruled: BTreeMap::new(),
            divisions,
            treasury,
            breaks: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            strict: false,
            event_newest: Time::ZERO,
            event_first: None,
            newest: at,
        }
    }

    /// The book's name.
    #[must_use]
    pub const fn name(&self) -> &Name {
        &self.name
    }

    /// How the book was opened.
    #[must_use]
    pub const fn settings(&self) -> &Opened {
        &self.settings
    }

    /// The rules, oldest first.
    #[must_use]
    pub fn rules(&self) -> &[RuleSet] {
        &self.rules
    }

    /// The newest fact's time.
    #[must_use]
    pub const fn newest(&self) -> Time {
        self.newest
    }

    /// The sums that the equations are about.
    #[must_use]
    pub const fn totals(&self) -> &Totals {
        &self.totals
    }

    /// How many payees were named so far.
    #[must_use]
    pub const fn payees_count(&self) -> usize {
        self.payees.len()
    }

    /// Every payee, in the order in which they were first named.
    pub fn payees(&self) -> impl Iterator<Item = &Name> {
        self.payees.iter().map(|payee| &payee.name)
    }

    /// The rule in force at a payment's event time.
    #[must_use]
    pub fn rule_at(&self, event_at: Time) -> Option<&RuleSet> {
        self.rule_number(event_at).and_then(|at| self.rules.get(at))
    }

    fn rule_number(&self, event_at: Time) -> Option<usize> {
        self.rules.iter().rposition(|rule| rule.from <= event_at)
    }

    /// The rule that a payment names, or the first; nothing while it is not there.
    ///
    /// # Errors
    /// [`Code::FactMalformed`] for a number that is no rule's.
    fn rule_named(&self, named: Option<u64>) -> Result<Option<usize>, Error> {
        let Some(n) = named else { return Ok((!self.rules.is_empty()).then_some(0)) };
        if n >= self.rule_head.n {
            return Ok(None);
        }
        self.rule_ns.binary_search(&n).map(Some).map_err(|_| {
            let detail = format!("fact {n} of {} is no rule", self.rule_head.stream);
            Error::new(Code::FactMalformed, detail)
        })
    }

    /// The time for a new fact: the later of `now` and the newest fact seen.
    pub(crate) fn stamp(&self, now: Time) -> Time {
        now.max(self.newest)
    }

    /// Where one of the book's streams goes on.
    pub(crate) fn head_of(&self, place: Place<'_>) -> Option<(u64, Hash)> {
        let head = match place {
            Place::Rule { .. } => &self.rule_head,
            Place::Run { .. } => &self.run_head,
            Place::Treasury { .. } => &self.treasury.head,
            Place::Division { .. } => &self.divisions.head,
            Place::Break { id, .. } => &self.breaks.get(id)?.head,
            Place::Webhook { endpoint, .. } => &self.endpoints.get(endpoint)?.head,
            Place::Pool { pool, .. } => &self.pool_account(pool).ok()?.head,
            Place::Batch { run, i, .. } => self.slips.get(&(run, i))?.batch.head(),
            Place::Payee { payee, .. } => {
                let payee = self.payee(*self.payee_ids.get(payee)?).ok()?;
                return payee.choices.as_ref().map(|choices| (choices.n, choices.hash));
            }
            Place::Payment { .. } | Place::Coins { .. } | Place::Seal => return None,
        };
        Some((head.n, head.hash))
    }

    fn payee(&self, id: PayeeId) -> Result<&Payee, Error> {
        self.payees.get(place(id)).ok_or_else(|| lost(id))
    }

    /// Every payee's number.
    fn ids(&self) -> core::ops::Range<PayeeId> {
        0..PayeeId::try_from(self.payees.len()).unwrap_or(PayeeId::MAX)
    }

    fn name_of(&self, id: PayeeId) -> Option<&Name> {
        self.payees.get(place(id)).map(|payee| &payee.name)
    }

    fn payee_mut(&mut self, id: PayeeId) -> Result<&mut Payee, Error> {
        self.payees.get_mut(place(id)).ok_or_else(|| lost(id))
    }

    fn payee_id(&self, payee: &str) -> Result<PayeeId, Error> {
        self.payee_ids.get(payee).copied().ok_or_else(|| {
            let detail = format!("{} has no payee {payee:?}: check the spelling", self.name);
            Error::new(Code::PayeeUnknown, detail)
        })
    }

    /// The payee's place; a name that was not there before gets the next one.
    fn payee_named(&mut self, name: &Name) -> Result<PayeeId, Error> {
        if let Some(id) = self.payee_ids.get(name) {
            return Ok(*id);
        }
        let id = PayeeId::try_from(self.payees.len())
            .map_err(|_| Error::new(Code::PayeeUnknown, "a book has at most 2³² payees"))?;
        self.payees.push(Payee::new(name.clone()));
        self.payee_ids.insert(name.clone(), id);
        Ok(id)
    }
}

/// A number as a place in a list; what would not fit is in no list.
fn place(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn lost(id: PayeeId) -> Error {
    Error::new(Code::BookUnbalanced, format!("payee number {id} is not in the book: run verify"))
}

#[cfg(test)]
mod tests;

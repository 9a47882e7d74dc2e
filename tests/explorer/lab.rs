//! What states only name: logs with their folds, drafts of facts, signed tries. Each is made once
//! by the real core and kept, so that a million states cost a million small copies.

use std::collections::hash_map::Entry;
use std::rc::Rc;

use divvy_core::danger::{Vouched, vouched};
use divvy_core::{
    Amount, Asset, Batch, Body, Books, Call, Destination, Evidence, Fact, Fate, Guarded, Hash,
    Head, Leg, Legs, Name, Opened, PayeeSet, Person, Place, Policy, RuleSet, SecretKey, Share,
    Signed, Step, Stream, Target, Time, Window, digest,
};
use rustc_hash::FxHashMap;

use crate::driver::Ask;
use crate::invariants::{Finding, log_findings};
use crate::model::{
    COOLING_SECS, DraftId, EXPIRES_SECS, Kind, LogId, PAYMENT, State, TryId, Worker,
};
use crate::mutants::Mutant;

pub(crate) struct Lab {
    pub(crate) kind: Kind,
    /// Whether every payout waits for a person.
    pub(crate) guarded: bool,
    /// Whether a person may be wrong about what a rail has forgotten.
    pub(crate) errs: bool,
    /// So many batches are planned at most, so that the search ends.
    pub(crate) batches_max: usize,
    pub(crate) mutant: Option<Mutant>,
    pub(crate) logs: Vec<Log>,
    drafts: Vec<Draft>,
    tries: Vec<Attempt>,
    draft_ids: FxHashMap<(Hash, Vec<TryId>), DraftId>,
    try_ids: FxHashMap<(String, Time, Window, Hash), TryId>,
    references: FxHashMap<String, u16>,
    appended: FxHashMap<(LogId, DraftId), Option<LogId>>,
    pub(crate) asked: FxHashMap<Ask, DraftId>,
}

/// One history of facts, folded.
pub(crate) struct Log {
    /// The history that this one goes on from; the first goes on from itself.
    before: LogId,
    /// What was committed last.
    pub(crate) facts: Vec<Fact>,
    heads: Vec<Head>,
    pub(crate) books: Books,
    /// Every batch, folded from its own stream as a host returns it.
    pub(crate) batches: Vec<Rc<Batch>>,
    pub(crate) earned: u64,
    /// What is known of every try, as the newest facts say.
    pub(crate) fates: Vec<(u16, Fate)>,
    pub(crate) findings: Vec<Finding>,
    /// The core refused to fold it: nothing can be asked of it any more.
    pub(crate) is_broken: bool,
}

/// Facts that are about to be committed, and what the commit releases.
struct Draft {
    facts: Vec<Fact>,
    step: Step,
    /// Calls that a planted mistake makes on its own.
    planted: Vec<TryId>,
}

/// A signed try, as the rail sees it.
struct Attempt {
    signed: Signed,
    batch: Stream,
    reference: u16,
    /// The coins that its bytes spend, by bit.
    coins: u8,
    to: String,
    amount: u64,
}

impl Lab {
    pub(crate) fn new(kind: Kind, guarded: bool, mutant: Option<Mutant>) -> Self {
        let nothing = || Draft { facts: Vec::new(), step: Step::default(), planted: Vec::new() };
        let mut lab = Self {
            kind,
            guarded,
            errs: false,
            batches_max: 3,
            mutant,
            logs: Vec::new(),
            drafts: vec![nothing()],
            tries: Vec::new(),
            draft_ids: FxHashMap::default(),
            try_ids: FxHashMap::default(),
            references: FxHashMap::default(),
            appended: FxHashMap::default(),
            asked: FxHashMap::default(),
        };
        lab.logs.push(Log::founded(guarded));
        lab
    }

    pub(crate) fn start(&self) -> State {
        State {
            log: 0,
            clock: 0,
            height: 0,
            rooted: 0,
            late: 0,
            swept: 0,
            undone: false,
            misjudged: false,
            flights: [None; 3],
            moves: [None; 4],
            workers: [Worker::started(0, 0), Worker::started(1, 0)],
        }
    }

    pub(crate) fn log(&self, id: LogId) -> &Log {
        &self.logs[id as usize]
    }

    pub(crate) fn seconds(&self, clock: u16) -> Time {
        began().plus_secs(clock.into())
    }

    pub(crate) fn signed(&self, id: TryId) -> &Signed {
        &self.attempt(id).signed
    }

    pub(crate) fn reference(&self, id: TryId) -> u16 {
        self.attempt(id).reference
    }

    pub(crate) fn coins(&self, id: TryId) -> u8 {
        self.attempt(id).coins
    }

    pub(crate) fn amount(&self, id: TryId) -> u64 {
        self.attempt(id).amount
    }

    pub(crate) fn to(&self, id: TryId) -> &str {
        &self.attempt(id).to
    }

    pub(crate) fn batch_of(&self, id: TryId) -> &Stream {
        &self.attempt(id).batch
    }

    /// The number of a reference that some try has.
    pub(crate) fn reference_id(&self, reference: &str) -> Option<u16> {
        self.references.get(reference).copied()
    }

    fn attempt(&self, id: TryId) -> &Attempt {
        &self.tries[usize::from(id) - 1]
    }

    /// The numbers of a batch's tries, oldest first.
    pub(crate) fn tries_of(&mut self, log: LogId, batch: usize) -> Vec<TryId> {
        let batch = self.log(log).batches[batch].clone();
        let signed = batch.signed();
        signed.into_iter().map(|signed| self.try_id(batch.stream(), signed)).collect()
    }

    pub(crate) fn try_id(&mut self, batch: &Stream, signed: Signed) -> TryId {
        let bytes = Hash::of(&signed.bytes);
        let key = (signed.reference.clone(), signed.deadline, signed.window, bytes);
        if let Some(id) = self.try_ids.get(&key) {
            return *id;
        }
        let next = u16::try_from(self.references.len()).expect("fewer references than that");
        let reference = *self.references.entry(signed.reference.clone()).or_insert(next);
        let (head, to) = signed.bytes.split_at(9);
        let (coins, amount) = (head[0], u64::from_be_bytes(head[1..].try_into().expect("eight")));
        let to = String::from_utf8(to.to_vec()).expect("an address is text");
        self.tries.push(Attempt { signed, batch: batch.clone(), reference, coins, to, amount });
        let id = u16::try_from(self.tries.len()).expect("fewer tries than that");
        self.try_ids.insert(key, id);
        id
    }

    /// A whole history, as `read` and `since` return it.
    pub(crate) fn facts(&self, log: LogId) -> Vec<Fact> {
        let mut chunks = vec![self.log(log)];
        let mut at = log;
        while at != 0 {
            at = self.log(at).before;
            chunks.push(self.log(at));
        }
        chunks.iter().rev().flat_map(|log| log.facts.iter().cloned()).collect()
    }

    /// Keeps a step of the core. A step that says nothing is no draft.
    pub(crate) fn draft(&mut self, step: Step) -> DraftId {
        self.keep(Draft { facts: step.facts().to_vec(), step, planted: Vec::new() })
    }

    /// Keeps facts that no step of the core has made, with the calls of whoever made them.
    pub(crate) fn planted(&mut self, facts: Vec<Fact>, planted: Vec<TryId>) -> DraftId {
        self.keep(Draft { facts, step: Step::default(), planted })
    }

    fn keep(&mut self, draft: Draft) -> DraftId {
        if draft.facts.is_empty() {
            return 0;
        }
        let key = (digest(Hash::default(), &draft.facts), draft.planted.clone());
        let next = u32::try_from(self.drafts.len()).expect("fewer drafts than that");
        match self.draft_ids.entry(key) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(free) => {
                self.drafts.push(draft);
                *free.insert(next)
            }
        }
    }

    /// The calls of a draft once its commit has returned.
    pub(crate) fn released(&mut self, id: DraftId) -> Vec<TryId> {
        let draft = &self.drafts[id as usize];
        let (calls, planted) = (draft.step.clone().committed(), draft.planted.clone());
        self.call_ids(calls, planted)
    }

    /// The calls of a draft whose commit had an unknown outcome, after reading back.
    pub(crate) fn released_if_found(&mut self, id: DraftId, log: LogId) -> Vec<TryId> {
        let draft = &self.drafts[id as usize];
        let calls = draft.step.clone().committed_if_found(&self.facts(log));
        let planted = draft.planted.clone();
        self.call_ids(calls, planted)
    }

    fn call_ids(&mut self, calls: Vec<Call>, mut planted: Vec<TryId>) -> Vec<TryId> {
        planted.extend(calls.into_iter().map(|call| self.try_id(&call.batch, call.signed)));
        planted
    }

    /// The host: all of a draft or none; an address is written once, and a fact whose predecessor
    /// is absent is refused.
    pub(crate) fn append(&mut self, log: LogId, draft: DraftId) -> Option<LogId> {
        if let Some(known) = self.appended.get(&(log, draft)) {
            return *known;
        }
        let after = self.appended_anew(log, draft);
        self.appended.insert((log, draft), after);
        after
    }

    fn appended_anew(&mut self, log: LogId, draft: DraftId) -> Option<LogId> {
        let facts = &self.drafts[draft as usize].facts;
        let before = self.log(log);
        let mut heads: FxHashMap<&Stream, Head> = FxHashMap::default();
        for fact in facts {
            let known = heads.remove(&fact.stream);
            let head = known.unwrap_or_else(|| before.head(&fact.stream));
            let is_blind = self.mutant == Some(Mutant::NoAddressCheck);
            if !is_blind && fact.check(&head).is_err() {
                return None;
            }
            heads.insert(&fact.stream, Head::after(fact));
        }
        let mut after = before.then(log, facts);
        after.learn_fates(self);
        after.findings.extend(log_findings(&after));
        let id = u32::try_from(self.logs.len()).expect("fewer logs than that");
        self.logs.push(after);
        Some(id)
    }
}

impl Log {
    fn founded(guarded: bool) -> Self {
        let nothing = Self {
            before: 0,
            facts: Vec::new(),
            heads: Vec::new(),
            books: Books::default(),
            batches: Vec::new(),
            earned: 0,
            fates: Vec::new(),
            findings: Vec::new(),
            is_broken: false,
        };
        nothing.then(0, &founding(guarded))
    }

    fn then(&self, before: LogId, facts: &[Fact]) -> Self {
        let mut books = self.books.clone();
        let mut findings = self.findings.clone();
        let fed = books.feed(facts);
        let is_broken = fed.is_err();
        if let Err(error) = fed {
            findings.push(Finding::fold(&error));
        }
        let earned = books.book(BOOK).map_or(0, |book| book.totals().recorded.get());
        let mut batches = self.batches.clone();
        facts.iter().for_each(|fact| read_batch(&mut batches, fact));
        let mut heads = self.heads.clone();
        for fact in facts {
            heads.retain(|head| head.stream != fact.stream);
            heads.push(Head::after(fact));
        }
        let facts = facts.to_vec();
        let fates = Vec::new();
        Self { before, facts, heads, books, batches, earned, fates, findings, is_broken }
    }

    fn learn_fates(&mut self, lab: &Lab) {
        let tries = self.batches.iter().flat_map(|batch| batch.tries());
        let fate =
            |try_: &divvy_core::Try| Some((lab.reference_id(&try_.signed.reference)?, try_.fate));
        self.fates = tries.filter_map(fate).collect();
    }

    /// Where a stream goes on.
    pub(crate) fn head(&self, stream: &Stream) -> Head {
        let known = self.heads.iter().find(|head| head.stream == *stream);
        known.cloned().unwrap_or_else(|| Head::start(stream.clone()))
    }
}

pub(crate) const BOOK: &str = "book";
pub(crate) const PAYEE: &str = "alice";
pub(crate) const RAIL: &str = "rail";
pub(crate) const WALLET: &str = "till";

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).expect("the explorer's names are good")
}

pub(crate) fn began() -> Time {
    Time::from_millis(1_000_000_000)
}

/// The payee's address that many changes later.
pub(crate) fn destination(changes: u8) -> PayeeSet {
    let destination = Destination { rail: name(RAIL), address: format!("a{changes}") };
    PayeeSet { destination: Some(destination), policy: None }
}

/// A payment that is all the payee's.
pub(crate) fn payment(n: u8, at: Time) -> divvy_core::Payment {
    let evidence = Evidence { source: "till".into(), hash: Hash::of(&[n]), said: String::new() };
    let said = Vouched {
        source: name("till"),
        account: name("main"),
        id: name(&format!("p{n}")),
        amount: Amount::new(PAYMENT).expect("small"),
        asset: usd(),
        payer: None,
        event_at: at,
        evidence,
    };
    vouched(said, &usd()).expect("a good payment")
}

fn usd() -> Asset {
    Asset::parse("USD").expect("a known asset")
}

/// One book, one payee with a destination, one payment: something is due.
fn founding(guarded: bool) -> Vec<Fact> {
    let at = began();
    let share = Leg { to: Target::Payee(PAYEE.to_owned()), share: Share::Remaining };
    let legs = Legs::new(vec![share]).expect("a rule that leaves nothing");
    let opened = Opened {
        asset: usd(),
        policy: Policy::Instant,
        floor: Amount::ONE,
        cooling_secs: COOLING_SECS,
        named_on: None,
    };
    let rule = Head::start(Stream::rule(&name(BOOK)));
    let rules = [Body::Opened(opened), Body::RuleSet(RuleSet::plain(at, legs))];
    let mut facts = Fact::chain(&rule, at, &rules);
    let payee = Head::start(Stream::payee(&name(BOOK), &name(PAYEE)));
    facts.push(Fact::new(&payee, at, &Body::PayeeSet(destination(0))));
    if guarded {
        let runs = Head::start(Stream::run(&name(BOOK)));
        facts.push(Fact::new(&runs, at, &Body::Guarded(guard())));
    }
    facts.push(payment(0, at).fact(&name(BOOK), at).expect("a good payment"));
    facts
}

/// Nothing is paid before its one person has approved it, lately.
fn guard() -> Guarded {
    let person = Person { name: name(PERSON), key: key().public() };
    let (limit, people, expires_secs) = (Amount::ZERO, vec![person], EXPIRES_SECS);
    // The rule was set before.
    Guarded { limit, approvals: 1, people, expires_secs, consents: vec![], unsigned: Some(1) }
}

pub(crate) const PERSON: &str = "ann";

/// The key of the one who approves.
pub(crate) fn key() -> SecretKey {
    SecretKey::new(&[7; 32])
}

/// One more fact of some batch's own stream. What may not follow is the fold's to report.
fn read_batch(batches: &mut Vec<Rc<Batch>>, fact: &Fact) {
    if !matches!(fact.stream.place(), Place::Batch { .. }) {
        return;
    }
    match batches.iter_mut().find(|batch| *batch.stream() == fact.stream) {
        Some(batch) => drop(Rc::make_mut(batch).apply(fact)),
        None => batches.extend(Batch::begin(fact).map(Rc::new)),
    }
}

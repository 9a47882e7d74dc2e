//! A worker around the real core: what it reads, what it decides, what it hands to the host. The
//! planted mistakes live here and in the rail's reader, never in the core.

use divvy_core::{
    Amount, Answer, Batch, Body, Books, Code, Evidence, Fact, Hash, Head, Line, Next, Plan,
    Planned, Run, Seen, Sender, Signed, State as BatchState, Stream, Time, Timing, Window,
};

use crate::lab::{BOOK, Lab, RAIL, WALLET, name};
use crate::model::{
    DEADLINE_SECS, DraftId, HEIGHTS_MAX, KEY_LIFE_SECS, Kind, LogId, State, TIMING, Told, TryId,
    View, Worker,
};
use crate::mutants::Mutant;
use crate::world;

/// A question to the core, whole: the same question has the same answer, so it is asked once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Ask {
    Plan { log: LogId, seen: LogId, who: Who },
    Sign { log: LogId, batch: usize, who: Who },
    Second { log: LogId, batch: usize, who: Who },
    Cancel { log: LogId, batch: usize, clock: u16 },
    Learn { log: LogId, seen: LogId, batch: usize, clock: u16, told: [Told; 4], tip: Option<u64> },
}

/// Who signs, when, and what the wallet shows then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Who {
    pub(crate) process: u8,
    pub(crate) clock: u16,
    pub(crate) height: u8,
    /// Coins that the wallet does not show any more, by bit.
    pub(crate) gone: u8,
}

impl Lab {
    pub(crate) fn ask(&mut self, ask: Ask) -> DraftId {
        if let Some(known) = self.asked.get(&ask) {
            return *known;
        }
        let draft = match ask {
            Ask::Plan { log, seen, who } => self.plan(log, seen, who),
            Ask::Sign { log, batch, who } => self.sign(log, batch, who),
            Ask::Second { log, batch, who } => self.second(log, batch, who),
            Ask::Cancel { log, batch, clock } => {
                let cancelled = {
                    let log = self.log(log);
                    log.books.cancel(&log.batches[batch], "not worth it", self.seconds(clock))
                };
                cancelled.map_or(0, |step| self.draft(step))
            }
            Ask::Learn { log, seen, batch, clock, told, tip } => {
                self.learn(log, seen, batch, clock, &told, tip)
            }
        };
        self.asked.insert(ask, draft);
        draft
    }

    /// Plans what is due. `seen` is what the worker has folded; `log` is what is there.
    fn plan(&mut self, log: LogId, seen: LogId, who: Who) -> DraftId {
        let now = self.seconds(who.clock);
        match self.mutant {
            Some(Mutant::LostReservation) => {
                let forgot = self.without_batches(seen);
                return self.plan_at_fresh_address(log, &forgot, who);
            }
            Some(Mutant::StalePlanner | Mutant::UnknownCommitPlannedAgain) if seen != log => {
                let stale = self.log(seen).books.clone();
                return self.plan_at_fresh_address(log, &stale, who);
            }
            _ => (),
        }
        let books = &self.log(seen).books;
        let book = books.book(BOOK).expect("the book is open");
        let lines = self.due_lines(books, now);
        if lines.is_empty() {
            return 0;
        }
        if self.guarded {
            let waits = [(planned(lines), Amount::ZERO)];
            let step = book.plan_to_wait(&waits, now).expect("what is due may be planned");
            return self.draft(step);
        }
        let taken = self.taken(books, &book.next_batch(0), who);
        let Some(coin) = free_coin(taken) else { return 0 };
        let signed = self.attempt_of(&book.next_batch(0), &lines, 0, coin, who);
        let plan = Plan { planned: planned(lines), signed };
        match books.plan(BOOK, &[plan], now) {
            Ok(step) => self.draft(step),
            // Two batches may not claim the same coin; a blind planner never hears of it.
            Err(error) if self.mutant == Some(Mutant::SameCoinTwice) => {
                assert_eq!(error.code(), Code::RailRefused);
                let books = books.clone();
                self.plan_at_fresh_address(log, &books, who)
            }
            Err(error) => panic!("a plan of what is due is refused: {error}"),
        }
    }

    /// Signs a batch that no try can move any more, or gives it up when it went stale.
    fn sign(&mut self, log: LogId, batch: usize, who: Who) -> DraftId {
        let now = self.seconds(who.clock);
        let here = self.log(log);
        let batch = &here.batches[batch];
        let next = batch.next(now, None, TIMING);
        let blind = self.mutant == Some(Mutant::SignsUnapproved) && next == Next::Approve;
        if next != Next::Sign && !blind {
            return 0;
        }
        let Some(coin) = free_coin(self.taken(&here.books, batch.stream(), who)) else { return 0 };
        let signed = self.attempt_of(batch.stream(), batch.lines(), batch.tries().len(), coin, who);
        let past_the_core = [Some(Mutant::OldDestination), Some(Mutant::SignsUnapproved)];
        let step = if past_the_core.contains(&self.mutant) {
            let body = Body::Signed(signed.clone());
            let head = batch.head().clone();
            let stream = batch.stream().clone();
            let call = self.try_id(&stream, signed);
            return self.planted(vec![Fact::new(&head, now, &body)], vec![call]);
        } else {
            here.books.sign(batch, signed, now)
        };
        match step {
            Ok(step) => self.draft(step),
            Err(error) => {
                assert_eq!(error.code(), Code::BatchStale, "{error}");
                let step = here.books.cancel(batch, "went stale", now);
                let step = step.expect("what may be signed may be given up");
                self.draft(step)
            }
        }
    }

    /// Signs once more while earlier tries may still move, sharing a coin with each of them.
    fn second(&mut self, log: LogId, batch: usize, who: Who) -> DraftId {
        let here = self.log(log);
        let batch = &here.batches[batch];
        let open: Vec<_> = batch.tries().iter().filter(|try_| try_.is_open()).collect();
        if open.is_empty() || batch.tries().len() > 2 {
            return 0;
        }
        let shared = open.iter().flat_map(|try_| &try_.signed.claims);
        let mut coins = shared.fold(0, |coins, claim| coins | coin_bit(claim));
        let taken = self.taken(&here.books, batch.stream(), who);
        let Some(fresh) = free_coin(taken | coins) else { return 0 };
        coins |= fresh;
        let n = batch.tries().len();
        let mut signed = self.attempt_of(batch.stream(), batch.lines(), n, coins, who);
        if self.mutant == Some(Mutant::SecondTryCoexists) {
            // The claims say one thing and the bytes another.
            signed.bytes[0] = fresh;
        }
        let step = here.books.sign(batch, signed, self.seconds(who.clock));
        step.map_or(0, |step| self.draft(step))
    }

    fn learn(
        &mut self,
        log: LogId,
        seen: LogId,
        batch: usize,
        clock: u16,
        told: &[Told; 4],
        tip: Option<u64>,
    ) -> DraftId {
        let batch = &self.log(log).batches[batch];
        let answers = told.iter().take(batch.tries().len()).map(|told| answer(*told)).collect();
        let seen_now = Seen { answers, tip, evidence: evidence(), bills: Vec::new() };
        let learned =
            self.log(seen).books.learn(batch, &seen_now, self.seconds(clock), self.timing());
        let step = learned.expect("an answer for each try");
        if self.mutant == Some(Mutant::ReturnedNotHeld) {
            let batch_only = |fact: &&Fact| fact.stream == *batch.stream();
            let facts = step.facts().iter().filter(batch_only).cloned().collect();
            return self.planted(facts, Vec::new());
        }
        self.draft(step)
    }

    /// Plans lines at whatever addresses are free, as nobody may.
    fn plan_at_fresh_address(&mut self, log: LogId, books: &Books, who: Who) -> DraftId {
        let now = self.seconds(who.clock);
        let lines = self.due_lines(books, now);
        if lines.is_empty() {
            return 0;
        }
        let run = self.log(log).head(&Stream::run(&name(BOOK)));
        let stream = Stream::batch(&name(BOOK), run.n, 0);
        let coin = match self.mutant {
            Some(Mutant::SameCoinTwice) => 1,
            _ => free_coin(self.taken(books, &stream, who) | 1 << run.n.min(7)).unwrap_or(1),
        };
        let signed = self.attempt_of(&stream, &lines, 0, coin, who);
        let total = Amount::total(lines.iter().map(|line| line.amount)).expect("small");
        let bodies = [Body::Planned(planned(lines)), Body::Signed(signed.clone())];
        let chain = Fact::chain(&Head::start(stream.clone()), now, &bodies);
        let digest = Hash::default().then(&chain[0].hash);
        let run_body = Body::Run(Run { batches: 1, lines: 1, total, digest });
        let mut facts = vec![Fact::new(&run, now, &run_body)];
        facts.extend(chain);
        let call = self.try_id(&stream, signed);
        self.planted(facts, vec![call])
    }

    fn without_batches(&self, seen: LogId) -> Books {
        use divvy_core::Place;
        let kept =
            |fact: &&Fact| !matches!(fact.stream.place(), Place::Batch { .. } | Place::Run { .. });
        let facts: Vec<Fact> = self.facts(seen).into_iter().filter(|fact| kept(&fact)).collect();
        let mut books = Books::default();
        books.feed(&facts).expect("what rests on nothing folds");
        books
    }

    fn due_lines(&self, books: &Books, now: Time) -> Vec<Line> {
        let due = books.book(BOOK).and_then(|book| book.due(now)).expect("a sound book");
        due.into_iter().flat_map(|due| due.lines).collect()
    }

    /// Coins that may not be used, by bit: claimed by other batches, or not shown by the wallet.
    fn taken(&self, books: &Books, batch: &Stream, who: Who) -> u8 {
        if self.mutant == Some(Mutant::SameCoinTwice) {
            return 0;
        }
        let claimed = books.claimed(WALLET, Some(batch));
        claimed.iter().fold(who.gone, |taken, claim| taken | coin_bit(claim))
    }

    /// The rail signs. The reference is this process's own, so that nothing dedupes by luck.
    fn attempt_of(&self, batch: &Stream, lines: &[Line], n: usize, coins: u8, who: Who) -> Signed {
        let deadline = self.seconds(who.clock).plus_secs(DEADLINE_SECS);
        let window = match self.kind {
            Kind::Unlimited | Kind::Nonce => Window::Unlimited,
            Kind::Until => Window::Until(self.seconds(who.clock).plus_secs(KEY_LIFE_SECS)),
            Kind::UntilHeight | Kind::Chain => {
                Window::UntilHeight(u64::from(who.height) + HEIGHTS_MAX)
            }
            Kind::Once => Window::Once,
        };
        let deadline = if self.kind.has_coins() { Time::MAX } else { deadline };
        let reference = format!("{batch}/{n}/p{}", who.process);
        let sender = (self.kind == Kind::Once).then(|| Sender {
            process: format!("p{}", who.process),
            try_id: Hash::of(format!("{reference} at {}", who.clock).as_bytes()),
        });
        let claims = if self.kind.has_coins() { coin_names(coins) } else { Vec::new() };
        let amount: u64 = lines.iter().map(|line| line.amount.get()).sum();
        let mut bytes = vec![if self.kind.has_coins() { coins } else { 0 }];
        bytes.extend(amount.to_be_bytes());
        bytes.extend(lines.first().map_or("", |line| &line.to).bytes());
        let lines = Line::hash(lines);
        Signed { reference, bytes, window, deadline, sender, lines, claims }
    }

    pub(crate) fn timing(&self) -> Timing {
        let grace_secs = match self.mutant {
            Some(Mutant::NoGrace) => 0,
            _ => TIMING.grace_secs,
        };
        Timing { grace_secs, ..TIMING }
    }

    /// The rail's reader: from what one look showed to an answer for each try, and the tip.
    pub(crate) fn look(
        &mut self,
        state: &State,
        batch: usize,
        view: View,
    ) -> ([Told; 4], Option<u64>) {
        let mut told = [Told::Unknown; 4];
        let tries = self.tries_of(state.log, batch);
        for (told, try_id) in told.iter_mut().zip(tries) {
            *told = self.read(state, try_id, view);
        }
        let ahead = if self.mutant == Some(Mutant::TipAhead) { HEIGHTS_MAX + 1 } else { 0 };
        let tip = match (self.kind, view) {
            (Kind::UntilHeight, View::Truth) => Some(u64::from(state.height) + ahead),
            // The one that answers 404 is behind in its ledger, not in its clock.
            (Kind::UntilHeight, View::NotFound) => Some(u64::from(state.height)),
            (Kind::Chain, View::Truth) if self.mutant == Some(Mutant::UnrootedHeight) => {
                Some(u64::from(state.height))
            }
            (Kind::Chain, View::Truth | View::NotFound) => Some(u64::from(state.rooted)),
            _ => None,
        };
        (told, tip)
    }

    fn read(&self, state: &State, try_id: TryId, view: View) -> Told {
        let truth = world::truth(self, state, try_id);
        match (self.mutant, view) {
            (Some(Mutant::UnknownIsVoid), View::NoAnswer) => Told::Void,
            (Some(Mutant::NotFoundIsProof | Mutant::OneProvidersWord), View::NotFound) => {
                Told::Void
            }
            (Some(Mutant::AdvancedIsVoid), View::NotFound)
                if world::is_coin_spent(self, state, try_id) =>
            {
                Told::Void
            }
            (Some(Mutant::ConfirmedIsFinal), View::Truth) if truth == Told::Accepted => Told::Final,
            (Some(Mutant::UnrootedHeight), View::Truth)
                if truth == Told::Unknown && world::is_past_height(self, try_id, state.height) =>
            {
                Told::Void
            }
            (_, View::NoAnswer | View::NotFound) => Told::Unknown,
            (Some(Mutant::ReorgUnnoticed), View::Truth) if truth == Told::Undone => Told::Final,
            (Some(Mutant::ReturnUnnoticed), View::Truth) if truth == Told::Returned => Told::Final,
            (Some(Mutant::TipAhead), View::Truth) if truth == Told::Unknown => Told::Void,
            (_, View::Truth) => truth,
        }
    }

    /// Whether this worker may start a request of this try now.
    pub(crate) fn may_start(&self, state: &State, try_id: TryId) -> bool {
        let careless = [Mutant::SendsLate, Mutant::ResendsOutsideWindow];
        let in_time = self.seconds(state.clock) <= self.signed(try_id).deadline;
        in_time || self.mutant.is_some_and(|mutant| careless.contains(&mutant))
    }

    /// What a worker may send again from what is durable: what `next` says, or what a look has
    /// just found to be lost.
    pub(crate) fn resendable(&mut self, state: &State, batch: usize) -> Option<TryId> {
        let now = self.seconds(state.clock);
        let here = &self.log(state.log).batches[batch];
        let n = match self.mutant {
            Some(Mutant::OnceBySecondWorker) => Some(here.tries().len().checked_sub(1)?),
            Some(Mutant::ResendsOutsideWindow)
                if matches!(here.state(), BatchState::Signed | BatchState::Sent) =>
            {
                Some(here.tries().len().checked_sub(1)?)
            }
            _ => match here.next(now, Some(self.tip(state)), TIMING) {
                Next::Submit { try_n } => Some(try_n),
                _ => None,
            },
        };
        let n = match n {
            Some(n) => n,
            None => self.lost(state, batch)?,
        };
        self.tries_of(state.log, batch).get(n).copied()
    }

    /// The height that a careful reader goes by.
    pub(crate) fn tip(&self, state: &State) -> u64 {
        u64::from(if self.kind == Kind::Chain { state.rooted } else { state.height })
    }

    fn lost(&mut self, state: &State, batch: usize) -> Option<usize> {
        let (told, tip) = self.look(state, batch, View::Truth);
        let batch: &Batch = &self.log(state.log).batches[batch];
        let answers = told.iter().take(batch.tries().len()).map(|told| answer(*told)).collect();
        let seen = Seen { answers, tip, evidence: evidence(), bills: Vec::new() };
        batch.lost(&seen, self.seconds(state.clock))
    }
}

impl Worker {
    pub(crate) fn who(&self, lab: &Lab, state: &State) -> Who {
        let spent = state.moves.iter().flatten().filter(|move_| {
            use crate::model::Stage;
            // A nonce is advanced by what fails as well.
            let failed = lab.kind == Kind::Nonce && move_.stage == Stage::Refused;
            failed || matches!(move_.stage, Stage::Pending | Stage::Final | Stage::Returned)
        });
        let gone = spent.fold(state.swept, |gone, move_| gone | lab.coins(move_.try_id));
        Who { process: self.process, clock: state.clock, height: state.height, gone }
    }
}

pub(crate) fn evidence() -> Evidence {
    Evidence { source: "rail".into(), hash: Hash::default(), said: String::new() }
}

fn answer(told: Told) -> Answer {
    match told {
        Told::Unknown => Answer::Unknown,
        Told::Accepted => Answer::Accepted,
        Told::Final => Answer::Final,
        Told::Void => Answer::Void,
        Told::Refused => Answer::Refused { reason: "bad address".into(), line: Some(0) },
        Told::Returned => Answer::Returned { reason: "account closed".into(), lines: Vec::new() },
        Told::Undone => Answer::Undone,
    }
}

fn planned(lines: Vec<Line>) -> Planned {
    Planned { rail: name(RAIL), wallet: name(WALLET), lines }
}

fn free_coin(taken: u8) -> Option<u8> {
    (0..8).map(|bit| 1 << bit).find(|coin| taken & coin == 0)
}

fn coin_bit(claim: &str) -> u8 {
    let bit: u8 = claim.trim_start_matches('c').parse().expect("a coin's name");
    1 << bit
}

fn coin_names(coins: u8) -> Vec<String> {
    (0..8_u8).filter(|bit| coins & (1 << bit) != 0).map(|bit| format!("c{bit}")).collect()
}

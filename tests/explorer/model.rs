//! The state that is explored: small, copied and hashed a million times. What is large (facts,
//! folds, signed bytes) is kept once in the lab and named by number here.

use divvy_core::Timing;

/// A log of facts, a draft of facts, or a signed try, by its number in the lab.
pub(crate) type LogId = u32;
pub(crate) type DraftId = u32;
pub(crate) type TryId = u16;

/// How long the same bytes may be sent, and what the rail remembers of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Unlimited,
    Until,
    UntilHeight,
    Once,
    /// Until a height, on a chain whose newest blocks may vanish: what has landed in them is gone
    /// then and may land again, and only heights that are rooted stay. Several nodes show it.
    Chain,
    /// For ever, until a durable nonce is advanced: by the first try that lands, though it fails,
    /// or by whoever cancels.
    Nonce,
}

impl Kind {
    /// Whether a try claims something that only one try can spend.
    pub(crate) fn has_coins(self) -> bool {
        matches!(self, Self::Unlimited | Self::Nonce)
    }

    /// Whether a height ends a try.
    pub(crate) fn has_heights(self) -> bool {
        matches!(self, Self::UntilHeight | Self::Chain)
    }

    /// Whether what is final stays so, and comes back from nobody.
    pub(crate) fn is_for_good(self) -> bool {
        matches!(self, Self::Chain | Self::Nonce)
    }
}

/// No request of a try starts later than so many seconds after it was signed.
pub(crate) const DEADLINE_SECS: u64 = 100;
/// A request is with the rail so many seconds after it was started, or lost.
pub(crate) const LAG_SECS: u16 = 60;
/// The rail forgets a key so many seconds after it was signed.
pub(crate) const KEY_LIFE_SECS: u64 = 300;
/// A changed destination is in force so many seconds later.
pub(crate) const COOLING_SECS: u64 = 150;
/// An approval counts for so many seconds.
pub(crate) const EXPIRES_SECS: u64 = 150;
/// Time passes by one of these: inside a window, past its deadline and grace, past a key's life.
pub(crate) const PASSES_SECS: [u16; 2] = [60, 200];
/// The rail forgets bytes so many heights after they were signed.
pub(crate) const HEIGHTS_MAX: u64 = 2;
/// So many of the newest blocks may vanish.
pub(crate) const UNROOTED: u8 = 3;
/// Every payment brings so much to the one payee.
pub(crate) const PAYMENT: u64 = 100;

pub(crate) const TIMING: Timing =
    Timing { grace_secs: 60, deadline_secs_max: DEADLINE_SECS, watch_secs: 60 };

/// Everything that decides what can happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// What is durable.
    pub(crate) log: LogId,
    /// Seconds since the first fact.
    pub(crate) clock: u16,
    /// The rail's height.
    pub(crate) height: u8,
    /// No block below this height vanishes any more.
    pub(crate) rooted: u8,
    /// A commit whose outcome nobody learned and that may still land; 0 is none.
    pub(crate) late: DraftId,
    /// Coins that somebody else has spent, by bit.
    pub(crate) swept: u8,
    /// Whether the rail has undone anything that was final.
    pub(crate) undone: bool,
    /// Whether a person has said of a try that it never moved, and was wrong or may yet be.
    pub(crate) misjudged: bool,
    /// Requests on the wire, sorted.
    pub(crate) flights: [Option<Flight>; 3],
    /// What the rail has on its ledger, sorted.
    pub(crate) moves: [Option<Movement>; 4],
    pub(crate) workers: [Worker; 2],
}

/// A request on the wire. It arrives now, later, twice or never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Flight {
    pub(crate) try_id: TryId,
    /// Seconds at which it was started.
    pub(crate) started: u16,
    /// Who waits for the reply.
    pub(crate) worker: u8,
}

/// One movement on the rail's ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Movement {
    pub(crate) try_id: TryId,
    pub(crate) stage: Stage,
    /// Whether it was ever final.
    pub(crate) was_final: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Accepted; it may become final or be dropped.
    Pending,
    /// The payee has it.
    Final,
    /// The payee's side sent it back.
    Returned,
    /// Accepted once, and not there any more.
    Dropped,
    /// Refused for good; the rail remembers that.
    Refused,
}

impl Movement {
    /// Whether the money is with the payee or on its way.
    pub(crate) fn is_live(self) -> bool {
        matches!(self.stage, Stage::Pending | Stage::Final)
    }
}

/// One worker's volatile state. A crash takes all of it but the number of the next process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Worker {
    /// The process: a restarted worker is another one.
    pub(crate) process: u8,
    /// The log as far as its fold has read it.
    pub(crate) seen: LogId,
    /// Facts that it is about to commit; 0 is none.
    pub(crate) holding: DraftId,
    /// Calls that a commit released and that it has not sent; 0 is none.
    pub(crate) calls: [TryId; 2],
    /// A reply that it has not read yet.
    pub(crate) inbox: Option<(TryId, Told)>,
}

/// What a rail's reader makes of one reply about one try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Told {
    Unknown,
    Accepted,
    Final,
    Void,
    Refused,
    Returned,
    Undone,
}

/// How one look went: the whole truth, no answer or a 5xx, or a 404 from a copy that lags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum View {
    Truth,
    NoAnswer,
    NotFound,
}

impl State {
    pub(crate) fn put_flight(&mut self, flight: Flight) -> bool {
        put(&mut self.flights, flight)
    }

    pub(crate) fn put_move(&mut self, movement: Movement) -> bool {
        put(&mut self.moves, movement)
    }

    /// Brings the unordered parts into one order, so that equal states are equal.
    pub(crate) fn settle_order(&mut self) {
        self.flights.sort_unstable();
        self.moves.sort_unstable();
        for worker in &mut self.workers {
            worker.calls.sort_unstable();
        }
    }
}

impl Worker {
    pub(crate) fn started(process: u8, log: LogId) -> Self {
        Self { process, seen: log, holding: 0, calls: [0; 2], inbox: None }
    }

    pub(crate) fn put_call(&mut self, try_id: TryId) {
        if let Some(free) = self.calls.iter_mut().find(|call| **call == 0) {
            *free = try_id;
        }
    }
}

fn put<T: Copy>(slots: &mut [Option<T>], one: T) -> bool {
    let Some(free) = slots.iter_mut().find(|slot| slot.is_none()) else { return false };
    *free = Some(one);
    true
}

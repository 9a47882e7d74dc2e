//! A batch as a list of tries, each with a fate; what it reserves and pays is counted, not kept.

use std::collections::BTreeSet;

use divvy_core::{Code, Fate, State};

use crate::action::{Claim, Heard, Place, Verdict, Window};

pub(crate) const GRACE_SECS: u64 = 60;

#[derive(Clone, Debug)]
pub(crate) struct NaiveBatch {
    pub(crate) book: usize,
    pub(crate) stream: String,
    pub(crate) rail: usize,
    pub(crate) lines: Vec<NaiveLine>,
    pub(crate) tries: Vec<NaiveTry>,
    in_review: bool,
    /// Its lines were payable again once.
    released: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct NaiveLine {
    pub(crate) payee: usize,
    pub(crate) amount: u64,
    /// The destination, and the fact that chose it; without one, the payee's own name.
    pub(crate) to: Option<(Place, u64)>,
}

#[derive(Clone, Debug)]
pub(crate) struct NaiveTry {
    pub(crate) fate: Fate,
    pub(crate) claim: Claim,
    pub(crate) deadline: u64,
    pub(crate) returned: BTreeSet<u32>,
}

/// Something that is written about a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Sent,
    Settled,
    Voided,
    Refused { line: Option<u32> },
    Reopened,
    Returned(BTreeSet<u32>),
    Review,
}

impl NaiveTry {
    fn is_open(&self) -> bool {
        matches!(self.fate, Fate::Open | Fate::Sent)
    }

    /// Whether nothing of it can land any more.
    fn is_over(&self, now: u64, tip: Option<u64>) -> bool {
        match self.claim.window {
            Window::Unlimited => true,
            Window::UntilHeight(height) => tip.is_some_and(|tip| tip > height),
            Window::Until | Window::Once => now > self.deadline + GRACE_SECS * 1_000,
        }
    }
}

impl NaiveBatch {
    pub(crate) fn new(book: usize, stream: String, rail: usize, lines: Vec<NaiveLine>) -> Self {
        Self { book, stream, rail, lines, tries: Vec::new(), in_review: false, released: false }
    }

    fn any(&self, fate: Fate) -> bool {
        self.tries.iter().any(|attempt| attempt.fate == fate)
    }

    fn any_open(&self) -> bool {
        self.tries.iter().any(NaiveTry::is_open)
    }

    pub(crate) fn state(&self) -> State {
        if self.any(Fate::Settled) {
            let back = self.tries.iter().any(|attempt| !attempt.returned.is_empty());
            if back { State::Returned } else { State::Settled }
        } else if self.any_open() {
            match (self.in_review, self.any(Fate::Sent)) {
                (true, _) => State::Review,
                (false, true) => State::Sent,
                (false, false) => State::Signed,
            }
        } else if self.any(Fate::Refused) {
            State::Refused
        } else if self.released {
            State::Cancelled
        } else {
            State::Void
        }
    }

    /// Whether its lines are neither paid nor payable.
    pub(crate) fn is_reserved(&self) -> bool {
        !self.any(Fate::Settled) && (self.any_open() || self.state() == State::Void)
    }

    /// How often a line's money moved and stayed.
    pub(crate) fn times_paid(&self, line: usize) -> u64 {
        let line = u32::try_from(line).unwrap();
        let stayed = |attempt: &&NaiveTry| {
            attempt.fate == Fate::Settled && !attempt.returned.contains(&line)
        };
        self.tries.iter().filter(stayed).count() as u64
    }

    /// What an answer about one try makes anyone write, and who is held for it.
    pub(crate) fn hear(
        &self,
        at: usize,
        answer: Heard,
        now: u64,
        tip: Option<u64>,
    ) -> Result<Vec<Said>, Code> {
        let attempt = &self.tries[at];
        let count = u32::try_from(self.lines.len()).unwrap();
        let settled = attempt.fate == Fate::Settled;
        let over = attempt.is_open() && attempt.claim.window != Window::Once;
        let over = over && attempt.is_over(now, tip);
        let mut said = Vec::new();
        match answer {
            Heard::Accepted if attempt.fate == Fate::Open => said.push(Said::Sent),
            Heard::Final if !settled => said.push(Said::Settled),
            Heard::Void if over => said.push(Said::Voided),
            Heard::Undone if settled => said.push(Said::Reopened),
            Heard::Undone if over && attempt.claim.window != Window::Unlimited => {
                said.push(Said::Voided);
            }
            Heard::Refused { line } if attempt.is_open() => {
                said.push(Said::Refused { line: line.filter(|line| *line < count) });
            }
            Heard::Returned { lines } => {
                let named: BTreeSet<u32> = (0..32).filter(|line| lines >> line & 1 == 1).collect();
                if named.iter().any(|line| *line >= count) {
                    return Err(Code::RailReply);
                }
                let named = if named.is_empty() { (0..count).collect() } else { named };
                if !settled {
                    said.push(Said::Settled);
                }
                let fresh: BTreeSet<u32> = named.difference(&attempt.returned).copied().collect();
                if !fresh.is_empty() {
                    said.push(Said::Returned(fresh));
                }
            }
            _ => {}
        }
        let lost = |attempt: &NaiveTry| {
            attempt.is_open() && attempt.claim.window == Window::Once && attempt.is_over(now, None)
        };
        let moving = matches!(self.state(), State::Signed | State::Sent);
        if said.is_empty() && moving && self.tries.iter().any(lost) {
            said.push(Said::Review);
        }
        Ok(said)
    }

    /// Whom to hold for what was written.
    pub(crate) fn blamed(&self, said: &[Said]) -> Vec<usize> {
        let mut blamed = Vec::new();
        for said in said {
            match said {
                Said::Refused { line: Some(line) } => blamed.push(*line),
                Said::Refused { line: None } if self.lines.len() == 1 => blamed.push(0),
                Said::Returned(lines) => blamed.extend(lines),
                _ => {}
            }
        }
        let mut payees: Vec<usize> = blamed
            .into_iter()
            .map(|line| self.lines[usize::try_from(line).unwrap()].payee)
            .collect();
        payees.sort_unstable();
        payees.dedup();
        payees
    }

    /// Takes what is written about a try, or refuses what cannot follow.
    pub(crate) fn take(&mut self, at: usize, said: &Said) -> Result<(), Code> {
        let refused = self.state() == State::Refused;
        let fate = self.tries[at].fate;
        match said {
            Said::Sent => self.tries[at].fate = Fate::Sent,
            Said::Settled => {
                self.released |= refused;
                self.tries[at].fate = Fate::Settled;
            }
            Said::Voided if matches!(fate, Fate::Settled | Fate::Refused) => {
                return Err(Code::BatchState);
            }
            Said::Voided => self.tries[at].fate = Fate::Void,
            Said::Refused { .. } if fate == Fate::Settled => return Err(Code::BatchState),
            Said::Refused { .. } => self.tries[at].fate = Fate::Refused,
            Said::Reopened if fate != Fate::Settled => return Err(Code::BatchState),
            Said::Reopened => {
                self.tries[at].fate = Fate::Sent;
                self.released |= !self.tries[at].returned.is_empty();
                self.tries[at].returned.clear();
            }
            Said::Returned(lines) => self.tries[at].returned.extend(lines),
            Said::Review => {
                if self.any(Fate::Settled) || !self.any_open() {
                    return Err(Code::BatchState);
                }
                self.in_review = true;
            }
        }
        Ok(())
    }

    pub(crate) fn verdict(verdict: Verdict) -> Said {
        match verdict {
            Verdict::Settled => Said::Settled,
            Verdict::Voided => Said::Voided,
            Verdict::Refused => Said::Refused { line: None },
            Verdict::Reopened => Said::Reopened,
            Verdict::Review => Said::Review,
        }
    }

    /// Whether another try could never move money beside the earlier ones.
    pub(crate) fn may_sign(&self, claim: Claim) -> bool {
        if self.state() == State::Void {
            return true;
        }
        let excludes =
            |attempt: &NaiveTry| attempt.claim.coin.is_some() && attempt.claim.coin == claim.coin;
        let open = self.tries.iter().filter(|attempt| attempt.is_open());
        self.is_reserved() && !self.released && open.clone().all(excludes)
    }

    pub(crate) fn sign(&mut self, claim: Claim, deadline: u64) {
        self.in_review = false;
        let (fate, returned) = (Fate::Open, BTreeSet::new());
        self.tries.push(NaiveTry { fate, claim, deadline, returned });
    }

    pub(crate) fn cancel(&mut self) -> Result<(), Code> {
        if self.state() != State::Void {
            return Err(Code::BatchState);
        }
        self.released = true;
        Ok(())
    }
}

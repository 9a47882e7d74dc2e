//! What to do next with a batch: a pure question, to be asked anywhere and at any time.

use crate::batch::{Batch, Fate, State, Try};
use crate::fact::Window;
use crate::rail::{Answer, Seen, Timing};
use crate::time::Time;

/// What a batch needs next.
///
/// ```
/// use divvy_core::{Next, Time};
///
/// let asks_the_rail = |next| matches!(next, Next::Look | Next::Watch { .. } | Next::Review);
/// // A late answer still settles what waits for a person.
/// assert!(asks_the_rail(Next::Review) && asks_the_rail(Next::Watch { from: Time::ZERO }));
/// assert!(!asks_the_rail(Next::Done));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Next {
    /// Wait until more people have approved it.
    Approve,
    /// Sign a try.
    Sign,
    /// Send this try's bytes again; the rail knows them by their reference.
    Submit {
        /// Which of the tries.
        try_n: usize,
    },
    /// Ask what became of the tries.
    Look,
    /// Look once more at what settled, not before this time.
    Watch {
        /// Not before.
        from: Time,
    },
    /// A person decides; a late answer still settles it.
    Review,
    /// Nothing, ever.
    Done,
}

impl Batch {
    /// What to do next. It costs nothing and changes nothing.
    ///
    /// Bytes are sent again only while their window is open; `Once` is never sent from a state,
    /// because only the process that has just committed it may, and only that once.
    ///
    /// ```
    /// use divvy_core::{Amount, Batch, Body, Fact, Head, Line, Name};
    /// use divvy_core::{Next, Planned, Stream, Time, Timing};
    ///
    /// let (payee, amount) = (Name::new("alice")?, Amount::ONE);
    /// let lines = vec![Line { payee, amount, to: "a1".into(), to_n: None, fee: None }];
    /// let planned = Planned { rail: Name::new("sandbox")?, wallet: Name::new("till")?, lines };
    /// let head = Head::start(Stream::batch(&Name::new("chapter-42")?, 0, 0));
    /// let batch = Batch::fold(&[Fact::new(&head, Time::ZERO, &Body::Planned(planned))])?;
    ///
    /// let timing = Timing { grace_secs: 60, deadline_secs_max: 300, watch_secs: 3_600 };
    /// assert_eq!(batch.next(Time::ZERO, None, timing), Next::Sign);
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub fn next(&self, now: Time, tip: Option<u64>, timing: Timing) -> Next {
        match self.state() {
            State::Planned | State::Approved | State::Void if !self.is_approved(now) => {
                Next::Approve
            }
            State::Planned | State::Approved | State::Void => Next::Sign,
            State::Signed if self.released => Next::Look,
            State::Signed => {
                let sendable = self.tries.iter().rposition(|try_| try_.may_resend(now, tip));
                sendable.map_or(Next::Look, |try_n| Next::Submit { try_n })
            }
            State::Sent => Next::Look,
            State::Review => Next::Review,
            State::Settled | State::Returned if timing.watch_secs > 0 && self.may_return() => {
                Next::Watch { from: self.settled_at.plus_secs(timing.watch_secs) }
            }
            State::Settled | State::Refused | State::Cancelled | State::Returned => Next::Done,
        }
    }
}

impl Batch {
    /// Whether a line that settled may still come back.
    fn may_return(&self) -> bool {
        let lines = usize::try_from(self.lines_count).unwrap_or(usize::MAX);
        let whole = |try_: &Try| try_.fate == Fate::Settled && try_.returned.len() < lines;
        self.tries.iter().any(whole)
    }

    /// The try to submit again after a look: the rail had taken it, and does not know it any more.
    ///
    /// A rail may accept bytes and drop them. Where the window is over that proves them void; where
    /// it is open, whoever looked sends the same bytes once more.
    ///
    /// ```
    /// use divvy_core::{Amount, Answer, Batch, Body, Evidence, Fact, Hash, Head, Line, Name};
    /// use divvy_core::{Planned, Seen, Sent, Signed, Stream, Time, Window};
    ///
    /// let to = "a1".to_owned();
    /// let (payee, amount) = (Name::new("alice")?, Amount::ONE);
    /// let lines = vec![Line { payee, amount, to, to_n: None, fee: None }];
    /// let signed = Signed {
    ///     reference: "r1".into(),
    ///     bytes: vec![],
    ///     window: Window::Unlimited,
    ///     deadline: Time::MAX,
    ///     sender: None,
    ///     lines: Line::hash(&lines),
    ///     claims: vec![],
    /// };
    /// let planned = Planned { rail: Name::new("sandbox")?, wallet: Name::new("till")?, lines };
    /// let sent = Sent { reference: "r1".into() };
    /// let bodies = [Body::Planned(planned), Body::Signed(signed), Body::Sent(sent)];
    /// let head = Head::start(Stream::batch(&Name::new("chapter-42")?, 0, 0));
    /// let batch = Batch::fold(&Fact::chain(&head, Time::ZERO, &bodies))?;
    ///
    /// let evidence = Evidence { source: "rail".into(), hash: Hash::of(b""), said: "404".into() };
    /// let seen = Seen { answers: vec![Answer::Unknown], tip: None, evidence, bills: Vec::new() };
    /// // The rail took it, and has never heard of it: the same bytes go out once more.
    /// assert_eq!(batch.lost(&seen, Time::ZERO), Some(0));
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub fn lost(&self, seen: &Seen, now: Time) -> Option<usize> {
        // What moved, or whose lines were free again meanwhile, is never sent once more.
        let moved = |answer: &Answer| matches!(answer, Answer::Final | Answer::Returned { .. });
        if self.released || self.times_settled() > 0 || seen.answers.iter().any(moved) {
            return None;
        }
        let gone = |answer: &Answer| matches!(answer, Answer::Unknown | Answer::Undone);
        let mut tries = self.tries.iter().zip(&seen.answers);
        tries.rposition(|(try_, answer)| {
            try_.fate == Fate::Sent && gone(answer) && try_.is_in_window(now, seen.tip)
        })
    }
}

impl Try {
    /// Whether anyone may send the same bytes at this time.
    #[must_use]
    pub fn may_resend(&self, now: Time, tip: Option<u64>) -> bool {
        self.fate == Fate::Open && self.is_in_window(now, tip)
    }

    fn is_in_window(&self, now: Time, tip: Option<u64>) -> bool {
        match self.signed.window {
            Window::Unlimited => true,
            Window::Until(end) => now <= end && now <= self.signed.deadline,
            Window::UntilHeight(height) => {
                now <= self.signed.deadline && tip.is_none_or(|tip| tip <= height)
            }
            Window::Once => false,
        }
    }

    /// Whether the window is over and everything sent inside it has had time to land.
    #[must_use]
    pub fn is_past_grace(&self, now: Time, tip: Option<u64>, timing: Timing) -> bool {
        let rested = now > self.signed.deadline.plus_secs(timing.grace_secs);
        match self.signed.window {
            Window::Unlimited => true,
            Window::Until(_) | Window::Once => rested,
            Window::UntilHeight(height) => tip.is_some_and(|tip| tip > height),
        }
    }
}

//! What to do next with a batch: a pure question, to be asked anywhere and at any time.

use crate::batch::{Batch, Fate, State, Try};
use crate::fact::Window;
use crate::rail::Timing;
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
    /// let lines = vec![Line { payee, amount, to: "a1".into(), to_n: None }];
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
            State::Planned | State::Void => Next::Sign,
            State::Signed => {
                let sendable = self.tries.iter().rposition(|try_| try_.may_resend(now, tip));
                sendable.map_or(Next::Look, |try_n| Next::Submit { try_n })
            }
            State::Sent => Next::Look,
            State::Review => Next::Review,
            State::Settled if timing.watch_secs > 0 => {
                Next::Watch { from: self.settled_at.plus_secs(timing.watch_secs) }
            }
            State::Settled | State::Refused | State::Cancelled | State::Returned => Next::Done,
        }
    }
}

impl Try {
    /// Whether anyone may send the same bytes at this time.
    #[must_use]
    pub fn may_resend(&self, now: Time, tip: Option<u64>) -> bool {
        let in_window = match self.signed.window {
            Window::Unlimited => true,
            Window::Until(end) => now <= end && now <= self.signed.deadline,
            Window::UntilHeight(height) => {
                now <= self.signed.deadline && tip.is_none_or(|tip| tip <= height)
            }
            Window::Once => false,
        };
        self.fate == Fate::Open && in_window
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

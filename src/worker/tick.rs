//! What a tick did, as counters.

/// What one tick did, or many together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tick {
    /// Runs planned.
    pub runs: u64,
    /// Payout lines planned.
    pub lines: u64,
    /// Payout lines that were due and are left to the other workers, or to the next tick.
    pub left: u64,
    /// Batches whose state changed by what was learned.
    pub learned: u64,
    /// Requests sent.
    pub requests: u64,
    /// Requests that nobody answered.
    pub unanswered: u64,
    /// Commits that found an address taken: another worker was quicker.
    pub races_lost: u64,
    /// Open batches that somebody else had sent, and this worker went on with.
    pub taken_over: u64,
    /// Tries that a rail declined and that are nobody's fault: see [`crate::Worker::obstacles`].
    pub declined: u64,
    /// Books found closed on a rail until a person has looked: see [`crate::Worker::obstacles`].
    pub closed: u64,
    /// Messages that the endpoints of webhooks took.
    pub told: u64,
    /// Messages that they did not take; they are sent again.
    pub untold: u64,
}

impl Tick {
    /// What was counted since.
    #[must_use]
    pub(super) const fn since(self, before: Self) -> Self {
        Self {
            runs: self.runs.saturating_sub(before.runs),
            lines: self.lines.saturating_sub(before.lines),
            left: self.left.saturating_sub(before.left),
            learned: self.learned.saturating_sub(before.learned),
            requests: self.requests.saturating_sub(before.requests),
            unanswered: self.unanswered.saturating_sub(before.unanswered),
            races_lost: self.races_lost.saturating_sub(before.races_lost),
            taken_over: self.taken_over.saturating_sub(before.taken_over),
            declined: self.declined.saturating_sub(before.declined),
            closed: self.closed.saturating_sub(before.closed),
            told: self.told.saturating_sub(before.told),
            untold: self.untold.saturating_sub(before.untold),
        }
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            runs: self.runs.saturating_add(other.runs),
            lines: self.lines.saturating_add(other.lines),
            left: self.left.saturating_add(other.left),
            learned: self.learned.saturating_add(other.learned),
            requests: self.requests.saturating_add(other.requests),
            unanswered: self.unanswered.saturating_add(other.unanswered),
            races_lost: self.races_lost.saturating_add(other.races_lost),
            taken_over: self.taken_over.saturating_add(other.taken_over),
            declined: self.declined.saturating_add(other.declined),
            closed: self.closed.saturating_add(other.closed),
            told: self.told.saturating_add(other.told),
            untold: self.untold.saturating_add(other.untold),
        }
    }
}

/// One more of what is counted.
pub(super) const fn count(counter: &mut u64) {
    *counter = counter.saturating_add(1);
}

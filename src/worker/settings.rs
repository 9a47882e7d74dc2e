//! How a worker works beside others.

/// How much a worker does at once, and how it shares work with others.
///
/// ```
/// use divvy::WorkerSettings;
///
/// // One that works alone and enters no roster, such as a job that a scheduler starts.
/// let alone = WorkerSettings { roster_secs: 0, ..WorkerSettings::default() };
/// assert_eq!(alone.in_flight, 8);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain settings, written as a literal")]
pub struct WorkerSettings {
    /// So many requests are under way at once; with 1 they go out one after the other.
    pub in_flight: usize,
    /// A batch that nobody answered for is asked about again after so many seconds; each further
    /// wait is twice as long, up to an hour.
    pub first_wait_secs: u64,
    /// Other workers take over what is open so many seconds after this one was heard of last. With
    /// 0 it enters no roster, sees nobody, and does everything itself.
    ///
    /// It must be longer than three times what lies between two ticks, or workers take each other
    /// for dead, which costs requests and nothing else.
    pub roster_secs: u64,
}

impl WorkerSettings {
    /// For whoever works alone, and for one tick only.
    pub(crate) fn alone() -> Self {
        Self { roster_secs: 0, ..Self::default() }
    }
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self { in_flight: 8, first_wait_secs: 60, roster_secs: 90 }
    }
}

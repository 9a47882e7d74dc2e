//! tmp
use divvy_core::Time;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
/// tmp
#[derive(Clone, Debug)]
pub enum Clock {
    /** tmp */
    System,
    /** tmp */
    Told(Arc<AtomicU64>),
}
impl Clock {
    /// tmp
    pub fn told(t: Time) -> Self {
        Self::Told(Arc::new(AtomicU64::new(t.millis())))
    }
    /// tmp
    pub fn tell(&self, t: Time) {
        if let Self::Told(a) = self {
            a.store(t.millis(), Ordering::Relaxed)
        }
    }
    /// tmp
    pub fn now(&self) -> Time {
        match self {
            Self::System => now(),
            Self::Told(a) => Time::from_millis(a.load(Ordering::Relaxed)),
        }
    }
}
/// tmp
#[allow(clippy::disallowed_methods)]
pub fn now() -> Time {
    Time::from_millis(
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis()
            as u64,
    )
}

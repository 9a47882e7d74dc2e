//! Where a worker's randomness comes from: the system, or the seed of a simulation.

use std::sync::atomic::{AtomicU64, Ordering};

use divvy_core::{Code, Error, Hash};

/// A source of draws that no two workers share.
#[derive(Debug)]
pub(crate) enum Draws {
    /// The system's randomness.
    System,
    /// What follows from a seed: the same draws in the same order, for ever.
    Seeded { seed: Hash, drawn: AtomicU64 },
}

impl Draws {
    /// What follows from a seed that no other worker has.
    pub(crate) const fn seeded(seed: Hash) -> Self {
        Self::Seeded { seed, drawn: AtomicU64::new(0) }
    }

    /// The next draw.
    pub(super) fn draw(&self) -> Result<Hash, Error> {
        match self {
            Self::System => random(),
            Self::Seeded { seed, drawn } => {
                let n = drawn.fetch_add(1, Ordering::Relaxed);
                Ok(seed.then(&Hash::of(&n.to_be_bytes())))
            }
        }
    }
}

fn random() -> Result<Hash, Error> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        let detail = format!("the system gives no randomness ({error}): try again");
        Error::new(Code::StoreUnusable, detail)
    })?;
    Ok(Hash::new(bytes))
}

//! What goes wrong, drawn from a seed: pure, so that a run can be run again.

use core::fmt;

use divvy_core::{Code, Error, Hash};
use serde::{Deserialize, Serialize};

/// What goes wrong with one request.
///
/// "Carried out" means that the world acts on it as its window says. A fault that makes no sense
/// for a request (a lookup cannot be returned) leaves it alone; one that loses the reply of a
/// lookup loses it.
///
/// ```
/// use divvy::sandbox::Fault;
///
/// assert_eq!(Fault::default(), Fault::None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// No reply; carried out so many seconds later, at most the world's lag after it was started.
    Late {
        /// How much later, by the world's clock.
        secs: u64,
    },
    /// Carried out; the line drops before the reply.
    LostReply,
    /// The reply says that it was accepted; nothing is ever done, and nobody remembers it.
    AcceptedAndDropped,
    /// Carried out, replied to, and delivered once more later. Not where the window is `Once`:
    /// a network that duplicates there pays twice whatever a client does.
    Duplicated,
    /// No reply; every other request of the same moment overtakes it.
    OutOfOrder,
    /// 503 before anything is done. It teaches nothing.
    Refused,
    /// Carried out; the reply is a 500.
    ServerError,
    /// Carried out; all of it comes back a day after it is final.
    Returned,
    /// Carried out; what was final is undone after ten minutes, and final again ten later.
    Reorganised,
    /// Carried out; the client has stopped waiting before the reply.
    Slow,
    /// Carried out and written down; then the process dies before it replies.
    Killed,
}

/// How often each fault happens, and the seed that says when.
///
/// ```
/// use divvy::sandbox::{Fault, Faults};
///
/// let faults = Faults::parse(7, "late=20,lost=10,killed=1")?;
/// assert_eq!(faults.to_string(), "late=20,lost=10,killed=1");
/// // The same seed, boot and count draw the same fault.
/// assert_eq!(faults.pick(0, 41, 60), faults.pick(0, 41, 60));
/// assert_eq!(Faults::default().pick(0, 41, 60), Fault::None);
/// # Ok::<(), divvy::core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Faults {
    seed: u64,
    rates: Vec<(usize, u64)>,
}

impl Faults {
    /// Reads `name=permille,…`; empty text is a world without faults. The names are `late`, `lost`,
    /// `dropped`, `duplicated`, `out_of_order`, `refused`, `server_error`, `returned`,
    /// `reorganised`, `slow` and `killed`.
    ///
    /// # Errors
    /// [`Code::InputMalformed`] for an unknown name, a rate that is no number, or rates that sum to
    /// more than 1000.
    pub fn parse(seed: u64, text: &str) -> Result<Self, Error> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let rates = parts.map(rate).collect::<Result<Vec<_>, Error>>()?;
        let sum = rates.iter().fold(0_u64, |sum, (_, permille)| sum.saturating_add(*permille));
        if sum > PERMILLE {
            return Err(malformed(&format!("{text:?} sums to {sum}: stay within 1000 permille")));
        }
        Ok(Self { seed, rates })
    }

    /// The fault of one request: pure in the seed, how often the server was started, and how many
    /// requests it has served since. Lateness is at most `lag_secs`.
    #[must_use]
    pub fn pick(&self, boot: u64, count: u64, lag_secs: u64) -> Fault {
        if self.rates.is_empty() {
            return Fault::None;
        }
        let parts = [self.seed, boot, count].map(u64::to_be_bytes).concat();
        let drawn = *Hash::of(&parts).as_bytes();
        let (when, which) = (number(drawn.first_chunk()), number(drawn.last_chunk()));
        let mut slot = remainder(which, PERMILLE);
        for (place, permille) in &self.rates {
            if slot < *permille {
                let fault = KINDS.get(*place).map_or(Fault::None, |(_, fault)| *fault);
                let late = Fault::Late { secs: remainder(when, lag_secs.max(1)).saturating_add(1) };
                return if matches!(fault, Fault::Late { .. }) { late } else { fault };
            }
            slot = slot.saturating_sub(*permille);
        }
        Fault::None
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (place, permille)) in self.rates.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let name = KINDS.get(*place).map_or("", |(name, _)| *name);
            write!(f, "{comma}{name}={permille}")?;
        }
        Ok(())
    }
}

fn rate(part: &str) -> Result<(usize, u64), Error> {
    let known = || {
        let (name, permille) = part.split_once('=')?;
        let place = KINDS.iter().position(|(known, _)| *known == name.trim())?;
        Some((place, permille.trim().parse().ok()?))
    };
    known().ok_or_else(|| {
        let names = KINDS.map(|(name, _)| name).join(", ");
        malformed(&format!("{part:?} is no fault: write name=permille with one of {names}"))
    })
}

fn number(bytes: Option<&[u8; 8]>) -> u64 {
    bytes.map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

fn remainder(number: u64, of: u64) -> u64 {
    number.checked_rem(of).unwrap_or(0)
}

fn malformed(detail: &str) -> Error {
    Error::new(Code::InputMalformed, detail)
}

const PERMILLE: u64 = 1_000;

const KINDS: [(&str, Fault); 11] = [
    ("late", Fault::Late { secs: 1 }),
    ("lost", Fault::LostReply),
    ("dropped", Fault::AcceptedAndDropped),
    ("duplicated", Fault::Duplicated),
    ("out_of_order", Fault::OutOfOrder),
    ("refused", Fault::Refused),
    ("server_error", Fault::ServerError),
    ("returned", Fault::Returned),
    ("reorganised", Fault::Reorganised),
    ("slow", Fault::Slow),
    ("killed", Fault::Killed),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_comes_about_as_often_as_its_rate_says() {
        let faults = Faults::parse(3, "late=100, lost=50").unwrap();
        let drawn: Vec<_> = (0..10_000).map(|count| faults.pick(1, count, 60)).collect();
        let lost = drawn.iter().filter(|fault| **fault == Fault::LostReply).count();
        let secs = drawn
            .iter()
            .filter_map(|fault| if let Fault::Late { secs } = fault { Some(*secs) } else { None });
        let secs: Vec<u64> = secs.collect();
        assert!((900..1_100).contains(&secs.len()), "{} late", secs.len());
        assert!((430..570).contains(&lost), "{lost} lost");
        assert!(secs.contains(&1) && secs.contains(&60), "late by 1 to 60 seconds");
        assert!(secs.iter().all(|secs| (1..=60).contains(secs)));
    }

    #[test]
    fn a_fault_that_nobody_knows_is_refused_by_name() {
        for (text, said) in [
            ("lat=1", "\"lat=1\""),
            ("late", "\"late\""),
            ("late=x", "\"late=x\""),
            ("late=600,lost=500", "1100"),
        ] {
            let error = Faults::parse(0, text).unwrap_err();
            assert_eq!(error.code(), Code::InputMalformed);
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}

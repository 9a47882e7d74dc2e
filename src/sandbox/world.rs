//! The world: (state, request, fault) → reply, without clock, file or socket.

mod act;
mod agenda;
mod effect;
pub(crate) mod post;
mod read;

pub use effect::{Effect, Entry, EntryKind, Outcome, Taken};

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use clap::ValueEnum;
use divvy_core::{Code, Error, Hash, Reply, Request, Time};
use serde::{Deserialize, Serialize};

use crate::sandbox::faults::Fault;
use agenda::Event;
use post::Post;

pub(crate) use read::reply_error;

/// A provider that pays: all that it remembers, and nothing of what it is asked by.
///
/// ```
/// use divvy::core::{Request, Time};
/// use divvy::sandbox::{Fault, Terms, WindowKind, World};
///
/// let mut world = World::new(Terms { window: WindowKind::Once, ..Terms::default() });
/// let line = r#"{"to":"ann","amount":"90"}"#;
/// let body = format!(r#"{{"reference":"r1","batch":"b","lines":[{line}],"window":"once"}}"#);
/// let request = Request {
///     method: "POST",
///     url: "http://127.0.0.1:1/tries".into(),
///     headers: vec![("sandbox-now", "1000".into())],
///     body: body.into_bytes(),
///     deadline: Time::MAX,
/// };
/// assert_eq!(world.serve(&request, Fault::None).reply.map(|reply| reply.status), Some(200));
/// // It remembers nothing, so the careless client pays ann twice.
/// world.serve(&request, Fault::None);
/// assert_eq!(world.moved(), 180);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    terms: Terms,
    now: Time,
    tries: BTreeMap<String, Kept>,
    /// All that was carried out, whatever the window remembers: by the number of the taken try.
    carried: BTreeMap<u64, Carried>,
    spent: BTreeMap<u64, String>,
    agenda: BTreeMap<(Time, u64), Event>,
    /// Orders events of the same moment, and never repeats.
    events: u64,
    taken: u64,
    sequence: u64,
    moved: u64,
    charged: u64,
}

/// What the world promises.
///
/// ```
/// use divvy::sandbox::{Terms, WindowKind};
///
/// assert_eq!(Terms::default().window, WindowKind::Until);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "plain settings, written as a literal")]
pub struct Terms {
    /// How long it remembers a try.
    pub window: WindowKind,
    /// An accepted try is final so many seconds later; at 0 the reply says final at once. `Once`
    /// always does: its reply is all that there ever is.
    pub finality_secs: u64,
    /// Nothing lands later than so many seconds after it was started, for the windows that need
    /// such a bound. A rail's grace must be longer.
    pub lag_secs: u64,
    /// What the wallet holds; without it, enough for everything.
    pub funds: Option<u64>,
    /// What it charges for each line of a try that it carries out or refuses; in which asset, its
    /// price list says, and no reply.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub fee: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
const fn is_nothing(fee: &u64) -> bool {
    *fee == 0
}

/// The four windows by their kind.
///
/// ```
/// use divvy::sandbox::WindowKind;
///
/// assert_eq!("until_height".parse::<WindowKind>()?, WindowKind::UntilHeight);
/// # Ok::<(), divvy::core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a rail's window is one of four")]
pub enum WindowKind {
    /// The reference dedupes for ever; a coin is spent once.
    Unlimited,
    /// The reference dedupes until a time that the try names.
    Until,
    /// The reference dedupes, and is refused above a height that the try names.
    UntilHeight,
    /// Every request pays.
    Once,
}

/// What is remembered of a try. Its lines are not: they are with whoever keeps the effects.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Kept {
    taken: u64,
    body: Hash,
    batch: String,
    until: Time,
    fate: Standing,
    returned: Vec<u32>,
    fee: u64,
}

/// What a listing shows of a try that was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Carried {
    post: Arc<Post>,
    fate: Standing,
    returned: Vec<u32>,
}

/// Where a try stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Standing {
    Accepted,
    Final,
    Undone,
    Refused {
        reason: &'static str,
        line: Option<u32>,
    },
    /// Nothing moved, and the wallet is why.
    Declined {
        reason: &'static str,
    },
}

impl World {
    /// A world in which nothing has happened.
    #[must_use]
    pub const fn new(terms: Terms) -> Self {
        Self {
            terms,
            now: Time::ZERO,
            tries: BTreeMap::new(),
            carried: BTreeMap::new(),
            spent: BTreeMap::new(),
            agenda: BTreeMap::new(),
            events: 0,
            taken: 0,
            sequence: 0,
            moved: 0,
            charged: 0,
        }
    }

    /// The world as its effects left it, in the order in which they came. What has been written
    /// before a reply is all that is needed.
    ///
    /// ```
    /// use divvy::core::Time;
    /// use divvy::sandbox::{Effect, Terms, World};
    ///
    /// let world = World::replay(Terms::default(), [Effect::Clock(Time::from_millis(5))]);
    /// assert_eq!(world.now().millis(), 5);
    /// ```
    #[must_use]
    pub fn replay(terms: Terms, effects: impl IntoIterator<Item = Effect>) -> Self {
        let mut world = Self::new(terms);
        for effect in effects {
            match effect {
                Effect::Clock(now) => drop(world.advance(now)),
                Effect::Taken(taken) => {
                    let mut again = world.advance(taken.at);
                    let _ = world.post(&taken.body, taken.started, taken.fault, &mut again);
                }
                // Every entry follows from the two above.
                Effect::Entered(_) => {}
            }
        }
        world
    }

    /// Serves one request, and says what has to be written down before anyone hears the reply.
    /// No reply means that the client hears nothing.
    pub fn serve(&mut self, request: &Request, fault: Fault) -> Outcome {
        let header = request.headers.iter().find(|(name, _)| *name == NOW_HEADER);
        let said = header.and_then(|(_, text)| text.trim().parse().ok());
        let started = said.map_or(self.now, Time::from_millis);
        let mut effects = self.advance(started);
        let Some(place) = read::Place::of(request) else {
            let reply = Some(reply_error(404, "no such place"));
            return Outcome { reply, effects };
        };
        let reply = match place {
            read::Place::Post => self.post(&request.body, started, fault, &mut effects),
            read::Place::Clock => Some(self.reply_height()),
            read::Place::Lookup(asked) => {
                let reply = self.look(&asked);
                match fault {
                    Fault::None | Fault::Duplicated | Fault::Returned | Fault::Reorganised => {
                        Some(reply)
                    }
                    Fault::Refused => Some(reply_error(503, "busy")),
                    Fault::ServerError => Some(reply_error(500, "failed")),
                    Fault::Late { .. }
                    | Fault::LostReply
                    | Fault::AcceptedAndDropped
                    | Fault::OutOfOrder
                    | Fault::Slow
                    | Fault::Killed => None,
                }
            }
        };
        Outcome { reply, effects }
    }

    /// The latest time that it has been told.
    #[must_use]
    pub const fn now(&self) -> Time {
        self.now
    }

    /// Its height: one for each ten seconds.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.now.millis().checked_div(HEIGHT_MILLIS).unwrap_or(0)
    }

    /// The last sequence number of its statement.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// What has left the wallet for good: moved, less what was undone or came back.
    #[must_use]
    pub const fn moved(&self) -> u64 {
        self.moved
    }

    /// What it has charged for tries, whatever became of them.
    #[must_use]
    pub const fn charged(&self) -> u64 {
        self.charged
    }

    /// What it promises.
    #[must_use]
    pub const fn terms(&self) -> Terms {
        self.terms
    }
}

impl Terms {
    /// What a try of so many lines costs.
    pub(crate) fn fee_of(self, lines: u32) -> u64 {
        self.fee.saturating_mul(lines.into())
    }
}

impl Default for Terms {
    fn default() -> Self {
        Self { window: WindowKind::Until, finality_secs: 0, lag_secs: 60, funds: None, fee: 0 }
    }
}

impl FromStr for WindowKind {
    type Err = Error;

    /// Reads `unlimited`, `until`, `until_height` or `once`.
    fn from_str(text: &str) -> Result<Self, Error> {
        <Self as ValueEnum>::from_str(text, false).map_err(|_| {
            let detail =
                format!("{text:?} is no window: write unlimited, until, until_height or once");
            Error::new(Code::InputMalformed, detail)
        })
    }
}

/// The header by which a request tells the time.
pub(crate) const NOW_HEADER: &str = "sandbox-now";

const HEIGHT_MILLIS: u64 = 10_000;

/// A reply with a JSON body.
fn reply_json(status: u16, body: &impl Serialize) -> Reply {
    Reply { status, body: serde_json::to_vec(body).unwrap_or_default() }
}

#[cfg(test)]
mod tests;

//! Messages: what a webhook says of a fact.

use divvy_core::{
    Alerted, Amount, Asset, Body, Cause, Code, Error, Extent, Fact, Hash, Line, Name, Place,
    Planned, Stream, Time,
};
use serde::Serialize;

/// What a webhook can tell of.
///
/// ```
/// use divvy::EventKind;
///
/// assert_eq!(EventKind::parse("paid"), Some(EventKind::Paid));
/// assert_eq!(EventKind::Refunded.name(), "refunded");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// Payments were declared to the holders of a pool, or began to flow to them.
    Declared,
    /// Lines of a batch were paid, finally.
    Paid,
    /// Lines that were paid came back.
    Returned,
    /// A payment out that was final was undone by its rail; it may be paid again.
    Reopened,
    /// A payee is not paid until released.
    Held,
    /// A held payee may be paid again.
    Released,
    /// Money of a payment went back: a refund, a dispute or a failure.
    Refunded,
    /// What had gone back came again.
    Restored,
    /// What a person should look at of a treasury has changed.
    Alert,
    /// Nothing happened: a person tries the way.
    Test,
}

impl EventKind {
    /// Everything that facts tell of.
    pub const ALL: &'static [Self] = &[
        Self::Declared,
        Self::Paid,
        Self::Returned,
        Self::Reopened,
        Self::Held,
        Self::Released,
        Self::Refunded,
        Self::Restored,
        Self::Alert,
    ];

    /// The name that stands as `type` in a message.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::Paid => "paid",
            Self::Returned => "returned",
            Self::Reopened => "reopened",
            Self::Held => "held",
            Self::Released => "released",
            Self::Refunded => "refunded",
            Self::Restored => "restored",
            Self::Alert => "alert",
            Self::Test => "test",
        }
    }

    /// The kind with this name, of those that facts tell of.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// What a fact of this kind is told as, if it is told at all.
    pub(crate) fn of_fact(kind: &str) -> Option<Self> {
        Some(match kind {
            "declared.1" | "flowing.1" => Self::Declared,
            "settled.1" => Self::Paid,
            "returned.1" => Self::Returned,
            "reopened.1" => Self::Reopened,
            "held.1" => Self::Held,
            "released.1" => Self::Released,
            "reversed.1" => Self::Refunded,
            "restored.1" => Self::Restored,
            "alerted.1" => Self::Alert,
            _ => return None,
        })
    }

    /// Whether a message of it names the lines of a batch.
    pub(crate) const fn has_lines(self) -> bool {
        matches!(self, Self::Paid | Self::Returned | Self::Reopened)
    }
}

/// One message, as it is sent: the same fact gives the same messages, with the same ids, for ever.
///
/// Its id is taken from the fact's hash, which is over its address and all that it says. Who gets
/// a message again knows it by its id.
///
/// ```
/// use divvy::WebhookMessage;
/// use divvy::core::{Asset, Body, Fact, Head, Held, Name, Stream, Time};
///
/// let payee = Stream::payee(&Name::new("chapter-42")?, &Name::new("p_7f3a")?);
/// let held = Body::Held(Held { reason: "bounced twice".into(), cause: None });
/// let fact = Fact::new(&Head::start(payee), Time::ZERO, &held);
/// let messages = WebhookMessage::of(&fact, &Asset::parse("USD")?, None)?;
/// assert!(messages[0].body.starts_with(r#"{"type":"held","timestamp":"1970-01-01T00:00:00Z""#));
/// // The reason stays with the fact: it may be about a person.
/// assert!(!messages[0].body.contains("bounced"));
/// # Ok::<(), divvy::core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebhookMessage {
    /// By which it is known when it comes again.
    pub id: String,
    /// What it tells of.
    pub event: EventKind,
    /// JSON with `type`, `timestamp` and `data`.
    pub body: String,
}

impl WebhookMessage {
    /// The messages of a fact; none, where there is nothing to tell. Lines of a batch need its
    /// plan, and are told at most a hundred in a message.
    ///
    /// # Errors
    /// The errors of [`Fact::body`], and [`Code::FactOrphan`] for lines without their plan.
    #[expect(clippy::wildcard_enum_match_arm, reason = "of other kinds there is nothing to tell")]
    pub fn of(fact: &Fact, asset: &Asset, planned: Option<&Planned>) -> Result<Vec<Self>, Error> {
        let Some(event) = EventKind::of_fact(&fact.kind) else { return Ok(Vec::new()) };
        let text = |amount| asset.text(amount);
        let told = match fact.body()? {
            Body::Settled(settled) => {
                return lines(fact, asset, planned, (event, &settled.reference, &[]));
            }
            Body::Reopened(reopened) => {
                return lines(fact, asset, planned, (event, &reopened.reference, &[]));
            }
            Body::Returned(returned) => {
                let chosen = (event, returned.reference.as_str(), returned.lines.as_slice());
                return lines(fact, asset, planned, chosen);
            }
            Body::Declared(declared) => Told::Declared {
                pool: part_of(&fact.stream),
                payments: declared.payments.len(),
                gross: text(declared.gross),
                netted: declared.netted.map(text),
                regained: declared.regained.map(text),
                drawn: declared.drawn.map(text),
                over_millis: None,
            },
            Body::Flowing(flowing) => Told::Declared {
                pool: part_of(&fact.stream),
                payments: flowing.payments.len(),
                gross: text(flowing.gross),
                netted: None,
                regained: flowing.regained.map(text),
                drawn: None,
                over_millis: Some(flowing.millis),
            },
            Body::Held(held) => {
                Told::Payee { payee: part_of(&fact.stream), batch: held.cause.clone() }
            }
            Body::Released(_) => Told::Payee { payee: part_of(&fact.stream), batch: None },
            Body::Reversed(reversed) => {
                let cause = Some(reversed.cause);
                refund(fact, asset, (reversed.id, cause, reversed.event_at), &reversed.extent)
            }
            Body::Restored(restored) => {
                refund(fact, asset, (restored.id, None, restored.event_at), &restored.extent)
            }
            Body::Alerted(alerted) => Told::alerts(&alerted),
            _ => return Ok(Vec::new()),
        };
        Ok(vec![Self::new(event, id_of(fact), fact, asset, told)?])
    }

    /// A message that tells of nothing, for trying the way.
    pub(crate) fn test(book: &Name, name: &Name, id: String, now: Time) -> Result<Self, Error> {
        let data = Tested { book, webhook: name };
        let body = write(&Envelope { event: EventKind::Test.name(), timestamp: now, data })?;
        Ok(Self { id, event: EventKind::Test, body })
    }

    fn new(
        event: EventKind,
        id: String,
        fact: &Fact,
        asset: &Asset,
        told: Told,
    ) -> Result<Self, Error> {
        let book = book_of(fact)?.to_string();
        let said = Said { stream: &fact.stream, n: fact.n };
        let data = Content { book, asset: asset.to_string(), fact: said, told };
        let body = write(&Envelope { event: event.name(), timestamp: fact.at, data })?;
        Ok(Self { id, event, body })
    }
}

/// The book that a fact is of.
pub(crate) fn book_of(fact: &Fact) -> Result<Name, Error> {
    let place = fact.stream.place();
    if let Place::Payment { .. } = place {
        #[expect(clippy::wildcard_enum_match_arm, reason = "the fold refuses everything else")]
        return match fact.body()? {
            Body::Recorded(recorded) => Ok(recorded.book),
            Body::Reversed(reversed) => Ok(reversed.extent.book),
            Body::Restored(restored) => Ok(restored.extent.book),
            Body::Lost(lost) => Ok(lost.book),
            _ => Err(Error::new(Code::FactMalformed, format!("{} has no book", fact.stream))),
        };
    }
    // The second part of every other stream of a book.
    Name::new(fact.stream.as_str().split('/').nth(1).unwrap_or_default())
}

/// The last part of a stream: the pool, the payee.
fn part_of(stream: &Stream) -> String {
    stream.as_str().rsplit('/').next().unwrap_or_default().to_owned()
}

fn id_of(fact: &Fact) -> String {
    message_id(&fact.hash)
}

/// Half of the hash is enough for as many messages as there will ever be.
pub(super) fn message_id(hash: &Hash) -> String {
    let hash = hash.to_string();
    format!("evt_{}", hash.get(..32).unwrap_or(&hash))
}

/// The messages of lines: those that are named, or all.
fn lines(
    fact: &Fact,
    asset: &Asset,
    planned: Option<&Planned>,
    (event, reference, chosen): (EventKind, &str, &[u32]),
) -> Result<Vec<WebhookMessage>, Error> {
    let planned = planned.ok_or_else(|| {
        Error::new(Code::FactOrphan, format!("{} has no plan: run verify", fact.stream))
    })?;
    let is_named = |i: u32| chosen.is_empty() || chosen.contains(&i);
    let named = (0..u32::MAX).zip(&planned.lines).filter(|(i, _)| is_named(*i));
    let named: Vec<&Line> = named.map(|(_, line)| line).collect();
    let parts = named.len().div_ceil(LINES_MAX);
    let total = asset.text(Amount::total(named.iter().map(|line| line.amount))?);
    let message = |(i, lines): (usize, &[&Line])| {
        let part = i.saturating_add(1);
        let line =
            |line: &&Line| ToldLine { payee: line.payee.clone(), amount: asset.text(line.amount) };
        let told = Told::Lines {
            rail: planned.rail.clone(),
            reference: reference.to_owned(),
            total: total.clone(),
            part,
            parts,
            lines: lines.iter().map(line).collect(),
        };
        let id = if parts == 1 { id_of(fact) } else { format!("{}_{part}", id_of(fact)) };
        WebhookMessage::new(event, id, fact, asset, told)
    };
    named.chunks(LINES_MAX).enumerate().map(message).collect()
}

fn refund(
    fact: &Fact,
    asset: &Asset,
    (reversal, cause, event_at): (String, Option<Cause>, Time),
    extent: &Extent,
) -> Told {
    let (before, after) = (asset.text(extent.before), asset.text(extent.after));
    let payment = fact.stream.clone();
    Told::Refund { payment, reversal, cause, event_at, before, after }
}

/// A receiver reads at least so much of a message, whatever its limits are.
const LINES_MAX: usize = 100;

#[derive(Serialize)]
struct Envelope<T> {
    #[serde(rename = "type")]
    event: &'static str,
    timestamp: Time,
    data: T,
}

#[derive(Serialize)]
struct Content<'a> {
    book: String,
    asset: String,
    fact: Said<'a>,
    #[serde(flatten)]
    told: Told,
}

/// The address at which all of it can be read.
#[derive(Serialize)]
struct Said<'a> {
    stream: &'a Stream,
    n: u64,
}

#[derive(Serialize)]
struct Tested<'a> {
    book: &'a Name,
    webhook: &'a Name,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Told {
    Declared {
        pool: String,
        payments: usize,
        gross: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        netted: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        regained: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        drawn: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        over_millis: Option<u64>,
    },
    Lines {
        rail: Name,
        reference: String,
        total: String,
        part: usize,
        parts: usize,
        lines: Vec<ToldLine>,
    },
    Payee {
        payee: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        batch: Option<Stream>,
    },
    Refund {
        payment: Stream,
        reversal: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        cause: Option<Cause>,
        event_at: Time,
        before: String,
        after: String,
    },
    Alerts {
        alerts: Vec<ToldAlert>,
    },
}

#[derive(Serialize)]
struct ToldLine {
    payee: Name,
    amount: String,
}

#[derive(Serialize)]
struct ToldAlert {
    alert: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    day: Option<divvy_core::Day>,
}

impl Told {
    fn alerts(alerted: &Alerted) -> Self {
        let alert = |alert: &divvy_core::Alert| ToldAlert {
            alert: alert.name(),
            day: if let divvy_core::Alert::ShortOn(day) = alert { Some(*day) } else { None },
        };
        Self::Alerts { alerts: alerted.alerts.iter().map(alert).collect() }
    }
}

fn write<T: Serialize>(envelope: &Envelope<T>) -> Result<String, Error> {
    serde_json::to_string(envelope).map_err(|error| {
        Error::new(Code::FactMalformed, format!("a message cannot be written: {error}"))
    })
}

//! Explanations: from the payment that brought a unit to the try that paid it, as data and as
//! sentences.

mod batch_story;
mod desk_story;
mod own_parts;
mod payee_story;
mod payment_story;
mod terms_story;
mod words;

use serde::Serialize;

use crate::asset::Asset;
use crate::error::{Code, Error};
use crate::fact::{Body, Charged, Converted, Fact, FeesSet, Place, Stream, Swapped};
use crate::name::Name;
use crate::time::Time;
use batch_story::BatchStory;
use desk_story::DeskStory;
use payee_story::PayeeStory;
use payment_story::PaymentStory;

/// What is to be explained.
///
/// ```
/// use divvy_core::{Name, Subject};
///
/// let subject = Subject::Payee { book: Name::new("duet")?, payee: Name::new("creator")? };
/// assert!(matches!(subject, Subject::Payee { .. }));
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subject {
    /// Everything that a payee earned, was paid, and waits for.
    Payee {
        /// The book.
        book: Name,
        /// The payee.
        payee: Name,
    },
    /// How a payment was divided, and which declarations distributed it.
    Payment(Stream),
    /// A batch's life.
    Batch(Stream),
    /// What a book's treasury noted, and each week that was closed.
    Treasury(Stream),
    /// How a difference with a statement was found, and how it ended.
    Break(Stream),
    /// The rules of a book, and whose key sets them.
    Rules(Stream),
    /// Who approves the runs of a book, above which limit.
    Runs(Stream),
    /// What the endpoint of a webhook has heard.
    Webhook(Stream),
}

/// One thing that happened, as data and as a sentence.
///
/// ```
/// use divvy_core::{Chapter, Stream, Time};
///
/// let chapter = Chapter {
///     at: Time::ZERO,
///     stream: Stream::parse("run/duet")?,
///     n: 0,
///     change: None,
///     sentence: "nothing happened yet".into(),
/// };
/// assert_eq!(chapter.to_string(), "1970-01-01T00:00:00Z  nothing happened yet");
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data for people and programs")]
pub struct Chapter {
    /// When.
    pub at: Time,
    /// The fact's stream…
    pub stream: Stream,
    /// …and its place in it.
    pub n: u64,
    /// What it changed, as `earned +34`, where it moved money between places.
    pub change: Option<String>,
    /// What happened, for people.
    pub sentence: String,
}

impl core::fmt::Display for Chapter {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}  {}", self.at, self.sentence)
    }
}

/// An explanation in the making: feed it every fact, in the order in which they were read.
///
/// ```
/// use divvy_core::{Asset, Explanation, Name, Subject};
///
/// let subject = Subject::Payee { book: Name::new("duet")?, payee: Name::new("creator")? };
/// let explanation = Explanation::new(subject, Asset::parse("USD")?)?;
/// assert!(explanation.finish().is_empty());
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Explanation {
    story: Story,
    chapters: Vec<Chapter>,
}

#[derive(Debug)]
enum Story {
    Payee(Box<PayeeStory>),
    Payment(PaymentStory),
    Batch(BatchStory),
    Desk(DeskStory),
}

impl Explanation {
    /// Begins to explain something of a book with this asset.
    ///
    /// # Errors
    /// [`Code::InputMalformed`] for a stream that has no story, or another one.
    pub fn new(subject: Subject, asset: Asset) -> Result<Self, Error> {
        let story = match subject {
            Subject::Payee { book, payee } => {
                Story::Payee(Box::new(PayeeStory::new(book, payee, asset)))
            }
            Subject::Payment(stream) if matches!(stream.place(), Place::Payment { .. }) => {
                Story::Payment(PaymentStory::new(stream, asset))
            }
            Subject::Batch(stream) if matches!(stream.place(), Place::Batch { .. }) => {
                Story::Batch(BatchStory::new(stream, asset))
            }
            Subject::Treasury(stream) if matches!(stream.place(), Place::Treasury { .. }) => {
                Story::Desk(DeskStory::new(stream, asset))
            }
            Subject::Break(stream) if matches!(stream.place(), Place::Break { .. }) => {
                Story::Desk(DeskStory::new(stream, asset))
            }
            Subject::Rules(stream) if matches!(stream.place(), Place::Rule { .. }) => {
                Story::Desk(DeskStory::new(stream, asset))
            }
            Subject::Runs(stream) if matches!(stream.place(), Place::Run { .. }) => {
                Story::Desk(DeskStory::new(stream, asset))
            }
            Subject::Webhook(stream) if matches!(stream.place(), Place::Webhook { .. }) => {
                Story::Desk(DeskStory::new(stream, asset))
            }
            Subject::Payment(stream)
            | Subject::Batch(stream)
            | Subject::Treasury(stream)
            | Subject::Break(stream)
            | Subject::Rules(stream)
            | Subject::Runs(stream)
            | Subject::Webhook(stream) => {
                let detail = format!("{stream} has no story: name a payee, a payment or a batch");
                return Err(Error::new(Code::InputMalformed, detail));
            }
        };
        Ok(Self { story, chapters: Vec::new() })
    }

    /// Takes in facts.
    ///
    /// # Errors
    /// The errors of [`Fact::body`], and of a history that breaks a rule.
    pub fn feed(&mut self, facts: &[Fact]) -> Result<(), Error> {
        for fact in facts {
            let told = match &mut self.story {
                Story::Payee(story) => story.tell(fact)?,
                Story::Payment(story) => story.tell(fact)?,
                Story::Batch(story) => story.tell(fact)?,
                Story::Desk(story) => story.tell(fact)?,
            };
            let chapter = |(change, sentence): (Option<String>, String)| Chapter {
                at: fact.at,
                stream: fact.stream.clone(),
                n: fact.n,
                change,
                sentence,
            };
            self.chapters.extend(told.map(chapter));
        }
        Ok(())
    }

    /// What happened, in order.
    #[must_use]
    pub fn finish(self) -> Vec<Chapter> {
        self.chapters
    }
}

/// A change and a sentence about one fact, if it belongs to the story.
type Told = Option<(Option<String>, String)>;

/// The sentence for a fact about a try or a batch as a whole.
#[expect(clippy::wildcard_enum_match_arm, reason = "other kinds are no part of this story")]
fn batch_sentence(body: &Body, asset: &Asset) -> Option<String> {
    let sentence = match body {
        Body::Asked(asked) => format!(
            "it waits for {} of these people to approve it: {}",
            asked.approvals,
            asked.people.iter().map(|person| person.name.as_str()).collect::<Vec<_>>().join(", ")
        ),
        Body::Approved(approved) => {
            format!("{} approved it, as signed at {}", approved.by, approved.signed_at)
        }
        Body::Decided(decided) => decided_sentence(decided),
        Body::Signed(signed) => {
            format!(
                "a try was signed as {}, to be sent {}",
                signed.reference,
                window(signed.window)
            )
        }
        Body::Sent(sent) => format!("the rail took try {}", sent.reference),
        Body::Settled(settled) => {
            let said = format!("try {} is final: {}", settled.reference, settled.evidence.said);
            let moved = settled.moved.as_ref().map(|moved| instead(moved, asset));
            said + &moved.unwrap_or_default()
        }
        Body::Charged(Charged { reference, asset, amount, .. }) => {
            let (amount, code) = (asset.text(*amount), asset.code());
            format!("the rail has charged {amount} {code} for try {reference} so far")
        }
        Body::Swapped(Swapped { reference, moved, .. }) => {
            format!("the rail said later what try {reference} has moved{}", instead(moved, asset))
        }
        Body::Voided(voided) => {
            format!("try {} can never move money: {}", voided.reference, voided.evidence.said)
        }
        Body::Refused(refused) => {
            format!("the rail refused try {}: {}", refused.reference, refused.reason)
        }
        Body::Declined(declined) => format!(
            "the rail declined try {}, and no payee is to blame: {}",
            declined.reference, declined.reason
        ),
        Body::Review(review) => format!("a person has to decide: {}", review.reason),
        Body::Cancelled(cancelled) => {
            format!("given up before anything moved: {}", cancelled.reason)
        }
        Body::Returned(returned) => {
            format!("money of try {} came back: {}", returned.reference, returned.reason)
        }
        Body::Reopened(reopened) => {
            format!("the rail undid try {}: {}", reopened.reference, reopened.evidence.said)
        }
        _ => return None,
    };
    Some(sentence)
}

/// What moved in another asset, at the rate that was locked then.
fn instead(moved: &Converted, asset: &Asset) -> String {
    let Ok(worth) = moved.locked() else { return String::new() };
    format!(
        "; {} {} moved, worth {} {} at {} ({}, {})",
        moved.asset.text(moved.amount),
        moved.asset.code(),
        asset.text(worth),
        asset.code(),
        words::price_text((moved.rate_num, moved.rate_den), &moved.asset, asset),
        moved.source,
        moved.quoted_at
    )
}

/// What is shown to payees before they bear anything.
fn fees_sentence(set: &FeesSet, asset: &Asset) -> String {
    let text = |amount| format!("{} {}", asset.text(amount), asset.code());
    let bears = set.borne_max.map_or("the platform bears all fees".to_owned(), |most| {
        format!("each payee bears their part of a batch's fee, at most {} a line", text(most))
    });
    let ceiling =
        set.ceiling.map(|ceiling| format!(", and no batch may cost above {}", text(ceiling)));
    format!("from now on {bears}{}", ceiling.unwrap_or_default())
}

/// So many of them, in the singular where it is one.
fn counted(count: impl Into<u64>, noun: &str) -> String {
    match count.into() {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    }
}

/// Who decided what follows, and whether anyone can check that.
fn decided_sentence(decided: &crate::fact::Decided) -> String {
    let how = if decided.proof.is_some() { "decided and signed" } else { "decided, unsigned," };
    format!("{} {how} what follows: {}", decided.by, decided.reason)
}

fn window(window: crate::fact::Window) -> String {
    use crate::fact::Window;
    match window {
        Window::Unlimited => "again for ever".to_owned(),
        Window::Until(time) => format!("again until {time}"),
        Window::UntilHeight(height) => format!("again up to height {height}"),
        Window::Once => "once".to_owned(),
    }
}

//! The rail seam: requests as data, replies as data, and four conversations about them.
//!
//! A rail shapes, signs and reads; it never dials, sleeps, retries or remembers. Those four
//! belong to the host, where they can be seen.

mod bill;
mod stranger;

pub use bill::{Bill, Fee};
pub use stranger::{Stranger, StrangerLine};

use core::fmt;

use crate::amount::Amount;
use crate::error::Error;
use crate::fact::{Evidence, Hash, Line, Sender, Signed, Stream};
use crate::name::Name;
use crate::time::Time;

/// A way to move money out.
///
/// Each conversation is a step: given everything that was heard so far it asks for more, or is
/// done. What was heard is kept as evidence.
///
/// | | reference | window | a first try is void when |
/// |---|---|---|---|
/// | chain with inputs | transaction id | unlimited | another spend of its input is final |
/// | chain with heights | signature | until height | height passed and signature unknown |
/// | keyed API | idempotency key | until time | a listing after the deadline lacks it |
/// | bare API | none before sending | once | never by itself: a person looks |
///
/// ```
/// use divvy_core::{Amount, Error, Heard, Line, Pack, Rail, Time, Turn};
///
/// /// What a dry run says that a payout would cost, once the rail has heard enough.
/// fn cost(rail: &dyn Rail, lines: &[Line], heard: &[Heard]) -> Result<Option<Amount>, Error> {
///     match rail.pack(lines, heard, Time::ZERO)? {
///         Turn::Ask(_) => Ok(None),
///         Turn::Done(packs) => Amount::total(packs.iter().map(|pack| pack.fee)).map(Some),
///     }
/// }
/// ```
pub trait Rail: fmt::Debug + Send + Sync {
    /// The rail's name, as destinations and batches spell it.
    fn name(&self) -> &Name;

    /// The wallet that pays.
    fn wallet(&self) -> &Name;

    /// What the host must know about this rail's timing.
    fn timing(&self) -> Timing;

    /// Checks an address before it becomes a destination.
    ///
    /// # Errors
    /// [`crate::Code::RailRefused`] with the reason and the remedy.
    fn check_address(&self, address: &str) -> Result<(), Error>;

    /// Groups lines into batches that will fit and execute.
    ///
    /// # Errors
    /// [`crate::Code::RailReply`] when a reply cannot be read.
    fn pack(&self, lines: &[Line], heard: &[Heard], now: Time) -> Result<Turn<Vec<Pack>>, Error>;

    /// Signs one try and names what it claims. The reference is known before anything is sent,
    /// and a second try shares a claim with each earlier one that may still move money.
    ///
    /// # Errors
    /// [`crate::Code::RailRefused`] when the wallet cannot pay, [`crate::Code::RailReply`] when a
    /// reply cannot be read.
    fn sign(&self, job: &Job, heard: &[Heard], now: Time) -> Result<Turn<Signed>, Error>;

    /// The request that submits a try: the same bytes every time.
    fn submit(&self, signed: &Signed, now: Time) -> Request;

    /// Finds out what became of every try of a batch. The reply to a submission may open it.
    ///
    /// # Errors
    /// [`crate::Code::RailReply`] when a reply cannot be read; the tries are unknown then.
    fn look(&self, tries: &[Signed], heard: &[Heard], now: Time) -> Result<Turn<Seen>, Error>;

    /// Every try with this book's tag, of this run or a later one, that the rail carried out or
    /// still may, as far as it can show them: a listing, not what it remembers for a window.
    ///
    /// It is asked at each opening before anything is planned, so that a database which was put
    /// back from an older copy pays nobody again.
    ///
    /// # Errors
    /// [`crate::Code::RailReply`] when a reply cannot be read; nothing is planned then.
    fn beyond(
        &self,
        book: &Name,
        run: u64,
        heard: &[Heard],
        now: Time,
    ) -> Result<Turn<Vec<Stranger>>, Error>;
}

/// What a host must know about a rail's timing.
///
/// ```
/// use divvy_core::Timing;
///
/// // A changed destination must cool longer than the longest try can take.
/// let timing = Timing { grace_secs: 60, deadline_secs_max: 300, watch_secs: 86_400 };
/// assert!(86_400 >= timing.deadline_secs_max);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain settings, written as a literal")]
pub struct Timing {
    /// A try's outcome is settled so many seconds after its deadline: clock skew, the request's
    /// own timeout and the rail's settling lag together.
    pub grace_secs: u64,
    /// The longest time from signing to deadline; a changed destination must cool at least so
    /// long.
    pub deadline_secs_max: u64,
    /// What settled is looked at once more after so many seconds, for returns and undone finals.
    pub watch_secs: u64,
}

/// A conversation's turn: ask the world, or be done.
///
/// ```
/// use divvy_core::Turn;
///
/// let turn: Turn<u32> = Turn::Done(7);
/// assert_eq!(turn, Turn::Done(7));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a conversation either asks or ends")]
pub enum Turn<T> {
    /// Send these, and come back with what was heard.
    Ask(Vec<Request>),
    /// This is the outcome.
    Done(T),
}

/// One HTTP exchange as data. Headers with secrets are added when it is sent, by the name of the
/// credential, and are never part of it.
///
/// ```
/// use divvy_core::{Request, Time};
///
/// let request = Request {
///     method: "POST",
///     url: "http://127.0.0.1:1/tries".into(),
///     headers: vec![("content-type", "application/json".into())],
///     body: b"{}".to_vec(),
///     deadline: Time::ZERO.plus_secs(300),
/// };
/// // It holds no secret, so it may be kept, logged and shown.
/// assert!(request.headers.iter().all(|(name, _)| *name != "authorization"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "plain data that hosts send")]
pub struct Request {
    /// The method, in capitals.
    pub method: &'static str,
    /// The whole address.
    pub url: String,
    /// Headers without secrets.
    pub headers: Vec<(&'static str, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
    /// It must not be started later than this.
    pub deadline: Time,
}

/// A reply as it arrived.
///
/// ```
/// use divvy_core::Reply;
///
/// // A 500 is a reply as any other: what it teaches is for the rail to say.
/// assert_eq!(Reply { status: 500, body: vec![] }.status, 500);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "plain data that hosts receive")]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body's bytes.
    pub body: Vec<u8>,
}

/// A request and what was heard of it. No answer is an answer: it teaches nothing.
///
/// ```
/// use divvy_core::{Hash, Heard, Request, Time};
///
/// let (method, url) = ("GET", "http://127.0.0.1:1/tries/7".to_owned());
/// let request = Request { method, url, headers: vec![], body: vec![], deadline: Time::MAX };
/// // No answer is an answer, and it is kept as evidence too.
/// let heard = Heard { request, reply: None };
/// assert_eq!(heard.evidence().said, "no answer");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "plain data that hosts hand back")]
pub struct Heard {
    /// What was asked.
    pub request: Request,
    /// What came back, if anything did.
    pub reply: Option<Reply>,
}

impl Heard {
    /// What was heard, as evidence: a hash of the whole reply, and its beginning.
    ///
    /// ```
    /// use divvy_core::{Heard, Reply, Request, Time};
    ///
    /// let request = Request {
    ///     method: "GET",
    ///     url: "http://127.0.0.1:1/tries/7".into(),
    ///     headers: vec![],
    ///     body: vec![],
    ///     deadline: Time::MAX,
    /// };
    /// let heard = Heard { request, reply: Some(Reply { status: 200, body: b"final".to_vec() }) };
    /// assert_eq!(heard.evidence().said, "200 final");
    /// ```
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        let source = format!("{} {}", self.request.method, self.request.url);
        let Some(reply) = &self.reply else {
            return Evidence { source, hash: Hash::of(b""), said: "no answer".to_owned() };
        };
        let text = String::from_utf8_lossy(&reply.body);
        let said: String = text.chars().take(EVIDENCE_CHARS_MAX).collect();
        let said = format!("{} {said}", reply.status);
        Evidence { source, hash: Hash::of(&reply.body), said: said.trim_end().to_owned() }
    }
}

/// Longer replies are kept by their hash and their beginning.
const EVIDENCE_CHARS_MAX: usize = 240;

/// Lines that one batch can move together.
///
/// ```
/// use divvy_core::{Amount, Pack};
///
/// // The first and the third line go together, for a fee of 2.
/// let pack = Pack { lines: vec![0, 2], fee: Amount::new(2)? };
/// assert_eq!(pack.lines.len(), 2);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, written as a literal")]
pub struct Pack {
    /// Which of the lines, by their place in what was given.
    pub lines: Vec<usize>,
    /// What the rail quotes for it now, in the book's asset.
    pub fee: Amount,
}

/// What is to be signed.
///
/// ```
/// use divvy_core::{Hash, Job, Name, Sender, Stream};
///
/// let job = Job {
///     batch: Stream::batch(&Name::new("chapter-42")?, 7, 0),
///     lines: vec![],
///     tries: vec![],
///     claimed: vec!["coin 1".into()],
///     sender: Sender { process: "till 1".into(), try_id: Hash::of(b"drawn for this commit") },
/// };
/// // The try carries the batch's name wherever the rail can show it.
/// assert_eq!(job.batch.as_str(), "batch/chapter-42/7/0");
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, written as a literal")]
pub struct Job {
    /// The batch; every try carries its name wherever the rail can show it.
    pub batch: Stream,
    /// Who gets how much, and where.
    pub lines: Vec<Line>,
    /// The tries before this one.
    pub tries: Vec<Signed>,
    /// What other batches have claimed of the wallet.
    pub claimed: Vec<String>,
    /// Who alone may send it, should the window be `Once`.
    pub sender: Sender,
}

/// What a look found: an answer for each try, in order, and how far the rail has come.
///
/// ```
/// use divvy_core::{Answer, Evidence, Hash, Seen};
///
/// let evidence = Evidence { source: "GET /tries".into(), hash: Hash::of(b""), said: "".into() };
/// // Two tries: the first is unknown, the second final. One answer for each, in order.
/// let answers = vec![Answer::Unknown, Answer::Final];
/// let seen = Seen { answers, tip: None, evidence, bills: Vec::new() };
/// assert_eq!(seen.answers.len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, written as a literal")]
pub struct Seen {
    /// One for each try.
    pub answers: Vec<Answer>,
    /// The rail's height, where it has one and said so.
    pub tip: Option<u64>,
    /// How we know.
    pub evidence: Evidence,
    /// What tries have cost, as far as the rail says.
    pub bills: Vec<Bill>,
}

/// What was learned of one try.
///
/// ```
/// use divvy_core::Answer;
///
/// // A timeout, a 404 and a 500 all teach the same: nothing.
/// assert_eq!(Answer::default(), Answer::Unknown);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Answer {
    /// The rail took it; nothing is final yet.
    Accepted,
    /// The rail shows it as final.
    Final,
    /// It did not move, and this try can never move money again.
    ///
    /// Not "404": a late request may still land. A rail may say this only with proof.
    Void,
    /// The rail documents that nothing moved or will, and why.
    Refused {
        /// In the rail's words.
        reason: String,
        /// The line that is to blame, if the rail names one.
        line: Option<u32>,
    },
    /// The rail documents that nothing moved or will, and no payee is to blame: the wallet does not
    /// hold so much, or is closed to us. The lines are payable again, and nobody is held.
    Declined {
        /// In the rail's words.
        reason: String,
    },
    /// It moved, and came back.
    Returned {
        /// In the rail's words.
        reason: String,
        /// The lines that came back; none named means all of them.
        lines: Vec<u32>,
    },
    /// What was final is not any more: the rail itself undid it.
    ///
    /// Where a window is over this proves the try void, since nobody may send it again. A rail that
    /// may do it again by itself says [`Answer::Accepted`] as long as it may.
    Undone,
    /// Timeout, dropped line, 5xx, not there yet: we learned nothing.
    #[default]
    Unknown,
}

//! Streams: the names of ordered, hash-chained runs of facts.

use core::fmt;
use std::sync::Arc;

use crate::error::{Code, Error};
use crate::name::{Name, is_name, written_as_text};

/// The name of an ordered run of facts.
///
/// ```
/// use divvy_core::{Name, Place, Stream};
///
/// let stream = Stream::parse("payee/chapter-42/alice")?;
/// assert_eq!(stream.place(), Place::Payee { book: "chapter-42", payee: "alice" });
/// assert!(Stream::parse("payee/chapter-42").is_err());
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stream(Arc<str>);

/// What a stream is about, taken from its name.
///
/// ```
/// # use divvy_core::{Place, Stream};
/// assert_eq!(Stream::parse("coins/till")?.place(), Place::Coins { wallet: "till" });
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place<'a> {
    /// `rule/<book>`: how a book was opened, and its rules.
    Rule {
        /// The book.
        book: &'a str,
    },
    /// `pool/<book>/<pool>`: units and declarations.
    Pool {
        /// The book.
        book: &'a str,
        /// The pool.
        pool: &'a str,
    },
    /// `payee/<book>/<payee>`: destination, policy, holds.
    Payee {
        /// The book.
        book: &'a str,
        /// The payee.
        payee: &'a str,
    },
    /// `payment/<source>/<account>/<id>`: one movement of money, whatever book it went to.
    Payment {
        /// Who says so, such as a rail or an import.
        source: &'a str,
        /// The account that received it.
        account: &'a str,
        /// The id of the money's movement.
        id: &'a str,
    },
    /// `division/<book>`: who brought whom, and how payments were divided whose rule counts.
    Division {
        /// The book.
        book: &'a str,
    },
    /// `run/<book>`: the payout runs.
    Run {
        /// The book.
        book: &'a str,
    },
    /// `batch/<book>/<run>/<i>`: the life of one batch.
    Batch {
        /// The book.
        book: &'a str,
        /// The run.
        run: u64,
        /// The batch's place in its run.
        i: u32,
    },
    /// `seal/facts`: hashes over everything that was written.
    Seal,
    /// `coins/<wallet>`: what tries have claimed.
    Coins {
        /// The wallet.
        wallet: &'a str,
    },
    /// `treasury/<book>`: money that moves beside payments and payouts, and closings.
    Treasury {
        /// The book.
        book: &'a str,
    },
    /// `break/<book>/<id>`: where our books and a statement differ.
    Break {
        /// The book.
        book: &'a str,
        /// The break.
        id: &'a str,
    },
    /// `webhook/<book>/<endpoint>`: what an endpoint has heard.
    Webhook {
        /// The book.
        book: &'a str,
        /// The endpoint.
        endpoint: &'a str,
    },
}

impl Stream {
    /// Reads a stream's name.
    ///
    /// # Errors
    /// [`Code::NameMalformed`] for a name that is none of the known places.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if place(text).is_some_and(|place| place.is_named()) {
            return Ok(Self(Arc::from(text)));
        }
        let shown: String = text.chars().take(80).collect();
        let detail = format!(
            "{shown:?} is no stream: write it as batch/<book>/<run>/<i>, or payee/<book>/<payee>"
        );
        Err(Error::new(Code::NameMalformed, detail))
    }

    /// The stream of a book's opening and rules.
    #[must_use]
    pub fn rule(book: &Name) -> Self {
        Self(format!("rule/{book}").into())
    }

    /// The stream of a pool.
    #[must_use]
    pub fn pool(book: &Name, pool: &Name) -> Self {
        Self(format!("pool/{book}/{pool}").into())
    }

    /// The stream of a payee.
    #[must_use]
    pub fn payee(book: &Name, payee: &Name) -> Self {
        Self(format!("payee/{book}/{payee}").into())
    }

    /// The stream of one movement of money. It names no book: recording it into a second book is
    /// a conflict that can be seen.
    #[must_use]
    pub fn payment(source: &Name, account: &Name, id: &Name) -> Self {
        Self(format!("payment/{source}/{account}/{id}").into())
    }

    /// The stream of a book's payout runs.
    #[must_use]
    pub fn run(book: &Name) -> Self {
        Self(format!("run/{book}").into())
    }

    /// The stream of one batch.
    #[must_use]
    pub fn batch(book: &Name, run: u64, i: u32) -> Self {
        Self(format!("batch/{book}/{run}/{i}").into())
    }

    /// The stream of what a wallet's tries have claimed.
    #[must_use]
    pub fn coins(wallet: &Name) -> Self {
        Self(format!("coins/{wallet}").into())
    }

    /// The stream of a book's divisions, and of who brought whom.
    #[must_use]
    pub fn division(book: &Name) -> Self {
        Self(format!("division/{book}").into())
    }

    /// The stream of a book's treasury.
    #[must_use]
    pub fn treasury(book: &Name) -> Self {
        Self(format!("treasury/{book}").into())
    }

    /// The stream of a break.
    #[must_use]
    pub fn of_break(book: &Name, id: &Name) -> Self {
        Self(format!("break/{book}/{id}").into())
    }

    /// The stream of an endpoint that webhooks go to.
    #[must_use]
    pub fn webhook(book: &Name, endpoint: &Name) -> Self {
        Self(format!("webhook/{book}/{endpoint}").into())
    }

    /// The stream of the seals over everything that was written.
    #[must_use]
    pub fn seal() -> Self {
        Self(SEAL.into())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the stream is about.
    ///
    /// # Panics
    /// Never: every constructor checks that the name is a place.
    #[must_use]
    #[expect(clippy::expect_used, reason = "every constructor checks that the name is a place")]
    pub fn place(&self) -> Place<'_> {
        place(&self.0).expect("a stream's name is a place")
    }
}

/// Takes a name apart; whether its parts are names is another question.
fn place(text: &str) -> Option<Place<'_>> {
    let (room, rest) = text.split_once('/')?;
    Some(match room {
        "payment" => {
            let (source, rest) = rest.split_once('/')?;
            let (account, id) = rest.split_once('/')?;
            Place::Payment { source, account, id }
        }
        "payee" => {
            let (book, payee) = rest.split_once('/')?;
            Place::Payee { book, payee }
        }
        "pool" => {
            let (book, pool) = rest.split_once('/')?;
            Place::Pool { book, pool }
        }
        "batch" => {
            let (book, rest) = rest.split_once('/')?;
            let (run, i) = rest.split_once('/')?;
            Place::Batch { book, run: number(run)?, i: number(i)? }
        }
        "rule" => Place::Rule { book: rest },
        "run" => Place::Run { book: rest },
        "division" => Place::Division { book: rest },
        "coins" => Place::Coins { wallet: rest },
        "treasury" => Place::Treasury { book: rest },
        "break" => {
            let (book, id) = rest.split_once('/')?;
            Place::Break { book, id }
        }
        "webhook" => {
            let (book, endpoint) = rest.split_once('/')?;
            Place::Webhook { book, endpoint }
        }
        "seal" if text == SEAL => Place::Seal,
        _ => return None,
    })
}

impl<'a> Place<'a> {
    /// The book that the stream names. Payments, wallets and seals name none.
    ///
    /// ```
    /// # use divvy_core::Stream;
    /// assert_eq!(Stream::parse("batch/shop/7/0")?.place().book(), Some("shop"));
    /// assert_eq!(Stream::parse("coins/till")?.place().book(), None);
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub const fn book(&self) -> Option<&'a str> {
        match self {
            Self::Rule { book }
            | Self::Pool { book, .. }
            | Self::Payee { book, .. }
            | Self::Division { book }
            | Self::Run { book }
            | Self::Batch { book, .. }
            | Self::Treasury { book }
            | Self::Break { book, .. }
            | Self::Webhook { book, .. } => Some(book),
            Self::Payment { .. } | Self::Coins { .. } | Self::Seal => None,
        }
    }

    /// Whether every part that is a name is one.
    fn is_named(&self) -> bool {
        match self {
            Self::Payment { source, account, id } => {
                [source, account, id].into_iter().all(|name| is_name(name))
            }
            Self::Payee { book, payee: name }
            | Self::Pool { book, pool: name }
            | Self::Break { book, id: name }
            | Self::Webhook { book, endpoint: name } => is_name(book) && is_name(name),
            Self::Rule { book: name }
            | Self::Run { book: name }
            | Self::Batch { book: name, .. }
            | Self::Coins { wallet: name }
            | Self::Division { book: name }
            | Self::Treasury { book: name } => is_name(name),
            Self::Seal => true,
        }
    }
}

const SEAL: &str = "seal/facts";

/// Digits alone, without leading zeros, so that a place has one name.
fn number<T: core::str::FromStr>(text: &str) -> Option<T> {
    let canonical = text == "0" || !text.starts_with('0');
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if canonical && digits { text.parse().ok() } else { None }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

written_as_text!(Stream, parse);

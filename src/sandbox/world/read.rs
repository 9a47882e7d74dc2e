//! What can be asked of the world, and how it replies.

use divvy_core::{Reply, Request};
use reqwest::Url;
use serde::Serialize;

use crate::sandbox::world::post::{Post, PostLine};
use crate::sandbox::world::{Carried, Kept, Standing, WindowKind, World, reply_json};

/// Where a request goes.
pub(super) enum Place {
    Post,
    Clock,
    Lookup(Lookup),
}

/// A question that changes nothing.
pub(super) enum Lookup {
    Try(String),
    Batch(String),
    Book { book: String, run_from: u64, after: u64 },
    Coins { after: Option<u64>, limit: usize },
    Coin(u64),
    Height,
}

impl Place {
    pub(super) fn of(request: &Request) -> Option<Self> {
        let url = Url::parse(&request.url).ok()?;
        let path: Vec<&str> = url.path_segments()?.collect();
        let asked = |name: &str| {
            let mut pairs = url.query_pairs();
            pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        let lookup = match (request.method, path.as_slice()) {
            ("POST", ["tries"]) => return Some(Self::Post),
            ("POST", ["clock"]) => return Some(Self::Clock),
            ("GET", ["tries"]) => match asked("book") {
                Some(book) => {
                    let number = |name| asked(name).and_then(|text| text.parse().ok()).unwrap_or(0);
                    Lookup::Book { book, run_from: number("run_from"), after: number("after") }
                }
                None => Lookup::Batch(asked("batch")?),
            },
            ("GET", ["tries", reference]) => Lookup::Try((*reference).to_owned()),
            ("GET", ["coins"]) => {
                let after = asked("after").and_then(|text| text.parse().ok());
                let limit = asked("limit").and_then(|text| text.parse().ok()).unwrap_or(32);
                Lookup::Coins { after, limit: limit.clamp(1, 1_000) }
            }
            ("GET", ["coins", coin]) => Lookup::Coin(coin_number(coin)?),
            ("GET", ["height"]) => Lookup::Height,
            _ => return None,
        };
        Some(Self::Lookup(lookup))
    }
}

impl World {
    pub(super) fn look(&self, asked: &Lookup) -> Reply {
        let remembers = self.terms.window != WindowKind::Once;
        match asked {
            Lookup::Try(reference) => match self.tries.get(reference) {
                Some(kept) if remembers => Reply { status: 200, ..self.reply_try(reference, kept) },
                Some(_) | None => self.reply_unknown(),
            },
            Lookup::Batch(_) if !remembers => reply_error(404, "only the statement lists tries"),
            Lookup::Batch(batch) => self.reply_batch(batch),
            Lookup::Book { book, run_from, after } => self.reply_book(book, *run_from, *after),
            Lookup::Coins { after, limit } => self.reply_coins(*after, *limit),
            Lookup::Coin(coin) => self.reply_coin(*coin),
            Lookup::Height => self.reply_height(),
        }
    }

    pub(super) fn reply_try(&self, reference: &str, kept: &Kept) -> Reply {
        let said = self.said(reference, kept);
        let status = match said.state {
            "accepted" | "undone" => 202,
            "refused" | "declined" => 422,
            _ => 200,
        };
        reply_json(status, &said)
    }

    /// The reply of a world that remembers nothing.
    pub(super) fn reply_once(&self, post: &Post) -> Reply {
        let fee = self.terms.fee_of(post.lines_count());
        let said = self.said_plainly(&post.reference, &post.batch, "final");
        reply_json(200, &Said { fee: charged(fee), ..said })
    }

    /// The reply that promises what never comes.
    pub(super) fn reply_dropped(&self, post: &Post) -> Reply {
        reply_json(202, &self.said_plainly(&post.reference, &post.batch, "accepted"))
    }

    pub(super) fn reply_height(&self) -> Reply {
        reply_json(200, &Height { height: self.height(), now: self.now.millis() })
    }

    fn reply_unknown(&self) -> Reply {
        reply_json(404, &Height { height: self.height(), now: self.now.millis() })
    }

    fn reply_batch(&self, batch: &str) -> Reply {
        let ours = self.tries.iter().filter(|(_, kept)| kept.batch == batch);
        let tries = ours.map(|(reference, kept)| self.said(reference, kept)).collect();
        reply_json(200, &Listing { tries, height: self.height(), now: self.now.millis() })
    }

    /// What was carried out for a book from a run on, in the order in which it was taken: from the
    /// statement, and so also where the window remembers nothing.
    fn reply_book(&self, book: &str, run_from: u64, after: u64) -> Reply {
        let later = self.carried.range(after.saturating_add(1)..);
        let own = |carried: &Carried| {
            run_of(&carried.post.batch, book).is_some_and(|run| run >= run_from)
        };
        let mut own = later.filter(|(_, carried)| own(carried)).peekable();
        let (mut tries, mut lines) = (Vec::new(), 0_usize);
        while let Some((n, carried)) = own.next_if(|_| lines < LISTED_LINES) {
            lines = lines.saturating_add(carried.post.lines.len());
            tries.push(self.listed(*n, carried));
        }
        let (is_last, now) = (own.peek().is_none(), self.now.millis());
        reply_json(200, &BookListing { tries, is_last, height: self.height(), now })
    }

    fn listed<'a>(&self, n: u64, carried: &'a Carried) -> Listed<'a> {
        let Carried { post, fate, returned } = carried;
        let fee = charged(self.terms.fee_of(post.lines_count()));
        let said = Said { fee, ..self.said_plainly(&post.reference, &post.batch, "") };
        let said = with_fate(said, fate, returned);
        Listed { n, said, lines: &post.lines }
    }

    fn reply_coins(&self, after: Option<u64>, limit: usize) -> Reply {
        let first = after.map_or(0, |after| after.saturating_add(1));
        let unspent = (first..).filter(|coin| !self.spent.contains_key(coin)).take(limit);
        reply_json(200, &Coins { coins: unspent.map(|coin| format!("coin-{coin}")).collect() })
    }

    fn reply_coin(&self, coin: u64) -> Reply {
        let spent_by = self.spent.get(&coin).map(String::as_str);
        let spender = spent_by.and_then(|reference| self.tries.get(reference));
        let is_final = spender.is_some_and(|kept| kept.fate == Standing::Final);
        reply_json(200, &Coin { coin: format!("coin-{coin}"), spent_by, is_final })
    }

    fn said<'a>(&self, reference: &'a str, kept: &'a Kept) -> Said<'a> {
        let fee = charged(kept.fee);
        let said = Said { fee, ..self.said_plainly(reference, &kept.batch, "") };
        with_fate(said, &kept.fate, &kept.returned)
    }

    fn said_plainly<'a>(
        &self,
        reference: &'a str,
        batch: &'a str,
        state: &'static str,
    ) -> Said<'a> {
        let (height, now) = (self.height(), self.now.millis());
        let (reason, line, returned, fee) = (None, None, &[][..], None);
        Said { reference, batch, state, reason, line, returned, fee, height, now }
    }
}

/// A fee as it is said: nothing where nothing is charged.
fn charged(fee: u64) -> Option<String> {
    (fee > 0).then(|| fee.to_string())
}

fn with_fate<'a>(mut said: Said<'a>, fate: &Standing, returned: &'a [u32]) -> Said<'a> {
    said.returned = returned;
    said.state = match fate {
        Standing::Accepted => "accepted",
        Standing::Undone => "undone",
        Standing::Final if returned.is_empty() => "final",
        Standing::Final => {
            said.reason = Some("sent back by the payee's side");
            "returned"
        }
        Standing::Refused { reason, line } => {
            (said.reason, said.line) = (Some(*reason), *line);
            "refused"
        }
        Standing::Declined { reason } => {
            said.reason = Some(*reason);
            "declined"
        }
    };
    said
}

/// The run of a tag, when it is of this book.
fn run_of(batch: &str, book: &str) -> Option<u64> {
    let rest = batch.strip_prefix("batch/")?.strip_prefix(book)?.strip_prefix('/')?;
    rest.split_once('/')?.0.parse().ok()
}

/// What is said of a try.
#[derive(Serialize)]
struct Said<'a> {
    reference: &'a str,
    batch: &'a str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "<[u32]>::is_empty")]
    returned: &'a [u32],
    #[serde(skip_serializing_if = "Option::is_none")]
    fee: Option<String>,
    height: u64,
    now: u64,
}

#[derive(Serialize)]
struct Listing<'a> {
    tries: Vec<Said<'a>>,
    height: u64,
    now: u64,
}

#[derive(Serialize)]
struct BookListing<'a> {
    tries: Vec<Listed<'a>>,
    is_last: bool,
    height: u64,
    now: u64,
}

#[derive(Serialize)]
struct Listed<'a> {
    n: u64,
    #[serde(flatten)]
    said: Said<'a>,
    lines: &'a [PostLine],
}

#[derive(Serialize)]
struct Height {
    height: u64,
    now: u64,
}

#[derive(Serialize)]
struct Coins {
    coins: Vec<String>,
}

#[derive(Serialize)]
struct Coin<'a> {
    coin: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    spent_by: Option<&'a str>,
    #[serde(rename = "final")]
    is_final: bool,
}

#[derive(Serialize)]
struct Failed<'a> {
    error: &'a str,
}

/// A page of a book's tries ends with the one that fills so many lines.
const LISTED_LINES: usize = 5_000;

pub(crate) fn reply_error(status: u16, error: &str) -> Reply {
    reply_json(status, &Failed { error })
}

/// The number of a coin: each wallet has as many as it needs, `coin-0` and up.
pub(super) fn coin_number(coin: &str) -> Option<u64> {
    let number = coin.strip_prefix("coin-")?.parse().ok()?;
    (coin == format!("coin-{number}")).then_some(number)
}

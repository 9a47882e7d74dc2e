//! Looking: where the money is, who is due, and whether every fact holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use divvy::clock;
use divvy::core::{
    Amount, Asset, Balance, Body, Book, BreakState, Code, Error, Expected, Fact, Hash, Line,
    Obstacle, Stream, Time, Verified,
};
use serde_json::{Value, json};

use crate::cli::Verdict;
use crate::cli::balance::say_balance;
use crate::cli::out::Out;
use crate::cli::proof::root;
use crate::cli::setup::Desk;
use crate::cli::waits::say_waits;
use crate::cli::webhook;
use crate::cli::words::{counted, one_or};

/// Show where the money is.
#[derive(Args, Debug)]
pub(crate) struct Status {
    /// The folder with `divvy.toml`.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// One payee's balance.
    #[arg(long)]
    payee: Option<String>,
}

impl Status {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let mut desk = Desk::look(&self.dir).await?;
        match &self.payee {
            Some(payee) => say_balance(&mut desk, payee, out).await?,
            None => {
                desk.quote(clock::now(), out).await?;
                say_book(&mut desk, out)?;
            }
        }
        Ok(Verdict::Done)
    }
}

fn say_book(desk: &mut Desk, out: &mut Out) -> Result<(), Error> {
    let now = clock::now();
    let asset = desk.project.opened.asset.clone();
    let facts = desk.divvy.books().count();
    let fold = desk.divvy.books().book(desk.project.book.as_str())?;
    let totals = fold.totals();
    let mut batches: BTreeMap<String, u64> = BTreeMap::new();
    for standing in fold.batches() {
        let count = batches.entry(format!("{:?}", standing.state).to_lowercase()).or_default();
        *count = count.saturating_add(1);
    }
    let payees = counted(fold.payees_count(), "payee");
    out.say(&format!("book {}: {payees}, {} due", fold.name(), fold.due_count()));
    let mut value = json!({
        "book": fold.name(), "asset": asset.to_string(), "facts": totals.facts,
        "payees": fold.payees_count(), "due": fold.due_count(), "runs": fold.runs(),
        "lines_settled": totals.lines_settled, "batches": batches,
    });
    for (what, amount) in places(fold, now)? {
        if !amount.is_zero() || ALWAYS.contains(&what) {
            out.say(&format!("{what:>18}  {} {}", asset.text(amount), asset.code()));
        }
        if let Value::Object(fields) = &mut value {
            fields.insert(what.replace(' ', "_"), asset.text(amount).into());
        }
    }
    for (state, count) in &batches {
        let word = one_or(count, "batch", "batches");
        out.say(&format!("{count:>18}  {word} {state}"));
    }
    let open = fold.breaks().filter(|(_, one)| one.state != BreakState::Closed).count();
    if open > 0 {
        let word = one_or(open, "difference", "differences");
        out.say(&format!("{open:>18}  {word} with a statement: `divvy break list`"));
    }
    let waits = say_waits(&fold.waits(now)?, &asset, now, out)?;
    let webhooks: Vec<(String, Value)> =
        desk.project.webhooks.iter().map(|(own, _)| webhook::state(fold, own, facts)).collect();
    webhooks.iter().for_each(|(sentence, _)| out.say(sentence));
    if let Value::Object(fields) = &mut value {
        fields.insert("waits".to_owned(), waits);
        fields.insert("breaks_open".to_owned(), open.into());
        let states = webhooks.into_iter().map(|(_, value)| value).collect();
        fields.insert("webhooks".to_owned(), Value::Array(states));
    }
    out.value(&value);
    Ok(())
}

/// These are told always, the other places of money where there is some.
const ALWAYS: [&str; 3] = ["recorded", "payable", "paid"];

/// Where the money is. What is kept back makes up, with the next declarations, for what went back
/// of money that was declared; what is passed on was earned by a pool's payee for its holders.
fn places(fold: &Book, now: Time) -> Result<[(&'static str, Amount); 11], Error> {
    let (totals, (payable, owed_back)) = (fold.totals(), waiting(fold, now)?);
    Ok([
        ("recorded", totals.recorded),
        ("refunded", totals.refunded),
        ("undeclared", totals.undeclared),
        ("earned by legs", totals.one_shot),
        ("declared to pools", totals.declared),
        ("kept back", totals.deficit),
        ("passed on", totals.drawn),
        ("payable", payable),
        ("reserved", totals.reserved),
        ("paid", totals.paid.less(totals.drawn)),
        ("owed back", owed_back),
    ])
}

/// What payees can be paid, and what they owe back, together.
fn waiting(fold: &Book, now: Time) -> Result<(Amount, Amount), Error> {
    let (mut payable, mut owed_back) = (Amount::ZERO, Amount::ZERO);
    for payee in fold.payees() {
        let balance = fold.balance(payee.as_str(), now)?;
        payable = payable.plus(balance.payable)?;
        owed_back = owed_back.plus(balance.owed_back)?;
    }
    Ok((payable, owed_back))
}

/// A balance in a sentence.
pub(crate) fn balance_sentence(payee: &str, balance: &Balance, asset: &Asset) -> String {
    let text = |amount| asset.text(amount);
    let owed = if balance.owed_back.is_zero() {
        String::new()
    } else {
        format!(", owes back {}", text(balance.owed_back))
    };
    format!(
        "{payee} earned {} {}: payable {}, reserved {}, paid {}{owed}; {}",
        text(balance.earned),
        asset.code(),
        text(balance.payable),
        text(balance.reserved),
        text(balance.paid),
        expected(balance, asset)
    )
}

fn expected(balance: &Balance, asset: &Asset) -> String {
    match (&balance.obstacle, balance.expected_on) {
        (Some(Obstacle::PassedOn(pool)), _) => format!("goes to the holders of pool {pool}"),
        (Some(obstacle), expected) => obstacle_sentence(obstacle, expected, asset),
        (None, Expected::Now) => "due now".to_owned(),
        (None, Expected::On(time)) => format!("expected on {}", whole(time)),
        (None, _) => "nobody can tell yet when it is due".to_owned(),
    }
}

/// What stands in the way, and when it is paid all the same.
pub(crate) fn obstacle_sentence(obstacle: &Obstacle, expected: Expected, asset: &Asset) -> String {
    let why = match obstacle {
        Obstacle::Held(reason) => return format!("held: {reason}"),
        Obstacle::NoQuote(rail) => format!("nobody quotes what rail {rail} charges"),
        Obstacle::QuoteOld { rail, at } => {
            format!("what rail {rail} charges was last quoted at {at}")
        }
        Obstacle::FeeAbove { rail, fee, most } => format!(
            "rail {rail} charges {} for a line that is paid for {} at most",
            asset.text(*fee),
            asset.text(*most)
        ),
        Obstacle::NoDestination | _ => {
            return "no destination: tell one by `divvy payee` to be paid".to_owned();
        }
    };
    if let Expected::On(time) = expected {
        format!("{why}; expected on {}", whole(time))
    } else {
        why
    }
}

/// The next whole second: what is expected is not known to the millisecond.
fn whole(time: Time) -> Time {
    Time::from_millis(time.millis().div_ceil(1_000).saturating_mul(1_000))
}

pub(crate) fn balance_value(payee: &str, balance: &Balance, asset: &Asset) -> Value {
    let text = |amount| asset.text(amount);
    json!({
        "payee": payee, "asset": asset.to_string(), "earned": text(balance.earned),
        "payable": text(balance.payable), "reserved": text(balance.reserved),
        "paid": text(balance.paid), "owed_back": text(balance.owed_back),
        "expected": expected(balance, asset),
    })
}

/// `divvy due`.
pub(crate) async fn due(dir: &Path, out: &mut Out) -> Result<Verdict, Error> {
    let mut desk = Desk::look(dir).await?;
    let asset = desk.project.opened.asset.clone();
    let now = clock::now();
    desk.quote(now, out).await?;
    let lines = desk.divvy.due(desk.project.book.as_str(), now)?;
    for line in &lines {
        out.say(&format!("{:>18}  {} to {}", asset.text(line.amount), line.payee, line.to));
    }
    if lines.is_empty() {
        out.say("nobody is due");
    }
    let value = |line: &Line| {
        let amount = asset.text(line.amount);
        json!({"payee": line.payee, "amount": amount, "to": line.to})
    };
    let values: Vec<Value> = lines.iter().map(value).collect();
    out.value(&json!({"asset": asset.to_string(), "due": values}));
    Ok(Verdict::Done)
}

/// Recompute everything, and look for seals.
#[derive(Args, Debug)]
pub(crate) struct Verify {
    /// The folder with `divvy.toml`.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// What `divvy seal` said before: it has to be among the seals of this history.
    #[arg(long = "root", value_name = "HASH")]
    roots: Vec<String>,
}

impl Verify {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let roots: Vec<Hash> =
            self.roots.iter().map(|text| root(text)).collect::<Result<_, _>>()?;
        let mut desk = Desk::look(&self.dir).await?;
        let verified = desk.divvy.verify().await?;
        if !roots.is_empty() {
            look_for(&roots, &desk.divvy.host().read(&Stream::seal()).await?)?;
        }
        say_verified(&verified, out);
        roots.iter().for_each(|root| out.say(&format!("sealed by {root}")));
        Ok(Verdict::Done)
    }
}

/// Refuses a history none of whose seals says what was kept elsewhere.
fn look_for(roots: &[Hash], seals: &[Fact]) -> Result<(), Error> {
    let bodies = seals.iter().map(Fact::body).collect::<Result<Vec<Body>, Error>>()?;
    for root in roots {
        if !bodies.iter().any(|body| matches!(body, Body::Sealed(seal) if seal.root == *root)) {
            let detail = format!(
                "no seal of this history says {root}: it is another history than the one that was \
                 sealed"
            );
            return Err(Error::new(Code::ProofWrong, detail));
        }
    }
    Ok(())
}

fn say_verified(verified: &Verified, out: &mut Out) {
    out.say(&format!(
        "{} {}, and every equation; {} of them {} sealed; digest {}",
        counted(verified.facts, "fact"),
        one_or(verified.facts, "holds", "hold"),
        verified.sealed,
        one_or(verified.sealed, "is", "are"),
        verified.digest
    ));
    let (facts, sealed) = (verified.facts, verified.sealed);
    out.value(&json!({"facts": facts, "sealed": sealed, "digest": verified.digest}));
}

//! A payment in, declared, and the balance of a random holder out: for ten holders and for ten
//! million.
//!
//! Aim: at most 1.2 times apart.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints what it measured")]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::integer_division,
    reason = "a bench that goes wrong should stop"
)]

mod support;

use std::time::Duration;

use divvy_core::danger::{Vouched, vouched};
use divvy_core::{
    Amount, Asset, Book, Books, Evidence, Hash, Leg, Legs, Name, Opened, Policy, Share, Step,
    Target, Time, Units,
};
use support::{median, print_table, quiet_or_exit, ratio, text};

fn main() {
    quiet_or_exit();
    let few = Measured::over(10);
    let many = Measured::over(10_000_000);
    let met = if many.both.as_nanos() * 10 <= few.both.as_nanos() * 12 { "met" } else { "MISSED" };
    let row = |what: &str, few: Duration, many: Duration, aim: &str, met: &str| {
        let apart = ratio(few, many);
        vec![what.to_owned(), text(few), text(many), apart, aim.to_owned(), met.to_owned()]
    };
    let head = ["holders", "10", "10000000", "apart", "aim", ""];
    print_table(&[
        head.map(str::to_owned).to_vec(),
        row("payment to declared", few.declared, many.declared, "", ""),
        row("balance of a random holder", few.balance, many.balance, "", ""),
        row("payment to balance", few.both, many.both, "<= 1.2x", met),
    ]);
}

/// The path in its two halves, and in one.
struct Measured {
    declared: Duration,
    balance: Duration,
    both: Duration,
}

impl Measured {
    fn over(holders: u64) -> Self {
        let mut books = held_by(holders);
        let mut serial = 0;
        let mut declare = |books: &mut Books| {
            serial += 1;
            pay_in(books, serial);
            feed(books, |book| book.declare(NOW).expect("below the ceiling"));
        };
        let mut dice = 7_u64;
        // As far from the last one as a random holder is: no cache knows them.
        let mut balance = |books: &Books| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888);
            let payee = format!("holder-{}", (dice >> 33) % holders);
            books.book(BOOK).expect("open").balance(&payee, NOW).expect("a holder")
        };
        Self {
            declared: median(|| declare(&mut books)),
            balance: median(|| balance(&books)),
            both: median(|| {
                declare(&mut books);
                balance(&books)
            }),
        }
    }
}

/// A book whose one pool is held by so many, all waiting for what they will hardly reach.
fn held_by(holders: u64) -> Books {
    let mut books = Books::default();
    let opened = Opened {
        asset: asset(),
        policy: Policy::Threshold { min: amount(1_000_000_000_000), max_wait_secs: None },
        floor: Amount::ONE,
        cooling_secs: 0,
        named_on: Some(name("sandbox")),
    };
    let step = books.open(&name(BOOK), opened, NOW).expect("the first");
    books.feed(step.facts()).expect("it folds");
    let supply = Units::new(holders).expect("below the ceiling");
    feed(&mut books, |book| book.open_pool(&name(POOL), supply, NOW).expect("the first"));
    let one = Units::new(1).expect("below the ceiling");
    for first in (0..holders).step_by(100_000) {
        let some = first..holders.min(first + 100_000);
        let entries: Vec<_> = some.map(|at| (name(&format!("holder-{at}")), one)).collect();
        feed(&mut books, |book| book.issue_units(POOL, &entries, NOW).expect("new units"));
    }
    let all = Leg { to: Target::Pool(POOL.into()), share: Share::Remaining };
    let legs = Legs::new(vec![all]).expect("it leaves nothing");
    feed(&mut books, |book| book.set_rule(NOW, legs, NOW).expect("the first rule"));
    books
}

fn pay_in(books: &mut Books, serial: u64) {
    let source = format!("till.csv:{serial}");
    let said = Vouched {
        source: name("till"),
        account: name("main"),
        id: name(&format!("receipt-{serial}")),
        amount: amount(1_000),
        asset: asset(),
        payer: None,
        event_at: NOW,
        evidence: Evidence { hash: Hash::of(source.as_bytes()), source, said: String::new() },
    };
    let payment = vouched(said, &asset()).expect("the book's asset");
    let facts = books.book(BOOK).expect("open").record(&[payment], NOW).expect("a rule");
    books.feed(&facts).expect("they fold");
}

fn feed(books: &mut Books, step: impl FnOnce(&Book) -> Step) {
    let step = step(books.book(BOOK).expect("open"));
    books.feed(step.facts()).expect("a step folds");
}

fn asset() -> Asset {
    Asset::parse("USDC@6").expect("an asset")
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

fn amount(minor: u64) -> Amount {
    Amount::new(minor).expect("below the ceiling")
}

const BOOK: &str = "chapter-42";
const POOL: &str = "tokens";
const NOW: Time = Time::from_millis(1_767_225_600_000);

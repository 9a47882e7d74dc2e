//! What a tick costs when there is nothing to do.

use divvy_core::danger::{Vouched, vouched};
use divvy_core::{
    Amount, Asset, Book, Books, Evidence, FeeQuote, FeeShare, Hash, Leg, Legs, Name, Opened,
    Policy, Share, Step, Target, TermsSet, Time, Units,
};

const HOLDERS: u64 = 250_000;
const IDLE_OPERATIONS_MAX: u64 = 10;

/// A book in which everybody waits, below a threshold and for no more than a month.
fn waiting() -> (Books, Time) {
    let now = Time::parse("2026-01-01T00:00:00Z").unwrap();
    let mut books = Books::default();
    let asset = Asset::parse("USDC@6").unwrap();
    let opened = Opened {
        asset: asset.clone(),
        policy: Policy::Threshold {
            min: Amount::new(1_000_000).unwrap(),
            max_wait_secs: Some(30 * 86_400),
        },
        floor: Amount::ONE,
        cooling_secs: 0,
        named_on: Some(name("sandbox")),
    };
    let step = books.open(&name("chapter-42"), opened, now).unwrap();
    books.feed(step.facts()).unwrap();
    let supply = Units::new(HOLDERS).unwrap();
    feed(&mut books, |book| book.open_pool(&name("tokens"), supply, now).unwrap());
    let one = Units::new(1).unwrap();
    let entries: Vec<_> = (0..HOLDERS).map(|at| (name(&format!("holder-{at}")), one)).collect();
    feed(&mut books, |book| book.issue_units("tokens", &entries, now).unwrap());
    let all = Leg { to: Target::Pool("tokens".into()), share: Share::Remaining };
    let legs = Legs::new(vec![all]).unwrap();
    feed(&mut books, |book| book.set_rule(now, legs, now).unwrap());

    // Half of what everybody waits for.
    let payment = Vouched {
        source: name("till"),
        account: name("main"),
        id: name("receipt-1"),
        amount: Amount::new(500_000 * HOLDERS).unwrap(),
        asset: asset.clone(),
        payer: None,
        event_at: now,
        evidence: Evidence { source: "till".into(), hash: Hash::of(b"1"), said: String::new() },
    };
    let payment = vouched(payment, &asset).unwrap();
    let facts = books.book("chapter-42").unwrap().record(&[payment], now).unwrap();
    books.feed(&facts).unwrap();
    feed(&mut books, |book| book.declare(now).unwrap());
    (books, now)
}

fn feed(books: &mut Books, step: impl FnOnce(&Book) -> Step) {
    let step = step(books.book("chapter-42").unwrap());
    books.feed(step.facts()).unwrap();
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

#[test]
fn an_idle_tick_costs_the_same_for_a_quarter_of_a_million_holders() {
    let (mut books, now) = waiting();
    let mut now = now;
    for _ in 0..5 {
        now = now.plus_secs(300);
        let book = books.book_mut("chapter-42").unwrap();
        let before = book.heap_operations();
        book.wake_waited(now).unwrap();
        assert_eq!(book.declare(now).unwrap().facts(), []);
        assert_eq!(book.due(now).unwrap(), []);
        let operations = book.heap_operations() - before;
        assert!((1..=IDLE_OPERATIONS_MAX).contains(&operations), "{operations} operations");
    }

    // Nobody was forgotten: after a month all of them are due at once.
    let book = books.book_mut("chapter-42").unwrap();
    book.wake_waited(now.plus_secs(30 * 86_400)).unwrap();
    assert_eq!(book.due_count(), usize::try_from(HOLDERS).unwrap());
}

/// What the rail charges for a line, in millionths of a dollar.
fn quote(fee: u64, now: Time) -> FeeQuote {
    FeeQuote {
        rail: name("sandbox"),
        asset: Asset::parse("USDC@6").unwrap(),
        fee: Amount::new(fee).unwrap(),
        rate: None,
        source: "a tariff".into(),
        at: now,
        until: now.plus_secs(600),
    }
}

/// Everybody has half a dollar. At 5% of the line a fee of 25,000 pays them, and none above.
#[test]
fn a_fee_that_moves_in_its_band_costs_no_more_than_one_that_stands_still() {
    let (mut books, mut now) = waiting();
    let fee_share = Some(FeeShare::AtMost { bps: 500, waits_secs: None });
    let policy = Some(Policy::Instant);
    let terms = TermsSet { fee_share, policy, ..TermsSet::NONE };
    feed(&mut books, |book| book.set_terms(terms, now).unwrap());
    let tick = |books: &mut Books, fee: u64, now: Time| {
        let book = books.book_mut("chapter-42").unwrap();
        let before = book.heap_operations();
        book.take_quote(&quote(fee, now), now).unwrap();
        book.wake_waited(now).unwrap();
        assert_eq!(book.declare(now).unwrap().facts(), []);
        let due = book.due(now).unwrap();
        let lines: usize = due.iter().map(|due| due.lines.len()).sum();
        (lines, book.heap_operations() - before)
    };
    // far above the edge, then everybody between the edge and the fee
    for (first, fees) in
        [(80_000, [81_000, 70_000, 99_000, 62_000]), (30_000, [29_000, 33_000, 25_001, 26_000])]
    {
        assert_eq!(tick(&mut books, first, now).0, 0);
        for fee in fees {
            now = now.plus_secs(300);
            let (lines, operations) = tick(&mut books, fee, now);
            assert_eq!(lines, 0, "{fee}");
            assert!((1..=IDLE_OPERATIONS_MAX).contains(&operations), "{fee}: {operations}");
        }
    }
    // One step further and everybody is due, without anybody being looked at.
    let (lines, operations) = tick(&mut books, 25_000, now);
    assert_eq!(lines, divvy_core::RUN_LINES_MAX);
    assert!(operations <= IDLE_OPERATIONS_MAX, "{operations}");
    let book = books.book("chapter-42").unwrap();
    assert_eq!(book.due_count(), usize::try_from(HOLDERS).unwrap());
}

//! A book with a pool, and payments for it.

use divvy::core::danger::{Vouched, vouched};
use divvy::core::{Asset, Evidence, Hash, Leg, Legs, Name, Payment, Share, Target, Time, Units};
use divvy::{Book, Divvy, Joined};

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

pub(crate) fn now() -> Time {
    Time::parse("2026-03-01T12:00:00Z").expect("a time")
}

pub(crate) fn units(count: u64) -> Units {
    Units::new(count).expect("units")
}

/// Runs to the end on this thread.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future)
}

/// A payment of an id and an amount.
pub(crate) fn payment(id: &str, amount: &str) -> Payment {
    let usd = Asset::parse("USD").expect("an asset");
    let evidence = Evidence { source: "roll".into(), hash: Hash::of(b"7"), said: id.into() };
    let said = Vouched {
        source: name("till"),
        account: name("main"),
        id: name(id),
        amount: usd.amount(amount).expect("an amount"),
        asset: usd.clone(),
        payer: None,
        event_at: now(),
        evidence,
    };
    vouched(said, &usd).expect("a payment")
}

/// Opens the book, in which ann holds all units of the pool.
pub(crate) async fn open(divvy: &mut Divvy) -> Book<'_> {
    let usd = Asset::parse("USD").expect("an asset");
    let mut book = divvy.open_book(&name("shop"), usd, now()).await.expect("a book");
    book.open_pool(&name("all"), units(1_000), now()).await.expect("a pool");
    book.issue_first("all", &[(name("ann"), units(1_000))], now()).await.expect("holders");
    let to = Target::Pool("all".into());
    let legs = Legs::new(vec![Leg { to, share: Share::Remaining }]).expect("a rule");
    book.set_rule(Time::ZERO, &legs, now()).await.expect("a rule in force");
    book
}

/// Ann gives ben so many units.
pub(crate) fn gives(book: &Book<'_>, count: u64) -> Joined {
    let (ann, ben) = (name("ann"), name("ben"));
    book.move_units_joined("all", (&ann, &ben), units(count), now()).expect("a move")
}

pub(crate) fn held(book: &Book<'_>, holder: &str) -> u64 {
    book.fold().and_then(|fold| fold.units("all", holder)).map_or(0, Units::get)
}

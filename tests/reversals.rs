//! Refunds and disputes through the front door: on a real database, paid over a sandbox.
#![expect(clippy::unwrap_used, reason = "a test that panics is a red test")]

use std::sync::Arc;

use divvy::core::danger::{Vouched, VouchedReversal, vouched, vouched_reversal};
use divvy::core::{
    Asset, Cause, Code, Evidence, Hash, Leg, Legs, Name, Opened, Policy, Ratio, Reversal, Share,
    Stream, Target, Time, Units,
};
use divvy::sandbox::{Keeper, RailSettings, Sandbox, ServerSettings};
use divvy::{Divvy, Makeup, Recording, Sqlite};

const NOW: Time = Time::from_millis(1_767_225_600_000);

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn usd() -> Asset {
    Asset::parse("USD").unwrap()
}

fn evidence() -> Evidence {
    Evidence { source: "till roll".into(), hash: Hash::of(b"7"), said: String::new() }
}

/// A book whose income goes by half to a creator and by half to a pool of three holders.
async fn shop() -> Divvy {
    let mut divvy = Divvy::open(Sqlite::in_memory().unwrap()).await.unwrap();
    let opened = Opened {
        asset: usd(),
        policy: Policy::Instant,
        floor: usd().amount("0.01").unwrap(),
        cooling_secs: 86_400,
        named_on: Some(name("sandbox")),
    };
    let mut book = divvy.open_book_with(&name("shop"), opened, NOW).await.unwrap();
    book.open_pool(&name("tokens"), Units::new(4).unwrap(), NOW).await.unwrap();
    let units = |units| Units::new(units).unwrap();
    let entries = [(name("ann"), units(3)), (name("bob"), units(1))];
    book.issue("tokens", &entries, NOW).await.unwrap();
    let half = Share::Portion(Ratio::parse("50%").unwrap());
    let legs = Legs::new(vec![
        Leg { to: Target::Payee("creator".into()), share: half },
        Leg { to: Target::Pool("tokens".into()), share: Share::Remaining },
    ]);
    book.set_rule(Time::ZERO, &legs.unwrap(), NOW).await.unwrap();
    divvy
}

async fn sell(divvy: &mut Divvy, id: &str, price: &str) -> Stream {
    let said = Vouched {
        source: name("till"),
        account: name("main"),
        id: name(id),
        amount: usd().amount(price).unwrap(),
        asset: usd(),
        payer: None,
        event_at: NOW,
        evidence: evidence(),
    };
    let payment = vouched(said, &usd()).unwrap();
    let mut book = divvy.book("shop").unwrap();
    assert_eq!(book.record(std::slice::from_ref(&payment), NOW).await.unwrap(), [Recording::New]);
    book.declare(NOW).await.unwrap();
    payment.stream().clone()
}

async fn pay(divvy: &mut Divvy) {
    let keeper = Keeper::open(&ServerSettings::default()).unwrap();
    let rail = Sandbox::new(RailSettings::at("http://127.0.0.1:9", name("till")).unwrap());
    divvy.pay_due(vec![Arc::new(rail.unwrap())], Arc::new(keeper), NOW).await.unwrap();
}

fn going(payment: &Stream, id: &str, amount: &str, cause: Cause) -> Reversal {
    vouched_reversal(VouchedReversal {
        payment: payment.clone(),
        id: id.into(),
        cause,
        amount: usd().amount(amount).unwrap(),
        event_at: NOW,
        evidence: evidence(),
    })
}

/// Earned, payable, paid and owed back.
async fn places(divvy: &mut Divvy, payee: &str) -> [String; 4] {
    let balance = divvy.book("shop").unwrap().balance(payee, NOW).await.unwrap();
    let places = [balance.earned, balance.payable, balance.paid, balance.owed_back];
    places.map(|amount| usd().text(amount))
}

#[tokio::test]
async fn a_refund_after_the_payout_is_owed_back_and_comes_off_the_next() {
    let mut divvy = shop().await;
    let payment = sell(&mut divvy, "1", "100.00").await;
    pay(&mut divvy).await;
    assert_eq!(places(&mut divvy, "creator").await, ["50.00", "0.00", "50.00", "0.00"]);

    let refund = going(&payment, "re-1", "40.00", Cause::Refund);
    let mut book = divvy.book("shop").unwrap();
    let twice = [refund.clone(), refund];
    let recordings = book.reverse(&twice, Makeup::Net, NOW).await.unwrap();
    assert_eq!(recordings, [Recording::New, Recording::Known]);
    assert_eq!(places(&mut divvy, "creator").await, ["30.00", "0.00", "50.00", "20.00"]);
    assert_eq!(places(&mut divvy, "ann").await, ["37.50", "0.00", "37.50", "0.00"]);

    sell(&mut divvy, "2", "100.00").await;
    pay(&mut divvy).await;
    // 100 + 60 are left of two sales: the creator's half, and the holders' half by their units.
    assert_eq!(places(&mut divvy, "creator").await, ["80.00", "0.00", "80.00", "0.00"]);
    assert_eq!(places(&mut divvy, "ann").await, ["60.00", "0.00", "60.00", "0.00"]);
    assert_eq!(places(&mut divvy, "bob").await, ["20.00", "0.00", "20.00", "0.00"]);
    divvy.verify().await.unwrap();
}

#[tokio::test]
async fn a_mirrored_refund_leaves_those_alone_who_bought_units_later() {
    let mut divvy = shop().await;
    let payment = sell(&mut divvy, "1", "100.00").await;
    let mut book = divvy.book("shop").unwrap();
    let (ann, cy) = (name("ann"), name("cy"));
    book.move_units("tokens", (&ann, &cy), Units::new(3).unwrap(), NOW).await.unwrap();
    let refund = going(&payment, "re-1", "100.00", Cause::Refund);
    book.reverse(&[refund], Makeup::Mirror, NOW).await.unwrap();
    sell(&mut divvy, "2", "8.00").await;
    assert_eq!(places(&mut divvy, "ann").await[0], "0.00");
    assert_eq!(places(&mut divvy, "bob").await[0], "1.00");
    assert_eq!(places(&mut divvy, "cy").await[0], "3.00");
    divvy.verify().await.unwrap();
}

#[tokio::test]
async fn a_dispute_takes_gives_back_when_won_and_stays_when_lost() {
    let mut divvy = shop().await;
    let (won, lost) = (sell(&mut divvy, "1", "10.00").await, sell(&mut divvy, "2", "10.00").await);
    let mut book = divvy.book("shop").unwrap();
    let both = [
        going(&won, "dp-1", "10.00", Cause::Dispute),
        going(&lost, "dp-2", "10.00", Cause::Dispute),
    ];
    book.reverse(&both, Makeup::Net, NOW).await.unwrap();
    let restored = book.restore(&won, "dp-1", &evidence(), NOW).await.unwrap();
    assert_eq!(restored, Recording::New);
    assert_eq!(book.lose(&lost, "dp-2", &evidence(), NOW).await.unwrap(), Recording::New);
    assert_eq!(book.lose(&lost, "dp-2", &evidence(), NOW).await.unwrap(), Recording::Known);
    let error = book.restore(&lost, "dp-2", &evidence(), NOW).await.unwrap_err();
    assert_eq!(error.code(), Code::PaymentConflict);
    assert_eq!(places(&mut divvy, "creator").await[0], "5.00");
    divvy.verify().await.unwrap();
}

#[tokio::test]
async fn what_does_not_fit_its_payment_is_told_and_changes_nothing() {
    let mut divvy = shop().await;
    let payment = sell(&mut divvy, "1", "10.00").await;
    let mut book = divvy.book("shop").unwrap();
    let never = Stream::parse("payment/till/main/never").unwrap();
    let early = going(&never, "re", "1.00", Cause::Refund);
    let error = book.reverse(&[early], Makeup::Net, NOW).await.unwrap_err();
    assert_eq!(error.code(), Code::PaymentUnknown);
    let refund = |amount| going(&payment, "re", amount, Cause::Refund);
    let all = [refund("4.00"), refund("5.00")];
    let recordings = book.reverse(&all, Makeup::Net, NOW).await.unwrap();
    assert!(matches!(recordings.as_slice(), [Recording::New, Recording::Conflict(_)]));
    let more = going(&payment, "re-2", "6.01", Cause::Refund);
    let error = book.reverse(&[more], Makeup::Net, NOW).await.unwrap_err();
    assert_eq!(error.code(), Code::PaymentMalformed);
    assert_eq!(usd().text(book.movement(&payment).await.unwrap().reversed()), "4.00");
}

//! A sale is settled in one transaction; the book of the sale and the treasury in SOL take it in.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use divvy::core::danger::{Vouched, vouched};
use divvy::core::{
    Amount, Asset, Destination, Leg, Legs, Opened, PayeeSet, Policy, Rail, Ratio, Reply, Request,
    Share, Shown, Stream, Target, Time,
};
use divvy::{Divvy, Sqlite, Told, Worker, WorkerSettings};
use divvy_solana::{Collaborator, Extra, Settlement, Settling, Signature, Transaction};
use serde_json::{Value, json};

use crate::world::{NOW, TILL, World, coin, evidence, key, name, wallet};

fn usdc() -> Asset {
    Asset::parse("USDC@6").unwrap()
}

fn legs() -> Legs {
    let leg = |name: &str, share| Leg { to: Target::Payee(name.into()), share };
    Legs::new(vec![
        leg("author", Share::Portion(Ratio::parse("60%").unwrap())),
        leg("artist", Share::Portion(Ratio::parse("1/3").unwrap())),
        leg("platform", Share::Remaining),
    ])
    .unwrap()
}

fn sale() -> Settlement {
    let payee = |name: &str, n| Collaborator { name: name.into(), wallet: wallet(n) };
    Settlement {
        coin: coin(),
        amount: Amount::new(9_999_999).unwrap(),
        legs: legs(),
        payees: vec![payee("author", 10), payee("artist", 11), payee("platform", TILL)],
        after: vec![Extra::tag(&Stream::parse("batch/shop/0/0").unwrap(), 5_400).unwrap()],
        makes_accounts: true,
        ..Settlement::empty(wallet(TILL)).unwrap()
    }
}

/// Asks, plans, tries out, signs and sends; then waits until it is final.
fn settled(world: &World, sale: &Settlement) -> (Settling, Signature) {
    let chain = world.chain();
    let settling = world.told(|heard| chain.settlement(sale, heard, NOW)).unwrap();
    let living = world.told(|heard| chain.living(heard, NOW)).unwrap();
    let tried = world.told(|heard| chain.tried(&settling, living, heard, NOW)).unwrap();
    assert!(tried.units.unwrap() <= settling.units.into());
    let mut transaction = Transaction::new(settling.message(living.lifetime).unwrap());
    transaction.sign(&key(TILL)).unwrap();
    transaction.verify().unwrap();
    let options = json!({"encoding": "base64", "skipPreflight": true, "maxRetries": 0});
    ask(world, "sendTransaction", &json!([STANDARD.encode(transaction.encode()), options]));
    world.pass(60);
    (settling, transaction.name().unwrap())
}

fn ask(world: &World, method: &str, params: &Value) -> Value {
    let asked = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let request = Request {
        method: "POST",
        url: "http://node-0".into(),
        headers: vec![],
        body: asked.to_string().into_bytes(),
        deadline: NOW.plus_secs(60),
    };
    let Reply { body, .. } = world.serve(&request).unwrap();
    serde_json::from_slice::<Value>(&body).unwrap()["result"].clone()
}

/// By how much the payer has less.
fn spent(world: &World, name: &Signature) -> (Value, u64) {
    let landed = ask(world, "getTransaction", &json!([name.to_string(), {}]));
    let meta = &landed["meta"];
    let at = |field: &str| meta[field][0].as_u64().unwrap();
    (meta["err"].clone(), at("preBalances") - at("postBalances"))
}

/// The book of sales, whose payees wait for nothing but settlements, and one in SOL.
async fn books() -> Divvy {
    let mut divvy = Divvy::open(Sqlite::in_memory().unwrap()).await.unwrap();
    let opened = Opened {
        asset: usdc(),
        policy: Policy::Threshold { min: Amount::MAX, max_wait_secs: None },
        floor: Amount::ONE,
        cooling_secs: 86_400,
        named_on: None,
    };
    let mut book = divvy.open_book_with(&name("shop"), opened, NOW).await.unwrap();
    book.set_rule(Time::ZERO, &legs(), NOW).await.unwrap();
    let payee = |n: u8| {
        let (rail, address) = (name("solana"), wallet(n).to_string());
        PayeeSet { destination: Some(Destination { rail, address }), policy: None }
    };
    let payees = [(name("author"), payee(10)), (name("artist"), payee(11))];
    book.set_payees(&payees, NOW).await.unwrap();
    let said = Vouched {
        source: name("card"),
        account: name("main"),
        id: name("charge-7"),
        amount: Amount::new(9_999_999).unwrap(),
        asset: usdc(),
        payer: None,
        event_at: NOW,
        evidence: evidence(),
    };
    book.record(&[vouched(said, &usdc()).unwrap()], NOW).await.unwrap();
    divvy.open_book(&name("sol"), Asset::parse("SOL@9").unwrap(), NOW).await.unwrap();
    divvy
}

#[tokio::test]
async fn a_sale_is_settled_at_once_and_everyone_has_been_paid() {
    let world = Arc::new(World::new(50_000_000, &[10]));
    let (settling, reference) = settled(&world, &sale());
    let (error, lamports) = spent(&world, &reference);
    assert_eq!(error, Value::Null);
    assert_eq!(lamports, settling.costs.total(), "what was shown is what it cost");
    // The artist's account was made; the platform's share never moved.
    assert_eq!((world.held(10), world.held(11)), (5_999_999, 3_333_333));
    assert_eq!(world.held(TILL), 50_000_000 - 9_333_332);
    let outcome = settling.landed(reference, lamports).unwrap();
    assert_eq!((outcome.fronted.get(), outcome.earned.get()), (9_333_332, 666_667));

    let mut divvy = books().await;
    let shop = name("shop");
    let batch = Stream::parse("batch/shop/0/0").unwrap();
    let rail = world.rail();
    let stranger = outcome.stranger(batch, evidence());
    // The rail itself finds the same, under the tag that the settlement carries.
    let found = world.told(|heard| rail.beyond(&shop, 0, heard, NOW)).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0].batch, &found[0].lines), (&stranger.batch, &stranger.lines));
    let shown = Shown {
        rail: rail.name().clone(),
        wallet: rail.wallet().clone(),
        timing: rail.timing(),
        strangers: vec![stranger],
    };
    let sender: Arc<dyn divvy::Sender> = world.clone();
    let mut worker = Worker::with(vec![Arc::new(rail)], sender, WorkerSettings::default()).unwrap();
    let told = Told::new(NOW);
    let shown = [shown];
    let adopted = worker.adopt(&mut divvy, &shop, &shown, &told.clock()).await.unwrap();
    assert_eq!(adopted, outcome.fronted);
    let again = worker.adopt(&mut divvy, &shop, &shown, &told.clock()).await;
    assert!(again.is_err(), "it is known by now: {again:?}");

    let mut book = divvy.book("shop").unwrap();
    for (payee, earned, paid) in [
        ("author", 5_999_999, 5_999_999),
        ("artist", 3_333_333, 3_333_333),
        ("platform", 666_667, 0),
    ] {
        let balance = book.balance(payee, NOW).await.unwrap();
        assert_eq!((balance.earned.get(), balance.paid.get()), (earned, paid), "{payee}");
        assert_eq!(balance.owed_back, Amount::ZERO);
    }
    let figures = book.fold().unwrap().figures(Some(&name("platform")), None).unwrap();
    assert_eq!((figures.paid, figures.kept), (outcome.fronted, outcome.earned));
    // What it cost belongs to the book in SOL: once, however often it is noted.
    let mut sol = divvy.book("sol").unwrap();
    let funds = outcome.funds(NOW, &evidence());
    assert_eq!(sol.note_funds(&funds, NOW).await.unwrap(), 2);
    assert_eq!(sol.note_funds(&funds, NOW).await.unwrap(), 0);
    let balance = sol.fold().unwrap().treasury().balance().unwrap();
    assert_eq!(balance.magnitude().get(), lamports);
    divvy.verify().await.unwrap();
}

#[test]
fn a_leg_that_fails_leaves_nothing_behind_but_the_fee() {
    let world = World::new(50_000_000, &[10]);
    let chain = world.chain();
    let sale = sale();
    let settling = world.told(|heard| chain.settlement(&sale, heard, NOW)).unwrap();
    // The issuer freezes an account between the plan and the landing.
    let account = world.cluster.lock().unwrap().bank.account(&wallet(10));
    let living = world.told(|heard| chain.living(heard, NOW)).unwrap();
    world.cluster.lock().unwrap().bank.frozen.insert(account);
    let refused = world.told(|heard| chain.tried(&settling, living, heard, NOW)).unwrap_err();
    assert!(refused.to_string().contains("the transfer to author fails"), "{refused}");
    let planned = world.told(|heard| chain.settlement(&sale, heard, NOW)).unwrap_err();
    assert!(planned.to_string().contains("frozen"), "{planned}");
    // Sent all the same, it fails as a whole.
    let mut transaction = Transaction::new(settling.message(living.lifetime).unwrap());
    transaction.sign(&key(TILL)).unwrap();
    let options = json!({"encoding": "base64", "skipPreflight": true, "maxRetries": 0});
    ask(&world, "sendTransaction", &json!([STANDARD.encode(transaction.encode()), options]));
    world.pass(60);
    let (error, lamports) = spent(&world, &transaction.name().unwrap());
    assert_ne!(error, Value::Null);
    assert_eq!((world.held(10), world.held(11), world.held(TILL)), (0, 0, 50_000_000));
    let outcome = settling.failed(transaction.name().unwrap()).unwrap();
    assert_eq!(outcome.fee.get(), lamports);
}

//! Who stakes a token in the host's own program earns by stake and time: from what the chain shows
//! to money in their wallets.

use std::sync::Arc;

use divvy::core::danger::{Vouched, vouched};
use divvy::core::{
    Amount, Asset, Destination, Leg, Legs, Name, Opened, PayeeSet, Policy, Rail, Share, Subject,
    Target, Time, Units,
};
use divvy::{Divvy, Sqlite};

use crate::world::{NOW, World, evidence, name, positions, wallet};

const DAY: u64 = 86_400;
const USDC: u64 = 1_000_000;

fn holder(n: u8) -> Name {
    name(&wallet(n).to_string())
}

/// A book whose income flows to stakers over thirty days, and is paid from ten dollars on.
async fn vault() -> Divvy {
    let mut divvy = Divvy::open(Sqlite::in_memory().unwrap()).await.unwrap();
    let asset = Asset::parse("USDC@6").unwrap();
    let opened = Opened {
        asset: asset.clone(),
        policy: Policy::Threshold { min: Amount::new(10 * USDC).unwrap(), max_wait_secs: None },
        floor: Amount::ONE,
        cooling_secs: DAY,
        named_on: None,
    };
    let mut book = divvy.open_book_with(&name("vault"), opened, NOW).await.unwrap();
    let supply = Units::new(1_000 * USDC).unwrap();
    book.open_pool_flowing(&name("stakers"), supply, 30 * DAY, NOW).await.unwrap();
    let all = Leg { to: Target::Pool("stakers".into()), share: Share::Remaining };
    book.set_rule(Time::ZERO, &Legs::new(vec![all]).unwrap(), NOW).await.unwrap();
    divvy
}

/// Takes in who has staked how much by now, as the chain shows it: nothing where nothing changed.
async fn follow(divvy: &mut Divvy, world: &World, now: Time) -> (usize, usize) {
    let chain = world.chain();
    let seen = world.told(|heard| chain.staked(&positions(), heard, now)).unwrap();
    assert!(seen.is_complete);
    let mut book = divvy.book("vault").unwrap();
    let held: Vec<(Name, Units)> = {
        let holders = book.fold().unwrap().holders("stakers").unwrap();
        holders.into_iter().map(|(name, units)| (name.clone(), units)).collect()
    };
    let moves = seen.moves(&held).unwrap();
    // Whoever is new is paid to the wallet that stakes.
    let set = |who: &Name| {
        let (rail, address) = (name("solana"), who.to_string());
        let destination = Some(Destination { rail, address });
        (who.clone(), PayeeSet { destination, policy: None })
    };
    if !moves.issued.is_empty() {
        book.issue("stakers", &moves.issued, now).await.unwrap();
        let new = moves.issued.iter().map(|(who, _)| who);
        let new = new.filter(|who| !held.iter().any(|(other, _)| other == *who));
        let payees: Vec<_> = new.map(set).collect();
        book.set_payees(&payees, now).await.unwrap();
    }
    for (who, units) in &moves.redeemed {
        book.redeem("stakers", who, *units, now).await.unwrap();
    }
    (moves.issued.len(), moves.redeemed.len())
}

async fn earn(divvy: &mut Divvy, id: &str, amount: u64, now: Time) {
    let asset = Asset::parse("USDC@6").unwrap();
    let said = Vouched {
        source: name("fees"),
        account: name("main"),
        id: name(id),
        amount: Amount::new(amount).unwrap(),
        asset: asset.clone(),
        payer: None,
        event_at: now,
        evidence: evidence(),
    };
    let mut book = divvy.book("vault").unwrap();
    book.record(&[vouched(said, &asset).unwrap()], now).await.unwrap();
    book.declare(now).await.unwrap();
}

async fn pay(divvy: &mut Divvy, world: &Arc<World>, mut now: Time) -> Time {
    for _ in 0..12 {
        let rail: Arc<dyn Rail> = Arc::new(world.rail());
        let sender: Arc<dyn divvy::Sender> = world.clone();
        divvy.pay_due(vec![rail], sender, now).await.unwrap();
        world.pass(60);
        now = now.plus_secs(60);
    }
    now
}

async fn earned(divvy: &mut Divvy, n: u8, now: Time) -> [u64; 2] {
    let mut book = divvy.book("vault").unwrap();
    book.declare(now).await.unwrap();
    let balance = book.balance(holder(n).as_str(), now).await.unwrap();
    [balance.earned.get(), balance.paid.get()]
}

#[tokio::test]
async fn who_stakes_longer_earns_more_and_is_paid_to_the_wallet_that_stakes() {
    let world = Arc::new(World::new(1_000 * USDC, &[10, 11]));
    let mut divvy = vault().await;
    let day = |n: u64| NOW.plus_secs(n * DAY);
    // Ann and Bob stake; sixty dollars begin to flow, two a day.
    *world.staked.lock().unwrap() = vec![(10, 300 * USDC), (11, 100 * USDC)];
    assert_eq!(follow(&mut divvy, &world, day(0)).await, (2, 0));
    assert_eq!(follow(&mut divvy, &world, day(0)).await, (0, 0), "nothing has changed");
    earn(&mut divvy, "week-1", 60 * USDC, day(0)).await;

    // On the tenth day Ann takes two thirds of hers out, and Cid comes in with as much.
    world.staked.lock().unwrap()[0].1 = 100 * USDC;
    world.staked.lock().unwrap().push((12, 200 * USDC));
    assert_eq!(follow(&mut divvy, &world, day(10)).await, (1, 1));
    assert_eq!(earned(&mut divvy, 10, day(10)).await, [15 * USDC, 0], "three quarters of twenty");
    assert_eq!(earned(&mut divvy, 11, day(10)).await, [5 * USDC, 0]);
    assert_eq!(earned(&mut divvy, 12, day(10)).await, [0, 0], "he was not there");

    // Ann has reached ten dollars, and claims; Bob waits.
    let now = pay(&mut divvy, &world, day(10)).await;
    assert_eq!((world.held(10), world.held(11)), (15 * USDC, 0));
    assert!(now < day(11));

    // On the twentieth day Bob stakes what he has earned, in the book and in the program.
    assert_eq!(earned(&mut divvy, 11, day(20)).await, [10 * USDC, 0]);
    let amount = Amount::new(10 * USDC).unwrap();
    divvy.book("vault").unwrap().compound("stakers", &holder(11), amount, day(20)).await.unwrap();
    world.staked.lock().unwrap()[1].1 += 10 * USDC;
    assert_eq!(follow(&mut divvy, &world, day(20)).await, (0, 0), "both say the same");

    // At the end all of it has flowed, and nobody has more or less than stake and time say.
    let [ann, _] = earned(&mut divvy, 10, day(30)).await;
    let [bob, _] = earned(&mut divvy, 11, day(30)).await;
    let [cid, _] = earned(&mut divvy, 12, day(30)).await;
    // Twenty dollars over ten days to 400, and twenty more to 410, of which Bob holds 110.
    let last = |units: u64| 20 * USDC * units / 410;
    assert_eq!(ann, 20 * USDC + last(100));
    assert_eq!(bob, 10 * USDC + last(110));
    assert_eq!(cid, 10 * USDC + last(200));
    assert!(60 * USDC - (ann + bob + cid) <= 3, "less than a unit each waits for the next");

    // Cid has no token account: it is made, and he is paid; Bob's rest is below the threshold.
    pay(&mut divvy, &world, day(30)).await;
    assert_eq!(world.held(12), cid);
    assert_eq!(world.held(11), 0);
    let told = divvy
        .book("vault")
        .unwrap()
        .explain(Subject::Payee { book: name("vault"), payee: holder(11) })
        .await
        .unwrap();
    let told: Vec<String> = told.iter().map(|chapter| format!("{chapter:?}")).collect();
    assert!(told.iter().any(|chapter| chapter.to_lowercase().contains("unit")), "{told:?}");
    assert!(divvy.verify().await.unwrap().facts > 10);
}

#[tokio::test]
async fn what_a_stake_earned_in_an_epoch_is_recorded_once() {
    let world = World::new(0, &[]);
    let mut divvy = Divvy::open(Sqlite::in_memory().unwrap()).await.unwrap();
    let sol = Asset::parse("SOL@9").unwrap();
    let mut book = divvy.open_book(&name("stakes"), sol.clone(), NOW).await.unwrap();
    let all = Leg { to: Target::Payee("ann".into()), share: Share::Remaining };
    book.set_rule(Time::ZERO, &Legs::new(vec![all]).unwrap(), NOW).await.unwrap();
    let stakes = [wallet(80), wallet(81)];
    let mut expected = 0;
    // The second epoch is asked for twice, as by a job that was killed and began anew.
    for epoch in [811, 812, 812, 813] {
        let source = name("stakes");
        let earned = world
            .told(|heard| world.chain().stake_rewards((&source, &sol), &stakes, epoch, heard, NOW));
        for reward in earned.unwrap() {
            let payment = vouched(reward.payment, &sol).unwrap();
            book.record(&[payment.clone(), payment], NOW).await.unwrap();
        }
        expected += if epoch == 811 || epoch == 813 { epoch } else { epoch / 2 };
    }
    let bytes = stakes.iter().map(|stake| u64::from(stake.bytes()[0])).sum::<u64>();
    let balance = book.balance("ann", NOW).await.unwrap();
    assert_eq!(balance.earned.get(), bytes * expected);
    divvy.verify().await.unwrap();
}

//! The rail and the readers of the chain, against nodes that show real accounts.

use divvy_core::{
    Answer, Asset, Error, Hash, Heard, Job, Line, Name, Rail, Reply, Request, Sender, Signed,
    Stream, Time, Turn,
};
use divvy_solana::{
    Address, Chain, Coin, Incoming, Keypair, Provider, SolanaRail, SolanaSettings, token,
};
use divvy_svm::faults::Faults;
use divvy_svm::node::GENESIS;
use divvy_svm::world::World;

use crate::lab::{SOL, key, wallet};

fn mint() -> Address {
    wallet(200)
}

/// A chain on which the till has money, and every other payee an account.
fn world() -> World {
    let mut world = World::new(1, mint(), std::time::Duration::from_secs(3_600), Faults::none());
    world.chain.machine.give(&wallet(1), SOL);
    world.give(&wallet(1), 1_000_000);
    (10..30).step_by(2).for_each(|number| world.give(&wallet(number), 0));
    world.chain.pass(40);
    world
}

fn providers() -> Vec<Provider> {
    let provider = |n: usize| Provider::new(&format!("p{n}"), &format!("http://node-{n}"), None);
    (0..2).map(|n| provider(n).unwrap()).collect()
}

fn rail(uses_v1: bool) -> SolanaRail {
    let coin = Coin::Token { program: token::PROGRAM, mint: mint(), decimals: 6 };
    let (name, genesis) = (Name::new("solana").unwrap(), GENESIS.parse().unwrap());
    let settings = SolanaSettings::new(name, coin, genesis, providers());
    SolanaRail::new(SolanaSettings { uses_v1, ..settings }, key(1)).unwrap()
}

fn hear(world: &mut World, request: Request) -> Heard {
    let node = request.url.trim_start_matches("http://node-").parse().unwrap();
    let reply = world.serve(node, &request.body).map(|(status, body)| Reply { status, body });
    Heard { request, reply }
}

fn talk<T>(
    world: &mut World,
    mut turn: impl FnMut(&[Heard]) -> Result<Turn<T>, Error>,
) -> Result<T, Error> {
    let mut heard = Vec::new();
    loop {
        match turn(&heard)? {
            Turn::Done(done) => return Ok(done),
            Turn::Ask(asked) => heard.extend(asked.into_iter().map(|one| hear(world, one))),
        }
    }
}

fn line(number: u16, amount: u64) -> Line {
    let (payee, amount) =
        (Name::new(&format!("p{number}")).unwrap(), divvy_core::Amount::new(amount));
    Line { payee, amount: amount.unwrap(), to: wallet(number).to_string(), to_n: None, fee: None }
}

fn sign(world: &mut World, rail: &SolanaRail, lines: Vec<Line>) -> Result<Signed, Error> {
    let job = Job {
        batch: Stream::batch(&Name::new("shop").unwrap(), 3, 0),
        lines,
        tries: vec![],
        claimed: vec![],
        sender: Sender { process: "one".into(), try_id: Hash::of(b"x") },
    };
    talk(world, |heard| rail.sign(&job, heard, NOW))
}

fn look(world: &mut World, rail: &SolanaRail, signed: &Signed) -> divvy_core::Seen {
    let tries = [signed.clone()];
    talk(world, |heard| rail.look(&tries, heard, NOW)).unwrap()
}

#[test]
fn the_rail_pays_in_both_formats_and_its_bill_is_what_the_wallet_lost() {
    for uses_v1 in [false, true] {
        let (mut world, rail) = (world(), rail(uses_v1));
        let before = world.chain.machine.lamports(&wallet(1));
        let signed = sign(&mut world, &rail, vec![line(10, 70), line(11, 20)]).unwrap();
        let heard = hear(&mut world, rail.submit(&signed, NOW));
        let Ok(Turn::Done(seen)) = rail.look(&[signed.clone()], &[heard], NOW) else {
            panic!("it was taken")
        };
        assert_eq!(seen.answers, [Answer::Accepted]);
        world.chain.pass(4);
        assert_eq!(look(&mut world, &rail, &signed).answers, [Answer::Accepted]);
        world.chain.pass(60);
        let seen = look(&mut world, &rail, &signed);
        assert_eq!(seen.answers, [Answer::Final]);
        let lost = before - world.chain.machine.lamports(&wallet(1));
        assert_eq!(seen.bills[0].fees[0].amount.get(), lost);
        assert!(lost > 5_000 + world.chain.machine.rent(165), "a price was offered: {lost}");
        assert_eq!((world.held(&wallet(10)), world.held(&wallet(11))), (Some(70), Some(20)));
    }
}

#[test]
fn what_never_landed_is_void_once_its_window_is_over_and_no_earlier() {
    let (mut world, rail) = (world(), rail(false));
    let signed = sign(&mut world, &rail, vec![line(10, 70)]).unwrap();
    for _ in 0..15 {
        assert_eq!(look(&mut world, &rail, &signed).answers, [Answer::Unknown]);
        world.chain.pass(10);
    }
    world.chain.pass(200);
    assert_eq!(look(&mut world, &rail, &signed).answers, [Answer::Void]);
    // Whoever sends it all the same is too late.
    hear(&mut world, rail.submit(&signed, NOW));
    world.chain.pass(60);
    assert_eq!(look(&mut world, &rail, &signed).answers, [Answer::Void]);
    assert_eq!((world.held(&wallet(10)), world.chain.lost), (Some(0), 1));
}

#[test]
fn the_try_out_names_a_payee_whose_account_is_gone_and_nothing_is_signed() {
    let (mut world, rail) = (world(), rail(false));
    world.chain.machine.put(&world.account(&wallet(1)), &{
        let mut till = world.chain.machine.account(&world.account(&wallet(1))).unwrap();
        till.data[64..72].copy_from_slice(&50_u64.to_le_bytes());
        till
    });
    let error = sign(&mut world, &rail, vec![line(10, 70)]).unwrap_err();
    assert!(error.to_string().contains("holds 50 and must pay 70"), "{error}");
}

#[test]
fn holders_add_up_to_the_supply_and_what_came_in_is_told() {
    let (mut world, rail) = (world(), rail(false));
    let chain =
        Chain { genesis: GENESIS.parse().unwrap(), providers: providers(), lag_slots_max: 100 };
    let read = |world: &mut World| {
        let program = token::PROGRAM;
        talk(world, |heard| chain.holders(&mint(), &program, heard, NOW)).unwrap()
    };
    let held = |number: u16, snapshot: &divvy_solana::Snapshot| {
        let found = snapshot.holders.iter().find(|one| one.owner == wallet(number));
        found.map_or(0, |found| found.units)
    };
    let before = read(&mut world);
    assert_eq!((held(1, &before), held(10, &before)), (1_000_000, 0));
    assert!(!before.is_complete, "most of the supply is nobody's");
    let signed = sign(&mut world, &rail, vec![line(10, 70), line(11, 20)]).unwrap();
    hear(&mut world, rail.submit(&signed, NOW));
    world.chain.pass(10);
    // It is not final yet.
    assert_eq!(read(&mut world).holders, before.holders);
    world.chain.pass(40);
    let after = read(&mut world);
    assert_eq!((held(1, &after), held(10, &after), held(11, &after)), (999_910, 70, 20));

    let incoming = Incoming {
        source: Name::new("solana").unwrap(),
        wallet: wallet(11),
        coin: Coin::Token { program: token::PROGRAM, mint: mint(), decimals: 6 },
        asset: Asset::parse("USDC@6").unwrap(),
        reference: None,
        after: None,
    };
    let came = talk(&mut world, |heard| chain.received(&incoming, heard, NOW)).unwrap();
    let [one] = came.as_slice() else { panic!("{came:?}") };
    assert_eq!((one.payment.amount.get(), one.payment.id.as_str()), (20, &*signed.reference));
    let strangers =
        talk(&mut world, |heard| rail.beyond(&Name::new("shop").unwrap(), 3, heard, NOW));
    assert_eq!(strangers.unwrap()[0].lines[1].to, wallet(11).to_string());
}

#[test]
fn a_key_file_is_what_the_tools_write() {
    let key = Keypair::from_seed(&[7; 32]);
    let file = divvy_svm::serve::key_file(&[7; 32]);
    assert_eq!(Keypair::from_file(file.as_bytes()).unwrap().address(), key.address());
}

const NOW: Time = Time::ZERO;

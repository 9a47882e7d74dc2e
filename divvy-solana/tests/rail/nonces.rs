//! Tries that live by a durable nonce, batches that name lookup tables, and whoever signs.

use std::sync::Arc;

use divvy_core::{Answer, Code, Error, Name, Rail, Signed, State, Stranger, Time, Turn, Window};
use divvy_solana::{
    Address, Draft, Format, Keypair, Lifetime, Nonce, Signature, Signer, SolanaRail,
    SolanaSettings, Transaction, system,
};

use crate::bank::TILL;
use crate::bent::Mistake;
use crate::cluster::{Cluster, Fault, Node};
use crate::contract::report;
use crate::drive::{Drive, cluster, line, rail, settings, wallet};

pub(crate) fn nonce() -> Address {
    wallet(240)
}

fn durable(providers: usize) -> SolanaSettings {
    let mut settings = settings(providers);
    settings.nonces = vec![nonce()];
    settings
}

fn with_nonce(seed: u64) -> Cluster {
    let mut world = cluster(seed);
    world.advance(nonce());
    world.pass(40);
    world
}

#[test]
fn what_lives_by_a_nonce_keeps_every_promise_of_a_rail() {
    for uses_v1 in [false, true] {
        let settings = SolanaSettings { uses_v1, ..durable(2) };
        let report = report(&settings, Mistake::None);
        assert!(report.is_kept(), "{uses_v1}:\n{report}");
    }
}

#[test]
fn a_try_by_a_nonce_lives_past_every_height_and_ends_with_its_nonce() {
    let rail = rail(durable(2));
    let mut drive = Drive::new(with_nonce(1), &rail, vec![line(10, 70)]);
    let signed = drive.sign().unwrap();
    assert_eq!((signed.window, signed.claims.len()), (Window::Unlimited, 1));
    let sent = Transaction::decode(&signed.bytes).unwrap();
    assert_eq!(Nonce::used_by(&sent).unwrap().0, nonce());
    drive.submit(&signed, Fault::Dropped);
    // A day later nobody knows it, and it may still land.
    for _ in 0..20 {
        drive.pass(400);
        assert_eq!(drive.look().unwrap().answers, [Answer::Unknown]);
    }
    assert_eq!(rail.submit(&signed, drive.now).deadline, Time::MAX);
    drive.submit(&signed, Fault::None);
    drive.pass(20);
    assert_eq!(drive.look().unwrap().answers, [Answer::Final]);
}

/// Goal: void takes a nonce that is advanced for good, and everyone's whole list without the try.
/// Method: it was never sent, somebody advances the nonce, one thing is not well, and is mended.
#[test]
fn an_advanced_nonce_proves_nothing_until_everyone_shows_what_advanced_it() {
    let rail = rail(durable(2));
    let spoilers: [fn(&mut Node); 4] = [
        |_| {},
        |node| node.keeps_from = 5_600,
        |node| node.lag = 300,
        |node| node.genesis = "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxkZr111",
    ];
    for (at, spoil) in spoilers.into_iter().enumerate() {
        let mut drive = Drive::new(with_nonce(1), &rail, vec![line(10, 70)]);
        let signed = drive.sign().unwrap();
        drive.submit(&signed, Fault::Dropped);
        drive.cluster.advance(nonce());
        // It is not final yet.
        drive.pass(2);
        assert_eq!(drive.look().unwrap().answers, [Answer::Unknown]);
        drive.pass(30);
        spoil(&mut drive.cluster.nodes[1]);
        let answer = drive.look().unwrap().answers.remove(0);
        assert_eq!(answer == Answer::Void, at == 0, "{at}: {answer:?}");
        drive.cluster.nodes[1] = Node::GOOD;
        assert_eq!(drive.look().unwrap().answers, [Answer::Void]);
        // And it never lands.
        drive.submit(&signed, Fault::None);
        drive.pass(60);
        assert_eq!(drive.cluster.bank.held(&wallet(10)), 0);
    }
}

/// The try itself is what advanced it: whoever takes that for proof pays twice.
#[test]
fn a_node_that_has_forgotten_a_try_is_not_believed_though_its_nonce_is_advanced() {
    let rail = rail(durable(2));
    let mut drive = Drive::new(with_nonce(1), &rail, vec![line(10, 70)]);
    let signed = drive.sign().unwrap();
    drive.submit(&signed, Fault::LostReply);
    drive.pass(200);
    for node in &mut drive.cluster.nodes {
        node.keeps_from = drive.cluster.slot - 50;
    }
    assert_eq!(drive.look().unwrap().answers, [Answer::Unknown]);
    drive.cluster.nodes[1] = Node::GOOD;
    assert_eq!(drive.look().unwrap().answers, [Answer::Final]);
}

/// A dearer try goes beside one that may still land, whichever of them lands, and in any order.
#[test]
fn a_dearer_try_goes_at_once_and_only_one_of_them_lands() {
    let rail = rail(SolanaSettings { price_max: 100_000_000, ..durable(2) });
    for first_wins in [true, false] {
        let mut drive = Drive::new(with_nonce(1), &rail, vec![line(10, 70)]);
        let cheap = drive.sign().unwrap();
        drive.submit(&cheap, Fault::Dropped);
        drive.pass(4);
        let dear = drive.sign().unwrap();
        assert_eq!(dear.claims, cheap.claims);
        assert!(price(&dear) > price(&cheap), "{} {}", price(&dear), price(&cheap));
        let (one, other) = if first_wins { (&cheap, &dear) } else { (&dear, &cheap) };
        drive.submit(one, Fault::None);
        drive.submit(other, Fault::Late(4));
        assert_eq!(drive.finish(), State::Settled);
        assert_eq!(drive.cluster.bank.held(&wallet(10)), 70);
        let seen = drive.look().unwrap().answers;
        let (lost, won) = if first_wins { (1, 0) } else { (0, 1) };
        assert_eq!((&seen[won], &seen[lost]), (&Answer::Final, &Answer::Void));
    }
}

/// The price of a compute unit that a try offers.
fn price(signed: &Signed) -> u64 {
    let transaction = Transaction::decode(&signed.bytes).unwrap();
    let orders = transaction.message().instructions(&[]).unwrap();
    let price = orders.iter().find(|order| order.data.first() == Some(&3)).unwrap();
    u64::from_le_bytes(price.data[1..9].try_into().unwrap())
}

#[test]
fn one_batch_is_in_flight_for_each_nonce_and_only_with_a_nonce_of_ours() {
    let rail = rail(durable(1));
    let mut drive = Drive::new(with_nonce(1), &rail, vec![line(10, 70)]);
    let now = drive.now;
    let mut job = drive.job();
    job.claimed = vec![format!("nonce {} {}", nonce(), Lifetime::new([1; 32]))];
    let error = drive.talk(|heard| rail.sign(&job, heard, now)).unwrap_err();
    assert_eq!(error.code(), Code::RailRefused);
    assert!(error.to_string().contains("in flight for every nonce"), "{error}");
    let strange = SolanaSettings { nonces: vec![wallet(10)], ..settings(1) };
    let strange = crate::drive::rail(strange);
    let mut drive = Drive::new(cluster(1), &strange, vec![line(12, 70)]);
    let error = drive.sign().unwrap_err();
    assert!(error.to_string().contains("no nonce"), "{error}");
    let twice = SolanaSettings { nonces: vec![nonce(); 2], ..settings(1) };
    assert!(SolanaRail::new(twice, Keypair::from_seed(&[TILL; 32])).is_err());
}

/// Signed now, sent later; taken back by advancing the nonce.
#[test]
fn a_payout_that_was_signed_ahead_lands_later_or_never() {
    for taken_back in [false, true] {
        let mut world = with_nonce(3);
        let key = Keypair::from_seed(&[TILL; 32]);
        let value = world.bank.nonce(&nonce(), world.slot).unwrap();
        let ours = Nonce { address: nonce(), authority: key.address(), value };
        let signed = |instructions: Vec<_>| {
            let (format, payer) = (Format::V0(vec![]), key.address());
            let draft = Draft { format, payer, lifetime: value, instructions };
            let mut transaction = Transaction::new(draft.compile().unwrap());
            transaction.sign(&key).unwrap();
            transaction.encode()
        };
        let ahead = signed(vec![ours.advance(), system::transfer(key.address(), wallet(90), 5)]);
        world.pass(5_000);
        if taken_back {
            world.post(signed(vec![ours.advance()]));
            world.pass(40);
        }
        world.post(ahead);
        world.pass(40);
        let arrived = world.bank.lamports.get(&wallet(90)).copied().unwrap_or(0);
        assert_eq!(arrived, if taken_back { 0 } else { 5 });
    }
}

fn tables(slot_of: impl Fn(&Cluster) -> u64, ended: bool) -> (usize, usize, Cluster) {
    let table = wallet(241);
    let rail = rail(SolanaSettings { tables: vec![table], ..settings(2) });
    let mut world = cluster(1);
    let payees: Vec<u8> = (100..150).collect();
    payees.iter().for_each(|n| world.bank.give(&wallet(*n), 0));
    let accounts: Vec<Address> = payees.iter().map(|n| world.bank.account(&wallet(*n))).collect();
    let slot = slot_of(&world);
    world.bank.make_table(table, slot, &accounts);
    if ended {
        world.bank.tables.get_mut(&table).unwrap()[4..12].copy_from_slice(&[9; 8]);
    }
    let lines: Vec<_> = payees.iter().map(|n| line(*n, 5)).collect();
    let mut drive = Drive::new(world, &rail, lines.clone());
    let packs = drive.pack(&lines).unwrap();
    let mut places: Vec<usize> = packs.iter().flat_map(|pack| pack.lines.clone()).collect();
    places.sort_unstable();
    assert_eq!(places, (0..lines.len()).collect::<Vec<_>>());
    let largest = packs.iter().map(|pack| pack.lines.len()).max().unwrap();
    let mut world = drive.cluster;
    for pack in &packs {
        let chosen = pack.lines.iter().map(|at| lines[*at].clone()).collect();
        let mut drive = Drive::new(world, &rail, chosen);
        assert_eq!(drive.finish(), State::Settled);
        world = drive.cluster;
    }
    payees.iter().for_each(|n| assert_eq!(world.bank.held(&wallet(*n)), 5));
    let now = Time::from_millis(1_790_000_000_000);
    let found = beyond(&rail, &mut world, now);
    let listed: usize = found.iter().map(|one| one.lines.len()).sum();
    assert_eq!(listed, payees.len(), "what tables lead to is listed too");
    (packs.len(), largest, world)
}

fn beyond(rail: &SolanaRail, world: &mut Cluster, now: Time) -> Vec<Stranger> {
    let (shop, mut heard) = (Name::new("shop").unwrap(), Vec::new());
    loop {
        match rail.beyond(&shop, 0, &heard, now).unwrap() {
            Turn::Done(found) => return found,
            Turn::Ask(requests) => {
                for request in requests {
                    let reply = world.serve(&request, Fault::None);
                    heard.push(divvy_core::Heard { request, reply });
                }
            }
        }
    }
}

#[test]
fn a_table_makes_batches_of_forty_and_one_that_is_not_ready_is_left_out() {
    let (count, largest, _) = tables(|_| 5_000, false);
    assert!(count == 2 && largest > 40, "{count} {largest}");
    let (count, largest, _) = tables(|world| world.slot + 10_000, false);
    assert!(count > 2 && largest < 20, "extended later than now: {count} {largest}");
    let (count, ..) = tables(|_| 5_000, true);
    assert!(count > 2, "it was ended: {count}");
}

/// A book with a long name has a long memo, which takes room as well.
#[test]
fn what_is_packed_can_be_signed_however_long_the_memo() {
    let rail = rail(durable(1));
    let mut world = with_nonce(1);
    (100..150).for_each(|n| world.bank.give(&wallet(n), 0));
    let lines: Vec<_> = (100..150).map(|n| line(n, 5)).collect();
    let mut drive = Drive::new(world, &rail, lines.clone());
    let packs = drive.pack(&lines).unwrap();
    let chosen: Vec<_> = packs[0].lines.iter().map(|at| lines[*at].clone()).collect();
    let mut drive = Drive::new(drive.cluster, &rail, chosen);
    let now = drive.now;
    let mut job = drive.job();
    let book = Name::new(&"b".repeat(70)).unwrap();
    job.batch = divvy_core::Stream::batch(&book, 99_999, 99);
    assert!(drive.talk(|heard| rail.sign(&job, heard, now)).is_ok());
}

/// A keeper of a key elsewhere, who may be wrong, or say no.
#[derive(Debug)]
struct Keeper {
    key: Keypair,
    wallet: Address,
    declines: bool,
}

impl Signer for Keeper {
    fn address(&self) -> Address {
        self.wallet
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, Error> {
        match self.declines {
            true => Err(Error::new(Code::RailRefused, "the keeper declines")),
            false => Ok(self.key.sign(message)),
        }
    }
}

#[test]
fn whoever_signs_elsewhere_is_believed_only_with_the_wallets_signature() {
    for (seed, declines, code) in [
        (TILL, false, None),
        (TILL + 1, false, Some(Code::RailRefused)),
        (TILL, true, Some(Code::RailRefused)),
    ] {
        let (key, wallet) = (Keypair::from_seed(&[seed; 32]), wallet(TILL));
        let keeper = Arc::new(Keeper { key, wallet, declines });
        let rail = SolanaRail::signed_by(settings(1), keeper).unwrap();
        let mut drive = Drive::new(cluster(1), &rail, vec![line(10, 70)]);
        let signed = drive.sign();
        assert_eq!(signed.as_ref().err().map(Error::code), code);
        if signed.is_ok() {
            assert_eq!(drive.finish(), State::Settled);
            assert_eq!(drive.bills, [5_000]);
        }
    }
}

//! Who holds a token, and what came in.

use divvy_core::{Asset, Heard, Name, State, Time, Turn};
use divvy_solana::{Address, Chain, Coin, Genesis, Incoming, Received, Snapshot, token};

use crate::bank::TILL;
use crate::cluster::{Cluster, Fault};
use crate::drive::{Drive, cluster, line, mint, rail, settings, wallet};

fn chain() -> Chain {
    let providers = settings(2).providers;
    Chain { genesis: Genesis::MAINNET, providers, lag_slots_max: 100 }
}

fn talk<T>(
    cluster: &mut Cluster,
    mut turn: impl FnMut(&[Heard]) -> Result<Turn<T>, divvy_core::Error>,
) -> Result<T, divvy_core::Error> {
    let mut heard = Vec::new();
    loop {
        match turn(&heard)? {
            Turn::Done(done) => return Ok(done),
            Turn::Ask(requests) => heard.extend(requests.into_iter().map(|request| {
                let reply = cluster.serve(&request, Fault::None);
                Heard { request, reply }
            })),
        }
    }
}

fn snapshot(cluster: &mut Cluster) -> Snapshot {
    let program = token::PROGRAM;
    talk(cluster, |heard| chain().holders(&mint(), &program, heard, Time::ZERO)).unwrap()
}

#[test]
fn holders_are_counted_by_owner_and_add_up_to_the_supply_or_say_that_they_do_not() {
    let mut world = cluster(1);
    world.bank.give(&wallet(TILL), 999_880);
    world.bank.give(&wallet(10), 70);
    // A second account of the same owner, and a pool of an exchange.
    world.bank.give_at(Address::new([5; 32]), &wallet(10), 30);
    let vault = world.bank.account(&wallet(99));
    world.bank.give_at(Address::new([6; 32]), &vault, 20);
    let seen = snapshot(&mut world);
    assert!(seen.is_complete);
    assert_eq!((seen.supply, seen.slot), (1_000_000, world.slot - 32));
    let mut held: Vec<_> = seen.holders.iter().map(|one| (one.owner, one.units)).collect();
    held.sort_unstable_by_key(|(_, units)| *units);
    assert_eq!(held, [(wallet(10), 100), (wallet(TILL), 999_880)]);
    assert_eq!((seen.off_curve[0].owner, seen.off_curve[0].units), (vault, 20));
    assert_eq!(seen.entries().unwrap().len(), 2);
    assert_eq!(snapshot(&mut world).hash, seen.hash);

    // Somebody is missing, or more were made meanwhile.
    world.bank.supply += 1;
    let torn = snapshot(&mut world);
    assert!(!torn.is_complete);
    assert_eq!(torn.hash, seen.hash, "the same holdings at the same slot");

    // One was burnt while they were read: the sum fits what is left, and proves nothing.
    let (program, mut heard) = (token::PROGRAM, Vec::new());
    let burnt = loop {
        match chain().holders(&mint(), &program, &heard, Time::ZERO).unwrap() {
            Turn::Done(done) => break done,
            Turn::Ask(requests) => {
                for request in requests {
                    let reply = world.serve(&request, Fault::None);
                    heard.push(Heard { request, reply });
                }
                world.bank.supply = if heard.len() > 4 { 1_000_000 } else { 1_000_001 };
            }
        }
    };
    assert!(!burnt.is_complete && burnt.supply == 1_000_000);
}

fn incoming(wallet: Address) -> Incoming {
    Incoming {
        source: Name::new("solana").unwrap(),
        wallet,
        coin: Coin::Token { program: token::PROGRAM, mint: mint(), decimals: 6 },
        asset: Asset::parse("USDC@6").unwrap(),
        reference: None,
        after: None,
    }
}

#[test]
fn what_came_in_is_told_once_it_is_final_and_goes_on_behind_the_last() {
    let rail = rail(settings(2));
    let mut drive = Drive::new(cluster(1), &rail, vec![line(10, 70), line(11, 20)]);
    let signed = drive.sign().unwrap();
    drive.submit(&signed, Fault::None);
    drive.pass(2);
    let mut waited = incoming(wallet(10));
    let told = |cluster: &mut Cluster, incoming: &Incoming| -> Vec<Received> {
        talk(cluster, |heard| chain().received(incoming, heard, Time::ZERO)).unwrap()
    };
    assert_eq!(told(&mut drive.cluster, &waited), [], "it is not final yet");
    assert_eq!(drive.finish(), State::Settled);
    let came = told(&mut drive.cluster, &waited);
    let [one] = came.as_slice() else { panic!("{came:?}") };
    assert_eq!(one.payment.amount.get(), 70);
    assert_eq!(one.payment.id.as_str(), signed.reference);
    assert_eq!(one.payment.payer.as_deref(), Some(&*wallet(TILL).to_string()));
    assert_eq!(one.payment.event_at.millis(), 1_790_000_000_000);
    assert!(one.memo.as_deref().is_some_and(|memo| memo.contains("divvy:shop/3/0@")));
    waited.after = Some(one.signature);
    assert_eq!(told(&mut drive.cluster, &waited), []);
    // Whoever pays has not received anything.
    assert_eq!(told(&mut drive.cluster, &incoming(wallet(TILL))), []);
    // A reference leads to what names it, and only what reached the account counts.
    let by_reference = Incoming { reference: Some(wallet(TILL)), ..incoming(wallet(11)) };
    assert_eq!(told(&mut drive.cluster, &by_reference)[0].payment.amount.get(), 20);
    let cents = Incoming { asset: Asset::parse("USD").unwrap(), ..incoming(wallet(10)) };
    let refused = chain().received(&cents, &[], Time::ZERO).unwrap_err();
    assert!(refused.to_string().contains("other decimals"), "{refused}");
}

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a test that panics is red, which is what it is for"
)]

use divvy_core::{Code, Leg, Legs, Ratio, Share, Target};

use super::*;
use crate::account::{Account, Presence};
use crate::instruction::{memo, system, token};
use crate::key::Keypair;
use crate::lifetime::Lifetime;
use crate::transaction::Transaction;

const RENT: Rent = Rent { byte_lamports: 5_080 };
const LIFE: Lifetime = Lifetime::new([9; 32]);
const TILL: u8 = 1;

fn key(n: u8) -> Keypair {
    Keypair::from_seed(&[n; 32])
}

fn wallet(n: u8) -> Address {
    key(n).address()
}

/// A sale for ten dollars: the author, some others with a twentieth each, and the platform.
fn sale(others: u8) -> Settlement {
    let leg = |name: String, share| Leg { to: Target::Payee(name), share };
    let payee = |name: String, n| Collaborator { name, wallet: wallet(n) };
    let mut legs = vec![leg("author".into(), Share::Portion(Ratio::parse("33.333%").unwrap()))];
    let mut payees = vec![payee("author".into(), 10)];
    for n in 0..others {
        legs.push(leg(format!("p{n}"), Share::Portion(Ratio::parse("1%").unwrap())));
        payees.push(payee(format!("p{n}"), 20 + n));
    }
    legs.push(leg("platform".into(), Share::Remaining));
    payees.push(payee("platform".into(), TILL));
    Settlement {
        amount: Amount::new(9_999_999).unwrap(),
        legs: Legs::new(legs).unwrap(),
        payees,
        edition: Some(Edition {
            mint: wallet(2),
            authority: wallet(TILL),
            buyer: wallet(3),
            name: "Chapter 42".into(),
            symbol: "CH42".into(),
            uri: "https://example.org/42.json".into(),
        }),
        after: vec![Extra { units_max: 20_000, ..Extra::new(memo::note("order 7", &[])) }],
        ..Settlement::empty(wallet(TILL)).unwrap()
    }
}

fn plain(lamports: u64) -> Account {
    Account { program: system::PROGRAM, lamports, executable: false, data: vec![] }
}

fn held(owner: &Address, amount: u64, state: u8) -> Account {
    let start = [USDC.bytes().as_slice(), owner.bytes(), &amount.to_le_bytes()].concat();
    let data = [start, vec![0; 36], vec![state], vec![0; 56]].concat();
    Account { program: token::PROGRAM, lamports: RENT.of(165), executable: false, data }
}

fn coin() -> Account {
    let data = [vec![0; 36], 5_u64.to_le_bytes().to_vec(), vec![6, 1], vec![0; 36]].concat();
    Account { program: token::PROGRAM, lamports: RENT.of(82), executable: false, data }
}

/// A chain on which everyone has an account, and the till holds enough.
fn seen(sale: &Settlement) -> Vec<Option<Account>> {
    let owners = sale.payees.iter().map(|payee| payee.wallet).chain([sale.treasury]);
    let accounts: Vec<(Address, Address)> = owners
        .map(|owner| {
            let derived = Derived::token_account(&owner, &sale.coin, &sale.program);
            (derived.unwrap().address, owner)
        })
        .collect();
    let look = |address: &Address| {
        if *address == sale.coin {
            return Some(coin());
        }
        if sale.edition.as_ref().is_some_and(|edition| edition.mint == *address) {
            return None;
        }
        let own = accounts.iter().find(|(account, _)| account == address);
        Some(own.map_or_else(|| plain(1_000_000_000), |(_, owner)| held(owner, 50_000_000, 1)))
    };
    sale.asks().unwrap().iter().map(look).collect()
}

fn spoilt(sale: &Settlement, address: Address, put: Option<Account>) -> Vec<Option<Account>> {
    let mut found = seen(sale);
    let place = sale.asks().unwrap().iter().position(|asked| *asked == address);
    found[place.unwrap()] = put;
    found
}

fn account(n: u8) -> Address {
    Derived::token_account(&wallet(n), &USDC, &token::PROGRAM).unwrap().address
}

fn planned(sale: &Settlement) -> Settling {
    sale.plan(&seen(sale), RENT).unwrap()
}

#[test]
fn every_unit_is_shared_and_everything_is_known_before_anybody_signs() {
    let settling = planned(&sale(3));
    let parts: Vec<_> =
        settling.parts.iter().map(|part| (&*part.name, part.amount.get(), part.is_kept)).collect();
    let [author, .., platform] = parts.as_slice() else { panic!("{parts:?}") };
    assert_eq!(*author, ("author", 3_333_300, false));
    assert_eq!(*platform, ("platform", 6_366_699, true));
    assert_eq!(parts.iter().map(|part| part.1).sum::<u64>(), 9_999_999);
    // Seven orders for the edition, a transfer each, a limit and a memo.
    let acts: Vec<String> = settling.orders.iter().map(|order| order.act.to_string()).collect();
    assert_eq!(acts.len(), 1 + 7 + 4 + 1, "{acts:?}");
    assert_eq!(acts[8], "the transfer to author");
    assert_eq!(settling.costs.signatures, 10_000, "the till and the edition's own key");
    let rents: Vec<_> = settling.costs.rents.iter().map(|one| (one.bytes, one.lamports)).collect();
    assert_eq!(rents, [(359, 2_473_960), (170, 1_513_840)]);
    assert_eq!(settling.costs.total(), 10_000 + 2_473_960 + 1_513_840);
    assert_eq!(settling.steps, 1 + 13 + 4 + 1);
    let message = settling.message(LIFE).unwrap();
    assert_eq!(message.transaction_bytes(), settling.bytes);
    assert_eq!(message.signers()[0], wallet(TILL));
}

#[test]
fn what_would_fail_or_strand_money_is_refused_by_name() {
    let (whole, till) = (sale(1), wallet(TILL));
    let vault = account(99);
    let with = |n: u8, address: Address| {
        let mut sale = whole.clone();
        sale.payees.iter_mut().filter(|one| one.wallet == wallet(n)).for_each(|one| {
            one.wallet = address;
        });
        sale
    };
    let home = whole.edition.as_ref().unwrap().mint;
    let poor = Some(held(&till, 3_433_299, 1));
    let cases: [(&str, Settlement, Vec<Option<Account>>); 14] = [
        ("frozen", whole.clone(), spoilt(&whole, account(10), Some(held(&wallet(10), 0, 2)))),
        ("somebody else", whole.clone(), spoilt(&whole, account(10), Some(held(&till, 0, 1)))),
        ("none may be made", whole.clone(), spoilt(&whole, account(20), None)),
        ("no key can exist", with(20, vault), seen(&with(20, vault))),
        ("nobody has the key", with(20, token::PROGRAM), seen(&with(20, token::PROGRAM))),
        ("paying account", with(20, account(TILL)), seen(&with(20, account(TILL)))),
        ("token account", whole.clone(), spoilt(&whole, wallet(20), Some(held(&till, 0, 1)))),
        ("another leg", with(20, wallet(10)), vec![]),
        ("holds 3433299 and must pay 3433300", whole.clone(), spoilt(&whole, account(TILL), poor)),
        ("cannot pay", whole.clone(), spoilt(&whole, account(TILL), None)),
        ("make a fresh key", whole.clone(), spoilt(&whole, home, Some(plain(1)))),
        ("lamports and must have", whole.clone(), spoilt(&whole, till, Some(plain(4_000_000)))),
        ("no mint", whole.clone(), spoilt(&whole, USDC, Some(plain(1)))),
        ("other decimals", Settlement { decimals: 9, ..whole.clone() }, seen(&whole)),
    ];
    for (why, sale, found) in cases {
        let refused = sale.plan(&found, RENT).unwrap_err();
        assert_eq!(refused.code(), Code::RailRefused, "{why}: {refused}");
        assert!(refused.to_string().contains(why), "{why}: {refused}");
    }
    let short = whole.plan(&seen(&whole)[1..], RENT).unwrap_err();
    assert!(short.to_string().contains("every account that it asks for"), "{short}");
    let nobody = Settlement { payees: vec![], ..whole };
    assert!(nobody.asks().unwrap_err().to_string().contains("author has no wallet"));
}

#[test]
fn accounts_are_made_only_when_they_may_be_and_their_rent_is_shown() {
    let sale = Settlement { makes_accounts: true, ..sale(2) };
    let settling = sale.plan(&spoilt(&sale, account(21), None), RENT).unwrap();
    let made: Vec<_> = settling.costs.rents.iter().map(|one| (&*one.what, one.lamports)).collect();
    assert_eq!(made[2], ("p1", 1_488_440));
    let acts: Vec<&Act> = settling.orders.iter().map(|order| &order.act).collect();
    let make = acts.iter().position(|act| **act == Act::MakeAccount("p1".into())).unwrap();
    assert_eq!(acts[make + 1], &Act::Pay("p1".into()));
    assert_eq!(settling.steps, 1 + 13 + 3 + 7 + 1);
    // A person may look at what only they can know.
    let unseen = sale.plan(&spoilt(&sale, wallet(20), None), RENT).unwrap();
    assert_eq!(unseen.doubts.len(), 1);
    assert_eq!(unseen.doubts[0].concern, crate::Concern::NeverSeen);
}

#[test]
fn what_does_not_fit_says_how_many_would() {
    let there = |uses_v1| Settlement { uses_v1, ..sale(0) }.room(Presence::There).unwrap();
    let (v0, v1) = (u8::try_from(there(false)).unwrap(), u8::try_from(there(true)).unwrap());
    let whole = sale(v0 - 1);
    assert_eq!(planned(&whole).parts.len(), usize::from(v0) + 1, "the platform needs no room");
    let over = sale(v0);
    let refused = over.plan(&seen(&over), RENT).unwrap_err();
    assert_eq!(refused.code(), Code::WireUnfit);
    let said = format!("{} collaborators are more than its v0 takes: {v0} fit", v0 + 1);
    assert!(refused.to_string().contains(&said), "{refused}");
    assert!(refused.to_string().contains(&format!("and {v1} in v1")), "{refused}");
    let wide = Settlement { uses_v1: true, ..over };
    assert!(planned(&wide).bytes > crate::BYTES_MAX);
    let full = Settlement { uses_v1: true, ..sale(v1 - 1) };
    assert_eq!(planned(&full).bytes <= crate::BYTES_MAX_V1, planned(&full).steps <= 64);
}

/// The table of docs/solana.md: with an edition and without, by format and by account.
#[test]
fn so_many_collaborators_fit() {
    let room = |edition: bool, uses_v1, presence| {
        let whole = Settlement { uses_v1, ..sale(0) };
        let edition = whole.edition.clone().filter(|_| edition);
        Settlement { edition, ..whole }.room(presence).unwrap()
    };
    let (there, made) = (Presence::There, Presence::Missing);
    let rows = [(true, there), (true, made), (false, there), (false, made)]
        .map(|(edition, who)| [room(edition, false, who), room(edition, true, who)]);
    assert_eq!(rows, [[8, 50], [4, 6], [18, 59], [7, 7]], "v0 and v1");
}

#[test]
fn the_offer_is_never_more_than_was_said() {
    for (most, units) in [(0, 200_000), (1, 200_000), (777, 123_457), (5_000, 1_400_000)] {
        let limits = Limits {
            priority_fee_lamports: Some(most),
            compute_units: Some(units),
            ..Default::default()
        };
        let old = planned(&Settlement { limits, ..sale(1) });
        assert!(old.costs.priority <= most && most - old.costs.priority <= 2, "{most}");
        let new = planned(&Settlement { limits, uses_v1: true, ..sale(1) });
        assert_eq!(new.costs.priority, most);
    }
}

#[test]
fn the_outcome_is_what_a_treasury_takes_once() {
    let settling = planned(&sale(1));
    let name = key(TILL).sign(b"x");
    let spent = settling.costs.total();
    let outcome = settling.landed(name, spent).unwrap();
    assert_eq!((outcome.fronted.get(), outcome.earned.get()), (3_433_300, 6_566_699));
    assert_eq!(outcome.fee.get() + outcome.rent.get(), spent);
    assert_eq!(outcome.lines.len(), 2);
    let evidence = divvy_core::Evidence {
        source: "getTransaction".into(),
        hash: divvy_core::Hash::of(b"x"),
        said: String::new(),
    };
    let funds = outcome.funds(divvy_core::Time::ZERO, &evidence);
    assert_eq!(funds.len(), 2);
    assert_ne!(funds[0].id, funds[1].id);
    assert!(settling.landed(name, 9_999).is_err(), "less than the fee: another transaction");
    let failed = settling.failed(name).unwrap();
    assert_eq!(failed.funds(divvy_core::Time::ZERO, &evidence).len(), 1);
    assert!(failed.lines.is_empty() && failed.fronted.is_zero() && failed.earned.is_zero());
}

mod handed_over;

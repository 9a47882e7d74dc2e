//! What nodes tell of validators, epochs, rewards and positions.

use divvy_core::{Asset, Heard, Name, Reply, Request, Time, Turn, Units};
use serde_json::{Value, json};

use super::*;
use crate::chain::Chain;
use crate::node::{Genesis, Provider, text_of};

type Tells<'a> = dyn Fn(usize, &str, &Value) -> Value + 'a;

/// Goes on until nothing is asked any more. Who answers is told by the provider's number.
fn told<T>(
    tells: &Tells<'_>,
    turn: impl Fn(&Chain, &[Heard]) -> Result<Turn<T>, Error>,
) -> Result<T, Error> {
    let provider = |n| Provider::new(&format!("p{n}"), &format!("http://node-{n}"), None).unwrap();
    let providers = vec![provider(0), provider(1)];
    let chain = Chain { genesis: Genesis::MAINNET, providers, lag_slots_max: 100 };
    let mut heard: Vec<Heard> = Vec::new();
    loop {
        match turn(&chain, &heard)? {
            Turn::Done(done) => return Ok(done),
            Turn::Ask(asked) => heard.extend(asked.into_iter().map(|asked| answer(tells, asked))),
        }
        assert!(heard.len() < 40, "asks without end");
    }
}

fn answer(tells: &Tells<'_>, request: Request) -> Heard {
    let node = usize::from(request.url.ends_with('1'));
    let asked: Value = serde_json::from_slice(&request.body).unwrap();
    let result = match asked["method"].as_str().unwrap() {
        "getGenesisHash" => json!("5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"),
        "getEpochInfo" => {
            json!({"epoch": 100, "absoluteSlot": 43_200_000, "blockHeight": 40_000_000})
        }
        "getMinimumBalanceForRentExemption" => {
            json!(RENT.of(asked["params"][0].as_u64().unwrap()))
        }
        method => tells(node, method, &asked["params"]),
    };
    let body = json!({"jsonrpc": "2.0", "id": 1, "result": result}).to_string().into_bytes();
    Heard { request, reply: Some(Reply { status: 200, body }) }
}

fn shown(account: &Account) -> Value {
    json!({
        "lamports": account.lamports, "owner": account.program.to_string(), "executable": false,
        "data": [text_of(&account.data), "base64"],
    })
}

fn at_slot(value: &Value) -> Value {
    json!({"context": {"slot": 43_199_968}, "value": value})
}

#[test]
fn validators_are_told_with_what_speaks_against_them() {
    let voting = |n: u8, lamports: u64, commission: u64| {
        json!({
            "votePubkey": address(n).to_string(), "nodePubkey": address(n + 1).to_string(),
            "activatedStake": lamports, "commission": commission, "epochVoteAccount": true,
            "lastVote": 43_199_999, "rootSlot": 43_199_968,
            "epochCredits": [[98, 1_000, 400], [99, 1_900, 1_000]],
        })
    };
    let tells = |commission: u64| {
        move |_: usize, method: &str, _: &Value| {
            assert_eq!(method, "getVoteAccounts");
            json!({"current": [voting(20, 5, 7), voting(22, 9, 0)],
                   "delinquent": [voting(24, 1, commission)]})
        }
    };
    let ask = |chain: &Chain, heard: &[Heard]| chain.validators(None, heard, Time::ZERO);
    let all = told(&tells(100), ask).unwrap();
    let votes: Vec<_> = all.iter().map(|one| (one.vote, one.is_delinquent)).collect();
    assert_eq!(votes, [(address(22), false), (address(20), false), (address(24), true)]);
    assert_eq!((all[1].commission_percent, all[1].credits_in(99)), (7, Some(900)));
    assert_eq!(all[1].credits_in(97), None);
    assert!(told(&tells(101), ask).is_err(), "nobody keeps more than all");
}

#[test]
fn where_the_chain_stands_is_asked_and_never_remembered() {
    let epochs = history(&[(99, [5, 1, 1])]);
    let tells = |_: usize, method: &str, _: &Value| match method {
        "getStakeMinimumDelegation" => at_slot(&json!(SOL)),
        _ => at_slot(&shown(&epochs)),
    };
    let ask = |chain: &Chain, heard: &[Heard]| chain.staking(heard, Time::from_millis(5_999));
    let staking = told(&tells, ask).unwrap();
    assert_eq!((staking.epoch, staking.now_secs, staking.rent), (100, 5, RENT));
    assert_eq!((staking.lamports_min, staking.history.epochs()), (SOL, 1));
}

#[test]
fn what_a_stake_earned_in_an_epoch_is_one_payment_whoever_asks_how_often() {
    let (source, sol) = (Name::new("stakes").unwrap(), Asset::parse("SOL@9").unwrap());
    let earned = |amount: u64, epoch: u64| {
        json!({"epoch": epoch, "effectiveSlot": 43_200_001, "amount": amount,
               "postBalance": 10 * SOL + amount, "commission": 5})
    };
    let ask = |asset: Asset| {
        let source = source.clone();
        move |chain: &Chain, heard: &[Heard]| {
            let now = Time::from_millis(1_790_000_000_000);
            let stakes = [10, 11, 12].map(address);
            chain.stake_rewards((&source, &asset), &stakes, 99, heard, now)
        }
    };
    let tells = |other: Value| {
        move |node: usize, method: &str, _: &Value| match method {
            "getBlockTime" => json!(1_789_990_000),
            _ if node == 1 => other.clone(),
            _ => json!([earned(4_000, 99), null, earned(0, 99)]),
        }
    };
    let same = json!([earned(4_000, 99), null, earned(0, 99)]);
    let all = told(&tells(same.clone()), ask(sol.clone())).unwrap();
    assert_eq!(all.len(), 1, "who earned nothing is left out");
    let payment = &all[0].payment;
    assert_eq!((payment.amount.get(), payment.id.as_str()), (4_000, "epoch-99"));
    assert_eq!(payment.account.as_str(), address(10).to_string());
    assert_eq!(payment.event_at.millis(), 1_789_990_000_000);
    assert_eq!(all, told(&tells(same), ask(sol.clone())).unwrap());
    // One who lies is enough to wait; one who is silent is not.
    let lie = json!([earned(4_001, 99), null, earned(0, 99)]);
    let refused = told(&tells(lie), ask(sol.clone())).unwrap_err();
    assert!(refused.to_string().contains("contradict"), "{refused}");
    assert!(told(&tells(json!("no")), ask(sol.clone())).is_ok());
    assert!(told(&tells(json!([null])), ask(sol.clone())).is_ok(), "too few are no answer");
    let late = |_: usize, _: &str, _: &Value| json!([earned(4_000, 98), null, null]);
    assert!(told(&late, ask(sol)).unwrap_err().to_string().contains("another epoch"));
    assert!(told(&late, ask(Asset::parse("USD").unwrap())).is_err());
}

fn positions() -> Positions {
    let [program, vault] = [60, 61].map(address);
    let kind = "StakeEntry".to_owned();
    Positions { program, vault, kind, bytes: 89, owner_at: 8, units_at: 40 }
}

fn position(owner: u8, units: u64) -> Value {
    let tag = crate::discriminator("account:StakeEntry");
    let data = [tag.as_slice(), address(owner).bytes(), &units.to_le_bytes(), &[0; 41]].concat();
    let program = positions().program;
    let account = Account { program, lamports: 1, executable: false, data };
    json!({"pubkey": address(owner).to_string(), "account": shown(&account)})
}

fn vault(amount: u64) -> Value {
    let start = [vec![1; 32], vec![2; 32], amount.to_le_bytes().to_vec()].concat();
    let data = [start, vec![0; 36], vec![1], vec![0; 56]].concat();
    shown(&Account { program: token::PROGRAM, lamports: 1, executable: false, data })
}

#[test]
fn positions_are_complete_when_they_add_up_to_the_vault() {
    let snapshot = |held: u64| {
        let tells = move |_: usize, method: &str, params: &Value| match method {
            "getAccountInfo" => at_slot(&vault(held)),
            _ => {
                assert_eq!(params[1]["filters"][0]["dataSize"], 89);
                at_slot(&json!([position(30, 40), position(31, 50), position(30, 10)]))
            }
        };
        told(&tells, |chain, heard| chain.staked(&positions(), heard, Time::ZERO)).unwrap()
    };
    let seen = snapshot(100);
    assert!(seen.is_complete);
    let held: Vec<_> = seen.holders.iter().map(|one| (one.owner, one.units)).collect();
    assert!(held.contains(&(address(30), 50)) && held.contains(&(address(31), 50)));
    let torn = snapshot(101);
    assert!(!torn.is_complete && torn.moves(&[]).is_err());

    let name = |n: u8| Name::new(&address(n).to_string()).unwrap();
    let units = |n: u64| Units::new(n).unwrap();
    // One has staked more, one is the same, one has left.
    let held = [(name(30), units(20)), (name(31), units(50)), (name(32), units(7))];
    let moves = seen.moves(&held).unwrap();
    assert_eq!(moves.issued, [(name(30), units(30))]);
    assert_eq!(moves.redeemed, [(name(32), units(7))]);
    assert_eq!(seen.moves(&[]).unwrap().issued.len(), 2);
}

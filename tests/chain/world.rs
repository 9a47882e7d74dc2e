//! A chain with a till, a sender that asks it, and a program in which people stake.

use std::sync::Mutex;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use divvy::Sender;
use divvy::core::{Error, Evidence, Hash, Heard, Name, Reply, Request, Time, Turn};
use divvy_solana::{
    Address, Chain, Coin, Genesis, Keypair, Positions, Provider, SolanaRail, SolanaSettings,
    discriminator, token,
};
use serde_json::{Value, json};

use crate::bank::Bank;
use crate::cluster::{Cluster, Fault};

pub(crate) const TILL: u8 = 7;
pub(crate) const NOW: Time = Time::from_millis(1_790_000_000_000);

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn key(n: u8) -> Keypair {
    Keypair::from_seed(&[n; 32])
}

pub(crate) fn wallet(n: u8) -> Address {
    key(n).address()
}

pub(crate) fn coin() -> Address {
    wallet(200)
}

pub(crate) fn evidence() -> Evidence {
    Evidence { source: "getTransaction".into(), hash: Hash::of(b"7"), said: String::new() }
}

/// The chain, and who has staked how much in the host's own program.
pub(crate) struct World {
    pub(crate) cluster: Mutex<Cluster>,
    pub(crate) staked: Mutex<Vec<(u8, u64)>>,
}

impl core::fmt::Debug for World {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("World")
    }
}

impl World {
    /// The till holds so much, and some have accounts.
    pub(crate) fn new(held: u64, others: &[u8]) -> Self {
        let mut bank = Bank::new(coin());
        bank.lamports.insert(wallet(TILL), 1_000_000_000);
        bank.give(&wallet(TILL), held);
        others.iter().for_each(|n| bank.give(&wallet(*n), 0));
        Self { cluster: Mutex::new(Cluster::new(1, bank)), staked: Mutex::default() }
    }

    pub(crate) fn chain(&self) -> Chain {
        Chain { genesis: Genesis::MAINNET, providers: providers(), lag_slots_max: 100 }
    }

    pub(crate) fn rail(&self) -> SolanaRail {
        let coin = Coin::Token { program: token::PROGRAM, mint: coin(), decimals: 6 };
        let settings = SolanaSettings::new(name("solana"), coin, Genesis::MAINNET, providers());
        SolanaRail::new(settings, key(TILL)).unwrap()
    }

    pub(crate) fn held(&self, n: u8) -> u64 {
        self.cluster.lock().unwrap().bank.held(&wallet(n))
    }

    pub(crate) fn pass(&self, slots: u64) {
        self.cluster.lock().unwrap().pass(slots);
    }

    /// Answers one request, at once.
    pub(crate) fn serve(&self, request: &Request) -> Option<Reply> {
        let asked: Value = serde_json::from_slice(&request.body).unwrap();
        let place = asked["params"][0].as_str();
        let result = match asked["method"].as_str().unwrap() {
            "getProgramAccounts" if place == Some(&positions().program.to_string()) => {
                self.positions()
            }
            "getAccountInfo" if place == Some(&positions().vault.to_string()) => self.vault(),
            "getInflationReward" => return reply(&self.rewards(&asked["params"])),
            "getBlockTime" => return reply(&json!(NOW.millis() / 1_000)),
            _ => return self.cluster.lock().unwrap().serve(request, Fault::None),
        };
        let slot = self.cluster.lock().unwrap().slot - 32;
        reply(&json!({"context": {"slot": slot}, "value": result}))
    }

    /// Each stake has earned a lamport for each of its first byte, and more in later epochs.
    fn rewards(&self, params: &Value) -> Value {
        let epoch = params[1]["epoch"].as_u64().unwrap();
        let one = |stake: &Value| {
            let first = Address::parse(stake.as_str().unwrap()).unwrap().bytes()[0];
            let amount = u64::from(first) * epoch;
            json!({"epoch": epoch, "effectiveSlot": 5_000 + epoch, "amount": amount,
                   "postBalance": amount, "commission": 5})
        };
        params[0].as_array().unwrap().iter().map(one).collect()
    }

    /// Asks until nothing is left to ask.
    pub(crate) fn told<T>(
        &self,
        turn: impl Fn(&[Heard]) -> Result<Turn<T>, Error>,
    ) -> Result<T, Error> {
        let mut heard = Vec::new();
        for _ in 0..20 {
            match turn(&heard)? {
                Turn::Done(done) => return Ok(done),
                Turn::Ask(asked) => heard.extend(asked.into_iter().map(|request| {
                    let reply = self.serve(&request);
                    Heard { request, reply }
                })),
            }
        }
        panic!("asks without end")
    }

    fn positions(&self) -> Value {
        let tag = discriminator("account:StakeEntry");
        let one = |(n, units): &(u8, u64)| {
            let (owner, units) = (wallet(*n), units.to_le_bytes());
            let data = [tag.as_slice(), owner.bytes(), &units, &[0; 41]].concat();
            json!({"pubkey": owner.to_string(), "account": account(positions().program, &data)})
        };
        self.staked.lock().unwrap().iter().map(one).collect()
    }

    fn vault(&self) -> Value {
        let held: u64 = self.staked.lock().unwrap().iter().map(|(_, units)| *units).sum();
        let start = [coin().bytes().as_slice(), wallet(1).bytes(), &held.to_le_bytes()].concat();
        account(token::PROGRAM, &[start, vec![0; 36], vec![1], vec![0; 56]].concat())
    }
}

#[async_trait]
impl Sender for World {
    async fn send(&self, request: &Request) -> Option<Reply> {
        self.serve(request)
    }
}

/// The program in which people stake.
pub(crate) fn positions() -> Positions {
    let kind = "StakeEntry".to_owned();
    let (program, vault) = (wallet(60), wallet(61));
    Positions { program, vault, kind, bytes: 89, owner_at: 8, units_at: 40 }
}

fn account(program: Address, data: &[u8]) -> Value {
    json!({
        "lamports": 1, "owner": program.to_string(), "executable": false,
        "data": [STANDARD.encode(data), "base64"],
    })
}

fn reply(result: &Value) -> Option<Reply> {
    let body = json!({"jsonrpc": "2.0", "id": 1, "result": result}).to_string();
    Some(Reply { status: 200, body: body.into_bytes() })
}

fn providers() -> Vec<Provider> {
    let one = |n| Provider::new(&format!("p{n}"), &format!("http://node-{n}"), None).unwrap();
    (0..2).map(one).collect()
}

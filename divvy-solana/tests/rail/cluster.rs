//! A chain and the nodes that show it: (state, request) → reply, without clock or socket.
//!
//! Slots pass, and some of them have no block. A block is confirmed two slots later and final
//! thirty-two slots later. What is sent lands, or does not, as the faults say.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use divvy_core::{Reply, Request};
use divvy_solana::{Address, Lifetime, Nonce, Transaction};
use serde_json::{Value, json};

use crate::bank::Bank;

/// Random numbers of a seed.
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888);
        (self.0 >> 33) % sides
    }

    pub(crate) fn one_in(&mut self, sides: u64) -> bool {
        self.below(sides) == 0
    }
}

/// One provider's node.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// So many slots behind the chain.
    pub(crate) lag: u64,
    /// It keeps no history from before this slot, beyond what every node remembers for a while.
    pub(crate) keeps_from: u64,
    pub(crate) genesis: &'static str,
    /// Who is asked of signatures is so many slots behind who is asked of heights.
    pub(crate) stale: u64,
}

impl Node {
    pub(crate) const GOOD: Self = Self { lag: 0, keeps_from: 0, genesis: MAINNET, stale: 0 };
}

/// What can go wrong with one request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    None,
    /// It never arrives.
    Deaf,
    /// It is carried out, and nobody hears of it.
    LostReply,
    /// It is taken, and forgotten.
    Dropped,
    /// It lands so many slots later.
    Late(u64),
    /// It lands on a fork that most of the chain votes for, and that is gone later.
    Forked,
    Busy,
    Broken,
}

#[derive(Debug)]
pub(crate) struct Block {
    slot: u64,
    height: u64,
    hash: Address,
}

#[derive(Clone, Debug)]
pub(crate) struct Landed {
    pub(crate) slot: u64,
    pub(crate) err: Option<Value>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) before: Vec<u64>,
    pub(crate) after: Vec<u64>,
    pub(crate) tokens: [Vec<Value>; 2],
}

#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) slot: u64,
    pub(crate) nodes: Vec<Node>,
    pub(crate) bank: Bank,
    pub(crate) dice: Dice,
    /// One slot in so many has no block.
    pub(crate) skips: u64,
    pub(crate) blocks: Vec<Block>,
    pending: Vec<(u64, Vec<u8>)>,
    pub(crate) landed: BTreeMap<String, Landed>,
    /// On a fork, until a slot.
    ghosts: BTreeMap<String, (u64, u64, Vec<u8>)>,
    pub(crate) asked: BTreeSet<String>,
}

impl Cluster {
    pub(crate) fn new(seed: u64, bank: Bank) -> Self {
        let hash = Address::new([3; 32]);
        // Half a year of empty slots lies behind it.
        let blocks = vec![Block { slot: 5_000, height: 4_000, hash }];
        let mut cluster = Self {
            slot: 5_000,
            nodes: vec![Node::GOOD, Node::GOOD],
            bank,
            dice: Dice(seed),
            skips: 4,
            blocks,
            pending: Vec::new(),
            landed: BTreeMap::new(),
            ghosts: BTreeMap::new(),
            asked: BTreeSet::new(),
        };
        cluster.pass(400);
        cluster
    }

    pub(crate) fn height(&self) -> u64 {
        self.blocks.last().unwrap().height
    }

    /// Lets slots pass.
    pub(crate) fn pass(&mut self, slots: u64) {
        for _ in 0..slots {
            self.slot += 1;
            let over = self.ghosts.iter().filter(|(_, ghost)| ghost.1 < self.slot);
            for name in over.map(|(name, _)| name.clone()).collect::<Vec<_>>() {
                let (_, _, bytes) = self.ghosts.remove(&name).unwrap();
                // What was on the fork may find its way into the chain, or not.
                if self.dice.one_in(2) {
                    self.pending.push((self.slot + self.dice.below(40), bytes));
                }
            }
            if self.dice.one_in(self.skips) {
                continue;
            }
            let height = self.height() + 1;
            let mut hash = [9; 32];
            hash[..8].copy_from_slice(&height.to_le_bytes());
            self.blocks.push(Block { slot: self.slot, height, hash: Address::new(hash) });
            let (due, later) = self.pending.drain(..).partition(|(at, _)| *at <= self.slot);
            self.pending = later;
            let due: Vec<(u64, Vec<u8>)> = due;
            due.into_iter().for_each(|(_, bytes)| self.land(bytes));
        }
    }

    /// The last height at which a transaction with this hash lands.
    fn last_height(&self, hash: Lifetime) -> Option<u64> {
        let block = self.blocks.iter().find(|block| block.hash.bytes() == hash.bytes())?;
        Some(block.height + 150)
    }

    /// Takes a transaction from somebody who asks no rail.
    pub(crate) fn post(&mut self, bytes: Vec<u8>) {
        self.pending.push((self.slot + 1, bytes));
    }

    /// Gives a nonce its next value, as whoever owns it may.
    pub(crate) fn advance(&mut self, nonce: Address) {
        let newest = Lifetime::new(*self.blocks.last().unwrap().hash.bytes());
        self.bank.nonces.entry(nonce).or_default().push((self.slot, newest.nonce()));
    }

    fn land(&mut self, bytes: Vec<u8>) {
        let transaction = Transaction::decode(&bytes).unwrap();
        let name = transaction.name().unwrap().to_string();
        let lifetime = transaction.message().lifetime();
        let is_alive = match Nonce::used_by(&transaction) {
            Some((nonce, value)) => self.bank.nonce(&nonce, self.slot) == Some(value),
            None => self.last_height(lifetime).is_some_and(|last| self.height() <= last),
        };
        if self.landed.contains_key(&name) || !is_alive {
            return;
        }
        // It is advanced though the rest of the transaction fails.
        if let Some((nonce, _)) = Nonce::used_by(&transaction) {
            self.advance(nonce);
        }
        let had = self.bank.tokens(&transaction);
        let (err, before, after) = self.bank.run(&transaction);
        let tokens = [had, self.bank.tokens(&transaction)];
        let landed = Landed { slot: self.slot, err, bytes, before, after, tokens };
        self.landed.insert(name, landed);
    }

    /// Serves a request at one of its nodes.
    pub(crate) fn serve(&mut self, request: &Request, fault: Fault) -> Option<Reply> {
        let node = self.nodes
            [request.url.trim_start_matches("http://node-").parse::<usize>().ok()?]
        .clone();
        let asked: Value = serde_json::from_slice(&request.body).unwrap();
        let method = asked["method"].as_str().unwrap().to_owned();
        self.asked.insert(method.clone());
        let sends = method == "sendTransaction";
        match fault {
            Fault::Deaf => return None,
            Fault::Busy => return Some(Reply { status: 429, body: b"slow down".to_vec() }),
            Fault::Broken => return Some(Reply { status: 502, body: b"<html>".to_vec() }),
            Fault::LostReply if !sends => return None,
            _ => {}
        }
        let said = match sends {
            true => self.take(&asked["params"], fault),
            false => self.answer(&node, &method, &asked["params"]),
        };
        let said = match said {
            Ok(result) => json!({"jsonrpc": "2.0", "id": 1, "result": result}),
            Err(code) => {
                json!({"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": "no"}})
            }
        };
        (fault != Fault::LostReply)
            .then(|| Reply { status: 200, body: said.to_string().into_bytes() })
    }

    fn take(&mut self, params: &Value, fault: Fault) -> Result<Value, i64> {
        assert_eq!(params[1]["skipPreflight"], true);
        assert_eq!(params[1]["maxRetries"], 0);
        let bytes = STANDARD.decode(params[0].as_str().unwrap()).unwrap();
        let transaction = Transaction::decode(&bytes).unwrap();
        transaction.verify().unwrap();
        let name = transaction.name().unwrap().to_string();
        match fault {
            Fault::Dropped => {}
            Fault::Late(slots) => self.pending.push((self.slot + slots, bytes)),
            Fault::Forked => {
                if !self.landed.contains_key(&name) && !self.ghosts.contains_key(&name) {
                    self.ghosts.insert(name.clone(), (self.slot, self.slot + 25, bytes));
                }
            }
            _ => self.pending.push((self.slot + 1, bytes)),
        }
        Ok(json!(name))
    }

    fn answer(&self, node: &Node, method: &str, params: &Value) -> Result<Value, i64> {
        let slot = self.slot.saturating_sub(node.lag);
        match method {
            "getGenesisHash" => Ok(json!(node.genesis)),
            "getFirstAvailableBlock" => Ok(json!(node.keeps_from)),
            "getMinimumBalanceForRentExemption" => {
                Ok(json!((128 + params[0].as_u64().unwrap()) * 5_080))
            }
            "getRecentPrioritizationFees" => Ok(json!([
                {"slot": 1, "prioritizationFee": 0},
                {"slot": 2, "prioritizationFee": 700},
                {"slot": 3, "prioritizationFee": 9_000_000},
            ])),
            "getEpochInfo" => {
                let block = self.block_at(slot - depth(&params[0]));
                Ok(json!({"absoluteSlot": block.slot, "blockHeight": block.height, "epoch": 1}))
            }
            "getLatestBlockhash" => {
                let block = self.block_at(slot - depth(&params[0]));
                Ok(json!({"context": {"slot": block.slot}, "value": {
                    "blockhash": block.hash.to_string(),
                    "lastValidBlockHeight": block.height + 150,
                }}))
            }
            "simulateTransaction" => self.tried(params, slot),
            "getSignatureStatuses" => {
                assert_eq!(params[1]["searchTransactionHistory"], true);
                let slot = slot - node.stale;
                let names = params[0].as_array().unwrap();
                let all = names.iter().map(|name| self.status(node, slot, name));
                Ok(json!({"context": {"slot": slot}, "value": all.collect::<Vec<_>>()}))
            }
            "getSignaturesForAddress"
                if params[1]["minContextSlot"].as_u64().unwrap_or(0) > slot - depth(&params[1]) =>
            {
                Err(-32_016)
            }
            "getSignaturesForAddress" => Ok(self.listed(node, slot, params)),
            "getTransaction" => Ok(self.kept(slot, params)),
            _ => self.account(method, params, slot),
        }
    }

    fn account(&self, method: &str, params: &Value, slot: u64) -> Result<Value, i64> {
        let at = slot - FINAL_SLOTS;
        match method {
            "getMultipleAccounts" => {
                let keys = params[0].as_array().unwrap();
                let all: Vec<Value> =
                    keys.iter().map(|key| self.bank.shown(key, slot - 2)).collect();
                Ok(json!({"context": {"slot": slot}, "value": all}))
            }
            "getAccountInfo" if params[1]["minContextSlot"].as_u64().unwrap_or(0) > at => {
                Err(-32_016)
            }
            "getAccountInfo" => {
                Ok(json!({"context": {"slot": at}, "value": self.bank.shown(&params[0], at)}))
            }
            "getProgramAccounts" => Ok(json!({"context": {"slot": at}, "value": self.bank.all()})),
            _ => Err(-32_601),
        }
    }

    fn block_at(&self, slot: u64) -> &Block {
        self.blocks.iter().rev().find(|block| block.slot <= slot).unwrap()
    }

    fn kept(&self, slot: u64, params: &Value) -> Value {
        let found = self.landed.get(params[0].as_str().unwrap());
        let found = found.filter(|found| found.slot + depth(&params[1]) <= slot);
        found.map_or(Value::Null, |found| {
            json!({
                "slot": found.slot,
                "blockTime": 1_790_000_000,
                "meta": {
                    "err": found.err,
                    "fee": 5_000,
                    "preBalances": found.before,
                    "postBalances": found.after,
                    "preTokenBalances": found.tokens[0],
                    "postTokenBalances": found.tokens[1],
                    "loadedAddresses": self.loaded(&found.bytes),
                },
                "transaction": [STANDARD.encode(&found.bytes), "base64"],
            })
        })
    }

    fn loaded(&self, bytes: &[u8]) -> Value {
        let transaction = Transaction::decode(bytes).unwrap();
        let own = transaction.message().addresses().len();
        let named = self.bank.named(&transaction);
        let loaded: Vec<String> = named[own..].iter().map(Address::to_string).collect();
        json!({"writable": loaded, "readonly": []})
    }

    fn tried(&self, params: &Value, slot: u64) -> Result<Value, i64> {
        assert_eq!(params[1]["sigVerify"], false);
        if params[1]["minContextSlot"].as_u64().unwrap() > slot {
            return Err(-32_016);
        }
        let bytes = STANDARD.decode(params[0].as_str().unwrap()).unwrap();
        let transaction = Transaction::decode(&bytes).unwrap();
        assert_eq!(transaction.name(), None, "signed bytes leave before anybody knows of them");
        let (err, ..) = self.bank.clone().run(&transaction);
        let units = 150 * transaction.message().instructions(&self.bank.resolved()).unwrap().len();
        Ok(json!({"context": {"slot": slot}, "value": {
            "err": err, "unitsConsumed": units, "loadedAccountsDataSize": 20_000,
        }}))
    }

    /// Whether a node still has a slot: all of them remember a while, whatever they keep.
    fn has(node: &Node, slot: u64, landed: u64) -> bool {
        landed <= slot && (landed >= node.keeps_from || landed + 300 >= slot)
    }

    fn status(&self, node: &Node, slot: u64, name: &Value) -> Value {
        let name = name.as_str().unwrap();
        if let Some((from, _, _)) = self.ghosts.get(name).filter(|ghost| ghost.0 <= slot) {
            return json!({"slot": from, "err": null, "confirmationStatus": "confirmed"});
        }
        let found = self.landed.get(name).filter(|found| Self::has(node, slot, found.slot));
        found.map_or(Value::Null, |found| {
            let said = match slot - found.slot {
                0..2 => "processed",
                2..FINAL_SLOTS => "confirmed",
                _ => "finalized",
            };
            json!({"slot": found.slot, "err": found.err, "confirmationStatus": said})
        })
    }

    fn listed(&self, node: &Node, slot: u64, params: &Value) -> Value {
        let mut all: Vec<(&String, &Landed)> = self.landed.iter().collect();
        let deep = depth(&params[1]);
        all.retain(|(_, landed)| Self::has(node, slot, landed.slot) && landed.slot + deep <= slot);
        all.sort_by_key(|(_, landed)| core::cmp::Reverse(landed.slot));
        let names = |landed: &Landed| {
            let transaction = Transaction::decode(&landed.bytes).unwrap();
            let named = self.bank.named(&transaction);
            named.iter().any(|one| params[0] == one.to_string())
        };
        all.retain(|(_, landed)| names(landed));
        let known = all.iter().position(|(name, _)| params[1]["until"] == name.as_str());
        all.truncate(known.unwrap_or(all.len()));
        let one = |(name, landed): (&String, &Landed)| {
            let tables = self.bank.resolved();
            let memo = Bank::memo(&Transaction::decode(&landed.bytes).unwrap(), &tables);
            let said = if landed.slot + FINAL_SLOTS <= slot { "finalized" } else { "confirmed" };
            json!({
                "signature": name, "slot": landed.slot, "err": landed.err,
                "memo": memo.map(|memo| format!("[{}] {memo}", memo.len())),
                "confirmationStatus": said,
            })
        };
        all.into_iter().map(one).collect()
    }
}

/// How many slots deep a question looks.
fn depth(options: &Value) -> u64 {
    if options["commitment"] == "confirmed" { 2 } else { FINAL_SLOTS }
}

const FINAL_SLOTS: u64 = 32;
pub(crate) const MAINNET: &str = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d";

//! A chain, the nodes that show it, and what goes wrong: (request, moment) → reply.

use std::time::{Duration, Instant};

use divvy_solana::{Account, Address, Derived, TokenAccount, token};
use serde_json::{Value, json};

use crate::chain::Chain;
use crate::faults::{Fate, Faults};
use crate::node::{Asked, Node};

/// What a node replies: a status, and a body.
pub type Reply = (u16, Vec<u8>);

pub struct World {
    pub chain: Chain,
    pub nodes: [Node; 2],
    pub faults: Faults,
    pub mint: Address,
    /// How many requests there were.
    pub asked: u64,
    started: Instant,
    slot_length: Duration,
    first_slot: u64,
}

impl World {
    /// A chain on which slots are so long, with a token of this mint.
    pub fn new(seed: u64, mint: Address, slot_length: Duration, faults: Faults) -> Self {
        let mut chain = Chain::new(seed);
        let (program, lamports) = (token::PROGRAM, chain.machine.rent(MINT_BYTES));
        let supply = SUPPLY.to_le_bytes();
        // Nobody may make more, and nobody may freeze.
        let data = [&[0; 36][..], &supply, &[6, 1], &[0; 36]].concat();
        chain.machine.put(&mint, &Account { program, lamports, executable: false, data });
        let first_slot = chain.slot;
        let (nodes, started) = ([Node::GOOD; 2], Instant::now());
        Self { chain, nodes, faults, mint, asked: 0, started, slot_length, first_slot }
    }

    /// Gives a wallet a token account that holds so much.
    pub fn give(&mut self, wallet: &Address, amount: u64) {
        let (program, lamports) = (token::PROGRAM, self.chain.machine.rent(TOKEN_BYTES));
        let start = [self.mint.bytes().as_slice(), wallet.bytes()].concat();
        let middle = [amount.to_le_bytes().as_slice(), &[0; 36]].concat();
        let data = [start, middle, vec![1], vec![0; 56]].concat();
        let account = Account { program, lamports, executable: false, data };
        self.chain.machine.put(&self.account(wallet), &account);
    }

    pub fn account(&self, wallet: &Address) -> Address {
        Derived::token_account(wallet, &self.mint, &token::PROGRAM).unwrap().address
    }

    /// What a wallet's token account holds, if it has one.
    pub fn held(&self, wallet: &Address) -> Option<u64> {
        let account = self.chain.machine.account(&self.account(wallet))?;
        TokenAccount::read(&account).map(|held| held.amount)
    }

    /// Lets as many slots pass as have passed by the clock.
    pub fn go_on(&mut self) {
        let due = self.started.elapsed().as_millis() / self.slot_length.as_millis();
        let to = self.first_slot + due as u64;
        self.chain.pass(to.saturating_sub(self.chain.slot));
        if let Some(nodes) = self.faults.nodes(self.chain.slot) {
            self.nodes = nodes;
        }
    }

    /// What a node replies, if anybody hears it.
    pub fn serve(&mut self, node: usize, body: &[u8]) -> Option<Reply> {
        self.asked += 1;
        let fate = self.faults.fate(node, self.chain.slot);
        match fate {
            Fate::Deaf => return None,
            Fate::Busy => return Some((429, b"slow down".to_vec())),
            Fate::Broken => return Some((502, b"<html>bad gateway</html>".to_vec())),
            Fate::Served | Fate::LostReply => {}
        }
        let asked: Value = serde_json::from_slice(body).ok()?;
        let (method, params) = (asked["method"].as_str()?, &asked["params"]);
        let way = self.faults.way();
        let chain = &mut self.chain;
        let said = Asked { chain, node: self.nodes[node], method, params }.answer(way);
        let said = match said {
            Ok(result) => json!({"jsonrpc": "2.0", "id": asked["id"], "result": result}),
            Err(code) => {
                let error = json!({"code": code, "message": "it cannot be answered"});
                json!({"jsonrpc": "2.0", "id": asked["id"], "error": error})
            }
        };
        (fate == Fate::Served).then(|| (200, said.to_string().into_bytes()))
    }
}

const MINT_BYTES: usize = 82;
const TOKEN_BYTES: usize = 165;

/// A million million of a token with six decimals.
const SUPPLY: u64 = 1_000_000_000_000_000_000;

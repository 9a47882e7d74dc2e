//! Slots, blocks and what lands in them.
//!
//! Some slots have no block, so slots run ahead of heights. A block is confirmed two slots later
//! and final thirty-two slots later. A transaction lands while the block whose hash it carries is
//! at most 150 blocks back, and at most once. A fork is one that most of the chain votes for and
//! that is gone after a while, with what was in it.

use std::collections::{BTreeMap, HashMap};

use divvy_solana::{Account, Address, Instruction, Lifetime, Message, Signature, Transaction};
use divvy_solana::{TokenAccount, system};
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::machine::{Machine, Ran};

/// Where a transaction goes that a node has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Into a block so many slots later.
    Lands(u64),
    /// Nowhere.
    Dropped,
    /// Onto a fork.
    Forked,
}

pub struct Block {
    pub slot: u64,
    pub height: u64,
    pub hash: Lifetime,
}

/// A transaction that is part of the chain.
pub struct Landed {
    pub name: String,
    pub slot: u64,
    pub bytes: Vec<u8>,
    pub ran: Ran,
    /// Lamports of all its accounts, before and after.
    pub lamports: [Vec<u64>; 2],
    /// Token balances among them, as nodes write them.
    pub tokens: [Vec<Value>; 2],
    /// What its accounts were before, for whoever looks at an earlier slot.
    before: HashMap<Address, Option<Account>>,
}

/// A transaction on a fork.
struct Ghost {
    slot: u64,
    until: u64,
    bytes: Vec<u8>,
}

pub struct Chain {
    pub machine: Machine,
    pub slot: u64,
    pub dice: Dice,
    /// One slot in so many has no block.
    pub skips: u64,
    blocks: Vec<Block>,
    waiting: Vec<(u64, Vec<u8>)>,
    landed: Vec<Landed>,
    places: HashMap<String, usize>,
    ghosts: BTreeMap<String, Ghost>,
    /// What was taken and never landed, for whoever asks how much went wrong.
    pub lost: u64,
}

impl Chain {
    pub fn new(seed: u64) -> Self {
        let mut chain = Self {
            machine: Machine::bare(),
            slot: FIRST_SLOT,
            dice: Dice::new(seed),
            skips: 4,
            blocks: vec![Block {
                slot: FIRST_SLOT,
                height: FIRST_HEIGHT,
                hash: hash(FIRST_HEIGHT),
            }],
            waiting: Vec::new(),
            landed: Vec::new(),
            places: HashMap::new(),
            ghosts: BTreeMap::new(),
            lost: 0,
        };
        chain.pass(400);
        chain
    }

    /// Lets slots pass.
    pub fn pass(&mut self, slots: u64) {
        for _ in 0..slots {
            self.slot += 1;
            self.end_forks();
            if self.dice.one_in(self.skips) {
                continue;
            }
            let height = self.height() + 1;
            self.blocks.push(Block { slot: self.slot, height, hash: hash(height) });
            let slot = self.slot;
            let (due, later) = self.waiting.drain(..).partition(|(at, _)| *at <= slot);
            self.waiting = later;
            let due: Vec<(u64, Vec<u8>)> = due;
            due.into_iter().for_each(|(_, bytes)| self.land(bytes));
        }
        let old = self.slot.saturating_sub(REMEMBERED_SLOTS);
        for landed in self.landed.iter_mut().rev().skip_while(|landed| landed.slot > old) {
            if landed.before.is_empty() {
                break;
            }
            landed.before.clear();
        }
    }

    pub fn height(&self) -> u64 {
        self.blocks.last().unwrap().height
    }

    /// The newest block of a slot or before it.
    pub fn block_at(&self, slot: u64) -> &Block {
        let after = self.blocks.partition_point(|block| block.slot <= slot);
        &self.blocks[after - 1]
    }

    /// Takes the bytes of a transaction in, whose name is known.
    pub fn take(&mut self, name: &str, bytes: Vec<u8>, way: Way) {
        let known = self.places.contains_key(name) || self.ghosts.contains_key(name);
        match way {
            Way::Dropped => self.lost += 1,
            Way::Forked if !known => {
                let (slot, until) = (self.slot, self.slot + FORK_SLOTS);
                self.ghosts.insert(name.to_owned(), Ghost { slot, until, bytes });
            }
            Way::Forked => {}
            Way::Lands(slots) => self.waiting.push((self.slot + slots, bytes)),
        }
    }

    /// What is known of a name as of a slot: where it is, and how it ended.
    pub fn found(&self, name: &str, slot: u64) -> Option<&Landed> {
        let landed = self.places.get(name).map(|place| &self.landed[*place]);
        landed.filter(|landed| landed.slot <= slot)
    }

    /// The slot of a transaction on a fork.
    pub fn ghost(&self, name: &str, slot: u64) -> Option<u64> {
        self.ghosts.get(name).map(|ghost| ghost.slot).filter(|at| *at + 2 <= slot)
    }

    /// All that is part of the chain, the oldest first.
    pub fn landed(&self) -> &[Landed] {
        &self.landed
    }

    /// An account as of a slot.
    pub fn account(&self, address: &Address, slot: u64) -> Option<Account> {
        let later = self.landed.partition_point(|landed| landed.slot <= slot);
        let before = self.landed[later..].iter().find_map(|landed| landed.before.get(address));
        match before {
            Some(before) => before.clone(),
            None => self.machine.account(address),
        }
    }

    /// What a transaction would do now, and the bytes of accounts that it would load.
    pub fn try_out(&self, bytes: &[u8]) -> (Ran, usize) {
        let transaction = Transaction::decode(bytes).unwrap();
        let message = transaction.message();
        if !self.is_young(message) {
            let err = Some("BlockhashNotFound".into());
            return (Ran { err, units: 0, fee: 0, logs: vec![] }, 0);
        }
        let loaded = message.addresses().iter().map(|address| self.loaded(address)).sum();
        (self.machine.try_out(bytes), loaded)
    }

    /// The bytes that an account counts for, with those of a program that stand elsewhere.
    fn loaded(&self, address: &Address) -> usize {
        let Some(account) = self.machine.account(address) else { return 0 };
        let mut bytes = BASE_BYTES + account.data.len();
        // A program of the upgradeable loader says where its code is: a tag, and an address.
        if let (true, Some(code)) = (account.executable, account.data.get(4..36)) {
            let code = Address::new(code.try_into().unwrap());
            bytes += self.machine.account(&code).map_or(0, |code| BASE_BYTES + code.data.len());
        }
        bytes
    }

    /// Whether the hash that it carries still lets it live: of a block, or of a nonce account.
    fn is_young(&self, message: &Message) -> bool {
        let lifetime = message.lifetime();
        let height = self.height();
        let oldest = height.saturating_sub(WINDOW_BLOCKS).max(FIRST_HEIGHT);
        let mut blocks = self.blocks.iter().rev().take_while(|block| block.height >= oldest);
        blocks.any(|block| block.hash == lifetime) || self.is_of_nonce(message)
    }

    fn is_of_nonce(&self, message: &Message) -> bool {
        let orders = message.instructions(&[]).unwrap_or_default();
        let Some(Instruction { program, accounts, data }) = orders.first() else { return false };
        let advances = *program == system::PROGRAM && data.as_slice() == [4, 0, 0, 0];
        let account = accounts.first().and_then(|one| self.machine.account(&one.address));
        let nonce = account.and_then(|account| account.data.get(40..72).map(<[u8]>::to_vec));
        advances && nonce.as_deref() == Some(message.lifetime().bytes().as_slice())
    }

    fn end_forks(&mut self) {
        let over = self.ghosts.iter().filter(|(_, ghost)| ghost.until < self.slot);
        for name in over.map(|(name, _)| name.clone()).collect::<Vec<_>>() {
            let ghost = self.ghosts.remove(&name).unwrap();
            // What was on the fork may find its way into the chain, or not.
            if self.dice.one_in(2) {
                let later = self.dice.below(40);
                self.waiting.push((self.slot + later, ghost.bytes));
            } else {
                self.lost += 1;
            }
        }
    }

    fn land(&mut self, bytes: Vec<u8>) {
        let transaction = Transaction::decode(&bytes).unwrap();
        let message = transaction.message();
        let name = transaction.name().unwrap().to_string();
        if self.places.contains_key(&name) {
            return;
        }
        if !self.is_young(message) {
            self.lost += 1;
            return;
        }
        self.machine.pass_to(self.slot, self.slot / EPOCH_SLOTS);
        let addresses = message.addresses().to_vec();
        let of = |machine: &Machine| -> Vec<Option<Account>> {
            addresses.iter().map(|address| machine.account(address)).collect()
        };
        let before = of(&self.machine);
        let ran = self.machine.run(&bytes);
        if ran.err.as_ref().and_then(Value::as_str).is_some_and(|why| NEVER_LANDS.contains(&why)) {
            self.lost += 1;
            return;
        }
        let after = of(&self.machine);
        let landed = Landed {
            slot: self.slot,
            lamports: [lamports(&before), lamports(&after)],
            tokens: [tokens(&before), tokens(&after)],
            before: addresses.into_iter().zip(before).collect(),
            name: name.clone(),
            bytes,
            ran,
        };
        self.places.insert(name, self.landed.len());
        self.landed.push(landed);
    }
}

fn lamports(accounts: &[Option<Account>]) -> Vec<u64> {
    accounts.iter().map(|account| account.as_ref().map_or(0, |found| found.lamports)).collect()
}

/// What the token accounts among these hold, as nodes write it.
fn tokens(accounts: &[Option<Account>]) -> Vec<Value> {
    let held = accounts.iter().enumerate().filter_map(|(at, account)| {
        let held = TokenAccount::read(account.as_ref()?)?;
        Some(json!({
            "accountIndex": at,
            "mint": held.mint.to_string(),
            "owner": held.owner.to_string(),
            "uiTokenAmount": {"amount": held.amount.to_string(), "decimals": DECIMALS},
        }))
    });
    held.collect()
}

fn hash(height: u64) -> Lifetime {
    let mut hash = [9; 32];
    hash[..8].copy_from_slice(&height.to_le_bytes());
    Lifetime::new(hash)
}

/// The name that a signed transaction has, if all have signed it.
pub fn name_of(bytes: &[u8]) -> Option<Signature> {
    let transaction = Transaction::decode(bytes).ok()?;
    transaction.verify().ok()?;
    transaction.name()
}

/// Why no block takes a transaction in: nobody would pay for it.
const NEVER_LANDS: [&str; 5] = [
    "AccountNotFound",
    "InsufficientFundsForFee",
    "InvalidAccountForFee",
    "SanitizeFailure",
    "TooManyBytes",
];

/// A good while of empty slots lies behind it.
const FIRST_SLOT: u64 = 500_000;
const FIRST_HEIGHT: u64 = 400_000;
const EPOCH_SLOTS: u64 = 432_000;
const WINDOW_BLOCKS: u64 = 150;
const FORK_SLOTS: u64 = 25;
const REMEMBERED_SLOTS: u64 = 400;
const BASE_BYTES: usize = 64;
const DECIMALS: u8 = 6;

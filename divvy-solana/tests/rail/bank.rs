//! What wallets and token accounts hold, and what transactions do to them.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use divvy_solana::{
    Address, Derived, Instruction, Keypair, Lifetime, Table, Transaction, associated, lookup, memo,
    system, token,
};
use serde_json::{Value, json};

/// Whose key the rail signs with.
pub(crate) const TILL: u8 = 7;

/// A token account.
#[derive(Clone, Debug)]
struct Held {
    owner: Address,
    amount: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Bank {
    pub(crate) mint: Address,
    pub(crate) supply: u64,
    pub(crate) lamports: BTreeMap<Address, u64>,
    tokens: BTreeMap<Address, Held>,
    pub(crate) frozen: BTreeSet<Address>,
    /// The values of each nonce, with the slots from which they hold.
    pub(crate) nonces: BTreeMap<Address, Vec<(u64, Lifetime)>>,
    /// Lookup tables, as they are kept.
    pub(crate) tables: BTreeMap<Address, Vec<u8>>,
}

impl Bank {
    pub(crate) fn new(mint: Address) -> Self {
        let (lamports, tokens, frozen) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        let (nonces, tables) = (BTreeMap::new(), BTreeMap::new());
        Self { mint, supply: 1_000_000, lamports, tokens, frozen, nonces, tables }
    }

    pub(crate) fn account(&self, wallet: &Address) -> Address {
        Derived::token_account(wallet, &self.mint, &token::PROGRAM).unwrap().address
    }

    /// Gives a wallet a token account that holds so much.
    pub(crate) fn give(&mut self, wallet: &Address, amount: u64) {
        let account = self.account(wallet);
        self.tokens.insert(account, Held { owner: *wallet, amount });
    }

    pub(crate) fn held(&self, wallet: &Address) -> u64 {
        self.tokens.get(&self.account(wallet)).map_or(0, |held| held.amount)
    }

    /// Runs a transaction whole or not at all; the fee is taken in any case.
    pub(crate) fn run(&mut self, tried: &Transaction) -> (Option<Value>, Vec<u64>, Vec<u64>) {
        let message = tried.message();
        let payer = *message.payer().unwrap();
        let of = |bank: &Self| -> Vec<u64> {
            let held = |address| bank.lamports.get(address).copied().unwrap_or(0);
            let named = bank.named(tried);
            named.iter().map(held).collect()
        };
        let before = of(self);
        *self.lamports.entry(payer).or_default() -= 5_000;
        let mut after = self.clone();
        let orders = message.instructions(&self.resolved()).unwrap();
        let ran = orders.iter().enumerate().try_for_each(|(at, order)| {
            after.order(order, &payer).map_err(|why| json!({"InstructionError": [at, why]}))
        });
        if ran.is_ok() {
            *self = after;
        }
        (ran.err(), before, of(self))
    }

    fn order(&mut self, order: &Instruction, payer: &Address) -> Result<(), Value> {
        let account = |at: usize| order.accounts[at].address;
        if order.program == associated::PROGRAM {
            let (new, owner) = (account(1), account(2));
            assert_eq!(new, self.account(&owner));
            if let Entry::Vacant(place) = self.tokens.entry(new) {
                place.insert(Held { owner, amount: 0 });
                *self.lamports.get_mut(payer).unwrap() -= RENT;
                self.lamports.insert(new, RENT);
            }
        } else if order.program == token::PROGRAM {
            let amount = u64::from_le_bytes(order.data[1..9].try_into().unwrap());
            let (from, to) = (account(0), account(2));
            if self.frozen.contains(&to) {
                return Err(json!({"Custom": 17}));
            }
            if !self.tokens.contains_key(&to) {
                return Err(json!("InvalidAccountData"));
            }
            let source = self.tokens.get_mut(&from).ok_or(json!("InvalidAccountData"))?;
            source.amount = source.amount.checked_sub(amount).ok_or(json!({"Custom": 1}))?;
            self.tokens.get_mut(&to).unwrap().amount += amount;
        } else if order.program == system::PROGRAM && order.data[0] == 2 {
            let amount = u64::from_le_bytes(order.data[4..12].try_into().unwrap());
            let from = self.lamports.entry(account(0)).or_default();
            *from = from.checked_sub(amount).ok_or(json!({"Custom": 1}))?;
            *self.lamports.entry(account(1)).or_default() += amount;
        }
        Ok(())
    }

    /// Every account that a transaction names, those of tables behind the others.
    pub(crate) fn named(&self, transaction: &Transaction) -> Vec<Address> {
        let message = transaction.message();
        let mut all = message.addresses().to_vec();
        let orders = message.instructions(&self.resolved()).unwrap();
        let mut loaded: Vec<_> = orders.iter().flat_map(|order| order.accounts.clone()).collect();
        loaded.retain(|one| !message.addresses().contains(&one.address));
        let place = |address: &Address| {
            self.resolved()
                .iter()
                .find_map(|table| table.addresses.iter().position(|one| one == address))
        };
        loaded.sort_by_key(|one| (!one.writes, place(&one.address)));
        loaded.dedup();
        all.extend(loaded.iter().map(|one| one.address));
        all
    }

    /// What token accounts among these hold, as a node shows it.
    pub(crate) fn tokens(&self, transaction: &Transaction) -> Vec<Value> {
        let named = self.named(transaction);
        let addresses = named.iter().enumerate();
        let held = addresses.filter_map(|(at, address)| {
            let held = self.tokens.get(address)?;
            Some(json!({
                "accountIndex": at, "mint": self.mint.to_string(),
                "owner": held.owner.to_string(),
                "uiTokenAmount": {"amount": held.amount.to_string(), "decimals": 6},
            }))
        });
        held.collect()
    }

    /// Every token account, sliced to owner and amount.
    pub(crate) fn all(&self) -> Value {
        let one = |(address, held): (&Address, &Held)| {
            let data = [held.owner.bytes().as_slice(), &held.amount.to_le_bytes()].concat();
            json!({"pubkey": address.to_string(), "account": {
                "lamports": RENT, "owner": token::PROGRAM.to_string(), "executable": false,
                "data": [STANDARD.encode(data), "base64"],
            }})
        };
        self.tokens.iter().map(one).collect()
    }

    /// Gives an owner a token account at any address.
    pub(crate) fn give_at(&mut self, account: Address, owner: &Address, amount: u64) {
        self.tokens.insert(account, Held { owner: *owner, amount });
    }

    /// Makes a lookup table, which was extended at a slot.
    pub(crate) fn make_table(&mut self, table: Address, extended: u64, addresses: &[Address]) {
        let head = [vec![1, 0, 0, 0], vec![255; 8], extended.to_le_bytes().to_vec(), vec![0; 36]];
        let addresses = addresses.iter().flat_map(|address| *address.bytes());
        self.tables.insert(table, head.concat().into_iter().chain(addresses).collect());
    }

    /// The tables as messages resolve them.
    pub(crate) fn resolved(&self) -> Vec<Table> {
        let table = |(address, data): (&Address, &Vec<u8>)| {
            let (addresses, _) = data[56..].as_chunks::<32>();
            let addresses = addresses.iter().copied().map(Address::new).collect();
            Table { address: *address, addresses }
        };
        self.tables.iter().map(table).collect()
    }

    /// The value of a nonce at a slot.
    pub(crate) fn nonce(&self, nonce: &Address, slot: u64) -> Option<Lifetime> {
        let values = self.nonces.get(nonce)?;
        values.iter().rev().find(|(from, _)| *from <= slot).map(|(_, value)| *value)
    }

    /// An account as a node shows it, as of a slot where that matters.
    pub(crate) fn shown(&self, key: &Value, slot: u64) -> Value {
        let address = Address::parse(key.as_str().unwrap()).unwrap();
        let (program, data, lamports) = if let Some(value) = self.nonce(&address, slot) {
            let owner = Keypair::from_seed(&[TILL; 32]).address();
            let head = [vec![1, 0, 0, 0, 1, 0, 0, 0], owner.bytes().to_vec()].concat();
            (system::PROGRAM, [head, value.bytes().to_vec(), vec![0; 8]].concat(), RENT)
        } else if let Some(data) = self.tables.get(&address) {
            (lookup::PROGRAM, data.clone(), RENT)
        } else if address == self.mint {
            let supply = self.supply.to_le_bytes().to_vec();
            let data = [vec![0; 36], supply, vec![6, 1], vec![0; 36]];
            (token::PROGRAM, data.concat(), RENT)
        } else if let Some(held) = self.tokens.get(&address) {
            let state = if self.frozen.contains(&address) { 2 } else { 1 };
            let start = [self.mint.bytes().as_slice(), held.owner.bytes()].concat();
            let middle = [held.amount.to_le_bytes().as_slice(), &[0; 36]].concat();
            (token::PROGRAM, [start, middle, vec![state], vec![0; 56]].concat(), RENT)
        } else if let Some(lamports) = self.lamports.get(&address) {
            (system::PROGRAM, Vec::new(), *lamports)
        } else {
            return Value::Null;
        };
        json!({
            "lamports": lamports, "owner": program.to_string(), "executable": false,
            "data": [STANDARD.encode(data), "base64"], "rentEpoch": 0,
        })
    }

    pub(crate) fn memo(transaction: &Transaction, tables: &[Table]) -> Option<String> {
        let orders = transaction.message().instructions(tables).unwrap();
        let noted = orders.into_iter().find(|order| order.program == memo::PROGRAM)?;
        String::from_utf8(noted.data).ok()
    }
}

pub(crate) const RENT: u64 = (128 + 165) * 5_080;

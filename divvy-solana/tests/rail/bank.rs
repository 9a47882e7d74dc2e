//! What wallets and token accounts hold, and what transactions do to them.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use divvy_solana::{Address, Derived, Instruction, Transaction, associated, memo, system, token};
use serde_json::{Value, json};

/// A token account.
#[derive(Clone, Debug)]
struct Held {
    owner: Address,
    amount: u64,
}

#[derive(Clone)]
pub(crate) struct Bank {
    pub(crate) mint: Address,
    pub(crate) supply: u64,
    pub(crate) lamports: BTreeMap<Address, u64>,
    tokens: BTreeMap<Address, Held>,
    pub(crate) frozen: BTreeSet<Address>,
}

impl Bank {
    pub(crate) fn new(mint: Address) -> Self {
        let (lamports, tokens, frozen) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        Self { mint, supply: 1_000_000, lamports, tokens, frozen }
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
            message.addresses().iter().map(held).collect()
        };
        let before = of(self);
        *self.lamports.entry(payer).or_default() -= 5_000;
        let mut after = self.clone();
        let orders = message.instructions(&[]).unwrap();
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
        } else if order.program == system::PROGRAM {
            let amount = u64::from_le_bytes(order.data[4..12].try_into().unwrap());
            let from = self.lamports.entry(account(0)).or_default();
            *from = from.checked_sub(amount).ok_or(json!({"Custom": 1}))?;
            *self.lamports.entry(account(1)).or_default() += amount;
        }
        Ok(())
    }

    /// What token accounts among these hold, as a node shows it.
    pub(crate) fn tokens(&self, transaction: &Transaction) -> Vec<Value> {
        let addresses = transaction.message().addresses().iter().enumerate();
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

    /// An account as a node shows it.
    pub(crate) fn shown(&self, key: &Value) -> Value {
        let address = Address::parse(key.as_str().unwrap()).unwrap();
        let (program, data, lamports) = if address == self.mint {
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

    pub(crate) fn memo(transaction: &Transaction) -> Option<String> {
        let orders = transaction.message().instructions(&[]).unwrap();
        let noted = orders.into_iter().find(|order| order.program == memo::PROGRAM)?;
        String::from_utf8(noted.data).ok()
    }
}

pub(crate) const RENT: u64 = (128 + 165) * 5_080;

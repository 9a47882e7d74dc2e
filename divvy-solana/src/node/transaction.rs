//! Transactions as nodes keep them.

use divvy_core::Time;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::address::Address;
use crate::node::Question;
use crate::node::rpc::bytes_of;
use crate::transaction::Transaction;

/// A transaction that landed.
#[derive(Deserialize)]
pub(crate) struct Landed {
    meta: Option<Meta>,
    transaction: (String, String),
    #[serde(rename = "blockTime")]
    block_time: Option<u64>,
}

/// What became of it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    err: Option<Value>,
    pre_balances: Vec<u64>,
    post_balances: Vec<u64>,
    #[serde(default)]
    pre_token_balances: Vec<TokenBalance>,
    #[serde(default)]
    post_token_balances: Vec<TokenBalance>,
    loaded_addresses: Option<Loaded>,
}

/// The accounts that lookup tables led to, which come behind those of the message.
#[derive(Deserialize)]
struct Loaded {
    writable: Vec<String>,
    readonly: Vec<String>,
}

/// What a token account held.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenBalance {
    account_index: usize,
    mint: String,
    ui_token_amount: Units,
}

#[derive(Deserialize)]
struct Units {
    amount: String,
}

impl Landed {
    /// Asks for the transaction with this name. Those of the newest format are shown too.
    pub(crate) fn question(name: &str, commitment: &str) -> Question {
        let options = json!({
            "encoding": "base64",
            "commitment": commitment,
            "maxSupportedTransactionVersion": 1,
        });
        Question::new("getTransaction", json!([name, options]))
    }

    /// Its bytes, read.
    pub(crate) fn transaction(&self) -> Option<Transaction> {
        let (text, encoding) = &self.transaction;
        Transaction::decode(&bytes_of(text).filter(|_| encoding == "base64")?).ok()
    }

    /// When its block was made, as the chain reckons.
    pub(crate) fn at(&self) -> Option<Time> {
        self.block_time.map(|secs| Time::ZERO.plus_secs(secs))
    }

    /// Every account that it names, in the order of their places.
    pub(crate) fn addresses(&self) -> Option<Vec<Address>> {
        let mut all = self.transaction()?.message().addresses().to_vec();
        let loaded = self.meta.as_ref().and_then(|meta| meta.loaded_addresses.as_ref());
        for text in loaded.iter().flat_map(|one| one.writable.iter().chain(&one.readonly)) {
            all.push(Address::parse(text).ok()?);
        }
        Some(all)
    }

    /// Where an account stands among those that it names.
    pub(crate) fn place(&self, address: &Address) -> Option<usize> {
        let transaction = self.transaction()?;
        let own = transaction.message().addresses();
        let loaded = self.meta.as_ref().and_then(|meta| meta.loaded_addresses.as_ref());
        let text = address.to_string();
        own.iter().position(|one| one == address).or_else(|| {
            let loaded = loaded?;
            let place = loaded.writable.iter().chain(&loaded.readonly).position(|one| *one == text);
            place?.checked_add(own.len())
        })
    }

    /// Whether it did what it says.
    pub(crate) fn succeeded(&self) -> bool {
        self.meta.as_ref().is_some_and(|meta| meta.err.is_none())
    }

    /// How many lamports the payer has fewer.
    pub(crate) fn lamports_spent(&self) -> Option<u64> {
        let meta = self.meta.as_ref()?;
        meta.pre_balances.first()?.checked_sub(*meta.post_balances.first()?)
    }

    /// How many lamports the account at this place has more.
    pub(crate) fn lamports_gained(&self, place: usize) -> Option<u64> {
        let meta = self.meta.as_ref()?;
        meta.post_balances.get(place)?.checked_sub(*meta.pre_balances.get(place)?)
    }

    /// How many tokens of a mint the account at this place has more.
    pub(crate) fn tokens_gained(&self, place: usize, mint: &str) -> Option<u64> {
        let meta = self.meta.as_ref()?;
        let of = |balances: &[TokenBalance]| {
            let own = |one: &&TokenBalance| one.account_index == place && one.mint == mint;
            balances.iter().find(own).map(|one| one.ui_token_amount.amount.parse::<u64>())
        };
        let before = of(&meta.pre_token_balances).map_or(Some(0), Result::ok)?;
        of(&meta.post_token_balances)?.ok()?.checked_sub(before)
    }
}

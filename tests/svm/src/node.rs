//! What a node says of the chain, method by method.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use divvy_solana::{Account, Address, Transaction, memo};
use serde_json::{Value, json};

use crate::chain::{Chain, Landed, Way, name_of};

/// One provider's node.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// So many slots behind the chain.
    pub lag: u64,
    /// It keeps no history from before this slot, beyond what every node remembers for a while.
    pub keeps_from: u64,
    /// Who is asked of signatures is so many slots behind who is asked of heights.
    pub stale: u64,
}

impl Node {
    pub const GOOD: Self = Self { lag: 0, keeps_from: 0, stale: 0 };
}

/// A question with its parameters, asked of a node.
pub struct Asked<'a> {
    pub chain: &'a mut Chain,
    pub node: Node,
    pub method: &'a str,
    pub params: &'a Value,
}

/// A result, or the code of an error.
pub type Said = Result<Value, i64>;

impl Asked<'_> {
    /// Answers; what is sent goes this way.
    pub fn answer(&mut self, way: Way) -> Said {
        match self.method {
            "sendTransaction" => self.send(way),
            "getHealth" => Ok(json!("ok")),
            "getVersion" => Ok(json!({"solana-core": "4.2.2", "feature-set": 1})),
            "getGenesisHash" => Ok(json!(GENESIS)),
            "getFirstAvailableBlock" | "minimumLedgerSlot" => Ok(json!(self.node.keeps_from)),
            "getMinimumBalanceForRentExemption" => {
                let bytes = self.params[0].as_u64().ok_or(BAD_PARAMS)?;
                Ok(json!(self.chain.machine.rent(bytes as usize)))
            }
            "getRecentPrioritizationFees" => Ok(json!([
                {"slot": 1, "prioritizationFee": 0},
                {"slot": 2, "prioritizationFee": 700},
                {"slot": 3, "prioritizationFee": 9_000},
            ])),
            "getSlot" => Ok(json!(self.block().slot)),
            "getBlockHeight" => Ok(json!(self.block().height)),
            "getEpochInfo" => Ok(json!({
                "absoluteSlot": self.block().slot, "blockHeight": self.block().height,
                "epoch": 1, "slotIndex": 0, "slotsInEpoch": 432_000,
            })),
            "getLatestBlockhash" => {
                let block = self.block();
                Ok(json!({"context": {"slot": block.slot}, "value": {
                    "blockhash": Address::new(*block.hash.bytes()).to_string(),
                    "lastValidBlockHeight": block.height + 150,
                }}))
            }
            "simulateTransaction" => self.try_out(),
            "getSignatureStatuses" => self.statuses(),
            "getSignaturesForAddress" => self.listed(),
            "getTransaction" => Ok(self.kept()),
            _ => self.read(),
        }
    }

    fn read(&self) -> Said {
        let slot = self.slot();
        if self.params[1]["minContextSlot"].as_u64().unwrap_or(0) > slot {
            return Err(BEHIND);
        }
        let value = match self.method {
            "getAccountInfo" => self.shown(&self.params[0], slot)?,
            "getBalance" => {
                let found = self.chain.account(&address(&self.params[0])?, slot);
                json!(found.map_or(0, |found| found.lamports))
            }
            "getMultipleAccounts" => {
                let keys = self.params[0].as_array().ok_or(BAD_PARAMS)?;
                if keys.len() > 100 {
                    return Err(BAD_PARAMS);
                }
                let all: Result<Vec<Value>, i64> =
                    keys.iter().map(|key| self.shown(key, slot)).collect();
                json!(all?)
            }
            "getProgramAccounts" => self.owned(slot)?,
            _ => return Err(NO_METHOD),
        };
        Ok(json!({"context": {"slot": slot}, "value": value}))
    }

    fn send(&mut self, way: Way) -> Said {
        let bytes = bytes(&self.params[0]).ok_or(BAD_PARAMS)?;
        let name = name_of(&bytes).ok_or(BAD_SIGNATURE)?.to_string();
        self.chain.take(&name, bytes, way);
        Ok(json!(name))
    }

    fn try_out(&self) -> Said {
        let slot = self.block().slot;
        if self.params[1]["minContextSlot"].as_u64().unwrap_or(0) > slot {
            return Err(BEHIND);
        }
        let bytes = bytes(&self.params[0]).ok_or(BAD_PARAMS)?;
        let tried = Transaction::decode(&bytes).map_err(|_| BAD_PARAMS)?;
        // Whoever has a signature could send it before anybody wrote down that it exists.
        assert_eq!(tried.name(), None, "signed bytes are shown before they are sent");
        let (ran, loaded) = self.chain.try_out(&bytes);
        Ok(json!({"context": {"slot": slot}, "value": {
            "err": ran.err, "logs": ran.logs, "unitsConsumed": ran.units,
            "loadedAccountsDataSize": loaded,
        }}))
    }

    fn statuses(&self) -> Said {
        let slot = self.tip() - self.node.stale;
        let names = self.params[0].as_array().ok_or(BAD_PARAMS)?;
        let searches = self.params[1]["searchTransactionHistory"] == true;
        let status = |name: &Value| {
            let name = name.as_str().unwrap_or_default();
            if let Some(slot) = self.chain.ghost(name, slot) {
                return json!({"slot": slot, "err": null, "confirmationStatus": "confirmed"});
            }
            let has = |landed: &&Landed| {
                let recent = landed.slot + RECENT_SLOTS >= slot;
                recent || searches && landed.slot >= self.node.keeps_from
            };
            let found = self.chain.found(name, slot).filter(has);
            found.map_or(Value::Null, |found| {
                let said = standing(found.slot, slot);
                json!({"slot": found.slot, "err": found.ran.err, "confirmationStatus": said})
            })
        };
        let all: Vec<Value> = names.iter().map(status).collect();
        Ok(json!({"context": {"slot": slot}, "value": all}))
    }

    fn kept(&self) -> Value {
        let found = self.chain.found(self.params[0].as_str().unwrap_or_default(), self.slot());
        let found = found.filter(|found| found.slot >= self.node.keeps_from);
        found.map_or(Value::Null, |found| {
            json!({
                "slot": found.slot,
                "blockTime": 1_790_000_000 + found.slot / 5,
                "meta": {
                    "err": found.ran.err,
                    "fee": found.ran.fee,
                    "preBalances": found.lamports[0],
                    "postBalances": found.lamports[1],
                    "preTokenBalances": found.tokens[0],
                    "postTokenBalances": found.tokens[1],
                    "loadedAddresses": {"writable": [], "readonly": []},
                },
                "transaction": [STANDARD.encode(&found.bytes), "base64"],
            })
        })
    }

    /// What names an address, the newest first, a page at a time.
    fn listed(&self) -> Said {
        let (slot, named) = (self.slot(), address(&self.params[0])?);
        let options = &self.params[1];
        let limit = options["limit"].as_u64().unwrap_or(1_000).min(1_000) as usize;
        let kept = |landed: &&Landed| landed.slot <= slot && landed.slot >= self.node.keeps_from;
        let all = self.chain.landed().iter().rev().filter(kept);
        let mut behind = options["before"].is_null();
        let mut page = Vec::new();
        for landed in all {
            if options["until"] == landed.name.as_str() || page.len() == limit {
                break;
            }
            let transaction = Transaction::decode(&landed.bytes).map_err(|_| BAD_PARAMS)?;
            if behind && transaction.message().addresses().contains(&named) {
                page.push(json!({
                    "signature": landed.name, "slot": landed.slot, "err": landed.ran.err,
                    "memo": noted(&transaction), "blockTime": 1_790_000_000 + landed.slot / 5,
                    "confirmationStatus": standing(landed.slot, self.tip()),
                }));
            }
            behind |= options["before"] == landed.name.as_str();
        }
        Ok(page.into())
    }

    /// The accounts of a program that pass all filters.
    fn owned(&self, slot: u64) -> Said {
        let (program, options) = (address(&self.params[0])?, &self.params[1]);
        let filters = options["filters"].as_array().cloned().unwrap_or_default();
        let passes = |account: &Account| {
            filters.iter().all(|filter| match filter["dataSize"].as_u64() {
                Some(size) => account.data.len() as u64 == size,
                None => {
                    let offset = filter["memcmp"]["offset"].as_u64().unwrap_or(0) as usize;
                    address(&filter["memcmp"]["bytes"]).is_ok_and(|wanted| {
                        account.data.get(offset..offset + 32) == Some(wanted.bytes())
                    })
                }
            })
        };
        let mut all = Vec::new();
        for key in self.chain.machine.owned_by(&program) {
            let account = self.chain.account(&key, slot).filter(passes);
            let Some(mut account) = account else { continue };
            if let Some(offset) = options["dataSlice"]["offset"].as_u64() {
                let length = options["dataSlice"]["length"].as_u64().unwrap_or(0);
                let range = offset as usize..(offset + length) as usize;
                account.data = account.data.get(range).ok_or(BAD_PARAMS)?.to_vec();
            }
            all.push(json!({"pubkey": key.to_string(), "account": written(&account)}));
        }
        Ok(all.into())
    }

    fn shown(&self, key: &Value, slot: u64) -> Said {
        let found = self.chain.account(&address(key)?, slot);
        Ok(found.map_or(Value::Null, |found| written(&found)))
    }

    /// The slot that this node has seen.
    fn tip(&self) -> u64 {
        self.chain.slot - self.node.lag
    }

    /// The slot that a question is about.
    fn slot(&self) -> u64 {
        let options = self.params.as_array().into_iter().flatten();
        let asked = options.filter_map(|one| one["commitment"].as_str()).next();
        self.tip()
            - match asked {
                Some("processed") => 0,
                Some("confirmed") => CONFIRMED_SLOTS,
                _ => FINAL_SLOTS,
            }
    }

    fn block(&self) -> &crate::chain::Block {
        self.chain.block_at(self.slot())
    }
}

/// What has become of a slot by another one.
fn standing(landed: u64, slot: u64) -> &'static str {
    match slot.saturating_sub(landed) {
        0..CONFIRMED_SLOTS => "processed",
        CONFIRMED_SLOTS..FINAL_SLOTS => "confirmed",
        _ => "finalized",
    }
}

fn noted(transaction: &Transaction) -> Option<String> {
    let orders = transaction.message().instructions(&[]).ok()?;
    let note = orders.into_iter().find(|order| order.program == memo::PROGRAM)?;
    let text = String::from_utf8(note.data).ok()?;
    Some(format!("[{}] {text}", text.len()))
}

fn written(account: &Account) -> Value {
    json!({
        "lamports": account.lamports, "owner": account.program.to_string(),
        "executable": account.executable, "rentEpoch": 0,
        "data": [STANDARD.encode(&account.data), "base64"],
    })
}

fn address(text: &Value) -> Result<Address, i64> {
    Address::parse(text.as_str().ok_or(BAD_PARAMS)?).map_err(|_| BAD_PARAMS)
}

fn bytes(text: &Value) -> Option<Vec<u8>> {
    STANDARD.decode(text.as_str()?).ok()
}

/// The hash of this chain's first block.
pub const GENESIS: &str = "D1vvysvm111111111111111111111111111111111111";

const CONFIRMED_SLOTS: u64 = 2;
const FINAL_SLOTS: u64 = 32;

/// For so long every node remembers what became of a signature.
const RECENT_SLOTS: u64 = 300;

const BAD_PARAMS: i64 = -32_602;
const NO_METHOD: i64 = -32_601;
const BAD_SIGNATURE: i64 = -32_003;
const BEHIND: i64 = -32_016;

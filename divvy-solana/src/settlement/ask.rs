//! What nodes are asked before a settlement is signed.

use divvy_core::{Error, Heard, Time, Turn};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::chain::Chain;
use crate::lifetime::Lifetime;
use crate::node::{AtSlot, Question, accounts, done, text_of};
use crate::settlement::plan::Settling;
use crate::settlement::{Settlement, refused};
use crate::transaction::Transaction;

/// What lets a transaction live, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Living {
    /// The hash of a recent block.
    pub lifetime: Lifetime,
    /// The last height of blocks at which it may land.
    pub height_max: u64,
    /// Where the node stood that named it.
    pub slot: u64,
}

/// What trying out has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tried {
    /// How many compute units it used.
    pub units: Option<u64>,
    /// How many bytes of accounts it loaded, where nodes tell.
    pub loaded_bytes: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block {
    blockhash: String,
    last_valid_block_height: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Simulated {
    err: Option<Value>,
    units_consumed: Option<u64>,
    loaded_accounts_data_size: Option<u64>,
}

impl Chain {
    /// Plans a settlement over what nodes show now.
    ///
    /// # Errors
    /// Those of [`Settlement::plan`]; [`divvy_core::Code::RailReply`] when nobody answers.
    pub fn settlement(
        &self,
        settlement: &Settlement,
        heard: &[Heard],
        now: Time,
    ) -> Result<Turn<Settling>, Error> {
        let asked = settlement.asks()?;
        let rent = done!(self.rent(heard, now));
        let talk = self.talk(heard, now);
        let providers = done!(talk.abreast(self.genesis, self.lag_slots_max));
        let found = done!(accounts(&talk, &providers, &asked));
        settlement.plan(&found, rent).map(Turn::Done)
    }

    /// A young block that most of the chain has voted for. Ask last of all, so that whoever signs
    /// after you has the longer: it lives for 150 blocks, which is half a minute.
    ///
    /// # Errors
    /// [`divvy_core::Code::RailReply`] when nobody answers.
    pub fn living(&self, heard: &[Heard], now: Time) -> Result<Turn<Living>, Error> {
        let talk = self.talk(heard, now);
        let providers = done!(talk.abreast(self.genesis, self.lag_slots_max));
        let question = Question::new("getLatestBlockhash", json!([{"commitment": "confirmed"}]));
        talk.first(&providers, &[question], |said: Vec<AtSlot<Block>>| {
            let AtSlot { context, value } = said.into_iter().next()?;
            let lifetime = Lifetime::parse(&value.blockhash).ok()?;
            let height_max = value.last_valid_block_height;
            Some(Living { lifetime, height_max, slot: context.slot })
        })
    }

    /// What a settlement would do and use. No node is given a signature: whoever had them all could
    /// send it.
    ///
    /// # Errors
    /// [`divvy_core::Code::RailRefused`] for one that would fail, with the order that would, by
    /// name; [`divvy_core::Code::RailReply`] when nobody answers.
    pub fn tried(
        &self,
        settling: &Settling,
        living: Living,
        heard: &[Heard],
        now: Time,
    ) -> Result<Turn<Tried>, Error> {
        let talk = self.talk(heard, now);
        let providers = done!(talk.abreast(self.genesis, self.lag_slots_max));
        let unsigned = Transaction::new(settling.message(living.lifetime)?);
        let options = json!({
            "encoding": "base64",
            "commitment": "confirmed",
            "sigVerify": false,
            "minContextSlot": living.slot,
        });
        let text = text_of(&unsigned.encode());
        let question = Question::new("simulateTransaction", json!([text, options]));
        let said = done!(talk.first(&providers, &[question], |said: Vec<AtSlot<Simulated>>| {
            let said = said.into_iter().next()?.value;
            // A node that does not know the block yet has tried nothing out.
            let word = said.err.as_ref().and_then(Value::as_str);
            (word != Some("BlockhashNotFound")).then_some(said)
        }));
        if let Some(error) = &said.err {
            return Err(refused(&settling.blame(error)));
        }
        let (units, loaded_bytes) = (said.units_consumed, said.loaded_accounts_data_size);
        Ok(Turn::Done(Tried { units, loaded_bytes }))
    }
}

impl Settling {
    /// Which order an error of the chain is about, by name.
    fn blame(&self, error: &Value) -> String {
        let place = error.pointer("/InstructionError/0").and_then(Value::as_u64);
        let place = place.and_then(|place| usize::try_from(place).ok());
        match place.and_then(|place| self.orders.get(place)) {
            Some(order) => format!("{} fails: {error}", order.act),
            None => format!("it fails: {error}"),
        }
    }
}

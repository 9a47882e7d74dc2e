//! Signing a try: a provider that is not behind, a fresh blockhash, a try-out of unsigned bytes.

use divvy_core::{Answer, Code, Error, Heard, Job, Line, Signed, Time, Turn, Window};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::account::{TokenAccount, TokenState};
use crate::check::check_mint;
use crate::concern::{Concern, Weight};
use crate::lifetime::Lifetime;
use crate::message::{Message, Table};
use crate::node::{AtSlot, Provider, Question, Talk, accounts, done, text_of, unheard};
use crate::nonce::Nonce;
use crate::pack::Payout;
use crate::rail::SolanaRail;
use crate::rail::failure::answer;
use crate::rail::nonce::claim;
use crate::rail::settings::Coin;
use crate::rail::tag::Tag;
use crate::tariff::{LOADED_BYTES_MAX, UNITS_MAX};
use crate::transaction::Transaction;

/// A block whose hash lets a transaction live.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block {
    blockhash: String,
    last_valid_block_height: u64,
}

/// What trying out has shown.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tried {
    err: Option<Value>,
    units_consumed: Option<u64>,
    loaded_accounts_data_size: Option<u64>,
}

/// What one writable account's transactions have offered in a slot.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Offered {
    prioritization_fee: u64,
}

/// What a try lives by, and the tables that it may name.
struct Life {
    nonce: Option<Nonce>,
    lifetime: Lifetime,
    tables: Vec<Table>,
}

/// What a transaction may use, and what it offers for each unit.
#[derive(Clone, Copy)]
struct Allowance {
    units: u32,
    loaded_bytes: u32,
    price: u64,
}

impl SolanaRail {
    pub(super) fn sign_try(
        &self,
        job: &Job,
        heard: &[Heard],
        now: Time,
    ) -> Result<Turn<Signed>, Error> {
        let talk = self.talk(heard, now);
        let providers = done!(talk.abreast(self.settings.genesis, self.settings.lag_slots_max));
        let rent = done!(self.rent(&talk, &providers));
        let checked = done!(self.payouts(&talk, &providers, &job.lines, rent));
        let payouts = checked.into_iter().collect::<Result<Vec<Payout>, String>>();
        let payouts = payouts.map_err(|why| Error::new(Code::RailRefused, why))?;
        done!(self.check_coin(&talk, &providers, &job.lines));
        let price = done!(self.price(&talk, &providers));
        let price = self.dearer(price, job.tries.len());
        let nonce = done!(self.nonce(&talk, &providers, job));
        // Last of all, so that it lives the longer.
        let (slot, block) = done!(Self::block(&talk, &providers));
        let tables = done!(self.tables(&talk, &providers, slot));
        let tag = Tag { batch: job.batch.clone(), slot };
        let (lifetime, window) = match &nonce {
            Some(nonce) => (nonce.value, Window::Unlimited),
            None => (
                Lifetime::parse(&block.blockhash)
                    .map_err(|_| unheard("getLatestBlockhash", "it is no hash"))?,
                Window::UntilHeight(block.last_valid_block_height),
            ),
        };
        let life = Life { nonce, lifetime, tables };
        let message = |allowed| self.message(&payouts, &tag, &life, allowed);
        let widest = Allowance { units: UNITS_MAX, loaded_bytes: LOADED_BYTES_MAX, price };
        let tried = done!(Self::tried(&talk, &providers, message(widest)?, slot));
        let mut transaction = Transaction::new(message(allowance(&tried, price))?);
        // Verified before it is kept, whoever signed.
        let signature = self.signer.sign(transaction.to_sign())?;
        let attached = transaction.attach(&self.address(), signature);
        attached.map_err(|error| refused(&error.to_string()))?;
        let name = transaction.name().ok_or_else(|| refused("it has no name"))?;
        if job.tries.iter().any(|signed| signed.reference == name.to_string()) {
            return Err(refused("it would be the try before once more: wait for that one"));
        }
        Ok(Turn::Done(Signed {
            reference: name.to_string(),
            bytes: transaction.encode(),
            window,
            deadline: now.plus_secs(self.settings.deadline_secs),
            sender: None,
            lines: Line::hash(&job.lines),
            claims: life.nonce.iter().map(claim).collect(),
        }))
    }

    fn message(
        &self,
        payouts: &[Payout],
        tag: &Tag,
        life: &Life,
        allowed: Allowance,
    ) -> Result<Message, Error> {
        let Allowance { units, loaded_bytes, price } = allowed;
        let format = self.format(life.tables.clone(), units, loaded_bytes, price);
        let mut packing = self.packing(format, tag.memo()?);
        let nonce = life.nonce.iter().map(Nonce::advance);
        packing.before = nonce.chain(self.budget(units, price)).collect();
        // A table that served when it was packed may be gone.
        let message = packing.message(payouts, life.lifetime);
        message.map_err(|error| refused(&format!("it does not fit any more: {error}")))
    }

    /// What a try offers after others: twice as much each time, and never more than it may.
    fn dearer(&self, price: u64, tries: usize) -> u64 {
        let floor = if tries == 0 { price } else { price.max(PRICE_FLOOR) };
        let times = 1_u64.checked_shl(u32::try_from(tries).unwrap_or(u32::MAX)).unwrap_or(u64::MAX);
        floor.saturating_mul(times).min(self.settings.price_max)
    }

    /// A young block that most of the chain has voted for, and the slot of whoever named it.
    fn block(talk: &Talk<'_>, providers: &[&Provider]) -> Result<Turn<(u64, Block)>, Error> {
        let question = Question::new("getLatestBlockhash", json!([{"commitment": CONFIRMED}]));
        talk.first(providers, &[question], |said: Vec<AtSlot<Block>>| {
            said.into_iter().next().map(|said| (said.context.slot, said.value))
        })
    }

    /// Whether the wallet can pay so much of a coin that arrives as it was sent.
    fn check_coin(
        &self,
        talk: &Talk<'_>,
        providers: &[&Provider],
        lines: &[Line],
    ) -> Result<Turn<()>, Error> {
        let Coin::Token { program, mint, decimals } = self.settings.coin else {
            return Ok(Turn::Done(()));
        };
        let found = done!(accounts(talk, providers, &[mint, self.source]));
        let [found_mint, source] = found.as_slice() else { return Err(refused("no coin")) };
        let concerns =
            found_mint.as_ref().map_or(vec![Concern::NoMint], |found| check_mint(found, decimals));
        let bars = |concern: &&Concern| concern.weight() == Weight::Refuse;
        if let Some(concern) = concerns.iter().find(bars) {
            return Err(refused(&format!("{mint}: {concern}")));
        }
        let source = source.as_ref().filter(|source| source.program == program);
        let held = source.and_then(TokenAccount::read);
        let held = held.filter(|held| held.state == TokenState::Usable && held.mint == mint);
        let held = held.map_or(0, |held| held.amount);
        let asked = lines.iter().map(|line| line.amount.get()).fold(0, u64::saturating_add);
        if held < asked {
            let wallet = self.address();
            return Err(refused(&format!("wallet {wallet} holds {held} and must pay {asked}")));
        }
        Ok(Turn::Done(()))
    }

    /// What others have offered lately who pay from the same account: three quarters of those who
    /// offered anything offered no more, and we never more than we may.
    fn price(&self, talk: &Talk<'_>, providers: &[&Provider]) -> Result<Turn<u64>, Error> {
        let keys = [self.source.to_string()];
        let question = Question::new("getRecentPrioritizationFees", json!([keys]));
        let read = |said: Vec<Vec<Offered>>| {
            let offers = said.into_iter().flatten().map(|offered| offered.prioritization_fee);
            let mut offers: Vec<u64> = offers.filter(|offer| *offer > 0).collect();
            offers.sort_unstable();
            let place = offers.len().saturating_mul(3).checked_div(4).unwrap_or(0);
            Some(offers.get(place).copied().unwrap_or(0).min(self.settings.price_max))
        };
        match talk.first(providers, &[question], read) {
            // Nobody has to say it: then nothing is offered.
            Err(_) => Ok(Turn::Done(0)),
            said => said,
        }
    }

    /// What a node says that the transaction would do. It is given no signature: whoever had one
    /// could send it before anybody wrote down that it exists.
    fn tried(
        talk: &Talk<'_>,
        providers: &[&Provider],
        message: Message,
        slot: u64,
    ) -> Result<Turn<Tried>, Error> {
        let unsigned = Transaction::new(message);
        let options = json!({
            "encoding": "base64",
            "commitment": CONFIRMED,
            "sigVerify": false,
            "minContextSlot": slot,
        });
        let text = text_of(&unsigned.encode());
        let question = Question::new("simulateTransaction", json!([text, options]));
        let tried = done!(talk.first(providers, &[question], |said: Vec<AtSlot<Tried>>| {
            // A node that does not know the block yet has tried nothing out.
            let tried = said.into_iter().next().map(|said| said.value)?;
            (tried.err.as_ref().and_then(Value::as_str) != Some("BlockhashNotFound"))
                .then_some(tried)
        }));
        match &tried.err {
            None => Ok(Turn::Done(tried)),
            Some(error) => {
                let said = answer(error, &unsigned);
                let why = if let Answer::Refused { reason, line: Some(line) } = said {
                    format!("line {line} would fail: {reason}")
                } else {
                    format!("the wallet cannot pay: {error}")
                };
                Err(refused(&why))
            }
        }
    }
}

/// What was used, and a tenth more: the price is paid on what is allowed.
fn allowance(tried: &Tried, price: u64) -> Allowance {
    let more =
        |used: u64, tenths: u64| used.saturating_add(used.saturating_mul(tenths).div_ceil(10));
    let units = tried.units_consumed.map(|used| more(used, 1).saturating_add(UNITS_SPARE));
    let units = units.and_then(|units| u32::try_from(units).ok()).unwrap_or(UNITS_MAX);
    let bytes = tried.loaded_accounts_data_size.map(|used| more(used, 5).max(LOADED_BYTES_MIN));
    let bytes = bytes.and_then(|bytes| u32::try_from(bytes).ok()).unwrap_or(LOADED_BYTES_MAX);
    Allowance { units: units.min(UNITS_MAX), loaded_bytes: bytes.min(LOADED_BYTES_MAX), price }
}

pub(super) fn refused(why: &str) -> Error {
    Error::new(Code::RailRefused, why)
}

const CONFIRMED: &str = "confirmed";

/// Where nobody offers anything, a second try offers twice this.
const PRICE_FLOOR: u64 = 1_000;

/// A payee's account may be made by somebody else, or closed, before the batch lands.
const UNITS_SPARE: u64 = 2_000;

/// A node counts the programs' own bytes, which a try-out may leave out.
const LOADED_BYTES_MIN: u64 = 256 * 1_024;

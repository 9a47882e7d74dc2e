//! Who holds a token, at one slot.

use std::collections::BTreeMap;

use divvy_core::{Error, Evidence, Hash, Heard, Name, Time, Turn, Units};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::account::{Mint, TokenAccount};
use crate::address::Address;
use crate::chain::Chain;
use crate::instruction::token;
use crate::node::{AtSlot, Provider, Question, Talk, Written, done};

/// Who held a token at a slot, by owner and not by token account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The slot at which all of it was read.
    pub slot: u64,
    /// How many there were, as the mint said before and after.
    pub supply: u64,
    /// Whether the holdings add up to the supply, which did not change while they were read. If
    /// not, it is an approximation: somebody is missing, or counted as of another moment.
    pub is_complete: bool,
    /// Owners with a key, in the order of their addresses; nobody holds nothing.
    pub holders: Vec<Holding>,
    /// Owners that no key exists for: pools of exchanges, vaults, multisigs. Whether those share
    /// is for a person to say.
    pub off_curve: Vec<Holding>,
    /// Over the slot, the mint and every holding: the same for whoever reads the same.
    pub hash: Hash,
    /// How we know.
    pub evidence: Evidence,
}

/// What one owner holds in all of their accounts.
///
/// ```
/// use divvy_solana::{Address, Holding};
///
/// let holding = Holding { owner: Address::new([1; 32]), units: 5 };
/// assert_eq!(holding.units, 5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, as it was read")]
pub struct Holding {
    /// Whose.
    pub owner: Address,
    /// How many, in the token's smallest unit.
    pub units: u64,
}

impl Snapshot {
    /// The owners with a key as holders of a pool, named by their addresses.
    ///
    /// # Errors
    /// [`divvy_core::Code::PoolUnits`] for more units than a pool can have.
    pub fn entries(&self) -> Result<Vec<(Name, Units)>, Error> {
        let entry = |holding: &Holding| {
            Ok((Name::new(&holding.owner.to_string())?, Units::new(holding.units)?))
        };
        self.holders.iter().map(entry).collect()
    }
}

/// An account that a program owns.
#[derive(Deserialize)]
struct Owned {
    account: Written,
}

impl Chain {
    /// Who holds a token, as of one finalized slot.
    ///
    /// Many providers refuse the question for popular tokens, or answer it for a fee.
    ///
    /// # Errors
    /// [`divvy_core::Code::RailRefused`] for a provider of another chain, and
    /// [`divvy_core::Code::RailReply`] when nobody answers.
    pub fn holders(
        &self,
        mint: &Address,
        program: &Address,
        heard: &[Heard],
        now: Time,
    ) -> Result<Turn<Snapshot>, Error> {
        let talk = self.talk(heard, now);
        let providers = done!(talk.abreast(self.genesis, self.lag_slots_max));
        let (_, before) = done!(supply(&talk, &providers, mint, 0));
        let is_classic = *program == token::PROGRAM;
        let question = accounts_of(mint, program, is_classic);
        let read = |said: Vec<AtSlot<Vec<Owned>>>| {
            let AtSlot { context, value } = said.into_iter().next()?;
            let held = |owned: &Owned| if is_classic { sliced(owned) } else { whole(owned, mint) };
            Some((context.slot, value.iter().filter_map(held).collect::<Vec<_>>(), value.len()))
        };
        let (slot, held, _) = done!(talk.first(&providers, &[question], read));
        let (_, after) = done!(supply(&talk, &providers, mint, slot));
        let mut owners: BTreeMap<Address, u64> = BTreeMap::new();
        for (owner, units) in held {
            let all = owners.entry(owner).or_default();
            *all = all.saturating_add(units);
        }
        let total = owners.values().copied().map(u128::from).sum::<u128>();
        let holdings = owners.into_iter().filter(|(_, units)| *units > 0);
        let holdings: Vec<Holding> =
            holdings.map(|(owner, units)| Holding { owner, units }).collect();
        let hash = hash_of(slot, mint, &holdings);
        let (holders, off_curve) =
            holdings.into_iter().partition(|holding| holding.owner.is_on_curve());
        let is_complete = before == after && total == u128::from(after);
        let evidence = talk.evidence();
        let supply = after;
        Ok(Turn::Done(Snapshot { slot, supply, is_complete, holders, off_curve, hash, evidence }))
    }
}

/// How many there are, as of a slot that is not before another.
fn supply(
    talk: &Talk<'_>,
    providers: &[&Provider],
    mint: &Address,
    from: u64,
) -> Result<Turn<(u64, u64)>, Error> {
    let mut options = json!({"encoding": "base64", "commitment": "finalized"});
    if let (true, Some(options)) = (from > 0, options.as_object_mut()) {
        options.insert("minContextSlot".to_owned(), json!(from));
    }
    let question = Question::new("getAccountInfo", json!([mint.to_string(), options]));
    talk.first(providers, &[question], |said: Vec<AtSlot<Option<Written>>>| {
        let AtSlot { context, value } = said.into_iter().next()?;
        let supply = Mint::read(&value?.account()?)?.supply;
        (context.slot >= from).then_some((context.slot, supply))
    })
}

/// Asks for every account of a token, all in one reply, so that it is of one slot. Those of the
/// classic program are all alike: owner and amount suffice.
fn accounts_of(mint: &Address, program: &Address, is_classic: bool) -> Question {
    let mut filters = vec![json!({"memcmp": {"offset": 0, "bytes": mint.to_string()}})];
    let mut options = json!({"encoding": "base64", "commitment": "finalized", "withContext": true});
    if is_classic {
        filters.push(json!({"dataSize": 165}));
    }
    if let Some(options) = options.as_object_mut() {
        options.insert("filters".to_owned(), Value::Array(filters));
        if is_classic {
            options.insert("dataSlice".to_owned(), json!({"offset": 32, "length": 40}));
        }
    }
    Question::new("getProgramAccounts", json!([program.to_string(), options]))
}

/// Owner and amount where nothing else was sent.
fn sliced(owned: &Owned) -> Option<(Address, u64)> {
    let data = owned.account.account()?.data;
    let (owner, amount) = data.split_first_chunk::<32>()?;
    Some((Address::new(*owner), u64::from_le_bytes(amount.try_into().ok()?)))
}

/// Owner and amount of a whole account; what begins alike and is none holds nothing.
fn whole(owned: &Owned, mint: &Address) -> Option<(Address, u64)> {
    let read = TokenAccount::read(&owned.account.account()?)?;
    (read.mint == *mint).then_some((read.owner, read.amount))
}

/// One line for the slot and the mint, and one for each holding.
fn hash_of(slot: u64, mint: &Address, holdings: &[Holding]) -> Hash {
    let mut text = format!("{slot} {mint}\n");
    for Holding { owner, units } in holdings {
        text.push_str(&format!("{owner} {units}\n"));
    }
    Hash::of(text.as_bytes())
}

//! Who has staked a token in a program of one's own: read whole, at one slot, and turned into what
//! changes in a pool.

use std::collections::BTreeMap;

use divvy_core::{Error, Evidence, Hash, Heard, Name, Time, Turn, Units};
use serde::Deserialize;
use serde_json::json;

use crate::account::TokenAccount;
use crate::address::Address;
use crate::chain::{Chain, Holding, Snapshot};
use crate::instruction::discriminator;
use crate::node::{AtSlot, Provider, Question, Talk, Written, done};

/// How a staking program keeps its positions: one account for each, all of one kind, and the tokens
/// themselves in a vault.
///
/// ```
/// use divvy_solana::{Address, Positions};
///
/// let [program, vault] = [1, 2].map(|byte| Address::new([byte; 32]));
/// // An Anchor account `StakeEntry { owner: Pubkey, amount: u64, .. }`, of 89 bytes in all.
/// let positions = Positions {
///     program,
///     vault,
///     kind: "StakeEntry".into(),
///     bytes: 89,
///     owner_at: 8,
///     units_at: 40,
/// };
/// assert_eq!(positions.owner_at + 32, positions.units_at);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain settings, written as a literal")]
pub struct Positions {
    /// The staking program.
    pub program: Address,
    /// The token account that holds all that is staked.
    pub vault: Address,
    /// What the program calls the account of a position.
    pub kind: String,
    /// How many bytes such an account has.
    pub bytes: usize,
    /// Where in it the owner's 32 bytes begin.
    pub owner_at: usize,
    /// Where in it the number of tokens begins, eight bytes with the low ones first.
    pub units_at: usize,
}

/// What changes in a pool so that it holds what a snapshot shows.
///
/// ```
/// use divvy_solana::StakeMoves;
///
/// assert!(StakeMoves::default().redeemed.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, to be handed on")]
pub struct StakeMoves {
    /// Who has staked more, and by how much.
    pub issued: Vec<(Name, Units)>,
    /// Who has less, and by how much.
    pub redeemed: Vec<(Name, Units)>,
}

impl Snapshot {
    /// What changes in a pool whose holders have so much now. Whoever holds nothing any more is
    /// redeemed whole; nobody is touched whose units are the same.
    ///
    /// # Errors
    /// [`divvy_core::Code::PoolUnits`] for more units than a pool can have, and
    /// [`divvy_core::Code::RailReply`] for a snapshot that is not complete: whoever is missing in
    /// it would lose their stake.
    pub fn moves(&self, held: &[(Name, Units)]) -> Result<StakeMoves, Error> {
        if !self.is_complete {
            let why = "it is not complete: whoever is missing would lose their stake";
            return Err(crate::node::unheard("a snapshot", why));
        }
        let mut shown: BTreeMap<Name, u64> = BTreeMap::new();
        for (name, units) in self.entries()? {
            shown.insert(name, units.get());
        }
        let mut moves = StakeMoves::default();
        for (name, units) in held {
            let now = shown.remove(name).unwrap_or(0);
            let (more, less) = (now.checked_sub(units.get()), units.get().checked_sub(now));
            let some = |units: Option<u64>| units.filter(|units| *units > 0).map(Units::new);
            if let Some(more) = some(more) {
                moves.issued.push((name.clone(), more?));
            }
            if let Some(less) = some(less) {
                moves.redeemed.push((name.clone(), less?));
            }
        }
        for (name, units) in shown.into_iter().filter(|(_, units)| *units > 0) {
            moves.issued.push((name, Units::new(units)?));
        }
        Ok(moves)
    }
}

#[derive(Deserialize)]
struct Owned {
    account: Written,
}

impl Chain {
    /// Who has staked how much, as of one finalized slot. It is complete when all positions add up
    /// to what the vault held before and after they were read.
    ///
    /// # Errors
    /// [`divvy_core::Code::RailRefused`] for a provider of another chain, and
    /// [`divvy_core::Code::RailReply`] when nobody answers, or a position cannot be read.
    pub fn staked(
        &self,
        positions: &Positions,
        heard: &[Heard],
        now: Time,
    ) -> Result<Turn<Snapshot>, Error> {
        let talk = self.talk(heard, now);
        let providers = done!(talk.abreast(self.genesis, self.lag_slots_max));
        let before = done!(positions.held(&talk, &providers, 0));
        let question = positions.question();
        let (slot, owners) =
            done!(talk.first(&providers, &[question], |said: Vec<AtSlot<Vec<Owned>>>| {
                let AtSlot { context, value } = said.into_iter().next()?;
                Some((context.slot, positions.owners(&value)?))
            }));
        let supply = done!(positions.held(&talk, &providers, slot));
        let total = owners.values().copied().map(u128::from).sum::<u128>();
        let holdings = owners.into_iter().filter(|(_, units)| *units > 0);
        let holdings: Vec<Holding> =
            holdings.map(|(owner, units)| Holding { owner, units }).collect();
        let hash = positions.hash(slot, &holdings);
        let (holders, off_curve) =
            holdings.into_iter().partition(|holding| holding.owner.is_on_curve());
        let is_complete = before == supply && total == u128::from(supply);
        let evidence: Evidence = talk.evidence();
        Ok(Turn::Done(Snapshot { slot, supply, is_complete, holders, off_curve, hash, evidence }))
    }
}

impl Positions {
    fn tag(&self) -> [u8; 8] {
        discriminator(&format!("account:{}", self.kind))
    }

    /// Asks for every account of its kind, all in one reply, so that it is of one slot.
    fn question(&self) -> Question {
        let tag = crate::node::text_of(&self.tag());
        let filters = json!([
            {"dataSize": self.bytes},
            {"memcmp": {"offset": 0, "bytes": tag, "encoding": "base64"}},
        ]);
        let options = json!({
            "encoding": "base64", "commitment": "finalized", "withContext": true,
            "filters": filters,
        });
        Question::new("getProgramAccounts", json!([self.program.to_string(), options]))
    }

    /// What each owner has in all of their positions; nothing if one cannot be read.
    fn owners(&self, value: &[Owned]) -> Option<BTreeMap<Address, u64>> {
        let mut owners: BTreeMap<Address, u64> = BTreeMap::new();
        for owned in value {
            let account = owned.account.account()?;
            let fits = account.program == self.program
                && account.data.len() == self.bytes
                && account.data.starts_with(&self.tag());
            let owner = account.data.get(self.owner_at..)?.first_chunk::<32>()?;
            let units = account.data.get(self.units_at..)?.first_chunk::<8>()?;
            let all = owners.entry(Address::new(*owner)).or_default();
            *all = all.checked_add(u64::from_le_bytes(*units)).filter(|_| fits)?;
        }
        Some(owners)
    }

    /// What the vault holds, as of a slot that is not before another.
    fn held(
        &self,
        talk: &Talk<'_>,
        providers: &[&Provider],
        from: u64,
    ) -> Result<Turn<u64>, Error> {
        let mut options = json!({"encoding": "base64", "commitment": "finalized"});
        if let (true, Some(options)) = (from > 0, options.as_object_mut()) {
            options.insert("minContextSlot".to_owned(), json!(from));
        }
        let question = Question::new("getAccountInfo", json!([self.vault.to_string(), options]));
        talk.first(providers, &[question], |said: Vec<AtSlot<Option<Written>>>| {
            let AtSlot { context, value } = said.into_iter().next()?;
            let amount = TokenAccount::read(&value?.account()?)?.amount;
            (context.slot >= from).then_some(amount)
        })
    }

    /// One line for the slot and the program, and one for each holding.
    fn hash(&self, slot: u64, holdings: &[Holding]) -> Hash {
        let mut text = format!("{slot} {} {}\n", self.program, self.vault);
        for Holding { owner, units } in holdings {
            text.push_str(&format!("{owner} {units}\n"));
        }
        Hash::of(text.as_bytes())
    }
}

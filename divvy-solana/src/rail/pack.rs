//! Which lines go together, and what that costs.

use divvy_core::{Amount, Code, Error, Heard, Line, Pack, Time, Turn};
use serde_json::json;

use crate::account::{Account, Presence};
use crate::address::Address;
use crate::check::Destination;
use crate::concern::{Concern, Weight};
use crate::derive::TokenAccounts;
use crate::instruction::{Instruction, budget, system, token};
use crate::message::{Format, Limits, Table};
use crate::node::{Epoch, Provider, Question, Talk, accounts, done};
use crate::pack::{Money, Packing, Payout, Prefunding};
use crate::rail::SolanaRail;
use crate::rail::settings::Coin;
use crate::rail::tables::batches;
use crate::rail::tag::Tag;
use crate::tariff::{
    LAMPORTS_PER_SOL, LOADED_BYTES_MAX, SIGNATURE_LAMPORTS, TOKEN_BYTES, TOKEN_BYTES_2022,
    UNITS_BASE, UNITS_MADE, UNITS_MAX, UNITS_PAID, priority,
};

/// A line that can be paid, and one that cannot.
pub(super) type Checked = Result<Payout, String>;

impl SolanaRail {
    pub(super) fn pack_lines(
        &self,
        lines: &[Line],
        heard: &[Heard],
        now: Time,
    ) -> Result<Turn<Vec<Pack>>, Error> {
        let talk = self.talk(heard, now);
        // One that is behind shows accounts as they were.
        let providers = done!(talk.abreast(self.settings.genesis, self.settings.lag_slots_max));
        let rent = done!(self.rent(&talk, &providers));
        let checked = done!(self.payouts(&talk, &providers, lines, rent));
        let fit = checked
            .iter()
            .enumerate()
            .filter_map(|(line, checked)| checked.as_ref().ok().map(|payout| (line, *payout)));
        let (places, payouts): (Vec<usize>, Vec<Payout>) = fit.unzip();
        if let (true, Some(Err(why))) = (payouts.is_empty(), checked.first()) {
            return Err(Error::new(Code::RailRefused, why.as_str()));
        }
        let slot = done!(self.slot(&talk, &providers));
        let tables = done!(self.tables(&talk, &providers, slot));
        let packing = |tables: Vec<Table>| {
            let format = self.format(tables, UNITS_MAX, LOADED_BYTES_MAX, 0);
            let mut packing = self.packing(format, Tag::widest());
            let nonce = self
                .settings
                .nonces
                .first()
                .map(|nonce| system::advance_nonce(*nonce, self.address()));
            packing.before = nonce.into_iter().chain(self.budget(UNITS_MAX, u64::MAX)).collect();
            packing
        };
        let batches = batches(&packing, tables, &payouts)?;
        let pack = |batch: &Vec<usize>| {
            let payouts = batch.iter().filter_map(|place| payouts.get(*place));
            let lines = batch.iter().filter_map(|place| places.get(*place).copied()).collect();
            Ok(Pack { lines, fee: self.quoted(payouts, rent)? })
        };
        batches.iter().map(pack).collect::<Result<_, Error>>().map(Turn::Done)
    }

    /// How far the chain is, as most of it has voted.
    fn slot(&self, talk: &Talk<'_>, providers: &[&Provider]) -> Result<Turn<u64>, Error> {
        if self.settings.tables.is_empty() {
            return Ok(Turn::Done(0));
        }
        let question = Question::new("getEpochInfo", json!([{"commitment": "confirmed"}]));
        talk.first(providers, &[question], |said: Vec<Epoch>| {
            said.first().map(|epoch| epoch.absolute_slot)
        })
    }

    /// What each line becomes, or why it cannot be paid now.
    pub(super) fn payouts(
        &self,
        talk: &Talk<'_>,
        providers: &[&Provider],
        lines: &[Line],
        rent: u64,
    ) -> Result<Turn<Vec<Checked>>, Error> {
        let mut known = match self.settings.coin {
            Coin::Sol => None,
            Coin::Token { program, mint, .. } => Some(TokenAccounts::new(mint, program)),
        };
        let mut places = Vec::with_capacity(lines.len());
        for line in lines {
            // What is no address is one payee's trouble, and nobody else's.
            places.push(match (Address::parse(&line.to), &mut known) {
                (Err(error), _) => Err(error.to_string()),
                (Ok(wallet), None) => Ok((wallet, wallet)),
                (Ok(wallet), Some(known)) => Ok((wallet, known.of(&wallet)?.address)),
            });
        }
        let paid: Vec<Address> = places.iter().flatten().map(|(_, account)| *account).collect();
        let mut found = done!(accounts(talk, providers, &paid)).into_iter();
        let payout = |(line, place): (&Line, Result<(Address, Address), String>)| {
            let (wallet, account) = place?;
            let found: Option<Account> = found.next().flatten();
            let (presence, amount) = (Presence::of(found.as_ref()), line.amount.get());
            let payout = Payout { wallet, account, amount, presence };
            match self.obstacle(&payout, found.as_ref(), rent) {
                Some(why) => Err(format!("{wallet} cannot be paid now: {why}")),
                None => Ok(payout),
            }
        };
        Ok(Turn::Done(lines.iter().zip(places).map(payout).collect()))
    }

    /// What stands in the way of a payout that would fail and take its whole batch with it.
    fn obstacle(&self, payout: &Payout, found: Option<&Account>, rent: u64) -> Option<String> {
        match self.settings.coin {
            Coin::Sol if payout.presence == Presence::Missing && payout.amount < rent => {
                Some(format!("a new account must hold {rent} lamports at least"))
            }
            Coin::Sol => None,
            Coin::Token { program, mint, .. } => {
                let (wallet, planned) = (payout.wallet, payout.presence);
                let to = Destination { wallet, mint, token_program: program, planned };
                if planned != Presence::There && !self.settings.makes_accounts {
                    return Some("it has no token account, and none may be made".to_owned());
                }
                let bars = |concern: &&Concern| {
                    concern.weight() == Weight::Refuse || **concern == Concern::MemoRequired
                };
                to.check(found).iter().find(bars).map(Concern::to_string)
            }
        }
    }

    /// The transactions of this wallet and coin.
    pub(super) fn packing(&self, format: Format, memo: Instruction) -> Packing {
        let payer = self.address();
        let money = match self.settings.coin {
            Coin::Sol => Money::Sol { from: payer },
            Coin::Token { program, mint, decimals } => {
                let (source, cosigners) = (self.source, Vec::new());
                Money::Token { program, mint, decimals, source, owner: payer, cosigners }
            }
        };
        Packing {
            format,
            payer,
            money,
            before: Vec::new(),
            after: vec![memo],
            prefunding: Prefunding::Feared,
        }
    }

    /// The format, with its limits where they stand in its head. The price is for each unit.
    pub(super) fn format(
        &self,
        tables: Vec<Table>,
        units: u32,
        loaded_bytes: u32,
        price: u64,
    ) -> Format {
        if !self.settings.uses_v1 {
            return Format::V0(tables);
        }
        Format::V1(Limits {
            priority_fee_lamports: Some(priority(units, price)),
            compute_units: Some(units),
            loaded_bytes: Some(loaded_bytes),
            heap_bytes: None,
        })
    }

    /// The instructions that hold the limits where the format has no place for them.
    pub(super) fn budget(&self, units: u32, price: u64) -> Vec<Instruction> {
        if self.settings.uses_v1 {
            return Vec::new();
        }
        vec![budget::units(units), budget::price(price)]
    }

    /// The lamports that an account of a payee must hold for ever: a token account's, or those of a
    /// wallet that nobody has used.
    pub(super) fn rent(
        &self,
        talk: &Talk<'_>,
        providers: &[&Provider],
    ) -> Result<Turn<u64>, Error> {
        let bytes = match self.settings.coin {
            Coin::Sol => 0,
            Coin::Token { program, .. } if program == token::PROGRAM => TOKEN_BYTES,
            Coin::Token { .. } => TOKEN_BYTES_2022,
        };
        let question = Question::new("getMinimumBalanceForRentExemption", json!([bytes]));
        talk.first(providers, &[question], |said: Vec<u64>| said.first().copied())
    }

    /// The most that a batch costs, in the book's asset: for its signature, for what it may offer,
    /// and for the accounts that it makes.
    fn quoted<'a>(
        &self,
        payouts: impl Iterator<Item = &'a Payout>,
        rent: u64,
    ) -> Result<Amount, Error> {
        let is_token = matches!(self.settings.coin, Coin::Token { .. });
        let (mut lamports, mut units) = (SIGNATURE_LAMPORTS, UNITS_BASE);
        for payout in payouts {
            units = units.saturating_add(UNITS_PAID);
            if is_token && payout.presence != Presence::There {
                units = units.saturating_add(UNITS_MADE);
                lamports = lamports.saturating_add(rent);
            }
        }
        lamports = lamports.saturating_add(priority(units.min(UNITS_MAX), self.settings.price_max));
        let wide = u128::from(lamports).saturating_mul(self.settings.sol_worth.get().into());
        Amount::from_wide(wide.div_ceil(LAMPORTS_PER_SOL.into()))
    }
}

//! The wallet on Solana that a project pays from, as the settings write it.

mod keeper;
mod provider;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use divvy_core::{Asset, Code, Error, Name, Rail};
use divvy_solana::{
    Address, Coin, Concern, Genesis, Keypair, Lookalikes, Signer, SolanaRail, SolanaSettings, token,
};
use serde::Deserialize;

use crate::Credential;
use crate::key::read_private;
use keeper::CommandSigner;
pub use provider::SolanaProvider;

/// A wallet on Solana: whose key signs, what it pays in, and who is asked about the chain.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SolanaWallet {
    /// The key file, as Solana's tools write it; nobody else may read it.
    pub key: Option<PathBuf>,
    /// Instead of a key: a command that gets the bytes to sign on its input, and writes the
    /// signature in base58 to its output.
    pub signer: Option<Vec<String>>,
    /// The wallet that this command signs for.
    pub wallet: Option<String>,
    /// Durable nonces of the wallet; without any, a try lives 150 blocks.
    #[serde(default)]
    pub nonces: Vec<String>,
    /// Lookup tables with accounts of payees.
    #[serde(default)]
    pub tables: Vec<String>,
    /// Addresses that look like others and that a person has looked at.
    #[serde(default)]
    pub looked_at: Vec<String>,
    /// The token that is paid; without it, SOL. The book's asset has its decimals.
    pub mint: Option<String>,
    /// Whether that token is of Token-2022, and not of the classic program.
    #[serde(default)]
    pub token_2022: bool,
    /// The hash of the chain's first block; without it, the chain where money is worth something.
    pub genesis: Option<String>,
    /// Who is asked, the preferred first: two at least, if money is to be safe from one's mistake.
    pub providers: Vec<SolanaProvider>,
    /// Whether to use transactions of the newest format, of 60 payees.
    #[serde(default)]
    pub v1: bool,
    /// Whether to make token accounts for payees who have none, at the wallet's cost.
    #[serde(default)]
    pub makes_accounts: bool,
    /// Whether to pay to addresses that no key exists for.
    #[serde(default)]
    pub pays_off_curve: bool,
    /// The most offered for each compute unit, in millionths of a lamport.
    pub price_max: Option<u64>,
    /// A provider that is so many slots behind the best one is not asked; without it, 100.
    pub lag_slots: Option<u64>,
    /// What a whole SOL is worth in the book's asset, for quotes; without it, no fee is quoted.
    pub sol_worth: Option<String>,
}

impl SolanaWallet {
    /// The rail of this wallet; paths are as of a folder.
    ///
    /// # Errors
    /// [`Code::FileUnusable`] for a key file that cannot be read or that others may read,
    /// [`Code::KeyMalformed`] for one that holds none, [`Code::AddressMalformed`] for a mint or
    /// chain that is none, and [`Code::RailRefused`] for providers that are not fit.
    pub fn rail(
        &self,
        dir: &Path,
        asset: &Asset,
        deadline_secs: u64,
    ) -> Result<Arc<dyn Rail>, Error> {
        let coin = self.coin(asset)?;
        let genesis = self.genesis.as_deref().map_or(Ok(Genesis::MAINNET), str::parse)?;
        let providers = self.providers.iter().map(SolanaProvider::provider);
        let providers = providers.collect::<Result<_, _>>()?;
        let usual = SolanaSettings::new(Name::new("solana")?, coin, genesis, providers);
        let worth = self.sol_worth.as_deref().map(|text| asset.amount(text)).transpose()?;
        let settings = SolanaSettings {
            nonces: addresses(&self.nonces)?,
            tables: addresses(&self.tables)?,
            uses_v1: self.v1,
            makes_accounts: self.makes_accounts,
            pays_off_curve: self.pays_off_curve,
            price_max: self.price_max.unwrap_or(usual.price_max),
            lag_slots_max: self.lag_slots.unwrap_or(usual.lag_slots_max),
            sol_worth: worth.unwrap_or(usual.sol_worth),
            deadline_secs,
            ..usual
        };
        Ok(Arc::new(SolanaRail::signed_by(settings, self.read_signer(dir)?)?))
    }

    /// The keys of its providers, which go to the sender and nowhere else; paths are as of a
    /// folder.
    ///
    /// # Errors
    /// [`Code::FileUnusable`] for a key that cannot be read or that others may read, and
    /// [`Code::InputMalformed`] for one that is empty, named twice, or for an address that is not
    /// encrypted.
    pub fn credentials(&self, dir: &Path) -> Result<Vec<Credential>, Error> {
        let credentials = self.providers.iter().map(|one| one.credential(dir));
        Ok(credentials.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// What speaks against taking addresses as destinations beside those that are known: that one
    /// looks like another, and that no person has said yet that it is meant. What is no address is
    /// passed over: the rail refuses it.
    ///
    /// ```
    /// let text = r#"
    ///     key = "till.json"
    ///     providers = [{ name = "one", url = "https://one.example" }]
    /// "#;
    /// let wallet: divvy::SolanaWallet = toml::from_str(text).unwrap();
    /// let paid = "2BiaZk8iutMYsht5CEtZHBsrZ2o9xkKk1ZDcTGRHhKGa";
    /// let slip = "2BiaZk8iutMYsht5CEtZHBsrZ2o9xkKk1ZDcTGRHhKGb";
    /// let told = wallet.look_alike(&[paid.to_owned()], &["ann", paid, slip]);
    /// assert!(told.is_some_and(|said| said.contains(slip) && said.contains(paid)));
    /// assert_eq!(wallet.look_alike(&[], &[paid, paid]), None);
    /// ```
    #[must_use]
    pub fn look_alike(&self, known: &[String], fresh: &[&str]) -> Option<String> {
        let mut seen = Lookalikes::default();
        known.iter().filter_map(|one| Address::parse(one).ok()).for_each(|one| seen.add(one));
        for text in fresh {
            let Ok(address) = Address::parse(text) else { continue };
            let is_meant = self.looked_at.iter().any(|meant| meant == text);
            if let Some(other) = seen.find(&address).filter(|_| !is_meant) {
                let concern = Concern::Lookalike(other);
                return Some(format!("{address}: {concern}; name it in looked_at if it is meant"));
            }
            seen.add(address);
        }
        None
    }

    fn read_signer(&self, dir: &Path) -> Result<Arc<dyn Signer>, Error> {
        match (&self.key, &self.signer, &self.wallet) {
            (Some(key), None, None) => Ok(Arc::new(read_key(&dir.join(key))?)),
            (None, Some(command), Some(wallet)) => {
                Ok(Arc::new(CommandSigner::new(Address::parse(wallet)?, command, dir)?))
            }
            _ => {
                let detail =
                    "[rail.solana] has a key, or a signer and the wallet that it signs for";
                Err(Error::new(Code::InputMalformed, detail))
            }
        }
    }

    fn coin(&self, asset: &Asset) -> Result<Coin, Error> {
        let one = asset.amount("1")?.get();
        let decimals = u8::try_from(one.checked_ilog10().unwrap_or(0)).unwrap_or(u8::MAX);
        let program = if self.token_2022 { token::PROGRAM_2022 } else { token::PROGRAM };
        match &self.mint {
            Some(mint) => Ok(Coin::Token { program, mint: Address::parse(mint)?, decimals }),
            None if decimals == SOL_DECIMALS => Ok(Coin::Sol),
            None => {
                let detail = "a book that is paid in SOL is kept in SOL@9; name a mint otherwise";
                Err(Error::new(Code::InputMalformed, detail))
            }
        }
    }
}

fn addresses(texts: &[String]) -> Result<Vec<Address>, Error> {
    texts.iter().map(|text| Address::parse(text)).collect()
}

fn read_key(file: &Path) -> Result<Keypair, Error> {
    Keypair::from_file(&read_private(file, fs::read)?)
}

const SOL_DECIMALS: u8 = 9;

#[cfg(test)]
mod tests;

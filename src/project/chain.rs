//! The wallet on Solana that a project pays from, as the settings write it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use divvy_core::{Asset, Code, Error, Name, Rail};
use divvy_solana::{Address, Coin, Genesis, Keypair, Provider, SolanaRail, SolanaSettings, token};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::key::check_private;

/// A wallet on Solana: whose key signs, what it pays in, and who is asked about the chain.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SolanaWallet {
    /// The key file, as Solana's tools write it; nobody else may read it.
    pub key: PathBuf,
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
    /// What a whole SOL is worth in the book's asset, for quotes; without it, no fee is quoted.
    pub sol_worth: Option<String>,
}

/// Somebody who runs nodes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SolanaProvider {
    /// What evidence calls it.
    pub name: String,
    /// Where it is asked. No key may stand in it.
    pub url: String,
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
        let provider = |one: &SolanaProvider| Provider::new(&one.name, &one.url, None);
        let providers = self.providers.iter().map(provider).collect::<Result<_, _>>()?;
        let usual = SolanaSettings::new(Name::new("solana")?, coin, genesis, providers);
        let worth = self.sol_worth.as_deref().map(|text| asset.amount(text)).transpose()?;
        let settings = SolanaSettings {
            uses_v1: self.v1,
            makes_accounts: self.makes_accounts,
            pays_off_curve: self.pays_off_curve,
            price_max: self.price_max.unwrap_or(usual.price_max),
            sol_worth: worth.unwrap_or(usual.sol_worth),
            deadline_secs,
            ..usual
        };
        Ok(Arc::new(SolanaRail::new(settings, self.read_key(dir)?)?))
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

    fn read_key(&self, dir: &Path) -> Result<Keypair, Error> {
        let file = dir.join(&self.key);
        check_private(&file)?;
        let bytes = fs::read(&file).map(Zeroizing::new).map_err(|error| {
            let detail = format!("{} cannot be read: {error}", file.display());
            Error::new(Code::FileUnusable, detail)
        })?;
        Keypair::from_file(&bytes)
    }
}

const SOL_DECIMALS: u8 = 9;

#[cfg(test)]
mod tests;

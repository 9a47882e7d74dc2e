//! The rail that pays over Solana: what nodes are asked, and what their replies prove.
//!
//! A try is named by its first signature, and its window is a height of blocks: 150 after the one
//! whose hash it carries; or none, where it lives by a durable nonce and claims its value. Nothing
//! ends it but the chain: it is *final* when a node shows it finalized, and *void* when every
//! configured provider has finalized a block behind its window, or another value of its nonce,
//! knows its signature not, and keeps the history in which it would stand.

mod beyond;
mod failure;
mod look;
mod nonce;
mod pack;
mod settings;
mod sign;
mod tables;
mod tag;

pub use settings::{Coin, SolanaSettings};

use core::fmt;
use std::sync::Arc;

use divvy_core::{
    Code, Error, Heard, Job, Line, Name, Pack, Rail, Request, Seen, Signed, Stranger, Time, Timing,
    Turn,
};

use crate::address::Address;
use crate::check::check_wallet;
use crate::concern::{Concern, Weight};
use crate::derive::Derived;
use crate::key::Keypair;
use crate::node::{Talk, sending};
use crate::rail::nonce::is_durable;
use crate::signer::Signer;

/// The rail of one wallet and one coin.
///
/// Nothing here dials: it asks by requests as data, in JSON-RPC, and reads replies.
///
/// ```
/// use divvy_core::{Name, Rail};
/// use divvy_solana::*;
///
/// let mint = Address::parse("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v")?;
/// let usdc = Coin::Token { program: token::PROGRAM, mint, decimals: 6 };
/// let providers = vec![
///     Provider::new("one", "https://one.example", None)?,
///     Provider::new("two", "https://two.example", None)?,
/// ];
/// let settings = SolanaSettings::new(Name::new("solana")?, usdc, Genesis::MAINNET, providers);
/// let rail = SolanaRail::new(settings, Keypair::from_seed(&[7; 32]))?;
/// assert_eq!(rail.wallet().as_str(), "GmaDrppBC7P5ARKV8g3djiwP89vz1jLK23V2GBjuAEGB");
/// assert!(rail.check_address("2BiaZk8iutMYsht5CEtZHBsrZ2o9xkKk1ZDcTGRHhKGa").is_ok());
/// assert!(rail.check_address(&mint.to_string()).is_err());
/// # Ok::<(), divvy_core::Error>(())
/// ```
pub struct SolanaRail {
    settings: SolanaSettings,
    signer: Arc<dyn Signer>,
    wallet: Name,
    /// What pays: the wallet's token account, or the wallet itself.
    source: Address,
}

impl SolanaRail {
    /// A rail with these settings, which signs with this key and pays from its wallet.
    ///
    /// # Errors
    /// [`Code::RailRefused`] without a provider, with two of one name, or with a deadline of zero.
    pub fn new(settings: SolanaSettings, key: Keypair) -> Result<Self, Error> {
        Self::signed_by(settings, Arc::new(key))
    }

    /// A rail whose tries somebody else signs: a device, a key store, a person's tool. A signature
    /// that is not the wallet's over the bytes in question is refused, and nothing of it is kept.
    ///
    /// # Errors
    /// As for [`SolanaRail::new`].
    pub fn signed_by(settings: SolanaSettings, signer: Arc<dyn Signer>) -> Result<Self, Error> {
        settings.check()?;
        let address = signer.address();
        let source = match &settings.coin {
            Coin::Sol => address,
            Coin::Token { program, mint, .. } => {
                Derived::token_account(&address, mint, program)?.address
            }
        };
        Ok(Self { wallet: Name::new(&address.to_string())?, settings, signer, source })
    }

    /// The address of the wallet that pays, and bears all fees.
    #[must_use]
    pub fn address(&self) -> Address {
        self.signer.address()
    }

    /// The account that payouts leave: the wallet's token account, or the wallet itself.
    #[must_use]
    pub const fn source(&self) -> &Address {
        &self.source
    }

    fn talk<'a>(&'a self, heard: &'a [Heard], now: Time) -> Talk<'a> {
        Talk { providers: &self.settings.providers, heard, now }
    }
}

impl Rail for SolanaRail {
    fn name(&self) -> &Name {
        &self.settings.name
    }

    fn wallet(&self) -> &Name {
        &self.wallet
    }

    fn timing(&self) -> Timing {
        // What is finalized never comes back, so nothing is looked at once more.
        let deadline_secs_max = self.settings.deadline_secs;
        Timing { grace_secs: GRACE_SECS, deadline_secs_max, watch_secs: 0 }
    }

    fn check_address(&self, address: &str) -> Result<(), Error> {
        let refused = |why: &str| Err(Error::new(Code::RailRefused, why));
        let wallet = match Address::parse(address) {
            Ok(wallet) => wallet,
            Err(error) => return refused(&error.to_string()),
        };
        let own = [Some(self.address()), Some(self.source), self.settings.coin.mint()];
        if own.contains(&Some(wallet)) {
            return refused(&format!("{wallet} is the paying wallet or its coin: ask for theirs"));
        }
        let refuses = |concern: &Concern| {
            let off_curve = *concern == Concern::OffCurve && !self.settings.pays_off_curve;
            off_curve || concern.weight() == Weight::Refuse
        };
        match check_wallet(&wallet, None, &[]).iter().find(|concern| refuses(concern)) {
            Some(concern) => refused(&format!("{wallet}: {concern}")),
            None => Ok(()),
        }
    }

    fn pack(&self, lines: &[Line], heard: &[Heard], now: Time) -> Result<Turn<Vec<Pack>>, Error> {
        self.pack_lines(lines, heard, now)
    }

    fn sign(&self, job: &Job, heard: &[Heard], now: Time) -> Result<Turn<Signed>, Error> {
        self.sign_try(job, heard, now)
    }

    /// Each time another provider gets it, so that one that is deaf does not keep it.
    fn submit(&self, signed: &Signed, now: Time) -> Request {
        let turns = now.millis().checked_div(SUBMIT_STEP_MILLIS).unwrap_or(0);
        let count = u64::try_from(self.settings.providers.len()).unwrap_or(1);
        let place = turns.checked_rem(count).and_then(|place| usize::try_from(place).ok());
        let provider = place.and_then(|place| self.settings.providers.get(place));
        // What lives by a nonce may be sent for as long as nobody has advanced it.
        let deadline = if is_durable(signed) { Time::MAX } else { signed.deadline };
        sending(provider, &signed.bytes, deadline)
    }

    fn look(&self, tries: &[Signed], heard: &[Heard], now: Time) -> Result<Turn<Seen>, Error> {
        self.look_at(tries, heard, now)
    }

    fn beyond(
        &self,
        book: &Name,
        run: u64,
        heard: &[Heard],
        now: Time,
    ) -> Result<Turn<Vec<Stranger>>, Error> {
        self.tries_beyond(book, run, heard, now)
    }
}

impl fmt::Debug for SolanaRail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { settings, wallet, .. } = self;
        f.debug_struct("SolanaRail").field("settings", settings).field("wallet", wallet).finish()
    }
}

/// Blocks end a try, not seconds; a request that is under way when its deadline comes takes no
/// longer than this.
const GRACE_SECS: u64 = 60;

/// So often another provider is sent to.
const SUBMIT_STEP_MILLIS: u64 = 1_000;

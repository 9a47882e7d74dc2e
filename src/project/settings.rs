//! The settings file as it is written, before anything is checked.

use std::path::{Path, PathBuf};

use divvy_core::{Asset, Code, Error, Guarded, Name, Person, Policy, PublicKey, Signature, Units};
use serde::Deserialize;

use crate::project::chain::SolanaWallet;
use crate::project::costs::{RawFeeShare, RawFees, RawQuotes};
use crate::project::rehearsal::Rehearsal;
use crate::project::rule::{RawLeg, RawTier, RawUpline};
use crate::project::treasury::RawTreasury;
use crate::project::webhooks::RawWebhook;
use crate::worker::WorkerSettings;

/// `divvy.toml`, literally.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProject {
    pub(super) book: String,
    pub(super) asset: String,
    pub(super) rule: Vec<RawLeg>,
    #[serde(default)]
    pub(super) tiers: Vec<RawTier>,
    pub(super) upline: Option<RawUpline>,
    pub(super) referrals: Option<String>,
    pub(super) rule_from: Option<String>,
    pub(super) rule_signature: Option<Signature>,
    pub(super) issuer: Option<String>,
    pub(super) pool: Option<RawPool>,
    #[serde(default)]
    pub(super) pools: Vec<RawPool>,
    pub(super) threshold: Option<String>,
    pub(super) max_wait_days: Option<u64>,
    pub(super) period: Option<String>,
    pub(super) floor: Option<String>,
    pub(super) fee_share: Option<RawFeeShare>,
    #[serde(default)]
    pub(super) fee_shares: std::collections::BTreeMap<String, RawFeeShare>,
    pub(super) quotes: Option<RawQuotes>,
    pub(super) cooling_days: Option<u64>,
    #[serde(default)]
    pub(super) named_on_rail: bool,
    #[serde(default)]
    pub(super) thresholds: Vec<RawThreshold>,
    #[serde(default)]
    pub(super) instant: Vec<String>,
    #[serde(default)]
    pub(super) holds: Vec<RawHold>,
    pub(super) payments: Option<RawPayments>,
    pub(super) refunds: Option<String>,
    pub(super) rehearsal: Option<Rehearsal>,
    pub(super) tick_secs: Option<u64>,
    pub(super) from: Option<String>,
    pub(super) until: Option<String>,
    pub(super) rail: Option<RailSettings>,
    #[serde(default)]
    pub(super) worker: RawWorker,
    pub(super) database: Option<String>,
    #[serde(default)]
    pub(super) treasury: RawTreasury,
    pub(super) approvals: Option<RawApprovals>,
    pub(super) fees: Option<RawFees>,
    #[serde(default)]
    pub(super) webhook: Vec<RawWebhook>,
}

/// Above which limit of a day, and by whom, payouts have to be approved.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawApprovals {
    limit: String,
    needed: u32,
    expires_hours: Option<u64>,
    people: std::collections::BTreeMap<String, String>,
}

impl RawApprovals {
    pub(super) fn checked(&self, asset: &Asset) -> Result<Guarded, Error> {
        let person = |(name, key): (&String, &String)| {
            Ok(Person { name: Name::new(name)?, key: PublicKey::parse(key)? })
        };
        let hours = self.expires_hours.unwrap_or(72);
        Ok(Guarded {
            limit: asset.amount(&self.limit)?,
            approvals: self.needed,
            people: self.people.iter().map(person).collect::<Result<_, Error>>()?,
            expires_secs: hours.saturating_mul(3_600),
            consents: Vec::new(),
            unsigned: None,
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPool {
    pub(super) name: String,
    pub(super) supply: String,
    pub(super) proofs: Option<bool>,
    pub(super) holders: Option<String>,
    pub(super) flow_days: Option<u64>,
    pub(super) payee: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawThreshold {
    pub(super) units_from: String,
    pub(super) amounts: Vec<String>,
    pub(super) period: Option<String>,
    pub(super) max_wait_days: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHold {
    pub(super) payee: String,
    pub(super) reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPayments {
    file: String,
    asset: Option<String>,
    source: Option<String>,
    account: Option<String>,
}

/// How workers of this project work; what is absent is as usual.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWorker {
    in_flight: Option<usize>,
    first_wait_secs: Option<u64>,
    roster_secs: Option<u64>,
}

impl RawWorker {
    pub(super) fn settings(&self) -> WorkerSettings {
        let usual = WorkerSettings::default();
        WorkerSettings {
            in_flight: self.in_flight.unwrap_or(usual.in_flight),
            first_wait_secs: self.first_wait_secs.unwrap_or(usual.first_wait_secs),
            roster_secs: self.roster_secs.unwrap_or(usual.roster_secs),
        }
    }
}

/// The thresholds of holders with at least so many units; given out in turn, holder by holder.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Thresholds {
    /// For holders of at least so many units.
    pub units_from: Units,
    /// One for each holder, in turn.
    pub policies: Vec<Policy>,
}

/// Where payments come from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PaymentsFile {
    /// The file, as `id,paid_at,amount,payer`.
    pub file: PathBuf,
    /// What came in.
    pub asset: Asset,
    /// Who says so.
    pub source: Name,
    /// The account that received it.
    pub account: Name,
}

impl PaymentsFile {
    /// Where payments come from when the settings do not say: an import in the book's asset.
    ///
    /// # Errors
    /// None: both names are fit.
    pub fn plain(asset: Asset) -> Result<Self, Error> {
        let (source, account) = (Name::new("import")?, Name::new("main")?);
        Ok(Self { file: PathBuf::from("payments.csv"), asset, source, account })
    }

    pub(super) fn checked(raw: &RawPayments, dir: &Path, book: &Asset) -> Result<Self, Error> {
        Ok(Self {
            file: dir.join(&raw.file),
            asset: raw.asset.as_deref().map_or(Ok(book.clone()), Asset::parse)?,
            source: Name::new(raw.source.as_deref().unwrap_or("import"))?,
            account: Name::new(raw.account.as_deref().unwrap_or("main"))?,
        })
    }
}

/// The rail that pays: the sandbox, or a wallet on Solana.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RailSettings {
    /// Which one.
    #[serde(default = "sandbox")]
    pub kind: String,
    /// The wallet that pays.
    #[serde(default = "wallet")]
    pub wallet: String,
    /// Where it is reached; without it, `divvy run` starts a sandbox of its own.
    pub url: Option<String>,
    /// How long bytes may be sent: `unlimited`, `until`, `until_height` or `once`.
    #[serde(default = "until")]
    pub window: String,
    /// Lines in one request, at most.
    #[serde(default = "lines_max")]
    pub lines_max: usize,
    /// From signing to deadline.
    #[serde(default = "deadline_secs")]
    pub deadline_secs: u64,
    /// A try's outcome is settled so many seconds after its deadline; longer than the lag.
    #[serde(default = "grace_secs")]
    pub grace_secs: u64,
    /// What settled is looked at once more after so many seconds; 0 for never.
    #[serde(default = "watch_secs")]
    pub watch_secs: u64,
    /// Nothing lands later than so many seconds after it was started, in a sandbox of its own.
    #[serde(default = "lag_secs")]
    pub lag_secs: u64,
    /// So many requests a second, of all workers together; without it, as they come.
    pub requests_per_sec: Option<u64>,
    /// A settlement is final after so many seconds.
    #[serde(default)]
    pub finality_secs: u64,
    /// What is to go wrong, as the sandbox spells it.
    #[serde(default)]
    pub faults: String,
    /// Which faults strike when.
    #[serde(default)]
    pub seed: u64,
    /// What a sandbox of its own charges for each line; without it, nothing.
    pub fee: Option<String>,
    /// In which asset it charges; without it, in the book's.
    pub fee_asset: Option<String>,
    /// What is quoted for each line, in the book's asset; without it, what it charges there.
    pub fee_quoted: Option<String>,
    /// The wallet on Solana, for the rail of that name.
    pub solana: Option<SolanaWallet>,
}

fn sandbox() -> String {
    "sandbox".to_owned()
}

fn wallet() -> String {
    "till".to_owned()
}

fn until() -> String {
    "until".to_owned()
}

const fn lines_max() -> usize {
    500
}

const fn deadline_secs() -> u64 {
    3_600
}

const fn grace_secs() -> u64 {
    120
}

const fn watch_secs() -> u64 {
    172_800
}

const fn lag_secs() -> u64 {
    60
}

impl Default for RailSettings {
    fn default() -> Self {
        Self {
            kind: sandbox(),
            wallet: wallet(),
            url: None,
            window: until(),
            lines_max: lines_max(),
            deadline_secs: deadline_secs(),
            grace_secs: grace_secs(),
            watch_secs: watch_secs(),
            lag_secs: lag_secs(),
            requests_per_sec: None,
            finality_secs: 0,
            faults: String::new(),
            seed: 0,
            fee: None,
            fee_asset: None,
            fee_quoted: None,
            solana: None,
        }
    }
}

impl RailSettings {
    pub(super) fn checked(self) -> Result<Self, Error> {
        let detail = match (self.kind.as_str(), &self.solana) {
            ("sandbox", None) => return self.check_timing(),
            ("solana", Some(_)) => return Ok(self),
            ("sandbox" | "solana", _) => {
                "[rail.solana] belongs to kind = \"solana\", and that to it: write both or none"
                    .to_owned()
            }
            (kind, _) => {
                format!("rail {kind:?} is not in this build: use \"sandbox\" or \"solana\"")
            }
        };
        Err(Error::new(Code::InputMalformed, detail))
    }

    /// A grace that ends before everything has landed would take what still lands for void.
    fn check_timing(self) -> Result<Self, Error> {
        if self.grace_secs > self.lag_secs {
            return Ok(self);
        }
        let detail = format!(
            "[rail] grace_secs is {}, and what was sent may land {} s later: make it longer than \
             lag_secs",
            self.grace_secs, self.lag_secs
        );
        Err(Error::new(Code::InputMalformed, detail))
    }
}

//! A project: a folder with `divvy.toml`, its input files, and its database.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use divvy_core::{
    Amount, Asset, Code, Error, FeeShare, FeesSet, Guarded, Name, Opened, Period, Policy,
    PublicKey, RuleSet, Time, TreasuryTerms, Units,
};

mod chain;
mod costs;
mod database;
mod rehearsal;
mod rule;
mod settings;
mod treasury;
mod webhooks;

use crate::webhook::{SecretsAt, WebhookSettings};
use crate::worker::WorkerSettings;

pub use chain::{SolanaProvider, SolanaWallet};
use costs::RawFeeShare;
pub use database::Database;
pub use rehearsal::Rehearsal;
pub use settings::{PaymentsFile, RailSettings, Thresholds};
use settings::{RawProject, RawThreshold};

/// Everything that `divvy.toml` says, checked.
///
/// ```
/// use divvy::Project;
///
/// let text = r#"
///     book = "duet"
///     asset = "USD"
///     rule = [
///         { payee = "creator", share = "95%" },
///         { payee = "collaborator", share = "remaining" },
///     ]
/// "#;
/// let project = Project::parse(text, "examples/duet".as_ref())?;
/// assert_eq!(project.rule.legs.legs().len(), 2);
/// # Ok::<(), divvy::core::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Project {
    /// The folder that it stands in.
    pub dir: PathBuf,
    /// The book's name.
    pub book: Name,
    /// How the book is opened.
    pub opened: Opened,
    /// Who gets what of each payment, and from when on: a rule that follows another may not start
    /// before a recorded payment.
    pub rule: RuleSet,
    /// Who brought whom, as `who,by`.
    pub referrals: Option<PathBuf>,
    /// Whose key sets the rules after the first, if anybody's.
    pub issuer: Option<PublicKey>,
    /// The book's pool, if the rule has one.
    pub pool: Option<PoolSettings>,
    /// More pools, such as those that hold units of another one.
    pub pools: Vec<PoolSettings>,
    /// The policies of holders by how much they hold, least first.
    pub thresholds: Vec<Thresholds>,
    /// Payees who are paid at once.
    pub instant: Vec<Name>,
    /// Payees who are held from the start, and why.
    pub holds: Vec<(Name, String)>,
    /// The payments to take in, if any.
    pub payments: Option<PaymentsFile>,
    /// Refunds and disputes to take in, if any.
    pub refunds: Option<PathBuf>,
    /// What no payment tells of the treasury, to take in, if any.
    pub funds: Option<PathBuf>,
    /// What people do while `divvy run` rehearses.
    pub rehearsal: Option<Rehearsal>,
    /// How often a worker looks, in seconds.
    pub tick_secs: u64,
    /// When the simulated time begins; nothing, where time is the clock's.
    pub from: Option<Time>,
    /// When the simulated time ends.
    pub until: Option<Time>,
    /// The rail that pays.
    pub rail: RailSettings,
    /// How its workers work.
    pub worker: WorkerSettings,
    /// When its treasury warns.
    pub treasury: TreasuryTerms,
    /// Above which limit of a day, and by whom, payouts have to be approved.
    pub guarded: Option<Guarded>,
    /// What payouts may cost, and what payees bear of it.
    pub fees: Option<FeesSet>,
    /// The floor as it is stated in another asset, where it is.
    pub floor_stated: Option<(Amount, Asset)>,
    /// The threshold as it is stated in another asset, where it is.
    pub threshold_stated: Option<(Amount, Asset)>,
    /// How much of a line its fee may be, for everyone; none where that was never said.
    pub fee_share: Option<FeeShare>,
    /// The same for payees who weigh it otherwise.
    pub fee_shares: Vec<(Name, FeeShare)>,
    /// Where quotes are read, and how old they may be, in seconds.
    pub quotes: Option<(PathBuf, u64)>,
    /// Who is told what happens, and where the secrets are kept.
    pub webhooks: Vec<(WebhookSettings, SecretsAt)>,
    /// Where its facts are kept.
    pub database: Database,
}

/// The pool of a project.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PoolSettings {
    /// The pool's name.
    pub name: Name,
    /// The supply that it is opened with.
    pub supply: Units,
    /// Its holders, as `holder,units`.
    pub holders: Option<PathBuf>,
    /// Its money flows to the holders over so many seconds; without it, it is declared at once.
    pub flow_secs: Option<u64>,
    /// Whether its declarations commit to the holders, so that each can prove their part.
    pub proofs: bool,
    /// The payee whose earnings are this pool's: so it holds units of another one.
    pub payee: Option<Name>,
}

/// A quote is good for so many seconds where the settings do not say.
const QUOTE_AGE_SECS_MAX: u64 = 3_600;

/// The name of the settings file.
pub const SETTINGS_FILE: &str = "divvy.toml";

impl Project {
    /// Reads the settings of a folder.
    ///
    /// # Errors
    /// [`Code::FileUnusable`] when there are none, [`Code::InputMalformed`] and the errors of
    /// rules, assets and amounts when they make no sense.
    pub fn read(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(SETTINGS_FILE);
        let text = fs::read_to_string(&path).map_err(|error| {
            let detail = format!(
                "cannot read {}: {error}; make one with `divvy init {}`",
                path.display(),
                dir.display()
            );
            Error::new(Code::FileUnusable, detail)
        })?;
        Self::parse(&text, dir)
    }

    /// Checks settings as text, for a folder.
    ///
    /// # Errors
    /// As [`Project::read`].
    pub fn parse(text: &str, dir: &Path) -> Result<Self, Error> {
        let raw: RawProject = toml::from_str(text).map_err(|error| misspelt(text, &error))?;
        let asset = Asset::parse(&raw.asset)?;
        let (floor, floor_stated) = stated(raw.floor.as_deref(), &asset)?;
        let floor = floor.unwrap_or(Amount::ONE).max(Amount::ONE);
        let (min, threshold_stated) = stated(raw.threshold.as_deref(), &asset)?;
        let policy = policy(min, raw.max_wait_days, raw.period.as_deref())?;
        let rail = raw.rail.unwrap_or_default();
        let named_on = if raw.named_on_rail { Some(Name::new(&rail.kind)?) } else { None };
        let thresholds: Result<Vec<Thresholds>, Error> =
            raw.thresholds.iter().map(|raw| thresholds(raw, &asset)).collect();
        let holds = raw.holds.iter().map(|hold| Ok((Name::new(&hold.payee)?, hold.reason.clone())));
        let cooling_secs = raw.cooling_days.unwrap_or(1).saturating_mul(86_400);
        check_cooling(cooling_secs, rail.deadline_secs)?;
        let treasury = raw.treasury.terms(&asset)?;
        let guarded = raw.approvals.map(|raw| raw.checked(&asset)).transpose()?;
        Rehearsal::check(raw.rehearsal.as_ref(), guarded.as_ref(), &rail)?;
        let (book, raws) = (Name::new(&raw.book)?, &raw.webhook);
        let webhooks = webhooks::checked(raws, &book, &treasury, dir)?;
        let time = |text: &Option<String>| text.as_deref().map(Time::parse).transpose();
        let (rule_from, from) = (time(&raw.rule_from)?, time(&raw.from)?);
        let starts = rule_from.or(from).unwrap_or(Time::ZERO);
        let rule = rule::rule(starts, &raw.rule, &raw.tiers, raw.upline.as_ref(), &asset)?;
        Ok(Self {
            dir: dir.to_path_buf(),
            book,
            rule: RuleSet { signature: raw.rule_signature, ..rule },
            referrals: raw.referrals.map(|file| dir.join(file)),
            issuer: raw.issuer.as_deref().map(PublicKey::parse).transpose()?,
            pool: raw.pool.as_ref().map(|raw| pool(raw, dir)).transpose()?,
            pools: raw.pools.iter().map(|raw| pool(raw, dir)).collect::<Result<_, _>>()?,
            thresholds: thresholds?,
            instant: raw.instant.iter().map(|name| Name::new(name)).collect::<Result<_, _>>()?,
            holds: holds.collect::<Result<_, Error>>()?,
            payments: raw
                .payments
                .map(|raw| PaymentsFile::checked(&raw, dir, &asset))
                .transpose()?,
            refunds: raw.refunds.map(|file| dir.join(file)),
            funds: raw.treasury.funds.map(|file| dir.join(file)),
            rehearsal: raw.rehearsal,
            tick_secs: raw.tick_secs.unwrap_or(300).max(1),
            from,
            until: time(&raw.until)?,
            rail: rail.checked()?,
            worker: raw.worker.settings(),
            treasury,
            webhooks,
            guarded,
            fees: raw.fees.map(|raw| raw.checked(&asset)).transpose()?,
            floor_stated,
            threshold_stated,
            fee_share: raw.fee_share.as_ref().map(RawFeeShare::checked),
            fee_shares: fee_shares(&raw.fee_shares)?,
            quotes: raw
                .quotes
                .map(|raw| (dir.join(&raw.file), raw.age_secs_max.unwrap_or(QUOTE_AGE_SECS_MAX))),
            database: Database::named(raw.database.as_deref().unwrap_or("divvy.db"), dir),
            opened: Opened { asset, policy, floor, cooling_secs, named_on },
        })
    }
}

/// An amount of the book's asset, or one that is stated in another: `50.00 USD`. Until its rate is
/// known such a one is out of reach, so that nobody is paid below it.
fn stated(text: Option<&str>, asset: &Asset) -> Result<Stating, Error> {
    let Some(text) = text else { return Ok((None, None)) };
    let Some((amount, other)) = text.split_once(' ') else {
        return Ok((Some(asset.amount(text)?), None));
    };
    let other = Asset::parse(other)?;
    let amount = other.amount(amount)?;
    if other == *asset {
        return Ok((Some(amount), None));
    }
    Ok((Some(Amount::MAX), Some((amount, other))))
}

/// An amount in the book's asset, and as it was stated in another.
type Stating = (Option<Amount>, Option<(Amount, Asset)>);

fn fee_shares(raw: &BTreeMap<String, RawFeeShare>) -> Result<Vec<(Name, FeeShare)>, Error> {
    raw.iter().map(|(payee, share)| Ok((Name::new(payee)?, share.checked()))).collect()
}

/// A changed destination must not take effect while a try to the old one may still go out.
fn check_cooling(cooling_secs: u64, deadline_secs: u64) -> Result<(), Error> {
    if cooling_secs >= deadline_secs {
        return Ok(());
    }
    Err(malformed(&format!(
        "a changed destination cools for {cooling_secs} s, and a try may go out for \
         {deadline_secs} s: raise cooling_days, or lower the rail's deadline_secs"
    )))
}

/// What holds for payees who chose nothing.
fn policy(
    min: Option<Amount>,
    max_wait_days: Option<u64>,
    period: Option<&str>,
) -> Result<Policy, Error> {
    let every = match period {
        None => return Ok(min.map_or(Policy::Instant, |min| threshold(min, max_wait_days))),
        Some("daily") => Period::DAILY,
        Some("weekly") => Period::WEEKLY,
        Some("monthly") => Period::Monthly,
        Some(other) => {
            let detail = format!("a period of {other:?}: use daily, weekly or monthly");
            return Err(malformed(&detail));
        }
    };
    if max_wait_days.is_some() {
        return Err(malformed("max_wait_days beside a period: what waits goes at its boundary"));
    }
    Ok(Policy::Periodic { every, min })
}

fn threshold(min: Amount, max_wait_days: Option<u64>) -> Policy {
    let max_wait_secs = max_wait_days.map(|days| days.saturating_mul(86_400));
    Policy::Threshold { min, max_wait_secs }
}

fn thresholds(raw: &RawThreshold, asset: &Asset) -> Result<Thresholds, Error> {
    let (max_wait_days, period) = (raw.max_wait_days, raw.period.as_deref());
    let policy = |text: &String| policy(Some(asset.amount(text)?), max_wait_days, period);
    let policies: Vec<Policy> = raw.amounts.iter().map(policy).collect::<Result<_, Error>>()?;
    if policies.is_empty() {
        return Err(malformed("a threshold without amounts: name at least one"));
    }
    Ok(Thresholds { units_from: Units::parse(&raw.units_from)?, policies })
}

fn pool(raw: &settings::RawPool, dir: &Path) -> Result<PoolSettings, Error> {
    Ok(PoolSettings {
        name: Name::new(&raw.name)?,
        supply: Units::parse(&raw.supply)?,
        holders: raw.holders.as_ref().map(|file| dir.join(file)),
        flow_secs: flow_secs(raw.flow_days)?,
        // Proofs cost little where units move seldom, and nobody can ask for them afterwards. What
        // flows is accrued and not declared: there is nothing to prove, and who asks for both is
        // told.
        proofs: raw.proofs.unwrap_or(raw.flow_days.is_none()),
        payee: raw.payee.as_deref().map(Name::new).transpose()?,
    })
}

fn flow_secs(days: Option<u64>) -> Result<Option<u64>, Error> {
    match days {
        Some(0) => Err(malformed("[pool] flow_days is 0: leave it out to declare at once")),
        days => Ok(days.map(|days| days.saturating_mul(86_400))),
    }
}

/// What is wrong with the settings as text, and in which line.
fn misspelt(text: &str, error: &toml::de::Error) -> Error {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(1, |before| before.matches('\n').count().saturating_add(1));
    malformed(&format!("{SETTINGS_FILE}:{line}: {}", error.message()))
}

fn malformed(detail: &str) -> Error {
    Error::new(Code::InputMalformed, detail)
}

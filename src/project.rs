//! A project: a folder with `divvy.toml`, its input files, and its database.

use std::fs;
use std::path::{Path, PathBuf};

use divvy_core::{
    Amount, Asset, Code, Error, Guarded, Leg, Legs, Name, Opened, Period, Policy, PublicKey, Ratio,
    Share, Signature, Target, Time, TreasuryTerms, Units,
};

mod database;
mod settings;
mod webhooks;

use crate::webhook::{SecretsAt, WebhookSettings};
use crate::worker::WorkerSettings;

pub use database::Database;
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
/// assert_eq!(project.legs.legs().len(), 2);
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
    /// Who gets what of each payment.
    pub legs: Legs,
    /// From when on a rule holds that follows another; it may not start before a recorded payment.
    pub rule_from: Option<Time>,
    /// The issuer's signature of that rule.
    pub rule_signature: Option<Signature>,
    /// Whose key sets the rules after the first, if anybody's.
    pub issuer: Option<PublicKey>,
    /// The book's pool, if the rule has one.
    pub pool: Option<PoolSettings>,
    /// The policies of holders by how much they hold, least first.
    pub thresholds: Vec<Thresholds>,
    /// Payees who are paid at once.
    pub instant: Vec<Name>,
    /// Payees who are held from the start, and why.
    pub holds: Vec<(Name, String)>,
    /// The payments to take in, if any.
    pub payments: Option<PaymentsFile>,
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
}

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
        let raw: RawProject = toml::from_str(text)
            .map_err(|error| malformed(&format!("{SETTINGS_FILE}: {}", error.message())))?;
        let asset = Asset::parse(&raw.asset)?;
        let amount = |text: &Option<String>, none: Amount| {
            text.as_ref().map_or(Ok(none), |text| asset.amount(text))
        };
        let floor = amount(&raw.floor, Amount::ONE)?.max(Amount::ONE);
        let min = raw.threshold.as_deref().map(|text| asset.amount(text)).transpose()?;
        let policy = policy(min, raw.max_wait_days, raw.period.as_deref())?;
        let rail = raw.rail.unwrap_or_default();
        let named_on = if raw.named_on_rail { Some(Name::new(&rail.kind)?) } else { None };
        let thresholds: Result<Vec<Thresholds>, Error> =
            raw.thresholds.iter().map(|raw| thresholds(raw, &asset)).collect();
        let holds = raw.holds.iter().map(|hold| Ok((Name::new(&hold.payee)?, hold.reason.clone())));
        let cooling_secs = raw.cooling_days.unwrap_or(1).saturating_mul(86_400);
        check_cooling(cooling_secs, rail.deadline_secs)?;
        let treasury = raw.treasury.terms(&asset)?;
        let (book, raws) = (Name::new(&raw.book)?, &raw.webhook);
        let webhooks = webhooks::checked(raws, &book, &treasury, dir)?;
        let time = |text: &Option<String>| text.as_deref().map(Time::parse).transpose();
        Ok(Self {
            dir: dir.to_path_buf(),
            book,
            legs: legs(&raw.rule, &asset)?,
            rule_from: time(&raw.rule_from)?,
            rule_signature: raw.rule_signature,
            issuer: raw.issuer.as_deref().map(PublicKey::parse).transpose()?,
            pool: pool(raw.pool.as_ref(), dir)?,
            thresholds: thresholds?,
            instant: raw.instant.iter().map(|name| Name::new(name)).collect::<Result<_, _>>()?,
            holds: holds.collect::<Result<_, Error>>()?,
            payments: raw
                .payments
                .map(|raw| PaymentsFile::checked(&raw, dir, &asset))
                .transpose()?,
            tick_secs: raw.tick_secs.unwrap_or(300).max(1),
            from: time(&raw.from)?,
            until: time(&raw.until)?,
            rail: rail.checked()?,
            worker: raw.worker.settings(),
            treasury,
            webhooks,
            guarded: raw.approvals.map(|raw| raw.checked(&asset)).transpose()?,
            database: Database::named(raw.database.as_deref().unwrap_or("divvy.db"), dir),
            opened: Opened { asset, policy, floor, cooling_secs, named_on },
        })
    }
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
    let policy = |text: &String| Ok(threshold(asset.amount(text)?, raw.max_wait_days));
    let policies: Vec<Policy> = raw.amounts.iter().map(policy).collect::<Result<_, Error>>()?;
    if policies.is_empty() {
        return Err(malformed("a threshold without amounts: name at least one"));
    }
    Ok(Thresholds { units_from: Units::parse(&raw.units_from)?, policies })
}

fn pool(raw: Option<&settings::RawPool>, dir: &Path) -> Result<Option<PoolSettings>, Error> {
    let Some(raw) = raw else { return Ok(None) };
    Ok(Some(PoolSettings {
        name: Name::new(&raw.name)?,
        supply: Units::parse(&raw.supply)?,
        holders: raw.holders.as_ref().map(|file| dir.join(file)),
        flow_secs: flow_secs(raw.flow_days)?,
        // Proofs cost little where units move seldom, and nobody can ask for them afterwards. What
        // flows is accrued and not declared: there is nothing to prove, and who asks for both is
        // told.
        proofs: raw.proofs.unwrap_or(raw.flow_days.is_none()),
    }))
}

fn flow_secs(days: Option<u64>) -> Result<Option<u64>, Error> {
    match days {
        Some(0) => Err(malformed("[pool] flow_days is 0: leave it out to declare at once")),
        days => Ok(days.map(|days| days.saturating_mul(86_400))),
    }
}

fn legs(raw: &[settings::RawLeg], asset: &Asset) -> Result<Legs, Error> {
    let leg = |raw: &settings::RawLeg| {
        let to = match (&raw.payee, &raw.pool) {
            (Some(payee), None) => Target::Payee(payee.clone()),
            (None, Some(pool)) => Target::Pool(pool.clone()),
            (Some(_), Some(_)) | (None, None) => {
                return Err(malformed("a leg of the rule goes to one payee or to one pool"));
            }
        };
        let share = match raw.share.as_str() {
            "remaining" => Share::Remaining,
            text => match text.strip_prefix("up to ") {
                Some(amount) => Share::UpTo(asset.amount(amount)?),
                None => Share::Portion(Ratio::parse(text)?),
            },
        };
        Ok(Leg { to, share })
    };
    Legs::new(raw.iter().map(leg).collect::<Result<_, Error>>()?)
}

fn malformed(detail: &str) -> Error {
    Error::new(Code::InputMalformed, detail)
}

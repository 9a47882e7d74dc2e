//! `divvy payee`: where one payee is paid, and on which terms of their own.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use divvy::clock;
use divvy::core::{
    Asset, Book, Code, Destination, Error, FeeShare, Name, PayeeSet, Period, Policy, TermsSet, Time,
};

use crate::cli::Verdict;
use crate::cli::out::Out;
use crate::cli::setup::Desk;
use crate::cli::status::{balance_sentence, balance_value};

/// Set where a payee is paid, and on which terms of their own.
#[derive(Args, Debug)]
pub(crate) struct Payee {
    /// The payee.
    payee: String,
    /// Their address on the rail. A changed one takes effect when it has cooled.
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,
    #[command(flatten)]
    when: When,
    #[command(flatten)]
    cost: Cost,
    /// The folder with `divvy.toml`.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
}

/// When they are paid.
#[derive(Args, Debug)]
struct When {
    /// They are paid at once.
    #[arg(long, conflicts_with_all = ["threshold", "period"])]
    instant: bool,
    /// They are paid once so much is payable; with a period, at a boundary from so much on.
    #[arg(long, value_name = "AMOUNT")]
    threshold: Option<String>,
    /// They are paid below the threshold too, once money has waited so long.
    #[arg(long, value_name = "DAYS", requires = "threshold", conflicts_with = "period")]
    max_wait_days: Option<u64>,
    /// They are paid at the beginning of a day, of a week on Mondays, or of a month, by UTC.
    #[arg(long)]
    period: Option<Every>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Every {
    Daily,
    Weekly,
    Monthly,
}

/// What paying them may cost.
#[derive(Args, Debug)]
struct Cost {
    /// They wait while the fee is more than so many hundredths of a percent of the line.
    #[arg(long, value_name = "BPS", conflicts_with = "any_fee")]
    fee_bps: Option<u64>,
    /// They are paid whatever it costs, once money has waited so long.
    #[arg(long, value_name = "DAYS", requires = "fee_bps")]
    fee_wait_days: Option<u64>,
    /// They do not wait for a lower fee.
    #[arg(long)]
    any_fee: bool,
}

impl Payee {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let payee = Name::new(&self.payee)?;
        let (now, mut desk) = (clock::now(), Desk::open(&self.dir).await?);
        let asset = desk.project.opened.asset.clone();
        let (policy, share) = (self.when.policy(&asset)?, self.cost.share());
        if self.to.is_none() && policy.is_none() && share.is_none() {
            let detail = "nothing is set: say --to, --instant, --threshold, --period or --fee-bps";
            return Err(Error::new(Code::InputMalformed, detail));
        }
        desk.set_up(now, out).await?;
        let rail = Name::new(&desk.project.rail.kind)?;
        let destination = self.to.clone().map(|address| Destination { rail, address });
        self.set(&mut desk, &payee, PayeeSet { destination, policy }, now, out).await?;
        let mut book = desk.book()?;
        if let Some(share) = share {
            let set = TermsSet { fee_share: Some(share), ..TermsSet::NONE };
            book.set_payee_terms(&payee, &set, now).await?;
        }
        desk.quote(now, out).await?;
        let balance = desk.book()?.balance(payee.as_str(), now).await?;
        out.say(&balance_sentence(payee.as_str(), &balance, &asset));
        if balance.earned.is_zero() {
            out.say(&format!("{payee} has earned nothing so far: is it spelt like that?"));
        }
        out.value(&balance_value(payee.as_str(), &balance, &asset));
        desk.close().await.map(|()| Verdict::Done)
    }

    /// Sets what is not in force yet, and says from when on a changed address is.
    async fn set(
        &self,
        desk: &mut Desk,
        payee: &Name,
        mut set: PayeeSet,
        now: Time,
        out: &mut Out,
    ) -> Result<(), Error> {
        // Whoever is not known yet has chosen nothing.
        let known = chosen(desk.book()?.fold()?, payee.as_str(), now).ok().flatten();
        if known.is_some() && known == set.destination {
            set.destination = None;
        }
        let payees = [(payee.clone(), set)];
        desk.check_destinations(&payees, now)?;
        let [(_, set)] = &payees;
        if *set == (PayeeSet { destination: None, policy: None }) {
            return Ok(());
        }
        desk.book()?.set_payees(&payees, now).await?;
        let cooling = desk.book()?.fold()?.cooling(payee.as_str(), now)?;
        let from = cooling.map(|(_, from)| format!(" from {from} on")).unwrap_or_default();
        if let Some(Destination { address, rail }) = &set.destination {
            out.say(&format!("{payee} is paid at {address} over {rail}{from}"));
        }
        Ok(())
    }
}

/// Where a payee has chosen to be paid, whether or not it still cools.
pub(crate) fn chosen(fold: &Book, payee: &str, now: Time) -> Result<Option<Destination>, Error> {
    let cooling = fold.cooling(payee, now)?.map(|(cooling, _)| cooling);
    Ok(cooling.or(fold.balance(payee, now)?.destination))
}

impl When {
    fn policy(&self, asset: &Asset) -> Result<Option<Policy>, Error> {
        let min = self.threshold.as_deref().map(|text| asset.amount(text)).transpose()?;
        if self.instant {
            return Ok(Some(Policy::Instant));
        }
        let every = self.period.map(|every| match every {
            Every::Daily => Period::DAILY,
            Every::Weekly => Period::WEEKLY,
            Every::Monthly => Period::Monthly,
        });
        Ok(match (every, min) {
            (Some(every), min) => Some(Policy::Periodic { every, min }),
            (None, Some(min)) => {
                let max_wait_secs = self.max_wait_days.map(|days| days.saturating_mul(86_400));
                Some(Policy::Threshold { min, max_wait_secs })
            }
            (None, None) => None,
        })
    }
}

impl Cost {
    fn share(&self) -> Option<FeeShare> {
        let waits_secs = self.fee_wait_days.map(|days| days.saturating_mul(86_400));
        match (self.fee_bps, self.any_fee) {
            (Some(bps), _) => Some(FeeShare::AtMost { bps, waits_secs }),
            (None, true) => Some(FeeShare::Any),
            (None, false) => None,
        }
    }
}

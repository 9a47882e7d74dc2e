//! Units that come and go: stake, unstake, compound.

use std::path::PathBuf;

use clap::Args;
use divvy::clock;
use divvy::core::{Code, Error, Name, Time, Units};
use serde_json::json;

use crate::cli::Verdict;
use crate::cli::out::Out;
use crate::cli::setup::Desk;
use crate::cli::words::counted;

/// Units of one holder.
#[derive(Args, Debug)]
pub(crate) struct Stake {
    /// Whose.
    holder: String,
    /// How many.
    units: String,
    #[command(flatten)]
    place: PoolPlace,
}

/// Payable money that becomes units.
#[derive(Args, Debug)]
pub(crate) struct Compound {
    /// Whose.
    holder: String,
    /// How much; everything payable, where it is left out.
    #[arg(long)]
    amount: Option<String>,
    #[command(flatten)]
    place: PoolPlace,
}

/// The pool of a project.
#[derive(Args, Debug)]
struct PoolPlace {
    /// The folder with `divvy.toml`.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
}

impl PoolPlace {
    /// Opens the project, and its pool where it is not open yet.
    async fn open(&self, now: Time, out: &mut Out) -> Result<(Desk, Name), Error> {
        let mut desk = Desk::open(&self.dir).await?;
        let Some(pool) = desk.project.pool.clone() else {
            let detail = "divvy.toml has no [pool]: units are of one";
            return Err(Error::new(Code::InputMalformed, detail));
        };
        desk.set_up(now, out).await?;
        Ok((desk, pool.name))
    }
}

impl Stake {
    pub(crate) async fn stake(&self, out: &mut Out) -> Result<Verdict, Error> {
        let now = clock::now();
        let (mut desk, pool) = self.place.open(now, out).await?;
        let entry = (Name::new(&self.holder)?, self.some()?);
        let holder = entry.0.clone();
        desk.book()?.issue(pool.as_str(), &[entry], now).await?;
        tell(desk, &pool, &holder, out).await
    }

    pub(crate) async fn unstake(&self, out: &mut Out) -> Result<Verdict, Error> {
        let now = clock::now();
        let (mut desk, pool) = self.place.open(now, out).await?;
        let holder = Name::new(&self.holder)?;
        desk.book()?.redeem(pool.as_str(), &holder, self.some()?, now).await?;
        tell(desk, &pool, &holder, out).await
    }

    fn some(&self) -> Result<Units, Error> {
        match Units::parse(&self.units)? {
            Units::ZERO => Err(Error::new(Code::PoolUnits, "0 units change nothing: name some")),
            units => Ok(units),
        }
    }
}

impl Compound {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let now = clock::now();
        let (mut desk, pool) = self.place.open(now, out).await?;
        let holder = Name::new(&self.holder)?;
        let asset = desk.project.opened.asset.clone();
        let mut book = desk.book()?;
        // What has flowed until now is payable once it is declared.
        book.declare(now).await?;
        let amount = match &self.amount {
            Some(text) => asset.amount(text)?,
            None => book.balance(holder.as_str(), now).await?.payable,
        };
        book.compound(pool.as_str(), &holder, amount, now).await?;
        out.say(&format!("{} {} became units", asset.text(amount), asset.code()));
        tell(desk, &pool, &holder, out).await
    }
}

async fn tell(mut desk: Desk, pool: &Name, holder: &Name, out: &mut Out) -> Result<Verdict, Error> {
    let book = desk.book()?;
    let fold = book.fold()?;
    let units = fold.units(pool.as_str(), holder.as_str())?;
    let supply = fold.pool(pool.as_str())?.supply();
    let supply_text = counted(supply, "unit");
    out.say(&format!("{holder} holds {units} of {supply_text} of {pool}"));
    out.value(&json!({"pool": pool, "holder": holder, "units": units.to_string(),
        "supply": supply.to_string()}));
    desk.close().await.map(|()| Verdict::Done)
}

//! `divvy balance`: where a payee's money is, and when the rest comes.

use std::path::PathBuf;

use clap::Args;
use divvy::clock;
use divvy::core::Error;
use serde_json::{Value, json};

use crate::cli::Verdict;
use crate::cli::out::Out;
use crate::cli::setup::Desk;
use crate::cli::status::{balance_sentence, balance_value};
use crate::cli::waits::age;

/// Show where a payee's money is.
#[derive(Args, Debug)]
pub(crate) struct Balance {
    /// The payee.
    payee: String,
    /// The folder with `divvy.toml`.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
}

impl Balance {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let mut desk = Desk::look(&self.dir).await?;
        say_balance(&mut desk, &self.payee, out).await?;
        Ok(Verdict::Done)
    }
}

/// Says where a payee's money is, and for how long it has waited.
pub(crate) async fn say_balance(desk: &mut Desk, payee: &str, out: &mut Out) -> Result<(), Error> {
    let (now, asset) = (clock::now(), desk.project.opened.asset.clone());
    desk.quote(now, out).await?;
    let mut book = desk.book()?;
    let balance = book.balance(payee, now).await?;
    let since = book.fold()?.waiting_since(payee)?;
    out.say(&balance_sentence(payee, &balance, &asset));
    let mut value = balance_value(payee, &balance, &asset);
    if let Some(since) = since {
        out.say(&format!(
            "waiting since {since}, for {}",
            age(now.millis_since(since).div_euclid(1_000))
        ));
        if let Value::Object(fields) = &mut value {
            fields.insert("waiting_since".to_owned(), since.to_string().into());
        }
    }
    if let Some((to, from)) = book.fold()?.cooling(payee, now)? {
        out.say(&format!("paid at {} over {} from {from} on", to.address, to.rail));
        if let Value::Object(fields) = &mut value {
            let next = json!({"to": to.address, "rail": to.rail, "from": from});
            fields.insert("next_destination".to_owned(), next);
        }
    }
    if let Some(demand) = book.fold()?.demand_of(payee, now) {
        let (most, code, until) = (asset.text(demand.fee_max), asset.code(), demand.until);
        out.say(&format!(
            "asked to be paid now, at a cost of {most} {code} at most, until {until}"
        ));
        if let Value::Object(fields) = &mut value {
            fields.insert("asked_until".to_owned(), until.to_string().into());
        }
    }
    out.value(&value);
    Ok(())
}

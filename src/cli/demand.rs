//! `divvy pay --payee`: what it costs to pay somebody now, and that they ask for it.

use std::path::Path;
use std::sync::Arc;

use divvy::core::{Asset, Error, Line, Name};
use divvy::{Clock, Cost, clock};
use serde_json::{Value, json};

use crate::cli::Verdict;
use crate::cli::out::Out;
use crate::cli::pay::borne;
use crate::cli::setup::Desk;
use crate::cli::till::{Till, sender};

/// Shows what a payee would get now, and what it would cost.
pub(crate) async fn show(dir: &Path, payee: &str, out: &mut Out) -> Result<Verdict, Error> {
    let mut desk = Desk::look(dir).await?;
    let asset = desk.project.opened.asset.clone();
    let rail = Till::quoting(&desk.project)?;
    let sender = Arc::new(sender(&desk.project, Clock::system())?);
    let mut book = desk.book()?;
    let cost = book.cost_of_paying(payee, vec![rail], sender, clock::now()).await?;
    say_cost(&cost, &asset, out);
    let (fee, code) = (asset.text(cost.fee), asset.code());
    out.say(&format!("they ask for it by --accept-fee {fee}, or more of {code}"));
    out.value(&cost_value(&cost, &asset));
    Ok(Verdict::Done)
}

/// Records that a payee asks to be paid now, at a cost of at most so much; what it costs is said
/// first.
pub(crate) async fn ask(
    desk: &mut Desk,
    till: &Till,
    (payee, accepted): (&str, &str),
    out: &mut Out,
) -> Result<Value, Error> {
    let asset = desk.project.opened.asset.clone();
    let (fee_max, payee, now) = (asset.amount(accepted)?, Name::new(payee)?, clock::now());
    let sender = Arc::new(sender(&desk.project, Clock::system())?);
    let mut book = desk.book()?;
    let cost = book.cost_of_paying(payee.as_str(), till.rails(), sender, now).await?;
    say_cost(&cost, &asset, out);
    book.demand(&payee, fee_max, now).await?;
    let is_due = |line: &Line| line.payee == payee;
    if cost.fee > fee_max && desk.divvy.due(desk.project.book.as_str(), now)?.iter().any(is_due) {
        let (fee, code) = (asset.text(cost.fee), asset.code());
        out.say(&format!(
            "look: {payee} is due by their policy, so they are paid with everybody else, whatever \
             they accept: the rail asks {fee} {code} for a line"
        ));
    }
    let book = desk.book()?;
    let mut value = cost_value(&cost, &asset);
    if let Some(demand) = book.fold()?.demand_of(payee.as_str(), now)
        && let Value::Object(fields) = &mut value
    {
        let (most, code, until) = (asset.text(demand.fee_max), asset.code(), demand.until);
        out.say(&format!("{payee} asks for it at a cost of {most} {code} at most, until {until}"));
        fields.insert("accepted".to_owned(), most.into());
        fields.insert("until".to_owned(), until.to_string().into());
    }
    Ok(value)
}

fn say_cost(cost: &Cost, asset: &Asset, out: &mut Out) {
    let Cost { rail, line, fee, .. } = cost;
    let (amount, fee, code) = (asset.text(line.amount), asset.text(*fee), asset.code());
    let bears = if line.fee.is_some() { borne(line, asset) } else { ", who bears nothing".into() };
    out.say(&format!(
        "{amount} {code} would arrive for {} at {} over {rail}, at a cost of {fee}{bears}",
        line.payee, line.to
    ));
}

fn cost_value(cost: &Cost, asset: &Asset) -> Value {
    let Cost { rail, line, fee, .. } = cost;
    json!({
        "payee": line.payee, "amount": asset.text(line.amount), "to": line.to, "rail": rail,
        "asset": asset.to_string(), "fee": asset.text(*fee),
        "bears": line.fee.map(|fee| asset.text(fee)),
    })
}

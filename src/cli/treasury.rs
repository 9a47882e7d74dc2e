//! `divvy treasury`: how long the money lasts, and closing a week.

use std::path::PathBuf;

use clap::Args;
use divvy::clock;
use divvy::core::{
    Alert, Amount, Asset, Book, Day, Difference, Error, Health, Runway, TreasuryStatus,
    TreasuryTerms, WeekClosed,
};
use serde_json::{Value, json};

use crate::cli::Verdict;
use crate::cli::out::Out;
use crate::cli::setup::Desk;
use crate::cli::signer::Signer;
use crate::cli::words::{counted, one_or};

/// Show how long the money lasts, or close a week.
#[derive(Args, Debug)]
pub(crate) struct Treasury {
    /// The folder with `divvy.toml`.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Close the week of this day: its figures stand from then on. 2026-W47, or any day in it.
    #[arg(long, value_name = "WEEK")]
    close: Option<String>,
    #[command(flatten)]
    signer: Signer,
}

impl Treasury {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        match &self.close {
            Some(week) => self.close(&Day::parse(week)?, out).await,
            None => self.status(out).await,
        }
    }

    async fn status(&self, out: &mut Out) -> Result<Verdict, Error> {
        let mut desk = Desk::look(&self.dir).await?;
        let (now, terms) = (clock::now(), desk.project.treasury.clone());
        let asset = desk.project.opened.asset.clone();
        desk.quote(now, out).await?;
        let due = desk.divvy.due(desk.project.book.as_str(), now)?;
        let due = Amount::total(due.iter().map(|line| line.amount))?;
        let status = desk.book()?.fold()?.treasury_status(&terms, due, now)?;
        let book = desk.book()?;
        let costs = costs(book.fold()?, &asset, out)?;
        say(&status, &terms, &asset, costs, out);
        Ok(if status.health == Health::Healthy { Verdict::Done } else { Verdict::Look })
    }

    async fn close(&self, day: &Day, out: &mut Out) -> Result<Verdict, Error> {
        let mut desk = Desk::open(&self.dir).await?;
        let owner = desk.project.treasury.owner.clone();
        let asset = desk.project.opened.asset.clone();
        let key = self.signer.key()?;
        let judge = self.signer.judge(&desk, key.as_ref(), "the week is over")?;
        let mut book = desk.book_by(judge)?;
        let closing = book.close_week(*day, owner.as_ref(), clock::now()).await?;
        let closings = book.fold()?.treasury().closings();
        let before = closings.iter().rev().find(|other| other.from < closing.from).cloned();
        say_closing(&closing, before.as_ref(), &asset, out)?;
        desk.close().await.map(|()| Verdict::Done)
    }
}

/// What paying has cost: fees by wallet and asset, what payees bore of them, and what rates made.
fn costs(fold: &Book, asset: &Asset, out: &mut Out) -> Result<Value, Error> {
    let mut charged: Vec<Value> = Vec::new();
    for (wallet, fee) in fold.charged()? {
        let (text, code) = (fee.asset.text(fee.amount), fee.asset.code());
        out.say(&format!("{:>18}  {text} {code} from {wallet}", "fees charged"));
        let asset = fee.asset.to_string();
        charged.push(json!({"wallet": wallet, "asset": asset, "amount": text}));
    }
    let totals = fold.totals();
    let (borne, rates) = (asset.text(totals.fees_borne), signed(totals.rate_difference(), asset));
    out.say(&format!("{:>18}  {borne} {} by payees", "fees borne", asset.code()));
    out.say(&format!("{:>18}  {rates} {}", "rate difference", asset.code()));
    Ok(json!({"fees_charged": charged, "fees_borne": borne, "rate_difference": rates}))
}

/// What an alert means, with the level that it is about.
fn told(alert: Alert, status: &TreasuryStatus, terms: &TreasuryTerms, asset: &Asset) -> String {
    let text = |amount| format!("{} {}", asset.text(amount), asset.code());
    match alert {
        Alert::Exhausted => "nothing can be spent: put money in".to_owned(),
        Alert::BalanceLow => {
            format!("the balance is below {}: put money in", text(terms.low_balance))
        }
        Alert::RunwayShort => {
            format!("it lasts for less than {}: put money in", counted(terms.low_days, "day"))
        }
        Alert::ShortOn(day) => format!("if it goes on like this, it is short on {day}"),
        Alert::SettlementOverdue => {
            let overdue = text(status.overdue);
            format!("{overdue} should have arrived by now: ask who owes it")
        }
        Alert::SuccessLow => "too many payouts fail".to_owned(),
        _ => alert.to_string(),
    }
}

fn say(status: &TreasuryStatus, terms: &TreasuryTerms, asset: &Asset, costs: Value, out: &mut Out) {
    let rows = [
        ("balance", signed(status.balance, asset)),
        ("fronted", asset.text(status.fronted)),
        ("earned", asset.text(status.earned)),
        ("in transit", asset.text(status.in_transit)),
        ("overdue", asset.text(status.overdue)),
        ("to replenish", asset.text(status.to_replenish)),
        ("reserve", asset.text(status.reserve)),
        ("credit headroom", asset.text(status.credit_headroom)),
        ("due", asset.text(status.due)),
        ("liquidity", signed(status.liquidity, asset)),
        ("burn per day", signed(status.burn_per_day, asset)),
    ];
    let mut value = json!({
        "asset": asset.to_string(), "runway": status.runway, "projection": {
            "first_short_day": status.projection.first_short_day,
            "lowest": status.projection.lowest, "lowest_day": status.projection.lowest_day,
            "closing": status.projection.closing,
        },
        "lines_settled": status.lines_settled, "lines_tried": status.lines_tried,
        "alerts": status.alerts, "health": status.health,
    });
    if let (Value::Object(fields), Value::Object(costs)) = (&mut value, costs) {
        fields.extend(costs);
    }
    for (what, text) in rows {
        out.say(&format!("{what:>18}  {text} {}", asset.code()));
        if let Value::Object(fields) = &mut value {
            fields.insert(what.replace(' ', "_"), text.into());
        }
    }
    let runway = match status.runway {
        Runway::Exhausted => "nothing can be spent".to_owned(),
        Runway::Days(days) => format!("it lasts {}", counted(days, "day")),
        Runway::Unbounded => "as much comes in as goes out".to_owned(),
        Runway::NoHistory | _ => "nobody can tell yet how long it lasts".to_owned(),
    };
    let (settled, tried) = (status.lines_settled, status.lines_tried);
    let lines = one_or(tried, "payout line", "payout lines");
    out.say(&format!("{runway}; {settled} of {tried} {lines} succeeded"));
    for alert in &status.alerts {
        out.say(&format!("look: {}", told(*alert, status, terms, asset)));
    }
    out.value(&value);
}

fn say_closing(
    closing: &WeekClosed,
    before: Option<&WeekClosed>,
    asset: &Asset,
    out: &mut Out,
) -> Result<(), Error> {
    let earlier = before.map(|before| before.figures).unwrap_or_default();
    let own = closing.figures.beyond(&earlier)?;
    let net = Difference::new(own.net_to_replenish())?;
    let rows = [
        ("recorded", asset.text(own.recorded)),
        ("paid out", asset.text(own.paid)),
        ("came back", asset.text(own.returned)),
        ("arrived", asset.text(own.arrived)),
        ("earned", asset.text(own.earned()?)),
        ("fees paid", asset.text(own.fees_paid)),
        ("net to replenish", signed(net, asset)),
    ];
    let (from, until) = (Day::of(closing.from), Day::of(closing.until));
    out.say(&format!("the week from {from} until before {until} is closed"));
    let mut value = json!({"asset": asset.to_string(), "from": from, "until": until});
    for (what, text) in rows {
        out.say(&format!("{what:>18}  {text} {}", asset.code()));
        if let Value::Object(fields) = &mut value {
            fields.insert(what.replace(' ', "_"), text.into());
        }
    }
    out.value(&value);
    Ok(())
}

pub(crate) fn signed(difference: Difference, asset: &Asset) -> String {
    let sign = if difference.is_negative() { "-" } else { "" };
    format!("{sign}{}", asset.text(difference.magnitude()))
}

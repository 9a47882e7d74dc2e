//! A journal for hledger.

use std::fmt::Write as _;

use divvy_core::{Amount, Asset};

use crate::export::accounts::Chart;
use crate::export::{Account, Exported, Ledger, day};

pub(super) fn journal(ledger: &Ledger, chart: &Chart) -> Exported {
    let mut text = String::new();
    write(&mut text, ledger, chart);
    Exported { name: format!("{}.journal", ledger.book), text }
}

fn write(text: &mut String, ledger: &Ledger, chart: &Chart) {
    let (unit, after) = (&chart.commodity, ledger.day_after());
    declare(text, &ledger.asset, unit);
    for (coin, symbol) in chart.coins() {
        if let Some(asset) = ledger.coins.get(coin) {
            declare(text, asset, symbol);
        }
    }
    line(text, "");
    for (account, name) in chart.all() {
        line(text, &format!("account {name}"));
        if let Account::Payee(payee) = account {
            line(text, &format!("; {name} is {}", plain(payee.as_str())));
        }
    }
    for entry in &ledger.entries {
        line(text, &format!("\n{} * Divvy {}", day(entry.at), plain(&entry.text)));
        for (account, amount) in &entry.postings {
            let (amount, unit) = (ledger.text(account, *amount), chart.unit(account));
            line(text, &format!("    {}  {amount} \"{unit}\"", chart.name(account)));
        }
    }
    line(text, &format!("\n{after} * Divvy asserts"));
    for (account, amount) in &ledger.balances {
        let (name, amount) = (chart.name(account), ledger.text(account, *amount));
        let (nothing, unit) = (ledger.text(account, 0), chart.unit(account));
        line(text, &format!("    {name}  {nothing} \"{unit}\" = {amount} \"{unit}\""));
    }
}

/// How amounts of an asset are written.
fn declare(text: &mut String, asset: &Asset, unit: &str) {
    let nothing = asset.text(Amount::ZERO);
    // A format needs a point, even where nothing stands behind it.
    let point = if nothing.contains('.') { "" } else { "." };
    line(text, &format!("commodity {nothing}{point} \"{unit}\""));
}

fn line(text: &mut String, line: &str) {
    // A string takes whatever is written to it.
    let _ = writeln!(text, "{line}");
}

/// Text without the signs that begin a comment, a note or another line.
fn plain(text: &str) -> String {
    let telling = |letter: char| letter.is_control() || matches!(letter, ';' | '|');
    text.chars().map(|letter| if telling(letter) { ' ' } else { letter }).collect()
}

//! A journal for beancount.

use std::fmt::Write as _;

use crate::export::accounts::Chart;
use crate::export::{Account, Exported, Ledger, day};

pub(super) fn journal(ledger: &Ledger, chart: &Chart) -> Exported {
    let mut text = String::new();
    write(&mut text, ledger, chart);
    Exported { name: format!("{}.beancount", ledger.book), text }
}

fn write(text: &mut String, ledger: &Ledger, chart: &Chart) {
    let (unit, after) = (&chart.commodity, ledger.day_after());
    line(text, &format!("option \"title\" {}", quoted(ledger.book.as_str())));
    line(text, &format!("option \"operating_currency\" \"{unit}\"\n"));
    for (account, name) in chart.all() {
        line(text, &format!("1970-01-01 open {name} {}", chart.unit(account)));
        if let Account::Payee(payee) = account {
            line(text, &format!("  payee: {}", quoted(payee.as_str())));
        }
    }
    for entry in &ledger.entries {
        line(text, &format!("\n{} * {}", day(entry.at), quoted(&entry.text)));
        for (account, amount) in &entry.postings {
            let (amount, unit) = (ledger.text(account, *amount), chart.unit(account));
            line(text, &format!("  {}  {amount} {unit}", chart.name(account)));
        }
    }
    line(text, "");
    // No tolerance: a unit too many or too few is told.
    for (account, amount) in &ledger.balances {
        let (amount, unit) = (ledger.text(account, *amount), chart.unit(account));
        line(text, &format!("{after} balance {}  {amount} ~ 0 {unit}", chart.name(account)));
    }
}

fn line(text: &mut String, line: &str) {
    // A string takes whatever is written to it.
    let _ = writeln!(text, "{line}");
}

/// Text in quotes, on one line.
fn quoted(text: &str) -> String {
    let escape = |letter: char| match letter {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        letter if letter.is_control() => " ".to_owned(),
        letter => letter.to_string(),
    };
    format!("\"{}\"", text.chars().map(escape).collect::<String>())
}

//! A journal for hledger.

use std::fmt::Write as _;

use divvy_core::Amount;

use crate::export::accounts::Chart;
use crate::export::{Account, Exported, Ledger, day};

pub(super) fn journal(ledger: &Ledger, chart: &Chart) -> Exported {
    let mut text = String::new();
    write(&mut text, ledger, chart);
    Exported { name: format!("{}.journal", ledger.book), text }
}

fn write(text: &mut String, ledger: &Ledger, chart: &Chart) {
    let (unit, after) = (&chart.commodity, ledger.day_after());
    let nothing = ledger.asset.text(Amount::ZERO);
    // A format needs a point, even where nothing stands behind it.
    let point = if nothing.contains('.') { "" } else { "." };
    line(text, &format!("commodity {nothing}{point} \"{unit}\"\n"));
    for (account, name) in chart.all() {
        line(text, &format!("account {name}"));
        if let Account::Payee(payee) = account {
            line(text, &format!("; {name} is {}", plain(payee.as_str())));
        }
    }
    for entry in &ledger.entries {
        line(text, &format!("\n{} * Divvy {}", day(entry.at), plain(&entry.text)));
        for (account, amount) in &entry.postings {
            let amount = ledger.text(*amount);
            line(text, &format!("    {}  {amount} \"{unit}\"", chart.name(account)));
        }
    }
    line(text, &format!("\n{after} * Divvy asserts"));
    for (account, amount) in &ledger.balances {
        let (name, amount) = (chart.name(account), ledger.text(*amount));
        line(text, &format!("    {name}  {nothing} \"{unit}\" = {amount} \"{unit}\""));
    }
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

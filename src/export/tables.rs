//! Tables for people.

use crate::export::accounts::Chart;
use crate::export::{Exported, Ledger, day};

pub(super) fn tables(ledger: &Ledger, chart: &Chart) -> Vec<Exported> {
    let mut entries = Table::new(&["date", "what", "account", "amount", "asset"]);
    for entry in &ledger.entries {
        for (account, amount) in &entry.postings {
            let (date, amount) = (day(entry.at), ledger.text(account, *amount));
            let (what, name) = (safe(&entry.text), chart.name(account));
            entries.add(&[&date, &what, name, &amount, chart.unit(account)]);
        }
    }
    let columns = ["payee", "earned", "payable", "reserved", "paid", "owed_back", "asset"];
    let mut balances = Table::new(&columns);
    for (payee, balance) in &ledger.payees {
        let text = |amount| ledger.asset.text(amount);
        balances.add(&[
            &safe(payee.as_str()),
            &text(balance.earned),
            &text(balance.payable),
            &text(balance.reserved),
            &text(balance.paid),
            &text(balance.owed_back),
            &chart.commodity,
        ]);
    }
    vec![entries.end("entries.csv"), balances.end("balances.csv")]
}

struct Table(csv::Writer<Vec<u8>>);

impl Table {
    fn new(columns: &[&str]) -> Self {
        let mut table = Self(csv::Writer::from_writer(Vec::new()));
        table.add(columns);
        table
    }

    fn add(&mut self, row: &[&str]) {
        // Memory takes whatever is written to it, and all rows of a table are as long.
        let _ = self.0.write_record(row);
    }

    fn end(self, name: &str) -> Exported {
        let bytes = self.0.into_inner().unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Exported { name: name.to_owned(), text }
    }
}

/// Text that no spreadsheet takes for a formula
/// (<https://owasp.org/www-community/attacks/CSV_Injection>).
fn safe(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if formula { format!("'{text}") } else { text.to_owned() }
}

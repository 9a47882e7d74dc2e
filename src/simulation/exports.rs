//! What is handed on of a history: journals, tables and the report, read as anybody reads them, and
//! held against plain integers.

use std::collections::BTreeMap;

use divvy_core::{Amount, Error, Name, Time, TreasuryTerms};

use crate::simulation::bills::Bills;
use crate::simulation::expected::Expected;
use crate::simulation::planted::Planted;
use crate::simulation::promise::Promise;
use crate::simulation::scene::{Scene, Shared};
use crate::{Divvy, Exported, Format, Names};

/// Exports a book in every form, makes its report, and reads them.
pub(super) async fn export(
    divvy: &mut Divvy,
    scene: &Shared,
    book: &Name,
    now: Time,
) -> Result<String, Error> {
    for (n, format) in (0_u64..).zip([Format::Beancount, Format::Hledger, Format::Csv]) {
        let told = divvy.export(book.as_str(), format).await;
        scene.with(|scene| {
            let said = told.and_then(|mut files| {
                if scene.knobs.seed.checked_rem(3) == Some(n) {
                    files.iter_mut().for_each(|file| scene.spoils(&mut file.text));
                }
                scene.reads(book, &files)
            });
            scene.hands_on(said, &format!("{book} as {format:?}"), "exports read");
        });
    }
    for names in [Names::Shown, Names::Hidden] {
        let terms = TreasuryTerms::new(Amount::ZERO);
        let told = divvy.report(book.as_str(), names, &terms, now).await;
        scene.with(|scene| {
            let said = told.and_then(|report| scene.looks_over(book, &report.html()));
            scene.hands_on(said, &format!("the report of {book}"), "reports read");
        });
    }
    Ok("exported".to_owned())
}

/// What somebody reads in a journal or a table.
#[derive(Debug, Default)]
struct Read {
    /// What each account holds by its postings, and what it is to hold.
    holds: BTreeMap<String, i128>,
    asserted: BTreeMap<String, i128>,
    /// What the entry under way adds up to, by asset.
    sums: BTreeMap<String, i128>,
    uneven: Option<String>,
    /// What payees earned and were paid, where a table says so.
    payees: BTreeMap<String, (i128, i128)>,
}

impl Read {
    fn of(files: &[Exported]) -> Self {
        let mut read = Self::default();
        for Exported { name, text } in files {
            let mut entry = "";
            for line in text.lines() {
                match name.as_str() {
                    "entries.csv" => entry = read.row(line, entry),
                    "balances.csv" => read.balance(line),
                    _ => read.line(line),
                }
            }
            read.ends();
        }
        read
    }

    /// A line of a journal: what begins an entry begins with a date.
    fn line(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [_, "balance", account, amount, ..] | [account, _, _, "=", amount, _] => {
                self.asserted.extend(minor(amount).map(|amount| ((*account).to_owned(), amount)));
            }
            [account, amount, unit] if line.starts_with("  ") => self.post(account, amount, unit),
            _ if !line.starts_with(' ') => self.ends(),
            _ => {}
        }
    }

    /// A posting in a table; those of one entry have one date and one text.
    fn row<'a>(&mut self, row: &'a str, before: &str) -> &'a str {
        let mut cells = row.rsplitn(4, ',');
        let (Some(unit), Some(amount), Some(account), Some(entry)) =
            (cells.next(), cells.next(), cells.next(), cells.next())
        else {
            return "";
        };
        if entry != before {
            self.ends();
        }
        self.post(account, amount, unit);
        entry
    }

    fn balance(&mut self, row: &str) {
        if let [payee, earned, _, _, paid, ..] = row.split(',').collect::<Vec<_>>().as_slice() {
            let both = minor(earned).zip(minor(paid));
            self.payees.extend(both.map(|both| ((*payee).to_owned(), both)));
        }
    }

    fn post(&mut self, account: &str, amount: &str, unit: &str) {
        let Some(amount) = minor(amount) else { return };
        let both = [(&mut self.holds, account), (&mut self.sums, unit)];
        for (sums, name) in both {
            let sum = sums.entry(name.to_owned()).or_default();
            *sum = sum.saturating_add(amount);
        }
    }

    /// An entry is over, and adds up to nothing in each asset.
    fn ends(&mut self) {
        let sums = std::mem::take(&mut self.sums);
        if sums.values().any(|sum| *sum != 0) {
            self.uneven = Some(format!("an entry adds up to {sums:?}"));
        }
    }

    fn held(&self, account: &str) -> i128 {
        self.holds.get(account).copied().unwrap_or(0)
    }
}

/// An amount in minor units: all decimals are written.
fn minor(text: &str) -> Option<i128> {
    let digits = text.replace('.', "");
    digits.parse().ok()
}

impl Scene {
    fn hands_on(&mut self, said: Result<Option<String>, Error>, what: &str, counted: &'static str) {
        self.trace.count(counted);
        // Where nothing goes wrong any more, nothing keeps anybody from it.
        let said = said.unwrap_or_else(|error| Some(format!("{error:?}")));
        if let Some(said) = said {
            self.breaks(Promise::HandedOn, format!("{what}: {said}"));
        }
    }

    /// Reads an export: each entry is even, each account holds what it is to hold, and what plain
    /// integers say.
    fn reads(&self, book: &Name, files: &[Exported]) -> Result<Option<String>, Error> {
        let (read, bills) = (Read::of(files), self.bills()?);
        if read.asserted.is_empty() && read.payees.is_empty() {
            return Ok(Some("it says nothing of how it ends".to_owned()));
        }
        if let Some(uneven) = read.uneven {
            return Ok(Some(uneven));
        }
        let differs = read.asserted.iter().find(|(account, is)| read.held(account) != **is);
        if let Some((account, is)) = differs {
            return Ok(Some(format!(
                "{account} is to hold {is}, and holds {}",
                read.held(account)
            )));
        }
        let own = self.expected.iter().find(|expected| expected.book() == book);
        Ok(own.and_then(|own| self.closes(&read, own, &bills)))
    }

    /// What accounts hold at the end, by plain integers.
    fn closes(&self, read: &Read, own: &Expected, bills: &Bills) -> Option<String> {
        let book = titled(own.book().as_str());
        for payee in &self.town.payees {
            let bounds = own.bounds(payee);
            let paid = signed(bills.paid(own.book(), payee).saturating_add(own.passed(payee)));
            let account = format!("Liabilities:{book}:Payees:{}", titled(payee.as_str()));
            let holds = read.held(&account);
            let earned = paid.saturating_sub(holds);
            if earned < signed(bounds.least) || earned > signed(bounds.most) {
                return Some(format!("{account} holds {holds}, with {paid} of {bounds:?} paid"));
            }
            let told = read.payees.get(payee.as_str());
            if told.is_some_and(|told| *told != (earned, paid)) {
                return Some(format!("{payee} has {told:?}, and not {earned} and {paid} of it"));
            }
        }
        let sums = bills.of(own.book());
        let came = signed(own.recorded).saturating_sub(signed(own.gone_back()));
        let (fees, rates) = (format!("Expenses:{book}:Fees"), format!("Income:{book}:Rates"));
        let accounts = [
            (format!("Assets:{book}"), came.saturating_sub(signed(sums.out()))),
            (format!("Expenses:{book}:Fees:SOL"), signed(sums.coins)),
            (fees, signed(sums.charged).saturating_sub(signed(sums.borne))),
            (rates, signed(sums.lost).saturating_sub(signed(sums.gained))),
        ];
        let differs = accounts.iter().find(|(account, is)| read.held(account) != *is);
        differs.map(|(account, is)| format!("{account} holds {}, not {is}", read.held(account)))
    }

    /// The report says how much came in, and how much went out.
    fn looks_over(&self, book: &Name, page: &str) -> Result<Option<String>, Error> {
        let own = self.expected.iter().find(|expected| expected.book() == book);
        let recorded = own.map_or(0, |own| own.recorded);
        let out = self.bills()?.paid_all(book);
        let told = [("came", recorded), ("paid", out)].map(|(class, amount)| {
            format!("<strong class=\"{class}\">{} USD</strong>", dollars(amount))
        });
        let mut missing = told.iter().filter(|_| recorded > 0);
        let missing = missing.find(|told| !page.contains(told.as_str()));
        Ok(missing.map(|told| format!("it does not say {told}")))
    }

    /// Planted mistakes: a posting is left out, or two payees have each other's names.
    fn spoils(&self, text: &mut String) {
        match self.knobs.planted {
            Some(Planted::DropsPosting) => {
                let posts = |line: &&str| {
                    line.contains(":Payees:") && (line.starts_with("  ") || line.contains(','))
                };
                let Some(line) = text.lines().find(posts) else { return };
                *text = text.replacen(&format!("{line}\n"), "", 1);
            }
            Some(Planted::MixesNames) => {
                *text = text.replace(":P0", ":P?").replace(":P1", ":P0").replace(":P?", ":P1");
            }
            _ => {}
        }
    }
}

/// As accounts are called.
fn titled(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

/// As people read an amount: 1,234.50.
fn dollars(cents: u128) -> String {
    let (whole, part) = (cents.div_euclid(100), cents.rem_euclid(100));
    let mut groups = vec![format!("{:03}", whole.rem_euclid(1_000))];
    let mut left = whole.div_euclid(1_000);
    while left > 0 {
        groups.push(format!("{:03}", left.rem_euclid(1_000)));
        left = left.div_euclid(1_000);
    }
    groups.reverse();
    let whole = groups.join(",");
    let whole = whole.trim_start_matches('0');
    format!("{}.{part:02}", if whole.is_empty() { "0" } else { whole })
}

fn signed(amount: u128) -> i128 {
    i128::try_from(amount).unwrap_or(i128::MAX)
}

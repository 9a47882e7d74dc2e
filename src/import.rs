//! Reading files, as CSV or as JSON lines: a bad line is told by its number, the rest goes on.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

mod balances;
mod conversions;
mod desk;
mod referrals;
mod refunds;
mod rows;

use divvy_core::danger::{Vouched, vouched, vouched_at};
use divvy_core::{Asset, Code, Error, Evidence, Hash, Name, Payment, Time, Units};

use crate::project::PaymentsFile;
use rows::{Row, read_rows};

pub use balances::{BalanceRow, read_balances};
pub use desk::{read_funds, read_statement};
pub use referrals::read_referrals;
pub use refunds::{Ended, RefundRow, named_payment, read_refunds};

/// What a file held, and what was wrong with it.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "plain data")]
pub struct Import<T> {
    /// What could be read, in order.
    pub rows: Vec<T>,
    /// What could not, line by line.
    pub bad: Vec<BadLine>,
    /// SHA-256 over the file as it is.
    pub hash: Hash,
}

/// A line that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data")]
pub struct BadLine {
    /// Its number in the file, from 1.
    pub line: u64,
    /// What is wrong with it, and what to do.
    pub problem: String,
}

/// One holder of a cap table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data")]
pub struct HolderRow {
    /// Who.
    pub holder: Name,
    /// How many units.
    pub units: Units,
    /// Where to pay, if the file says so.
    pub destination: Option<String>,
}

/// Reads `holder,units` and an optional `destination`, as CSV or as JSON lines, plain or compressed
/// with gzip.
///
/// ```
/// use divvy::read_holders;
///
/// let file = "holder,units\r\nann,700\r\nbob,-3\r\n\"c, d\",300\r\nann,1\r\n";
/// let import = read_holders(file.as_bytes())?;
/// assert_eq!(import.rows.len(), 2);
/// assert_eq!(import.bad.iter().map(|bad| bad.line).collect::<Vec<_>>(), [3, 5]);
/// # Ok::<(), divvy::core::Error>(())
/// ```
///
/// # Errors
/// [`Code::FileUnusable`] when the file cannot be read, [`Code::InputMalformed`] when it lacks a
/// column.
pub fn read_holders(bytes: &[u8]) -> Result<Import<HolderRow>, Error> {
    let mut seen: HashSet<Name> = HashSet::new();
    read_rows(bytes, &["holder", "units"], |row| {
        let holder = Name::new(&row.field("holder")?)?;
        if seen.contains(&holder) {
            let detail = format!("{holder} is listed before: add the units up on one line");
            return Err(Error::new(Code::InputMalformed, detail));
        }
        let units = Units::parse(&row.field("units")?)?;
        seen.insert(holder.clone());
        let destination = row.optional("destination")?.map(Cow::into_owned);
        Ok(HolderRow { holder, units, destination })
    })
}

/// Reads `id,paid_at,amount` and an optional `payer`, as CSV or as JSON lines, plain or compressed
/// with gzip.
///
/// Each payment's evidence is the file's hash and the line.
///
/// A payment that came in as another asset says so by `original_amount`, `original_asset` and
/// `rate`: what one whole unit of that asset was worth in the book's, in decimals. The amount is
/// what that rate makes of it, rounded down, and stays so whatever the rate does later; a line
/// whose three figures do not agree is a bad one. `rate_source` says who quoted it.
///
/// # Errors
/// [`Code::FileUnusable`] when the file cannot be read, [`Code::InputMalformed`] when it lacks a
/// column.
pub fn read_payments(
    bytes: &[u8],
    settings: &PaymentsFile,
    book: &Asset,
) -> Result<Import<Payment>, Error> {
    let hash = Hash::of(bytes);
    let name = file_name(&settings.file);
    read_rows(bytes, &["id", "paid_at", "amount"], |row| {
        let (source, account) = (settings.source.clone(), settings.account.clone());
        let text = row.field("amount")?;
        let amount = settings.asset.amount(&text)?;
        if amount.is_zero() {
            let detail = "the amount is zero: there is nothing to divide";
            return Err(Error::new(Code::PaymentMalformed, detail));
        }
        let said = Vouched {
            source,
            account,
            id: Name::new(&row.field("id")?)?,
            amount,
            asset: settings.asset.clone(),
            payer: row.optional("payer")?.map(Cow::into_owned),
            event_at: Time::parse(&row.field("paid_at")?)?,
            evidence: row.evidence(&name, hash, format!("{text} {}", settings.asset.code())),
        };
        match conversions::converted(row, &said, book, &name)? {
            Some(converted) => vouched_at(said, converted),
            None => vouched(said, book),
        }
    })
}

/// Reads a whole file.
///
/// # Errors
/// [`Code::FileUnusable`] with the path and the reason.
pub fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(|error| {
        let detail = format!("cannot read {}: {error}", path.display());
        Error::new(Code::FileUnusable, detail)
    })?;
    Ok(bytes)
}

/// What a file is called, for evidence: without the folders, which are of one machine.
fn file_name(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| "import".to_owned())
}

impl Row<'_> {
    /// A line of a file as evidence, with the hash of the whole file.
    fn evidence(&self, file: &str, hash: Hash, said: String) -> Evidence {
        Evidence { source: format!("{file}:{}", self.line), hash, said }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_line_has_its_own_number_whatever_ends_the_lines() {
        for end in ["\n", "\r\n", "\r"] {
            let file = ["holder,units", "ann,-1", "bob,7", "cid", ""].join(end);
            let import = read_holders(file.as_bytes()).unwrap();
            let bad: Vec<u64> = import.bad.iter().map(|bad| bad.line).collect();
            assert_eq!(bad, [2, 4], "{end:?}");
        }
    }
}

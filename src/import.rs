//! Reading holders and payments from CSV: a bad line is told by its number, the rest goes on.

mod desk;

pub use desk::{read_funds, read_statement};

use std::collections::HashSet;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use divvy_core::danger::{Vouched, vouched};
use divvy_core::{Asset, Code, Error, Evidence, Hash, Name, Payment, Time, Units};
use flate2::read::MultiGzDecoder;

use crate::project::PaymentsFile;

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

/// Reads `holder,units` and an optional `destination`, plain or compressed with gzip.
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
        let holder = Name::new(row.field("holder")?)?;
        if seen.contains(&holder) {
            let detail = format!("{holder} is listed before: add the units up on one line");
            return Err(Error::new(Code::InputMalformed, detail));
        }
        let units = Units::parse(row.field("units")?)?;
        seen.insert(holder.clone());
        let destination = row.optional("destination").map(str::to_owned);
        Ok(HolderRow { holder, units, destination })
    })
}

/// Reads `id,paid_at,amount` and an optional `payer`, plain or compressed with gzip.
///
/// Each payment's evidence is the file's hash and the line.
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
    let name = settings.file.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_else(|| "payments".to_owned());
    read_rows(bytes, &["id", "paid_at", "amount"], |row| {
        let (source, account) = (settings.source.clone(), settings.account.clone());
        let text = row.field("amount")?;
        let amount = settings.asset.amount(text)?;
        if amount.is_zero() {
            let detail = "the amount is zero: there is nothing to divide";
            return Err(Error::new(Code::PaymentMalformed, detail));
        }
        let said = Vouched {
            source,
            account,
            id: Name::new(row.field("id")?)?,
            amount,
            asset: settings.asset.clone(),
            payer: row.optional("payer").map(str::to_owned),
            event_at: Time::parse(row.field("paid_at")?)?,
            evidence: Evidence {
                source: format!("{name}:{}", row.line),
                hash,
                said: format!("{text} {}", settings.asset.code()),
            },
        };
        vouched(said, book)
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

struct Row<'a> {
    header: &'a csv::StringRecord,
    record: &'a csv::StringRecord,
    line: u64,
}

impl Row<'_> {
    fn optional(&self, column: &str) -> Option<&str> {
        let at = self.header.iter().position(|name| name == column)?;
        self.record.get(at).filter(|text| !text.is_empty())
    }

    fn field(&self, column: &str) -> Result<&str, Error> {
        self.optional(column).ok_or_else(|| {
            Error::new(Code::InputMalformed, format!("{column} is empty: fill it in"))
        })
    }
}

fn read_rows<T>(
    bytes: &[u8],
    columns: &[&str],
    mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
) -> Result<Import<T>, Error> {
    let plain = plain(bytes)?;
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(plain.as_slice());
    let header = reader.headers().map_err(|error| unreadable(&error))?.clone();
    for column in columns {
        if !header.iter().any(|name| name == *column) {
            let detail = format!("no column {column:?}: the first line must name {columns:?}");
            return Err(Error::new(Code::InputMalformed, detail));
        }
    }
    let mut import = Import { rows: Vec::new(), bad: Vec::new(), hash: Hash::of(bytes) };
    let mut lines = Lines { plain: &plain, at: 0, line: 1 };
    let mut record = csv::StringRecord::new();
    loop {
        let start = reader.position().byte();
        let line = lines.line_of(start);
        let row = match reader.read_record(&mut record) {
            Ok(false) => return Ok(import),
            Ok(true) => read(&Row { header: &header, record: &record, line }),
            Err(error) if error.is_io_error() => return Err(unreadable(&error)),
            Err(error) => Err(Error::new(Code::InputMalformed, error.to_string())),
        };
        match row {
            Ok(row) => import.rows.push(row),
            Err(error) => import.bad.push(BadLine { line, problem: error.to_string() }),
        }
    }
}

/// Counts lines up to a byte, going forward only.
struct Lines<'a> {
    plain: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the first record at or after a byte; line ends before it are passed over.
    fn line_of(&mut self, byte: u64) -> u64 {
        let from = usize::try_from(byte).unwrap_or(usize::MAX).max(self.at);
        let rest = self.plain.get(from..).unwrap_or_default();
        let ends = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let until = from.saturating_add(ends).min(self.plain.len());
        let passed = self.plain.get(self.at..until).unwrap_or_default();
        // A lone carriage return ends a line too, as the reader of records has it.
        let next = passed.iter().skip(1).map(Some).chain([None]);
        let ends = |(byte, next): &(&u8, Option<&u8>)| match byte {
            b'\n' => true,
            b'\r' => *next != Some(&b'\n'),
            _ => false,
        };
        let count = passed.iter().zip(next).filter(ends).count();
        self.line = self.line.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        self.at = until;
        self.line
    }
}

/// The text of a file: uncompressed, without a byte order mark.
fn plain(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut plain = Vec::new();
    if bytes.starts_with(GZIP) {
        MultiGzDecoder::new(bytes).read_to_end(&mut plain).map_err(|error| {
            Error::new(Code::FileUnusable, format!("the file cannot be unpacked: {error}"))
        })?;
    } else {
        plain.extend_from_slice(bytes);
    }
    if plain.starts_with(MARK) {
        plain.drain(..MARK.len());
    }
    Ok(plain)
}

/// How gzip begins.
const GZIP: &[u8] = &[0x1f, 0x8b];

/// The UTF-8 byte order mark.
const MARK: &[u8] = &[0xef, 0xbb, 0xbf];

fn unreadable(error: &csv::Error) -> Error {
    Error::new(Code::FileUnusable, format!("the file cannot be read: {error}"))
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

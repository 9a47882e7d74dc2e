//! What payees bring along from before, from a host's own tables.

use std::collections::HashSet;
use std::path::Path;

use divvy_core::{Amount, Asset, Brought, Code, Error, Hash, Name};

use crate::import::rows::read_rows;
use crate::import::{Import, file_name};

/// What one payee brings along, and the line that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data")]
pub struct BalanceRow {
    /// Its number in the file, from 1.
    pub line: u64,
    /// Who.
    pub payee: Name,
    /// Everything earned before, and what of it was paid.
    pub brought: Brought,
}

/// Reads `payee,earned` and an optional `paid`, as CSV or as JSON lines, plain or compressed with
/// gzip. Amounts are in the book's asset; `paid` is nothing where it is absent.
///
/// ```
/// use divvy::core::Asset;
/// use divvy::read_balances;
///
/// let file = "payee,earned,paid\nann,120.00,100.00\nbob,7.5,\nann,1,\n";
/// let import = read_balances(file.as_bytes(), "old.csv".as_ref(), &Asset::parse("USD")?)?;
/// assert_eq!(import.rows.len(), 2);
/// assert_eq!(import.bad[0].line, 4);
/// # Ok::<(), divvy::core::Error>(())
/// ```
///
/// # Errors
/// [`Code::FileUnusable`] when the file cannot be read, [`Code::InputMalformed`] when it lacks a
/// column.
pub fn read_balances(
    bytes: &[u8],
    file: &Path,
    asset: &Asset,
) -> Result<Import<BalanceRow>, Error> {
    let (name, hash) = (file_name(file), Hash::of(bytes));
    let mut seen: HashSet<Name> = HashSet::new();
    read_rows(bytes, &["payee", "earned"], |row| {
        let payee = Name::new(&row.field("payee")?)?;
        let earned = asset.amount(&row.field("earned")?)?;
        let paid = row.optional("paid")?;
        let paid = paid.map_or(Ok(Amount::ZERO), |text| asset.amount(&text))?;
        if !seen.insert(payee.clone()) {
            let detail = format!("{payee} is listed before: add the sums up on one line");
            return Err(Error::new(Code::InputMalformed, detail));
        }
        let said = format!("earned {}, paid {}", asset.text(earned), asset.text(paid));
        let evidence = row.evidence(&name, hash, said);
        Ok(BalanceRow { line: row.line, payee, brought: Brought { earned, paid, evidence } })
    })
}

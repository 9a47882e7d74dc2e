//! Refunds, disputes and failures from a file.

use std::path::Path;

use divvy_core::danger::{VouchedReversal, vouched_reversal};
use divvy_core::{Cause, Code, Error, Hash, Name, Reversal, Stream, Time};

use crate::import::rows::{Row, read_rows};
use crate::import::{Import, file_name};
use crate::project::PaymentsFile;

/// One refund, dispute or failure, and the line that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data")]
pub struct RefundRow {
    /// Its number in the file, from 1.
    pub line: u64,
    /// What goes back.
    pub reversal: Reversal,
    /// How it ended, where it has: a dispute that was won or lost, a refund that failed.
    pub ended: Option<Ended>,
}

/// How a refund or a dispute ended, and when.
///
/// ```
/// use divvy::Ended;
/// use divvy::core::Time;
///
/// let ended = Ended { at: Time::ZERO, stays_away: false };
/// assert!(!ended.stays_away, "the dispute was won: the money came again");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data")]
pub struct Ended {
    /// When.
    pub at: Time,
    /// Whether the money stays away; otherwise it came again.
    pub stays_away: bool,
}

/// Reads `id,payment,refunded_at,amount`, an optional `cause` (refund, dispute or failure), and how
/// it ended where it has (`outcome`, won or lost, and `ended_at`), as CSV or as JSON lines, plain
/// or compressed with gzip. Amounts are in the asset that was paid.
///
/// ```
/// use divvy::core::Asset;
/// use divvy::{PaymentsFile, read_refunds};
///
/// let payments = PaymentsFile::plain(Asset::parse("USD")?)?;
/// let file = r#"{"id":"a","payment":"sale-01","refunded_at":"2026-03-02T00:00:00Z","amount":"5"}
/// {"id":"b","payment":"sale-02","refunded_at":"2026-03-02T00:00:00Z","amount":0.1}"#;
/// let import = read_refunds(file.as_bytes(), "refunds.jsonl".as_ref(), &payments)?;
/// assert_eq!(import.rows[0].reversal.payment().as_str(), "payment/import/main/sale-01");
/// assert_eq!(import.bad[0].line, 2);
/// # Ok::<(), divvy::core::Error>(())
/// ```
///
/// # Errors
/// [`Code::FileUnusable`] when the file cannot be read, [`Code::InputMalformed`] when it lacks a
/// column.
pub fn read_refunds(
    bytes: &[u8],
    file: &Path,
    payments: &PaymentsFile,
) -> Result<Import<RefundRow>, Error> {
    let (name, hash) = (file_name(file), Hash::of(bytes));
    read_rows(bytes, &["id", "payment", "refunded_at", "amount"], |row| {
        let text = row.field("amount")?;
        let said = VouchedReversal {
            payment: named_payment(&row.field("payment")?, payments)?,
            id: row.field("id")?.into_owned(),
            cause: cause(row.optional("cause")?.as_deref())?,
            amount: payments.asset.amount(&text)?,
            event_at: Time::parse(&row.field("refunded_at")?)?,
            evidence: row.evidence(&name, hash, format!("{text} {}", payments.asset.code())),
        };
        let ended = ended(row)?;
        Ok(RefundRow { line: row.line, reversal: vouched_reversal(said), ended })
    })
}

fn ended(row: &Row<'_>) -> Result<Option<Ended>, Error> {
    let stays_away = match row.optional("outcome")?.as_deref() {
        None => return Ok(None),
        Some("won") => false,
        Some("lost") => true,
        Some(other) => {
            let detail = format!("{other:?} is no outcome: write won or lost");
            return Err(Error::new(Code::InputMalformed, detail));
        }
    };
    Ok(Some(Ended { at: Time::parse(&row.field("ended_at")?)?, stays_away }))
}

/// The payment that a person means: its whole name, or only its id where payments come from a file.
///
/// # Errors
/// [`Code::NameMalformed`] and [`Code::InputMalformed`] for what can be no payment's name.
pub fn named_payment(text: &str, payments: &PaymentsFile) -> Result<Stream, Error> {
    if text.starts_with("payment/") {
        return Stream::parse(text);
    }
    Ok(Stream::payment(&payments.source, &payments.account, &Name::new(text)?))
}

fn cause(text: Option<&str>) -> Result<Cause, Error> {
    match text {
        None | Some("refund") => Ok(Cause::Refund),
        Some("dispute") => Ok(Cause::Dispute),
        Some("failure") => Ok(Cause::Failure),
        Some(other) => {
            let detail = format!("{other:?} is no cause: write refund, dispute or failure");
            Err(Error::new(Code::InputMalformed, detail))
        }
    }
}

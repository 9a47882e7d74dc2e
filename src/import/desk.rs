//! Reading what treasuries note, and a rail's statement, from CSV.

use std::borrow::Cow;

use divvy_core::{
    Asset, Code, Day, Direction, Entry, Error, Evidence, Firmness, Funds, Hash, Purpose, Time,
};

use crate::import::Import;
use crate::import::rows::{Row, read_rows};

/// Reads `id,purpose,amount,at`, and `expected_on` for settlements that are on their way.
///
/// A purpose is `replenished`, `withdrawn`, `fee_earned`, `fee_paid`, `expected`, `arrived`,
/// `missed`, `drawn`, `repaid`, `credit_limit` or `reserve`. The name of the file and the line
/// become the evidence.
///
/// ```
/// use divvy::read_funds;
/// use divvy::core::{Asset, Purpose};
///
/// let file = "id,purpose,amount,at
///     seed,replenished,5000.00,2026-11-16T09:00:00Z
///     x,gift,1,now
/// ";
/// let import = read_funds(file.as_bytes(), "funds.csv", &Asset::parse("USD")?)?;
/// assert_eq!((import.rows[0].purpose, import.bad[0].line), (Purpose::Replenished, 3));
/// # Ok::<(), divvy::core::Error>(())
/// ```
///
/// # Errors
/// [`Code::FileUnusable`] when the file cannot be read, [`Code::InputMalformed`] when it lacks a
/// column.
pub fn read_funds(bytes: &[u8], name: &str, asset: &Asset) -> Result<Import<Funds>, Error> {
    let hash = Hash::of(bytes);
    read_rows(bytes, &["id", "purpose", "amount", "at"], |row| {
        let text = row.field("amount")?;
        let said = format!("{text} {}", asset.code());
        Ok(Funds {
            id: row.field("id")?.into_owned(),
            purpose: purpose(row)?,
            amount: asset.amount(&text)?,
            event_at: Time::parse(&row.field("at")?)?,
            evidence: Evidence { source: format!("{name}:{}", row.line), hash, said },
        })
    })
}

/// A moment, or the beginning of a day: settlements are expected on a day.
fn day_or_time(text: &str) -> Result<Time, Error> {
    Time::parse(text).or_else(|error| {
        let day = (text.len() == DAY_LEN).then(|| Day::parse(text));
        day.and_then(Result::ok).map(Day::start).ok_or(error)
    })
}

/// As in 2026-11-16.
const DAY_LEN: usize = 10;

fn purpose(row: &Row<'_>) -> Result<Purpose, Error> {
    Ok(match &*row.field("purpose")? {
        "replenished" => Purpose::Replenished,
        "withdrawn" => Purpose::Withdrawn,
        "fee_earned" => Purpose::FeeEarned,
        "fee_paid" => Purpose::FeePaid,
        "expected" => Purpose::Expected(day_or_time(&row.field("expected_on")?)?),
        "arrived" => Purpose::Arrived,
        "missed" => Purpose::Missed,
        "drawn" => Purpose::Drawn,
        "repaid" => Purpose::Repaid,
        "credit_limit" => Purpose::CreditLimit,
        "reserve" => Purpose::Reserve,
        other => {
            let detail = format!(
                "{other:?} is no purpose: write replenished, withdrawn, expected, arrived, missed, \
                 fee_earned, fee_paid, drawn, repaid, credit_limit or reserve"
            );
            return Err(Error::new(Code::InputMalformed, detail));
        }
    })
}

/// Reads a statement as `reference,amount,at`, and where it has them `direction` (`out` unless it
/// says `in`), `asset`, `fee`, `party`, `state` (`final` unless it says `pending`) and `kind`
/// (`payment`, or `fee` for a fee that is a line of its own, named after the payment that it is
/// for). An empty reference is allowed, and a difference of its own.
///
/// ```
/// use divvy::read_statement;
/// use divvy::core::{Asset, Direction};
///
/// let file = "reference,amount,at,direction
///     try-1,11.11,2026-11-16T09:00:00Z,
///     pi_1,5,2026-11-16T09:00:00Z,in
/// ";
/// let import = read_statement(file.as_bytes(), &Asset::parse("USD")?)?;
/// assert_eq!(import.rows[0].direction, Direction::Out);
/// assert_eq!(import.rows[1].amount.get(), 500);
/// # Ok::<(), divvy::core::Error>(())
/// ```
///
/// # Errors
/// [`Code::FileUnusable`] when the file cannot be read, [`Code::InputMalformed`] when it lacks a
/// column.
pub fn read_statement(bytes: &[u8], asset: &Asset) -> Result<Import<Entry>, Error> {
    read_rows(bytes, &["reference", "amount", "at"], |row| {
        let asset = match row.optional("asset")? {
            Some(text) => Asset::parse(&text)?,
            None => asset.clone(),
        };
        let one_of = |column: &str, usual: &str, other: &str| match row.optional(column)? {
            None => Ok(false),
            Some(text) if text == usual => Ok(false),
            Some(text) if text == other => Ok(true),
            Some(text) => {
                let detail = format!("{column} is {text:?}: write {usual} or {other}");
                Err(Error::new(Code::InputMalformed, detail))
            }
        };
        let mut reference = row.optional("reference")?.unwrap_or_default().into_owned();
        if one_of("kind", "payment", "fee")? && !reference.is_empty() {
            reference.push_str("#fee");
        }
        Ok(Entry {
            reference,
            direction: if one_of("direction", "out", "in")? {
                Direction::In
            } else {
                Direction::Out
            },
            amount: asset.amount(&row.field("amount")?)?,
            fee: row.optional("fee")?.map(|text| asset.amount(&text)).transpose()?,
            party: row.optional("party")?.map(Cow::into_owned),
            at: Time::parse(&row.field("at")?)?,
            firmness: match one_of("state", "final", "pending")? {
                true => Firmness::Open,
                false => Firmness::Final,
            },
            asset,
        })
    })
}

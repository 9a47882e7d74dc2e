//! Quotes in a file that somebody else keeps up to date.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use divvy_core::{Asset, Code, Error, FeeQuote, Name, Rate, Time};
use serde::Deserialize;

use crate::quote::{FixedQuotes, Quotes};

/// Quotes in a TOML file that a job of the host's writes, read anew whenever it has changed.
///
/// Whatever in it cannot be right refuses the whole file, and a quote older than the given age is
/// refused: money waits then until the file is newer.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use divvy::core::{Asset, Code, Name, Time};
/// use divvy::{FileQuotes, Quotes};
///
/// let file = std::env::temp_dir().join(format!("divvy-quotes-{}.toml", std::process::id()));
/// std::fs::write(&file, r#"
///     [[rate]]
///     from = "BSV@8"
///     to = "USD"
///     price = "42.50"
///     at = "2026-03-01T12:00:00Z"
///     source = "an exchange"
///
///     [[fee]]
///     rail = "sandbox"
///     asset = "BSV@8"
///     per_line = "0.00000500"
///     at = "2026-03-01T12:00:00Z"
///     source = "a node"
/// "#).unwrap();
/// let (quotes, now) = (FileQuotes::new(&file, 3_600), Time::parse("2026-03-01T12:30:00Z")?);
/// assert_eq!(quotes.fee(&Name::new("sandbox")?, now).await?.fee.get(), 500);
/// let late = quotes.fee(&Name::new("sandbox")?, now.plus_secs(3_600)).await.unwrap_err();
/// assert_eq!(late.code(), Code::QuoteOld);
/// # std::fs::remove_file(&file).unwrap();
/// # Ok::<(), divvy::core::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct FileQuotes {
    file: PathBuf,
    age_secs_max: u64,
    known: Mutex<Known>,
}

/// What the file said when it was read last.
#[derive(Debug, Default)]
struct Known {
    text: String,
    said: FixedQuotes,
}

impl FileQuotes {
    /// Quotes of a file, none of which is to be older than so many seconds. The file is read when
    /// somebody asks, and may be written later.
    ///
    /// A job that writes it should write another one and rename that, so that nobody reads half.
    #[must_use]
    pub fn new(file: &Path, age_secs_max: u64) -> Self {
        Self { file: file.to_path_buf(), age_secs_max, known: Mutex::default() }
    }

    /// What the file says now.
    fn said(&self) -> Result<FixedQuotes, Error> {
        let text = fs::read_to_string(&self.file).map_err(|error| {
            let detail = format!("cannot read the quotes in {}: {error}", self.file.display());
            Error::new(Code::FileUnusable, detail)
        })?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // A file is small and its time is coarse: what it says tells whether it has changed.
        if known.text != text {
            let said = read(&text, self.age_secs_max).map_err(|error| {
                Error::new(error.code(), format!("{}: {error}", self.file.display()))
            })?;
            *known = Known { text, said };
        }
        Ok(known.said.clone())
    }

    /// Refuses what was said too long ago, and what is not said yet.
    fn check(&self, what: &str, at: Time, now: Time) -> Result<(), Error> {
        let file = self.file.display();
        if at > now.plus_secs(AHEAD_SECS) {
            let detail = format!("{what} in {file} is of {at}, and it is only {now}: mend `at`");
            return Err(Error::new(Code::InputMalformed, detail));
        }
        if at.plus_secs(self.age_secs_max) >= now {
            return Ok(());
        }
        let detail = format!(
            "{what} in {file} is of {at}, older than {} s: write a newer one, or raise the age \
             that is allowed",
            self.age_secs_max
        );
        Err(Error::new(Code::QuoteOld, detail))
    }
}

#[async_trait]
impl Quotes for FileQuotes {
    async fn rate(&self, from: &Asset, to: &Asset, now: Time) -> Result<Rate, Error> {
        let rate = self.said()?.rate_between(from, to)?;
        self.check(&format!("the rate from {from} to {to}"), rate.at(), now)?;
        Ok(rate)
    }

    async fn fee(&self, rail: &Name, now: Time) -> Result<FeeQuote, Error> {
        let quote = self.said()?.fee_of(rail)?;
        self.check(&format!("what rail {rail} charges"), quote.at, now)?;
        Ok(quote)
    }
}

/// The file, literally.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawQuotes {
    #[serde(default)]
    rate: Vec<RawRate>,
    #[serde(default)]
    fee: Vec<RawFee>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRate {
    from: String,
    to: String,
    price: String,
    at: String,
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFee {
    rail: String,
    asset: String,
    per_line: String,
    at: String,
    source: String,
}

fn read(text: &str, age_secs_max: u64) -> Result<FixedQuotes, Error> {
    let raw: RawQuotes = toml::from_str(text)
        .map_err(|error| Error::new(Code::InputMalformed, error.message().to_owned()))?;
    let mut said = FixedQuotes::default();
    let mut seen = BTreeSet::new();
    for RawRate { from, to, price, at, source } in raw.rate {
        let (from, to) = (Asset::parse(&from)?, Asset::parse(&to)?);
        let mut pair = [from.to_string(), to.to_string()];
        pair.sort();
        if !seen.insert(pair.join(" and ")) {
            return Err(twice(&format!("a rate between {}", pair.join(" and "))));
        }
        said.rates.push(Rate::of_price(from, to, &price, source, Time::parse(&at)?)?);
    }
    for RawFee { rail, asset, per_line, at, source } in raw.fee {
        let (rail, asset, at) = (Name::new(&rail)?, Asset::parse(&asset)?, Time::parse(&at)?);
        if said.fees.iter().any(|fee| fee.rail == rail) {
            return Err(twice(&format!("what rail {rail} charges")));
        }
        let (fee, until) = (asset.amount(&per_line)?, at.plus_secs(age_secs_max));
        said.fees.push(FeeQuote { rail, asset, fee, rate: None, source, at, until });
    }
    Ok(said)
}

fn twice(what: &str) -> Error {
    Error::new(Code::InputMalformed, format!("{what} is there twice: keep one"))
}

/// A quote may be ahead of our clock by so many seconds.
const AHEAD_SECS: u64 = 300;

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        [[fee]]
        rail = "sandbox"
        asset = "USD"
        per_line = "0.15"
        at = "2026-03-01T12:00:00Z"
        source = "a tariff"
    "#;

    #[test]
    fn whatever_cannot_be_right_refuses_the_whole_file() {
        let rate = |from: &str, to: &str, price: &str| {
            let head = format!("[[rate]]\nfrom = \"{from}\"\nto = \"{to}\"\nprice = \"{price}\"\n");
            head + "at = \"2026-03-01T12:00:00Z\"\nsource = \"x\"\n"
        };
        assert_eq!(read(GOOD, 60).unwrap().fees.len(), 1);
        let bad = [
            format!("{GOOD}{GOOD}"),
            GOOD.replace("0.15", "0.155"),
            GOOD.replace("0.15", "-1"),
            GOOD.replace("USD", "ZZZ"),
            GOOD.replace("12:00:00Z", ""),
            GOOD.replace("source", "sauce"),
            GOOD.replace("fee", "fees"),
            format!("{}{}", rate("USD", "EUR", "0.9"), rate("EUR", "USD", "1.1")),
            rate("USD", "USD", "1"),
            rate("USD", "EUR", "0"),
            rate("USD", "EUR", "1e3"),
        ];
        for text in bad {
            assert!(read(&text, 60).is_err(), "{text}");
        }
    }

    #[test]
    fn it_is_read_anew_when_it_changes_and_refused_when_it_is_old() {
        let name = format!("divvy-quotes-anew-{}.toml", std::process::id());
        let file = std::env::temp_dir().join(name);
        let quotes = FileQuotes::new(&file, 60);
        let (rail, now) = (Name::new("sandbox").unwrap(), "2026-03-01T12:01:00Z");
        let at = |secs| Time::parse(now).unwrap().plus_secs(secs);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let ask = |now| runtime.block_on(quotes.fee(&rail, now));
        assert_eq!(ask(at(0)).unwrap_err().code(), Code::FileUnusable);
        fs::write(&file, GOOD).unwrap();
        assert_eq!(ask(at(0)).unwrap().fee.get(), 15);
        assert_eq!(ask(at(1)).unwrap_err().code(), Code::QuoteOld);
        fs::write(&file, GOOD.replace("0.15", "0.25").replace("12:00", "12:01")).unwrap();
        assert_eq!(ask(at(1)).unwrap().fee.get(), 25);
        // One that is broken is not passed over in favour of what was said before.
        fs::write(&file, "[[fee]]").unwrap();
        assert_eq!(ask(at(1)).unwrap_err().code(), Code::InputMalformed);
        fs::write(&file, GOOD.replace("2026", "2027")).unwrap();
        assert_eq!(ask(at(1)).unwrap_err().code(), Code::InputMalformed);
        fs::remove_file(&file).unwrap();
    }
}

//! Assets and their exact decimal text: the border where money has a currency.

use core::fmt;

use minicbor::decode::Error as DecodeError;
use minicbor::{Decode, Decoder, Encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::amount::Amount;
use crate::error::{Code, Error};

/// What a book counts: a code and the number of decimals of its minor unit.
///
/// Fiat currencies go by their ISO 4217 code alone. Everything else is spelled with its decimals,
/// as `USDC@6`; tokens may use their CAIP-19 identifier as the code.
///
/// ```
/// use divvy_core::{Asset, Code};
///
/// let usd = Asset::parse("USD")?;
/// assert_eq!(usd.amount("12.34")?.get(), 1_234);
/// assert_eq!(usd.text(usd.amount("0.05")?), "0.05");
///
/// // Too many decimals is an error, never a rounding.
/// assert_eq!(usd.amount("0.001").unwrap_err().code(), Code::AmountMalformed);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Encode)]
#[cbor(map)]
pub struct Asset {
    #[n(0)]
    code: String,
    #[n(1)]
    decimals: u8,
}

/// More decimals than a `BIGINT` has digits cannot be used.
const DECIMALS_MAX: u8 = 18;

impl Asset {
    /// Reads `CODE` of ISO 4217 or `CODE@decimals`.
    ///
    /// # Errors
    /// [`Code::AssetUnknown`] for a code that is not in ISO 4217 and does not name its decimals,
    /// for a code with other characters than CAIP-19 allows, and for more than 18 decimals.
    ///
    /// ```
    /// # use divvy_core::Asset;
    /// assert_eq!(Asset::parse("JPY")?.decimals(), 0);
    /// assert_eq!(Asset::parse("USDC@6")?.to_string(), "USDC@6");
    /// assert!(Asset::parse("USDC").is_err());
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, Error> {
        let unknown = || {
            let detail = format!(
                "unknown asset {text:?}: use an ISO 4217 code such as USD, or name the decimals \
                 as in USDC@6 (at most {DECIMALS_MAX})"
            );
            Error::new(Code::AssetUnknown, detail)
        };
        let (code, decimals) = match text.rsplit_once('@') {
            Some((code, digits)) => {
                let decimals = digits.parse::<u8>().map_err(|_| unknown())?;
                // One asset has one spelling: neither USDC@06 nor USDC@+6.
                let plain = decimals.to_string() == digits;
                (code, if plain { decimals } else { return Err(unknown()) })
            }
            None => (text, fiat_decimals(text).ok_or_else(unknown)?),
        };
        let fits = (1..=120).contains(&code.len()) && code.bytes().all(is_code_byte);
        let fiat_agrees = fiat_decimals(code).is_none_or(|fiat| fiat == decimals);
        if fits && fiat_agrees && decimals <= DECIMALS_MAX {
            Ok(Self { code: code.to_owned(), decimals })
        } else {
            Err(unknown())
        }
    }

    /// The code alone.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Digits after the point.
    #[must_use]
    pub const fn decimals(&self) -> u8 {
        self.decimals
    }

    /// Reads exact decimal text, such as `12.34`, into minor units.
    ///
    /// # Errors
    /// [`Code::AmountMalformed`] for signs, exponents, separators, missing digits and more
    /// decimals than the asset has; [`Code::AmountAboveCeiling`] beyond `i64::MAX` minor units.
    pub fn amount(&self, text: &str) -> Result<Amount, Error> {
        let malformed = |remedy: &str| {
            let shown: String = text.chars().take(60).collect();
            Error::new(Code::AmountMalformed, format!("{shown:?} is no amount of {self}: {remedy}"))
        };
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        if text.starts_with('-') {
            return Err(malformed("an amount is never negative; record a refund instead"));
        }
        let digits = |run: &str| !run.is_empty() && run.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(part) {
            return Err(malformed("write digits with at most one point, as in 12.34"));
        }
        let part = part.trim_end_matches('0');
        let Some(zeros) = usize::from(self.decimals).checked_sub(part.len()) else {
            return Err(malformed(&format!("use at most {} decimals", self.decimals)));
        };
        let minor = format!("{whole}{part}{}", "0".repeat(zeros));
        minor.trim_start_matches('0').parse::<u128>().map_or_else(
            |_| {
                let all_zero = minor.bytes().all(|byte| byte == b'0');
                if all_zero { Ok(Amount::ZERO) } else { Amount::from_wide(u128::MAX) }
            },
            Amount::from_wide,
        )
    }

    /// Writes an amount with all its decimals, so that `amount` reads it back.
    #[must_use]
    pub fn text(&self, amount: Amount) -> String {
        let places = usize::from(self.decimals);
        let width = places.saturating_add(1);
        let digits = format!("{:0width$}", amount.get());
        let (whole, part) = digits.split_at(digits.len().saturating_sub(places));
        if places == 0 { digits } else { format!("{whole}.{part}") }
    }
}

impl fmt::Display for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if fiat_decimals(&self.code).is_some() {
            f.write_str(&self.code)
        } else {
            write!(f, "{}@{}", self.code, self.decimals)
        }
    }
}

impl fmt::Debug for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Asset({self})")
    }
}

/// What was written, before it is believed.
#[derive(Decode)]
#[cbor(map)]
struct Form {
    #[n(0)]
    code: String,
    #[n(1)]
    decimals: u8,
}

impl<C> Decode<'_, C> for Asset {
    fn decode(d: &mut Decoder<'_>, context: &mut C) -> Result<Self, DecodeError> {
        let Form { code, decimals } = Form::decode(d, context)?;
        Self::parse(&format!("{code}@{decimals}")).map_err(DecodeError::message)
    }
}

impl Serialize for Asset {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Asset {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <String as Deserialize>::deserialize(from)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// CAIP-19 uses letters, digits and `-_.:/%`.
const fn is_code_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'/' | b'%')
}

/// The minor unit's decimals of an ISO 4217 currency in circulation.
fn fiat_decimals(code: &str) -> Option<u8> {
    let listed = |list: &str| list.split_ascii_whitespace().any(|entry| entry == code);
    if code.len() != 3 {
        None
    } else if listed(FIAT_NO_DECIMALS) {
        Some(0)
    } else if listed(FIAT_THREE_DECIMALS) {
        Some(3)
    } else if listed(FIAT_TWO_DECIMALS) {
        Some(2)
    } else {
        None
    }
}

/// ISO 4217, minor unit 0.
const FIAT_NO_DECIMALS: &str =
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";

/// ISO 4217, minor unit 3.
const FIAT_THREE_DECIMALS: &str = "BHD IQD JOD KWD LYD OMR TND";

/// ISO 4217, minor unit 2.
const FIAT_TWO_DECIMALS: &str = "\
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF \
    CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD \
    HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA \
    MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN \
    QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP \
    TRY TTD TWD TZS UAH USD UYU UZS VES VED WST XCD XCG YER ZAR ZMW ZWG";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn every_amount_has_text_that_reads_back(
            minor in 0..=Amount::MAX.get(), decimals in 0..19_u8,
        ) {
            let asset = Asset::parse(&format!("TOKEN@{decimals}")).unwrap();
            let amount = Amount::new(minor).unwrap();
            let text = asset.text(amount);
            prop_assert_eq!(asset.amount(&text), Ok(amount), "{}", text);
            let longer = if decimals == 0 { format!("{text}.0") } else { format!("{text}0") };
            prop_assert_eq!(asset.amount(&longer), Ok(amount), "{}", longer);
            let finer = if decimals == 0 { format!("{text}.1") } else { format!("{text}1") };
            prop_assert_eq!(asset.amount(&finer).unwrap_err().code(), Code::AmountMalformed);
        }

        #[test]
        fn no_text_makes_a_reader_panic_or_round(
            text in "\\PC{0,24}|[0-9.+e-]{0,24}", decimals in 0..19_u8,
        ) {
            let asset = Asset::parse(&format!("TOKEN@{decimals}")).unwrap();
            if let Ok(amount) = asset.amount(&text) {
                let same = |text: &str| {
                    text.trim_start_matches('0').trim_end_matches(['0', '.']).to_owned()
                };
                let point = if text.contains('.') { "" } else { "." };
                prop_assert!(text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
                let (shown, read) = (asset.text(amount), format!("{text}{point}"));
                let shown = if decimals == 0 { format!("{shown}.") } else { shown };
                prop_assert_eq!(same(&shown), same(&read));
            }
        }
    }

    #[test]
    fn decimal_text_is_exact_both_ways() {
        let table = [
            // asset     text                      minor units
            ("USD", "0", Some(0)),
            ("USD", "000.00", Some(0)),
            ("USD", "12.3", Some(1_230)),
            ("USD", "12.340", Some(1_234)),
            ("USD", "92233720368547758.07", Some(9_223_372_036_854_775_807)),
            ("USD", "92233720368547758.08", None),
            ("USD", "340282366920938463463374607431768211456", None),
            ("USD", "0.001", None),
            ("USD", "-1", None),
            ("USD", "+1", None),
            ("USD", "1,000", None),
            ("USD", "1e3", None),
            ("USD", ".5", None),
            ("USD", "5.", None),
            ("USD", "", None),
            ("USD", "٣", None),
            ("JPY", "7", Some(7)),
            ("JPY", "7.0", Some(7)),
            ("USDC@6", "1.000001", Some(1_000_001)),
            ("WEI@18", "0.000000000000000001", Some(1)),
        ];
        for (asset, text, minor) in table {
            let asset = Asset::parse(asset).unwrap();
            let amount = asset.amount(text);
            assert_eq!(amount.as_ref().ok().map(|amount| amount.get()), minor, "{asset} {text}");
            if let Ok(amount) = amount {
                assert_eq!(asset.amount(&asset.text(amount)).unwrap(), amount, "{asset} {text}");
            }
        }
    }

    #[test]
    fn unknown_assets_are_refused_with_the_remedy() {
        let malformed = ["A B@2", "BTC@19", "@2", "BTC@-1", "BTC@+8", "BTC@08", "BTC@", "B@C@8"];
        for text in ["", "XYZ", "USDC", "USD@6"].into_iter().chain(malformed) {
            let error = Asset::parse(text).unwrap_err();
            assert_eq!(error.code(), Code::AssetUnknown, "{text}");
            assert!(error.to_string().contains("USDC@6"), "{text}");
        }
    }
}

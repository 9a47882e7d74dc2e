//! What people write: read, written and read again it is the same, and written in one way.

use std::fmt::{Debug, Display};

use divvy::core::{Amount, Asset, Error, Hash, Name, Ratio, Rule, Stream, Time, Units};
use divvy::sandbox::Faults;

use crate::targets::first;

/// The first byte says what the rest is to be read as.
pub(crate) fn text(bytes: &[u8]) {
    let (what, bytes) = first(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match what % 11 {
        0 => minor(text, "JPY"),
        1 => minor(text, "USD"),
        2 => minor(text, "eip155:1/erc20:0xa0b8@18"),
        3 => drop(round(text, Asset::parse)),
        4 => drop(round(text, Time::parse)),
        5 => assert_eq!(round(text, Name::new).as_deref().unwrap_or(text), text),
        6 => drop(round(text, Ratio::parse)),
        7 => drop(round(text, Units::parse)),
        8 => assert_eq!(round(text, Stream::parse).as_deref().unwrap_or(text), text),
        9 => drop(round(text, Rule::parse)),
        _ => others(text),
    }
}

fn minor(text: &str, asset: &str) {
    let asset = Asset::parse(asset).expect("an asset");
    let Ok(amount) = asset.amount(text) else { return };
    assert!(amount <= Amount::MAX);
    let written = asset.text(amount);
    assert_eq!(asset.amount(&written), Ok(amount), "{text} becomes {written}");
    assert_eq!(asset.text(asset.amount(&written).expect("read")), written);
    // Never a rounding: the digits are those of the text, but for zeros at either end.
    let digits = |text: &str| {
        let trimmed = if text.contains('.') { text.trim_end_matches('0') } else { text };
        trimmed.trim_end_matches('.').trim_start_matches('0').to_owned()
    };
    assert_eq!(digits(text), digits(&written), "{text} becomes {written}");
}

fn others(text: &str) {
    if let Some(hash) = Hash::parse(text) {
        assert_eq!(Hash::parse(&hash.to_string()), Some(hash));
    }
    if let Ok(faults) = Faults::parse(7, text) {
        let written = faults.to_string();
        let again = Faults::parse(7, &written).expect("read again");
        assert_eq!(again.to_string(), written);
    }
    if let Ok(amount) = serde_json::from_str::<Amount>(text) {
        let json = serde_json::to_string(&amount).expect("JSON");
        assert_eq!(serde_json::from_str::<Amount>(&json).ok(), Some(amount));
    }
}

/// Reads, writes and reads again; what was written, if it could be read at all.
fn round<T>(text: &str, read: fn(&str) -> Result<T, Error>) -> Option<String>
where
    T: Display + Debug + PartialEq,
{
    let value = match read(text) {
        Ok(value) => value,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return None;
        }
    };
    let written = value.to_string();
    let again = read(&written).expect("what was written is read");
    assert_eq!(again, value, "{text:?} becomes {written:?}");
    assert_eq!(again.to_string(), written);
    Some(written)
}

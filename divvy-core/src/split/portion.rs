//! Portions as text: exact fractions that must make up the whole.

use super::malformed;
use super::ratio::{gcd, terms};
use crate::error::{Code, Error};

/// Turns portions (`1/3`, `12.5%`, at most one `remaining`) into whole weights.
///
/// The weights are exact: each is its portion of their least common denominator. Split by them
/// with any rule.
///
/// # Errors
/// [`Code::SplitLeaky`] when the portions are above one, below one without a `remaining`, or
/// have two; [`Code::SplitMalformed`] for text that is no portion, or denominators with no common
/// one in 64 bits; [`Code::SplitEmpty`] for none.
///
/// ```
/// use divvy_core::portion_weights;
///
/// assert_eq!(portion_weights(&["1/3", "25%", "remaining"])?, [4, 3, 5]);
/// // A tenth of a thousandth of a percent too much is too much.
/// assert!(portion_weights(&["50%", "50.0001%"]).is_err());
/// # Ok::<(), divvy_core::Error>(())
/// ```
pub fn portion_weights(portions: &[&str]) -> Result<Vec<u64>, Error> {
    let read = |text: &&str| match *text {
        REMAINING => Ok(None),
        text => terms(text).and_then(|(num, den)| match den {
            0 => Err(malformed(format!("portion {text} divides by zero: write it like 1/3"))),
            _ => Ok(Some((num, den))),
        }),
    };
    weights(&portions.iter().map(read).collect::<Result<Vec<_>, _>>()?)
}

/// Whole weights for portions, `None` being what remains.
pub(super) fn weights(portions: &[Option<(u128, u128)>]) -> Result<Vec<u64>, Error> {
    if portions.is_empty() {
        return Err(Error::new(Code::SplitEmpty, "no portions: name at least one"));
    }
    let lowest = |(num, den): &(u128, u128)| {
        let common = gcd(*num, *den);
        (num.checked_div(common).unwrap_or(*num), den.checked_div(common).unwrap_or(*den))
    };
    let portions: Vec<_> = portions.iter().map(|portion| portion.as_ref().map(lowest)).collect();
    let whole = portions.iter().flatten().try_fold(1, |whole, (_, den)| lcm(whole, *den));
    let whole = whole.ok_or_else(unlike)?;
    let weight = |(num, den): &(u128, u128)| {
        let scaled = u128::from(whole).checked_div(*den).and_then(|times| num.checked_mul(times));
        scaled.ok_or_else(far_above)
    };
    let mut used = 0_u128;
    for portion in portions.iter().flatten() {
        used = used.checked_add(weight(portion)?).ok_or_else(far_above)?;
    }
    let whole = u128::from(whole);
    let left = whole.checked_sub(used).ok_or_else(|| above(used.abs_diff(whole), whole))?;
    match portions.iter().filter(|portion| portion.is_none()).count() {
        0 if left > 0 => Err(leaky(&format!(
            "the portions are below one by {}: add a remaining portion",
            fraction(left, whole)
        ))),
        0 | 1 => {
            let weight = |portion: &Option<_>| portion.as_ref().map_or(Ok(left), weight);
            portions.iter().map(|portion| narrow(weight(portion)?)).collect()
        }
        _ => Err(leaky("two remaining portions: keep one, or say how much each gets")),
    }
}

/// The least common multiple, within 64 bits.
fn lcm(left: u64, right: u128) -> Option<u64> {
    let times = right.checked_div(gcd(left.into(), right))?;
    u64::try_from(u128::from(left).checked_mul(times)?).ok()
}

fn narrow(weight: u128) -> Result<u64, Error> {
    u64::try_from(weight).map_err(|_| unlike())
}

fn above(by: u128, whole: u128) -> Error {
    let by = fraction(by, whole);
    leaky(&format!("the portions are above one by {by}: lower them until they make up the whole"))
}

fn far_above() -> Error {
    leaky("the portions are far above one: lower them until they make up the whole")
}

/// A part of the whole in lowest terms, as it is written in a rule.
fn fraction(part: u128, whole: u128) -> String {
    let common = gcd(part, whole);
    let lowest = |number: u128| number.checked_div(common).unwrap_or(number);
    format!("{}/{}", lowest(part), lowest(whole))
}

fn leaky(detail: &str) -> Error {
    Error::new(Code::SplitLeaky, detail)
}

fn unlike() -> Error {
    malformed("the portions have no common denominator in 64 bits: write fewer digits".to_owned())
}

const REMAINING: &str = "remaining";

#[cfg(test)]
mod tests {
    use super::*;

    type Expected = Result<&'static [u64], Code>;

    #[test]
    fn portions_make_up_the_whole_or_are_refused() {
        use Code::{SplitEmpty, SplitLeaky, SplitMalformed};
        #[rustfmt::skip]
        let table: [(&[&str], Expected); 17] = [
            (&["1/3", "remaining", "1/3"],                          Ok(&[1, 1, 1])),
            (&["remaining"],                                        Ok(&[1])),
            (&["0%", "100%"],                                       Ok(&[0, 1])),
            (&["1/2", "50%", "remaining"],                          Ok(&[1, 1, 0])),
            (&["2.5%", "remaining"],                                Ok(&[1, 39])),
            (&["0/7", "remaining"],                                 Ok(&[0, 1])),
            (&["1/18446744073709551615", "remaining"],              Ok(&[1, u64::MAX - 1])),
            (&["60%", "60%", "remaining"],                          Err(SplitLeaky)),
            (&["50%", "50.0001%"],                                  Err(SplitLeaky)),
            (&["30%", "60%"],                                       Err(SplitLeaky)),
            (&["remaining", "remaining"],                           Err(SplitLeaky)),
            (&["340282366920938463463374607431768211455/1", "1/2"], Err(SplitLeaky)),
            (&["-10%", "remaining"],                                Err(SplitMalformed)),
            (&["1/0", "remaining"],                                 Err(SplitMalformed)),
            (&["half", "remaining"],                                Err(SplitMalformed)),
            (&["1/18446744073709551615", "1/2", "remaining"],       Err(SplitMalformed)),
            (&[],                                                   Err(SplitEmpty)),
        ];
        for (portions, expected) in table {
            let found = portion_weights(portions);
            let found = found.as_deref().map_err(Error::code);
            assert_eq!(found, expected, "{portions:?}");
        }
    }
}

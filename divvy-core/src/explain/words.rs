//! Shares, lengths of time and rates, as people say them.

use crate::asset::Asset;
use crate::split::Share;

/// A share of a rule, whose amounts are in the book's asset.
pub(super) fn share_text(share: &Share, asset: &Asset) -> String {
    match share {
        Share::Remaining => "the rest".to_owned(),
        Share::Portion(ratio) => ratio.to_string(),
        Share::Fixed(amount) => format!("exactly {}", asset.text(*amount)),
        Share::UpTo(amount) => format!("up to {}", asset.text(*amount)),
    }
}

/// A length of time in the largest unit that it is whole of.
pub(super) fn length_text(secs: u64) -> String {
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    let whole = units.into_iter().find(|(unit, _)| secs >= *unit && secs.is_multiple_of(*unit));
    let (unit, word) = whole.unwrap_or((1, "second"));
    super::counted(secs.div_euclid(unit), word)
}

/// What one whole unit of an asset is worth in another, from the ratio of their minor units: as a
/// decimal where it is one, and as a fraction where it is not.
pub(super) fn price_text((num, den): (u64, u64), from: &Asset, to: &Asset) -> String {
    let shift = |value: u64, decimals: u8| {
        let tens = 10_u128.checked_pow(decimals.into())?;
        u128::from(value).checked_mul(tens)
    };
    let as_said = || format!("{num}/{den} in minor units");
    let Some((mut rest, den)) = shift(num, from.decimals()).zip(shift(den, to.decimals())) else {
        return as_said();
    };
    let mut digits = rest.checked_div(den).map_or_else(as_said, |whole| whole.to_string());
    rest = rest.checked_rem(den).unwrap_or(0);
    for place in 0..DECIMALS_MAX {
        if rest == 0 {
            return digits;
        }
        let Some(next) = rest.checked_mul(10) else { return as_said() };
        digits.push_str(if place == 0 { "." } else { "" });
        digits.push_str(&next.checked_div(den).unwrap_or(0).to_string());
        rest = next.checked_rem(den).unwrap_or(0);
    }
    if rest == 0 { digits } else { as_said() }
}

/// A price with more decimals than this is told as the ratio that it is.
const DECIMALS_MAX: u32 = 18;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_decimals_where_they_are_some() {
        let asset = |text: &str| Asset::parse(text).unwrap();
        for (ratio, from, to, said) in [
            ((9_700, 1), "USD", "USDT@6", "0.97"),
            ((11, 10), "EUR", "USD", "1.1"),
            ((3, 200_000), "SOL@9", "USD", "150"),
            ((1, 3), "EUR", "USD", "1/3 in minor units"),
            ((u64::MAX, 1), "SOL@18", "USD", "184467440737095516150000000000000000"),
        ] {
            assert_eq!(price_text(ratio, &asset(from), &asset(to)), said);
        }
    }

    #[test]
    fn lengths_are_told_in_whole_units() {
        for (secs, said) in
            [(1, "1 second"), (90, "90 seconds"), (3_600, "1 hour"), (5_184_000, "60 days")]
        {
            assert_eq!(length_text(secs), said);
        }
    }
}

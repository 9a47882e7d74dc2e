//! What the network takes for its work, and how much of it a transaction may ask for.

/// What it takes for a signature.
pub(crate) const SIGNATURE_LAMPORTS: u64 = 5_000;

pub(crate) const LAMPORTS_PER_SOL: u64 = 1_000_000_000;

/// The most units that a transaction may use.
pub(crate) const UNITS_MAX: u32 = 1_400_000;

/// The most bytes of accounts that one may load.
pub(crate) const LOADED_BYTES_MAX: u32 = 64 * 1_024 * 1_024;

/// What is counted on for a transaction, for each payee, and for each account that is made: the
/// slowest programs that are known, and a bad bump.
pub(crate) const UNITS_BASE: u32 = 1_000;
pub(crate) const UNITS_PAID: u32 = 6_500;
pub(crate) const UNITS_MADE: u32 = 40_000;

/// A token account in the classic program, and one of Token-2022 with what it always adds.
pub(crate) const TOKEN_BYTES: u64 = 165;
pub(crate) const TOKEN_BYTES_2022: u64 = 170;

/// What a price for each unit comes to, in lamports.
pub(crate) fn priority(units: u32, price: u64) -> u64 {
    let wide = u128::from(units).saturating_mul(price.into()).div_ceil(MILLIONTHS.into());
    u64::try_from(wide).unwrap_or(u64::MAX)
}

/// The price of a unit, in millionths of a lamport, at which no more is paid than this.
pub(crate) fn price(lamports: u64, units: u32) -> u64 {
    let wide = u128::from(lamports).saturating_mul(MILLIONTHS.into());
    let price = wide.checked_div(units.into()).unwrap_or(0);
    u64::try_from(price).unwrap_or(u64::MAX)
}

const MILLIONTHS: u32 = 1_000_000;

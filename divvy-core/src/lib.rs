//! Pure money code.

mod amount;
mod error;
mod split;

pub use amount::{Amount, Difference};
pub use error::{Code, Error, Who};
pub use split::{
    AfterFee, Carried, Carry, Leg, Legs, Ratio, Rule, Share, Shares, SignedShares, Target,
    Waterfall, portion_weights, split, split_after_fee, split_capped, split_signed,
};

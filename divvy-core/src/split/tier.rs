//! Tiers: other legs from a moment on, or beyond an amount; and what goes to those who brought
//! the payer.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::leg::Target;
use super::legs::Legs;
use super::portion::weights;
use super::ratio::Ratio;
use super::{Rule, malformed, split};
use crate::amount::Amount;
use crate::error::{Code, Error};
use crate::time::Time;

/// Other legs of a rule, for payments of a moment and later, or for what comes beyond an amount.
///
/// ```
/// use divvy_core::{Amount, Leg, Legs, Share, Target, Tier};
///
/// let all = Leg { to: Target::Payee("band".into()), share: Share::Remaining };
/// // Beyond the first 1,000.00 that the rule divides.
/// let tier = Tier { from: None, over: Some(Amount::new(100_000)?), legs: Legs::new(vec![all])? };
/// assert!(tier.from.is_none());
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[expect(clippy::exhaustive_structs, reason = "a new field is a new version of the fact")]
pub struct Tier {
    /// For payments of this moment and later; absent for those from the rule's own moment on.
    #[n(0)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Time>,
    /// For what comes once the rule has divided so much; absent for what comes from the start.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Amount>,
    /// Who gets what of it.
    #[n(2)]
    pub legs: Legs,
}

impl Tier {
    /// From which moment, and beyond which amount.
    pub(crate) fn starts(&self) -> (Time, Amount) {
        (self.from.unwrap_or(Time::ZERO), self.over.unwrap_or(Amount::ZERO))
    }
}

/// What those get who brought the payer, who brought those, and so on up.
///
/// It comes first; the legs divide what is left. Where nobody is, or somebody has got the most
/// that they may, the part goes to a leg that is named.
///
/// ```
/// use divvy_core::{Amount, Level, Ratio, Target, Upline};
///
/// let level = |text, most| Ok::<_, divvy_core::Error>(Level {
///     portion: Ratio::parse(text)?,
///     most,
/// });
/// let upline = Upline {
///     levels: vec![level("10%", None)?, level("5%", Some(Amount::new(50_000)?))?],
///     rest: Target::Payee("shop".into()),
///     each_most: Some(Amount::new(100_000)?),
///     most: None,
/// };
/// assert_eq!(upline.levels.len(), 2);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[expect(clippy::exhaustive_structs, reason = "a new field is a new version of the fact")]
pub struct Upline {
    /// What whoever brought the payer gets, then whoever brought that one, and so on.
    #[n(0)]
    pub levels: Vec<Level>,
    /// Who gets what nobody is there for: one of the legs, in each tier.
    #[n(1)]
    pub rest: Target,
    /// The most that one person gets as long as the rule holds.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each_most: Option<Amount>,
    /// The most that all of them get together as long as the rule holds.
    #[n(3)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<Amount>,
}

/// One level of an upline.
///
/// ```
/// use divvy_core::{Level, Ratio};
///
/// let level = Level { portion: Ratio::parse("10%")?, most: None };
/// assert_eq!(level.portion.to_string(), "10%");
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[expect(clippy::exhaustive_structs, reason = "a new field is a new version of the fact")]
pub struct Level {
    /// Its portion of each payment.
    #[n(0)]
    pub portion: Ratio,
    /// The most that this level gets as long as the rule holds.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<Amount>,
}

impl Upline {
    /// What each level would get of an amount, and at the end what is left for the legs.
    pub(crate) fn divide(&self, amount: Amount) -> Result<Vec<Amount>, Error> {
        let ratio = |level: &Level| (level.portion.num().into(), level.portion.den().into());
        let portions: Vec<_> = self.levels.iter().map(ratio).map(Some).chain([None]).collect();
        Ok(split(Rule::LargestRemainder, amount, &weights(&portions)?)?.shares)
    }

    /// Refuses what would lack a unit, or give one to nobody.
    pub(crate) fn check<'a>(&self, legs: impl Iterator<Item = &'a Legs>) -> Result<(), Error> {
        if self.levels.is_empty() {
            return Err(malformed("an upline without levels gives nobody anything".to_owned()));
        }
        self.divide(Amount::ZERO)?;
        for (tier, legs) in legs.enumerate() {
            if !legs.legs().iter().any(|leg| leg.to == self.rest) {
                return Err(leaky(format!(
                    "where nobody brought the payer the part goes to {}, who is no leg of tier \
                     {tier}: name one of its legs",
                    self.rest
                )));
            }
        }
        Ok(())
    }
}

/// Refuses tiers that leave an amount or a moment to nobody, or to two.
pub(crate) fn check_tiers(from: Time, tiers: &[Tier]) -> Result<(), Error> {
    let mut before = (Time::ZERO, Amount::ZERO);
    for tier in tiers {
        let starts = tier.starts();
        if starts <= before {
            return Err(malformed(format!(
                "a tier from {} over {} does not follow the one before it: order tiers by moment, \
                 then by amount",
                starts.0, starts.1
            )));
        }
        if let Some(moment) = tier.from.filter(|moment| *moment <= from) {
            return Err(malformed(format!(
                "a tier from {moment} in a rule from {from}: it would hold from the start"
            )));
        }
        if starts.0 > before.0 && !starts.1.is_zero() {
            return Err(leaky(format!(
                "the first {} from {} on would go to nobody: begin with a tier without over",
                starts.1, starts.0
            )));
        }
        before = starts;
    }
    Ok(())
}

fn leaky(detail: String) -> Error {
    Error::new(Code::SplitLeaky, detail)
}

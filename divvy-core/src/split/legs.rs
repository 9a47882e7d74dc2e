//! Legs: a rule over one amount that can neither leave nor lack a unit.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::leg::{Leg, Share};
use super::portion::weights;
use super::{Rule, Shares, malformed, split};
use crate::amount::Amount;
use crate::error::{Code, Error};

/// A list of legs whose parts add up to every amount, checked when it is made.
///
/// Up-to and fixed legs take first, in listed order; portions and what remains divide the rest
/// by largest remainder.
///
/// ```
/// use divvy_core::{Amount, Leg, Legs, Ratio, Share, Target};
///
/// let leg = |name: &str, share| Leg { to: Target::Payee(name.into()), share };
/// let rule = Legs::new(vec![
///     leg("label", Share::Portion(Ratio::parse("30%")?)),
///     leg("studio", Share::UpTo(Amount::new(500)?)),
///     leg("band", Share::Remaining),
/// ])?;
///
/// // The studio takes first, wherever it is listed.
/// let parts = rule.divide(Amount::new(1_501)?)?;
/// assert_eq!(parts.iter().map(|part| part.get()).collect::<Vec<_>>(), [300, 500, 701]);
/// assert_eq!(rule.divide(Amount::new(400)?)?.get(1), Some(&Amount::new(400)?));
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Encode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(try_from = "Form")]
pub struct Legs {
    #[n(0)]
    legs: Vec<Leg>,
    /// The one amount that these legs are for; none for a standing rule.
    #[n(1)]
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<Amount>,
    /// The weights of the portions and of what remains, in their order.
    #[cbor(skip)]
    #[serde(skip)]
    weights: Vec<u64>,
}

impl Legs {
    /// Makes a standing rule: it must hold for every amount, however small or large.
    ///
    /// # Errors
    /// [`Code::SplitLeaky`] for portions above one, below one without a remaining leg, two
    /// remaining legs, neither portions nor a remaining leg, or a fixed leg;
    /// [`Code::SplitMalformed`] for a target that is listed twice or has no name;
    /// [`Code::SplitEmpty`] for no legs.
    ///
    /// ```
    /// use divvy_core::{Amount, Leg, Legs, Share, Target};
    ///
    /// let fixed = Share::Fixed(Amount::new(500)?);
    /// let legs = vec![
    ///     Leg { to: Target::Payee("studio".into()), share: fixed },
    ///     Leg { to: Target::Payee("band".into()), share: Share::Remaining },
    /// ];
    /// // A payment of 499 could not pay it.
    /// assert!(Legs::new(legs).unwrap_err().to_string().contains("use up-to"));
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    pub fn new(legs: Vec<Leg>) -> Result<Self, Error> {
        if let Some(leg) = legs.iter().find(|leg| matches!(leg.share, Share::Fixed(_))) {
            return Err(leaky(format!(
                "{leg} is a fixed leg in a standing rule, and a smaller payment would lack it: \
                 use up-to"
            )));
        }
        let rule = Self::checked(legs, None)?;
        if rule.weights.is_empty() {
            return Err(leaky(
                "up-to legs alone leave what is above their caps: add a remaining leg".to_owned(),
            ));
        }
        Ok(rule)
    }

    /// Makes a rule for one known amount, which may hold fixed legs.
    ///
    /// # Errors
    /// As [`Legs::new`], and [`Code::SplitLeaky`] when the fixed legs lack a unit or all legs
    /// together leave one.
    ///
    /// ```
    /// use divvy_core::{Amount, Leg, Legs, Share, Target};
    ///
    /// let fixed = |name: &str, minor| -> Result<Leg, divvy_core::Error> {
    ///     let share = Share::Fixed(Amount::new(minor)?);
    ///     Ok(Leg { to: Target::Payee(name.into()), share })
    /// };
    /// let amount = Amount::new(100)?;
    /// assert!(Legs::exactly(amount, vec![fixed("ann", 60)?, fixed("bob", 40)?]).is_ok());
    /// assert!(Legs::exactly(amount, vec![fixed("ann", 60)?, fixed("bob", 39)?]).is_err());
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    pub fn exactly(amount: Amount, legs: Vec<Leg>) -> Result<Self, Error> {
        let rule = Self::checked(legs, Some(amount))?;
        rule.divide(amount)?;
        Ok(rule)
    }

    /// Divides an amount: one part per leg, in the legs' order, always summing to the amount.
    ///
    /// # Errors
    /// [`Code::SplitLeaky`] when the legs were made for exactly another amount.
    ///
    /// ```
    /// use divvy_core::{Amount, Leg, Legs, Share, Target};
    ///
    /// let all = Leg { to: Target::Pool("fund".into()), share: Share::Remaining };
    /// let rule = Legs::new(vec![all])?;
    /// assert_eq!(rule.divide(Amount::MAX)?, [Amount::MAX]);
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    pub fn divide(&self, amount: Amount) -> Result<Vec<Amount>, Error> {
        if let Some(known) = self.amount.filter(|known| *known != amount) {
            return Err(leaky(format!(
                "these legs are for exactly {known}, not {amount}: make legs for this amount"
            )));
        }
        let mut rest = amount;
        let mut taken = Vec::with_capacity(self.legs.len());
        for leg in &self.legs {
            let first = first(leg, rest)?;
            rest = rest.less(first.unwrap_or_default());
            taken.push(first);
        }
        let Shares { shares, .. } = match (self.weights.is_empty(), rest.is_zero()) {
            (false, _) => split(Rule::LargestRemainder, rest, &self.weights)?,
            (true, true) => Shares::default(),
            (true, false) => {
                return Err(leaky(format!(
                    "{rest} of {amount} goes to nobody: add a remaining leg"
                )));
            }
        };
        let mut shares = shares.into_iter();
        let part = |first: Option<Amount>| first.or_else(|| shares.next()).unwrap_or_default();
        Ok(taken.into_iter().map(part).collect())
    }

    /// The legs, in listed order.
    ///
    /// ```
    /// use divvy_core::{Leg, Legs, Share, Target};
    ///
    /// let all = Leg { to: Target::Pool("fund".into()), share: Share::Remaining };
    /// assert_eq!(Legs::new(vec![all.clone()])?.legs(), [all]);
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub fn legs(&self) -> &[Leg] {
        &self.legs
    }

    /// The one amount that these legs were made for; none for a standing rule.
    ///
    /// ```
    /// use divvy_core::{Amount, Leg, Legs, Share, Target};
    ///
    /// let all = Leg { to: Target::Pool("fund".into()), share: Share::Remaining };
    /// assert_eq!(Legs::exactly(Amount::ONE, vec![all.clone()])?.amount(), Some(Amount::ONE));
    /// assert_eq!(Legs::new(vec![all])?.amount(), None);
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub const fn amount(&self) -> Option<Amount> {
        self.amount
    }

    /// What every list of legs must keep, whatever the amount.
    fn checked(legs: Vec<Leg>, amount: Option<Amount>) -> Result<Self, Error> {
        if legs.is_empty() {
            return Err(Error::new(Code::SplitEmpty, "no legs: name at least one"));
        }
        let mut seen = BTreeSet::new();
        for leg in &legs {
            if leg.to.name().is_empty() {
                return Err(malformed(format!("{leg:?} pays nobody: give its target a name")));
            }
            if !seen.insert(&leg.to) {
                return Err(malformed(format!("{} is listed twice: add its legs up", leg.to)));
            }
        }
        let portions: Vec<_> = legs.iter().filter_map(portion).collect();
        let weights = if portions.is_empty() { Vec::new() } else { weights(&portions)? };
        Ok(Self { legs, amount, weights })
    }
}

impl<C> Decode<'_, C> for Legs {
    fn decode(
        d: &mut minicbor::Decoder<'_>,
        context: &mut C,
    ) -> Result<Self, minicbor::decode::Error> {
        Self::try_from(Form::decode(d, context)?).map_err(minicbor::decode::Error::message)
    }
}

/// What was written, before it is believed.
#[derive(Decode, Deserialize)]
#[cbor(map)]
struct Form {
    #[n(0)]
    legs: Vec<Leg>,
    #[n(1)]
    amount: Option<Amount>,
}

impl TryFrom<Form> for Legs {
    type Error = Error;

    fn try_from(form: Form) -> Result<Self, Error> {
        match form.amount {
            Some(amount) => Self::exactly(amount, form.legs),
            None => Self::new(form.legs),
        }
    }
}

/// What a leg takes before the portions, or nothing when it is one of those.
fn first(leg: &Leg, rest: Amount) -> Result<Option<Amount>, Error> {
    match leg.share {
        Share::UpTo(cap) => Ok(Some(cap.min(rest))),
        Share::Fixed(fixed) if fixed > rest => Err(leaky(format!(
            "{leg} lacks {}: lower the fixed legs, or use up-to",
            fixed.less(rest)
        ))),
        Share::Fixed(fixed) => Ok(Some(fixed)),
        Share::Portion(_) | Share::Remaining => Ok(None),
    }
}

/// A leg as a portion of the rest, the inner nothing being what remains.
fn portion(leg: &Leg) -> Option<Option<(u128, u128)>> {
    match leg.share {
        Share::Portion(ratio) => Some(Some((ratio.num().into(), ratio.den().into()))),
        Share::Remaining => Some(None),
        Share::Fixed(_) | Share::UpTo(_) => None,
    }
}

fn leaky(detail: String) -> Error {
    Error::new(Code::SplitLeaky, detail)
}

#[cfg(test)]
mod tests;

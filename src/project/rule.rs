//! The rule of a settings file: its legs, its tiers, and what goes to those who brought the payer.

use divvy_core::{
    Asset, Error, Leg, Legs, Level, Ratio, RuleSet, Share, Target, Tier, Time, Upline,
};
use serde::Deserialize;

use super::malformed;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLeg {
    payee: Option<String>,
    pool: Option<String>,
    share: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTier {
    from: Option<String>,
    over: Option<String>,
    rule: Vec<RawLeg>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawUpline {
    levels: Vec<RawLevel>,
    rest: RawTarget,
    each_most: Option<String>,
    most: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLevel {
    share: String,
    most: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTarget {
    payee: Option<String>,
    pool: Option<String>,
}

/// The whole rule, from a moment on; refused when it leaks.
pub(super) fn rule(
    from: Time,
    legs: &[RawLeg],
    tiers: &[RawTier],
    upline: Option<&RawUpline>,
    asset: &Asset,
) -> Result<RuleSet, Error> {
    let tiers = tiers.iter().map(|raw| raw.checked(asset)).collect::<Result<Vec<_>, _>>()?;
    let rule = RuleSet {
        tiers: (!tiers.is_empty()).then_some(tiers),
        upline: upline.map(|raw| raw.checked(asset)).transpose()?,
        ..RuleSet::plain(from, checked(legs, asset)?)
    };
    rule.check()?;
    Ok(rule)
}

impl RawTier {
    fn checked(&self, asset: &Asset) -> Result<Tier, Error> {
        Ok(Tier {
            from: self.from.as_deref().map(Time::parse).transpose()?,
            over: self.over.as_deref().map(|text| asset.amount(text)).transpose()?,
            legs: checked(&self.rule, asset)?,
        })
    }
}

impl RawUpline {
    fn checked(&self, asset: &Asset) -> Result<Upline, Error> {
        let amount =
            |text: &Option<String>| text.as_deref().map(|text| asset.amount(text)).transpose();
        let level = |raw: &RawLevel| {
            Ok(Level { portion: Ratio::parse(&raw.share)?, most: amount(&raw.most)? })
        };
        Ok(Upline {
            levels: self.levels.iter().map(level).collect::<Result<_, Error>>()?,
            rest: target(self.rest.payee.as_ref(), self.rest.pool.as_ref())?,
            each_most: amount(&self.each_most)?,
            most: amount(&self.most)?,
        })
    }
}

fn checked(raw: &[RawLeg], asset: &Asset) -> Result<Legs, Error> {
    let leg = |raw: &RawLeg| {
        let to = target(raw.payee.as_ref(), raw.pool.as_ref())?;
        let share = match raw.share.as_str() {
            "remaining" => Share::Remaining,
            text => match text.strip_prefix("up to ") {
                Some(amount) => Share::UpTo(asset.amount(amount)?),
                None => Share::Portion(Ratio::parse(text)?),
            },
        };
        Ok(Leg { to, share })
    };
    Legs::new(raw.iter().map(leg).collect::<Result<_, Error>>()?)
}

fn target(payee: Option<&String>, pool: Option<&String>) -> Result<Target, Error> {
    match (payee, pool) {
        (Some(payee), None) => Ok(Target::Payee(payee.clone())),
        (None, Some(pool)) => Ok(Target::Pool(pool.clone())),
        (Some(_), Some(_)) | (None, None) => {
            Err(malformed("a leg of the rule goes to one payee or to one pool"))
        }
    }
}

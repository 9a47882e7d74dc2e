//! When and at what cost somebody is to be paid, in words.

use crate::asset::Asset;
use crate::explain::words::{length_text, price_text};
use crate::fact::{Demanded, Stated, TermsSet};
use crate::policy::{FeeShare, Period, Policy};

pub(super) fn policy_sentence(policy: Policy, asset: &Asset) -> String {
    match policy {
        Policy::Instant => "to be paid at once".to_owned(),
        Policy::Periodic { every, min } => {
            let every = match every {
                Period::DAILY => "every day".to_owned(),
                Period::WEEKLY => "every Monday".to_owned(),
                Period::Every { secs, .. } => format!("every {}", length_text(secs)),
                Period::Monthly => "on the first of every month".to_owned(),
            };
            let from = min.map(|min| format!(", from {} on", asset.text(min)));
            format!("to be paid {every}{}", from.unwrap_or_default())
        }
        Policy::Threshold { min, max_wait_secs } => {
            let waited = max_wait_secs
                .map(|secs| format!(", and less once it has waited {}", length_text(secs)));
            format!("to be paid from {} on{}", asset.text(min), waited.unwrap_or_default())
        }
    }
}

pub(super) fn demanded_sentence(demanded: &Demanded, asset: &Asset) -> String {
    let (most, code) = (asset.text(demanded.fee_max), asset.code());
    let until = demanded.until;
    format!("asked to be paid now, at a cost of {most} {code} at most, until {until}")
}

/// Everything that changes, each amount with what it was stated as.
pub(super) fn terms_sentence(set: &TermsSet, asset: &Asset) -> String {
    let stated = |stated: &Option<Stated>| {
        let Some(Stated { amount, rate }) = stated else { return String::new() };
        let (from, source, at) = (rate.from(), rate.source(), rate.at());
        let (amount, code) = (from.text(*amount), from.code());
        let price = price_text((rate.num(), rate.den()), from, asset);
        format!(" ({amount} {code} at {price} by {source} of {at})")
    };
    let policy = set
        .policy
        .map(|policy| format!("{}{}", policy_sentence(policy, asset), stated(&set.policy_stated)));
    let floor = set
        .floor
        .map(|floor| format!("no line below {}{}", asset.text(floor), stated(&set.floor_stated)));
    let share = set.fee_share.map(|share| match share {
        FeeShare::Any => "any fee".to_owned(),
        FeeShare::AtMost { bps, waits_secs } => {
            let waits =
                waits_secs.map(|secs| format!(", unless it has waited {}", length_text(secs)));
            let (whole, part) = (bps.div_euclid(100), bps.rem_euclid(100));
            format!("a fee of at most {whole}.{part:02}%{}", waits.unwrap_or_default())
        }
    });
    let all: Vec<String> = policy.into_iter().chain(floor).chain(share).collect();
    all.join(", ")
}

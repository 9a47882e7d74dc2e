//! Money that something keeps back, for `divvy status`: unclaimed, held, or for the fee.

use std::collections::BTreeMap;

use divvy::core::{Amount, Asset, Error, Obstacle, Time, Wait};
use serde_json::{Value, json};

use crate::cli::out::Out;
use crate::cli::status::obstacle_sentence;
use crate::cli::words::{counted, one_or};

/// So many of those who wait longest are named in sentences; `--json` names more.
const NAMED_MAX: usize = 10;
const LISTED_MAX: usize = 1_000;

/// What is kept back for one kind of reason.
#[derive(Debug, Default)]
struct Group {
    payees: u64,
    amount: Amount,
    oldest_secs: u64,
}

/// Says how much is kept back and why, the longest waiting first, and returns the same as a value.
pub(crate) fn say_waits(
    waits: &[Wait],
    asset: &Asset,
    now: Time,
    out: &mut Out,
) -> Result<Value, Error> {
    let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
    for wait in waits {
        let group = groups.entry(why(&wait.obstacle)).or_default();
        group.payees = group.payees.saturating_add(1);
        group.amount = group.amount.plus(wait.payable)?;
        group.oldest_secs = group.oldest_secs.max(wait.age_secs(now));
    }
    let mut groups: Vec<(&str, Group)> = groups.into_iter().collect();
    groups.sort_by_key(|(_, group)| core::cmp::Reverse(group.oldest_secs));
    for (why, Group { payees, amount, oldest_secs }) in &groups {
        let (amount, code) = (asset.text(*amount), asset.code());
        let oldest = age(*oldest_secs);
        let payees = counted(*payees, "payee");
        out.say(&format!("{amount:>18}  {code} {why}: {payees}, the oldest for {oldest}"));
    }
    for wait in waits.iter().take(NAMED_MAX) {
        let (amount, age) = (asset.text(wait.payable), age(wait.age_secs(now)));
        let why = obstacle_sentence(&wait.obstacle, wait.expected_on, asset);
        out.say(&format!("{amount:>18}  {} waits for {age}; {why}", wait.payee));
    }
    let more = waits.len().saturating_sub(NAMED_MAX);
    if more > 0 {
        let wait = one_or(more, "waits", "wait");
        out.say(&format!("{more:>18}  more {wait}, for less long"));
    }
    let by_reason = groups.iter().map(|(why, group)| {
        json!({
            "why": why, "payees": group.payees, "amount": asset.text(group.amount),
            "oldest_secs": group.oldest_secs,
        })
    });
    let by_payee = waits.iter().take(LISTED_MAX).map(|wait| {
        json!({
            "payee": wait.payee, "amount": asset.text(wait.payable), "since": wait.since,
            "age_secs": wait.age_secs(now),
            "why": obstacle_sentence(&wait.obstacle, wait.expected_on, asset),
        })
    });
    Ok(json!({
        "by_reason": by_reason.collect::<Vec<_>>(), "by_payee": by_payee.collect::<Vec<_>>(),
    }))
}

const fn why(obstacle: &Obstacle) -> &'static str {
    match obstacle {
        Obstacle::Held(_) => "held",
        Obstacle::NoDestination => "unclaimed, without a destination",
        Obstacle::NoQuote(_) | Obstacle::QuoteOld { .. } => {
            "kept back, since nobody quotes the fee"
        }
        Obstacle::FeeAbove { .. } | _ => "kept back by the fee",
    }
}

/// A length of time in its largest whole unit.
pub(crate) fn age(secs: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let unit = units.into_iter().find(|(unit, _)| secs >= *unit).unwrap_or((1, "s"));
    format!("{} {}", secs.div_euclid(unit.0), unit.1)
}

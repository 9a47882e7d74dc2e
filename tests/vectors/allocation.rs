//! Runs the allocation vectors: who gets which share, to the unit.

use divvy_core::{
    Amount, Carry, Code, Difference, Leg, Legs, Ratio, Rule, Share, Target, Waterfall,
    portion_weights, split, split_after_fee, split_capped, split_signed,
};
use serde_json::Value;

use crate::areas::Tally;
use crate::fields::Fields;
use crate::properties;

/// Why a case did not run to its end.
enum Stop {
    /// A number that our types refuse, as they promise to.
    Beyond,
    /// It does not hold.
    Fails(String),
}

impl From<String> for Stop {
    fn from(text: String) -> Self {
        Self::Fails(text)
    }
}

impl From<divvy_core::Error> for Stop {
    fn from(error: divvy_core::Error) -> Self {
        Self::Fails(format!("{error:?}"))
    }
}

pub(crate) fn run(file: &Value) -> Tally {
    let mut tally = Tally::default();
    if let Err(text) = run_file(file, &mut tally) {
        tally.failures.push(format!("file: {text}"));
    }
    tally
}

fn run_file(file: &Value, tally: &mut Tally) -> Result<(), String> {
    let mut file = Fields::of(file)?;
    let format = file.value("format")?;
    if format != 2 {
        return Err(format!("unknown format {format}"));
    }
    file.text("about")?;
    file.text("sign_rule")?;
    for name in file.entries("rules")?.keys() {
        if !OTHERS.contains(&name.as_str()) && Rule::parse(name).is_err() {
            return Err(format!("unknown rule {name:?}"));
        }
    }
    for property in file.list("properties")? {
        let mut property = Fields::of(&property)?;
        let id = property.text("id")?;
        property.text("text")?;
        property.done()?;
        properties::hold(&id).unwrap_or_else(|text| tally.failures.push(format!("{id}: {text}")));
        tally.cases += 1;
        tally.checks += 1;
    }
    for case in file.list("cases")? {
        let mut case = Fields::of(&case)?;
        let id = case.text("id")?;
        tally.cases += 1;
        match run_case(case, &mut tally.checks) {
            Ok(()) => {}
            Err(Stop::Beyond) => tally.beyond.push(id),
            Err(Stop::Fails(text)) => tally.failures.push(format!("{id}: {text}")),
        }
    }
    file.done()
}

fn run_case(mut case: Fields, checks: &mut usize) -> Result<(), Stop> {
    for about in ["group", "source"] {
        case.text(about)?;
    }
    case.optional("note");
    let kind = case.text("kind")?;
    let rule = case.text("rule")?;
    *checks += 1;
    match (kind.as_str(), rule.as_str()) {
        (kind, "must_fail") => must_fail(case, kind),
        ("weights", rule) => weights(case, rule, checks),
        ("portions", "numscript_portions") => portions(case),
        ("capped", "capped_in_order") => capped(case),
        ("fee_then_split", "fee_then_split") => fee_then_split(case),
        ("waterfall", "waterfall") => waterfall(case),
        ("sequence", "carry_largest_deficit") => sequence(case),
        (kind, rule) => Err(format!("unknown kind {kind:?} with rule {rule:?}").into()),
    }
}

fn weights(mut case: Fields, rule: &str, checks: &mut usize) -> Result<(), Stop> {
    let amount = case.text("amount")?;
    let weights = case.texts("weights")?;
    let mut wanted = vec![(rule.to_owned(), case.texts("expected")?, case.text("left")?)];
    // What peers answered is for people: a peer's mistake is no promise of ours.
    case.optional("observed_in_peers");
    if let Some(by_rule) = case.optional("by_rule") {
        for (rule, split) in by_rule.as_object().ok_or_else(|| "by_rule".to_owned())? {
            let mut split = Fields::of(split)?;
            wanted.push((rule.clone(), split.texts("shares")?, split.text("left")?));
            split.done()?;
            *checks += 1;
        }
    }
    case.done()?;
    let rules = wanted.iter().map(|(rule, ..)| Rule::parse(rule)).collect::<Result<Vec<_>, _>>()?;
    let amount = signed(&amount)?;
    let weights = numbers(&weights)?;
    for (rule, (_, shares, left)) in rules.into_iter().zip(wanted) {
        let found = split_signed(rule, amount, &weights)?;
        same(&format!("{rule}"), &texts(&found.shares), &shares)?;
        let (left_found, left) = ([found.left.to_string()], [left]);
        same(&format!("{rule} left"), &left_found, &left)?;
        if !amount.is_negative() {
            let found = split(rule, amount.magnitude(), &weights)?;
            same(&format!("{rule} unsigned"), &texts(&found.shares), &shares)?;
            same(&format!("{rule} unsigned left"), &[found.left.to_string()], &left)?;
        }
    }
    Ok(())
}

fn portions(mut case: Fields) -> Result<(), Stop> {
    let amount = unsigned(&case.text("amount")?);
    let portions = case.texts("portions")?;
    let (expected, left) = (case.texts("expected")?, case.text("left")?);
    case.done()?;
    let amount = amount?;
    let weights = portion_weights(&borrowed(&portions))?;
    let found = split(Rule::FloorThenListedOrder, amount, &weights)?;
    same("shares", &texts(&found.shares), &expected)?;
    same("left", &[found.left.to_string()], &[left])?;
    // Legs of the same portions share by largest remainder.
    if let Some(legs) = portion_legs(&portions) {
        let ours = Legs::new(legs)?.divide(amount)?;
        let plain = split(Rule::LargestRemainder, amount, &weights)?;
        same("legs", &texts(&ours), &texts(&plain.shares))?;
    }
    Ok(())
}

fn capped(mut case: Fields) -> Result<(), Stop> {
    let amount = unsigned(&case.text("amount")?);
    let caps = case.texts("caps")?;
    let (expected, left) = (case.texts("expected")?, case.text("left")?);
    case.done()?;
    let (amount, legs) = (amount?, cap_legs(&caps)?);
    same("legs", &texts(&Legs::new(legs)?.divide(amount)?), &expected)?;
    same("left", &["0".to_owned()], &[left])?;
    let caps = caps.iter().filter(|cap| *cap != REMAINING);
    let caps = caps.map(|cap| unsigned(cap)).collect::<Result<Vec<_>, _>>()?;
    same("capped", &texts(&split_capped(amount, &caps)), &expected)
}

fn fee_then_split(mut case: Fields) -> Result<(), Stop> {
    let amount = unsigned(&case.text("amount")?);
    let ppm = numbers(&[case.text("fee_ppm")?])?[0];
    let weights = numbers(&case.texts("weights")?)?;
    let inner = Rule::parse(&case.text("inner_rule")?)?;
    let (fee, left) = (case.text("fee")?, case.text("left")?);
    let expected = case.texts("expected")?;
    case.done()?;
    let ppm = u32::try_from(ppm).map_err(|error| error.to_string())?;
    let found = split_after_fee(inner, amount?, ppm, &weights)?;
    same("fee", &[found.fee.to_string()], &[fee])?;
    same("shares", &texts(&found.rest.shares), &expected)?;
    same("left", &[found.rest.left.to_string()], &[left])
}

fn waterfall(mut case: Fields) -> Result<(), Stop> {
    let amounts = case.texts("amounts")?;
    let thresholds = case.texts("thresholds")?;
    let expected = case.rows("expected")?;
    case.done()?;
    let thresholds = thresholds.iter().map(|text| unsigned(text)).collect::<Result<_, _>>()?;
    let amounts = amounts.iter().map(|text| unsigned(text)).collect::<Result<Vec<_>, _>>()?;
    let mut fall = Waterfall::new(thresholds)?;
    same("payments", &[amounts.len().to_string()], &[expected.len().to_string()])?;
    for (amount, expected) in amounts.into_iter().zip(expected) {
        same(&amount.to_string(), &texts(&fall.divide(amount)?), &expected)?;
    }
    Ok(())
}

fn sequence(mut case: Fields) -> Result<(), Stop> {
    let amounts = case.texts("amounts")?;
    let weights = case.rows("weights_per_round")?;
    let expected = case.rows("expected")?;
    let (totals, last) = (case.texts("totals")?, case.texts("final_carry")?);
    case.done()?;
    let amounts = amounts.iter().map(|text| unsigned(text)).collect::<Result<Vec<_>, _>>()?;
    let rounds = [weights.len(), expected.len()].map(|count| count.to_string());
    same("rounds", &rounds, &[amounts.len().to_string(), amounts.len().to_string()])?;
    let mut carry = Carry::new(totals.len())?;
    let mut sums = vec![Amount::ZERO; totals.len()];
    for ((amount, weights), expected) in amounts.into_iter().zip(weights).zip(expected) {
        let found = carry.divide(amount, &numbers(&weights)?)?;
        same(&amount.to_string(), &texts(&found), &expected)?;
        for (sum, part) in sums.iter_mut().zip(found) {
            *sum = sum.plus(part)?;
        }
    }
    same("totals", &texts(&sums), &totals)?;
    same("carry", &texts(&carry.carried().collect::<Vec<_>>()), &last)
}

/// Asserts that every door refuses, the types' own included.
fn must_fail(mut case: Fields, kind: &str) -> Result<(), Stop> {
    case.text("error")?;
    if case.value("expected")? != Value::Null {
        return Err("a case that must fail expects nothing".to_owned().into());
    }
    let paid = match kind {
        "weights" => pays_weights(&mut case),
        "portions" => pays_portions(&mut case),
        "capped" => pays_capped(&mut case),
        "fee_then_split" => pays_after_fee(&mut case),
        "waterfall" => pays_waterfall(&mut case),
        "sequence" => pays_sequence(&mut case),
        kind => Err(format!("unknown kind {kind:?}").into()),
    }?;
    case.done()?;
    if paid { Err("it must be refused".to_owned().into()) } else { Ok(()) }
}

fn pays_weights(case: &mut Fields) -> Result<bool, Stop> {
    let (amount, weights) = (signed(&case.text("amount")?), numbers(&case.texts("weights")?));
    let (Ok(amount), Ok(weights)) = (amount, weights) else { return Ok(false) };
    Ok(Rule::ALL.iter().any(|rule| split_signed(*rule, amount, &weights).is_ok()))
}

fn pays_portions(case: &mut Fields) -> Result<bool, Stop> {
    let (amount, portions) = (unsigned(&case.text("amount")?), case.texts("portions")?);
    let legs = portion_legs(&portions).is_some_and(|legs| Legs::new(legs).is_ok());
    Ok(amount.is_ok() && (legs || portion_weights(&borrowed(&portions)).is_ok()))
}

fn pays_capped(case: &mut Fields) -> Result<bool, Stop> {
    let (amount, legs) = (unsigned(&case.text("amount")?), cap_legs(&case.texts("caps")?));
    Ok(amount.is_ok() && legs.is_ok_and(|legs| Legs::new(legs).is_ok()))
}

fn pays_after_fee(case: &mut Fields) -> Result<bool, Stop> {
    let (amount, weights) = (unsigned(&case.text("amount")?), numbers(&case.texts("weights")?));
    let (ppm, inner) = (case.text("fee_ppm")?.parse(), Rule::parse(&case.text("inner_rule")?));
    let (Ok(amount), Ok(weights), Ok(ppm), Ok(inner)) = (amount, weights, ppm, inner) else {
        return Ok(false);
    };
    Ok(split_after_fee(inner, amount, ppm, &weights).is_ok())
}

fn pays_waterfall(case: &mut Fields) -> Result<bool, Stop> {
    let (amounts, thresholds) = (case.texts("amounts")?, case.texts("thresholds")?);
    let amounts = amounts.iter().all(|text| unsigned(text).is_ok());
    let thresholds = thresholds.iter().map(|text| unsigned(text)).collect::<Result<_, _>>();
    Ok(amounts && thresholds.is_ok_and(|thresholds| Waterfall::new(thresholds).is_ok()))
}

fn pays_sequence(case: &mut Fields) -> Result<bool, Stop> {
    let (amounts, rounds) = (case.texts("amounts")?, case.rows("weights_per_round")?);
    let Ok(mut carry) = Carry::new(rounds.first().map_or(0, Vec::len)) else { return Ok(false) };
    Ok(amounts.iter().zip(&rounds).all(|(amount, weights)| {
        let (Ok(amount), Ok(weights)) = (unsigned(amount), numbers(weights)) else { return false };
        carry.divide(amount, &weights).is_ok()
    }))
}

/// Portions as legs, unless one is zero or malformed, which a leg cannot say.
fn portion_legs(portions: &[String]) -> Option<Vec<Leg>> {
    let share = |text: &String| match text.as_str() {
        REMAINING => Some(Share::Remaining),
        text => Ratio::parse(text).ok().map(Share::Portion),
    };
    portions.iter().map(share).collect::<Option<Vec<_>>>().map(legs)
}

fn cap_legs(caps: &[String]) -> Result<Vec<Leg>, Stop> {
    let share = |text: &String| match text.as_str() {
        REMAINING => Ok(Share::Remaining),
        text => unsigned(text).map(Share::UpTo),
    };
    caps.iter().map(share).collect::<Result<Vec<_>, _>>().map(legs)
}

fn legs(shares: Vec<Share>) -> Vec<Leg> {
    let leg = |(place, share): (usize, Share)| {
        let to = Target::Payee(format!("payee {place}"));
        Leg { to, share }
    };
    shares.into_iter().enumerate().map(leg).collect()
}

/// A signed amount; beyond the ceiling it must be refused, whatever the vector expects.
fn signed(text: &str) -> Result<Difference, Stop> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("no integer: {text:?}").into());
    }
    let Ok(wide) = text.parse::<i128>() else {
        let read = serde_json::from_value::<Amount>(Value::String(digits.to_owned()));
        return Err(read.map_or(Stop::Beyond, |_| Stop::Fails(format!("{text} was taken"))));
    };
    match Difference::new(wide) {
        Ok(amount) => Ok(amount),
        Err(error) if error.code() == Code::AmountAboveCeiling => Err(Stop::Beyond),
        Err(error) => Err(error.into()),
    }
}

fn unsigned(text: &str) -> Result<Amount, Stop> {
    let amount = signed(text)?;
    match amount.is_negative() {
        true => Err(format!("negative amount {text}").into()),
        false => Ok(amount.magnitude()),
    }
}

/// Plain numbers; digits that 64 bits cannot hold are refused by the type.
fn numbers(texts: &[String]) -> Result<Vec<u64>, Stop> {
    let number = |text: &String| match text.parse() {
        Ok(number) => Ok(number),
        Err(_) if text.len() > 1 && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(Stop::Beyond)
        }
        Err(error) => Err(Stop::Fails(format!("number {text}: {error}"))),
    };
    texts.iter().map(number).collect()
}

fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

fn borrowed(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

fn same(what: &str, found: &[String], expected: &[String]) -> Result<(), Stop> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}: found {found:?}, expected {expected:?}").into())
}

const REMAINING: &str = "remaining";

/// Rules of the file that are functions or states of their own, not a [`Rule`].
const OTHERS: &[&str] = &[
    "numscript_portions",
    "capped_in_order",
    "fee_then_split",
    "waterfall",
    "carry_largest_deficit",
    "must_fail",
];

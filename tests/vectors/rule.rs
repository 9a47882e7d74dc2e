//! Runs the rule vectors: what an issuer signs, what counts as signed, which rule is in force, and
//! what rules that count divide.

use divvy_core::danger::{Vouched, vouched};
use divvy_core::{
    Asset, Body, Books, Code, Evidence, Hash, Leg, Legs, Name, Opened, Payment, Policy, PublicKey,
    Share, Signature, Target, Time, Units,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::areas::Tally;
use crate::fields::Fields;

pub(crate) fn run(file: &Value) -> Tally {
    let mut tally = Tally::default();
    tally.hold_each(file, "signed", hold_signed);
    tally.hold_each(file, "in_force", hold_in_force);
    tally.hold_each(file, "divided", hold_divided);
    tally
}

#[expect(clippy::wildcard_enum_match_arm, reason = "two kinds are signed")]
fn hold_signed(mut case: Fields, tally: &mut Tally) -> Result<(), String> {
    case.text("id")?;
    let book = name(&case.text("book")?)?;
    let before: Hash = read(case.value("before")?)?;
    let n = case.text("n")?.parse::<u64>().map_err(|error| error.to_string())?;
    let own = match read(case.value("body")?)? {
        Body::RuleSet(rule) => rule.statement(&book, &before, n),
        Body::IssuerSet(set) => set.statement(&book, &before, n),
        other => return Err(format!("nobody signs a {}", other.kind())),
    };
    same("statement", &own, &read(case.value("statement")?)?)?;
    let key: PublicKey = read(case.value("key")?)?;
    let signature: Signature = read(case.value("signature")?)?;
    let is_signed: bool = read(case.value("is_signed")?)?;
    same("is_signed", &key.has_signed(&own, &signature), &is_signed)?;
    tally.checks += 2;
    case.done()
}

fn hold_in_force(mut case: Fields, tally: &mut Tally) -> Result<(), String> {
    case.text("id")?;
    let usd = Asset::parse("USD").map_err(text)?;
    let (floor, policy) = (usd.amount("0.01").map_err(text)?, Policy::Instant);
    let opened = Opened { asset: usd.clone(), policy, floor, cooling_secs: 0, named_on: None };
    let mut books = Books::default();
    let step = books.open(&name("b")?, opened, Time::ZERO).map_err(text)?;
    books.feed(step.facts()).map_err(text)?;
    for from in case.list("from")? {
        let all = Leg { to: Target::Payee("alice".into()), share: Share::Remaining };
        let legs = Legs::new(vec![all]).map_err(text)?;
        let book = books.book("b").map_err(text)?;
        let step = book.set_rule(read(from)?, legs, Time::ZERO).map_err(text)?;
        books.feed(step.facts()).map_err(text)?;
    }
    let evidence = Evidence { source: "vector".into(), hash: Hash::of(b""), said: String::new() };
    let [source, account, id] = [name("till")?, name("main")?, name("1")?];
    let event_at = read(case.value("event_at")?)?;
    let (amount, asset, payer) = (floor, usd.clone(), None);
    let payment = Vouched { source, account, id, amount, asset, payer, event_at, evidence };
    let payment = vouched(payment, &usd).map_err(text)?;
    let own = match books.book("b").map_err(text)?.record(&[payment], Time::ZERO) {
        Err(error) if error.code() == Code::RuleMissing => None,
        Err(error) => return Err(text(error)),
        Ok(facts) => match facts.first().map(divvy_core::Fact::body) {
            Some(Ok(Body::Recorded(recorded))) => recorded.rule,
            other => return Err(format!("no payment but {other:?}")),
        },
    };
    same("rule", &own, &read(case.value("rule")?)?)?;
    tally.checks += 1;
    case.done()
}

/// A book of a pool `fund`, under one rule, in which payments come and are divided.
fn hold_divided(mut case: Fields, tally: &mut Tally) -> Result<(), String> {
    case.text("id")?;
    let usd = Asset::parse("USD").map_err(text)?;
    let (floor, policy) = (usd.amount("0.01").map_err(text)?, Policy::Instant);
    let opened = Opened { asset: usd.clone(), policy, floor, cooling_secs: 0, named_on: None };
    let mut books = Books::default();
    let step = books.open(&name("b")?, opened, Time::ZERO).map_err(text)?;
    books.feed(step.facts()).map_err(text)?;
    let supply = Units::new(1).map_err(text)?;
    let step =
        books.book("b").and_then(|book| book.open_pool(&Name::new("fund")?, supply, Time::ZERO));
    books.feed(step.map_err(text)?.facts()).map_err(text)?;
    let Body::RuleSet(rule) = read(case.value("rule")?)? else { return Err("no rule".into()) };
    let step = books.book("b").and_then(|book| book.set_rule_whole(&rule, Time::ZERO));
    books.feed(step.map_err(text)?.facts()).map_err(text)?;
    let mut divided: Vec<Body> = Vec::new();
    for step in case.list("steps")? {
        let mut step = Fields::of(&step)?;
        let book = books.book("b").map_err(text)?;
        let facts = if let Some(pair) = step.optional("refer") {
            let step = book.refer(&[read(pair)?], Time::ZERO).map_err(text)?;
            step.facts().to_vec()
        } else if step.optional("divide").is_some() {
            let step = book.divide(Time::ZERO).map_err(text)?;
            let bodies = step.facts().iter().map(divvy_core::Fact::body);
            divided.extend(bodies.collect::<Result<Vec<_>, _>>().map_err(text)?);
            step.facts().to_vec()
        } else {
            book.record(&[payment_of(&mut step, &usd)?], Time::ZERO).map_err(text)?
        };
        step.done()?;
        books.feed(&facts).map_err(text)?;
        books.check().map_err(text)?;
    }
    let said = case.list("divided")?.into_iter().map(read).collect::<Result<Vec<Body>, _>>()?;
    same("divided", &divided, &said)?;
    tally.checks += said.len();
    case.done()
}

fn payment_of(step: &mut Fields, usd: &Asset) -> Result<Payment, String> {
    let evidence = Evidence { source: "vector".into(), hash: Hash::of(b""), said: String::new() };
    let payment = Vouched {
        source: name("till")?,
        account: name("main")?,
        id: name(&step.text("pay")?)?,
        amount: read(step.value("amount")?)?,
        asset: usd.clone(),
        payer: step.optional("payer").map(read).transpose()?,
        event_at: read(step.value("at")?)?,
        evidence,
    };
    vouched(payment, usd).map_err(text)
}

fn name(name: &str) -> Result<Name, String> {
    Name::new(name).map_err(text)
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "the form that `map_err` takes")]
fn text(error: divvy_core::Error) -> String {
    error.to_string()
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, own: &T, said: &T) -> Result<(), String> {
    if own == said { Ok(()) } else { Err(format!("{what}: {own:?}, not {said:?}")) }
}

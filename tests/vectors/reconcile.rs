//! Runs the reconciliation vectors: what differs between books and statements, and where each
//! entry ends.

use std::collections::BTreeMap;

use divvy_core::{Amount, Asset, Direction, Entry, Firmness, Pile, Places, Terms, Time, reconcile};
use serde_json::{Value, json};

use crate::areas::Tally;
use crate::fields::Fields;

pub(crate) fn run(file: &Value) -> Tally {
    let mut tally = Tally::default();
    tally.hold_each(file, "cases", hold);
    tally
}

fn hold(mut case: Fields, tally: &mut Tally) -> Result<(), String> {
    case.text("id")?;
    case.text("description")?;
    case.optional("note");
    let terms = terms(case.optional("terms"))?;
    let entries = |value: Vec<Value>| value.iter().map(entry).collect::<Result<Vec<_>, _>>();
    let (ours, theirs) = (entries(case.list("ours")?)?, entries(case.list("theirs")?)?);
    let mut expect = Fields::of(&case.value("expect")?)?;
    let found = reconcile(&ours, &theirs, &terms);
    found.check().map_err(|error| error.to_string())?;
    let breaks: Vec<Value> = found
        .breaks
        .iter()
        .map(|found| {
            let mut value = json!({"cause": found.cause.name()});
            // What names nothing gets a name of ours, which is nobody's business.
            if found.cause.name() != "unsourced" {
                value["reference"] = found.reference.clone().into();
            }
            for (side, amount) in [("ours", found.ours), ("theirs", found.theirs)] {
                if let Some(amount) = amount {
                    value[side] = amount.to_string().into();
                }
            }
            value
        })
        .collect();
    same("breaks", &Value::from(breaks), &expect.value("breaks")?)?;
    same("ours", &shown(&found.ours), &expect.value("ours")?)?;
    same("theirs", &shown(&found.theirs), &expect.value("theirs")?)?;
    tally.checks += 3;
    expect.done()?;
    case.done()
}

fn terms(value: Option<Value>) -> Result<Terms, String> {
    let mut terms = Terms::default();
    let Some(value) = value else { return Ok(terms) };
    let mut fields = Fields::of(&value)?;
    let text = |value: Option<Value>| value.and_then(|value| value.as_str().map(str::to_owned));
    let time = |text: String| Time::parse(&text).map_err(|error| error.to_string());
    if let Some(until) = text(fields.optional("statement_until")) {
        terms.statement_until = time(until)?;
    }
    if let Some(until) = text(fields.optional("ours_until")) {
        terms.ours_until = time(until)?;
    }
    if let Some(tolerance) = text(fields.optional("tolerance")) {
        terms.tolerance = amount(&tolerance)?;
    }
    fields.done()?;
    Ok(terms)
}

fn entry(value: &Value) -> Result<Entry, String> {
    let mut fields = Fields::of(value)?;
    let text = |value: Option<Value>| value.and_then(|value| value.as_str().map(str::to_owned));
    let said = |error: divvy_core::Error| error.to_string();
    let code = text(fields.optional("asset")).unwrap_or_else(|| "USD".to_owned());
    let (reference, minor) = (fields.text("reference")?, amount(&fields.text("amount")?)?);
    let at = Time::parse(&fields.text("at")?).map_err(said)?;
    let mut entry = Entry::paid(&reference, minor, Asset::parse(&code).map_err(said)?, at);
    if let Some(direction) = text(fields.optional("direction")) {
        entry.direction = match direction.as_str() {
            "in" => Direction::In,
            "out" => Direction::Out,
            _ => return Err(format!("unknown direction {direction:?}")),
        };
    }
    if let Some(firmness) = text(fields.optional("firmness")) {
        entry.firmness = match firmness.as_str() {
            "final" => Firmness::Final,
            "open" => Firmness::Open,
            "held" => Firmness::Held,
            _ => return Err(format!("unknown firmness {firmness:?}")),
        };
    }
    entry.fee = text(fields.optional("fee")).map(|fee| amount(&fee)).transpose()?;
    entry.party = text(fields.optional("party"));
    fields.done()?;
    Ok(entry)
}

fn amount(text: &str) -> Result<Amount, String> {
    let minor = text.parse().map_err(|_| format!("{text:?} is no amount"))?;
    Amount::new(minor).map_err(|error| error.to_string())
}

/// The places that are not empty.
fn shown(sides: &BTreeMap<String, Places>) -> Value {
    let mut shown = json!({});
    for (asset, places) in sides {
        for (name, Pile { entries, amount, .. }) in [
            ("matched", places.matched),
            ("in_flight", places.in_flight),
            ("held", places.held),
            ("broken", places.broken),
        ] {
            if entries > 0 {
                shown[asset][name] = json!([entries, amount.to_string()]);
            }
        }
    }
    shown
}

fn same(what: &str, found: &Value, wanted: &Value) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(format!("{what}: {found}, not {wanted}")) }
}

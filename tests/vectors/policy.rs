//! Runs the policy vectors: when the boundaries of periods are.

use divvy_core::{Period, Time};
use serde_json::Value;

use crate::areas::Tally;
use crate::fields::Fields;

pub(crate) fn run(file: &Value) -> Tally {
    let mut tally = Tally::default();
    let cases = file.get("boundaries").and_then(Value::as_array).cloned().unwrap_or_default();
    if cases.is_empty() {
        tally.failures.push("file: no boundaries".to_owned());
    }
    for case in cases {
        tally.cases += 1;
        if let Err(text) = Fields::of(&case).and_then(|case| hold(case, &mut tally)) {
            tally.failures.push(format!("{}: {text}", case.get("id").unwrap_or(&case)));
        }
    }
    tally
}

fn hold(mut case: Fields, tally: &mut Tally) -> Result<(), String> {
    case.text("id")?;
    let period: Period = serde_json::from_value(case.value("period")?).map_err(text)?;
    let mut time = |name: &str| Time::parse(&case.text(name)?).map_err(text);
    let (at, said) = (time("at")?, time("boundary")?);
    let own = period.boundary(at);
    if own != said {
        return Err(format!("boundary: {own}, not {said}"));
    }
    tally.checks += 1;
    case.done()
}

#[expect(clippy::needless_pass_by_value, reason = "the form that `map_err` takes")]
fn text<E: ToString>(error: E) -> String {
    error.to_string()
}

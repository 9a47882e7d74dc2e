//! Runs the policy vectors: when the boundaries of periods are.

use divvy_core::{Period, Time};
use serde_json::Value;

use crate::areas::Tally;
use crate::fields::Fields;

pub(crate) fn run(file: &Value) -> Tally {
    let mut tally = Tally::default();
    tally.hold_each(file, "boundaries", hold);
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

//! Runs the reversal vectors: what refunds by parts take back of each share, step by step.

use divvy_core::{Amount, share_reversed};
use serde_json::Value;

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
    let gross = number(&case.value("gross")?)?;
    let transfers = numbers(&case.list("transfers")?)?;
    let mut refunded = 0;
    let mut reversed = vec![0; transfers.len()];
    for step in case.list("steps")? {
        let mut step = Fields::of(&step)?;
        let refund = number(&step.value("refund")?)?;
        refunded += refund;
        let mut taken = Vec::new();
        for (transfer, reversed) in transfers.iter().zip(&mut reversed) {
            let target = share(*transfer, refunded, gross)?;
            taken.push(target - *reversed);
            *reversed = target;
        }
        same("reversals", &taken, &numbers(&step.list("reversals")?)?)?;
        let platform = step.value("platform_share")?;
        let platform = platform.as_i64().ok_or("the platform's share is no number")?;
        let borne = i128::from(refund) - taken.iter().map(|taken| i128::from(*taken)).sum::<i128>();
        same("platform_share", &borne, &i128::from(platform))?;
        step.done()?;
        tally.checks += 2;
    }
    same("reversed_total", &reversed, &numbers(&case.list("reversed_total")?)?)?;
    tally.checks += 1;
    case.done()
}

fn share(part: u64, reversed: u64, whole: u64) -> Result<u64, String> {
    let amount = |minor| Amount::new(minor).map_err(|error| error.to_string());
    let share = share_reversed(amount(part)?, amount(reversed)?, amount(whole)?);
    share.map(Amount::get).map_err(|error| error.to_string())
}

fn number(value: &Value) -> Result<u64, String> {
    value.as_u64().ok_or_else(|| format!("no number: {value}"))
}

fn numbers(values: &[Value]) -> Result<Vec<u64>, String> {
    values.iter().map(number).collect()
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, own: &T, said: &T) -> Result<(), String> {
    if own == said { Ok(()) } else { Err(format!("{what}: {own:?}, not {said:?}")) }
}

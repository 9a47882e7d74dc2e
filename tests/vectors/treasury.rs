//! Runs the treasury vectors: runway, projections, floats, drains and settlement dates.

use divvy_core::{Day, FeeDrain, Projection, Runway, Steady, required_float};
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
    let kind = case.text("kind")?;
    let mut input = Fields::of(&case.value("input")?)?;
    let found = match kind.as_str() {
        "steady" => steady(&mut input)?,
        "projection" => projection(&mut input)?,
        "required_float" => float(&mut input)?,
        "fee_drain" => drain(&mut input)?,
        "business_days" => business_days(&mut input)?,
        _ => return Err(format!("unknown kind {kind:?}")),
    };
    input.done()?;
    let mut expect = Fields::of(&case.value("expect")?)?;
    for (name, found) in found {
        let wanted = expect.value(name)?;
        if found != wanted {
            return Err(format!("{name}: {found}, not {wanted}"));
        }
        tally.checks += 1;
    }
    expect.done()?;
    case.done()
}

/// What was found, by the name that the case has for it.
type Found = Vec<(&'static str, Value)>;

fn steady(input: &mut Fields) -> Result<Found, String> {
    let steady = Steady {
        settled: number(input, "settled")?,
        reserve: number(input, "reserve")?,
        due: number(input, "due_today")?,
        credit_headroom: number(input, "credit_headroom")?,
        went_out: number(input, "avg_daily_out")?,
        came_in: number(input, "avg_daily_in")?,
        days: 1,
    };
    let (days, state) = match steady.runway() {
        Runway::Days(days) => (Value::from(days), "finite"),
        Runway::Unbounded => (Value::Null, "unbounded"),
        Runway::Exhausted => (Value::from(0), "exhausted"),
        other @ (Runway::NoHistory | _) => {
            return Err(format!("{other:?} has no name in this file"));
        }
    };
    Ok(vec![
        ("liquidity", narrow(steady.liquidity())),
        ("net_burn_per_day", narrow(steady.burn_per_day())),
        ("runway_days_floor", days),
        ("state", state.into()),
    ])
}

fn projection(input: &mut Fields) -> Result<Found, String> {
    let opening = number(input, "opening")?;
    let mut days = Vec::new();
    for day in input.list("daily")? {
        let mut day = Fields::of(&day)?;
        days.push((number(&mut day, "settled_in")?, number(&mut day, "out")?));
        day.done()?;
    }
    let found = Projection::of(opening, &days);
    let covered = || format!("covered_for_{}_days", days.len());
    let state = found.first_short_day.map_or_else(covered, |_| "short".to_owned());
    Ok(vec![
        ("first_short_day", found.first_short_day.into()),
        ("lowest", found.lowest.into()),
        ("lowest_day", found.lowest_day.into()),
        ("closing", found.closing.into()),
        ("peak_shortfall", found.shortfall().into()),
        ("runway_days_floor", found.covered_days().into()),
        ("state", state.into()),
    ])
}

fn float(input: &mut Fields) -> Result<Found, String> {
    let payouts = number(input, "daily_payouts")?;
    let gap = number(input, "calendar_gap_days")?;
    let growth = number(input, "growth_ppm_per_day")?;
    let float = required_float(payouts, gap, growth).map_err(|error| error.to_string())?;
    Ok(vec![("required_float_ceil", float.into())])
}

fn drain(input: &mut Fields) -> Result<Found, String> {
    let drain = FeeDrain {
        float: number(input, "float")?,
        daily_volume: number(input, "daily_volume")?,
        fee_bp: number(input, "fee_bp")?,
        loss_bp: number(input, "loss_bp")?,
        daily_replenishment: number(input, "daily_replenishment")?,
    };
    let (days, state) = match drain.runway() {
        Runway::Days(days) => (Value::from(days), "draining"),
        Runway::Unbounded => (Value::Null, "stable"),
        other @ (Runway::Exhausted | Runway::NoHistory | _) => {
            return Err(format!("{other:?} has no name in this file"));
        }
    };
    let daily = narrow(drain.daily_drain());
    Ok(vec![("daily_drain", daily), ("days_floor", days), ("state", state.into())])
}

fn business_days(input: &mut Fields) -> Result<Found, String> {
    let day = |text: &String| Day::parse(text).map_err(|error| error.to_string());
    let trade = day(&input.text("trade_date")?)?;
    let holidays: Vec<Day> = input.texts("holidays")?.iter().map(day).collect::<Result<_, _>>()?;
    let settles = trade.plus_business(number(input, "business_days")?, &holidays);
    let gap = settles.since(trade);
    Ok(vec![("settles_on", settles.to_string().into()), ("calendar_gap_days", gap.into())])
}

fn number<T: TryFrom<i64>>(fields: &mut Fields, name: &str) -> Result<T, String> {
    let value = fields.value(name)?;
    let number = value.as_i64().and_then(|number| T::try_from(number).ok());
    number.ok_or_else(|| format!("{name} is no number that fits: {value}"))
}

fn narrow(wide: i128) -> Value {
    i64::try_from(wide).map_or_else(|_| wide.to_string().into(), Value::from)
}

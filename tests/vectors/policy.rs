//! Runs the policy vectors: when the boundaries of periods are, what rates make of amounts, and
//! which line a fee share lets through, and what becomes of who asks to be paid now.

use divvy_core::{
    Amount, Asset, Books, Brought, Code, Error, Evidence, FeeShare, Hash, Name, Opened, Period,
    Policy, Rate, Rounding, Time,
};
use serde_json::Value;

use crate::areas::Tally;
use crate::fields::Fields;

pub(crate) fn run(file: &Value) -> Tally {
    let mut tally = Tally::default();
    tally.hold_each(file, "boundaries", boundary);
    tally.hold_each(file, "rates", rate);
    tally.hold_each(file, "fee_shares", fee_share);
    tally.hold_each(file, "demands", demand);
    tally
}

fn boundary(mut case: Fields, tally: &mut Tally) -> Result<(), String> {
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

fn rate(mut case: Fields, tally: &mut Tally) -> Result<(), String> {
    case.text("id")?;
    let mut asset = |name: &str| Asset::parse(&case.text(name)?).map_err(text);
    let (from, to) = (asset("from")?, asset("to")?);
    let rounding: Rounding = serde_json::from_value(case.value("rounding")?).map_err(text)?;
    let amount = amount(&mut case, "amount")?;
    let rate = Rate::of_price(from, to, &case.text("price")?, "", Time::ZERO);
    let refused = case.optional("refused");
    if let Ok(rate) = &rate {
        tally.checks += 1;
        same("num", &rate.num().to_string(), &case.text("num")?)?;
        same("den", &rate.den().to_string(), &case.text("den")?)?;
    }
    let own = rate.and_then(|rate| rate.rounding(rounding).convert(amount));
    tally.checks += 1;
    match (own, refused) {
        (Ok(own), None) => same("converted", &own.to_string(), &case.text("converted")?)?,
        (Err(error), Some(code)) => same("refused", &error.code().name(), &code)?,
        (own, refused) => return Err(format!("{own:?}, not {refused:?}")),
    }
    case.done()
}

fn fee_share(mut case: Fields, tally: &mut Tally) -> Result<(), String> {
    case.text("id")?;
    let bps = case.value("bps")?.as_u64().ok_or("bps is no number")?;
    let share = FeeShare::AtMost { bps, waits_secs: None };
    let (fee, line) = (amount(&mut case, "fee")?, amount(&mut case, "line")?);
    tally.checks += 3;
    same("due", &share.allows(fee, line), &case.value("due")?)?;
    let own = share.fee_max(line).map(|most| most.to_string());
    same("fee_max", &serde_json::json!(own), &case.value("fee_max")?)?;
    let own = share.least_for(fee).map(|least| least.to_string());
    same("least", &serde_json::json!(own), &case.value("least")?)?;
    case.done()
}

fn demand(mut case: Fields, tally: &mut Tally) -> Result<(), String> {
    case.text("id")?;
    let mut minor = |name: &str| amount(&mut case, name);
    let (payable, floor, least) = (minor("payable")?, minor("floor")?, minor("threshold")?);
    let (fee_max, quoted) = (minor("fee_max")?, minor("quoted")?);
    let secs = case.text("after_secs")?.parse().map_err(|_| "after_secs is no number")?;
    let (policy, later) =
        (Policy::Threshold { min: least, max_wait_secs: None }, Time::ZERO.plus_secs(secs));
    let own = demanded(policy, floor, payable, fee_max).map_err(text)?;
    tally.checks += 1;
    let own = match own {
        Err(error) if error.code() == Code::DemandRefused => "refused",
        Err(error) => return Err(error.to_string()),
        Ok(books) => outcome(&books, later, quoted).map_err(text)?,
    };
    same("outcome", &own.to_owned(), &case.text("outcome")?)?;
    case.done()
}

/// A book in which somebody has asked to be paid, or why they could not.
fn demanded(
    policy: Policy,
    floor: Amount,
    payable: Amount,
    fee_max: Amount,
) -> Result<Result<Books, Error>, Error> {
    let (asset, now, ann) = (Asset::parse("USD")?, Time::ZERO, Name::new("ann")?);
    let named_on = Some(Name::new("sandbox")?);
    let opened = Opened { asset, policy, floor, cooling_secs: 0, named_on };
    let mut books = Books::default();
    books.feed(books.open(&Name::new("b")?, opened, now)?.facts())?;
    let evidence = Evidence { source: String::new(), hash: Hash::of(b""), said: String::new() };
    let brought = Brought { earned: payable, paid: Amount::ZERO, evidence };
    books.feed(books.book("b")?.bring(&[(ann.clone(), brought)], now)?.facts())?;
    Ok(match books.book("b")?.demand(&ann, fee_max, now) {
        Ok(step) => books.feed(step.facts()).map(|()| books),
        Err(error) => Err(error),
    })
}

fn outcome(books: &Books, now: Time, quoted: Amount) -> Result<&'static str, Error> {
    let book = books.book("b")?;
    if book.due_count() > 0 {
        return Ok("due");
    }
    let Some(due) = book.demanded(now, |_| true)?.pop() else { return Ok("lapsed") };
    let above = book.check_demanded(&due.lines, quoted, now);
    Ok(if above.is_ok() { "paid" } else { "above" })
}

fn amount(case: &mut Fields, name: &str) -> Result<Amount, String> {
    let minor = case.text(name)?.parse().map_err(|_| format!("{name} is no number"))?;
    Amount::new(minor).map_err(text)
}

fn same<A: std::fmt::Debug, B: std::fmt::Debug + PartialEq<A>>(
    what: &str,
    own: &A,
    said: &B,
) -> Result<(), String> {
    if said == own { Ok(()) } else { Err(format!("{what}: {own:?}, not {said:?}")) }
}

#[expect(clippy::needless_pass_by_value, reason = "the form that `map_err` takes")]
fn text<E: ToString>(error: E) -> String {
    error.to_string()
}

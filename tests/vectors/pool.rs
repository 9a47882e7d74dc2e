//! Runs the pool vectors: what each holder has earned after each step, to the fraction.

use std::collections::BTreeMap;

use divvy_core::{Amount, Error, Holder, Pool, Units};
use serde_json::Value;

use crate::areas::Tally;
use crate::fields::Fields;

pub(crate) fn run(file: &Value) -> Tally {
    let mut tally = Tally::default();
    if let Err(text) = run_file(file, &mut tally) {
        tally.failures.push(format!("file: {text}"));
    }
    tally
}

fn run_file(file: &Value, tally: &mut Tally) -> Result<(), String> {
    let mut file = Fields::of(file)?;
    file.text("about")?;
    for case in file.list("cases")? {
        let mut case = Fields::of(&case)?;
        let id = case.text("id")?;
        tally.cases += 1;
        if let Err(text) = run_case(case, tally) {
            tally.failures.push(format!("{id}: {text}"));
        }
    }
    file.done()
}

/// A pool and its holders, each by name.
struct Life {
    pool: Pool,
    holders: BTreeMap<String, Holder>,
}

fn run_case(mut case: Fields, tally: &mut Tally) -> Result<(), String> {
    let pool = Pool::open(units(&case.text("supply")?)?).map_err(|error| error.to_string())?;
    same("scale", &pool.scale().to_string(), &case.text("scale")?)?;
    let mut life = Life { pool, holders: BTreeMap::new() };
    for (at, step) in case.list("steps")?.iter().enumerate() {
        tally.checks += 1;
        life.step(Fields::of(step)?, tally).map_err(|text| format!("step {at}: {text}"))?;
    }
    case.done()
}

impl Life {
    fn step(&mut self, mut step: Fields, tally: &mut Tally) -> Result<(), String> {
        let done = match step.text("do")?.as_str() {
            "issue" => {
                let (name, units) = (step.text("holder")?, units(&step.text("units")?)?);
                self.change(&name, |pool, holder| pool.issue(holder, units))
            }
            "redeem" => {
                let (name, units) = (step.text("holder")?, units(&step.text("units")?)?);
                self.change(&name, |pool, holder| pool.redeem(holder, units))
            }
            "move" => {
                let (from, to) = (step.text("from")?, step.text("to")?);
                self.transfer(&from, &to, units(&step.text("units")?)?)
            }
            "declare" => {
                let amount = step.text("amount")?.parse().map_err(|_| "an amount")?;
                Amount::new(amount).and_then(|amount| self.pool.declare(amount))
            }
            other => return Err(format!("unknown step {other:?}")),
        };
        self.pool.check().map_err(|error| error.to_string())?;
        match (done, step.optional("refused")) {
            (Err(error), Some(code)) => {
                if error.code().name() == "amount_above_ceiling" {
                    tally.beyond.push(error.to_string());
                }
                same("refused", &error.code().name(), code.as_str().unwrap_or_default())?;
            }
            (Err(error), None) => return Err(format!("refused: {error}")),
            (Ok(()), Some(code)) => return Err(format!("should be refused with {code}")),
            (Ok(()), None) => self.compare(Fields::of(&step.value("after")?)?)?,
        }
        step.done()
    }

    fn change(
        &mut self,
        name: &str,
        change: impl FnOnce(&mut Pool, &mut Holder) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut holder = self.holders.get(name).copied().unwrap_or_default();
        change(&mut self.pool, &mut holder)?;
        self.holders.insert(name.to_owned(), holder);
        Ok(())
    }

    fn transfer(&mut self, from: &str, to: &str, units: Units) -> Result<(), Error> {
        let held = |name: &str| self.holders.get(name).copied().unwrap_or_default();
        let (mut gives, mut gets) = (held(from), held(to));
        self.pool.transfer(&mut gives, &mut gets, units)?;
        self.holders.insert(from.to_owned(), gives);
        self.holders.insert(to.to_owned(), gets);
        Ok(())
    }

    fn compare(&self, mut after: Fields) -> Result<(), String> {
        same("index", &self.pool.index().to_string(), &after.text("index")?)?;
        same("rest", &self.pool.rest().to_string(), &after.text("rest")?)?;
        same("declared", &self.pool.declared().to_string(), &after.text("declared")?)?;
        same("supply", &self.pool.supply().to_string(), &after.text("supply")?)?;
        let wanted = after.entries("holders")?;
        if wanted.len() != self.holders.len() {
            return Err(format!("{} holders, not {}", self.holders.len(), wanted.len()));
        }
        for (name, wanted) in &wanted {
            let mut holder = *self.holders.get(name).ok_or_else(|| format!("no holder {name}"))?;
            let earned = self.pool.earned(&holder);
            // Looking at a holder changes only where they were last looked at.
            self.pool.clone().touch(&mut holder).map_err(|error| error.to_string())?;
            let mut wanted = Fields::of(wanted)?;
            same(name, &holder.units().to_string(), &wanted.text("units")?)?;
            same(name, &holder.fraction().to_string(), &wanted.text("fraction")?)?;
            let text = wanted.text("earned")?;
            same(name, &earned.to_string(), &text)?;
            same(name, &holder.earned().to_string(), &text)?;
            wanted.done()?;
        }
        after.done()
    }
}

fn units(text: &str) -> Result<Units, String> {
    Units::parse(text).map_err(|error| error.to_string())
}

fn same(what: &str, found: &str, wanted: &str) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(format!("{what}: {found}, not {wanted}")) }
}

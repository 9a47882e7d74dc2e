//! Behaviour as data: every vector of every area, run against the crate.
//!
//! An area is one line in `areas!` and one room under `tests/vectors/`. A runner fails on a
//! kind, a rule or a field that it does not know, so that no vector is ever passed over in
//! silence. `DIVVY_VECTORS` names another folder of vectors; `AREA` picks one area.

#![expect(clippy::arithmetic_side_effects, reason = "overflow panics here, which fails the test")]

#[cfg(test)]
#[path = "vectors/allocation.rs"]
mod allocation;
#[cfg(test)]
#[path = "vectors/approval.rs"]
mod approval;
#[cfg(test)]
#[path = "vectors/conversion.rs"]
mod conversion;
#[cfg(test)]
#[path = "vectors/fact.rs"]
mod fact;
#[cfg(test)]
#[path = "vectors/fields.rs"]
mod fields;
#[cfg(test)]
#[path = "vectors/message.rs"]
mod message;
#[cfg(test)]
#[path = "vectors/policy.rs"]
mod policy;
#[cfg(test)]
#[path = "vectors/pool.rs"]
mod pool;
#[cfg(test)]
#[path = "vectors/properties.rs"]
mod properties;
#[cfg(test)]
#[path = "vectors/reconcile.rs"]
mod reconcile;
#[cfg(test)]
#[path = "vectors/reversal.rs"]
mod reversal;
#[cfg(test)]
#[path = "vectors/rule.rs"]
mod rule;
#[cfg(test)]
#[path = "vectors/solana.rs"]
mod solana;
#[cfg(test)]
#[path = "vectors/solana_orders.rs"]
mod solana_orders;
#[cfg(test)]
#[path = "vectors/solana_places.rs"]
mod solana_places;
#[cfg(test)]
#[path = "vectors/solana_plans.rs"]
mod solana_plans;
#[cfg(test)]
#[path = "vectors/treasury.rs"]
mod treasury;
#[cfg(test)]
#[path = "vectors/webhook.rs"]
mod webhook;

#[cfg(test)]
mod areas {
    use std::io::Write as _;
    use std::path::{Path, PathBuf};
    use std::{env, fs, io};

    use serde_json::Value;

    use crate::fields::Fields;

    /// What a runner did.
    #[derive(Default)]
    pub(crate) struct Tally {
        /// How many cases ran.
        pub(crate) cases: usize,
        /// How many results were compared; a case may hold several.
        pub(crate) checks: usize,
        /// Cases whose numbers our types refuse; the refusal was asserted.
        pub(crate) beyond: Vec<String>,
        /// What did not hold, each beginning with the case's id.
        pub(crate) failures: Vec<String>,
    }

    impl Tally {
        /// Runs every case of one part of a file; a part without cases is a failure.
        pub(crate) fn hold_each(
            &mut self,
            file: &Value,
            part: &str,
            hold: fn(Fields, &mut Self) -> Result<(), String>,
        ) {
            let cases = file.get(part).and_then(Value::as_array).cloned().unwrap_or_default();
            if cases.is_empty() {
                self.failures.push(format!("file: no {part}"));
            }
            for case in cases {
                self.cases += 1;
                if let Err(text) = Fields::of(&case).and_then(|case| hold(case, self)) {
                    self.failures.push(format!("{}: {text}", case.get("id").unwrap_or(&case)));
                }
            }
        }
    }

    /// Declares the areas: a test each, named after the area, with its file and its runner.
    macro_rules! areas {
        ($($area:ident: $file:literal, $run:path;)+) => {
            const AREAS: &[&str] = &[$(stringify!($area)),+];

            $(
                #[test]
                fn $area() {
                    hold(stringify!($area), $file, $run);
                }
            )+
        };
    }

    areas! {
        allocation: "allocation/allocation_cases.json", crate::allocation::run;
        approval: "approval/approvals.json", crate::approval::run;
        conversion: "conversion/conversions.json", crate::conversion::run;
        fact: "fact/facts.json", crate::fact::run;
        message: "webhook/messages.json", crate::message::run;
        policy: "policy/periods.json", crate::policy::run;
        pool: "pool/pool.json", crate::pool::run;
        reconcile: "reconcile/reconcile.json", crate::reconcile::run;
        reversal: "reversal/clawback.json", crate::reversal::run;
        rule: "rule/rules.json", crate::rule::run;
        solana: "solana/solana.json", crate::solana::run;
        treasury: "treasury/runway.json", crate::treasury::run;
        webhook: "webhook/standard_webhooks.json", crate::webhook::run;
    }

    /// An area without a line above may have a runner elsewhere, but then it has a folder.
    #[test]
    fn the_area_that_is_asked_for_is_there() {
        let Some(area) = setting("AREA") else { return };
        let there = AREAS.contains(&area.as_str()) || folder().join(&area).is_dir();
        assert!(there, "no area {area}: there are {}", AREAS.join(", "));
    }

    fn hold(area: &str, file: &str, run: fn(&Value) -> Tally) {
        if setting("AREA").is_some_and(|only| only != area) {
            return;
        }
        let path = folder().join(file);
        let Ok(text) = fs::read_to_string(&path) else {
            say(&format!("{area}: skipped, no file {}", path.display()));
            return;
        };
        let tally = run(&serde_json::from_str(&text).expect("vectors are JSON"));
        let counts = format!("{} cases, {} checks", tally.cases, tally.checks);
        say(&format!("{area}: {counts}, {} refused beyond the ceiling", tally.beyond.len()));
        let failures = tally.failures;
        assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n"));
    }

    fn folder() -> PathBuf {
        let here = || Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
        setting("DIVVY_VECTORS").map_or_else(here, PathBuf::from)
    }

    #[expect(clippy::disallowed_methods, reason = "a test run is set up by its environment")]
    fn setting(name: &str) -> Option<String> {
        env::var(name).ok().filter(|value| !value.is_empty())
    }

    /// Past the test harness's capture: whoever runs vectors wants to see how many ran.
    fn say(line: &str) {
        writeln!(io::stdout(), "{line}").expect("standard output is open");
    }
}

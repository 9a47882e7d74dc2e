//! Behaviour as data: every vector of every area, run against the crate.
//!
//! An area is one line in [`AREAS`] and one room under `tests/vectors/`. A runner fails on a
//! kind, a rule or a field that it does not know, so that no vector is ever passed over in
//! silence. `DIVVY_VECTORS` names another folder of vectors; `AREA` picks one area.

#![expect(clippy::arithmetic_side_effects, reason = "overflow panics here, which fails the test")]

#[cfg(test)]
#[path = "vectors/allocation.rs"]
mod allocation;
#[cfg(test)]
#[path = "vectors/fields.rs"]
mod fields;
#[cfg(test)]
#[path = "vectors/properties.rs"]
mod properties;

#[cfg(test)]
mod areas {
    use std::io::Write as _;
    use std::path::{Path, PathBuf};
    use std::{env, fs, io};

    use serde_json::Value;

    /// One file of vectors, and who runs it.
    struct Area {
        name: &'static str,
        /// Inside the folder of vectors.
        file: &'static str,
        run: fn(&Value) -> Tally,
    }

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

    const AREAS: &[Area] = &[Area {
        name: "allocation",
        file: "allocation/allocation_cases.json",
        run: super::allocation::run,
    }];

    #[test]
    fn every_vector_holds() {
        let only = setting("AREA");
        let known = |name: &String| AREAS.iter().any(|area| area.name == *name);
        assert!(only.as_ref().is_none_or(known), "no area {only:?}");
        let here = || Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
        let folder = setting("DIVVY_VECTORS").map_or_else(here, PathBuf::from);
        let mut failures = Vec::new();
        for area in AREAS.iter().filter(|area| only.as_ref().is_none_or(|only| only == area.name)) {
            let path = folder.join(area.file);
            let Ok(text) = fs::read_to_string(&path) else {
                say(&format!("{}: skipped, no file {}", area.name, path.display()));
                continue;
            };
            let tally = (area.run)(&serde_json::from_str(&text).expect("vectors are JSON"));
            let counts = format!("{} cases, {} checks", tally.cases, tally.checks);
            let beyond = tally.beyond.len();
            say(&format!("{}: {counts}, {beyond} refused beyond the ceiling", area.name));
            failures.extend(tally.failures.into_iter().map(|text| format!("{} {text}", area.name)));
        }
        assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n"));
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

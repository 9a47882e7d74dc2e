//! The error codes and their vector say the same, in both directions.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::PathBuf;

use divvy_core::{Code, Who};
use serde_json::Value;

use crate::house::{none, root};

const FILE: &str = "error/codes.json";

/// What every language shares about a code.
type Shared = (u64, String, String);

#[test]
fn every_error_code_is_frozen_in_its_vector_and_every_frozen_code_exists() {
    let ours = codes();
    let (folder, elsewhere) = folder();
    match fs::read_to_string(folder.join(FILE)) {
        Ok(text) => {
            none(differences(&ours, &frozen(&text).expect("the vector is well formed")));
            println!("{FILE}: {} cases", ours.len());
        }
        Err(error) if elsewhere => println!("{FILE}: skipped, {error}"),
        Err(error) => panic!("{FILE}: {error}"),
    }

    // Planted: one code lost, one renumbered, one renamed, one blamed on somebody else.
    let first = (1001, "amount_above_ceiling".to_owned(), "you".to_owned());
    for (number, name, who) in
        [(1099, &first.1, &first.2), (1001, &first.2, &first.2), (1001, &first.1, &first.1)]
    {
        let mut planted = ours.clone();
        assert!(planted.remove(&first));
        assert_eq!(differences(&ours, &planted).len(), 1);
        planted.insert((number, name.clone(), who.clone()));
        assert_eq!(differences(&ours, &planted).len(), 2);
    }
}

#[test]
fn the_codes_are_numbered_upward_and_no_name_is_used_twice() {
    let numbers: Vec<_> = Code::ALL.iter().map(|code| code.number()).collect();
    assert!(numbers.is_sorted_by(|low, high| low < high), "out of order: {numbers:?}");
    let names: BTreeSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(names.len(), Code::ALL.len());
}

#[test]
fn an_unknown_field_in_the_vector_is_refused() {
    let case = r#"{"number": 1, "name": "a", "who": "you"}"#;
    let newer = r#"{"number": 1, "name": "a", "who": "you", "since": 2}"#;
    let file = |case: &str| format!("{{\"about\": \"\", \"cases\": [{case}]}}");
    assert!(frozen(&file(case)).is_ok());
    assert!(frozen(&file(newer)).is_err());
    assert!(frozen(&file(case).replace("about", "kind")).is_err());
    assert!(frozen(&file(&format!("{case}, {case}"))).is_err());
}

/// Where the vectors are read from, and whether that is not our own folder.
#[expect(clippy::disallowed_methods, reason = "the one setting of every runner of vectors")]
fn folder() -> (PathBuf, bool) {
    let named = env::var_os("DIVVY_VECTORS");
    let elsewhere = named.is_some();
    (named.map_or_else(|| root().join("vectors"), PathBuf::from), elsewhere)
}

fn codes() -> BTreeSet<Shared> {
    let who = |code: &Code| match code.who() {
        Who::You => "you",
        Who::World => "world",
        Who::Us => "us",
        _ => panic!("a fourth one to blame needs a word here"),
    };
    let shared = |code: &Code| (u64::from(code.number()), code.name(), who(code).to_owned());
    Code::ALL.iter().map(shared).collect()
}

fn frozen(text: &str) -> Result<BTreeSet<Shared>, String> {
    let file: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    only(&file, &["about", "cases"])?;
    let cases = file["cases"].as_array().ok_or("there are no cases")?;
    let mut all = BTreeSet::new();
    for case in cases {
        only(case, &["number", "name", "who"])?;
        let number = case["number"].as_u64().ok_or("a code has a number")?;
        let name = case["name"].as_str().ok_or("a code has a name")?;
        let who = case["who"].as_str().ok_or("a code has one to blame")?;
        if !all.insert((number, name.to_owned(), who.to_owned())) {
            return Err(format!("a case is there twice: {case}"));
        }
    }
    Ok(all)
}

/// Refuses a field that this runner does not know, so that no case is half understood.
fn only(value: &Value, known: &[&str]) -> Result<(), String> {
    let fields = value.as_object().ok_or("an object is wanted")?;
    let unknown = fields.keys().find(|key| !known.contains(&key.as_str()));
    unknown.map_or(Ok(()), |key| Err(format!("a field that this runner does not know: {key}")))
}

fn differences(ours: &BTreeSet<Shared>, frozen: &BTreeSet<Shared>) -> Vec<String> {
    let missing = ours.difference(frozen).map(|code| format!("vectors/{FILE} lacks {code:?}"));
    let extra = frozen.difference(ours).map(|code| format!("divvy-core lacks {code:?}"));
    missing.chain(extra).collect()
}

//! The error codes and their vector say the same, in both directions.

use std::collections::BTreeSet;
use std::fs;

use divvy_core::{Code, Who};
use serde_json::Value;

use crate::house::{none, root};

const FILE: &str = "vectors/error/codes.json";

/// What every language shares about a code.
type Shared = (u64, String, String);

#[test]
fn every_error_code_is_frozen_in_its_vector_and_every_frozen_code_exists() {
    let ours = codes();
    let text = fs::read_to_string(root().join(FILE)).expect("the vector of codes is there");
    none(differences(&ours, &frozen(&text)));
    println!("{FILE}: {} codes", ours.len());

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
#[should_panic(expected = "a field that this runner does not know")]
fn an_unknown_field_in_the_vector_is_refused() {
    frozen("{\"about\":\"\",\"cases\":[{\"number\":1,\"name\":\"a\",\"who\":\"you\",\"new\":1}]}");
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

fn frozen(text: &str) -> BTreeSet<Shared> {
    let file: Value = serde_json::from_str(text).expect("the vector is JSON");
    let cases = file["cases"].as_array().expect("the vector has cases");
    let word = |value: &Value| value.as_str().expect("a name and who are text").to_owned();
    let mut all = BTreeSet::new();
    for case in cases {
        let fields = case.as_object().expect("a case is an object");
        let known = fields.keys().all(|key| ["number", "name", "who"].contains(&key.as_str()));
        assert!(known, "a field that this runner does not know: {case}");
        let number = case["number"].as_u64().expect("a code has a number");
        all.insert((number, word(&case["name"]), word(&case["who"])));
    }
    assert_eq!(all.len(), cases.len(), "a case is there twice");
    all
}

fn differences(ours: &BTreeSet<Shared>, frozen: &BTreeSet<Shared>) -> Vec<String> {
    let missing = ours.difference(frozen).map(|code| format!("{FILE} lacks {code:?}"));
    let extra = frozen.difference(ours).map(|code| format!("divvy-core lacks {code:?}"));
    missing.chain(extra).collect()
}

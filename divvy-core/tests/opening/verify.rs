//! What verification finds, and that it says where.

use divvy_core::{Body, Code, Error, Fact, Time, Verified, Verify};

use crate::history::History;

fn verify(facts: &[Fact]) -> Result<Verified, Error> {
    let mut verify = Verify::new();
    facts.chunks(7).try_for_each(|page| verify.feed(page))?;
    verify.finish()
}

fn place(facts: &[Fact], kind: &str) -> usize {
    facts.iter().rposition(|fact| fact.kind == kind).unwrap()
}

fn named(fact: &Fact) -> String {
    format!("fact {} of {} ({})", fact.n, fact.stream, fact.kind)
}

#[test]
fn a_sound_history_verifies_to_the_live_fold() {
    for seed in 1..=20 {
        let history = History::new(seed, 400);
        let verified = verify(&history.facts).unwrap();
        assert_eq!(verified.facts, history.facts.len() as u64);
        assert_eq!(verified.digest, history.books.digest());
        verified.compare(&history.books).unwrap();

        let (_, but_one) = history.facts.split_last().unwrap();
        let shorter = verify(but_one).unwrap_or_else(|_| verified.clone());
        let differs = shorter.compare(&history.books).is_err();
        assert!(differs || shorter.facts == verified.facts, "seed {seed}");
    }
}

#[test]
fn an_altered_fact_is_named() {
    let mut history = History::new(8, 400);
    for _ in 0..100 {
        let mut facts = history.facts.clone();
        let at = usize::try_from(history.below(facts.len() as u64)).unwrap();
        let fact = &mut facts[at];
        match history.below(4) {
            0 => fact.at = Time::from_millis(fact.at.millis() ^ 1),
            1 => fact.hash = fact.hash.then(&fact.hash),
            2 => fact.bytes.push(0),
            _ => *fact.bytes.last_mut().unwrap() ^= 1,
        }
        let named = named(fact);
        let error = verify(&facts).unwrap_err();
        assert_eq!(error.code(), Code::FactTampered, "{error}");
        assert!(error.to_string().starts_with(&named), "{error}, not {named}");
    }
}

#[test]
fn a_missing_fact_is_named_by_the_one_after_it() {
    let history = History::new(9, 400);
    for kind in ["opened.1", "pool_opened.1", "planned.1", "run.1", "claimed.1"] {
        let mut facts = history.facts.clone();
        let first = facts.iter().position(|fact| fact.kind == kind).unwrap();
        let gone = facts.remove(first);
        let after = facts.iter().find(|fact| fact.stream == gone.stream).unwrap();
        let error = verify(&facts).unwrap_err();
        assert_eq!(error.code(), Code::FactOrphan, "{error}");
        let missing = format!("{}: fact {} of its stream is missing", named(after), gone.n);
        assert!(error.to_string().starts_with(&missing), "{error}, not {missing}");
    }
}

#[test]
fn a_stream_that_was_taken_out_whole_is_missed_by_what_rests_on_it() {
    let history = History::new(10, 400);
    let facts = &history.facts;
    let declared = place(facts, "declared.1");
    let Body::Declared(body) = facts[declared].body().unwrap() else { unreachable!() };
    let batch = facts[place(facts, "planned.1")].stream.clone();
    for (stream, who) in [(body.payments[0].clone(), "(declared.1)"), (batch, "(planned.1)")] {
        let left = facts.iter().filter(|fact| fact.stream != stream);
        let error = verify(&left.cloned().collect::<Vec<_>>()).unwrap_err();
        assert_eq!(error.code(), Code::FactOrphan, "{error}");
        assert!(error.to_string().contains(who), "{error}");
    }
}

#[test]
fn a_fact_that_is_there_twice_is_named() {
    let history = History::new(11, 200);
    for kind in ["recorded.1", "issued.1", "settled.1"] {
        let mut facts = history.facts.clone();
        let again = facts[place(&facts, kind)].clone();
        facts.push(again.clone());
        let error = verify(&facts).unwrap_err();
        assert_eq!(error.code(), Code::FactOrphan, "{error}");
        assert!(error.to_string().starts_with(&named(&again)), "{error}");
    }
}

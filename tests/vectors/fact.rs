//! Runs the fact vectors: one encoding of each body, its place in the chain, what is refused.

use std::collections::BTreeSet;

use divvy_core::{Body, Error, Fact, Hash, Head, Name, Stream, Time};
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
    let facts = file.list("facts")?;
    for case in &facts {
        hold(tally, case, fact);
    }
    for chain in file.list("chains")? {
        let links = chain.as_array().ok_or("a chain is a list")?;
        let mut before: Option<Head> = None;
        for case in links {
            hold(tally, case, |case| {
                let fact = fact(case)?;
                let start = Head::start(fact.stream.clone());
                said(fact.check(before.as_ref().unwrap_or(&start)))?;
                before = Some(Head::after(&fact));
                Ok(fact)
            });
        }
    }
    for case in file.list("refused")? {
        hold(tally, &case, refused);
    }
    for case in file.list("streams")? {
        hold(tally, &case, |case| accepted(case, |text| Stream::parse(text).map(drop)));
    }
    for case in file.list("names")? {
        hold(tally, &case, |case| accepted(case, |text| Name::new(text).map(drop)));
    }
    every_kind_is_there_twice(&facts)?;
    file.done()
}

fn hold<T>(tally: &mut Tally, case: &Value, run: impl FnOnce(Fields) -> Result<T, String>) {
    tally.cases += 1;
    tally.checks += 1;
    if let Err(text) = Fields::of(case).and_then(run) {
        let id = case.get("id").or_else(|| case.get("text")).unwrap_or(case);
        tally.failures.push(format!("{id}: {text}"));
    }
}

fn fact(mut case: Fields) -> Result<Fact, String> {
    case.text("id")?;
    let stream = said(Stream::parse(&case.text("stream")?))?;
    let n = case.text("n")?.parse().map_err(|_| "n is no number")?;
    let at = case.text("at")?;
    let time = said(Time::parse(&at))?;
    same("at", &time.to_string(), &at)?;
    let before = hash(&case.text("before")?)?;
    if n == 0 && Head::start(stream.clone()).hash != before {
        return Err("fact 0 does not chain from its stream's name".to_owned());
    }
    let json = case.value("body")?;
    let body: Body = serde_json::from_value(json.clone()).map_err(|error| error.to_string())?;
    same("kind", body.kind(), &case.text("kind")?)?;
    let written = serde_json::to_value(&body).map_err(|error| error.to_string())?;
    same("json", &written.to_string(), &json.to_string())?;
    same("bytes", &hex(&body.encode()), &case.text("bytes")?)?;
    let fact = Fact::new(&Head { stream, n, hash: before }, time, &body);
    if said(fact.body_strict())? != body {
        return Err("its bytes read as another body".to_owned());
    }
    same("hash", &fact.hash.to_string(), &case.text("hash")?)?;
    case.done()?;
    Ok(fact)
}

fn refused(mut case: Fields) -> Result<(), String> {
    case.text("id")?;
    let (kind, bytes) = (case.text("kind")?, unhex(&case.text("bytes")?)?);
    let code = case.text("code")?;
    let name = |read: Result<Body, Error>| match read {
        Ok(body) => format!("{body:?}"),
        Err(error) => error.code().name(),
    };
    let at_once = match case.text("by")?.as_str() {
        "every reader" => true,
        "verify" => false,
        by => return Err(format!("unknown reader {by:?}")),
    };
    if at_once {
        same("decoded", &name(Body::decode(&kind, &bytes)), &code)?;
    } else {
        said(Body::decode(&kind, &bytes))?;
    }
    let head = Head::start(said(Stream::parse("rule/b"))?);
    let body = Body::Review(divvy_core::Review { reason: String::new() });
    let mut fact = Fact::new(&head, Time::ZERO, &body);
    (fact.kind, fact.bytes) = (kind.into(), bytes);
    same("verified", &name(fact.body_strict()), &code)?;
    case.done()
}

fn accepted(mut case: Fields, read: impl Fn(&str) -> Result<(), Error>) -> Result<(), String> {
    let found = read(&case.text("text")?);
    let wanted = case.value("accepted")?;
    case.done()?;
    match (&found, wanted.as_bool()) {
        (Ok(()), Some(true)) => Ok(()),
        (Err(error), Some(false)) => same("code", &error.code().name(), "name_malformed"),
        _ => Err(format!("{found:?}, but accepted should be {wanted}")),
    }
}

/// A file of another place need not know every kind; ours does.
fn every_kind_is_there_twice(facts: &[Value]) -> Result<(), String> {
    let kinds: Vec<&str> = facts.iter().filter_map(|case| case["kind"].as_str()).collect();
    let ours: BTreeSet<&str> = Body::KINDS.iter().copied().collect();
    let lonely = ours.iter().find(|kind| kinds.iter().filter(|other| other == kind).count() < 2);
    lonely.map_or(Ok(()), |kind| Err(format!("{kind} has fewer than two cases")))
}

fn said<T>(result: Result<T, Error>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}

fn same(what: &str, found: &str, wanted: &str) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(format!("{what}: {found}, not {wanted}")) }
}

fn hash(text: &str) -> Result<Hash, String> {
    Hash::parse(text).ok_or_else(|| format!("{text:?} is no hash"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Result<Vec<u8>, String> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| str::from_utf8(pair).ok().map(|pair| u8::from_str_radix(pair, 16));
    let bytes = pairs.iter().map(|pair| byte(pair).and_then(Result::ok)).collect::<Option<_>>();
    bytes.filter(|_| rest.is_empty()).ok_or_else(|| format!("{text:?} is no hexadecimal text"))
}

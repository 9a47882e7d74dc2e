//! Runs the approval vectors: what people sign to approve a batch, to let others follow them, and
//! to decide; and that no two statements are one.

use std::collections::BTreeSet;

use divvy_core::{
    Amount, Approved, Asked, Asset, Batch, Body, Fact, Hash, Head, Name, Person, PublicKey,
    SecretKey, Signature, Stream, Time,
};
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
    let mut digests = BTreeSet::new();
    let parts: [(&str, Run); 3] = [("cases", run_case), ("guards", run_guard), ("acts", run_act)];
    for (part, run) in parts {
        for case in file.list(part)? {
            let mut case = Fields::of(&case)?;
            let id = case.text("id")?;
            tally.cases += 1;
            match run(case, tally) {
                Ok(digest) if digests.insert(digest.clone()) => (),
                Ok(digest) => tally.failures.push(format!("{id}: {digest} is signed twice")),
                Err(text) => tally.failures.push(format!("{id}: {text}")),
            }
        }
    }
    file.done()
}

type Run = fn(Fields, &mut Tally) -> Result<String, String>;

/// What those in force sign so that others follow.
fn run_guard(mut case: Fields, tally: &mut Tally) -> Result<String, String> {
    let runs = said(Stream::parse(&case.text("runs")?))?;
    let Body::Guarded(guarded) = body(&mut case)? else { return Err("no guard".to_owned()) };
    let before = number(&mut case, "before")?;
    hold_signed(case, guarded.digest(&runs, before), tally)
}

/// What a person signs to decide.
fn run_act(mut case: Fields, tally: &mut Tally) -> Result<String, String> {
    let stream = said(Stream::parse(&case.text("stream")?))?;
    let Body::Decided(decided) = body(&mut case)? else { return Err("no decision".to_owned()) };
    let n = number(&mut case, "n")?;
    hold_signed(case, decided.digest_at(&stream, n), tally)
}

fn hold_signed(mut case: Fields, digest: Hash, tally: &mut Tally) -> Result<String, String> {
    let (secret, key) = keys(&mut case)?;
    let signature = said(Signature::parse(&case.text("signature")?))?;
    same("digest", &digest.to_string(), &case.text("digest")?)?;
    same("signature", &secret.sign(&digest).to_string(), &signature.to_string())?;
    if !key.has_signed(&digest, &signature) {
        return Err("its signature does not count".to_owned());
    }
    tally.checks += 4;
    case.done()?;
    Ok(digest.to_string())
}

fn body(case: &mut Fields) -> Result<Body, String> {
    said(serde_json::from_value(case.value("body")?))
}

fn number(case: &mut Fields, name: &str) -> Result<u64, String> {
    said(case.text(name)?.parse())
}

fn keys(case: &mut Fields) -> Result<(SecretKey, PublicKey), String> {
    let seed = Hash::parse(&case.text("seed")?).ok_or("a seed is 64 hexadecimal digits")?;
    let secret = SecretKey::new(seed.as_bytes());
    let key = said(PublicKey::parse(&case.text("key")?))?;
    same("key", &secret.public().to_string(), &key.to_string())?;
    Ok((secret, key))
}

fn run_case(mut case: Fields, tally: &mut Tally) -> Result<String, String> {
    let (secret, key) = keys(&mut case)?;
    let name = said(Name::new("ann"))?;
    let asked = Asked {
        approvals: 1,
        people: vec![Person { name: name.clone(), key }],
        expires_secs: 60,
        asset: said(Asset::parse(&case.text("asset")?))?,
        fee_max: Amount::new(case.text("fee_max")?.parse().map_err(|_| "fee_max")?)
            .map_err(|error| error.to_string())?,
    };
    let planned = serde_json::from_value(case.value("planned")?);
    let planned: Body = planned.map_err(|error| error.to_string())?;
    let head = Head::start(said(Stream::parse(&case.text("batch")?))?);
    let signed_at = said(Time::parse(&case.text("signed_at")?))?;
    let facts = Fact::chain(&head, signed_at, &[planned, Body::Asked(asked)]);
    let mut batch = said(Batch::fold(&facts))?;
    let digest = said(batch.approval(signed_at))?;
    same("digest", &digest.to_string(), &case.text("digest")?)?;
    let signature = secret.sign(&digest);
    same("signature", &signature.to_string(), &case.text("signature")?)?;
    let approved = Body::Approved(Approved { by: name, signed_at, signature });
    said(batch.apply(&Fact::new(batch.head(), signed_at, &approved)))?;
    if !batch.is_approved(signed_at) {
        return Err("its signature does not approve it".to_owned());
    }
    tally.checks += 4;
    case.done()?;
    Ok(digest.to_string())
}

fn said<T, E: ToString>(outcome: Result<T, E>) -> Result<T, String> {
    outcome.map_err(|error| error.to_string())
}

fn same(what: &str, found: &str, wanted: &str) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(format!("{what} is {found}, not {wanted}")) }
}

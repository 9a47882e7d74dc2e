//! Runs the approval vectors: what is signed to approve a batch, and by whom.

use std::collections::BTreeSet;

use divvy_core::{
    Amount, Approved, Asked, Asset, Batch, Body, Fact, Hash, Head, Name, Person, PublicKey,
    SecretKey, Stream, Time,
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
    for case in file.list("cases")? {
        let mut case = Fields::of(&case)?;
        let id = case.text("id")?;
        tally.cases += 1;
        match run_case(case, tally) {
            Ok(digest) if digests.insert(digest.clone()) => (),
            Ok(digest) => tally.failures.push(format!("{id}: {digest} is signed twice")),
            Err(text) => tally.failures.push(format!("{id}: {text}")),
        }
    }
    file.done()
}

fn run_case(mut case: Fields, tally: &mut Tally) -> Result<String, String> {
    let seed = Hash::parse(&case.text("seed")?).ok_or("a seed is 64 hexadecimal digits")?;
    let secret = SecretKey::new(seed.as_bytes());
    let key = said(PublicKey::parse(&case.text("key")?))?;
    same("key", &secret.public().to_string(), &key.to_string())?;
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

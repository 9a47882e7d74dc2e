//! What a holder can prove, and what a seal shows: on a real database, spoilt in every byte.
#![expect(clippy::unwrap_used, reason = "a test that panics is a red test, which is its purpose")]

use std::sync::Arc;

use divvy::core::danger::{Vouched, vouched};
use divvy::core::{
    Asset, Code, Evidence, Fact, Hash, Leg, Legs, Manner, Name, Opened, Policy, PoolOpened, Proof,
    Seals, Share, Target, Time, Units, Verify,
};
use divvy::{Divvy, Host, Sqlite};

const NOW: Time = Time::from_millis(1_767_225_600_000);

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn usd() -> Asset {
    Asset::parse("USD").unwrap()
}

fn units(units: u64) -> Units {
    Units::new(units).unwrap()
}

/// A pool of seven holders whose declarations commit to them.
async fn show() -> (Divvy, Arc<Sqlite>) {
    let host = Arc::new(Sqlite::in_memory().unwrap());
    let mut divvy = Divvy::open_from(host.clone(), None).await.unwrap();
    let opened = Opened {
        asset: usd(),
        policy: Policy::Instant,
        floor: usd().amount("0.01").unwrap(),
        cooling_secs: 86_400,
        named_on: Some(name("sandbox")),
    };
    let mut book = divvy.open_book_with(&name("show"), opened, NOW).await.unwrap();
    let proven = PoolOpened { supply: units(28), flow_millis: None, proofs: Some(1), payee: None };
    book.open_pool_with(&name("crew"), proven, NOW).await.unwrap();
    let crew: Vec<_> = (1..8_u64).map(|n| (name(&format!("h{n}")), units(n))).collect();
    book.issue("crew", &crew, NOW).await.unwrap();
    let all = Leg { to: Target::Pool("crew".into()), share: Share::Remaining };
    book.set_rule(Time::ZERO, &Legs::new(vec![all]).unwrap(), NOW).await.unwrap();
    (divvy, host)
}

async fn earn(divvy: &mut Divvy, id: &str, price: &str) {
    let evidence = Evidence { source: "door".into(), hash: Hash::of(b"7"), said: String::new() };
    let said = Vouched {
        source: name("door"),
        account: name("main"),
        id: name(id),
        amount: usd().amount(price).unwrap(),
        asset: usd(),
        payer: None,
        event_at: NOW,
        evidence,
    };
    let mut book = divvy.book("show").unwrap();
    book.record(&[vouched(said, &usd()).unwrap()], NOW).await.unwrap();
    book.declare(NOW).await.unwrap();
}

async fn all(host: &Sqlite) -> Vec<Fact> {
    host.since(None, usize::MAX).await.unwrap().facts
}

#[tokio::test]
async fn a_holder_proves_their_part_of_every_declaration_against_a_root() {
    let (mut divvy, host) = show().await;
    earn(&mut divvy, "1", "28.00").await;
    let (first, _) = divvy.seal(NOW).await.unwrap().unwrap();
    earn(&mut divvy, "2", "56.00").await;
    let mut book = divvy.book("show").unwrap();
    let (from, to) = (name("h7"), name("h8"));
    book.move_units("crew", (&from, &to), units(7), NOW).await.unwrap();
    earn(&mut divvy, "3", "2.80").await;
    let (second, count) = divvy.seal(NOW).await.unwrap().unwrap();
    assert_eq!(count, 6, "the seal before, two payments, two declarations and a move");

    let proofs = divvy.prove("show", "h7").await.unwrap();
    let parts = |proofs: &[Proof], roots: &[Hash]| -> Vec<(u64, u64)> {
        let checked = proofs.iter().zip(roots).map(|(proof, root)| proof.check(root).unwrap());
        checked.map(|checked| (checked.units.get(), checked.part.get())).collect()
    };
    // The first declaration is under the first seal, the second under the second; units had moved
    // away before the third.
    assert_eq!(parts(&proofs, &[first, second]), [(7, 700), (7, 1_400)]);
    assert_eq!(proofs.len(), 2);
    let proofs = divvy.prove("show", "h8").await.unwrap();
    assert_eq!(parts(&proofs, &[second]), [(7, 70)]);
    let proofs = divvy.prove("show", "h1").await.unwrap();
    assert_eq!(parts(&proofs, &[first, second, second]), [(1, 100), (1, 200), (1, 10)]);
    for (holder, code) in [("nobody", Code::PayeeUnknown)] {
        assert_eq!(divvy.prove("show", holder).await.unwrap_err().code(), code);
    }
    let verified = divvy.verify().await.unwrap();
    assert_eq!(verified.facts - verified.sealed, 1, "the last seal is under none yet");
    drop(host);
}

#[tokio::test]
async fn a_proof_that_was_altered_anywhere_does_not_hold() {
    let (mut divvy, _host) = show().await;
    earn(&mut divvy, "1", "28.00").await;
    let proof = divvy.prove("show", "h3").await.unwrap().remove(0);
    let root = proof.declared.fact().unwrap().hash;
    assert_eq!(proof.check(&root).unwrap().part.get(), 300);
    divvy.seal(NOW).await.unwrap();
    let sealed = divvy.prove("show", "h3").await.unwrap().remove(0);
    let seal = divvy.books().sealed().unwrap().1.root;
    assert_eq!(sealed.check(&seal).unwrap(), proof.check(&root).unwrap());
    // Of another root nothing is shown.
    assert_eq!(sealed.check(&root).unwrap_err().code(), Code::ProofWrong);

    // Method: every character of the text is changed to another one; what still reads as a proof
    // must not lead to the root, or show the very same. (How many facts a seal covers is not in its
    // root: of two numbers the same way up may be true.)
    let shown = sealed.check(&seal).unwrap();
    let text = serde_json::to_string(&sealed).unwrap();
    let mut read = 0;
    for at in 0..text.len() {
        for other in *b"0179af,x" {
            let mut spoilt = text.clone().into_bytes();
            if spoilt[at] == other {
                continue;
            }
            spoilt[at] = other;
            let Ok(spoilt) = serde_json::from_slice::<Proof>(&spoilt) else { continue };
            if spoilt == sealed {
                continue;
            }
            read += 1;
            let other = char::from(other);
            let same = spoilt.check(&seal).is_ok_and(|also| also == shown);
            let wrong = spoilt.check(&seal).is_err();
            assert!(wrong || (same && spoilt.holding == sealed.holding), "{other} at {at}");
        }
    }
    assert!(read > 1_000, "{read} changes still read as a proof");
}

#[tokio::test]
async fn whatever_is_altered_taken_away_or_put_in_is_found_and_named() {
    let (mut divvy, host) = show().await;
    earn(&mut divvy, "1", "28.00").await;
    earn(&mut divvy, "2", "28.00").await;
    divvy.seal(NOW).await.unwrap();
    earn(&mut divvy, "3", "28.00").await;
    divvy.seal(NOW).await.unwrap();
    let facts = all(&host).await;
    Verify::new().feed(&facts).unwrap();

    let found = |facts: &[Fact]| {
        let mut verify = Verify::new();
        verify.feed(facts).and_then(|()| verify.finish().map(drop)).unwrap_err()
    };
    for at in 0..facts.len() - 1 {
        let mut gone = facts.clone();
        let fact = gone.remove(at);
        let error = found(&gone);
        let codes = [Code::FactTampered, Code::FactOrphan, Code::FactMalformed];
        assert!(codes.contains(&error.code()), "without {}/{}: {error}", fact.stream, fact.n);
        // Each byte of what it says, and everything that is stored beside it.
        let mut spoilt: Vec<Fact> = (0..fact.bytes.len()).map(|_| fact.clone()).collect();
        for (byte, spoilt) in spoilt.iter_mut().enumerate() {
            spoilt.bytes[byte] ^= 1 << (byte % 8);
        }
        let spoil = |spoil: fn(&mut Fact)| {
            let mut spoilt = fact.clone();
            spoil(&mut spoilt);
            spoilt
        };
        spoilt.extend([
            spoil(|fact| fact.bytes.push(0)),
            spoil(|fact| fact.bytes.truncate(fact.bytes.len() - 1)),
            spoil(|fact| fact.at = fact.at.plus_secs(1)),
            spoil(|fact| fact.kind = "lost.1".into()),
            spoil(|fact| fact.hash = Hash::of(b"another")),
            spoil(|fact| fact.n += 1),
        ]);
        for one in spoilt {
            let text = found(&[&facts[..at], &[one], &facts[at + 1..]].concat()).to_string();
            assert!(text.contains(fact.stream.as_str()), "{}: {text}", fact.stream);
        }
    }
    // A payment that was taken away whole, with everything that names it, leaves a gap that only
    // the seal shows.
    let mut gone = facts.clone();
    let orphan = gone.iter().position(|fact| fact.stream.as_str().ends_with("/2")).unwrap();
    gone.remove(orphan);
    let error = Seals::default().feed(&gone).unwrap_err();
    assert_eq!(error.code(), Code::FactTampered);
    assert!(error.to_string().contains("seal/facts"), "{error}");
}

#[tokio::test]
async fn a_declaration_that_commits_to_other_holders_is_refused_by_verify() {
    let (mut divvy, host) = show().await;
    earn(&mut divvy, "1", "28.00").await;
    let mut facts = all(&host).await;
    let at = facts.iter().position(|fact| fact.kind == "declared.1").unwrap();
    let divvy::core::Body::Declared(mut declared) = facts[at].body().unwrap() else { panic!() };
    declared.holders.as_mut().unwrap().root = Hash::of(b"somebody else");
    let head = divvy::core::Head {
        stream: facts[at].stream.clone(),
        n: facts[at].n,
        hash: facts[at - 1].hash,
    };
    let before = facts[..at].iter().rfind(|fact| fact.stream == head.stream).unwrap();
    let head = divvy::core::Head { hash: before.hash, ..head };
    facts[at] = Fact::new(&head, NOW, &divvy::core::Body::Declared(declared));
    let error = Verify::new().feed(&facts).unwrap_err();
    assert_eq!(error.code(), Code::PoolBroken);
}

#[tokio::test]
async fn two_who_seal_at_once_seal_once() {
    let (mut divvy, host) = show().await;
    earn(&mut divvy, "1", "28.00").await;
    let mut other = Divvy::open_from(host.clone(), None).await.unwrap();
    let (one, two) = tokio::join!(divvy.seal(NOW), other.seal(NOW));
    let sealed: Vec<_> = [one.unwrap(), two.unwrap()].into_iter().flatten().collect();
    assert!(!sealed.is_empty());
    assert!(divvy.verify().await.unwrap().sealed > 0);
    // A foreign fact at the seal's address makes it try again, not overwrite.
    let facts = all(&host).await;
    let seal = facts.iter().find(|fact| fact.kind == "sealed.1").unwrap();
    let again = host.commit(vec![seal.clone()], Manner::Together).await.unwrap_err();
    assert_eq!(again.code(), Code::AddressTaken);
}

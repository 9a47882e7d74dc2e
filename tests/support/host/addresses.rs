//! An address is written once, after its predecessor, and whole commits stand or fall.

use std::borrow::Cow;

use divvy::Host;
use divvy::core::{Code, Fact, Hash, Manner, Stream, Time, Written};

use crate::desk::{fresh, open};
use crate::host::{all, block_on, chain, chain_of, commit, read, stream};

const BOTH: [Manner; 2] = [Manner::Together, Manner::EachIfFree];

#[test]
fn an_address_is_written_once_and_the_first_fact_stays() {
    let (host, _place) = fresh();
    let (first, second) = (chain_of("alice", 1, "first"), chain_of("alice", 1, "second"));
    assert_eq!(commit(&host, &first, Manner::Together), Ok(vec![Written::New]));

    for late in [&first, &second] {
        let error = commit(&host, late, Manner::Together).expect_err("a taken address");
        assert_eq!(error.code(), Code::AddressTaken);
        assert!(error.to_string().contains("payee/chapter-42/alice/0"), "{error}");
        assert_eq!(commit(&host, late, Manner::EachIfFree), Ok(vec![Written::Taken]));
    }
    assert_eq!(read(&host, "alice"), first);
    assert_eq!(host.flushes(), 1, "what writes nothing flushes nothing");
}

#[test]
fn one_taken_address_refuses_all_that_stand_together() {
    let (host, _place) = fresh();
    commit(&host, &chain("bob", 1), Manner::Together).expect("a free address");
    let facts: Vec<Fact> =
        ["alice", "bob", "carol"].iter().flat_map(|name| chain(name, 2)).collect();

    let error = commit(&host, &facts, Manner::Together).expect_err("bob was there");
    assert_eq!(error.code(), Code::AddressTaken);
    assert_eq!(all(&host), chain("bob", 1));

    use Written::{New, Taken};
    let written = commit(&host, &facts, Manner::EachIfFree).expect("the others are free");
    assert_eq!(written, [New, New, Taken, New, New, New]);
    assert_eq!(all(&host).len(), 6);
}

#[test]
fn the_same_address_twice_in_one_commit_is_taken_the_second_time() {
    let (host, _place) = fresh();
    let facts = [chain_of("alice", 1, "first"), chain_of("alice", 1, "second")].concat();
    let error = commit(&host, &facts, Manner::Together).expect_err("twice");
    assert_eq!(error.code(), Code::AddressTaken);
    assert_eq!(all(&host), []);
    let written = commit(&host, &facts, Manner::EachIfFree).expect("once");
    assert_eq!(written, [Written::New, Written::Taken]);
    assert_eq!(all(&host), &facts[..1]);
}

#[test]
fn a_fact_without_its_predecessor_is_refused_with_all_that_came_along() {
    let (host, _place) = fresh();
    let (alice, bob) = (chain("alice", 4), chain("bob", 1));
    let orphans: [(&str, Vec<Fact>); 5] = [
        ("nothing before it", vec![alice[1].clone()]),
        ("a gap", vec![alice[0].clone(), alice[2].clone()]),
        ("in the wrong order", vec![alice[1].clone(), alice[0].clone()]),
        ("after a good one of another stream", vec![bob[0].clone(), alice[1].clone()]),
        ("the predecessor of another stream", vec![alice[0].clone(), chain("bob", 2)[1].clone()]),
    ];
    for manner in BOTH {
        for (what, facts) in &orphans {
            let error = commit(&host, facts, manner).expect_err(what);
            assert_eq!(error.code(), Code::FactOrphan, "{what}");
            assert_eq!(all(&host), [], "{what}");
        }
    }
    // Before it in the same commit, next to it or not, or in the database: all are there.
    let apart = [alice[0].clone(), bob[0].clone(), alice[1].clone()];
    commit(&host, &apart, Manner::Together).expect("predecessors in the same commit");
    commit(&host, &alice[2..3], Manner::Together).expect("a predecessor in the database");
    let mixed = commit(&host, &alice[2..], Manner::EachIfFree).expect("after a taken one");
    assert_eq!(mixed, [Written::Taken, Written::New]);
    assert_eq!(read(&host, "alice"), alice);
}

#[test]
fn nothing_to_write_is_written_at_once() {
    let (host, _place) = fresh();
    for manner in BOTH {
        assert_eq!(commit(&host, &[], manner), Ok(vec![]));
    }
    assert_eq!((host.flushes(), read(&host, "nobody")), (0, vec![]));
}

#[test]
fn what_comes_back_is_what_went_in_to_the_last_byte() {
    let (host, place) = fresh();
    let long = "n".repeat(200);
    let odd = ["é–😀", "a'b\"c;--", "%_\\", "Ａ", "a b", &long];
    let mut facts: Vec<Fact> = odd.iter().flat_map(|name| chain(name, 1)).collect();
    let big = |i: usize| u8::try_from(i % 251).expect("below 256");
    let bodies: [Vec<u8>; 4] =
        [vec![], vec![0, 255, 0], b"\xff\xfe\x00".to_vec(), (0..5 << 20).map(big).collect()];
    for (i, bytes) in bodies.into_iter().enumerate() {
        facts.push(Fact {
            stream: Stream::parse(&format!("coins/w{i}")).expect("a stream"),
            n: 0,
            at: if i == 0 { Time::ZERO } else { Time::MAX },
            // A kind of a later build goes through untouched: whoever folds it refuses it.
            kind: Cow::Owned(format!("later.{i}")),
            hash: Hash::of(&bytes),
            bytes,
        });
    }
    commit(&host, &facts, Manner::Together).expect("odd facts are facts");
    let by_address = |fact: &Fact| (fact.stream.clone(), fact.n);
    facts.sort_by_key(by_address);
    for host in [host, open(&place)] {
        let mut found = all(&host);
        found.sort_by_key(by_address);
        assert_eq!(found, facts);
    }
}

#[test]
fn a_number_beyond_the_database_is_refused_and_not_wrapped() {
    let (host, _place) = fresh();
    let mut fact = chain("alice", 1).remove(0);
    fact.n = u64::MAX;
    let error = commit(&host, &[fact], Manner::Together).expect_err("beyond");
    assert_eq!(error.code(), Code::FactMalformed);
    assert_eq!(all(&host), []);
}

#[test]
fn names_that_differ_by_a_letters_case_are_two_streams() {
    let (host, _place) = fresh();
    let facts = [chain("alice", 1), chain("Alice", 1)].concat();
    commit(&host, &facts, Manner::Together).expect("two addresses");
    assert_eq!(block_on(host.read(&stream("Alice"))), Ok(chain("Alice", 1)));
}

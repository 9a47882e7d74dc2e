//! Addresses and commits: once, after their predecessor, whole or not at all.

use divvy_core::{Code, Fact, Manner, Stream, Written};

use crate::Host;
use crate::conformance::desk::{Desk, Verdict, address, broken, complete, each};
use crate::conformance::desk::{WHOLE, reads, refused, write};

const BOTH: [Manner; 2] = [Manner::Together, Manner::EachIfFree];
const TAKEN: [Code; 1] = [Code::AddressTaken];
const ORPHAN: [Code; 1] = [Code::FactOrphan];

pub(super) async fn once(desk: &Desk<'_>) -> Verdict {
    let host = desk.open().await?;
    let stream = desk.stream("alice")?;
    let (first, second) =
        (desk.chain_of("alice", 1, "first")?, desk.chain_of("alice", 1, "second")?);
    write(&*host, &first).await?;
    for late in [&first, &second] {
        refused(&*host, late, Manner::Together, &TAKEN, "a taken address").await?;
        each(&*host, late, &[Written::Taken]).await?;
        reads(&*host, &stream, &first).await?;
    }
    // Within one commit the first stands, as if they had come one after the other.
    let stream = desk.stream("bob")?;
    let twice = [desk.chain_of("bob", 1, "first")?, desk.chain_of("bob", 1, "second")?].concat();
    refused(&*host, &twice, Manner::Together, &TAKEN, "an address twice in one commit").await?;
    reads(&*host, &stream, &[]).await?;
    each(&*host, &twice, &[Written::New, Written::Taken]).await?;
    reads(&*host, &stream, twice.get(..1).unwrap_or_default()).await
}

pub(super) async fn all_or_none(desk: &Desk<'_>) -> Verdict {
    let host = desk.open().await?;
    let taken = desk.chain("taken", 1)?;
    write(&*host, &taken).await?;
    let gap = desk.chain("gap", 2)?.split_off(1);
    for (bad, codes, what) in
        [(&taken, &TAKEN, "a commit with a taken address"), (&gap, &ORPHAN, "one with an orphan")]
    {
        for at in 0..=3_usize {
            let mut names: Vec<Vec<Fact>> = Vec::new();
            for name in ["a", "b", "c"] {
                names.push(desk.chain(&format!("{name}{at}-{}", codes.len()), 2)?);
            }
            let good: Vec<Stream> =
                names.iter().flatten().map(|fact| fact.stream.clone()).collect();
            names.insert(at, bad.clone());
            refused(&*host, &names.concat(), Manner::Together, codes, what).await?;
            none(desk, &*host, &good).await?;
        }
    }
    // An orphan refuses even those that each stand alone: whoever wrote it reads the wrong book.
    let facts = [desk.chain("d", 2)?, gap].concat();
    refused(&*host, &facts, Manner::EachIfFree, &ORPHAN, "one with an orphan").await?;
    none(desk, &*host, &[desk.stream("d")?]).await?;
    // What stands alone is written though a taken one came along.
    let facts = [desk.chain("e", 2)?, taken, desk.chain("f", 1)?].concat();
    each(&*host, &facts, &[Written::New, Written::New, Written::Taken, Written::New]).await
}

/// Nothing of a refused commit is there, however it is looked for.
async fn none(desk: &Desk<'_>, host: &dyn Host, streams: &[Stream]) -> Verdict {
    for stream in streams {
        if let Some(fact) = host.read(stream).await?.first() {
            return broken(format!("{} is there, of a commit that was refused", address(fact)));
        }
    }
    let (found, _) = desk.follow(host, desk.start.as_ref(), WHOLE, 0).await?;
    match found.iter().find(|fact| streams.contains(&fact.stream)) {
        None => Ok(()),
        Some(fact) => {
            broken(format!("a cursor shows {}, of a commit that was refused", address(fact)))
        }
    }
}

pub(super) async fn many_streams(desk: &Desk<'_>) -> Verdict {
    let host = desk.open().await?;
    for manner in BOTH {
        let written = host.commit(vec![], manner).await?;
        if !written.is_empty() {
            return broken(format!("a commit of nothing ({manner:?}) said {written:?}"));
        }
    }
    let mut chains = Vec::new();
    for i in 0..STREAMS {
        chains.push(desk.chain(&format!("s{i:02}"), 3)?);
    }
    // Interleaved: the first of every stream, the second of every stream, and so on.
    let nth = |n: usize| chains.iter().filter_map(move |chain| chain.get(n).cloned());
    let facts: Vec<Fact> = (0..3).flat_map(nth).collect();
    write(&*host, &facts).await?;
    for chain in &chains {
        if let Some(first) = chain.first() {
            reads(&*host, &first.stream, chain).await?;
        }
    }
    let (found, _) = desk.follow(&*host, desk.start.as_ref(), WHOLE, facts.len()).await?;
    complete(&found, &facts, "one commit of many streams, by a cursor")
}

pub(super) async fn orphans(desk: &Desk<'_>) -> Verdict {
    let host = desk.open().await?;
    let (alice, bob) = (desk.chain("alice", 5)?, desk.chain("bob", 2)?);
    let [a0, a1, a2, a3, _] = alice.as_slice() else { return Ok(()) };
    let [b0, b1] = bob.as_slice() else { return Ok(()) };
    let cases: [(&str, Vec<&Fact>); 5] = [
        ("a fact with nothing before it", vec![a1]),
        ("a gap", vec![a0, a2]),
        ("the wrong order", vec![a1, a0]),
        ("an orphan after a good fact of another stream", vec![b0, a1]),
        ("a predecessor of another stream", vec![a0, b1]),
    ];
    for manner in BOTH {
        for (what, facts) in &cases {
            let facts: Vec<Fact> = facts.iter().map(|fact| (*fact).clone()).collect();
            refused(&*host, &facts, manner, &ORPHAN, what).await?;
        }
    }
    // Before it in the same commit, next to it or not, or in the database: all are there.
    write(&*host, &[a0.clone(), b0.clone(), a1.clone()]).await?;
    write(&*host, std::slice::from_ref(a2)).await?;
    each(&*host, &[a2.clone(), a3.clone()], &[Written::Taken, Written::New]).await?;
    let gap = alice.last().cloned().into_iter().map(|mut fact| {
        fact.n = 9;
        fact
    });
    refused(&*host, &gap.collect::<Vec<_>>(), Manner::Together, &ORPHAN, "a gap at the end")
        .await?;
    reads(&*host, &desk.stream("alice")?, alice.get(..4).unwrap_or_default()).await
}

const STREAMS: usize = 40;

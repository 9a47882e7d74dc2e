//! What goes in comes back: streams, names, bytes and numbers.

use std::borrow::Cow;

use divvy_core::{Code, Fact, Hash, Manner, Name, Stream, Time};

use crate::conformance::desk::{Desk, Verdict, address, broken, chain, complete};
use crate::conformance::desk::{WHOLE, reads, refused, same, write};

pub(super) async fn stream_order(desk: &Desk<'_>) -> Verdict {
    let host = desk.open().await?;
    let book = desk.book();
    let mut chains = Vec::new();
    for (i, tail) in NEIGHBOURS.iter().enumerate() {
        let stream = Stream::parse(&tail.replace('B', &book))?;
        chains.push(chain(&stream, LONG, &format!("neighbour {i}")));
    }
    // One after the other, so that no stream is stored in one piece; times run backwards, because
    // the place in a stream is n and nothing else.
    for n in 0..LONG {
        let nth = chains.iter().filter_map(|chain| chain.get(n).cloned());
        let back = u64::try_from(LONG.saturating_sub(n)).unwrap_or_default();
        let facts: Vec<Fact> =
            nth.map(|fact| Fact { at: Time::from_millis(back), ..fact }).collect();
        write(&*host, &facts).await?;
        chains.iter_mut().zip(facts).for_each(|(chain, fact)| {
            chain.get_mut(n).into_iter().for_each(|place| *place = fact.clone());
        });
    }
    for chain in &chains {
        if let Some(first) = chain.first() {
            reads(&*host, &first.stream, chain).await?;
        }
    }
    reads(&*host, &desk.stream("nobody")?, &[]).await
}

pub(super) async fn names(desk: &Desk<'_>) -> Verdict {
    let host = desk.open().await?;
    let book = Name::new(&desk.book())?;
    let mut streams = Vec::new();
    for name in ALIKE {
        streams.push(Stream::payee(&book, &Name::new(name)?));
    }
    // The longest that there may be, alike but for their last letter.
    let account = Name::new(&"n".repeat(NAME_BYTES))?;
    for last in ["x", "y", "é"] {
        let long = "n".repeat(NAME_BYTES.saturating_sub(last.len()));
        let long = Name::new(&format!("{long}{last}"))?;
        streams.push(Stream::payment(&book, &account, &long));
        streams.push(Stream::payee(&book, &long));
    }
    let mut facts = Vec::new();
    for (i, stream) in streams.iter().enumerate() {
        let own = chain(stream, 1, &format!("name {i}"));
        if let Err(error) = host.commit(own.clone(), Manner::Together).await {
            let at = own.first().map(address).unwrap_or_default();
            return broken(format!("{at} is free, only names like it were written: {error}"));
        }
        facts.extend(own);
    }
    for (stream, fact) in streams.iter().zip(&facts) {
        reads(&*host, stream, std::slice::from_ref(fact)).await?;
    }
    let (found, _) = desk.follow(&*host, desk.start.as_ref(), WHOLE, facts.len()).await?;
    complete(&found, &facts, "names by a cursor")
}

pub(super) async fn bytes(desk: &Desk<'_>) -> Verdict {
    let all: Vec<u8> = (0..=u8::MAX).collect();
    let bodies: [&[u8]; 12] = [
        b"",
        b"\0",
        b"\0\xff\0",
        b"before\0after",
        &all,
        b"\xff\xfe\xc3\x28",
        b"it's \"quoted\"; -- %_",
        b"\\x41\\000\\",
        b"ends with spaces  ",
        b"\r\n\n\r",
        "ü ü".as_bytes(),
        b"NULL",
    ];
    come_back(desk, bodies.into_iter().map(<[u8]>::to_vec).collect()).await
}

pub(super) async fn big_bytes(desk: &Desk<'_>) -> Verdict {
    let body = |len: usize| {
        let mut bytes = b"all-that-a-batch-of-thousands-of-lines-says;".repeat(len.div_ceil(40));
        bytes.truncate(len);
        bytes
    };
    come_back(desk, [MIB + 1, 5 * MIB, 1, 2 * MIB].into_iter().map(body).collect()).await
}

/// Writes bodies in one commit and one by one, and looks for them by every way.
async fn come_back(desk: &Desk<'_>, bodies: Vec<Vec<u8>>) -> Verdict {
    let host = desk.open().await?;
    let mut facts = Vec::new();
    for (i, bytes) in bodies.into_iter().enumerate() {
        for way in ["together", "alone"] {
            facts.push(Fact {
                stream: desk.stream(&format!("{way}{i:02}"))?,
                n: 0,
                at: Time::ZERO,
                // A kind of a later build goes through untouched: whoever folds it refuses it.
                kind: Cow::Owned(format!("later-kind.{i}")),
                hash: if i % 3 == 0 { Hash::new([0xff; 32]) } else { Hash::of(&bytes) },
                bytes: bytes.clone(),
            });
        }
    }
    let (alone, together): (Vec<Fact>, Vec<Fact>) =
        facts.iter().cloned().partition(|fact| fact.stream.as_str().contains("/alone"));
    write(&*host, &together).await?;
    for fact in &alone {
        write(&*host, std::slice::from_ref(fact)).await?;
    }
    for fact in &facts {
        reads(&*host, &fact.stream, std::slice::from_ref(fact)).await?;
    }
    let (found, _) = desk.follow(&*host, desk.start.as_ref(), WHOLE, facts.len()).await?;
    complete(&found, &facts, "bytes by a cursor")
}

pub(super) async fn edge_numbers(desk: &Desk<'_>) -> Verdict {
    let host = desk.open().await?;
    let stream = desk.stream("edge")?;
    let mut first = chain(&stream, 1, "the latest time that there is");
    first.iter_mut().for_each(|fact| fact.at = Time::MAX);
    let codes = [Code::FactOrphan, Code::FactMalformed];
    for written in [false, true] {
        for n in EDGES {
            let mut far = chain(&stream, 1, "far away");
            far.iter_mut().for_each(|fact| fact.n = n);
            refused(&*host, &far, Manner::Together, &codes, "a fact far behind the end").await?;
            refused(&*host, &far, Manner::EachIfFree, &codes, "a fact far behind the end").await?;
        }
        let found = host.read(&stream).await?;
        same(&found, if written { &first } else { &[] }, "after refused numbers")?;
        if !written {
            write(&*host, &first).await?;
        }
    }
    Ok(())
}

/// Numbers that wrap to 0 or 1 in 16 or 32 bits, or turn negative in 32 or 64.
const EDGES: [u64; 9] = [
    1 << 16,
    (1 << 16) + 1,
    1 << 31,
    1 << 32,
    (1 << 32) + 1,
    i64::MAX.unsigned_abs(),
    1 << 63,
    u64::MAX - 1,
    u64::MAX,
];

/// Streams that are near to each other; B is the book.
const NEIGHBOURS: [&str; 17] = [
    "payee/B/a",
    "payee/B/ab",
    "payee/B/a b",
    "payee/B/a%",
    "payee/B/a_",
    "payee/B/%",
    "payee/B/_",
    "payee/B-/a",
    "pool/B/a",
    "payment/B/a/b",
    "payment/B/a/bb",
    "batch/B/1/1",
    "batch/B/1/11",
    "batch/B/11/1",
    "rule/B",
    "run/B",
    "coins/B",
];

/// Names that a store might take for one: by case, accent, width, ligature, invisible letters,
/// patterns, numbers, and what a language would read out of them.
const ALIKE: [&str; 32] = [
    "alice",
    "Alice",
    "ALICE",
    "alice.",
    "alice\u{200b}",
    "al\u{ad}ice",
    "ali\u{200d}ce",
    "álice",
    "a\u{301}lice",
    "Ａlice",
    "straße",
    "strasse",
    "ﬁn",
    "fin",
    "İ",
    "I",
    "i",
    "ı",
    "a'b\"c;--",
    "a''b",
    "a'b",
    "%_\\",
    "%_\\\\",
    "😀",
    "😁",
    "NULL",
    "null",
    "0",
    "00",
    "0.0",
    "-0",
    "1e0",
];

/// Enough that 10 stands after 9, and not after 1.
const LONG: usize = 23;
const MIB: usize = 1 << 20;
/// The longest name.
const NAME_BYTES: usize = 200;

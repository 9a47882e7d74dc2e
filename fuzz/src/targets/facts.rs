//! Facts and checkpoints: what is read is written again as the same, and everything else is
//! refused by name.

use divvy::core::{Body, Books, Code, Cursor, Fact, Hash, Head, Stream, Time};

use crate::targets::first;

/// The first byte says which kind, the rest is its body.
pub(crate) fn body(bytes: &[u8]) {
    let (number, bytes) = first(bytes);
    let kind = Body::KINDS[number % Body::KINDS.len()];
    let body = match Body::decode(kind, bytes) {
        Ok(body) => body,
        Err(error) => return assert_eq!(error.code(), Code::FactMalformed, "{kind}"),
    };
    assert_eq!(body.kind(), kind);
    let written = body.encode();
    assert_eq!(Body::decode(kind, &written).as_ref(), Ok(&body), "another fact");
    let json = serde_json::to_string(&body).expect("a body is JSON too");
    assert_eq!(serde_json::from_str::<Body>(&json).expect("it is read again"), body, "{json}");
    let fact = Fact { kind: kind.into(), bytes: bytes.to_vec(), ..any_fact() };
    match fact.body_strict() {
        Ok(strict) => assert!(strict == body && written == bytes),
        Err(_) => assert_ne!(written, bytes, "the one encoding is refused"),
    }
}

/// A stored row: stream, place, time, kind and bytes. Whatever they are, no altered row passes.
pub(crate) fn fact(bytes: &[u8]) {
    let mut parts = bytes.splitn(4, |byte| *byte == b'\n');
    let mut text = || String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let (stream, numbers, kind) = (text(), text(), text());
    let bytes = parts.next().unwrap_or_default().to_vec();
    let stream = match Stream::parse(&stream) {
        Ok(parsed) => {
            assert_eq!(parsed.as_str(), stream);
            parsed
        }
        Err(error) => return assert_eq!(error.code(), Code::NameMalformed),
    };
    let _ = stream.place();
    let (n, at) = numbers.split_once(' ').unwrap_or(("0", "0"));
    let (n, at) = (n.parse().unwrap_or(0), Time::from_millis(at.parse().unwrap_or(0)));
    let row = Fact { stream, n, at, kind: kind.into(), bytes, hash: Hash::default() };
    if let Err(error) = row.body() {
        assert!(matches!(error.code(), Code::FactMalformed | Code::FactUnknown), "{error}");
    }
    let head = Head { n: row.n, ..Head::start(row.stream.clone()) };
    let error = row.check(&head).expect_err("no row hashes to zeros");
    assert_eq!(error.code(), Code::FactTampered);
    // Folded as the first of a database, it is taken, kept for later or refused; never a panic.
    let mut books = Books::default();
    if books.feed(std::slice::from_ref(&row)).is_ok() {
        assert_eq!(books.count(), 1);
        books.check().expect("one fact balances");
    }
}

/// A checkpoint's inside, under a seal that fits; and as it is, where none does.
pub(crate) fn checkpoint(bytes: &[u8]) {
    if let Some((body, seal)) = bytes.split_last_chunk::<32>() {
        let sealed = Hash::of(body).as_bytes() == seal;
        assert!(sealed || Books::from_checkpoint(bytes).is_none(), "an altered one is read");
    }
    let sealed = [bytes, Hash::of(bytes).as_bytes()].concat();
    let Some((books, cursor)) = Books::from_checkpoint(&sealed) else { return };
    let again = books.checkpoint(&cursor);
    let (same, read) = Books::from_checkpoint(&again).expect("its own bytes are read");
    assert_eq!((same.count(), same.digest(), read), (books.count(), books.digest(), cursor));
    assert_eq!(same.checkpoint(&Cursor::start(String::new())).len(), {
        books.checkpoint(&Cursor::start(String::new())).len()
    });
    // It may contradict itself, and is asked all the same.
    let _ = books.check();
    for book in books.all() {
        let _ = (book.due(Time::ZERO), book.declare(Time::ZERO), book.open_batches());
    }
}

fn any_fact() -> Fact {
    let stream = Stream::parse("rule/b").expect("a stream");
    let (kind, bytes, hash) = ("".into(), Vec::new(), Hash::default());
    Fact { stream, n: 0, at: Time::ZERO, kind, bytes, hash }
}

//! Facts in the wrong place, and facts that come before what they rest on.

use divvy_core::{Body, Books, Code, Fact, Head, Stream};

use crate::history::History;

fn first<'a>(facts: &'a [Fact], kind: &str) -> &'a Fact {
    facts.iter().find(|fact| fact.kind == kind).unwrap()
}

#[test]
fn a_batch_waits_for_the_payee_and_the_destination_that_it_names() {
    let history = History::new(9, 400);
    let paid = |fact: &&Fact| match fact.body().unwrap() {
        Body::Planned(planned) => planned.lines.iter().any(|line| line.to_n.is_some()),
        _ => false,
    };
    let batch = history.facts.iter().find(paid).unwrap();
    let Body::Planned(planned) = batch.body().unwrap() else { unreachable!() };
    let line = planned.lines.iter().find(|line| line.to_n.is_some()).unwrap();
    let batch_at = history.facts.iter().position(|fact| fact == batch).unwrap();
    let book = batch.stream.as_str().split('/').nth(1).unwrap();
    let chosen = format!("payee/{book}/{}", line.payee);

    // The whole stream of one payee comes after the batch that pays them.
    let before = history.facts[..=batch_at].iter();
    let (late, first): (Vec<_>, Vec<_>) =
        before.cloned().partition(|fact| fact.stream.as_str() == chosen);
    let mut books = Books::default();
    books.feed(&first).unwrap();
    assert_eq!(books.early(), std::slice::from_ref(batch));
    books.feed(&late).unwrap();
    assert_eq!(books.early(), []);
    books.check().unwrap();
}

#[test]
fn a_payment_is_counted_once_however_long_its_stream() {
    let history = History::new(12, 100);
    let recorded = first(&history.facts, "recorded.1");
    let again = Fact::new(&Head::after(recorded), recorded.at, &recorded.body().unwrap());
    let mut books = history.books.clone();
    assert_eq!(books.feed(&[again]).unwrap_err().code(), Code::FactMalformed);
}

#[test]
fn a_book_opens_in_its_own_stream_and_nowhere_else() {
    let history = History::new(13, 0);
    let opened = first(&history.facts, "opened.1");
    for stream in ["pool/other/tokens", "run/other", "payee/other/alice"] {
        let head = Head::start(Stream::parse(stream).unwrap());
        let fact = Fact::new(&head, opened.at, &opened.body().unwrap());
        let mut books = Books::default();
        assert_eq!(books.feed(&[fact]).unwrap_err().code(), Code::FactMalformed, "{stream}");
        assert!(books.book("other").is_err());
    }
}

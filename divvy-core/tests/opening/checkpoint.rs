//! A checkpoint restores the fold, or nothing at all.

use divvy_core::{Book, Books, Cursor, Fact, Hash, Time, Verify};

use crate::history::{BOOKS, History};

fn cursor(position: usize) -> Cursor {
    Cursor { epoch: "a1".to_owned(), position: position as u64, within: 0 }
}

fn folded(facts: &[Fact]) -> Books {
    let mut books = Books::default();
    books.feed(facts).unwrap();
    books
}

/// Everything that a fold can be asked, whatever it rests on.
fn all(books: &mut Books, now: Time) -> Vec<String> {
    let mut said = vec![format!(
        "{} {} {} {:?} {:?}",
        books.count(),
        books.digest(),
        books.newest(),
        books.early(),
        books.claimed("till", None)
    )];
    for book in BOOKS {
        let Ok(book) = books.book_mut(book) else { continue };
        book.wake_waited(now).unwrap();
        said.push(format!("{:?} {} {:?}", book.totals(), book.runs(), book.rules()));
        said.push(format!("{:?} {:?}", book.settings(), book.due(now).unwrap()));
        said.extend(book.batches().map(|batch| format!("{batch:?}")));
        said.push(format!("{:?}", book.open_batches()));
        said.extend(book.payees().map(|payee| one(book, payee.as_str(), now)));
        for pool in book.pools() {
            let (shared, waiting) = (book.pool(pool.as_str()), book.undeclared(pool.as_str()));
            said.push(format!("{pool} {shared:?} {waiting:?} {:?}", book.holders(pool.as_str())));
        }
        said.push(format!("{:?}", book.declare(now)));
    }
    said
}

fn one(book: &Book, payee: &str, now: Time) -> String {
    let head = book.payee_head(&divvy_core::Name::new(payee).unwrap());
    format!("{payee} {:?} {head:?}", book.balance(payee, now))
}

#[test]
fn a_restored_fold_goes_on_as_one_that_never_stopped() {
    for seed in 1..=20 {
        let mut history = History::new(seed, 300);
        let facts = std::mem::take(&mut history.facts);
        let now = history.now.plus_secs(86_400);
        let cut = usize::try_from(history.below(facts.len() as u64 + 1)).unwrap();
        let (before, after) = facts.split_at(cut);

        let bytes = folded(before).checkpoint(&cursor(cut));
        let (mut restored, at) = Books::from_checkpoint(&bytes).unwrap();
        assert_eq!(at, cursor(cut));
        assert_eq!(restored.checkpoint(&at), bytes, "seed {seed}: restored as it was");
        let mut whole = folded(before);
        assert_eq!(all(&mut restored, now), all(&mut whole, now), "seed {seed} at {cut}");

        let (mut restored, _) = Books::from_checkpoint(&bytes).unwrap();
        restored.feed(after).unwrap();
        let mut whole = folded(&facts);
        restored.check().unwrap();
        assert_eq!(restored.checkpoint(&at), whole.checkpoint(&at), "seed {seed} at {cut}");
        assert_eq!(all(&mut restored, now), all(&mut whole, now), "seed {seed} at {cut}");
        assert_eq!(all(&mut restored, now), all(&mut history.books, now), "seed {seed}: live");
        let mut verify = Verify::new();
        verify.feed(&facts).unwrap();
        verify.finish().unwrap().compare(&restored).unwrap();
    }
}

#[test]
fn facts_that_came_early_wait_in_a_checkpoint_too() {
    let history = History::new(3, 120);
    // The pool's stream comes last: rules, payments and batches have to wait for it.
    let late = |fact: &&Fact| fact.stream.as_str().starts_with("pool/channel/");
    let (late, first): (Vec<_>, Vec<_>) = history.facts.iter().partition(late);
    let first: Vec<Fact> = first.into_iter().cloned().collect();
    let channel = |fact: &Fact| fact.stream.as_str().starts_with("rule/channel");
    let rest = |fact: &&Fact| fact.n > 0 || !fact.stream.as_str().starts_with("payment");
    let first: Vec<Fact> = first.iter().filter(rest).cloned().collect();
    let early = first.iter().filter(|fact| channel(fact)).cloned().collect::<Vec<_>>();
    let books = folded(&early);
    assert_eq!(books.early().len(), 1);

    let bytes = books.checkpoint(&cursor(2));
    let (mut restored, _) = Books::from_checkpoint(&bytes).unwrap();
    assert_eq!(restored.early(), books.early());
    let pools: Vec<Fact> = late.into_iter().filter(|fact| fact.n == 0).cloned().collect();
    restored.feed(&pools).unwrap();
    assert_eq!(restored.early(), []);
    assert_eq!(restored.book("channel").unwrap().rules().len(), 1);
}

#[test]
fn a_checkpoint_that_was_cut_or_altered_is_worth_nothing() {
    let mut history = History::new(5, 200);
    let bytes = history.books.checkpoint(&cursor(9));
    for _ in 0..400 {
        let at = usize::try_from(history.below(bytes.len() as u64)).unwrap();
        let mut altered = bytes.clone();
        altered[at] ^= 1 << history.below(8);
        assert!(Books::from_checkpoint(&altered).is_none(), "byte {at}");
        assert!(Books::from_checkpoint(&bytes[..at]).is_none(), "cut at {at}");
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(Books::from_checkpoint(&longer).is_none());
    assert!(Books::from_checkpoint(&[]).is_none());
}

/// Goal: bytes that carry a right hash, and are still no checkpoint of this fold.
/// Method: alter them, and hash them anew, as another build or a bad hand would.
#[test]
fn a_checkpoint_with_a_right_hash_may_still_be_of_another_fold() {
    let mut history = History::new(6, 200);
    let bytes = history.books.checkpoint(&cursor(9));
    let body = &bytes[..bytes.len() - 32];
    let sealed = |body: &[u8]| [body, Hash::of(body).as_bytes()].concat();
    assert!(Books::from_checkpoint(&sealed(body)).is_some());

    let mut other_version = body.to_vec();
    other_version[16] += 1;
    assert!(Books::from_checkpoint(&sealed(&other_version)).is_none());
    assert!(Books::from_checkpoint(&sealed(&[body, &[0]].concat())).is_none());
    for _ in 0..500 {
        let at = usize::try_from(history.below(body.len() as u64)).unwrap();
        assert!(Books::from_checkpoint(&sealed(&body[..at])).is_none(), "cut at {at}");
        // Whatever comes out, it must come out: no panic, no endless reservation.
        let mut altered = body.to_vec();
        altered[at] ^= 1 << history.below(8);
        let _ = Books::from_checkpoint(&sealed(&altered));
    }
}

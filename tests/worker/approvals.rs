//! What is above the limit of a day waits for people, whoever plans, dies and signs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use divvy::core::{
    Amount, Approved, Batch, Body, Error, Guarded, Heard, Job, Judge, Line, Name, Pack, Person,
    Rail, Request, SecretKey, Seen, Signed, State, Stranger, Stream, Time, Timing, Turn,
};
use divvy::sandbox::WindowKind;
use divvy::{Divvy, Worker};

use crate::shop::{BOOK, Folder, Till, at, name, open, paid, take};

const HOLDERS: usize = 3;

fn key(seed: u8) -> SecretKey {
    SecretKey::new(&[seed; 32])
}

/// Above 1.00 of a day, ann and bob have to approve.
async fn guard(divvy: &mut Divvy, now: Time) {
    let person = |who: &str, seed| Person { name: name(who), key: key(seed).public() };
    let guarded = Guarded {
        limit: Amount::new(100).unwrap(),
        approvals: 2,
        people: vec![person("ann", 1), person("bob", 2)],
        expires_secs: 3_600,
        consents: vec![],
        unsigned: None,
    };
    divvy.book(BOOK).unwrap().guard(&guarded, now).await.unwrap();
}

async fn batch(divvy: &Divvy, stream: &Stream) -> Batch {
    Batch::fold(&divvy.host().read(stream).await.unwrap()).unwrap()
}

async fn approve(divvy: &mut Divvy, stream: &Stream, who: &str, seed: u8, now: Time) {
    let signature = key(seed).sign(&batch(divvy, stream).await.approval(now).unwrap());
    let approved = Approved { by: name(who), signed_at: now, signature };
    divvy.book(BOOK).unwrap().approve(stream, &approved, now).await.unwrap();
}

fn worker(till: &Till) -> Worker {
    Worker::new(till.rails(), till.sender()).unwrap()
}

fn waiting(divvy: &Divvy) -> Vec<Stream> {
    divvy.books().book(BOOK).unwrap().open_batches()
}

/// Two workers, of whom the first dies while the batch waits and the second after it is signed.
#[tokio::test]
async fn nothing_moves_before_two_have_approved_and_then_it_moves_once() {
    let (folder, till) = (Folder::new(), Till::plain(WindowKind::Until, 500));
    let mut divvy = open(&folder.file("shop.db"), HOLDERS).await;
    guard(&mut divvy, at(0)).await;
    take(&mut divvy, "p1", HOLDERS, at(1)).await;
    let mut first = worker(&till);
    let tick = first.tick(&mut divvy, at(2)).await.unwrap();
    assert_eq!((tick.runs, tick.lines), (1, 3));
    let stream = waiting(&divvy)[0].clone();
    drop((first, divvy));

    let mut divvy = open(&folder.file("shop.db"), HOLDERS).await;
    let mut second = worker(&till);
    for secs in [100, 200] {
        second.tick(&mut divvy, at(secs)).await.unwrap();
    }
    assert_eq!((till.moved(), batch(&divvy, &stream).await.state()), (0, State::Planned));
    approve(&mut divvy, &stream, "ann", 1, at(300)).await;
    second.tick(&mut divvy, at(301)).await.unwrap();
    assert_eq!(till.moved(), 0);
    approve(&mut divvy, &stream, "bob", 2, at(302)).await;
    assert_eq!(batch(&divvy, &stream).await.state(), State::Approved);
    // Two find it approved at once: one of them signs.
    let mut third = worker(&till);
    second.tick(&mut divvy, at(400)).await.unwrap();
    third.tick(&mut divvy, at(401)).await.unwrap();
    for secs in [500, 1_000, 2_000] {
        third.tick(&mut divvy, at(secs)).await.unwrap();
    }
    assert_eq!((till.moved(), paid(&divvy)), (300, 300));
    assert_eq!(batch(&divvy, &stream).await.tries().len(), 1);
    divvy.verify().await.unwrap();
}

#[tokio::test]
async fn a_changed_destination_voids_what_was_approved() {
    let (folder, till) = (Folder::new(), Till::plain(WindowKind::Until, 500));
    let mut divvy = open(&folder.file("shop.db"), HOLDERS).await;
    guard(&mut divvy, at(0)).await;
    take(&mut divvy, "p1", HOLDERS, at(1)).await;
    let mut worker = worker(&till);
    worker.tick(&mut divvy, at(2)).await.unwrap();
    let stream = waiting(&divvy)[0].clone();
    approve(&mut divvy, &stream, "ann", 1, at(3)).await;
    approve(&mut divvy, &stream, "bob", 2, at(3)).await;
    let ann = key(1);
    let judge = Judge { by: name("ann"), reason: "he rang".into(), key: Some(&ann) };
    let book = divvy.book(BOOK).unwrap();
    book.by(judge).hold(&name("fan-1"), "asked to wait", at(4)).await.unwrap();
    worker.tick(&mut divvy, at(5)).await.unwrap();
    assert_eq!(batch(&divvy, &stream).await.state(), State::Cancelled);
    // The others were planned anew, and wait for approvals of their own.
    let again = waiting(&divvy);
    assert_eq!((again.len(), till.moved()), (1, 0));
    assert_eq!(batch(&divvy, &again[0]).await.approvals().count(), 0);
    let facts = divvy.host().read(&again[0]).await.unwrap();
    assert!(matches!(facts[1].body(), Ok(Body::Asked(_))));
    divvy.verify().await.unwrap();
}

/// The sandbox, at a price that changes.
#[derive(Debug)]
struct Dear {
    rail: Arc<dyn Rail>,
    fee: Arc<AtomicU64>,
}

impl Rail for Dear {
    fn name(&self) -> &Name {
        self.rail.name()
    }

    fn wallet(&self) -> &Name {
        self.rail.wallet()
    }

    fn timing(&self) -> Timing {
        self.rail.timing()
    }

    fn check_address(&self, address: &str) -> Result<(), Error> {
        self.rail.check_address(address)
    }

    fn pack(&self, lines: &[Line], heard: &[Heard], now: Time) -> Result<Turn<Vec<Pack>>, Error> {
        let fee = Amount::new(self.fee.load(Ordering::Relaxed)).unwrap();
        let dear = |pack: Pack| Pack { fee, ..pack };
        Ok(match self.rail.pack(lines, heard, now)? {
            Turn::Done(packs) => Turn::Done(packs.into_iter().map(dear).collect()),
            Turn::Ask(requests) => Turn::Ask(requests),
        })
    }

    fn sign(&self, job: &Job, heard: &[Heard], now: Time) -> Result<Turn<Signed>, Error> {
        self.rail.sign(job, heard, now)
    }

    fn submit(&self, signed: &Signed, now: Time) -> Request {
        self.rail.submit(signed, now)
    }

    fn look(&self, tries: &[Signed], heard: &[Heard], now: Time) -> Result<Turn<Seen>, Error> {
        self.rail.look(tries, heard, now)
    }

    fn beyond(
        &self,
        book: &Name,
        run: u64,
        heard: &[Heard],
        now: Time,
    ) -> Result<Turn<Vec<Stranger>>, Error> {
        self.rail.beyond(book, run, heard, now)
    }
}

/// What was approved at one price is not paid at a higher one: it is asked for anew, at that.
#[tokio::test]
async fn a_fee_above_what_was_approved_is_asked_for_anew() {
    let (folder, till) = (Folder::new(), Till::plain(WindowKind::Until, 500));
    let mut divvy = open(&folder.file("shop.db"), HOLDERS).await;
    guard(&mut divvy, at(0)).await;
    take(&mut divvy, "p1", HOLDERS, at(1)).await;
    let fee = Arc::new(AtomicU64::new(7));
    let dear = |rail: Arc<dyn Rail>| -> Arc<dyn Rail> { Arc::new(Dear { rail, fee: fee.clone() }) };
    let rails = till.rails().into_iter().map(dear).collect();
    let mut worker = Worker::new(rails, till.sender()).unwrap();
    worker.tick(&mut divvy, at(2)).await.unwrap();
    let stream = waiting(&divvy)[0].clone();
    approve(&mut divvy, &stream, "ann", 1, at(3)).await;
    approve(&mut divvy, &stream, "bob", 2, at(3)).await;
    fee.store(8, Ordering::Relaxed);
    worker.tick(&mut divvy, at(4)).await.unwrap();
    assert_eq!((till.moved(), batch(&divvy, &stream).await.state()), (0, State::Cancelled));
    let facts = divvy.host().read(&stream).await.unwrap();
    let said = format!("{:?}", facts.last().unwrap().body());
    assert!(said.contains("Cancelled") && said.contains("asks 0.08 USD"), "{said}");
    assert!(said.contains("0.07 at most"), "{said}");

    worker.tick(&mut divvy, at(5)).await.unwrap();
    let again = waiting(&divvy)[0].clone();
    let asked = batch(&divvy, &again).await.asked().unwrap().fee_max;
    assert_eq!((again != stream, asked.get()), (true, 8));
    approve(&mut divvy, &again, "ann", 1, at(6)).await;
    approve(&mut divvy, &again, "bob", 2, at(6)).await;
    // A lower price is within what was approved.
    fee.store(3, Ordering::Relaxed);
    for secs in [7, 100, 1_000] {
        worker.tick(&mut divvy, at(secs)).await.unwrap();
    }
    assert_eq!((till.moved(), paid(&divvy)), (300, 300));
    divvy.verify().await.unwrap();
}

//! A rail that takes its time.

use std::sync::Arc;

use divvy::core::{
    Error, Heard, Job, Line, Name, Pack, Rail, Request, Seen, Signed, Stranger, Time, Timing, Turn,
};
use divvy::sandbox::{Sandbox, WindowKind};
use divvy::{Told, Worker};

use crate::shop::{Folder, Till, at, open, take};

/// A sandbox that takes six seconds to sign.
#[derive(Debug)]
struct Slow(Sandbox, Told);

impl Rail for Slow {
    fn name(&self) -> &Name {
        self.0.name()
    }
    fn wallet(&self) -> &Name {
        self.0.wallet()
    }
    fn timing(&self) -> Timing {
        self.0.timing()
    }
    fn check_address(&self, address: &str) -> Result<(), Error> {
        self.0.check_address(address)
    }
    fn pack(&self, lines: &[Line], heard: &[Heard], now: Time) -> Result<Turn<Vec<Pack>>, Error> {
        self.0.pack(lines, heard, now)
    }
    fn sign(&self, job: &Job, heard: &[Heard], now: Time) -> Result<Turn<Signed>, Error> {
        self.1.tell(self.1.clock().now().plus_secs(6));
        self.0.sign(job, heard, now)
    }
    fn submit(&self, signed: &Signed, now: Time) -> Request {
        self.0.submit(signed, now)
    }
    fn look(&self, tries: &[Signed], heard: &[Heard], now: Time) -> Result<Turn<Seen>, Error> {
        self.0.look(tries, heard, now)
    }
    fn beyond(
        &self,
        book: &Name,
        run: u64,
        heard: &[Heard],
        now: Time,
    ) -> Result<Turn<Vec<Stranger>>, Error> {
        self.0.beyond(book, run, heard, now)
    }
}

/// Goal: tries that live for half a minute are sent before they die, however many there are.
/// Method: signing takes so long that two of five batches are signed before the first grows old.
#[tokio::test]
async fn what_is_signed_first_does_not_wait_until_the_last_is_signed() {
    let (folder, till) = (Folder::new(), Till::plain(WindowKind::Until, 5));
    let mut divvy = open(&folder.file("shop.db"), 25).await;
    take(&mut divvy, "p1", 25, at(0)).await;
    let told = Told::new(at(1));
    let rail = Slow(Sandbox::new(till.settings.clone()).unwrap(), told.clone());
    let mut worker = Worker::new(vec![Arc::new(rail)], till.sender()).unwrap();
    let tick = worker.tick_by(&mut divvy, &told.clock()).await.unwrap();
    assert_eq!((tick.lines, tick.runs, till.moved()), (25, 3, 2_500));
}

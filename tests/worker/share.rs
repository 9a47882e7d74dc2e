//! Several workers on one database: they share what is due, and go on for who is gone.

use divvy::core::Fact;
use divvy::sandbox::{Terms, WindowKind};
use divvy::{Divvy, Tick, Worker, WorkerSettings};

use crate::shop::{Folder, Till, at, open, paid, take};

const HOLDERS: usize = 900;
/// A payment of 1.00 for each, in cents.
const ALL: u64 = 90_000;

/// A worker with a fold and a connection of its own, as another process has.
struct Desk {
    divvy: Divvy,
    worker: Worker,
}

impl Desk {
    async fn new(folder: &Folder, till: &Till) -> Self {
        let divvy = open(&folder.file("db"), HOLDERS).await;
        let worker = Worker::new(till.rails(), till.sender()).unwrap();
        Self { divvy, worker }
    }

    async fn tick(&mut self, secs: u64) -> Tick {
        self.worker.tick(&mut self.divvy, at(secs)).await.unwrap()
    }
}

async fn desks(count: usize, folder: &Folder, till: &Till) -> Vec<Desk> {
    let mut desks = Vec::new();
    for _ in 0..count {
        desks.push(Desk::new(folder, till).await);
    }
    // Twice, so that the first has heard of the last.
    for secs in [0, 40] {
        for desk in &mut desks {
            desk.tick(secs).await;
        }
    }
    desks
}

/// Goal: three workers in turn do a third each, without a clock and without talking to each other.
#[tokio::test]
async fn three_workers_in_turn_plan_and_send_a_share_each() {
    let (folder, till) = (Folder::new(), Till::plain(WindowKind::Until, 50));
    let mut desks = desks(3, &folder, &till).await;
    take(&mut desks[0].divvy, "first", HOLDERS, at(50)).await;
    let mut lines = Vec::new();
    for desk in &mut desks {
        let tick = desk.tick(60).await;
        assert_eq!(tick.requests, 1 + tick.lines.div_ceil(50), "it asks once, and sends its own");
        lines.push((tick.runs, tick.lines, tick.left));
    }
    assert_eq!(lines, [(1, 300, 600), (1, 200, 400), (1, 134, 266)]);
    // What is left goes on in the same way, and ends.
    for turn in 0..30 {
        desks[turn % 3].tick(61).await;
    }
    assert_eq!(till.moved(), ALL);
    let counted: Vec<_> = desks.iter().map(|desk| desk.worker.counters().lines).collect();
    assert!(counted.iter().all(|lines| *lines >= 200), "{counted:?}");
}

#[tokio::test]
async fn a_worker_that_is_alone_pays_everyone_at_once() {
    let (folder, till) = (Folder::new(), Till::plain(WindowKind::Until, 50));
    let mut desk = Desk::new(&folder, &till).await;
    take(&mut desk.divvy, "first", HOLDERS, at(50)).await;
    let tick = desk.tick(60).await;
    assert_eq!((tick.runs, tick.lines, tick.left), (1, 900, 0));
}

/// Goal: each open batch is asked about by one worker; when that one dies, by another.
#[tokio::test]
async fn what_a_dead_worker_has_left_open_is_taken_over_when_its_time_is_over() {
    let terms = Terms { finality_secs: 100, ..Terms::default() };
    let (folder, till) = (Folder::new(), Till::new(terms, 50));
    let mut desks = desks(3, &folder, &till).await;
    take(&mut desks[0].divvy, "first", HOLDERS, at(50)).await;
    desks[0].tick(60).await;
    let open_now = |desk: &Desk| desk.divvy.books().book("shop").unwrap().open_batches().len();
    assert_eq!(open_now(&desks[0]), 6);
    // It dies here. The others pay the rest, and leave its batches alone while it is taken for
    // alive: 90 seconds from the last time that it was heard of.
    let dead = desks.remove(0);
    for turn in 0..20 {
        let tick = desks[turn % 2].tick(62).await;
        assert_eq!(tick.taken_over, 0);
    }
    let mut taken_over = 0;
    for minute in 1..30 {
        for desk in &mut desks {
            taken_over += desk.tick(60 + 60 * minute).await.taken_over;
        }
    }
    assert!(taken_over >= 6, "{taken_over}: its six batches, and perhaps slow ones of others");
    assert_eq!(paid(&desks[1].divvy), ALL);
    drop(dead);
}

/// Goal: workers that tick at the very same moment pay everyone once, whoever is quicker.
#[tokio::test]
async fn workers_that_race_for_the_same_run_read_again_and_go_on() {
    let (folder, till) = (Folder::new(), Till::plain(WindowKind::Once, 7));
    let mut desks = desks(3, &folder, &till).await;
    take(&mut desks[0].divvy, "first", HOLDERS, at(50)).await;
    for _ in 0..30 {
        let [one, two, three] = &mut desks[..] else { unreachable!("there are three") };
        tokio::join!(one.tick(60), two.tick(60), three.tick(60));
    }
    assert_eq!(till.moved(), ALL, "and nobody twice");
    let lost: u64 = desks.iter().map(|desk| desk.worker.counters().races_lost).sum();
    assert!(lost > 0, "they did race");
    let runs = desks[0].divvy.books().book("shop").unwrap().runs();
    let planned: u64 = desks.iter().map(|desk| desk.worker.counters().runs).sum();
    assert_eq!(runs, planned);
}

#[tokio::test]
async fn one_request_at_once_or_many_come_to_the_same_facts() {
    let mut told: Vec<Vec<Fact>> = Vec::new();
    for in_flight in [1, 8] {
        let (folder, till) = (Folder::new(), Till::plain(WindowKind::Until, 50));
        let mut divvy = open(&folder.file("db"), HOLDERS).await;
        take(&mut divvy, "first", HOLDERS, at(50)).await;
        let settings = WorkerSettings { in_flight, ..WorkerSettings::default() };
        let mut worker = Worker::with(till.rails(), till.sender(), settings).unwrap();
        worker.tick(&mut divvy, at(60)).await.unwrap();
        assert_eq!(paid(&divvy), ALL);
        told.push(divvy.host().since(None, 10_000).await.unwrap().facts);
    }
    assert_eq!(told[0], told[1]);
}

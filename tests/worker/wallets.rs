//! What a rail declines: nobody's fault, so nobody is held.

use divvy::core::{Code, Timing};
use divvy::sandbox::{Terms, WindowKind};
use divvy::{Divvy, Worker};

use crate::shop::{BOOK, Folder, Till, at, open, paid, take};

fn held(divvy: &Divvy) -> usize {
    let book = divvy.books().book(BOOK).unwrap();
    let obstacle = |payee: &&divvy::core::Name| {
        book.balance(payee.as_str(), at(0)).unwrap().obstacle.is_some()
    };
    book.payees().filter(obstacle).count()
}

/// Goal: an empty wallet is told, holds nobody, and does not make the worker spin. Method: it
/// holds enough for 12 of the 20, so smaller batches still go through.
#[tokio::test]
async fn an_empty_wallet_holds_nobody_and_is_asked_less_and_less_often() {
    for window in [WindowKind::Until, WindowKind::Once] {
        let terms = Terms { window, funds: Some(1_250), ..Terms::default() };
        let (folder, till) = (Folder::new(), Till::new(terms, 10));
        let mut divvy = open(&folder.file("db"), 20).await;
        take(&mut divvy, "first", 20, at(10)).await;
        let mut worker = Worker::new(till.rails(), till.sender()).unwrap();
        let tick = worker.tick(&mut divvy, at(10)).await.unwrap();
        assert_eq!((tick.lines, tick.declined, till.moved()), (20, 1, 1_000), "{window:?}");
        let obstacles = worker.obstacles();
        assert_eq!(obstacles[0].code(), Code::RailRefused);
        for part in ["wallet till", "does not hold so much", "mend the wallet"] {
            assert!(obstacles[0].to_string().contains(part), "{}", obstacles[0]);
        }
        let tick = worker.tick(&mut divvy, at(20)).await.unwrap();
        assert_eq!((tick.requests, tick.runs), (0, 0), "it is given time");

        let mut declined = 0;
        for hour in 1..48 {
            declined += worker.tick(&mut divvy, at(3_600 * hour)).await.unwrap().declined;
        }
        assert!((2..48).contains(&declined), "{declined}");
        assert_eq!((till.moved(), paid(&divvy)), (1_200, 1_200), "{window:?}");
        assert_eq!(held(&divvy), 0, "{window:?}");
        let totals = divvy.books().book(BOOK).unwrap().totals();
        assert_eq!(totals.reserved.get(), 0, "what is not paid is payable");
        divvy.verify().await.unwrap();
    }
}

#[tokio::test]
async fn a_wallet_that_was_filled_pays_everyone_again() {
    let folder = Folder::new();
    let poor = Till::new(Terms { funds: Some(0), ..Terms::default() }, 10);
    let mut divvy = open(&folder.file("db"), 20).await;
    take(&mut divvy, "first", 20, at(10)).await;
    let mut worker = Worker::new(poor.rails(), poor.sender()).unwrap();
    for minute in 0..9 {
        worker.tick(&mut divvy, at(10 + 60 * minute)).await.unwrap();
    }
    assert_eq!((poor.moved(), worker.obstacles().len()), (0, 1));
    let rich = Till::new(Terms::default(), 10);
    let mut worker = Worker::new(rich.rails(), rich.sender()).unwrap();
    worker.tick(&mut divvy, at(9_000)).await.unwrap();
    assert_eq!(rich.moved(), 2_000);
    assert!(worker.obstacles().is_empty());
}

#[tokio::test]
async fn a_cooling_time_shorter_than_a_rails_longest_deadline_is_refused_with_its_remedy() {
    let (folder, mut till) = (Folder::new(), Till::plain(WindowKind::Until, 10));
    till.settings.timing = Timing { deadline_secs_max: 86_401, ..till.settings.timing };
    let mut divvy = open(&folder.file("db"), 20).await;
    take(&mut divvy, "first", 20, at(10)).await;
    let mut worker = Worker::new(till.rails(), till.sender()).unwrap();
    let refused = worker.tick(&mut divvy, at(10)).await.unwrap_err();
    assert_eq!(refused.code(), Code::RailRefused);
    for part in ["86400 s", "86401 s", "shorten the rail's deadline"] {
        assert!(refused.to_string().contains(part), "{refused}");
    }
    assert_eq!(till.moved(), 0);
}

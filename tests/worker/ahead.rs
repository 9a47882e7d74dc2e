//! An older copy of a database in place of a newer one.

use std::fs;
use std::path::Path;

use divvy::core::{Answer, Code, Stranger, Stream};
use divvy::sandbox::WindowKind;
use divvy::{Divvy, Told, Worker};

use crate::shop::{BOOK, Folder, Till, at, name, open, paid, take};

const KINDS: [WindowKind; 4] =
    [WindowKind::Unlimited, WindowKind::Until, WindowKind::UntilHeight, WindowKind::Once];

/// A shop that paid twice, and then got back the copy that was made in between.
async fn restored(file: &Path, copy: &Path, till: &Till) -> Divvy {
    for (id, secs) in [("first", 10), ("second", 1_000)] {
        let mut divvy = open(file, 5).await;
        if id == "second" {
            fs::copy(file, copy).unwrap();
        }
        take(&mut divvy, id, 5, at(secs)).await;
        let mut worker = Worker::new(till.rails(), till.sender()).unwrap();
        worker.tick(&mut divvy, at(secs)).await.unwrap();
        assert!(worker.obstacles().is_empty());
    }
    fs::copy(copy, file).unwrap();
    open(file, 5).await
}

/// Goal: nobody is paid again, whatever the window remembers. Method: the second payment is told
/// again, as a webhook is, so that everyone is due again by the facts of the copy.
#[tokio::test]
async fn a_restored_older_copy_pays_nobody_again_and_says_what_the_rail_shows() {
    for window in KINDS {
        let (folder, till) = (Folder::new(), Till::plain(window, 2));
        let mut divvy = restored(&folder.file("db"), &folder.file("copy"), &till).await;
        take(&mut divvy, "second", 5, at(2_000)).await;
        assert_eq!((paid(&divvy), till.moved()), (500, 1_000), "{window:?}");

        let mut worker = Worker::new(till.rails(), till.sender()).unwrap();
        for secs in [2_000, 2_300, 9_000, 90_000] {
            let tick = worker.tick(&mut divvy, at(secs)).await.unwrap();
            assert_eq!((tick.runs, till.moved()), (0, 1_000), "{window:?}");
        }
        let obstacles = worker.obstacles();
        assert_eq!(obstacles.len(), 1);
        assert_eq!(obstacles[0].code(), Code::RailAhead);
        let said = obstacles[0].to_string();
        for part in
            ["batch/shop/1/0 as ", "(2 lines, 2.00 USD)", "batch/shop/1/2", "restore", "adopt"]
        {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}

#[tokio::test]
async fn the_newer_database_put_back_opens_paying_again() {
    let (folder, till) = (Folder::new(), Till::plain(WindowKind::Until, 2));
    let (file, newer) = (folder.file("db"), folder.file("newer"));
    for (id, secs) in [("first", 10), ("second", 1_000)] {
        let mut divvy = open(&file, 5).await;
        take(&mut divvy, id, 5, at(secs)).await;
        let mut worker = Worker::new(till.rails(), till.sender()).unwrap();
        worker.tick(&mut divvy, at(secs)).await.unwrap();
    }
    fs::copy(&file, &newer).unwrap();
    let mut worker = Worker::new(till.rails(), till.sender()).unwrap();
    for (from, paid_then, closed) in [(None, 0, 1), (Some(&newer), 1_500, 0)] {
        match from {
            Some(newer) => drop(fs::copy(newer, &file).unwrap()),
            None => fs::remove_file(&file).unwrap(),
        }
        // The same worker: it is the database that was opened anew.
        let mut divvy = open(&file, 5).await;
        take(&mut divvy, "third", 5, at(2_000)).await;
        worker.tick(&mut divvy, at(2_000)).await.unwrap();
        assert_eq!(worker.obstacles().len(), closed);
        assert_eq!(paid(&divvy), paid_then);
    }
    assert_eq!(till.moved(), 1_500);
}

/// A rail that does not answer is waited for, and then paid over.
#[tokio::test]
async fn nobody_is_paid_before_the_rail_has_answered_once() {
    let (folder, till) = (Folder::new(), Till::plain(WindowKind::Until, 2));
    let mut divvy = open(&folder.file("db"), 5).await;
    take(&mut divvy, "first", 5, at(10)).await;
    let mut worker = Worker::new(till.rails(), std::sync::Arc::new(crate::shop::Mute)).unwrap();
    let tick = worker.tick(&mut divvy, at(10)).await.unwrap();
    assert_eq!((tick.runs, tick.requests), (0, 1));
    assert!(worker.obstacles().is_empty(), "silence is no obstacle that a person could mend");
    let wanted = worker.not_before().unwrap();
    assert!(wanted > at(10) && wanted <= at(10 + 75));
    let tick = worker.tick(&mut divvy, at(20)).await.unwrap();
    assert_eq!(tick.requests, 0, "it is not asked again at once");

    let mut worker = Worker::new(till.rails(), till.sender()).unwrap();
    worker.tick(&mut divvy, at(90)).await.unwrap();
    assert_eq!(paid(&divvy), 500);
}

/// Adopting what the rail shows pays nobody again, and lets the next payment be paid.
#[tokio::test]
async fn what_the_rail_shows_can_be_adopted_and_paying_goes_on() {
    for window in KINDS {
        let (folder, till) = (Folder::new(), Till::plain(window, 2));
        let mut divvy = restored(&folder.file("db"), &folder.file("copy"), &till).await;
        take(&mut divvy, "second", 5, at(2_000)).await;
        let mut worker = Worker::new(till.rails(), till.sender()).unwrap();
        worker.tick(&mut divvy, at(2_000)).await.unwrap();
        assert_eq!(worker.obstacles().len(), 1);

        let clock = Told::new(at(2_100)).clock();
        let shown = worker.beyond(&mut divvy, &name(BOOK), &clock).await.unwrap();
        assert_eq!(shown[0].strangers.len(), 3, "{window:?}");
        let adopted = worker.adopt(&mut divvy, &name(BOOK), &shown, &clock).await.unwrap();
        assert_eq!((adopted.get(), paid(&divvy)), (500, 1_000), "{window:?}");

        // Nobody is due, and the next payment is paid as ever, under runs that the rail never saw.
        let tick = worker.tick(&mut divvy, at(2_200)).await.unwrap();
        assert_eq!((tick.lines, till.moved()), (0, 1_000), "{window:?}");
        take(&mut divvy, "third", 5, at(3_000)).await;
        worker.tick(&mut divvy, at(3_000)).await.unwrap();
        assert!(worker.obstacles().is_empty());
        assert_eq!((paid(&divvy), till.moved()), (1_500, 1_500), "{window:?}");
        assert_eq!(divvy.books().book(BOOK).unwrap().runs(), 3);
        divvy.verify().await.unwrap();

        // Adopting again finds nothing.
        let shown = worker.beyond(&mut divvy, &name(BOOK), &clock).await.unwrap();
        assert!(shown[0].strangers.is_empty());
        assert!(worker.adopt(&mut divvy, &name(BOOK), &shown, &clock).await.unwrap().is_zero());
    }
}

#[tokio::test]
async fn what_is_adopted_beyond_what_was_earned_is_owed_back_and_holds_follow() {
    let (folder, till) = (Folder::new(), Till::plain(WindowKind::Until, 2));
    // The copy does not know the second payment.
    let mut divvy = restored(&folder.file("db"), &folder.file("copy"), &till).await;
    let mut worker = Worker::new(till.rails(), till.sender()).unwrap();
    let clock = Told::new(at(2_100)).clock();
    let mut shown = worker.beyond(&mut divvy, &name(BOOK), &clock).await.unwrap();
    let came_back = Answer::Returned { reason: "closed".into(), lines: vec![1] };
    shown[0].strangers[1].answer = came_back.clone();
    shown[0].strangers[0].answer = came_back;
    worker.adopt(&mut divvy, &name(BOOK), &shown, &clock).await.unwrap();
    let mut book = divvy.book(BOOK).unwrap();
    let mut owed = Vec::new();
    for n in 0..5 {
        let balance = book.balance(&format!("fan-{n}"), at(2_200)).await.unwrap();
        owed.push((balance.owed_back.get(), balance.obstacle.is_some()));
    }
    assert_eq!(owed, [(100, false), (0, true), (100, false), (0, true), (100, false)]);
    // Told again, the payment is what they were paid for.
    take(&mut divvy, "second", 5, at(2_300)).await;
    worker.tick(&mut divvy, at(2_300)).await.unwrap();
    assert_eq!(till.moved(), 1_000);
    divvy.verify().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_adopted_says_why_and_writes_nothing() {
    let (folder, till) = (Folder::new(), Till::plain(WindowKind::Until, 2));
    let mut divvy = restored(&folder.file("db"), &folder.file("copy"), &till).await;
    let mut worker = Worker::new(till.rails(), till.sender()).unwrap();
    let clock = Told::new(at(2_100)).clock();
    let shown = worker.beyond(&mut divvy, &name(BOOK), &clock).await.unwrap();
    let before = divvy.books().count();
    let mend = |change: fn(&mut Stranger)| {
        let mut shown = shown.clone();
        change(&mut shown[0].strangers[0]);
        shown
    };
    for (shown, code, said) in [
        (mend(|one| one.lines[0].to = "eve".into()), Code::PayeeUnknown, "eve of rail sandbox"),
        (mend(|one| one.answer = Answer::Accepted), Code::RailAhead, "not final yet"),
        (
            mend(|one| one.batch = Stream::parse("batch/shop/0/9").unwrap()),
            Code::RailAhead,
            "a batch that the facts know",
        ),
        (
            mend(|one| one.batch = Stream::parse("batch/shop/9999999/0").unwrap()),
            Code::RailAhead,
            "no book lost so many",
        ),
    ] {
        let refused = worker.adopt(&mut divvy, &name(BOOK), &shown, &clock).await.unwrap_err();
        assert_eq!(refused.code(), code);
        assert!(refused.to_string().contains(said), "{refused}");
    }
    assert_eq!(divvy.books().count(), before);
}

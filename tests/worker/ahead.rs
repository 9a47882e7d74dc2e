//! An older copy of a database in place of a newer one.

use std::fs;
use std::path::Path;

use divvy::core::Code;
use divvy::sandbox::WindowKind;
use divvy::{Divvy, Worker};

use crate::shop::{Folder, Till, at, open, paid, take};

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

//! Copies of a database: another timeline goes on where the first one was.

use divvy::Sqlite;

use crate::desk::{Desk, Folder, LONELY, settings};
use crate::receiver::Receiver;

/// Goal: who works on a copy is told what is new, and not everything again. Method: the copy is
/// another timeline, in which no cursor of the first one is worth anything.
#[tokio::test]
async fn in_a_copy_a_webhook_goes_on_where_it_was() {
    let (folder, receiver) = (Folder::on_a_file(), Receiver::willing());
    let mut desk = Desk::alone(&folder, &receiver.url).await;
    desk.open(3).await;
    desk.tick(1).await;
    for turn in 0..30 {
        desk.hold("fan-001", 10 + turn).await;
    }
    while desk.tick(50).await.told > 0 {}
    assert_eq!(receiver.got().len(), 60);
    // A whole page of facts lies behind it, and a note of that.
    for turn in 0..600 {
        desk.hold("fan-002", 60 + turn).await;
    }
    while desk.tick(700).await.told > 0 {}
    let told = receiver.got().len();
    assert_eq!(told, 1_260);
    let heard = desk.endpoint().heard.clone();
    Sqlite::open(folder.file("db")).unwrap().back_up(folder.file("copy")).await.unwrap();
    drop(desk);

    let mut copy = Desk::with(&folder, "copy", settings(&receiver.url), LONELY).await;
    copy.hold("fan-001", 800).await;
    while copy.tick(801).await.told > 0 {}
    let ids = receiver.ids();
    let (before, after) = ids.split_at(told);
    let again = after.iter().filter(|id| before.contains(id)).count();
    assert!(again <= 50, "{again} told again: at most what lies behind the last page");
    assert_eq!(after.len() - again, 2, "and what is new");
    assert_ne!(copy.endpoint().heard.epoch, heard.epoch);
    copy.divvy.verify().await.unwrap();
}

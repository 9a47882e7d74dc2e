//! A backup is made, put in place, and gone on from.

use std::fs;

use crate::command::{Folder, done, run};

#[test]
fn a_backup_that_is_put_in_place_goes_on_and_pays_nobody_again() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    let value = done(&["run", dir]);
    let copy = folder.path().join("monday.divvy");
    let copy = copy.to_str().unwrap();
    assert_eq!(done(&["backup", dir, copy])["facts"], value["facts"]);
    let again = run(&["backup", dir, copy]);
    assert_eq!(again.code, Some(1), "{}", again.said);
    assert!(again.said.contains("is there already"), "{}", again.said);

    // The disk is lost; the rail is not.
    for name in ["divvy.db", "divvy.db-wal", "divvy.db-shm"] {
        drop(fs::remove_file(folder.path().join(name)));
    }
    fs::rename(copy, folder.path().join("divvy.db")).unwrap();
    assert_eq!(done(&["verify", dir])["facts"], value["facts"]);
    let after = done(&["run", dir]);
    assert_eq!(after["paid"], value["paid"]);
    assert_eq!(after["statement"]["theirs_only"], 0);
}

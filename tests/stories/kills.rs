//! Killed anywhere and run again: the same end.

use std::thread;
use std::time::Duration;

use crate::command::{Folder, done, ended, start_run};

/// How many kills, as `make acceptance` and `make soak` ask for more.
fn kills() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "how long to test is for the caller to say")]
    std::env::var("DIVVY_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(10)
}

#[test]
fn a_run_that_is_killed_anywhere_comes_to_the_same_end_when_run_again() {
    for kill in 0..kills() {
        let folder = Folder::example("duet");
        folder.edit("divvy.toml", "seed = 1", "faults = \"lost=100,late=100\"\nseed = 5");
        let dir = folder.path().to_str().unwrap();
        // The moment of a kill is all that differs: a few milliseconds later each time.
        for moment in 0..3 {
            let mut child = start_run(&folder);
            #[expect(clippy::disallowed_methods, reason = "a kill needs a moment to strike at")]
            thread::sleep(Duration::from_millis(4 + 9 * ((kill * 7 + moment * 5) % 31)));
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let value = done(&["run", dir]);
        assert_eq!(value["paid"], "656.59", "kill {kill}");
        assert_eq!(value["reserved"], "0.00", "kill {kill}");
        assert_eq!(value["statement"]["theirs_only"], 0, "kill {kill}");
        assert_eq!(done(&["verify", dir])["facts"], value["facts"]);
    }
}

#[test]
fn two_runs_beside_each_other_pay_nobody_twice() {
    let folder = Folder::example("duet");
    let runs = [start_run(&folder), start_run(&folder)];
    let ends = runs.map(|child| ended(&child.wait_with_output().unwrap()));
    // One may find the sandbox's ledger in use, and says so; nothing else may go wrong.
    for end in &ends {
        assert!(matches!(end.code, Some(0 | 1 | 3)), "{}", end.said);
    }
    let value = done(&["run", folder.path().to_str().unwrap()]);
    assert_eq!(value["paid"], "656.59");
    assert_eq!(value["statement"]["theirs_only"], 0);
}

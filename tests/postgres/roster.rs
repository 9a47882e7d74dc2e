//! Who works now, as advice.

use divvy::Host;
use divvy::core::Time;

use crate::desk::{block_on, fresh, open};

#[test]
fn a_roster_names_whoever_said_so_until_then() {
    let (host, url) = fresh();
    let (other, at) = (open(&url), Time::from_millis);
    let say = |host: &divvy::Postgres, process: &str, now: u64, until: u64| {
        block_on(host.roster(process, at(now), at(until))).expect("an answer")
    };
    assert_eq!(say(&host, "b", 10, 20), ["b"]);
    assert_eq!(say(&other, "a", 12, 30), ["a", "b"]);
    assert_eq!(say(&host, "b", 15, 40), ["a", "b"], "said again");
    assert_eq!(say(&host, "b", 30, 60), ["b"], "a has gone quiet");
    assert_eq!(say(&other, "c", 31, 50), ["b", "c"]);
    assert_eq!(say(&host, "b", 32, 32), ["c"], "b leaves");
    assert_eq!(host.flushes(), 0);
}

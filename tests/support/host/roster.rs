//! The roster of workers: who lives, by the callers' own time.

use divvy::Host;
use divvy::core::{Manner, Time};

use crate::desk::{fresh, open};
use crate::host::{block_on, chain, commit};

fn at(secs: u64) -> Time {
    Time::from_millis(1_000).plus_secs(secs)
}

#[test]
fn a_roster_holds_who_entered_until_their_time_is_over() {
    let (one, place) = fresh();
    let other = open(&place);
    let enter = |host: &dyn Host, name, now, until| {
        block_on(host.roster(name, at(now), at(until))).expect("the roster")
    };
    assert_eq!(enter(&one, "b", 0, 10), ["b"]);
    assert_eq!(enter(&other, "a", 0, 20), ["a", "b"]);
    assert_eq!(enter(&other, "a", 9, 29), ["a", "b"], "to the last second");
    assert_eq!(enter(&other, "a", 10, 30), ["a"], "and no longer");
    assert_eq!(enter(&one, "b", 11, 21), ["a", "b"], "who was away may come back");
    assert_eq!(enter(&one, "b", 12, 12), ["a"], "who leaves is gone at once");
    assert_eq!(enter(&one, "c", 12, 11), ["a"], "and so is who was never there");
}

#[test]
fn a_roster_costs_no_flush_and_facts_are_flushed_as_before() {
    let (host, _place) = fresh();
    block_on(host.roster("a", at(0), at(10))).expect("the roster");
    assert_eq!(host.flushes(), 0);
    commit(&host, &chain("ann", 1), Manner::Together).expect("a commit");
    assert_eq!(host.flushes(), 1);
}

//! Where payees are paid, and on which terms of their own, set by hand.

use crate::command::{Folder, done, run};

const SETTINGS: &str = r#"
book = "shop"
asset = "USD"
rule = [{ payee = "ann", share = "50%" }, { pool = "fans", share = "remaining" }]
threshold = "5.00"
[pool]
name = "fans"
supply = "10"
[rail]
kind = "sandbox"
deadline_secs = 60
"#;

/// A shop whose payees have earned 10.00 each.
fn shop() -> (Folder, String) {
    let folder = Folder::new("payees");
    folder.write("divvy.toml", SETTINGS);
    let holders = folder.write("h.csv", "holder,units,destination\nbob,10,\n");
    let payments = folder.write("p.csv", "id,paid_at,amount\n1,2026-03-01T00:00:00Z,20.00\n");
    let dir = folder.path().to_str().unwrap().to_owned();
    done(&["import", "holders", holders.to_str().unwrap(), "--dir", &dir]);
    done(&["import", "payments", payments.to_str().unwrap(), "--dir", &dir]);
    done(&["declare", &dir]);
    (folder, dir)
}

#[test]
fn who_has_no_destination_is_paid_once_one_is_told_and_a_changed_one_cools() {
    let (_folder, dir) = shop();
    let payee = |more: &[&str]| done(&[&["payee", "bob", "--dir", &dir], more].concat());
    let paid = done(&["pay", &dir]);
    assert_eq!(paid["lines"], 0, "nobody says where");
    payee(&["--to", "acct-bob"]);
    payee(&["--to", "acct-bob"]);
    assert_eq!(done(&["pay", &dir])["settled"], 1, "the first one counts at once");
    payee(&["--to", "acct-thief"]);
    let bob = done(&["balance", "bob", "--dir", &dir]);
    assert_eq!(bob["next_destination"]["to"], "acct-thief", "{bob}");
    assert!(bob["next_destination"]["from"].as_str().is_some(), "and from when on: {bob}");
    let told = done(&["explain", "bob", "--dir", &dir])["chapters"].to_string();
    assert_eq!(told.matches("to be paid at acct-bob").count(), 1, "said twice, it is one: {told}");
    let nothing = run(&["payee", "bob", "--dir", &dir]);
    assert_eq!(nothing.value["error"]["name"], "input_malformed", "{}", nothing.said);
    done(&["verify", &dir]);
}

#[test]
fn a_payee_may_wait_for_other_than_the_book_does() {
    let (_folder, dir) = shop();
    let ann = |more: &[&str]| {
        done(&[&["payee", "ann", "--to", "acct-ann", "--dir", &dir], more].concat());
        done(&["due", &dir])["due"].as_array().unwrap().len()
    };
    assert_eq!(ann(&["--threshold", "10.01"]), 0);
    assert_eq!(ann(&["--threshold", "10.00", "--max-wait-days", "30"]), 1);
    assert_eq!(ann(&["--period", "monthly"]), 0);
    assert_eq!(ann(&["--instant"]), 1);
    // Nobody quotes what the rail charges, and ann weighs it now.
    assert_eq!(ann(&["--fee-bps", "50"]), 0);
    assert_eq!(ann(&["--any-fee"]), 1);
    done(&["verify", &dir]);
}

#[test]
fn a_file_of_holders_that_says_otherwise_changes_nothing_and_is_told() {
    let (folder, dir) = shop();
    let file = folder.write("h.csv", "holder,units,destination\nbob,9,acct-bob\ncyd,1,\n");
    let arguments = ["import", "holders", file.to_str().unwrap(), "--dir", &dir];
    let ended = run(&arguments);
    assert_eq!(ended.code, Some(5), "{}", ended.said);
    let differ = ended.value["counts"]["differ"].as_array().unwrap();
    let told = |at: usize, what: &str| differ[at].as_str().unwrap().contains(what);
    assert!(told(0, "bob holds 10 of fans and not 9"), "{}", ended.said);
    assert!(told(1, "cyd holds 0 of fans and not 1"), "{}", ended.said);
    assert_eq!(done(&["balance", "bob", "--dir", &dir])["earned"], "10.00");
}

//! A treasury that is watched and closed, and statements that are compared with our books.

use crate::command::{Folder, done, run};

const FUNDS: &str = "id,purpose,amount,at,expected_on
seed,replenished,5000.00,2026-03-01T00:00:00Z,
po_1,expected,640.00,2026-03-05T00:00:00Z,2026-03-12T00:00:00Z
gas,fee_paid,0.41,2026-03-05T00:00:00Z,
";

#[test]
fn a_treasury_is_watched_and_a_week_is_closed_once() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    folder.edit("divvy.toml", "[payments]", "[treasury]\nowner = \"collaborator\"\n\n[payments]");
    done(&["run", dir]);
    let file = folder.write("funds.csv", FUNDS);
    let import = ["import", "funds", file.to_str().unwrap(), "--dir", dir];
    assert_eq!(done(&import)["counts"]["new"], 3);
    assert_eq!(done(&import)["counts"]["known"], 3);

    // 656.59 was paid out of 5,000.00; the settlement is late by now, and somebody has to look.
    let status = run(&["treasury", dir]);
    assert_eq!(status.code, Some(5), "{}", status.said);
    assert_eq!(status.value["balance"], "4343.00");
    assert_eq!(status.value["fronted"], "656.59");
    assert_eq!(status.value["earned"], "32.87");
    assert_eq!(status.value["overdue"], "640.00");
    assert_eq!(status.value["health"], "low");
    assert!(status.value["alerts"].to_string().contains("settlement_overdue"));

    folder.write("arrived.csv", "id,purpose,amount,at\npo_1,arrived,638.10,2026-03-13T00:00:00Z\n");
    let file = folder.path().join("arrived.csv");
    done(&["import", "funds", file.to_str().unwrap(), "--dir", dir]);
    assert_eq!(run(&["treasury", dir]).value["fronted"], "18.49");

    // The payouts of that simulated week.
    let closed = done(&["treasury", dir, "--close", "2026-W10"]);
    assert_eq!((&closed["from"], &closed["until"]), (&"2026-03-02".into(), &"2026-03-09".into()));
    assert_eq!(done(&["treasury", dir, "--close", "2026-03-04"]), closed);
    let earlier = run(&["treasury", dir, "--close", "2026-W09"]);
    assert_eq!((earlier.code, &earlier.value["error"]["code"]), (Some(1), &2001.into()));
    let future = run(&["treasury", dir, "--close", "9999-01-01"]);
    assert_eq!(future.code, Some(1), "{}", future.said);
    done(&["verify", dir]);
    let story = done(&["explain", "treasury/duet", "--dir", dir]);
    assert!(story.to_string().contains("was closed"), "{story}");
}

#[test]
fn a_difference_with_a_statement_is_found_once_and_closed_by_a_person() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    let ran = done(&["run", dir]);
    let own = done(&["reconcile", dir]);
    assert_eq!(own["ours"]["USD"]["matched"]["entries"], ran["lines_settled"]);
    assert_eq!(own["ours"]["USD"]["matched"], own["theirs"]["USD"]["everything"]);

    // A statement of before the first payout, with something that nobody knows.
    let text = "reference,amount,at\nghost,12.00,2026-02-27T00:00:00Z\n";
    let file = folder.write("statement.csv", text);
    let file = file.to_str().unwrap();
    let compare = ["reconcile", dir, "--statement", file, "--until", "2026-02-28T00:00:00Z"];
    let first = run(&compare);
    assert_eq!(first.code, Some(5), "{}", first.said);
    assert_eq!(first.value["ours"]["USD"]["in_flight"]["entries"], ran["lines_settled"]);
    let found = &first.value["breaks"][0];
    assert_eq!((&found["cause"], &found["theirs"]), (&"missing_ours".into(), &"12.00".into()));
    let facts = done(&["verify", dir])["facts"].clone();
    assert_eq!(run(&compare).value["breaks"][0]["since"], found["since"]);
    assert_eq!(done(&["verify", dir])["facts"], facts, "a second run finds nothing anew");

    let id = found["id"].as_str().unwrap();
    done(&["break", "explain", id, "--cause", "timing", "--reason", "a test", "--dir", dir]);
    assert_eq!(run(&compare).value["breaks"][0]["state"], "explained");
    done(&["break", "close", id, "--reason", "it was ours", "--dir", dir]);
    let again = run(&["break", "close", id, "--reason", "twice", "--dir", dir]);
    assert_eq!((again.code, &again.value["error"]["code"]), (Some(1), &2101.into()));
    let story = done(&["explain", &format!("break/duet/{id}"), "--dir", dir]);
    assert_eq!(story["chapters"].as_array().unwrap().len(), 3, "{story}");

    // A line that cannot be read may be what is missing: nothing is noted then.
    folder.write("statement.csv", "reference,amount,at\nx,1.234,2026-02-27T00:00:00Z\n");
    let bad = run(&compare);
    assert_eq!((bad.code, &bad.value["bad_lines"][0]["line"]), (Some(5), &2.into()));
    done(&["verify", dir]);
}

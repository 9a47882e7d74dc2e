//! Whole jobs, from files to a statement that matches.

use crate::command::{Folder, done, run};

#[test]
fn nobody_is_said_to_be_paid_or_not_due_while_the_rail_is_silent() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    folder.edit("divvy.toml", "seed = 1", "seed = 1\nfaults = \"lost=1000\"");
    let payments = folder.path().join("payments.csv");
    done(&["import", "payments", payments.to_str().unwrap(), "--dir", dir]);
    let paid = run(&["pay", dir]);
    assert_eq!((paid.code, &paid.value["settled"]), (Some(5), &0.into()), "{}", paid.said);
    assert_eq!(paid.value["due"], 2, "the rail did not say what it had paid before");
    assert!(paid.value["unanswered"].as_u64().unwrap() > 0, "{}", paid.said);
    folder.edit("divvy.toml", "faults = \"lost=1000\"", "");
    let paid = run(&["pay", dir]);
    assert_eq!((paid.code, &paid.value["settled"]), (Some(0), &2.into()), "{}", paid.said);
}

#[test]
fn splitting_prints_what_was_promised_to_the_letter() {
    let ended = run(&["split", "--amount", "100", "--weights", "1,1,1"]);
    let promised = r#"{"rule":"largest_remainder","shares":["34","33","33"],"left":"0"}"#;
    assert_eq!(ended.said.trim_end(), promised);
    assert_eq!(ended.code, Some(0));
}

#[test]
fn a_creator_and_a_collaborator_get_their_parts_and_nobody_is_paid_again() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    let first = done(&["run", dir]);

    // 657.50 came in; 95 % of each payment, with the odd cent where the remainder is larger.
    assert_eq!(first["recorded"], "657.50");
    assert_eq!(first["payments"]["new"], 10);
    let statement = &first["statement"];
    assert_eq!(statement["matched"], first["lines_settled"]);
    assert_eq!(statement["ours_only"], 0);
    assert_eq!(statement["theirs_only"], 0);

    let creator = done(&["status", dir, "--payee", "creator"]);
    let collaborator = done(&["status", dir, "--payee", "collaborator"]);
    assert_eq!(creator["earned"], "624.63");
    assert_eq!(creator["paid"], "624.63");
    assert_eq!(collaborator["earned"], "32.87");
    assert_eq!(collaborator["payable"], "0.91");
    assert_eq!(collaborator["paid"], "31.96");

    let again = done(&["run", dir]);
    assert_eq!(again["lines_planned"], 0);
    assert_eq!(again["payments"]["known"], 10);
    assert_eq!(again["paid"], first["paid"]);
    assert_eq!(again["costs"]["flushes"], 0, "idle ticks write nothing");
    assert_eq!(again["lines_settled"], first["lines_settled"]);

    let verified = done(&["verify", dir]);
    assert_eq!(verified["facts"], again["facts"]);
}

#[test]
fn every_window_ends_with_each_line_paid_once() {
    for window in ["unlimited", "until", "until_height", "once"] {
        let folder = Folder::example("duet");
        folder.edit("divvy.toml", "window = \"until\"", &format!("window = \"{window}\""));
        let value = done(&["run", folder.path().to_str().unwrap()]);
        assert_eq!(value["paid"], "656.59", "{window}");
        assert_eq!(value["statement"]["theirs_only"], 0, "{window}");
    }
}

#[test]
fn every_fault_at_once_loses_nothing_and_pays_nobody_twice() {
    for (window, seed) in [("until", 1), ("until", 2), ("until_height", 3), ("unlimited", 4)] {
        let folder = Folder::example("duet");
        folder.edit("divvy.toml", "window = \"until\"", &format!("window = \"{window}\""));
        let faults = "late=80,lost=80,dropped=40,duplicated=80,out_of_order=40,refused=80,\
            server_error=80,reorganised=40,slow=60,killed=20";
        let faults = format!("faults = \"{faults}\"\nseed = {seed}");
        folder.edit("divvy.toml", "seed = 1", &faults);
        let value = done(&["run", folder.path().to_str().unwrap()]);
        assert_eq!(value["paid"], "656.59", "{window} {seed}: {value}");
        assert_eq!(value["reserved"], "0.00", "{window} {seed}: {value}");
    }
}

#[test]
fn a_payee_a_payment_and_a_batch_can_be_explained() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    done(&["run", dir]);
    for (subject, said) in [
        ("collaborator", "earned 2.45 USD: the rest of the 49.00 that came in"),
        ("payment/import/main/sale-01", "divided as 46.55 to payee creator (95%)"),
        ("batch/duet/0/0", "is final"),
    ] {
        let value = done(&["explain", subject, "--dir", dir, "--all"]);
        assert!(value["chapters"].to_string().contains(said), "{subject}: {value}");
    }
}

#[test]
fn a_dry_run_shows_who_would_be_paid_and_pays_nobody() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    let payments = folder.path().join("payments.csv");
    done(&["import", "payments", payments.to_str().unwrap(), "--dir", dir]);
    let due = done(&["due", dir]);
    assert_eq!(due["due"].as_array().unwrap().len(), 2);
    let shown = done(&["pay", dir, "--dry-run"]);
    assert_eq!(shown["total"], "657.50");
    assert_eq!(done(&["status", dir])["paid"], "0.00");
    assert_eq!(done(&["pay", dir])["lines"], 2);
    assert_eq!(done(&["pay", dir])["lines"], 0);
    assert_eq!(done(&["status", dir])["paid"], "657.50");
}

#[test]
fn settings_that_init_writes_work_as_they_are() {
    let folder = Folder::new("init");
    let dir = folder.path().to_str().unwrap();
    done(&["init", dir]);
    done(&["run", dir]);
    assert_eq!(run(&["init", dir]).code, Some(1), "an existing file is not overwritten");
}

#[test]
fn who_cannot_be_paid_is_held_and_everybody_else_is_paid() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    folder.edit("divvy.toml", "{ payee = \"collaborator\"", "{ pool = \"fans\"");
    folder.edit("divvy.toml", "threshold = \"20.00\"", "threshold = \"1.00\"");
    let pool = "[pool]\nname = \"fans\"\nsupply = \"80\"\nholders = \"holders.csv\"\n[payments]";
    folder.edit("divvy.toml", "[payments]", pool);
    // `refuse:` is refused by name, `closed:` without one, `return:` comes back after a day.
    let holders = "holder,units,destination\nann,10,\nbob,10,refuse:bob\ncy,10,closed:cy\n\
        di,10,return:di\ned,10,\nflo,10,\ngus,10,\nhal,10,\n";
    folder.write("holders.csv", holders);
    let value = done(&["run", dir]);
    assert_eq!(value["reserved"], "0.00");
    for (payee, is_paid) in
        [("ann", true), ("bob", false), ("cy", false), ("di", false), ("ed", true), ("hal", true)]
    {
        let balance = done(&["status", dir, "--payee", payee]);
        let held = balance["expected"].as_str().unwrap().starts_with("held");
        assert_eq!(held, !is_paid, "{balance}");
        assert_eq!(balance["paid"] != "0.00", is_paid, "{balance}");
    }
}

#[test]
fn a_rail_that_remembers_nothing_leaves_what_is_unknown_to_a_person() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    folder.edit("divvy.toml", "window = \"until\"", "window = \"once\"");
    folder.edit("divvy.toml", "seed = 1", "faults = \"lost=500\"\nseed = 2");
    let ended = run(&["run", dir]);
    // Some replies were lost, and nobody may send again: the statement knows more than our facts.
    let status = done(&["status", dir]);
    assert!(status["batches"]["review"].as_u64().unwrap() > 0, "{status}");
    assert!(ended.value["statement"]["undecided"].as_u64().unwrap() > 0, "{}", ended.said);
    assert_eq!(ended.value["statement"]["theirs_only"], 0, "{}", ended.said);
    assert_eq!(ended.code, Some(5), "something wants to be looked at");
}

//! Bad input gets a clear error that names the value and the remedy; nothing is half done.

use std::fs;

use crate::command::{Folder, done, run};

fn refused(arguments: &[&str], name: &str, said: &str) {
    let ended = run(arguments);
    assert_eq!(ended.value["error"]["name"], name, "{arguments:?}: {}", ended.said);
    let detail = ended.value["error"]["detail"].as_str().unwrap();
    assert!(detail.contains(said), "{arguments:?}: {detail}");
    assert!(matches!(ended.code, Some(1 | 3 | 4)), "{arguments:?}");
}

#[test]
fn amounts_and_weights_that_make_no_sense_are_refused() {
    let split = |amount, weights| ["split", "--amount", amount, "--weights", weights];
    refused(&["split", "--amount=-5", "--weights", "1"], "amount_malformed", "-5");
    refused(&split("1.5", "1"), "amount_malformed", "1.5");
    refused(&split("9223372036854775808", "1"), "amount_above_ceiling", "ceiling");
    refused(&split("100", "0,0,0"), "split_empty", "zero");
    refused(&split("100", "1,-1"), "split_malformed", "-1");
    refused(&split("100", "1,x"), "split_malformed", "\"x\"");
    let mut unknown = split("1.00", "1").to_vec();
    unknown.extend(["--asset", "XYZ"]);
    refused(&unknown, "asset_unknown", "USDC@6");
}

#[test]
fn rules_that_leak_are_refused_before_anything_is_written() {
    for (from, to, name) in [
        ("95%", "100.0001%", "split_leaky"),
        ("\"remaining\"", "\"4%\"", "split_leaky"),
        ("\"95%\"", "\"0%\"", "split_malformed"),
        ("asset = \"USD\"", "asset = \"ZZZ\"", "asset_unknown"),
        ("collaborator\", share", "creator\", share", "split_malformed"),
        ("threshold = \"20.00\"", "threshold = \"20.001\"", "amount_malformed"),
        ("book = ", "cook = ", "input_malformed"),
        ("tick_secs", "period = \"fortnightly\"\ntick_secs", "input_malformed"),
        ("tick_secs", "period = \"daily\"\nmax_wait_days = 3\ntick_secs", "input_malformed"),
    ] {
        let folder = Folder::example("duet");
        folder.edit("divvy.toml", from, to);
        refused(&["run", folder.path().to_str().unwrap()], name, "");
        assert!(!folder.path().join("divvy.db").exists(), "{to}");
    }
}

#[test]
fn a_bad_line_is_told_by_its_number_and_the_rest_goes_on() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    let text = "\u{feff}id,paid_at,amount,payer\r\n\
        a,2026-03-01T00:00:00Z,1.00,\"Doe, Jane\"\r\n\
        b,2026-03-01T00:00:00Z,-1.00,x\r\n\
        c,2026-03-01T00:00:00Z,1.001,x\r\n\
        d,yesterday,1.00,x\r\n\
        e/f,2026-03-01T00:00:00Z,1.00,x\r\n\
        g,2026-03-01T00:00:00Z,0.00,x\r\n\
        h\r\n\
        i,2026-03-01T00:00:00Z,2.00,x\r\n";
    let file = folder.write("more.csv", text);
    let ended = run(&["import", "payments", file.to_str().unwrap(), "--dir", dir]);
    assert_eq!(ended.code, Some(5), "{}", ended.said);
    assert_eq!(ended.value["counts"]["new"], 2);
    let bad = ended.value["bad_lines"].as_array().unwrap();
    let lines: Vec<u64> = bad.iter().map(|bad| bad["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [3, 4, 5, 6, 7, 8]);
    assert_eq!(done(&["status", dir])["recorded"], "3.00");
}

#[test]
fn a_line_that_the_book_refuses_is_told_by_its_number_and_the_rest_goes_on() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    let text = "id,paid_at,amount\n\
        a,2026-03-01T00:00:00Z,1.00\n\
        b,2999-03-01T00:00:00Z,1.00\n\
        c,2026-03-01T00:00:00Z,92233720368547758.07\n\
        d,2026-03-01T00:00:00Z,2.00\n";
    let file = folder.write("more.csv", text);
    let ended = run(&["import", "payments", file.to_str().unwrap(), "--dir", dir]);
    assert_eq!((ended.code, &ended.value["counts"]["new"]), (Some(5), &2.into()), "{}", ended.said);
    let bad = ended.value["bad_lines"].as_array().unwrap();
    let told = |at: usize, what: &str| bad[at]["problem"].as_str().unwrap().contains(what);
    assert_eq!((&bad[0]["line"], &bad[1]["line"]), (&3.into(), &4.into()), "{}", ended.said);
    assert!(told(0, "2999") && told(1, "ceiling"), "{}", ended.said);
    assert_eq!(done(&["status", dir])["recorded"], "3.00");

    let head = "id,purpose,amount,at,expected_on\n";
    let day = "x,expected,7.00,2026-03-01T00:00:00Z,2026-03-04\n";
    let rows = "f1,replenished,5.00,2026-03-01T00:00:00Z,\n";
    let funds = |name: &str, text: String| {
        let file = folder.write(name, text);
        run(&["import", "funds", file.to_str().unwrap(), "--dir", dir])
    };
    let ended = funds("funds.csv", [head, rows, day].concat());
    assert_eq!((ended.code, &ended.value["counts"]["new"]), (Some(0), &2.into()), "{}", ended.said);
    let more = "f1,replenished,6.00,2026-03-01T00:00:00Z,\nf2,gift,1.00,now,\n\
                f3,withdrawn,1.00,2026-03-01T00:00:00Z,\n";
    let ended = funds("more.csv", [head, more].concat());
    assert_eq!((ended.code, &ended.value["counts"]["new"]), (Some(5), &1.into()), "{}", ended.said);
    let lines: Vec<&serde_json::Value> =
        ended.value["bad_lines"].as_array().unwrap().iter().map(|bad| &bad["line"]).collect();
    assert_eq!(lines, [2, 3], "{}", ended.said);
}

#[test]
fn files_that_are_empty_missing_or_lack_a_column_are_refused() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    let import = |file: &str| ["import", "payments", file, "--dir", dir].map(str::to_owned);
    for (text, name) in [("", "input_malformed"), ("id,amount\n1,2\n", "input_malformed")] {
        let file = folder.write("bad.csv", text);
        let arguments = import(file.to_str().unwrap());
        refused(&arguments.each_ref().map(String::as_str), name, "paid_at");
    }
    let arguments = import("/no/such/file.csv");
    refused(&arguments.each_ref().map(String::as_str), "file_unusable", "/no/such/file.csv");
    refused(&["run", "/no/such/folder"], "file_unusable", "divvy init");
}

#[test]
fn duplicate_and_empty_holders_are_told_and_passed_over() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    folder.edit("divvy.toml", "{ payee = \"collaborator\"", "{ pool = \"fans\"");
    folder.edit("divvy.toml", "[payments]", "[pool]\nname = \"fans\"\nsupply = \"10\"\n[payments]");
    let file = folder.write("holders.csv", "holder,units\nann,7\nbob,0\nann,1\n,5\ncy,x\ndi,3\n");
    let ended = run(&["import", "holders", file.to_str().unwrap(), "--dir", dir]);
    assert_eq!(ended.code, Some(5), "{}", ended.said);
    let bad = ended.value["bad_lines"].as_array().unwrap();
    let lines: Vec<u64> = bad.iter().map(|bad| bad["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [4, 5, 6]);
    let value = done(&["run", dir]);
    assert_eq!(value["recorded"], "657.50");
    assert_eq!(value["undeclared"], "0.00");
}

#[test]
fn payees_without_a_destination_wait_and_are_told() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    folder.edit("divvy.toml", "named_on_rail = true", "named_on_rail = false");
    let value = done(&["run", dir]);
    assert_eq!(value["paid"], "0.00");
    let creator = done(&["status", dir, "--payee", "creator"]);
    assert!(creator["expected"].as_str().unwrap().contains("no destination"), "{creator}");
}

#[test]
fn the_same_payment_with_another_body_shows_both() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    done(&["run", dir]);
    let file = folder.write("more.csv", "id,paid_at,amount\nsale-01,2026-03-01T09:30:00Z,48.00\n");
    let ended = run(&["import", "payments", file.to_str().unwrap(), "--dir", dir]);
    assert_eq!(ended.code, Some(5), "{}", ended.said);
    assert_eq!(ended.value["counts"]["conflicts"], 1);
    assert_eq!(done(&["status", dir])["recorded"], "657.50");
}

#[test]
fn a_database_of_another_book_another_program_or_another_time_is_left_as_it_is() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    done(&["run", dir]);
    folder.edit("divvy.toml", "book = \"duet\"", "book = \"trio\"");
    refused(&["run", dir], "book_conflict", "another book");
    folder.edit("divvy.toml", "book = \"trio\"", "book = \"duet\"");
    folder.edit("divvy.toml", "asset = \"USD\"", "asset = \"EUR\"");
    refused(&["run", dir], "book_conflict", "other settings");

    let foreign = Folder::example("duet");
    let path = foreign.write("divvy.db", "not a database at all, but somebody's notes");
    refused(&["run", foreign.path().to_str().unwrap()], "store_foreign", "divvy.db");
    let kept = fs::read_to_string(path).unwrap();
    assert_eq!(kept, "not a database at all, but somebody's notes");
}

#[test]
fn a_clock_a_year_and_more_ahead_needs_consent() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    done(&["run", dir]);
    folder.edit(
        "divvy.toml",
        "until = \"2026-03-11T00:00:00Z\"",
        "until = \"2029-03-11T00:00:00Z\"",
    );
    folder.edit("divvy.toml", "tick_secs = 3600", "tick_secs = 99999999");
    refused(&["run", dir], "clock_ahead", "2029");
}

#[test]
fn errors_name_amounts_as_they_are_written_and_what_to_do() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    refused(&["status", dir], "store_unusable", "`divvy import` or `divvy run` makes one");
    refused(&["init", dir], "file_unusable", "is there already");
    let file = folder.write("more.csv", "id,paid_at,amount\nx,2026-03-01T00:00:00Z,12.00\n");
    done(&["import", "payments", file.to_str().unwrap(), "--dir", dir]);
    let refund =
        |payment, amount| ["refund", payment, "--amount", amount, "--id", "r", "--dir", dir];
    refused(&refund("x", "12.01"), "payment_malformed", "12.01 USD cannot go back");
    refused(&refund("y", "1.00"), "payment_unknown", "payment/import/main/y is not recorded");
    done(&refund("x", "2.00"));
    let again = run(&refund("x", "3.00"));
    assert!(
        again.said.contains("a refund of 2.00 USD, and now as a refund of 3.00 USD"),
        "{}",
        again.said
    );
    let file = folder.write("more.csv", "id,paid_at,amount\nx,2026-03-01T00:00:00Z,13.00\n");
    let again = run(&["import", "payments", file.to_str().unwrap(), "--dir", dir]);
    assert_eq!(again.value["counts"]["conflicts"], 1, "{}", again.said);
    let told = done(&["explain", "x", "--dir", dir])["chapters"].to_string();
    assert!(told.contains("12.00 USD came in"), "the id of a payment will do: {told}");
    let empty = folder.write("none.json", "[]");
    let root = "0".repeat(64);
    let checked = ["check-proof", empty.to_str().unwrap(), "--root", &root];
    refused(&checked, "proof_wrong", "holds no proofs");
}

#[test]
fn a_byte_that_was_altered_is_named_whatever_it_became() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    done(&["run", dir]);
    let database = folder.path().join("divvy.db");
    let whole = fs::read(&database).unwrap();
    for (sql, said) in [
        ("body = body || 'x'", "fact 0 of payment/import/main/sale-03: its body was altered"),
        ("body = CAST(body || 'x' AS BLOB)", "of payment/import/main/sale-03"),
        ("at = at + 1", "of payment/import/main/sale-03"),
        ("hash = 'x'", "its hash was altered"),
    ] {
        fs::write(&database, &whole).unwrap();
        let connection = rusqlite::Connection::open(&database).unwrap();
        let sql = format!("UPDATE divvy_fact SET {sql} WHERE stream LIKE '%/sale-03'");
        assert_eq!(connection.execute(&sql, []).unwrap(), 1);
        drop(connection);
        let ended = run(&["verify", dir]);
        let detail = ended.value["error"]["detail"].as_str().unwrap();
        assert!(detail.contains(said), "{sql}: {detail}");
    }
    fs::write(&database, &whole).unwrap();
    let root = done(&["seal", dir])["root"].as_str().unwrap().to_owned();
    done(&["verify", dir, "--root", &root]);
    refused(&["verify", dir, "--root", &"0".repeat(64)], "proof_wrong", "another history");
    let connection = rusqlite::Connection::open(&database).unwrap();
    connection.execute("DELETE FROM divvy_fact WHERE stream LIKE '%/sale-10'", []).unwrap();
    drop(connection);
    let ended = run(&["verify", dir]);
    assert_eq!(ended.code, Some(4), "{}", ended.said);
    assert!(ended.said.contains("facts are missing"), "{}", ended.said);
}

//! What goes back, what was there before, and units that come and go: by command.

use crate::command::{Folder, done, run};

fn paid_duet() -> Folder {
    let folder = Folder::example("duet");
    done(&["run", folder.path().to_str().unwrap()]);
    folder
}

fn earned(dir: &str, payee: &str) -> String {
    done(&["status", dir, "--payee", payee])["earned"].as_str().unwrap().to_owned()
}

#[test]
fn a_refund_takes_each_share_back_once_and_what_was_paid_is_owed_back() {
    let folder = paid_duet();
    let dir = folder.path().to_str().unwrap();
    let refund = ["refund", "sale-01", "--amount", "49.00", "--id", "re-1", "--dir", dir];
    assert_eq!(done(&refund)["reversed"], "49.00");
    assert_eq!(done(&refund)["new"], false);
    // 624.63 earned of ten sales, 46.55 of them of this one.
    let creator = done(&["status", dir, "--payee", "creator"]);
    assert_eq!((&creator["earned"], &creator["owed_back"]), (&"578.08".into(), &"46.55".into()));
    let another = ["refund", "sale-01", "--amount", "1.00", "--id", "re-1", "--dir", dir];
    assert_eq!(run(&another).code, Some(5), "another amount under the same id is shown");
    let more = ["refund", "sale-01", "--amount", "1.00", "--id", "re-2", "--dir", dir];
    assert_eq!(run(&more).value["error"]["name"], "payment_malformed");
    done(&["verify", dir]);
}

#[test]
fn a_dispute_that_is_won_comes_again_and_one_that_is_lost_stays_away() {
    let folder = paid_duet();
    let dir = folder.path().to_str().unwrap();
    for (payment, id) in [("sale-01", "dp-1"), ("payment/import/main/sale-02", "dp-2")] {
        let given = ["refund", payment, "--amount", "10", "--id", id, "--dispute", "--dir", dir];
        done(&given);
    }
    done(&["restore", "sale-01", "--id", "dp-1", "--because", "won", "--dir", dir]);
    done(&["lose", "sale-02", "--id", "dp-2", "--dir", dir]);
    assert_eq!(earned(dir, "creator"), "615.13", "9.50 of 624.63 stay away");
    let ended = run(&["restore", "sale-02", "--id", "dp-2", "--dir", dir]);
    assert_eq!(ended.value["error"]["name"], "payment_conflict");
    done(&["verify", dir]);
}

#[test]
fn refunds_of_a_file_are_taken_in_once_and_bad_lines_are_told() {
    let folder = paid_duet();
    let dir = folder.path().to_str().unwrap();
    let file = folder.write(
        "refunds.csv",
        "id,payment,refunded_at,amount,cause\n\
         a,sale-01,2026-03-12T00:00:00Z,9.00,\n\
         b,never,2026-03-12T00:00:00Z,1.00,\n\
         c,sale-02,2026-03-12T00:00:00Z,99999.00,refund\n\
         d,sale-04,2026-03-12T00:00:00Z,1.00,dispute\n\
         e,sale-04,2026-03-12T00:00:00Z,1.00,grudge\n",
    );
    for (new, known) in [(2, 0), (0, 2)] {
        let ended = run(&["import", "refunds", file.to_str().unwrap(), "--dir", dir]);
        assert_eq!(ended.code, Some(5), "{}", ended.said);
        assert_eq!(ended.value["counts"]["new"], new);
        assert_eq!(ended.value["counts"]["known"], known);
        let bad = ended.value["bad_lines"].as_array().unwrap();
        let lines: Vec<u64> = bad.iter().map(|bad| bad["line"].as_u64().unwrap()).collect();
        assert_eq!(lines, [3, 4, 6]);
    }
    assert_eq!(earned(dir, "creator"), "615.13", "9.50 of 10.00");
}

#[test]
fn balances_from_before_are_taken_in_once_and_a_dry_run_changes_nothing() {
    let folder = paid_duet();
    let dir = folder.path().to_str().unwrap();
    let old = "{\"payee\":\"ann\",\"earned\":\"120.00\",\"paid\":\"100.00\"}\n\
        {\"payee\":\"bob\",\"earned\":7.5}\n\nnonsense\n\
        {\"payee\":\"creator\",\"earned\":10}\n";
    let file = folder.write("old.jsonl", old);
    let import = ["import", "balances", file.to_str().unwrap(), "--dir", dir];
    let dry = run(&[&import[..], &["--dry-run"]].concat());
    assert_eq!(dry.value["counts"]["new"], 2, "{}", dry.said);
    assert_eq!(dry.value["counts"]["adding"][0]["payee"], "creator");
    assert_eq!(dry.value["counts"]["adding"][0]["book"]["earned"], "624.63");
    assert_eq!(run(&["status", dir, "--payee", "ann"]).code, Some(1), "nothing was written");

    let first = run(&import);
    let lines = first.value["bad_lines"].as_array().unwrap();
    assert_eq!(lines.iter().map(|bad| bad["line"].as_u64().unwrap()).collect::<Vec<_>>(), [2, 4]);
    let again = run(&import);
    assert_eq!(
        (&again.value["counts"]["new"], &again.value["counts"]["known"]),
        (&0.into(), &2.into())
    );
    let ann = done(&["status", dir, "--payee", "ann"]);
    assert_eq!((&ann["payable"], &ann["paid"]), (&"20.00".into(), &"100.00".into()));
    assert_eq!(earned(dir, "creator"), "634.63");

    folder.write("old.jsonl", "{\"payee\":\"ann\",\"earned\":\"121.00\",\"paid\":\"100.00\"}");
    let other = run(&import);
    assert_eq!(other.code, Some(5), "another sum for the same payee is shown, and stays out");
    assert_eq!(other.value["counts"]["conflicts"][0]["book"]["earned"], "120.00");
    assert_eq!(earned(dir, "ann"), "120.00");
    done(&["verify", dir]);
}

#[test]
fn a_pool_flows_over_days_and_units_come_and_go_by_command() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    folder.edit("divvy.toml", "{ payee = \"collaborator\"", "{ pool = \"stakers\"");
    let pool = "[pool]\nname = \"stakers\"\nsupply = \"10\"\nflow_days = 30\n[payments]";
    folder.edit("divvy.toml", "[payments]", pool);
    let at = ["--dir", dir];
    let staked = done(&[&["stake", "ann", "7"], &at[..]].concat());
    assert_eq!((&staked["units"], &staked["supply"]), (&"7".into(), &"7".into()));
    let payments = folder.path().join("payments.csv");
    done(&["import", "payments", payments.to_str().unwrap(), "--dir", dir]);
    done(&["declare", dir]);
    let status = done(&["status", dir]);
    assert_eq!(status["declared_to_pools"], "0.00", "it has only begun to flow: {status}");
    assert_eq!(status["undeclared"], "32.87");
    assert_eq!(done(&[&["unstake", "ann", "7"], &at[..]].concat())["supply"], "0");
    assert_eq!(
        run(&[&["unstake", "ann", "1"], &at[..]].concat()).value["error"]["name"],
        "pool_units"
    );
    assert_eq!(run(&[&["compound", "ann", "--amount", "1"], &at[..]].concat()).code, Some(3));
    assert_eq!(run(&[&["stake", "ann", "0"], &at[..]].concat()).code, Some(1));
    done(&["verify", dir]);
}

#[test]
fn money_that_a_holder_has_earned_becomes_units() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    folder.edit("divvy.toml", "{ payee = \"collaborator\"", "{ pool = \"fans\"");
    let pool = "[pool]\nname = \"fans\"\nsupply = \"10\"\nholders = \"h.csv\"\n[payments]";
    folder.edit("divvy.toml", "[payments]", pool);
    folder.write("h.csv", "holder,units\nann,10\n");
    let payments = folder.path().join("payments.csv");
    done(&["import", "payments", payments.to_str().unwrap(), "--dir", dir]);
    let compounded = done(&["compound", "ann", "--dir", dir]);
    assert_eq!(compounded["units"], "3297", "32.87 became units, one for each cent");
    assert_eq!(done(&["status", dir, "--payee", "ann"])["payable"], "0.00");
    // Whoever has left does not come back because the file of holders is read again.
    done(&["unstake", "ann", "3297", "--dir", dir]);
    done(&["import", "payments", payments.to_str().unwrap(), "--dir", dir]);
    assert_eq!(done(&["stake", "bob", "1", "--dir", dir])["supply"], "1");
    done(&["verify", dir]);
}

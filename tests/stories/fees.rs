//! What rails charge, what payees bear of it, what a price stops, and what a rate leaves alone.

use divvy::core::{Amount, Asset};

use crate::command::{Folder, done, run};

/// Everybody bears up to 0.05 of a line, and the rail charges 0.07 for each.
fn bearing(fees: &str, rail: &str) -> Folder {
    let folder = Folder::example("duet");
    let fees = format!("[fees]\n{fees}\n\n[payments]");
    folder.edit("divvy.toml", "[payments]", &fees);
    folder.edit("divvy.toml", "seed = 1", &format!("seed = 1\n{rail}"));
    folder
}

#[test]
fn a_fee_is_shown_borne_charged_and_found_in_the_statement() {
    let folder = bearing("borne_max = \"0.05\"", "fee = \"0.07\"");
    let dir = folder.path().to_str().unwrap();
    // The book begins, and what payees bear is written down before anything is paid.
    let payments = folder.path().join("payments.csv");
    done(&["import", "payments", payments.to_str().unwrap(), "--dir", dir]);
    let shown = done(&["pay", dir, "--dry-run"]);
    let bears = |line: &serde_json::Value| line["bears"] == "0.05";
    assert!(shown["lines"].as_array().unwrap().iter().all(bears), "{shown}");
    done(&["pay", dir]);

    let treasury = run(&["treasury", dir]);
    let lines = treasury.value["lines_settled"].as_u64().unwrap();
    let usd = Asset::parse("USD").unwrap();
    let cents = |each: u64| usd.text(Amount::new(lines * each).unwrap());
    assert_eq!(treasury.value["fees_charged"][0]["amount"], cents(7), "{}", treasury.said);
    assert_eq!(treasury.value["fees_charged"][0]["wallet"], "till");
    assert_eq!(treasury.value["fees_borne"], cents(5));
    assert_eq!(treasury.value["rate_difference"], "0.00");

    // Each fee is a line of the statement too, beside the line that was paid.
    let compared = done(&["reconcile", dir]);
    let (ours, theirs) = (&compared["ours"]["USD"], &compared["theirs"]["USD"]);
    assert_eq!(ours["matched"], theirs["everything"], "{compared}");
    let tries = ours["matched"]["entries"].as_u64().unwrap() - lines;
    assert!(tries > 0, "{compared}");
    let story = done(&["explain", "creator", "--dir", dir]).to_string();
    assert!(story.contains("at most 0.05 USD a line"), "shown before: {story}");
    assert!(story.contains("they bear 0.05 of the fee"), "{story}");
    assert!(done(&["explain", "batch/duet/1/0", "--dir", dir]).to_string().contains("charged"));
    done(&["verify", dir]);
}

#[test]
fn nothing_is_signed_above_the_ceiling_and_the_reason_is_said() {
    let folder = bearing("ceiling = \"0.06\"", "fee = \"0.07\"");
    let dir = folder.path().to_str().unwrap();
    let payments = folder.path().join("payments.csv");
    done(&["import", "payments", payments.to_str().unwrap(), "--dir", dir]);
    for command in [&["pay", dir][..], &["pay", dir, "--dry-run"]] {
        let stopped = run(command);
        assert_eq!(stopped.code, Some(5), "{}", stopped.said);
        assert!(stopped.said.contains("0.06 USD for a batch at most"), "{}", stopped.said);
    }
    assert_eq!(run(&["treasury", dir]).value["lines_settled"], 0);
    folder.edit("divvy.toml", "ceiling = \"0.06\"", "ceiling = \"1.00\"");
    // What is written down is what counts: an import does what the settings say.
    done(&["import", "payments", payments.to_str().unwrap(), "--dir", dir]);
    let paid = done(&["pay", dir]);
    assert_eq!(paid["lines"], 2, "{paid}");
}

#[test]
fn a_fee_in_the_coin_of_a_chain_is_never_mixed_into_the_book() {
    let rail = "fee = \"0.000005\"\nfee_asset = \"SOL@9\"\nfee_quoted = \"0.01\"";
    let folder = bearing("ceiling = \"5.00\"", rail);
    let dir = folder.path().to_str().unwrap();
    let ran = done(&["run", dir]);
    let lines = ran["lines_settled"].as_u64().unwrap();
    let treasury = run(&["treasury", dir]);
    let fee = &treasury.value["fees_charged"][0];
    assert_eq!((&fee["asset"], &fee["wallet"]), (&"SOL@9".into(), &"till".into()));
    assert_eq!(fee["amount"], format!("0.{:09}", lines * 5_000), "{}", treasury.said);
    assert_eq!(treasury.value["balance"], "-656.59", "as without any fee");
    let compared = done(&["reconcile", dir]);
    assert_eq!(compared["ours"]["SOL@9"]["matched"], compared["theirs"]["SOL@9"]["everything"]);
    done(&["verify", dir]);
}

#[test]
fn what_was_locked_at_receipt_stays_so_whatever_the_rate_does() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    folder.edit("divvy.toml", "asset = \"USD\"", "asset = \"USDT@6\"");
    let header = "id,paid_at,amount,original_amount,original_asset,rate,rate_source\n";
    let good = "s1,2026-03-01T09:30:00Z,48.50,50.00,USD,0.97,bank\n";
    let bad = "s2,2026-03-01T09:31:00Z,48.60,50.00,USD,0.97,bank\n\
        s3,2026-03-01T09:32:00Z,48.50,50.00,USD,,bank\n\
        s4,2026-03-01T09:33:00Z,48.50,50.00,USD,-1,bank\n";
    folder.write("payments.csv", format!("{header}{good}{bad}"));
    let ran = done(&["run", dir]);
    assert_eq!(ran["payments"]["bad_lines"].as_array().unwrap().len(), 3, "{ran}");
    assert!(ran.to_string().contains("find out which is true"), "{ran}");
    let earned = || done(&["explain", "creator", "--dir", dir]).to_string();
    assert!(earned().contains("48.500000 that came in"), "{}", earned());

    // The dollar is worth twice as much by now: the same line again is the same payment.
    let payments = folder.path().join("payments.csv");
    folder.write("payments.csv", format!("{header}{good}"));
    let again = done(&["import", "payments", payments.to_str().unwrap(), "--dir", dir]);
    assert_eq!(again["counts"]["known"], 1, "{again}");
    let dearer = good.replace("48.50", "97.00").replace("0.97", "1.94");
    folder.write("payments.csv", format!("{header}{dearer}"));
    let other = run(&["import", "payments", payments.to_str().unwrap(), "--dir", dir]);
    assert_ne!(other.code, Some(0), "another amount is a conflict: {}", other.said);

    // A refund is of dollars, and takes back what they were worth then: all of them all of it.
    for (id, amount) in [("r1", "16.67"), ("r2", "33.33")] {
        done(&["refund", "s1", "--amount", amount, "--id", id, "--dir", dir]);
    }
    let story = done(&["explain", "payment/import/main/s1", "--dir", dir]).to_string();
    assert!(story.contains("48.500000"), "{story}");
    let balance = done(&["status", dir]);
    assert!(!balance.to_string().contains("97.00"), "{balance}");
    done(&["verify", dir]);
}

#[test]
fn in_a_book_that_knows_people_one_of_them_signs_other_fees_and_terms() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    let (ann, key) = crate::approvals::key(&folder, "ann");
    let people = "[approvals]\nlimit = \"100000.00\"\nneeded = 1\n[approvals.people]\nann = ";
    let settings = format!("[fees]\nborne_max = \"0.05\"\n\n{people}\"{key}\"\n\n[payments]");
    folder.edit("divvy.toml", "[payments]", &settings);
    done(&["run", dir]);
    assert!(done(&["fees", "show", dir])["next"].is_null());

    folder.edit("divvy.toml", "0.05", "0.09");
    folder.edit("divvy.toml", "threshold", "fee_share = { bps = 9000 }\nthreshold");
    let shown = run(&["fees", "show", dir]);
    assert_eq!(shown.code, Some(5), "{}", shown.said);
    assert_eq!(shown.value["next"]["fees"]["borne_max"], "9", "{}", shown.said);
    let share = &shown.value["next"]["terms"]["fee_share"];
    assert_eq!(share["at_most"]["bps"], 9_000, "{}", shown.said);
    for unsigned in [&["run", dir][..], &["fees", "set", dir]] {
        let refused = run(unsigned);
        assert_eq!(refused.value["error"]["name"], "act_unsigned", "{}", refused.said);
    }
    let (stranger, _) = crate::approvals::key(&folder, "dot");
    let refused = run(&["fees", "set", dir, "--key", &stranger]);
    assert_eq!(refused.value["error"]["name"], "signature_wrong", "{}", refused.said);
    let set = done(&["fees", "set", dir, "--key", &ann, "--reason", "the rail got dearer"]);
    assert_eq!(set["in_force"]["fees"]["borne_max"], "9");
    assert!(done(&["fees", "show", dir])["next"].is_null());
    done(&["run", dir]);
    done(&["verify", dir]);
}

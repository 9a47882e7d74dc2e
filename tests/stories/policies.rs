//! Policies as the settings name them.

use serde_json::Value;

use crate::command::{Folder, done, run};

#[test]
fn a_weekly_payee_is_paid_on_monday_everything_and_once() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    folder.edit("divvy.toml", "threshold = \"20.00\"", "period = \"weekly\"");
    done(&["run", dir]);
    done(&["run", dir]);
    let told = done(&["explain", "collaborator", "--dir", dir, "--all"]);
    let chapters = told["chapters"].as_array().unwrap();
    let told = |chapter: &Value| {
        let change = chapter["change"].as_str().unwrap_or_default().to_owned();
        (change, chapter["at"].as_str().unwrap_or_default().to_owned())
    };
    let reserved: Vec<_> =
        chapters.iter().map(told).filter(|(change, _)| change.starts_with("reserved +")).collect();
    let mondays = ["2026-03-02T00:00:00Z", "2026-03-09T00:00:00Z"];
    assert_eq!(reserved.iter().map(|(_, at)| at.as_str()).collect::<Vec<_>>(), mondays);
    done(&["verify", dir]);
}

/// Quotes as a job of the host's writes them.
fn quotes(fee: &str, price: &str) -> String {
    format!(
        "[[rate]]\nfrom = \"EUR\"\nto = \"USD\"\nprice = \"{price}\"\n{at}\n\
         [[fee]]\nrail = \"sandbox\"\nasset = \"EUR\"\nper_line = \"{fee}\"\n{at}\n",
        at = "at = \"2026-03-01T00:00:00Z\"\nsource = \"a bank\""
    )
}

#[test]
fn nobody_is_paid_while_the_fee_is_too_large_a_share_and_everybody_sees_why() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    let share = "fee_share = { bps = 200 }\nfee_shares = { creator = { bps = 1 } }\n\
                 quotes = { file = \"quotes.toml\", age_secs_max = 31536000 }\n\
                 threshold = \"5.00\"";
    folder.edit("divvy.toml", "threshold = \"20.00\"", share);
    folder.write("quotes.toml", quotes("0.50", "1.20"));
    done(&["run", dir]);
    let waits = |why: &str| {
        let status = done(&["status", dir]);
        let all = status["waits"]["by_payee"].as_array().unwrap().clone();
        let named = |wait: &Value| wait["why"].as_str().unwrap().contains(why);
        all.iter().filter(|wait| named(wait)).map(|wait| wait["payee"].clone()).collect::<Vec<_>>()
    };
    // 0.60 is paid for 30.00 at 2%, and for 6,000.00 at a hundredth of a percent.
    let paid = |payee: &str| done(&["balance", payee, "--dir", dir])["paid"].clone();
    assert_eq!(paid("creator"), "0.00");
    assert!(waits("charges 0.60").contains(&"creator".into()));
    folder.write("quotes.toml", "");
    assert!(waits("nobody quotes").contains(&"creator".into()));
    let dry = done(&["pay", dir, "--dry-run"]);
    assert_eq!(dry["lines"].as_array().unwrap().len(), 0);
    folder.write("quotes.toml", quotes("0.00", "1.20"));
    let dry = done(&["pay", dir, "--dry-run"]);
    assert!(dry["lines"].as_array().unwrap().iter().any(|line| line["payee"] == "creator"));
    done(&["verify", dir]);
    let told = done(&["explain", "creator", "--dir", dir, "--all"]).to_string();
    assert!(told.contains("a fee of at most 0.01%"), "{told}");
    assert!(told.contains("a fee of at most 2.00%"), "{told}");
}

#[test]
fn a_floor_in_another_asset_keeps_what_was_stated_and_the_rate_of_then() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    let floor = "floor = \"10.00 EUR\"\nthreshold = \"20.00 EUR\"";
    folder.edit("divvy.toml", "threshold = \"20.00\"", floor);
    let refused = run(&["run", dir]);
    assert_eq!(refused.code, Some(3), "{}", refused.said);
    assert!(refused.said.contains("quotes.toml"), "{}", refused.said);
    let quoted = "quotes = { file = \"quotes.toml\", age_secs_max = 31536000 }\nfloor =";
    folder.edit("divvy.toml", "floor =", quoted);
    folder.write("quotes.toml", quotes("0.00", "1.2345"));
    done(&["run", dir]);
    // The rate of the day on which it was set stays, whatever is quoted later.
    folder.write("quotes.toml", quotes("0.00", "2"));
    done(&["run", dir]);
    let told = done(&["explain", "collaborator", "--dir", dir, "--all"]).to_string();
    assert!(told.contains("no line below 12.35 (10.00 EUR at 1.2345 by a bank"), "{told}");
    assert!(told.contains("to be paid from 24.69 on (20.00 EUR"), "{told}");
    assert!(!told.contains("no line below 20.00"), "{told}");
    done(&["verify", dir]);
}

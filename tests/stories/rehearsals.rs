//! A whole job in one command: refunds and disputes, funds, and the people who agree and decide.

use crate::command::{Folder, done, run};

const PEOPLE: &str = r#"
[approvals]
limit = "100.00"
needed = 2

[approvals.people]
ann = "d6aedc33cadf11335ab80d81b16d91c0e26da234e1b3a7352e66e421b1e9a3df"
bob = "b913faba8e6a6ca6690bc254c669db15d9340628709d9c3b330430c2e243fee2"

[rehearsal]
approve_hours = 2
release = "their wallet is fine"

[treasury]
owner = "creator"
funds = "funds.csv"
"#;

const REFUNDS: &str = "id,payment,refunded_at,amount,cause,outcome,ended_at
re-1,sale-02,2026-03-01T17:06:00Z,12.00,refund,,
dp-1,sale-06,2026-03-06T00:00:00Z,99.99,dispute,lost,2026-03-08T00:00:00Z
dp-2,sale-05,2026-03-06T00:00:00Z,35.50,dispute,won,2026-03-09T00:00:00Z
";

const FUNDS: &str = "id,purpose,amount,at,expected_on
start,replenished,1000.00,2026-03-01T00:00:00Z,
week,expected,400.00,2026-03-09T00:00:00Z,2026-03-10T00:00:00Z
week,arrived,400.00,2026-03-10T00:00:00Z,
";

fn rehearsed() -> Folder {
    let folder = Folder::example("duet");
    folder.edit("divvy.toml", "tick_secs = 3600", "tick_secs = 3600\nrefunds = \"refunds.csv\"");
    folder.edit("divvy.toml", "seed = 1", &format!("seed = 1\nfee = \"0.10\"\n{PEOPLE}"));
    folder.write("refunds.csv", REFUNDS);
    folder.write("funds.csv", FUNDS);
    folder
}

#[test]
fn one_command_does_what_payers_the_treasury_and_people_do_and_a_second_pays_nobody() {
    let folder = rehearsed();
    let dir = folder.path().to_str().unwrap();
    let first = done(&["run", dir]);

    // Three reversals, two endings, three funds; the dispute that was won is not away.
    assert_eq!(first["refunds_and_funds"]["counts"]["new"], 8, "{first}");
    assert_eq!(first["refunded"], "111.99");
    // 114.00 and 237.50 of one day are above the limit; two Mondays passed.
    assert_eq!(first["people"]["approved"], 2, "{first}");
    assert_eq!(first["weeks_closed"], 2);
    assert!(first["people"]["sealed"].is_string());
    assert_eq!(first["reserved"], "0.00");
    assert_eq!(first["breaks_open"], 0);
    assert_eq!(first["statement"]["ours_only"], 0);
    let tries = first["lines_settled"].as_u64().unwrap();
    assert_eq!(first["fees_charged"], format!("{}.{}0", tries.div_euclid(10), tries % 10));
    let sealed = done(&["verify", dir]);
    assert!(sealed["sealed"].as_u64().unwrap() + 2 >= sealed["facts"].as_u64().unwrap());

    let again = done(&["run", dir]);
    assert_eq!(again["lines_planned"], 0, "{again}");
    assert_eq!(again["paid"], first["paid"]);
    assert_eq!(again["refunds_and_funds"]["counts"]["known"], 8);
    assert_eq!(again["people"]["approved"], 0);
}

#[test]
fn the_page_says_of_the_treasury_and_fees_what_the_command_says() {
    let folder = rehearsed();
    let dir = folder.path().to_str().unwrap();
    done(&["run", dir]);
    let treasury = run(&["treasury", dir]).value;
    let file = folder.path().join("report.html");
    done(&["report", dir, "--out", file.to_str().unwrap()]);
    let page = std::fs::read_to_string(file).unwrap();
    for figure in ["balance", "liquidity", "fronted", "earned", "burn_per_day", "fees_borne"] {
        let text = treasury[figure].as_str().unwrap().replace('-', "−");
        let (whole, rest) = text.split_once('.').unwrap();
        let split = whole.len().saturating_sub(3);
        let grouped = match whole.split_at_checked(split) {
            Some((thousands, rest)) if whole.len() > 3 && thousands != "−" => {
                format!("{thousands},{rest}")
            }
            _ => whole.to_owned(),
        };
        assert!(page.contains(&format!("{grouped}.{rest}")), "{figure} {text}");
    }
    for said in ["The treasury", "disputed and lost", "came again", "What paying cost"] {
        assert!(page.contains(said), "{said}");
    }
    let charged = treasury["fees_charged"][0]["amount"].as_str().unwrap();
    assert!(page.contains(&format!("{charged} USD")), "{charged}");
}

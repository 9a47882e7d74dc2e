//! Rules that count, and pools of pools, as the settings name them.

use serde_json::Value;

use crate::command::{Folder, done, run};

/// The duet, with other settings behind its own.
fn duet(rule: &str, more: &str) -> Folder {
    let folder = Folder::example("duet");
    let text = std::fs::read_to_string(folder.path().join("divvy.toml")).unwrap();
    let (start, own) = text.split_once("rule = [").unwrap();
    let (_, end) = own.split_once("\n]\n").unwrap();
    let text = [start, rule, "\n", end, "\n", more].concat();
    folder.write("divvy.toml", text);
    folder
}

fn story(dir: &str, subject: &str) -> String {
    done(&["explain", subject, "--dir", dir, "--all"])["chapters"].to_string()
}

fn balance(dir: &str, payee: &str) -> Value {
    done(&["status", dir, "--payee", payee])
}

fn cents(text: &Value) -> u64 {
    text.as_str().unwrap().replace('.', "").parse().unwrap()
}

#[test]
fn a_collaborator_recoups_and_the_payment_tells_which_tier_gave_what() {
    let folder = duet(
        "rule = [{ payee = \"collaborator\", share = \"remaining\" }]",
        "[[tiers]]\n\
         over = \"100.00\"\n\
         rule = [\n\
             { payee = \"creator\", share = \"95%\" },\n\
             { payee = \"collaborator\", share = \"remaining\" },\n\
         ]\n",
    );
    let dir = folder.path().to_str().unwrap();
    done(&["run", dir]);
    done(&["run", dir]);
    // 61.99 came before it, so 38.01 of its 120.00 are still recouped.
    let told = story(dir, "payment/import/main/sale-04");
    let parts = "38.01 to payee collaborator (tier 0, the rest), 4.10 to payee collaborator \
                 (tier 1, the rest), 77.89 to payee creator (tier 1, 95%)";
    assert!(told.contains(parts), "{told}");
    let told = story(dir, "creator");
    assert!(told.contains("earned 77.89 USD of payment/import/main/sale-04"), "{told}");
    // What goes back of it takes each part back as that payment was divided.
    let before = balance(dir, "collaborator")["earned"].clone();
    done(&["refund", "sale-04", "--amount", "60.00", "--id", "re-1", "--dir", dir]);
    let (before, after) = (cents(&before), cents(&balance(dir, "collaborator")["earned"]));
    // Half of 42.11, rounded down.
    assert_eq!(before - after, 2_105);
    done(&["verify", dir]);
    folder.edit("divvy.toml", "over = \"100.00\"", "over = \"0.00\"");
    assert_eq!(run(&["run", dir]).value["error"]["name"], "split_malformed");
}

#[test]
fn who_brought_the_payer_earns_up_to_a_cap() {
    let folder = duet(
        "rule = [{ payee = \"creator\", share = \"remaining\" }]\nreferrals = \"referrals.csv\"",
        "[upline]\n\
         levels = [{ share = \"10%\" }, { share = \"5%\", most = \"0.50\" }]\n\
         rest = { payee = \"creator\" }\n",
    );
    folder.write("referrals.csv", "who,by\nann,zoe\nbo,ann\n");
    let dir = folder.path().to_str().unwrap();
    done(&["run", dir]);
    // 10 % of ann's 49.00, and of the 5 % of bo's 12.00 only the 0.50 of the cap.
    let told = story(dir, "zoe");
    assert!(told.contains("earned 4.90 USD of payment/import/main/sale-01"), "{told}");
    assert!(told.contains("0.50 by level 2 of the upline"), "{told}");
    assert!(told.contains("brought ann"), "{told}");
    let twice = run(&["refer", "bo", "zoe", "--dir", dir]);
    assert_eq!(twice.value["error"]["name"], "upline_conflict", "{}", twice.said);
    done(&["refer", "cy", "bo", "--dir", dir]);
    done(&["refer", "cy", "bo", "--dir", dir]);
    done(&["verify", dir]);
}

#[test]
fn a_pool_holds_units_of_another_and_its_holders_are_paid() {
    let folder = duet(
        "rule = [{ pool = \"shares\", share = \"remaining\" }]",
        "[pool]\n\
         name = \"shares\"\n\
         supply = \"4\"\n\
         holders = \"shares.csv\"\n\
         [[pools]]\n\
         name = \"inner\"\n\
         supply = \"2\"\n\
         holders = \"inner.csv\"\n\
         payee = \"fund\"\n",
    );
    folder.write("shares.csv", "holder,units\ncreator,3\nfund,1\n");
    folder.write("inner.csv", "holder,units\nxen,1\nyan,1\n");
    let dir = folder.path().to_str().unwrap();
    done(&["run", dir]);
    // A quarter of 657.50 is 164.37 and a half, of which the fund keeps the half cent.
    let told = story(dir, "fund");
    assert!(told.contains("to the holders of pool/duet/inner"), "{told}");
    let told = story(dir, "xen");
    assert!(told.contains("earned in other places"), "{told}");
    assert_eq!(balance(dir, "fund")["earned"], "164.37");
    assert_eq!(balance(dir, "fund")["paid"], "164.37");
    assert_eq!(balance(dir, "xen")["earned"], "82.18");
    done(&["verify", dir]);
}

//! Payees on a chain: where they are paid is looked at before it is taken.

use crate::command::{Ended, Folder, run};

const PAID: &str = "2BiaZk8iutMYsht5CEtZHBsrZ2o9xkKk1ZDcTGRHhKGa";
const SLIP: &str = "2BiaZk8iutMYsht5CEtZHBsrZ2o9xkKk1ZDcTGRHhKGb";
const TILL: &str = "GmaDrppBC7P5ARKV8g3djiwP89vz1jLK23V2GBjuAEGB";

fn folder(holders: &str, more: &str) -> Folder {
    let folder = Folder::new("chain");
    folder.write("holders.csv", format!("holder,units,destination\n{holders}"));
    let text = format!(
        r#"
book = "club"
asset = "SOL@9"
rule = [{{ pool = "holders", share = "remaining" }}]

[pool]
name = "holders"
supply = "100"
holders = "holders.csv"

[payments]
file = "payments.csv"
asset = "SOL@9"
source = "till"
account = "main"

[rail]
kind = "solana"
deadline_secs = 300

[rail.solana]
signer = ["sign"]
wallet = "{TILL}"
pays_off_curve = true
{more}
providers = [{{ name = "one", url = "https://one.example" }}]
"#
    );
    folder.write("divvy.toml", text);
    folder.write("payments.csv", "id,paid_at,amount\n");
    folder
}

fn import(folder: &Folder) -> Ended {
    let file = folder.path().join("holders.csv");
    run(&["import", "holders", file.to_str().unwrap(), "--dir", folder.path().to_str().unwrap()])
}

#[test]
fn a_destination_that_looks_like_another_is_asked_about_by_name() {
    let two = format!("ann,60,{PAID}\nbob,40,{SLIP}\n");
    let slip = folder(&two, "");
    let ended = import(&slip);
    let detail = ended.value["error"]["detail"].as_str().unwrap_or(&ended.said).to_owned();
    assert_eq!(ended.value["error"]["name"], "rail_refused", "{detail}");
    assert!(
        detail.contains(SLIP) && detail.contains(PAID) && detail.contains("looked_at"),
        "{detail}"
    );

    let meant = folder(&two, &format!("looked_at = [\"{SLIP}\"]"));
    assert_eq!(import(&meant).code, Some(0));

    let own = folder(&format!("ann,60,{PAID}\nbob,40,{TILL}\n"), "");
    let ended = import(&own);
    let detail = ended.value["error"]["detail"].as_str().unwrap_or(&ended.said).to_owned();
    assert!(
        detail.contains("the destination of bob") && detail.contains("paying wallet"),
        "{detail}"
    );
}

//! People: a payout that two have to approve, and one that nobody but a person can decide.

use std::fs;

use crate::command::{Folder, done, run};

pub(crate) const SETTINGS: &str = r#"book = "shop"
asset = "USD"
rule = [{ payee = "eve", share = "remaining" }]
named_on_rail = true

[rail]
kind = "sandbox"
"#;

pub(crate) fn key(folder: &Folder, who: &str) -> (String, String) {
    let file = folder.path().join(format!("{who}.key")).to_str().unwrap().to_owned();
    let made = done(&["key", "new", &file]);
    (file, made["key"].as_str().unwrap().to_owned())
}

#[test]
fn a_payout_above_the_limit_waits_until_two_have_approved_it() {
    let folder = Folder::new("approvals");
    let dir = folder.path().to_str().unwrap();
    let ((ann, ann_key), (bob, bob_key)) = (key(&folder, "ann"), key(&folder, "bob"));
    let people = format!("ann = \"{ann_key}\"\nbob = \"{bob_key}\"");
    let approvals = "\n[approvals]\nlimit = \"20.00\"\nneeded = 2\n[approvals.people]\n";
    folder.write("divvy.toml", format!("{SETTINGS}{approvals}{people}\n"));
    let payments = folder.write("p.csv", "id,paid_at,amount\n1,2026-03-01T00:00:00Z,50.00\n");
    done(&["import", "payments", payments.to_str().unwrap(), "--dir", dir]);
    assert_eq!(done(&["pay", dir])["runs"], 1);

    let waiting = run(&["approvals", dir]);
    assert_eq!(waiting.code, Some(5), "{}", waiting.said);
    let waiting = &waiting.value["waiting"][0];
    assert_eq!(
        (waiting["total"].as_str(), waiting["approvals"].as_u64()),
        (Some("50.00"), Some(2))
    );
    let batch = waiting["batch"].as_str().unwrap();
    let approved = done(&["approve", dir, batch, "--key", &ann]);
    assert_eq!(approved["approved"][0]["by"], "ann");
    done(&["pay", dir]);
    assert_eq!(done(&["status", dir, "--payee", "eve"])["paid"], "0.00");

    // A key that others may read signs nothing, nor does one that nobody knows.
    let (stranger, _) = key(&folder, "dot");
    assert_eq!(run(&["approve", dir, batch, "--key", &stranger]).code, Some(1));
    #[cfg(unix)]
    {
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        fs::set_permissions(&bob, open).unwrap();
        assert_eq!(run(&["approve", dir, batch, "--key", &bob]).code, Some(1));
        let own = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(&bob, own).unwrap();
    }
    done(&["approve", dir, batch, "--key", &bob]);
    done(&["pay", dir]);
    assert_eq!(done(&["status", dir, "--payee", "eve"])["paid"], "50.00");
    assert_eq!(done(&["approvals", dir])["waiting"].as_array().unwrap().len(), 0);
    done(&["verify", dir]);
    let told = done(&["explain", batch, "--dir", dir]);
    assert!(told.to_string().contains("ann approved it"), "{told}");
}

/// What only a person can say is refused without the key of one whom the book knows; and those in
/// force let others follow them.
#[test]
fn a_book_that_knows_people_takes_each_act_signed_and_lets_others_follow() {
    let folder = Folder::new("acts");
    let dir = folder.path().to_str().unwrap();
    let [(ann, ann_key), (bob, bob_key), (eve, _)] =
        ["ann", "bob", "eve"].map(|who| key(&folder, who));
    let approvals = |who: &str, key: &str| {
        format!(
            "\n[approvals]\nlimit = \"20.00\"\nneeded = 1\n[approvals.people]\n{who} = \"{key}\"\n"
        )
    };
    folder.write("divvy.toml", format!("{SETTINGS}{}", approvals("ann", &ann_key)));
    let funds = "id,purpose,amount,at\nseed,replenished,50.00,2026-03-01T00:00:00Z\n";
    let funds = folder.write("funds.csv", funds).to_str().unwrap().to_owned();
    let balances = folder.write("old.csv", "payee,earned,paid\nbob,5.00,1.00\n");
    let balances = balances.to_str().unwrap().to_owned();
    let statement = folder.write("s.csv", "reference,amount,at\nx,1.00,2026-03-01T00:00:00Z\n");
    let payments = folder.write("p.csv", "id,paid_at,amount\n1,2026-03-01T00:00:00Z,5.00\n");
    done(&["import", "payments", payments.to_str().unwrap(), "--dir", dir]);
    let found = run(&["reconcile", dir, "--statement", statement.to_str().unwrap()]);
    let id = found.value["breaks"][0]["id"].as_str().unwrap().to_owned();
    let explain = ["break", "explain", &id, "--cause", "fee", "--reason", "a fee", "--dir", dir];
    for act in [
        &["import", "funds", &funds, "--dir", dir][..],
        &["import", "balances", &balances, "--dir", dir],
        &explain,
        &["break", "close", &id, "--reason", "it is over", "--dir", dir],
        &["treasury", dir, "--close", "2026-03-01"],
        &["review", "hold", "bob", "--reason", "asked to wait", "--dir", dir],
        &["review", "release", "bob", "--reason", "asked to go on", "--dir", dir],
    ] {
        let unsigned = run(act);
        assert_eq!(unsigned.code, Some(1), "{act:?}: {}", unsigned.said);
        let forged = run(&[act, &["--key", &eve]].concat());
        assert_eq!(forged.value["error"]["name"], "signature_wrong", "{act:?}: {}", forged.said);
        done(&[act, &["--key", &ann]].concat());
    }
    let refused = run(&[&explain[..], &["--by", "ann"]].concat());
    assert_eq!(refused.value["error"]["name"], "signature_wrong", "{}", refused.said);

    folder.write("divvy.toml", format!("{SETTINGS}{}", approvals("bob", &bob_key)));
    let shown = run(&["approver", "show", dir]);
    assert_eq!(
        (shown.code, &shown.value["in_force"]["people"][0]["name"]),
        (Some(5), &"ann".into())
    );
    let own = run(&["approver", "set", dir, "--key", &bob]);
    assert_eq!(own.value["error"]["name"], "signature_wrong", "{}", own.said);
    assert_eq!(run(&["approver", "set", dir]).value["error"]["name"], "approval_missing");
    let signed = done(&["approver", "sign", dir, "--key", &ann]);
    let consent = format!("ann={}", signed["signature"].as_str().unwrap());
    done(&["approver", "set", dir, "--consent", &consent]);
    let hold = ["review", "hold", "bob", "--reason", "again", "--dir", dir, "--key"];
    assert_eq!(run(&[&hold[..], &[&ann]].concat()).value["error"]["name"], "signature_wrong");
    done(&[&hold[..], &[&bob]].concat());
    done(&["verify", dir]);
    let told = done(&["explain", "run/shop", "--dir", dir]).to_string();
    assert!(told.contains("1 of these people approve from now on: bob; signed by ann"), "{told}");
    let told = done(&["explain", "treasury/shop", "--dir", dir]).to_string();
    assert!(told.contains("ann decided and signed what follows"), "{told}");
}

#[test]
fn who_lets_a_held_payee_be_paid_is_written_down() {
    let folder = Folder::new("release");
    let dir = folder.path().to_str().unwrap();
    let hold = "holds = [{ payee = \"eve\", reason = \"asked to wait\" }]\n";
    let settings = SETTINGS.replace("named_on_rail", &format!("{hold}named_on_rail"));
    folder.write("divvy.toml", settings);
    let payments = folder.write("p.csv", "id,paid_at,amount\n1,2026-03-01T00:00:00Z,50.00\n");
    done(&["import", "payments", payments.to_str().unwrap(), "--dir", dir]);
    assert_eq!(done(&["pay", dir])["lines"], 0);
    assert_eq!(done(&["review", dir])["review"].as_array().unwrap().len(), 0);
    let release = ["review", "release", "eve", "--reason", "she rang", "--dir", dir];
    assert_eq!(run(&release).code, Some(1), "nobody has said so");
    done(&[&release[..], &["--by", "ann"]].concat());
    done(&["pay", dir]);
    assert_eq!(done(&["status", dir, "--payee", "eve"])["paid"], "50.00");
    let told = done(&["explain", "eve", "--dir", dir]).to_string();
    assert!(told.contains("ann decided, unsigned, what follows: she rang"), "{told}");
    done(&["verify", dir]);
}

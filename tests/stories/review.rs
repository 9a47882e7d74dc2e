//! What nobody but a person can tell: each way of deciding about it, and who may not.

use serde_json::Value;

use crate::approvals::key;
use crate::command::{Folder, done, run};

const SETTINGS: &str = r#"book = "shop"
asset = "USD"
rule = [{ payee = "eve", share = "remaining" }]
named_on_rail = true

[approvals]
limit = "1000.00"
needed = 1
[approvals.people]
ann = "ANN"

[rail]
kind = "sandbox"
window = "once"
deadline_secs = 1
grace_secs = 1
lag_secs = 0
faults = "FAULT=500"
seed = SEED
"#;

/// A batch of 50.00 in review: its one request was lost on the way there, or on the way back.
fn in_review(fault: &str) -> (Folder, String, Value) {
    (0..64).find_map(|seed| lost(fault, seed)).expect("one seed of 64 loses the request")
}

/// The same, where the faults of this seed lose just that request.
fn lost(fault: &str, seed: u64) -> Option<(Folder, String, Value)> {
    let folder = Folder::new("review");
    let dir = folder.path().to_str().unwrap();
    let (ann, public) = key(&folder, "ann");
    let settings = SETTINGS.replace("ANN", &public).replace("FAULT", fault);
    folder.write("divvy.toml", settings.replace("SEED", &seed.to_string()));
    let payments = folder.write("p.csv", "id,paid_at,amount\n1,2026-03-01T00:00:00Z,50.00\n");
    done(&["import", "payments", payments.to_str().unwrap(), "--dir", dir]);
    drop(run(&["pay", dir]));
    if done(&["status", dir])["batches"]["signed"] != 1 {
        return None;
    }
    folder.edit("divvy.toml", &format!("faults = \"{fault}=500\""), "");
    // Until the second of its deadline and that of its grace are over.
    loop {
        drop(run(&["pay", dir]));
        let review = run(&["review", dir]);
        if let Some(found) = review.value["review"].get(0) {
            assert_eq!(review.code, Some(5), "{}", review.said);
            return Some((folder, ann, found.clone()));
        }
    }
}

fn resolve<'a>(found: &'a Value, verdict: &'a str, dir: &'a str) -> Vec<&'a str> {
    let batch = found["batch"].as_str().unwrap();
    vec!["review", "resolve", batch, verdict, "--reason", "I rang the bank", "--dir", dir]
}

fn paid(dir: &str) -> Value {
    done(&["status", dir, "--payee", "eve"])["paid"].clone()
}

#[test]
fn what_moved_is_never_taken_for_unmoved_and_is_settled_by_one_who_may() {
    let (folder, ann, found) = in_review("lost");
    let dir = folder.path().to_str().unwrap();
    assert_eq!((&found["total"], &found["age_hours"]), (&"50.00".into(), &0.into()));
    let reference = found["tries"][0].as_str().unwrap();
    assert!(found["story"].to_string().contains(reference), "{found}");
    assert!(found["story"].to_string().contains("a person has to decide"), "{found}");
    for verdict in ["--void", "--refused"] {
        let listed = run(&[&resolve(&found, verdict, dir)[..], &["--key", &ann]].concat());
        assert_eq!(listed.value["error"]["name"], "review_unproven", "{}", listed.said);
    }
    let settled = resolve(&found, "--settled", dir);
    let (eve, _) = key(&folder, "eve");
    for (who, name) in [
        (&[][..], "input_malformed"),
        (&["--by", "ann"], "signature_wrong"),
        (&["--key", &eve], "signature_wrong"),
    ] {
        let refused = run(&[&settled[..], who].concat());
        assert_eq!(refused.value["error"]["name"], name, "{}", refused.said);
    }
    assert_eq!(paid(dir), "0.00");
    let letter = folder.write("letter.txt", "it arrived");
    let proof = ["--key", &ann, "--evidence", letter.to_str().unwrap()];
    assert_eq!(done(&[&settled[..], &proof].concat())["state"], "settled");
    assert_eq!(paid(dir), "50.00");
    // Somebody has decided before: nothing is left to decide.
    let late = run(&[&settled[..], &proof].concat());
    assert_eq!(late.value["error"]["name"], "review_over", "{}", late.said);
    assert_eq!(late.code, Some(1), "whoever asked is to look");
    let told = done(&["explain", found["batch"].as_str().unwrap(), "--dir", dir]).to_string();
    assert!(told.contains("ann decided and signed what follows: I rang the bank"), "{told}");
    done(&["verify", dir]);
}

#[test]
fn what_never_moved_is_signed_anew_or_payable_again_as_a_person_says() {
    for (verdict, state) in [("--void", "void"), ("--refused", "refused")] {
        let (folder, ann, found) = in_review("refused");
        let dir = folder.path().to_str().unwrap();
        let decided = done(&[&resolve(&found, verdict, dir)[..], &["--key", &ann]].concat());
        assert_eq!((&decided["state"], &decided["by"]), (&state.into(), &"ann".into()));
        assert_eq!(paid(dir), "0.00");
        if state == "refused" {
            let held = done(&["status", dir, "--payee", "eve"])["expected"].to_string();
            assert!(held.contains("held"), "{held}");
            let release = ["review", "release", "eve", "--reason", "she rang", "--dir", dir];
            done(&[&release[..], &["--key", &ann]].concat());
        }
        done(&["pay", dir]);
        assert_eq!(paid(dir), "50.00", "{verdict}");
        done(&["verify", dir]);
    }
}

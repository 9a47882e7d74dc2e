//! A rule that follows another: from a moment on, and with the issuer's signature where a book has
//! an issuer.

use divvy::core::{Hash, SecretKey};

use crate::approvals::key as make_key;
use crate::command::{Folder, done, run};

#[test]
fn a_second_rule_needs_the_issuers_signature_and_covers_what_comes() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    let key = SecretKey::new(&[7; 32]);
    folder.edit("divvy.toml", "asset = ", &format!("issuer = \"{}\"\nasset = ", key.public()));
    done(&["run", dir]);

    let from = "rule_from = \"2026-04-01T00:00:00Z\"\nasset = ";
    folder.edit("divvy.toml", "asset = ", from);
    folder.edit("divvy.toml", "95%", "50%");
    let unsigned = run(&["run", dir]);
    assert_eq!(unsigned.value["error"]["name"], "signature_wrong", "{}", unsigned.said);
    let detail = unsigned.value["error"]["detail"].as_str().unwrap();
    let statement = detail.split_whitespace().find_map(Hash::parse).unwrap();

    let forged = SecretKey::new(&[8; 32]).sign(&statement);
    let signed = |signature| format!("rule_signature = \"{signature}\"\nasset = ");
    folder.edit("divvy.toml", "asset = ", &signed(forged));
    assert_eq!(run(&["run", dir]).value["error"]["name"], "signature_wrong");
    folder.edit("divvy.toml", &forged.to_string(), &key.sign(&statement).to_string());
    done(&["run", dir]);
    done(&["run", dir]);

    let later = "id,paid_at,amount,payer\n\
        march,2026-03-31T23:59:59Z,1.00,x\n\
        april,2026-04-01T00:00:00Z,1.00,x\n";
    let file = folder.write("later.csv", later);
    done(&["import", "payments", file.to_str().unwrap(), "--dir", dir]);
    for (id, said) in [("march", "0.95 to payee creator"), ("april", "0.50 to payee creator")] {
        let told = done(&["explain", &format!("payment/import/main/{id}"), "--dir", dir]);
        assert!(told["chapters"].to_string().contains(said), "{id}: {told}");
    }
    done(&["verify", dir]);
}

#[test]
fn an_issuer_with_a_key_file_signs_rules_and_hands_over_by_command() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    let [(old, old_key), (new, new_key)] = ["old", "new"].map(|who| make_key(&folder, who));
    assert_eq!(done(&["key", "show", &old])["key"], old_key.as_str());
    folder.edit("divvy.toml", "asset = ", &format!("issuer = \"{old_key}\"\nasset = "));
    done(&["run", dir]);
    assert!(done(&["rule", "show", dir])["next"].is_null());
    folder.edit("divvy.toml", "asset = ", "rule_from = \"2026-04-01T00:00:00Z\"\nasset = ");
    folder.edit("divvy.toml", "95%", "50%");
    let shown = run(&["rule", "show", dir]);
    assert_eq!(shown.code, Some(5), "{}", shown.said);
    let unsigned = run(&["rule", "set", dir]);
    assert_eq!(unsigned.value["error"]["name"], "signature_wrong", "{}", unsigned.said);
    let other = run(&["rule", "sign", dir, "--issuer-key", &new]);
    assert_eq!(other.value["error"]["name"], "signature_wrong", "{}", other.said);
    let signed = done(&["rule", "sign", dir, "--issuer-key", &old]);
    assert_eq!(signed["statement"], shown.value["next"]["statement"]);
    let signature = signed["signature"].as_str().unwrap();
    assert_eq!(done(&["rule", "set", dir, "--signature", signature])["rules"], 2);

    done(&["rule", "rotate", dir, "--to", &new_key, "--issuer-key", &old]);
    folder.edit("divvy.toml", "50%", "60%");
    folder.edit("divvy.toml", "2026-04-01", "2026-05-01");
    let late = run(&["rule", "set", dir, "--issuer-key", &old]);
    assert_eq!(late.value["error"]["name"], "signature_wrong", "{}", late.said);
    assert_eq!(done(&["rule", "set", dir, "--issuer-key", &new])["rules"], 3);
    done(&["run", dir]);
    done(&["verify", dir]);
    let told = done(&["explain", "rule/duet", "--dir", dir]).to_string();
    assert!(told.contains("as the key before has signed"), "{told}");
    assert!(told.contains("60% to creator"), "{told}");
}

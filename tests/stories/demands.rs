//! Somebody who asks to be paid now: the cost is shown, accepted, held to, and told.

use crate::command::{Folder, done, run};

#[test]
fn a_payee_sees_the_cost_accepts_it_and_is_paid_below_the_threshold() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    folder.edit("divvy.toml", "threshold = \"20.00\"", "threshold = \"2000.00\"");
    folder.edit("divvy.toml", "[payments]", "[fees]\nborne_max = \"0.05\"\n\n[payments]");
    folder.edit("divvy.toml", "seed = 1", "seed = 1\nfee = \"0.07\"");
    let payments = folder.path().join("payments.csv");
    done(&["import", "payments", payments.to_str().unwrap(), "--dir", dir]);
    done(&["pay", dir]);
    let balance = || done(&["balance", "collaborator", "--dir", dir]);
    let before = balance();
    assert_eq!((before["paid"].as_str(), before["asked_until"].as_str()), (Some("0.00"), None));

    // Looking costs nothing and writes nothing.
    let shown = done(&["pay", dir, "--payee", "collaborator"]);
    assert_eq!((shown["fee"].as_str(), shown["bears"].as_str()), (Some("0.07"), Some("0.05")));
    let (now, same) = (balance(), |of: &str| before[of].clone());
    assert_eq!((&now["payable"], &now["asked_until"]), (&same("payable"), &same("asked_until")));

    let asks = |most| ["pay", dir, "--payee", "collaborator", "--accept-fee", most];
    let dear = run(&asks("0.06"));
    assert_eq!(dear.code, Some(5), "{}", dear.said);
    assert!(dear.said.contains("0.06 USD at most, and the rail quotes 0.07"), "{}", dear.said);
    let waits = balance();
    assert_eq!(waits["paid"], "0.00");
    assert!(waits["asked_until"].is_string(), "{waits}");
    assert_eq!(run(&["pay", dir]).code, Some(5), "another process finds it, and the reason");

    let asked = done(&asks("0.07"));
    assert_eq!(
        (asked["lines"].as_u64(), asked["asked"]["accepted"].as_str()),
        (Some(1), Some("0.07"))
    );
    let after = balance();
    assert_eq!((&after["paid"], &after["payable"]), (&before["payable"], &"0.00".into()));
    assert_eq!(done(&["pay", dir])["lines"], 0, "it was asked for once");

    let nothing = run(&asks("0.07"));
    assert_eq!(nothing.value["error"]["name"], "demand_refused", "{}", nothing.said);
    let story = done(&["explain", "collaborator", "--dir", dir, "--all"]).to_string();
    for told in ["at a cost of 0.06 USD at most", "at a cost of 0.07 USD at most", "they bear 0.05"]
    {
        assert!(story.contains(told), "{told}: {story}");
    }
    let other = done(&["explain", "creator", "--dir", dir, "--all"]).to_string();
    assert!(!other.contains("asked to be paid now"), "{other}");
    done(&["verify", dir]);
}

//! Webhooks of a worker that is a process of its own: killed in between, beside another, silenced.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::command::{Ended, Folder, divvy, done, ended, run};
use crate::receiver::{Receiver, Reply};
use crate::workers::Served;

/// A shop with two people, paid over a sandbox, whose webhook leads to an address; `divvy work`
/// tells it.
fn shop(served: &Served, url: &str, more: &str) -> Folder {
    let folder = Folder::new("webhooks");
    let settings = format!(
        "book = \"shop\"\nasset = \"USD\"\nnamed_on_rail = true\ntick_secs = 1\n\
         rule = [{{ payee = \"ann\", share = \"60%\" }}, \
         {{ payee = \"bob\", share = \"remaining\" }}]\n[rail]\nurl = \"http://{}\"\n\
         [worker]\nroster_secs = 3\n[[webhook]]\nname = \"app\"\nurl = \"{url}\"\n\
         secrets_file = \"app.secrets\"\nreach = \"own\"\n{more}",
        served.address
    );
    folder.write("divvy.toml", settings);
    done(&["webhook", "rotate", "app", "--dir", dir(&folder)]);
    folder
}

fn dir(folder: &Folder) -> &str {
    folder.path().to_str().unwrap()
}

/// Takes payments, one for each id.
fn take(folder: &Folder, ids: &[&str]) {
    let line = |id: &&str| format!("{id},2026-03-01T00:00:00Z,10.00\n");
    let lines: String = ids.iter().map(line).collect();
    let file = folder.write("payments.csv", format!("id,paid_at,amount\n{lines}"));
    done(&["import", "payments", file.to_str().unwrap(), "--dir", dir(folder)]);
}

fn work(folder: &Folder) -> Child {
    let mut command = divvy(&["work", dir(folder)]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn stop(worker: Child) -> Ended {
    let line = format!("kill -TERM {}", worker.id());
    let told = Command::new("sh").args(["-c", &line]).status().unwrap();
    assert!(told.success());
    ended(&worker.wait_with_output().unwrap())
}

/// Looks again and again, for half a minute at most.
fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..600 {
        if is_so() {
            return;
        }
        #[expect(clippy::disallowed_methods, reason = "processes of their own take their time")]
        thread::sleep(Duration::from_millis(50));
    }
    unreachable!("{what}");
}

fn state(folder: &Folder) -> Value {
    run(&["status", dir(folder)]).value["webhooks"][0].clone()
}

/// Goal: what was told and not noted is told again under the same id, and nothing is lost. Method:
/// the receiver says yes to the first message and never answers the second, and the worker is
/// killed while it waits.
#[test]
fn a_worker_that_is_killed_before_it_notes_what_it_told_tells_it_again_with_the_same_id() {
    let is_dead = Arc::new(AtomicBool::new(false));
    let heard = Arc::clone(&is_dead);
    let receiver = Receiver::start(move |place, _| match place {
        0 => Reply::Status(200, ""),
        _ if heard.load(Ordering::Relaxed) => Reply::Status(200, ""),
        1 => Reply::Silence,
        _ => Reply::HangUp,
    });
    let served = Served::start(&[]);
    let held = |payee: &str| format!("[[holds]]\npayee = \"{payee}\"\nreason = \"later\"\n");
    let more = format!("from = \"beginning\"\n{}{}", held("ann"), held("bob"));
    let folder = shop(&served, &receiver.url, &more);
    take(&folder, &["one"]);
    let mut first = work(&folder);
    wait_for("a first message, and a second", || receiver.got().len() >= 2);
    first.kill().unwrap();
    first.wait().unwrap();
    let before = receiver.ids();
    is_dead.store(true, Ordering::Relaxed);

    let second = work(&folder);
    wait_for("everything again", || {
        let after = receiver.ids().split_off(before.len());
        before.iter().all(|id| after.contains(id))
    });
    assert_eq!(stop(second).code, Some(0));
    let got = receiver.got();
    let bodies = |id: &str| {
        let own = got.iter().filter(|got| got.id() == id);
        own.map(|got| got.body.clone()).collect::<BTreeSet<_>>()
    };
    let secrets = std::fs::read_to_string(folder.path().join("app.secrets")).unwrap();
    for got in &got {
        assert_eq!(got.path, "/hooks");
        assert!(got.is_signed_by(secrets.trim(), divvy::clock::now()));
    }
    for id in &before {
        assert_eq!(bodies(id).len(), 1, "the same id says the same");
    }
    assert_eq!(state(&folder)["state"], "open");
    done(&["verify", dir(&folder)]);
    let told = run(&["explain", "webhook/shop/app", "--dir", dir(&folder)]);
    assert!(told.said.contains("it has heard of"), "{}", told.said);
}

#[test]
fn two_workers_tell_each_message_once() {
    let receiver = Receiver::willing();
    let served = Served::start(&[]);
    let folder = shop(&served, &receiver.url, "events = [\"paid\"]\n");
    let workers = [work(&folder), work(&folder)];
    wait_for("it begins", || state(&folder)["state"] == "open");
    // Each has heard of the other by then.
    #[expect(clippy::disallowed_methods, reason = "processes of their own take their time")]
    thread::sleep(Duration::from_secs(3));
    for id in ["one", "two", "three"] {
        take(&folder, &[id]);
        let count = receiver.got().len();
        wait_for("it is told", || receiver.got().len() > count);
    }
    for worker in workers {
        let end = stop(worker);
        assert_eq!(end.code, Some(0), "{}", end.said);
    }
    let mut ids = receiver.ids();
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "each once");
}

#[test]
fn a_webhook_is_tried_silenced_seen_and_resumed_by_command() {
    let is_gone = Arc::new(AtomicBool::new(true));
    let gone = Arc::clone(&is_gone);
    let receiver = Receiver::start(move |_, got| {
        let is_test = got.kind() == "test";
        let gone = gone.load(Ordering::Relaxed) && !is_test;
        Reply::Status(if gone { 410 } else { 200 }, "")
    });
    let served = Served::start(&[]);
    let folder = shop(&served, &receiver.url, "");
    let tried = done(&["webhook", "test", "app", "--dir", dir(&folder)]);
    assert_eq!(receiver.ids(), [tried["id"].as_str().unwrap()]);
    assert_eq!(run(&["webhook", "test", "no", "--dir", dir(&folder)]).code, Some(1));
    assert_eq!(state_listed(&folder).code, Some(3), "no database yet");

    // Its treasury is empty, which is the first thing that it is told.
    take(&folder, &["one"]);
    let worked = run(&["work", dir(&folder), "--until-idle"]);
    assert_eq!(worked.code, Some(5), "somebody should look: {}", worked.said);
    assert!(worked.said.contains("told nothing more"), "{}", worked.said);
    assert_eq!(state(&folder)["about"]["cause"], "gone");
    assert_eq!(state_listed(&folder).code, Some(5));

    is_gone.store(false, Ordering::Relaxed);
    let reason = ["--reason", "it is back"];
    done(&[&["webhook", "resume", "app", "--dir", dir(&folder)][..], &reason].concat());
    let worked = done(&["work", dir(&folder), "--until-idle"]);
    assert!(worked["told"].as_u64().unwrap() > 0, "{worked}");
    assert_eq!(state_listed(&folder).code, Some(0));
    let kinds: Vec<String> = receiver.got().iter().map(|got| got.kind()).collect();
    assert!(kinds.contains(&"paid".to_owned()) && kinds.contains(&"alert".to_owned()), "{kinds:?}");

    done(&[&["webhook", "stop", "app", "--dir", dir(&folder)][..], &reason].concat());
    assert_eq!(state(&folder)["about"]["cause"], "wanted");
    let secrets = std::fs::read_to_string(folder.path().join("app.secrets")).unwrap();
    done(&["webhook", "rotate", "app", "--dir", dir(&folder)]);
    let rotated = std::fs::read_to_string(folder.path().join("app.secrets")).unwrap();
    assert!(rotated.ends_with(&secrets) && rotated.lines().count() == 2);
    let all = run(&["status", dir(&folder)]).said + &worked.to_string();
    assert!(!all.contains("whsec_") && !all.contains(secrets.trim()), "{all}");
}

fn state_listed(folder: &Folder) -> Ended {
    run(&["webhook", "list", dir(folder)])
}

#[test]
fn settings_of_webhooks_that_make_no_sense_are_refused() {
    let served = Served::start(&[]);
    let folder = shop(&served, "https://app.example/hooks", "");
    let text = std::fs::read_to_string(folder.path().join("divvy.toml")).unwrap();
    #[rustfmt::skip]
    let table = [
        ("https://app.example",     "http://app.example",                "https://"),
        ("https://app.example",     "https://ann:pw@app.example",        "password"),
        ("reach = \"own\"",         "reach = \"all\"",                   "reach"),
        ("reach = \"own\"",         "from = \"then\"",                   "from"),
        ("reach = \"own\"",         "events = [\"paid\", \"bill\"]",     "bill"),
        ("secrets_file",            "secrets_env",                       "not set"),
        ("secrets_file = \"app.secrets\"", "",                           "secrets_file"),
        ("app.secrets",             "no.secrets",                        "no.secrets"),
    ];
    for (from, to, said) in table {
        folder.write("divvy.toml", text.replace(from, to));
        let ended = run(&["work", dir(&folder), "--until-idle"]);
        assert_eq!(ended.code, Some(1), "{to}: {}", ended.said);
        assert!(ended.said.contains(said) && !ended.said.contains("ann:pw"), "{}", ended.said);
    }
}

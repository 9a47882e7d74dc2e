//! Workers as processes of their own: killed, told to stop, and taken over.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::command::{Ended, Folder, divvy, done, ended};

const HOLDERS: u64 = 300;

/// A sandbox as a process; it ends with the test.
pub(crate) struct Served {
    child: Child,
    pub(crate) address: String,
}

impl Served {
    pub(crate) fn start(options: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_divvy"));
        command.arg("sandbox").args(options).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        Self { child, address }
    }

    /// Who was paid how often, by the sandbox's own statement.
    fn payees(&self) -> Vec<String> {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let path = "/statement?after=0&limit=50000";
        write!(stream, "GET {path} HTTP/1.1\r\nhost: sandbox\r\nconnection: close\r\n\r\n")
            .unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        let lines = reply.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let moved = lines.filter(|line| line["kind"] == "moved");
        let mut payees: Vec<_> =
            moved.map(|line| line["to"].as_str().unwrap().to_owned()).collect();
        payees.sort();
        payees
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A shop with holders who are paid over a sandbox at an address, by impatient workers.
fn shop(address: &str, lines_max: usize) -> Folder {
    let folder = Folder::new("workers");
    let rail = format!(
        "url = \"http://{address}\"\nlines_max = {lines_max}\ndeadline_secs = 5\n\
         grace_secs = 3\nlag_secs = 1\nwatch_secs = 0\n"
    );
    let settings = format!(
        "book = \"shop\"\nasset = \"USD\"\nnamed_on_rail = true\ntick_secs = 1\n\
         rule = [{{ pool = \"fans\", share = \"remaining\" }}]\n\
         [pool]\nname = \"fans\"\nsupply = \"{HOLDERS}\"\nholders = \"holders.csv\"\n\
         [rail]\n{rail}[worker]\nin_flight = 2\nfirst_wait_secs = 1\nroster_secs = 2\n"
    );
    folder.write("divvy.toml", settings);
    let holders: String = (0..HOLDERS).map(|n| format!("fan-{n:03},1\n")).collect();
    folder.write("holders.csv", format!("holder,units\n{holders}"));
    folder.write("payments.csv", "id,paid_at,amount\none,2026-03-01T00:00:00Z,300.00\n");
    let payments = folder.path().join("payments.csv");
    let dir = folder.path().to_str().unwrap();
    done(&["import", "payments", payments.to_str().unwrap(), "--dir", dir]);
    folder
}

fn work(folder: &Folder) -> Child {
    let mut command = divvy(&["work", folder.path().to_str().unwrap()]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Tells a worker to stop, and waits until it has.
fn stop(worker: Child, signal: &str) -> Ended {
    let line = format!("kill -{signal} {}", worker.id());
    assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
    ended(&worker.wait_with_output().unwrap())
}

/// Looks at the status again and again, for half a minute at most.
fn wait_for(folder: &Folder, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let mut status = Value::Null;
    for _ in 0..600 {
        status = done(&["status", folder.path().to_str().unwrap()]);
        if is_so(&status) {
            return status;
        }
        #[expect(clippy::disallowed_methods, reason = "processes of their own take their time")]
        thread::sleep(Duration::from_millis(50));
    }
    unreachable!("{what}: {status}");
}

/// Goal: what a killed worker has left open is finished by others, and nobody is paid twice.
/// Method: nothing is final for three seconds, so whoever is killed before that leaves it all.
#[test]
fn what_a_killed_worker_leaves_is_taken_over_by_two_others() {
    let served = Served::start(&["--finality-secs", "3", "--lag-secs", "1"]);
    let folder = shop(&served.address, 10);
    let mut killed = work(&folder);
    wait_for(&folder, "something is sent", |status| status["reserved"] == "300.00");
    killed.kill().unwrap();
    killed.wait().unwrap();

    let others = [work(&folder), work(&folder)];
    wait_for(&folder, "everyone is paid", |status| status["paid"] == "300.00");
    let ends = others.map(|worker| stop(worker, "TERM"));
    let mut taken_over = 0;
    for end in &ends {
        assert_eq!(end.code, Some(0), "{}", end.said);
        taken_over += end.value["taken_over"].as_u64().unwrap();
    }
    assert!(taken_over > 0, "{} {}", ends[0].said, ends[1].said);
    let all: Vec<String> = (0..HOLDERS).map(|n| format!("fan-{n:03}")).collect();
    assert_eq!(served.payees(), all, "each of them once");
    done(&["verify", folder.path().to_str().unwrap()]);
}

/// Goal: a worker that is told to stop ends well, and leaves nothing in flight. Method: one line a
/// batch and two requests at once, so that it is mostly told in the middle; a fast machine may be
/// through by then, and must end as well.
#[test]
fn a_worker_that_is_told_to_stop_finishes_what_is_in_the_air_and_ends_well() {
    for signal in ["TERM", "INT"] {
        let served = Served::start(&[]);
        let folder = shop(&served.address, 1);
        let worker = work(&folder);
        wait_for(&folder, "something is planned", |status| status["runs"] != 0);
        let end = stop(worker, signal);
        assert_eq!(end.code, Some(0), "{signal}: {}", end.said);
        let dir = folder.path().to_str().unwrap();
        let status = done(&["status", dir]);
        assert_eq!((&status["reserved"], &status["paid"]), (&"0.00".into(), &"300.00".into()));
        assert_eq!(served.payees().len(), 300);
    }
}

#[test]
fn a_worker_that_is_to_end_when_idle_does_so_and_the_next_finds_nothing_to_do() {
    let served = Served::start(&[]);
    let folder = shop(&served.address, 100);
    let dir = folder.path().to_str().unwrap();
    let first = done(&["work", dir, "--until-idle"]);
    assert_eq!((first["lines"].as_u64(), first["runs"].as_u64()), (Some(HOLDERS), Some(1)));
    let second = done(&["work", dir, "--until-idle"]);
    assert_eq!((second["lines"].as_u64(), second["requests"].as_u64()), (Some(0), Some(0)));
}

/// Goal: a rail that is away is waited for. Method: the worker is there first.
#[test]
fn a_worker_waits_for_a_rail_that_is_away() {
    let served = Served::start(&[]);
    let address = served.address.clone();
    let folder = shop(&address, 100);
    drop(served);
    let mut worker = work(&folder);
    #[expect(clippy::disallowed_methods, reason = "a process of its own takes its time")]
    thread::sleep(Duration::from_millis(700));
    assert!(worker.try_wait().unwrap().is_none(), "it goes on");
    let served = Served::start(&["--listen", &address]);
    wait_for(&folder, "everyone is paid", |status| status["paid"] == "300.00");
    assert_eq!(stop(worker, "TERM").code, Some(0));
    assert_eq!(served.payees().len(), 300);
}

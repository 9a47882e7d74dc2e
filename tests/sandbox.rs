//! The sandbox as others meet it: over loopback, in this process and in one of its own.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that panics is a red test, which is what it is for"
)]

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use clap::Parser;
use divvy::core::{Code, Request, Time};
use divvy::sandbox::{
    Faults, Keeper, Options, ServerSettings, Terms, WindowKind, run_process, serve,
};
use serde_json::Value;
use tokio::net::TcpListener;

#[derive(Parser)]
struct Asked {
    #[command(flatten)]
    options: Options,
}

/// The process itself: this test alone, started again by the others with arguments to serve by.
#[test]
fn a_process_serves_when_it_is_started_to() {
    let args: Vec<OsString> = std::env::args_os().collect();
    let Some(at) = args.iter().position(|arg| arg == SERVE) else { return };
    let asked = Asked::parse_from(args[at..].iter().map(|arg| match arg.to_str() {
        Some(text) => OsString::from(text.trim_start_matches(QUOTE)),
        None => arg.clone(),
    }));
    run_process(&asked.options).unwrap();
}

/// The test harness reads no arguments of ours: it takes them for names of tests.
const SERVE: &str = "serve";
const QUOTE: &str = "::";

/// A process that ends with the test.
struct Served {
    child: Child,
    url: String,
}

impl Served {
    fn start(args: &[&str]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "a_process_serves_when_it_is_started_to", "--nocapture", SERVE]);
        command.args(args.iter().map(|arg| format!("{QUOTE}{arg}")));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = said.map_while(Result::ok);
        let bound =
            said.find_map(|line| line.split_once("listening on ").map(|it| it.1.to_owned()));
        let url = format!("http://{}", bound.expect("it says where it listens"));
        Self { child, url }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One request; the status and body, or nothing when the line drops.
async fn ask(url: &str, path: &str, now: u64, body: Option<String>) -> Option<(u16, String)> {
    let client = reqwest::Client::new();
    let url = format!("{url}{path}");
    let request = match body {
        Some(body) => client.post(url).body(body),
        None => client.get(url),
    };
    let reply = request.header("sandbox-now", now.to_string()).send().await.ok()?;
    Some((reply.status().as_u16(), reply.text().await.ok()?))
}

fn body(reference: &str, lines: usize) -> String {
    let lines: Vec<String> =
        (1..=lines).map(|n| format!(r#"{{"to":"payee-{n}","amount":"{n}"}}"#)).collect();
    let (lines, window) = (lines.join(","), r#"{"until":9000000}"#);
    format!(r#"{{"reference":"{reference}","batch":"b","lines":[{lines}],"window":{window}}}"#)
}

/// A folder of its own, empty.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sandbox-{name}"));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

async fn statement(url: &str, after: u64, limit: u64) -> Vec<Value> {
    let path = format!("/statement?after={after}&limit={limit}");
    let (status, body) = ask(url, &path, 0, None).await.unwrap();
    assert_eq!(status, 200);
    body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn a_killed_process_comes_back_with_all_that_it_had_said() {
    let ledger = folder("killed").join("ledger");
    let args = ["--ledger", ledger.to_str().unwrap()];
    let served = Served::start(&args);
    let first = ask(&served.url, "/tries", 5_000, Some(body("r1", 3))).await.unwrap();
    assert_eq!(first.0, 200);
    drop(served);

    let served = Served::start(&args);
    let again = ask(&served.url, "/tries", 0, Some(body("r1", 3))).await.unwrap();
    assert_eq!(again, first, "it remembers the try, and what time it was");
    let lines = statement(&served.url, 0, 10).await;
    assert_eq!(lines.len(), 3);
    let last = serde_json::json!({
        "sequence": 3, "kind": "moved", "at": 5_000, "reference": "r1", "batch": "b", "line": 2,
        "to": "payee-3", "amount": "3",
    });
    assert_eq!(lines[2], last);
}

/// Goal: dying before the reply loses nothing that was done. Method: every request kills the
/// process, so each try is sent to a new one; what was done is found afterwards.
#[tokio::test]
async fn a_process_that_dies_before_each_reply_pays_each_try_once() {
    let ledger = folder("dying").join("ledger");
    let ledger = ledger.to_str().unwrap();
    let dying = ["--ledger", ledger, "--faults", "killed=1000"];
    for reference in ["r1", "r1", "r2"] {
        let mut served = Served::start(&dying);
        assert_eq!(ask(&served.url, "/tries", 1, Some(body(reference, 2))).await, None);
        assert_eq!(served.child.wait().unwrap().code(), Some(137));
    }
    let served = Served::start(&["--ledger", ledger]);
    let moved = statement(&served.url, 0, 10).await;
    let moved: Vec<_> = moved.iter().map(|line| line["reference"].as_str().unwrap()).collect();
    assert_eq!(moved, ["r1", "r1", "r2", "r2"], "two lines each");
}

#[tokio::test]
async fn a_statement_comes_in_pages_that_cut_a_try_in_two() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(serve(ServerSettings::default(), listener, std::future::pending()));
    for reference in ["r1", "r2", "r3"] {
        let posted = ask(&url, "/tries", 7, Some(body(reference, 5))).await.unwrap();
        assert_eq!(posted.0, 200);
    }
    let whole = statement(&url, 0, 100).await;
    let mut pages: Vec<Value> = Vec::new();
    loop {
        let after = pages.last().map_or(0, |line| line["sequence"].as_u64().unwrap());
        let page = statement(&url, after, 4).await;
        assert!(page.len() <= 4);
        if page.is_empty() {
            break;
        }
        pages.extend(page);
    }
    assert_eq!(pages.len(), 15);
    assert_eq!(pages, whole);
    let sequences: Vec<_> = whole.iter().map(|line| line["sequence"].as_u64().unwrap()).collect();
    assert_eq!(sequences, (1..=15).collect::<Vec<_>>());
    server.abort();
}

#[tokio::test]
async fn what_comes_back_is_entered_by_line() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(serve(ServerSettings::default(), listener, std::future::pending()));
    let posted = body("r1", 3).replace("payee-2", "return:payee-2");
    ask(&url, "/tries", 0, Some(posted)).await.unwrap();
    ask(&url, "/clock", 86_400_000, Some(String::new())).await.unwrap();
    let lines = statement(&url, 3, 10).await;
    let returned = lines.iter().map(|line| (line["kind"].as_str().unwrap(), line["line"].as_u64()));
    assert_eq!(returned.collect::<Vec<_>>(), [("returned", Some(1))]);
    server.abort();
}

#[tokio::test]
async fn a_lost_reply_is_a_dropped_line_and_the_money_moved() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let faults = Faults::parse(1, "lost=1000").unwrap();
    let settings = ServerSettings { faults, ..ServerSettings::default() };
    let server = tokio::spawn(serve(settings, listener, std::future::pending()));
    assert_eq!(ask(&url, "/tries", 0, Some(body("r1", 1))).await, None);
    assert_eq!(statement(&url, 0, 9).await.len(), 1, "the operator's statement has no faults");
    server.abort();
}

#[tokio::test]
async fn only_loopback_is_served() {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let refused = serve(ServerSettings::default(), listener, std::future::pending()).await;
    assert_eq!(refused.unwrap_err().code(), Code::InputMalformed);
    let asked = Asked::parse_from([SERVE, "--listen", "0.0.0.0:0"]);
    assert_eq!(run_process(&asked.options).unwrap_err().code(), Code::InputMalformed);
}

#[tokio::test]
async fn a_server_stops_when_it_is_told_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    serve(ServerSettings::default(), listener, std::future::ready(())).await.unwrap();
}

#[test]
fn a_file_that_is_not_this_sandboxs_ledger_is_refused_and_left_alone() {
    let folder = folder("foreign");
    let (text, other, ours) = (folder.join("text"), folder.join("other"), folder.join("ours"));
    std::fs::write(&text, "not a database at all, but long enough to look at\n".repeat(9)).unwrap();
    let file = rusqlite::Connection::open(&other).unwrap();
    file.execute_batch("CREATE TABLE a (b)").unwrap();
    drop(file);
    let open = |path: &Path, window| {
        let terms = Terms { window, ..Terms::default() };
        let ledger = Some(path.to_owned());
        Keeper::open(&ServerSettings { terms, ledger, ..ServerSettings::default() })
    };
    drop(open(&ours, WindowKind::Until).unwrap());
    for path in [&text, &other, &ours] {
        let before = std::fs::read(path).unwrap();
        let refused = open(path, WindowKind::Once).unwrap_err();
        assert_eq!(refused.code(), Code::StoreForeign, "{path:?}: {refused}");
        assert_eq!(std::fs::read(path).unwrap(), before);
    }
    open(&ours, WindowKind::Until).unwrap();
}

#[test]
fn a_ledger_has_one_writer() {
    let ledger = folder("alone").join("ledger");
    let settings = ServerSettings { ledger: Some(ledger), ..ServerSettings::default() };
    let first = Keeper::open(&settings).unwrap();
    let refused = Keeper::open(&settings).unwrap_err();
    assert_eq!(refused.code(), Code::StoreUnusable);
    assert!(refused.to_string().contains("another process"), "{refused}");
    drop(first);
    Keeper::open(&settings).unwrap();
}

#[test]
fn a_ledger_that_was_tampered_with_is_refused() {
    let ledger = folder("tampered").join("ledger");
    let settings = ServerSettings { ledger: Some(ledger.clone()), ..ServerSettings::default() };
    let keeper = Keeper::open(&settings).unwrap();
    let request = Request {
        method: "POST",
        url: "http://127.0.0.1:1/tries".to_owned(),
        headers: vec![],
        body: body("r1", 2).into_bytes(),
        deadline: Time::MAX,
    };
    assert_eq!(keeper.serve(&request).unwrap().status, 200);
    drop(keeper);
    assert_eq!(Keeper::open(&settings).unwrap().world().moved(), 3);
    let file = rusqlite::Connection::open(&ledger).unwrap();
    file.execute("DELETE FROM entry", []).unwrap();
    drop(file);
    assert_eq!(Keeper::open(&settings).unwrap_err().code(), Code::StoreUnusable);
}

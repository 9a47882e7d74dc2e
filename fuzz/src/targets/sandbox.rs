//! The sandbox, from both ends: replies that the rail reads, requests and records that the world
//! reads.

use std::path::PathBuf;

use divvy::core::{
    Answer, Batch, Body, Code, Fact, Head, Heard, Line, Name, Planned, Rail as _, Reply, Request,
    Signed, Stream, Time, Timing, Turn, Window,
};
use divvy::sandbox::{
    Effect, Fault, Keeper, RailSettings, Sandbox, ServerSettings, Terms, WindowKind, World,
};
use rusqlite::{Connection, params};

use crate::targets::first;

const KINDS: [WindowKind; 4] =
    [WindowKind::Unlimited, WindowKind::Until, WindowKind::UntilHeight, WindowKind::Once];

/// A window, a time, then one reply a line: two digits of its status and its body.
pub(crate) fn reply(bytes: &[u8]) {
    let (kind, bytes) = first(bytes);
    let (late, bytes) = first(bytes);
    let now = Time::ZERO.plus_secs(10_000 + 10 * late as u64);
    let batch = signed_batch(kind);
    let mut replies = bytes.split(|byte| *byte == b'\n').map(read_reply);
    let rail = rail(KINDS[kind % 4]);
    let mut heard: Vec<Heard> = Vec::new();
    for _ in 0..8 {
        match rail.look(&batch.signed(), &heard, now).expect("a look asks or answers") {
            Turn::Ask(asked) => {
                assert!(!asked.is_empty(), "it asks nothing");
                heard.extend(asked.into_iter().map(|request| {
                    let reply = replies.next().flatten();
                    Heard { request, reply }
                }));
            }
            Turn::Done(seen) => {
                assert_eq!(seen.answers.len(), 1);
                justified(&seen.answers[0], &heard);
                let timing = Timing { grace_secs: 120, deadline_secs_max: 300, watch_secs: 0 };
                match batch.learn(&seen, now, timing) {
                    Ok(bodies) => taken(&batch, &bodies),
                    Err(error) => assert_eq!(error.code(), Code::RailReply),
                }
                return;
            }
        }
    }
    panic!("a look goes on asking");
}

/// Money is called moved only by a reply that says so of this very try.
fn justified(answer: &Answer, heard: &[Heard]) {
    let bodies = || heard.iter().filter_map(|heard| heard.reply.as_ref()).map(|reply| &reply.body);
    if *answer != Answer::Unknown {
        let read = |body: &&Vec<u8>| serde_json::from_slice::<serde_json::Value>(body).is_ok();
        assert!(bodies().any(|body| read(&body)), "{answer:?} of what cannot be read");
    }
    let escaped = bodies().any(|body| body.contains(&b'\\'));
    if matches!(answer, Answer::Final | Answer::Returned { .. }) && !escaped {
        let says = |body: &Vec<u8>, what: &str| {
            body.windows(what.len()).any(|part| part == what.as_bytes())
        };
        let word = if *answer == Answer::Final { "final" } else { "returned" };
        assert!(bodies().any(|body| says(body, REFERENCE) && says(body, word)), "{answer:?}");
    }
}

/// Whatever was learned may follow.
fn taken(batch: &Batch, bodies: &[Body]) {
    let mut after = batch.clone();
    for fact in Fact::chain(batch.head(), Time::MAX, bodies) {
        after.apply(&fact).expect("what is learned may follow");
    }
    assert!(after.times_settled() <= 1);
}

fn read_reply(line: &[u8]) -> Option<Reply> {
    let (digits, body) = line.split_at_checked(2)?;
    let status = match digits {
        b"20" => 200,
        b"22" => 202,
        b"40" => 404,
        b"42" => 422,
        b"50" => 500,
        _ => return None,
    };
    Some(Reply { status, body: body.to_vec() })
}

fn signed_batch(kind: usize) -> Batch {
    let name = |text: &str| Name::new(text).expect("a name");
    let line = |who: &str| Line {
        payee: name(who),
        amount: divvy::core::Amount::ONE,
        to: who.to_owned(),
        to_n: None,
        fee: None,
    };
    let lines = vec![line("ann"), line("bob")];
    let end = Time::ZERO.plus_secs(10_300);
    let windows = [Window::Unlimited, Window::Until(end), Window::UntilHeight(9), Window::Once];
    let signed = Signed {
        reference: REFERENCE.to_owned(),
        bytes: b"{}".to_vec(),
        window: windows[kind % 4],
        deadline: end,
        sender: None,
        lines: Line::hash(&lines),
        claims: vec!["coin-0".to_owned()],
    };
    let planned = Planned { rail: name("sandbox"), wallet: name("till"), lines };
    let head = Head::start(Stream::batch(&name("b"), 0, 0));
    let bodies = [Body::Planned(planned), Body::Signed(signed)];
    Batch::fold(&Fact::chain(&head, Time::ZERO, &bodies)).expect("a batch")
}

fn rail(window: WindowKind) -> Sandbox {
    let wallet = Name::new("till").expect("a name");
    let settings = RailSettings::at("http://127.0.0.1:1", wallet).expect("settings");
    Sandbox::new(RailSettings { window, ..settings }).expect("a rail")
}

/// Terms, then requests, one a line: fault, method, seconds that passed, path, blank, body. What
/// the world wrote down is the world.
pub(crate) fn world(bytes: &[u8]) {
    let (terms, bytes) = first(bytes);
    let finality_secs = if terms & 4 == 0 { 0 } else { 30 };
    let funds = if terms & 8 == 0 { None } else { Some(1_000) };
    let terms = Terms { window: KINDS[terms % 4], finality_secs, lag_secs: 60, funds, fee: 0 };
    let mut world = World::new(terms);
    let mut effects: Vec<Effect> = Vec::new();
    let mut now = 0;
    for line in bytes.split(|byte| *byte == b'\n') {
        let (fault, line) = first(line);
        let (method, line) = first(line);
        let (pause, line) = first(line);
        now += 1_000 * pause as u64;
        let mut parts = line.splitn(2, |byte| *byte == b' ');
        let path = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
        let request = Request {
            method: if method % 2 == 0 { "POST" } else { "GET" },
            url: format!("http://127.0.0.1:1{path}"),
            headers: vec![("sandbox-now", now.to_string())],
            body: parts.next().unwrap_or_default().to_vec(),
            deadline: Time::MAX,
        };
        let sequence = world.sequence();
        let outcome = world.serve(&request, FAULTS[fault % FAULTS.len()]);
        assert!(world.sequence() >= sequence && world.now() >= Time::from_millis(now));
        if let Some(reply) = outcome.reply {
            let known = [200, 202, 400, 404, 408, 409, 410, 422, 500, 503];
            assert!(known.contains(&reply.status), "{}", reply.status);
            serde_json::from_slice::<serde_json::Value>(&reply.body).expect("replies are JSON");
        }
        assert!(funds.is_none_or(|funds| world.moved() <= funds), "more than the wallet holds");
        effects.extend(outcome.effects);
    }
    assert_eq!(World::replay(terms, effects), world, "what was written is not the world");
}

/// Rows of a ledger as somebody else may have written them, one a line: `t` or `e`, then columns.
pub(crate) fn ledger(bytes: &[u8]) {
    let path = ledger_file();
    let remove = || {
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", path.display()));
        }
    };
    remove();
    let settings = ServerSettings { ledger: Some(path.clone()), ..ServerSettings::default() };
    drop(Keeper::open(&settings).expect("a new ledger"));
    if spoil(&path, bytes).is_ok() {
        match Keeper::open(&settings) {
            Ok(keeper) => drop(keeper.world().height()),
            Err(error) => {
                let code = error.code();
                assert!(matches!(code, Code::StoreForeign | Code::StoreUnusable), "{error}");
            }
        }
    }
    remove();
}

fn spoil(path: &PathBuf, bytes: &[u8]) -> Result<(), rusqlite::Error> {
    let file = Connection::open(path)?;
    for line in bytes.split(|byte| *byte == b'\n') {
        let mut columns = line.splitn(5, |byte| *byte == b' ');
        let mut text = || String::from_utf8_lossy(columns.next().unwrap_or_default()).into_owned();
        let (table, n, at, said) = (text(), text(), text(), text());
        let (n, at): (i64, i64) = (n.parse().unwrap_or(1), at.parse().unwrap_or(0));
        let rest = columns.next().unwrap_or_default();
        match table.as_str() {
            "t" => file.execute(
                "INSERT OR REPLACE INTO taken VALUES (?1, ?2, ?2, ?3, ?4)",
                params![n, at, said, rest],
            ),
            "e" => file.execute(
                "INSERT OR REPLACE INTO entry VALUES (?1, ?1, ?3, ?2, 1, ?4)",
                params![n, at, said, String::from_utf8_lossy(rest)],
            ),
            _ => file.execute("UPDATE clock SET now = ?1", params![at]),
        }?;
    }
    Ok(())
}

fn ledger_file() -> PathBuf {
    let name = format!("divvy-fuzz-{}.db", std::process::id());
    std::env::temp_dir().join(name)
}

const REFERENCE: &str = "r1";

const FAULTS: [Fault; 12] = [
    Fault::None,
    Fault::Late { secs: 20 },
    Fault::LostReply,
    Fault::AcceptedAndDropped,
    Fault::Duplicated,
    Fault::OutOfOrder,
    Fault::Refused,
    Fault::ServerError,
    Fault::Returned,
    Fault::Reorganised,
    Fault::Slow,
    Fault::Killed,
];

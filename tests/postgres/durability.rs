//! What was told as written is on the disk, and what nobody can know is told as unknown.

use divvy::core::{Asset, Code, Fact, Manner, Name, Time};
use divvy::{Divvy, Host as _, Postgres};

use crate::desk::{alone, fresh, open, order};
use crate::host::{all, block_on, chain, commit, read};
use crate::lines::{Cut, Line};
use crate::server::{Server, run};

#[test]
fn a_server_that_would_forget_is_refused() {
    let server = Server::start();
    drop(open(&server.url));
    order(&server, "start fsync=off");
    let error = block_on(Postgres::open(&server.url)).expect_err("it forgets");
    assert_eq!(error.code(), Code::StoreUnusable);
    assert!(error.to_string().contains("fsync = off"), "{error}");
    order(&server, "start fsync=on");
    drop(open(&server.url));
}

#[test]
fn what_was_told_survives_a_crash_and_the_cursor_goes_on() {
    let (server, host) = alone();
    let mut cursor = None;
    for round in 0..3 {
        for i in 0..20 {
            let facts = chain(&format!("p{round}-{i}"), 2);
            commit(&host, &facts, Manner::Together).expect("a commit");
        }
        order(&server, "crash");
        let page = block_on(host.since(cursor.as_ref(), 99)).expect("it is the same database");
        assert_eq!((page.facts.len(), page.is_last), (40, true));
        cursor = Some(page.cursor);
    }
    assert_eq!(all(&host).len(), 120);
}

#[test]
fn a_commit_is_flushed_whatever_the_role_and_the_database_are_set_to() {
    // Method: both say that commits need not wait; ours asks its own session, from a trigger.
    let (host, url) = fresh();
    drop(host);
    let name = url.rsplit('/').next().expect("a name");
    run(
        &url,
        &format!(
            "
        ALTER DATABASE {name} SET synchronous_commit = off;
        CREATE TABLE public.said (setting text);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO public.said VALUES (pg_catalog.current_setting('synchronous_commit'));
            RETURN NULL;
        END $$;
        CREATE TRIGGER note AFTER INSERT ON divvy.divvy_fact
            FOR STATEMENT EXECUTE FUNCTION note()"
        ),
    );
    let host = open(&url);
    commit(&host, &chain("alice", 1), Manner::Together).expect("a commit");
    run(
        &url,
        "DO $$ BEGIN
        IF (SELECT array_agg(setting) FROM public.said) <> ARRAY['on'] THEN
            RAISE 'not flushed';
        END IF;
    END $$",
    );
}

#[test]
fn a_commit_whose_answer_is_lost_is_unknown_and_shows_when_it_is_read_back() {
    let url = Server::shared().database();
    let line = Line::to(&url);
    let host = open(&line.url);
    // The last two are statements that are their own transactions: the name stands in their row.
    for (i, (cut, manner, length, there)) in [
        (Cut::After("COMMIT"), Manner::Together, 2, true),
        (Cut::Before("COMMIT"), Manner::Together, 2, false),
        (Cut::After("/p2"), Manner::EachIfFree, 1, true),
        (Cut::Before("/p3"), Manner::EachIfFree, 1, false),
    ]
    .into_iter()
    .enumerate()
    {
        let facts = chain(&format!("p{i}"), length);
        line.cut(cut);
        let error = commit(&host, &facts, manner).expect_err("the line was cut");
        assert!(line.was_cut());
        assert_eq!(error.code(), Code::CommitUnknown, "{cut:?}: {error}");
        // The next call makes a new connection. A server needs a moment to see that one is gone.
        let wanted = if there { facts } else { Vec::new() };
        let mut found = read(&host, &format!("p{i}"));
        for _ in 0..200 {
            if found == wanted {
                break;
            }
            run(&url, "SELECT pg_sleep(0.01)");
            found = read(&host, &format!("p{i}"));
        }
        assert_eq!(found, wanted, "{cut:?}");
    }
}

#[test]
fn a_line_that_is_lost_before_the_commit_is_made_anew_and_nobody_notices() {
    let url = Server::shared().database();
    let line = Line::to(&url);
    let host = open(&line.url);
    commit(&host, &chain("alice", 1), Manner::Together).expect("a commit");
    for (i, cut) in [Cut::Before("BEGIN"), Cut::After("BEGIN")].into_iter().enumerate() {
        line.cut(cut);
        let facts = chain(&format!("p{i}"), 1);
        commit(&host, &facts, Manner::Together).expect("it is tried again");
        assert!(line.was_cut(), "{cut:?}");
        assert_eq!(read(&host, &format!("p{i}")), facts);
    }
    // An administrator ends every connection.
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    for round in 0..3 {
        run(&url, end);
        commit(&host, &chain(&format!("q{round}"), 1), Manner::Together).expect("a new connection");
        run(&url, end);
        assert_eq!(all(&host).len(), 4 + round);
    }
}

#[test]
fn divvy_goes_on_over_a_commit_whose_answer_was_lost() {
    block_on(async {
        let url = Server::shared().database();
        let line = Line::to(&url);
        let mut divvy = Divvy::open(open_on(&line).await).await.expect("a history");
        let usd = Asset::parse("USD").expect("an asset");
        let now = Time::parse("2026-03-01T12:00:00Z").expect("a time");
        let name = |text: &str| Name::new(text).expect("a name");

        line.cut(Cut::Before("COMMIT"));
        let error = divvy.open_book(&name("a"), usd.clone(), now).await.expect_err("not written");
        assert_eq!(error.code(), Code::CommitUnknown);
        line.cut(Cut::After("COMMIT"));
        // Found when it is read back, unless the server was not done with it by then.
        let opened = divvy.open_book(&name("b"), usd.clone(), now).await.map(drop);
        assert!(line.was_cut());
        assert!(opened.as_ref().err().is_none_or(|error| error.code() == Code::CommitUnknown));
        let book = divvy.open_book(&name("b"), usd, now).await.expect("it is open, once");
        assert_eq!(book.name().as_str(), "b");
        let facts: Vec<Fact> = divvy.host().since(None, 9).await.expect("a page").facts;
        assert_eq!(facts.len(), 1);
        assert_eq!(divvy.verify().await.expect("all holds").facts, 1);
    });
}

async fn open_on(line: &Line) -> Postgres {
    Postgres::open(&line.url).await.expect("a database")
}

#[test]
fn no_secret_is_ever_shown() {
    let (host, url) = fresh();
    let password = url.split([':', '@']).nth(2).expect("a password");
    let mut said = vec![format!("{host:?}")];
    let (head, rest) = url.split_once('@').expect("a user");
    for wrong in [
        format!("{head}@127.0.0.1:1/nowhere"),
        format!("{head}@{rest}?sslmode=allow"),
        format!("{head}@{rest}?{password}=1"),
        format!("{head}@{rest}?password={password}&passfile=/nowhere&port=x{password}"),
        format!("{head}@{rest}?sslmode=require"),
        format!("{head}@{rest}-not-there"),
        format!("{head}x@{rest}"),
        format!("http://{password}@{rest}"),
    ] {
        let error = block_on(Postgres::open(&wrong)).expect_err("it is refused");
        said.push(format!("{error:?} {error}"));
    }
    for said in said {
        assert!(!said.contains(password), "{said}");
    }
}

#[test]
fn nobody_is_sent_in_clear_text_what_should_be_secret() {
    let (_host, url) = fresh();
    // The server speaks no TLS: whoever requires it is refused, whoever prefers it is served.
    for mode in ["require", "verify-ca", "verify-full"] {
        let error = block_on(Postgres::open(&format!("{url}?sslmode={mode}"))).expect_err(mode);
        assert_eq!(error.code(), Code::StoreUnusable, "{error}");
        assert!(error.to_string().contains("TLS"), "{error}");
    }
    for mode in ["prefer", "disable"] {
        drop(open(&format!("{url}?sslmode={mode}")));
    }
}

#[test]
fn a_certificate_must_be_trusted_and_of_the_name_that_was_asked_for() {
    let server = Server::start();
    let file = std::env::temp_dir().join(format!("divvy-trust-{}.pem", std::process::id()));
    order(&server, &format!("tls {}", file.display()));
    let named = server.url.replace("127.0.0.1", "localhost");
    let trust = format!("sslrootcert={}", file.display());
    // Whom the file names, by its name: in every mode that speaks TLS.
    for mode in ["prefer", "require", "verify-ca", "verify-full"] {
        let host = open(&format!("{named}?sslmode={mode}&{trust}"));
        commit(&host, &chain(mode, 1), Manner::Together).expect("a commit");
    }
    // Another name, or nobody's word for it: refused, and nothing is sent in clear text instead.
    let refusals = [
        format!("{}?sslmode=require&{trust}", server.url),
        format!("{}?sslmode=prefer&{trust}", server.url),
        format!("{named}?sslmode=require"),
        format!("{named}?sslmode=prefer"),
    ];
    for url in refusals {
        let error = block_on(Postgres::open(&url)).expect_err("no proof");
        assert_eq!(error.code(), Code::StoreUnusable, "{error}");
        assert!(error.to_string().contains("certificate"), "{error}");
    }
    std::fs::remove_file(file).expect("it is gone");
}

//! Disks that are full, read-only, or under which the file is taken away.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use divvy::core::{Body, Code, Error, Fact, Head, Held, Manner, Stream, Time, Written};
use divvy::sandbox::{Faults, Terms, WindowKind};
use divvy::{Divvy, Host, Sqlite};

use crate::folder::{Folder, block_on};
use crate::history::{set_up, start, take_in, worker};
use crate::till::{Rail, Till};

fn facts(name: &str, bytes: usize) -> Vec<Fact> {
    let stream = Stream::parse(&format!("payee/show/{name}")).expect("a stream");
    let held = Body::Held(Held { reason: "x".repeat(bytes), cause: None });
    vec![Fact::new(&Head::start(stream), Time::ZERO, &held)]
}

fn commit(host: &Sqlite, facts: Vec<Fact>) -> Result<Vec<Written>, Error> {
    block_on(host.commit(facts, Manner::Together))
}

fn all(host: &Sqlite) -> Vec<Fact> {
    block_on(host.since(None, usize::MAX)).expect("a page").facts
}

#[cfg(unix)]
#[test]
fn a_file_that_is_taken_away_is_told_before_anyone_hears_written() {
    type Take = fn(&Folder);
    let takes: [(&str, Take); 4] = [
        ("deleted", |folder| fs::remove_file(folder.file("a")).expect("deleted")),
        ("moved", |folder| fs::rename(folder.file("a"), folder.file("b")).expect("moved")),
        ("its log deleted", |folder| fs::remove_file(folder.file("a-wal")).expect("deleted")),
        ("replaced by a copy", |folder| {
            fs::copy(folder.file("a"), folder.file("b")).expect("a copy");
            fs::rename(folder.file("b"), folder.file("a")).expect("replaced");
        }),
    ];
    for (what, take) in takes {
        let folder = Folder::new("taken");
        let open = || Sqlite::open(folder.file("a")).expect("a database");
        let (host, other) = (open(), open());
        assert_eq!(commit(&host, facts("before", 9)), Ok(vec![Written::New]), "{what}");
        assert_eq!(all(&other), facts("before", 9), "{what}");
        take(&folder);
        let error = commit(&host, facts("after", 9)).expect_err(what);
        assert_eq!(error.code(), Code::CommitUnknown, "{what}: {error}");
        assert!(error.to_string().contains("deleted or replaced"), "{what}: {error}");
        // Nothing more is written behind it, and what is refused is refused whole.
        let error = commit(&host, facts("later", 9)).expect_err(what);
        assert_eq!(error.code(), Code::StoreUnusable, "{what}: {error}");
        assert!(error.to_string().contains("opened again"), "{what}: {error}");
        // It can still be read by whoever has it open, and nobody may act by it.
        for host in [&host, &other] {
            let page = block_on(host.since(None, 9)).map(|page| page.facts);
            let read = block_on(host.read(&facts("after", 9)[0].stream));
            for told in [page, read] {
                assert_eq!(told.expect_err(what).code(), Code::StoreUnusable, "{what}");
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn nobody_is_paid_by_a_file_that_was_taken_away() {
    // Two workers on two handles; the first plans what nobody will ever read, and the second must
    // not find it there and send it.
    let folder = Folder::new("unpaid");
    let path = folder.file("a");
    for window in [WindowKind::Until, WindowKind::Once] {
        drop(fs::remove_file(&path));
        let blank = Rail::new(Terms { window, ..Terms::default() });
        let till = Arc::new(Till::new(folder.file("a-wal"), blank, Faults::default()));
        block_on(async {
            let open = || Sqlite::open(&path).expect("a database");
            let mut first = Divvy::open(open()).await.expect("it opens");
            set_up(&mut first, start()).await;
            take_in(&mut first, 0, start()).await;
            let mut second = Divvy::open(open()).await.expect("it opens");
            fs::remove_file(&path).expect("deleted");
            for divvy in [&mut first, &mut second] {
                let mut worker = worker(window, Arc::clone(&till));
                for hour in 1..4 {
                    let now = start().plus_secs(hour * 3_600);
                    let error = worker.tick(divvy, now).await.expect_err("it is gone");
                    assert!(error.to_string().contains("deleted or replaced"), "{error}");
                }
            }
        });
        assert!(till.sent().is_empty(), "{window:?}: a try was sent");
    }
}

#[cfg(unix)]
#[test]
fn a_database_behind_a_link_is_looked_for_where_it_is() {
    let folder = Folder::new("link");
    fs::create_dir(folder.file("real")).expect("a folder");
    drop(Sqlite::open(folder.file("real/a")).expect("a database"));
    std::os::unix::fs::symlink(folder.file("real/a"), folder.file("a")).expect("a link");
    let host = Sqlite::open(folder.file("a")).expect("a database");
    assert_eq!(commit(&host, facts("before", 9)), Ok(vec![Written::New]));
}

#[cfg(unix)]
#[test]
fn what_stands_where_a_file_should_be_is_told() {
    let folder = Folder::new("places");
    fs::create_dir(folder.file("a")).expect("a folder");
    let error = Sqlite::open(folder.file("a")).expect_err("a folder in its place");
    assert_eq!(error.code(), Code::StoreUnusable);
    assert!(error.to_string().contains("is no file"), "{error}");
    // A folder in the place of the log: nothing can be logged, so nothing is opened for writing.
    drop(Sqlite::open(folder.file("b")).expect("a database"));
    fs::create_dir(folder.file("b-wal")).expect("a folder");
    let error = Sqlite::open(folder.file("b")).expect_err("no log");
    assert_eq!(error.code(), Code::StoreUnusable, "{error}");
    fs::remove_dir(folder.file("b-wal")).expect("it is gone");
    let host = Sqlite::open(folder.file("b")).expect("nothing was harmed");
    assert_eq!(commit(&host, facts("a", 9)), Ok(vec![Written::New]));
}

/// Starts one of these tests again, told a path as a filter that matches no test.
#[cfg(unix)]
fn again(shell: &str, name: &str, path: &Path) -> std::process::Output {
    Command::new("sh")
        .args(["-c", shell, "sh"])
        .arg(std::env::current_exe().expect("the test itself"))
        .args(["--exact", name, "--nocapture"])
        .arg(path)
        .stdin(Stdio::null())
        .output()
        .expect("a shell")
}

#[cfg(unix)]
fn started_with(end: &str) -> Option<String> {
    std::env::args().find(|arg| arg.ends_with(end))
}

#[cfg(unix)]
#[test]
fn a_disk_that_fills_up_refuses_whole_commits_and_goes_on_when_there_is_room() {
    // Method: a disk of half a megabyte, mounted where only a started copy of this test sees it.
    // There it commits until there is no room, makes room, and goes on.
    let name = "disk::a_disk_that_fills_up_refuses_whole_commits_and_goes_on_when_there_is_room";
    if let Some(path) = started_with("a.full") {
        return fill_up(Path::new(&path));
    }
    let folder = Folder::new("full");
    let path = folder.file("a.full");
    let mount =
        format!("mount -t tmpfs -o size=512k none {0} && exec \"$@\"", folder.file(".").display());
    let shell = format!("unshare --user --map-root-user --mount sh -c '{mount}' sh \"$@\"");
    let output = again(&shell, name, &path);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if said.contains("running 1 test") {
        assert!(output.status.success() && said.contains("it was full"), "{said}");
        println!("shown on a disk of its own");
    } else {
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        println!("not shown, nothing can be mounted: {why}");
    }
}

#[cfg(unix)]
fn fill_up(path: &Path) {
    let folder = path.parent().expect("a folder");
    fs::write(folder.join("ballast"), vec![7; 100_000]).expect("room for it");
    let host = Sqlite::open(path).expect("a database");
    let (mut kept, mut refused) = (Vec::new(), 0);
    for i in 0..60 {
        let pair = [facts(&format!("a{i}"), 9_000), facts(&format!("b{i}"), 9_000)].concat();
        match commit(&host, pair.clone()) {
            Ok(_) => kept.extend(pair),
            Err(error) => {
                assert_eq!(error.code(), Code::StoreUnusable, "{error}");
                assert!(error.to_string().contains("make room"), "{error}");
                refused += 1;
            }
        }
        assert_eq!(all(&host), kept, "after commit {i}");
    }
    assert!(refused > 0 && !kept.is_empty(), "{refused} refused");
    println!("it was full after {} facts", kept.len());
    // A copy for which there is no room leaves nothing behind.
    let error = block_on(host.back_up(folder.join("copy"))).expect_err("no room");
    assert_eq!(error.code(), Code::StoreUnusable, "{error}");
    assert!(!folder.join("copy").exists() && !folder.join("copy.unfinished").exists());
    fs::remove_file(folder.join("ballast")).expect("there is room again");
    assert_eq!(commit(&host, facts("again", 9_000)), Ok(vec![Written::New]));
    kept.extend(facts("again", 9_000));
    drop(host);
    assert_eq!(all(&Sqlite::open(path).expect("it opens")), kept);
}

#[cfg(unix)]
#[test]
fn a_write_that_the_system_cuts_short_is_told_and_nothing_is_written_behind_it() {
    // Method: a started copy of this test may write files of so many blocks and no more, which
    // SQLite hears as a failing disk.
    let name = "disk::a_write_that_the_system_cuts_short_is_told_and_nothing_is_written_behind_it";
    if let Some(path) = started_with("a.short") {
        return cut_short(Path::new(&path));
    }
    let folder = Folder::new("short");
    let path = folder.file("a.short");
    let output = again("trap '' XFSZ; ulimit -f 600; exec \"$@\"", name, &path);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("it was cut short"), "{said}{why}");
    // Here there is no limit: what was told "written" is there, and at most the unknown one more.
    let host = Sqlite::open(&path).expect("it opens");
    let told: usize = said.lines().filter(|line| line.starts_with("written ")).count();
    let found = all(&host).len();
    assert!(found == told || found == told + 1, "{found} facts, {told} were told");
    assert_eq!(commit(&host, facts("again", 9_000)), Ok(vec![Written::New]));
}

#[cfg(unix)]
fn cut_short(path: &Path) {
    let host = Sqlite::open(path).expect("a database");
    for i in 0..200 {
        match commit(&host, facts(&format!("a{i}"), 9_000)) {
            Ok(_) => println!("written {i}"),
            Err(error) => {
                let known = [Code::CommitUnknown, Code::StoreUnusable];
                assert!(known.contains(&error.code()), "{error}");
                println!("it was cut short at {i}: {error}");
                return;
            }
        }
    }
    panic!("it was never cut short");
}

//! The same jobs with the facts on a PostgreSQL server, and its password anywhere but in the
//! settings.

use std::fs;

use crate::command::{Ended, Folder, divvy, done, ended};
use crate::server::Server;

/// An example whose database is a new one of the server, named without its password; and that.
fn on_server(example: &str) -> (Folder, String) {
    let url = Server::shared().database();
    let (user, rest) = url.split_once('@').unwrap();
    let (user, password) = user.rsplit_once(':').unwrap();
    let folder = Folder::example(example);
    folder.edit("divvy.toml", "from = ", &format!("database = \"{user}@{rest}\"\nfrom = "));
    (folder, password.to_owned())
}

fn with(password: &str, arguments: &[&str]) -> Ended {
    ended(&divvy(arguments).env("PGPASSWORD", password).output().unwrap())
}

#[test]
fn a_job_on_a_server_ends_as_the_same_job_on_a_file() {
    let file = Folder::example("duet");
    let wanted = done(&["run", file.path().to_str().unwrap()]);
    let (folder, password) = on_server("duet");
    let dir = folder.path().to_str().unwrap();
    let first = with(&password, &["run", dir]);
    assert_eq!(first.code, Some(0), "{}", first.said);
    for key in ["recorded", "paid", "facts", "lines_settled", "statement", "payments"] {
        assert_eq!(first.value[key], wanted[key], "{key}");
    }
    let again = with(&password, &["run", dir]).value;
    assert_eq!(again["lines_planned"], 0);
    assert_eq!(again["payments"]["known"], 10);
    assert_eq!(again["costs"]["flushes"], 0, "idle ticks write nothing");
    for command in [&["status", dir][..], &["due", dir], &["verify", dir]] {
        assert_eq!(with(&password, command).code, Some(0), "{command:?}");
    }
    let explained = with(&password, &["explain", "batch/duet/0/0", "--dir", dir]);
    assert!(explained.said.contains("is final"), "{}", explained.said);
}

#[test]
fn every_fault_at_once_on_a_server_loses_nothing_and_pays_nobody_twice() {
    let (folder, password) = on_server("duet");
    let faults = "late=80,lost=80,dropped=40,duplicated=80,out_of_order=40,refused=80,\
        server_error=80,reorganised=40,slow=60,killed=20";
    folder.edit("divvy.toml", "seed = 1", &format!("faults = \"{faults}\"\nseed = 5"));
    let ended = with(&password, &["run", folder.path().to_str().unwrap()]);
    assert_eq!(ended.value["paid"], "656.59", "{}", ended.said);
    assert_eq!(ended.value["reserved"], "0.00", "{}", ended.said);
}

#[test]
fn a_password_comes_from_a_file_that_only_its_owner_reads_and_is_never_shown() {
    let (folder, password) = on_server("duet");
    let dir = folder.path().to_str().unwrap();
    let run = |command: &[&str], file: &str| {
        ended(&divvy(command).env_remove("PGPASSWORD").env("PGPASSFILE", file).output().unwrap())
    };
    let file = folder.write("pass", format!("*:*:*:divvy:{password}\n"));
    let path = file.to_str().unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let open = run(&["status", dir], path);
        assert!(open.said.contains("chmod 600"), "{}", open.said);
        assert!(!open.said.contains(&password));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let done = run(&["run", dir], path);
    assert_eq!(done.code, Some(0), "{}", done.said);

    let wrong = with("no-such-password", &["status", dir]);
    assert_eq!(wrong.code, Some(3), "{}", wrong.said);
    assert!(wrong.said.contains("check the user"), "{}", wrong.said);
    for said in [wrong.said, done.said] {
        assert!(!said.contains("no-such-password") && !said.contains(&password), "{said}");
    }
}

//! The command, run and killed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// The command that is tried out, which whoever runs this has built.
pub(crate) fn program() -> PathBuf {
    let named = std::env::var_os("DIVVY").expect("DIVVY names the command; `make svm` does");
    PathBuf::from(named)
}

/// Runs the command and returns the last line of what it says, as JSON, and how it ended.
pub(crate) fn ended(arguments: &[&str], folder: &Path) -> (Option<i32>, Value, String) {
    let mut command = Command::new(program());
    let out = command.args(arguments).arg("--json").current_dir(folder).stdin(Stdio::null());
    let out = out.output().expect("it runs");
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    let value = said.lines().last().and_then(|line| serde_json::from_str(line).ok());
    let all = format!("{said}{}", String::from_utf8_lossy(&out.stderr));
    (out.status.code(), value.unwrap_or(Value::Null), all)
}

/// Runs what must end well.
#[track_caller]
pub(crate) fn done(arguments: &[&str], folder: &Path) -> Value {
    let (code, value, said) = ended(arguments, folder);
    assert_eq!(code, Some(0), "{arguments:?}: {said}");
    value
}

/// A worker that is started again whenever it ends.
pub(crate) struct Hand {
    folder: PathBuf,
    log: PathBuf,
    child: Child,
}

impl Hand {
    pub(crate) fn start(folder: &Path, number: u64) -> Self {
        let log = folder.join(format!("worker-{number}.log"));
        let child = spawn(folder, &log);
        Self { folder: folder.to_owned(), log, child }
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        self.child.wait().expect("it has ended");
        self.child = spawn(&self.folder, &self.log);
    }

    /// Starts it again if it has ended, because the world was not ready; nothing else may end it.
    pub(crate) fn tend(&mut self) {
        if let Some(status) = self.child.try_wait().expect("its state") {
            assert_eq!(status.code(), Some(3), "{}", self.said());
            self.child = spawn(&self.folder, &self.log);
        }
    }

    /// Tells it to stop, and holds it to having ended well.
    pub(crate) fn stop(&mut self) {
        let line = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &line]).status().expect("a shell").success());
        let status = self.child.wait().expect("it has ended");
        // Five: well, and something wants to be looked at, which obstacles of earlier do.
        assert!(matches!(status.code(), Some(0 | 5)), "{status}: {}", self.said());
    }

    /// The last of what it said.
    pub(crate) fn said(&self) -> String {
        let said = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = said.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(folder: &Path, log: &Path) -> Child {
    let log = File::options().create(true).append(true).open(log).expect("a log");
    let errors = log.try_clone().expect("a log");
    let mut command = Command::new(program());
    command.args(["--log", "warn", "work", "."]).current_dir(folder).stdin(Stdio::null());
    command.stdout(log).stderr(errors).spawn().expect("a process")
}

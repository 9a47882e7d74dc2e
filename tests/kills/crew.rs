//! The processes that work on the database, each killed and started again.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::shell::Folder;

/// One command that is run again whenever it ends.
pub(crate) struct Hand {
    name: String,
    arguments: Vec<String>,
    child: Child,
    log: PathBuf,
}

impl Hand {
    pub(crate) fn start(folder: &Folder, name: &str, arguments: Vec<String>) -> Self {
        let log = folder.path().join(format!("{name}.log"));
        let child = spawn(&log, &arguments);
        Self { name: name.to_owned(), arguments, child, log }
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        self.child.wait().expect("it has ended");
        self.child = spawn(&self.log, &self.arguments);
    }

    /// Whether it came to its end by itself and well. When the world was not ready for it, it is
    /// started again, as whoever runs it would; anything else is a fault of ours.
    pub(crate) fn is_done(&mut self) -> bool {
        let Some(status) = self.child.try_wait().expect("its state") else { return false };
        match status.code() {
            Some(0) => true,
            Some(3) => {
                self.child = spawn(&self.log, &self.arguments);
                false
            }
            _ => unreachable!("{} ended with {status}: {}", self.name, self.said()),
        }
    }

    /// Tells it to stop, waits until it has, and holds it to having ended well.
    pub(crate) fn stop(&mut self) {
        let line = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &line]).status().expect("a shell").success());
        let status = self.child.wait().expect("it has ended");
        assert_eq!(status.code(), Some(0), "{}: {}", self.name, self.said());
    }

    /// The last of what it said.
    pub(crate) fn said(&self) -> String {
        let said = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = said.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(log: &PathBuf, arguments: &[String]) -> Child {
    let log = File::options().create(true).append(true).open(log).expect("a log");
    let errors = log.try_clone().expect("a log");
    let mut command = Command::new(env!("CARGO_BIN_EXE_divvy"));
    command.args(["--log", "warn"]).args(arguments).stdin(Stdio::null());
    command.stdout(log).stderr(errors).spawn().expect("a process")
}

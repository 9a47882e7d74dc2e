//! Output: sentences for people or one JSON value for programs; progress on the side.

use std::io::IsTerminal as _;
use std::time::Duration;

use divvy::core::Error;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::{Value, json};

/// Where output goes.
#[derive(Debug)]
pub(crate) struct Out {
    json: bool,
}

impl Out {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// One sentence, for people only.
    pub(crate) fn say(&mut self, sentence: &str) {
        if !self.json {
            write_line(&mut std::io::stdout(), sentence);
        }
    }

    /// One value, for programs only.
    pub(crate) fn value(&mut self, value: &impl Serialize) {
        if self.json {
            let text = serde_json::to_string(value).unwrap_or_else(|error| error.to_string());
            write_line(&mut std::io::stdout(), &text);
        }
    }

    /// What went wrong.
    pub(crate) fn error(&mut self, error: &Error) {
        if self.json {
            let who = format!("{:?}", error.who()).to_lowercase();
            let (code, name) = (error.code().number(), error.code().name());
            let detail = error.to_string();
            let value: Value =
                json!({"error": {"code": code, "name": name, "who": who, "detail": detail}});
            write_line(&mut std::io::stdout(), &value.to_string());
        } else {
            write_line(&mut std::io::stderr(), &format!("divvy: {error}"));
        }
    }

    /// A bar for long work, where a person is watching.
    pub(crate) fn progress(&self, what: &'static str, length: u64) -> ProgressBar {
        if self.json || !std::io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new(length).with_message(what);
        if let Ok(style) = ProgressStyle::with_template("{msg:20} {wide_bar} {pos}/{len} {eta}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }
}

/// A reader who has gone away is no error of ours.
fn write_line(to: &mut impl std::io::Write, line: &str) {
    let _ = writeln!(to, "{line}");
}

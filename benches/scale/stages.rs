//! What each stage took: seconds, memory now and at most, and what one of its things cost.

use std::time::Instant;

use crate::support::print_table;

/// The stages so far, and the moment at which the next one began.
pub(crate) struct Stages {
    began: Instant,
    rows: Vec<Vec<String>>,
}

impl Stages {
    pub(crate) fn new() -> Self {
        let head = ["stage", "seconds", "each", "of a", "memory MB", "at most MB"];
        Self { began: now(), rows: vec![head.map(str::to_owned).to_vec()] }
    }

    /// Begins the next stage now, and not where the last one ended.
    pub(crate) fn begin(&mut self) {
        self.began = now();
    }

    /// Ends a stage that went through so many things.
    pub(crate) fn ended(&mut self, stage: &str, count: u64, thing: &str) {
        let took = self.began.elapsed();
        let each = took.as_nanos() / u128::from(count.max(1));
        let each =
            if each < 10_000 { format!("{each} ns") } else { format!("{} us", each / 1_000) };
        let seconds = format!("{}.{}", took.as_secs(), took.subsec_millis() / 100);
        let (memory, most) = (status_mb("VmRSS:"), status_mb("VmHWM:"));
        println!("{stage}: {seconds} s, {each} a {thing}, {memory} MB, at most {most} MB");
        let row = [stage.to_owned(), seconds, each, thing.to_owned(), memory, most];
        self.rows.push(row.to_vec());
        self.began = now();
    }

    pub(crate) fn print(&self) {
        print_table(&self.rows);
    }
}

/// A line of the process's own status, where the system tells.
fn status_mb(line: &str) -> String {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = text.lines().find_map(|text| text.strip_prefix(line));
    let kb = found.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kb.map_or_else(|| "?".to_owned(), |kb| (kb / 1_000).to_string())
}

#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
fn now() -> Instant {
    Instant::now()
}

//! The sandbox as a process with a ledger, killed and started again at the same address.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

/// A rail, and how it is started again.
pub(crate) struct Rail {
    child: Child,
    pub(crate) address: String,
    ledger: PathBuf,
    pub(crate) window: &'static str,
    seed: u64,
    faults: &'static str,
}

impl Rail {
    pub(crate) fn start(ledger: PathBuf, window: &'static str, seed: u64) -> Self {
        let (child, address) = serve("127.0.0.1:0", &ledger, window, seed, FAULTS);
        Self { child, address, ledger, window, seed, faults: FAULTS }
    }

    pub(crate) fn kill(&mut self) {
        // One that has just died by its own fault is dead enough.
        let _ = self.child.kill();
        self.child.wait().expect("it has ended");
        self.start_again();
    }

    /// Starts it again when it has killed itself, which is one of its faults.
    pub(crate) fn tend(&mut self) {
        if self.child.try_wait().expect("its state").is_some() {
            self.start_again();
        }
    }

    /// From now on nothing goes wrong with it.
    pub(crate) fn heal(&mut self) {
        self.faults = "";
        self.kill();
    }

    fn start_again(&mut self) {
        let Self { ledger, window, seed, faults, .. } = self;
        self.child = serve(&self.address, ledger, window, *seed, faults).0;
    }

    /// What each payee has been given, by the rail's own account.
    pub(crate) fn moved(&self) -> BTreeMap<String, i64> {
        let mut moved = BTreeMap::new();
        let mut after = 0;
        loop {
            let page = self.statement(after);
            let Some(last) = page.last() else { return moved };
            after = last["sequence"].as_u64().expect("a number");
            for line in &page {
                let sign = if line["kind"] == "moved" { 1 } else { -1 };
                let amount: i64 = text(line, "amount").parse().expect("an amount");
                *moved.entry(text(line, "to")).or_default() += sign * amount;
            }
        }
    }

    fn statement(&self, after: u64) -> Vec<Value> {
        let mut stream = TcpStream::connect(&self.address).expect("a rail");
        let path = format!("/statement?after={after}&limit=5000");
        write!(stream, "GET {path} HTTP/1.1\r\nhost: sandbox\r\nconnection: close\r\n\r\n")
            .expect("it listens");
        let mut reply = String::new();
        stream.read_to_string(&mut reply).expect("a reply");
        let (head, body) = reply.split_once("\r\n\r\n").expect("a reply");
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        body.lines().map(|line| serde_json::from_str(line).expect("an entry")).collect()
    }
}

impl Drop for Rail {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(line: &Value, field: &str) -> String {
    line[field].as_str().expect("a text").to_owned()
}

/// Starts a sandbox, again and again while the address or the ledger of one that was killed are in
/// use.
fn serve(listen: &str, ledger: &PathBuf, window: &str, seed: u64, faults: &str) -> (Child, String) {
    for _ in 0..100 {
        let mut command = Command::new(env!("CARGO_BIN_EXE_divvy"));
        command.args(["sandbox", "--listen", listen, "--window", window, "--faults", faults]);
        command.args(["--seed", &seed.to_string(), "--lag-secs", "1", "--finality-secs", "1"]);
        command.arg("--ledger").arg(ledger).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().expect("a process");
        let mut line = String::new();
        let said = BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line);
        said.expect("a line");
        if let Some(address) = line.trim().strip_prefix("listening on ") {
            return (child, address.to_owned());
        }
        child.wait().expect("it has ended");
        crate::drill::wait(Duration::from_millis(50));
    }
    unreachable!("the sandbox does not start on {listen}");
}

/// Per thousand requests.
const FAULTS: &str = "late=60,lost=60,dropped=20,duplicated=60,out_of_order=30,refused=60,\
    server_error=60,returned=40,reorganised=20,slow=60,killed=5";

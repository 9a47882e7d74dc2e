//! A key that is kept elsewhere: a command that signs.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use divvy_core::{Code, Error};
use divvy_solana::{Address, Signature, Signer};

/// A command that gets the bytes to sign on its input, and writes the signature in base58 to its
/// output. What it signs is verified by the rail, whatever it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CommandSigner {
    pub(super) wallet: Address,
    pub(super) command: Vec<String>,
    pub(super) dir: PathBuf,
    pub(super) wait: Duration,
}

impl CommandSigner {
    /// A signer by this command, which runs in a folder.
    pub(super) fn new(wallet: Address, command: &[String], dir: &Path) -> Result<Self, Error> {
        if command.first().is_none_or(String::is_empty) {
            let detail =
                "[rail.solana] signer is a command and what it is told: [\"sign\", \"it\"]";
            return Err(Error::new(Code::InputMalformed, detail));
        }
        let (command, dir) = (command.to_vec(), dir.to_path_buf());
        Ok(Self { wallet, command, dir, wait: WAIT })
    }

    fn failed(&self, why: &str) -> Error {
        let name = self.command.first().map_or("", String::as_str);
        Error::new(Code::RailRefused, format!("the signer {name:?} {why}: nothing is signed"))
    }

    /// What it writes, once it has ended well and in time.
    fn run(&self, message: &[u8]) -> Result<String, Error> {
        let (program, told) = self.command.split_first().unwrap_or((&EMPTY, &[]));
        let mut command = Command::new(program);
        command.args(told).current_dir(&self.dir);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let started = command.spawn();
        let mut child = started.map_err(|error| self.failed(&format!("cannot start ({error})")))?;
        let said = self.exchange(&mut child, message);
        if said.is_err() {
            // It may still be at work: what it says later is heard by nobody.
            let _ = child.kill();
        }
        let ended = self.ended(&mut child);
        if ended.is_err() {
            let _ = child.kill();
            let _ = child.wait();
        }
        let (said, ended) = (said?, ended?);
        match ended.success() {
            true => Ok(said),
            false => Err(self.failed(&format!("declined ({ended})"))),
        }
    }

    /// How it ended: one that has said all may still go on for ever.
    fn ended(&self, child: &mut Child) -> Result<ExitStatus, Error> {
        let (_nobody, pause) = mpsc::channel::<()>();
        let mut left = self.wait;
        loop {
            let ended = child.try_wait().map_err(|error| self.failed(&error.to_string()))?;
            match ended {
                Some(ended) => return Ok(ended),
                None if left.is_zero() => return Err(self.failed("took too long")),
                None => {}
            }
            let step = left.min(STEP);
            let _ = pause.recv_timeout(step);
            left = left.saturating_sub(step);
        }
    }

    fn exchange(&self, child: &mut Child, message: &[u8]) -> Result<String, Error> {
        let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(self.failed("cannot be talked to"));
        };
        let message = message.to_vec();
        let (told, heard) = mpsc::channel();
        thread::spawn(move || {
            // One that does not read says in its own way what is wrong.
            let _ = input.write_all(&message);
            drop(input);
            let mut said = String::new();
            let read = output.take(SAID_BYTES_MAX).read_to_string(&mut said);
            let _ = told.send(read.map(|_| said));
        });
        match heard.recv_timeout(self.wait) {
            Ok(Ok(said)) => Ok(said),
            Ok(Err(_)) => Err(self.failed("wrote what is no text")),
            Err(_) => Err(self.failed("took too long")),
        }
    }
}

impl Signer for CommandSigner {
    fn address(&self) -> Address {
        self.wallet
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, Error> {
        let said = self.run(message)?;
        Signature::parse(said.trim()).map_err(|_| self.failed("wrote no signature in base58"))
    }
}

static EMPTY: String = String::new();

/// A person at a device needs a moment; whoever waits does nothing else.
const WAIT: Duration = Duration::from_secs(30);

/// So often it is looked whether it has ended.
const STEP: Duration = Duration::from_millis(10);

const SAID_BYTES_MAX: u64 = 1_024;

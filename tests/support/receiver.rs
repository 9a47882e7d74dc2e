//! A receiver of webhooks on this machine, that answers as it is told.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use divvy::WebhookSecrets;
use divvy::core::Time;
use serde_json::Value;

/// A message as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// What is done about a message.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// This status, and these header lines.
    Status(u16, &'static str),
    /// Nothing, and the line is held open.
    Silence,
    /// The line is closed.
    HangUp,
}

/// A server that keeps what it got; it ends with the test's process.
pub(crate) struct Receiver {
    pub(crate) url: String,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> &str {
        let own = self.headers.iter().find(|(own, _)| own == name);
        own.map_or("", |(_, value)| value)
    }

    pub(crate) fn id(&self) -> &str {
        self.header("webhook-id")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }

    /// Whether whoever knows this secret believes the message.
    pub(crate) fn is_signed_by(&self, secret: &str, now: Time) -> bool {
        let headers: Vec<(&str, &str)> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let known = WebhookSecrets::new(&[secret]).unwrap();
        known.verify(&headers, self.body.as_bytes(), now).is_ok()
    }
}

impl Receiver {
    /// Answers the n-th message, from 0, as the script says.
    pub(crate) fn start(script: impl Fn(usize, &Got) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        let (got, script) = (Arc::new(Mutex::new(Vec::new())), Arc::new(script));
        let kept = Arc::clone(&got);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (got, script) = (Arc::clone(&kept), Arc::clone(&script));
                thread::spawn(move || serve(&stream.unwrap(), &got, &*script));
            }
        });
        Self { url, got }
    }

    /// Says yes to everything.
    pub(crate) fn willing() -> Self {
        Self::start(|_, _| Reply::Status(204, ""))
    }

    pub(crate) fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.got().iter().map(|got| got.id().to_owned()).collect()
    }
}

/// Reads messages off a line, until it is closed.
fn serve(
    stream: &TcpStream,
    kept: &Mutex<Vec<Got>>,
    script: &dyn Fn(usize, &Got) -> Reply,
) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let got = read(&mut reader)?;
        let place = {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            let place = kept.len();
            kept.push(got.clone());
            place
        };
        match script(place, &got) {
            Reply::Status(status, lines) => {
                let head = format!("HTTP/1.1 {status} So\r\ncontent-length: 0\r\n{lines}\r\n");
                (&*stream).write_all(head.as_bytes()).ok()?;
            }
            Reply::Silence => {
                let _ = reader.read(&mut [0]);
                return None;
            }
            Reply::HangUp => return None,
        }
    }
}

fn read(reader: &mut BufReader<&TcpStream>) -> Option<Got> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|len| *len > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|len| *len > 0)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Got { path, headers, body: String::from_utf8(body).unwrap() })
}

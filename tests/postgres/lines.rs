//! A line to a server that is cut at a chosen word.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Where a line is cut, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Before the server hears the word.
    Before(&'static str),
    /// After it, and before its answer.
    After(&'static str),
}

/// A proxy on loopback. Bytes go through until the cut that was asked for.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) url: String,
    cut: Arc<Mutex<Option<Cut>>>,
}

impl Line {
    /// A line to the server of an address.
    pub(crate) fn to(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (user, rest) = url.split_once('@').expect("a user");
        let (server, database) = rest.split_once('/').expect("a database");
        let line = Self { url: format!("{user}@127.0.0.1:{port}/{database}"), cut: Arc::default() };
        let (server, own) = (server.to_owned(), line.clone());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(&server).expect("the server");
                own.clone().carry(&client, &server);
            }
        });
        line
    }

    pub(crate) fn cut(&self, at: Cut) {
        *self.cut.lock().expect("nobody panicked") = Some(at);
    }

    /// Whether the cut was made.
    pub(crate) fn was_cut(&self) -> bool {
        self.cut.lock().expect("nobody panicked").is_none()
    }

    fn carry(self, client: &TcpStream, server: &TcpStream) {
        let both = || {
            let copy = |stream: &TcpStream| stream.try_clone().expect("a copy");
            (copy(client), copy(server))
        };
        let (from, to) = both();
        thread::spawn(move || self.carry_orders(from, to));
        let (mut to, mut from) = both();
        thread::spawn(move || {
            drop(std::io::copy(&mut from, &mut to));
            drop(to.shutdown(Shutdown::Both));
        });
    }

    fn carry_orders(self, mut from: TcpStream, mut to: TcpStream) {
        let mut bytes = [0; 65_536];
        loop {
            let read = match from.read(&mut bytes) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Ok(read) if read > 0 => &bytes[..read],
                Ok(_) | Err(_) => return drop(to.shutdown(Shutdown::Both)),
            };
            let mut cut = self.cut.lock().expect("nobody panicked");
            let says = |word: &str| read.windows(word.len()).any(|part| part == word.as_bytes());
            match *cut {
                Some(Cut::Before(word)) if says(word) => {
                    *cut = None;
                    drop(to.shutdown(Shutdown::Both));
                    return drop(from.shutdown(Shutdown::Both));
                }
                // Its answer goes nowhere: the client is gone before the server hears the word.
                Some(Cut::After(word)) if says(word) => {
                    *cut = None;
                    drop(from.shutdown(Shutdown::Both));
                    drop(to.write_all(read));
                    return drop(to.shutdown(Shutdown::Write));
                }
                _ => drop(to.write_all(read)),
            }
        }
    }
}

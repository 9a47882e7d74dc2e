//! The threads of a host: one that writes, and some that read.

use std::sync::mpsc::Receiver;
use std::sync::{Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use divvy_core::{Code, Error};
use rusqlite::Connection;

use crate::sqlite::writer::Ask;

/// A thread by this name.
pub(super) fn thread(
    name: &str,
    run: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, Error> {
    Builder::new().name(name.to_owned()).spawn(run).map_err(|error| {
        Error::new(Code::StoreUnusable, format!("the system gives no thread: {error}"))
    })
}

/// Answers questions until nobody can ask any more.
pub(super) fn read_until_closed(connection: &Connection, queue: &Mutex<Receiver<Ask>>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(ask) = next else { return };
        ask(connection);
    }
}

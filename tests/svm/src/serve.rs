//! A world over HTTP on this machine: each node on a port of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use divvy_solana::Keypair;

use crate::world::World;

/// Serves a world at two addresses, and says which they are.
///
/// # Errors
/// When nobody may listen there.
pub fn serve(world: &Arc<Mutex<World>>, at: [SocketAddr; 2]) -> std::io::Result<[SocketAddr; 2]> {
    let mut addresses = at;
    for (node, address) in addresses.iter_mut().enumerate() {
        let listener = TcpListener::bind(*address)?;
        *address = listener.local_addr()?;
        let world = world.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let world = world.clone();
                thread::spawn(move || talk(&world, node, &stream));
            }
        });
    }
    Ok(addresses)
}

/// One connection: a request after the other, until one is not answered.
fn talk(world: &Mutex<World>, node: usize, stream: &TcpStream) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut reader = BufReader::new(stream);
    loop {
        let body = request(&mut reader)?;
        let (reply, pause) = {
            let mut world = world.lock().unwrap();
            world.go_on();
            (world.serve(node, &body), world.faults.pause())
        };
        thread::sleep(pause);
        let (status, body) = reply?;
        let mut stream = stream;
        stream.write_all(&written(status, &body)).ok()?;
    }
}

/// The body of the next request.
fn request(reader: &mut BufReader<&TcpStream>) -> Option<Vec<u8>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim().to_ascii_lowercase();
        if let Some(said) = line.strip_prefix("content-length:") {
            length = said.trim().parse().ok().filter(|length| *length < BODY_BYTES_MAX)?;
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}

fn written(status: u16, body: &[u8]) -> Vec<u8> {
    let rest = if status == 429 { "retry-after: 1\r\n" } else { "" };
    let (kind, length) = ("content-type: application/json", body.len());
    let head =
        format!("HTTP/1.1 {status} said\r\n{kind}\r\n{rest}content-length: {length}\r\n\r\n");
    [head.into_bytes(), body.to_vec()].concat()
}

/// A key as Solana's tools write it: the seed, and the public key.
pub fn key_file(seed: &[u8; 32]) -> String {
    let public = *Keypair::from_seed(seed).address().bytes();
    format!("{:?}", [seed.as_slice(), &public].concat())
}

const BODY_BYTES_MAX: usize = 1_000_000;

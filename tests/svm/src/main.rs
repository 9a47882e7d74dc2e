//! A chain on this machine, for trying out: `divvy-svm-facade FOLDER [--seed N] [--often N]`.
//!
//! It makes `FOLDER/till.json` if it is not there, gives that wallet lamports and USDC, gives every
//! other payee of `FOLDER/holders.csv` a token account, and serves two nodes at the addresses that
//! Solana's own test validator uses, until its input ends.

use std::fs::{self, OpenOptions};
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use divvy_solana::{Address, Keypair};
use divvy_svm::faults::Faults;
use divvy_svm::serve::{key_file, serve};
use divvy_svm::world::World;

type Told = Result<(), Box<dyn std::error::Error>>;

fn main() -> Told {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("which folder?")?);
    let (mut seed, mut often, mut port) = (1, 0, PORT);
    while let Some(name) = arguments.next() {
        let number = arguments.next().ok_or("a number is missing")?.parse()?;
        match name.as_str() {
            "--seed" => seed = number,
            "--often" => often = number,
            "--port" => port = u16::try_from(number)?,
            _ => return Err(format!("{name} is none of --seed, --often and --port").into()),
        }
    }
    let till = till(&folder.join("till.json"))?;
    let faults = if often == 0 { Faults::none() } else { Faults::of(seed, often) };
    let mut world = World::new(seed, Address::parse(USDC)?, SLOT, faults);
    world.chain.machine.give(&till, LAMPORTS);
    world.give(&till, TOKENS);
    for wallet in wallets(&folder.join("holders.csv"))?.iter().step_by(2) {
        world.give(wallet, 0);
    }
    let world = Arc::new(Mutex::new(world));
    let at = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
    let ports = if port == 0 { [0, 0] } else { [port, port + 1] };
    let [one, two] = serve(&world, ports.map(at))?;
    println!("{till} has 10 SOL and 1,000,000 USDC at http://{one} and http://{two}");
    std::io::stdout().flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    let world = world.lock().map_err(|_| "it broke")?;
    println!("{} requests, {} transactions landed", world.asked, world.chain.landed().len());
    Ok(())
}

/// The wallet of a key file, which is made if it is not there.
fn till(file: &Path) -> Result<Address, Box<dyn std::error::Error>> {
    if !file.exists() {
        let mut seed = [0; 32];
        fs::File::open("/dev/urandom")?.read_exact(&mut seed)?;
        let mut options = OpenOptions::new();
        let mut made = options.write(true).create_new(true).mode(0o600).open(file)?;
        made.write_all(key_file(&seed).as_bytes())?;
    }
    Ok(Keypair::from_file(&fs::read(file)?)?.address())
}

/// The addresses in the last column of a table.
fn wallets(file: &Path) -> Result<Vec<Address>, Box<dyn std::error::Error>> {
    let text = fs::read_to_string(file)?;
    let last = text.lines().skip(1).filter_map(|line| line.rsplit(',').next());
    Ok(last.map(Address::parse).collect::<Result<_, _>>()?)
}

/// The token that Circle gives out on the chain for tests.
const USDC: &str = "4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU";
const LAMPORTS: u64 = 10_000_000_000;
const TOKENS: u64 = 1_000_000_000_000;
const SLOT: Duration = Duration::from_millis(20);
const PORT: u16 = 8_899;

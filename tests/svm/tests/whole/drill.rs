//! One drill: chaos, rest, and then the accounts.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::sleep;
use std::time::{Duration, Instant};

use divvy_solana::{Address, Keypair};
use divvy_svm::dice::Dice;
use divvy_svm::faults::Faults;
use divvy_svm::node::GENESIS;
use divvy_svm::serve::{key_file, serve};
use divvy_svm::world::World;
use serde_json::Value;

use crate::crew::{Hand, done, ended};

/// A folder that is gone when the test is over.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("divvy-svm-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        fs::write(self.0.join(file), text).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) struct Drill {
    folder: Folder,
    world: Arc<Mutex<World>>,
    dice: Dice,
    workers: Vec<Hand>,
    /// Who is paid, and what they earned.
    payees: Vec<(String, Address, u64)>,
    started: Instant,
}

impl Drill {
    pub(crate) fn start(seed: u64, count: u64) -> Self {
        println!("again with: DIVVY_SEED={seed} DIVVY_PAYEES={count} make svm");
        let (folder, mut dice) = (Folder::new("drill"), Dice::new(seed));
        let faults = Faults::of(seed, 20 + dice.below(40));
        let mut world = World::new(seed, wallet(200, 0), SLOT, faults);
        let till = Keypair::from_seed(&TILL);
        world.chain.machine.give(&till.address(), 100 * 1_000_000_000);
        world.give(&till.address(), 1_000_000 * ONE);
        let mut payees = Vec::new();
        for number in 0..count {
            let (to, units) = (wallet(1, number), 1 + dice.below(5));
            payees.push((format!("fan-{number:05}"), to, units));
            if !dice.one_in(10) {
                world.give(&to, 0);
            }
        }
        let supply: u64 = payees.iter().map(|(_, _, units)| units).sum();
        // Each unit earns so many smallest units, so that nothing is rounded.
        payees.iter_mut().for_each(|(_, _, earned)| *earned *= A_UNIT_EARNS);
        let world = Arc::new(Mutex::new(world));
        let addresses = serve(&world, [SocketAddr::from(([127, 0, 0, 1], 0)); 2]).unwrap();
        folder.write("till.json", &key_file(&TILL));
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(folder.0.join("till.json"), private).unwrap();
        folder.write("divvy.toml", &settings(addresses, supply, dice.one_in(2)));
        folder.write("holders.csv", &holders(&payees));
        let total = supply * A_UNIT_EARNS;
        let amount = format!("{}.{:06}", total / ONE, total % ONE);
        let payment = format!("id,paid_at,amount,payer\np1,2026-11-01T10:00:00Z,{amount},x\n");
        folder.write("payments.csv", &payment);
        done(&["import", "payments", "payments.csv", "--dir", "."], &folder.0);
        let workers = (0..WORKERS).map(|number| Hand::start(&folder.0, number)).collect();
        Self { folder, world, dice, workers, payees, started: Instant::now() }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// Kills workers, each when some transactions have landed since the last.
    pub(crate) fn kill(&mut self, kills: u64) {
        let begun = Instant::now();
        for kill in 0..kills {
            if begun.elapsed() > KILLING_MAX {
                break;
            }
            let (start, landed) = (Instant::now(), self.landed());
            while self.landed() < landed + 3 && start.elapsed() < IDLE_MAX {
                self.tend();
            }
            sleep(Duration::from_millis(self.dice.below(400)));
            let victim = self.dice.below(WORKERS) as usize;
            self.workers[victim].kill();
            println!("kill {kill} after {landed} had landed: worker {victim}");
        }
    }

    fn landed(&self) -> usize {
        self.world().chain.landed().len()
    }

    fn tend(&mut self) {
        self.workers.iter_mut().for_each(Hand::tend);
        sleep(STEP);
    }

    /// Nobody is killed any more, and the nodes are well: waits until all is paid.
    pub(crate) fn come_to_rest(&mut self) {
        let healed = self.landed();
        self.world().faults.heal();
        let (start, mut status) = (Instant::now(), Value::Null);
        while start.elapsed() < REST_MAX {
            (0..50).for_each(|_| self.tend());
            status = ended(&["status", "."], &self.folder.0).1;
            let none = |field: &str| status[field] == "0.000000";
            let open = status["batches"].as_object().is_none_or(|states| {
                states.keys().any(|state| !["settled", "cancelled"].contains(&state.as_str()))
            });
            if none("undeclared") && none("reserved") && status["due"] == 0 && !open {
                println!(
                    "at rest {:?} after {healed} had landed in bad weather: {status}",
                    start.elapsed()
                );
                return;
            }
        }
        let said: Vec<_> = self.workers.iter().map(Hand::said).collect();
        panic!("not at rest: {status}\n{}", said.join("\n"));
    }

    pub(crate) fn check(mut self) {
        self.workers.iter_mut().for_each(Hand::stop);
        let folder = &self.folder.0;
        done(&["verify", "."], folder);
        done(&["export", ".", "--format", "csv"], folder);
        let ours = paid(&fs::read_to_string(folder.join("balances.csv")).unwrap());
        let adopted = done(&["adopt", ".", "--dry-run"], folder);
        println!("beyond our facts: {adopted}");
        let world = self.world.lock().unwrap();
        let mut moved = 0;
        for (name, to, earned) in &self.payees {
            assert_eq!(world.held(to), Some(*earned), "{name} on the chain");
            assert_eq!(ours.get(name), Some(earned), "{name} in our books");
            moved += earned;
        }
        let till = Keypair::from_seed(&TILL).address();
        assert_eq!(world.held(&till), Some(1_000_000 * ONE - moved), "nobody else got anything");
        assert_eq!(ours.values().sum::<u64>(), moved);
        let failed = world.chain.landed().iter().filter(|one| one.ran.err.is_some()).count();
        println!(
            "{} payees in {:?}: {} requests, {} transactions landed ({failed} failed), {} were \
             lost; deaf, lost replies, broken, busy, odd ways: {:?}",
            self.payees.len(),
            self.started.elapsed(),
            world.asked,
            world.chain.landed().len(),
            world.chain.lost,
            world.faults.counted,
        );
    }
}

/// What each payee was paid, as a table says it.
fn paid(table: &str) -> BTreeMap<String, u64> {
    let row = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        (fields[0].to_owned(), fields[4].replace('.', "").parse().unwrap())
    };
    table.lines().skip(1).map(row).collect()
}

fn holders(payees: &[(String, Address, u64)]) -> String {
    let row = |(name, to, earned): &(String, Address, u64)| {
        format!("{name},{},{to}\n", earned / A_UNIT_EARNS)
    };
    let rows: String = payees.iter().map(row).collect();
    format!("holder,units,destination\n{rows}")
}

fn settings(nodes: [SocketAddr; 2], supply: u64, v1: bool) -> String {
    let [one, two] = nodes;
    format!(
        "book = \"shop\"\nasset = \"USDC@6\"\ntick_secs = 1\n\
         rule = [{{ pool = \"fans\", share = \"100%\" }}]\n\
         [pool]\nname = \"fans\"\nsupply = \"{supply}\"\nholders = \"holders.csv\"\n\
         [rail]\nkind = \"solana\"\ndeadline_secs = 20\n\
         [rail.solana]\nkey = \"till.json\"\nmint = \"{}\"\ngenesis = \"{GENESIS}\"\n\
         makes_accounts = true\nv1 = {v1}\n\
         providers = [{{ name = \"one\", url = \"http://{one}\" }}, \
                      {{ name = \"two\", url = \"http://{two}\" }}]\n\
         [worker]\nin_flight = 4\nfirst_wait_secs = 1\nroster_secs = 4\n",
        wallet(200, 0)
    )
}

/// The wallet of a number in a room.
fn wallet(room: u8, number: u64) -> Address {
    let mut seed = [room; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    Keypair::from_seed(&seed).address()
}

/// A number that the environment gives.
pub(crate) fn told(name: &str, usual: u64) -> u64 {
    let told = std::env::var(name).ok();
    told.map_or(usual, |told| told.parse().expect("a number"))
}

const WORKERS: u64 = 3;
const TILL: [u8; 32] = [7; 32];
const ONE: u64 = 1_000_000;
const A_UNIT_EARNS: u64 = 250_000;
const SLOT: Duration = Duration::from_millis(40);

/// Somebody is killed when something has landed, or when nothing did for so long.
const IDLE_MAX: Duration = Duration::from_secs(4);
const KILLING_MAX: Duration = Duration::from_secs(60);
const STEP: Duration = Duration::from_millis(20);
const REST_MAX: Duration = Duration::from_secs(150);

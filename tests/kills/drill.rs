//! One drill: chaos, rest, and then the accounts.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::accounts::Accounts;
use crate::chance::Chance;
use crate::crew::Hand;
use crate::rail::Rail;
use crate::shell::{Folder, divvy, done, ended};
use crate::store::Store;

/// A shop in which everything is killed.
struct Drill {
    store: Store,
    folder: Folder,
    chance: Chance,
    accounts: Accounts,
    rail: Rail,
    workers: Vec<Hand>,
    /// Takes payments in, file by file.
    clerk: Hand,
    files: u64,
    /// As many facts there were when somebody was killed last.
    facts: i64,
}

pub(crate) fn drill(store: Store, name: &str) {
    let (seed, kills) = (told("DIVVY_SEED", 1), told("DIVVY_KILLS", 10));
    println!(
        "{kills} kills on {store}; again with: DIVVY_SEED={seed} DIVVY_KILLS={kills} cargo test \
         --test kills {name}"
    );
    let mut drill = Drill::start(store, seed);
    for kill in 0..kills {
        let (pause, facts) = (drill.chance.below(PAUSE_MAX_MS), drill.wait_for_new_facts(kill));
        drill.go_on(Duration::from_millis(pause), kill);
        let victim = drill.kill_one();
        println!("kill {kill}, {pause} ms after there were {facts} facts: {victim}");
    }
    drill.come_to_rest();
    drill.check();
}

impl Drill {
    fn start(store: Store, seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let folder = Folder::new("kills");
        let mut accounts = Accounts::new(&mut chance);
        let window = chance.pick(&["until", "unlimited", "until_height"]);
        let rail = Rail::start(folder.path().join("rail.db"), window, seed);
        folder.write("holders.csv", accounts.holders());
        folder.write("divvy.toml", settings(&store, &rail, accounts.supply()));
        folder.write("payments-0.csv", accounts.more_payments(&mut chance));
        println!("window {window}, {} units", accounts.supply());
        let clerk = take(&folder, 0);
        let dir = folder.path().to_str().expect("a path").to_owned();
        let work = |n: usize| {
            Hand::start(&folder, &format!("worker-{n}"), vec!["work".to_owned(), dir.clone()])
        };
        let workers = (0..WORKERS).map(work).collect();
        Self { store, folder, chance, accounts, rail, workers, clerk, files: 0, facts: 0 }
    }

    /// Lets everyone go on until there are some new facts, so that a kill meets people at work.
    fn wait_for_new_facts(&mut self, kills: u64) -> i64 {
        let start = Instant::now();
        loop {
            self.go_on(STEP, kills);
            let facts = self.store.facts(&self.folder).unwrap_or(self.facts);
            if facts >= self.facts + FACTS || start.elapsed() > IDLE_MAX {
                self.facts = facts;
                return facts;
            }
        }
    }

    /// Lets everyone go on, and starts again who has ended.
    fn go_on(&mut self, time: Duration, kills: u64) {
        let end = Instant::now() + time;
        loop {
            self.tend();
            // Payments keep pace with the kills, so that more of these do not make it slower.
            if self.clerk.is_done() && self.files < 3 * (kills + 1) {
                self.next_file();
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            wait(left.min(STEP));
        }
    }

    fn tend(&mut self) {
        self.rail.tend();
        for worker in &mut self.workers {
            assert!(!worker.is_done(), "it works until it is told to stop: {}", worker.said());
        }
    }

    fn next_file(&mut self) {
        self.files += 1;
        let file = format!("payments-{}.csv", self.files);
        let payments = self.accounts.more_payments(&mut self.chance);
        self.folder.write(&file, payments);
        self.clerk = take(&self.folder, self.files);
    }

    fn kill_one(&mut self) -> String {
        let on_server = matches!(self.store, Store::Server(..));
        match self.chance.below(if on_server { 12 } else { 8 }) {
            victim @ 0..4 => {
                let victim = victim as usize % WORKERS;
                self.workers[victim].kill();
                format!("worker {victim}")
            }
            4 | 5 => {
                self.clerk.kill();
                "who takes payments in".to_owned()
            }
            6 | 7 => {
                self.rail.kill();
                "the rail".to_owned()
            }
            8 | 9 => {
                self.store.kill_first();
                "the server".to_owned()
            }
            _ => format!("one of the server's: {}", self.store.kill_one(&mut self.chance)),
        }
    }

    /// The rail is well, and nobody is killed any more: waits until all is paid that was earned.
    fn come_to_rest(&mut self) {
        self.rail.heal();
        let (start, total) = (Instant::now(), self.accounts.total());
        while !self.clerk.is_done() {
            wait(STEP);
        }
        let mut status = Value::Null;
        while start.elapsed() < REST_MAX {
            self.tend();
            let looked = ended(&divvy(&["status", self.dir()]).output().expect("a process"));
            status = looked.value;
            let none = |field: &str| status[field] == "0.00";
            let open = status["batches"].as_object().is_none_or(|states| {
                states.keys().any(|state| !["settled", "cancelled"].contains(&state.as_str()))
            });
            if status["recorded"] == *total
                && none("undeclared")
                && none("reserved")
                && status["due"] == 0
                && !open
            {
                println!("at rest after {:?}: {status}", start.elapsed());
                return;
            }
            wait(STEP);
        }
        let said: Vec<_> = self.workers.iter().map(Hand::said).collect();
        unreachable!("not at rest, {total} in all: {status}\n{}", said.join("\n"));
    }

    fn check(mut self) {
        for worker in &mut self.workers {
            worker.stop();
        }
        done(&["verify", self.dir()]);
        done(&["project", self.dir()]);
        let earned = self.accounts.earned();
        let ours = |what: &str| -> BTreeMap<String, i64> {
            let rows = self.store.balances(&self.folder, what).into_iter();
            rows.filter(|(_, amount)| *amount != 0).collect()
        };
        assert_eq!(ours("earned"), earned, "everyone earned their part");
        assert_eq!(ours("paid"), earned, "everyone is paid what they earned");
        assert_eq!(ours("payable + reserved + owed_back"), BTreeMap::new());
        assert_eq!(self.rail.moved(), earned, "the rail has moved that and no more");

        // Days later, what was returned has come back and is told, and the accounts agree again.
        let run = done(&["run", self.dir()]);
        println!("{run}");
        let statement = &run["statement"];
        for field in ["ours_only", "theirs_only", "different", "undecided"] {
            assert_eq!(statement[field], 0, "{field} of {statement}");
        }
        assert_eq!(
            (&run["reserved"], &run["recorded"]),
            (&"0.00".into(), &self.accounts.total().into())
        );
        done(&["project", self.dir()]);
        let held: i64 = self.store.balances(&self.folder, "payable").iter().map(|(_, n)| n).sum();
        let kept: i64 = self.rail.moved().values().sum();
        assert_eq!(kept + held, earned.values().sum::<i64>(), "what came back is payable again");
    }

    fn dir(&self) -> &str {
        self.folder.path().to_str().expect("a path")
    }
}

/// Takes in one file of payments.
fn take(folder: &Folder, file: u64) -> Hand {
    let file = folder.path().join(format!("payments-{file}.csv"));
    let text = |path: &std::path::Path| path.to_str().expect("a path").to_owned();
    let (import, payments) = ("import".to_owned(), "payments".to_owned());
    let arguments = vec![import, payments, text(&file), "--dir".to_owned(), text(folder.path())];
    Hand::start(folder, "clerk", arguments)
}

fn settings(store: &Store, rail: &Rail, supply: u64) -> String {
    let (database, address, window) = (store.address(), &rail.address, rail.window);
    format!(
        "book = \"shop\"\nasset = \"USD\"\nnamed_on_rail = true\ntick_secs = 1\n\
         database = \"{database}\"\n\
         rule = [{{ payee = \"platform\", share = \"10%\" }}, \
                 {{ pool = \"fans\", share = \"remaining\" }}]\n\
         [pool]\nname = \"fans\"\nsupply = \"{supply}\"\nholders = \"holders.csv\"\n\
         [rail]\nurl = \"http://{address}\"\nwindow = \"{window}\"\nlines_max = 25\n\
         deadline_secs = 3\ngrace_secs = 2\nlag_secs = 1\nwatch_secs = 172800\n\
         [worker]\nin_flight = 4\nfirst_wait_secs = 1\nroster_secs = 4\n"
    )
}

/// A number that the environment gives.
fn told(name: &str, usual: u64) -> u64 {
    let told = std::env::var(name).ok();
    told.map_or(usual, |told| told.parse().expect("a number"))
}

pub(crate) fn wait(time: Duration) {
    thread::sleep(time);
}

const WORKERS: usize = 3;

/// Somebody is killed once so many facts are new, or nobody got going for so long, and at most so
/// much later.
const FACTS: i64 = 12;
const IDLE_MAX: Duration = Duration::from_secs(3);
const PAUSE_MAX_MS: u64 = 300;
const STEP: Duration = Duration::from_millis(20);

/// Everything is at rest long before, or never.
const REST_MAX: Duration = Duration::from_secs(90);

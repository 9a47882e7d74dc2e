//! A batch driven over a rail through whatever a cluster does, as a worker drives it.

use divvy_core::{
    Amount, Batch, Body, Error, Fact, Hash, Head, Heard, Job, Line, Name, Next, Pack, Planned,
    Rail, Seen, Sender, Signed, State, Stream, Time, Turn,
};
use divvy_solana::{Address, Coin, Genesis, Keypair, Provider, SolanaRail, SolanaSettings, token};

use crate::bank::{Bank, TILL};
use crate::cluster::{Cluster, Fault};

pub(crate) fn wallet(n: u8) -> Address {
    Keypair::from_seed(&[n; 32]).address()
}

pub(crate) fn mint() -> Address {
    wallet(200)
}

pub(crate) fn settings(providers: usize) -> SolanaSettings {
    let coin = Coin::Token { program: token::PROGRAM, mint: mint(), decimals: 6 };
    let provider = |n| Provider::new(&format!("p{n}"), &format!("http://node-{n}"), None).unwrap();
    let providers = (0..providers).map(provider).collect();
    SolanaSettings::new(Name::new("solana").unwrap(), coin, Genesis::MAINNET, providers)
}

pub(crate) fn rail(settings: SolanaSettings) -> SolanaRail {
    SolanaRail::new(settings, Keypair::from_seed(&[TILL; 32])).unwrap()
}

pub(crate) fn line(n: u8, amount: u64) -> Line {
    let (payee, amount) = (Name::new(&format!("p{n}")).unwrap(), Amount::new(amount).unwrap());
    Line { payee, amount, to: wallet(n).to_string(), to_n: None, fee: None }
}

/// A chain with a till that can pay, and payees of whom every other has an account.
pub(crate) fn cluster(seed: u64) -> Cluster {
    let mut bank = Bank::new(mint());
    bank.lamports.insert(wallet(TILL), 1_000_000_000);
    bank.give(&wallet(TILL), 1_000_000);
    (10..30).step_by(2).for_each(|n| bank.give(&wallet(n), 0));
    Cluster::new(seed, bank)
}

/// A batch and the world that it is driven in.
pub(crate) struct Drive<'a> {
    pub(crate) cluster: Cluster,
    pub(crate) rail: &'a dyn Rail,
    pub(crate) batch: Batch,
    pub(crate) now: Time,
    tip: Option<u64>,
    /// How often something goes wrong: once in so many requests; never at 0.
    pub(crate) faults: u64,
    /// As long as something goes wrong, what is sent lands late or never.
    pub(crate) drops: bool,
    pub(crate) bills: Vec<u64>,
}

impl<'a> Drive<'a> {
    pub(crate) fn new(cluster: Cluster, rail: &'a dyn Rail, lines: Vec<Line>) -> Self {
        let (name, wallet) = (rail.name().clone(), rail.wallet().clone());
        let planned = Body::Planned(Planned { rail: name, wallet, lines });
        let head = Head::start(Stream::batch(&Name::new("shop").unwrap(), 3, 0));
        let now = Time::from_millis(1_790_000_000_000);
        let batch = Batch::fold(&[Fact::new(&head, now, &planned)]).unwrap();
        Self { cluster, rail, batch, now, tip: None, faults: 0, drops: false, bills: Vec::new() }
    }

    pub(crate) fn pass(&mut self, secs: u64) {
        self.now = self.now.plus_secs(secs);
        self.cluster.pass(secs * 5);
    }

    fn fault(&mut self) -> Fault {
        let dice = &mut self.cluster.dice;
        if self.faults == 0 || !dice.one_in(self.faults) {
            return Fault::None;
        }
        match dice.below(7) {
            0 => Fault::Deaf,
            1 => Fault::LostReply,
            2 => Fault::Dropped,
            3 => Fault::Late(dice.below(260)),
            4 => Fault::Forked,
            5 => Fault::Busy,
            _ => Fault::Broken,
        }
    }

    fn send_fault(&mut self) -> Fault {
        let dice = &mut self.cluster.dice;
        match self.faults > 0 && self.drops {
            true if dice.one_in(3) => Fault::Late(100 + dice.below(200)),
            true => Fault::Dropped,
            false => self.fault(),
        }
    }

    pub(crate) fn talk<T>(
        &mut self,
        mut turn: impl FnMut(&[Heard]) -> Result<Turn<T>, Error>,
    ) -> Result<T, Error> {
        let mut heard = Vec::new();
        for _ in 0..16 {
            match turn(&heard)? {
                Turn::Done(done) => return Ok(done),
                Turn::Ask(requests) => {
                    assert!(!requests.is_empty(), "asks nothing");
                    for request in requests {
                        let fault = self.fault();
                        let reply = self.cluster.serve(&request, fault);
                        heard.push(Heard { request, reply });
                    }
                }
            }
        }
        panic!("asks without end")
    }

    pub(crate) fn pack(&mut self, lines: &[Line]) -> Result<Vec<Pack>, Error> {
        let (rail, now) = (self.rail, self.now);
        self.talk(|heard| rail.pack(lines, heard, now))
    }

    pub(crate) fn job(&self) -> Job {
        Job {
            batch: self.batch.stream().clone(),
            lines: self.batch.lines().to_vec(),
            tries: self.batch.signed(),
            claimed: vec![],
            sender: Sender { process: "one".into(), try_id: Hash::of(b"x") },
        }
    }

    pub(crate) fn sign(&mut self) -> Result<Signed, Error> {
        let (rail, now, job) = (self.rail, self.now, self.job());
        let signed = self.talk(|heard| rail.sign(&job, heard, now))?;
        self.write(&Body::Signed(signed.clone()));
        Ok(signed)
    }

    pub(crate) fn look(&mut self) -> Result<Seen, Error> {
        let (rail, now, tries) = (self.rail, self.now, self.batch.signed());
        self.talk(|heard| rail.look(&tries, heard, now))
    }

    pub(crate) fn submit(&mut self, signed: &Signed, fault: Fault) -> Option<Seen> {
        let request = self.rail.submit(signed, self.now);
        let reply = self.cluster.serve(&request, fault);
        match self.rail.look(&self.batch.signed(), &[Heard { request, reply }], self.now) {
            Ok(Turn::Done(seen)) => Some(seen),
            Ok(Turn::Ask(_)) | Err(_) => None,
        }
    }

    fn write(&mut self, body: &Body) {
        let fact = Fact::new(self.batch.head(), self.now, body);
        self.batch.apply(&fact).unwrap();
    }

    pub(crate) fn learn(&mut self, seen: &Seen) {
        self.tip = seen.tip.or(self.tip);
        for body in self.batch.learn(seen, self.now, self.rail.timing()).unwrap() {
            if let Body::Charged(charged) = &body {
                self.bills.push(charged.amount.get());
            }
            self.write(&body);
        }
    }

    /// One turn of a worker.
    pub(crate) fn step(&mut self) {
        let seen = match self.batch.next(self.now, self.tip, self.rail.timing()) {
            Next::Sign => {
                let Ok(signed) = self.sign() else { return };
                let fault = self.send_fault();
                self.submit(&signed, fault)
            }
            Next::Submit { try_n } => {
                let (fault, signed) = (self.send_fault(), self.batch.signed()[try_n].clone());
                self.submit(&signed, fault).or_else(|| self.look().ok())
            }
            Next::Look => {
                let seen = self.look().ok();
                if let Some(try_n) = seen.as_ref().and_then(|s| self.batch.lost(s, self.now)) {
                    let (fault, signed) = (self.send_fault(), self.batch.signed()[try_n].clone());
                    self.submit(&signed, fault);
                }
                seen
            }
            _ => None,
        };
        if let Some(seen) = seen {
            self.learn(&seen);
        }
    }

    /// Drives until nothing is left to do, through faults first, and then in a world that heals.
    pub(crate) fn finish(&mut self) -> State {
        for round in 0..600 {
            if round == 150 {
                self.faults = 0;
                self.cluster.nodes.iter_mut().for_each(|node| {
                    (node.lag, node.keeps_from, node.stale) = (0, 0, 0);
                });
            }
            self.step();
            let outage = self.faults > 0 && self.cluster.dice.one_in(12);
            self.pass(if outage { 100 } else { 2 });
            if !matches!(
                self.batch.state(),
                State::Signed | State::Sent | State::Planned | State::Void
            ) {
                break;
            }
        }
        // What is still under way lands now, or never.
        self.pass(200);
        self.batch.state()
    }
}

//! One batch driven over the sandbox under every fault: a careful client pays once.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that panics is a red test, which is what it is for"
)]

use divvy::core::{
    Amount, Batch, Body, Fact, Hash, Head, Heard, Job, Line, Name, Next, Planned, Rail as _,
    Request, Seen, Sender, Signed, State, Stream, Time, Timing, Turn, Window,
};
use divvy::sandbox::{Fault, Faults, RailSettings, Sandbox, Terms, WindowKind, World};

const TOTAL: u64 = 100;
const LAG_SECS: u64 = 60;

/// A batch, the rail that pays it, and a world in which much goes wrong.
struct Client {
    rail: Sandbox,
    world: World,
    faults: Faults,
    sent: u64,
    batch: Batch,
    now: Time,
    tip: Option<u64>,
    /// The most that ever had left the wallet.
    moved_max: u64,
}

impl Client {
    fn new(seed: u64, window: WindowKind, grace_secs: u64) -> Self {
        let name = |text: &str| Name::new(text).unwrap();
        let settings = RailSettings::at("http://127.0.0.1:1", name("till")).unwrap();
        let timing = Timing { grace_secs, ..settings.timing };
        let rail = Sandbox::new(RailSettings { window, timing, ..settings }).unwrap();
        let amount = Amount::new(TOTAL).unwrap();
        let line = Line { payee: name("ann"), amount, to: "ann".to_owned(), to_n: None, fee: None };
        let planned = Planned { rail: name("sandbox"), wallet: name("till"), lines: vec![line] };
        let head = Head::start(Stream::batch(&name("book"), 0, 0));
        let planned = Fact::new(&head, Time::ZERO, &Body::Planned(planned));
        let terms =
            Terms { window, finality_secs: seed % 3 * 60, lag_secs: LAG_SECS, funds: None, fee: 0 };
        Self {
            rail,
            world: World::new(terms),
            faults: Faults::parse(seed, FAULTS).unwrap(),
            sent: 0,
            batch: Batch::fold(&[planned]).unwrap(),
            now: Time::ZERO,
            tip: None,
            moved_max: 0,
        }
    }

    fn send(&mut self, request: Request) -> Heard {
        self.sent += 1;
        let fault = self.faults.pick(0, self.sent, LAG_SECS);
        let reply = self.world.serve(&request, fault).reply;
        self.moved_max = self.moved_max.max(self.world.moved());
        Heard { request, reply }
    }

    fn write(&mut self, body: &Body) {
        let fact = Fact::new(self.batch.head(), self.now, body);
        self.batch.apply(&fact).unwrap();
    }

    fn sign(&mut self) {
        let job = Job {
            batch: self.batch.stream().clone(),
            lines: self.batch.lines().to_vec(),
            tries: self.batch.signed(),
            claimed: vec![],
            sender: Sender { process: "p".to_owned(), try_id: Hash::of(b"p") },
        };
        let mut heard = Vec::new();
        loop {
            match self.rail.sign(&job, &heard, self.now) {
                Ok(Turn::Done(signed)) => {
                    self.write(&Body::Signed(signed.clone()));
                    return self.submit(&signed);
                }
                Ok(Turn::Ask(asked)) => {
                    heard.extend(asked.into_iter().map(|asked| self.send(asked)));
                }
                // The rail could not be asked: at the next tick again.
                Err(_) => return,
            }
        }
    }

    fn submit(&mut self, signed: &Signed) {
        let request = self.rail.submit(signed, self.now);
        let heard = self.send(request);
        self.look(vec![heard]);
    }

    fn look(&mut self, mut heard: Vec<Heard>) {
        loop {
            match self.rail.look(&self.batch.signed(), &heard, self.now).unwrap() {
                Turn::Done(seen) => return self.learn(&seen),
                Turn::Ask(asked) => {
                    heard.extend(asked.into_iter().map(|asked| self.send(asked)));
                }
            }
        }
    }

    fn learn(&mut self, seen: &Seen) {
        self.tip = seen.tip.or(self.tip);
        for body in self.batch.learn(seen, self.now, self.rail.timing()).unwrap() {
            self.write(&body);
        }
    }

    /// What the network took and may have forgotten is sent again, where it may be for ever.
    fn send_again(&mut self) {
        let again = self.batch.tries().last().map(|try_| try_.signed.clone());
        if let Some(signed) = again.filter(|signed| signed.window == Window::Unlimited)
            && self.batch.state() == State::Sent
        {
            self.submit(&signed);
        }
    }

    /// Does what is next; whether there is anything left to do.
    fn step(&mut self) -> bool {
        match self.batch.next(self.now, self.tip, self.rail.timing()) {
            Next::Sign => self.sign(),
            Next::Submit { try_n } => {
                let signed = self.batch.tries()[try_n].signed.clone();
                self.submit(&signed);
            }
            Next::Look | Next::Review => {
                self.look(vec![]);
                self.send_again();
            }
            Next::Watch { from } if self.now >= from => {
                self.look(vec![]);
                return self.batch.state() != State::Settled;
            }
            Next::Watch { .. } => {}
            Next::Done | _ => return false,
        }
        true
    }

    /// Half an hour of trouble, then the world heals; looked after until nothing is left to do.
    fn run(&mut self) {
        for minute in 0..5_000 {
            self.now = Time::ZERO.plus_secs(minute * 60);
            if minute == 30 {
                self.faults = Faults::default();
            }
            if !self.step() {
                break;
            }
        }
        // What is still on its way lands.
        let clock = Request {
            method: "POST",
            url: "http://127.0.0.1:1/clock".to_owned(),
            headers: vec![("sandbox-now", self.now.plus_secs(100_000).millis().to_string())],
            body: vec![],
            deadline: Time::MAX,
        };
        self.world.serve(&clock, Fault::None);
        self.moved_max = self.moved_max.max(self.world.moved());
    }
}

const FAULTS: &str = "late=150,lost=100,dropped=80,duplicated=100,out_of_order=80,refused=100,\
                      server_error=80,reorganised=80,slow=80";

const SEEDS: u64 = 100;

/// Goal: money moves at most once, and exactly once when the world heals; where nobody remembers
/// anything, once or never, and a person is asked unless the reply was heard.
#[test]
fn a_careful_client_pays_once_whatever_goes_wrong() {
    for window in
        [WindowKind::Unlimited, WindowKind::Until, WindowKind::UntilHeight, WindowKind::Once]
    {
        let (mut reviewed, mut tries) = (0, 0);
        for seed in 0..SEEDS {
            let mut client = Client::new(seed, window, 120);
            client.run();
            let state = client.batch.state();
            tries += client.batch.tries().len();
            assert!(client.moved_max <= TOTAL, "{window:?} {seed}: {}", client.moved_max);
            if window == WindowKind::Once {
                reviewed += u32::from(state == State::Review);
                assert!(matches!(state, State::Review | State::Settled), "{seed}: {state:?}");
            } else {
                assert_eq!(client.world.moved(), TOTAL, "{window:?} {seed}: {state:?}");
                assert_eq!(state, State::Settled, "{window:?} {seed}");
            }
        }
        assert_eq!(reviewed > 0, window == WindowKind::Once);
        println!("{window:?}: {SEEDS} batches, {tries} tries, {reviewed} in review");
    }
}

/// The planted mistake: a proof that does not wait for what is still on its way.
#[test]
fn a_client_whose_grace_is_shorter_than_the_lag_pays_twice() {
    let paid_twice = |grace_secs| {
        let client = |seed| {
            let mut client = Client::new(seed, WindowKind::Until, grace_secs);
            client.faults = Faults::parse(seed, "late=700,dropped=200").unwrap();
            client.run();
            client.moved_max > TOTAL
        };
        (0..500).filter(|seed| client(*seed)).count()
    };
    assert_eq!(paid_twice(120), 0);
    assert!(paid_twice(0) > 0);
}

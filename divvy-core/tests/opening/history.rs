//! Random histories: every kind of step, in any order that the fold allows.

use divvy_core::danger::{Vouched, vouched};
use divvy_core::{
    Amount, Answer, Asset, Batch, Book, Books, Destination, Evidence, Fact, Hash, Leg, Legs, Line,
    Name, Opened, PayeeSet, Plan, Planned, Policy, Ratio, Seen, Share, Signed, Step, Target, Time,
    Timing, Units, Window,
};

/// Facts as they were written, and the fold that decided them.
pub(crate) struct History {
    pub(crate) facts: Vec<Fact>,
    pub(crate) books: Books,
    pub(crate) now: Time,
    batches: Vec<Batch>,
    dice: u64,
    serial: u64,
}

pub(crate) const BOOKS: [&str; 2] = ["chapter-42", "channel"];
const POOLS: [&str; 2] = ["tokens", "founders"];
const PAYEES: u64 = 24;
const TIMING: Timing = Timing { grace_secs: 60, deadline_secs_max: 300, watch_secs: 0 };

impl History {
    /// A history of so many steps, the same for the same seed.
    pub(crate) fn new(seed: u64, steps: usize) -> Self {
        let dice = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let now = Time::parse("2026-01-01T00:00:00Z").unwrap();
        let (facts, books, batches) = (Vec::new(), Books::default(), Vec::new());
        let mut history = Self { facts, books, now, batches, dice, serial: 0 };
        BOOKS.iter().for_each(|book| history.begin(book));
        for _ in 0..steps {
            history.step();
        }
        history
    }

    fn begin(&mut self, book: &str) {
        let opened = Opened {
            asset: Asset::parse("USD").unwrap(),
            policy: Policy::Threshold { min: amount(300), max_wait_secs: Some(5 * 86_400) },
            floor: amount(10),
            cooling_secs: 3_600,
            named_on: Some(name("sandbox")),
        };
        self.write(self.books.open(&name(book), opened, self.now).unwrap());
        for pool in POOLS {
            let supply = Units::new(1_000).unwrap();
            self.write(self.book(book).open_pool(&name(pool), supply, self.now).unwrap());
        }
        let leg = |to, share| Leg { to, share };
        let portion = |text| Share::Portion(Ratio::parse(text).unwrap());
        let legs = vec![
            leg(Target::Payee("platform".into()), portion("10%")),
            leg(Target::Pool("founders".into()), portion("25%")),
            leg(Target::Pool("tokens".into()), Share::Remaining),
        ];
        let legs = Legs::new(legs).unwrap();
        self.write(self.book(book).set_rule(self.now, legs, self.now).unwrap());
    }

    fn step(&mut self) {
        self.now = self.now.plus_secs(self.below(7_200));
        let book = BOOKS[usize::try_from(self.below(2)).unwrap()];
        match self.below(12) {
            0..4 => self.record(book),
            4 => self.issue(book),
            5 => self.shift(book),
            6 => self.write(self.book(book).declare(self.now).unwrap()),
            7 => self.choose(book),
            8 => self.hold_or_release(book),
            9 => self.pay(book),
            _ => self.learn(),
        }
    }

    fn record(&mut self, book: &str) {
        self.serial += 1;
        let usd = Asset::parse("USD").unwrap();
        let id = name(&format!("receipt-{}", self.serial));
        let source = format!("till.csv:{}", self.serial);
        let payment = Vouched {
            source: name("till"),
            account: name("main"),
            id,
            amount: amount(1 + self.below(5_000)),
            asset: usd.clone(),
            payer: None,
            event_at: self.now,
            evidence: Evidence { hash: Hash::of(source.as_bytes()), source, said: String::new() },
        };
        let payment = vouched(payment, &usd).unwrap();
        let facts = self.book(book).record(&[payment], self.now).unwrap();
        self.books.feed(&facts).unwrap();
        self.facts.extend(facts);
    }

    fn issue(&mut self, book: &str) {
        let pool = self.pool();
        let entries: Vec<(Name, Units)> = (0..1 + self.below(5))
            .map(|_| (self.payee(), Units::new(1 + self.below(200)).unwrap()))
            .collect();
        self.write(self.book(book).issue_units(pool, &entries, self.now).unwrap());
    }

    fn shift(&mut self, book: &str) {
        let (pool, from, to) = (self.pool(), self.payee(), self.payee());
        let units = Units::new(1 + self.below(60)).unwrap();
        let step = match self.below(3) {
            0 => self.book(book).redeem_units(pool, &from, units, self.now),
            _ => self.book(book).move_holding(pool, &from, &to, units, self.now),
        };
        self.write(step.unwrap_or_default());
    }

    fn choose(&mut self, book: &str) {
        let payee = self.payee();
        let address = format!("{payee}-{}@pay.example", self.below(100));
        let destination = Destination { rail: name("sandbox"), address };
        let min = amount(10 + self.below(2_000));
        let max_wait_secs = (self.below(2) == 0).then_some(86_400);
        let policy = Policy::Threshold { min, max_wait_secs };
        let set = PayeeSet {
            destination: (self.below(2) == 0).then_some(destination),
            policy: (self.below(2) == 0).then_some(policy),
        };
        self.write(self.book(book).set_payee(&payee, set, self.now).unwrap());
    }

    fn hold_or_release(&mut self, book: &str) {
        let payee = self.payee();
        let released = self.book(book).release(&payee, "proven", self.now);
        let step =
            released.unwrap_or_else(|_| self.book(book).hold(&payee, "asked", None, self.now));
        self.write(step);
    }

    fn pay(&mut self, book: &str) {
        self.books.book_mut(book).unwrap().wake_waited(self.now).unwrap();
        let due = self.book(book).due(self.now).unwrap();
        let lines: Vec<Line> = due.into_iter().flat_map(|due| due.lines).collect();
        let plans: Vec<Plan> = lines.chunks(3).map(|lines| self.plan(lines)).collect();
        if plans.is_empty() {
            return;
        }
        let step = self.books.plan(book, &plans, self.now).unwrap();
        let planned = |fact: &&Fact| fact.kind == "planned.1";
        for first in step.facts().iter().filter(planned) {
            let own = step.facts().iter().filter(|fact| fact.stream == first.stream);
            self.batches.push(Batch::fold(&own.cloned().collect::<Vec<_>>()).unwrap());
        }
        self.write(step);
    }

    fn plan(&mut self, lines: &[Line]) -> Plan {
        let planned =
            Planned { rail: name("sandbox"), wallet: name("till"), lines: lines.to_vec() };
        Plan { planned, signed: self.signed(lines) }
    }

    fn signed(&mut self, lines: &[Line]) -> Signed {
        self.serial += 1;
        Signed {
            reference: format!("try-{}", self.serial),
            bytes: vec![7; 20],
            window: Window::Until(self.now.plus_secs(300)),
            deadline: self.now.plus_secs(300),
            sender: None,
            lines: Line::hash(lines),
            claims: vec![format!("coin-{}", self.serial)],
        }
    }

    /// Hears something of some batch, or signs it anew when nothing can come of it any more.
    fn learn(&mut self) {
        if self.batches.is_empty() {
            return;
        }
        let at = usize::try_from(self.below(self.batches.len() as u64)).unwrap();
        let batch = self.batches[at].clone();
        let later = self.now.plus_secs(1_000);
        let heard = match self.below(8) {
            0 => Answer::Accepted,
            1..4 => Answer::Final,
            4 => Answer::Void,
            5 => Answer::Refused { reason: "closed".into(), line: Some(0) },
            6 => Answer::Returned { reason: "unknown payee".into(), lines: vec![0] },
            _ => Answer::Undone,
        };
        let mut answers = vec![Answer::Unknown; batch.tries().len()];
        *answers.last_mut().unwrap() = heard;
        let evidence = Evidence { source: "GET".into(), hash: Hash::of(b"x"), said: "x".into() };
        let seen = Seen { answers, tip: None, evidence, bills: Vec::new() };
        let step = self.books.learn(&batch, &seen, later, TIMING).unwrap_or_default();
        let mut after = batch.clone();
        for fact in step.facts().iter().filter(|fact| fact.stream == *batch.stream()) {
            after.apply(fact).unwrap();
        }
        self.write(step);
        let signed = self.signed(batch.lines());
        if let Ok(step) = self.books.sign(&after, signed, later) {
            after.apply(&step.facts()[0]).unwrap();
            self.write(step);
        } else if let Ok(step) = self.books.cancel(&after, "given up", later) {
            after.apply(&step.facts()[0]).unwrap();
            self.write(step);
        }
        self.batches[at] = after;
    }

    fn write(&mut self, step: Step) {
        self.books.feed(step.facts()).unwrap();
        self.facts.extend_from_slice(step.facts());
        let _ = step.committed();
    }

    fn book(&self, book: &str) -> &Book {
        self.books.book(book).unwrap()
    }

    fn pool(&mut self) -> &'static str {
        POOLS[usize::try_from(self.below(2)).unwrap()]
    }

    fn payee(&mut self) -> Name {
        name(&format!("payee-{}", self.below(PAYEES)))
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice % limit
    }
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn amount(minor: u64) -> Amount {
    Amount::new(minor).unwrap()
}

//! A history like that of a busy book: a million facts of every kind, over a quarter of a million
//! holders.

use divvy_core::danger::{Vouched, vouched};
use divvy_core::{
    Amount, Asset, Batch, Body, Book, Books, Destination, Due, Evidence, Fact, Hash, Leg, Legs,
    Line, Name, Opened, PayeeSet, Payment, Plan, Planned, Policy, Ratio, Sent, Settled, Share,
    Signed, Step, Target, Time, Units, Window,
};

/// Facts in the order in which they were written, and the fold that wrote them.
pub(crate) struct History {
    pub(crate) facts: Vec<Fact>,
    pub(crate) books: Books,
    now: Time,
    payments: u64,
    dice: u64,
}

pub(crate) const HOLDERS: u64 = 250_000;
const FACTS: usize = 1_000_000;
const SET_UP: u64 = 200_000;
const MOVES_PER_ROUND: u64 = 145;
const PAYMENTS_PER_ROUND: u64 = 1_000;
const ROUNDS_PER_RUN: u64 = 25;
const LINES_PER_BATCH: usize = 500;

impl History {
    /// Everybody gets units; most choose a destination and a threshold; then payments, moves of
    /// units, a declaration per thousand payments, and payout runs, until there are enough facts.
    pub(crate) fn new() -> Self {
        let (facts, books) = (Vec::with_capacity(FACTS), Books::default());
        let now = Time::parse("2026-01-01T00:00:00Z").expect("a time");
        let mut history = Self { facts, books, now, payments: 0, dice: 7 };
        history.begin();
        for holder in 0..SET_UP {
            let set = history.chosen(holder);
            let step = history.book().set_payee(&address(holder), set, history.now);
            history.write(step.expect("above the floor"));
        }
        let mut round = 0;
        while history.facts.len() < FACTS {
            history.round();
            round += 1;
            if round % ROUNDS_PER_RUN == 0 {
                history.pay();
            }
        }
        history
    }

    fn begin(&mut self) {
        let opened = Opened {
            asset: Asset::parse("USDC@6").expect("an asset"),
            policy: Policy::Threshold { min: amount(1_000_000), max_wait_secs: None },
            floor: Amount::ONE,
            cooling_secs: 86_400,
            named_on: Some(name("sandbox")),
        };
        let step = self.books.open(&name(BOOK), opened, self.now).expect("the first");
        self.write(step);
        let supply = Units::new(HOLDERS * (HOLDERS + 1) / 2).expect("below the ceiling");
        let step = self.book().open_pool(&name(POOL), supply, self.now).expect("the first");
        self.write(step);
        let entries: Vec<(Name, Units)> = (0..HOLDERS)
            .map(|holder| (address(holder), Units::new(holder + 1).expect("below the ceiling")))
            .collect();
        let step = self.book().issue_units(POOL, &entries, self.now).expect("the first units");
        self.write(step);
        let platform = Share::Portion(Ratio::parse("10%").expect("a ratio"));
        let legs = vec![
            Leg { to: Target::Payee("platform".into()), share: platform },
            Leg { to: Target::Pool(POOL.into()), share: Share::Remaining },
        ];
        let legs = Legs::new(legs).expect("they leave nothing");
        let step = self.book().set_rule(Time::ZERO, legs, self.now).expect("the first rule");
        self.write(step);
    }

    fn chosen(&mut self, holder: u64) -> PayeeSet {
        let min = amount(1_000_000 * (1 + self.below(20)));
        let max_wait_secs = holder.is_multiple_of(10).then_some(30 * 86_400);
        let address = format!("{}@pay.example", address(holder));
        PayeeSet {
            destination: Some(Destination { rail: name("sandbox"), address }),
            policy: Some(Policy::Threshold { min, max_wait_secs }),
        }
    }

    fn round(&mut self) {
        self.now = self.now.plus_secs(3_600);
        let asset = self.book().settings().asset.clone();
        let payments: Vec<Payment> =
            (0..PAYMENTS_PER_ROUND).map(|_| self.payment(&asset)).collect();
        let facts = self.book().record(&payments, self.now).expect("a rule is in force");
        self.books.feed(&facts).expect("they fold");
        self.facts.extend(facts);
        for _ in 0..MOVES_PER_ROUND {
            let (from, to) = (self.below(HOLDERS), self.below(HOLDERS - 1));
            let to = if to >= from { to + 1 } else { to };
            let one = Units::new(1).expect("below the ceiling");
            let (from, to) = (address(from), address(to));
            if let Ok(step) = self.book().move_holding(POOL, &from, &to, one, self.now) {
                self.write(step);
            }
        }
        let step = self.book().declare(self.now).expect("below the ceiling");
        self.write(step);
    }

    fn payment(&mut self, asset: &Asset) -> Payment {
        self.payments += 1;
        let id = name(&format!("pi_{:024x}", self.payments.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
        let source = format!("payments.csv:{}", self.payments);
        let hash = Hash::of(source.as_bytes());
        let said = Vouched {
            source: name("import"),
            account: name("main"),
            id,
            amount: amount(1_000_000 + self.below(1_000_000_000)),
            asset: asset.clone(),
            payer: Some(format!("customer-{}", self.below(1_000_000))),
            event_at: self.now,
            evidence: Evidence { source, hash, said: String::new() },
        };
        vouched(said, asset).expect("the book's asset")
    }

    fn pay(&mut self) {
        self.books.book_mut(BOOK).expect("open").wake_waited(self.now).expect("sound");
        let due = self.book().due(self.now).expect("sound");
        let plans: Vec<Plan> = due.iter().flat_map(|due| self.plans(due)).collect();
        if plans.is_empty() {
            return;
        }
        let step = self.books.plan(BOOK, &plans, self.now).expect("what is due");
        let planned = step.facts().to_vec();
        self.write(step);
        let begins = |fact: &&[Fact]| fact[0].kind == "planned.1";
        for facts in planned[1..].chunks(2).filter(begins) {
            let batch = Batch::fold(facts).expect("planned and signed");
            let reference = batch.tries()[0].signed.reference.clone();
            let evidence = Evidence {
                source: "GET /transfers".into(),
                hash: Hash::of(reference.as_bytes()),
                said: String::new(),
            };
            let bodies = [
                Body::Sent(Sent { reference: reference.clone() }),
                Body::Settled(Settled { reference, evidence, moved: None }),
            ];
            let step = self.books.follow(&batch, &bodies, self.now).expect("it was sent");
            self.write(step);
        }
    }

    fn plans(&self, due: &Due) -> Vec<Plan> {
        let plan = |(i, lines): (usize, &[Line])| Plan {
            planned: Planned {
                rail: due.rail.clone(),
                wallet: name("till"),
                lines: lines.to_vec(),
            },
            signed: Signed {
                reference: format!("{}-{i}", Hash::of(&self.now.millis().to_be_bytes())),
                bytes: vec![b'x'; 40 * lines.len()],
                window: Window::Unlimited,
                deadline: self.now.plus_secs(300),
                sender: None,
                lines: Line::hash(lines),
                claims: Vec::new(),
            },
        };
        due.lines.chunks(LINES_PER_BATCH).enumerate().map(plan).collect()
    }

    fn book(&self) -> &Book {
        self.books.book(BOOK).expect("open")
    }

    fn write(&mut self, step: Step) {
        self.books.feed(step.facts()).expect("a step folds");
        self.facts.extend_from_slice(step.facts());
        drop(step.committed());
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice % limit
    }
}

/// Like the address of a wallet: long, and telling nothing.
fn address(holder: u64) -> Name {
    let wide = u128::from(holder + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    name(&format!("0x{wide:032x}{holder:08x}"))
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

fn amount(minor: u64) -> Amount {
    Amount::new(minor).expect("below the ceiling")
}

const BOOK: &str = "chapter-42";
const POOL: &str = "tokens";

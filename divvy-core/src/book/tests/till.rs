//! A till that commits each step's facts and feeds them back, as a host does.

use super::*;

/// A book with everything that was ever committed, and a clock that only tests move.
#[derive(Clone)]
pub(super) struct Till {
    pub(super) books: Books,
    pub(super) facts: Vec<Fact>,
    pub(super) now: Time,
    pub(super) tries: u32,
}

impl Till {
    /// A book that pays at once, at the payee's own name.
    pub(super) fn instant() -> Self {
        Self::open(Policy::Instant, 1, Some("sandbox"))
    }

    pub(super) fn open(policy: Policy, floor: u64, named_on: Option<&str>) -> Self {
        let (books, facts, now) = (Books::default(), Vec::new(), secs(1_000));
        let mut till = Self { books, facts, now, tries: 0 };
        let opened = Opened {
            asset: Asset::parse("USD").unwrap(),
            policy,
            floor: amount(floor),
            cooling_secs: COOLING_SECS,
            named_on: named_on.map(name),
        };
        let step = till.books.open(&name("b"), opened, till.now).unwrap();
        till.commit(&step);
        till
    }

    pub(super) fn book(&self) -> &Book {
        self.books.book("b").unwrap()
    }

    /// Commits a step and feeds it back; every equation must hold then.
    pub(super) fn commit(&mut self, step: &Step) {
        for fact in step.facts() {
            let before = self.facts.iter().rfind(|before| before.stream == fact.stream);
            let next = before.map_or(0, |before| before.n + 1);
            assert_eq!(fact.n, next, "the next of {}, which no host has yet", fact.stream);
            self.facts.push(fact.clone());
        }
        self.books.feed(step.facts()).unwrap();
        assert_eq!(self.books.early(), []);
        self.book().check().unwrap();
    }

    pub(super) fn rule(&mut self, legs: &[(&str, &str)]) {
        let step = self.book().set_rule(Time::ZERO, standing(legs), self.now).unwrap();
        self.commit(&step);
    }

    pub(super) fn pool(&mut self, pool: &str, holders: &[(&str, u64)]) {
        let supply = Units::new(holders.iter().map(|holder| holder.1).sum()).unwrap();
        let step = self.book().open_pool(&name(pool), supply, self.now).unwrap();
        self.commit(&step);
        let entries: Vec<_> =
            holders.iter().map(|(who, units)| (name(who), Units::new(*units).unwrap())).collect();
        let step = self.book().issue_units(pool, &entries, self.now).unwrap();
        self.commit(&step);
    }

    pub(super) fn record(&mut self, id: &str, minor: u64) {
        let facts = self.book().record(&[payment(id, minor, self.now)], self.now).unwrap();
        self.facts.extend(facts.iter().cloned());
        self.books.feed(&facts).unwrap();
        self.book().check().unwrap();
    }

    pub(super) fn declare(&mut self) {
        let step = self.book().declare(self.now).unwrap();
        self.commit(&step);
    }

    pub(super) fn destination(&mut self, payee: &str, address: &str) {
        let set = PayeeSet { destination: Some(to(address)), policy: None };
        let step = self.book().set_payee(&name(payee), set, self.now).unwrap();
        self.commit(&step);
    }

    pub(super) fn policy(&mut self, payee: &str, policy: Policy) {
        let set = PayeeSet { destination: None, policy: Some(policy) };
        let step = self.book().set_payee(&name(payee), set, self.now).unwrap();
        self.commit(&step);
    }

    pub(super) fn due(&self) -> Vec<(String, u64)> {
        let due = self.book().due(self.now).unwrap();
        let lines = due.iter().flat_map(|due| &due.lines);
        lines.map(|line| (line.payee.to_string(), line.amount.get())).collect()
    }

    pub(super) fn signed(&mut self, lines: &[Line]) -> Signed {
        self.tries += 1;
        Signed {
            reference: format!("try {}", self.tries),
            bytes: vec![1],
            window: Window::Unlimited,
            deadline: self.now.plus_secs(300),
            sender: None,
            lines: Line::hash(lines),
            claims: vec![format!("coin {}", self.tries)],
        }
    }

    pub(super) fn plan_of(&mut self, lines: Vec<Line>) -> Plan {
        let signed = self.signed(&lines);
        let planned = Planned { rail: name("sandbox"), wallet: name("till"), lines };
        Plan { planned, signed }
    }

    /// Plans everyone who is due as one batch.
    pub(super) fn pay(&mut self) -> Batch {
        let lines = self.book().due(self.now).unwrap().remove(0).lines;
        let plan = self.plan_of(lines);
        let step = self.books.plan("b", &[plan], self.now).unwrap();
        self.commit(&step);
        self.batch(&step.facts()[1].stream)
    }

    pub(super) fn batch(&self, stream: &Stream) -> Batch {
        let own = self.facts.iter().filter(|fact| fact.stream == *stream);
        Batch::fold(&own.cloned().collect::<Vec<_>>()).unwrap()
    }

    pub(super) fn hear(&mut self, stream: &Stream, answer: Answer) {
        let mut answers = vec![Answer::Unknown; self.batch(stream).tries().len()];
        *answers.last_mut().unwrap() = answer;
        let seen = Seen { answers, tip: None, evidence: evidence(), bills: Vec::new() };
        let step = self.books.learn(&self.batch(stream), &seen, self.now, TIMING).unwrap();
        self.commit(&step);
    }

    /// Earned, payable, reserved, paid, owed back.
    pub(super) fn places(&self, payee: &str) -> [u64; 5] {
        let of = self.book().balance(payee, self.now).unwrap();
        [of.earned, of.payable, of.reserved, of.paid, of.owed_back].map(Amount::get)
    }

    pub(super) fn obstacle(&self, payee: &str) -> Option<Obstacle> {
        self.book().balance(payee, self.now).unwrap().obstacle
    }
}

//! Both books side by side: each action is asked of both, and both must say the same.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use divvy_core::danger::{Vouched, vouched};
use divvy_core::{
    Amount, Asset, Batch, Book, Books, Code, Destination, Error, Evidence, Fact, Hash, Leg, Legs,
    Name, Opened, PayeeSet, Payment, Policy as RealPolicy, Ratio, Share, Step,
    Target as RealTarget, Time, Timing, Units,
};

use crate::action::{Action, BOOKS, Dice, PAYEES, Part, Place, Policy, Target};
use crate::batch::{GRACE_SECS, NaiveBatch};
use crate::book::{NaiveBook, NaivePayee, NaivePayment};
use crate::pool::NaivePool;
use crate::shrink::History;

pub(crate) const TIMING: Timing =
    Timing { grace_secs: GRACE_SECS, deadline_secs_max: 300, watch_secs: 0 };

/// The first moment of every history.
pub(crate) const START: u64 = 1_767_225_600_000;

pub(crate) struct Lab {
    pub(crate) books: Books,
    /// What the machine's clock says, which may be put back.
    pub(crate) now: u64,
    pub(crate) naive: Vec<NaiveBook>,
    pub(crate) batches: Vec<NaiveBatch>,
    /// The real batches, as whoever drives them folds them.
    pub(crate) real: Vec<Batch>,
    /// Which batch claimed a coin last.
    pub(crate) claims: BTreeMap<u64, usize>,
    /// The newest of all facts.
    pub(crate) newest: u64,
    pub(crate) serial: u64,
}

/// What a run of the history comes to, or the first difference.
pub(crate) type Same<T = ()> = Result<T, String>;

impl Lab {
    pub(crate) fn run(history: &History) -> Same {
        let play = || {
            let mut lab = Self::new(history.seed)?;
            for at in &history.actions {
                let (book, action) = Action::at(history.seed, *at);
                let told = |what| format!("action {at}, book {book}, {action:?}: {what}");
                let books: &[usize] = if action.is_of_a_batch() { &[0, 1] } else { &[book] };
                lab.act(book, &action).and_then(|()| lab.compare(books)).map_err(told)?;
            }
            let mut pools = lab.naive.iter().flat_map(|book| &book.pools);
            pools.try_for_each(NaivePool::check_shares)?;
            lab.compare(&[0, 1])
        };
        catch_unwind(AssertUnwindSafe(play)).unwrap_or_else(|_| Err("it panicked".to_owned()))
    }

    fn new(seed: u64) -> Same<Self> {
        let dice = &mut Dice::new(seed, 0);
        let mut lab = Self {
            books: Books::default(),
            now: START,
            naive: Vec::new(),
            batches: Vec::new(),
            real: Vec::new(),
            claims: BTreeMap::new(),
            newest: 0,
            serial: 0,
        };
        for book in 0..BOOKS {
            let floor = [0, 1, 5, 40][usize::try_from(dice.below(4)).unwrap()];
            let (policy, cooling_secs) = (dice.policy(floor.max(1)), dice.below(3) * 2_000);
            let named = !dice.one_in(4);
            lab.open(book_name(book), policy, floor, cooling_secs, named)?;
        }
        Ok(lab)
    }

    fn open(
        &mut self,
        name: String,
        policy: Policy,
        floor: u64,
        cooling_secs: u64,
        named: bool,
    ) -> Same {
        let opened = Opened {
            asset: usd(),
            policy: real_policy(policy),
            floor: amount(floor),
            cooling_secs,
            named_on: named.then(|| rail(0)),
        };
        let step = self.books.open(&self::name(&name), opened, self.time());
        self.commit(&step.map_err(text)?)?;
        let payees = vec![NaivePayee::default(); usize::try_from(PAYEES).unwrap()];
        self.naive.push(NaiveBook {
            name,
            policy,
            floor,
            cooling_secs,
            named,
            payees,
            newest: self.now,
            rules: Vec::new(),
            pools: Vec::new(),
            unruled: Vec::new(),
            recorded: 0,
            event_newest: 0,
            event_first: None,
            facts: 0,
            runs: 0,
        });
        Ok(())
    }

    fn act(&mut self, book: usize, action: &Action) -> Same {
        match action {
            Action::Pass { secs } => self.now += secs * 1_000,
            Action::PutBack { secs } => self.now -= secs * 1_000,
            Action::Rule { from_secs, legs } => return self.rule(book, *from_secs, legs),
            Action::Pool { pool, supply } => return self.open_pool(book, *pool, *supply),
            Action::Issue { pool, entries } => return self.issue(book, *pool, entries),
            Action::Move { pool, from, to, units } => {
                return self.shift(book, *pool, [*from, *to], *units);
            }
            Action::Redeem { pool, holder, units } => {
                return self.redeem(book, *pool, *holder, *units);
            }
            Action::Record { minor, ago_secs, checked } => {
                return self.record(book, *minor, *ago_secs, *checked);
            }
            Action::Declare => return self.declare(book),
            Action::Choose { payee, destination, policy } => {
                return self.choose(book, *payee, *destination, *policy);
            }
            Action::Hold { payee } => {
                let step = self.book(book).hold(&payee_name(*payee), "asked", None, self.time());
                self.commit(&step)?;
                let at = self.stamp(book);
                self.naive[book].hold(*payee, true, at);
            }
            Action::Release { payee } => return self.release(book, *payee),
            Action::Tick => {
                let (name, now) = (self.naive[book].name.clone(), self.time());
                self.books.book_mut(&name).unwrap().wake_waited(now).map_err(text)?;
            }
            Action::Pay { lines_max, off, claims } => {
                return self.pay(book, *lines_max, *off, claims);
            }
            Action::Hear { batch, attempt, answer, tip } => {
                return self.hear(*batch, *attempt, *answer, *tip);
            }
            Action::Sign { batch, claim, again } => return self.sign(*batch, *claim, *again),
            Action::Cancel { batch } => return self.cancel(*batch),
            Action::Decide { batch, attempt, verdict } => {
                return self.decide(*batch, *attempt, *verdict);
            }
        }
        Ok(())
    }

    fn rule(&mut self, book: usize, from_secs: u64, legs: &[(Target, Part)]) -> Same {
        let naive = &self.naive[book];
        let from = naive.event_newest.max(START) + from_secs * 1_000 - 500_000;
        let late = !naive.rules.is_empty() && from < naive.event_newest;
        let first = naive.rules.is_empty();
        let nobody = first && naive.unruled.iter().any(|payment| payment.event_at < from);
        let closed = |(target, _): &(Target, Part)| match target {
            Target::Pool(pool) => naive.pool(*pool).is_none(),
            Target::Payee(_) => false,
        };
        let expected = if late || nobody {
            Err(Code::RuleMissing)
        } else if legs.iter().any(closed) {
            Err(Code::PoolUnknown)
        } else {
            Ok(())
        };
        let rule = real_legs(legs)?;
        let step = self.book(book).set_rule(Time::from_millis(from), rule, self.time());
        if self.agreed(step, expected)? {
            let at = self.stamp(book);
            self.naive[book].set_rule(from, legs.to_vec(), at);
        }
        Ok(())
    }

    fn open_pool(&mut self, book: usize, pool: usize, supply: u64) -> Same {
        let expected = match self.naive[book].pool(pool) {
            Some(_) => Err(Code::BookConflict),
            None if supply == 0 => Err(Code::PoolUnits),
            None => Ok(()),
        };
        let step = self.book(book).open_pool(&pool_name(pool), units(supply), self.time());
        if self.agreed(step, expected)? {
            let at = self.stamp(book);
            self.naive[book].open_pool(pool, supply, at);
        }
        Ok(())
    }

    fn issue(&mut self, book: usize, pool: usize, entries: &[(usize, u64)]) -> Same {
        let known = self.naive[book].pool(pool);
        let more: u64 = entries.iter().map(|(_, units)| *units).sum();
        let expected = match known {
            None => Err(Code::PoolUnknown),
            Some(at) if self.naive[book].pools[at].supply + more > i64::MAX.unsigned_abs() => {
                Err(Code::PoolUnits)
            }
            Some(_) => Ok(()),
        };
        let real: Vec<_> =
            entries.iter().map(|(payee, many)| (payee_name(*payee), units(*many))).collect();
        let step = self.book(book).issue_units(pool_name(pool).as_str(), &real, self.time());
        if self.agreed(step, expected)? && more > 0 {
            let at = self.stamp(book);
            let naive = &mut self.naive[book];
            naive.note(at);
            for (payee, units) in entries.iter().filter(|(_, units)| *units > 0) {
                naive.payees[*payee].known = true;
                naive.pools[known.unwrap()].issue(*payee, *units);
                naive.refresh(at, &[*payee]);
            }
        }
        Ok(())
    }

    fn shift(&mut self, book: usize, pool: usize, [from, to]: [usize; 2], many: u64) -> Same {
        let known = self.naive[book].pool(pool);
        let has = |at: usize| self.naive[book].pools[at].holders[from].units;
        let expected = match known {
            None => Err(Code::PoolUnknown),
            Some(at) if has(at) < many || from == to => Err(Code::PoolUnits),
            Some(_) => Ok(()),
        };
        let [giver, taker] = [from, to].map(payee_name);
        let pool = pool_name(pool);
        let book_ = self.book(book);
        let step = book_.move_holding(pool.as_str(), &giver, &taker, units(many), self.time());
        if self.agreed(step, expected)? {
            let at = self.stamp(book);
            let naive = &mut self.naive[book];
            naive.note(at);
            naive.pools[known.unwrap()].holders[from].units -= many;
            naive.pools[known.unwrap()].holders[to].units += many;
            [from, to].iter().for_each(|payee| naive.payees[*payee].known = true);
            naive.refresh(at, &[from, to]);
        }
        Ok(())
    }

    fn redeem(&mut self, book: usize, pool: usize, holder: usize, many: u64) -> Same {
        let known = self.naive[book].pool(pool);
        let expected = match known {
            None => Err(Code::PoolUnknown),
            Some(at) if self.naive[book].pools[at].holders[holder].units < many => {
                Err(Code::PoolUnits)
            }
            Some(_) => Ok(()),
        };
        let (pool, who) = (pool_name(pool), payee_name(holder));
        let step = self.book(book).redeem_units(pool.as_str(), &who, units(many), self.time());
        if self.agreed(step, expected)? {
            let at = self.stamp(book);
            let naive = &mut self.naive[book];
            naive.note(at);
            naive.pools[known.unwrap()].redeem(holder, many);
            naive.refresh(at, &[holder]);
        }
        Ok(())
    }

    fn record(&mut self, book: usize, minor: u64, ago_secs: u64, checked: bool) -> Same {
        self.serial += 1;
        let event_at = self.now - ago_secs * 1_000;
        let payment = payment(self.serial, minor, event_at);
        let stream = payment.stream().to_string();
        let naive = &self.naive[book];
        let at = if checked { self.stamp(book) } else { self.now };
        let facts = if checked {
            let facts = self.book(book).record(&[payment], self.time());
            match (facts, naive.rule_at(event_at).is_some()) {
                (Ok(facts), true) => facts,
                (Err(error), false) if error.code() == Code::RuleMissing => return Ok(()),
                (facts, ruled) => return Err(format!("ruled {ruled}, recorded {facts:?}")),
            }
        } else {
            let fact = payment.fact(&name(&naive.name), Time::from_millis(at));
            vec![fact.map_err(text)?]
        };
        self.feed(&facts)?;
        let rule = if checked { self.naive[book].rule_at(event_at) } else { None };
        let payment = NaivePayment { stream, amount: minor, event_at, at, rule };
        self.naive[book].record(payment);
        Ok(())
    }

    fn declare(&mut self, book: usize) -> Same {
        let step = self.book(book).declare(self.time()).map_err(text)?;
        self.commit(&step)?;
        let at = self.stamp(book);
        let declared = self.naive[book].declare(at);
        same("declarations", step.facts().len(), declared.len())?;
        let naive = &self.naive[book];
        declared.into_iter().try_for_each(|pool| naive.pools[pool].check_shares())
    }

    fn choose(
        &mut self,
        book: usize,
        payee: usize,
        destination: Option<Place>,
        policy: Option<Policy>,
    ) -> Same {
        let low = |policy: Policy| match policy {
            Policy::Threshold { min, .. } => min < self.naive[book].floor(),
            Policy::Instant => false,
        };
        let expected = if policy.is_some_and(low) { Err(Code::PolicyMalformed) } else { Ok(()) };
        let set = PayeeSet {
            destination: destination.map(destination_at),
            policy: policy.map(real_policy),
        };
        let step = self.book(book).set_payee(&payee_name(payee), set, self.time());
        if self.agreed(step, expected)? {
            let at = self.stamp(book);
            self.naive[book].choose(payee, destination, policy, at);
        }
        Ok(())
    }

    fn release(&mut self, book: usize, payee: usize) -> Same {
        let held = self.naive[book].payees[payee].held;
        let expected = if held { Ok(()) } else { Err(Code::PayeeUnknown) };
        let step = self.book(book).release(&payee_name(payee), "proven", self.time());
        if self.agreed(step, expected)? {
            let at = self.stamp(book);
            self.naive[book].hold(payee, false, at);
        }
        Ok(())
    }

    /// Whether both did it; a step that both refuse for the same reason is fine too.
    pub(crate) fn agreed(
        &mut self,
        step: Result<Step, Error>,
        naive: Result<(), Code>,
    ) -> Same<bool> {
        match (step, naive) {
            (Ok(step), Ok(())) => self.commit(&step).map(|()| true),
            (Err(error), Err(code)) if error.code() == code => Ok(false),
            (step, naive) => {
                let step = step.map(|step| format!("{} facts", step.facts().len()));
                Err(format!("the book says {step:?}, the naive one {naive:?}"))
            }
        }
    }

    pub(crate) fn commit(&mut self, step: &Step) -> Same {
        self.feed(step.facts())
    }

    fn feed(&mut self, facts: &[Fact]) -> Same {
        self.books.feed(facts).map_err(text)?;
        self.newest = self.books.newest().millis();
        Ok(())
    }

    pub(crate) fn book(&self, book: usize) -> &Book {
        self.books.book(&self.naive[book].name).unwrap()
    }

    pub(crate) fn time(&self) -> Time {
        Time::from_millis(self.now)
    }

    /// When a new fact of a book happens: never before its newest.
    pub(crate) fn stamp(&self, book: usize) -> u64 {
        self.now.max(self.naive[book].newest)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "both sides are mostly made on the spot")]
pub(crate) fn same<T: PartialEq + std::fmt::Debug>(what: &str, real: T, naive: T) -> Same {
    if real == naive {
        return Ok(());
    }
    Err(format!("{what}: the book says {real:?}, the naive one {naive:?}"))
}

#[expect(clippy::needless_pass_by_value, reason = "the form that `map_err` takes")]
pub(crate) fn text(error: Error) -> String {
    format!("{:?}: {error}", error.code())
}

fn book_name(book: u64) -> String {
    format!("b{book}")
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn payee_name(payee: usize) -> Name {
    name(&format!("p{payee}"))
}

pub(crate) fn pool_name(pool: usize) -> Name {
    name(&format!("fund{pool}"))
}

pub(crate) fn rail(rail: usize) -> Name {
    name(["sandbox", "other"][rail])
}

pub(crate) fn address(place: Place) -> String {
    format!("a{}", place.address)
}

pub(crate) fn destination_at(place: Place) -> Destination {
    Destination { rail: rail(place.rail), address: address(place) }
}

pub(crate) fn amount(minor: u64) -> Amount {
    Amount::new(minor).unwrap()
}

pub(crate) fn units(many: u64) -> Units {
    Units::new(many).unwrap()
}

pub(crate) fn usd() -> Asset {
    Asset::parse("USD").unwrap()
}

pub(crate) fn evidence() -> Evidence {
    Evidence { source: "seen".into(), hash: Hash::of(b"it"), said: String::new() }
}

pub(crate) fn real_policy(policy: Policy) -> RealPolicy {
    match policy {
        Policy::Instant => RealPolicy::Instant,
        Policy::Threshold { min, wait_secs } => {
            RealPolicy::Threshold { min: amount(min), max_wait_secs: wait_secs }
        }
    }
}

pub(crate) fn real_legs(legs: &[(Target, Part)]) -> Same<Legs> {
    let leg = |(target, part): &(Target, Part)| Leg {
        to: match target {
            Target::Payee(payee) => RealTarget::Payee(payee_name(*payee).to_string()),
            Target::Pool(pool) => RealTarget::Pool(pool_name(*pool).to_string()),
        },
        share: match part {
            Part::UpTo(cap) => Share::UpTo(amount(*cap)),
            Part::Portion(num, den) => Share::Portion(Ratio::new(*num, *den).unwrap()),
            Part::Remaining => Share::Remaining,
        },
    };
    Legs::new(legs.iter().map(leg).collect()).map_err(text)
}

fn payment(id: u64, minor: u64, event_at: u64) -> Payment {
    let said = Vouched {
        source: name("till"),
        account: name("main"),
        id: name(&format!("receipt-{id}")),
        amount: amount(minor),
        asset: usd(),
        payer: None,
        event_at: Time::from_millis(event_at),
        evidence: evidence(),
    };
    vouched(said, &usd()).unwrap()
}

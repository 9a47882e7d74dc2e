//! The book and the ledger side by side: each deed is asked of both.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use divvy_core::danger::{Vouched, VouchedReversal, vouched, vouched_at, vouched_reversal};
use divvy_core::{
    Asset, Batch, Body, Book, Books, Brought, Cause, Code, Converted, Error, Extent, Fact, Level,
    Movement, Name, Opened, Payment, Policy, PoolOpened, Ratio, RuleSet, Step, Stream, Tier, Time,
    Upline as RealUpline,
};

use crate::action::{Dice, Part, Target};
use crate::lab::{
    START, Same, amount, evidence, name, payee_name, pool_name, rail, real_legs, text, units, usd,
};
use crate::money::alarm::Alarm;
use crate::money::deed::{Deed, FED, FLOWING, FUNDS, PEOPLE, PROVEN, Plan};
use crate::money::issuer::Issuer;
use crate::money::ledger::{End, Going, Ledger};
use crate::money::pay::Slip;
use crate::money::people::Guard;
use crate::money::rule::Place;
use crate::money::statement::Broken;
use crate::money::terms::Terms;
use crate::shrink::History;

pub(crate) struct Lab {
    pub(crate) books: Books,
    /// Every fact, as it was written.
    pub(crate) facts: Vec<Fact>,
    pub(crate) now: u64,
    pub(crate) ledger: Ledger,
    pub(crate) serial: u64,
    /// The highest quote at which anything is paid, and the most that a line bears.
    pub(crate) fees: (Option<u64>, Option<u64>),
    pub(crate) slips: Vec<Slip>,
    /// Who is due when, and who asked for it.
    pub(crate) terms: Terms,
    /// Who agrees above which limit, and what was planned of which day.
    pub(crate) guard: Option<Guard>,
    pub(crate) planned: (i128, i128),
    pub(crate) issuer: Issuer,
    /// Differences with statements, by their names.
    pub(crate) breaks: BTreeMap<String, Broken>,
    /// What a person was told to look at.
    pub(crate) alarm: Alarm,
    /// Whether somebody did what nobody signed, and whether they are about to.
    pub(crate) unsigned: bool,
    pub(crate) forgets: bool,
    /// The same batches, as whoever drives them folds them.
    pub(crate) batches: Vec<Batch>,
}

/// What a run of the history comes to, or the first difference.
pub(crate) fn run(history: &History) -> Same {
    let play = || {
        let mut lab = Lab::new(history.seed)?;
        for at in &history.actions {
            let deed = Deed::at(history.seed, *at);
            let told = |what| format!("deed {at}, {deed:?}: {what}");
            let acted = lab.act(&deed).map(|seen| {
                lab.ledger.note_indexes(lab.now.into());
                lab.terms.refresh(&lab.ledger, lab.now.into(), &seen);
            });
            acted.and_then(|()| lab.compare()).map_err(told)?;
        }
        for roll in 0..STATEMENTS {
            lab.reconcile(history.seed ^ roll).and_then(|()| lab.compare_breaks(lab.book()))?;
        }
        lab.again(history.seed)
    };
    catch_unwind(AssertUnwindSafe(play)).unwrap_or_else(|_| Err("it panicked".to_owned()))
}

impl Lab {
    fn new(seed: u64) -> Same<Self> {
        let dice = &mut Dice::new(seed ^ 0x00C0_FFEE, 0);
        let supplies: Vec<u64> = (0..FUNDS).map(|_| dice.size(40)).collect();
        let flow_millis = [0, 777, 1_000_000, 5_000_003][dice.place(4)];
        let wide: Vec<i128> = supplies.iter().map(|supply| i128::from(*supply)).collect();
        let ledger = Ledger::new(&wide, flow_millis.into());
        let (books, facts) = (Books::default(), Vec::new());
        let mut lab = Self {
            books,
            facts,
            now: START,
            ledger,
            serial: 0,
            fees: (None, None),
            slips: Vec::new(),
            batches: Vec::new(),
            terms: Terms::new(),
            guard: None,
            planned: (0, 0),
            issuer: Issuer::default(),
            breaks: BTreeMap::new(),
            alarm: Alarm::default(),
            unsigned: false,
            forgets: false,
        };
        let opened = Opened {
            asset: usd(),
            policy: Policy::Instant,
            floor: amount(1),
            cooling_secs: 0,
            named_on: Some(rail(0)),
        };
        let step = lab.books.open(&name(BOOK), opened, lab.time()).map_err(text)?;
        lab.commit(&step)?;
        for (at, supply) in supplies.into_iter().enumerate() {
            let payee = FED[at].map(payee_name);
            let flow_millis = (at == FLOWING).then_some(flow_millis);
            let proofs = PROVEN[at].then_some(1);
            let opened = PoolOpened { supply: units(supply), flow_millis, proofs, payee };
            let step = lab.book().open_pool_with(&pool_name(at), opened, lab.time());
            lab.commit(&step.map_err(text)?)?;
        }
        Ok(lab)
    }

    /// Does it, and says who was looked at besides those whose figures changed.
    fn act(&mut self, deed: &Deed) -> Same<Vec<usize>> {
        match deed {
            Deed::Terms { payee, set } => {
                let done = self.set_terms(*payee, set)?;
                let all = payee.map_or_else(|| (0..PEOPLE).collect(), |payee| vec![payee]);
                Ok(if done { all } else { Vec::new() })
            }
            deed => self.act_plainly(deed).map(|()| Vec::new()),
        }
    }

    pub(crate) fn act_plainly(&mut self, deed: &Deed) -> Same {
        self.ledger.now = self.now.into();
        match deed {
            Deed::Pass { secs } => self.now += secs * 1_000,
            Deed::Rule { from_secs, plan, sign } => return self.rule(*from_secs, plan, *sign),
            Deed::Issuer { key, sign } => return self.hand_over(*key, *sign),
            Deed::Refer { who, by } => return self.refer(*who, *by),
            Deed::Divide => {
                let step = self.book().divide(self.time()).map_err(text)?;
                self.commit(&step)?;
                self.ledger.divide();
            }
            Deed::Declare => {
                let step = self.book().declare(self.time()).map_err(text)?;
                self.commit(&step)?;
                self.ledger.declare(self.now.into());
                return self.compare_declared(step.facts());
            }
            Deed::Issue { fund, entries } => return self.issue(*fund, entries),
            Deed::Move { fund, from, to, units } => {
                return self.shift(*fund, [*from, *to], *units);
            }
            Deed::Redeem { fund, holder: Some(holder), units } => {
                return self.redeem(*fund, *holder, *units);
            }
            Deed::Redeem { fund, holder: None, units } => {
                let all = |who: &usize| self.ledger.funds[*fund].units[*who] > 0;
                let holders: Vec<usize> = (0..PEOPLE).filter(all).collect();
                return holders.iter().try_for_each(|who| self.redeem(*fund, *who, *units));
            }
            Deed::Compound { fund, holder, percent } => {
                return self.compound(*fund, *holder, *percent);
            }
            Deed::Record { minor, ago_secs, payer, rate, kept } => {
                return self.record([*minor, *ago_secs, *kept], *payer, *rate);
            }
            Deed::Reverse { payment, percent, again, mirror } => {
                let Some(at) = payment.checked_rem(self.ledger.payments.len()) else {
                    return Ok(());
                };
                return self.reverse(at, *percent, *again, *mirror);
            }
            Deed::Restore { payment, which } => return self.end(*payment, *which, End::Restored),
            Deed::Lose { payment, which } => return self.end(*payment, *which, End::Lost),
            Deed::Bring { payee, earned, paid } => return self.bring(*payee, *earned, *paid),
            Deed::Fees { ceiling, borne_max } => return self.fees(*ceiling, *borne_max),
            deed => return self.act_of_paying(deed),
        }
        Ok(())
    }

    fn act_of_paying(&mut self, deed: &Deed) -> Same {
        match deed {
            Deed::Pay { lines_max, quoted, greedy, wished } => {
                self.pay(*lines_max, *quoted, *greedy, *wished)
            }
            Deed::Hear { batch, answer, bill } => self.hear(*batch, *answer, *bill),
            Deed::Release { payee, forgets } => self.release(*payee, *forgets),
            Deed::Hold { payee, forgets } => self.hold(*payee, *forgets),
            Deed::Note { id, purpose, minor } => self.note(*id, *purpose, *minor),
            Deed::Look => self.look(),
            Deed::Quote { fee, rate, secs } => self.quote(*fee, *rate, *secs),
            Deed::LoseQuote => {
                self.books.book_mut(BOOK).unwrap().lose_quote(&rail(0));
                self.terms.quote = None;
                Ok(())
            }
            Deed::Sway { who, bps, over } => self.sway(*who, *bps, *over),
            Deed::Statement { roll } => self.reconcile(*roll),
            Deed::Break { which, close } => self.say_of_break(*which, *close),
            Deed::Demand { payee, fee_max } => self.demand(*payee, *fee_max),
            Deed::Guard { limit, needed, people } => self.guard(*limit, *needed, *people),
            Deed::Approve { batch, who, forged } => self.approve(*batch, *who, *forged),
            Deed::Sign { batch } => self.sign(*batch),
            Deed::Cancel { batch } => self.cancel(*batch),
            deed => Err(format!("nobody does {deed:?}")),
        }
    }

    fn refer(&mut self, who: usize, by: usize) -> Same {
        let known = self.ledger.people[who].by;
        let mut above = Some(by);
        let mut circle = false;
        while let Some(person) = above {
            circle |= person == who;
            above = self.ledger.people[person].by;
        }
        let fresh = known.is_none() && !circle;
        let expected = if fresh || known == Some(by) { Ok(()) } else { Err(Code::UplineConflict) };
        let pair = (payee_name(who), payee_name(by));
        let step = self.book().refer(&[pair], self.time());
        if self.agreed(step, expected)? {
            self.ledger.people[who].by = Some(by);
        }
        Ok(())
    }

    fn issue(&mut self, fund: usize, entries: &[(usize, u64)]) -> Same {
        let circle = entries.iter().any(|(holder, _)| self.ledger.is_circle(fund, *holder));
        let expected = if circle { Err(Code::PoolCircle) } else { Ok(()) };
        let real: Vec<_> =
            entries.iter().map(|(holder, many)| (payee_name(*holder), units(*many))).collect();
        let step = self.book().issue_units(pool_name(fund).as_str(), &real, self.time());
        let step_is_empty = step.as_ref().is_ok_and(|step| step.facts().is_empty());
        if self.agreed(step, expected)? && !step_is_empty {
            self.ledger.funds[fund].accrue(self.now.into());
            for (holder, many) in entries.iter().filter(|(_, many)| *many > 0) {
                self.ledger.people[*holder].known = true;
                self.ledger.funds[fund].add(*holder, (*many).into());
            }
        }
        Ok(())
    }

    fn shift(&mut self, fund: usize, [from, to]: [usize; 2], many: u64) -> Same {
        let has = self.ledger.funds[fund].units[from];
        let expected = if has < many.into() || from == to {
            Err(Code::PoolUnits)
        } else if self.ledger.is_circle(fund, to) {
            Err(Code::PoolCircle)
        } else {
            Ok(())
        };
        let [giver, taker] = [from, to].map(payee_name);
        let pool = pool_name(fund);
        let step =
            self.book().move_holding(pool.as_str(), &giver, &taker, units(many), self.time());
        if self.agreed(step, expected)? {
            let fund = &mut self.ledger.funds[fund];
            fund.accrue(self.now.into());
            fund.units[from] -= i128::from(many);
            fund.units[to] += i128::from(many);
            [from, to].iter().for_each(|who| self.ledger.people[*who].known = true);
        }
        Ok(())
    }

    fn redeem(&mut self, fund: usize, holder: usize, many: u64) -> Same {
        let has = self.ledger.funds[fund].units[holder];
        let many = if many == u64::MAX { has.max(1) } else { many.into() };
        let expected = if has < many { Err(Code::PoolUnits) } else { Ok(()) };
        let (pool, who) = (pool_name(fund), payee_name(holder));
        let many_units = units(u64::try_from(many).unwrap());
        let step = self.book().redeem_units(pool.as_str(), &who, many_units, self.time());
        if self.agreed(step, expected)? {
            self.ledger.funds[fund].accrue(self.now.into());
            self.ledger.funds[fund].add(holder, -many);
        }
        Ok(())
    }

    fn compound(&mut self, fund: usize, holder: usize, percent: u64) -> Same {
        let known = self.ledger.people[holder].known;
        let payable = self.ledger.payable(holder);
        let many = payable * i128::from(percent) / 100;
        let expected = match known {
            false => Err(Code::PayeeUnknown),
            true if FED.contains(&Some(holder)) || many == 0 || many > payable => {
                Err(Code::BatchStale)
            }
            true => Ok(()),
        };
        let (pool, who) = (pool_name(fund), payee_name(holder));
        let money = amount(u64::try_from(many).unwrap());
        let step = self.book().compound(pool.as_str(), &who, money, self.time());
        if self.agreed(step, expected)? {
            self.ledger.funds[fund].accrue(self.now.into());
            self.ledger.funds[fund].add(holder, many);
            self.ledger.people[holder].passed_on += many;
        }
        Ok(())
    }

    pub(crate) fn record(
        &mut self,
        [minor, ago_secs, kept]: [u64; 3],
        payer: Option<usize>,
        rate: Option<(u64, u64)>,
    ) -> Same {
        self.serial += 1;
        let event_at = self.now - ago_secs * 1_000;
        let worth = rate.map_or(minor, |(num, den)| minor * num / den);
        let payment = match payment(self.serial, minor, event_at, payer, rate) {
            Err(error) if rate.is_some_and(|(num, _)| num == 0) => {
                return crate::lab::same("no rate", error.code(), Code::PaymentMalformed);
            }
            payment => payment.map_err(text)?,
        };
        let kept = worth * kept / 100;
        let payment =
            if worth == 0 { payment } else { payment.with_withheld(amount(kept)).map_err(text)? };
        let expected = match (self.ledger.rule_at(event_at.into()), worth) {
            (None, _) => Err(Code::RuleMissing),
            (_, 0) => Err(Code::PaymentMalformed),
            _ => Ok(()),
        };
        let stream = payment.stream().to_string();
        let facts = self.book().record(&[payment], self.time());
        match (facts, expected) {
            (Ok(facts), Ok(())) => {
                self.compare_recorded(&facts[0])?;
                self.feed(&facts)?;
            }
            (Err(error), Err(code)) if error.code() == code => return Ok(()),
            (facts, expected) => return Err(format!("recorded {facts:?}, not {expected:?}")),
        }
        let figures = [worth, kept, minor].map(i128::from);
        self.ledger.record(stream, figures, event_at.into(), payer);
        Ok(())
    }

    /// Some of what is left of a payment goes back, or what has gone back is told again.
    fn reverse(&mut self, at: usize, percent: u64, again: bool, mirror: bool) -> Same {
        let paid = &self.ledger.payments[at];
        let left = paid.original - paid.back();
        let mut back = left * i128::from(percent) / 100;
        let mut id = format!("back {}", self.serial);
        if let Some(known) = paid.goings.last().filter(|_| again) {
            (id, back) = (known.id.clone(), known.amount + i128::from(percent) % 2);
        } else {
            self.serial += 1;
        }
        let paid = &self.ledger.payments[at];
        let known = paid.goings.iter().find(|going| going.id == id);
        let expected = match known {
            Some(known) if known.amount == back => Ok(None),
            Some(_) => Err(Code::PaymentConflict),
            None if back == 0 || back > left => Err(Code::PaymentMalformed),
            None => Ok(Some(())),
        };
        let movement = self.movement(at)?;
        let reversal = vouched_reversal(VouchedReversal {
            payment: Stream::parse(&paid.stream).map_err(text)?,
            id: id.clone(),
            cause: Cause::Refund,
            amount: amount(u64::try_from(back).unwrap()),
            event_at: self.time(),
            evidence: evidence(),
        });
        let fact = movement.reverse(&reversal, self.time());
        let agreed = fact.as_ref().map(|fact| fact.is_some()).map_err(Error::code);
        crate::lab::same("a reversal", agreed, expected.map(|one| one.is_some()))?;
        let Ok(Some(fact)) = fact else { return Ok(()) };
        let Ok(Body::Reversed(reversed)) = fact.body() else { return Err("no reversal".into()) };
        let mirrored = if mirror { self.mirrored(at, &reversed.extent)? } else { Vec::new() };
        let step = self.ledger.go(at, |goings| {
            goings.push(Going { id, amount: back, end: End::Open });
        });
        if mirror {
            let gave = (0..FUNDS).filter(|fund| self.ledger.mirror(at, *fund, step)).count();
            crate::lab::same("pools mirrored in", mirrored.len(), gave)?;
        }
        self.feed(&[fact])?;
        self.feed(&mirrored)
    }

    /// What takes a reversal from those who held units at the record date.
    fn mirrored(&self, at: usize, extent: &Extent) -> Same<Vec<Fact>> {
        let stream = Stream::parse(&self.ledger.payments[at].stream).map_err(text)?;
        let mut facts = Vec::new();
        for fund in 0..FUNDS {
            let pool = pool_name(fund);
            let own = self.of(&Stream::pool(&name(BOOK), &pool));
            let step = self.book().mirror(pool.as_str(), &own, &stream, extent, self.time());
            facts.extend(step.map_err(text)?.facts().to_vec());
        }
        Ok(facts)
    }

    /// A refund that failed, a dispute that was won or lost.
    fn end(&mut self, payment: usize, which: usize, end: End) -> Same {
        let Some(at) = payment.checked_rem(self.ledger.payments.len()) else { return Ok(()) };
        let paid = &self.ledger.payments[at];
        let going = paid.goings.get(which).cloned();
        let id = going.as_ref().map_or_else(|| "never".to_owned(), |going| going.id.clone());
        let expected = match going.as_ref().map(|going| going.end) {
            None => Err(Code::PaymentUnknown),
            Some(known) if known == end => Ok(false),
            Some(End::Open) => Ok(true),
            Some(_) => Err(Code::PaymentConflict),
        };
        let movement = self.movement(at)?;
        let fact = match end {
            End::Restored => movement.restore(&id, self.time(), &evidence(), self.time()),
            _ => movement.lose(&id, &evidence(), self.time()),
        };
        let agreed = fact.as_ref().map(|fact| fact.is_some()).map_err(Error::code);
        crate::lab::same("how it ends", agreed, expected)?;
        let Ok(Some(fact)) = fact else { return Ok(()) };
        self.feed(&[fact])?;
        self.ledger.go(at, |goings| goings[which].end = end);
        Ok(())
    }

    fn bring(&mut self, payee: usize, earned: u64, paid: u64) -> Same {
        let twice = self.ledger.people[payee].brought.is_some();
        let expected = if twice { Err(Code::BookConflict) } else { Ok(()) };
        let brought = Brought { earned: amount(earned), paid: amount(paid), evidence: evidence() };
        let step = self.book().bring(&[(payee_name(payee), brought)], self.time());
        if self.agreed(step, expected)? {
            let person = &mut self.ledger.people[payee];
            (person.known, person.brought) = (true, Some((earned.into(), paid.into())));
        }
        Ok(())
    }

    fn movement(&self, at: usize) -> Same<Movement> {
        let stream = Stream::parse(&self.ledger.payments[at].stream).map_err(text)?;
        Movement::fold(&self.of(&stream)).map_err(text)
    }

    pub(crate) fn of(&self, stream: &Stream) -> Vec<Fact> {
        self.facts.iter().filter(|fact| fact.stream == *stream).cloned().collect()
    }

    /// Whether both did it; a step that both refuse for the same reason is fine too.
    pub(crate) fn agreed(
        &mut self,
        step: Result<Step, Error>,
        expected: Result<(), Code>,
    ) -> Same<bool> {
        match (step, expected) {
            (Ok(step), Ok(())) => {
                let step = self.signed_by_ann(step).map_err(text)?;
                self.commit(&step).map(|()| true)
            }
            (Err(error), Err(code)) if error.code() == code => Ok(false),
            (step, expected) => {
                let step = step.map(|step| format!("{} facts", step.facts().len()));
                Err(format!("the book says {step:?}, the ledger {expected:?}"))
            }
        }
    }

    fn commit(&mut self, step: &Step) -> Same {
        self.feed(step.facts())
    }

    fn feed(&mut self, facts: &[Fact]) -> Same {
        self.books.feed(facts).map_err(text)?;
        self.facts.extend(facts.to_vec());
        Ok(())
    }

    pub(crate) fn book(&self) -> &Book {
        self.books.book(BOOK).unwrap()
    }

    pub(crate) fn time(&self) -> Time {
        Time::from_millis(self.now)
    }
}

/// How many statements come in the end.
const STATEMENTS: u64 = 4;

pub(crate) const BOOK: &str = "b";

pub(crate) fn real_rule(from: u64, plan: &Plan) -> Same<RuleSet> {
    let legs = |legs: &[(Target, Part)]| real_legs(legs);
    let mut tiers = Vec::new();
    for (secs, over, own) in &plan.tiers {
        let from = secs.map(|secs| Time::from_millis(from + secs * 1_000));
        tiers.push(Tier { from, over: over.map(amount), legs: legs(own)? });
    }
    let upline = plan.upline.as_ref().map(|upline| RealUpline {
        levels: upline
            .levels
            .iter()
            .map(|(part, most)| Level {
                portion: Ratio::new(*part, 100).unwrap(),
                most: most.map(amount),
            })
            .collect(),
        rest: match Place::from(upline.rest) {
            Place::Person(who) => divvy_core::Target::Payee(payee_name(who).to_string()),
            Place::Fund(fund) => divvy_core::Target::Pool(pool_name(fund).to_string()),
        },
        each_most: upline.each_most.map(amount),
        most: upline.most.map(amount),
    });
    let tiers = (!tiers.is_empty()).then_some(tiers);
    let plain = RuleSet::plain(Time::from_millis(from), legs(&plan.legs)?);
    Ok(RuleSet { tiers, upline, ..plain })
}

fn payment(
    id: u64,
    minor: u64,
    event_at: u64,
    payer: Option<usize>,
    rate: Option<(u64, u64)>,
) -> Result<Payment, Error> {
    let event_at = Time::from_millis(event_at);
    let asset = if rate.is_some() { Asset::parse("EUR")? } else { usd() };
    let said = Vouched {
        source: name("till"),
        account: name("main"),
        id: Name::new(&format!("receipt-{id}"))?,
        amount: amount(minor),
        asset: asset.clone(),
        payer: payer.map(|payer| payee_name(payer).to_string()),
        event_at,
        evidence: evidence(),
    };
    let Some((rate_num, rate_den)) = rate else { return vouched(said, &usd()) };
    let (source, quoted_at) = ("a bank".to_owned(), event_at);
    let amount = amount(minor);
    vouched_at(said, Converted { asset, amount, rate_num, rate_den, source, quoted_at })
}

//! Paying: what it costs and who bears it, what rails move instead, what comes back, and the
//! treasury.

use std::collections::BTreeMap;

use divvy_core::{
    Answer, Asset, Batch, Bill as RealBill, Code, Converted, Fate, Fee, FeesSet, Funds, Line, Plan,
    Planned, Purpose, Seen, Signed, Stream, Time, Window as RealWindow,
};

use crate::action::{Claim, Heard, Window};
use crate::batch::{NaiveBatch, NaiveLine, Said};
use crate::lab::{Same, TIMING, amount, evidence, name, payee_name, rail, same, text, usd};
use crate::money::deed::{Bill, Noted};
use crate::money::diary::Entry;
use crate::money::lab::{BOOK, Lab};
use crate::money::people::Asked;
use crate::pay::real_answer;

/// A batch of one try, and what it costs.
#[derive(Clone, Debug)]
pub(crate) struct Slip {
    pub(crate) batch: NaiveBatch,
    /// What each line bears of the fee: it pays so much less than its payee is debited.
    fees: Vec<i128>,
    /// What moved instead, at what it was worth.
    worth: Option<i128>,
    /// What the rail has charged so far, by try and asset.
    charged: BTreeMap<(usize, &'static str), i128>,
    /// When it was planned.
    pub(crate) at: u64,
    /// Who has to agree first.
    pub(crate) asked: Option<Asked>,
}

/// What a batch has moved so far, in the book's asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) moved: i128,
    pub(crate) borne: i128,
    pub(crate) won: i128,
    pub(crate) lost: i128,
}

impl Slip {
    fn new(stream: &Stream, lines: &[Line], asked: Option<Asked>, at: u64) -> Self {
        let fees = lines.iter().map(|line| line.fee.map_or(0, |fee| fee.get().into())).collect();
        let lines = lines.iter().map(|line| NaiveLine {
            payee: who(line),
            amount: line.debit().unwrap().get(),
            to: None,
        });
        let batch = NaiveBatch::new(0, stream.to_string(), 0, lines.collect());
        let (worth, charged) = (None, BTreeMap::new());
        let mut slip = Self { batch, fees, worth, charged, at, asked };
        if slip.asked.is_none() {
            slip.sign();
        }
        slip
    }

    pub(crate) fn sign(&mut self) {
        self.batch.sign(Claim { coin: None, window: Window::Unlimited }, 0);
    }

    /// The newest try.
    fn newest(&self) -> Option<usize> {
        self.batch.tries.len().checked_sub(1)
    }

    /// Who is paid how much by its lines.
    pub(crate) fn pays(&self) -> Vec<(usize, i128)> {
        let lines = self.batch.lines.iter().zip(&self.fees);
        lines.map(|(line, fee)| (line.payee, i128::from(line.amount) - fee)).collect()
    }

    fn charged(&self, asset: &str) -> i128 {
        let own = self.charged.iter().filter(|((_, known), _)| *known == asset);
        own.map(|(_, amount)| amount).sum()
    }

    pub(crate) fn outcome(&self) -> Outcome {
        let mut outcome = Outcome::default();
        if !self.batch.tries.iter().any(|one| one.fate == Fate::Settled) {
            return outcome;
        }
        let (mut all, mut stays) = (0, 0);
        for (at, (line, fee)) in self.batch.lines.iter().zip(&self.fees).enumerate() {
            let pays = i128::from(line.amount) - fee;
            all += pays;
            if self.batch.times_paid(at) > 0 {
                stays += pays;
                outcome.borne += fee;
            }
        }
        let worth = self.worth.unwrap_or(all);
        outcome.moved = worth - worth * (all - stays) / all;
        outcome.won = (stays - outcome.moved).max(0);
        outcome.lost = (outcome.moved - stays).max(0);
        outcome
    }

    fn charge(&mut self, asset: &'static str, so_far: i128) -> i128 {
        let newest = self.newest().unwrap();
        let known = self.charged.entry((newest, asset)).or_default();
        let more = (so_far - *known).max(0);
        *known += more;
        more
    }
}

impl Lab {
    pub(crate) fn fees(&mut self, ceiling: Option<u64>, borne_max: Option<u64>) -> Same {
        let set = FeesSet { ceiling: ceiling.map(amount), borne_max: borne_max.map(amount) };
        let step = self.book().set_fees(set, self.time());
        if self.agreed(step, Ok(()))? {
            self.fees = (ceiling, borne_max);
        }
        Ok(())
    }

    /// Plans what is due or wished for, with a part of the quote on each line; a greedy planner
    /// puts more there. What is above the limit of the day waits for people.
    pub(crate) fn pay(
        &mut self,
        lines_max: usize,
        quoted: u64,
        greedy: bool,
        wished: bool,
    ) -> Same {
        let now = self.time();
        self.books.book_mut(BOOK).unwrap().wake_waited(now).map_err(text)?;
        let dues = if wished { self.book().demanded(now, |_| true) } else { self.book().due(now) };
        let lines_max = if wished { 1 } else { lines_max };
        let mut plans = Vec::new();
        for lines in dues.map_err(text)?.iter().flat_map(|due| due.lines.chunks(lines_max)).take(2)
        {
            let mut allowed = self.book().check_fee(amount(quoted));
            if wished {
                let own = self.book().check_demanded(lines, amount(quoted), now);
                allowed = allowed.and(own);
            }
            let wish = self.terms.asks(who(&lines[0]), self.now.into()).filter(|_| wished);
            let dear = self.fees.0.is_some_and(|most| most < quoted)
                || wish.is_some_and(|most| most < quoted.into());
            let expected = if dear { Err(Code::FeeAboveCeiling) } else { Ok(()) };
            same("is it cheap enough", allowed.map_err(|error| error.code()), expected)?;
            if dear {
                return Ok(());
            }
            let mut borne = self.bear(lines, quoted)?;
            if greedy && borne[0].amount.get() > 1 {
                borne[0].fee = Some(amount(borne[0].fee.map_or(1, |fee| fee.get() + 1)));
                borne[0].amount = amount(borne[0].amount.get() - 1);
            }
            plans.push(Plan { signed: self.try_of(&borne), planned: planned(borne) });
        }
        if plans.is_empty() { Ok(()) } else { self.run(&plans, quoted) }
    }

    fn run(&mut self, plans: &[Plan], quoted: u64) -> Same {
        let lines = || plans.iter().flat_map(|plan| &plan.planned.lines);
        let total: i128 = lines().map(|line| i128::from(line.amount.get())).sum();
        let most = self.fees.1.unwrap_or(0);
        let above = |line: &Line| line.fee.is_some_and(|fee| fee.get() > most);
        let expected = match (self.unsigned, lines().any(above)) {
            (true, _) => Err(Code::ActUnsigned),
            (false, true) => Err(Code::BatchStale),
            (false, false) => Ok(()),
        };
        let streams = (0_u32..).map(|at| self.book().next_batch(at)).take(plans.len());
        let streams: Vec<Stream> = streams.collect();
        let mut step = self.books.plan(BOOK, plans, self.time());
        let waits = self.guard.filter(|guard| self.planned_today() + total > guard.limit);
        if waits.is_some() && !self.unsigned {
            let code = step.map(|_| ()).map_err(|error| error.code());
            same("above the limit", code, Err(Code::ApprovalMissing))?;
            let plans: Vec<_> =
                plans.iter().map(|plan| (plan.planned.clone(), amount(quoted))).collect();
            step = self.book().plan_to_wait(&plans, self.time());
        }
        let facts = step.as_ref().map(|step| step.facts().to_vec()).unwrap_or_default();
        if self.agreed(step, expected)? {
            for (plan, stream) in plans.iter().zip(streams) {
                let own = facts.iter().filter(|fact| fact.stream == stream);
                self.batches.push(Batch::fold(&own.cloned().collect::<Vec<_>>()).map_err(text)?);
                let asked = waits.map(Asked::new);
                self.slips.push(Slip::new(&stream, &plan.planned.lines, asked, self.now));
            }
            lines().for_each(|line| self.terms.asked[who(line)] = None);
            self.note_planned(total);
            self.recount();
        }
        Ok(())
    }

    /// The lines as the book divides a quote among them, which is what anybody would.
    fn bear(&self, lines: &[Line], quoted: u64) -> Same<Vec<Line>> {
        let part = (quoted / lines.len() as u64).min(self.fees.1.unwrap_or(0));
        let fees = lines.iter().map(|line| if part < line.amount.get() { part } else { 0 });
        let borne = self.book().bear(lines.to_vec(), amount(quoted));
        let real = borne.iter().map(|line| line.fee.map_or(0, |fee| fee.get()));
        same("who bears what", real.collect::<Vec<u64>>(), fees.collect())?;
        Ok(borne)
    }

    /// The next try to pay some lines.
    pub(crate) fn try_of(&mut self, lines: &[Line]) -> Signed {
        self.serial += 1;
        Signed {
            reference: format!("try {}", self.serial),
            bytes: vec![1],
            window: RealWindow::Unlimited,
            deadline: self.time().plus_secs(300),
            sender: None,
            lines: Line::hash(lines),
            claims: Vec::new(),
        }
    }

    /// What a rail says of a batch's newest try, and of what it cost.
    pub(crate) fn hear(&mut self, batch: usize, answer: Heard, bill: Option<Bill>) -> Same {
        let Some(at) = batch.checked_rem(self.slips.len()) else { return Ok(()) };
        let slip = &self.slips[at];
        let Some(newest) = slip.newest() else { return Ok(()) };
        let all: i128 = slip.batch.lines.iter().map(|line| i128::from(line.amount)).sum();
        let pays = all - slip.fees.iter().sum::<i128>();
        let moved = bill.and_then(|bill| bill.moved).map(|(percent, num, den)| {
            (pays * i128::from(percent) / 100, i128::from(num), i128::from(den))
        });
        let odd = moved.is_some_and(|(_, num, den)| num == 0 || den == 0);
        let said = slip.batch.hear(newest, answer, self.now, None);
        let said = if odd { Err(Code::RailReply) } else { said };
        let tries = self.batches[at].tries();
        let reference = tries[newest].signed.reference.clone();
        let bills = bill.map(|bill| real_bill(bill, moved, reference)).into_iter().collect();
        let mut answers = vec![Answer::Unknown; tries.len()];
        answers[newest] = real_answer(answer);
        let seen = Seen { answers, tip: None, evidence: evidence(), bills };
        let step = self.books.learn(&self.batches[at], &seen, self.time(), TIMING);
        let facts = step.as_ref().map(|step| step.facts().to_vec()).unwrap_or_default();
        if !self.agreed(step, said.clone().map(|_| ()))? {
            return Ok(());
        }
        self.follow(at, &facts)?;
        let worth = moved.map(|(moved, num, den)| moved * num / den);
        self.learn(at, &said.unwrap(), worth, answer == Heard::Undone);
        if let Some(bill) = bill {
            let own = bill.own.map_or(0, |own| self.slips[at].charge("USD", own.into()));
            if own > 0 {
                self.ledger.diary.note(self.now.into(), Entry::FeePaid, own);
            }
            bill.coin.map(|coin| self.slips[at].charge("SOL", coin.into()));
        }
        self.recount();
        Ok(())
    }

    /// Takes in what is written of the newest try, and what it moved instead: the first that is
    /// said of that counts, when the try is final or later.
    fn learn(&mut self, at: usize, said: &[Said], worth: Option<i128>, undone: bool) {
        let newest = self.slips[at].newest().unwrap();
        for who in self.slips[at].batch.blamed(said) {
            self.ledger.people[who].held = true;
        }
        let was_final = self.slips[at].batch.tries[newest].fate == Fate::Settled;
        for said in said {
            self.change(at, |slip| {
                if matches!(said, Said::Settled | Said::Reopened) {
                    slip.worth = worth.filter(|_| *said == Said::Settled);
                }
                slip.batch.take(newest, said).unwrap();
            });
        }
        if was_final && !undone && self.slips[at].worth.is_none() {
            self.change(at, |slip| slip.worth = worth);
        }
    }

    /// Does something to a batch, and writes down what that moved.
    fn change(&mut self, at: usize, change: impl FnOnce(&mut Slip)) {
        let before = self.slips[at].outcome();
        change(&mut self.slips[at]);
        let after = self.slips[at].outcome();
        if before != after {
            let (diary, now) = (&mut self.ledger.diary, self.now.into());
            diary.note(now, Entry::Paid, (after.moved - before.moved).max(0));
            diary.note(now, Entry::Returned, (before.moved - after.moved).max(0));
        }
    }

    pub(crate) fn recount(&mut self) {
        for person in &mut self.ledger.people {
            (person.reserved, person.paid_out) = (0, 0);
        }
        for slip in &self.slips {
            for (at, line) in slip.batch.lines.iter().enumerate() {
                let person = &mut self.ledger.people[line.payee];
                let debit = i128::from(line.amount);
                person.reserved += if slip.batch.is_reserved() { debit } else { 0 };
                person.paid_out += debit * i128::from(slip.batch.times_paid(at));
            }
        }
    }

    pub(crate) fn release(&mut self, payee: usize, forgets: bool) -> Same {
        let held = self.ledger.people[payee].held;
        let expected = if held { Ok(()) } else { Err(Code::PayeeUnknown) };
        let step = self.book().release(&payee_name(payee), "they rang", self.time());
        self.forgets = forgets;
        if self.agreed(step, expected)? {
            self.ledger.people[payee].held = false;
            self.unsigned |= forgets && self.guard.is_some();
        }
        self.forgets = false;
        Ok(())
    }

    pub(crate) fn hold(&mut self, payee: usize, forgets: bool) -> Same {
        let step = self.book().hold(&payee_name(payee), "they asked", None, self.time());
        self.forgets = forgets;
        self.agreed(Ok(step), Ok(()))?;
        self.forgets = false;
        self.unsigned |= forgets && self.guard.is_some();
        let person = &mut self.ledger.people[payee];
        (person.known, person.held) = (true, true);
        Ok(())
    }

    pub(crate) fn note(&mut self, id: u64, purpose: Noted, minor: u64) -> Same {
        let on = match purpose {
            Noted::Expected { days } => self.now / 86_400_000 * 86_400_000 + days * 86_400_000,
            _ => 0,
        };
        let funds = Funds {
            id: format!("slip {id}"),
            purpose: real_purpose(purpose, on),
            amount: amount(minor),
            event_at: self.time(),
            evidence: evidence(),
        };
        let told = [minor, on, self.now].map(i128::from);
        let expected = self.ledger.diary.tell(id, purpose, told);
        let step = self.book().note_funds(&[funds], self.time());
        let fresh = step.as_ref().is_ok_and(|step| !step.facts().is_empty());
        same("whether it is news", fresh, expected == Ok(true))?;
        self.agreed(step, expected.map(|_| ()).map_err(|()| Code::TreasuryConflict))?;
        Ok(())
    }

    pub(crate) fn compare_paying(&self) -> Same {
        self.compare_due()?;
        self.compare_guard()?;
        let totals = self.book().totals();
        let sum = |of: &dyn Fn(&Slip) -> i128| self.slips.iter().map(of).sum::<i128>();
        let passed_on: i128 = self.ledger.people.iter().map(|person| person.passed_on).sum();
        let brought = self.ledger.people.iter().filter_map(|person| person.brought);
        let beside = passed_on + brought.map(|(_, paid)| paid).sum::<i128>();
        let reserved = self.ledger.people.iter().map(|person| person.reserved).sum();
        for (what, real, own) in [
            ("moved", totals.moved, beside + sum(&|slip| slip.outcome().moved)),
            ("fees borne", totals.fees_borne, sum(&|slip| slip.outcome().borne)),
            ("won by rates", totals.rate_gains, sum(&|slip| slip.outcome().won)),
            ("lost by rates", totals.rate_losses, sum(&|slip| slip.outcome().lost)),
            ("charged", totals.fees_charged, sum(&|slip| slip.charged("USD"))),
            ("reserved", totals.reserved, reserved),
            ("drawn", totals.drawn, self.ledger.funds.iter().map(|fund| fund.drawn).sum()),
        ] {
            same(what, i128::from(real.get()), own)?;
        }
        for (at, slip) in self.slips.iter().enumerate() {
            let state = self.book().batch_state(self.batches[at].stream());
            same("a batch's state", state, Some(slip.state()))?;
        }
        let coins = sum(&|slip| slip.charged("SOL"));
        let real = self.book().charged().map_err(text)?;
        let real = real.iter().filter(|(_, fee)| fee.asset != usd());
        same("coins charged", real.map(|(_, fee)| i128::from(fee.amount.get())).sum(), coins)?;
        self.compare_treasury()
    }
}

fn planned(lines: Vec<Line>) -> Planned {
    Planned { rail: rail(0), wallet: name("till"), lines }
}

/// Whose line it is.
pub(crate) fn who(line: &Line) -> usize {
    line.payee.as_str()[1..].parse().unwrap()
}

fn real_bill(bill: Bill, moved: Option<(i128, i128, i128)>, reference: String) -> RealBill {
    let fee =
        |code: &str, minor: u64| Fee { asset: Asset::parse(code).unwrap(), amount: amount(minor) };
    let own = bill.own.map(|minor| fee("USD", minor));
    let coin = bill.coin.map(|minor| fee("SOL@9", minor));
    let whole = |wide: i128| u64::try_from(wide).unwrap();
    let moved = moved.map(|(moved, num, den)| Converted {
        asset: Asset::parse("EUR").unwrap(),
        amount: amount(whole(moved)),
        rate_num: whole(num),
        rate_den: whole(den),
        source: "an exchange".to_owned(),
        quoted_at: Time::ZERO,
    });
    RealBill { reference, fees: own.into_iter().chain(coin).collect(), moved }
}

fn real_purpose(purpose: Noted, on: u64) -> Purpose {
    match purpose {
        Noted::Replenished => Purpose::Replenished,
        Noted::Withdrawn => Purpose::Withdrawn,
        Noted::FeeEarned => Purpose::FeeEarned,
        Noted::FeePaid => Purpose::FeePaid,
        Noted::Expected { .. } => Purpose::Expected(Time::from_millis(on)),
        Noted::Arrived => Purpose::Arrived,
        Noted::Missed => Purpose::Missed,
        Noted::Drawn => Purpose::Drawn,
        Noted::Repaid => Purpose::Repaid,
        Noted::CreditLimit => Purpose::CreditLimit,
        Noted::Reserve => Purpose::Reserve,
    }
}

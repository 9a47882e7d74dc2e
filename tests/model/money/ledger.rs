//! The ledger: payments as a list, and everybody's sums counted from it whenever they are asked.

use crate::money::deed::{FED, FLOWING, PEOPLE, Plan};
use crate::money::diary::{Diary, Entry};
use crate::money::fund::Fund;
use crate::money::rule::{Parts, Place, Rule};

#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    pub(crate) rules: Vec<Rule>,
    pub(crate) payments: Vec<Paid>,
    pub(crate) funds: Vec<Fund>,
    pub(crate) people: Vec<Person>,
    pub(crate) diary: Diary,
    pub(crate) now: i128,
}

#[derive(Clone, Debug)]
pub(crate) struct Person {
    /// Whether anything ever named them.
    pub(crate) known: bool,
    /// What they had earned before the book began, and what they were paid of it.
    pub(crate) brought: Option<(i128, i128)>,
    /// What they became units of, or passed on to a pool's holders.
    pub(crate) passed_on: i128,
    /// In batches of which nobody knows yet, and what left the book for them.
    pub(crate) reserved: i128,
    pub(crate) paid_out: i128,
    pub(crate) held: bool,
    /// What was taken from them as holders of some record date.
    pub(crate) mirrored: i128,
    /// Who brought them.
    pub(crate) by: Option<usize>,
}

/// One payment, and all that went back of it.
#[derive(Clone, Debug)]
pub(crate) struct Paid {
    pub(crate) stream: String,
    pub(crate) amount: i128,
    pub(crate) kept: i128,
    /// What was paid, in the asset in which it was.
    pub(crate) original: i128,
    pub(crate) event_at: i128,
    pub(crate) payer: Option<usize>,
    rule: usize,
    /// Who got what; nothing while it waits for its place in order.
    pub(crate) parts: Option<Parts>,
    pub(crate) goings: Vec<Going>,
    /// From how much to how much of it was reversed, step by step.
    steps: Vec<[i128; 2]>,
}

#[derive(Clone, Debug)]
pub(crate) struct Going {
    pub(crate) id: String,
    pub(crate) amount: i128,
    pub(crate) end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Open,
    Restored,
    Lost,
}

impl Paid {
    /// What of it has gone back and stayed away, in the asset that was paid.
    pub(crate) fn back(&self) -> i128 {
        let away = self.goings.iter().filter(|going| going.end != End::Restored);
        away.map(|going| going.amount).sum()
    }

    /// The same in the book's asset.
    pub(crate) fn reversed(&self) -> i128 {
        self.amount * self.back() / self.original
    }

    /// What of a part has gone back.
    fn gone(&self, part: i128) -> i128 {
        part * self.reversed() / self.amount
    }
}

impl Ledger {
    pub(crate) fn new(supplies: &[i128], flow_millis: i128) -> Self {
        let mut funds: Vec<Fund> =
            supplies.iter().map(|supply| Fund::open(*supply, PEOPLE)).collect();
        for (fund, fed_by) in funds.iter_mut().zip(FED) {
            fund.fed_by = fed_by;
        }
        funds[FLOWING].flow_millis = Some(flow_millis);
        let feeds = |who| FED.contains(&Some(who));
        let person = |who| Person {
            known: feeds(who),
            brought: None,
            passed_on: 0,
            reserved: 0,
            paid_out: 0,
            held: false,
            mirrored: 0,
            by: None,
        };
        let people = (0..PEOPLE).map(person).collect();
        let (rules, payments, diary) = (Vec::new(), Vec::new(), Diary::default());
        Self { rules, payments, funds, people, diary, now: 0 }
    }

    /// What somebody has of payments' parts, and brought along.
    pub(crate) fn one_shot(&self, who: usize) -> i128 {
        let part = |paid: &Paid| {
            let part = paid.parts.as_ref()?.get(&Place::Person(who))?;
            Some(part - paid.gone(*part))
        };
        let brought = self.people[who].brought.map_or(0, |(earned, _)| earned);
        brought + self.payments.iter().filter_map(part).sum::<i128>()
    }

    pub(crate) fn earned(&self, who: usize) -> i128 {
        let pooled: i128 = self.funds.iter().map(|fund| fund.earned(who)).sum();
        self.one_shot(who) + pooled - self.people[who].mirrored
    }

    pub(crate) fn paid(&self, who: usize) -> i128 {
        let person = &self.people[who];
        person.brought.map_or(0, |(_, paid)| paid) + person.passed_on + person.paid_out
    }

    pub(crate) fn payable(&self, who: usize) -> i128 {
        (self.earned(who) - self.paid(who) - self.people[who].reserved).max(0)
    }

    pub(crate) fn rule_at(&self, event_at: i128) -> Option<usize> {
        self.rules.iter().rposition(|rule| rule.from <= event_at)
    }

    pub(crate) fn event_newest(&self) -> i128 {
        self.payments.iter().map(|paid| paid.event_at).max().unwrap_or(0)
    }

    pub(crate) fn set_rule(&mut self, from: i128, plan: Plan, n: u64) {
        let rule = Rule::new(from, plan, n);
        for place in rule.named() {
            if let Place::Person(who) = place {
                self.people[who].known = true;
            }
        }
        self.rules.push(rule);
    }

    pub(crate) fn record(
        &mut self,
        stream: String,
        [amount, kept, original]: [i128; 3],
        event_at: i128,
        payer: Option<usize>,
    ) {
        let rule = self.rule_at(event_at).unwrap();
        self.diary.note(self.now, Entry::Recorded, amount);
        self.diary.note(self.now, Entry::Withheld, kept);
        let (parts, goings, steps) = (None, Vec::new(), Vec::new());
        let paid =
            Paid { stream, amount, kept, original, event_at, payer, rule, parts, goings, steps };
        self.payments.push(paid);
        if !self.rules[rule].counts() {
            self.divide_one(self.payments.len() - 1);
        }
    }

    /// Puts what waits in order, by rule, by its own time and by name; says how many there were.
    pub(crate) fn divide(&mut self) -> usize {
        let waits = |at: &usize| self.payments[*at].parts.is_none();
        let mut waiting: Vec<usize> = (0..self.payments.len()).filter(waits).collect();
        waiting.sort_by_key(|at| {
            let paid = &self.payments[*at];
            (paid.rule, paid.event_at, paid.stream.clone())
        });
        waiting.iter().for_each(|at| self.divide_one(*at));
        waiting.len()
    }

    fn divide_one(&mut self, at: usize) {
        let paid = &self.payments[at];
        let mut above = Vec::new();
        let mut next = paid.payer.and_then(|payer| self.people[payer].by);
        while let Some(person) = next {
            above.push(person);
            next = self.people[person].by;
        }
        let (net, event_at, rule) = (paid.amount - paid.kept, paid.event_at, paid.rule);
        let parts = self.rules[rule].divide(net, event_at, &above);
        for (place, part) in &parts {
            match place {
                Place::Person(who) => {
                    self.people[*who].known = true;
                    self.diary.note(self.now, Entry::Kept(*who), *part);
                }
                Place::Fund(_) if *part == 0 => {}
                Place::Fund(fund) => {
                    self.funds[*fund].waiting.insert(self.payments[at].stream.clone(), *part);
                }
            }
        }
        self.payments[at].parts = Some(parts);
        for step in self.payments[at].steps.clone() {
            self.take_parts(at, step);
        }
    }

    /// What went back of a pool's part is kept back from it later, and what came again is added.
    /// What anybody else has of a payment is counted from its list.
    fn take_parts(&mut self, at: usize, [before, after]: [i128; 2]) {
        let paid = &self.payments[at];
        for (place, part) in paid.parts.iter().flatten() {
            let taken = part * after / paid.amount - part * before / paid.amount;
            let (taken, given) = (taken.max(0), (-taken).max(0));
            match place {
                Place::Person(who) => {
                    self.diary.note(self.now, Entry::Kept(*who), given);
                    self.diary.note(self.now, Entry::GivenBack(*who), taken);
                }
                Place::Fund(fund) => {
                    self.funds[*fund].owes += taken;
                    self.funds[*fund].again += given;
                }
            }
        }
    }

    /// Something went back, or came again: `change` is what is done to the list of it.
    pub(crate) fn go(&mut self, at: usize, change: impl FnOnce(&mut Vec<Going>)) -> [i128; 2] {
        let before = self.payments[at].reversed();
        change(&mut self.payments[at].goings);
        let step = [before, self.payments[at].reversed()];
        self.diary.note(self.now, Entry::Reversed, (step[1] - before).max(0));
        self.diary.note(self.now, Entry::Restored, (before - step[1]).max(0));
        if self.payments[at].parts.is_some() {
            self.take_parts(at, step);
        } else {
            self.payments[at].steps.push(step);
        }
        step
    }

    /// Takes a reversal from the holders of then, of one pool; says whether anybody gave.
    pub(crate) fn mirror(&mut self, at: usize, fund: usize, [before, after]: [i128; 2]) -> bool {
        let paid = &self.payments[at];
        let part = paid.parts.as_ref().and_then(|parts| parts.get(&Place::Fund(fund)));
        let Some(part) = part else { return false };
        let fund = &mut self.funds[fund];
        let given = fund.given_back(&paid.stream, *part, [before, after, paid.amount]);
        for (who, share) in &given {
            self.people[*who].mirrored += share;
            fund.owes -= share;
        }
        !given.is_empty()
    }

    /// Gives out what waits in every pool, by what stood there before any of them did; says how
    /// many did it at once.
    pub(crate) fn declare(&mut self, at: i128) -> usize {
        let drawable: Vec<i128> =
            self.funds.iter().map(|fund| fund.fed_by.map_or(0, |who| self.payable(who))).collect();
        let mut count = 0;
        for (fund, drawn) in self.funds.iter_mut().zip(drawable) {
            if fund.flow_millis.is_some() {
                fund.let_in(at);
            } else if fund.declare(drawn) {
                count += 1;
                if let Some(who) = fund.fed_by {
                    self.people[who].passed_on += drawn;
                    fund.drawn += drawn;
                }
            }
        }
        count
    }

    /// Writes down what a unit of every pool has got by now.
    pub(crate) fn note_indexes(&mut self, now: i128) {
        for fund in &mut self.funds {
            if fund.indexes.last().is_none_or(|(_, index)| *index != fund.per_unit) {
                fund.indexes.push((now, fund.per_unit));
            }
        }
    }

    /// Whether units of a pool for this holder would lead its money back to it.
    pub(crate) fn is_circle(&self, fund: usize, holder: usize) -> bool {
        let Some(own) = FED.iter().position(|fed| *fed == Some(holder)) else { return false };
        let mut reached = vec![own];
        let mut at = 0;
        while at < reached.len() {
            for (next, fed) in FED.iter().enumerate() {
                let leads = fed.is_some_and(|who| self.funds[reached[at]].units[who] > 0);
                if leads && !reached.contains(&next) {
                    reached.push(next);
                }
            }
            at += 1;
        }
        reached.contains(&fund)
    }
}

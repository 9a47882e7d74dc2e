//! What a process can be told to do, as the dice have it.

use divvy_core::{Error, FeesSet, Name, PayeeSet, RuleSet, Time, Units};

use crate::simulation::people::{Approval, By, Rotation, draw_by};
use crate::simulation::prices::draw_fees;
use crate::simulation::refunds::Refund;
use crate::simulation::scene::Scene;
use crate::simulation::till::Receipt;
use crate::simulation::wishes::Wish;

/// What a process can be told to do.
#[derive(Clone, Debug)]
pub(super) enum Job {
    /// Open the books, their pools and their first rules.
    SetUp {
        rules: Vec<RuleSet>,
        issues: Vec<Vec<(Name, Units)>>,
    },
    /// A tick of the worker.
    Tick,
    Record {
        book: Name,
        receipts: Vec<Receipt>,
    },
    Declare {
        book: Name,
    },
    Refund(Refund),
    SetRule {
        book: Name,
        rule: RuleSet,
        by: By,
    },
    SetPayee {
        book: Name,
        payee: Name,
        set: PayeeSet,
    },
    Hold {
        book: Name,
        payee: Name,
        by: By,
    },
    Release {
        book: Name,
        payee: Name,
        by: By,
    },
    Approve(Approval),
    HandOver(Rotation),
    Wish(Wish),
    SetFees {
        book: Name,
        fees: FeesSet,
        by: By,
    },
    Issue {
        book: Name,
        pool: Name,
        holder: Name,
        units: Units,
    },
    Move {
        book: Name,
        pool: Name,
        from: Name,
        to: Name,
        units: u64,
    },
    Redeem {
        book: Name,
        pool: Name,
        holder: Name,
        units: u64,
    },
    Checkpoint,
    /// Everything from zero.
    Verify,
}

/// Holders and their first units.
pub(super) type Entries = Vec<(Name, Units)>;

impl Scene {
    /// What a process is told to do next.
    pub(super) fn draw_job(&mut self) -> Result<Job, Error> {
        if self.dice.permille(200)
            && let Some(approval) = Approval::draw(&self.witness.waiting(), &mut self.dice)
        {
            return Ok(Job::Approve(approval));
        }
        let Self { town, dice, till, now, .. } = self;
        let book = town.book(dice)?;
        let wish = dice.permille(140).then(|| Wish::draw(town, *now, dice)).transpose()?;
        if let Some(wish) = wish.flatten() {
            return Ok(Job::Wish(wish));
        }
        Ok(match dice.below(103) {
            0..=48 => Job::Tick,
            49..=54 => match till.pick(&book, dice) {
                Some(receipt) => Job::Refund(Refund::draw(receipt, dice)?),
                None => Job::Tick,
            },
            55..=69 => {
                let start = Time::from_millis(crate::simulation::scene::START_MILLIS);
                let receipts = till.next(&book, (start, *now), &town.payees, dice)?;
                Job::Record { book, receipts }
            }
            70..=76 => Job::Declare { book },
            77..=80 => {
                let (pool, holder) = (town.pool(dice)?, town.payee(dice)?);
                let units = Units::new(dice.within(1, pool.opened.supply.get()))?;
                Job::Issue { book, pool: pool.name, holder, units }
            }
            81..=84 => {
                let (pool, from, to) =
                    (town.pool(dice)?.name, town.payee(dice)?, town.payee(dice)?);
                Job::Move { book, pool, from, to, units: dice.within(1, 100) }
            }
            85..=86 => {
                let (pool, holder) = (town.pool(dice)?.name, town.payee(dice)?);
                Job::Redeem { book, pool, holder, units: dice.within(1, 100) }
            }
            87..=90 => {
                let payee = town.payee(dice)?;
                let destination = town.destination(&payee, dice)?;
                let set = PayeeSet { destination: Some(destination), policy: None };
                Job::SetPayee { book, payee, set }
            }
            91..=92 => {
                let policy = Some(crate::simulation::town::Town::policy(dice)?);
                let set = PayeeSet { destination: None, policy };
                Job::SetPayee { book, payee: town.payee(dice)?, set }
            }
            93 => Job::Hold { book, payee: town.payee(dice)?, by: draw_by(dice)? },
            94..=95 => Job::Release { book, payee: town.payee(dice)?, by: draw_by(dice)? },
            96 => {
                let from = now.plus_secs(dice.below(7_200));
                Job::SetRule { book, rule: town.rule(from, from, dice)?, by: draw_by(dice)? }
            }
            97..=98 => Job::Checkpoint,
            99..=100 => Job::HandOver(Rotation::draw(book, dice)?),
            101 => Job::SetFees { book, fees: draw_fees(dice)?, by: draw_by(dice)? },
            _ => Job::Verify,
        })
    }

    /// The first job of all.
    pub(super) fn draw_set_up(&mut self) -> Result<Job, Error> {
        let Self { town, dice, now, .. } = self;
        let rules = town.books.iter().map(|_| town.rule(Time::ZERO, *now, dice));
        let rules = rules.collect::<Result<_, Error>>()?;
        let mut issues = Vec::new();
        for pool in &town.pools {
            let mut entries = Entries::new();
            let mut left = pool.opened.supply.get();
            for payee in town.payees.iter().filter(|payee| !town.circles(pool, payee)) {
                let units = dice.within(0, left);
                left = left.saturating_sub(units);
                entries.push((payee.clone(), Units::new(units)?));
            }
            issues.push(entries);
        }
        Ok(Job::SetUp { rules, issues })
    }
}

//! What may happen to the ledger, as small numbers that are taken modulo what there is by then.

use crate::action::{Dice, Heard, Part, Target};
use crate::lab::START;

pub(crate) const PEOPLE: usize = 8;
pub(crate) const FUNDS: usize = 4;
/// Whose earnings go to the holders of which pool.
pub(crate) const FED: [Option<usize>; FUNDS] = [None, Some(6), Some(7), None];
/// Whose declarations commit to their holders.
pub(crate) const PROVEN: [bool; FUNDS] = [true, false, true, false];
/// The pool whose money flows.
pub(crate) const FLOWING: usize = 3;

pub(crate) type Legs = Vec<(Target, Part)>;

#[derive(Clone, Debug)]
pub(crate) enum Deed {
    Pass {
        secs: u64,
    },
    Rule {
        from_secs: u64,
        plan: Plan,
        sign: Sign,
    },
    Issuer {
        key: usize,
        sign: Sign,
    },
    Refer {
        who: usize,
        by: usize,
    },
    Divide,
    Declare,
    Issue {
        fund: usize,
        entries: Vec<(usize, u64)>,
    },
    Move {
        fund: usize,
        from: usize,
        to: usize,
        units: u64,
    },
    Redeem {
        fund: usize,
        holder: Option<usize>,
        units: u64,
    },
    Compound {
        fund: usize,
        holder: usize,
        percent: u64,
    },
    Record {
        minor: u64,
        ago_secs: u64,
        payer: Option<usize>,
        rate: Option<(u64, u64)>,
        kept: u64,
    },
    Reverse {
        payment: usize,
        percent: u64,
        again: bool,
        mirror: bool,
    },
    Restore {
        payment: usize,
        which: usize,
    },
    Lose {
        payment: usize,
        which: usize,
    },
    Bring {
        payee: usize,
        earned: u64,
        paid: u64,
    },
    Fees {
        ceiling: Option<u64>,
        borne_max: Option<u64>,
    },
    Pay {
        lines_max: usize,
        quoted: u64,
        greedy: bool,
        wished: bool,
    },
    Hear {
        batch: usize,
        answer: Heard,
        bill: Option<Bill>,
    },
    /// Forgetting to sign is what nobody may in a book that knows people.
    Release {
        payee: usize,
        forgets: bool,
    },
    Hold {
        payee: usize,
        forgets: bool,
    },
    Terms {
        payee: Option<usize>,
        set: Set,
    },
    Quote {
        fee: u64,
        rate: Option<(u64, u64)>,
        secs: u64,
    },
    LoseQuote,
    /// A fee above what somebody would pay falls without reaching it, and then they earn a little
    /// in a pool.
    Sway {
        who: usize,
        bps: u64,
        over: [u64; 2],
    },
    /// A statement of a rail comes, with differences.
    Statement {
        roll: u64,
    },
    Break {
        which: usize,
        close: bool,
    },
    Demand {
        payee: usize,
        fee_max: u64,
    },
    Guard {
        limit: u64,
        needed: usize,
        people: usize,
    },
    Approve {
        batch: usize,
        who: usize,
        forged: bool,
    },
    Sign {
        batch: usize,
    },
    Cancel {
        batch: usize,
    },
    /// Somebody looks how the treasury is.
    Look,
    Note {
        id: u64,
        purpose: Noted,
        minor: u64,
    },
}

/// How something that only the issuer may do is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// With the issuer's key, where there is one.
    AsWanted,
    Not,
    /// With the key before, or anybody's.
    ByAnother,
    /// For the place before.
    Stale,
    /// For another book.
    Elsewhere,
    /// Over something else.
    OfAnother,
}

/// When payable money is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pays {
    AtOnce,
    From { min: u64, wait_secs: Option<u64> },
    Every { secs: u64, from: u64, min: Option<u64> },
    Dates { each: Each, min: Option<u64> },
}

/// What begins at a midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Each {
    Day,
    Week,
    Month,
}

/// Terms of payouts from now on; whatever is not there stays.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Set {
    pub(crate) pays: Option<Pays>,
    pub(crate) share: Option<Option<(u64, Option<u64>)>>,
    /// In another asset, where there is a rate.
    pub(crate) floor: Option<(u64, Option<(u64, u64)>)>,
}

/// What a rail says that a try has cost, and what it moved instead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bill {
    pub(crate) own: Option<u64>,
    pub(crate) coin: Option<u64>,
    /// For each unit that was to be paid a hundred of these or so, and by which rate they are
    /// worth what.
    pub(crate) moved: Option<(u64, u64, u64)>,
}

/// What no payment and no payout tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Noted {
    Replenished,
    Withdrawn,
    FeeEarned,
    FeePaid,
    Expected { days: u64 },
    Arrived,
    Missed,
    Drawn,
    Repaid,
    CreditLimit,
    Reserve,
}

/// A rule with everything that one may hold.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) legs: Legs,
    /// From how many seconds after the rule on, beyond what, and who gets what then.
    pub(crate) tiers: Vec<(Option<u64>, Option<u64>, Legs)>,
    pub(crate) upline: Option<Upline>,
}

#[derive(Clone, Debug)]
pub(crate) struct Upline {
    /// Hundredths of a payment, and the most that a level gets.
    pub(crate) levels: Vec<(u64, Option<u64>)>,
    pub(crate) rest: Target,
    pub(crate) each_most: Option<u64>,
    pub(crate) most: Option<u64>,
}

impl Deed {
    /// What happens in this place of this seed's history.
    pub(crate) fn at(seed: u64, at: usize) -> Self {
        let dice = &mut Dice::new(seed ^ 0x00C0_FFEE, 1 + at as u64);
        match at {
            0 => Self::Rule { from_secs: 0, plan: Plan::any(dice), sign: Sign::AsWanted },
            1..5 => {
                let entry = |dice: &mut Dice| (dice.place(6), dice.size(30));
                Self::Issue { fund: at - 1, entries: (0..3).map(|_| entry(dice)).collect() }
            }
            5 if seed.is_multiple_of(3) => {
                Self::Guard { limit: dice.size(9), needed: 1, people: 2 }
            }
            6 if seed.is_multiple_of(2) => Self::Terms { payee: None, set: Set::any(dice) },
            _ => Self::any(dice),
        }
    }

    fn any(dice: &mut Dice) -> Self {
        let (payment, payee) = (dice.place(1 << 20), dice.place(PEOPLE as u64));
        match dice.below(78) {
            0..=3 => Self::Pass { secs: dice.pause() },
            4 => Self::Pass { secs: dice.below(5) * 43_200 },
            5 => Self::Rule {
                from_secs: dice.below(4) * 500,
                plan: Plan::any(dice),
                sign: Sign::any(dice),
            },
            6 | 7 => Self::Refer { who: payee, by: dice.place(6) },
            8..=10 => Self::Divide,
            11..=15 => Self::Declare,
            16..=19 => Self::units(dice),
            20 | 21 => {
                let (fund, percent) = (dice.place(FUNDS as u64), dice.below(5) * 30);
                Self::Compound { fund, holder: payee, percent }
            }
            22..=30 => Self::Record {
                minor: dice.size(34),
                ago_secs: dice.below(5) * 500,
                payer: (!dice.one_in(3)).then_some(payee),
                rate: dice.one_in(4).then(|| (dice.below(300), 1 + dice.below(120))),
                kept: if dice.one_in(4) { dice.below(60) } else { 0 },
            },
            31..=35 => Self::Reverse {
                payment,
                percent: [100, 33, 50, 1 + dice.below(110)][dice.place(4)],
                again: dice.one_in(8),
                mirror: dice.one_in(2),
            },
            36 | 37 => Self::Restore { payment, which: dice.place(4) },
            38 => Self::Lose { payment, which: dice.place(4) },
            39 => Self::Bring { payee, earned: dice.size(20), paid: dice.size(20) },
            40..=55 => Self::paying(dice),
            56..=67 => Self::people(dice),
            _ => Self::beside(dice),
        }
    }

    fn beside(dice: &mut Dice) -> Self {
        let who = dice.place(PEOPLE as u64);
        match dice.below(11) {
            10 => Self::Look,
            0 | 1 => Self::Issuer { key: dice.place(3), sign: Sign::any(dice) },
            2 => Self::Rule {
                from_secs: dice.below(4) * 500,
                plan: Plan::any(dice),
                sign: Sign::any(dice),
            },
            3 => Self::Pass { secs: dice.below(500) * 7_200 },
            4..=6 => Self::Statement { roll: dice.below(1 << 40) },
            7 => Self::Break { which: dice.place(1 << 20), close: dice.one_in(2) },
            _ => Self::Sway {
                who,
                over: [20 + dice.below(10), 1 + dice.below(5)],
                bps: 50 + dice.below(850),
            },
        }
    }

    fn paying(dice: &mut Dice) -> Self {
        let some = |dice: &mut Dice, bits| (!dice.one_in(3)).then(|| dice.size(bits));
        match dice.below(16) {
            0 => Self::Fees { ceiling: some(dice, 8), borne_max: some(dice, 7) },
            1..=4 => Self::Pay {
                lines_max: 1 + dice.place(4),
                quoted: dice.below(260),
                greedy: dice.one_in(6),
                wished: dice.one_in(3),
            },
            5..=10 => Self::Hear {
                batch: dice.place(1 << 20),
                answer: dice.answer(),
                bill: dice.one_in(2).then(|| Bill::any(dice)),
            },
            11 | 12 => {
                let payee = dice.place(PEOPLE as u64);
                Self::Release { payee, forgets: dice.one_in(9) }
            }
            _ => Self::Note { id: dice.below(7), purpose: Noted::any(dice), minor: dice.size(24) },
        }
    }

    fn people(dice: &mut Dice) -> Self {
        let batch = dice.place(1 << 20);
        match dice.below(24) {
            0..=4 => Self::Terms {
                payee: dice.one_in(2).then(|| dice.place(PEOPLE as u64)),
                set: Set::any(dice),
            },
            5..=8 => Self::Quote {
                fee: dice.below(120),
                rate: dice.one_in(3).then(|| (1 + dice.below(9), 1 + dice.below(9))),
                secs: dice.below(6) * 2_000,
            },
            9 if dice.one_in(2) => {
                let payee = dice.place(PEOPLE as u64);
                Self::Hold { payee, forgets: dice.one_in(3) }
            }
            9 => Self::LoseQuote,
            10..=12 => {
                Self::Demand { payee: dice.place(PEOPLE as u64), fee_max: dice.below(3) * 100 }
            }
            13 | 14 => {
                let people = 1 + dice.place(3);
                let needed = 1 + dice.place(people as u64);
                Self::Guard { limit: dice.size(22), needed, people }
            }
            15..=18 => Self::Approve { batch, who: dice.place(3), forged: dice.one_in(6) },
            19..=22 => Self::Sign { batch },
            _ => Self::Cancel { batch },
        }
    }

    fn units(dice: &mut Dice) -> Self {
        let fund = dice.place(FUNDS as u64);
        let holder = dice.place(PEOPLE as u64);
        match dice.below(6) {
            0..=2 => {
                let entry = |dice: &mut Dice| (dice.place(PEOPLE as u64), dice.size(40) - 1);
                let entries = (0..1 + dice.below(3)).map(|_| entry(dice)).collect();
                Self::Issue { fund, entries }
            }
            3 => Self::Redeem { fund, holder: Some(holder), units: dice.size(12) },
            // Now and then a pool has nobody for a while.
            4 => Self::Redeem { fund, holder: None, units: u64::MAX },
            _ => {
                let to = dice.place(PEOPLE as u64);
                Self::Move { fund, from: holder, to, units: dice.size(30) }
            }
        }
    }
}

impl Sign {
    /// Mostly as it is wanted.
    fn any(dice: &mut Dice) -> Self {
        let all = [Self::Not, Self::ByAnother, Self::Stale, Self::Elsewhere, Self::OfAnother];
        if dice.one_in(2) { Self::AsWanted } else { all[dice.place(5)] }
    }
}

impl Set {
    fn any(dice: &mut Dice) -> Self {
        let some = |dice: &mut Dice| dice.one_in(2).then(|| dice.below(9) * 3_000);
        let pays = match dice.below(7) {
            0 => None,
            1 => Some(Pays::AtOnce),
            4 => Some(Pays::From { min: 1 + dice.size(12), wait_secs: some(dice) }),
            2 | 3 => Some(Pays::Dates {
                each: [Each::Day, Each::Week, Each::Month, Each::Month][dice.place(4)],
                min: dice.one_in(2).then(|| 1 + dice.size(10)),
            }),
            _ => Some(Pays::Every {
                secs: [86_400, 604_800, 3_600, 7_777][dice.place(4)],
                from: if dice.one_in(2) { START } else { 0 } + dice.below(40) * 1_800_000,
                min: dice.one_in(2).then(|| 1 + dice.size(10)),
            }),
        };
        let share =
            (!dice.one_in(3)).then(|| (!dice.one_in(3)).then(|| (1 + dice.below(900), some(dice))));
        let rate = |dice: &mut Dice| (1 + dice.below(30), 1 + dice.below(30));
        let floor = dice.one_in(4).then(|| (dice.below(30), dice.one_in(2).then(|| rate(dice))));
        Self { pays, share, floor }
    }
}

impl Bill {
    fn any(dice: &mut Dice) -> Self {
        let some = |dice: &mut Dice| dice.one_in(2).then(|| dice.below(90));
        let rate = |dice: &mut Dice| (50 + dice.below(100), dice.below(200), dice.below(150));
        Self { own: some(dice), coin: some(dice), moved: dice.one_in(2).then(|| rate(dice)) }
    }
}

impl Noted {
    fn any(dice: &mut Dice) -> Self {
        let days = dice.below(4);
        let all = [
            Self::Replenished,
            Self::Withdrawn,
            Self::FeeEarned,
            Self::FeePaid,
            Self::Expected { days },
            Self::Arrived,
            Self::Missed,
            Self::Drawn,
            Self::Repaid,
            Self::CreditLimit,
            Self::Reserve,
        ];
        all[dice.place(all.len() as u64)]
    }
}

impl Plan {
    fn any(dice: &mut Dice) -> Self {
        let rest = target(dice);
        let mut tiers = Vec::new();
        let mut over = 0;
        for _ in 0..dice.below(3) {
            over += dice.size(16);
            tiers.push((None, Some(over), legs(dice, rest)));
        }
        if dice.one_in(3) {
            let (from, mut over) = ((1 + dice.below(4)) * 500, dice.size(14));
            tiers.push((Some(from), None, legs(dice, rest)));
            for _ in 0..dice.below(2) {
                over += dice.size(14);
                tiers.push((Some(from), Some(over), legs(dice, rest)));
            }
        }
        if dice.one_in(3) {
            tiers.clear();
        }
        let most = |dice: &mut Dice| dice.one_in(3).then(|| dice.size(18));
        let upline = dice.one_in(3).then(|| Upline {
            levels: (0..1 + dice.below(3)).map(|_| (1 + dice.below(30), most(dice))).collect(),
            rest,
            each_most: most(dice),
            most: most(dice),
        });
        Self { legs: legs(dice, rest), tiers, upline }
    }
}

fn target(dice: &mut Dice) -> Target {
    match dice.below(2) {
        0 => Target::Payee(dice.place(PEOPLE as u64)),
        _ => Target::Pool(dice.place(FUNDS as u64)),
    }
}

/// Caps one after another, then portions, and what remains goes to `rest`.
fn legs(dice: &mut Dice, rest: Target) -> Legs {
    let mut legs = vec![(rest, Part::Remaining)];
    let mut whole = [100, 7, 12][dice.place(3)];
    let denominator = whole;
    for _ in 0..dice.below(5) {
        let to = target(dice);
        if legs.iter().any(|(known, _)| *known == to) {
            continue;
        }
        let part = if whole == 0 || dice.one_in(3) {
            Part::UpTo(dice.size(14))
        } else {
            let part = 1 + dice.below(whole);
            whole -= part;
            Part::Portion(part, denominator)
        };
        legs.push((to, part));
    }
    let turned = dice.place(legs.len() as u64);
    legs.rotate_left(turned);
    legs
}

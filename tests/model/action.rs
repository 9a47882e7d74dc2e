//! What may happen to books, as small numbers that are taken modulo what there is by then.

/// How many of each there are.
pub(crate) const BOOKS: u64 = 2;
pub(crate) const PAYEES: u64 = 7;
pub(crate) const POOLS: u64 = 2;
pub(crate) const RAILS: u64 = 2;

#[derive(Clone, Debug)]
pub(crate) enum Action {
    Pass {
        secs: u64,
    },
    /// The clock of the machine is put back; facts go on at the newest.
    PutBack {
        secs: u64,
    },
    Rule {
        from_secs: u64,
        legs: Vec<(Target, Part)>,
    },
    Pool {
        pool: usize,
        supply: u64,
    },
    Issue {
        pool: usize,
        entries: Vec<(usize, u64)>,
    },
    Move {
        pool: usize,
        from: usize,
        to: usize,
        units: u64,
    },
    Redeem {
        pool: usize,
        holder: usize,
        units: u64,
    },
    /// Unchecked is what joins a host's own transaction: nobody asks whether a rule is there.
    Record {
        minor: u64,
        ago_secs: u64,
        checked: bool,
    },
    Declare,
    Choose {
        payee: usize,
        destination: Option<Place>,
        policy: Option<Policy>,
    },
    Hold {
        payee: usize,
    },
    Release {
        payee: usize,
    },
    Tick,
    Pay {
        lines_max: usize,
        off: Off,
        claims: [Claim; 2],
    },
    Hear {
        batch: usize,
        attempt: usize,
        answer: Heard,
        tip: Option<u64>,
    },
    Sign {
        batch: usize,
        claim: Claim,
        again: bool,
    },
    Cancel {
        batch: usize,
    },
    Decide {
        batch: usize,
        attempt: usize,
        verdict: Verdict,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Payee(usize),
    Pool(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    UpTo(u64),
    Portion(u64, u64),
    Remaining,
}

/// A destination: which rail, and which of some addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) rail: usize,
    pub(crate) address: u64,
}

/// Instant is a threshold of one minor unit without a wait, and compares as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    Instant,
    Threshold { min: u64, wait_secs: Option<u64> },
}

/// What a planner does to the lines that are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Off {
    Nothing,
    /// One line pays a unit more than is payable.
    More,
    /// One line pays a unit less.
    Less,
    /// One line is there twice.
    Twice,
    /// One line goes to an address of the planner's own.
    Elsewhere,
    /// There are no lines.
    Nobody,
}

/// What a try claims, and how long it may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) coin: Option<u64>,
    pub(crate) window: Window,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Window {
    Unlimited,
    Until,
    UntilHeight(u64),
    Once,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Unknown,
    Accepted,
    Final,
    Void,
    Undone,
    Refused {
        line: Option<u32>,
    },
    /// By bits; none means all.
    Returned {
        lines: u32,
    },
}

/// What a person writes after they have looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Settled,
    Voided,
    Refused,
    Reopened,
    Review,
}

/// Numbers that follow from a seed and a place, and from nothing else.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64, at: u64) -> Self {
        let mut dice =
            Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ at.wrapping_mul(0xD1B5_4A33));
        dice.roll();
        dice.roll();
        dice
    }

    /// One step of splitmix64.
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.roll() % limit
    }

    pub(crate) fn place(&mut self, limit: u64) -> usize {
        usize::try_from(self.below(limit)).unwrap()
    }

    pub(crate) fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }

    /// Mostly small, now and then as large as the exponent allows.
    pub(crate) fn size(&mut self, bits_max: u64) -> u64 {
        let bits = if self.one_in(6) { bits_max } else { bits_max.min(11) };
        let chosen = 1 + self.below(bits);
        1 + self.below(1 << chosen)
    }

    /// Round numbers, so that limits are met exactly, and what a try's deadline and grace take.
    pub(crate) fn pause(&mut self) -> u64 {
        match self.below(6) {
            0 => [0, 300, 360, 361][self.place(4)],
            _ => self.below(18) * 500,
        }
    }

    pub(crate) fn policy(&mut self, floor: u64) -> Policy {
        if self.one_in(4) {
            return Policy::Instant;
        }
        // As much as can be written is a threshold too.
        let large = if self.one_in(12) { i64::MAX.unsigned_abs() } else { 0 };
        let min = (floor + self.below(900)).max(large).saturating_sub(self.below(30));
        let wait_secs =
            [None, Some(self.below(20) * 1_000), Some(u64::MAX)][self.place(7).min(2) % 3];
        Policy::Threshold { min, wait_secs: if self.one_in(2) { None } else { wait_secs } }
    }

    fn claim(&mut self) -> Claim {
        let coin = if self.one_in(4) { None } else { Some(self.below(8)) };
        let window = match self.below(5) {
            0 => Window::Unlimited,
            1 => Window::UntilHeight(self.below(6)),
            2 => Window::Once,
            _ => Window::Until,
        };
        Claim { coin, window }
    }

    fn legs(&mut self) -> Vec<(Target, Part)> {
        let mut targets: Vec<Target> = (0..PAYEES)
            .map(|at| Target::Payee(usize::try_from(at).unwrap()))
            .chain([Target::Pool(0), Target::Pool(1)])
            .collect();
        let mut legs = Vec::new();
        for _ in 0..self.below(2) {
            let to = targets.swap_remove(self.place(targets.len() as u64));
            legs.push((to, Part::UpTo(self.size(20))));
        }
        let whole = [100, 3, 7, 1_000_003][self.place(4)];
        let mut left = whole;
        for _ in 0..self.below(4) {
            let part = 1 + self.below(left);
            let to = targets.swap_remove(self.place(targets.len() as u64));
            legs.push((to, Part::Portion(part, whole)));
            left -= part;
            if left == 0 {
                break;
            }
        }
        if left > 0 {
            let pool = Target::Pool(self.place(POOLS));
            let to = if targets.contains(&pool) && !self.one_in(3) {
                pool
            } else {
                targets[self.place(targets.len() as u64)]
            };
            legs.push((to, Part::Remaining));
        }
        let turned = self.place(legs.len() as u64);
        legs.rotate_left(turned);
        legs
    }

    pub(crate) fn answer(&mut self) -> Heard {
        match self.below(12) {
            0 => Heard::Unknown,
            1 => Heard::Accepted,
            2..=5 => Heard::Final,
            6 | 7 => Heard::Void,
            8 => Heard::Undone,
            9 => Heard::Refused { line: if self.one_in(2) { None } else { Some(self.line()) } },
            _ => Heard::Returned { lines: u32::try_from(self.below(10)).unwrap() },
        }
    }

    fn line(&mut self) -> u32 {
        u32::try_from(self.below(4)).unwrap()
    }
}

impl Action {
    /// Whether it is about a batch, which may be of either book.
    pub(crate) const fn is_of_a_batch(&self) -> bool {
        matches!(
            self,
            Self::Hear { .. } | Self::Sign { .. } | Self::Cancel { .. } | Self::Decide { .. }
        )
    }

    /// What happens in this place of this seed's history, and to which book.
    pub(crate) fn at(seed: u64, at: usize) -> (usize, Self) {
        let dice = &mut Dice::new(seed, 1 + at as u64);
        // A book that nobody can earn from is a dull one: begin with what makes it work.
        match at {
            0..4 => (at % 2, Self::Pool { pool: at / 2, supply: dice.size(62) }),
            4 | 5 => (at % 2, Self::Rule { from_secs: 0, legs: dice.legs() }),
            _ => (dice.place(BOOKS), Self::any(dice)),
        }
    }

    fn any(dice: &mut Dice) -> Self {
        match dice.below(34) {
            0..=2 => Self::Pass { secs: dice.pause() },
            3 => Self::PutBack { secs: dice.below(8) * 500 },
            4 => Self::Rule { from_secs: dice.below(6) * 500, legs: dice.legs() },
            5 => Self::Pool { pool: dice.place(POOLS), supply: dice.below(2_000) },
            6..=9 => Self::units(dice),
            10..=15 => Self::Record {
                minor: dice.size(48),
                ago_secs: dice.below(5) * 500,
                checked: !dice.one_in(4),
            },
            16..=18 => Self::Declare,
            19 | 20 => Self::choose(dice),
            21 => Self::Hold { payee: dice.place(PAYEES) },
            22 => Self::Release { payee: dice.place(PAYEES) },
            23 => Self::Tick,
            kind => Self::paying(kind, dice),
        }
    }

    fn units(dice: &mut Dice) -> Self {
        let pool = dice.place(POOLS);
        match dice.below(6) {
            0..=2 => {
                let entry = |dice: &mut Dice| (dice.place(PAYEES), dice.size(60) - dice.below(2));
                let entries = (0..1 + dice.below(4)).map(|_| entry(dice)).collect();
                Self::Issue { pool, entries }
            }
            3 => Self::Redeem { pool, holder: dice.place(PAYEES), units: dice.size(60) },
            _ => {
                let (from, to) = (dice.place(PAYEES), dice.place(PAYEES));
                Self::Move { pool, from, to, units: dice.size(60) - dice.below(2) }
            }
        }
    }

    fn choose(dice: &mut Dice) -> Self {
        let place = Place { rail: dice.place(RAILS), address: dice.below(3) };
        let destination = (!dice.one_in(3)).then_some(place);
        let policy = (!dice.one_in(3)).then(|| dice.policy(dice_floor()));
        Self::Choose { payee: dice.place(PAYEES), destination, policy }
    }

    fn paying(kind: u64, dice: &mut Dice) -> Self {
        let (batch, attempt) = (dice.place(1 << 20), dice.place(1 << 20));
        match kind {
            24..=26 => Self::Pay {
                lines_max: 1 + dice.place(4),
                off: match dice.below(16) {
                    0 => Off::More,
                    1 | 2 => Off::Less,
                    3 => Off::Twice,
                    4 => Off::Elsewhere,
                    5 => Off::Nobody,
                    _ => Off::Nothing,
                },
                claims: [dice.claim(), dice.claim()],
            },
            27..=30 => {
                let tip = (!dice.one_in(3)).then(|| dice.below(9));
                Self::Hear { batch, attempt, answer: dice.answer(), tip }
            }
            31 => Self::Sign { batch, claim: dice.claim(), again: dice.one_in(8) },
            32 => Self::Cancel { batch },
            _ => {
                let all = [
                    Verdict::Settled,
                    Verdict::Voided,
                    Verdict::Refused,
                    Verdict::Reopened,
                    Verdict::Review,
                ];
                Self::Decide { batch, attempt, verdict: all[dice.place(5)] }
            }
        }
    }
}

/// Around the floors that books have, so that some thresholds are refused.
const fn dice_floor() -> u64 {
    4
}

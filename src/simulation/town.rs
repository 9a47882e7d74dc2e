//! Who lives in a simulation: books, payees, pools, and the rails that pay them.

use std::sync::Arc;

use divvy_core::{
    Amount, Asset, Code, Destination, Error, Leg, Legs, Name, Opened, Policy, Rail, Ratio, Share,
    Target, Timing, Units,
};

use crate::sandbox::{RailSettings, Sandbox, WindowKind};
use crate::simulation::dice::Dice;
use crate::simulation::knobs::Knobs;

/// Books, payees, pools and rails, as the seed has them.
#[derive(Clone, Debug)]
pub(super) struct Town {
    pub(super) books: Vec<(Name, Opened)>,
    pub(super) payees: Vec<Name>,
    pub(super) pools: Vec<Pool>,
    pub(super) rails: Vec<(WindowKind, Arc<Sandbox>)>,
    /// Settled batches are looked at again after so long: soon, to see what is undone, or late, to
    /// see what came back.
    pub(super) watches_soon: bool,
    /// How far time leaps when it does.
    pub(super) leaps: u64,
}

/// A pool and the supply that it is opened for.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    pub(super) name: Name,
    pub(super) supply: Units,
}

/// The rails, one for each window.
pub(super) const RAILS: [(&str, WindowKind); 4] = [
    ("unlimited", WindowKind::Unlimited),
    ("until", WindowKind::Until),
    ("height", WindowKind::UntilHeight),
    ("once", WindowKind::Once),
];

/// Nothing lands later than so long after it was started.
pub(super) const LAG_SECS: u64 = 60;
/// Longer than the lag by what a clock may be behind, and by what a request takes.
const GRACE_SECS: u64 = 120;
const DEADLINE_SECS: u64 = 300;
/// What is undone is undone for ten minutes, ten minutes after it was final.
const WATCH_SOON_SECS: u64 = 900;
/// What comes back does so after a day.
const WATCH_LATE_SECS: u64 = 172_800;
const COOLING_SECS: u64 = 7_200;

impl Town {
    pub(super) fn new(knobs: &Knobs, dice: &mut Dice) -> Result<Self, Error> {
        let watches_soon = dice.permille(400);
        let watch_secs = if watches_soon { WATCH_SOON_SECS } else { WATCH_LATE_SECS };
        let timing =
            Timing { grace_secs: GRACE_SECS, deadline_secs_max: DEADLINE_SECS, watch_secs };
        let lines_max = usize::try_from(dice.within(1, 6)).unwrap_or(1);
        let rail = |(name, window): (&str, WindowKind)| -> Result<_, Error> {
            let settings = RailSettings::at(&format!("http://{name}/"), Name::new("till")?)?;
            let name = Name::new(name)?;
            let settings = RailSettings { name, window, lines_max, timing, ..settings };
            Ok((window, Arc::new(Sandbox::new(settings)?)))
        };
        let rails = RAILS.into_iter().map(rail).collect::<Result<_, Error>>()?;
        let payees = names("p", dice.within(3, knobs.payments.clamp(4, 12)))?;
        let supplies = [3, 7, 1_000, 1_000_000_000];
        let mut pools = Vec::new();
        for name in names("pool", dice.within(1, 2))? {
            let supply = Units::new(dice.pick(&supplies).copied().unwrap_or(1))?;
            pools.push(Pool { name, supply });
        }
        let leaps = if dice.permille(300) { 5 } else { 1 };
        let mut books = Vec::new();
        for name in names("book", dice.within(1, 2))? {
            books.push((name, opened(dice)?));
        }
        Ok(Self { books, payees, pools, rails, watches_soon, leaps })
    }

    pub(super) fn rails(&self) -> Vec<Arc<dyn Rail>> {
        let shared = |(_, rail): &(WindowKind, Arc<Sandbox>)| -> Arc<dyn Rail> {
            Arc::<Sandbox>::clone(rail)
        };
        self.rails.iter().map(shared).collect()
    }

    pub(super) fn payee(&self, dice: &mut Dice) -> Result<Name, Error> {
        drawn(dice, &self.payees)
    }

    pub(super) fn pool(&self, dice: &mut Dice) -> Result<Pool, Error> {
        drawn(dice, &self.pools)
    }

    pub(super) fn book(&self, dice: &mut Dice) -> Result<Name, Error> {
        drawn(dice, &self.books).map(|(name, _)| name)
    }

    /// Where a payee may want to be paid; some places refuse or send back.
    pub(super) fn destination(&self, payee: &Name, dice: &mut Dice) -> Result<Destination, Error> {
        let (window, rail) = drawn(dice, &self.rails)?;
        let comes_back = window != WindowKind::Once && !self.watches_soon;
        let beginning = match dice.below(30) {
            0 => "refuse:",
            1 => "closed:",
            2 if comes_back => "return:",
            _ => "",
        };
        let address = format!("{beginning}{payee}-{}", dice.below(3));
        Ok(Destination { rail: rail.name().clone(), address })
    }

    /// A rule that gives something to some payees and, mostly, to a pool.
    pub(super) fn legs(&self, dice: &mut Dice) -> Result<Legs, Error> {
        let mut targets: Vec<Target> = Vec::new();
        for _ in 0..dice.within(0, 3) {
            let payee = Target::Payee(self.payee(dice)?.as_str().to_owned());
            if !targets.contains(&payee) {
                targets.push(payee);
            }
        }
        for pool in self.pools.iter().filter(|_| dice.permille(800)) {
            targets.push(Target::Pool(pool.name.as_str().to_owned()));
        }
        if targets.is_empty() {
            targets.push(Target::Payee(self.payee(dice)?.as_str().to_owned()));
        }
        let last = targets.len().saturating_sub(1);
        let mut legs = Vec::with_capacity(targets.len());
        for (at, to) in targets.into_iter().enumerate() {
            let share = match dice.below(4) {
                _ if at == last => Share::Remaining,
                0 => Share::UpTo(Amount::new(dice.within(1, 500))?),
                1 => Share::Portion(Ratio::new(1, dice.within(6, 9))?),
                _ => Share::Portion(Ratio::new(dice.within(1, 20), 100)?),
            };
            legs.push(Leg { to, share });
        }
        Legs::new(legs)
    }

    /// A policy that a payee may choose, whatever the floor.
    pub(super) fn policy(dice: &mut Dice) -> Result<Policy, Error> {
        Ok(match dice.below(3) {
            0 => Policy::Instant,
            1 => Policy::Threshold {
                min: Amount::new(dice.within(100, 50_000))?,
                max_wait_secs: None,
            },
            _ => Policy::Threshold {
                min: Amount::new(dice.within(100, 5_000_000))?,
                max_wait_secs: Some(dice.within(60, 100_000)),
            },
        })
    }
}

/// How a book begins.
fn opened(dice: &mut Dice) -> Result<Opened, Error> {
    let named_on = match dice.below(5) {
        0 => None,
        _ => RAILS.get(dice.place(RAILS.len())).map(|(name, _)| Name::new(name)).transpose()?,
    };
    Ok(Opened {
        asset: Asset::parse("USD")?,
        policy: Town::policy(dice)?,
        floor: Amount::new(dice.within(1, 100))?,
        cooling_secs: COOLING_SECS,
        named_on,
    })
}

fn names(stem: &str, count: u64) -> Result<Vec<Name>, Error> {
    (0..count).map(|n| Name::new(&format!("{stem}{n}"))).collect()
}

fn drawn<T: Clone>(dice: &mut Dice, from: &[T]) -> Result<T, Error> {
    let empty = || Error::new(Code::InputMalformed, "nobody to draw from: use other knobs");
    dice.pick(from).cloned().ok_or_else(empty)
}

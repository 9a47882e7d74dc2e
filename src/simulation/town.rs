//! Who lives in a simulation: books, payees, pools, and the rails that pay them.

use std::sync::Arc;

use divvy_core::{
    Amount, Asset, Code, Destination, Error, FeeShare, FeesSet, Guarded, Name, Opened, Period,
    Policy, PoolOpened, Rail, Time, Timing, Units,
};

use crate::sandbox::{RailSettings, Sandbox, WindowKind};
use crate::simulation::dice::Dice;
use crate::simulation::features::Features;
use crate::simulation::issuers::Issuer;
use crate::simulation::knobs::Knobs;
use crate::simulation::people::draw_guard;
use crate::simulation::planted::Planted;
use crate::simulation::prices::{Price, draw_fees, draw_share};
use crate::simulation::swap::Swap;

/// Books, payees, pools and rails, as the seed has them.
#[derive(Clone, Debug)]
pub(super) struct Town {
    pub(super) features: Features,
    pub(super) books: Vec<(Name, Opened)>,
    /// The terms of each book, in the books' order.
    pub(super) terms: Vec<Terms>,
    pub(super) payees: Vec<Name>,
    pub(super) pools: Vec<Pool>,
    pub(super) rails: Vec<(WindowKind, Arc<Sandbox>)>,
    /// Rails lie about what moved.
    swaps_low: bool,
    /// What each rail costs, in the rails' order.
    pub(super) prices: Vec<Price>,
    /// Settled batches are looked at again after so long: soon, to see what is undone, or late, to
    /// see what came back.
    pub(super) watches_soon: bool,
    /// How far time leaps when it does.
    pub(super) leaps: u64,
}

/// What a book begins with beside its rule.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) guarded: Option<Guarded>,
    /// Whose key sets the rules, where that is so from the beginning.
    pub(super) issuer: Option<Issuer>,
    pub(super) fees: Option<FeesSet>,
    pub(super) share: FeeShare,
}

/// A pool and how it is opened.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    pub(super) name: Name,
    pub(super) opened: PoolOpened,
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
        let features = Features::draw(dice);
        let watches_soon = dice.permille(550);
        let watch_secs = if watches_soon { WATCH_SOON_SECS } else { WATCH_LATE_SECS };
        let timing =
            Timing { grace_secs: GRACE_SECS, deadline_secs_max: DEADLINE_SECS, watch_secs };
        let lines_max = usize::try_from(dice.within(1, 6)).unwrap_or(1);
        let prices =
            RAILS.iter().map(|_| Price::draw(features, dice)).collect::<Result<Vec<_>, Error>>()?;
        let rail = |((name, window), price): (_, &Price)| -> Result<_, Error> {
            let settings = RailSettings::at(&format!("http://{name}/"), Name::new("till")?)?;
            let name = Name::new(name)?;
            let (fee_asset, fee_quoted) = (price.asset.clone(), price.quoted);
            let settings = RailSettings { name, window, lines_max, timing, ..settings };
            let settings = RailSettings { fee_asset, fee_quoted, ..settings };
            Ok((window, Arc::new(Sandbox::new(settings)?)))
        };
        let rails = RAILS.into_iter().zip(&prices).map(rail).collect::<Result<_, Error>>()?;
        let mut payees = names("p", dice.within(3, knobs.payments.clamp(4, 12)))?;
        let pools = pools(features, dice)?;
        payees.extend(pools.iter().filter_map(|pool| pool.opened.payee.clone()));
        let leaps = if dice.permille(300) { 5 } else { 1 };
        let (mut books, mut terms) = (Vec::new(), Vec::new());
        for name in names("book", dice.within(1, 2))? {
            books.push((name, opened(dice)?));
            terms.push(Terms::draw(features, dice)?);
        }
        let swaps_low = knobs.planted == Some(Planted::SwapsLow);
        Ok(Self {
            features,
            books,
            terms,
            payees,
            pools,
            rails,
            swaps_low,
            prices,
            watches_soon,
            leaps,
        })
    }

    pub(super) fn rails(&self) -> Vec<Arc<dyn Rail>> {
        let shared = |((_, rail), price): (&(_, Arc<Sandbox>), &Price)| -> Arc<dyn Rail> {
            let sandbox = Arc::<Sandbox>::clone(rail);
            match price.rate {
                Some(rate) => Arc::new(Swap { sandbox, rate, lies: self.swaps_low }),
                None => sandbox,
            }
        };
        self.rails.iter().zip(&self.prices).map(shared).collect()
    }

    /// What a rail costs, by its name.
    pub(super) fn price(&self, rail: &str) -> Option<&Price> {
        let at = RAILS.iter().position(|(name, _)| *name == rail)?;
        self.prices.get(at)
    }

    /// How a book was opened.
    pub(super) fn opened(&self, book: &Name) -> Option<&Opened> {
        self.books.iter().find(|(name, _)| name == book).map(|(_, opened)| opened)
    }

    /// How much of a line its fee may be in a book.
    pub(super) fn share_of(&self, book: &str) -> FeeShare {
        let at = self.books.iter().position(|(name, _)| name.as_str() == book);
        at.and_then(|at| self.terms.get(at)).map_or(FeeShare::Any, |terms| terms.share)
    }

    pub(super) fn payee(&self, dice: &mut Dice) -> Result<Name, Error> {
        drawn(dice, &self.payees)
    }

    /// Whether somebody's units of a pool would lead money round in a circle.
    pub(super) fn circles(&self, pool: &Pool, holder: &Name) -> bool {
        let fed = self.pools.iter().position(|other| other.opened.payee.as_ref() == Some(holder));
        let own = self.pools.iter().position(|other| other.name == pool.name);
        fed.is_some() && fed <= own
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

    /// A policy that a payee may choose, whatever the floor.
    pub(super) fn policy(dice: &mut Dice) -> Result<Policy, Error> {
        Ok(match dice.below(4) {
            0 => Policy::Instant,
            1 => {
                let weekday = Period::Every { secs: 604_800, from: Time::from_millis(61_200_000) };
                let periods = [Period::DAILY, Period::WEEKLY, Period::Monthly, weekday];
                let every = dice.pick(&periods).copied().unwrap_or(Period::DAILY);
                let min = dice.permille(400).then(|| Amount::new(dice.within(100, 20_000)));
                Policy::Periodic { every, min: min.transpose()? }
            }
            2 => Policy::Threshold {
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

impl Terms {
    fn draw(features: Features, dice: &mut Dice) -> Result<Self, Error> {
        let issues = features.issues && dice.permille(700);
        let issuer = issues.then(|| Issuer::draw(dice)).transpose()?;
        let guarded = dice.permille(350).then(|| draw_guard(dice)).transpose()?;
        let fees = dice.permille(500).then(|| draw_fees(dice)).transpose()?;
        Ok(Self { guarded, issuer, fees, share: draw_share(dice) })
    }
}

/// Some pools. Money of some flows over time; those after the first may hold units of those before
/// them.
fn pools(features: Features, dice: &mut Dice) -> Result<Vec<Pool>, Error> {
    let mut pools: Vec<Pool> = Vec::new();
    let most = if features.nests { 3 } else { 2 };
    for name in names("pool", dice.within(1, most))? {
        let supplies = [3, 7, 1_000, 1_000_000_000];
        let supply = Units::new(dice.pick(&supplies).copied().unwrap_or(1))?;
        let flows = features.flows && dice.permille(600);
        let flow_millis = flows.then(|| dice.within(0, 100_000_000));
        let nests = features.nests && !flows && !pools.is_empty() && dice.permille(700);
        let payee = nests.then(|| Name::new(&format!("{name}-fund"))).transpose()?;
        let proves = features.proves && !flows && dice.permille(700);
        let proofs = proves.then_some(1);
        pools.push(Pool { name, opened: PoolOpened { supply, flow_millis, proofs, payee } });
    }
    Ok(pools)
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

//! A rule as it would be applied by hand: bands of an amount, and whoever brought the payer.

use std::collections::BTreeMap;

use crate::action::{Part, Target};
use crate::book::parts;
use crate::money::deed::{Legs, PEOPLE, Plan, Upline};

/// A rule, and all that it has counted.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) from: i128,
    /// Its place among the facts of the book's rules.
    pub(crate) n: u64,
    plan: Plan,
    pub(crate) divided: i128,
    levels: Vec<i128>,
    people: Vec<i128>,
}

/// Who got what of one payment, each named once.
pub(crate) type Parts = BTreeMap<Place, i128>;

/// Where a part goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Person(usize),
    Fund(usize),
}

impl From<Target> for Place {
    fn from(target: Target) -> Self {
        match target {
            Target::Payee(who) => Self::Person(who),
            Target::Pool(fund) => Self::Fund(fund),
        }
    }
}

impl Rule {
    pub(crate) fn new(from: i128, plan: Plan, n: u64) -> Self {
        let levels = plan.upline.as_ref().map_or(0, |upline| upline.levels.len());
        Self { from, n, plan, divided: 0, levels: vec![0; levels], people: vec![0; PEOPLE] }
    }

    /// Whether what a payment brings depends on those before it.
    pub(crate) fn counts(&self) -> bool {
        self.plan.upline.is_some() || self.plan.tiers.iter().any(|(_, over, _)| over.is_some())
    }

    /// The legs that hold at a moment, each with the amount from which on it does.
    fn bands(&self, at: i128) -> Vec<(i128, Legs)> {
        let start = |secs: &Option<u64>| secs.map(|secs| self.from + i128::from(secs) * 1_000);
        let begun = self.plan.tiers.iter().filter_map(|(from, _, _)| start(from));
        let group = begun.filter(|from| *from <= at).max();
        let own = group.is_none().then(|| (0, self.plan.legs.clone()));
        let tiers = self.plan.tiers.iter().filter(|(from, _, _)| start(from) == group);
        let tiers = tiers.map(|(_, over, legs)| (i128::from(over.unwrap_or(0)), legs.clone()));
        own.into_iter().chain(tiers).collect()
    }

    /// Divides the next payment. `above` are those who brought the payer, the nearest first.
    pub(crate) fn divide(&mut self, amount: i128, at: i128, above: &[usize]) -> Parts {
        let mut got = Parts::new();
        let bands = self.bands(at);
        if !self.counts() {
            give(&bands[0].1, amount, &mut got);
            return got;
        }
        let mut left = amount;
        for (number, (_, legs)) in bands.iter().enumerate() {
            let end = bands.get(number + 1).map_or(i128::MAX, |(over, _)| *over);
            let piece = left.min((end - self.divided).max(0));
            if piece == 0 {
                continue;
            }
            left -= piece;
            self.divided += piece;
            let base = match self.plan.upline.clone() {
                Some(upline) => self.lift(&upline, piece, above, &mut got),
                None => piece,
            };
            give(legs, base, &mut got);
        }
        got.retain(|_, part| *part > 0);
        got
    }

    /// Gives the levels their parts of a piece; says what is left for the legs.
    fn lift(&mut self, upline: &Upline, piece: i128, above: &[usize], got: &mut Parts) -> i128 {
        let nobody = Target::Payee(0);
        let mut legs: Legs =
            upline.levels.iter().map(|(part, _)| (nobody, Part::Portion(*part, 100))).collect();
        legs.push((nobody, Part::Remaining));
        let mut shares: Vec<i128> = shares(&legs, piece);
        let base = shares.pop().unwrap();
        let room = |most: Option<u64>, has: i128| {
            most.map_or(i128::MAX, |most| (i128::from(most) - has).max(0))
        };
        for (level, share) in shares.into_iter().enumerate() {
            let mut given = 0;
            if let Some(person) = above.get(level) {
                let all: i128 = self.levels.iter().sum();
                given = share
                    .min(room(upline.levels[level].1, self.levels[level]))
                    .min(room(upline.each_most, self.people[*person]))
                    .min(room(upline.most, all));
                self.levels[level] += given;
                self.people[*person] += given;
                *got.entry(Place::Person(*person)).or_default() += given;
            }
            *got.entry(upline.rest.into()).or_default() += share - given;
        }
        base
    }

    /// Everyone and every pool that it names.
    pub(crate) fn named(&self) -> impl Iterator<Item = Place> {
        let tiers = self.plan.tiers.iter().flat_map(|(_, _, legs)| legs);
        self.plan.legs.iter().chain(tiers).map(|(to, _)| Place::from(*to))
    }
}

fn give(legs: &Legs, amount: i128, got: &mut Parts) {
    for ((to, _), part) in legs.iter().zip(shares(legs, amount)) {
        *got.entry(Place::from(*to)).or_default() += part;
    }
}

fn shares(legs: &Legs, amount: i128) -> Vec<i128> {
    let parts = parts(legs, u64::try_from(amount).unwrap());
    parts.into_iter().map(i128::from).collect()
}

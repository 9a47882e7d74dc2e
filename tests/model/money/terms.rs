//! Who is due: the terms of everybody and of those who have others, the fee that is quoted, and
//! who asked to be paid now. Found by asking everyone.

use crate::money::deed::{FED, FUNDS, PEOPLE, Pays};
use crate::money::ledger::Ledger;

/// How much of a line its fee may be, in hundredths of a percent, and for how long it matters.
pub(crate) type Share = Option<(u64, Option<u64>)>;

#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) pays: Pays,
    pub(crate) share: Share,
    pub(crate) floor: i128,
    pub(crate) own: Vec<(Option<Pays>, Option<Share>)>,
    /// What the rail charges for a line, and how long that may be relied on.
    pub(crate) quote: Option<(i128, i128)>,
    /// What each has asked for and nobody has served: at which fee, and until when.
    pub(crate) asked: Vec<Option<(i128, i128)>>,
    since: Vec<Option<Since>>,
    /// Everybody's figures as they were, to see who was looked at.
    looked: Vec<Vec<i128>>,
}

/// Since when something is payable. Whoever waits for nothing but an amount is watched by nobody:
/// should they wait for a day from now on, their time runs from when somebody looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Since {
    first: i128,
    noticed: Option<i128>,
}

/// Days later a wish has lapsed.
pub(crate) const LAPSES: i128 = 3 * 86_400_000;

impl Terms {
    pub(crate) fn new() -> Self {
        Self {
            pays: Pays::AtOnce,
            share: None,
            floor: 1,
            own: vec![(None, None); PEOPLE],
            quote: None,
            asked: vec![None; PEOPLE],
            since: vec![None; PEOPLE],
            looked: vec![Vec::new(); PEOPLE],
        }
    }

    pub(crate) fn of(&self, who: usize) -> (Pays, Share) {
        let (pays, share) = self.own[who];
        (pays.unwrap_or(self.pays), share.unwrap_or(self.share))
    }

    /// From how much on time runs.
    pub(crate) fn runs_from(&self, who: usize) -> i128 {
        match self.of(who).0 {
            Pays::AtOnce | Pays::From { .. } => 1,
            Pays::Every { min, .. } | Pays::Dates { min, .. } => {
                i128::from(min.unwrap_or(1)).max(self.floor)
            }
        }
    }

    /// Since when something waits, and when it was surely noticed.
    pub(crate) fn since(&self, who: usize) -> Option<(i128, Option<i128>)> {
        self.since[who].map(|since| (since.first, since.noticed))
    }

    /// Follows since when everyone waits; whoever is in `seen` was looked at, or everybody.
    pub(crate) fn refresh(&mut self, ledger: &Ledger, now: i128, seen: &[usize]) {
        for who in 0..PEOPLE {
            let person = &ledger.people[who];
            let mut figures = vec![
                ledger.one_shot(who),
                ledger.paid(who),
                person.reserved,
                person.mirrored,
                person.held.into(),
            ];
            figures.extend((0..FUNDS).map(|fund| ledger.funds[fund].units[who]));
            let touched = seen.contains(&who) || figures != self.looked[who];
            self.looked[who] = figures;
            let (pays, share) = self.of(who);
            let waits = match pays {
                Pays::AtOnce => false,
                Pays::From { wait_secs, .. } => wait_secs.is_some(),
                Pays::Every { .. } | Pays::Dates { .. } => true,
            };
            let watched = waits || person.held || share.is_some_and(|(_, ends)| ends.is_some());
            let runs = ledger.payable(who) >= self.runs_from(who);
            let noticed = (touched || watched).then_some(now);
            self.since[who] = match self.since[who] {
                _ if !runs => None,
                None => Some(Since { first: now, noticed }),
                Some(since) if since.noticed.is_none() && touched => {
                    Some(Since { noticed, ..since })
                }
                since => since,
            };
        }
    }

    /// Whether somebody is surely due, and whether they may be.
    pub(crate) fn is_due(&self, ledger: &Ledger, who: usize, now: i128) -> (bool, bool) {
        let payable = ledger.payable(who);
        if payable == 0 || ledger.people[who].held || FED.contains(&Some(who)) {
            return (false, false);
        }
        let since = self.since[who];
        let surely = self.says_now(who, payable, since.and_then(|since| since.noticed), now);
        (surely, self.says_now(who, payable, since.map(|since| since.first), now))
    }

    /// Whether the policy says now, whatever it costs.
    pub(crate) fn is_met(&self, who: usize, payable: i128, since: Option<i128>, now: i128) -> bool {
        let (pays, _) = self.of(who);
        let over = |secs: u64| since.is_some_and(|since| since + i128::from(secs) * 1_000 <= now);
        match pays {
            Pays::AtOnce => payable >= self.floor,
            Pays::From { min, wait_secs } => {
                payable >= i128::from(min).max(self.floor)
                    || payable >= self.floor && wait_secs.is_some_and(over)
            }
            Pays::Every { min, .. } | Pays::Dates { min, .. } => {
                payable >= i128::from(min.unwrap_or(1)).max(self.floor)
                    && since.and_then(|since| pays.boundary(since)).is_some_and(|at| at <= now)
            }
        }
    }

    fn says_now(&self, who: usize, payable: i128, since: Option<i128>, now: i128) -> bool {
        let met = self.is_met(who, payable, since, now);
        let over = |secs: u64| since.is_some_and(|since| since + i128::from(secs) * 1_000 <= now);
        let (_, share) = self.of(who);
        let Some((bps, ends)) = share else { return met };
        let cheap = self
            .quote
            .is_some_and(|(fee, until)| now <= until && fee * 10_000 <= payable * i128::from(bps));
        met && (cheap || ends.is_some_and(over))
    }

    /// Whether a wish to be paid now stands.
    pub(crate) fn asks(&self, who: usize, now: i128) -> Option<i128> {
        self.asked[who].filter(|(_, until)| now <= *until).map(|(fee_max, _)| fee_max)
    }
}

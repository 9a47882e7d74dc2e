//! Terms, quotes and wishes: what both books are asked about who is due.

use std::collections::BTreeMap;

use divvy_core::{
    Amount, Asset, Code, FeeQuote, FeeShare, Line, Obstacle, Period, Policy, Rate, Rounding,
    Stated, TermsSet, Time,
};

use crate::lab::{Same, amount, payee_name, rail, same, text, usd};
use crate::money::deed::{Deed, Each, FED, FUNDS, PEOPLE, Pays, Set};
use crate::money::lab::{BOOK, Lab};
use crate::money::pay::who;
use crate::money::terms::LAPSES;

/// How often somebody earns a little in a pool.
const TRICKLES: usize = 6;

impl Lab {
    /// Sets terms for everybody or for one; says whether it was done.
    pub(crate) fn set_terms(&mut self, payee: Option<usize>, set: &Set) -> Same<bool> {
        let floor = set.floor.map(|(minor, rate)| stated_floor(minor, rate));
        let after = floor.as_ref().filter(|_| payee.is_none());
        let after = after.map_or(self.terms.floor, |floor| floor.0.max(1));
        let min = match set.pays {
            Some(Pays::From { min, .. }) => Some(min),
            Some(Pays::Every { min, .. } | Pays::Dates { min, .. }) => min,
            Some(Pays::AtOnce) | None => None,
        };
        let low = min.is_some_and(|min| i128::from(min) < after);
        let odd = low || payee.is_some() && floor.is_some();
        let real = TermsSet {
            policy: set.pays.map(real_policy),
            fee_share: set.share.map(|share| match share {
                None => FeeShare::Any,
                Some((bps, waits_secs)) => FeeShare::AtMost { bps, waits_secs },
            }),
            floor: floor.as_ref().map(|(floor, _)| amount(u64::try_from(*floor).unwrap())),
            floor_stated: floor.clone().and_then(|(_, stated)| stated),
            ..TermsSet::NONE
        };
        let step = match payee {
            None => self.book().set_terms(real, self.time()),
            Some(payee) => self.book().set_payee_terms(&payee_name(payee), real, self.time()),
        };
        if !self.agreed(step, if odd { Err(Code::PolicyMalformed) } else { Ok(()) })? {
            return Ok(false);
        }
        match payee {
            None => {
                self.terms.pays = set.pays.unwrap_or(self.terms.pays);
                self.terms.share = set.share.unwrap_or(self.terms.share);
                self.terms.floor = after;
            }
            Some(payee) => {
                self.ledger.people[payee].known = true;
                let own = &mut self.terms.own[payee];
                *own = (set.pays.or(own.0), set.share.or(own.1));
            }
        }
        Ok(true)
    }

    /// What the rail charges for a line from now on.
    pub(crate) fn quote(&mut self, fee: u64, rate: Option<(u64, u64)>, secs: u64) -> Same {
        let coin = Asset::parse("SOL@9").map_err(text)?;
        let until = self.time().plus_secs(secs);
        let quote = FeeQuote {
            rail: rail(0),
            asset: if rate.is_some() { coin.clone() } else { usd() },
            fee: amount(fee),
            rate: rate.map(|terms| Rate::new((coin, usd()), terms, "a node", Time::ZERO).unwrap()),
            source: "a node".to_owned(),
            at: self.time(),
            until,
        };
        let now = self.time();
        self.books.book_mut(BOOK).unwrap().take_quote(&quote, now).map_err(text)?;
        let (num, den) = rate.map_or((1, 1), |(num, den)| (i128::from(num), i128::from(den)));
        let worth = (i128::from(fee) * num + den - 1) / den;
        self.terms.quote = Some((worth, until.millis().into()));
        Ok(())
    }

    /// Somebody waits for nothing but a fee, which is quoted above what they would pay, and then
    /// just above it; and they earn a little in a pool again and again, until the smaller fee is
    /// small enough. Nobody but the pool has changed since, and no second quote comes.
    pub(crate) fn sway(&mut self, payee: usize, bps: u64, over: [u64; 2]) -> Same {
        let most = |lab: &Self, who: usize| lab.ledger.payable(who) * i128::from(bps) / 10_000;
        let units = |lab: &Self, who: usize, fund: usize| lab.ledger.funds[fund].units[who];
        let could = |who: &usize| {
            let free = !self.ledger.people[*who].held && !FED.contains(&Some(*who));
            free && most(self, *who) > 20 && (0..FUNDS).any(|fund| units(self, *who, fund) > 0)
        };
        let who: Vec<usize> = (0..PEOPLE).filter(could).collect();
        let Some(at) = payee.checked_rem(who.len()) else { return Ok(()) };
        let who = who[at];
        let share = Some(Some((bps, None)));
        self.set_terms(Some(who), &Set { pays: Some(Pays::AtOnce), share, floor: None })?;
        let fees = over.map(|over| most(self, who) * (100 + i128::from(over)) / 100 + 1);
        for fee in fees {
            self.quote(u64::try_from(fee).unwrap(), None, 6_000)?;
        }
        let fund = (0..FUNDS).max_by_key(|fund| units(self, who, *fund)).unwrap();
        for _ in 0..TRICKLES {
            let supply = self.ledger.funds[fund].supply;
            let more = self.ledger.payable(who) * supply / units(self, who, fund) / 20 + 1;
            self.record([u64::try_from(more.min(1 << 40)).unwrap(), 0, 0], None, None)?;
            self.act_plainly(&Deed::Divide)?;
            self.act_plainly(&Deed::Declare)?;
            if most(self, who) >= fees[1] {
                break;
            }
        }
        Ok(())
    }

    /// A payee asks to be paid now, at so much at most.
    pub(crate) fn demand(&mut self, payee: usize, fee_max: u64) -> Same {
        let now = i128::from(self.now);
        // Mostly one who could be paid, and is not.
        let may = |who: &usize| {
            let free = !self.ledger.people[*who].held && !FED.contains(&Some(*who));
            let due = self.terms.is_due(&self.ledger, *who, now);
            free && self.ledger.payable(*who) >= self.terms.floor && due == (false, false)
        };
        let waiting: Vec<usize> = (0..PEOPLE).filter(may).collect();
        let among = payee.checked_rem(waiting.len()).filter(|_| payee > 0);
        let payee = among.map_or(payee, |at| waiting[at]);
        let person = &self.ledger.people[payee];
        let again = self.terms.asks(payee, now) == Some(fee_max.into());
        let may = !person.held
            && !FED.contains(&Some(payee))
            && self.ledger.payable(payee) >= self.terms.floor;
        let expected = match (again, person.known, may) {
            (true, _, _) | (_, true, true) => Ok(()),
            (_, false, _) => Err(Code::PayeeUnknown),
            (_, true, false) => Err(Code::DemandRefused),
        };
        let step = self.book().demand(&payee_name(payee), amount(fee_max), self.time());
        if self.agreed(step, expected)? && !again {
            self.terms.asked[payee] = Some((fee_max.into(), now + LAPSES));
        }
        Ok(())
    }

    /// Who is due, and who is paid only because they asked for it, by asking everyone.
    pub(crate) fn compare_due(&self) -> Same {
        let mut woken = self.books.clone();
        woken.book_mut(BOOK).unwrap().wake_waited(self.time()).map_err(text)?;
        let book = woken.book(BOOK).map_err(text)?;
        let lines = |dues: Vec<divvy_core::Due>| -> BTreeMap<usize, Amount> {
            let lines = dues.into_iter().flat_map(|due| due.lines);
            lines.map(|line: Line| (who(&line), line.amount)).collect()
        };
        let due = lines(book.due(self.time()).map_err(text)?);
        let wished = lines(book.demanded(self.time(), |_| true).map_err(text)?);
        let waits = book.waits(self.time()).map_err(text)?;
        for one in 0..PEOPLE {
            let of = |what: &str| format!("{what} of {one}, {:?}", self.terms.of(one));
            let payable = self.ledger.payable(one);
            let (surely, maybe) = self.terms.is_due(&self.ledger, one, self.now.into());
            let is_due = due.contains_key(&one);
            if is_due && !maybe || surely && !is_due {
                return Err(of(&format!("{payable} are due: {is_due}, and not")));
            }
            let asks = self.terms.asks(one, self.now.into()).is_some();
            let free = !self.ledger.people[one].held && !FED.contains(&Some(one));
            let served = asks && free && !is_due && payable >= self.terms.floor;
            same(&of("a wish"), wished.contains_key(&one), served)?;
            if self.ledger.people[one].known {
                let real = book.balance(payee_name(one).as_str(), self.time()).map_err(text)?;
                let waits = waits.iter().find(|wait| wait.payee == payee_name(one));
                let kept = waits.map(|wait| (i128::from(wait.payable.get()), wait.expected_on));
                let keeps = self.obstacle(one).unwrap_or_else(|| told_of(real.obstacle.as_ref()));
                let keeps = payable > 0 && !["nothing", "a pool"].contains(&keeps.0);
                let own = keeps.then_some((payable, real.expected_on));
                same(&of("what is kept back"), kept, own)?;
                let told = told_of(real.obstacle.as_ref());
                same(&of("the obstacle"), told, self.obstacle(one).unwrap_or(told))?;
                let expected = self.expected(one, is_due);
                let expected = expected.unwrap_or(real.expected_on);
                same(&of("when it is expected"), real.expected_on, expected)?;
            }
            for found in [due.get(&one), wished.get(&one)].into_iter().flatten() {
                same(&of("what is paid"), i128::from(found.get()), payable)?;
            }
        }
        Ok(())
    }
}

/// What keeps somebody's money back, with the fee and the most that they pay.
fn told_of(obstacle: Option<&Obstacle>) -> (&'static str, i128, i128) {
    match obstacle {
        None => ("nothing", 0, 0),
        Some(Obstacle::PassedOn(_)) => ("a pool", 0, 0),
        Some(Obstacle::Held(_)) => ("a hold", 0, 0),
        Some(Obstacle::NoQuote(_) | Obstacle::QuoteOld { .. }) => ("no fee", 0, 0),
        Some(Obstacle::FeeAbove { fee, most, .. }) => {
            ("the fee", i128::from(fee.get()), i128::from(most.get()))
        }
        Some(_) => ("another", 0, 0),
    }
}

/// A floor as it is stated, and what it comes to, rounded up.
fn stated_floor(minor: u64, rate: Option<(u64, u64)>) -> (i128, Option<Stated>) {
    let Some((num, den)) = rate else { return (minor.into(), None) };
    let worth = (i128::from(minor) * i128::from(num) + i128::from(den) - 1) / i128::from(den);
    let euro = Asset::parse("EUR").unwrap();
    let rate = Rate::new((euro, usd()), (num, den), "a bank", Time::ZERO).unwrap();
    let stated = Stated { amount: amount(minor), rate: rate.rounding(Rounding::Up) };
    (worth.max(1), Some(stated))
}

fn real_policy(pays: Pays) -> Policy {
    match pays {
        Pays::AtOnce => Policy::Instant,
        Pays::From { min, wait_secs } => {
            Policy::Threshold { min: amount(min), max_wait_secs: wait_secs }
        }
        Pays::Every { secs, from, min } => Policy::Periodic {
            every: Period::Every { secs, from: Time::from_millis(from) },
            min: min.map(amount),
        },
        Pays::Dates { each, min } => Policy::Periodic {
            every: match each {
                Each::Day => Period::DAILY,
                Each::Week => Period::WEEKLY,
                Each::Month => Period::Monthly,
            },
            min: min.map(amount),
        },
    }
}

//! Statements with differences that were planted, and the breaks that follow from them.

use std::collections::BTreeMap;

use divvy_core::{
    Amount, Asset, BreakCause, BreakState, Code, Direction, Entry, Fate, Firmness, Found, Pile,
    Places, Reconciliation, Terms, Time, reconcile,
};

use crate::action::Dice;
use crate::lab::{Same, amount, evidence, payee_name, same, text, usd};
use crate::money::bytes::hash;
use crate::money::lab::Lab;
use crate::money::ledger::End;

/// What a statement does to the entries of one reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plant {
    Same,
    /// One entry for all of ours.
    Merged,
    /// The first of ours in two.
    Split,
    Missing,
    Double,
    /// So much more, or less.
    Off(i128),
    Asset,
    Direction,
    Party,
    Fee,
}

/// A difference with a statement, by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) cause: BreakCause,
    pub(crate) ours: Option<i128>,
    pub(crate) theirs: Option<i128>,
    pub(crate) event_at: u64,
    pub(crate) since: u64,
    pub(crate) state: BreakState,
}

/// Where the entries of a side in an asset have to end: matched, in flight, held and broken.
type Piles = BTreeMap<String, [(u64, i128); 4]>;

const MATCHED: usize = 0;
const IN_FLIGHT: usize = 1;
const HELD: usize = 2;
const BROKEN: usize = 3;

/// A statement on its way, and all that has to be found.
struct Planted {
    dice: Dice,
    terms: Terms,
    theirs: Vec<Entry>,
    piles: [Piles; 2],
    broken: BTreeMap<String, Broken>,
    matched: Vec<String>,
    tolerated: u64,
    now: u64,
}

fn wide(amount: Amount) -> i128 {
    i128::from(amount.get())
}

fn whole(amount: i128) -> Amount {
    self::amount(u64::try_from(amount).unwrap())
}

/// The name of a break, for ever.
fn id_of(reference: &str) -> String {
    let digest = hash(&[reference.as_bytes()]);
    digest[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Plant {
    fn any(dice: &mut Dice) -> Self {
        match dice.below(14) {
            0 | 1 => Self::Merged,
            2 => Self::Split,
            3 | 4 => Self::Missing,
            5 => Self::Double,
            6 => Self::Off(1 + i128::from(dice.below(6))),
            7 => Self::Off(-1 - i128::from(dice.below(6))),
            8 => Self::Asset,
            9 => Self::Direction,
            10 => Self::Party,
            11 => Self::Fee,
            _ => Self::Same,
        }
    }

    /// What a statement says instead of some entries of ours.
    fn theirs(self, ours: &[Entry]) -> Vec<Entry> {
        let mut theirs = ours.to_vec();
        let all: i128 = ours.iter().map(|entry| wide(entry.amount)).sum();
        if !matches!(self, Self::Same | Self::Fee) {
            theirs.iter_mut().for_each(|entry| entry.fee = None);
        }
        match self {
            Self::Same => {}
            Self::Merged => {
                theirs.truncate(1);
                theirs[0].amount = whole(all);
                theirs[0].party = None;
            }
            Self::Split => {
                let first = wide(theirs[0].amount);
                theirs.insert(0, theirs[0].clone());
                theirs[0].amount = whole(first / 2);
                theirs[1].amount = whole(first - first / 2);
            }
            Self::Missing => theirs.clear(),
            Self::Double => theirs.extend(theirs.clone()),
            Self::Off(by) => theirs[0].amount = whole((wide(theirs[0].amount) + by).max(1)),
            Self::Asset => {
                theirs.iter_mut().for_each(|entry| entry.asset = Asset::parse("EUR").unwrap());
            }
            Self::Direction => theirs.iter_mut().for_each(|entry| {
                entry.direction = match entry.direction {
                    Direction::In => Direction::Out,
                    Direction::Out => Direction::In,
                };
            }),
            Self::Party => theirs[0].party = Some("mallory".to_owned()),
            Self::Fee => theirs[0].fee = theirs[0].fee.map(|fee| whole(wide(fee) + 1)),
        }
        theirs
    }
}

impl Planted {
    /// Puts entries of a side, 0 for ours, where they have to end.
    fn put(&mut self, side: usize, entries: &[Entry], place: usize) {
        for entry in entries {
            let piles = self.piles[side].entry(entry.asset.to_string()).or_default();
            piles[place] = (piles[place].0 + 1, piles[place].1 + wide(entry.amount));
        }
    }

    fn break_(&mut self, reference: &str, cause: BreakCause, [ours, theirs]: [&[Entry]; 2]) {
        self.put(0, ours, BROKEN);
        self.put(1, theirs, BROKEN);
        let sum = |entries: &[Entry]| -> Option<i128> {
            let all = entries.iter().map(|entry| wide(entry.amount)).sum();
            (!entries.is_empty()).then_some(all)
        };
        let event_at = ours.iter().chain(theirs).map(|entry| entry.at.millis()).min().unwrap();
        let (ours, theirs, since) = (sum(ours), sum(theirs), self.now);
        let state = BreakState::Found;
        let broken = Broken { cause, ours, theirs, event_at, since, state };
        self.broken.insert(reference.to_owned(), broken);
    }

    /// Plants something in what both sides have to say of one reference.
    fn plant(&mut self, ours: &[Entry]) {
        let reference = &ours[0].reference;
        let firm = ours[0].firmness;
        // Of batches there are few: each says something else, mostly.
        let few = ours[0].party.is_some() && self.dice.one_in(3);
        let mut plant = if few { Plant::Party } else { Plant::any(&mut self.dice) };
        let late = ours[0].at >= self.terms.statement_until;
        if firm != Firmness::Final && !matches!(plant, Plant::Missing | Plant::Merged) {
            plant = Plant::Same;
        }
        let mut theirs = plant.theirs(ours);
        // They say it happened a little later, which is no difference.
        for entry in &mut theirs {
            let later = entry.at.millis() + self.dice.below(3) * 1_000;
            entry.at = entry.at.max(Time::from_millis(later.min(self.now)));
        }
        self.theirs.extend(theirs.clone());
        let waits = match firm {
            Firmness::Final => IN_FLIGHT,
            Firmness::Open => IN_FLIGHT,
            _ => HELD,
        };
        let settled = if firm == Firmness::Final { MATCHED } else { waits };
        let all: i128 = ours.iter().map(|entry| wide(entry.amount)).sum();
        let other: i128 = theirs.iter().map(|entry| wide(entry.amount)).sum();
        let turned = if plant == Plant::Direction { -other } else { other };
        let apart = (all - turned).abs();
        let near = apart <= wide(self.terms.tolerance);
        let named = |plant| plant == Plant::Party && ours[0].party.is_some();
        let cause = match plant {
            Plant::Asset => Some(BreakCause::Asset),
            Plant::Missing => Some(BreakCause::MissingTheirs),
            plant if named(plant) => Some(BreakCause::Party),
            Plant::Direction if !near => Some(BreakCause::Direction),
            Plant::Double if !near => Some(BreakCause::Duplicate),
            Plant::Off(_) if !near => Some(BreakCause::Amount),
            Plant::Fee if ours.iter().all(|entry| entry.fee.is_some()) => Some(BreakCause::Fee),
            _ => None,
        };
        match cause {
            None => {
                self.put(0, ours, settled);
                self.put(1, &theirs, settled);
                if settled == MATCHED {
                    self.matched.push(reference.clone());
                    self.tolerated += u64::from(apart > 0);
                }
            }
            // What they cannot know yet waits; what they say of it all the same is a difference.
            Some(_) if late || firm != Firmness::Final => {
                self.put(0, ours, waits);
                if !theirs.is_empty() {
                    self.break_(reference, BreakCause::MissingOurs, [&[], &theirs]);
                }
            }
            Some(cause) => self.break_(reference, cause, [ours, &theirs]),
        }
    }

    /// Entries of which our books say nothing.
    fn strangers(&mut self) {
        for which in 0..self.dice.below(4) {
            let minor = whole(1 + i128::from(self.dice.below(900)));
            let ahead = self.dice.below(3) * 1_000;
            let at = Time::from_millis(self.now - 1_000 + ahead);
            let late = at >= self.terms.ours_until;
            let nameless = self.dice.one_in(3);
            let reference = if nameless { String::new() } else { format!("odd {which}") };
            let entry = Entry::paid(&reference, minor, usd(), at);
            let pending = self.dice.one_in(4);
            let firmness = if pending { Firmness::Open } else { Firmness::Final };
            let entry = Entry { firmness, ..entry };
            self.theirs.push(entry.clone());
            if late || pending {
                self.put(1, &[entry], IN_FLIGHT);
            } else if nameless {
                self.break_(&format!("? {which}"), BreakCause::Unsourced, [&[], &[entry]]);
            } else {
                self.break_(&reference, BreakCause::MissingOurs, [&[], &[entry]]);
            }
        }
    }

    /// Holds what was found against what was planted; says by which reference each break is known.
    fn compare(&self, found: &Reconciliation) -> Same<BTreeMap<String, Broken>> {
        for (side, real) in [&found.ours, &found.theirs].into_iter().enumerate() {
            let piles = |places: &Places| {
                let own = [places.matched, places.in_flight, places.held, places.broken];
                own.map(|pile: Pile| (pile.entries, i128::try_from(pile.amount).unwrap()))
            };
            let told: Piles = real.iter().map(|(asset, p)| (asset.clone(), piles(p))).collect();
            same(&format!("places of side {side}"), &told, &self.piles[side])?;
            for (asset, places) in real {
                let sums = self.piles[side][asset].iter();
                let sum = sums.fold((0, 0), |sum, pile| (sum.0 + pile.0, sum.1 + pile.1));
                let all = (places.everything.entries, places.everything.amount);
                same("everything", (all.0, i128::try_from(all.1).unwrap()), sum)?;
            }
        }
        same("tolerated", found.tolerated, self.tolerated)?;
        let told = |found: &Found| Broken {
            cause: found.cause,
            ours: found.ours.map(wide),
            theirs: found.theirs.map(wide),
            event_at: found.event_at.millis(),
            since: self.now,
            state: BreakState::Found,
        };
        let key = |broken: &Broken| (broken.event_at, broken.theirs, broken.ours);
        let is_nameless = |broken: &Broken| broken.cause == BreakCause::Unsourced;
        let mut own: Vec<Broken> = self.broken.values().cloned().collect();
        let mut real: Vec<Broken> = found.breaks.iter().map(told).collect();
        own.sort_by_key(key);
        real.sort_by_key(key);
        same("breaks", real, own)?;
        let mut by_id = BTreeMap::new();
        for found in &found.breaks {
            let own = told(found);
            same("the name of a break", found.id.to_string(), id_of(&found.reference))?;
            if !is_nameless(&own) {
                let planted = self.broken.get(&found.reference);
                same("the break of a reference", Some(&own), planted)?;
            }
            by_id.insert(found.id.to_string(), own);
        }
        same("names of breaks", by_id.len(), self.broken.len())?;
        Ok(by_id)
    }
}

impl Lab {
    /// What our books say moved: each line of each try, each payment, and what went back.
    fn ours(&self) -> Vec<Vec<Entry>> {
        let mut ours = Vec::new();
        for (slip, batch) in self.slips.iter().zip(&self.batches) {
            for (one, real) in slip.batch.tries.iter().zip(batch.tries()) {
                let firmness = match one.fate {
                    Fate::Settled => Firmness::Final,
                    Fate::Void | Fate::Refused => continue,
                    // Whether a person has to look is for whoever tells of it: at every other one.
                    _ if ours.len() % 2 == 1 => Firmness::Held,
                    _ => Firmness::Open,
                };
                let reference = &real.signed.reference;
                let lines = slip.pays().into_iter().map(|(who, pays)| Entry {
                    party: Some(payee_name(who).to_string()),
                    firmness,
                    ..Entry::paid(reference, whole(pays), usd(), Time::from_millis(slip.at))
                });
                ours.push(lines.collect());
            }
        }
        for (at, paid) in self.ledger.payments.iter().enumerate() {
            let event_at = Time::from_millis(u64::try_from(paid.event_at).unwrap());
            let entry = Entry::paid(&format!("in {at}"), whole(paid.amount), usd(), event_at);
            let fee = (at % 2 == 0).then(|| whole(paid.kept));
            ours.push(vec![Entry { direction: Direction::In, fee, ..entry }]);
            for going in paid.goings.iter().filter(|going| going.end != End::Restored) {
                ours.push(vec![Entry::paid(&going.id, whole(going.amount), usd(), event_at)]);
            }
        }
        ours
    }

    /// A statement comes, with all sorts of differences; both find the same, and note it.
    pub(crate) fn reconcile(&mut self, roll: u64) -> Same {
        let ours = self.ours();
        let mut dice = Dice::new(roll, 17);
        let times: Vec<Time> = ours.iter().flatten().map(|entry| entry.at).collect();
        let cut = times.get(dice.place(times.len().max(1) as u64)).copied();
        let statement_until = cut.filter(|_| dice.one_in(2)).unwrap_or(Time::MAX);
        let tolerance = amount(if dice.one_in(2) { 0 } else { dice.below(5) });
        let ours_until = Time::from_millis(self.now + 1);
        let mut planted = Planted {
            terms: Terms { statement_until, ours_until, tolerance },
            dice,
            theirs: Vec::new(),
            piles: [Piles::new(), Piles::new()],
            broken: BTreeMap::new(),
            matched: Vec::new(),
            tolerated: 0,
            now: self.now,
        };
        ours.iter().for_each(|group| planted.plant(group));
        planted.strangers();
        let ours = ours.concat();
        let found = reconcile(&ours, &planted.theirs, &planted.terms);
        found.check().map_err(text)?;
        let broken = planted.compare(&found)?;
        self.refuse_incomplete(&found)?;
        let step = self.book().note_breaks(&found, &evidence(), self.time());
        let count = step.as_ref().map(|step| step.facts().len()).unwrap_or_default();
        self.agreed(step, Ok(()))?;
        same("facts of breaks", count, self.note_found(broken, &planted.matched))
    }

    /// What lacks one unit or one entry is trusted by nobody.
    fn refuse_incomplete(&self, found: &Reconciliation) -> Same {
        let mut bent = found.clone();
        let Some(places) = bent.theirs.values_mut().next() else { return Ok(()) };
        places.everything.amount += 1;
        let noted = self.book().note_breaks(&bent, &evidence(), self.time());
        let code = noted.map(|_| ()).map_err(|error| error.code());
        same("an incomplete comparison", code, Err(Code::ReconcileIncomplete))
    }

    /// Writes down what was found; says how much of it is news.
    fn note_found(&mut self, broken: BTreeMap<String, Broken>, matched: &[String]) -> usize {
        let mut news = 0;
        for (id, mut found) in broken {
            let open = self.breaks.get(&id).filter(|known| known.state != BreakState::Closed);
            let known =
                open.is_some_and(|open| (open.ours, open.theirs) == (found.ours, found.theirs));
            if known {
                continue;
            }
            found.since = open.map_or(found.since, |open| open.since);
            self.breaks.insert(id, found);
            news += 1;
        }
        for reference in matched {
            if let Some(known) = self.breaks.get_mut(&id_of(reference))
                && known.state != BreakState::Closed
            {
                known.state = BreakState::Closed;
                news += 1;
            }
        }
        news
    }

    /// A person says why a break is there, or that it is over.
    pub(crate) fn say_of_break(&mut self, which: usize, close: bool) -> Same {
        let Some(at) = which.checked_rem(self.breaks.len() + 1) else { return Ok(()) };
        let id = self.breaks.keys().nth(at).cloned().unwrap_or_else(|| "never".to_owned());
        let open = self.breaks.get(&id).is_some_and(|known| known.state != BreakState::Closed);
        let (book, now) = (self.book(), self.time());
        let step = if close {
            book.close_break(&id, "they paid it back", now)
        } else {
            book.explain_break(&id, BreakCause::Timing, "they were late", now)
        };
        if self.agreed(step, if open { Ok(()) } else { Err(Code::BreakUnknown) })? {
            let known = self.breaks.get_mut(&id).unwrap();
            known.state = if close { BreakState::Closed } else { BreakState::Explained };
            known.cause = if close { known.cause } else { BreakCause::Timing };
        }
        Ok(())
    }

    pub(crate) fn compare_breaks(&self, book: &divvy_core::Book) -> Same {
        let told = |known: &divvy_core::Break| Broken {
            cause: known.cause,
            ours: known.ours.map(wide),
            theirs: known.theirs.map(wide),
            event_at: known.event_at.millis(),
            since: known.since.millis(),
            state: known.state,
        };
        let real: BTreeMap<String, Broken> =
            book.breaks().map(|(id, known)| (id.to_string(), told(known))).collect();
        same("what is known of breaks", &real, &self.breaks)
    }
}

//! The entries of both sides that have one reference, and where they end.

use std::collections::BTreeMap;

use crate::amount::Amount;
use crate::fact::BreakCause;
use crate::reconcile::{Direction, Entry, Firmness, Found, Place, Reconciliation, Terms, break_id};
use crate::time::Time;

#[derive(Default)]
pub(super) struct Group<'a> {
    pub(super) ours: Vec<&'a Entry>,
    pub(super) theirs: Vec<&'a Entry>,
}

/// Whether two sides say the same.
enum Verdict {
    Same,
    /// Not quite, and it is tolerated.
    Near,
    Other(BreakCause),
}

impl<'a> Group<'a> {
    pub(super) fn settle(self, reference: &str, terms: &Terms, found: &mut Reconciliation) {
        if reference.is_empty() {
            return self.settle_nameless(terms, found);
        }
        let verdict = compare(&self.ours, &self.theirs, terms.tolerance);
        if !matches!(verdict, Verdict::Other(_)) {
            return self.put_together(reference, &verdict, found);
        }
        // What one side cannot know yet, or is not sure of, waits; the rest has to agree now.
        let (ours, later) = split(&self.ours, terms.statement_until);
        let (theirs, later_theirs) = split(&self.theirs, terms.ours_until);
        for entry in later {
            found.put(waiting(entry), &[entry], &[]);
        }
        for entry in later_theirs {
            found.put(waiting(entry), &[], &[entry]);
        }
        let rest = Self { ours, theirs };
        if rest.ours.is_empty() && rest.theirs.is_empty() {
            return;
        }
        match compare(&rest.ours, &rest.theirs, terms.tolerance) {
            Verdict::Other(cause) => rest.put_broken(reference, cause, found),
            verdict @ (Verdict::Same | Verdict::Near) => {
                rest.put_together(reference, &verdict, found);
            }
        }
    }

    /// What names nothing cannot be compared: each entry is a difference of its own.
    fn settle_nameless(self, terms: &Terms, found: &mut Reconciliation) {
        let one = |ours: Vec<&'a Entry>, theirs: Vec<&'a Entry>, until, i: usize| {
            let entry = ours.first().or(theirs.first()).copied()?;
            let alone = Self { ours, theirs };
            if entry.firmness != Firmness::Final || entry.at >= until {
                return Some((waiting(entry), alone, String::new()));
            }
            let side = if alone.ours.is_empty() { "theirs" } else { "ours" };
            let (at, amount) = (entry.at, entry.amount);
            Some((Place::Broken, alone, format!("{side} without a reference {at} {amount} {i}")))
        };
        let ours = numbered(&self.ours);
        let ours = ours.filter_map(|(i, e)| one(vec![e], vec![], terms.statement_until, i));
        let theirs = numbered(&self.theirs);
        let theirs = theirs.filter_map(|(i, e)| one(vec![], vec![e], terms.ours_until, i));
        for (place, alone, name) in ours.chain(theirs) {
            if place == Place::Broken {
                alone.put_broken(&name, BreakCause::Unsourced, found);
            } else {
                found.put(place, &alone.ours, &alone.theirs);
            }
        }
    }

    /// Both say the same; how sure they are decides where it ends.
    fn put_together(&self, reference: &str, verdict: &Verdict, found: &mut Reconciliation) {
        let both = self.ours.iter().chain(&self.theirs);
        let place = match both.map(|entry| entry.firmness).max() {
            Some(Firmness::Held) => Place::Held,
            Some(Firmness::Open) => Place::InFlight,
            Some(Firmness::Final) | None => Place::Matched,
        };
        found.put(place, &self.ours, &self.theirs);
        if place == Place::Matched {
            found.settled.push(break_id(reference));
            let near = u64::from(matches!(verdict, Verdict::Near));
            found.tolerated = found.tolerated.saturating_add(near);
        }
    }

    fn put_broken(&self, reference: &str, cause: BreakCause, found: &mut Reconciliation) {
        found.put(Place::Broken, &self.ours, &self.theirs);
        let both = self.ours.iter().chain(&self.theirs);
        let said = |entries: &[&Entry]| {
            let wide = net(entries).unsigned_abs();
            let amount = Amount::from_wide(wide).unwrap_or(Amount::MAX);
            (!entries.is_empty()).then_some(amount)
        };
        found.breaks.push(Found {
            id: break_id(reference),
            reference: reference.to_owned(),
            cause,
            ours: said(&self.ours),
            theirs: said(&self.theirs),
            event_at: both.map(|entry| entry.at).min().unwrap_or(Time::ZERO),
        });
    }
}

/// Each entry with how many before it look the same, so that its name does not depend on others.
fn numbered<'a>(entries: &[&'a Entry]) -> impl Iterator<Item = (usize, &'a Entry)> {
    let mut seen: BTreeMap<(Time, Amount), usize> = BTreeMap::new();
    entries.iter().map(move |entry| {
        let count = seen.entry((entry.at, entry.amount)).or_default();
        *count = count.saturating_add(1);
        (*count, *entry)
    })
}

/// The entries that the other side has to know, and those that wait.
fn split<'a>(entries: &[&'a Entry], until: Time) -> (Vec<&'a Entry>, Vec<&'a Entry>) {
    let known = |entry: &&Entry| entry.firmness == Firmness::Final && entry.at < until;
    entries.iter().copied().partition(known)
}

fn waiting(entry: &Entry) -> Place {
    if entry.firmness == Firmness::Held { Place::Held } else { Place::InFlight }
}

/// What came in less what went out; out counts down. Of several assets only the first counts.
fn net(entries: &[&Entry]) -> i128 {
    let asset = entries.first().map(|entry| &entry.asset);
    let own = entries.iter().filter(|entry| Some(&entry.asset) == asset);
    own.fold(0_i128, |sum, entry| {
        let amount = i128::from(entry.amount.get());
        match entry.direction {
            Direction::In => sum.saturating_add(amount),
            Direction::Out => sum.saturating_sub(amount),
        }
    })
}

fn compare(ours: &[&Entry], theirs: &[&Entry], tolerance: Amount) -> Verdict {
    // Currencies are never netted, not even where they would cancel out.
    let mut both = ours.iter().chain(theirs);
    let asset = ours.first().or(theirs.first()).map(|entry| &entry.asset);
    if both.any(|entry| Some(&entry.asset) != asset) {
        return Verdict::Other(BreakCause::Asset);
    }
    let (own, other) = (net(ours), net(theirs));
    match (ours.is_empty(), theirs.is_empty()) {
        // What came and went again on one side alone moved nothing.
        (true, _) | (_, true) if own == 0 && other == 0 => return Verdict::Same,
        (_, true) => return Verdict::Other(BreakCause::MissingTheirs),
        (true, _) => return Verdict::Other(BreakCause::MissingOurs),
        (false, false) => (),
    }
    if is_party_other(ours, theirs) {
        return Verdict::Other(BreakCause::Party);
    }
    let apart = own.abs_diff(other);
    if apart > u128::from(tolerance.get()) {
        return Verdict::Other(cause(own, other, ours.len(), theirs.len()));
    }
    match (fees(ours), fees(theirs)) {
        (Some(own), Some(other)) if own != other => Verdict::Other(BreakCause::Fee),
        _ if apart > 0 => Verdict::Near,
        _ => Verdict::Same,
    }
}

/// Why the nets differ, as far as they tell.
fn cause(own: i128, other: i128, ours: usize, theirs: usize) -> BreakCause {
    let is_multiple = own != 0 && other.checked_rem(own) == Some(0);
    if own != 0 && own == other.saturating_neg() {
        BreakCause::Direction
    } else if is_multiple && theirs > ours && other.checked_div(own).is_some_and(|times| times > 1)
    {
        BreakCause::Duplicate
    } else {
        BreakCause::Amount
    }
}

/// Each party that one side names has to be one that the other names, if that one names any.
fn is_party_other(ours: &[&Entry], theirs: &[&Entry]) -> bool {
    let parties = |entries: &[&'_ Entry]| -> Vec<String> {
        let mut parties: Vec<String> = entries.iter().filter_map(|e| e.party.clone()).collect();
        parties.sort_unstable();
        parties.dedup();
        parties
    };
    let (own, other) = (parties(ours), parties(theirs));
    !own.is_empty() && !other.is_empty() && own != other
}

/// All fees together, where every entry tells its own.
fn fees(entries: &[&Entry]) -> Option<u128> {
    let each: Option<Vec<Amount>> = entries.iter().map(|entry| entry.fee).collect();
    each.map(|fees| fees.into_iter().sum())
}

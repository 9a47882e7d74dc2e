//! Who waits for what: nobody is paid less than their policy waits for, unless they asked for it,
//! alone, and at a cost that they accepted. By plain comparisons, over what the planner had read.

use std::collections::BTreeMap;

use divvy_core::{Amount, Body, Demanded, Error, Fact, Line, Name, Place, Planned, Policy, Time};

use crate::simulation::promise::{Broken, Promise};
use crate::simulation::town::Town;

/// What payees chose and asked for, each at its place among all facts.
#[derive(Debug, Default)]
pub(super) struct Waits {
    of: BTreeMap<(Name, Name), Wishes>,
}

/// What one payee wished for, and when they were planned.
#[derive(Debug, Default)]
struct Wishes {
    policies: Vec<(usize, Policy)>,
    demands: Vec<(usize, Demanded)>,
    planned: Vec<usize>,
}

impl Waits {
    /// Takes in facts that were written from a place on; how many were paid only on demand.
    pub(super) fn written(
        &mut self,
        facts: &[Fact],
        from: usize,
        town: &Town,
    ) -> Result<usize, Error> {
        let mut on_demand = 0_usize;
        for (at, fact) in (from..).zip(facts) {
            match (fact.stream.place(), fact.body()?) {
                (Place::Payee { book, payee }, Body::PayeeSet(set)) => {
                    let own = self.of.entry((Name::new(book)?, Name::new(payee)?)).or_default();
                    own.policies.extend(set.policy.map(|policy| (at, policy)));
                }
                (Place::Run { book }, Body::Demanded(said)) => {
                    let own = self.of.entry((Name::new(book)?, said.payee.clone())).or_default();
                    own.demands.push((at, said));
                }
                (Place::Batch { book, .. }, Body::Planned(planned)) => {
                    let book = Name::new(book)?;
                    for line in &planned.lines {
                        let own = self.of.entry((book.clone(), line.payee.clone())).or_default();
                        let below =
                            own.least(at, &book, town).is_some_and(|least| debit(line) < least);
                        on_demand = on_demand.saturating_add(below.into());
                        own.planned.push(at);
                    }
                }
                _ => {}
            }
        }
        Ok(on_demand)
    }

    /// Whether lines are one alone that somebody has asked for, for whoever had read so many facts.
    pub(super) fn is_asked(&self, book: &Name, lines: &[Line], (read, now): (usize, Time)) -> bool {
        let [line] = lines else { return false };
        let own = self.of.get(&(book.clone(), line.payee.clone()));
        own.is_some_and(|own| own.demand(read, now).is_some())
    }

    /// Holds a commit against what whoever offers it has read: so many facts.
    pub(super) fn offered(
        &self,
        facts: &[Fact],
        read: usize,
        town: &Town,
    ) -> Result<Option<Broken>, Error> {
        for fact in facts.iter().filter(|fact| fact.kind == "planned.1") {
            let (Place::Batch { book, .. }, Body::Planned(planned)) =
                (fact.stream.place(), fact.body()?)
            else {
                continue;
            };
            let (book, nothing) = (Name::new(book)?, Wishes::default());
            for line in &planned.lines {
                let own = self.of.get(&(book.clone(), line.payee.clone())).unwrap_or(&nothing);
                if own.least(read, &book, town).is_none_or(|least| debit(line) >= least) {
                    continue;
                }
                let asked = own.demand(read, fact.at);
                if let Some(said) = unasked(asked, &planned, &book, town) {
                    let said = format!("{} of {}: {said}", line.payee, fact.stream);
                    return Ok(Some(Broken { promise: Promise::PoliciesHold, said }));
                }
            }
        }
        Ok(None)
    }
}

impl Wishes {
    /// What is waited for whatever happens, for whoever had read so many facts.
    fn least(&self, read: usize, book: &Name, town: &Town) -> Option<u128> {
        let opened = town.opened(book)?;
        let own = self.policies.iter().rfind(|(at, _)| *at < read).map(|(_, policy)| policy);
        let least = match own.unwrap_or(&opened.policy) {
            Policy::Threshold { min, max_wait_secs: None } => *min,
            Policy::Periodic { min: Some(min), .. } => *min,
            Policy::Instant | Policy::Threshold { .. } | Policy::Periodic { .. } | _ => {
                Amount::ZERO
            }
        };
        Some(least.max(opened.floor).into())
    }

    /// What was asked for last, that no run has served and that has not lapsed.
    fn demand(&self, read: usize, now: Time) -> Option<&Demanded> {
        let (at, said) = self.demands.iter().rfind(|(at, _)| *at < read)?;
        let served = self.planned.iter().any(|planned| (*at..read).contains(planned));
        (!served && now <= said.until).then_some(said)
    }
}

fn debit(line: &Line) -> u128 {
    u128::from(line.amount).saturating_add(line.fee.map_or(0, u128::from))
}

/// Why a line below what its policy waits for may not be planned.
fn unasked(
    asked: Option<&Demanded>,
    planned: &Planned,
    book: &Name,
    town: &Town,
) -> Option<String> {
    let Some(asked) = asked else { return Some("paid below what their policy says".to_owned()) };
    let [line] = planned.lines.as_slice() else { return Some("paid beside others".to_owned()) };
    let floor = town.opened(book)?.floor;
    if debit(line) < floor.into() {
        return Some(format!("paid {} below the floor of {floor}", line.amount));
    }
    let fee = town.price(planned.rail.as_str())?.quoted;
    let most = asked.fee_max;
    (fee > most).then(|| format!("paid on demand at a cost of {fee}, accepted {most}"))
}

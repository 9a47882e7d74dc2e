//! Payments against the rules: each is divided by the one in force at its event time.

use std::collections::BTreeMap;

use crate::error::{Code, Error};
use crate::fact::{Body, Fact, Place, Recorded};
use crate::name::Name;
use crate::time::Time;

/// Who records a payment may not have read a rule yet that was set so many seconds before.
const UNREAD_SECS: u64 = 86_400;

/// The rules of every book, and the payments that came before the rule that they name.
#[derive(Debug, Default)]
pub(super) struct Rules {
    books: BTreeMap<Name, Vec<Rule>>,
    ahead: Vec<(Fact, Recorded)>,
}

#[derive(Debug)]
struct Rule {
    n: u64,
    from: Time,
    at: Time,
}

impl Rules {
    /// Keeps a rule, and holds a payment to those that are there.
    pub(super) fn note(&mut self, fact: &Fact, body: &Body) -> Result<(), Error> {
        match (fact.stream.place(), body) {
            (Place::Rule { book }, Body::RuleSet(rule)) => {
                let (n, from, at) = (fact.n, rule.from, fact.at);
                self.books.entry(Name::new(book)?).or_default().push(Rule { n, from, at });
                Ok(())
            }
            (Place::Payment { .. }, Body::Recorded(recorded)) => {
                if self.knows(recorded) {
                    return self.check_one(fact, recorded);
                }
                self.ahead.push((fact.clone(), recorded.clone()));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Holds the payments to the rules that came before the rule that they name.
    pub(super) fn check(&self) -> Result<(), Error> {
        self.ahead.iter().try_for_each(|(fact, recorded)| self.check_one(fact, recorded))
    }

    fn knows(&self, recorded: &Recorded) -> bool {
        let rules = self.books.get(&recorded.book).and_then(|rules| rules.last());
        rules.is_some_and(|newest| recorded.rule.is_none_or(|named| named <= newest.n))
    }

    /// Refuses a payment that a rule covers which is newer than the one that it names, unless that
    /// may not have been read yet when the payment was recorded.
    fn check_one(&self, fact: &Fact, recorded: &Recorded) -> Result<(), Error> {
        let Some(rules) = self.books.get(&recorded.book) else { return Ok(()) };
        let first = rules.first().map_or(0, |first| first.n);
        let named = recorded.rule.unwrap_or(first);
        let in_force = rules.iter().rev().find(|rule| {
            rule.from <= recorded.event_at && rule.at.plus_secs(UNREAD_SECS) < fact.at
        });
        let Some(newer) = in_force.filter(|rule| rule.n > named) else { return Ok(()) };
        let detail = format!(
            "rule {named} divides it, but rule {} of {} was in force at {}",
            newer.n, newer.from, recorded.event_at
        );
        Err(fact.named(&Error::new(Code::RuleMissing, detail)))
    }
}

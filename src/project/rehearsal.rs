//! People in a rehearsal: whole jobs in simulated time need somebody who agrees and decides.

use divvy_core::{Code, Error, Guarded, Hash, Name, SecretKey};
use serde::Deserialize;

use crate::project::RailSettings;

/// What people do while `divvy run` rehearses a job: those whom `[approvals]` names agree after a
/// while, and on Mondays one of them closes the week that is over and releases whoever is held
/// since a payout came back. At the end everything is sealed.
///
/// Their keys are made from their names, so that anybody could sign for them. They are taken only
/// where no money can move: over a sandbox that `divvy run` starts by itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Rehearsal {
    /// So many hours after a batch was planned they agree to it.
    #[serde(default)]
    pub approve_hours: u64,
    /// Why those are released whom a payout came back from; without it, nobody is.
    pub release: Option<String>,
}

impl Rehearsal {
    /// The key of somebody in a rehearsal, which is known to everyone.
    ///
    /// ```
    /// use divvy::Rehearsal;
    /// use divvy::core::Name;
    ///
    /// let (ann, bob) = (Name::new("ann")?, Name::new("bob")?);
    /// assert_eq!(Rehearsal::key(&ann).public(), Rehearsal::key(&ann).public());
    /// assert_ne!(Rehearsal::key(&ann).public(), Rehearsal::key(&bob).public());
    /// # Ok::<(), divvy::core::Error>(())
    /// ```
    #[must_use]
    pub fn key(who: &Name) -> SecretKey {
        SecretKey::new(Hash::of(format!("a rehearsal of {who}").as_bytes()).as_bytes())
    }

    /// Refuses keys that everyone knows wherever money could move, and others where it cannot.
    pub(super) fn check(
        rehearsal: Option<&Self>,
        guarded: Option<&Guarded>,
        rail: &RailSettings,
    ) -> Result<(), Error> {
        let refused = |detail: String| Err(Error::new(Code::InputMalformed, detail));
        if rehearsal.is_some() && (rail.kind != "sandbox" || rail.url.is_some()) {
            let detail = "[rehearsal] is for a sandbox that `divvy run` starts by itself: take it \
                          out where [rail] names another rail or an address";
            return refused(detail.to_owned());
        }
        for person in guarded.into_iter().flat_map(|guarded| &guarded.people) {
            let rehearsed = Self::key(&person.name).public();
            if (person.key == rehearsed) == rehearsal.is_some() {
                continue;
            }
            let name = &person.name;
            return refused(match rehearsal {
                Some(_) => format!("[approvals.people] {name}: in a rehearsal it is {rehearsed}"),
                None => format!("[approvals.people] {name}: everyone knows this key; make another"),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Project;

    #[test]
    fn keys_that_everyone_knows_are_taken_only_where_no_money_can_move() {
        let ann = Rehearsal::key(&Name::new("ann").unwrap()).public();
        let other = Rehearsal::key(&Name::new("bob").unwrap()).public();
        let url = "[rail]\nurl = \"http://127.0.0.1:9\"";
        #[rustfmt::skip]
        let table = [
            // key, rail, rehearsal       taken
            (ann,   "",   "[rehearsal]",  true),
            (other, "",   "[rehearsal]",  false),
            (ann,   url,  "[rehearsal]",  false),
            (ann,   "",   "",             false),
            (ann,   url,  "",             false),
            (other, url,  "",             true),
        ];
        for (key, rail, rehearsal, taken) in table {
            let text = format!(
                "book = \"b\"\nasset = \"USD\"\nrule = [{{ payee = \"a\", share = \
                 \"remaining\" }}]\n{rehearsal}\n{rail}\n[approvals]\nlimit = \"1\"\nneeded = \
                 1\npeople = {{ ann = \"{key}\" }}\n"
            );
            assert_eq!(Project::parse(&text, "x".as_ref()).is_ok(), taken, "{text}");
        }
    }
}

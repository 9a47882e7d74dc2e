//! What is promised, and how a promise was broken.

use core::fmt;

/// Declares each promise once: its meaning and its sentence.
macro_rules! promises {
    ($($(#[doc = $doc:literal])+ $name:ident $said:literal;)+) => {
        /// What a simulation holds the engine to.
        ///
        /// ```
        /// use divvy::simulation::Promise;
        ///
        /// assert_eq!(Promise::PaidOnce.to_string(), "nobody is paid twice");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Promise { $($(#[doc = $doc])+ $name,)+ }

        impl fmt::Display for Promise {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$name => $said),+ })
            }
        }
    };
}

promises! {
    /// No line of a batch has left a wallet twice at any moment.
    PaidOnce "nobody is paid twice";
    /// What a payee got is at most what the facts reserve for them and say was paid.
    WithinFacts "nothing moves beyond what the facts say";
    /// Every try that reached a rail was durable before, byte for byte.
    DurableFirst "no try is sent before its fact is durable";
    /// A try that nobody remembers is sent once, by the process that committed it.
    OnceOnly "what nobody remembers is sent once";
    /// Two tries of one batch that could both move are never live together.
    OneLiveTry "one live try at a time";
    /// What was committed folds, and every equation holds.
    Balances "every equation holds";
    /// What a host confirmed is there for ever, and nothing else is.
    Durable "what was confirmed is kept";
    /// No error says that the engine is to blame.
    NoFaultOfOurs "no error is ours";
    /// When the world heals, all that can be settled is settled.
    Settles "everything that can be settled is settled";
    /// When the world heals, its statement and the facts are the same, line by line.
    Agrees "the statement equals the facts";
    /// Everyone has earned what plain integers say.
    EarnsExactly "everyone has earned what plain integers say";
    /// The same facts in another order of streams come to the same.
    AnyOrder "the order of streams does not matter";
    /// What is above a limit is signed when enough people have approved just that; what people
    /// answer for is done by those who really did it.
    PeopleDecide "nothing is done in the name of people who did not";
    /// No batch costs more than its book allows, no line more than its share; payees bear what
    /// was shown before.
    FeesFit "nothing is paid at a cost that was not allowed";
    /// Where a book has an issuer, nobody else sets a rule; the issuer does at any time.
    IssuersSet "only issuers set rules";
    /// Each payment is divided by the newest rule that has begun.
    RulesInTime "payments are divided by the rules of their time";
    /// Nobody is paid less than their policy waits for, unless they asked for it at that cost.
    PoliciesHold "nobody is paid before their policy or they say so";
    /// What a holder proves leads to a root that was known before, is what plain integers say, and
    /// stays so; what was bent is refused.
    ProofsHold "holders prove their part, and nothing else";
    /// A difference with a statement is something that nobody can know yet; when the world heals
    /// there is none.
    Reconciles "differences with statements have a cause, and end";
    /// Exports are even in each entry, close with what plain integers say, and reports say the same.
    HandedOn "what is handed on says what happened";
    /// What is in a treasury, what a closed week says, and what a seal is over, is what the facts
    /// say.
    TreasuryAgrees "treasuries, weeks and seals are what the facts say";
    /// Every endpoint hears of everything, in order, and always the same of it.
    AllTold "whatever happened is told, in order";
    /// When the world heals, what rails charged and payees bore is what the facts say.
    FeesAgree "what was charged and borne is what the facts say";
    /// Verification from zero finds nothing, and equals every process's own fold.
    Verifies "verification from zero finds nothing";
}

/// A promise that was broken, and what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data that tests read")]
pub struct Broken {
    /// Which.
    pub promise: Promise,
    /// What was seen, as a sentence.
    pub said: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broken: {} ({})", self.promise, self.said)
    }
}

//! Planted mistakes, each by its name: made by a host, a sender, a clock or a world around the
//! engine, never inside it.

use core::fmt;
use core::str::FromStr;

use divvy_core::{Code, Error};

/// Declares each mistake once: what it does, and its name in text.
macro_rules! planted {
    ($($(#[doc = $doc:literal])+ $name:ident $text:literal;)+) => {
        /// A mistake that a simulation must notice.
        ///
        /// ```
        /// use divvy::simulation::Planted;
        ///
        /// assert_eq!("sends_twice".parse(), Ok(Planted::SendsTwice));
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Planted { $($(#[doc = $doc])+ $name,)+ }

        impl Planted {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];
        }

        impl fmt::Display for Planted {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$name => $text),+ })
            }
        }
    };
}

planted! {
    /// The host confirms a commit, and does not keep it.
    LosesCommit "loses_commit";
    /// The host writes over what stands at an address.
    Overwrites "overwrites";
    /// The host writes a part of a commit that was to be all or none.
    TearsCommit "tears_commit";
    /// The host's cursor skips a fact.
    SkipsFact "skips_fact";
    /// The host says that a commit of unknown outcome was not done, although it was; the till
    /// believes it, and records the money under another name.
    UnknownIsNotDone "unknown_is_not_done";
    /// The sender sends twice what nobody remembers.
    SendsTwice "sends_twice";
    /// The sender starts requests after their deadline.
    SendsLate "sends_late";
    /// The sender answers for a rail that it has not asked.
    AnswersItself "answers_itself";
    /// A listing leaves out what is there.
    ListsNothing "lists_nothing";
    /// The world does not remember a try for as long as its window says.
    PaysCarelessly "pays_carelessly";
    /// A clock is behind by more than a rail's grace allows.
    ClockFarBehind "clock_far_behind";
    /// Somebody has the keys of those who approve, and signs in their names.
    StealsKey "steals_key";
    /// A program of somebody's holds payees past the front door, and nobody has signed it.
    ActsUnsigned "acts_unsigned";
    /// Somebody has the issuer's key, and sets rules that the issuer has never seen.
    StealsIssuer "steals_issuer";
    /// A program of somebody's sets rules past the front door, and no issuer has signed them.
    ForgesRule "forges_rule";
    /// The host shows those who read it rules of other times.
    ShowsOtherRule "shows_other_rule";
    /// The host shows those who prove other units than were written.
    ShowsOtherUnits "shows_other_units";
    /// Whoever hands out proofs hands out those of somebody else.
    ProvesAnother "proves_another";
    /// Whoever looks at a proof takes the root from it.
    BelievesProofs "believes_proofs";
    /// A statement leaves out a line.
    LosesLine "loses_line";
    /// A statement says a line twice.
    DoublesLine "doubles_line";
    /// Whoever writes an export to a file leaves out a posting.
    DropsPosting "drops_posting";
    /// Whoever writes an export to a file mixes up two payees, in all of it.
    MixesNames "mixes_names";
    /// The network leaves out of replies what a rail charges.
    HidesFees "hides_fees";
    /// The host shows those who read it policies that nobody chose.
    ShowsOtherPolicy "shows_other_policy";
    /// A rail says that half of what moved has moved.
    SwapsLow "swaps_low";
    /// Whoever brings messages to an endpoint says that it took them, and drops them.
    SwallowsMessages "swallows_messages";
    /// Who quotes says half of what a line costs.
    QuotesLow "quotes_low";
}

impl FromStr for Planted {
    type Err = Error;

    /// Reads the name of a mistake.
    fn from_str(text: &str) -> Result<Self, Error> {
        let known = Self::ALL.iter().find(|planted| planted.to_string() == text);
        known.copied().ok_or_else(|| {
            let names: Vec<String> = Self::ALL.iter().map(ToString::to_string).collect();
            let detail = format!("{text:?} is no planted mistake: one of {}", names.join(", "));
            Error::new(Code::InputMalformed, detail)
        })
    }
}

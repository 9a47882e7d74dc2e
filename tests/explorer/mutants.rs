//! Planted mistakes, each by its name. Every one is made around the core, by a host, a sender, a
//! rail's reader or a driver: where the core itself refuses the mistake, it is made past the core.

use crate::invariants::Promise;
use crate::model::Kind;

/// What has to happen for a mistake to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Events {
    /// Nothing but what happens every day.
    Plain,
    /// A fault of the world, or an act of a person.
    Rare,
}

/// Declares each mistake once: what it does, its name, the window under which it shows, the
/// promise that it breaks, and what it takes at least: so many workers, and which events.
macro_rules! mutants {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident $test:ident: $kind:ident, $promise:ident, $workers:literal, $events:ident;
    )+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Mutant {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Mutant {
            /// The window under which it shows.
            pub(crate) fn kind(self) -> Kind {
                match self { $(Self::$name => Kind::$kind),+ }
            }

            /// The promise that it breaks.
            pub(crate) fn breaks(self) -> Promise {
                match self { $(Self::$name => Promise::$promise),+ }
            }
        }

        impl Mutant {
            /// How many workers it takes.
            pub(crate) fn workers(self) -> usize {
                match self { $(Self::$name => $workers),+ }
            }

            /// Whether it takes a rare event.
            pub(crate) fn events(self) -> Events {
                match self { $(Self::$name => Events::$events),+ }
            }
        }

        mod caught {
            $(
                #[test]
                fn $test() {
                    crate::search::catch(super::Mutant::$name);
                }
            )+
        }
    };
}

impl Mutant {
    /// Whether it shows only where people approve.
    pub(crate) fn is_guarded(self) -> bool {
        self == Self::SignsUnapproved
    }
}

mutants! {
    /// The driver sends when it has decided, and commits later.
    CallBeforeCommit a_call_before_its_commit: Until, MovedOnce, 2, Plain;
    /// The driver takes a commit of unknown outcome for done, and sends.
    UnknownCommitTakenAsDone an_unknown_commit_taken_as_done: Until, MovedOnce, 2, Rare;
    /// The driver takes a commit of unknown outcome for failed, and plans again further on.
    UnknownCommitPlannedAgain an_unknown_commit_planned_again: Until, MovedOnce, 1, Plain;
    /// The rail's reader takes a timeout or a 5xx for proof that nothing moved.
    UnknownIsVoid unknown_taken_as_void: Until, MovedOnce, 1, Plain;
    /// The rail's reader takes a 404 for proof that nothing moved.
    NotFoundIsProof not_found_taken_as_proof: UntilHeight, MovedOnce, 1, Plain;
    /// The driver believes in void as soon as the deadline is over, without grace.
    NoGrace void_without_grace: Until, MovedOnce, 1, Plain;
    /// The rail's reader asks one that runs ahead for the height.
    TipAhead a_height_that_runs_ahead: UntilHeight, MovedOnce, 1, Plain;
    /// The driver sends the same bytes again when the rail has forgotten them.
    ResendsOutsideWindow resent_outside_the_window: Until, MovedOnce, 1, Plain;
    /// The sender starts a request after its deadline.
    SendsLate sent_after_its_deadline: Once, MovedOnce, 1, Plain;
    /// A second worker sends what only one process may send, and once.
    OnceBySecondWorker once_sent_by_a_second_worker: Once, MovedOnce, 2, Plain;
    /// The host writes a fact whose address is taken.
    NoAddressCheck no_address_check: Until, MovedOnce, 2, Plain;
    /// The planner's payables come from an old fold and its run's number from a new one.
    StalePlanner a_stale_planner: Until, MovedOnce, 2, Plain;
    /// The planner's fold does not know what is reserved.
    LostReservation a_lost_reservation: Unlimited, MovedOnce, 1, Plain;
    /// The planner picks a coin without asking what other batches claimed.
    SameCoinTwice the_same_coin_claimed_twice: Unlimited, CoinsApart, 1, Rare;
    /// The second try claims the first one's coin, and spends another.
    SecondTryCoexists a_second_try_that_can_coexist: Unlimited, MovedOnce, 1, Rare;
    /// Nobody notices that what was final is undone.
    ReorgUnnoticed a_final_undone_unnoticed: Unlimited, ArrivesOnce, 1, Rare;
    /// Nobody notices that money came back.
    ReturnUnnoticed a_return_unnoticed: Until, ArrivesOnce, 1, Rare;
    /// Money that came back is payable at once, to where it came back from.
    ReturnedNotHeld returned_and_not_held: Until, ReturnedHeld, 1, Rare;
    /// A batch is signed anew without asking whether its destination is still in force.
    OldDestination an_old_destination: Until, InForce, 1, Rare;
    /// A batch is signed before anybody has approved it, or long after.
    SignsUnapproved signed_without_approval: Until, Folds, 1, Plain;
    /// The rail's reader takes what most of a chain has voted for as final.
    ConfirmedIsFinal confirmed_taken_as_final: Chain, FactsTrue, 1, Rare;
    /// The rail's reader takes one provider's word that a try is not there.
    OneProvidersWord one_providers_word_taken: Chain, MovedOnce, 1, Plain;
    /// The rail's reader goes by a height that is not rooted, and may fall again.
    UnrootedHeight an_unrooted_height_taken: Chain, MovedOnce, 1, Plain;
    /// The rail's reader takes an advanced nonce for proof, though the try itself advanced it.
    AdvancedIsVoid an_advanced_nonce_taken_as_proof: Nonce, MovedOnce, 1, Plain;
}

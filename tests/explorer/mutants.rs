//! Planted mistakes, each by its name. Every one is made around the core, by a host, a sender, a
//! rail's reader or a driver: where the core itself refuses the mistake, it is made past the core.

use crate::invariants::Promise;
use crate::model::Kind;

/// Declares each mistake once: name, what it does, the window under which it shows, and the
/// promise that it breaks.
macro_rules! mutants {
    ($($(#[doc = $doc:literal])+ $name:ident $test:ident: $kind:ident, $promise:ident;)+) => {
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

mutants! {
    /// The driver sends when it has decided, and commits later.
    CallBeforeCommit a_call_before_its_commit: Until, MovedOnce;
    /// The driver takes a commit of unknown outcome for done, and sends.
    UnknownCommitTakenAsDone an_unknown_commit_taken_as_done: Until, MovedOnce;
    /// The driver takes a commit of unknown outcome for failed, and plans again further on.
    UnknownCommitPlannedAgain an_unknown_commit_planned_again: Until, MovedOnce;
    /// The rail's reader takes a timeout or a 5xx for proof that nothing moved.
    UnknownIsVoid unknown_taken_as_void: Until, MovedOnce;
    /// The rail's reader takes a 404 for proof that nothing moved.
    NotFoundIsProof not_found_taken_as_proof: UntilHeight, MovedOnce;
    /// The driver believes in void as soon as the deadline is over, without grace.
    NoGrace void_without_grace: Until, MovedOnce;
    /// The rail's reader asks one that runs ahead for the height.
    TipAhead a_height_that_runs_ahead: UntilHeight, MovedOnce;
    /// The driver sends the same bytes again when the rail has forgotten them.
    ResendsOutsideWindow resent_outside_the_window: Until, MovedOnce;
    /// The sender starts a request after its deadline.
    SendsLate sent_after_its_deadline: Once, MovedOnce;
    /// A second worker sends what only one process may send, and once.
    OnceBySecondWorker once_sent_by_a_second_worker: Once, MovedOnce;
    /// The host writes a fact whose address is taken.
    NoAddressCheck no_address_check: Until, MovedOnce;
    /// The planner's payables come from an old fold and its run's number from a new one.
    StalePlanner a_stale_planner: Until, MovedOnce;
    /// The planner's fold does not know what is reserved.
    LostReservation a_lost_reservation: Unlimited, MovedOnce;
    /// The planner picks a coin without asking what other batches claimed.
    SameCoinTwice the_same_coin_claimed_twice: Unlimited, CoinsApart;
    /// The second try claims the first one's coin, and spends another.
    SecondTryCoexists a_second_try_that_can_coexist: Unlimited, MovedOnce;
    /// Nobody notices that what was final is undone.
    ReorgUnnoticed a_final_undone_unnoticed: Unlimited, ArrivesOnce;
    /// Nobody notices that money came back.
    ReturnUnnoticed a_return_unnoticed: Until, ArrivesOnce;
    /// Money that came back is payable at once, to where it came back from.
    ReturnedNotHeld returned_and_not_held: Until, ReturnedHeld;
    /// A batch is signed anew without asking whether its destination is still in force.
    OldDestination an_old_destination: Until, InForce;
}

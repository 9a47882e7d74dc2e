//! Each planted mistake breaks the promise that it should, by name, and those that stand on it.

use std::collections::HashSet;
use std::sync::Arc;

use divvy::Host;
use divvy::conformance::Part::*;
use divvy::conformance::{Conformance, Opening, Options, Part, Report};

use crate::shelf::Mistake::*;
use crate::shelf::{Mistake, Room};

/// Every mistake, with all that it breaks and nothing else. What is no mistake breaks nothing.
const BREAKS: [(Mistake, &[Part]); 42] = [
    (None, &[]),
    (ShowsLate, &[]),
    (OverwritesATakenAddress, &[AddressOnce, OneWinner, AllOrNone, OrphanRefused]),
    (SaysNewOfATakenAddress, &[AddressOnce, OneWinner, AllOrNone, OrphanRefused]),
    (TakesTheSameFactAgain, &[AddressOnce, AllOrNone, OrphanRefused]),
    (LooksForTakenAddressesOnlyInWhatIsStored, &[AddressOnce]),
    (LetsTwoWin, &[OneWinner]),
    (GivesUpWhenItMeetsAnother, &[OneWinner, NeverSkips, SeenWhole]),
    (KeepsWhatCameBeforeABadFact, &[AddressOnce, OneWinner, AllOrNone, OrphanRefused]),
    (RefusesWholeCommitsForOneTakenAddress, &[AddressOnce, AllOrNone, OrphanRefused]),
    (
        KnowsOneStreamACommit,
        &[
            OneWinner,
            AllOrNone,
            ManyStreams,
            OrphanRefused,
            StreamOrder,
            ExactBytes,
            BigBytes,
            NeverSkips,
            SeenWhole,
        ],
    ),
    (TakesOrphans, &[AllOrNone, OrphanRefused, EdgeNumbers]),
    (TakesOrphansBehindOthers, &[AllOrNone, OrphanRefused]),
    (
        ForgetsPredecessorsOfItsOwnCommit,
        &[
            AllOrNone,
            ManyStreams,
            OrphanRefused,
            PageSizes,
            NeverSkips,
            SeenWhole,
            OtherDatabase,
            Durable,
            ManyFacts,
        ],
    ),
    (ReadsByPrefix, &[StreamOrder, ExactNames]),
    (ReadsByPattern, &[StreamOrder, ExactNames]),
    (SortsNumbersAsText, &[StreamOrder, ManyFacts]),
    (SortsByTime, &[StreamOrder]),
    (FoldsCase, &[ExactNames]),
    (FoldsAccents, &[ExactNames]),
    (DropsInvisibleLetters, &[ExactNames]),
    (CutsLongNames, &[ExactNames]),
    (CutsBytesAtNul, &[ExactBytes]),
    (TrimsBytes, &[ExactBytes]),
    (MendsText, &[ExactBytes]),
    (CutsBigBytes, &[BigBytes]),
    (RefusesBigBytes, &[BigBytes]),
    (CountsIn32Bits, &[EdgeNumbers]),
    (CountsIn16Bits, &[EdgeNumbers]),
    (WrapsNegative, &[EdgeNumbers]),
    (SkipsTheEndOfAPage, &[PageSizes, NeverSkips, SeenWhole, ManyFacts]),
    (RepeatsTheEndOfAPage, &[PageSizes, NeverSkips, ManyFacts]),
    (StandsStill, &[PageSizes, NeverSkips, SeenWhole, ManyFacts]),
    (GivesLargerPages, &[PageSizes, NeverSkips, SeenWhole, ManyFacts]),
    (SaysLastTooEarlyAndMovesOn, &[PageSizes, NeverSkips, SeenWhole, ManyFacts]),
    (DrawsNumbersBeforeItWrites, &[NeverSkips]),
    (ShowsHalfACommit, &[SeenWhole]),
    (IgnoresTheEpoch, &[OtherDatabase]),
    (IgnoresWhatIsAhead, &[OtherDatabase]),
    (LosesTheLastCommitWhenOpenedAgain, &[Durable]),
    (ShowsOldHandlesNothingNew, &[OneWinner, NeverSkips, Durable]),
    (ForgetsBeyondAThousand, &[ManyFacts]),
];

fn open(room: &Room, mistake: Mistake) -> Opening {
    let host: Arc<dyn Host> = Arc::new(room.open(mistake));
    Box::pin(async { Ok(host) })
}

fn report(mistake: Mistake) -> Report {
    let (room, other) = (Room::new("a"), Room::new("b"));
    let suite = Conformance::new(move || open(&room, mistake), move || open(&other, mistake));
    let patience_ms = if mistake == ShowsLate { 10_000 } else { 0 };
    let options = Options { facts: 2_500, rounds: 12, patience_ms, ..Options::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(suite.run(&options))
}

#[test]
fn each_mistake_breaks_what_it_should_by_name_and_nothing_else() {
    let mut seen = HashSet::new();
    for (mistake, breaks) in BREAKS {
        let report = report(mistake);
        assert_eq!(report.broken(), breaks, "{mistake:?}:\n{report}");
        for outcome in report.outcomes() {
            let Some(found) = outcome.found() else { continue };
            let (part, said) = (outcome.part(), outcome.to_string());
            for word in [part.name(), part.promise(), part.cost(), found] {
                assert!(said.contains(word), "{said}");
            }
            seen.insert(part.name());
        }
    }
    assert_eq!(seen.len(), Part::ALL.len(), "a part that nothing breaks shows nothing");
}

#[test]
fn what_is_found_names_the_address_where_it_was_found() {
    for (mistake, part, address) in [
        (OverwritesATakenAddress, AddressOnce, "conformance-0-address-once/alice\"/0"),
        (LetsTwoWin, OneWinner, "conformance-0-one-winner/x0\"/0"),
        (KeepsWhatCameBeforeABadFact, AllOrNone, "conformance-0-all-or-none/"),
        (SortsNumbersAsText, StreamOrder, "conformance-0-stream-order/a\"/10 stands where"),
        (FoldsCase, ExactNames, "conformance-0-exact-names/Alice\"/0"),
        (DrawsNumbersBeforeItWrites, NeverSkips, "a second reading has it"),
        (LosesTheLastCommitWhenOpenedAgain, Durable, "conformance-0-durable/round0\"/0 is missing"),
    ] {
        let report = report(mistake);
        let mut outcomes = report.outcomes().iter();
        let outcome = outcomes.find(|outcome| outcome.part() == part).expect("every part is told");
        assert!(outcome.found().expect("it is broken").contains(address), "{outcome}");
    }
}

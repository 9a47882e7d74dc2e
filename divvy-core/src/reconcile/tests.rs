//! Goal: every entry of both sides ends in exactly one place, and what one side cannot know yet is
//! no break. Method: random statements made from random books, held to their sums; and tables.
#![expect(clippy::arithmetic_side_effects, reason = "overflow panics here, which fails the test")]

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn asset(i: usize) -> Asset {
    Asset::parse(["USD", "EUR"][i]).unwrap()
}

fn entry() -> impl Strategy<Value = Entry> {
    let reference = prop_oneof!["[a-d]", Just(String::new())];
    let parts = (reference, any::<bool>(), 0..4_u64, 0..20_u64, any::<bool>());
    let more = (prop::option::of(0..3_u64), prop::option::of("[xy]"), 0..3_u8);
    (parts, more).prop_map(|((reference, is_in, minor, at, is_euro), (fee, party, firmness))| {
        Entry {
            reference,
            direction: if is_in { Direction::In } else { Direction::Out },
            amount: Amount::new(minor).unwrap(),
            asset: asset(usize::from(is_euro && minor == 3)),
            fee: fee.map(|minor| Amount::new(minor).unwrap()),
            party,
            at: Time::from_millis(at),
            firmness: [Firmness::Final, Firmness::Open, Firmness::Held][usize::from(firmness)],
        }
    })
}

fn terms() -> impl Strategy<Value = Terms> {
    (0..25_u64, 0..25_u64, 0..3_u64).prop_map(|(theirs, ours, tolerance)| Terms {
        statement_until: Time::from_millis(theirs),
        ours_until: Time::from_millis(ours),
        tolerance: Amount::new(tolerance).unwrap(),
    })
}

fn everything(entries: &[Entry], asset: &str) -> (u64, u128) {
    let own = entries.iter().filter(|entry| entry.asset.to_string() == asset);
    own.fold((0, 0), |(count, sum), entry| (count + 1, sum + u128::from(entry.amount.get())))
}

proptest! {
    #[test]
    fn both_sides_are_complete_whatever_they_say(
        ours in vec(entry(), 0..20), theirs in vec(entry(), 0..20), terms in terms(),
    ) {
        let found = reconcile(&ours, &theirs, &terms);
        found.check().unwrap();
        for (places, entries) in [(&found.ours, &ours), (&found.theirs, &theirs)] {
            let count: u64 = places.values().map(|places| places.sum().entries).sum();
            prop_assert_eq!(count, u64::try_from(entries.len()).unwrap());
            for (asset, places) in places {
                let sum = places.sum();
                prop_assert_eq!((sum.entries, sum.amount), everything(entries, asset));
            }
        }
        // A break has a name of its own, and what is broken has a break.
        let mut names: Vec<_> = found.breaks.iter().map(|found| found.id.clone()).collect();
        names.sort();
        names.dedup();
        prop_assert_eq!(names.len(), found.breaks.len());
        let broken =
            |places: &BTreeMap<String, Places>| places.values().any(|p| p.broken.entries > 0);
        prop_assert_eq!(broken(&found.ours) || broken(&found.theirs), !found.breaks.is_empty());
    }

    #[test]
    fn a_statement_of_the_same_entries_matches_however_it_is_cut(
        ours in vec(entry(), 0..20), cut in vec(any::<bool>(), 20),
    ) {
        let plain = |entry: &Entry| Entry {
            asset: asset(0), fee: None, party: None, firmness: Firmness::Final,
            reference: format!("r{}", entry.reference), ..entry.clone()
        };
        let ours: Vec<Entry> = ours.iter().map(plain).collect();
        let mut theirs = Vec::new();
        for (entry, is_cut) in ours.iter().zip(cut) {
            let half = Amount::new(entry.amount.get() >> 1).unwrap();
            let rest = entry.amount.minus(half).unwrap();
            let parts = if is_cut { vec![half, rest] } else { vec![entry.amount] };
            theirs.extend(parts.into_iter().map(|amount| Entry { amount, ..entry.clone() }));
        }
        let found = reconcile(&ours, &theirs, &Terms::default());
        prop_assert_eq!(&found.breaks, &[]);
        found.check().unwrap();
        prop_assert!(found.ours.values().all(|places| places.matched == places.everything));
    }
}

#[test]
fn a_lost_entry_is_noticed() {
    let ours = [Entry::paid("a", Amount::ONE, asset(0), Time::ZERO)];
    let mut found = reconcile(&ours, &ours, &Terms::default());
    found.check().unwrap();
    found.theirs.get_mut("USD").unwrap().matched.amount -= 1;
    assert_eq!(found.check().unwrap_err().code(), Code::ReconcileIncomplete);
}

/// One entry a row: its reference, which way, how much, when, and how sure.
fn row((reference, minor, at, firmness): (&str, i64, u64, Firmness)) -> Entry {
    let amount = Amount::new(minor.unsigned_abs()).unwrap();
    let paid = Entry::paid(reference, amount, asset(0), Time::from_millis(at));
    let direction = if minor < 0 { Direction::In } else { Direction::Out };
    Entry { direction, firmness, ..paid }
}

#[test]
fn each_difference_has_its_cause_and_what_is_not_known_yet_waits() {
    use BreakCause::{
        Amount as Differs, Direction, Duplicate, MissingOurs, MissingTheirs, Unsourced,
    };
    use Firmness::{Final, Held, Open};
    let until = Time::from_millis(10);
    let terms = Terms { statement_until: until, ours_until: until, tolerance: Amount::ONE };
    #[rustfmt::skip]
    let table: [(&[_], &[_], &[BreakCause]); 20] = [
        // ours                    theirs                                  breaks
        (&[("a", 5, 1, Final)],    &[("a", 5, 1, Final)],                  &[]),
        (&[("a", 5, 1, Final)],    &[("a", 6, 1, Final)],                  &[]),
        (&[("a", 5, 1, Final)],    &[("a", 7, 1, Final)],                  &[Differs]),
        (&[("a", 5, 1, Final)],    &[("a", -5, 1, Final)],                 &[Direction]),
        (&[("a", 5, 1, Final)],    &[("a", 5, 1, Final), ("a", 5, 2, Final)], &[Duplicate]),
        (&[("a", 5, 1, Final)],    &[("a", 10, 1, Final)],                 &[Differs]),
        (&[("a", 5, 1, Final)],    &[("a", 5, 1, Final), ("a", 4, 2, Final)], &[Differs]),
        (&[("a", 5, 1, Final), ("a", 5, 2, Final)], &[("a", 5, 1, Final)], &[Differs]),
        (&[("a", 5, 1, Final), ("a", -5, 2, Final)], &[("a", 5, 1, Final)], &[Differs]),
        (&[("a", 5, 1, Final), ("a", -5, 2, Final)], &[],                  &[]),
        (&[("a", 5, 9, Final)],    &[],                                    &[MissingTheirs]),
        (&[("a", 5, 10, Final)],   &[],                                    &[]),
        (&[("a", 5, 1, Open)],     &[],                                    &[]),
        (&[],                      &[("a", 5, 9, Final)],                  &[MissingOurs]),
        (&[],                      &[("a", 5, 10, Final)],                 &[]),
        (&[("", 5, 9, Final)],     &[("", 5, 9, Final)],                   &[Unsourced; 2]),
        (&[("", 5, 10, Final)],    &[],                                    &[]),
        (&[("", 5, 1, Held)],      &[],                                    &[]),
        (&[],                      &[("", 5, 1, Open)],                    &[]),
        (&[],                      &[("", 5, 9, Final), ("", 5, 9, Final)], &[Unsourced; 2]),
    ];
    for (ours, theirs, breaks) in table {
        let said = |rows: &[_]| rows.iter().copied().map(row).collect::<Vec<_>>();
        let found = reconcile(&said(ours), &said(theirs), &terms);
        found.check().unwrap();
        let causes: Vec<_> = found.breaks.iter().map(|found| found.cause).collect();
        assert_eq!(causes, breaks, "{ours:?} against {theirs:?}");
    }
}

//! The treasury and the breaks of a book: derived where facts know already, the same in any order,
//! and held to the facts by the equations.

use super::*;
use crate::{
    Alert, BreakCause, BreakState, Day, Entry, Funds, Health, Purpose, Runway, Terms,
    TreasuryTerms, Verify, WeekClosed, reconcile,
};

const DAY: u64 = 86_400;

impl Till {
    fn note(&mut self, id: &str, purpose: Purpose, minor: u64) {
        let funds = funds(id, purpose, minor, self.now);
        let step = self.book().note_funds(&[funds], self.now).unwrap();
        self.commit(&step);
    }

    fn close_week(&mut self, day: Day) -> WeekClosed {
        let step = self.book().close_week(day, Some(&name("platform")), self.now).unwrap();
        self.commit(&step);
        self.book().treasury().closed(day).unwrap().clone()
    }

    /// Records, and pays everyone at once.
    fn front(&mut self, id: &str, minor: u64) {
        self.record(id, minor);
        let batch = self.pay();
        self.hear(batch.stream(), Answer::Final);
    }

    fn status(&self) -> crate::TreasuryStatus {
        self.book().treasury_status(&terms(), Amount::ZERO, self.now).unwrap()
    }
}

fn funds(id: &str, purpose: Purpose, minor: u64, event_at: Time) -> Funds {
    Funds { id: id.into(), purpose, amount: amount(minor), event_at, evidence: evidence() }
}

fn terms() -> TreasuryTerms {
    TreasuryTerms { owner: Some(name("platform")), ..TreasuryTerms::new(amount(200_000)) }
}

/// A platform that keeps a tenth, puts 5,000.00 in on a Monday, and fronts the rest of payments.
fn platform() -> Till {
    let mut till = Till::instant();
    till.now = Time::parse("2026-11-16T09:00:00Z").unwrap();
    till.rule(&[("platform", "10%"), ("alice", "rest")]);
    let step = till.book().hold(&name("platform"), "its own money stays", None, till.now);
    till.commit(&step);
    till.note("seed", Purpose::Replenished, 500_000);
    till
}

#[test]
fn what_payments_and_batches_say_is_not_noted_by_hand() {
    let mut till = platform();
    till.front("1", 100_000);
    let status = till.status();
    assert_eq!((status.balance.get(), status.fronted.get()), (410_000, 90_000));
    assert_eq!((status.earned.get(), status.to_replenish.get()), (10_000, 90_000));
    assert_eq!((status.lines_settled, status.lines_tried), (1, 1));

    // The settlement is on its way: nothing has to be put in, unless it is late.
    let on = Time::parse("2026-11-20T00:00:00Z").unwrap();
    till.note("po_1", Purpose::Expected(on), 96_800);
    let status = till.status();
    assert_eq!((status.in_transit.get(), status.to_replenish.get()), (96_800, 0));
    till.now = on.plus_secs(DAY);
    let status = till.status();
    assert_eq!((status.overdue.get(), status.to_replenish.get()), (96_800, 90_000));
    assert!(status.alerts.contains(&Alert::SettlementOverdue));

    till.note("po_1", Purpose::Arrived, 96_800);
    till.note("gas", Purpose::FeePaid, 300);
    let status = till.status();
    assert_eq!((status.balance.get(), status.fronted.get()), (506_500, 0));
    assert_eq!((status.in_transit.get(), status.overdue.get()), (0, 0));
    assert_eq!(status.health, Health::Healthy);
}

#[test]
fn levels_are_met_exactly_or_not() {
    let mut till = platform();
    assert_eq!(till.status().runway, Runway::NoHistory);
    till.front("1", 100_000);
    till.now = till.now.plus_secs(DAY);
    // 4,100.00 at 900.00 a day: four days, below seven.
    let status = till.status();
    assert_eq!((status.runway, status.burn_per_day.get()), (Runway::Days(4), 90_000));
    assert!(status.alerts.contains(&Alert::RunwayShort));
    till.note("more", Purpose::Replenished, 220_000);
    assert_eq!(till.status().runway, Runway::Days(7));
    assert!(!till.status().alerts.contains(&Alert::RunwayShort));

    till.note("out", Purpose::Withdrawn, 430_000);
    assert_eq!(till.status().balance.get(), 200_000);
    assert!(!till.status().alerts.contains(&Alert::BalanceLow));
    till.note("one", Purpose::FeePaid, 1);
    assert!(till.status().alerts.contains(&Alert::BalanceLow));

    // What must stay cannot be spent; what may be borrowed can, once.
    till.note("board", Purpose::Reserve, 199_999);
    assert_eq!((till.status().runway, till.status().health), (Runway::Exhausted, Health::Critical));
    till.note("line", Purpose::CreditLimit, 50_000);
    assert_eq!(till.status().liquidity.get(), 50_000);
    till.note("draw", Purpose::Drawn, 20_000);
    assert_eq!(till.status().credit_headroom.get(), 30_000);
    assert_eq!(till.status().liquidity.get(), 50_000);
}

/// What came in on average may not come in again: only what is on its way counts ahead.
#[test]
fn days_to_come_pay_as_before_and_take_in_only_what_is_on_its_way() {
    let mut till = platform();
    till.front("1", 100_000);
    till.note("po_1", Purpose::Arrived, 60_000);
    till.now = till.now.plus_secs(DAY);
    let status = till.status();
    assert_eq!((status.balance.get(), status.burn_per_day.get()), (470_000, 30_000));
    assert_eq!(status.projection.covered_days(), Some(5));
    let on = till.now.plus_secs(DAY);
    till.note("po_2", Purpose::Expected(on), 90_000);
    assert_eq!(till.status().projection.covered_days(), Some(6));
}

#[test]
fn a_closed_week_keeps_its_figures() {
    let mut till = platform();
    let week = Day::of(till.now);
    till.front("1", 100_000);
    let early = till.book().close_week(week, None, till.now).unwrap_err();
    assert_eq!(early.code(), Code::TreasuryConflict);

    till.now = week.week().1.start();
    till.front("2", 50_000);
    let closing = till.close_week(week);
    assert_eq!((closing.figures.paid.get(), closing.figures.kept.get()), (90_000, 10_000));
    assert_eq!(closing.figures.net_to_replenish(), 90_000);
    let again = till.book().close_week(week, Some(&name("platform")), till.now).unwrap();
    assert_eq!(again.facts(), []);

    till.now = till.now.plus_secs(7 * DAY);
    let next = till.close_week(week.plus(7));
    let own = next.figures.beyond(&closing.figures).unwrap();
    assert_eq!((own.paid.get(), own.kept.get(), own.replenished.get()), (45_000, 5_000, 0));
    let back = till.book().close_week(week.less(7), None, till.now).unwrap_err();
    assert_eq!(back.code(), Code::TreasuryConflict);
}

#[test]
fn the_same_funds_are_one_and_others_under_their_id_are_refused() {
    let mut till = platform();
    let again = funds("seed", Purpose::Replenished, 500_000, till.now);
    assert_eq!(till.book().note_funds(&[again.clone(), again], till.now).unwrap().facts(), []);
    let other = funds("seed", Purpose::Replenished, 500_001, till.now);
    let refused = till.book().note_funds(std::slice::from_ref(&other), till.now).unwrap_err();
    assert_eq!(refused.code(), Code::TreasuryConflict);
    let twice =
        [funds("x", Purpose::FeePaid, 1, till.now), funds("x", Purpose::Drawn, 1, till.now)];
    assert_eq!(till.book().note_funds(&twice, till.now).unwrap().facts().len(), 2);
    // Written all the same, it stops the fold.
    let head = till.book().treasury().head.clone();
    let planted = Fact::new(&head, till.now, &Body::Funds(other));
    assert_eq!(till.books.feed(&[planted]).unwrap_err().code(), Code::TreasuryConflict);
}

#[test]
fn a_closing_that_says_more_than_facts_do_is_noticed() {
    let mut till = platform();
    till.front("1", 100_000);
    let week = Day::of(till.now);
    till.now = week.week().1.start();
    let honest = till.book().close_week(week, None, till.now).unwrap();
    let Body::WeekClosed(closing) = honest.facts()[0].body().unwrap() else { panic!("no closing") };
    let verify = |closing: WeekClosed| {
        let head = till.book().treasury().head.clone();
        let mut verify = Verify::new();
        verify.feed(&till.facts).unwrap();
        verify.feed(&[Fact::new(&head, till.now, &Body::WeekClosed(closing))]).unwrap();
        verify.finish().map(drop).map_err(|error| error.code())
    };
    assert_eq!(verify(closing.clone()), Ok(()));
    let mut planted = closing;
    planted.figures.paid = planted.figures.paid.plus(Amount::ONE).unwrap();
    assert_eq!(verify(planted), Err(Code::BookUnbalanced));
}

#[test]
fn the_figures_are_the_same_in_whatever_order_streams_are_read() {
    let mut till = platform();
    till.front("1", 100_000);
    till.now = till.now.plus_secs(DAY);
    till.front("2", 30_000);
    till.refund("1", "r", 20_000);
    till.restore("1", "r");
    till.note("po", Purpose::Arrived, 96_800);
    let week = Day::of(till.now);
    till.now = week.week().1.start();
    till.close_week(week);
    let entry = Entry::paid("x", amount(5), Asset::parse("USD").unwrap(), till.now);
    let found = reconcile(&[], &[entry], &Terms::default());
    let step = till.book().note_breaks(&found, &evidence(), till.now).unwrap();
    till.commit(&step);
    let figures = |books: &Books| {
        let book = books.book("b").unwrap();
        let breaks: Vec<_> = book.breaks().map(|(id, found)| (id.clone(), found.clone())).collect();
        let closings = book.treasury().closings().to_vec();
        (book.figures(Some(&name("platform")), None).unwrap(), closings, breaks)
    };
    let mut reversed = till.facts.clone();
    reversed.sort_by(|a, b| b.stream.cmp(&a.stream).then(a.n.cmp(&b.n)));
    let mut books = Books::default();
    books.feed(&reversed).unwrap();
    assert_eq!(books.early(), []);
    books.check().unwrap();
    assert_eq!(figures(&books), figures(&till.books));
    assert_eq!(figures(&books).0.restored.get(), 20_000);

    let cursor = crate::Cursor { epoch: "e".into(), position: 1, within: 0 };
    let (restored, _) = Books::from_checkpoint(&till.books.checkpoint(&cursor)).unwrap();
    assert_eq!(figures(&restored), figures(&till.books));
}

#[test]
fn a_break_is_found_once_ages_and_ends() {
    let mut till = Till::instant();
    let usd = Asset::parse("USD").unwrap();
    let entry = |minor| Entry::paid("po_1", amount(minor), usd.clone(), secs(900));
    let look = |till: &mut Till, ours: &[Entry], theirs: &[Entry]| {
        let found = reconcile(ours, theirs, &Terms::default());
        let step = till.book().note_breaks(&found, &evidence(), till.now).unwrap();
        till.commit(&step);
        step.facts().len()
    };
    assert_eq!(look(&mut till, &[entry(500)], &[]), 1);
    till.now = till.now.plus_secs(3 * DAY);
    assert_eq!(look(&mut till, &[entry(500)], &[]), 0, "a second run finds nothing anew");
    let one = |till: &Till| till.book().breaks().next().map(|(_, found)| found.clone()).unwrap();
    let id = crate::break_id("po_1");
    assert_eq!((one(&till).age_days(till.now), one(&till).cause), (3, BreakCause::MissingTheirs));

    let step =
        till.book().explain_break(id.as_str(), BreakCause::Timing, "on Monday", till.now).unwrap();
    till.commit(&step);
    assert_eq!(one(&till).state, BreakState::Explained);
    assert_eq!(look(&mut till, &[entry(500)], &[]), 0, "what is explained stays explained");
    assert_eq!(look(&mut till, &[entry(500)], &[entry(499)]), 1, "another difference is found");
    assert_eq!((one(&till).age_days(till.now), one(&till).state), (3, BreakState::Found));

    assert_eq!(look(&mut till, &[entry(500)], &[entry(500)]), 1, "what matches now is closed");
    assert_eq!(one(&till).state, BreakState::Closed);
    let gone = till.book().close_break(id.as_str(), "again", till.now).unwrap_err();
    assert_eq!(gone.code(), Code::BreakUnknown);
    till.now = till.now.plus_secs(DAY);
    assert_eq!(look(&mut till, &[entry(500)], &[]), 1, "it came again, and is young");
    assert_eq!((one(&till).age_days(till.now), one(&till).state), (0, BreakState::Found));
    let step = till.book().close_break(id.as_str(), "written off", till.now).unwrap();
    till.commit(&step);
    assert_eq!(look(&mut till, &[], &[]), 0);
}

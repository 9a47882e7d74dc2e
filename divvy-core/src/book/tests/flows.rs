//! Rewards by units and time: stake, unstake, accrue, claim, compound; nothing is stranded.

use super::*;
use crate::{Amount, PoolOpened};

impl Till {
    /// A pool whose money flows over ten seconds.
    fn stake_pool(&mut self) {
        self.stake_pool_over(10_000);
    }

    fn stake_pool_over(&mut self, millis: u64) {
        let supply = Units::new(1_000_000).unwrap();
        let opened = PoolOpened { supply, flow_millis: Some(millis), proofs: None, payee: None };
        let step = self.book().open_pool_with(&name("s"), opened, self.now).unwrap();
        self.commit(&step);
        self.rule(&[("*s", "rest")]);
    }

    fn stake(&mut self, who: &str, units: u64) {
        let entries = [(name(who), Units::new(units).unwrap())];
        let step = self.book().issue_units("s", &entries, self.now).unwrap();
        self.commit(&step);
    }

    fn unstake(&mut self, who: &str, units: u64) {
        let units = Units::new(units).unwrap();
        let step = self.book().redeem_units("s", &name(who), units, self.now).unwrap();
        self.commit(&step);
    }

    fn pass(&mut self, millis: u64) {
        self.now = Time::from_millis(self.now.millis() + millis);
    }

    fn earned_of(&self, who: &str) -> u64 {
        self.book().balance(who, self.now).unwrap().earned.get()
    }
}

#[test]
fn rewards_follow_units_and_time() {
    let mut till = Till::instant();
    till.stake_pool();
    till.stake("ann", 100);
    till.record("1", 1_000);
    till.declare();
    // Alone for four seconds, then with bob for four, then bob alone for two.
    till.pass(4_000);
    till.stake("bob", 100);
    till.pass(4_000);
    till.unstake("ann", 100);
    till.pass(2_000);
    till.declare();
    assert_eq!((till.earned_of("ann"), till.earned_of("bob")), (400 + 200, 200 + 200));
    assert_eq!(till.book().totals().undeclared, Amount::ZERO);
    assert!(till.book().flows("s").unwrap().is_empty());
}

#[test]
fn what_flows_is_shown_before_a_fact_makes_it_payable() {
    let mut till = Till::instant();
    till.stake_pool();
    till.stake("ann", 100);
    till.record("1", 1_000);
    till.declare();
    till.pass(2_500);
    assert_eq!(till.earned_of("ann"), 0);
    assert_eq!(till.book().earned_until("ann", till.now).unwrap().get(), 250);
    till.declare();
    assert_eq!(till.earned_of("ann"), 250);
    assert_eq!(till.due(), [("ann".to_owned(), 250)]);
    // Nothing new has flowed: a declaration is nothing to write.
    assert_eq!(till.book().declare(till.now).unwrap().facts(), []);
}

#[test]
fn the_flow_pauses_while_nobody_holds_units_and_ends_so_much_later() {
    let mut till = Till::instant();
    till.stake_pool();
    till.record("1", 1_000);
    till.declare();
    till.pass(3_600_000);
    till.declare();
    till.stake("ann", 1);
    till.pass(5_000);
    till.unstake("ann", 1);
    assert_eq!(till.earned_of("ann"), 500);
    till.pass(86_400_000);
    till.stake("bob", 7);
    assert_eq!(till.book().flows("s").unwrap()[0].left_millis(), 5_000);
    till.pass(5_000);
    till.declare();
    assert_eq!((till.earned_of("ann"), till.earned_of("bob")), (500, 500));
}

#[test]
fn what_flows_at_once_waits_for_the_first_holder() {
    let mut till = Till::instant();
    till.stake_pool_over(0);
    till.record("1", 1_000);
    till.declare();
    till.pass(1_000);
    till.declare();
    till.stake("ann", 1);
    till.pass(1);
    till.declare();
    assert_eq!(till.earned_of("ann"), 1_000);
    assert!(till.book().flows("s").unwrap().is_empty());
}

#[test]
fn nothing_is_stranded_when_the_supply_changes_by_the_second() {
    // Method: everybody comes and goes every second while several payments flow over each other;
    // at the end all of it is with the holders but for what the pool's index still carries.
    let mut till = Till::instant();
    till.stake_pool();
    let mut dice = 7_u64;
    let mut units = [0_u64; 5];
    for second in 0..200_u64 {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        let who = usize::try_from((dice >> 33) % 5).unwrap();
        let many = (dice >> 40) % 900 + 1;
        if units[who] > many {
            till.unstake(&format!("h{who}"), many);
            units[who] -= many;
        } else {
            till.stake(&format!("h{who}"), many);
            units[who] += many;
        }
        if second % 3 == 0 && second < 180 {
            till.record(&second.to_string(), 997);
            till.declare();
        }
        till.pass(1_000);
    }
    till.pass(10_000);
    till.declare();
    let earned: u64 = (0..5).map(|who| till.earned_of(&format!("h{who}"))).sum();
    assert_eq!(till.book().totals().declared.get(), 60 * 997);
    assert!(60 * 997 - earned <= 5, "{earned}");
    assert!(till.book().flows("s").unwrap().is_empty());
}

#[test]
fn compounded_rewards_become_units_and_are_never_paid_out_too() {
    let mut till = Till::instant();
    till.stake_pool();
    till.stake("ann", 100);
    till.stake("bob", 100);
    till.record("1", 1_000);
    till.declare();
    till.pass(10_000);
    till.declare();
    let planned = till.book().due(till.now).unwrap().remove(0).lines;
    let step = till.book().compound("s", &name("ann"), amount(400), till.now).unwrap();
    till.commit(&step);
    assert_eq!(till.book().units("s", "ann").unwrap().get(), 500);
    let balance = till.book().balance("ann", till.now).unwrap();
    assert_eq!((balance.paid.get(), balance.payable.get()), (400, 100));
    // A run that was planned before it is refused, and the next one pays what is left.
    let plan = till.plan_of(planned);
    assert_eq!(till.books.plan("b", &[plan], till.now).unwrap_err().code(), Code::BatchStale);
    assert_eq!(till.due(), [("ann".to_owned(), 100), ("bob".to_owned(), 500)]);
    let batch = till.pay();
    till.hear(batch.stream(), Answer::Final);
    assert_eq!(till.book().balance("ann", till.now).unwrap().paid.get(), 500);
    for (minor, code) in [(1, Code::BatchStale), (0, Code::BatchStale)] {
        let error = till.book().compound("s", &name("ann"), amount(minor), till.now).unwrap_err();
        assert_eq!(error.code(), code);
    }
    crate::Verify::new().feed(&till.facts).unwrap();
}

#[test]
fn units_that_change_without_what_has_flowed_break_the_pool() {
    let mut till = Till::instant();
    till.stake_pool();
    till.stake("ann", 100);
    till.record("1", 1_000);
    till.declare();
    till.pass(4_000);
    let entries = [(name("bob"), Units::new(300).unwrap())];
    let step = till.book().issue_units("s", &entries, till.now).unwrap();
    assert_eq!(step.facts()[0].kind, "accrued.1");
    let pool = Stream::parse("pool/b/s").unwrap();
    let last = till.facts.iter().rfind(|fact| fact.stream == pool).unwrap();
    let issued = step.facts()[1].body().unwrap();
    let forged = Fact::new(&Head::after(last), till.now, &issued);
    assert_eq!(till.books.feed(&[forged]).unwrap_err().code(), Code::PoolBroken);
}

#[test]
fn what_went_back_is_kept_back_from_what_flows() {
    let mut till = Till::instant();
    till.stake_pool();
    till.stake("ann", 100);
    till.record("1", 1_000);
    till.declare();
    till.pass(5_000);
    till.declare();
    till.refund("1", "re", 600);
    till.pass(5_000);
    till.declare();
    assert_eq!((till.earned_of("ann"), till.book().totals().deficit.get()), (500, 100));
    till.record("2", 1_000);
    till.declare();
    till.pass(10_000);
    till.declare();
    assert_eq!((till.earned_of("ann"), till.book().totals().deficit.get()), (1_400, 0));
    till.restore("1", "re");
    till.declare();
    till.pass(10_000);
    till.declare();
    assert_eq!((till.earned_of("ann"), till.book().totals().surplus.get()), (2_000, 0));
}

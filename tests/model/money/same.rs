//! Everything that the book and the ledger tell, side by side.

use std::collections::BTreeMap;

use divvy_core::{Amount, Books, Code, Fact, Flow, Time, Verify};

use crate::action::Dice;
use crate::lab::{Same, payee_name, pool_name, same, text};
use crate::money::deed::{FUNDS, PEOPLE};
use crate::money::lab::{BOOK, Lab};
use crate::money::ledger::Paid;
use crate::money::rule::Place;

/// A day later, as far as what flows is concerned.
const LATER_MILLIS: u64 = 86_400_000;

impl Lab {
    pub(crate) fn compare(&self) -> Same {
        same("facts that wait", self.books.early().len(), 0)?;
        self.book().check().map_err(text)?;
        (0..PEOPLE).try_for_each(|who| self.compare_person(who))?;
        (0..FUNDS).try_for_each(|fund| self.compare_fund(fund))?;
        self.compare_totals()?;
        self.compare_issuer()?;
        self.compare_breaks(self.book())?;
        self.compare_paying()
    }

    fn compare_person(&self, who: usize) -> Same {
        let of = |what: &str| format!("{what} of {who}");
        let (ledger, payee) = (&self.ledger, payee_name(who));
        let balance = self.book().balance(payee.as_str(), self.time());
        let referrer = self.book().referrer(payee.as_str()).map(ToString::to_string);
        let by = ledger.people[who].by.map(|by| payee_name(by).to_string());
        same(&of("who brought them"), referrer, by)?;
        if !ledger.people[who].known {
            let code = balance.map(|_| ()).map_err(|error| error.code());
            return same(&of("a stranger"), code, Err(Code::PayeeUnknown));
        }
        let balance = balance.map_err(text)?;
        let (earned, paid) = (ledger.earned(who), ledger.paid(who));
        let reserved = ledger.people[who].reserved;
        let owed_back = (reserved + paid - earned).max(0);
        let places =
            [balance.earned, balance.payable, balance.reserved, balance.paid, balance.owed_back];
        let own = [earned, ledger.payable(who), reserved, paid, owed_back];
        same(&of("the places"), places.map(wide), own)?;
        let later = self.now + LATER_MILLIS;
        let mut grown = ledger.clone();
        grown.funds.iter_mut().for_each(|fund| fund.accrue(later.into()));
        let until = self.book().earned_until(payee.as_str(), Time::from_millis(later));
        same(&of("earned a day later"), wide(until.map_err(text)?), grown.earned(who))
    }

    fn compare_fund(&self, at: usize) -> Same {
        let (fund, name) = (&self.ledger.funds[at], pool_name(at));
        let of = |what: &str| format!("{what} of {name}");
        let book = self.book();
        let pool = book.pool(name.as_str()).map_err(text)?;
        same(&of("supply"), i128::from(pool.supply().get()), fund.supply)?;
        same(&of("index"), i128::try_from(pool.index().get()).unwrap(), fund.per_unit)?;
        same(&of("rest"), i128::from(pool.rest()), fund.rest)?;
        same(&of("declared"), wide(pool.declared()), fund.declared)?;
        let (waiting, total) = book.undeclared(name.as_str()).map_err(text)?;
        let waiting: Vec<String> = waiting.iter().map(ToString::to_string).collect();
        same(&of("waiting"), waiting, fund.waiting.keys().cloned().collect())?;
        same(&of("undeclared"), wide(total), fund.waiting.values().sum())?;
        let flows = book.flows(name.as_str()).map_err(text)?;
        let left = flows.iter().map(Flow::left).map(wide).collect::<Vec<_>>();
        same(&of("flows"), left, fund.flows.iter().map(|flow| flow.left()).collect())?;
        for who in 0..PEOPLE {
            let units = book.units(name.as_str(), payee_name(who).as_str()).map_err(text)?;
            same(&of("units"), i128::from(units.get()), fund.units[who])?;
        }
        Ok(())
    }

    fn compare_totals(&self) -> Same {
        let (totals, ledger) = (self.book().totals(), &self.ledger);
        let payments = |of: &dyn Fn(&Paid) -> i128| ledger.payments.iter().map(of).sum::<i128>();
        let funds = |of: fn(&crate::money::fund::Fund) -> i128| ledger.funds.iter().map(of).sum();
        let undivided =
            |paid: &Paid| if paid.parts.is_none() { paid.amount - paid.kept } else { 0 };
        let waits: i128 = ledger.funds.iter().map(crate::money::fund::Fund::waits).sum();
        let people = |of: &dyn Fn(usize) -> i128| (0..PEOPLE).map(of).sum::<i128>();
        let brought = |who: usize| ledger.people[who].brought.map_or(0, |(earned, _)| earned);
        for (what, real, own) in [
            ("recorded", totals.recorded, payments(&|paid| paid.amount)),
            ("withheld", totals.withheld, payments(&|paid| paid.kept)),
            ("refunded", totals.refunded, payments(&Paid::reversed)),
            ("borne", totals.borne, payments(&borne)),
            ("undeclared", totals.undeclared, waits + payments(&undivided)),
            ("one-shot", totals.one_shot, people(&|who| ledger.one_shot(who))),
            ("declared", totals.declared, funds(|fund| fund.declared)),
            ("deficit", totals.deficit, funds(|fund| fund.owes)),
            ("surplus", totals.surplus, funds(|fund| fund.again)),
            ("mirrored", totals.mirrored, people(&|who| ledger.people[who].mirrored)),
            ("opened", totals.opened, people(&brought)),
            ("paid", totals.paid, people(&|who| ledger.paid(who))),
        ] {
            same(what, wide(real), own)?;
        }
        let undivided = ledger.payments.iter().filter(|paid| paid.parts.is_none()).count();
        same("undivided", self.book().undivided(), undivided)
    }

    /// The same facts, with their streams mixed otherwise, tell the same; and they verify.
    pub(crate) fn again(&self, seed: u64) -> Same {
        let mut verify = Verify::new();
        verify.feed(&self.facts).map_err(text)?;
        let verified = verify.finish().map(|_| ()).map_err(|error| error.code());
        let expected = if self.unsigned { Err(Code::ActUnsigned) } else { Ok(()) };
        same("what verify says", verified, expected)?;
        self.verify_forged()?;
        self.compare_seals(seed)?;
        self.refuse_other_holders(seed)?;
        let dice = &mut Dice::new(seed, 999_983);
        let mut streams: BTreeMap<&str, Vec<&Fact>> = BTreeMap::new();
        for fact in self.facts.iter().rev() {
            streams.entry(fact.stream.as_str()).or_default().push(fact);
        }
        let mut streams: Vec<Vec<&Fact>> = streams.into_values().collect();
        let mut books = Books::default();
        while !streams.is_empty() {
            let at = dice.place(streams.len() as u64);
            let fact = streams[at].pop().unwrap();
            books.feed(std::slice::from_ref(fact)).map_err(text)?;
            if streams[at].is_empty() {
                streams.swap_remove(at);
            }
        }
        same("facts that wait", books.early().len(), 0)?;
        let book = books.book(BOOK).map_err(text)?;
        same("totals in another order", book.totals(), self.book().totals())?;
        self.compare_breaks(book)?;
        for who in (0..PEOPLE).filter(|who| self.ledger.people[*who].known) {
            let payee = payee_name(who);
            let told = |book: &divvy_core::Book| -> Same<[Amount; 4]> {
                let balance = book.balance(payee.as_str(), self.time()).map_err(text)?;
                Ok([balance.earned, balance.payable, balance.paid, balance.owed_back])
            };
            same("a balance in another order", told(book)?, told(self.book())?)?;
        }
        Ok(())
    }
}

/// What went back of a payment that nobody's part covers.
fn borne(paid: &Paid) -> i128 {
    let gone = |part: &i128| part * paid.reversed() / paid.amount;
    let covered = |(_, part): (&Place, &i128)| gone(part);
    paid.reversed() - paid.parts.iter().flatten().map(covered).sum::<i128>()
}

fn wide(amount: Amount) -> i128 {
    i128::from(amount.get())
}

//! The end of fees and rates: what rails charged, payees bore and rates made, by plain sums over
//! the statements.

use std::collections::BTreeMap;

use divvy_core::{Amount, Asset, Batch, Error, Name, Place, Try, Window};

use crate::simulation::promise::{Broken, Promise};
use crate::simulation::scene::Scene;
use crate::simulation::swap::swapped;
use crate::simulation::witness::Tried;

/// What the statements say of one book.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sums {
    borne: u128,
    charged: u128,
    /// What left the wallets, at what it was worth.
    moved: u128,
    /// What is left in the treasury.
    left: i128,
    gained: u128,
    lost: u128,
}

impl Scene {
    /// Each try has cost what its rail charged, and everyone was paid and bore what the statements
    /// say. What nobody can know of a rail that remembers nothing is left out.
    pub(super) fn fees_agree(&self) -> Result<Option<Broken>, Error> {
        let broken = |said: String| Ok(Some(Broken { promise: Promise::FeesAgree, said }));
        let mut sums: BTreeMap<Name, Sums> = BTreeMap::new();
        let mut paid: BTreeMap<(Name, Name), u128> = BTreeMap::new();
        for tried in &self.witness.tries {
            let (Some(batch), Place::Batch { book, .. }) =
                (self.witness.batches.get(&tried.batch), tried.batch.place())
            else {
                continue;
            };
            let is_own = |try_: &&Try| try_.signed.reference == tried.reference;
            let Some(try_) = batch.tries().iter().find(is_own) else { continue };
            let book = Name::new(book)?;
            let own = sums.entry(book.clone()).or_default();
            if let Some(said) = self.charges(batch, tried, try_, own)? {
                return broken(said);
            }
            if try_.signed.window == Window::Once && try_.is_open() {
                continue;
            }
            self.moves(batch, tried, own);
            for (line, times) in batch.lines().iter().zip(&tried.paid) {
                if *times == 1 {
                    let fee = line.fee.map_or(0, Amount::get);
                    own.borne = own.borne.saturating_add(fee.into());
                    let got = paid.entry((book.clone(), line.payee.clone())).or_default();
                    *got = got.saturating_add(line.amount.get().into()).saturating_add(fee.into());
                }
            }
        }
        for expected in &self.expected {
            let own = sums.entry(expected.book().clone()).or_default();
            let out = i128::try_from(own.moved.saturating_add(own.charged)).unwrap_or(i128::MAX);
            own.left = self.notes.noted(expected.book()).saturating_sub(out);
            own.moved = own.moved.saturating_add(expected.passed_all());
        }
        self.sums_agree(&sums, &paid)
    }

    /// What the rail charged for a try is known.
    fn charges(
        &self,
        batch: &Batch,
        tried: &Tried,
        try_: &Try,
        sums: &mut Sums,
    ) -> Result<Option<String>, Error> {
        let Some(price) = self.town.price(batch.rail().as_str()) else { return Ok(None) };
        let Some(asset) = &price.asset else { return Ok(None) };
        let known: u64 = try_.charged.iter().map(|fee| fee.amount.get()).sum();
        let took = tried.charged.saturating_mul(price.charged);
        let forgets = try_.signed.window == Window::Once;
        if known != took && !(forgets && known == 0) {
            return Ok(Some(format!("{}: charged {took}, known {known}", tried.batch)));
        }
        if *asset == Asset::parse("USD")? {
            sums.charged = sums.charged.saturating_add(known.into());
        }
        Ok(None)
    }

    /// What left the wallet for a try, and what the rate made of it. What came back takes its part
    /// of the worth with it.
    fn moves(&self, batch: &Batch, tried: &Tried, sums: &mut Sums) {
        let amounts = batch.lines().iter().map(|line| u128::from(line.amount));
        let (mut total, mut stays) = (0_u128, 0_u128);
        for (amount, times) in amounts.zip(&tried.paid) {
            total = total.saturating_add(amount);
            stays = stays.saturating_add(if *times == 1 { amount } else { 0 });
        }
        let rate = self.town.price(batch.rail().as_str()).and_then(|price| price.rate);
        let moved = match rate.filter(|_| stays > 0) {
            None => stays,
            Some((num, den)) => {
                let moved = swapped(&tried.reference, total, (num, den));
                let worth = moved.saturating_mul(num.into()).checked_div(den.into()).unwrap_or(0);
                let away = worth.saturating_mul(total.saturating_sub(stays));
                worth.saturating_sub(away.checked_div(total).unwrap_or(0))
            }
        };
        sums.moved = sums.moved.saturating_add(moved);
        sums.gained = sums.gained.saturating_add(stays.saturating_sub(moved));
        sums.lost = sums.lost.saturating_add(moved.saturating_sub(stays));
    }

    fn sums_agree(
        &self,
        sums: &BTreeMap<Name, Sums>,
        paid: &BTreeMap<(Name, Name), u128>,
    ) -> Result<Option<Broken>, Error> {
        let broken = |said: String| Ok(Some(Broken { promise: Promise::FeesAgree, said }));
        for fold in self.witness.books.all() {
            let (name, totals) = (fold.name(), fold.totals());
            let known = Sums {
                borne: totals.fees_borne.into(),
                charged: totals.fees_charged.into(),
                moved: totals.moved.into(),
                left: fold.treasury().balance()?.get().into(),
                gained: totals.rate_gains.into(),
                lost: totals.rate_losses.into(),
            };
            let own = sums.get(name);
            if own.is_some_and(|own| *own != known) {
                return broken(format!("{name}: {own:?} by the statements, known {known:?}"));
            }
            for payee in fold.payees() {
                let got = paid.get(&(name.clone(), payee.clone())).copied().unwrap_or(0);
                let passed = self.passed(name, payee);
                let known = fold.balance(payee.as_str(), self.now)?.paid;
                if u128::from(known.get()) != got.saturating_add(passed) {
                    let said = format!("{payee} of {name} got {got}, and {passed} otherwise");
                    return broken(format!("{said}, known {known}"));
                }
            }
        }
        Ok(None)
    }
}

//! The end of fees and rates: what rails charged, payees bore and rates made, by plain sums over
//! the statements.

use std::collections::BTreeMap;

use divvy_core::{Amount, Asset, Batch, Error, Name, Place, Try, Window};

use crate::simulation::promise::{Broken, Promise};
use crate::simulation::scene::Scene;
use crate::simulation::swap::swapped;
use crate::simulation::witness::Tried;

/// What the statements say of all books.
#[derive(Debug, Default)]
pub(super) struct Bills {
    sums: BTreeMap<Name, Sums>,
    /// What each payee was paid and bore, book by book.
    paid: BTreeMap<(Name, Name), u128>,
    /// The first try of which somebody knows another charge.
    wrong: Option<String>,
}

/// What the statements say of one book.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) borne: u128,
    pub(super) charged: u128,
    /// What was charged in another asset.
    pub(super) coins: u128,
    /// What left the wallets, at what it was worth.
    moved: u128,
    pub(super) gained: u128,
    pub(super) lost: u128,
}

impl Sums {
    /// What left the wallets together.
    pub(super) const fn out(&self) -> u128 {
        self.moved.saturating_add(self.charged)
    }
}

impl Bills {
    pub(super) fn of(&self, book: &Name) -> Sums {
        self.sums.get(book).copied().unwrap_or_default()
    }

    /// What a payee was paid and bore.
    pub(super) fn paid(&self, book: &Name, payee: &Name) -> u128 {
        self.paid.get(&(book.clone(), payee.clone())).copied().unwrap_or(0)
    }

    /// What all payees of a book were paid and bore.
    pub(super) fn paid_all(&self, book: &Name) -> u128 {
        self.paid.iter().filter(|((of, _), _)| of == book).map(|(_, paid)| paid).sum()
    }
}

impl Scene {
    /// Each try has cost what its rail charged, and everyone was paid and bore what the statements
    /// say.
    pub(super) fn fees_agree(&self) -> Result<Option<Broken>, Error> {
        let mut bills = self.bills()?;
        let said = bills.wrong.take();
        match said.map_or_else(|| self.sums_agree(&bills), |said| Ok(Some(said)))? {
            Some(said) => Ok(Some(Broken { promise: Promise::FeesAgree, said })),
            None => Ok(None),
        }
    }

    /// What the statements say. What nobody can know of a rail that remembers nothing is left out.
    pub(super) fn bills(&self) -> Result<Bills, Error> {
        let mut bills = Bills::default();
        for tried in &self.witness.tries {
            let (Some(batch), Place::Batch { book, .. }) =
                (self.witness.batches.get(&tried.batch), tried.batch.place())
            else {
                continue;
            };
            let is_own = |try_: &&Try| try_.signed.reference == tried.reference;
            let Some(try_) = batch.tries().iter().find(is_own) else { continue };
            let book = Name::new(book)?;
            let own = bills.sums.entry(book.clone()).or_default();
            let wrong = self.charges(batch, tried, try_, own)?;
            bills.wrong = bills.wrong.or(wrong);
            if try_.signed.window == Window::Once && try_.is_open() {
                continue;
            }
            self.moves(batch, tried, own);
            for (line, times) in batch.lines().iter().zip(&tried.paid) {
                if *times == 1 {
                    let fee = line.fee.map_or(0, Amount::get);
                    own.borne = own.borne.saturating_add(fee.into());
                    let got = bills.paid.entry((book.clone(), line.payee.clone())).or_default();
                    *got = got.saturating_add(line.amount.get().into()).saturating_add(fee.into());
                }
            }
        }
        Ok(bills)
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
        let sum = if *asset == Asset::parse("USD")? { &mut sums.charged } else { &mut sums.coins };
        *sum = sum.saturating_add(known.into());
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

    fn sums_agree(&self, bills: &Bills) -> Result<Option<String>, Error> {
        for expected in &self.expected {
            let (name, own) = (expected.book(), bills.of(expected.book()));
            let fold = self.witness.books.book(name.as_str())?;
            let totals = fold.totals();
            let coins = fold.charged()?.into_iter().map(|(_, fee)| fee);
            let coins = coins.filter(|fee| fee.asset != fold.settings().asset);
            let known = Sums {
                borne: totals.fees_borne.into(),
                charged: totals.fees_charged.into(),
                coins: coins.map(|fee| u128::from(fee.amount)).sum(),
                moved: totals.moved.into(),
                gained: totals.rate_gains.into(),
                lost: totals.rate_losses.into(),
            };
            // What payees were paid otherwise than by a batch has moved as well.
            let moved = own.moved.saturating_add(expected.passed_all());
            if (Sums { moved, ..own }) != known {
                return Ok(Some(format!("{name}: {own:?} by the statements, known {known:?}")));
            }
            let out = i128::try_from(own.out()).unwrap_or(i128::MAX);
            let left = self.notes.noted(name).saturating_sub(out);
            let known = fold.treasury().balance()?.get();
            if left != known.into() {
                return Ok(Some(format!(
                    "{left} is left in the treasury of {name}, known {known}"
                )));
            }
            for payee in fold.payees() {
                let got = bills.paid(name, payee);
                let passed = self.passed(name, payee);
                let known = fold.balance(payee.as_str(), self.now)?.paid;
                if u128::from(known.get()) != got.saturating_add(passed) {
                    let said = format!("{payee} of {name} got {got}, and {passed} otherwise");
                    return Ok(Some(format!("{said}, known {known}")));
                }
            }
        }
        Ok(None)
    }
}

//! The end of fees: what rails charged and payees bore, by plain sums over the statements.

use std::collections::BTreeMap;

use divvy_core::{Amount, Asset, Error, Name, Place, Window};

use crate::simulation::promise::{Broken, Promise};
use crate::simulation::scene::Scene;

impl Scene {
    /// Each try has cost what its rail charged, and everyone was paid and bore what the statements
    /// say. What nobody can know of a rail that remembers nothing is left out.
    pub(super) fn fees_agree(&self) -> Result<Option<Broken>, Error> {
        let broken = |said: String| Ok(Some(Broken { promise: Promise::FeesAgree, said }));
        let own = Asset::parse("USD")?;
        let (mut borne, mut charged) = (BTreeMap::new(), BTreeMap::new());
        let mut paid: BTreeMap<(Name, Name), u128> = BTreeMap::new();
        for tried in &self.witness.tries {
            let (Some(batch), Place::Batch { book, .. }) =
                (self.witness.batches.get(&tried.batch), tried.batch.place())
            else {
                continue;
            };
            let is_own = |try_: &&divvy_core::Try| try_.signed.reference == tried.reference;
            let Some(try_) = batch.tries().iter().find(is_own) else { continue };
            let forgets = try_.signed.window == Window::Once;
            let book = Name::new(book)?;
            let price = self.town.price(batch.rail().as_str());
            if let Some(price) = price
                && let Some(asset) = &price.asset
            {
                let known: u64 = try_.charged.iter().map(|fee| fee.amount.get()).sum();
                let took = tried.charged.saturating_mul(price.charged);
                if known != took && !(forgets && known == 0) {
                    let said = format!("{}: charged {took}, known {known}", tried.batch);
                    return broken(said);
                }
                if *asset == own {
                    let sum: &mut u128 = charged.entry(book.clone()).or_default();
                    *sum = sum.saturating_add(known.into());
                }
            }
            for (line, times) in batch.lines().iter().zip(&tried.paid) {
                if *times != 1 || (forgets && try_.is_open()) {
                    continue;
                }
                let fee = line.fee.map_or(0, Amount::get);
                let sum: &mut u128 = borne.entry(book.clone()).or_default();
                *sum = sum.saturating_add(fee.into());
                let got = paid.entry((book.clone(), line.payee.clone())).or_default();
                *got = got.saturating_add(line.amount.get().into()).saturating_add(fee.into());
            }
        }
        for fold in self.witness.books.all() {
            let (name, totals) = (fold.name(), fold.totals());
            let sum = |sums: &BTreeMap<Name, u128>| sums.get(name).copied().unwrap_or(0);
            let known = (totals.fees_borne.get().into(), totals.fees_charged.get().into());
            if known != (sum(&borne), sum(&charged)) {
                let (borne, charged) = (sum(&borne), sum(&charged));
                let said = format!("{name}: {borne} borne, {charged} charged, known {known:?}");
                return broken(said);
            }
            for payee in fold.payees() {
                let got = paid.get(&(name.clone(), payee.clone())).copied().unwrap_or(0);
                let passed = self.passed(name, payee);
                let known = fold.balance(payee.as_str(), self.now)?.paid;
                if u128::from(known.get()) != got.saturating_add(passed) {
                    let said = format!("{payee} of {name} got {got} and passed {passed} on");
                    return broken(format!("{said}, known {known}"));
                }
            }
        }
        Ok(None)
    }
}

//! The equations that hold at every horizon, or everything stops.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use crate::amount::Amount;
use crate::book::fees::Outcome;
use crate::book::{Book, PayeeId};
use crate::error::{Code, Error};
use crate::verify::same;

/// Sums over the whole book. Each is kept as facts arrive, and recomputed by `verify`.
///
/// ```
/// use divvy_core::Totals;
///
/// let totals = Totals::default();
/// assert_eq!(totals.recorded, totals.undeclared);
/// assert_eq!(totals.paid, totals.moved);
/// assert_eq!(totals.rate_difference().get(), 0);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
#[non_exhaustive]
pub struct Totals {
    /// Facts folded.
    #[n(0)]
    pub facts: u64,
    /// All payments.
    #[n(1)]
    pub recorded: Amount,
    /// Parts of payments that wait for a declaration, or for a rule.
    #[n(2)]
    pub undeclared: Amount,
    /// Earned by legs.
    #[n(3)]
    pub one_shot: Amount,
    /// Declared to pools.
    #[n(4)]
    pub declared: Amount,
    /// In batches whose outcome is not final.
    #[n(5)]
    pub reserved: Amount,
    /// Paid, as the payees' own sums say.
    #[n(6)]
    pub paid: Amount,
    /// Moved, as the batches say, at what it was worth.
    #[n(7)]
    pub moved: Amount,
    /// Payout lines that settled and did not come back.
    #[n(8)]
    pub lines_settled: u64,
    /// What payees brought along from before the book began.
    #[n(9)]
    pub opened: Amount,
    /// What was kept back at receipt, and never divided.
    #[n(10)]
    pub withheld: Amount,
    /// What went back of payments, and stayed away.
    #[n(11)]
    pub refunded: Amount,
    /// What of that no share covers: odd units, and what was kept back at receipt.
    #[n(12)]
    pub borne: Amount,
    /// What went back of pools' parts, and is to be kept back from declarations to come.
    #[n(13)]
    pub deficit: Amount,
    /// What came again of pools' parts, and is to be declared again.
    #[n(14)]
    pub surplus: Amount,
    /// What was taken from those who held units at a record date.
    #[n(15)]
    pub mirrored: Amount,
    /// What pools' payees earned and passed on: earned twice, by them and by the holders.
    #[n(16)]
    pub drawn: Amount,
    /// What payees bore of fees.
    #[n(17)]
    pub fees_borne: Amount,
    /// What payees were debited more than what left the wallet, where that was another asset.
    #[n(18)]
    pub rate_gains: Amount,
    /// What they were debited less.
    #[n(19)]
    pub rate_losses: Amount,
    /// What rails charged in the book's own asset.
    #[n(20)]
    pub fees_charged: Amount,
}

impl Book {
    /// Refuses what would take a book beyond what it can count. All that ever came in, was brought
    /// along or was passed on is one sum, and what is earned, declared or paid is no more than
    /// that: a fact that goes beyond would be written, and then refused by every fold.
    ///
    /// # Errors
    /// [`Code::AmountAboveCeiling`].
    pub(super) fn check_room(&self, more: impl Iterator<Item = Amount>) -> Result<(), Error> {
        let Totals { recorded, opened, drawn, .. } = self.totals;
        Amount::total([recorded, opened, drawn].into_iter().chain(more)).map(drop)
    }

    /// Checks accrual and payout from the running sums, in O(1).
    ///
    /// # Errors
    /// [`Code::BookUnbalanced`] when a unit was lost or invented.
    pub(super) fn check_accrual(&self) -> Result<(), Error> {
        let totals = &self.totals;
        let wide = |parts: &[Amount]| parts.iter().copied().sum::<u128>();
        let Totals { recorded, opened, deficit, borne, mirrored, drawn, .. } = *totals;
        let Totals { refunded, withheld, undeclared, surplus, one_shot, declared, .. } = *totals;
        let came = wide(&[recorded, opened, deficit, borne, mirrored, drawn]);
        let went = wide(&[refunded, withheld, undeclared, surplus, one_shot, declared]);
        if came != went {
            let detail = format!(
                "book {} does not balance: {came} came in, {went} is accounted for; stop paying",
                self.name
            );
            return Err(Error::new(Code::BookUnbalanced, detail));
        }
        let Totals { paid, moved, fees_borne, rate_gains, rate_losses, .. } = *totals;
        let (debited, cost) = (wide(&[paid, rate_losses]), wide(&[moved, fees_borne, rate_gains]));
        if debited != cost {
            let detail = format!(
                "book {} does not balance: {debited} was paid, {cost} moved, was borne or won; \
                 stop paying",
                self.name
            );
            return Err(Error::new(Code::BookUnbalanced, detail));
        }
        Ok(())
    }

    /// Checks every equation from every payee, pool and batch, in O(everything).
    ///
    /// # Errors
    /// [`Code::BookUnbalanced`] or [`Code::PoolBroken`] when a unit was lost or invented.
    pub fn check(&self) -> Result<(), Error> {
        self.check_accrual()?;
        let totals = &self.totals;
        let (mut one_shot, mut reserved, mut paid) = (0_u128, 0_u128, 0_u128);
        for id in 0..self.payees.len() {
            let id = u32::try_from(id).unwrap_or(u32::MAX);
            let payee = self.payee(id)?;
            let (earned, spoken_for) = (self.earned(id)?, payee.spoken_for()?);
            let (payable, owed_back) = (earned.less(spoken_for), spoken_for.less(earned));
            let places = Amount::total([payable, payee.reserved, payee.paid])?;
            if earned.plus(owed_back)? != places {
                return Err(self.unbalanced("a payee's earned", earned, "places", places));
            }
            one_shot = one_shot.saturating_add(payee.one_shot.into());
            reserved = reserved.saturating_add(payee.reserved.into());
            paid = paid.saturating_add(payee.paid.into());
        }
        for (what, sum, total) in [
            ("one-shot", one_shot, totals.one_shot),
            ("reserved", reserved, totals.reserved),
            ("paid", paid, totals.paid),
        ] {
            if sum != u128::from(total) {
                return Err(self.unbalanced(what, total, "sum", Amount::from_wide(sum)?));
            }
        }
        self.check_pools()?;
        self.check_nested()?;
        self.check_slips()?;
        self.check_demands()?;
        self.check_treasury()
    }

    fn check_pools(&self) -> Result<(), Error> {
        let mut undeclared: u128 = self.unruled.values().map(|payment| payment.amount).sum();
        undeclared = undeclared.saturating_add(self.divisions.waiting_total());
        let (mut declared, mut deficit, mut surplus) = (0_u128, 0_u128, 0_u128);
        for account in &self.pools {
            deficit = deficit.saturating_add(account.makeup.deficit().into());
            surplus = surplus.saturating_add(account.makeup.surplus().into());
            account.pool.check()?;
            let waiting: u128 = account.undeclared.values().copied().sum();
            let flowing = account.flowing()?.into();
            undeclared = undeclared.saturating_add(waiting).saturating_add(flowing);
            declared = declared.saturating_add(account.pool.declared().into());
            let held: u128 =
                account.holders.iter().map(|holder| u128::from(holder.units().get())).sum();
            if held != u128::from(account.pool.supply().get()) {
                let detail = format!("pool {} lost or invented units: run verify", account.name);
                return Err(Error::new(Code::PoolBroken, detail));
            }
        }
        let totals = &self.totals;
        let mirrored: u128 = self.taken.values().copied().sum();
        for (what, sum, total) in [
            ("undeclared", undeclared, totals.undeclared),
            ("declared", declared, totals.declared),
            ("deficit", deficit, totals.deficit),
            ("surplus", surplus, totals.surplus),
            ("mirrored", mirrored, totals.mirrored),
        ] {
            if sum != u128::from(total) {
                return Err(self.unbalanced(what, total, "sum", Amount::from_wide(sum)?));
            }
        }
        Ok(())
    }

    /// What payees have reserved and been paid is what their batches say.
    fn check_slips(&self) -> Result<(), Error> {
        let mut sums: BTreeMap<PayeeId, (u128, u128)> = BTreeMap::new();
        let mut outcome = Outcome::default();
        for slip in self.slips.values() {
            outcome = outcome.plus(slip.outcome(&self.settings.asset)?)?;
            for ((id, amount), effect) in slip.lines.iter().zip(slip.effects()) {
                let sum = sums.entry(*id).or_default();
                let wide = u128::from(amount.get());
                sum.0 = sum.0.saturating_add(if effect.reserved { wide } else { 0 });
                sum.1 = sum.1.saturating_add(wide.saturating_mul(effect.paid.into()));
            }
        }
        for (id, paid) in self.brought.iter().chain(&self.compounded) {
            let sum = sums.entry(*id).or_default();
            sum.1 = sum.1.saturating_add(u128::from(*paid));
        }
        for (id, (reserved, paid)) in sums {
            let payee = self.payee(id)?;
            if reserved != u128::from(payee.reserved) || paid != u128::from(payee.paid) {
                let paid = Amount::from_wide(paid)?;
                return Err(self.unbalanced("a payee's paid", payee.paid, "batches", paid));
            }
        }
        self.check_outcome(outcome)
    }

    /// What moved, what was borne, won, lost and charged is what the batches say.
    fn check_outcome(&self, outcome: Outcome) -> Result<(), Error> {
        let totals = &self.totals;
        let beside = self.brought.values().chain(self.compounded.values()).copied();
        for (what, sum, total) in [
            ("moved", outcome.moved.plus(Amount::total(beside)?)?, totals.moved),
            ("fees borne", outcome.fees_borne, totals.fees_borne),
            ("rate gains", outcome.rate_gains, totals.rate_gains),
            ("rate losses", outcome.rate_losses, totals.rate_losses),
            ("fees charged", outcome.fees_charged, totals.fees_charged),
        ] {
            if sum != total {
                return Err(self.unbalanced(what, total, "batches", sum));
            }
        }
        Ok(())
    }

    /// Compares a live fold of this book with this one from zero, figure by figure.
    pub(crate) fn compare(&self, live: &Self) -> Result<(), Error> {
        let of = self.name.as_str();
        same(of, "name", &self.name, &live.name)?;
        same(of, "opening", &self.settings, &live.settings)?;
        same(of, "totals", &self.totals, &live.totals)?;
        same(of, "rules", &self.rules, &live.rules)?;
        same(of, "rules' places", &self.rule_ns, &live.rule_ns)?;
        same(of, "issuer", &self.issuer, &live.issuer)?;
        same(of, "rule head", &self.rule_head, &live.rule_head)?;
        same(of, "run head", &self.run_head, &live.run_head)?;
        same(of, "runs", &self.run_batches, &live.run_batches)?;
        same(of, "guards", &self.guards, &live.guards)?;
        same(of, "guarded runs", &self.guarded_runs, &live.guarded_runs)?;
        same(of, "acts", &self.acts, &live.acts)?;
        same(of, "planned today", &self.day, &live.day)?;
        same(of, "terms of fees", &self.fee_terms, &live.fee_terms)?;
        same(of, "demands", &self.demands, &live.demands)?;
        same(of, "open batches", &self.open, &live.open)?;
        same(of, "taken back", &self.taken, &live.taken)?;
        same(of, "compounded", &self.compounded, &live.compounded)?;
        same(of, "what went back", &self.back, &live.back)?;
        same(of, "brought along", &self.brought, &live.brought)?;
        same(of, "payments without a rule", &self.unruled, &live.unruled)?;
        same(of, "divisions", &self.divisions, &live.divisions)?;
        same(of, "treasury", &self.treasury, &live.treasury)?;
        same(of, "breaks", &self.breaks, &live.breaks)?;
        same(of, "webhooks", &self.endpoints, &live.endpoints)?;
        same(of, "payees", &self.payees.len(), &live.payees.len())?;
        for (own, live) in self.payees.iter().zip(&live.payees) {
            same(own.name.as_str(), "money", &own.money(), &live.money())?;
            same(own.name.as_str(), "choices", &own.choices, &live.choices)?;
        }
        same(of, "pools", &self.pools.len(), &live.pools.len())?;
        for (own, live) in self.pools.iter().zip(&live.pools) {
            own.compare(live)?;
        }
        same(of, "batches", &self.slips.len(), &live.slips.len())?;
        for (own, live) in self.slips.values().zip(live.slips.values()) {
            same(own.batch.stream().as_str(), "batch", own, live)?;
        }
        Ok(())
    }

    pub(super) fn unbalanced(&self, a: &str, left: Amount, b: &str, right: Amount) -> Error {
        let detail =
            format!("book {} does not balance: {a} {left}, {b} {right}; stop paying", self.name);
        Error::new(Code::BookUnbalanced, detail)
    }
}

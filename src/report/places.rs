//! Where every unit is: two columns with one sum.

use divvy_core::{Amount, Error, Totals};

/// What came in, and where it is. Both columns have the same sum, or the book does not balance.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    pub(super) came: Vec<Place>,
    pub(super) is: Vec<Place>,
    pub(super) sum: Amount,
}

/// One line of a column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) what: &'static str,
    /// Which colour it has.
    pub(super) class: &'static str,
    pub(super) amount: Amount,
}

/// What the payees of a book have together.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Together {
    pub(super) earned: Amount,
    pub(super) payable: Amount,
    pub(super) owed_back: Amount,
}

impl Places {
    /// Where it is, with what payees turned into units. What a pool's payee passed on was earned
    /// twice and left nowhere, so it stands in neither column.
    pub(super) fn of(totals: &Totals, together: Together, staked: Amount) -> Result<Self, Error> {
        let place = |what, class, amount| Place { what, class, amount };
        let declared = totals.one_shot.plus(totals.declared)?.minus(totals.mirrored)?;
        // What a pool could not divide to the unit is carried to its next declaration.
        let carried = declared.minus(together.earned)?;
        let mut came = vec![
            place("Payments", "came", totals.recorded),
            place("Brought along from before", "came", totals.opened),
            place("Owed back by payees", "owed", together.owed_back),
            place("Refunded, not made up for yet", "owed", totals.deficit),
            place("Refunded, borne by the seller", "owed", totals.borne),
        ];
        let mut is = vec![
            place("Paid out", "paid", totals.paid.minus(totals.drawn)?.minus(staked)?),
            place("Turned into units", "staked", staked),
            place("On its way", "way", totals.reserved),
            place("Earned, waiting", "waiting", together.payable),
            place("Not declared yet", "undeclared", totals.undeclared),
            place("Carried to the next declaration", "carried", carried.plus(totals.surplus)?),
            place("Went back to payers", "back", totals.refunded),
            place("Kept back at receipt", "withheld", totals.withheld),
        ];
        for column in [&mut came, &mut is] {
            column.retain(|place| !place.amount.is_zero());
        }
        let sum = Amount::total(is.iter().map(|place| place.amount))?;
        let sum_came = Amount::total(came.iter().map(|place| place.amount))?;
        // A report that does not add up is not made.
        sum.minus(sum_came).and_then(|_| sum_came.minus(sum))?;
        Ok(Self { came, is, sum })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pool_passes_on_is_in_one_place() {
        let amount = |minor| Amount::new(minor).unwrap();
        // 100 are earned by the payee of a pool, who passes 60 on to its holders.
        let mut totals = Totals::default();
        (totals.recorded, totals.one_shot) = (amount(100), amount(100));
        (totals.drawn, totals.declared, totals.paid) = (amount(60), amount(60), amount(60));
        let together =
            Together { earned: amount(160), payable: amount(100), owed_back: Amount::ZERO };
        assert_eq!(Places::of(&totals, together, Amount::ZERO).unwrap().sum, amount(100));
    }
}

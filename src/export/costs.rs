//! What paying cost, as entries: fees in the book's asset and in others, and what rates made.

use std::collections::BTreeMap;

use divvy_core::{Asset, Body, Book, Charged, Error, Fact, Stream, Totals};

use crate::export::{Account, wide};

/// What is written down of costs.
#[derive(Debug, Default)]
pub(super) struct Costs {
    written: Cost,
    /// Whether anything of it was ever written, though it may have come to nothing since.
    ever: bool,
    /// What each try has cost in other assets.
    charged: BTreeMap<(Stream, String, String), i128>,
}

/// What paying has cost in the book's asset so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    /// What was charged, less what payees bore.
    fees: i128,
    /// What rates won, less what they lost.
    rates: i128,
}

impl Cost {
    pub(super) fn of(totals: &Totals) -> Self {
        let fees = wide(totals.fees_charged).saturating_sub(wide(totals.fees_borne));
        let rates = wide(totals.rate_gains).saturating_sub(wide(totals.rate_losses));
        Self { fees, rates }
    }

    /// What of the payouts stayed in cash, below zero where more left it.
    pub(super) const fn kept(&self) -> i128 {
        self.rates.saturating_sub(self.fees)
    }
}

impl Costs {
    /// What a fact of a batch cost, as postings that add up to nothing in each asset.
    pub(super) fn take(&mut self, fact: &Fact, fold: &Book) -> Result<Vec<(Account, i128)>, Error> {
        let (before, after) = (self.written, Cost::of(fold.totals()));
        self.written = after;
        self.ever |= (before.fees, before.rates) != (after.fees, after.rates);
        let fees = after.fees.saturating_sub(before.fees);
        let rates = after.rates.saturating_sub(before.rates);
        let mut postings = vec![
            (Account::Cash, rates.saturating_sub(fees)),
            (Account::Fees, fees),
            (Account::Rates, rates.saturating_neg()),
        ];
        if let Body::Charged(Charged { reference, asset, amount, .. }) = fact.body()?
            && asset != fold.settings().asset
        {
            let coin = asset.to_string();
            let key = (fact.stream.clone(), reference, coin.clone());
            let known = self.charged.insert(key, wide(amount)).unwrap_or(0);
            let more = wide(amount).saturating_sub(known);
            postings.push((Account::CoinFees(coin.clone()), more));
            postings.push((Account::Coins(coin), more.saturating_neg()));
        }
        Ok(postings)
    }

    /// What the accounts of costs must hold, as the book itself says, and the assets that they are
    /// of. Where nothing ever cost anything there are none.
    pub(super) fn balances(
        &self,
        fold: &Book,
        cost: &Cost,
        balances: &mut BTreeMap<Account, i128>,
    ) -> Result<BTreeMap<String, Asset>, Error> {
        if self.ever {
            balances.insert(Account::Fees, cost.fees);
            balances.insert(Account::Rates, cost.rates.saturating_neg());
        }
        let mut coins = BTreeMap::new();
        for (_, fee) in fold.charged()? {
            if fee.asset == fold.settings().asset {
                continue;
            }
            let (coin, amount) = (fee.asset.to_string(), wide(fee.amount));
            let sum = balances.entry(Account::CoinFees(coin.clone())).or_default();
            *sum = sum.saturating_add(amount);
            let sum = balances.entry(Account::Coins(coin.clone())).or_default();
            *sum = sum.saturating_sub(amount);
            coins.insert(coin, fee.asset);
        }
        Ok(coins)
    }
}

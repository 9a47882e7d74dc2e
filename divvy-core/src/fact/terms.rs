//! What the facts say that set when and at what cost payees are paid.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::asset::Asset;
use crate::error::{Code, Error};
use crate::fact::bodies::bodies;
use crate::name::Name;
use crate::policy::{FeeShare, Policy};
use crate::quote::Rate;
use crate::time::Time;

bodies! {
    /// Terms of payouts from now on: for everyone, in the stream of runs; for one payee, in
    /// theirs. What is absent stays as it was.
    TermsSet {
        /// How much of a line its fee may be.
        #[n(0)] #[serde(default, skip_serializing_if = "Option::is_none")]
        fee_share: Option<FeeShare>,
        /// When payable money is due.
        #[n(1)] #[serde(default, skip_serializing_if = "Option::is_none")]
        policy: Option<Policy>,
        /// How the policy's least amount was stated, where that was in another asset.
        #[n(2)] #[serde(default, skip_serializing_if = "Option::is_none")]
        policy_stated: Option<Stated>,
        /// No line is smaller than this. The book's alone.
        #[n(3)] #[serde(default, skip_serializing_if = "Option::is_none")]
        floor: Option<Amount>,
        /// How the floor was stated, where that was in another asset.
        #[n(4)] #[serde(default, skip_serializing_if = "Option::is_none")]
        floor_stated: Option<Stated>,
    }
    /// A payee asks to be paid what is payable, without waiting for what their policy waits for.
    Demanded {
        /// Who.
        #[n(0)] payee: Name,
        /// The highest fee that they accept, in the book's asset.
        #[n(1)] fee_max: Amount,
        /// The last moment at which a run may still pay it.
        #[n(2)] until: Time,
    }
    /// An amount as it was stated in another asset, and the rate that made it one of the book's.
    Stated {
        /// How much of the asset that the rate is from.
        #[n(0)] amount: Amount,
        /// From that asset into the book's.
        #[n(1)] rate: Rate,
    }
}

impl Stated {
    /// The amount in the book's asset, as the rate rounds; never nothing.
    ///
    /// ```
    /// use divvy_core::{Asset, Rate, Stated, Time};
    ///
    /// // A floor of 50.00 USD in a book of BSV.
    /// let (bsv, usd) = (Asset::parse("BSV@8")?, Asset::parse("USD")?);
    /// let rate = Rate::of_price(bsv.clone(), usd.clone(), "42.50", "an exchange", Time::ZERO)?;
    /// let stated = Stated { amount: usd.amount("50.00")?, rate: rate.inverse() };
    /// assert_eq!(bsv.text(stated.in_book()?), "1.17647058");
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Code::AmountAboveCeiling`].
    pub fn in_book(&self) -> Result<Amount, Error> {
        Ok(self.rate.convert(self.amount)?.max(Amount::ONE))
    }
}

impl TermsSet {
    /// It changes nothing; a literal begins with it.
    pub const NONE: Self = Self {
        fee_share: None,
        policy: None,
        policy_stated: None,
        floor: None,
        floor_stated: None,
    };

    /// Whether it says what a book of this asset can hold to, each amount as it was stated.
    pub(crate) fn check(&self, asset: &Asset) -> Result<(), Error> {
        self.fee_share.map_or(Ok(()), FeeShare::check)?;
        let amounts = [
            ("least amount", self.policy.map(Policy::min), &self.policy_stated),
            ("floor", self.floor, &self.floor_stated),
        ];
        for (what, amount, stated) in amounts {
            let Some(stated) = stated else { continue };
            if stated.rate.to() != asset || amount != Some(stated.in_book()?) {
                let detail = format!(
                    "a {what} of {} {} is not what it comes to in {asset}: convert it by its rate",
                    stated.rate.from().text(stated.amount),
                    stated.rate.from().code()
                );
                return Err(Error::new(Code::PolicyMalformed, detail));
            }
        }
        Ok(())
    }
}

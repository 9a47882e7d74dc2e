//! Rules and their issuer.

#[cfg(doc)]
use divvy_core::Code;
use divvy_core::{Error, Legs, Name, PublicKey, RuleSet, Signature, Step, Time};

use crate::book::Book;

impl Book<'_> {
    /// The rules of the book, oldest first.
    #[must_use]
    pub fn rules(&self) -> &[RuleSet] {
        self.fold().map_or(&[], divvy_core::Book::rules)
    }

    /// Sets the rule for payments of a moment and later.
    ///
    /// # Errors
    /// [`Code::RuleMissing`] when it would start before a payment that is recorded already,
    /// [`Code::PoolUnknown`] when it names a pool that is not open, [`Code::SignatureWrong`] where
    /// the book has an issuer, unless it is the first rule, and the host's errors.
    pub async fn set_rule(&mut self, from: Time, legs: &Legs, now: Time) -> Result<(), Error> {
        self.set_rule_whole(&RuleSet::plain(from, legs.clone()), now).await
    }

    /// Sets a rule with all its tiers and its upline, unless it is the newest one already.
    ///
    /// # Errors
    /// As [`Book::set_rule`], those of [`RuleSet::check`], which say what leaks, and
    /// [`Code::SignatureWrong`] where the book has an issuer who has not signed it over
    /// [`divvy_core::Book::rule_whole_to_sign`].
    pub async fn set_rule_whole(&mut self, rule: &RuleSet, now: Time) -> Result<(), Error> {
        self.act(|book| {
            let same = book.rules().last().is_some_and(|newest| newest.is_same(rule));
            if same { Ok(Step::default()) } else { book.set_rule_whole(rule, now) }
        })
        .await
    }

    /// Says who was brought, and by whom, for rules with an upline: for what is divided from now
    /// on.
    ///
    /// # Errors
    /// [`Code::UplineConflict`] for a person whom another has brought, and for a circle, and the
    /// host's errors.
    pub async fn refer(&mut self, pairs: &[(Name, Name)], now: Time) -> Result<(), Error> {
        self.act(|book| book.refer(pairs, now)).await
    }

    /// Divides the payments that wait for a rule that counts, in the order of their own times.
    /// [`Book::declare`] does it too, first.
    ///
    /// # Errors
    /// The host's errors.
    pub async fn divide(&mut self, now: Time) -> Result<(), Error> {
        self.act(|book| book.divide(now)).await
    }

    /// Sets a rule that the issuer has signed, unless it is the newest one already: over
    /// [`divvy_core::Book::rule_to_sign`].
    ///
    /// # Errors
    /// As [`Book::set_rule`], and [`Code::SignatureWrong`] for any other signature.
    pub async fn set_rule_signed(
        &mut self,
        from: Time,
        legs: &Legs,
        signature: Signature,
        now: Time,
    ) -> Result<(), Error> {
        let signature = Some(signature);
        let rule = RuleSet { signature, ..RuleSet::plain(from, legs.clone()) };
        self.set_rule_whole(&rule, now).await
    }

    /// Says with whose key rules are set from now on, unless it is that one already. A first key
    /// needs no signature, the next ones that of the key before, over
    /// [`divvy_core::Book::issuer_to_sign`].
    ///
    /// # Errors
    /// [`Code::SignatureWrong`] unless the key before has signed, and the host's errors.
    pub async fn set_issuer(
        &mut self,
        key: PublicKey,
        signature: Option<Signature>,
        now: Time,
    ) -> Result<(), Error> {
        self.act(|book| {
            let same = book.issuer() == Some(&key);
            if same { Ok(Step::default()) } else { book.set_issuer(key, signature, now) }
        })
        .await
    }
}

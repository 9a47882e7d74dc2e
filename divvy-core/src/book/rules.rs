//! Rules: dated, numbered, and set by the issuer alone where a book has one.

use crate::batch::Step;
use crate::book::apply::{Folded, follows, misplaced};
use crate::book::{Book, Route};
use crate::error::{Code, Error};
use crate::fact::{Body, Fact, Hash, Head, IssuerSet, RuleSet};
use crate::name::Name;
use crate::signature::{PublicKey, Signature};
use crate::split::{Legs, Target};
use crate::time::Time;

impl Book {
    /// The key that alone may set rules, if the book has an issuer.
    #[must_use]
    pub const fn issuer(&self) -> Option<&PublicKey> {
        self.issuer.as_ref()
    }

    /// Sets the rule for payments of a moment and later.
    ///
    /// # Errors
    /// [`Code::RuleMissing`] when it would start before a payment that is recorded already, or, as
    /// the first rule, after one; [`Code::SplitLeaky`] for legs that were made for one amount;
    /// [`Code::PoolUnknown`] when it names a pool that is not open; [`Code::SignatureWrong`] where
    /// the book has an issuer, unless it is the first rule: see [`Book::set_rule_signed`].
    pub fn set_rule(&self, from: Time, legs: Legs, now: Time) -> Result<Step, Error> {
        self.set_rule_whole(&RuleSet::plain(from, legs), now)
    }

    /// Sets a rule that the issuer has signed as [`Book::rule_to_sign`] says.
    ///
    /// # Errors
    /// As [`Book::set_rule`], and [`Code::SignatureWrong`] when the signature is not the issuer's,
    /// or not over this rule as the next one of this book.
    pub fn set_rule_signed(
        &self,
        from: Time,
        legs: Legs,
        signature: Signature,
        now: Time,
    ) -> Result<Step, Error> {
        let rule = RuleSet { signature: Some(signature), ..RuleSet::plain(from, legs) };
        self.set_rule_whole(&rule, now)
    }

    /// What the issuer signs to set this rule as the next one.
    ///
    /// ```
    /// # use divvy_core::{Amount, Asset, Books, Leg, Legs, Name, Opened, Policy, Share, Target};
    /// use divvy_core::{Code, SecretKey, Time};
    /// # let opened = Opened {
    /// #     asset: Asset::parse("USD")?,
    /// #     policy: Policy::Instant,
    /// #     floor: Amount::ONE,
    /// #     cooling_secs: 0,
    /// #     named_on: None,
    /// # };
    /// # let mut books = Books::default();
    /// # books.feed(books.open(&Name::new("b")?, opened, Time::ZERO)?.facts())?;
    /// # let legs = |who: &str| {
    /// #     Legs::new(vec![Leg { to: Target::Payee(who.into()), share: Share::Remaining }])
    /// # };
    /// let key = SecretKey::new(&[7; 32]);
    /// let (start, later) = (Time::ZERO, Time::from_millis(1));
    /// books.feed(books.book("b")?.set_issuer(key.public(), None, start)?.facts())?;
    /// books.feed(books.book("b")?.set_rule(start, legs("alice")?, start)?.facts())?;
    ///
    /// let book = books.book("b")?;
    /// let unsigned = book.set_rule(later, legs("mallory")?, later).unwrap_err();
    /// assert_eq!(unsigned.code(), Code::SignatureWrong);
    /// let signature = key.sign(&book.rule_to_sign(later, &legs("bob")?));
    /// let step = book.set_rule_signed(later, legs("bob")?, signature, later)?;
    /// books.feed(step.facts())?;
    /// assert_eq!(books.book("b")?.rules().len(), 2);
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub fn rule_to_sign(&self, from: Time, legs: &Legs) -> Hash {
        self.rule_whole_to_sign(&RuleSet::plain(from, legs.clone()))
    }

    /// What the issuer signs to set a rule with all its tiers as the next one.
    #[must_use]
    pub fn rule_whole_to_sign(&self, rule: &RuleSet) -> Hash {
        rule.statement(&self.name, &self.rule_head.hash, self.rule_head.n)
    }

    /// Says with whose key rules are set from now on. A first key needs no signature, the next
    /// ones that of the key before, as [`Book::issuer_to_sign`] says.
    ///
    /// # Errors
    /// [`Code::SignatureWrong`] unless the key before has signed.
    pub fn set_issuer(
        &self,
        key: PublicKey,
        signature: Option<Signature>,
        now: Time,
    ) -> Result<Step, Error> {
        let set = IssuerSet { key, signature };
        let fact = Fact::new(&self.rule_head, self.stamp(now), &Body::IssuerSet(set.clone()));
        self.check_issuer(&set, &fact)?;
        Ok(Step::new(vec![fact], Vec::new()))
    }

    /// What the present issuer signs to hand over to another key.
    #[must_use]
    pub fn issuer_to_sign(&self, key: PublicKey) -> Hash {
        let set = IssuerSet { key, signature: None };
        set.statement(&self.name, &self.rule_head.hash, self.rule_head.n)
    }

    /// Sets a rule with all its tiers and its upline, for payments of its moment and later.
    ///
    /// # Errors
    /// As [`Book::set_rule`], and those of [`RuleSet::check`], which say what leaks.
    pub fn set_rule_whole(&self, rule: &RuleSet, now: Time) -> Result<Step, Error> {
        self.check_from(rule.from)?;
        for leg in rule.all_legs().flat_map(Legs::legs) {
            Name::new(leg.to.name())?;
            if let Target::Pool(pool) = &leg.to {
                self.pool_account(pool.as_str())?;
            }
        }
        let fact = Fact::new(&self.rule_head, self.stamp(now), &Body::RuleSet(rule.clone()));
        self.check_rule(rule, &fact)?;
        Ok(Step::new(vec![fact], Vec::new()))
    }

    /// A rule covers what comes, and never what is recorded already.
    fn check_from(&self, from: Time) -> Result<(), Error> {
        if !self.rules.is_empty() && from < self.event_newest {
            let detail = format!(
                "a rule from {from} would change payments up to {} that are recorded already: \
                 let it start later",
                self.event_newest
            );
            return Err(Error::new(Code::RuleMissing, detail));
        }
        if self.rules.is_empty()
            && let Some(payment) = self.unruled.values().find(|payment| payment.event_at < from)
        {
            let detail = format!(
                "a rule from {from} would leave a payment of {} to nobody: let it start earlier",
                payment.event_at
            );
            return Err(Error::new(Code::RuleMissing, detail));
        }
        Ok(())
    }

    /// What the fold asks of the next rule, whoever wrote it.
    fn check_rule(&self, rule: &RuleSet, fact: &Fact) -> Result<(), Error> {
        rule.check()?;
        if self.rules.is_empty() && rule.signature.is_none() {
            return Ok(());
        }
        let statement = rule.statement(&self.name, &self.rule_head.hash, fact.n);
        self.check_signed(rule.signature.as_ref(), &statement, "a rule")
    }

    fn check_issuer(&self, set: &IssuerSet, fact: &Fact) -> Result<(), Error> {
        if !set.key.is_strong() {
            let detail = "the issuer's key is none that only one person can sign for";
            return Err(Error::new(Code::SignatureWrong, detail));
        }
        let statement = set.statement(&self.name, &self.rule_head.hash, fact.n);
        self.check_signed(set.signature.as_ref(), &statement, "another key")
    }

    /// A signature is there exactly where an issuer is, and is theirs.
    fn check_signed(
        &self,
        signature: Option<&Signature>,
        statement: &Hash,
        what: &str,
    ) -> Result<(), Error> {
        let book = &self.name;
        let detail = match (&self.issuer, signature) {
            (None, None) => return Ok(()),
            (Some(key), Some(signature)) if key.has_signed(statement, signature) => return Ok(()),
            (None, Some(_)) => format!("{book} has no issuer: set {what} without a signature"),
            (Some(key), None) => {
                format!("only the issuer of {book} sets {what}: have {statement} signed by {key}")
            }
            (Some(key), Some(_)) => {
                format!("that is no signature of {key}, the issuer of {book}, over {statement}")
            }
        };
        Err(Error::new(Code::SignatureWrong, detail))
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "nothing else follows an opening")]
    pub(super) fn apply_rule(&mut self, fact: &Fact, body: &Body) -> Result<Folded, Error> {
        if !follows(&self.rule_head, fact) {
            return Ok(Folded::Early);
        }
        match body {
            Body::RuleSet(rule) => {
                self.check_rule(rule, fact)?;
                let Some(routes) = self.routes_of(rule)? else { return Ok(Folded::Early) };
                self.routes.push(routes);
                self.rules.push(rule.clone());
                self.rule_ns.push(fact.n);
            }
            Body::IssuerSet(set) => {
                self.check_issuer(set, fact)?;
                self.issuer = Some(set.key);
            }
            Body::Decided(decided) => {
                if self.apply_decided(decided, fact)? == Folded::Early {
                    return Ok(Folded::Early);
                }
            }
            _ => return Err(misplaced(fact)),
        }
        self.rule_head = Head::after(fact);
        for (stream, payment) in std::mem::take(&mut self.unruled) {
            self.totals.undeclared = self.totals.undeclared.minus(payment.amount)?;
            self.divide_recorded(&stream, payment, None)?;
        }
        Ok(Folded::Yes)
    }

    /// Where a rule's legs lead; nothing while a pool that it names is not open.
    pub(super) fn routes_of(&mut self, rule: &RuleSet) -> Result<Option<Box<[Route]>>, Error> {
        let mut routes = Vec::with_capacity(rule.legs.legs().len());
        for leg in rule.all_legs().flat_map(Legs::legs) {
            routes.push(match &leg.to {
                Target::Payee(payee) => Route::Payee(self.payee_named(&Name::new(payee)?)?),
                Target::Pool(pool) => match self.pool_id(pool) {
                    Some(pool) => Route::Pool(pool),
                    None => return Ok(None),
                },
            });
        }
        Ok(Some(routes.into()))
    }
}

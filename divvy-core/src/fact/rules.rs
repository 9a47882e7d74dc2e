//! What the facts of a book's rules say.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::error::{Code, Error};
use crate::fact::bodies::bodies;
use crate::fact::hash::Hash;
use crate::fact::kinds::encode_into;
use crate::fact::stream::Stream;
use crate::name::Name;
use crate::signature::{PublicKey, Signature};
use crate::split::{Legs, Target, Tier, Upline, check_tiers};
use crate::time::Time;

bodies! {
    /// A rule and the moment from which it is in force.
    RuleSet {
        /// Payments of this moment and later are divided so.
        #[n(0)] from: Time,
        /// Who gets what of each payment.
        #[n(1)] legs: Legs,
        /// The issuer's, over [`RuleSet::statement`]. Where a book has an issuer, every rule but
        /// the first carries one.
        #[n(2)] #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<Signature>,
        /// Other legs, from a moment on or beyond an amount, in that order.
        #[n(3)] #[serde(default, skip_serializing_if = "Option::is_none")]
        tiers: Option<Vec<Tier>>,
        /// What those get who brought the payer, before the legs.
        #[n(4)] #[serde(default, skip_serializing_if = "Option::is_none")]
        upline: Option<Upline>,
    }
    /// From now on rules are set with this key.
    IssuerSet {
        /// The issuer's public key.
        #[n(0)] key: PublicKey,
        /// Of the key before, over [`IssuerSet::statement`]; a first key carries none.
        #[n(1)] #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<Signature>,
    }
    /// Who brought whom: once, and never in a circle.
    Referred {
        /// Who was brought.
        #[n(0)] who: Name,
        /// By whom.
        #[n(1)] by: Name,
    }
    /// Payments divided by a rule that counts, in this order.
    Divided {
        /// The place of the rule in `rule/<book>`.
        #[n(0)] rule: u64,
        /// The payments, in order, each with its parts.
        #[n(1)] payments: Vec<Parts>,
        /// How much the rule has divided afterwards, so that anyone can check the step.
        #[n(2)] until: Amount,
    }
}

/// One payment and the parts that it was divided into.
///
/// ```
/// use divvy_core::{Amount, Part, Parts, Stream, Target};
///
/// let (to, amount) = (Target::Payee("label".into()), Amount::new(700)?);
/// let part = Part { tier: 0, level: 0, to, amount };
/// let payment = Stream::parse("payment/till/main/7")?;
/// assert_eq!(Parts { payment, parts: vec![part] }.parts.len(), 1);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(array)]
#[expect(clippy::exhaustive_structs, reason = "a new field is a new version of the fact")]
pub struct Parts {
    /// The payment.
    #[n(0)]
    pub payment: Stream,
    /// What each tier and level gave to whom; nobody with nothing.
    #[n(1)]
    pub parts: Vec<Part>,
}

/// One part of a payment, and why it went there.
///
/// ```
/// use divvy_core::{Amount, Part, Target};
///
/// let (to, amount) = (Target::Payee("ann".into()), Amount::new(50)?);
/// // To whoever brought the payer.
/// assert_eq!(Part { tier: 0, level: 1, to, amount }.level, 1);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(array)]
#[expect(clippy::exhaustive_structs, reason = "a new field is a new version of the fact")]
pub struct Part {
    /// The tier: 0 for the rule's own legs, then the tiers in their order.
    #[n(0)]
    pub tier: u32,
    /// The level of the upline, from 1; 0 for a leg.
    #[n(1)]
    pub level: u32,
    /// Who gets it.
    #[n(2)]
    pub to: Target,
    /// How much.
    #[n(3)]
    pub amount: Amount,
}

impl RuleSet {
    /// A rule that divides every payment alike, unsigned.
    ///
    /// ```
    /// use divvy_core::{Leg, Legs, RuleSet, Share, Target, Time};
    ///
    /// let all = Leg { to: Target::Payee("alice".into()), share: Share::Remaining };
    /// assert!(!RuleSet::plain(Time::ZERO, Legs::new(vec![all])?).is_counted());
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub const fn plain(from: Time, legs: Legs) -> Self {
        Self { from, legs, signature: None, tiers: None, upline: None }
    }

    /// Whether what a payment brings to whom depends on the payments before it, or on who brought
    /// whom. Such payments are divided by [`Divided`], in its order; all others as they come.
    ///
    /// ```
    /// use divvy_core::{Amount, Leg, Legs, RuleSet, Share, Target, Tier, Time};
    ///
    /// let all = |who: &str| {
    ///     Legs::new(vec![Leg { to: Target::Payee(who.into()), share: Share::Remaining }])
    /// };
    /// let first = Tier { from: None, over: Some(Amount::new(100_000)?), legs: all("band")? };
    /// let later = Tier { from: Some(Time::from_millis(1)), over: None, legs: all("band")? };
    /// let with = |tier| -> Result<RuleSet, divvy_core::Error> {
    ///     let plain = RuleSet::plain(Time::ZERO, all("label")?);
    ///     Ok(RuleSet { tiers: Some(vec![tier]), ..plain })
    /// };
    /// assert!(with(first)?.is_counted());
    /// assert!(!with(later)?.is_counted());
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub fn is_counted(&self) -> bool {
        self.upline.is_some() || self.tiers().iter().any(|tier| !tier.starts().1.is_zero())
    }

    /// Whether two rules divide alike, whatever their moment and signature.
    ///
    /// ```
    /// use divvy_core::{Leg, Legs, RuleSet, Share, Target, Time};
    ///
    /// let all = Leg { to: Target::Payee("alice".into()), share: Share::Remaining };
    /// let rule = RuleSet::plain(Time::ZERO, Legs::new(vec![all.clone()])?);
    /// assert!(rule.is_same(&RuleSet { from: Time::from_millis(1), ..rule.clone() }));
    /// let other = Leg { to: Target::Payee("bob".into()), ..all };
    /// assert!(!rule.is_same(&RuleSet::plain(Time::ZERO, Legs::new(vec![other])?)));
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let terms = (&self.legs, self.tiers(), &self.upline);
        terms == (&other.legs, other.tiers(), &other.upline)
    }

    /// The legs of every tier, the rule's own first.
    ///
    /// ```
    /// use divvy_core::{Leg, Legs, RuleSet, Share, Target, Time};
    ///
    /// let all = Leg { to: Target::Payee("alice".into()), share: Share::Remaining };
    /// let rule = RuleSet::plain(Time::ZERO, Legs::new(vec![all])?);
    /// assert_eq!(rule.all_legs().count(), 1);
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    pub fn all_legs(&self) -> impl Iterator<Item = &Legs> {
        std::iter::once(&self.legs).chain(self.tiers().iter().map(|tier| &tier.legs))
    }

    /// The tiers that hold for a payment of a moment: their number, the amount beyond which each
    /// holds, and its legs. The first holds from nothing on.
    pub(crate) fn bands_at(&self, event_at: Time) -> Vec<(u32, Amount, &Legs)> {
        let own = (0, (Time::ZERO, Amount::ZERO), &self.legs);
        let tiers = (1_u32..).zip(self.tiers());
        let all = tiers.map(|(at, tier)| (at, tier.starts(), &tier.legs));
        let all = std::iter::once(own).chain(all);
        let come: Vec<_> = all.filter(|(_, (from, _), _)| *from <= event_at).collect();
        let newest = come.iter().map(|(_, (from, _), _)| *from).max();
        let holding = come.into_iter().filter(|(_, (from, _), _)| Some(*from) == newest);
        holding.map(|(at, (_, over), legs)| (at, over, legs)).collect()
    }

    /// What divides a payment of a moment by a rule that does not count: the tier, and its legs.
    pub(crate) fn legs_at(&self, event_at: Time) -> (u32, &Legs) {
        if self.tiers().is_empty() {
            return (0, &self.legs);
        }
        let first = self.bands_at(event_at).first().map(|(at, _, legs)| (*at, *legs));
        first.unwrap_or((0, &self.legs))
    }

    /// Refuses what would leave a unit to nobody, or lack one.
    ///
    /// # Errors
    /// [`Code::SplitLeaky`] and [`Code::SplitMalformed`], which say what leaks.
    ///
    /// ```
    /// use divvy_core::{Amount, Code, Leg, Legs, RuleSet, Share, Target, Tier, Time};
    ///
    /// let all = Leg { to: Target::Payee("band".into()), share: Share::Remaining };
    /// let legs = Legs::new(vec![all])?;
    /// let (from, over) = (Some(Time::from_millis(1)), Some(Amount::new(500)?));
    /// let tiers = Some(vec![Tier { from, over, legs: legs.clone() }]);
    /// // What of the first 500, once that moment has come?
    /// let leaky = RuleSet { tiers, ..RuleSet::plain(Time::ZERO, legs) };
    /// assert_eq!(leaky.check().unwrap_err().code(), Code::SplitLeaky);
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    pub fn check(&self) -> Result<(), Error> {
        if let Some(amount) = self.all_legs().find_map(Legs::amount) {
            // It would stop the fold at the first payment of another amount.
            let detail =
                format!("legs for exactly {amount} are no rule for every payment: use a portion");
            return Err(Error::new(Code::SplitLeaky, detail));
        }
        check_tiers(self.from, self.tiers())?;
        self.upline.as_ref().map_or(Ok(()), |upline| upline.check(self.all_legs()))
    }

    fn tiers(&self) -> &[Tier] {
        self.tiers.as_deref().unwrap_or_default()
    }

    /// What the issuer signs: this rule, for this book, behind this fact of its rules. So a
    /// signature is of no use in another book, in a copy that went on otherwise, or twice.
    ///
    /// ```
    /// use divvy_core::{Hash, Leg, Legs, Name, RuleSet, SecretKey, Share, Target, Time};
    ///
    /// let all = Leg { to: Target::Payee("alice".into()), share: Share::Remaining };
    /// let rule = RuleSet::plain(Time::ZERO, Legs::new(vec![all])?);
    /// let (key, book, before) = (SecretKey::new(&[7; 32]), Name::new("b")?, Hash::default());
    /// let signature = key.sign(&rule.statement(&book, &before, 2));
    /// assert!(key.public().has_signed(&rule.statement(&book, &before, 2), &signature));
    /// assert!(!key.public().has_signed(&rule.statement(&book, &before, 3), &signature));
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub fn statement(&self, book: &Name, before: &Hash, n: u64) -> Hash {
        let (n, from) = (n.to_be_bytes(), self.from.millis().to_be_bytes());
        let mut terms = Vec::new();
        encode_into(&self.legs, &mut terms);
        // Each is one item of the encoding, of a form of its own, so no two rules say the same.
        self.tiers.iter().for_each(|tiers| encode_into(tiers, &mut terms));
        self.upline.iter().for_each(|upline| encode_into(upline, &mut terms));
        Hash::of_said("divvy.rule.1", &[book.as_str()], &[before.as_bytes(), &n, &from, &terms])
    }
}

impl IssuerSet {
    /// What the key before signs: this one, for this book, behind this fact of its rules.
    ///
    /// ```
    /// use divvy_core::{Hash, IssuerSet, Name, SecretKey};
    ///
    /// let [old, new] = [[7; 32], [8; 32]].map(|seed| SecretKey::new(&seed));
    /// let next = IssuerSet { key: new.public(), signature: None };
    /// let statement = next.statement(&Name::new("b")?, &Hash::default(), 2);
    /// assert!(old.public().has_signed(&statement, &old.sign(&statement)));
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub fn statement(&self, book: &Name, before: &Hash, n: u64) -> Hash {
        let (n, key) = (n.to_be_bytes(), self.key.bytes());
        Hash::of_said("divvy.issuer.1", &[book.as_str()], &[before.as_bytes(), &n, key])
    }
}

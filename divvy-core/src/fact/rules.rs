//! What the facts of a book's rules say.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::fact::bodies::bodies;
use crate::fact::hash::Hash;
use crate::fact::kinds::encode_into;
use crate::name::Name;
use crate::signature::{PublicKey, Signature};
use crate::split::Legs;
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
    }
    /// From now on rules are set with this key.
    IssuerSet {
        /// The issuer's public key.
        #[n(0)] key: PublicKey,
        /// Of the key before, over [`IssuerSet::statement`]; a first key carries none.
        #[n(1)] #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<Signature>,
    }
}

impl RuleSet {
    /// What the issuer signs: this rule, for this book, behind this fact of its rules. So a
    /// signature is of no use in another book, in a copy that went on otherwise, or twice.
    ///
    /// ```
    /// use divvy_core::{Hash, Leg, Legs, Name, RuleSet, SecretKey, Share, Target, Time};
    ///
    /// let all = Leg { to: Target::Payee("alice".into()), share: Share::Remaining };
    /// let rule = RuleSet { from: Time::ZERO, legs: Legs::new(vec![all])?, signature: None };
    /// let (key, book, before) = (SecretKey::new(&[7; 32]), Name::new("b")?, Hash::default());
    /// let signature = key.sign(&rule.statement(&book, &before, 2));
    /// assert!(key.public().has_signed(&rule.statement(&book, &before, 2), &signature));
    /// assert!(!key.public().has_signed(&rule.statement(&book, &before, 3), &signature));
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub fn statement(&self, book: &Name, before: &Hash, n: u64) -> Hash {
        let (n, from) = (n.to_be_bytes(), self.from.millis().to_be_bytes());
        let mut legs = Vec::new();
        encode_into(&self.legs, &mut legs);
        Hash::of_said("divvy.rule.1", &[book.as_str()], &[before.as_bytes(), &n, &from, &legs])
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

//! Which rule divides what, and who may set one: by what was written, and by what issuers really
//! signed.

use std::collections::BTreeMap;

use divvy_core::{
    Body, Error, Fact, Hash, IssuerSet, Name, Place, PublicKey, RuleSet, Signature, Time,
};

use crate::simulation::promise::{Broken, Promise};

/// The rules of all books, and what issuers said, whatever any fact says of it.
#[derive(Debug, Default)]
pub(super) struct Rulings {
    /// Where each rule stands among all facts and in its stream, and from when it holds.
    rules: BTreeMap<Name, Vec<(usize, u64, Time)>>,
    issuers: BTreeMap<Name, PublicKey>,
    /// The newest fact of each book's rules.
    heads: BTreeMap<Name, Hash>,
    said: Vec<Word>,
}

/// What an issuer has really signed: with which key, and for which place of which book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) key: PublicKey,
    pub(super) book: Name,
    pub(super) n: u64,
    pub(super) before: Hash,
    pub(super) paper: Paper,
}

/// What an issuer is asked to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Paper {
    Rule(RuleSet),
    /// Whose key it is from now on.
    Heir(PublicKey),
}

impl Word {
    pub(super) fn statement(&self) -> Hash {
        let Self { book, before, n, .. } = self;
        match &self.paper {
            Paper::Rule(rule) => rule.statement(book, before, *n),
            Paper::Heir(key) => {
                IssuerSet { key: *key, signature: None }.statement(book, before, *n)
            }
        }
    }
}

impl Rulings {
    pub(super) fn say(&mut self, word: Word) {
        self.said.push(word);
    }

    /// Holds what was written from a place on against what issuers said.
    pub(super) fn written(&mut self, facts: &[Fact], from: usize) -> Result<Option<Broken>, Error> {
        for (at, fact) in (from..).zip(facts) {
            let Place::Rule { book } = fact.stream.place() else { continue };
            let book = Name::new(book)?;
            let before = self.heads.insert(book.clone(), fact.hash);
            let before = before.unwrap_or_else(|| Hash::of_stream(&fact.stream));
            let (paper, signature) = match fact.body()? {
                Body::RuleSet(rule) => {
                    let signature = rule.signature;
                    (Paper::Rule(RuleSet { signature: None, ..rule }), signature)
                }
                Body::IssuerSet(IssuerSet { key, signature }) => (Paper::Heir(key), signature),
                _ => continue,
            };
            let word = |key| Word { key, book: book.clone(), n: fact.n, before, paper };
            if let Some(said) = self.is_unsaid(fact, word, signature) {
                return Ok(Some(Broken { promise: Promise::IssuersSet, said }));
            }
            match fact.body()? {
                Body::RuleSet(rule) => {
                    self.rules.entry(book).or_default().push((at, fact.n, rule.from));
                }
                Body::IssuerSet(set) => drop(self.issuers.insert(book, set.key)),
                _ => {}
            }
        }
        Ok(None)
    }

    /// Nobody but the issuer sets another rule, or another issuer.
    fn is_unsaid(
        &self,
        fact: &Fact,
        word: impl FnOnce(PublicKey) -> Word,
        signature: Option<Signature>,
    ) -> Option<String> {
        let Place::Rule { book } = fact.stream.place() else { return None };
        let (kind, n) = (&fact.kind, fact.n);
        let known = self.issuers.iter().find(|(of, _)| of.as_str() == book);
        match (known, signature) {
            (None, None) => None,
            (None, Some(_)) => Some(format!("{kind} {n} of {book} is signed for no issuer")),
            (Some((book, _)), None) => {
                let first = kind == "rule_set.1" && !self.rules.contains_key(book);
                (!first).then(|| format!("{kind} {n} of {book} is signed by nobody"))
            }
            (Some((book, key)), Some(_)) => {
                let unsaid = !self.said.contains(&word(*key));
                unsaid.then(|| format!("the issuer of {book} has never signed {kind} {n}"))
            }
        }
    }

    /// Each payment names the newest rule that had begun when it came, of those that whoever
    /// records it had read: so many facts.
    pub(super) fn offered(&self, facts: &[Fact], read: usize) -> Result<Option<Broken>, Error> {
        for fact in facts.iter().filter(|fact| fact.kind == "recorded.1") {
            let Body::Recorded(recorded) = fact.body()? else { continue };
            let Some(rules) = self.rules.get(&recorded.book) else { continue };
            let read = rules.iter().take_while(|(at, ..)| *at < read);
            let begun = read.filter(|(.., from)| *from <= recorded.event_at).last();
            let (right, first) = (begun.map(|(_, n, _)| *n), rules.first().map(|(_, n, _)| *n));
            let named = recorded.rule.or(first);
            if named != right {
                let (stream, at) = (&fact.stream, recorded.event_at);
                let said = format!("{stream} of {at} is divided by {named:?}, and not {right:?}");
                return Ok(Some(Broken { promise: Promise::RulesInTime, said }));
            }
        }
        Ok(None)
    }
}

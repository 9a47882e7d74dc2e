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
    /// Nobody's where there is no issuer.
    pub(super) key: Option<PublicKey>,
    pub(super) book: Name,
    pub(super) n: u64,
    pub(super) before: Hash,
    pub(super) paper: Paper,
}

/// What an issuer is asked to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Paper {
    Rule(Box<RuleSet>),
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
            let Some((paper, signature)) = paper(fact.body()?) else { continue };
            let word =
                Word { key: self.issuers.get(&book).copied(), book, n: fact.n, before, paper };
            if let Some(said) = self.is_unsaid(&word, signature) {
                return Ok(Some(Broken { promise: Promise::IssuersSet, said }));
            }
            match word.paper {
                Paper::Rule(rule) => {
                    self.rules.entry(word.book).or_default().push((at, fact.n, rule.from));
                }
                Paper::Heir(key) => drop(self.issuers.insert(word.book, key)),
            }
        }
        Ok(None)
    }

    /// Nobody but the issuer sets another rule, or another issuer.
    fn is_unsaid(&self, word: &Word, signature: Option<Signature>) -> Option<String> {
        let Word { book, n, .. } = word;
        match (word.key, signature) {
            (None, None) => None,
            (None, Some(_)) => Some(format!("fact {n} of {book}'s rules is signed for no issuer")),
            (Some(_), None) => {
                let first = matches!(word.paper, Paper::Rule(_)) && !self.rules.contains_key(book);
                (!first).then(|| format!("fact {n} of {book}'s rules is signed by nobody"))
            }
            (Some(_), Some(_)) => {
                let unsaid = !self.said.contains(word);
                unsaid
                    .then(|| format!("the issuer of {book} has never signed fact {n} of its rules"))
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

/// What a fact of a book's rules says, and who has signed it.
#[expect(clippy::wildcard_enum_match_arm, reason = "nothing else is an issuer's")]
fn paper(body: Body) -> Option<(Paper, Option<Signature>)> {
    match body {
        Body::RuleSet(rule) => {
            let signature = rule.signature;
            Some((Paper::Rule(Box::new(RuleSet { signature: None, ..rule })), signature))
        }
        Body::IssuerSet(IssuerSet { key, signature }) => Some((Paper::Heir(key), signature)),
        _ => None,
    }
}

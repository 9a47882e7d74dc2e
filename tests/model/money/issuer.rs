//! The issuer of a book: what their key signs, and all that only looks as if it did.

use divvy_core::{
    Body, Code, Fact, Hash, Head, IssuerSet, PublicKey, RuleSet, SecretKey, Signature,
};
use divvy_core::{Recorded, StoredFact, Verify};

use crate::lab::{START, Same, same, text};
use crate::money::bytes::{bytes, hash, record, terms_of};
use crate::money::deed::{Plan, Sign};
use crate::money::lab::{BOOK, Lab, real_rule};

/// Whose key sets rules, and what somebody wrote without it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Issuer {
    key: Option<usize>,
    /// The one before, which is good for nothing any more.
    before: Option<usize>,
    /// A fact past every step, and how many facts there were then.
    forged: Option<(Fact, usize)>,
}

fn key(who: usize) -> SecretKey {
    SecretKey::new(&[u8::try_from(who).unwrap() + 101; 32])
}

/// The 32 bytes of a key, which is all that a statement says of it.
fn bytes_of(key: &PublicKey) -> [u8; 32] {
    *Hash::parse(&key.to_string()).unwrap().as_bytes()
}

impl Lab {
    /// A fact of the book's rules, counted from the newest.
    fn rule_fact(&self, back: usize) -> Option<&Fact> {
        let own = |fact: &&Fact| fact.stream.as_str() == format!("rule/{BOOK}");
        self.facts.iter().rev().filter(own).nth(back)
    }

    /// What is signed in a book, behind the newest of its rules or one before.
    fn statement(&self, what: &str, book: &str, back: usize, said: &[u8]) -> Hash {
        let last = self.rule_fact(back).or_else(|| self.rule_fact(0)).unwrap();
        let n = (last.n + 1).to_be_bytes();
        let (what, book) = (what.as_bytes(), book.as_bytes());
        Hash::new(hash(&[what, b"\0", book, b"\0", last.hash.as_bytes(), &n, said]))
    }

    /// A signature, if there is to be one, and whether the book has to take it.
    fn signature(&self, sign: Sign, what: &str, said: &[u8]) -> (Option<Signature>, bool) {
        let Issuer { key: own, before, .. } = self.issuer;
        let plain = self.statement(what, BOOK, 0, said);
        let by = own.unwrap_or(0);
        let with = |who: usize, digest: &Hash| Some(key(who).sign(digest));
        let signature = match sign {
            Sign::AsWanted => own.and_then(|own| with(own, &plain)),
            Sign::Not => None,
            Sign::ByAnother => with(before.filter(|who| *who != by).unwrap_or(by + 1), &plain),
            Sign::Stale if self.rule_fact(1).is_some() => {
                with(by, &self.statement(what, BOOK, 1, said))
            }
            Sign::Stale | Sign::Elsewhere => with(by, &self.statement(what, "c", 0, said)),
            Sign::OfAnother => with(by, &self.statement(what, BOOK, 0, &[said, b"\0"].concat())),
        };
        let good = match (own, sign) {
            (_, Sign::AsWanted) | (None, Sign::Not) => true,
            (Some(_), Sign::Not) => what == "divvy.rule.1" && self.ledger.rules.is_empty(),
            _ => false,
        };
        (signature, good)
    }

    pub(crate) fn rule(&mut self, from_secs: u64, plan: &Plan, sign: Sign) -> Same {
        let newest = u64::try_from(self.ledger.event_newest()).unwrap().max(START);
        let from = newest + from_secs * 1_000 - 500_000;
        let late = !self.ledger.rules.is_empty() && i128::from(from) < self.ledger.event_newest();
        let plain = real_rule(from, plan)?;
        let said = [from.to_be_bytes().to_vec(), terms_of(plan, from)].concat();
        let statement = self.statement("divvy.rule.1", BOOK, 0, &said);
        same("what is signed", self.book().rule_whole_to_sign(&plain), statement)?;
        let (signature, good) = self.signature(sign, "divvy.rule.1", &said);
        let expected = match (late, good) {
            (true, _) => Err(Code::RuleMissing),
            (false, false) => Err(Code::SignatureWrong),
            (false, true) => Ok(()),
        };
        let rule = RuleSet { signature, ..plain };
        let step = self.book().set_rule_whole(&rule, self.time());
        if !good {
            self.forge(&Body::RuleSet(rule))?;
        }
        let n = self.rule_fact(0).map_or(0, |fact| fact.n + 1);
        // Whoever decides it where no key signs stands before it.
        let n = n + u64::from(self.guard.is_some() && signature.is_none());
        if self.agreed(step, expected)? {
            self.ledger.set_rule(from.into(), plan.clone(), n);
        }
        Ok(())
    }

    /// Rules are set with this key from now on.
    pub(crate) fn hand_over(&mut self, to: usize, sign: Sign) -> Same {
        let public = key(to).public();
        let said = bytes_of(&public);
        let statement = self.statement("divvy.issuer.1", BOOK, 0, &said);
        same("what hands over", self.book().issuer_to_sign(public), statement)?;
        let (signature, good) = self.signature(sign, "divvy.issuer.1", &said);
        let step = self.book().set_issuer(public, signature, self.time());
        if !good {
            self.forge(&Body::IssuerSet(IssuerSet { key: public, signature }))?;
        }
        self.refuse_weak(&public)?;
        if self.agreed(step, if good { Ok(()) } else { Err(Code::SignatureWrong) })? {
            (self.issuer.before, self.issuer.key) = (self.issuer.key, Some(to));
        }
        Ok(())
    }

    /// Whom a key is handed to for which anybody can sign is refused by the fold, whoever signed.
    fn refuse_weak(&self, strong: &PublicKey) -> Same {
        let mut weak = [0; 32];
        weak[0] = 1;
        let last = self.rule_fact(0).unwrap();
        let before = self.statement("divvy.issuer.1", BOOK, 0, &weak);
        let signature = self.issuer.key.map(|own| key(own).sign(&before));
        let signed = signature.map(|one| {
            let digits = one.to_string();
            let byte = |at: usize| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap();
            bytes(&(0..64).map(byte).collect::<Vec<u8>>())
        });
        let written = |key: &[u8; 32]| StoredFact {
            stream: last.stream.clone(),
            n: last.n + 1,
            at: self.time(),
            kind: "issuer_set.1".to_owned(),
            before: last.hash,
            bytes: record(&[(0, Some(bytes(key))), (1, signed.clone())]),
        };
        let fold = |key: &[u8; 32]| {
            let fact = written(key).fact()?;
            self.books.clone().feed(std::slice::from_ref(&fact))
        };
        let code = fold(&weak).map_err(|error| error.code());
        same("a key that anybody signs for", code, Err(Code::SignatureWrong))?;
        // The same bytes with a key of somebody's are refused for the signature alone.
        let expected = if signed.is_some() { Err(Code::SignatureWrong) } else { Ok(()) };
        let code = fold(&bytes_of(strong)).map_err(|error| error.code());
        same("a key that one person signs for", code, expected)
    }

    /// Somebody writes past every step what the issuer never signed: every fold refuses it.
    fn forge(&mut self, body: &Body) -> Same {
        let head = self.rule_fact(0).map(Head::after).unwrap();
        let fact = Fact::new(&head, self.time(), body);
        let mut copy = self.books.clone();
        let code = copy.feed(std::slice::from_ref(&fact)).map_err(|error| error.code());
        same("what a fold says of a forged rule", code, Err(Code::SignatureWrong))?;
        let book = copy.book(BOOK).map_err(text)?;
        let told = |book: &divvy_core::Book| (book.rules().len(), book.issuer().copied());
        same("rules behind a forged one", told(book), told(self.book()))?;
        same("totals behind a forged rule", book.totals(), self.book().totals())?;
        self.issuer.forged = Some((fact, self.facts.len()));
        Ok(())
    }

    pub(crate) fn compare_issuer(&self) -> Same {
        let own = self.issuer.key.map(|who| key(who).public());
        same("the issuer", self.book().issuer().copied(), own)?;
        same("rules", self.book().rules().len(), self.ledger.rules.len())
    }

    /// A payment names the rule that was in force at its own time.
    pub(crate) fn compare_recorded(&self, fact: &Fact) -> Same {
        let Ok(Body::Recorded(Recorded { rule, event_at, .. })) = fact.body() else {
            return Err("no payment".to_owned());
        };
        let own = self.ledger.rule_at(event_at.millis().into());
        same("the rule that divides it", rule, own.map(|own| self.ledger.rules[own].n))
    }

    /// Verification names what was forged last, where it was.
    pub(crate) fn verify_forged(&self) -> Same {
        let Some((forged, at)) = &self.issuer.forged else { return Ok(()) };
        let mut verify = Verify::new();
        verify.feed(&self.facts[..*at]).map_err(text)?;
        let fed = verify.feed(std::slice::from_ref(forged));
        let code = fed.and_then(|()| verify.finish().map(|_| ())).map_err(|error| error.code());
        same("what verify says of a forged rule", code, Err(Code::SignatureWrong))
    }
}

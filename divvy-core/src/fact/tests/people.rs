//! Samples of what people say: who approves, what they decided, and the terms of a book.

use super::*;

impl Parts {
    fn person(&self) -> Person {
        Person { name: self.name(0), key: SecretKey::new(self.hash().as_bytes()).public() }
    }

    fn consent(&self) -> Consent {
        let signature = SecretKey::new(self.hash().as_bytes()).sign(&self.hash());
        Consent { by: self.name(1), signature }
    }

    fn terms(&self) -> TermsSet {
        let [bps, waits, num, den] = self.numbers;
        let (waits_secs, from) = (self.option(6, waits), Asset::parse("EUR").unwrap());
        let (to, terms) = (Asset::parse("USD").unwrap(), (num.max(1), den.max(1)));
        let rate = Rate::new((from, to), terms, self.texts[1].clone(), self.time(1)).unwrap();
        let rounding = [Rounding::Down, Rounding::Up, Rounding::HalfEven];
        let rate = rate.rounding(rounding[self.count % 3]);
        let stated = || Stated { amount: self.amount(2), rate: rate.clone() };
        let share = [FeeShare::Any, FeeShare::AtMost { bps, waits_secs }];
        TermsSet {
            fee_share: self.option(0, share[self.count % 2]),
            policy: self.option(1, self.policy()),
            policy_stated: self.option(2, stated()),
            floor: self.option(3, self.amount(3)),
            floor_stated: self.option(7, stated()),
        }
    }

    /// A body in which people say something.
    pub(super) fn people(&self, kind: &str) -> Body {
        let number = u32::try_from(self.numbers[0] >> 32).unwrap();
        let reason = self.texts[2].clone();
        match kind {
            "guarded.1" => {
                let (limit, expires_secs) = (self.amount(0), self.numbers[2]);
                let (people, consents) = (self.many(self.person()), self.many(self.consent()));
                let (approvals, unsigned) = (number, self.option(1, self.numbers[1]));
                let guarded =
                    Guarded { limit, approvals, people, expires_secs, consents, unsigned };
                Body::Guarded(guarded)
            }
            "terms_set.1" => Body::TermsSet(self.terms()),
            "demanded.1" => {
                let (payee, fee_max, until) = (self.name(0), self.amount(1), self.time(2));
                Body::Demanded(Demanded { payee, fee_max, until })
            }
            "decided.1" => {
                let Consent { by, signature } = self.consent();
                let proof = self.option(0, KeyProof { guard: self.numbers[1], signature });
                Body::Decided(Decided { by, reason, acts: number, digest: self.hash(), proof })
            }
            "asked.1" => {
                let (people, asset) = (self.many(self.person()), Asset::parse("USDC@6").unwrap());
                let (expires_secs, fee_max) = (self.numbers[2], self.amount(1));
                let approvals = number;
                Body::Asked(Asked { approvals, people, expires_secs, asset, fee_max })
            }
            "approved.1" => {
                let Consent { by, signature } = self.consent();
                Body::Approved(Approved { by, signed_at: self.time(1), signature })
            }
            "fees_set.1" => {
                let (ceiling, borne_max) = (self.amount(0), self.amount(1));
                let (ceiling, borne_max) = (self.option(0, ceiling), self.option(1, borne_max));
                Body::FeesSet(FeesSet { ceiling, borne_max })
            }
            kind => self.desk(kind),
        }
    }
}

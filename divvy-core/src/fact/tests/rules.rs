//! Bodies of rules and divisions, from random parts.

use super::*;
use crate::{Level, Tier, Upline};

impl Parts {
    /// A body of the rules' and the divisions' streams.
    pub(super) fn ruling(&self, kind: &str) -> Body {
        let (from, to) = (self.name(0), self.name(1));
        match kind {
            "rule_set.1" => {
                let (from, legs, signature) = (self.time(0), self.legs(), self.signature());
                let tier = Tier {
                    from: self.option(1, self.time(1)),
                    over: self.option(2, self.amount(1)),
                    legs: legs.clone(),
                };
                let (tiers, upline) = (self.option(0, self.many(tier)), self.upline());
                Body::RuleSet(RuleSet { from, legs, signature, tiers, upline })
            }
            "referred.1" => Body::Referred(Referred { who: from, by: to }),
            "divided.1" => {
                let part = Part {
                    tier: u32::try_from(self.count).unwrap(),
                    level: u32::MAX,
                    to: Target::Pool(to.to_string()),
                    amount: self.amount(0),
                };
                let payment = Stream::payment(&from, &to, &self.name(2));
                let payments = vec![crate::Parts { payment, parts: self.many(part) }];
                Body::Divided(Divided { rule: self.numbers[0], payments, until: self.amount(1) })
            }
            "issuer_set.1" => {
                Body::IssuerSet(IssuerSet { key: SIGNED.0, signature: self.signature() })
            }
            kind => self.income(kind),
        }
    }

    fn upline(&self) -> Option<Upline> {
        let portion = Ratio::new(1, u64::from(u32::MAX)).unwrap();
        let level = Level { portion, most: self.option(1, self.amount(0)) };
        let rest = Target::Payee(self.name(0).to_string());
        let (each_most, most) = (self.option(2, self.amount(1)), self.option(3, self.amount(2)));
        self.option(0, Upline { levels: self.many(level), rest, each_most, most })
    }
}

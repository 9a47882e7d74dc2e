//! Payments against what went back of them: a reversal repeats what its payment says.

use std::collections::HashMap;

use crate::amount::Amount;
use crate::error::{Code, Error};
use crate::fact::{Body, Extent, Fact, Hash};
use crate::name::Name;
use crate::time::Time;

/// Every payment so far, by the first half of its stream's hash.
#[derive(Debug, Default)]
pub(super) struct Payments {
    seen: HashMap<u128, Seen>,
}

#[derive(Debug)]
struct Seen {
    n: u64,
    hash: Hash,
    /// Half a hash over what a reversal has to repeat.
    origin: u128,
    reversed: Amount,
}

impl Payments {
    /// Checks that a fact is the next of its payment, and its hash.
    pub(super) fn follow(&self, fact: &Fact) -> Result<(), Error> {
        let start = Hash::of_stream(&fact.stream);
        match self.seen.get(&start.halves().0) {
            Some(seen) => fact.check_after(seen.n, &seen.hash),
            None => fact.check_after(0, &start),
        }
    }

    /// Checks what a fact says of its payment, and keeps what the next one is checked against.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the fold refuses everything else")]
    pub(super) fn note(&mut self, fact: &Fact, body: &Body) -> Result<(), Error> {
        let key = Hash::of_stream(&fact.stream).halves().0;
        let n = fact.n.saturating_add(1);
        let hash = fact.hash;
        if let Body::Recorded(recorded) = body {
            let withheld = recorded.withheld.unwrap_or(Amount::ZERO);
            let amounts = [recorded.amount, withheld];
            let origin = origin(&recorded.book, amounts, recorded.event_at, recorded.rule);
            self.seen.insert(key, Seen { n, hash, origin, reversed: Amount::ZERO });
            return Ok(());
        }
        let Some(seen) = self.seen.get_mut(&key) else { return Ok(()) };
        let extent = match body {
            Body::Reversed(reversed) => Some(&reversed.extent),
            Body::Restored(restored) => Some(&restored.extent),
            _ => None,
        };
        if let Some(Extent { book, amount, withheld, paid_at, before, after, rule }) = extent {
            let own = origin(book, [*amount, *withheld], *paid_at, *rule);
            if own != seen.origin || *before != seen.reversed || after > amount {
                let detail = "it differs from the payment that it is of";
                return Err(fact.named(&Error::new(Code::FactTampered, detail)));
            }
            seen.reversed = *after;
        }
        (seen.n, seen.hash) = (n, hash);
        Ok(())
    }
}

fn origin(book: &Name, amounts: [Amount; 2], paid_at: Time, rule: Option<u64>) -> u128 {
    let [amount, withheld] = amounts;
    let text = format!("{book}/{amount}/{withheld}/{}/{rule:?}", paid_at.millis());
    Hash::of(text.as_bytes()).halves().0
}

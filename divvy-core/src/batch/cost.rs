//! What a batch's tries have cost, and what rails moved in another asset.

use crate::batch::{Batch, Fate, Try, apply::refused};
use crate::checkpoint::stored;
use crate::error::{Code, Error};
use crate::fact::{Body, Charged, Converted, Evidence, Swapped};
use crate::rail::{Answer, Bill, Fee, Seen};

stored!(Converted as cbor);

impl Batch {
    /// The facts that bills teach: what a try has cost beyond what is known of it.
    pub(super) fn learn_bills(&self, bills: &[Bill], evidence: &Evidence) -> Vec<Body> {
        let mut bodies = Vec::new();
        for try_ in &self.tries {
            for fee in bills.iter().filter(|bill| bill.is_of(try_)).flat_map(|bill| &bill.fees) {
                // A rail that says less than before has not given anything back by that.
                if try_.charged_in(fee) < fee.amount.get() {
                    let (reference, evidence) = (try_.signed.reference.clone(), evidence.clone());
                    let Fee { asset, amount } = fee.clone();
                    bodies.push(Body::Charged(Charged { reference, asset, amount, evidence }));
                }
            }
        }
        bodies
    }

    /// The facts that bills teach of tries that were final before anybody said that they moved
    /// another asset. What was said once stays: a market that moves since changes nothing.
    pub(super) fn learn_swaps(&self, seen: &Seen) -> Vec<Body> {
        let tries = self.tries.iter().zip(&seen.answers);
        let late = tries.filter(|(try_, answer)| {
            try_.fate == Fate::Settled && try_.moved.is_none() && **answer != Answer::Undone
        });
        let swapped = |(try_, _): (&Try, _)| {
            let (reference, evidence) = (try_.signed.reference.clone(), seen.evidence.clone());
            let moved = try_.moved_by(&seen.bills)?;
            Some(Body::Swapped(Swapped { reference, moved, evidence }))
        };
        late.filter_map(swapped).collect()
    }

    /// Holds bills to what can be kept of them, before anything is written.
    pub(super) fn check_bills(&self, bills: &[Bill]) -> Result<(), Error> {
        let odd = |what: String| {
            let detail = format!("the bill of {} {what}: read the reply again", self.stream());
            Error::new(Code::RailReply, detail)
        };
        for (at, bill) in bills.iter().enumerate() {
            if bills.iter().take(at).any(|other| other.reference == bill.reference) {
                return Err(odd(format!("names try {:?} twice", bill.reference)));
            }
            for (at, fee) in bill.fees.iter().enumerate() {
                if bill.fees.iter().take(at).any(|other| other.asset == fee.asset) {
                    return Err(odd(format!("names {} twice", fee.asset)));
                }
            }
            if let Some(moved) = &bill.moved
                && let Err(error) = moved.locked()
            {
                return Err(odd(format!("has no rate: {error}")));
            }
        }
        Ok(())
    }

    /// A charge is of a try, and says more than the one before it.
    pub(super) fn apply_charged(&mut self, charged: &Charged) -> Result<(), Error> {
        let Charged { reference, asset, amount, .. } = charged;
        let fee = Fee { asset: asset.clone(), amount: *amount };
        let try_ = self.named(reference)?;
        if try_.charged_in(&fee) >= amount.get() {
            return Err(refused("a charge that is no more than before", "look again"));
        }
        try_.charged.retain(|known| known.asset != fee.asset);
        try_.charged.push(fee);
        Ok(())
    }

    /// What moved instead is said of a try whose money moved, and once.
    pub(super) fn apply_swapped(&mut self, swapped: &Swapped) -> Result<(), Error> {
        swapped.moved.locked()?;
        let try_ = self.named(&swapped.reference)?;
        if try_.fate != Fate::Settled || try_.moved.is_some() {
            let what =
                "another asset that is said to have moved before the try was final, or twice";
            return Err(refused(what, "look at it again"));
        }
        try_.moved = Some(swapped.moved.clone());
        Ok(())
    }
}

impl Bill {
    fn is_of(&self, try_: &Try) -> bool {
        self.reference == try_.signed.reference
    }
}

impl Try {
    /// What it has cost in the asset of a fee, in minor units.
    pub(crate) fn charged_in(&self, fee: &Fee) -> u64 {
        let known = self.charged.iter().find(|known| known.asset == fee.asset);
        known.map_or(0, |known| known.amount.get())
    }

    /// What moved instead, as its bill says.
    pub(super) fn moved_by(&self, bills: &[Bill]) -> Option<Converted> {
        bills.iter().find(|bill| bill.is_of(self)).and_then(|bill| bill.moved.clone())
    }
}

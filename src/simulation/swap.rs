//! A rail that pays in another asset, at a rate of the day: what moved instead, try by try.

use std::sync::Arc;

use divvy_core::{
    Amount, Answer, Asset, Bill, Converted, Error, Heard, Job, Line, Name, Pack, Rail, Request,
    Seen, Signed, Stranger, Time, Timing, Turn,
};

use crate::sandbox::Sandbox;

/// A sandbox whose tries move another asset than they say.
#[derive(Debug)]
pub(super) struct Swap {
    pub(super) sandbox: Arc<Sandbox>,
    pub(super) rate: Rate,
    /// It says half of what moved.
    pub(super) lies: bool,
}

/// What one unit of what moves is worth in the book's asset.
pub(super) type Rate = (u64, u64);

/// What moved for lines of so much together. No two tries have the same luck.
pub(super) fn swapped(reference: &str, total: u128, (num, den): Rate) -> u128 {
    let luck = reference.bytes().fold(0_u128, |luck, byte| luck.saturating_add(byte.into()));
    let percent = luck.checked_rem(11).unwrap_or(0).saturating_add(95);
    let even = total.saturating_mul(den.into()).checked_div(num.into()).unwrap_or(0);
    even.saturating_mul(percent).div_euclid(100)
}

impl Swap {
    /// What a try has moved, as its own bytes say.
    fn moved(&self, signed: &Signed, now: Time) -> Result<Converted, Error> {
        let said: serde_json::Value = serde_json::from_slice(&signed.bytes).unwrap_or_default();
        let lines = said.get("lines").and_then(serde_json::Value::as_array);
        let amount = |line: &serde_json::Value| line.get("amount")?.as_str()?.parse::<u128>().ok();
        let total: u128 = lines.into_iter().flatten().filter_map(amount).sum();
        let moved = swapped(&signed.reference, total, self.rate);
        let moved = if self.lies { moved.div_euclid(2) } else { moved };
        let (rate_num, rate_den) = self.rate;
        Ok(Converted {
            asset: Asset::parse("EUR")?,
            amount: Amount::from_wide(moved)?,
            rate_num,
            rate_den,
            source: "a bureau".to_owned(),
            quoted_at: now,
        })
    }

    /// Says beside each try that is final what moved for it.
    fn converted(&self, tries: &[Signed], mut seen: Seen, now: Time) -> Result<Seen, Error> {
        for (signed, answer) in tries.iter().zip(&seen.answers) {
            if !matches!(answer, Answer::Final | Answer::Returned { .. }) {
                continue;
            }
            let moved = Some(self.moved(signed, now)?);
            let own = |bill: &&mut Bill| bill.reference == signed.reference;
            match seen.bills.iter_mut().find(own) {
                Some(bill) => bill.moved = moved,
                None => {
                    let reference = signed.reference.clone();
                    seen.bills.push(Bill { reference, fees: Vec::new(), moved });
                }
            }
        }
        Ok(seen)
    }
}

impl Rail for Swap {
    fn name(&self) -> &Name {
        self.sandbox.name()
    }

    fn wallet(&self) -> &Name {
        self.sandbox.wallet()
    }

    fn timing(&self) -> Timing {
        self.sandbox.timing()
    }

    fn check_address(&self, address: &str) -> Result<(), Error> {
        self.sandbox.check_address(address)
    }

    fn pack(&self, lines: &[Line], heard: &[Heard], now: Time) -> Result<Turn<Vec<Pack>>, Error> {
        self.sandbox.pack(lines, heard, now)
    }

    fn sign(&self, job: &Job, heard: &[Heard], now: Time) -> Result<Turn<Signed>, Error> {
        self.sandbox.sign(job, heard, now)
    }

    fn submit(&self, signed: &Signed, now: Time) -> Request {
        self.sandbox.submit(signed, now)
    }

    fn look(&self, tries: &[Signed], heard: &[Heard], now: Time) -> Result<Turn<Seen>, Error> {
        Ok(match self.sandbox.look(tries, heard, now)? {
            Turn::Done(seen) => Turn::Done(self.converted(tries, seen, now)?),
            asked => asked,
        })
    }

    fn beyond(
        &self,
        book: &Name,
        run: u64,
        heard: &[Heard],
        now: Time,
    ) -> Result<Turn<Vec<Stranger>>, Error> {
        self.sandbox.beyond(book, run, heard, now)
    }
}

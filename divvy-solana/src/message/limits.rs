//! What the network takes: sizes and counts, the same for whatever is built and whatever is read.

use std::collections::HashSet;

use divvy_core::{Code, Error};

use crate::message::{Compiled, Message, Shape};
use crate::wire::malformed;

/// The most bytes of a legacy or v0 transaction, signatures included.
pub const BYTES_MAX: usize = 1_232;

/// The most bytes of a v1 transaction, signatures included.
pub const BYTES_MAX_V1: usize = 4_096;

/// The most accounts of a transaction.
pub const LOCKS_MAX: usize = 64;

/// The most instructions that may run, those included that programs give to others.
pub const TRACE_MAX: usize = 64;

impl Message {
    /// Whether every number in it fits every other, and the network would take it.
    pub(super) fn check(&self) -> Result<(), Error> {
        self.check_head()?;
        self.check_places()?;
        let (bytes_max, signers_max) = match &self.shape {
            Shape::Legacy | Shape::V0(_) => (BYTES_MAX, u8::MAX),
            Shape::V1(limits) => {
                let unfit_heap = |bytes: &u32| {
                    !(HEAP_BYTES_MIN..=HEAP_BYTES_MAX).contains(bytes)
                        || !bytes.is_multiple_of(HEAP_BYTES_STEP)
                };
                if limits.heap_bytes.as_ref().is_some_and(unfit_heap) {
                    return Err(unfit("a heap has 32 to 256 KiB in whole KiB"));
                }
                (BYTES_MAX_V1, SIGNERS_MAX_V1)
            }
        };
        if self.header.signers > signers_max {
            return Err(unfit("more than 12 sign a v1 transaction"));
        }
        if self.locks() > LOCKS_MAX {
            return Err(unfit("it names more than 64 accounts"));
        }
        if self.instructions.len() > TRACE_MAX {
            return Err(unfit("it has more than 64 instructions"));
        }
        let wide = |order: &Compiled| {
            order.accounts.len() > PLACES_MAX || u16::try_from(order.data.len()).is_err()
        };
        if self.instructions.iter().any(wide) || self.transaction_bytes() > bytes_max {
            return Err(unfit("it has more bytes than fit into a transaction"));
        }
        Ok(())
    }

    fn check_head(&self) -> Result<(), Error> {
        let head = self.header;
        let least = usize::from(head.signers).saturating_add(usize::from(head.reading_others));
        if head.reading_signers >= head.signers {
            return Err(malformed("nobody who signs can pay for it"));
        }
        if self.addresses.len() < least {
            return Err(malformed("its head counts more accounts than it names"));
        }
        let mut seen = HashSet::with_capacity(self.addresses.len());
        if !self.addresses.iter().all(|address| seen.insert(address)) {
            return Err(malformed("it names an account twice"));
        }
        Ok(())
    }

    /// Instructions name accounts that are there; programs stand in the message and never pay.
    fn check_places(&self) -> Result<(), Error> {
        let (own, all) = (self.addresses.len(), self.locks());
        let inside = |order: &Compiled| {
            let program = (1..own).contains(&usize::from(order.program));
            program && order.accounts.iter().all(|place| usize::from(*place) < all)
        };
        if !self.instructions.iter().all(inside) {
            return Err(malformed("an instruction names an account that is not there"));
        }
        let idle = |lookup: &super::Lookup| lookup.writing.is_empty() && lookup.reading.is_empty();
        if self.lookups().iter().any(idle) {
            return Err(malformed("it names a lookup table and no address of it"));
        }
        Ok(())
    }
}

/// A message that no node would take.
pub(crate) fn unfit(what: &str) -> Error {
    let detail = format!("no Solana transaction that a node would take: {what}; pay fewer at once");
    Error::new(Code::WireUnfit, detail)
}

const PLACES_MAX: usize = 255;
const SIGNERS_MAX_V1: u8 = 12;
const HEAP_BYTES_STEP: u32 = 1_024;
const HEAP_BYTES_MIN: u32 = 32 * HEAP_BYTES_STEP;
const HEAP_BYTES_MAX: u32 = 256 * HEAP_BYTES_STEP;

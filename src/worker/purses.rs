//! Wallets that cannot pay: nobody's fault, so nobody is held, and the wallet is given time.

use std::collections::BTreeMap;

use divvy_core::{Code, Error, Name, Rail, Time};

use crate::worker::pace::Pace;
use crate::worker::suspects::Part;

/// The rails whose wallet declined to pay, until one of their tries goes through.
#[derive(Debug, Default)]
pub(super) struct Purses(BTreeMap<Name, Purse>);

/// A wallet that declined to pay.
#[derive(Debug)]
struct Purse {
    pace: Pace,
    /// The next plan is one batch, of so many lines at most: what is in the wallet may do for it.
    lines_max: usize,
    error: Error,
}

impl Purses {
    /// A try was declined, whoever it was for.
    pub(super) fn decline(
        &mut self,
        rail: &Name,
        wallet: &Name,
        lines: usize,
        reason: &str,
        wait: (Time, u64),
    ) {
        let (now, first_secs) = wait;
        let detail = format!(
            "wallet {wallet} of rail {rail} cannot pay: {reason}. Nobody is held; what is due is \
             tried again by and by: mend the wallet"
        );
        let error = Error::new(Code::RailRefused, detail);
        tracing::error!(%rail, %wallet, reason, "the wallet cannot pay");
        let lines_max = lines.div_ceil(2);
        let known = self.0.entry(rail.clone());
        let fresh = Purse { pace: Pace::default(), lines_max, error: error.clone() };
        let purse = known.or_insert(fresh);
        purse.lines_max = purse.lines_max.min(lines_max);
        purse.error = error;
        // Of several tries that went out together, the first one says it for all.
        if purse.pace.is_over(now) {
            purse.pace.wait(rail.as_str(), now, first_secs);
        }
    }

    /// A try went through.
    pub(super) fn clear(&mut self, rail: &Name) {
        self.0.remove(rail);
    }

    /// Whether a wallet may be asked to pay now.
    pub(super) fn is_open(&self, rail: &Name, now: Time) -> bool {
        self.0.get(rail).is_none_or(|purse| purse.pace.is_over(now))
    }

    /// What of a plan a wallet that declined is asked for: its first lines, in one batch.
    pub(super) fn probe(&self, rail: &dyn Rail, mut parts: Vec<Part>) -> Vec<Part> {
        if let Some(purse) = self.0.get(rail.name()) {
            parts.truncate(1);
            for part in parts.iter_mut().filter(|part| part.lines.len() > purse.lines_max.max(1)) {
                part.lines.truncate(purse.lines_max.max(1));
                part.fee = None;
            }
        }
        parts
    }

    pub(super) fn not_before(&self) -> Option<Time> {
        self.0.values().map(|purse| purse.pace.not_before()).min()
    }

    pub(super) fn obstacles(&self) -> impl Iterator<Item = Error> {
        self.0.values().map(|purse| purse.error.clone())
    }
}

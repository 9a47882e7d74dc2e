//! Whom a rail may have meant when it refused a batch without naming anybody.

use std::collections::HashMap;

use divvy_core::{Amount, Line, Name, Pack};

/// Payees of batches that a rail refused without saying who is to blame, and the most lines that
/// a batch with them may have: half as many each time, until the one is alone and is held.
#[derive(Debug, Default)]
pub(super) struct Suspects(HashMap<Name, usize>);

impl Suspects {
    /// A batch was refused as a whole.
    pub(super) fn suspect(&mut self, lines: &[Line]) {
        let half = lines.len().div_ceil(2);
        for line in lines {
            self.0.insert(line.payee.clone(), half);
        }
    }

    /// A batch went through.
    pub(super) fn clear(&mut self, lines: &[Line]) {
        for line in lines {
            if self.0.is_empty() {
                return;
            }
            self.0.remove(&line.payee);
        }
    }

    /// The lines of each pack, with suspects among themselves and in smaller batches.
    pub(super) fn parted(&self, lines: &[Line], packs: &[Pack]) -> Vec<Part> {
        let mut parted = Vec::with_capacity(packs.len());
        for pack in packs {
            let lines = pack.lines.iter().filter_map(|line| lines.get(*line).cloned());
            let (suspects, clear): (Vec<Line>, Vec<Line>) =
                lines.partition(|line| self.0.contains_key(&line.payee));
            let most = |line: &Line| self.0.get(&line.payee).copied();
            let most = suspects.iter().filter_map(most).min().unwrap_or(1).max(1);
            let parts = suspects.chunks(most).map(<[Line]>::to_vec).chain([clear]);
            parted.extend(parts.filter(|lines| !lines.is_empty()).map(|lines| {
                let is_whole = lines.len() == pack.lines.len();
                Part { lines, fee: is_whole.then_some(pack.fee) }
            }));
        }
        parted
    }
}

/// Lines that go together.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) lines: Vec<Line>,
    /// What the rail quoted for just these, if it has.
    pub(super) fee: Option<Amount>,
}

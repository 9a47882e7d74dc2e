//! What a seed has beside payments, pools and payouts: not all of it in each, so that each stays
//! quick and what it has meets often.

use crate::simulation::dice::Dice;

/// Which of it a seed has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Features {
    /// Books whose rules an issuer signs.
    pub(super) issues: bool,
    /// Rules with tiers and uplines, and people who bring others.
    pub(super) counts: bool,
    /// Pools whose money flows over time, and holders who stake what they earned.
    pub(super) flows: bool,
    /// Pools that hold units of others.
    pub(super) nests: bool,
    /// Payees who ask to be paid now.
    pub(super) asks: bool,
    /// Payees who bring money along from before.
    pub(super) brings: bool,
    /// Rails that pay in another asset.
    pub(super) swaps: bool,
    /// Pools of which holders can prove their part.
    pub(super) proves: bool,
    /// Books that are compared with the statements of rails.
    pub(super) reconciles: bool,
    /// Books that are exported and reported at the end.
    pub(super) exports: bool,
    /// Notes of the treasury, weeks that are closed, and seals.
    pub(super) notes: bool,
    /// Endpoints that are told what happens.
    pub(super) tells: bool,
}

impl Features {
    pub(super) fn draw(dice: &mut Dice) -> Self {
        let exports = dice.permille(125);
        let mut has = || dice.permille(400);
        Self {
            exports,
            issues: has(),
            counts: has(),
            flows: has(),
            nests: has(),
            asks: has(),
            brings: has(),
            swaps: has(),
            proves: has(),
            reconciles: has(),
            notes: has(),
            tells: has(),
        }
    }
}

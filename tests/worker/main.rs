//! Workers: what they share, what they close for, and what they leave when they die.
#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "tests stop at the first thing that is not as it should be"
)]

mod ahead;
mod approvals;
mod demands;
mod fees;
mod share;
mod shop;
mod slow;
mod wallets;

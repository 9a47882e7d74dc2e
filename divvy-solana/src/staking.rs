//! Staking SOL: what a stake account says, orders that will not fail, and what it earned.

mod account;
mod orders;
mod position;
mod reward;
mod validator;

pub use account::{Delegation, Stake, StakeAccount, StakeHistory, StakeState};
pub use orders::{Opening, Staking};
pub use position::{Positions, StakeMoves};
pub use reward::StakeReward;
pub use validator::{Credits, Validator};

use divvy_core::{Code, Error};

fn refused(why: &str) -> Error {
    Error::new(Code::RailRefused, why)
}

#[cfg(test)]
mod tests;

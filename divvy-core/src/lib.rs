//! Pure money code.

mod amount;
mod error;

pub use amount::{Amount, Difference};
pub use error::{Code, Error, Who};

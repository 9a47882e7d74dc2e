//! The treasury: what is there, what was fronted, what is on its way, and how long it lasts.

mod day;
mod runway;

pub use day::Day;
pub use runway::{FeeDrain, Projection, Runway, Steady, required_float};

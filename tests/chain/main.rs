//! What happens on a chain becomes facts: sales that are settled in one transaction, and rewards of
//! those who stake. The chain is the one that the rail is tested against.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::integer_division,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that panics is red, which is what it is for"
)]

#[path = "../../divvy-solana/tests/rail/bank.rs"]
#[expect(dead_code, reason = "the rail's own tests use all of it")]
mod bank;
#[path = "../../divvy-solana/tests/rail/cluster.rs"]
#[expect(dead_code, reason = "the rail's own tests use all of it")]
mod cluster;
mod rewards;
mod sales;
mod world;

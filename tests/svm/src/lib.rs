//! Solana's real programs, executed: a machine that runs bytes, a chain of blocks around it, and
//! nodes that show the chain over JSON-RPC and can be made to fail.

pub mod chain;
pub mod dice;
pub mod faults;
pub mod machine;
pub mod node;
pub mod serve;
pub mod world;

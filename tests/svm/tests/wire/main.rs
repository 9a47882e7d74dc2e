//! Every order that moves money, executed by the chain's own programs.
//!
//! Goal: what `divvy-solana` writes does what its documentation says, and what it packs runs.
//! Method: all bytes are made by `divvy-solana` alone; the programs are those of mainnet.

mod capacity;
mod lab;
mod mint;
mod nonce;
mod pay;
mod reads;
mod stake;
mod table;

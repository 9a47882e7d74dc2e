//! Solana for Divvy: transactions byte by byte, keys, addresses and packing.
//!
//! Nothing here dials, sleeps, or reads a clock or a file: bytes in, bytes out. There is one way to
//! write each thing, and reading refuses every other one.
//!
//! - **addresses** [`Address`], [`Derived`], [`TokenAccounts`]
//! - **instructions** [`Instruction`], [`Access`]; [`system`], [`token`], [`metadata`],
//!   [`associated`], [`memo`], [`budget`], [`lookup`], [`stake`]
//! - **messages** [`Draft`], [`Format`], [`Table`], [`Limits`], [`Message`], [`Lifetime`]
//! - **transactions** [`Transaction`], [`Signature`], [`Keypair`], [`Signer`], [`Nonce`]
//! - **checks** [`check_wallet`], [`check_mint`], [`Destination`], [`Concern`], [`Weight`];
//!   [`Account`], [`TokenAccount`], [`Mint`], [`Presence`], [`LookupTable`], [`look_alike`],
//!   [`Lookalikes`]
//! - **packing** [`Packing`], [`Money`], [`Payout`], [`Prefunding`]
//! - **settlements** [`Settlement`], [`Collaborator`], [`Edition`], [`Extra`], [`Rent`];
//!   [`Settling`], [`Part`], [`Order`], [`Act`], [`Costs`], [`Rented`], [`Doubt`], [`Tried`],
//!   [`Living`], [`Difference`], [`Outcome`]
//! - **rail** [`SolanaRail`], [`SolanaSettings`], [`Coin`], [`Genesis`], [`Provider`]
//! - **reading** [`Chain`], [`Snapshot`], [`Holding`], [`Incoming`], [`Received`]
//! - **stakes** [`Staking`], [`Opening`], [`StakeAccount`], [`Stake`], [`Delegation`],
//!   [`StakeState`], [`StakeHistory`]; [`Validator`], [`Credits`], [`StakeReward`]; [`Positions`],
//!   [`StakeMoves`]
//! - **programs of your own** [`anchor`]
//! - **links** [`PayLink`], [`Transfer`]

#[cfg(doctest)]
#[doc = include_str!("../../docs/solana.md")]
struct SolanaPage;

mod account;
mod address;
pub mod anchor;
mod chain;
mod check;
mod concern;
mod derive;
mod instruction;
mod key;
mod lifetime;
mod link;
mod message;
mod node;
mod nonce;
mod pack;
mod rail;
mod settlement;
mod signature;
mod signer;
mod staking;
mod tariff;
mod transaction;
mod wire;

pub use account::{Account, LookupTable, Mint, Presence, TokenAccount, TokenState};
pub use address::Address;
pub use chain::{Chain, Holding, Incoming, Received, Snapshot};
pub use check::{Destination, Lookalikes, check_mint, check_wallet, look_alike};
pub use concern::{Concern, Weight};
pub use derive::{Derived, TokenAccounts};
pub use instruction::{
    Access, Instruction, associated, budget, discriminator, lookup, memo, metadata, stake, system,
    token,
};
pub use key::Keypair;
pub use lifetime::Lifetime;
pub use link::{PayLink, Transfer};
pub use message::{
    BYTES_MAX, BYTES_MAX_V1, Draft, Format, LOCKS_MAX, Limits, Message, TRACE_MAX, Table,
};
pub use node::{Genesis, Provider};
pub use nonce::Nonce;
pub use pack::{Money, Packing, Payout, Prefunding};
pub use rail::{Coin, SolanaRail, SolanaSettings};
pub use settlement::{
    Act, Collaborator, Costs, Difference, Doubt, Edition, Extra, Living, Order, Outcome, Part,
    Rent, Rented, Settlement, Settling, Tried,
};
pub use signature::Signature;
pub use signer::Signer;
pub use staking::{
    Credits, Delegation, Opening, Positions, Stake, StakeAccount, StakeHistory, StakeMoves,
    StakeReward, StakeState, Staking, Validator,
};
pub use transaction::Transaction;
pub use wire::{read_length, write_length};

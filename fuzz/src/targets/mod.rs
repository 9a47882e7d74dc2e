//! Every reader of bytes that somebody else wrote, with what must hold whatever they are.
//!
//! A target panics when a promise is broken, and returns otherwise. The fuzzer calls it, and so
//! does `tests/corpus.rs`, with every file of `fuzz/corpus`, in the ordinary build.

mod facts;
mod files;
mod sandbox;
mod solana;
mod text;

/// What a target is: it panics, or all was well.
pub(crate) type Target = fn(&[u8]);

/// The targets by the names of their folders in `fuzz/corpus`.
pub(crate) const TARGETS: &[(&str, Target)] = &[
    ("body", facts::body),
    ("fact", facts::fact),
    ("checkpoint", facts::checkpoint),
    ("text", text::text),
    ("holders", files::holders),
    ("payments", files::payments),
    ("settings", files::settings),
    ("credential", files::credential),
    ("reply", sandbox::reply),
    ("world", sandbox::world),
    ("ledger", sandbox::ledger),
    ("solana_transaction", solana::transaction),
    ("solana_account", solana::account),
    ("solana_state", solana::state),
    ("solana_link", solana::link),
    ("solana_key", solana::key),
];

/// The first byte, and what follows it.
fn first(bytes: &[u8]) -> (usize, &[u8]) {
    bytes.split_first().map_or((0, bytes), |(first, rest)| (usize::from(*first), rest))
}

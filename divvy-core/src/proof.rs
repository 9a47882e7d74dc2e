//! Proofs: what a payee can check alone, offline, against a hash that they were given before.
//!
//! ```text
//!   ann, 3 units ── path ──▶ holders' root ── in ──▶ declared.1 ── path ──▶ seal's root
//!                                                    index before, after    (kept anywhere)
//! ```
//!
//! Leaves and nodes hash apart, as in [RFC 9162](https://www.rfc-editor.org/rfc/rfc9162), and a
//! holder's leaf begins with a name of its own, so nothing can be passed off as something else.

mod check;
mod holders;
mod seal;
mod tree;

pub use check::{Checked, Covered, Proof, SealedFact, StoredFact};
pub use holders::{Holders, Holding};
pub use seal::Seals;
pub use tree::{merkle_path, merkle_root, merkle_root_by};

//! The whole path: real workers over real programs, killed and lied to, and everyone paid once.

mod crew;
mod drill;
mod guide;

use crate::drill::{Drill, told};

/// Goal: whatever nodes lose, forget or invent, and whoever is killed whenever, each payee's token
/// account holds what they earned, and our facts say the same; the chain holds no payout that they
/// do not know. Method: three workers pay over two nodes that fail by a seed, on a chain that
/// forks and drops, and are killed with -9 at random moments. Then the nodes are well, and the two
/// sides are compared, with plain sums as the third.
#[test]
fn everyone_is_paid_exactly_once_on_a_chain_that_fails_by_workers_that_die() {
    let (payees, kills, seed) =
        (told("DIVVY_PAYEES", 2_000), told("DIVVY_KILLS", 10), told("DIVVY_SEED", 1));
    let mut drill = Drill::start(seed, payees);
    drill.kill(kills);
    drill.come_to_rest();
    drill.check();
}

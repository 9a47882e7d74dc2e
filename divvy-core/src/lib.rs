//! Pure money code.

mod amount;
mod asset;
mod batch;
mod book;
mod books;
mod checkpoint;
pub mod danger;
mod error;
mod explain;
mod fact;
mod host;
mod name;
mod policy;
mod pool;
mod rail;
mod split;
mod time;
mod verify;

pub use amount::{Amount, Difference};
pub use asset::Asset;
pub use batch::{Batch, Call, Fate, Next, State, Step, Try};
pub use book::{
    Balance, Book, Due, Expected, Obstacle, Payment, Plan, RUN_LINES_MAX, Standing, Totals,
};
pub use books::Books;
pub use error::{Code, Error, Who};
pub use explain::{Chapter, Explanation, Subject};
pub use fact::{
    Body, Cancelled, Claimed, Converted, Declared, Destination, Evidence, Fact, Hash, Head, Held,
    Issued, Line, Moved, Opened, PayeeSet, Place, Planned, PoolOpened, Recorded, Redeemed, Refused,
    Released, Reopened, Returned, Review, RuleSet, Run, Sender, Sent, Settled, Signed, Stream,
    Voided, Window,
};
pub use host::{Cursor, Manner, Page, Written, address_taken, check_clock, digest};
pub use name::Name;
pub use policy::Policy;
pub use pool::{Holder, Index, Pool, Units};
pub use rail::{Answer, Heard, Job, Pack, Rail, Reply, Request, Seen, Timing, Turn};
pub use split::{
    AfterFee, Carried, Carry, Leg, Legs, Ratio, Rule, Share, Shares, SignedShares, Target,
    Waterfall, portion_weights, split, split_after_fee, split_capped, split_signed,
};
pub use time::Time;
pub use verify::{Verified, Verify};

//! The whole job at sizes that grow by ten: holders, payments and payout lines, on one SQLite file,
//! with the time and the memory of each stage.
//!
//! `make scale HOLDERS=10000000 PAYMENTS=1000000 LINES=2000000` is the largest that is promised on
//! two cores and 24 GiB. Without arguments it is a hundredth of that.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints what it measured")]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::integer_division,
    reason = "a bench that goes wrong should stop"
)]

mod job;
mod stages;
#[expect(dead_code, reason = "a job is timed once: it needs no medians")]
#[path = "../support/mod.rs"]
mod support;

use job::{From, Job};
use stages::Stages;

/// How much of everything.
#[derive(Clone, Copy, Debug)]
struct Size {
    holders: u64,
    payments: u64,
    lines: u64,
}

fn main() {
    support::quiet_or_exit();
    let size = Size {
        holders: asked("--holders").unwrap_or(100_000),
        payments: asked("--payments").unwrap_or(10_000),
        lines: asked("--lines").unwrap_or(20_000),
    };
    assert!(size.lines <= size.holders, "a line pays a holder: {size:?}");
    println!("{} holders, {} payments, {} payout lines", size.holders, size.payments, size.lines);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(work(size));
}

async fn work(size: Size) {
    let mut stages = Stages::new();
    let mut job = Job::begin(size).await;
    stages.ended("units issued to every holder", size.holders, "holder");
    job.record().await;
    stages.ended("payments recorded and declared", size.payments, "payment");
    let paid = job.pay().await;
    assert_eq!(paid, size.lines, "everyone above the threshold was paid");
    stages.ended("planned, sent and settled", size.lines, "line");
    let nobody = job.pay().await;
    assert_eq!(nobody, 0, "nobody is paid twice");
    stages.ended("an idle tick", 1, "tick");
    job.balances();
    stages.ended("balances of 100,000 random holders", 100_000, "balance");
    let facts = job.verify().await;
    stages.ended("verified from zero", facts, "fact");
    let checkpoint = job.keep_checkpoint().await;
    stages.ended("checkpoint kept", facts, "fact");
    let kept = job.close();
    stages.ended("closed", 1, "");
    let job = Job::open(&kept, From::Checkpoint).await;
    stages.ended("opened from the checkpoint", facts, "fact");
    drop(job);
    stages.begin();
    let job = Job::open(&kept, From::Zero).await;
    stages.ended("opened cold", facts, "fact");
    drop(job);
    println!(
        "{facts} facts in a file of {} MB, a checkpoint of {} MB",
        kept.mb(),
        checkpoint / 1_000_000
    );
    stages.print();
    kept.remove();
}

/// A number that was asked for, as `--holders 1000`.
fn asked(name: &str) -> Option<u64> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name).skip(1);
    arguments.next().map(|text| text.parse().expect("a number"))
}

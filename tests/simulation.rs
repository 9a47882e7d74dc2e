//! The whole engine under everything that goes wrong, seed by seed.
#![expect(
    clippy::unwrap_used,
    reason = "a test that panics is a red test, which is what it is for"
)]

use divvy::simulation::{Knobs, simulate};

#[test]
fn seeds() {
    let started = std::time::Instant::now();
    let mut steps = 0;
    let mut counts = std::collections::BTreeMap::new();
    let first: u64 = std::env::var("DIVVY_SEED").ok().and_then(|t| t.parse().ok()).unwrap_or(0);
    let count: u64 = std::env::var("DIVVY_SEEDS").ok().and_then(|t| t.parse().ok()).unwrap_or(200);
    for seed in first..first + count {
        let report = simulate(&Knobs::of_seed(seed)).unwrap();
        steps += report.steps;
        if let Some(broken) = &report.broken {
            if std::env::var("DIVVY_ALL").is_ok() {
                println!("{} {broken}", report.knobs.seed);
                continue;
            }
            for line in &report.story {
                println!("{line}");
            }
            panic!("{broken}\n{}", report.knobs);
        }
        for (k, n) in &report.counts {
            *counts.entry(*k).or_insert(0_u64) += n;
        }
    }
    println!("{counts:#?}");
    println!("{steps} {:?}", started.elapsed());
}

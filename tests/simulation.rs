//! The whole engine under everything that goes wrong, seed by seed.
#![expect(clippy::unwrap_used, reason = "a test that panics is a red test, which is what it is for")]

use divvy::simulation::{Knobs, simulate};

#[test]
fn seeds() {
    let started = std::time::Instant::now();
    let mut steps = 0;
    for seed in 0..200 {
        let report = simulate(&Knobs::of_seed(seed)).unwrap();
        steps += report.steps;
        if let Some(broken) = &report.broken {
            for line in &report.story { println!("{line}"); }
            panic!("{broken}\n{}", report.knobs);
        }
        if seed == 199 { println!("{:#?}", report.counts); }
    }
    println!("{steps} {:?}", started.elapsed());
}

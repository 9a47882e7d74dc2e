//! What every bench needs: a quiet machine, a median, a table.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Ends the bench with a sentence when the machine is busy, unless asked to go on.
///
/// A figure measured beside other work says nothing. The same small loop, run many times, takes
/// the same time each time on a quiet machine; the slow quarter of the runs tells how far from
/// that it is.
pub(crate) fn quiet_or_exit() {
    if std::env::args().any(|argument| argument == BUSY_ANYWAY) {
        return;
    }
    let load = busy_percent();
    // A core that slept needs a moment to come up to speed.
    let start = now();
    while start.elapsed() < WINDOW {
        spin();
    }
    let mut spins: Vec<Duration> = (0..SPINS).map(|_| timed(spin)).collect();
    spins.sort_unstable();
    let (least, slow) = (spins[0], spins[SPINS * 3 / 4]);
    let spread = slow.as_nanos() * 100 / least.as_nanos().max(1);
    if spread > SPREAD_MAX || load > LOAD_MAX {
        eprintln!(
            "this machine is busy: one loop in four takes {spread} % of the fastest (at most \
             {SPREAD_MAX}) and {load} % of one core is taken (at most {LOAD_MAX}).\n\
             Wait until it is quiet, or add `-- {BUSY_ANYWAY}` and trust no figure."
        );
        std::process::exit(1);
    }
}

/// The median time of a call, over as many calls as fill a fair part of a second.
pub(crate) fn median<T>(mut call: impl FnMut() -> T) -> Duration {
    let first = timed(&mut call).max(Duration::from_nanos(1));
    // Short calls are timed in blocks, so that the clock itself does not count.
    let block = (BLOCK.as_nanos() / first.as_nanos()).clamp(1, 100_000);
    let mut runs: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let all = timed(|| (0..block).for_each(|_| drop(black_box(call()))));
            all / u32::try_from(block).expect("at most a hundred thousand")
        })
        .collect();
    runs.sort_unstable();
    runs[RUNS / 2]
}

/// Prints rows as a table, each column as wide as its widest cell, numbers to the right.
pub(crate) fn print_table(rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}"));
        println!("{}", cells.collect::<Vec<_>>().join("  "));
    }
}

/// A duration with three digits that matter.
pub(crate) fn text(time: Duration) -> String {
    let nanos = time.as_nanos();
    match nanos {
        0..10_000 => format!("{nanos} ns"),
        10_000..10_000_000 => format!("{} us", nanos / 1_000),
        _ => format!("{}.{} ms", nanos / 1_000_000, nanos / 100_000 % 10),
    }
}

/// How often the first goes into the second, in tenths: `2.4x`.
pub(crate) fn ratio(ours: Duration, theirs: Duration) -> String {
    let tenths = theirs.as_nanos() * 10 / ours.as_nanos().max(1);
    format!("{}.{}x", tenths / 10, tenths % 10)
}

fn timed<T>(call: impl FnOnce() -> T) -> Duration {
    let start = now();
    black_box(call());
    start.elapsed()
}

#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
fn now() -> Instant {
    Instant::now()
}

fn spin() -> u64 {
    (0..200_000_u64).fold(black_box(1), |sum, step| black_box(sum.rotate_left(5) ^ step))
}

/// What others took of the cores while nothing of ours ran, in percent of one core.
///
/// Where the system does not tell, the loop alone has to judge.
fn busy_percent() -> u128 {
    let Some((busy, all)) = ticks() else { return 0 };
    let start = now();
    while start.elapsed() < WINDOW {
        std::thread::park_timeout(WINDOW);
    }
    let Some((busy_then, all_then)) = ticks() else { return 0 };
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as u128;
    (busy_then - busy) * 100 * cores / (all_then - all).max(1)
}

/// The ticks that all cores were busy, and all ticks, since the system started.
fn ticks() -> Option<(u128, u128)> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    let fields = text.lines().next()?.split_whitespace().skip(1);
    let fields: Vec<u128> = fields.filter_map(|field| field.parse().ok()).collect();
    let idle = fields.get(3)? + fields.get(4)?;
    let all = fields.iter().take(8).sum::<u128>();
    Some((all - idle, all))
}

const BUSY_ANYWAY: &str = "--busy-anyway";
const SPINS: usize = 200;
const SPREAD_MAX: u128 = 130;
const LOAD_MAX: u128 = 20;
const WINDOW: Duration = Duration::from_millis(500);
const RUNS: usize = 15;
const BLOCK: Duration = Duration::from_millis(10);

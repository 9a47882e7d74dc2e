//! What arrives, what fails, and what it costs.

use crate::batch::State;
use crate::contract::Mishap;
use crate::contract::bench::{Bench, STEP_SECS, Verdict, broken};
use crate::rail::Answer;

/// Conversations are held at length, and nothing moves; then a submission does move it.
pub(super) fn facts_first(mut bench: Bench) -> Verdict {
    let lines = bench.lines()?;
    let packed = bench.talk(Mishap::None, |rail, heard, now| rail.pack(&lines, heard, now))?;
    drop(packed?);
    let signed = bench.signed()?;
    for _ in 0..10 {
        drop(bench.look(Mishap::None)?);
        bench.ground.pass(STEP_SECS);
        bench.nothing_arrived(&lines, "though nothing was submitted")?;
    }
    // What would move money if it got anywhere is no question.
    let submission = bench.rail.submit(&signed, bench.ground.now());
    let sent = bench
        .asked
        .iter()
        .any(|asked| asked.body == submission.body && asked.url == submission.url);
    if sent && !submission.body.is_empty() {
        return broken("the try's own submission was among the questions");
    }
    Ok(())
}

/// The same try is sent again and again.
pub(super) fn paid_once(mut bench: Bench) -> Verdict {
    let signed = bench.signed()?;
    let lines = bench.lines()?;
    let is_once = signed.window == crate::fact::Window::Once;
    for _ in 0..if is_once { 1 } else { 4 } {
        if let Some(seen) = bench.submit(&signed, Mishap::None)? {
            bench.learn(&seen)?;
        }
        bench.ground.pass(1);
    }
    let state = bench.finish()?;
    if state != State::Settled {
        return broken(format!("a payment in peace ends as {state:?}"));
    }
    bench.all_arrived(&lines)
}

/// The second of three lines fails once it is on its way.
pub(super) fn names_the_line(mut bench: Bench) -> Verdict {
    let bad = bench.ground.failing();
    let lines = vec![bench.line(0, 70)?, bench.line_to("failing", &bad, 20)?, bench.line(2, 11)?];
    bench.plan(lines.clone())?;
    let signed = bench.sign()?;
    bench.ground.strike();
    let mut seen = bench.submit(&signed, Mishap::None)?;
    for _ in 0..20 {
        let said = seen.take().map(|seen| seen.answers);
        let refused = said.as_deref().and_then(|answers| answers.first()).cloned();
        match refused {
            Some(Answer::Refused { line: Some(1), .. }) => {
                return bench.nothing_arrived(&lines, "though its batch was refused");
            }
            Some(Answer::Unknown | Answer::Accepted) | None => {}
            Some(other) => {
                return broken(format!("line 1 fails, and the rail says {other:?}"));
            }
        }
        bench.ground.pass(STEP_SECS);
        seen = bench.look(Mishap::None)?.ok();
    }
    broken("line 1 fails, and the rail never says so")
}

/// What a paid batch was charged for, and what a refused one was.
pub(super) fn counts_charges(mut bench: Bench) -> Verdict {
    let bad = bench.ground.failing();
    let lines = vec![bench.line(0, 70)?, bench.line_to("failing", &bad, 20)?];
    bench.plan(lines)?;
    let signed = bench.sign()?;
    bench.ground.strike();
    if let Some(seen) = bench.submit(&signed, Mishap::None)? {
        bench.learn(&seen)?;
    }
    bench.finish()?;
    let lines = bench.lines()?;
    bench.plan(lines)?;
    let state = bench.finish()?;
    if state != State::Settled {
        return broken(format!("a payment in peace ends as {state:?}"));
    }
    let Some(charged) = bench.ground.charged() else { return Ok(()) };
    let told = bench.fees.iter().filter(|fee| fee.asset == charged.asset);
    let told = told.fold(0_u64, |sum, fee| sum.saturating_add(fee.amount.get()));
    let was = charged.amount.get();
    if told != was {
        return broken(format!("{was} was charged, and {told} is told"));
    }
    Ok(())
}

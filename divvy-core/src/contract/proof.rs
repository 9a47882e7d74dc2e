//! What may be said of a try, and on what evidence.

use crate::batch::State;
use crate::contract::Mishap;
use crate::contract::bench::{Bench, STEP_SECS, STEPS_MAX, Verdict, broken};
use crate::fact::{Signed, Window};
use crate::rail::{Answer, Seen};

/// Silence teaches nothing, void is true whenever it is said, and comes where a window ends.
pub(super) fn void_with_proof(open: &dyn Fn() -> Verdict<Bench>) -> Verdict {
    for mishap in [Mishap::Deaf, Mishap::Busy, Mishap::Broken] {
        let mut bench = open()?;
        drop(bench.signed()?);
        for _ in 0..60 {
            bench.ground.pass(STEP_SECS);
            let Ok(seen) = bench.look(mishap)? else { continue };
            if let Some(said) = seen.answers.iter().find(|said| **said != Answer::Unknown) {
                return broken(format!("{mishap:?}: nothing was heard, and it says {said:?}"));
            }
        }
    }
    for secs in [10, 30, 50] {
        void_is_true(open()?, Mishap::Late { secs })?;
        void_is_true(open()?, Mishap::Forgotten)?;
    }
    let mut bench = open()?;
    let signed = bench.signed()?;
    let ends = matches!(signed.window, Window::Until(_) | Window::UntilHeight(_));
    for _ in 0..STEPS_MAX {
        bench.ground.pass(STEP_SECS);
        if let Ok(seen) = bench.look(Mishap::None)? {
            bench.learn(&seen)?;
        }
        if bench.state()? == State::Void {
            break;
        }
    }
    match (ends, bench.state()?) {
        (true, State::Void) | (false, _) => Ok(()),
        (true, state) => broken(format!("a try that was never sent is never void, but {state:?}")),
    }
}

/// Whoever has an older copy may send for as long as the window is open: after *void* it must not
/// land any more.
fn void_is_true(mut bench: Bench, mishap: Mishap) -> Verdict {
    let signed = bench.signed()?;
    let lines = bench.lines()?;
    drop(bench.submit(&signed, mishap)?);
    for _ in 0..400 {
        bench.ground.pass(2);
        let Ok(seen) = bench.look(Mishap::None)? else { continue };
        if !seen.answers.contains(&Answer::Void) {
            continue;
        }
        drop(bench.submit(&signed, Mishap::None)?);
        bench.ground.pass(5_000);
        return bench
            .nothing_arrived(&lines, &format!("after it was said to be void ({mishap:?})"));
    }
    Ok(())
}

/// It is taken, and forgotten.
pub(super) fn final_for_good(mut bench: Bench) -> Verdict {
    let signed = bench.signed()?;
    let lines = bench.lines()?;
    let mut seen = bench.submit(&signed, Mishap::Forgotten)?;
    for _ in 0..40 {
        let said_final = seen.take().is_some_and(|seen| seen.answers.contains(&Answer::Final));
        let arrived = lines.iter().any(|line| bench.ground.arrived(&line.to) > 0);
        if said_final && !arrived {
            return broken("it says final, and nothing has arrived");
        }
        bench.ground.pass(5);
        seen = bench.look(Mishap::None)?.ok();
    }
    Ok(())
}

/// Every reply but the last is lost, in signing, in sending, and in looking.
pub(super) fn lost_replies(open: &dyn Fn() -> Verdict<Bench>) -> Verdict {
    let mut bench = open()?;
    let lines = bench.lines()?;
    bench.plan(lines.clone())?;
    let job = bench.job()?;
    // Nothing is signed by guess, and nothing moves.
    let unheard = bench.talk(Mishap::LostReply, |rail, heard, now| rail.sign(&job, heard, now))?;
    if let Ok(signed) = unheard
        && bench.asked.is_empty()
        && signed.bytes.is_empty()
    {
        return broken("it has signed nothing, without asking");
    }
    let signed = bench.sign()?;
    drop(bench.submit(&signed, Mishap::LostReply)?);
    bench.ground.pass(STEP_SECS);
    for mishap in [Mishap::LostReply, Mishap::Busy, Mishap::Broken] {
        if let Ok(seen) = bench.look(mishap)? {
            still_unsaid(&seen)?;
        }
    }
    if signed.window == Window::Once {
        return settles_or_waits(&mut bench);
    }
    let state = bench.finish()?;
    if state != State::Settled || bench.batch()?.tries().len() != 1 {
        let tries = bench.batch()?.tries().len();
        return broken(format!("its money moved, and after {tries} tries it is {state:?}"));
    }
    bench.all_arrived(&lines)
}

fn still_unsaid(seen: &Seen) -> Verdict {
    match seen.answers.iter().find(|said| !matches!(said, Answer::Unknown | Answer::Accepted)) {
        Some(said) => broken(format!("no reply was heard, and it says {said:?}")),
        None => Ok(()),
    }
}

/// Nobody knows what a rail has forgotten but a person: it waits for one.
fn settles_or_waits(bench: &mut Bench) -> Verdict {
    let state = bench.finish()?;
    if matches!(state, State::Settled | State::Review) {
        return Ok(());
    }
    broken(format!("nobody remembers it, and it is {state:?}"))
}

/// A second try is asked for while the first may still move.
pub(super) fn second_try(mut bench: Bench) -> Verdict {
    let first = bench.signed()?;
    let job = bench.job()?;
    let again = bench.talk(Mishap::None, |rail, heard, now| rail.sign(&job, heard, now))?;
    let Ok(second) = again else { return Ok(()) };
    if first.window != Window::Unlimited || excludes(&first, &second) {
        return Ok(());
    }
    broken(format!("{} and {} share no claim", first.reference, second.reference))
}

fn excludes(first: &Signed, second: &Signed) -> bool {
    first.claims.iter().any(|claim| second.claims.contains(claim))
}

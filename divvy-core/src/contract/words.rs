//! What a rail writes, lists, refuses and shows.

use std::collections::BTreeSet;

use crate::batch::State;
use crate::contract::Mishap;
use crate::contract::bench::{BOOK, Bench, RUN, Verdict, broken};
use crate::error::Code;
use crate::fact::{Line, Window};
use crate::name::Name;
use crate::rail::{Answer, Stranger};

/// Sent now and later, by whoever has the facts.
pub(super) fn same_bytes(mut bench: Bench) -> Verdict {
    let signed = bench.signed()?;
    if signed.reference.is_empty() && signed.window != Window::Once {
        return broken("the try has no name");
    }
    let (now, other) = (bench.ground.now(), bench.ground.rail());
    let first = bench.rail.submit(&signed, now);
    for secs in [0, 1, 2, 59] {
        let again = other.submit(&signed, now.plus_secs(secs));
        if (again.method, &again.body) != (first.method, &first.body) {
            return broken(format!("{secs} s later other bytes are sent"));
        }
        if signed.window != Window::Unlimited && again.deadline > signed.deadline {
            return broken("it may be sent after the try's deadline");
        }
    }
    Ok(())
}

/// A batch is paid, and forgotten.
pub(super) fn strangers(mut bench: Bench) -> Verdict {
    let signed = bench.signed()?;
    let lines = bench.lines()?;
    if let Some(seen) = bench.submit(&signed, Mishap::None)? {
        bench.learn(&seen)?;
    }
    if bench.finish()? != State::Settled {
        return broken("a payment in peace is never settled");
    }
    let stream = bench.batch()?.stream().clone();
    let found = beyond(&mut bench, BOOK, RUN)?;
    let Some(stranger) = found.iter().find(|one| one.batch == stream) else {
        return broken(format!("{stream} was paid and is not listed"));
    };
    if stranger.reference != signed.reference {
        return broken(format!("{stream} is listed as {}", stranger.reference));
    }
    if !matches!(stranger.answer, Answer::Final) {
        return broken(format!("{stream} is final, and listed as {:?}", stranger.answer));
    }
    let paid = |to: &str, amount: u64| (to.to_owned(), amount);
    let listed: BTreeSet<_> =
        stranger.lines.iter().map(|line| paid(&line.to, line.amount.get())).collect();
    let wanted: BTreeSet<_> = lines.iter().map(|line| paid(&line.to, line.amount.get())).collect();
    if listed != wanted {
        return broken(format!("{stream} paid {wanted:?}, and is listed with {listed:?}"));
    }
    for (book, run) in [(BOOK, RUN.saturating_add(1)), ("contrac", 0), ("contract-2", 0)] {
        if !beyond(&mut bench, book, run)?.is_empty() {
            return broken(format!("a try of {stream} is listed for {book} from run {run}"));
        }
    }
    let book = Name::new(BOOK)?;
    let unheard =
        bench.talk(Mishap::Broken, |rail, heard, now| rail.beyond(&book, RUN, heard, now))?;
    match unheard {
        Ok(_) => broken("nothing was heard, and the list is said to be whole"),
        Err(_) => Ok(()),
    }
}

fn beyond(bench: &mut Bench, book: &str, run: u64) -> Verdict<Vec<Stranger>> {
    let book = Name::new(book)?;
    let found = bench.talk(Mishap::None, |rail, heard, now| rail.beyond(&book, run, heard, now))?;
    Ok(found?)
}

pub(super) fn bad_addresses(bench: &Bench) -> Verdict {
    for n in 0..PAYEES {
        let address = bench.ground.address(n);
        if let Err(error) = bench.rail.check_address(&address) {
            return broken(format!("{address} can be paid, and is refused: {error}"));
        }
    }
    for address in bench.ground.misaddressed() {
        let Err(error) = bench.rail.check_address(&address) else {
            return broken(format!("{address:?} is taken"));
        };
        // Whoever pastes something else entirely sees its beginning, and no log all of it.
        let start: String = address.chars().take(SHOWN_CHARS).collect();
        let (said, escaped) = (error.to_string(), start.escape_debug().to_string());
        let named = said.contains(start.trim()) || said.contains(&escaped);
        if error.code() != Code::RailRefused || !named {
            return broken(format!("{address:?} is refused without its name: {error}"));
        }
    }
    Ok(())
}

/// A whole life of a batch, and errors besides, read by whoever reads logs.
pub(super) fn keeps_secrets(mut bench: Bench) -> Verdict {
    let signed = bench.signed()?;
    let mut shown = vec![format!("{:?}", bench.rail), format!("{signed:?}")];
    let submission = bench.rail.submit(&signed, bench.ground.now());
    shown.push(format!("{submission:?} {}", String::from_utf8_lossy(&submission.body)));
    if let Some(seen) = bench.submit(&signed, Mishap::None)? {
        shown.push(format!("{seen:?}"));
        bench.learn(&seen)?;
    }
    bench.finish()?;
    for mishap in [Mishap::None, Mishap::Deaf, Mishap::Broken] {
        shown.push(format!("{:?}", bench.look(mishap)?));
        let job = bench.job()?;
        let signed = bench.talk(mishap, |rail, heard, now| rail.sign(&job, heard, now))?;
        shown.extend(signed.err().map(|error| format!("{error} {error:?}")));
    }
    let asked = bench.asked.iter();
    shown.extend(asked.map(|one| format!("{one:?} {}", String::from_utf8_lossy(&one.body))));
    for secret in bench.ground.secrets() {
        if shown.iter().any(|text| text.contains(&secret)) {
            return broken("a secret is shown in a request, an error or a debug text");
        }
    }
    Ok(())
}

/// More lines than a small batch holds; then the first batch is signed as it was packed.
pub(super) fn packs_all(mut bench: Bench) -> Verdict {
    let lines = (0..PAYEES).map(|n| bench.line(n, 5)).collect::<Verdict<Vec<Line>>>()?;
    let packs = bench.talk(Mishap::None, |rail, heard, now| rail.pack(&lines, heard, now))??;
    let mut places: Vec<usize> = packs.iter().flat_map(|pack| pack.lines.clone()).collect();
    places.sort_unstable();
    if places != (0..lines.len()).collect::<Vec<_>>() {
        return broken(format!("{} lines are packed as {places:?}", lines.len()));
    }
    for pack in packs {
        let chosen = pack.lines.iter().filter_map(|at| lines.get(*at).cloned()).collect();
        bench.plan(chosen)?;
        drop(bench.sign()?);
    }
    Ok(())
}

const PAYEES: u32 = 20;
const SHOWN_CHARS: usize = 8;

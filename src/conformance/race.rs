//! Many callers at once, through several handles, with somebody who follows a cursor meanwhile.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use divvy_core::{Code, Fact, Manner, Stream, Written};

use crate::Host;
use crate::conformance::desk::{
    Broken, Desk, Patience, Verdict, WHOLE, address, broken, complete, reads, step_aside,
};

/// One who works beside others.
type Caller<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Polls all of them beside each other until each has ended. No runtime is needed for it.
async fn together<T>(callers: Vec<Caller<'_, T>>) -> Vec<T> {
    let mut places: Vec<(Caller<'_, T>, Option<T>)> =
        callers.into_iter().map(|caller| (caller, None)).collect();
    core::future::poll_fn(|context| {
        let mut waits = false;
        for (caller, told) in places.iter_mut().filter(|(_, told)| told.is_none()) {
            match caller.as_mut().poll(context) {
                Poll::Ready(value) => *told = Some(value),
                Poll::Pending => waits = true,
            }
        }
        if waits { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    places.into_iter().filter_map(|(_, told)| told).collect()
}

async fn handles(desk: &Desk<'_>) -> Verdict<Vec<Arc<dyn Host>>> {
    let mut handles = Vec::new();
    for _ in 0..HANDLES {
        handles.push(desk.open().await?);
    }
    Ok(handles)
}

pub(super) async fn one_winner(desk: &Desk<'_>) -> Verdict {
    let handles = handles(desk).await?;
    for round in 0..desk.options.rounds {
        let manner = if round % 2 == 0 { Manner::Together } else { Manner::EachIfFree };
        let mut wanted = Vec::new();
        for caller in 0..desk.options.callers {
            wanted.push(wants(desk, round, caller)?);
        }
        let race = handles.iter().cycle().zip(&wanted).map(|(host, facts)| {
            let race: Caller<'_, _> = Box::pin(host.commit(facts.clone(), manner));
            race
        });
        let told = together(race.collect()).await;
        let mut winners = Vec::new();
        for (facts, told) in wanted.iter().zip(told) {
            match told {
                Ok(written) => winners.extend(won(facts, &written)),
                Err(error) if error.code() == Code::AddressTaken => {}
                Err(error) => return broken(format!("{round}: a racing commit said {error}")),
            }
        }
        settle(desk, &handles, &wanted, &winners, round).await?;
    }
    Ok(())
}

/// What a caller wants in a round: two addresses that everyone wants, in either order, so that
/// stores that lock meet each other, and one of its own.
fn wants(desk: &Desk<'_>, round: usize, caller: usize) -> Verdict<Vec<Fact>> {
    let said = format!("caller {caller}");
    let mut facts = Vec::new();
    for name in [format!("x{round}"), format!("y{round}"), format!("own{round}-{caller}")] {
        facts.extend(desk.chain_of(&name, 1, &said)?);
    }
    if caller % 2 == 1 {
        facts.reverse();
    }
    Ok(facts)
}

fn won(facts: &[Fact], written: &[Written]) -> Vec<Fact> {
    let won = facts.iter().zip(written).filter(|(_, written)| **written == Written::New);
    won.map(|(fact, _)| fact.clone()).collect()
}

/// Holds what callers were told against what is there.
async fn settle(
    desk: &Desk<'_>,
    handles: &[Arc<dyn Host>],
    wanted: &[Vec<Fact>],
    winners: &[Fact],
    round: usize,
) -> Verdict {
    let Some(host) = handles.first() else { return Ok(()) };
    for name in ["x", "y"] {
        let stream = desk.stream(&format!("{name}{round}"))?;
        let won: Vec<Fact> = winners.iter().filter(|fact| fact.stream == stream).cloned().collect();
        if won.len() != 1 {
            let at = wanted.iter().flatten().find(|fact| fact.stream == stream);
            let at = at.map(address).unwrap_or_default();
            return broken(format!("{} of {} callers won {at}", won.len(), wanted.len()));
        }
        reads(&**host, &stream, &won).await?;
    }
    for fact in wanted.iter().flatten().filter(|fact| fact.stream.as_str().contains("/own")) {
        let won = winners.contains(fact);
        reads(&**host, &fact.stream, if won { std::slice::from_ref(fact) } else { &[] }).await?;
    }
    Ok(())
}

pub(super) async fn never_skips(desk: &Desk<'_>) -> Verdict {
    let reader = desk.open().await?;
    let commits = all_commits(desk)?;
    let facts: Vec<Fact> = commits.iter().flatten().flatten().cloned().collect();
    let found = followed(desk, &*reader, commits, |_, _| Ok(())).await?;
    let what = "followed while others committed";
    let Err(Broken(missing)) = complete(&found, &facts, what) else { return Ok(()) };
    // Lost, or there and passed over?
    let start = desk.start.as_ref();
    let (again, _) = desk.follow(&*reader, start, WHOLE, facts.len()).await?;
    let kept = complete(&again, &facts, what).is_ok();
    let why = if kept { "a second reading has it" } else { "a second reading lacks it too" };
    broken(format!("{missing}; {why}"))
}

pub(super) async fn seen_whole(desk: &Desk<'_>) -> Verdict {
    let reader = desk.open().await?;
    let commits = all_commits(desk)?;
    let mut of: HashMap<(Stream, u64), usize> = HashMap::new();
    let mut left: HashMap<usize, usize> = HashMap::new();
    for (i, commit) in commits.iter().flatten().enumerate() {
        of.extend(commit.iter().map(|fact| ((fact.stream.clone(), fact.n), i)));
        left.insert(i, commit.len());
    }
    let whole = left.clone();
    let mut halves: HashMap<usize, String> = HashMap::new();
    followed(desk, &*reader, commits, |facts, is_last| {
        for fact in facts {
            let Some(i) = of.get(&(fact.stream.clone(), fact.n)) else { continue };
            let left = left.entry(*i).or_default();
            *left = left.saturating_sub(1);
            if *left == 0 {
                halves.remove(i);
            } else {
                halves.insert(*i, address(fact));
            }
        }
        let half = halves.iter().find(|_| is_last);
        let Some((i, address)) = half else { return Ok(()) };
        let (left, whole) = (left.get(i).unwrap_or(&0), whole.get(i).unwrap_or(&0));
        broken(format!("{address} is seen at the end, {left} of the {whole} facts with it are not"))
    })
    .await
    .map(drop)
}

/// What a follower of the cursor reads in small pages while everyone commits; each page, and
/// whether it is the last so far, is shown to `look`.
async fn followed(
    desk: &Desk<'_>,
    reader: &dyn Host,
    commits: Vec<Vec<Vec<Fact>>>,
    mut look: impl FnMut(&[Fact], bool) -> Verdict + Send,
) -> Verdict<Vec<Fact>> {
    let handles = handles(desk).await?;
    let end = commits.iter().flatten().map(Vec::len).sum();
    let open = AtomicUsize::new(commits.len());
    let mut beside: Vec<Caller<'_, Verdict<Vec<Fact>>>> = Vec::new();
    beside.push(Box::pin(follower(desk, reader, &open, end, &mut look)));
    for (host, commits) in handles.iter().cycle().zip(commits) {
        beside.push(Box::pin(write_all(&**host, commits, &open)));
    }
    let mut told = together(beside).await.into_iter();
    let found = told.next().unwrap_or_else(|| broken("nobody followed"))?;
    told.try_for_each(|written| written.map(drop))?;
    Ok(found)
}

fn all_commits(desk: &Desk<'_>) -> Verdict<Vec<Vec<Vec<Fact>>>> {
    (0..desk.options.callers).map(|caller| commits_of(desk, caller)).collect()
}

/// The commits of one caller: most are small, some large enough to be overtaken, and each goes on
/// in a stream that the others of its kind began.
fn commits_of(desk: &Desk<'_>, caller: usize) -> Verdict<Vec<Vec<Fact>>> {
    let rounds = desk.options.rounds;
    let mut log = desk.chain(&format!("log{caller}"), rounds)?.into_iter();
    let mut commits = Vec::new();
    for round in 0..rounds {
        let is_large = round.wrapping_add(caller).is_multiple_of(7);
        let len = if is_large { LARGE } else { (round % 3).saturating_add(1) };
        let mut commit = desk.chain(&format!("c{caller}-{round}"), len)?;
        commit.extend(log.next());
        commits.push(commit);
    }
    Ok(commits)
}

async fn write_all(
    host: &dyn Host,
    commits: Vec<Vec<Fact>>,
    open: &AtomicUsize,
) -> Verdict<Vec<Fact>> {
    let mut verdict = Ok(Vec::new());
    for commit in commits {
        let at = commit.first().map(address).unwrap_or_default();
        if let Err(error) = host.commit(commit, Manner::Together).await {
            verdict = broken(format!("a commit at {at}, which nobody else wants, said {error}"));
            break;
        }
        step_aside().await;
    }
    open.fetch_sub(1, Ordering::SeqCst);
    verdict
}

/// Follows a cursor in small pages until everyone has ended and all was seen, or the patience is
/// at its end.
async fn follower(
    desk: &Desk<'_>,
    host: &dyn Host,
    open: &AtomicUsize,
    end: usize,
    look: &mut (dyn FnMut(&[Fact], bool) -> Verdict + Send),
) -> Verdict<Vec<Fact>> {
    let (mut found, mut reading) = (Vec::new(), desk.reading(host, desk.start.clone()));
    let mut patience = None;
    loop {
        let ended = open.load(Ordering::SeqCst) == 0;
        let next = reading.next(SMALL_PAGE).await?;
        look(&next.facts, next.is_last)?;
        found.extend(next.facts);
        if next.moved && !next.is_last {
            continue;
        }
        // At the end of what there is, where facts that come late would be skipped.
        step_aside().await;
        if !ended || next.moved {
            continue;
        }
        let patience = patience.get_or_insert_with(|| Patience::new(desk.options));
        if found.len() >= end || !patience.is_left().await {
            return Ok(found);
        }
    }
}

const HANDLES: usize = 4;
const SMALL_PAGE: usize = 3;
/// Facts of a commit that takes long enough for smaller ones to overtake it.
const LARGE: usize = 200;

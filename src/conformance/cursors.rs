//! Cursors: pages of any size, other databases, what was committed before, and very much of it.

use std::collections::HashMap;

use divvy_core::{Code, Cursor, Fact, Stream};

use crate::Host;
use crate::conformance::desk::{Desk, Patience, Verdict, address, broken, chain, complete};
use crate::conformance::desk::{SAID, WHOLE, fact, place, reads, same, write};

pub(super) async fn page_sizes(desk: &Desk<'_>) -> Verdict {
    let host = desk.open().await?;
    let mut facts = Vec::new();
    for name in ["a", "b", "c"] {
        let chain = desk.chain(name, 4)?;
        write(&*host, &chain).await?;
        facts.extend(chain);
    }
    for facts_max in [1, 2, 3, 4, 5, 11, 12, 13, 1_000, usize::MAX] {
        let what = format!("pages of {facts_max}");
        let (found, end) = desk.follow(&*host, desk.start.as_ref(), facts_max, facts.len()).await?;
        complete(&found, &facts, &what)?;
        let rest = desk.page(&*host, end.as_ref(), facts_max).await?;
        if let Some(fact) = rest.facts.iter().find(|fact| desk.is_ours(&fact.stream)) {
            return broken(format!("{what}: {} came again after the end", address(fact)));
        }
    }
    // A page for nothing gives nothing, and nothing is lost by going on from it.
    let none = desk.page(&*host, desk.start.as_ref(), 0).await?;
    let (found, _) = desk.follow(&*host, Some(&none.cursor), 7, facts.len()).await?;
    complete(&found, &facts, "after a page of 0")
}

pub(super) async fn other_database(desk: &Desk<'_>) -> Verdict {
    let (host, other) = (desk.open().await?, desk.open_other().await?);
    write(&*host, &desk.chain("here", 2)?).await?;
    // The other one is as long, or longer: its positions alone would fit.
    for run in 0..3 {
        write(&*other, &desk.chain(&format!("there{run}"), 2)?).await?;
    }
    let (ours, theirs) = (desk.page(&*host, None, 1).await?, desk.page(&*other, None, 1).await?);
    for (host, cursor, whose) in
        [(&host, &theirs.cursor, "of another database"), (&other, &ours.cursor, "of the first")]
    {
        is_refused(&**host, cursor, whose).await?;
    }
    let beyond = Cursor { position: u64::MAX, ..ours.cursor };
    is_refused(&*host, &beyond, "ahead of everything, as after a restored copy,").await
}

async fn is_refused(host: &dyn Host, cursor: &Cursor, whose: &str) -> Verdict {
    match host.since(Some(cursor), 9).await {
        Err(error) if error.code() == Code::EpochChanged => Ok(()),
        Err(error) => broken(format!("a cursor {whose} is epoch_changed, and not: {error}")),
        Ok(page) => {
            let first = page.facts.first().map_or("nothing".to_owned(), address);
            broken(format!("a cursor {whose} ({}) gave {first}", cursor.epoch))
        }
    }
}

pub(super) async fn durable(desk: &Desk<'_>) -> Verdict {
    let (mut facts, mut older) = (Vec::new(), vec![desk.start.clone()]);
    for round in 0..ROUNDS {
        let stream = desk.stream(&format!("round{round}"))?;
        let own = desk.chain(&format!("round{round}"), 3)?;
        let (old, writer) = (desk.open().await?, desk.open().await?);
        write(&*writer, &own).await?;
        facts.extend(own.iter().cloned());
        // By a fresh handle while whoever wrote it is there, by one from before when it is gone,
        // and by a fresh one when nobody else is there.
        reads(&*desk.open().await?, &stream, &own).await?;
        drop(writer);
        reads(&*old, &stream, &own).await?;
        drop(old);
        let fresh = desk.open().await?;
        reads(&*fresh, &stream, &own).await?;
        let mut end = None;
        for (i, cursor) in older.iter().enumerate() {
            let left = facts.get(i.saturating_mul(3)..).unwrap_or_default();
            let (found, reached) = desk.follow(&*fresh, cursor.as_ref(), WHOLE, left.len()).await?;
            complete(&found, left, &format!("after round {round}, from the cursor of round {i}"))?;
            end = reached;
        }
        older.push(end);
    }
    Ok(())
}

pub(super) async fn many_facts(desk: &Desk<'_>) -> Verdict {
    let host = desk.open().await?;
    let (mut left, mut streams) = (desk.options.facts, Vec::new());
    while left > 0 {
        let len = left.min(COMMIT_FACTS);
        let chain = desk.chain(&format!("many{}", streams.len()), len)?;
        write(&*host, &chain).await?;
        streams.extend(chain.first().map(|fact| (fact.stream.clone(), len)));
        left = left.saturating_sub(len);
    }
    // What comes back is held against what its address says, so none of it need be kept.
    let mut heads: HashMap<Stream, u64> = HashMap::new();
    let (mut count, mut reading) = (0_usize, desk.reading(&*host, desk.start.clone()));
    let mut patience = Patience::new(desk.options);
    while count < desk.options.facts {
        let next = reading.next(PAGE_FACTS).await?;
        for fact in &next.facts {
            check(&mut heads, fact)?;
            count = count.saturating_add(1);
        }
        if !(next.moved || patience.is_left().await) {
            let missing = first_missing(&streams, &heads);
            return broken(format!("{missing} never came, {count} others did"));
        }
    }
    for (stream, len) in streams.iter().step_by(streams.len().div_ceil(8).max(1)) {
        let found = host.read(stream).await?;
        same(&found, &chain(stream, *len, SAID), "many facts by their stream")?;
    }
    Ok(())
}

fn check(heads: &mut HashMap<Stream, u64>, found: &Fact) -> Verdict {
    let due = heads.entry(found.stream.clone()).or_default();
    let wanted = fact(&found.stream, *due, SAID);
    *due = due.saturating_add(1);
    same(std::slice::from_ref(found), &[wanted], "many facts by a cursor")
}

fn first_missing(streams: &[(Stream, usize)], heads: &HashMap<Stream, u64>) -> String {
    let next = |stream: &Stream| heads.get(stream).copied().unwrap_or_default();
    let missing = streams.iter().find(|(stream, len)| u64::try_from(*len) != Ok(next(stream)));
    missing.map(|(stream, _)| place(stream, next(stream))).unwrap_or_default()
}

const ROUNDS: usize = 5;
const COMMIT_FACTS: usize = 1_000;
const PAGE_FACTS: usize = 1_000;

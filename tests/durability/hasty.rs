//! A planted mistake: a host that says "written" of what is only on its mind.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use divvy::core::{Cursor, Error, Fact, Manner, Page, Stream, Written};
use divvy::{Host, Sqlite};

/// Holds each commit back until the next one, and acts as if it were there.
#[derive(Debug)]
pub(crate) struct Hasty {
    host: Sqlite,
    mind: Mutex<Mind>,
}

#[derive(Debug, Default)]
struct Mind {
    held_back: Vec<Fact>,
    shown: HashSet<(Stream, u64)>,
}

impl Hasty {
    pub(crate) fn new(host: Sqlite) -> Self {
        Self { host, mind: Mutex::default() }
    }

    fn mind(&self) -> MutexGuard<'_, Mind> {
        self.mind.lock().expect("nobody panicked")
    }
}

#[async_trait]
impl Host for Hasty {
    async fn commit(&self, facts: Vec<Fact>, _: Manner) -> Result<Vec<Written>, Error> {
        let held_back = std::mem::take(&mut self.mind().held_back);
        self.host.commit(held_back, Manner::Together).await?;
        let mut written = Vec::new();
        let mut new = Vec::new();
        for fact in facts {
            let taken = self.host.read(&fact.stream).await?.iter().any(|known| known.n == fact.n);
            written.push(if taken { Written::Taken } else { Written::New });
            new.extend(Some(fact).filter(|_| !taken));
        }
        self.mind().held_back = new;
        Ok(written)
    }

    async fn read(&self, stream: &Stream) -> Result<Vec<Fact>, Error> {
        let mut facts = self.host.read(stream).await?;
        let mind = self.mind();
        facts.extend(mind.held_back.iter().filter(|fact| fact.stream == *stream).cloned());
        Ok(facts)
    }

    async fn since(&self, cursor: Option<&Cursor>, facts_max: usize) -> Result<Page, Error> {
        let mut page = self.host.since(cursor, facts_max).await?;
        let mut mind = self.mind();
        if cursor.is_some() {
            page.facts.retain(|fact| !mind.shown.contains(&(fact.stream.clone(), fact.n)));
        }
        if page.is_last {
            for fact in mind.held_back.clone() {
                let address = (fact.stream.clone(), fact.n);
                if mind.shown.insert(address) || cursor.is_none() {
                    page.facts.push(fact);
                }
            }
        }
        Ok(page)
    }
}

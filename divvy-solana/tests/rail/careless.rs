//! The rail with a mistake in it, as people make them.

use divvy_core::{
    Answer, Error, Heard, Job, Line, Name, Pack, Rail, Reply, Request, Seen, Signed, Stranger,
    Time, Timing, Turn,
};
use divvy_solana::SolanaRail;

/// A mistake that loses money or pays twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// What no node knows is taken for void.
    MissingIsVoid,
    /// What most of the chain has voted for is taken for done.
    ConfirmedIsFinal,
    /// Slots are counted where blocks end a try.
    SlotForHeight,
    /// A node that has forgotten is believed.
    ForgottenIsAbsent,
}

#[derive(Debug)]
pub(crate) struct Careless {
    pub(crate) rail: SolanaRail,
    pub(crate) mistake: Mistake,
}

impl Careless {
    /// Replies as this mistake reads them.
    fn misread(&self, heard: &[Heard]) -> Vec<Heard> {
        let reply = |reply: &Reply, request: &Request| {
            let asked = String::from_utf8_lossy(&request.body).into_owned();
            let mut said: serde_json::Value = serde_json::from_slice(&reply.body).ok()?;
            match self.mistake {
                Mistake::SlotForHeight if asked.contains("getEpochInfo") => {
                    said["result"]["blockHeight"] = said["result"]["absoluteSlot"].clone();
                }
                Mistake::ForgottenIsAbsent if asked.contains("getFirstAvailableBlock") => {
                    said["result"] = 0.into();
                }
                _ => return None,
            }
            Some(Reply { status: reply.status, body: said.to_string().into_bytes() })
        };
        let one = |heard: &Heard| {
            let misread = heard.reply.as_ref().and_then(|said| reply(said, &heard.request));
            Heard { reply: misread.or(heard.reply.clone()), request: heard.request.clone() }
        };
        heard.iter().map(one).collect()
    }
}

impl Rail for Careless {
    fn name(&self) -> &Name {
        self.rail.name()
    }

    fn wallet(&self) -> &Name {
        self.rail.wallet()
    }

    fn timing(&self) -> Timing {
        self.rail.timing()
    }

    fn check_address(&self, address: &str) -> Result<(), Error> {
        self.rail.check_address(address)
    }

    fn pack(&self, lines: &[Line], heard: &[Heard], now: Time) -> Result<Turn<Vec<Pack>>, Error> {
        self.rail.pack(lines, heard, now)
    }

    fn sign(&self, job: &Job, heard: &[Heard], now: Time) -> Result<Turn<Signed>, Error> {
        self.rail.sign(job, heard, now)
    }

    fn submit(&self, signed: &Signed, now: Time) -> Request {
        self.rail.submit(signed, now)
    }

    fn look(&self, tries: &[Signed], heard: &[Heard], now: Time) -> Result<Turn<Seen>, Error> {
        let turn = self.rail.look(tries, &self.misread(heard), now)?;
        let Turn::Done(mut seen) = turn else { return Ok(turn) };
        let is_submission = seen.tip.is_none();
        for answer in &mut seen.answers {
            *answer = match (self.mistake, &*answer) {
                (Mistake::MissingIsVoid, Answer::Unknown) if !is_submission => {
                    seen.tip = Some(u64::MAX);
                    Answer::Void
                }
                (Mistake::ConfirmedIsFinal, Answer::Accepted) if !is_submission => Answer::Final,
                (_, answer) => answer.clone(),
            };
        }
        Ok(Turn::Done(seen))
    }

    fn beyond(
        &self,
        book: &Name,
        run: u64,
        heard: &[Heard],
        now: Time,
    ) -> Result<Turn<Vec<Stranger>>, Error> {
        self.rail.beyond(book, run, heard, now)
    }
}

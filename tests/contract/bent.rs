//! A rail with a mistake in it, around one that has none.

use core::fmt;
use std::sync::Arc;

use divvy_core::{
    Answer, Error, Heard, Job, Line, Name, Pack, Rail, Request, Seen, Signed, Stranger, Time,
    Timing, Turn,
};

/// A mistake that loses money, pays twice, or tells what nobody may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    None,
    /// What is sent again differs by a byte.
    SaltsBytes,
    /// It sends a try while it signs.
    SendsWhileItSigns,
    /// The last line is left out of what is signed.
    LeavesOneOut,
    /// What nobody answers for is taken for void.
    SilenceIsVoid,
    /// Nothing is ever void.
    NeverVoid,
    /// What was taken is taken for done.
    TakenIsFinal,
    /// A refusal blames nobody.
    BlamesNobody,
    /// What a try has cost is not told.
    ForgetsCharges,
    /// Only the reply to a submission is believed.
    AsksNobody,
    /// It lists nothing.
    ListsNothing,
    /// It takes every address.
    TakesAnyAddress,
    /// Its debug text shows its key.
    ShowsItsKey,
    /// The first batch is packed twice.
    PacksTwice,
    /// Every try after the first claims something of its own.
    ClaimsApart,
    /// A try has no name before it is sent.
    Nameless,
}

/// A text that nobody may see.
pub(crate) const SECRET: &str = "s3cr3t-of-the-till";

pub(crate) struct Bent {
    pub(crate) rail: Arc<dyn Rail>,
    pub(crate) mistake: Mistake,
}

impl fmt::Debug for Bent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = if self.mistake == Mistake::ShowsItsKey { SECRET } else { "" };
        write!(f, "Bent({:?}{shown})", self.rail)
    }
}

impl Bent {
    fn is(&self, mistake: Mistake) -> bool {
        self.mistake == mistake
    }

    fn misread(&self, answer: Answer, is_reply: bool) -> Answer {
        match (self.mistake, answer) {
            (Mistake::SilenceIsVoid, Answer::Unknown) if !is_reply => Answer::Void,
            (Mistake::NeverVoid, Answer::Void) => Answer::Unknown,
            (Mistake::TakenIsFinal, Answer::Accepted) => Answer::Final,
            (Mistake::BlamesNobody, Answer::Refused { reason, .. }) => {
                Answer::Refused { reason, line: None }
            }
            (Mistake::AsksNobody, Answer::Final) if !is_reply => Answer::Unknown,
            (_, answer) => answer,
        }
    }
}

impl Rail for Bent {
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
        if self.is(Mistake::TakesAnyAddress) { Ok(()) } else { self.rail.check_address(address) }
    }

    fn pack(&self, lines: &[Line], heard: &[Heard], now: Time) -> Result<Turn<Vec<Pack>>, Error> {
        let turn = self.rail.pack(lines, heard, now)?;
        let Turn::Done(mut packs) = turn else { return Ok(turn) };
        if self.is(Mistake::PacksTwice) {
            packs.extend(packs.first().cloned());
        }
        Ok(Turn::Done(packs))
    }

    fn sign(&self, job: &Job, heard: &[Heard], now: Time) -> Result<Turn<Signed>, Error> {
        let mut asked = job.clone();
        if self.is(Mistake::LeavesOneOut) && asked.lines.len() > 1 {
            asked.lines.pop();
        }
        let turn = self.rail.sign(&asked, heard, now)?;
        let Turn::Done(mut signed) = turn else { return Ok(turn) };
        signed.lines = Line::hash(&job.lines);
        if self.is(Mistake::ClaimsApart) && !job.tries.is_empty() {
            signed.claims = vec![format!("own {}", job.tries.len())];
        }
        if self.is(Mistake::Nameless) {
            signed.reference.clear();
        }
        let submission = self.rail.submit(&signed, now);
        let sent = heard.iter().any(|heard| heard.request.body == submission.body);
        if self.is(Mistake::SendsWhileItSigns) && !sent {
            return Ok(Turn::Ask(vec![submission]));
        }
        Ok(Turn::Done(signed))
    }

    fn submit(&self, signed: &Signed, now: Time) -> Request {
        let mut request = self.rail.submit(signed, now);
        if self.is(Mistake::SaltsBytes) && now.millis() % 2_000 >= 1_000 {
            request.body.push(b' ');
        }
        request
    }

    fn look(&self, tries: &[Signed], heard: &[Heard], now: Time) -> Result<Turn<Seen>, Error> {
        let turn = self.rail.look(tries, heard, now)?;
        let Turn::Done(mut seen) = turn else { return Ok(turn) };
        let sends = |tried: &Signed| self.rail.submit(tried, now).body;
        let of_sending = |heard: &Heard| tries.iter().any(|t| sends(t) == heard.request.body);
        let is_reply = !heard.is_empty() && heard.iter().all(of_sending);
        seen.answers = seen.answers.into_iter().map(|one| self.misread(one, is_reply)).collect();
        if self.is(Mistake::ForgetsCharges) {
            seen.bills.clear();
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
        match self.mistake {
            Mistake::ListsNothing => Ok(Turn::Done(Vec::new())),
            _ => self.rail.beyond(book, run, heard, now),
        }
    }
}

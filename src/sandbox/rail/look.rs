//! Finding out what became of tries.

use divvy_core::{
    Answer, Bill, Evidence, Fee, Hash, Heard, Rail as _, Request, Seen, Signed, Time, Turn, Window,
};

use crate::sandbox::rail::Sandbox;
use crate::sandbox::rail::read::{answer, answer_listed, charged, coin_spent, height, is_missing};

impl Sandbox {
    pub(super) fn look_at(&self, tries: &[Signed], heard: &[Heard], now: Time) -> Turn<Seen> {
        let mut unheard: Vec<Request> = Vec::new();
        let mut answers = Vec::with_capacity(tries.len());
        for signed in tries {
            let mut asker = Asker { rail: self, signed, heard, now, unheard: &mut unheard };
            answers.push(asker.answer());
        }
        if !unheard.is_empty() {
            let mut once: Vec<Request> = Vec::with_capacity(unheard.len());
            for asked in unheard {
                if !once.contains(&asked) {
                    once.push(asked);
                }
            }
            return Turn::Ask(once);
        }
        let tip = match tries.first().map(|signed| signed.window) {
            Some(Window::UntilHeight(_)) => heard.iter().filter_map(height).max(),
            _ => None,
        };
        let bills = tries.iter().filter_map(|signed| self.bill(signed, heard)).collect();
        Turn::Done(Seen { answers, tip, evidence: evidence(heard), bills })
    }
}

impl Sandbox {
    /// What a try has cost, as far as any reply says.
    fn bill(&self, signed: &Signed, heard: &[Heard]) -> Option<Bill> {
        let asset = self.settings.fee_asset.clone()?;
        let said = heard.iter().filter_map(|heard| charged(heard, &signed.reference));
        let (reference, fees) =
            (signed.reference.clone(), vec![Fee { asset, amount: said.max()? }]);
        Some(Bill { reference, fees, moved: None })
    }
}

/// Asks about one try, as far as it takes.
struct Asker<'a> {
    rail: &'a Sandbox,
    signed: &'a Signed,
    heard: &'a [Heard],
    now: Time,
    unheard: &'a mut Vec<Request>,
}

impl<'a> Asker<'a> {
    fn answer(&mut self) -> Answer {
        let submitted = self.rail.submit(self.signed, self.now);
        let submitted = Sandbox::heard(&submitted, self.heard);
        let told = submitted.map(|heard| answer(heard, &self.signed.reference));
        match told {
            Some(told) if told != Answer::Unknown => return self.as_it_may_move(told),
            // Nobody can be asked about what nobody remembers.
            _ if self.signed.window == Window::Once => return Answer::Unknown,
            _ => {}
        }
        let asked = self.rail.ask(&["tries", &self.signed.reference], &[], self.now);
        let Some(found) = self.hear(asked) else { return Answer::Unknown };
        if !is_missing(found) {
            return self.as_it_may_move(answer(found, &self.signed.reference));
        }
        match self.signed.window {
            Window::Unlimited => self.answer_by_coin(),
            Window::Until(_) => self.answer_by_listing(),
            Window::UntilHeight(last) if height(found).is_some_and(|tip| tip > last) => {
                Answer::Void
            }
            Window::UntilHeight(_) | Window::Once | _ => Answer::Unknown,
        }
    }

    /// Void once another try has spent its coin for good. While nobody has, the network may have
    /// forgotten the try, which whoever drives it is free to send again.
    fn answer_by_coin(&mut self) -> Answer {
        let Some(coin) = self.signed.claims.first() else { return Answer::Unknown };
        let asked = self.rail.ask(&["coins", coin], &[], self.now);
        let Some(found) = self.hear(asked) else { return Answer::Unknown };
        match coin_spent(found) {
            Some(Some(spent)) if spent.is_final && spent.by != self.signed.reference => {
                Answer::Void
            }
            Some(_) | None => Answer::Unknown,
        }
    }

    /// Void once a listing of the batch, made after everything had time to land, lacks it.
    fn answer_by_listing(&mut self) -> Answer {
        let grace_secs = self.rail.settings.timing.grace_secs;
        let past = self.signed.deadline.plus_secs(grace_secs);
        if self.now <= past {
            return Answer::Unknown;
        }
        let Some(batch) = batch(&self.signed.bytes) else { return Answer::Unknown };
        let asked = self.rail.ask(&["tries"], &[("batch", &batch)], self.now);
        let Some(found) = self.hear(asked) else { return Answer::Unknown };
        self.as_it_may_move(answer_listed(found, &self.signed.reference, past.millis()))
    }

    /// What this world undoes it does again by itself, whether or not its window is over by then.
    /// Undone in a window that is over would say that it never moves again.
    fn as_it_may_move(&self, told: Answer) -> Answer {
        if told == Answer::Undone && self.signed.window != Window::Unlimited {
            return Answer::Accepted;
        }
        told
    }

    fn hear(&mut self, asked: Request) -> Option<&'a Heard> {
        let found = Sandbox::heard(&asked, self.heard);
        if found.is_none() {
            self.unheard.push(asked);
        }
        found
    }
}

/// The batch that a try was tagged with.
fn batch(bytes: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Tagged {
        batch: String,
    }
    serde_json::from_slice(bytes).ok().map(|tagged: Tagged| tagged.batch)
}

/// All that was heard, as one: the hash covers every reply.
fn evidence(heard: &[Heard]) -> Evidence {
    let mut heard = heard.iter().map(Heard::evidence);
    let first = heard.next().unwrap_or_else(|| Evidence {
        source: "nobody could be asked".to_owned(),
        hash: Hash::of(b""),
        said: String::new(),
    });
    heard.fold(first, |all, next| Evidence {
        source: format!("{}; {}", all.source, next.source),
        hash: all.hash.then(&next.hash),
        said: format!("{}; {}", all.said, next.said),
    })
}

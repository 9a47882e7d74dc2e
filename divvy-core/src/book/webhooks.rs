//! What a book knows of the endpoints that its webhooks go to: heard, failing, silenced.

use crate::batch::Step;
use crate::book::Book;
use crate::book::apply::{Folded, follows, misplaced};
use crate::checkpoint::stored;
use crate::error::{Code, Error};
use crate::fact::{
    Body, Fact, Head, Silence, Stream, WebhookHeard, WebhookResumed, WebhookSilenced,
    WebhookUnheard,
};
use crate::name::Name;
use crate::time::Time;

/// Where webhooks to one endpoint stand. Its address and its secrets are settings, and no facts.
///
/// ```
/// use divvy_core::Endpoint;
///
/// fn wants_a_person(endpoint: &Endpoint) -> bool {
///     endpoint.silenced.is_some()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Endpoint {
    /// When it was begun with; the beginning of time for one that hears of everything.
    pub since: Time,
    /// How far it has heard.
    pub heard: WebhookHeard,
    /// When that was noted.
    pub heard_at: Time,
    /// The message that it does not take, if there is one.
    pub failing: Option<WebhookUnheard>,
    /// Since when it takes none, if it does not.
    pub failing_since: Option<Time>,
    /// Why it is told nothing more, if that is so.
    pub silenced: Option<WebhookSilenced>,
    pub(crate) head: Head,
}

stored!(Endpoint { since, heard, heard_at, failing, failing_since, silenced, head });
stored!(WebhookHeard as cbor);
stored!(WebhookUnheard as cbor);
stored!(WebhookSilenced as cbor);

impl Endpoint {
    /// Whether a message may be sent now.
    #[must_use]
    pub fn is_open(&self, now: Time) -> bool {
        let over = |failing: &WebhookUnheard| failing.not_before <= now;
        self.silenced.is_none() && self.failing.as_ref().is_none_or(over)
    }
}

impl Book {
    /// Every endpoint that was begun with, by name.
    pub fn endpoints(&self) -> impl Iterator<Item = (&Name, &Endpoint)> {
        self.endpoints.iter()
    }

    /// An endpoint that was begun with.
    ///
    /// # Errors
    /// [`Code::WebhookUnknown`] for a name that is none.
    pub fn endpoint(&self, name: &str) -> Result<&Endpoint, Error> {
        self.endpoints.get(name).ok_or_else(|| {
            let detail = format!("{} has told no webhook {name:?} anything yet", self.name);
            Error::new(Code::WebhookUnknown, detail)
        })
    }

    /// Notes how far an endpoint has heard. The step is empty when it was known to have heard as
    /// much.
    pub fn note_heard(&self, name: &Name, heard: &WebhookHeard, now: Time) -> Step {
        let known = self.endpoints.get(name);
        if known.is_some_and(|known| heard.is_within(&known.heard)) {
            return Step::default();
        }
        self.tell(name, &Body::WebhookHeard(heard.clone()), now)
    }

    /// Notes that an endpoint did not take a message. The step is empty when it is not told
    /// anything any more.
    ///
    /// # Errors
    /// As [`Book::endpoint`].
    pub fn note_unheard(
        &self,
        name: &Name,
        unheard: &WebhookUnheard,
        now: Time,
    ) -> Result<Step, Error> {
        if self.endpoint(name.as_str())?.silenced.is_some() {
            return Ok(Step::default());
        }
        Ok(self.tell(name, &Body::WebhookUnheard(unheard.clone()), now))
    }

    /// Tells an endpoint nothing more until it is resumed. The step is empty when it is silenced
    /// already.
    ///
    /// # Errors
    /// As [`Book::endpoint`].
    pub fn silence_webhook(
        &self,
        name: &Name,
        cause: Silence,
        reason: &str,
        now: Time,
    ) -> Result<Step, Error> {
        if self.endpoint(name.as_str())?.silenced.is_some() {
            return Ok(Step::default());
        }
        let reason = reason.to_owned();
        Ok(self.tell(name, &Body::WebhookSilenced(WebhookSilenced { cause, reason }), now))
    }

    /// Tells an endpoint again what it was not told, at once: one that was silenced, or one whose
    /// next attempt is far off. The step is empty when nothing keeps it.
    ///
    /// # Errors
    /// As [`Book::endpoint`].
    pub fn resume_webhook(&self, name: &Name, reason: &str, now: Time) -> Result<Step, Error> {
        let known = self.endpoint(name.as_str())?;
        if known.silenced.is_none() && known.failing.is_none() {
            return Ok(Step::default());
        }
        let reason = reason.to_owned();
        Ok(self.tell(name, &Body::WebhookResumed(WebhookResumed { reason }), now))
    }

    fn tell(&self, name: &Name, body: &Body, now: Time) -> Step {
        let known = self.endpoints.get(name).map(|known| known.head.clone());
        let head = known.unwrap_or_else(|| Head::start(Stream::webhook(&self.name, name)));
        Step::new(vec![Fact::new(&head, self.stamp(now), body)], Vec::new())
    }

    pub(super) fn apply_webhook(
        &mut self,
        name: &str,
        fact: &Fact,
        body: &Body,
    ) -> Result<Folded, Error> {
        let Some(known) = self.endpoints.get_mut(name) else {
            let Body::WebhookHeard(heard) = body else { return Err(misplaced(fact)) };
            if fact.n != 0 {
                return Ok(Folded::Early);
            }
            let endpoint = Endpoint {
                since: if heard.count == 0 { Time::ZERO } else { fact.at },
                heard: heard.clone(),
                heard_at: fact.at,
                failing: None,
                failing_since: None,
                silenced: None,
                head: Head::after(fact),
            };
            self.endpoints.insert(Name::new(name)?, endpoint);
            return Ok(Folded::Yes);
        };
        if !follows(&known.head, fact) {
            return Ok(Folded::Early);
        }
        known.apply(fact, body)?;
        known.head = Head::after(fact);
        Ok(Folded::Yes)
    }
}

impl Endpoint {
    fn apply(&mut self, fact: &Fact, body: &Body) -> Result<(), Error> {
        match (body, self.silenced.is_some()) {
            (Body::WebhookHeard(heard), _) => {
                // In another timeline it may have to hear again what it heard in this one.
                if heard.is_within(&self.heard) {
                    let detail = "it goes back behind what was heard before";
                    return Err(Error::new(Code::FactMalformed, detail));
                }
                (self.heard, self.heard_at) = (heard.clone(), fact.at);
                (self.failing, self.failing_since) = (None, None);
            }
            (Body::WebhookUnheard(unheard), false) => {
                self.failing = Some(unheard.clone());
                self.failing_since.get_or_insert(fact.at);
            }
            (Body::WebhookSilenced(silenced), false) => self.silenced = Some(silenced.clone()),
            (Body::WebhookResumed(_), silenced) if silenced || self.failing.is_some() => {
                (self.failing, self.failing_since, self.silenced) = (None, None, None);
            }
            _ => return Err(misplaced(fact)),
        }
        Ok(())
    }
}

//! How far an endpoint has got among all facts, and how that is found again.

use divvy_core::{Code, Cursor, Error, Fact, Hash, Page, WebhookHeard, digest};

use crate::divvy::PAGE_FACTS;
use crate::host::Host;

/// A place among all facts: a cursor, and how far beyond it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    cursor: Option<Cursor>,
    /// How many facts are before the cursor, and their digest.
    count: u64,
    digest: Hash,
    /// How many behind it were passed, and how many messages of the one after those.
    facts: u32,
    messages: u32,
}

impl Place {
    pub(crate) const fn at(cursor: Cursor, count: u64, digest: Hash) -> Self {
        Self { cursor: Some(cursor), count, digest, facts: 0, messages: 0 }
    }

    /// The place that a fact says.
    fn said(heard: &WebhookHeard) -> Self {
        let WebhookHeard { count, digest, facts, messages, .. } = *heard;
        Self { cursor: heard.cursor(), count, digest, facts, messages }
    }

    /// The place as a fact says it.
    pub(crate) fn heard(&self) -> WebhookHeard {
        let start = Cursor::start(String::new());
        let Cursor { epoch, position, within } = self.cursor.clone().unwrap_or(start);
        let Self { count, digest, facts, messages, .. } = *self;
        WebhookHeard { count, digest, epoch, position, within, facts, messages }
    }

    pub(crate) const fn cursor(&self) -> Option<&Cursor> {
        self.cursor.as_ref()
    }

    /// Whether this is as far as a fact says, or farther, in the same timeline.
    pub(crate) fn is_at_least(&self, heard: &WebhookHeard) -> bool {
        let place = |place: &Self| (place.passed(), place.messages);
        self.heard().epoch == heard.epoch && place(self) >= place(&Self::said(heard))
    }

    /// How many facts are behind it.
    pub(crate) fn passed(&self) -> u64 {
        self.count.saturating_add(self.facts.into())
    }

    /// The next fact of a page that was read from here, and how many of its messages were heard.
    pub(crate) fn next<'a>(&self, page: &'a Page) -> Option<(&'a Fact, usize)> {
        let at = usize::try_from(self.facts).unwrap_or(usize::MAX);
        let messages = usize::try_from(self.messages).unwrap_or(usize::MAX);
        page.facts.get(at).map(|fact| (fact, messages))
    }

    /// One more message was heard.
    pub(crate) const fn hear(&mut self) {
        self.messages = self.messages.saturating_add(1);
    }

    /// All of a fact was heard.
    pub(crate) const fn pass(&mut self) {
        (self.facts, self.messages) = (self.facts.saturating_add(1), 0);
    }

    /// Every fact of a page was passed.
    pub(crate) fn turn(&mut self, page: &Page) {
        let len = u64::try_from(page.facts.len()).unwrap_or(u64::MAX);
        self.count = self.count.saturating_add(len);
        self.digest = digest(self.digest, &page.facts);
        (self.facts, self.messages) = (0, 0);
        self.cursor = Some(page.cursor.clone());
    }

    /// Finds the place that a fact says, in a database that may be a copy of the one in which it
    /// was written: by the cursor in the same timeline, and in another one by the digest over all
    /// that was read before it. What was heard beyond that is told again, and everything, where
    /// the digest differs.
    pub(crate) async fn find(host: &dyn Host, heard: &WebhookHeard) -> Result<Self, Error> {
        let said = Self::said(heard);
        match host.since(said.cursor(), 1).await {
            Err(error) if error.code() == Code::EpochChanged => (),
            found => return found.map(|_| said),
        }
        let mut place = Self::default();
        loop {
            let page = host.since(place.cursor(), PAGE_FACTS).await?;
            let left = said.count.saturating_sub(place.count);
            if let Some(before) = page.facts.get(..usize::try_from(left).unwrap_or(usize::MAX)) {
                if digest(place.digest, before) == said.digest {
                    place.facts = u32::try_from(left).unwrap_or(u32::MAX);
                    return place.in_epoch_of(&page);
                }
                break;
            }
            if page.is_last {
                break;
            }
            place.turn(&page);
        }
        tracing::warn!("the database has another history: a webhook is told everything again");
        let page = host.since(None, 1).await?;
        Self::default().in_epoch_of(&page)
    }

    /// Names the timeline, where the place is before the first fact.
    fn in_epoch_of(self, page: &Page) -> Result<Self, Error> {
        let start = || Cursor::start(page.cursor.epoch.clone());
        Ok(Self { cursor: Some(self.cursor.clone().unwrap_or_else(start)), ..self })
    }
}

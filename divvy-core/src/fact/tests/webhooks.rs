//! Samples of what stands in the stream of an endpoint.

use super::*;

impl Parts {
    /// A body of an endpoint's stream.
    pub(super) fn webhook(&self, kind: &str) -> Body {
        let [id, epoch, reason] = self.texts.clone();
        let few = |i: usize| u32::try_from(self.numbers[i]).unwrap_or(u32::MAX);
        let [count, position, within, _] = self.numbers;
        match kind {
            "webhook_heard.1" => Body::WebhookHeard(WebhookHeard {
                count,
                digest: self.hash(),
                epoch,
                position,
                within,
                facts: few(3),
                messages: few(0),
            }),
            "webhook_unheard.1" => {
                let (attempts, not_before) = (few(0), self.time(1));
                Body::WebhookUnheard(WebhookUnheard { id, attempts, not_before, reason })
            }
            "webhook_silenced.1" => {
                let cause = self.option(0, Silence::Gone).unwrap_or(Silence::Exhausted);
                Body::WebhookSilenced(WebhookSilenced { cause, reason })
            }
            "webhook_resumed.1" => Body::WebhookResumed(WebhookResumed { reason }),
            kind => panic!("no sample of {kind}: add one"),
        }
    }
}

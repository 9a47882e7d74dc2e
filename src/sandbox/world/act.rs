//! A try is posted: what the window remembers, and whether money moves.

use std::sync::Arc;

use divvy_core::{Reply, Time};

use crate::sandbox::faults::Fault;
use crate::sandbox::world::agenda::{Event, RETURNED_SECS, Ticket, UNDONE_SECS};
use crate::sandbox::world::post::{Limit, Post};
use crate::sandbox::world::read::{coin_number, reply_error};
use crate::sandbox::world::{Carried, Effect, Kept, Standing, Taken, Terms, WindowKind, World};

/// What is going to become of a try beside the ordinary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Twist {
    None,
    Dropped,
    Returned,
    Undone,
}

impl World {
    /// Takes a posted try as the network delivers it.
    pub(super) fn post(
        &mut self,
        body: &[u8],
        started: Time,
        fault: Fault,
        effects: &mut Vec<Effect>,
    ) -> Option<Reply> {
        let post = match Post::read(body) {
            Ok(post) if fits(&post, self.terms.window) => post,
            Ok(_) => return Some(reply_error(400, "this window or these coins are not served")),
            Err(why) => return Some(reply_error(400, &why)),
        };
        if fault == Fault::Refused {
            return Some(reply_error(503, "busy"));
        }
        let lands_max = started.plus_secs(self.terms.lag_secs);
        if lands_max < self.now && self.is_bounded() {
            return Some(reply_error(408, "longer on its way than anything can be"));
        }
        let n = self.taken.saturating_add(1);
        let events = self.events;
        let reply = match fault {
            Fault::Late { secs } => {
                self.plan_landing(self.now.plus_secs(secs).min(lands_max), &post, n);
                None
            }
            Fault::OutOfOrder => {
                let next = Time::from_millis(self.now.millis().saturating_add(1));
                self.plan_landing(next, &post, n);
                None
            }
            Fault::Duplicated if self.terms.window != WindowKind::Once => {
                let reply = self.act(&post, n, Twist::None, effects);
                self.plan_landing(lands_max, &post, n);
                Some(reply)
            }
            Fault::None | Fault::Duplicated => Some(self.act(&post, n, Twist::None, effects)),
            Fault::AcceptedAndDropped => Some(self.act(&post, n, Twist::Dropped, effects)),
            Fault::Returned => Some(self.act(&post, n, Twist::Returned, effects)),
            Fault::Reorganised => Some(self.act(&post, n, Twist::Undone, effects)),
            Fault::ServerError => {
                self.act(&post, n, Twist::None, effects);
                Some(reply_error(500, "failed, perhaps after the fact"))
            }
            Fault::LostReply | Fault::Slow | Fault::Killed => {
                self.act(&post, n, Twist::None, effects);
                None
            }
            Fault::Refused => Some(reply_error(503, "busy")),
        };
        if self.events != events {
            self.taken = n;
            let (at, body) = (self.now, body.to_vec());
            // Before what it did, so that whoever writes entries has written their lines.
            let clock = |effect: &Effect| matches!(effect, Effect::Clock(_));
            let place = effects.iter().position(clock).map_or(0, |place| place.saturating_add(1));
            effects.insert(place, Effect::Taken(Taken { n, at, started, fault, body }));
        }
        reply
    }

    /// Carries a try out, unless it is remembered. Whatever changes counts as an event.
    pub(super) fn act(
        &mut self,
        post: &Post,
        taken: u64,
        twist: Twist,
        effects: &mut Vec<Effect>,
    ) -> Reply {
        if let Limit::UntilHeight(height) = post.window
            && self.height() > height
        {
            return reply_error(410, "expired: not served above its height, known or not");
        }
        if let Some(kept) = self.remembered(post) {
            if kept.body != post.hash {
                return reply_error(409, "the reference was used for another try");
            }
            return self.reply_try(&post.reference, kept);
        }
        if let Some(refused) = refusal(post) {
            self.charge(post, taken, effects);
            return self.keep(post, taken, refused);
        }
        let coins: Vec<u64> = post.coins.iter().filter_map(|coin| coin_number(coin)).collect();
        if coins.iter().any(|coin| self.spent.contains_key(coin)) {
            return reply_error(409, "a coin of it is spent by another try");
        }
        let amount = post.total().unwrap_or(u64::MAX);
        if self.terms.funds.is_some_and(|funds| funds.saturating_sub(self.pledged()) < amount) {
            let reason = "the wallet does not hold so much";
            return self.keep(post, taken, Standing::Declined { reason });
        }
        if twist == Twist::Dropped {
            return self.reply_dropped(post);
        }
        self.spent.extend(coins.into_iter().map(|coin| (coin, post.reference.clone())));
        self.charge(post, taken, effects);
        self.keep(post, taken, Standing::Accepted);
        self.move_money(post, taken, amount, twist, effects);
        match self.tries.get(&post.reference) {
            Some(kept) => self.reply_try(&post.reference, kept),
            None => self.reply_once(post),
        }
    }

    fn move_money(
        &mut self,
        post: &Post,
        taken: u64,
        amount: u64,
        twist: Twist,
        effects: &mut Vec<Effect>,
    ) {
        let Terms { window, finality_secs, .. } = self.terms;
        let reference = post.reference.clone();
        let ticket = Ticket { reference, taken, lines_count: post.lines_count(), amount };
        let delay_secs = if window == WindowKind::Once { 0 } else { finality_secs };
        let final_at = self.now.plus_secs(delay_secs);
        let (post_kept, fate) = (Arc::new(post.clone()), Standing::Accepted);
        self.carried.insert(taken, Carried { post: post_kept, fate, returned: Vec::new() });
        if delay_secs == 0 {
            self.finish(&ticket, effects);
        } else {
            self.plan(final_at, Event::Final(ticket.clone()));
        }
        let all = (0..post.lines_count()).collect();
        let lines = if twist == Twist::Returned { all } else { post.lines_to("return:") };
        if !lines.is_empty() {
            let amount = post.total_of(&lines);
            let returned = Event::Returned { ticket: ticket.clone(), lines, amount };
            self.plan(final_at.plus_secs(RETURNED_SECS), returned);
        }
        if twist == Twist::Undone {
            self.plan(final_at.plus_secs(UNDONE_SECS), Event::Undone(ticket));
        }
    }

    /// What the window still remembers of this reference.
    fn remembered(&self, post: &Post) -> Option<&Kept> {
        let kept = self.tries.get(&post.reference)?;
        match post.window {
            Limit::Unlimited | Limit::UntilHeight(_) => Some(kept),
            Limit::Until(_) => (self.now <= kept.until).then_some(kept),
            Limit::Once => None,
        }
    }

    /// Remembers a try, where the window remembers anything. The reply is for a refused one.
    fn keep(&mut self, post: &Post, taken: u64, fate: Standing) -> Reply {
        self.events = self.events.saturating_add(1);
        let (until, batch) = (until(post), post.batch.clone());
        let declined = matches!(fate, Standing::Declined { .. });
        let fee = if declined { 0 } else { self.terms.fee_of(post.lines_count()) };
        let (body, returned) = (post.hash, Vec::new());
        let kept = Kept { taken, body, batch, until, fate, returned, fee };
        let reply = self.reply_try(&post.reference, &kept);
        if self.terms.window != WindowKind::Once {
            self.tries.insert(post.reference.clone(), kept);
        }
        reply
    }

    fn plan_landing(&mut self, at: Time, post: &Post, taken: u64) {
        // A request that lands this very moment still lands after this one.
        let next = Time::from_millis(self.now.millis().saturating_add(1));
        self.plan(at.max(next), Event::Lands { post: Box::new(post.clone()), taken });
    }

    /// What has moved, and what is going to.
    fn pledged(&self) -> u64 {
        let waiting = self.agenda.values().map(|event| match event {
            Event::Final(ticket) => ticket.amount,
            Event::Lands { .. } | Event::Undone(_) | Event::Returned { .. } => 0,
        });
        waiting.fold(self.moved, u64::saturating_add)
    }

    /// Whether a late request could pay twice, so that the world promises a bound.
    const fn is_bounded(&self) -> bool {
        matches!(self.terms.window, WindowKind::Until | WindowKind::Once)
    }
}

/// Whether the try names the window that is served here, and coins only where there are any.
fn fits(post: &Post, window: WindowKind) -> bool {
    let known = post.coins.iter().all(|coin| coin_number(coin).is_some());
    match (post.window, window) {
        (Limit::Unlimited, WindowKind::Unlimited) => known && !post.coins.is_empty(),
        (Limit::Until(_), WindowKind::Until)
        | (Limit::UntilHeight(_), WindowKind::UntilHeight)
        | (Limit::Once, WindowKind::Once) => post.coins.is_empty(),
        _ => false,
    }
}

fn until(post: &Post) -> Time {
    match post.window {
        Limit::Until(millis) => Time::from_millis(millis),
        Limit::Unlimited | Limit::UntilHeight(_) | Limit::Once => Time::MAX,
    }
}

fn refusal(post: &Post) -> Option<Standing> {
    if let Some(line) = post.lines_to("refuse:").first() {
        return Some(Standing::Refused { reason: "this payee is not served", line: Some(*line) });
    }
    let closed = post.lines_to("closed:");
    closed.first().map(|_| Standing::Refused { reason: "an account is closed", line: None })
}

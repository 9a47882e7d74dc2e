//! What happens by itself as time passes.

use divvy_core::Time;

use crate::sandbox::world::act::Twist;
use crate::sandbox::world::post::Post;
use crate::sandbox::world::{Effect, Entry, EntryKind, Standing, World};

/// Something that is going to happen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Event {
    /// A request arrives at last.
    Lands { post: Box<Post>, taken: u64 },
    /// An accepted try becomes final.
    Final(Ticket),
    /// What was final is undone.
    Undone(Ticket),
    /// Lines come back.
    Returned { ticket: Ticket, lines: Vec<u32>, amount: u64 },
}

/// A try that the agenda has to do with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Ticket {
    pub(super) reference: String,
    pub(super) taken: u64,
    pub(super) lines_count: u32,
    pub(super) amount: u64,
}

impl World {
    /// Moves time forward, never back. Each event happens at its own time, so many small steps
    /// and one large one come to the same.
    pub(super) fn advance(&mut self, to: Time) -> Vec<Effect> {
        let mut effects = Vec::new();
        if to <= self.now {
            return effects;
        }
        while let Some(due) = self.agenda.first_entry().filter(|due| due.key().0 <= to) {
            let ((at, _), event) = due.remove_entry();
            self.now = self.now.max(at);
            self.happen(event, &mut effects);
        }
        self.now = to;
        effects.push(Effect::Clock(to));
        effects
    }

    pub(super) fn plan(&mut self, at: Time, event: Event) {
        self.events = self.events.saturating_add(1);
        self.agenda.insert((at, self.events), event);
    }

    fn happen(&mut self, event: Event, effects: &mut Vec<Effect>) {
        match event {
            Event::Lands { post, taken } => {
                let _ = self.act(&post, taken, Twist::None, effects);
            }
            Event::Final(ticket) => self.finish(&ticket, effects),
            Event::Undone(ticket) => {
                self.moved = self.moved.saturating_sub(ticket.amount);
                self.enter(EntryKind::Undone, &ticket, Vec::new(), effects);
                self.stand(&ticket, Standing::Undone);
                self.plan(self.now.plus_secs(UNDONE_SECS), Event::Final(ticket));
            }
            Event::Returned { ticket, lines, amount } => {
                self.moved = self.moved.saturating_sub(amount);
                let kept = self.tries.get_mut(&ticket.reference);
                if let Some(kept) = kept.filter(|kept| kept.taken == ticket.taken) {
                    kept.returned.clone_from(&lines);
                }
                if let Some(carried) = self.carried.get_mut(&ticket.taken) {
                    carried.returned.clone_from(&lines);
                }
                self.enter(EntryKind::Returned, &ticket, lines, effects);
            }
        }
    }

    /// The money leaves the wallet.
    pub(super) fn finish(&mut self, ticket: &Ticket, effects: &mut Vec<Effect>) {
        self.moved = self.moved.saturating_add(ticket.amount);
        self.enter(EntryKind::Moved, ticket, Vec::new(), effects);
        self.stand(ticket, Standing::Final);
    }

    fn stand(&mut self, ticket: &Ticket, standing: Standing) {
        let kept = self.tries.get_mut(&ticket.reference);
        if let Some(kept) = kept.filter(|kept| kept.taken == ticket.taken) {
            kept.fate = standing.clone();
        }
        if let Some(carried) = self.carried.get_mut(&ticket.taken) {
            carried.fate = standing;
        }
    }

    /// What a try costs is charged when it is taken up, and in one line of the statement.
    pub(super) fn charge(&mut self, post: &Post, taken: u64, effects: &mut Vec<Effect>) {
        let fee = self.terms.fee_of(post.lines_count());
        if fee == 0 {
            return;
        }
        self.charged = self.charged.saturating_add(fee);
        let ticket =
            Ticket { reference: post.reference.clone(), taken, lines_count: 1, amount: fee };
        self.enter(EntryKind::Charged, &ticket, Vec::new(), effects);
    }

    fn enter(
        &mut self,
        kind: EntryKind,
        ticket: &Ticket,
        lines: Vec<u32>,
        effects: &mut Vec<Effect>,
    ) {
        let named = u64::try_from(lines.len()).unwrap_or(u64::MAX);
        let count = if lines.is_empty() { u64::from(ticket.lines_count) } else { named };
        let first = self.sequence.saturating_add(1);
        self.sequence = self.sequence.saturating_add(count);
        let (at, taken) = (self.now, ticket.taken);
        effects.push(Effect::Entered(Entry { first, last: self.sequence, kind, at, taken, lines }));
    }
}

/// A reorganisation takes as long to undo a final try, and as long again to redo it.
pub(super) const UNDONE_SECS: u64 = 600;

/// What comes back comes back after a day.
pub(super) const RETURNED_SECS: u64 = 86_400;

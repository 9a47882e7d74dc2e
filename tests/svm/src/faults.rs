//! What goes wrong, by a seed: with requests, with what is sent, and with whole nodes.

use std::time::Duration;

use crate::chain::Way;
use crate::dice::Dice;
use crate::node::Node;

/// What becomes of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Served,
    /// It is not heard.
    Deaf,
    /// It is carried out, and its reply is lost.
    LostReply,
    /// It is one too many.
    Busy,
    /// Something in front of the node breaks.
    Broken,
}

/// What goes wrong with one chain and its nodes.
#[derive(Clone, Debug)]
pub struct Faults {
    dice: Dice,
    /// Something goes wrong with one request in so many; never at 0.
    often: u64,
    /// Nodes refuse everybody until these slots.
    storms: [u64; 2],
    /// The nodes become others at this slot.
    turn: u64,
    pub counted: [u64; 5],
}

impl Faults {
    pub fn none() -> Self {
        Self::of(0, 0)
    }

    pub fn of(seed: u64, often: u64) -> Self {
        Self { dice: Dice::new(seed), often, storms: [0; 2], turn: 0, counted: [0; 5] }
    }

    /// From now on all is well.
    pub fn heal(&mut self) {
        (self.often, self.storms) = (0, [0; 2]);
    }

    /// What becomes of a request to a node at a slot.
    pub fn fate(&mut self, node: usize, slot: u64) -> Fate {
        if self.often == 0 {
            return Fate::Served;
        }
        if self.dice.one_in(STORM_IN) {
            self.storms[node] = slot + 10 + self.dice.below(60);
        }
        if slot < self.storms[node] {
            self.counted[3] += 1;
            return Fate::Busy;
        }
        if !self.dice.one_in(self.often) {
            return Fate::Served;
        }
        let (fate, place) = match self.dice.below(4) {
            0 => (Fate::Deaf, 0),
            1 | 2 => (Fate::LostReply, 1),
            _ => (Fate::Broken, 2),
        };
        self.counted[place] += 1;
        fate
    }

    /// Where a transaction goes.
    pub fn way(&mut self) -> Way {
        if self.often == 0 {
            return Way::Lands(1);
        }
        let way = match self.dice.below(20) {
            0 | 1 => Way::Dropped,
            2 => Way::Forked,
            3 => Way::Lands(self.dice.below(260)),
            _ => Way::Lands(1 + self.dice.below(3)),
        };
        self.counted[4] += u64::from(!matches!(way, Way::Lands(0..4)));
        way
    }

    /// How long a reply takes.
    pub fn pause(&mut self) -> Duration {
        match self.often {
            0 => Duration::ZERO,
            _ if self.dice.one_in(40) => Duration::from_millis(self.dice.below(400)),
            _ => Duration::from_millis(self.dice.below(4)),
        }
    }

    /// The nodes as they are from a slot on, when they change.
    pub fn nodes(&mut self, slot: u64) -> Option<[Node; 2]> {
        if self.often == 0 {
            return (self.turn != u64::MAX).then(|| {
                self.turn = u64::MAX;
                [Node::GOOD; 2]
            });
        }
        if slot < self.turn {
            return None;
        }
        self.turn = slot + 100 + self.dice.below(300);
        let lag = [0, 0, 3, 40, 120][self.dice.below(5) as usize];
        let keeps_from = [0, 0, slot, u64::MAX][self.dice.below(4) as usize];
        let stale = [0, 0, 0, 200][self.dice.below(4) as usize];
        let nodes = [Node { lag, ..Node::GOOD }, Node { keeps_from, stale, ..Node::GOOD }];
        Some(if self.dice.one_in(2) { nodes } else { [nodes[1], nodes[0]] })
    }
}

/// A storm begins at one request in so many.
const STORM_IN: u64 = 600;

//! A heap that is looked at from below: who waits for a key that has been reached.

use core::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::book::place;
use crate::checkpoint::{Reader, Stored, Writer};

/// Slots by the keys that they wait for; of each slot only its lowest key counts.
///
/// Waiting for a later key than before changes nothing: the slot is woken early, looked at, and
/// waits anew. So most changes to a payee cost no operation at all.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiting<K> {
    heap: BinaryHeap<Reverse<(K, u32)>>,
    /// The key of each slot; the default is waiting for nothing.
    keys: Vec<K>,
    /// Pushes, pops and looks at the top, for the test that holds a tick's cost.
    pub(super) operations: u64,
}

impl<K: Copy + Default + Ord> Waiting<K> {
    /// Wakes a slot at this key, or earlier.
    pub(super) fn wait(&mut self, slot: u32, key: K) {
        let at = place(slot);
        if self.keys.len() <= at {
            self.keys.resize(at.saturating_add(1), K::default());
        }
        let Some(known) = self.keys.get_mut(at) else { return };
        if *known == K::default() || key < *known {
            *known = key;
            self.operations = self.operations.saturating_add(1);
            self.heap.push(Reverse((key, slot)));
            self.compact();
        }
    }

    /// The next slot whose key is reached; it waits no more.
    pub(super) fn wake(&mut self, reached: K) -> Option<u32> {
        loop {
            self.operations = self.operations.saturating_add(1);
            let Reverse((key, slot)) = *self.heap.peek()?;
            if key > reached {
                return None;
            }
            self.heap.pop();
            let known = self.keys.get_mut(place(slot))?;
            if *known == key {
                *known = K::default();
                return Some(slot);
            }
        }
    }

    /// Drops what lower keys have outdated, once that is most of the heap.
    fn compact(&mut self) {
        if self.heap.len() > self.keys.len().saturating_mul(3).saturating_add(4_096) {
            *self = Self::of(std::mem::take(&mut self.keys), self.operations);
        }
    }

    fn of(keys: Vec<K>, operations: u64) -> Self {
        let waits = |(_, key): &(u32, &K)| **key != K::default();
        let slots = (0..u32::MAX).zip(&keys).filter(waits);
        let heap = slots.map(|(slot, key)| Reverse((*key, slot))).collect::<Vec<_>>().into();
        Self { heap, keys, operations }
    }
}

/// The heap follows from the keys, and the count of operations is of one process alone.
impl<K: Copy + Default + Ord + Stored> Stored for Waiting<K> {
    fn store(&self, to: &mut Writer) {
        self.keys.store(to);
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self::of(Stored::load(from)?, 0))
    }
}

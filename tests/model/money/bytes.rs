//! The published layout of what is hashed, written by hand: items of CBOR, facts and trees.

use sha2::{Digest, Sha256};

use crate::action::{Part, Target};
use crate::lab::{payee_name, pool_name};
use crate::money::deed::{Legs, Plan};
use crate::money::rule::Place;

pub(crate) type Digest32 = [u8; 32];

/// The hash over some bytes, with nothing between them.
pub(crate) fn hash(parts: &[&[u8]]) -> Digest32 {
    let whole: Vec<u8> = parts.concat();
    Sha256::digest(whole).into()
}

/// The first byte of an item, and the number that belongs to it in its shortest form.
fn head(kind: u8, number: u64) -> Vec<u8> {
    let wide = number.to_be_bytes();
    let (how, from) = match number {
        0..24 => (wide[7], 8),
        24..0x100 => (24, 7),
        0x100..0x1_0000 => (25, 6),
        0x1_0000..0x1_0000_0000 => (26, 4),
        _ => (27, 0),
    };
    [&[kind << 5 | how], &wide[from..]].concat()
}

pub(crate) fn number(number: i128) -> Vec<u8> {
    head(0, u64::try_from(number).unwrap())
}

pub(crate) fn bytes(bytes: &[u8]) -> Vec<u8> {
    [head(2, bytes.len() as u64), bytes.to_vec()].concat()
}

pub(crate) fn words(text: &str) -> Vec<u8> {
    [head(3, text.len() as u64), text.as_bytes().to_vec()].concat()
}

pub(crate) fn list(items: &[Vec<u8>]) -> Vec<u8> {
    [head(4, items.len() as u64), items.concat()].concat()
}

/// A map from small numbers, without what is not there.
pub(crate) fn record(fields: &[(i128, Option<Vec<u8>>)]) -> Vec<u8> {
    let there = fields.iter().filter_map(|(key, item)| Some((*key, item.as_ref()?)));
    let there: Vec<Vec<u8>> =
        there.map(|(key, item)| [number(key), item.clone()].concat()).collect();
    [head(5, there.len() as u64), there.concat()].concat()
}

fn variant(which: i128, fields: &[Vec<u8>]) -> Vec<u8> {
    list(&[number(which), list(fields)])
}

/// A part of a whole, in lowest terms.
fn portion(part: u64, whole: u64) -> Vec<u8> {
    let (mut one, mut other) = (part, whole);
    while other > 0 {
        (one, other) = (other, one % other);
    }
    let [part, whole] = [part / one, whole / one].map(|number| self::number(number.into()));
    record(&[(0, Some(part)), (1, Some(whole))])
}

fn target(place: Place) -> Vec<u8> {
    match place {
        Place::Person(who) => variant(0, &[words(payee_name(who).as_str())]),
        Place::Fund(fund) => variant(1, &[words(pool_name(fund).as_str())]),
    }
}

fn legs(legs: &[(Target, Part)]) -> Vec<u8> {
    let leg = |(to, part): &(Target, Part)| {
        let share = match part {
            Part::Portion(part, whole) => variant(1, &[portion(*part, *whole)]),
            Part::UpTo(most) => variant(2, &[number((*most).into())]),
            Part::Remaining => variant(3, &[]),
        };
        record(&[(0, Some(target(Place::from(*to)))), (1, Some(share))])
    };
    record(&[(0, Some(list(&legs.iter().map(leg).collect::<Vec<_>>())))])
}

/// All that a rule says of who gets what.
pub(crate) fn terms_of(plan: &Plan, from: u64) -> Vec<u8> {
    let some = |minor: Option<u64>| minor.map(|minor| number(minor.into()));
    let mut terms = legs(&plan.legs);
    let tier = |(secs, over, own): &(Option<u64>, Option<u64>, Legs)| {
        let begins = secs.map(|secs| number((from + secs * 1_000).into()));
        record(&[(0, begins), (1, some(*over)), (2, Some(legs(own)))])
    };
    if !plan.tiers.is_empty() {
        terms.extend(list(&plan.tiers.iter().map(tier).collect::<Vec<_>>()));
    }
    if let Some(upline) = &plan.upline {
        let level = |(part, most): &(u64, Option<u64>)| {
            record(&[(0, Some(portion(*part, 100))), (1, some(*most))])
        };
        terms.extend(record(&[
            (0, Some(list(&upline.levels.iter().map(level).collect::<Vec<_>>()))),
            (1, Some(target(Place::from(upline.rest)))),
            (2, some(upline.each_most)),
            (3, some(upline.most)),
        ]));
    }
    terms
}

/// The hash of a fact behind another one.
pub(crate) fn fact(
    before: &Digest32,
    (stream, n, at): (&str, u64, u64),
    (kind, body): (&str, &[u8]),
) -> Digest32 {
    let [n, at] = [n.to_be_bytes(), at.to_be_bytes()];
    let (stream, kind) = (stream.as_bytes(), kind.as_bytes());
    hash(&[b"divvy.fact.1\0", before, &n, &at, stream, b"\0", kind, b"\0", body])
}

/// The root over some entries: two and two, and whoever is left over goes up alone.
pub(crate) fn root(entries: &[Vec<u8>]) -> Digest32 {
    let mut level: Vec<Digest32> = entries.iter().map(|entry| hash(&[b"\0", entry])).collect();
    if level.is_empty() {
        return hash(&[]);
    }
    while level.len() > 1 {
        let up = |pair: &[Digest32]| match pair {
            [left, right] => hash(&[b"\x01", left, right]),
            alone => alone[0],
        };
        level = level.chunks(2).map(up).collect();
    }
    level[0]
}

//! How a fold is written down: fixed widths, little end first, lists behind their length.
//!
//! Nothing here is a promise to anybody: another build discards it and folds from zero.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use minicbor::{Decode, Encode};

use crate::amount::Amount;
use crate::fact::{Hash, Stream};
use crate::name::Name;
use crate::pool::{Index, Units};
use crate::time::Time;

/// What a checkpoint can hold.
pub(crate) trait Stored: Sized {
    fn store(&self, to: &mut Writer);
    fn load(from: &mut Reader<'_>) -> Option<Self>;
}

#[derive(Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    /// The name read last: most payees share a rail with the one before.
    name: Option<Name>,
}

impl Writer {
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// A part that is not large, in the encoding that facts have.
    #[expect(clippy::expect_used, reason = "writing to a vector cannot fail")]
    pub(crate) fn put_cbor<T: Encode<()>>(&mut self, part: &T) {
        let bytes = minicbor::to_vec(part).expect("writing to a vector cannot fail");
        self.put_list(&bytes);
    }

    pub(crate) fn put_list<T: Stored>(&mut self, items: &[T]) {
        self.put_count(items.len());
        items.iter().for_each(|item| item.store(self));
    }

    fn put_text(&mut self, text: &str) {
        self.put_count(text.len());
        self.put(text.as_bytes());
    }

    pub(crate) fn put_count(&mut self, count: usize) {
        u32::try_from(count).unwrap_or(u32::MAX).store(self);
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, name: None }
    }

    pub(crate) fn take<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(taken)
    }

    pub(crate) fn take_cbor<T: for<'b> Decode<'b, ()>>(&mut self) -> Option<T> {
        minicbor::decode(self.take_bytes()?).ok()
    }

    fn take_bytes(&mut self) -> Option<&'a [u8]> {
        let count = self.take_count()?;
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    fn take_text(&mut self) -> Option<&'a str> {
        core::str::from_utf8(self.take_bytes()?).ok()
    }

    /// A name that is kept once while it repeats.
    pub(crate) fn take_shared_name(&mut self) -> Option<Name> {
        let text = self.take_text()?;
        if let Some(name) = self.name.as_ref().filter(|name| name.as_str() == text) {
            return Some(name.clone());
        }
        let name = Name::new(text).ok()?;
        self.name = Some(name.clone());
        Some(name)
    }

    /// The length of a list. No item is smaller than a byte, so no length makes us reserve more
    /// than a few times what there is to read.
    pub(crate) fn take_count(&mut self) -> Option<usize> {
        let count = usize::try_from(u32::load(self)?).ok()?;
        (count <= self.rest.len()).then_some(count)
    }

    pub(crate) const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }
}

/// Writes and reads a type field by field, from one list of its fields, or a plain enum by number.
macro_rules! stored {
    ($type:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::checkpoint::Stored for $type {
            fn store(&self, to: &mut $crate::checkpoint::Writer) {
                let Self { $($field),+ } = self;
                $($crate::checkpoint::Stored::store($field, to);)+
            }

            fn load(from: &mut $crate::checkpoint::Reader<'_>) -> Option<Self> {
                Some(Self { $($field: $crate::checkpoint::Stored::load(from)?),+ })
            }
        }
    };
    ($type:ident in $($variant:ident = $number:literal),+ $(,)?) => {
        impl $crate::checkpoint::Stored for $type {
            fn store(&self, to: &mut $crate::checkpoint::Writer) {
                to.put(&[match self { $(Self::$variant => $number),+ }]);
            }

            fn load(from: &mut $crate::checkpoint::Reader<'_>) -> Option<Self> {
                match from.take()? { $([$number] => Some(Self::$variant),)+ _ => None }
            }
        }
    };
    ($type:ident as cbor) => {
        impl $crate::checkpoint::Stored for $type {
            fn store(&self, to: &mut $crate::checkpoint::Writer) {
                to.put_cbor(self);
            }

            fn load(from: &mut $crate::checkpoint::Reader<'_>) -> Option<Self> {
                from.take_cbor()
            }
        }
    };
}
pub(crate) use stored;

macro_rules! whole_numbers {
    ($($type:ident)+) => {$(
        impl Stored for $type {
            fn store(&self, to: &mut Writer) {
                to.put(&self.to_le_bytes());
            }

            fn load(from: &mut Reader<'_>) -> Option<Self> {
                from.take().copied().map(Self::from_le_bytes)
            }
        }
    )+};
}
whole_numbers! { u8 u32 u64 u128 }

/// What is written as something simpler.
macro_rules! stored_by {
    ($($type:ident: $simple:ident, $down:expr, $up:expr;)+) => {$(
        impl Stored for $type {
            fn store(&self, to: &mut Writer) {
                let down: fn(&Self) -> $simple = $down;
                down(self).store(to);
            }

            fn load(from: &mut Reader<'_>) -> Option<Self> {
                let up: fn($simple) -> Option<Self> = $up;
                up($simple::load(from)?)
            }
        }
    )+};
}
stored_by! {
    Amount: u64, |amount| amount.get(), |minor| Self::new(minor).ok();
    Units: u64, |units| units.get(), |units| Self::new(units).ok();
    Index: u128, |index| index.get(), |index| Some(Self::new(index));
    Time: u64, |time| time.millis(), |millis| Some(Self::from_millis(millis));
}

macro_rules! texts {
    ($($type:ty: $text:expr, $parse:expr;)+) => {$(
        impl Stored for $type {
            fn store(&self, to: &mut Writer) {
                let text: fn(&Self) -> &str = $text;
                to.put_text(text(self));
            }

            fn load(from: &mut Reader<'_>) -> Option<Self> {
                let parse: fn(&str) -> Option<Self> = $parse;
                parse(from.take_text()?)
            }
        }
    )+};
}
texts! {
    Name: |name| name.as_str(), |text| Self::new(text).ok();
    Stream: |stream| stream.as_str(), |text| Self::parse(text).ok();
    String: |text| text.as_str(), |text| Some(text.to_owned());
    Cow<'static, str>: |text| text, |text| Some(Self::Owned(text.to_owned()));
    Box<str>: |text| text, |text| Some(text.into());
}

impl Stored for Hash {
    fn store(&self, to: &mut Writer) {
        to.put(self.as_bytes());
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        from.take().copied().map(Self::new)
    }
}

impl Stored for bool {
    fn store(&self, to: &mut Writer) {
        to.put(&[u8::from(*self)]);
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        match from.take()? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }
}

impl<T: Stored> Stored for Option<T> {
    fn store(&self, to: &mut Writer) {
        self.is_some().store(to);
        if let Some(item) = self {
            item.store(to);
        }
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        if bool::load(from)? { T::load(from).map(Some) } else { Some(None) }
    }
}

impl<T: Stored> Stored for Box<T> {
    fn store(&self, to: &mut Writer) {
        (**self).store(to);
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        T::load(from).map(Self::new)
    }
}

impl<T: Stored> Stored for Vec<T> {
    fn store(&self, to: &mut Writer) {
        to.put_list(self);
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        let count = from.take_count()?;
        let mut items = Self::with_capacity(count);
        for _ in 0..count {
            items.push(T::load(from)?);
        }
        Some(items)
    }
}

impl<T: Stored> Stored for Box<[T]> {
    fn store(&self, to: &mut Writer) {
        to.put_list(self);
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        Vec::load(from).map(Vec::into_boxed_slice)
    }
}

impl<A: Stored, B: Stored> Stored for (A, B) {
    fn store(&self, to: &mut Writer) {
        self.0.store(to);
        self.1.store(to);
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        Some((A::load(from)?, B::load(from)?))
    }
}

impl<K: Stored + Ord, V: Stored> Stored for BTreeMap<K, V> {
    fn store(&self, to: &mut Writer) {
        to.put_count(self.len());
        for (key, value) in self {
            key.store(to);
            value.store(to);
        }
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        Vec::<(K, V)>::load(from).map(Self::from_iter)
    }
}

impl<K: Stored + Ord> Stored for BTreeSet<K> {
    fn store(&self, to: &mut Writer) {
        to.put_count(self.len());
        self.iter().for_each(|key| key.store(to));
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        Vec::load(from).map(Self::from_iter)
    }
}

/// In the keys' order, so that one fold has one checkpoint.
impl<K: Stored + Ord + core::hash::Hash, V: Stored> Stored for HashMap<K, V> {
    fn store(&self, to: &mut Writer) {
        let mut entries: Vec<(&K, &V)> = self.iter().collect();
        entries.sort_unstable_by_key(|(key, _)| *key);
        to.put_count(entries.len());
        for (key, value) in entries {
            key.store(to);
            value.store(to);
        }
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        Vec::<(K, V)>::load(from).map(Self::from_iter)
    }
}

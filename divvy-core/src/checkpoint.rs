//! Checkpoints: a fold as bytes, so that opening costs what is new.
//!
//! A checkpoint is a cache, never evidence: no seal, proof or verification is made from one. It
//! carries the version of the fold that wrote it, the cursor up to which facts were folded, their
//! count and digest, and a hash over its own bytes. Whatever does not match discards it quietly,
//! and the book is folded from zero.

mod stored;

pub(crate) use stored::{Reader, Stored, Writer, stored};

use crate::books::Books;
use crate::fact::Hash;
use crate::host::Cursor;

/// Every change of what is folded, or of how it is written down, takes the next number.
const FOLD_VERSION: u32 = 6;

const MARK: &[u8; 16] = b"divvy.checkpoint";

impl Books {
    /// The whole fold as bytes, with the cursor up to which it was fed.
    ///
    /// ```
    /// use divvy_core::{Books, Cursor};
    ///
    /// let cursor = Cursor { epoch: "a1".to_owned(), position: 7, within: 0 };
    /// let mut bytes = Books::default().checkpoint(&cursor);
    /// let (books, restored) = Books::from_checkpoint(&bytes).unwrap();
    /// assert_eq!((books.count(), restored), (0, cursor));
    ///
    /// // One bit, and it is worth nothing.
    /// bytes[20] ^= 1;
    /// assert!(Books::from_checkpoint(&bytes).is_none());
    /// ```
    #[must_use]
    pub fn checkpoint(&self, cursor: &Cursor) -> Vec<u8> {
        let mut to = Writer::default();
        to.put(MARK);
        FOLD_VERSION.store(&mut to);
        cursor.store(&mut to);
        self.store(&mut to);
        let hash = Hash::of(to.bytes());
        to.put(hash.as_bytes());
        to.into_bytes()
    }

    /// The fold that a checkpoint holds, and the cursor from which to feed it on.
    ///
    /// It is as if every fact up to the cursor had been fed. Nothing is returned for bytes of
    /// another fold version, and for bytes that were cut or altered. Whether the database is still
    /// the one of the cursor's epoch, and whether [`Books::count`] and [`Books::digest`] are those
    /// of its facts, is for the host to compare.
    #[must_use]
    pub fn from_checkpoint(bytes: &[u8]) -> Option<(Self, Cursor)> {
        let (body, hash) = bytes.split_last_chunk::<32>()?;
        if Hash::of(body).as_bytes() != hash {
            return None;
        }
        let mut from = Reader::new(body);
        if from.take::<16>()? != MARK || u32::load(&mut from)? != FOLD_VERSION {
            return None;
        }
        let cursor = Cursor::load(&mut from)?;
        let books = Self::load(&mut from)?;
        from.is_at_end().then_some((books, cursor))
    }
}

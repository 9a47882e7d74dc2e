//! Names of books, payees, pools, rails and wallets: parts of a stream's name.

use core::borrow::Borrow;
use core::fmt;
use std::sync::Arc;

use crate::error::{Code, Error};

/// A name that may stand between the slashes of a stream: 1 to 200 bytes, no slash, no control
/// character, no space at either end.
///
/// Facts are for ever, so prefer names that say nothing about a person.
///
/// ```
/// use divvy_core::{Code, Name};
///
/// assert_eq!(Name::new("chapter-42")?.as_str(), "chapter-42");
/// assert_eq!(Name::new("a/b").unwrap_err().code(), Code::NameMalformed);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

/// The longest name in bytes.
const NAME_BYTES_MAX: usize = 200;

impl Name {
    /// Checks a name.
    ///
    /// # Errors
    /// [`Code::NameMalformed`] when it is empty, too long, or holds a slash, a control character
    /// or a space at either end.
    pub fn new(text: &str) -> Result<Self, Error> {
        if is_name(text) {
            Ok(Self(Arc::from(text)))
        } else {
            let shown: String = text.chars().take(60).collect();
            let detail = format!(
                "{shown:?} is no name: use 1 to {NAME_BYTES_MAX} bytes without slashes, control \
                 characters or spaces at the ends"
            );
            Err(Error::new(Code::NameMalformed, detail))
        }
    }

    /// The name as text.
    ///
    /// ```
    /// # use divvy_core::Name;
    /// assert_eq!(Name::new("alice")?.as_str(), "alice");
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether the text may be a [`Name`].
pub(crate) fn is_name(text: &str) -> bool {
    // Most names are plain, and looking at bytes is quicker than at letters.
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'/';
    (1..=NAME_BYTES_MAX).contains(&text.len()) && (text.bytes().all(plain) || is_lettered(text))
}

fn is_lettered(text: &str) -> bool {
    text.trim() == text && !text.chars().any(|letter| letter == '/' || letter.is_control())
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Writes a checked text as text, in facts and in JSON, and checks it again when it is read.
macro_rules! written_as_text {
    ($type:ident, $check:ident) => {
        impl<C> minicbor::Encode<C> for $type {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.str(&self.0)?.ok()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $type {
            fn decode(
                d: &mut minicbor::Decoder<'b>,
                _: &mut C,
            ) -> Result<Self, minicbor::decode::Error> {
                Self::$check(d.str()?).map_err(minicbor::decode::Error::message)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(from)?;
                Self::$check(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use written_as_text;

written_as_text!(Name, new);

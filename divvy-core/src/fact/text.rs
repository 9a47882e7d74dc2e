//! How bytes and long numbers are written as text in JSON.

/// Whole numbers as decimal text in JSON, because some languages lose digits beyond 2⁵³.
pub(crate) mod digits {
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
    pub(crate) fn serialize<S: Serializer>(number: &u64, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(number)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        let text = <String as Deserialize>::deserialize(from)?;
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = if digits { text.parse().ok() } else { None };
        number.ok_or_else(|| serde::de::Error::custom("digits of a u64 expected"))
    }
}

/// Bytes as hexadecimal text in JSON.
pub(crate) mod hex {
    use core::fmt::Write as _;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(bytes.len().saturating_mul(2));
        for byte in bytes {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        to.serialize_str(&text)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = <String as Deserialize>::deserialize(from)?;
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let byte = |pair: &[u8; 2]| {
            let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
            u8::try_from(high?.checked_mul(16)?.checked_add(low?)?).ok()
        };
        let bytes = pairs.iter().map(byte).collect::<Option<Vec<u8>>>();
        match bytes {
            Some(bytes) if rest.is_empty() => Ok(bytes),
            Some(_) | None => Err(serde::de::Error::custom("hexadecimal bytes expected")),
        }
    }
}

//! Secrets that go into a header, to one place only.

use core::fmt;

use divvy_core::{Code, Error};
use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};
use zeroize::Zeroizing;

/// A secret header for one origin, by a name that requests may say.
///
/// A request names it with [`crate::Http::CREDENTIAL`] and never holds it, so that nothing secret
/// comes into facts, evidence or logs. It is sent to its own origin only, encrypted or on this
/// machine, and wiped from memory when it is dropped.
///
/// ```
/// use divvy::Credential;
/// use divvy::core::Code;
///
/// let key = Credential::new("bank", "https://bank.example", "authorization", "Bearer k")?;
/// assert!(!format!("{key:?}").contains("Bearer"));
/// // In clear text it would be everyone's.
/// let open = Credential::new("bank", "http://bank.example", "authorization", "Bearer k");
/// assert_eq!(open.unwrap_err().code(), Code::InputMalformed);
/// # Ok::<(), divvy::core::Error>(())
/// ```
pub struct Credential {
    name: String,
    origin: Url,
    header: HeaderName,
    secret: Zeroizing<String>,
}

impl Credential {
    /// A credential by its name, the origin that it is for, and the header that carries it.
    ///
    /// # Errors
    /// [`Code::InputMalformed`] for an origin that is none or not encrypted, unless it is on this
    /// machine, and for what cannot be a header.
    pub fn new(
        name: &str,
        origin: &str,
        header: &str,
        secret: impl Into<String>,
    ) -> Result<Self, Error> {
        let secret = Zeroizing::new(secret.into());
        let malformed = |why: String| {
            Error::new(Code::InputMalformed, format!("the credential {name:?} {why}"))
        };
        let parsed = Url::parse(origin);
        let url = parsed.map_err(|_| malformed(format!("needs an origin, not {origin:?}")))?;
        if url.scheme() != "https" && !(url.scheme() == "http" && is_here(&url)) {
            return Err(malformed(format!("needs an https:// origin, not {origin:?}")));
        }
        let named = HeaderName::from_bytes(header.as_bytes());
        let header = named.map_err(|_| malformed(format!("needs a header, not {header:?}")))?;
        if HeaderValue::from_str(&secret).is_err() {
            return Err(malformed("holds a character that no header may have".to_owned()));
        }
        Ok(Self { name: name.to_owned(), origin: url, header, secret })
    }

    pub(super) fn is_named(&self, name: &str) -> bool {
        self.name == name
    }

    /// The header, if the address lies at its origin.
    pub(super) fn header_for(&self, url: &Url) -> Result<(HeaderName, HeaderValue), &'static str> {
        if url.origin() != self.origin.origin() {
            return Err("its credential is for another origin");
        }
        let value = HeaderValue::from_str(&self.secret);
        let mut value = value.map_err(|_| "its credential is no header")?;
        value.set_sensitive(true);
        Ok((self.header.clone(), value))
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, origin, header, .. } = self;
        let mut shown = f.debug_struct("Credential");
        shown
            .field("name", name)
            .field("origin", &origin.origin().ascii_serialization())
            .field("header", header);
        shown.finish_non_exhaustive()
    }
}

/// Whether the address is this machine's own.
pub(crate) fn is_here(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

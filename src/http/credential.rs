//! Secrets that go into a header or a query, to one place only.

use core::fmt;

use divvy_core::{Code, Error};
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

/// A secret for one origin, in a header or in a query, by a name that requests may say.
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
    place: Place,
    secret: Zeroizing<String>,
}

/// Where it goes.
#[derive(Debug)]
enum Place {
    Header(HeaderName),
    /// Some providers want their key in the address.
    Query(String),
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
        let origin = origin_of(name, origin)?;
        let named = HeaderName::from_bytes(header.as_bytes());
        let header =
            named.map_err(|_| malformed(name, &format!("needs a header, not {header:?}")))?;
        if HeaderValue::from_str(&secret).is_err() {
            return Err(malformed(name, "holds a character that no header may have"));
        }
        Ok(Self { name: name.to_owned(), origin, place: Place::Header(header), secret })
    }

    /// A credential that goes into the query of the address, for whoever wants it there. It is
    /// added when the request is sent, and no log or error shows the address then.
    ///
    /// ```
    /// use divvy::Credential;
    ///
    /// let key = Credential::in_query("nodes", "https://nodes.example", "api-key", "k-123")?;
    /// assert!(!format!("{key:?}").contains("k-123"));
    /// # Ok::<(), divvy::core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`Credential::new`], and for a part of a query without a name.
    pub fn in_query(
        name: &str,
        origin: &str,
        part: &str,
        secret: impl Into<String>,
    ) -> Result<Self, Error> {
        let secret = Zeroizing::new(secret.into());
        let origin = origin_of(name, origin)?;
        if part.is_empty() {
            return Err(malformed(name, "needs the name of a part of the query"));
        }
        Ok(Self { name: name.to_owned(), origin, place: Place::Query(part.to_owned()), secret })
    }

    pub(super) fn is_named(&self, name: &str) -> bool {
        self.name == name
    }

    /// Puts it where it goes, if the address lies at its origin.
    pub(super) fn add(&self, url: &mut Url, headers: &mut HeaderMap) -> Result<(), &'static str> {
        if url.origin() != self.origin.origin() {
            return Err("its credential is for another origin");
        }
        match &self.place {
            Place::Header(header) => {
                let value = HeaderValue::from_str(&self.secret);
                let mut value = value.map_err(|_| "its credential is no header")?;
                value.set_sensitive(true);
                headers.append(header.clone(), value);
            }
            Place::Query(part) => {
                url.query_pairs_mut().append_pair(part, &self.secret);
            }
        }
        Ok(())
    }
}

fn malformed(name: &str, why: &str) -> Error {
    Error::new(Code::InputMalformed, format!("the credential {name:?} {why}"))
}

fn origin_of(name: &str, origin: &str) -> Result<Url, Error> {
    let parsed = Url::parse(origin);
    let url = parsed.map_err(|_| malformed(name, &format!("needs an origin, not {origin:?}")))?;
    if url.scheme() != "https" && !(url.scheme() == "http" && is_here(&url)) {
        return Err(malformed(name, &format!("needs an https:// origin, not {origin:?}")));
    }
    Ok(url)
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, origin, place, .. } = self;
        let mut shown = f.debug_struct("Credential");
        shown
            .field("name", name)
            .field("origin", &origin.origin().ascii_serialization())
            .field("place", place);
        shown.finish_non_exhaustive()
    }
}

/// Whether the address is this machine's own.
pub(crate) fn is_here(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

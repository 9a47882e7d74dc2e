//! Who is asked about the chain.

use core::fmt;

use divvy_core::{Code, Error};

/// Somebody who runs nodes.
///
/// Its address is written into requests, so a secret must not stand in it: name a credential, whose
/// header the sender adds.
///
/// ```
/// use divvy_core::Code;
/// use divvy_solana::Provider;
///
/// let provider = Provider::new("one", "https://one.example", Some("one-key"))?;
/// assert_eq!(provider.name(), "one");
/// let leaky = Provider::new("two", "https://two.example/?api-key=k", None);
/// assert_eq!(leaky.unwrap_err().code(), Code::RailRefused);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Provider {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) credential: Option<String>,
}

impl Provider {
    /// A provider by the name that evidence calls it, where it is asked, and the name of the
    /// credential that the sender adds, if it wants one.
    ///
    /// # Errors
    /// [`Code::RailRefused`] for an address that is not `http://` or `https://`, or that holds a
    /// query or a password: those are where keys are found.
    pub fn new(name: &str, url: &str, credential: Option<&str>) -> Result<Self, Error> {
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let fit = rest.is_some_and(|rest| {
            !rest.is_empty() && rest.chars().all(|c| c.is_ascii_graphic() && !"?#@".contains(c))
        });
        if !fit || name.is_empty() {
            let detail = format!(
                "the address of provider {name:?} is https://host/path without a query, password \
                 or key: give its key as a credential"
            );
            return Err(Error::new(Code::RailRefused, detail));
        }
        let credential = credential.map(str::to_owned);
        Ok(Self { name: name.to_owned(), url: url.to_owned(), credential })
    }

    /// What evidence calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Debug for Provider {
    // Some addresses have a key in their path, whatever they were asked to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Provider({})", self.name)
    }
}

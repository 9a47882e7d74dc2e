//! Somebody who runs nodes, and the key that they want.

use std::fs;
use std::path::{Path, PathBuf};

use divvy_core::{Code, Error};
use divvy_solana::Provider;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::Credential;
use crate::key::read_private;

/// Somebody who runs nodes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SolanaProvider {
    /// What evidence calls it.
    pub name: String,
    /// Where it is asked. No key may stand in it.
    pub url: String,
    /// The file with its key, which nobody else may read.
    pub key_file: Option<PathBuf>,
    /// The variable of the environment that holds its key.
    pub key_env: Option<String>,
    /// The header that carries the key, whole; without this and the next, `authorization`.
    pub key_header: Option<String>,
    /// The part of the query that carries the key, where a provider wants it there.
    pub key_query: Option<String>,
}

impl SolanaProvider {
    /// As the rail asks it: the key is named, and never part of what it asks.
    pub(super) fn provider(&self) -> Result<Provider, Error> {
        let has_key = self.key_file.is_some() || self.key_env.is_some();
        let named = has_key.then(|| self.credential_name());
        Provider::new(&self.name, &self.url, named.as_deref())
    }

    /// Its key, for the sender alone; paths are as of a folder.
    pub(super) fn credential(&self, dir: &Path) -> Result<Option<Credential>, Error> {
        let malformed =
            |why: &str| Error::new(Code::InputMalformed, format!("provider {:?} {why}", self.name));
        let key = match (&self.key_file, &self.key_env) {
            (None, None) if self.key_header.is_none() && self.key_query.is_none() => {
                return Ok(None);
            }
            (Some(file), None) => read_private(&dir.join(file), fs::read_to_string)?,
            (None, Some(name)) => variable(name)?,
            _ => return Err(malformed("needs key_file or key_env, one of them")),
        };
        let key = Zeroizing::new(key.trim().to_owned());
        if key.is_empty() {
            return Err(malformed("has an empty key"));
        }
        let name = self.credential_name();
        let credential = match (&self.key_header, &self.key_query) {
            (Some(_), Some(_)) => return Err(malformed("has key_header or key_query, not both")),
            (None, Some(part)) => Credential::in_query(&name, &self.url, part, key.as_str()),
            (header, None) => {
                let header = header.as_deref().unwrap_or("authorization");
                Credential::new(&name, &self.url, header, key.as_str())
            }
        };
        credential.map(Some)
    }

    fn credential_name(&self) -> String {
        format!("solana-{}", self.name)
    }
}

#[expect(clippy::disallowed_methods, reason = "the settings name the variable that holds the key")]
fn variable(name: &str) -> Result<Zeroizing<String>, Error> {
    std::env::var(name).map(Zeroizing::new).map_err(|_| {
        let detail = format!("the environment has no {name}, which should hold a provider's key");
        Error::new(Code::InputMalformed, detail)
    })
}

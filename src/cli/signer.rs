//! Who does something, and the key that they sign it with.

use std::path::PathBuf;

use clap::Args;
use divvy::core::{Code, Error, Judge, Name, SecretKey};
use divvy::read_key;

use crate::cli::setup::Desk;

/// Who does something.
#[derive(Args, Debug)]
pub(crate) struct Signer {
    /// The file with your key, where the book knows people.
    #[arg(long, env = "DIVVY_KEY")]
    key: Option<PathBuf>,
    /// Your name, where the book knows nobody: it is written down, and nobody can check it.
    #[arg(long)]
    by: Option<String>,
}

impl Signer {
    pub(crate) fn key(&self) -> Result<Option<SecretKey>, Error> {
        self.key.as_deref().map(read_key).transpose()
    }

    /// The one whose key it is, or, where the book knows nobody, who they say; nobody where neither
    /// is needed nor said.
    pub(crate) fn judge<'a>(
        &self,
        desk: &Desk,
        key: Option<&'a SecretKey>,
        reason: &str,
    ) -> Result<Option<Judge<'a>>, Error> {
        let book = desk.divvy.books().book(desk.project.book.as_str()).ok();
        let guarded = book.and_then(divvy::core::Book::guarded);
        let by = match (guarded, key, &self.by) {
            (Some(guarded), Some(key), _) => {
                let public = key.public();
                let known = guarded.people.iter().find(|person| person.key == public);
                known.map(|person| person.name.clone()).ok_or_else(|| {
                    let detail = format!("book {} knows nobody with this key", desk.project.book);
                    Error::new(Code::SignatureWrong, detail)
                })?
            }
            (Some(_), None, Some(_)) => {
                let detail = format!("book {} knows its people: use --key", desk.project.book);
                return Err(Error::new(Code::SignatureWrong, detail));
            }
            (None, _, Some(by)) => Name::new(by)?,
            // Where it needs one, the book itself refuses what nobody has signed.
            (_, _, None) => return Ok(None),
        };
        Ok(Some(Judge { by, reason: reason.to_owned(), key }))
    }
}

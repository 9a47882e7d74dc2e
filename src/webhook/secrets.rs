//! Secrets of webhooks in files of their own, and in the environment.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use divvy_core::{Code, Error};
use zeroize::Zeroizing;

use crate::key::read_private;
use crate::webhook::{PREFIX, WebhookSecrets};

/// Puts a new secret in front of those of a file, which is made when it is not there, and keeps so
/// many of the old ones. From then on messages are signed with all of them, so that receivers
/// change over in their own time; with 0 old ones, only the new one counts.
///
/// The file is replaced as a whole: whoever reads it meanwhile reads the old or the new one.
///
/// ```
/// let folder = std::env::temp_dir().join(format!("divvy-rotate-{}", std::process::id()));
/// std::fs::create_dir_all(&folder).unwrap();
/// let file = folder.join("app.secrets");
/// divvy::rotate_secret(&file, 1)?;
/// divvy::rotate_secret(&file, 1)?;
/// divvy::rotate_secret(&file, 1)?;
/// assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 2);
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok::<(), divvy::core::Error>(())
/// ```
///
/// # Errors
/// [`Code::FileUnusable`] for a file that cannot be read or written, or that others may read;
/// [`Code::InputMalformed`] for one that holds something else than secrets;
/// [`Code::StoreUnusable`] when the system gives no randomness.
pub fn rotate_secret(file: &Path, old_kept: usize) -> Result<(), Error> {
    let before = if file.exists() {
        read_private(file, fs::read_to_string)?
    } else {
        Zeroizing::new(String::new())
    };
    let old: Vec<&str> = before.split_whitespace().collect();
    if !old.is_empty() {
        WebhookSecrets::new(&old)?;
    }
    let mut bytes = Zeroizing::new([0_u8; SECRET_BYTES]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|error| {
        Error::new(Code::StoreUnusable, format!("the system gives no randomness: {error}"))
    })?;
    let new = Zeroizing::new(format!("{PREFIX}{}\n", STANDARD.encode(bytes.as_slice())));
    let mut after = Zeroizing::new(String::with_capacity(before.len().saturating_add(new.len())));
    after.push_str(&new);
    for secret in old.into_iter().take(old_kept) {
        after.push_str(secret);
        after.push('\n');
    }
    replace(file, after.as_bytes()).map_err(|error| unusable(file, &error.to_string()))
}

/// The secrets of a file, newest first.
pub(super) fn read(file: &Path) -> Result<WebhookSecrets, Error> {
    if !file.exists() {
        return Err(unusable(file, "it is not there: `divvy webhook rotate` makes it"));
    }
    let text = read_private(file, fs::read_to_string)?;
    let secrets: Vec<&str> = text.split_whitespace().collect();
    WebhookSecrets::new(&secrets)
        .map_err(|error| Error::new(error.code(), format!("{}: {error}", file.display())))
}

/// The secrets of a variable of the environment.
#[expect(clippy::disallowed_methods, reason = "the settings name the variable that holds them")]
pub(super) fn read_variable(name: &str) -> Result<WebhookSecrets, Error> {
    let malformed = |why: &str| Error::new(Code::InputMalformed, format!("{name}: {why}"));
    let text = std::env::var(name).map(Zeroizing::new);
    let text = text.map_err(|_| malformed("it is not set, and should hold webhook secrets"))?;
    let secrets: Vec<&str> = text.split_whitespace().collect();
    WebhookSecrets::new(&secrets).map_err(|error| malformed(&error.to_string()))
}

/// Writes a file beside, flushes it, and puts it in place.
fn replace(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let beside = file.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut new = options.open(&beside)?;
    new.write_all(bytes)?;
    new.sync_all()?;
    fs::rename(&beside, file)
}

fn unusable(file: &Path, why: &str) -> Error {
    Error::new(Code::FileUnusable, format!("the secrets {}: {why}", file.display()))
}

/// As many as a sum of SHA-256 has.
const SECRET_BYTES: usize = 32;

//! The keys of people who approve and decide, in files of their own.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use divvy_core::{Code, Error, PublicKey, SecretKey};
use zeroize::{Zeroize, Zeroizing};

/// Reads the secret key of a person from their file, which nobody else may read.
///
/// # Errors
/// [`Code::FileUnusable`] for a file that is not there or that others may read;
/// [`Code::InputMalformed`] for one that holds no key.
///
/// ```
/// let folder = std::env::temp_dir().join(format!("divvy-key-{}", std::process::id()));
/// std::fs::create_dir_all(&folder).unwrap();
/// let file = folder.join("ann.key");
/// let public = divvy::make_key(&file)?;
/// assert_eq!(divvy::read_key(&file)?.public(), public);
/// // A key is made once: whoever makes it again would lose what was signed for.
/// assert!(divvy::make_key(&file).is_err());
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok::<(), divvy::core::Error>(())
/// ```
pub fn read_key(file: &Path) -> Result<SecretKey, Error> {
    let text = read_private(file, fs::read_to_string)?;
    let seed = seed(text.trim()).ok_or_else(|| {
        let detail = format!("{} holds no key: make one with `divvy key`", file.display());
        Error::new(Code::InputMalformed, detail)
    })?;
    Ok(SecretKey::new(&seed))
}

/// Makes a key, writes its secret half into a new file that nobody else may read, and returns the
/// public half.
///
/// # Errors
/// [`Code::FileUnusable`] for a file that is there already or cannot be written;
/// [`Code::StoreUnusable`] when the system gives no randomness.
pub fn make_key(file: &Path) -> Result<PublicKey, Error> {
    let mut seed = Zeroizing::new([0_u8; 32]);
    getrandom::fill(seed.as_mut_slice()).map_err(|error| {
        Error::new(Code::StoreUnusable, format!("the system gives no randomness: {error}"))
    })?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut text = Zeroizing::new(String::with_capacity(TEXT_LEN));
    for digit in seed.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
        text.extend(char::from_digit(digit.into(), 16));
    }
    text.push('\n');
    let written = options.open(file).and_then(|mut new| {
        new.write_all(text.as_bytes())?;
        new.sync_all()
    });
    written.map_err(|error| {
        let known = error.kind() == ErrorKind::AlreadyExists;
        let why = "it is there already, and a key that is made anew is another: name a new file";
        unusable(file, if known { why.to_owned() } else { error.to_string() }.as_str())
    })?;
    Ok(SecretKey::new(&seed).public())
}

/// 64 hexadecimal digits and the end of a line.
const TEXT_LEN: usize = 65;

fn seed(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let mut seed = Zeroizing::new([0_u8; 32]);
    if pairs.len() != seed.len() || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in seed.iter_mut().zip(pairs) {
        let digit = |digit: &u8| char::from(*digit).to_digit(16);
        *byte = u8::try_from(digit(high)?.checked_mul(16)?.checked_add(digit(low)?)?).ok()?;
    }
    Some(seed)
}

/// Reads a file that nobody else may read, into what is wiped when it is dropped.
pub(crate) fn read_private<'a, T: Zeroize>(
    file: &'a Path,
    read: impl FnOnce(&'a Path) -> std::io::Result<T>,
) -> Result<Zeroizing<T>, Error> {
    check_private(file)?;
    read(file).map(Zeroizing::new).map_err(|error| unusable(file, &error.to_string()))
}

#[cfg(unix)]
fn check_private(file: &Path) -> Result<(), Error> {
    let found = fs::metadata(file).map_err(|error| unusable(file, &error.to_string()))?;
    let mode = std::os::unix::fs::PermissionsExt::mode(&found.permissions());
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(unusable(file, "others on this machine may read it: chmod 600, or make a new one"))
}

/// Elsewhere a folder's own rights have to keep it.
#[cfg(not(unix))]
fn check_private(_: &Path) -> Result<(), Error> {
    Ok(())
}

fn unusable(file: &Path, why: &str) -> Error {
    Error::new(Code::FileUnusable, format!("the key {}: {why}", file.display()))
}

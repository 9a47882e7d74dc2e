//! Passwords in a file, as every PostgreSQL client reads them.

use std::fs;
use std::path::Path;

use divvy_core::{Code, Error};
use tokio_postgres::Config;
use tokio_postgres::config::Host;
use zeroize::Zeroizing;

/// The password of the first line that fits: `host:port:database:user:password`, where a star fits
/// everything, and a backslash takes the next character as it is.
pub(super) fn find(file: &Path, config: &Config) -> Result<Option<Zeroizing<String>>, Error> {
    let unusable = |why: String| {
        Error::new(Code::FileUnusable, format!("the passfile {} {why}", file.display()))
    };
    let unread = |error: std::io::Error| unusable(format!("cannot be read: {error}"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(file).map_err(unread)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(unusable("may be read by others: chmod 600".to_owned()));
        }
    }
    let text = Zeroizing::new(fs::read_to_string(file).map_err(unread)?);
    let port = config.get_ports().first().copied().unwrap_or(5432).to_string();
    let user = config.get_user().unwrap_or_default();
    let database = config.get_dbname().unwrap_or(user);
    let hosts = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(_) => "localhost".to_owned(),
    });
    for host in hosts {
        let wanted = [host.as_str(), &port, database, user];
        if let Some(password) = text.lines().find_map(|line| fits(line, &wanted)) {
            return Ok(Some(password));
        }
    }
    Ok(None)
}

fn fits(line: &str, wanted: &[&str; 4]) -> Option<Zeroizing<String>> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields = vec![Zeroizing::new(String::new())];
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        let letter = match letter {
            ':' if fields.len() < 5 => {
                fields.push(Zeroizing::new(String::new()));
                continue;
            }
            '\\' => letters.next()?,
            letter => letter,
        };
        fields.last_mut()?.push(letter);
    }
    let password = fields.get(4)?.clone();
    let fit = fields.iter().zip(wanted).all(|(said, want)| **said == "*" || **said == **want);
    (fit && !password.is_empty()).then_some(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        let wanted = ["db.example", "5432", "shop", "till"];
        let cases: [(&str, Option<&str>); 8] = [
            ("db.example:5432:shop:till:s3cret", Some("s3cret")),
            ("*:*:*:till:s3cret", Some("s3cret")),
            (r"*:*:*:till:a\:b\\c", Some(r"a:b\c")),
            ("*:*:*:till:a:b", Some("a:b")),
            ("other:5432:shop:till:no", None),
            ("db.example:5432:shop:other:no", None),
            ("# db.example:5432:shop:till:no", None),
            ("db.example:5432:shop", None),
        ];
        for (line, password) in cases {
            let found = fits(line, &wanted);
            assert_eq!(found.as_ref().map(|found| found.as_str()), password, "{line}");
        }
    }
}

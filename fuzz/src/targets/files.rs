//! Files that users write: CSV, settings, and secrets that must not show.

use std::collections::BTreeSet;
use std::path::Path;

use divvy::core::{Amount, Asset, Code, Error};
use divvy::{BadLine, Credential, PaymentsFile, Project, read_holders, read_payments};

/// A cap table: nobody is there twice, and every bad line is one of the file.
pub(crate) fn holders(bytes: &[u8]) {
    let import = match read_holders(bytes) {
        Ok(import) => import,
        Err(error) => return refused(&error),
    };
    numbered(bytes, &import.bad);
    let names: BTreeSet<_> = import.rows.iter().map(|row| &row.holder).collect();
    assert_eq!(names.len(), import.rows.len(), "a holder is there twice");
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let mut written = String::from("holder,units,destination\n");
    for row in &import.rows {
        let to = row.destination.as_deref().unwrap_or_default();
        let (holder, to) = (quoted(row.holder.as_str()), quoted(to));
        written.push_str(&format!("{holder},{},{to}\n", row.units));
    }
    let again = read_holders(written.as_bytes()).expect("it has its columns");
    assert_eq!((again.rows, again.bad), (import.rows, Vec::new()));
}

/// Payments: nothing of zero is taken, and two readings say the same.
pub(crate) fn payments(bytes: &[u8]) {
    let usd = Asset::parse("USD").expect("an asset");
    let settings = PaymentsFile::plain(usd.clone()).expect("settings");
    let import = match read_payments(bytes, &settings, &usd) {
        Ok(import) => import,
        Err(error) => return refused(&error),
    };
    numbered(bytes, &import.bad);
    let mut total = Amount::ZERO;
    for payment in &import.rows {
        assert!(!payment.amount().is_zero(), "nothing to divide");
        total = total.plus(payment.amount()).unwrap_or(Amount::MAX);
    }
    let again = read_payments(bytes, &settings, &usd).expect("it was read before");
    assert_eq!((again.rows, again.bad), (import.rows, import.bad));
}

/// A project's settings: what they allow can be lived by.
pub(crate) fn settings(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let project = match Project::parse(text, Path::new("folder")) {
        Ok(project) => project,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    for amount in [Amount::ZERO, Amount::ONE, Amount::MAX] {
        let parts = project.rule.legs.divide(amount).expect("a standing rule divides everything");
        assert_eq!(Amount::total(parts), Ok(amount));
    }
    assert!(!project.opened.floor.is_zero());
    assert!(project.rule.legs.amount().is_none());
}

/// A secret: whoever prints the credential does not see it.
pub(crate) fn credential(bytes: &[u8]) {
    let mut parts = bytes.splitn(4, |byte| *byte == b'\n');
    let mut text = || String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let (name, origin, header, secret) = (text(), text(), text(), text());
    let said = match Credential::new(&name, &origin, &header, secret.clone()) {
        Ok(credential) => format!("{credential:?}"),
        Err(error) => {
            assert_eq!(error.code(), Code::InputMalformed);
            error.to_string()
        }
    };
    // What the others show is theirs, and short texts are everywhere.
    let elsewhere = [&name, &origin, &header].iter().any(|part| part.contains(&secret));
    assert!(secret.len() < 16 || elsewhere || !said.contains(&secret), "the secret is shown");
}

fn refused(error: &Error) {
    assert!(matches!(error.code(), Code::InputMalformed | Code::FileUnusable), "{error}");
}

/// Bad lines come in order, each with a reason, and none is beyond the end of a plain file. JSON
/// lines have no head, so the first may be bad.
fn numbered(bytes: &[u8], bad: &[BadLine]) {
    assert!(bad.is_sorted_by(|a, b| a.line < b.line), "{bad:?}");
    assert!(bad.iter().all(|bad| bad.line > 0 && !bad.problem.is_empty()), "{bad:?}");
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        let ends = bytes.iter().filter(|byte| matches!(byte, b'\r' | b'\n')).count();
        let last = bad.last().map_or(0, |bad| bad.line);
        assert!(usize::try_from(last).is_ok_and(|last| last <= ends + 1), "{bad:?}");
    }
}

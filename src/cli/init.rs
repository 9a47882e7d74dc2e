//! `divvy init`: settings to begin with.

use std::path::Path;

use divvy::SETTINGS_FILE;
use divvy::core::{Code, Error};
use serde_json::json;

use crate::cli::Verdict;
use crate::cli::out::Out;

/// Settings that work as they are.
const SETTINGS: &str = r#"# One book: its asset, and who gets what of each payment.
book = "my-book"
asset = "USD"

rule = [
    { payee = "creator", share = "90%" },
    { payee = "platform", share = "remaining" },
]

# Payees are paid at their own name over the rail, from this amount on.
named_on_rail = true
threshold = "50.00"

# Payments to take in: id,paid_at,amount,payer
# [payments]
# file = "payments.csv"

# The sandbox moves no real money.
[rail]
kind = "sandbox"
"#;

pub(crate) fn init(dir: &Path, out: &mut Out) -> Result<Verdict, Error> {
    let path = dir.join(SETTINGS_FILE);
    let unusable = |error: std::io::Error| {
        let detail = format!("cannot write {}: {error}", path.display());
        Error::new(Code::FileUnusable, detail)
    };
    std::fs::create_dir_all(dir).map_err(unusable)?;
    if path.exists() {
        let detail =
            format!("{} is there already: edit it, or name another folder", path.display());
        return Err(Error::new(Code::FileUnusable, detail));
    }
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).open(&path).map_err(unusable)?;
    std::io::Write::write_all(&mut file, SETTINGS.as_bytes()).map_err(unusable)?;
    out.say(&format!("wrote {}: edit it, then `divvy run {}`", path.display(), dir.display()));
    out.value(&json!({ "wrote": path.display().to_string() }));
    Ok(Verdict::Done)
}

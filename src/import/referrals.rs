//! Who brought whom, from a host's own tables.

use divvy_core::{Error, Name};

use crate::import::Import;
use crate::import::rows::read_rows;

/// Reads `who,by`, as CSV or as JSON lines, plain or compressed with gzip: who was brought, and by
/// whom.
///
/// ```
/// use divvy::read_referrals;
///
/// let import = read_referrals(b"who,by\nbob,ann\ncyd,\n")?;
/// assert_eq!((import.rows.len(), import.bad[0].line), (1, 3));
/// # Ok::<(), divvy::core::Error>(())
/// ```
///
/// # Errors
/// [`divvy_core::Code::FileUnusable`] when the file cannot be read,
/// [`divvy_core::Code::InputMalformed`] when it lacks a column.
pub fn read_referrals(bytes: &[u8]) -> Result<Import<(Name, Name)>, Error> {
    read_rows(bytes, &["who", "by"], |row| {
        Ok((Name::new(&row.field("who")?)?, Name::new(&row.field("by")?)?))
    })
}

//! The rows of a file: records of CSV, or objects in JSON lines.

use std::borrow::Cow;
use std::io::Read as _;

use divvy_core::{Code, Error, Hash};
use flate2::read::MultiGzDecoder;
use serde_json::{Map, Value};

use crate::import::{BadLine, Import};

/// One row, and where it stands.
pub(super) struct Row<'a> {
    fields: Fields<'a>,
    pub(super) line: u64,
}

enum Fields<'a> {
    Record { header: &'a csv::StringRecord, record: &'a csv::StringRecord },
    Object(&'a Map<String, Value>),
}

impl Row<'_> {
    /// A field, unless it is absent or empty.
    pub(super) fn optional(&self, column: &str) -> Result<Option<Cow<'_, str>>, Error> {
        let text = match &self.fields {
            Fields::Record { header, record } => {
                let at = header.iter().position(|name| name == column);
                at.and_then(|at| record.get(at)).map(Cow::Borrowed)
            }
            Fields::Object(object) => match object.get(column) {
                None | Some(Value::Null) => None,
                Some(Value::String(text)) => Some(Cow::Borrowed(text.trim())),
                Some(Value::Number(number)) if number.is_u64() => {
                    Some(Cow::Owned(number.to_string()))
                }
                Some(other) => {
                    // A number with a point may have lost digits before it came to us.
                    let detail = format!("{column} is {other}: write it as text, in quotes");
                    return Err(Error::new(Code::InputMalformed, detail));
                }
            },
        };
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// A field that must be there.
    pub(super) fn field(&self, column: &str) -> Result<Cow<'_, str>, Error> {
        self.optional(column)?.ok_or_else(|| {
            Error::new(Code::InputMalformed, format!("{column} is empty: fill it in"))
        })
    }
}

/// Reads every row of a file, plain or compressed with gzip. A file whose first sign is a brace has
/// one JSON object on each line; every other one is CSV.
pub(super) fn read_rows<T>(
    bytes: &[u8],
    columns: &[&str],
    read: impl FnMut(&Row<'_>) -> Result<T, Error>,
) -> Result<Import<T>, Error> {
    let plain = plain(bytes)?;
    let hash = Hash::of(bytes);
    match plain.trim_ascii_start().first() {
        Some(b'{') => Ok(read_objects(&plain, hash, read)),
        _ => read_records(&plain, hash, columns, read),
    }
}

fn read_objects<T>(
    plain: &[u8],
    hash: Hash,
    mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
) -> Import<T> {
    let mut import = Import { rows: Vec::new(), bad: Vec::new(), hash };
    for (line, text) in (1_u64..).zip(plain.split(|byte| *byte == b'\n')) {
        if text.trim_ascii().is_empty() {
            continue;
        }
        let row = match serde_json::from_slice(text) {
            Ok(object) => read(&Row { fields: Fields::Object(&object), line }),
            Err(error) => {
                let detail = format!("no JSON object on one line: {error}");
                Err(Error::new(Code::InputMalformed, detail))
            }
        };
        import.take(line, row);
    }
    import
}

fn read_records<T>(
    plain: &[u8],
    hash: Hash,
    columns: &[&str],
    mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
) -> Result<Import<T>, Error> {
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(plain);
    let header = reader.headers().map_err(|error| unreadable(&error))?.clone();
    for column in columns {
        if !header.iter().any(|name| name == *column) {
            let columns = columns.join(", ");
            let detail = format!("no column {column:?}: the first line must name {columns}");
            return Err(Error::new(Code::InputMalformed, detail));
        }
    }
    let mut import = Import { rows: Vec::new(), bad: Vec::new(), hash };
    let mut lines = Lines { plain, at: 0, line: 1 };
    let mut record = csv::StringRecord::new();
    loop {
        let start = reader.position().byte();
        let line = lines.line_of(start);
        let row = match reader.read_record(&mut record) {
            Ok(false) => return Ok(import),
            Ok(true) => {
                let fields = Fields::Record { header: &header, record: &record };
                read(&Row { fields, line })
            }
            Err(error) if error.is_io_error() => return Err(unreadable(&error)),
            Err(error) => Err(Error::new(Code::InputMalformed, error.to_string())),
        };
        import.take(line, row);
    }
}

impl<T> Import<T> {
    /// Takes a row, or tells what is wrong with it.
    fn take(&mut self, line: u64, row: Result<T, Error>) {
        match row {
            Ok(row) => self.rows.push(row),
            Err(error) => self.bad.push(BadLine { line, problem: error.to_string() }),
        }
    }
}

/// Counts lines up to a byte, going forward only.
struct Lines<'a> {
    plain: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the first record at or after a byte; line ends before it are passed over.
    fn line_of(&mut self, byte: u64) -> u64 {
        let from = usize::try_from(byte).unwrap_or(usize::MAX).max(self.at);
        let rest = self.plain.get(from..).unwrap_or_default();
        let ends = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let until = from.saturating_add(ends).min(self.plain.len());
        let passed = self.plain.get(self.at..until).unwrap_or_default();
        // A lone carriage return ends a line too, as the reader of records has it.
        let next = passed.iter().skip(1).map(Some).chain([None]);
        let ends = |(byte, next): &(&u8, Option<&u8>)| match byte {
            b'\n' => true,
            b'\r' => *next != Some(&b'\n'),
            _ => false,
        };
        let count = passed.iter().zip(next).filter(ends).count();
        self.line = self.line.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        self.at = until;
        self.line
    }
}

/// The text of a file: uncompressed, without a byte order mark.
fn plain(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut plain = Vec::new();
    if bytes.starts_with(GZIP) {
        MultiGzDecoder::new(bytes).read_to_end(&mut plain).map_err(|error| {
            Error::new(Code::FileUnusable, format!("the file cannot be unpacked: {error}"))
        })?;
    } else {
        plain.extend_from_slice(bytes);
    }
    if plain.starts_with(MARK) {
        plain.drain(..MARK.len());
    }
    Ok(plain)
}

/// How gzip begins.
const GZIP: &[u8] = &[0x1f, 0x8b];

/// The UTF-8 byte order mark.
const MARK: &[u8] = &[0xef, 0xbb, 0xbf];

fn unreadable(error: &csv::Error) -> Error {
    Error::new(Code::FileUnusable, format!("the file cannot be read: {error}"))
}

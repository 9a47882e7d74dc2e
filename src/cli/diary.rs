//! What comes in over time beside payments: money that goes back, and what moves the treasury.

use std::path::Path;

use divvy::core::{Error, Funds, Judge, Reversal, Time};
use divvy::{BadLine, Ended, Makeup, Recording, read_file, read_funds, read_refunds};

use crate::cli::out::Out;
use crate::cli::refund::{end_one, take_back};
use crate::cli::setup::{Desk, say_bad_lines};
use crate::cli::take::{Taken, payments_settings};

/// The files of a project that tell of more than payments, by time.
#[derive(Debug, Default)]
pub(crate) struct Diary {
    /// What is still to come, the next one last.
    entries: Vec<Entry>,
    pub(crate) taken: Taken,
    pub(crate) bad: Vec<BadLine>,
}

#[derive(Clone, Debug)]
struct Entry {
    at: Time,
    line: u64,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Back(Reversal),
    Ended(Reversal, Ended),
    Moved(Funds),
}

impl Diary {
    /// Reads what the settings name; lines that cannot be read are said.
    pub(crate) fn open(desk: &Desk, out: &mut Out) -> Result<Self, Error> {
        let mut diary = Self::default();
        if let Some(file) = &desk.project.refunds {
            diary.read_refunds(desk, file, out)?;
        }
        if let Some(file) = &desk.project.funds {
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
            let asset = &desk.project.opened.asset;
            let import = read_funds(&read_file(file)?, &name.unwrap_or_default(), asset)?;
            diary.say_bad(file, import.bad, out);
            let entry =
                |funds: Funds| Entry { at: funds.event_at, line: 0, what: What::Moved(funds) };
            diary.entries.extend(import.rows.into_iter().map(entry));
        }
        diary.entries.sort_by_key(|entry| core::cmp::Reverse(entry.at));
        Ok(diary)
    }

    fn read_refunds(&mut self, desk: &Desk, file: &Path, out: &mut Out) -> Result<(), Error> {
        let settings = payments_settings(desk)?;
        let import = read_refunds(&read_file(file)?, file, &settings)?;
        self.say_bad(file, import.bad, out);
        for row in import.rows {
            let line = row.line;
            if let Some(ended) = row.ended {
                let what = What::Ended(row.reversal.clone(), ended);
                self.entries.push(Entry { at: ended.at, line, what });
            }
            let at = row.reversal.event_at();
            self.entries.push(Entry { at, line, what: What::Back(row.reversal) });
        }
        Ok(())
    }

    fn say_bad(&mut self, file: &Path, bad: Vec<BadLine>, out: &mut Out) {
        say_bad_lines(out, file, &bad);
        self.bad.extend(bad);
    }

    /// Takes in whatever has happened until now.
    pub(crate) async fn take(
        &mut self,
        desk: &mut Desk,
        judge: Option<&Judge<'_>>,
        now: Time,
        out: &mut Out,
    ) -> Result<(), Error> {
        while let Some(entry) = self.entries.pop_if(|entry| entry.at <= now) {
            let done = match &entry.what {
                What::Back(reversal) => take_back(desk, reversal, Makeup::Net, now).await?,
                What::Ended(reversal, ended) => end_one(desk, reversal, ended, now).await?,
                What::Moved(funds) => {
                    let mut book = desk.book_by(judge.cloned())?;
                    let new = book.note_funds(std::slice::from_ref(funds), now).await?;
                    Ok(if new > 0 { Recording::New } else { Recording::Known })
                }
            };
            match done {
                Ok(recording) => self.taken.count(&recording, out),
                Err(problem) => {
                    let bad = vec![BadLine { line: entry.line, problem }];
                    let file = desk.project.refunds.clone().unwrap_or_default();
                    self.say_bad(&file, bad, out);
                }
            }
        }
        Ok(())
    }
}

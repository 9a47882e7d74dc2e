//! `divvy backup`: a copy of the database, made while it is in use, and verified.

use std::path::PathBuf;

use clap::Args;
use divvy::core::{Code, Error};
use divvy::{Database, Divvy, Project, Sqlite};
use serde_json::json;

use crate::cli::Verdict;
use crate::cli::out::Out;
use crate::cli::words::counted;

/// Copy the database into a new file while it is in use, and verify the copy.
#[derive(Args, Debug)]
pub(crate) struct Backup {
    /// The folder with `divvy.toml`.
    dir: PathBuf,
    /// The new file; one that is there already is never written over.
    file: PathBuf,
}

impl Backup {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let project = Project::read(&self.dir)?;
        let Database::File(path) = &project.database else {
            let detail = format!(
                "{} is on a server, whose own tools copy it at one moment: use pg_dump, or a base \
                 backup with archived WAL, as docs/backup.md says",
                project.database
            );
            return Err(Error::new(Code::InputMalformed, detail));
        };
        let database = Sqlite::open_read_only(path)?;
        database.back_up(&self.file).await?;
        // A backup that nobody has read is a hope.
        let mut copy = Divvy::open(Sqlite::open_read_only(&self.file)?).await?;
        let facts = copy.verify_anew().await?;
        let file = self.file.display();
        out.say(&format!("{file}: {}, and every one holds", counted(facts, "fact")));
        out.value(&json!({"file": file.to_string(), "facts": facts}));
        Ok(Verdict::Done)
    }
}

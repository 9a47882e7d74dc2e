//! `divvy export`: the book for those who keep books.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use divvy::Format;
use divvy::core::{Code, Error};
use serde_json::json;

use crate::cli::Verdict;
use crate::cli::out::Out;
use crate::cli::setup::Desk;

/// Write the book for those who keep books.
#[derive(Args, Debug)]
pub(crate) struct Export {
    /// The folder with `divvy.toml`.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Whose form it has.
    #[arg(long)]
    format: Form,
    /// The folder to write into; the project's own, where it is left out.
    #[arg(long)]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    Beancount,
    Hledger,
    Csv,
}

impl Export {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let mut desk = Desk::look(&self.dir).await?;
        let format = match self.format {
            Form::Beancount => Format::Beancount,
            Form::Hledger => Format::Hledger,
            Form::Csv => Format::Csv,
        };
        let book = desk.project.book.clone();
        let folder = self.out.as_ref().unwrap_or(&self.dir);
        let mut files = Vec::new();
        for file in desk.divvy.export(book.as_str(), format).await? {
            let path = folder.join(&file.name);
            std::fs::write(&path, &file.text).map_err(|error| unusable(&path, &error))?;
            out.say(&format!("{} is written", path.display()));
            files.push(path);
        }
        out.value(&json!({"files": files}));
        Ok(Verdict::Done)
    }
}

fn unusable(path: &Path, error: &std::io::Error) -> Error {
    Error::new(Code::FileUnusable, format!("cannot write {}: {error}", path.display()))
}

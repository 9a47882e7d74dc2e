//! `divvy report`: one page that shows where the money is.

use std::path::PathBuf;

use clap::Args;
use divvy::core::{Code, Error};
use divvy::{Names, clock};
use serde_json::json;

use crate::cli::Verdict;
use crate::cli::out::Out;
use crate::cli::setup::Desk;

/// Write one page that shows where the money is.
#[derive(Args, Debug)]
pub(crate) struct Page {
    /// The folder with `divvy.toml`.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// The file to write.
    #[arg(long)]
    out: PathBuf,
    /// Name nobody: for a page that everyone may see.
    #[arg(long)]
    hide_names: bool,
}

impl Page {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let mut desk = Desk::look(&self.dir).await?;
        let names = if self.hide_names { Names::Hidden } else { Names::Shown };
        let (book, terms) = (desk.project.book.clone(), desk.project.treasury.clone());
        let now = clock::now();
        desk.quote(now, out).await?;
        let page = desk.divvy.report(book.as_str(), names, &terms, now).await?.html();
        std::fs::write(&self.out, &page).map_err(|error| {
            let detail = format!("cannot write {}: {error}", self.out.display());
            Error::new(Code::FileUnusable, detail)
        })?;
        out.say(&format!("{} is written: open it in any browser", self.out.display()));
        out.value(&json!({"file": self.out, "bytes": page.len()}));
        Ok(Verdict::Done)
    }
}

//! `divvy refer`: who brought whom.

use std::path::PathBuf;

use clap::Args;
use divvy::clock;
use divvy::core::{Error, Name};
use serde_json::json;

use crate::cli::Verdict;
use crate::cli::out::Out;
use crate::cli::setup::Desk;

/// Record who brought a person, once.
#[derive(Args, Debug)]
pub(crate) struct Refer {
    /// Who was brought, as payments name the payer.
    who: String,
    /// Who brought them: the payee who earns from it.
    by: String,
    /// The folder with `divvy.toml`.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
}

impl Refer {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let (who, by) = (Name::new(&self.who)?, Name::new(&self.by)?);
        let now = clock::now();
        let mut desk = Desk::open(&self.dir).await?;
        desk.set_up(now, out).await?;
        desk.book()?.refer(&[(who, by)], now).await?;
        out.say(&format!("{} was brought by {}", self.who, self.by));
        out.value(&json!({"who": self.who, "by": self.by}));
        desk.close().await?;
        Ok(Verdict::Done)
    }
}

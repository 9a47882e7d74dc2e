//! `divvy adopt`: what the rail has paid and no fact knows.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use divvy::Clock;
use divvy::core::{Amount, Error};
use serde_json::json;

use crate::cli::Verdict;
use crate::cli::out::Out;
use crate::cli::setup::Desk;
use crate::cli::signer::Signer;
use crate::cli::till::{Till, sender};
use crate::cli::words::counted;

/// Take in what the rail has paid and no fact knows, after an older copy was put back.
#[derive(Args, Debug)]
pub(crate) struct Adopt {
    /// The folder with `divvy.toml`.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Only show what it is.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    signer: Signer,
}

impl Adopt {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let mut desk = Desk::open(&self.dir).await?;
        let (clock, book) = (Clock::system(), desk.project.book.clone());
        let till = Till::open(&desk.project).await?;
        let sender = Arc::new(sender(&desk.project, clock.clone())?);
        let mut worker = till.worker(&desk, sender, desk.project.worker)?;
        let shown = worker.beyond(&mut desk.divvy, &book, &clock).await?;
        let asset = desk.project.opened.asset.clone();
        let strangers = || shown.iter().flat_map(|shown| &shown.strangers);
        for stranger in strangers() {
            let total = asset.text(stranger.total()?);
            let lines = counted(stranger.lines.len(), "line");
            let (batch, reference) = (&stranger.batch, &stranger.reference);
            out.say(&format!("{total:>18}  {lines} of {batch} as {reference}"));
        }
        let key = self.signer.key()?;
        let reason = "the rails show it, and no fact knows it";
        let adopted = match self.signer.judge(&desk, key.as_ref(), reason)? {
            _ if self.dry_run => Amount::ZERO,
            Some(judge) => worker.adopt_by(&mut desk.divvy, &book, &shown, &judge, &clock).await?,
            None => worker.adopt(&mut desk.divvy, &book, &shown, &clock).await?,
        };
        let (adopted, count) = (asset.text(adopted), strangers().count());
        let tries = counted(count, "try");
        out.say(&format!("{tries} that no fact knows; {adopted} {} adopted", asset.code()));
        out.value(&json!({
            "dry_run": self.dry_run, "tries": count, "adopted": adopted,
            "asset": asset.to_string(),
        }));
        desk.close().await.map(|()| Verdict::Done)
    }
}

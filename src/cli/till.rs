//! The rail of a project, and the sandbox process behind it where it has none of its own.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use divvy::core::{Code, Error, Name, Rail};
use divvy::sandbox::Sandbox;
use divvy::{Project, RailSettings};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// The till: a rail to pay over, and the process that serves it, if it is ours.
#[derive(Debug)]
pub(crate) struct Till {
    pub(crate) rail: Arc<Sandbox>,
    pub(crate) url: String,
    settings: RailSettings,
    ledger: PathBuf,
    child: Option<Child>,
    pub(crate) restarts: u64,
}

impl Till {
    /// Reaches the rail of a project; starts a sandbox where no address is given.
    pub(crate) async fn open(project: &Project) -> Result<Self, Error> {
        let settings = project.rail.clone();
        let ledger = project.database.with_extension("sandbox.db");
        let (child, url) = match &settings.url {
            Some(url) => (None, url.clone()),
            None => start(&settings, &ledger, "127.0.0.1:0").await?,
        };
        let rail = Sandbox::new(sandbox_settings(&settings, &url)?)?;
        Ok(Self { rail: Arc::new(rail), url, settings, ledger, child, restarts: 0 })
    }

    pub(crate) fn rails(&self) -> Vec<Arc<dyn Rail>> {
        vec![Arc::clone(&self.rail) as Arc<dyn Rail>]
    }

    /// Starts the sandbox again at the same address when it was killed.
    pub(crate) async fn revive(&mut self) -> Result<(), Error> {
        let Some(child) = &mut self.child else { return Ok(()) };
        if matches!(child.try_wait(), Ok(None)) {
            return Ok(());
        }
        let address = self.url.trim_start_matches("http://").to_owned();
        let (child, _) = start(&self.settings, &self.ledger, &address).await?;
        self.child = child;
        self.restarts = self.restarts.saturating_add(1);
        Ok(())
    }
}

//! `divvy key`: files with secret keys, which nobody else may read.

use std::path::PathBuf;

use clap::Subcommand;
use divvy::core::Error;
use divvy::{make_key, read_key};
use serde_json::json;

use crate::cli::Verdict;
use crate::cli::out::Out;

/// Make a key to sign with, or show its public half.
#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Make a key.
    New {
        /// The new file; nobody else may read it.
        file: PathBuf,
    },
    /// Show the public half of a key.
    Show {
        /// The file with your key.
        file: PathBuf,
    },
}

impl Key {
    pub(crate) fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        match self {
            Self::New { file } => {
                let public = make_key(file)?;
                out.say(&format!("wrote {}; its public key is {public}", file.display()));
                out.value(&json!({"wrote": file.display().to_string(), "key": public}));
            }
            Self::Show { file } => {
                let public = read_key(file)?.public();
                out.say(&public.to_string());
                out.value(&json!({"key": public}));
            }
        }
        Ok(Verdict::Done)
    }
}

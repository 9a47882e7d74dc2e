//! `divvy seal`, `divvy prove` and `divvy check-proof`.

use std::path::{Path, PathBuf};

use clap::Args;
use divvy::clock;
use divvy::core::{Asset, Checked, Code, Error, Hash, Proof};
use serde_json::json;

use crate::cli::Verdict;
use crate::cli::out::Out;
use crate::cli::setup::Desk;
use crate::cli::words::{counted, one_or};

/// Write down what a holder can prove.
#[derive(Args, Debug)]
pub(crate) struct Prove {
    /// The holder.
    holder: String,
    /// The folder with `divvy.toml`.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// Where to write the proofs; without it, they are printed.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Check proofs against roots that were given before, without any database.
#[derive(Args, Debug)]
pub(crate) struct CheckProof {
    /// The file that `divvy prove` wrote.
    file: PathBuf,
    /// Roots of seals, or hashes of declarations, that you were given before. Each proof must lead
    /// to one of them.
    #[arg(long = "root", required = true)]
    roots: Vec<String>,
    /// How amounts are shown; without it, in minor units.
    #[arg(long)]
    asset: Option<String>,
}

/// `divvy seal`.
pub(crate) async fn seal(dir: &Path, out: &mut Out) -> Result<Verdict, Error> {
    let mut desk = Desk::open(dir).await?;
    let sealed = desk.divvy.seal(clock::now()).await?;
    match &sealed {
        Some((root, facts)) => {
            let (count, are) = (counted(facts, "fact"), one_or(facts, "is", "are"));
            out.say(&format!("{count} {are} sealed: keep {root}"));
        }
        None => out.say("nothing is new since the last seal"),
    }
    let (root, facts) = sealed.unzip();
    out.value(&json!({"root": root, "facts": facts.unwrap_or(0)}));
    desk.close().await.map(|()| Verdict::Done)
}

impl Prove {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let mut desk = Desk::look(&self.dir).await?;
        let book = desk.project.book.clone();
        let proofs = desk.divvy.prove(book.as_str(), &self.holder).await?;
        let text = serde_json::to_string_pretty(&proofs)
            .map_err(|error| Error::new(Code::InputMalformed, error.to_string()))?;
        match &self.out {
            Some(file) => {
                std::fs::write(file, &text).map_err(|error| unusable(file, &error))?;
                let count = proofs.len();
                let (proofs, are) = (counted(count, "proof"), one_or(count, "is", "are"));
                out.say(&format!("{proofs} of {} {are} in {}", self.holder, file.display()));
            }
            None => out.say(&text),
        }
        out.value(&json!({"holder": self.holder, "proofs": proofs}));
        Ok(Verdict::Done)
    }
}

impl CheckProof {
    pub(crate) fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let asset = self.asset.as_deref().map(Asset::parse).transpose()?;
        let roots = self.roots.iter().map(|text| root(text)).collect::<Result<Vec<_>, _>>()?;
        let text = std::fs::read_to_string(&self.file);
        let text = text.map_err(|error| unusable(&self.file, &error))?;
        let proofs: Vec<Proof> = serde_json::from_str(&text).map_err(|error| {
            let detail = format!("{} holds no proofs: {error}", self.file.display());
            Error::new(Code::InputMalformed, detail)
        })?;
        if proofs.is_empty() {
            let detail = format!("{} holds no proofs: nothing is shown", self.file.display());
            return Err(Error::new(Code::ProofWrong, detail));
        }
        let mut shown = Vec::with_capacity(proofs.len());
        for proof in &proofs {
            let checked = lead(proof, &roots)?;
            let text =
                |amount| asset.as_ref().map_or_else(|| format!("{amount}"), |of| of.text(amount));
            out.say(&format!(
                "declaration {} of {} at {}: {} held {} of {} units of {}, and their part is {}",
                checked.declaration,
                checked.pool,
                checked.at,
                checked.holder,
                checked.units,
                checked.supply,
                text(checked.declared),
                text(checked.part)
            ));
            shown.push(checked);
        }
        let count = proofs.len();
        let hold = one_or(count, "holds", "hold");
        out.say(&format!("{} {hold}", counted(count, "proof")));
        out.value(&json!({"proofs": shown}));
        Ok(Verdict::Done)
    }
}

/// What a proof shows by whichever root it leads to.
fn lead(proof: &Proof, roots: &[Hash]) -> Result<Checked, Error> {
    let mut refused = None;
    for root in roots {
        match proof.check(root) {
            Ok(checked) => return Ok(checked),
            Err(error) => refused = Some(error),
        }
    }
    Err(refused.unwrap_or_else(|| Error::new(Code::ProofWrong, "no root was given")))
}

pub(crate) fn root(text: &str) -> Result<Hash, Error> {
    Hash::parse(text).ok_or_else(|| {
        let detail = format!("{text:?} is no root: write its 64 hexadecimal digits");
        Error::new(Code::InputMalformed, detail)
    })
}

fn unusable(file: &Path, error: &std::io::Error) -> Error {
    Error::new(Code::FileUnusable, format!("{}: {error}", file.display()))
}

//! `divvy approver`: who approves and decides, and how others follow them.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use divvy::core::{Asset, Code, Consent, Error, Guarded, Name, SecretKey, Signature};
use divvy::{clock, read_key};
use serde_json::{Value, json};

use crate::cli::Verdict;
use crate::cli::out::Out;
use crate::cli::setup::Desk;
use crate::cli::words::counted;

/// Show who approves, and let others follow them as `[approvals]` in the settings says.
#[derive(Debug, Subcommand)]
pub(crate) enum Approver {
    /// Show the limit and the people in force, and what the settings say otherwise.
    Show {
        /// The folder with `divvy.toml`.
        #[arg(default_value = ".")]
        dir: PathBuf,
    },
    /// Sign, as one of those in force, that the limit and the people of the settings follow.
    Sign {
        /// The folder with `divvy.toml`.
        #[arg(default_value = ".")]
        dir: PathBuf,
        /// The file with your key.
        #[arg(long, env = "DIVVY_KEY")]
        key: PathBuf,
    },
    /// Put the limit and the people of the settings in force, once enough have signed.
    Set(Set),
}

#[derive(Args, Debug)]
pub(crate) struct Set {
    /// The folder with `divvy.toml`.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// What `divvy approver sign` has said, once for each who signed.
    #[arg(long, value_name = "NAME=SIGNATURE")]
    consent: Vec<String>,
    /// The file with a key of one in force, to sign just now.
    #[arg(long)]
    key: Vec<PathBuf>,
}

impl Approver {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        match self {
            Self::Show { dir } => show(&mut Desk::look(dir).await?, out),
            Self::Sign { dir, key } => {
                let mut desk = Desk::look(dir).await?;
                let next = next(&desk)?;
                let Consent { by, signature } = consent(&mut desk, &next, &read_key(key)?)?;
                say(&next, "the settings say", &desk.project.opened.asset, out);
                out.say(&format!("{by}={signature}"));
                out.value(&json!({"by": by, "signature": signature}));
                Ok(Verdict::Done)
            }
            Self::Set(set) => set.run(out).await,
        }
    }
}

fn show(desk: &mut Desk, out: &mut Out) -> Result<Verdict, Error> {
    let asset = desk.project.opened.asset.clone();
    let known = desk.book()?.fold()?.guarded().cloned();
    let Some(known) = known else {
        out.say("nobody is asked: the book has no limit and knows nobody");
        out.value(&json!({"limit": Value::Null}));
        return Ok(Verdict::Done);
    };
    say(&known, "in force", &asset, out);
    let differs = desk.project.guarded.as_ref().filter(|next| bare(next) != bare(&known));
    if let Some(next) = differs {
        say(next, "the settings say", &asset, out);
        let digest = desk.divvy.books().book(desk.project.book.as_str())?.guard_digest(next);
        out.say(&format!("{} of those in force sign {digest}", known.approvals));
    }
    out.value(&json!({"limit": asset.text(known.limit), "in_force": known, "next": differs}));
    Ok(if differs.is_some() { Verdict::Look } else { Verdict::Done })
}

fn say(guarded: &Guarded, what: &str, asset: &Asset, out: &mut Out) {
    let people: Vec<&str> = guarded.people.iter().map(|person| person.name.as_str()).collect();
    out.say(&format!(
        "{what}: above {} {} of a day, {} of {} approve within {}",
        asset.text(guarded.limit),
        asset.code(),
        guarded.approvals,
        people.join(", "),
        counted(guarded.expires_secs.div_euclid(3_600), "hour"),
    ));
}

impl Set {
    async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let mut desk = Desk::open(&self.dir).await?;
        let mut next = next(&desk)?;
        for text in &self.consent {
            let (by, signature) = text.split_once('=').ok_or_else(|| {
                let detail = format!("{text:?} is no consent: copy what `approver sign` says");
                Error::new(Code::InputMalformed, detail)
            })?;
            let (by, signature) = (Name::new(by)?, Signature::parse(signature)?);
            next.consents.push(Consent { by, signature });
        }
        for file in &self.key {
            let own = consent(&mut desk, &next, &read_key(file)?)?;
            next.consents.push(own);
        }
        desk.book()?.guard(&next, clock::now()).await?;
        say(&next, "in force", &desk.project.opened.asset, out);
        out.value(&json!({"in_force": desk.book()?.fold()?.guarded()}));
        desk.close().await.map(|()| Verdict::Done)
    }
}

/// What one of those in force signs so that others follow.
fn consent(desk: &mut Desk, next: &Guarded, key: &SecretKey) -> Result<Consent, Error> {
    let book = desk.book()?;
    let fold = book.fold()?;
    let people = fold.guarded().map_or(&[][..], |known| &known.people);
    let by = people.iter().find(|person| person.key == key.public()).ok_or_else(|| {
        let detail = format!("book {} knows nobody with this key", fold.name());
        Error::new(Code::SignatureWrong, detail)
    })?;
    Ok(Consent { by: by.name.clone(), signature: key.sign(&fold.guard_digest(next)) })
}

fn next(desk: &Desk) -> Result<Guarded, Error> {
    desk.project.guarded.clone().ok_or_else(|| {
        let detail = "divvy.toml has no [approvals]: write there who is to follow";
        Error::new(Code::InputMalformed, detail)
    })
}

fn bare(of: &Guarded) -> Guarded {
    Guarded { consents: Vec::new(), unsigned: None, ..of.clone() }
}

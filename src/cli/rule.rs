//! `divvy rule`: who gets what of each payment, and who may say so.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use divvy::core::{
    Amount, Asset, Code, Error, Legs, Level, PublicKey, RuleSet, Share, Signature, Target,
};
use divvy::{clock, read_key};
use serde_json::json;

use crate::cli::Verdict;
use crate::cli::out::Out;
use crate::cli::setup::Desk;
use crate::cli::signer::Signer;

/// Show the rules, sign the next one, and set it.
#[derive(Debug, Subcommand)]
pub(crate) enum Rule {
    /// Show the rules of the book, whose key sets them, and the one of the settings if it is new.
    Show(Dir),
    /// Sign the rule of the settings as the book's next one, as its issuer.
    Sign(Sign),
    /// Set the rule of the settings: as the issuer, or as one of the people whom the book knows.
    Set(Set),
    /// Hand over to another issuer's key, or name the first one.
    Rotate(Rotate),
}

#[derive(Args, Debug)]
pub(crate) struct Dir {
    /// The folder with `divvy.toml`.
    #[arg(default_value = ".")]
    dir: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Sign {
    #[command(flatten)]
    dir: Dir,
    /// The file with the issuer's key.
    #[arg(long)]
    issuer_key: PathBuf,
    /// Sign the hand-over to this public key instead.
    #[arg(long, value_name = "KEY")]
    rotate_to: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Set {
    #[command(flatten)]
    dir: Dir,
    #[command(flatten)]
    issuer: Issuer,
    #[command(flatten)]
    signer: Signer,
    /// Why.
    #[arg(long, default_value = "the rule of the settings")]
    reason: String,
}

#[derive(Args, Debug)]
pub(crate) struct Rotate {
    #[command(flatten)]
    dir: Dir,
    /// The public key that sets rules from now on.
    #[arg(long, value_name = "KEY")]
    to: String,
    #[command(flatten)]
    issuer: Issuer,
    #[command(flatten)]
    signer: Signer,
    /// Why.
    #[arg(long, default_value = "another key sets the rules")]
    reason: String,
}

/// How the issuer has signed.
#[derive(Args, Debug)]
#[group(multiple = false)]
struct Issuer {
    /// The file with the issuer's key.
    #[arg(long)]
    issuer_key: Option<PathBuf>,
    /// What `divvy rule sign` has said, wherever the issuer's key is kept.
    #[arg(long)]
    signature: Option<String>,
}

impl Rule {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        match self {
            Self::Show(dir) => dir.show(out).await,
            Self::Sign(sign) => sign.run(out).await,
            Self::Set(set) => set.run(out).await,
            Self::Rotate(rotate) => rotate.run(out).await,
        }
    }
}

impl Dir {
    async fn show(&self, out: &mut Out) -> Result<Verdict, Error> {
        let mut desk = Desk::look(&self.dir).await?;
        let next = desk.project.rule.clone();
        let book = desk.book()?;
        let fold = book.fold()?;
        let asset = &fold.settings().asset;
        let issuer = fold.issuer().copied();
        out.say(&match issuer {
            Some(key) => format!("rules are set by the issuer, whose key is {key}"),
            None if fold.guarded().is_some() => "rules are set by the book's people".to_owned(),
            None => "rules are set by whoever has the settings".to_owned(),
        });
        for rule in fold.rules() {
            out.say(&text(rule, asset));
        }
        let is_new = fold.rules().last().is_none_or(|rule| !rule.is_same(&next));
        let statement = fold.rule_whole_to_sign(&next);
        if is_new {
            out.say(&format!("the settings say {}", text(&next, asset)));
            out.say(&format!("to set it, the issuer signs {statement}"));
        }
        out.value(&json!({
            "issuer": issuer, "rules": fold.rules(),
            "next": is_new.then(|| json!({"rule": next, "statement": statement})),
        }));
        Ok(if is_new { Verdict::Look } else { Verdict::Done })
    }
}

impl Sign {
    async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let mut desk = Desk::look(&self.dir.dir).await?;
        let key = read_key(&self.issuer_key)?;
        let next = desk.project.rule.clone();
        let book = desk.book()?;
        let (fold, own) = (book.fold()?, key.public());
        if fold.issuer().is_some_and(|issuer| *issuer != own) {
            let detail = format!("{own} is not the key of the issuer of {}", fold.name());
            return Err(Error::new(Code::SignatureWrong, detail));
        }
        let (statement, what) = match &self.rotate_to {
            Some(to) => {
                let to = PublicKey::parse(to)?;
                (fold.issuer_to_sign(to), format!("rules are set with {to}"))
            }
            None => (fold.rule_whole_to_sign(&next), text(&next, &fold.settings().asset)),
        };
        let signature = key.sign(&statement);
        out.say(&what);
        out.say(&signature.to_string());
        out.value(&json!({"statement": statement, "signature": signature, "key": own}));
        Ok(Verdict::Done)
    }
}

impl Set {
    async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let mut desk = Desk::open(&self.dir.dir).await?;
        let rule = desk.project.rule.clone();
        let statement = desk.book()?.fold()?.rule_whole_to_sign(&rule);
        let now = clock::now();
        if let Some(signature) = self.issuer.signature(&statement)? {
            let signed = RuleSet { signature: Some(signature), ..rule.clone() };
            desk.book()?.set_rule_whole(&signed, now).await?;
        } else {
            let key = self.signer.key()?;
            let judge = self.signer.judge(&desk, key.as_ref(), &self.reason)?;
            desk.book_by(judge)?.set_rule_whole(&rule, now).await?;
        }
        let count = desk.book()?.rules().len();
        out.say(&format!("rule {count} holds {}", text(&rule, &desk.project.opened.asset)));
        out.value(&json!({"rules": count, "from": rule.from}));
        desk.close().await.map(|()| Verdict::Done)
    }
}

impl Rotate {
    async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let mut desk = Desk::open(&self.dir.dir).await?;
        let (to, now) = (PublicKey::parse(&self.to)?, clock::now());
        let statement = desk.book()?.fold()?.issuer_to_sign(to);
        let signature = self.issuer.signature(&statement)?;
        let key = self.signer.key()?;
        let judge = match signature {
            Some(_) => None,
            None => self.signer.judge(&desk, key.as_ref(), &self.reason)?,
        };
        desk.book_by(judge)?.set_issuer(to, signature, now).await?;
        out.say(&format!("rules are set with {to} from now on; say so in the settings"));
        out.value(&json!({"issuer": to}));
        desk.close().await.map(|()| Verdict::Done)
    }
}

impl Issuer {
    fn signature(&self, statement: &divvy::core::Hash) -> Result<Option<Signature>, Error> {
        match (&self.issuer_key, &self.signature) {
            (Some(file), _) => Ok(Some(read_key(file)?.sign(statement))),
            (None, Some(text)) => Signature::parse(text).map(Some),
            (None, None) => Ok(None),
        }
    }
}

/// A rule with all its tiers and levels, in words.
fn text(rule: &RuleSet, asset: &Asset) -> String {
    let mut said = format!("from {}: {}", rule.from, shares(&rule.legs, asset));
    for tier in rule.tiers.iter().flatten() {
        let from = tier.from.map(|from| format!(" from {from}"));
        let over = tier.over.map(|over| format!(" beyond {}", asset.text(over)));
        let when: String = from.into_iter().chain(over).collect();
        said = format!("{said};{when}: {}", shares(&tier.legs, asset));
    }
    if let Some(upline) = &rule.upline {
        let most = |amount: Option<Amount>, of: &str| {
            amount.map_or_else(String::new, |most| format!("{of}{} at most", asset.text(most)))
        };
        let level = |level: &Level| format!("{}{}", level.portion, most(level.most, " and "));
        let levels: Vec<String> = upline.levels.iter().map(level).collect();
        let (levels, rest) = (levels.join(", "), upline.rest.name());
        let (each, all) =
            (most(upline.each_most, "; for one person "), most(upline.most, "; together "));
        said = format!("{said}; before that, upline {levels}{each}{all}; what is left, to {rest}");
    }
    said
}

fn shares(legs: &Legs, asset: &Asset) -> String {
    let leg = |leg: &divvy::core::Leg| {
        let to = match &leg.to {
            Target::Payee(payee) => payee.clone(),
            Target::Pool(pool) => format!("the holders of {pool}"),
            other => format!("{other:?}"),
        };
        let share = match &leg.share {
            Share::Remaining => "the rest".to_owned(),
            Share::UpTo(amount) => format!("up to {}", asset.text(*amount)),
            Share::Portion(ratio) => ratio.to_string(),
            Share::Fixed(amount) => format!("{amount} minor units"),
            other => format!("{other:?}"),
        };
        format!("{share} to {to}")
    };
    legs.legs().iter().map(leg).collect::<Vec<_>>().join(", ")
}

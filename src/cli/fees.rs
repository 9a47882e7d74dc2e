//! `divvy fees`: what payouts may cost, who bears it, and from how much on anybody is paid.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use divvy::clock;
use divvy::core::{Amount, Asset, Error, FeeShare, FeesSet, Policy, TermsSet};
use serde_json::{Value, json};

use crate::cli::Verdict;
use crate::cli::out::Out;
use crate::cli::setup::Desk;
use crate::cli::signer::Signer;

/// Show what payouts may cost and on which terms everyone is paid, and set it.
#[derive(Debug, Subcommand)]
pub(crate) enum Fees {
    /// Show what is in force, and what the settings say if that is new.
    Show(Dir),
    /// Set what the settings say, as one of the people whom the book knows.
    Set(Set),
}

#[derive(Args, Debug)]
pub(crate) struct Dir {
    /// The folder with `divvy.toml`.
    #[arg(default_value = ".")]
    dir: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Set {
    #[command(flatten)]
    dir: Dir,
    #[command(flatten)]
    signer: Signer,
    /// Why.
    #[arg(long, default_value = "the fees and terms of the settings")]
    reason: String,
}

impl Fees {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        match self {
            Self::Show(dir) => dir.show(out).await,
            Self::Set(set) => set.run(out).await,
        }
    }
}

impl Dir {
    async fn show(&self, out: &mut Out) -> Result<Verdict, Error> {
        let mut desk = Desk::look(&self.dir).await?;
        let asset = desk.project.opened.asset.clone();
        let (fees, terms) = desk.next_terms(clock::now()).await?;
        let in_force = say_in_force(&mut desk, out)?;
        if let Some(fees) = &fees {
            out.say(&format!("the settings say: {}", fees_text(fees, &asset)));
        }
        if terms != TermsSet::NONE {
            out.say(&format!("the settings say: {}", terms_text(&terms, &asset)));
        }
        let is_new = fees.is_some() || terms != TermsSet::NONE;
        let next = is_new.then(|| json!({"fees": fees, "terms": terms}));
        out.value(&json!({"in_force": in_force, "next": next}));
        Ok(if is_new { Verdict::Look } else { Verdict::Done })
    }
}

impl Set {
    async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let mut desk = Desk::open(&self.dir.dir).await?;
        let key = self.signer.key()?;
        let judge = self.signer.judge(&desk, key.as_ref(), &self.reason)?;
        desk.choose_terms(judge, clock::now()).await?;
        let in_force = say_in_force(&mut desk, out)?;
        out.value(&json!({"in_force": in_force}));
        desk.close().await.map(|()| Verdict::Done)
    }
}

fn say_in_force(desk: &mut Desk, out: &mut Out) -> Result<Value, Error> {
    let asset = desk.project.opened.asset.clone();
    let book = desk.book()?;
    let fold = book.fold()?;
    let (fees, terms) = (fold.fee_terms(), fold.payout_terms());
    let nothing = FeesSet { ceiling: None, borne_max: None };
    out.say(&fees_text(fees.unwrap_or(&nothing), &asset));
    let (policy, floor) = (Some(terms.policy), Some(terms.floor));
    let fee_share = Some(terms.fee_share);
    let all = TermsSet { policy, floor, fee_share, ..TermsSet::NONE };
    out.say(&terms_text(&all, &asset));
    Ok(json!({"fees": fees, "terms": all}))
}

fn fees_text(fees: &FeesSet, asset: &Asset) -> String {
    let text = |amount: Amount| format!("{} {}", asset.text(amount), asset.code());
    let bears = fees.borne_max.map_or("the platform bears all fees".to_owned(), |most| {
        format!("each payee bears their part of a fee, at most {} a line", text(most))
    });
    let ceiling = fees.ceiling.map_or("a batch may cost whatever it does".to_owned(), |most| {
        format!("a batch may cost {} at most", text(most))
    });
    format!("{bears}, and {ceiling}")
}

fn terms_text(terms: &TermsSet, asset: &Asset) -> String {
    let text = |amount: Amount| format!("{} {}", asset.text(amount), asset.code());
    let policy = terms.policy.map(|policy| match policy {
        Policy::Instant => "everyone is paid at once".to_owned(),
        Policy::Periodic { .. } => {
            format!("everyone is paid by periods, from {}", text(policy.min()))
        }
        Policy::Threshold { .. } | _ => format!("everyone is paid from {} on", text(policy.min())),
    });
    let floor = terms.floor.map(|floor| format!("no line is below {}", text(floor)));
    let share = terms.fee_share.map(|share| match share {
        FeeShare::AtMost { bps, .. } => {
            let (whole, part) = (bps.div_euclid(100), bps.rem_euclid(100));
            format!("a fee is at most {whole}.{part:02}% of a line")
        }
        FeeShare::Any | _ => "a fee may be any part of a line".to_owned(),
    });
    let all: Vec<String> = policy.into_iter().chain(floor).chain(share).collect();
    all.join(", ")
}

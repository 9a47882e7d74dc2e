//! `divvy explain`: the story of a payee, a payment or a batch.

use std::path::PathBuf;

use clap::Args;
use divvy::core::{Chapter, Error, Name, Place, Stream, Subject, Time};
use divvy::named_payment;
use serde_json::json;

use crate::cli::Verdict;
use crate::cli::out::Out;
use crate::cli::setup::Desk;
use crate::cli::take::payments_settings;

/// Tell the story of a payee, a payment or a batch.
#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// A payee's name, the id of a payment, or a stream such as payment/…, batch/…, rule/… or
    /// run/….
    subject: String,
    /// The folder with `divvy.toml`.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// Tell everything, not only the latest.
    #[arg(long)]
    all: bool,
}

/// So many of the latest chapters are told, unless all are asked for.
const CHAPTERS_MAX: usize = 40;

impl Explain {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let mut desk = Desk::look(&self.dir).await?;
        let subject = self.subject(&mut desk).await?;
        let mut is_payee = false;
        if let Subject::Payee { payee, .. } = &subject {
            let now = divvy::clock::now();
            let asset = desk.project.opened.asset.clone();
            desk.quote(now, out).await?;
            let balance = desk.book()?.balance(payee.as_str(), now).await?;
            out.say(&crate::cli::status::balance_sentence(payee.as_str(), &balance, &asset));
            is_payee = true;
        }
        let book = desk.book()?;
        let chapters = book.explain(subject).await?;
        let skipped = if self.all { 0 } else { chapters.len().saturating_sub(CHAPTERS_MAX) };
        if skipped > 0 {
            out.say(&format!("… {skipped} earlier ones; tell them with --all"));
        }
        chapters.iter().skip(skipped).for_each(|chapter: &Chapter| out.say(&chapter.to_string()));
        let unknown = chapters.is_empty() && !is_payee;
        if unknown {
            out.say(&format!("nothing is known of {}", self.subject));
        } else if chapters.is_empty() {
            out.say(&format!("nothing has happened to {} yet", self.subject));
        }
        out.value(&json!({"subject": self.subject, "chapters": chapters}));
        Ok(if unknown { Verdict::Look } else { Verdict::Done })
    }

    /// What a name or a stream is about. The id of a payment will do where no payee has that name.
    async fn subject(&self, desk: &mut Desk) -> Result<Subject, Error> {
        let book = desk.project.book.clone();
        Ok(match Stream::parse(&self.subject) {
            Ok(stream) => match stream.place() {
                Place::Payee { book, payee } => {
                    Subject::Payee { book: Name::new(book)?, payee: Name::new(payee)? }
                }
                Place::Payment { .. } => Subject::Payment(stream),
                Place::Treasury { .. } => Subject::Treasury(stream),
                Place::Break { .. } => Subject::Break(stream),
                Place::Rule { .. } => Subject::Rules(stream),
                Place::Run { .. } => Subject::Runs(stream),
                Place::Webhook { .. } => Subject::Webhook(stream),
                // What has no story is refused as a batch that is none.
                Place::Batch { .. } | _ => Subject::Batch(stream),
            },
            Err(_) => {
                let payment = named_payment(&self.subject, &payments_settings(desk)?)?;
                let own = desk.book()?;
                let is_payee = own.fold()?.balance(&self.subject, Time::ZERO).is_ok();
                match own.movement(&payment).await {
                    Ok(_) if !is_payee => Subject::Payment(payment),
                    Ok(_) | Err(_) => Subject::Payee { book, payee: Name::new(&self.subject)? },
                }
            }
        })
    }
}

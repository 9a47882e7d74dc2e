//! `divvy project`: tables for people who ask in SQL.

use std::path::Path;

use divvy::clock;
use divvy::core::Error;
use serde_json::json;

use crate::cli::Verdict;
use crate::cli::out::Out;
use crate::cli::setup::Desk;
use crate::cli::words::{counted, one_or};

pub(crate) async fn project(dir: &Path, out: &mut Out) -> Result<Verdict, Error> {
    let mut desk = Desk::open(dir).await?;
    let projection = desk.divvy.projection(clock::now()).await?;
    desk.store.project(projection).await?;
    let facts = desk.divvy.books().count();
    out.say(&format!(
        "divvy_balances, divvy_payments and divvy_batches say what {} {} to",
        counted(facts, "fact"),
        one_or(facts, "comes", "come")
    ));
    out.value(&json!({ "facts": facts }));
    Ok(Verdict::Done)
}

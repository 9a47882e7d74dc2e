//! The transactions that name an address.

use divvy_core::{Error, Turn};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::address::Address;
use crate::node::{Provider, Question, Said, Talk, done};

/// A transaction that names an account.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Listed {
    pub(crate) signature: String,
    #[serde(default)]
    pub(crate) slot: u64,
    pub(crate) err: Option<Value>,
    pub(crate) memo: Option<String>,
    pub(crate) confirmation_status: Option<String>,
}

/// Every transaction that a provider shows of an address, the newest first, page by page; nothing
/// when it does not show them whole.
pub(crate) fn listing(
    talk: &Talk<'_>,
    provider: &Provider,
    address: &Address,
    until: Option<&str>,
) -> Result<Turn<Option<Vec<Listed>>>, Error> {
    let (mut all, mut before): (Vec<Listed>, Option<String>) = (Vec::new(), None);
    loop {
        let mut options = json!({"limit": LISTED_MAX, "commitment": "confirmed"});
        if let (Some(until), Some(options)) = (until, options.as_object_mut()) {
            options.insert("until".to_owned(), json!(until));
        }
        if let (Some(before), Some(options)) = (&before, options.as_object_mut()) {
            options.insert("before".to_owned(), json!(before));
        }
        let question =
            Question::new("getSignaturesForAddress", json!([address.to_string(), options]));
        done!(talk.asked(&[provider], core::slice::from_ref(&question)));
        let Said::This(page): Said<Vec<Listed>> = talk.said(provider, &question) else {
            return Ok(Turn::Done(None));
        };
        let (is_last, last) =
            (page.len() < LISTED_MAX, page.last().map(|one| one.signature.clone()));
        all.extend(page);
        if is_last || last == before {
            return Ok(Turn::Done(Some(all)));
        }
        before = last;
    }
}

/// No node lists more at once.
pub(crate) const LISTED_MAX: usize = 1_000;

//! Accounts as JSON shows them.

use divvy_core::{Error, Turn};
use serde::Deserialize;
use serde_json::json;

use crate::account::Account;
use crate::address::Address;
use crate::node::Provider;
use crate::node::rpc::bytes_of;
use crate::node::{AtSlot, Question, Talk, done};

/// An account as a node writes it.
#[derive(Deserialize)]
pub(crate) struct Written {
    lamports: u64,
    owner: String,
    data: (String, String),
    executable: bool,
}

impl Written {
    pub(crate) fn account(&self) -> Option<Account> {
        let (text, encoding) = &self.data;
        let data = bytes_of(text).filter(|_| encoding == "base64")?;
        let program = Address::parse(&self.owner).ok()?;
        Some(Account { program, lamports: self.lamports, executable: self.executable, data })
    }
}

/// What is at these addresses, in their order.
///
/// # Errors
/// [`divvy_core::Code::RailReply`] when nobody says so.
pub(crate) fn accounts(
    talk: &Talk<'_>,
    providers: &[&Provider],
    addresses: &[Address],
) -> Result<Turn<Vec<Option<Account>>>, Error> {
    let question = |addresses: &[Address]| {
        let keys: Vec<String> = addresses.iter().map(Address::to_string).collect();
        let options = json!({"encoding": "base64", "commitment": "confirmed"});
        Question::new("getMultipleAccounts", json!([keys, options]))
    };
    let questions: Vec<Question> = addresses.chunks(KEYS_MAX).map(question).collect();
    // Each page by whoever answers it: of many, one or the other stays without an answer anywhere.
    let mut open = questions.clone();
    for provider in providers {
        done!(talk.asked(&[*provider], &open));
        open.retain(|page| talk.said::<Page>(provider, page).this().is_none());
    }
    let mut all = Vec::with_capacity(addresses.len());
    for (page, asked) in questions.iter().zip(addresses.chunks(KEYS_MAX)) {
        let read = |said: Vec<Page>| read(said).filter(|all| all.len() == asked.len());
        all.extend(done!(talk.first(providers, core::slice::from_ref(page), read)));
    }
    Ok(Turn::Done(all))
}

/// What is at some of the addresses.
type Page = AtSlot<Vec<Option<Written>>>;

/// The accounts of one page, if all of them make sense.
fn read(said: Vec<Page>) -> Option<Vec<Option<Account>>> {
    let read = |written: Option<Written>| match written {
        None => Some(None),
        Some(written) => written.account().map(Some),
    };
    said.into_iter().next()?.value.into_iter().map(read).collect()
}

/// No node takes more addresses at once.
const KEYS_MAX: usize = 100;

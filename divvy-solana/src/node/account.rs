//! Accounts as JSON shows them.

use divvy_core::{Error, Turn};
use serde::Deserialize;
use serde_json::json;

use crate::account::Account;
use crate::address::Address;
use crate::node::Provider;
use crate::node::rpc::bytes_of;
use crate::node::{AtSlot, Question, Talk};

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
    talk.first(providers, &questions, |pages: Vec<AtSlot<Vec<Option<Written>>>>| {
        let written = pages.into_iter().flat_map(|page| page.value);
        let read = |written: Option<Written>| match written {
            None => Some(None),
            Some(written) => written.account().map(Some),
        };
        let all = written.map(read).collect::<Option<Vec<_>>>()?;
        (all.len() == addresses.len()).then_some(all)
    })
}

/// No node takes more addresses at once.
const KEYS_MAX: usize = 100;

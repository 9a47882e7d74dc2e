//! What a wallet's tries have claimed, so that two batches never use the same.

use std::collections::HashMap;

use crate::batch::State;
use crate::books::Books;
use crate::checkpoint::stored;
use crate::error::{Code, Error};
use crate::fact::{Body, Claimed, Fact, Head, Place, Signed, Stream};
use crate::name::Name;
use crate::time::Time;

/// What a wallet's tries have claimed.
#[derive(Clone, Debug)]
pub(crate) struct Wallet {
    pub(crate) head: Head,
    pub(crate) claims: HashMap<String, Stream>,
}

stored!(Wallet { head, claims });

impl Books {
    /// What other batches have claimed of a wallet. A claim ends when its batch is closed.
    #[must_use]
    pub fn claimed(&self, wallet: &str, except: Option<&Stream>) -> Vec<String> {
        let Some(wallet) = self.wallets.get(wallet) else { return Vec::new() };
        let in_force =
            |(_, batch): &(&String, &Stream)| Some(*batch) != except && self.is_open(batch);
        let mut coins: Vec<String> =
            wallet.claims.iter().filter(in_force).map(|(coin, _)| coin.clone()).collect();
        coins.sort_unstable();
        coins
    }

    fn is_open(&self, batch: &Stream) -> bool {
        let Place::Batch { book, .. } = batch.place() else { return false };
        let state = self.books.get(book).and_then(|book| book.batch_state(batch));
        match state {
            Some(State::Cancelled | State::Refused | State::Settled | State::Returned) => false,
            Some(_) | None => true,
        }
    }

    pub(super) fn wallet_head(&self, wallet: &Name) -> Head {
        let known = self.wallets.get(wallet).map(|wallet| wallet.head.clone());
        known.unwrap_or_else(|| Head::start(Stream::coins(wallet)))
    }

    pub(super) fn claim(
        &self,
        wallet: &Name,
        head: &Head,
        batch: &Stream,
        signed: &Signed,
        now: Time,
    ) -> Result<Option<Fact>, Error> {
        if signed.claims.is_empty() {
            return Ok(None);
        }
        let taken = self.claimed(wallet.as_str(), Some(batch));
        if let Some(coin) = signed.claims.iter().find(|coin| taken.contains(coin)) {
            let detail = format!("{coin} of wallet {wallet} is claimed already: sign with another");
            return Err(Error::new(Code::RailRefused, detail));
        }
        let body = Body::Claimed(Claimed { coins: signed.claims.clone(), batch: batch.clone() });
        Ok(Some(Fact::new(head, now.max(self.newest), &body)))
    }

    pub(super) fn fold_claim(
        &mut self,
        wallet: &str,
        fact: &Fact,
        body: &Body,
    ) -> Result<bool, Error> {
        let Body::Claimed(claimed) = body else { return Err(crate::book::misplaced(fact)) };
        let start = || Wallet { head: Head::start(fact.stream.clone()), claims: HashMap::new() };
        let wallet = self.wallets.entry(Name::new(wallet)?).or_insert_with(start);
        if wallet.head.n != fact.n {
            return Ok(false);
        }
        for coin in &claimed.coins {
            wallet.claims.insert(coin.clone(), claimed.batch.clone());
        }
        wallet.head = Head::after(fact);
        Ok(true)
    }
}

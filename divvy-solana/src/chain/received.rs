//! What came in: to a wallet, or with a reference of a payment link.

use divvy_core::danger::Vouched;
use divvy_core::{Amount, Asset, Code, Error, Heard, Name, Time, Turn};

use crate::address::Address;
use crate::chain::Chain;
use crate::derive::Derived;
use crate::node::{Landed, Listed, Provider, Question, Talk, done, listing, unheard};
use crate::rail::Coin;
use crate::signature::Signature;

/// What is waited for.
///
/// ```
/// use divvy_core::{Asset, Name};
/// use divvy_solana::{Address, Coin, Incoming, token};
///
/// let mint = Address::parse("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v")?;
/// let incoming = Incoming {
///     source: Name::new("solana")?,
///     wallet: Address::parse("2BiaZk8iutMYsht5CEtZHBsrZ2o9xkKk1ZDcTGRHhKGa")?,
///     coin: Coin::Token { program: token::PROGRAM, mint, decimals: 6 },
///     asset: Asset::parse("USDC@6")?,
///     reference: None,
///     after: None,
/// };
/// assert_eq!(incoming.account()?.to_string(), "H6X7852qALy28F6zGXKsFXwuFDD8NLuT1tpkM66DukYs");
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain settings, written as a literal")]
pub struct Incoming {
    /// What payments are recorded as coming from.
    pub source: Name,
    /// Who is paid.
    pub wallet: Address,
    /// In what.
    pub coin: Coin,
    /// What books call that, with its decimals.
    pub asset: Asset,
    /// The reference of a payment link; without it, whatever comes in.
    pub reference: Option<Address>,
    /// The last one that is known already.
    pub after: Option<Signature>,
}

/// Money that came in, for good.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received {
    /// What a book records, once the caller has said which book and rule it is for.
    pub payment: Vouched,
    /// The transaction, by which the next reading goes on.
    pub signature: Signature,
    /// What the payer wrote beside it, as the node shows it. Anyone may write anything.
    pub memo: Option<String>,
}

impl Incoming {
    /// The account that receives: the wallet's token account, or the wallet itself.
    ///
    /// # Errors
    /// [`Code::AddressMalformed`], which nobody has ever seen.
    pub fn account(&self) -> Result<Address, Error> {
        match &self.coin {
            Coin::Sol => Ok(self.wallet),
            Coin::Token { program, mint, .. } => {
                Ok(Derived::token_account(&self.wallet, mint, program)?.address)
            }
        }
    }
}

impl Chain {
    /// What came in and is final, the oldest first: all of it or an error, so that going on behind
    /// the last one never leaves one out.
    ///
    /// What counts is by how much the receiving account has grown, not what an instruction says.
    ///
    /// # Errors
    /// [`Code::RailRefused`] for a provider of another chain, or an asset with other decimals;
    /// [`Code::RailReply`] when nobody answers whole.
    pub fn received(
        &self,
        incoming: &Incoming,
        heard: &[Heard],
        now: Time,
    ) -> Result<Turn<Vec<Received>>, Error> {
        incoming.check()?;
        let talk = self.talk(heard, now);
        let account = incoming.account()?;
        let named = incoming.reference.unwrap_or(account);
        let after = incoming.after.map(|after| after.to_string());
        let providers = done!(talk.abreast(self.genesis, self.lag_slots_max));
        for provider in providers {
            let listed = done!(listing(&talk, provider, &named, after.as_deref()));
            let Some(mut listed) = listed else { continue };
            listed.retain(|one| one.err.is_none());
            listed.reverse();
            // What is not final yet is told later, and so is everything behind it.
            let is_final = |one: &Listed| one.confirmation_status.as_deref() == Some("finalized");
            let finals = listed.iter().position(|one| !is_final(one)).unwrap_or(listed.len());
            listed.truncate(finals);
            return told(&talk, provider, incoming, &account, &listed);
        }
        Err(unheard("getSignaturesForAddress", "no provider lists the account whole"))
    }
}

/// What each of these transactions has brought.
fn told(
    talk: &Talk<'_>,
    provider: &Provider,
    incoming: &Incoming,
    account: &Address,
    listed: &[Listed],
) -> Result<Turn<Vec<Received>>, Error> {
    let question = |one: &Listed| Landed::question(&one.signature, "finalized");
    let questions: Vec<Question> = listed.iter().map(question).collect();
    done!(talk.asked(&[provider], &questions));
    let mut all = Vec::with_capacity(listed.len());
    for (one, question) in listed.iter().zip(&questions) {
        let said: Option<Option<Landed>> = talk.said(provider, question).this();
        let Some(landed) = said.flatten() else {
            return Err(unheard("getTransaction", "one that was listed is not shown"));
        };
        let Some(evidence) = talk.heard_of(provider, question).map(Heard::evidence) else {
            continue;
        };
        // Passing over what cannot be read would leave a payment out for ever.
        let (Some(event_at), Some(transaction)) = (landed.at(), landed.transaction()) else {
            return Err(unheard("getTransaction", "one has no time or cannot be read"));
        };
        let Some(gained) = incoming.gained(&landed, account) else { continue };
        let source = format!("getTransaction at {}", provider.name);
        let payment = Vouched {
            source: incoming.source.clone(),
            account: Name::new(&account.to_string())?,
            id: Name::new(&one.signature)?,
            asset: incoming.asset.clone(),
            amount: Amount::new(gained)?,
            payer: transaction.message().payer().map(Address::to_string),
            event_at,
            evidence: divvy_core::Evidence { source, ..evidence },
        };
        let signature = Signature::parse(&one.signature)?;
        all.push(Received { payment, signature, memo: one.memo.clone() });
    }
    Ok(Turn::Done(all))
}

impl Incoming {
    /// By how much the account has grown, if it has.
    fn gained(&self, landed: &Landed, account: &Address) -> Option<u64> {
        let place = landed.place(account).filter(|_| landed.succeeded())?;
        let gained = match &self.coin {
            Coin::Sol => landed.lamports_gained(place),
            Coin::Token { mint, .. } => landed.tokens_gained(place, &mint.to_string()),
        };
        gained.filter(|gained| *gained > 0)
    }

    fn check(&self) -> Result<(), Error> {
        let decimals = match self.coin {
            Coin::Sol => 9,
            Coin::Token { decimals, .. } => decimals,
        };
        let one = 10_u64.checked_pow(decimals.into()).and_then(|one| Amount::new(one).ok());
        if one == self.asset.amount("1").ok() {
            return Ok(());
        }
        let detail = format!("{} has other decimals than the coin: {decimals}", self.asset.code());
        Err(Error::new(Code::RailRefused, detail))
    }
}

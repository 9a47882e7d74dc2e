//! What became of tries: a finalized status settles them, and only every provider's word together
//! proves that one can never land.

use divvy_core::{
    Amount, Answer, Asset, Bill, Error, Fee, Heard, Seen, Signed, Time, Turn, Window,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::node::{
    AtSlot, Epoch, Landed, Provider, Question, Talk, done, genesis, is_sending, taken,
};
use crate::rail::SolanaRail;
use crate::rail::failure::{answer, transfers};
use crate::rail::nonce::is_durable;
use crate::rail::settings::Coin;
use crate::rail::tag::Tag;
use crate::transaction::Transaction;

/// What a node says of one signature.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    err: Option<Value>,
    confirmation_status: Option<String>,
}

/// What all providers together say of one try.
enum Standing {
    /// It moved its money, and these providers said so.
    Paid(Vec<usize>),
    /// It is part of the chain for good and moved nothing, said these.
    Failed(Value, Vec<usize>),
    /// Some node has it, and it may still go either way.
    Seen,
    /// Its window is over for good, and no provider knows it.
    Absent,
    /// Not enough was said.
    Unsaid,
}

/// What one provider said of how far it is and of all tries.
struct View {
    epoch: Option<Epoch>,
    statuses: Option<AtSlot<Vec<Option<Status>>>>,
}

impl SolanaRail {
    pub(super) fn look_at(
        &self,
        tries: &[Signed],
        heard: &[Heard],
        now: Time,
    ) -> Result<Turn<Seen>, Error> {
        let talk = self.talk(heard, now);
        if let Some(answers) = answers_taken(tries, heard) {
            let (tip, bills) = (None, Vec::new());
            return Ok(Turn::Done(Seen { answers, tip, evidence: talk.evidence(), bills }));
        }
        let providers: Vec<&Provider> = self.settings.providers.iter().collect();
        let (height, statuses) = (finalized(), statuses(tries));
        // The height first: what is said of signatures is then not older.
        done!(talk.asked(&providers, &[height.clone(), statuses.clone()]));
        let view = |provider: &&Provider| View {
            epoch: talk.said(provider, &height).this(),
            statuses: talk.said(provider, &statuses).this(),
        };
        let views: Vec<View> = providers.iter().map(view).collect();
        let standings = tries.iter().enumerate().map(|(at, signed)| standing(&views, at, signed));
        let mut standings: Vec<Standing> = standings.collect();
        for (signed, standing) in tries.iter().zip(&mut standings) {
            let unsaid = matches!(standing, Standing::Unsaid) && is_durable(signed);
            if unsaid && unknown_to_all(&views, tries, signed) {
                let spent = done!(self.is_spent_by_others(&talk, signed));
                *standing = if spent { Standing::Absent } else { Standing::Unsaid };
            }
        }
        if standings.iter().any(|standing| matches!(standing, Standing::Absent)) {
            done!(talk.asked(&providers, &[genesis(), first_kept()]));
        }
        let (mut answers, mut bills) = (Vec::new(), Vec::new());
        for (signed, standing) in tries.iter().zip(&standings) {
            answers.push(self.answer(&talk, signed, standing));
            if let Standing::Paid(sayers) | Standing::Failed(_, sayers) = standing {
                let bill = done!(self.bill(&talk, &providers, sayers, signed));
                bills.extend(bill);
            }
        }
        let tip = views.iter().filter_map(|view| view.epoch).map(|epoch| epoch.block_height).min();
        Ok(Turn::Done(Seen { answers, tip, evidence: talk.evidence(), bills }))
    }

    fn answer(&self, talk: &Talk<'_>, signed: &Signed, standing: &Standing) -> Answer {
        match standing {
            Standing::Paid(_) => Answer::Final,
            Standing::Failed(error, _) => match Transaction::decode(&signed.bytes) {
                Ok(transaction) => answer(error, &transaction),
                Err(_) => Answer::Declined { reason: error.to_string() },
            },
            Standing::Seen => Answer::Accepted,
            Standing::Absent if self.would_know(talk, signed) => Answer::Void,
            Standing::Absent | Standing::Unsaid => Answer::Unknown,
        }
    }

    /// Whether every provider is of our chain, and keeps what it had since before the try was
    /// signed. Whoever has forgotten does not know of a payment either.
    fn would_know(&self, talk: &Talk<'_>, signed: &Signed) -> bool {
        let tag = Transaction::decode(&signed.bytes).ok().as_ref().and_then(Tag::of);
        let Some(Tag { slot, .. }) = tag else { return false };
        self.settings.providers.iter().all(|provider| {
            let first: Option<u64> = talk.said(provider, &first_kept()).this();
            talk.is_of_chain(provider, self.settings.genesis) == Some(true)
                && first.is_some_and(|first| first <= slot)
        })
    }

    /// What a try has cost: the chain's fee, and the rent of accounts that it made.
    fn bill(
        &self,
        talk: &Talk<'_>,
        providers: &[&Provider],
        sayers: &[usize],
        signed: &Signed,
    ) -> Result<Turn<Option<Bill>>, Error> {
        let question = Landed::question(&signed.reference, "finalized");
        for provider in sayers.iter().filter_map(|at| providers.get(*at)) {
            done!(talk.asked(&[*provider], core::slice::from_ref(&question)));
            let said: Option<Option<Landed>> = talk.said(provider, &question).this();
            let Some(landed) = said.flatten() else { continue };
            let Some(lamports) = self.charged(&landed) else { continue };
            let fee = Fee { asset: Asset::parse(SOL)?, amount: Amount::new(lamports)? };
            let reference = signed.reference.clone();
            return Ok(Turn::Done(Some(Bill { reference, fees: vec![fee], moved: None })));
        }
        Ok(Turn::Done(None))
    }

    /// What the wallet has fewer lamports, but for those that were paid.
    fn charged(&self, landed: &Landed) -> Option<u64> {
        let spent = landed.lamports_spent()?;
        if self.settings.coin != Coin::Sol || !landed.succeeded() {
            return Some(spent);
        }
        let transaction = landed.transaction()?;
        let paid = transfers(transaction.message()).map(|(_, amount)| amount);
        spent.checked_sub(paid.fold(0, u64::saturating_add))
    }
}

/// What the reply to a submission alone teaches: some node has taken it.
fn answers_taken(tries: &[Signed], heard: &[Heard]) -> Option<Vec<Answer>> {
    let is_taken = |signed: &Signed| {
        let named = heard.iter().filter_map(|heard| taken(heard, &signed.bytes));
        named.into_iter().any(|name| name == signed.reference)
    };
    let answer = |signed| if is_taken(signed) { Answer::Accepted } else { Answer::Unknown };
    let answers: Vec<Answer> = tries.iter().map(answer).collect();
    (heard.iter().all(is_sending) && answers.contains(&Answer::Accepted)).then_some(answers)
}

/// What became of one try, by everyone's word.
fn standing(views: &[View], at: usize, signed: &Signed) -> Standing {
    let status = |view: &View| -> Option<Option<Status>> {
        view.statuses.as_ref().and_then(|said| said.value.get(at).cloned())
    };
    let said: Vec<Option<Option<Status>>> = views.iter().map(status).collect();
    let is_final = |status: &Status| status.confirmation_status.as_deref() == Some(FINALIZED);
    let sayers = |failed: bool| -> Vec<usize> {
        let of = |said: &Option<Option<Status>>| {
            let status = said.as_ref().and_then(Option::as_ref);
            status.is_some_and(|status| is_final(status) && status.err.is_some() == failed)
        };
        said.iter().enumerate().filter(|(_, said)| of(said)).map(|(at, _)| at).collect()
    };
    let error = said.iter().flatten().flatten().find(|status| is_final(status));
    match (sayers(false), sayers(true)) {
        (paid, failed) if !paid.is_empty() && failed.is_empty() => Standing::Paid(paid),
        (paid, failed) if paid.is_empty() && !failed.is_empty() => {
            let error = error.and_then(|status| status.err.clone()).unwrap_or_default();
            Standing::Failed(error, failed)
        }
        // Two providers contradict each other: nothing was learned.
        (paid, _) if !paid.is_empty() => Standing::Unsaid,
        _ if said.iter().flatten().any(Option::is_some) => Standing::Seen,
        _ if views.iter().all(|view| is_past(view, signed)) => Standing::Absent,
        _ => Standing::Unsaid,
    }
}

/// Whether every provider has said that it does not know a try.
fn unknown_to_all(views: &[View], tries: &[Signed], signed: &Signed) -> bool {
    let Some(at) = tries.iter().position(|one| one.reference == signed.reference) else {
        return false;
    };
    let unknown = |view: &View| {
        let said = view.statuses.as_ref().and_then(|said| said.value.get(at));
        matches!(said, Some(None))
    };
    views.iter().all(unknown)
}

/// Whether a provider has finalized a block behind the window, and spoke of signatures as of that
/// slot or later.
fn is_past(view: &View, signed: &Signed) -> bool {
    let (Some(epoch), Some(statuses)) = (view.epoch, &view.statuses) else { return false };
    let Window::UntilHeight(last) = signed.window else { return false };
    epoch.block_height > last.saturating_add(SETTLING_BLOCKS)
        && statuses.context.slot >= epoch.absolute_slot
}

/// Asks how far the chain is for good.
pub(super) fn finalized() -> Question {
    Question::new("getEpochInfo", json!([{"commitment": FINALIZED}]))
}

/// Asks what became of signatures, however long ago.
fn statuses(tries: &[Signed]) -> Question {
    let names: Vec<&str> = tries.iter().map(|signed| signed.reference.as_str()).collect();
    let names: Vec<&str> = names.into_iter().take(NAMES_MAX).collect();
    let options = json!({"searchTransactionHistory": true});
    Question::new("getSignatureStatuses", json!([names, options]))
}

/// Asks for the first slot of which everything is kept.
fn first_kept() -> Question {
    Question::new("getFirstAvailableBlock", json!([]))
}

const FINALIZED: &str = "finalized";

/// In what the chain charges.
const SOL: &str = "SOL@9";

/// No node takes more names at once; a batch with so many tries waits for a person.
const NAMES_MAX: usize = 256;

/// A node answers for signatures from the newest block that it has seen, which need not descend
/// from what another node of the same provider has finalized. So many blocks later they do.
const SETTLING_BLOCKS: u64 = 32;

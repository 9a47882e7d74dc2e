//! One page that shows where the money is: in figures and pictures, for anyone, from one file.

use std::collections::BTreeMap;

use divvy_core::{
    Amount, Asset, Book, Error, Hash, Name, Obstacle, State, Time, Totals, TreasuryTerms, Units,
};

mod calendar;
mod chart;
mod page;
mod places;
mod sheets;
mod state;
mod waiting;
mod walk;

use calendar::Days;
use places::Places;
use state::Standing;
use waiting::Waiting;
use walk::Walk;

use crate::divvy::{Divvy, each_page};

/// Whether a report names people.
///
/// ```
/// use divvy::Names;
///
/// assert_eq!(Names::default(), Names::Shown);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Names {
    /// Everyone by name: for those who run the book.
    #[default]
    Shown,
    /// Nobody: for a page that everyone may see.
    Hidden,
}

/// Where the money of a book is, and how it came there.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use divvy::core::{Amount, Asset, Name, Time, TreasuryTerms};
/// use divvy::{Divvy, Names, Sqlite};
///
/// let mut divvy = Divvy::open(Sqlite::in_memory()?).await?;
/// divvy.open_book(&Name::new("<b>shop")?, Asset::parse("USD")?, Time::ZERO).await?;
/// let terms = TreasuryTerms::new(Amount::ZERO);
/// let page = divvy.report("<b>shop", Names::Shown, &terms, Time::ZERO).await?.html();
/// // One file without anything from elsewhere, and whatever is data is text.
/// assert!(page.contains("&lt;b&gt;shop") && !page.contains("<b>shop"));
/// # Ok::<(), divvy::core::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Report {
    book: Name,
    asset: Asset,
    now: Time,
    names: Names,
    totals: Totals,
    /// What left for payees; what they were paid before the book began is not in it.
    went_out: Amount,
    places: Places,
    days: Days,
    pools: Vec<PoolPart>,
    waiting: Waiting,
    standing: Standing,
    batches: BTreeMap<&'static str, (u64, Amount)>,
    proof: Proofs,
}

/// Who holds a pool.
#[derive(Clone, Debug)]
struct PoolPart {
    name: Name,
    supply: Units,
    holders: usize,
    declared: Amount,
    /// The largest, most units first.
    largest: Vec<(Name, Units)>,
}

/// What anyone can check.
#[derive(Clone, Debug)]
struct Proofs {
    facts: u64,
    sealed: u64,
    digest: Hash,
    /// The latest seal: what it says, and when.
    seal: Option<(Time, Hash)>,
    /// The holders that the latest declaration of each pool commits to.
    roots: BTreeMap<String, (Time, Hash)>,
}

/// So many holders of a pool are named.
const HOLDERS_MAX: usize = 10;

impl Divvy {
    /// Recomputes everything from the first fact, and gathers where the money of a book is. What
    /// waits for a fee is told by the quotes of the latest [`Divvy::quote_fees`].
    ///
    /// # Errors
    /// As [`Divvy::verify`]: a report is made only of a history that holds.
    pub async fn report(
        &mut self,
        book: &str,
        names: Names,
        terms: &TreasuryTerms,
        now: Time,
    ) -> Result<Report, Error> {
        let verified = self.verify().await?;
        let mut walk = Walk::of(book);
        each_page(self.host(), None, |page| walk.feed(&page.facts)).await?;
        let due = self.due(book, now)?;
        let due = Amount::total(due.iter().map(|line| line.amount))?;
        // What was just compared with the facts, fact by fact, and knows what rails quote.
        let fold = self.books().book(book)?;
        let (waiting, places) = waiting::gather(fold, walk.staked, now)?;
        let standing = Standing::of(fold, &walk, terms, due, now)?;
        Ok(Report {
            book: fold.name().clone(),
            asset: fold.settings().asset.clone(),
            now,
            names,
            totals: fold.totals().clone(),
            went_out: walk.before.out,
            places,
            days: walk.days,
            pools: pools(fold)?,
            waiting,
            standing,
            batches: batches(fold)?,
            proof: Proofs {
                facts: verified.facts,
                sealed: verified.sealed,
                digest: verified.digest,
                seal: walk.seal,
                roots: walk.roots,
            },
        })
    }
}

impl Report {
    /// The page: one file that needs no network, for screens of any width, light or dark, and for
    /// print.
    #[must_use]
    pub fn html(&self) -> String {
        page::page(self).into_string()
    }

    /// An amount for people: with its thousands apart.
    fn text(&self, amount: Amount) -> String {
        grouped(&self.asset.text(amount))
    }

    /// What a payee is called here.
    fn name(&self, place: usize, name: &Name) -> String {
        match self.names {
            Names::Shown => name.to_string(),
            Names::Hidden => format!("No. {}", place.saturating_add(1)),
        }
    }

    /// Batches that wait for a person.
    fn in_review(&self) -> u64 {
        self.batches.get(word(State::Review)).map_or(0, |(count, _)| *count)
    }
}

fn pools(book: &Book) -> Result<Vec<PoolPart>, Error> {
    let part = |name: &Name| {
        let pool = book.pool(name.as_str())?;
        let mut holders = book.holders(name.as_str())?;
        holders.sort_by(|(a, most), (b, more)| more.cmp(most).then_with(|| a.cmp(b)));
        let largest = holders.iter().take(HOLDERS_MAX);
        Ok(PoolPart {
            name: name.clone(),
            supply: pool.supply(),
            holders: holders.len(),
            declared: pool.declared(),
            largest: largest.map(|(name, units)| ((*name).clone(), *units)).collect(),
        })
    };
    book.pools().map(part).collect()
}

fn batches(book: &Book) -> Result<BTreeMap<&'static str, (u64, Amount)>, Error> {
    let mut states: BTreeMap<&'static str, (u64, Amount)> = BTreeMap::new();
    for standing in book.batches() {
        let (count, total) = states.entry(word(standing.state)).or_default();
        *count = count.saturating_add(1);
        *total = total.plus(standing.total)?;
    }
    Ok(states)
}

/// A batch's state in a word that needs no glossary.
const fn word(state: State) -> &'static str {
    match state {
        State::Planned => "planned",
        State::Signed => "signed, not answered yet",
        State::Sent => "on its way",
        State::Void => "void, to be signed anew",
        State::Settled => "settled",
        State::Refused => "refused, payable again",
        State::Review => "waiting for a person",
        State::Cancelled => "given up, payable again",
        State::Returned => "settled, and came back in part or whole",
        State::Approved => "approved, and not signed yet",
        _ => "in another state",
    }
}

/// Digits in groups of three, as 1,234,567.89.
fn grouped(text: &str) -> String {
    let (whole, rest) = text.find('.').map_or((text, ""), |at| text.split_at(at));
    let mut grouped = String::with_capacity(text.len().saturating_mul(2));
    for (at, digit) in whole.chars().enumerate() {
        let left = whole.len().saturating_sub(at);
        if at > 0 && left.checked_rem(3) == Some(0) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped.push_str(rest);
    grouped
}

/// Whether nothing but more money is needed for a payee to be paid.
const fn is_held(obstacle: Option<&Obstacle>) -> bool {
    matches!(obstacle, Some(Obstacle::Held(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_in_groups_of_three() {
        for (text, shown) in [("0", "0"), ("999.5", "999.5"), ("1000", "1,000")] {
            assert_eq!(grouped(text), shown);
        }
        assert_eq!(grouped("1234567.890123"), "1,234,567.890123");
    }
}

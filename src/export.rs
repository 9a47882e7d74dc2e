//! The book for those who keep books: as journals of beancount and hledger, and as CSV.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use divvy_core::{
    Amount, Asset, Balance, Body, Book, Books, Error, Extent, Fact, Legs, Name, Place, Recorded,
    Stream, Target, Time,
};

mod accounts;
mod beancount;
mod costs;
mod hledger;
mod tables;

use accounts::Chart;

use crate::divvy::{Divvy, each_page};

/// Whose form an export has.
///
/// ```
/// use divvy::Format;
///
/// assert_ne!(Format::Beancount, Format::Hledger);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// A journal for beancount.
    Beancount,
    /// A journal for hledger.
    Hledger,
    /// Tables for people: `entries.csv` and `balances.csv`.
    Csv,
}

/// One file of an export.
///
/// ```
/// use divvy::Exported;
///
/// fn size(file: &Exported) -> usize {
///     file.text.len()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exported {
    /// What it is called.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// Everything that moved, as entries that balance, and what every account must hold at the end.
#[derive(Clone, Debug)]
struct Ledger {
    book: Name,
    asset: Asset,
    entries: Vec<Entry>,
    /// From the book itself, so that a reader's own sums check the entries against it.
    balances: BTreeMap<Account, i128>,
    payees: Vec<(Name, Balance)>,
    newest: Time,
    /// The other assets, by their names.
    coins: BTreeMap<String, Asset>,
}

/// One movement; its postings add up to nothing.
#[derive(Clone, Debug)]
struct Entry {
    at: Time,
    text: String,
    postings: Vec<(Account, i128)>,
}

/// Where money is, seen by whoever sells: what is owed to payees is below zero.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Account {
    /// What came in, and neither went back nor out.
    Cash,
    /// Owed to nobody by name yet: what waits for a declaration, what pools carry.
    Undivided,
    /// Owed to a payee.
    Payee(Name),
    /// What payees brought along from before.
    Before,
    /// What payees turned into units.
    Staked,
    /// What rails charged in the book's asset, less what payees bore of it.
    Fees,
    /// What rates made of payouts that moved another asset.
    Rates,
    /// What was there of another asset, by its name, to pay fees from.
    Coins(String),
    /// What rails charged in it.
    CoinFees(String),
}

impl Divvy {
    /// Everything that moved in a book, for those who keep books, with what each account must hold
    /// at the end as explicit assertions.
    ///
    /// ```
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// # runtime.block_on(async {
    /// use divvy::core::{Asset, Name, Time};
    /// use divvy::{Divvy, Format, Sqlite};
    ///
    /// let mut divvy = Divvy::open(Sqlite::in_memory()?).await?;
    /// divvy.open_book(&Name::new("shop")?, Asset::parse("USD")?, Time::ZERO).await?;
    /// let files = divvy.export("shop", Format::Beancount).await?;
    /// assert_eq!(files[0].name, "shop.beancount");
    /// assert!(files[0].text.contains("balance Assets:Shop  0.00 ~ 0 USD"));
    /// # Ok::<(), divvy::core::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`Divvy::verify`]: only a history that holds is handed on.
    pub async fn export(&mut self, book: &str, format: Format) -> Result<Vec<Exported>, Error> {
        let verified = self.verify().await?;
        let fold = verified.books.book(book)?;
        let mut walk = Walk::of(fold.name());
        each_page(self.host(), None, |page| walk.feed(&page.facts)).await?;
        let ledger = walk.finish(fold)?;
        let chart = Chart::of(&ledger);
        Ok(match format {
            Format::Beancount => vec![beancount::journal(&ledger, &chart)],
            Format::Hledger => vec![hledger::journal(&ledger, &chart)],
            Format::Csv => tables::tables(&ledger, &chart),
        })
    }
}

/// A walk through all facts, which writes down what each of them moved.
struct Walk {
    book: Name,
    books: Books,
    entries: Vec<Entry>,
    /// What was written down of each payee.
    written: HashMap<Name, Written>,
    /// Whom each batch pays.
    batches: HashMap<Stream, Vec<Name>>,
    /// What of the paid never was in our cash.
    before_paid: Amount,
    staked: Amount,
    costs: costs::Costs,
}

/// What the entries so far say of a payee.
#[derive(Clone, Copy, Debug, Default)]
struct Written {
    earned: Amount,
    paid: Amount,
}

impl Walk {
    fn of(book: &Name) -> Self {
        Self {
            book: book.clone(),
            books: Books::default(),
            entries: Vec::new(),
            written: HashMap::new(),
            batches: HashMap::new(),
            before_paid: Amount::ZERO,
            staked: Amount::ZERO,
            costs: costs::Costs::default(),
        }
    }

    fn feed(&mut self, facts: &[Fact]) -> Result<(), Error> {
        for fact in facts {
            self.books.feed(std::slice::from_ref(fact))?;
            self.take(fact)?;
        }
        Ok(())
    }

    fn take(&mut self, fact: &Fact) -> Result<(), Error> {
        match (fact.body()?, fact.stream.place()) {
            (Body::Recorded(recorded), _) if recorded.book == self.book => {
                self.recorded(fact, &recorded)
            }
            (Body::Reversed(body), _) if body.extent.book == self.book => {
                self.reversed(fact, body.event_at, &body.extent)
            }
            (Body::Restored(body), _) if body.extent.book == self.book => {
                self.reversed(fact, body.event_at, &body.extent)
            }
            (Body::Mirrored(body), Place::Pool { book, .. }) if book == self.book.as_str() => {
                let names: Vec<Name> = body.entries.into_iter().map(|(name, _)| name).collect();
                let text = format!("taken from the holders of {}", fact.stream);
                self.enter(fact.at, text, Vec::new(), &names)
            }
            (Body::Brought(body), Place::Payee { book, payee }) if book == self.book.as_str() => {
                self.before_paid = self.before_paid.plus(body.paid)?;
                let payee = Name::new(payee)?;
                let left = wide(body.earned).saturating_sub(wide(body.paid));
                let postings = vec![
                    (Account::Before, left),
                    (Account::Payee(payee.clone()), left.saturating_neg()),
                ];
                self.enter(fact.at, "brought along from before".into(), postings, &[])?;
                let written = self.written.entry(payee).or_default();
                written.earned = written.earned.plus(body.earned)?;
                written.paid = written.paid.plus(body.paid)?;
                Ok(())
            }
            (Body::Compounded(body), Place::Run { book }) if book == self.book.as_str() => {
                self.staked = self.staked.plus(body.amount)?;
                let (holder, amount) = (body.holder, wide(body.amount));
                let written = self.written.entry(holder.clone()).or_default();
                written.paid = written.paid.plus(body.amount)?;
                let postings = vec![
                    (Account::Payee(holder.clone()), amount),
                    (Account::Staked, amount.saturating_neg()),
                ];
                self.enter(fact.at, format!("became units of {}", body.pool), postings, &[holder])
            }
            (Body::Divided(body), Place::Division { book }) if book == self.book.as_str() => {
                let parts = body.payments.iter().flat_map(|parts| &parts.parts);
                let names: BTreeSet<&str> = parts.map(|part| part.to.name()).collect();
                let names = names.into_iter().map(Name::new).collect::<Result<Vec<_>, _>>()?;
                self.enter(fact.at, format!("divided by rule {}", body.rule), Vec::new(), &names)
            }
            (Body::Declared(body), Place::Pool { book, pool }) if book == self.book.as_str() => {
                self.passed_on(fact, pool, body.drawn.unwrap_or_default())
            }
            (Body::Planned(body), Place::Batch { book, .. }) if book == self.book.as_str() => {
                let mut names: Vec<Name> = body.lines.into_iter().map(|line| line.payee).collect();
                names.sort_unstable();
                names.dedup();
                self.batches.insert(fact.stream.clone(), names);
                Ok(())
            }
            (Body::Signed(_) | Body::Sent(_), _) => Ok(()),
            (_, Place::Batch { book, .. }) if book == self.book.as_str() => self.paid(fact),
            _ => Ok(()),
        }
    }

    fn recorded(&mut self, fact: &Fact, recorded: &Recorded) -> Result<(), Error> {
        let net = recorded.amount.minus(recorded.withheld.unwrap_or(Amount::ZERO))?;
        let postings =
            vec![(Account::Cash, wide(net)), (Account::Undivided, wide(net).saturating_neg())];
        let names = self.sharers(recorded.event_at)?;
        self.enter(recorded.event_at, fact.stream.to_string(), postings, &names)
    }

    fn reversed(&mut self, fact: &Fact, at: Time, extent: &Extent) -> Result<(), Error> {
        let away = wide(extent.after).saturating_sub(wide(extent.before));
        let postings = vec![(Account::Cash, away.saturating_neg()), (Account::Undivided, away)];
        let names = self.sharers(extent.paid_at)?;
        let text = format!("{} of {}", if away < 0 { "again" } else { "back" }, fact.stream);
        self.enter(at, text, postings, &names)
    }

    /// What a pool's payee gave to the pool's holders.
    fn passed_on(&mut self, fact: &Fact, pool: &str, drawn: Amount) -> Result<(), Error> {
        let fold = self.books.book(self.book.as_str())?;
        let fed = |payee: &&Name| {
            fold.passed_on_to(payee.as_str()).is_some_and(|fed| fed.as_str() == pool)
        };
        let Some(payee) = fold.payees().find(fed).filter(|_| !drawn.is_zero()) else {
            return Ok(());
        };
        let (payee, amount) = (payee.clone(), wide(drawn));
        let written = self.written.entry(payee.clone()).or_default();
        written.paid = written.paid.plus(drawn)?;
        let postings = vec![
            (Account::Payee(payee.clone()), amount),
            (Account::Undivided, amount.saturating_neg()),
        ];
        self.enter(fact.at, format!("passed on to pool {pool}"), postings, &[payee])
    }

    /// A batch that settled, or came back.
    fn paid(&mut self, fact: &Fact) -> Result<(), Error> {
        let names = self.batches.get(&fact.stream).cloned().unwrap_or_default();
        let fold = self.books.book(self.book.as_str())?;
        let postings = self.costs.take(fact, fold)?;
        self.enter(fact.at, fact.stream.to_string(), postings, &names)
    }

    /// The payees that a rule names.
    fn sharers(&self, at: Time) -> Result<Vec<Name>, Error> {
        let rule = self.books.book(self.book.as_str())?.rule_at(at);
        let legs = rule.into_iter().flat_map(|rule| rule.all_legs().flat_map(Legs::legs));
        let names = legs.filter_map(|leg| match &leg.to {
            Target::Payee(payee) => Some(Name::new(payee)),
            Target::Pool(_) | _ => None,
        });
        names.collect()
    }

    /// An entry with what these payees have earned and were paid since they were written down.
    fn enter(
        &mut self,
        at: Time,
        text: String,
        mut postings: Vec<(Account, i128)>,
        names: &[Name],
    ) -> Result<(), Error> {
        let fold = self.books.book(self.book.as_str())?;
        let (mut earned, mut paid) = (0_i128, 0_i128);
        for name in names {
            let Ok(balance) = fold.balance(name.as_str(), at) else { continue };
            let written = self.written.entry(name.clone()).or_default();
            let more = wide(balance.earned).saturating_sub(wide(written.earned));
            let out = wide(balance.paid).saturating_sub(wide(written.paid));
            *written = Written { earned: balance.earned, paid: balance.paid };
            postings.push((Account::Payee(name.clone()), more.saturating_neg()));
            postings.push((Account::Payee(name.clone()), out));
            (earned, paid) = (earned.saturating_add(more), paid.saturating_add(out));
        }
        postings.push((Account::Undivided, earned));
        postings.push((Account::Cash, paid.saturating_neg()));
        postings.retain(|(_, amount)| *amount != 0);
        if !postings.is_empty() {
            self.entries.push(Entry { at, text, postings });
        }
        Ok(())
    }

    /// Writes down what everyone has earned in pools until now, and what the book itself says that
    /// every account holds.
    fn finish(mut self, fold: &Book) -> Result<Ledger, Error> {
        let (newest, totals) = (fold.newest(), fold.totals());
        let names: Vec<Name> = fold.payees().cloned().collect();
        self.enter(newest, "earned in pools until now".into(), Vec::new(), &names)?;
        let (mut balances, mut payees) = (BTreeMap::new(), Vec::with_capacity(names.len()));
        let mut earned = 0_i128;
        for name in names {
            let balance = fold.balance(name.as_str(), newest)?;
            earned = earned.saturating_add(wide(balance.earned));
            let owed = wide(balance.paid).saturating_sub(wide(balance.earned));
            balances.insert(Account::Payee(name.clone()), owed);
            payees.push((name, balance));
        }
        let stayed = totals.recorded.minus(totals.withheld)?.minus(totals.refunded)?;
        let out = totals.paid.minus(self.before_paid)?.minus(self.staked)?.minus(totals.drawn)?;
        let cost = costs::Cost::of(totals);
        let left = wide(stayed).saturating_sub(wide(out)).saturating_add(cost.kept());
        balances.insert(Account::Cash, left);
        let coins = self.costs.balances(fold, &cost, &mut balances)?;
        let passed_on = wide(totals.drawn);
        let divided = earned.saturating_sub(wide(totals.opened)).saturating_sub(passed_on);
        balances.insert(Account::Undivided, divided.saturating_sub(wide(stayed)));
        Ok(Ledger {
            book: self.book,
            asset: fold.settings().asset.clone(),
            entries: self.entries,
            balances,
            payees,
            newest,
            coins,
        })
    }
}

impl Account {
    /// The name of its asset, where that is not the book's.
    fn coin(&self) -> Option<&str> {
        match self {
            Self::Coins(coin) | Self::CoinFees(coin) => Some(coin),
            Self::Cash | Self::Undivided | Self::Payee(_) | Self::Before => None,
            Self::Staked | Self::Fees | Self::Rates => None,
        }
    }
}

impl Ledger {
    /// An amount of an account with its sign.
    fn text(&self, account: &Account, amount: i128) -> String {
        let asset = account.coin().and_then(|coin| self.coins.get(coin)).unwrap_or(&self.asset);
        let magnitude = Amount::from_wide(amount.unsigned_abs()).unwrap_or(Amount::MAX);
        let sign = if amount < 0 { "-" } else { "" };
        format!("{sign}{}", asset.text(magnitude))
    }

    /// The day after everything.
    fn day_after(&self) -> String {
        let newest = self.entries.iter().map(|entry| entry.at).chain([self.newest]).max();
        day(newest.unwrap_or_default().plus_secs(86_400))
    }
}

/// The date of a moment, as 2026-03-01.
fn day(at: Time) -> String {
    at.to_string().chars().take(10).collect()
}

fn wide(amount: Amount) -> i128 {
    amount.get().into()
}

//! Payees who ask to be paid now, and what that costs.

use std::sync::Arc;

use divvy_core::{Amount, Code, Error, Line, Name, Rail, Time};

use crate::book::Book;
use crate::host::Sender;
use crate::worker::{Worker, WorkerSettings};

/// What a payee would get who asked to be paid now, and what that would cost.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cost {
    /// Over which rail.
    pub rail: Name,
    /// What would arrive and where, and what they would bear of the fee.
    pub line: Line,
    /// What the rail quotes for it, in the book's asset.
    pub fee: Amount,
}

impl Book<'_> {
    /// What it costs to pay a payee now, whatever their policy waits for, as the rail of their
    /// destination quotes it. Nothing is written and nothing is paid.
    ///
    /// # Errors
    /// As [`divvy_core::Book::demandable`]; [`Code::RailRefused`] when none of these is their rail,
    /// [`Code::QuoteMissing`] when the rail cannot say now, and the host's errors.
    pub async fn cost_of_paying(
        &mut self,
        payee: &str,
        rails: Vec<Arc<dyn Rail>>,
        sender: Arc<dyn Sender>,
        now: Time,
    ) -> Result<Cost, Error> {
        self.divvy.catch_up().await?;
        let fold = self.fold()?;
        let mut due = fold.demandable(payee, now)?;
        let worker = Worker::with(rails, sender, WorkerSettings::alone())?;
        let fee = worker.quote_lines(&due.rail, &due.lines, now).await?;
        due.lines = fold.bear(due.lines, fee);
        let lines = due.lines.pop();
        let line = lines.ok_or_else(|| Error::new(Code::PayeeUnknown, "nobody to pay"))?;
        Ok(Cost { rail: due.rail, line, fee })
    }

    /// Records that a payee asks to be paid now, whatever their policy waits for, and accepts a
    /// cost of at most so much. The next tick of a [`Worker`] pays them alone, unless the rail
    /// quotes more then: [`Worker::obstacles`] says so, and it is tried again until it lapses.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), divvy::core::Error> {
    /// use std::sync::Arc;
    ///
    /// use divvy::core::{Amount, Asset, Brought, Evidence, Hash, Name, Opened, Policy, Time};
    /// use divvy::sandbox::{Keeper, RailSettings, Sandbox, ServerSettings};
    /// use divvy::{Divvy, Sqlite};
    ///
    /// let (usd, now, alice) = (Asset::parse("USD")?, Time::ZERO, Name::new("alice")?);
    /// let policy = Policy::Threshold { min: usd.amount("20.00")?, max_wait_secs: None };
    /// let (floor, named_on) = (Amount::ONE, Some(Name::new("sandbox")?));
    /// let opened = Opened { asset: usd.clone(), policy, floor, cooling_secs: 86_400, named_on };
    /// let mut divvy = Divvy::open(Sqlite::in_memory()?).await?;
    /// let mut book = divvy.open_book_with(&Name::new("chapter-42")?, opened, now).await?;
    /// let evidence = Evidence { source: "a ledger".into(), hash: Hash::of(b""), said: "".into() };
    /// let brought = Brought { earned: usd.amount("5.00")?, paid: Amount::ZERO, evidence };
    /// book.bring(&[(alice.clone(), brought)], now).await?;
    ///
    /// // The cost is shown first, and then accepted.
    /// let keeper = Arc::new(Keeper::open(&ServerSettings::default())?);
    /// let settings = RailSettings::at("http://127.0.0.1:4010", Name::new("till")?)?;
    /// let rail = Arc::new(Sandbox::new(settings)?);
    /// let cost = book.cost_of_paying("alice", vec![rail.clone()], keeper.clone(), now).await?;
    /// assert_eq!((usd.text(cost.line.amount), cost.fee), ("5.00".into(), Amount::ZERO));
    /// book.demand(&alice, cost.fee, now).await?;
    /// divvy.pay_due(vec![rail], keeper, now).await?;
    /// assert_eq!(divvy.books().book("chapter-42")?.totals().paid, cost.line.amount);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`divvy_core::Book::demand`], and the host's errors.
    pub async fn demand(&mut self, payee: &Name, fee_max: Amount, now: Time) -> Result<(), Error> {
        self.act(|book| book.demand(payee, fee_max, now)).await
    }
}

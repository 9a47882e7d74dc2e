//! A project's database and books, opened, and set up as the settings say.

use std::path::Path;
use std::sync::Arc;

use divvy::core::{
    Amount, Asset, Code, Error, FeesSet, Judge, Name, Obstacle, PayeeSet, Policy, PoolOpened,
    Rounding, Stated, TermsSet, Time, Units,
};
use divvy::{
    BadLine, Book, Divvy, FileQuotes, HolderRow, PoolSettings, Project, Quotes, read_file,
    read_holders, read_referrals,
};

use crate::cli::out::Out;
use crate::cli::store::Store;
use crate::cli::till::Till;
use crate::cli::words::{counted, one_or};

/// Payees are set in commits of so many.
const PAYEES_MAX: usize = 10_000;

/// An open project.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) project: Project,
    pub(crate) store: Store,
    pub(crate) divvy: Divvy,
}

impl Desk {
    /// Opens the project of a folder; its database is made when there is none.
    pub(crate) async fn open(dir: &Path) -> Result<Self, Error> {
        let project = Project::read(dir)?;
        let store = Store::open(&project.database).await?;
        let checkpoint = store.checkpoint().await;
        let divvy = Divvy::open_from(store.host(), checkpoint.as_deref()).await?;
        Self::check_book(&project, &divvy)?;
        Ok(Self { project, store, divvy })
    }

    /// Opens the project of a folder for looking only.
    pub(crate) async fn look(dir: &Path) -> Result<Self, Error> {
        let project = Project::read(dir)?;
        let store = Store::look(&project.database).await?;
        let checkpoint = store.checkpoint().await;
        let divvy = Divvy::open_from(store.host(), checkpoint.as_deref()).await?;
        Self::check_book(&project, &divvy)?;
        Ok(Self { project, store, divvy })
    }

    /// The database may hold other books beside, but not only other books.
    fn check_book(project: &Project, divvy: &Divvy) -> Result<(), Error> {
        let none_yet = divvy.books().all().next().is_none();
        if none_yet || divvy.books().book(project.book.as_str()).is_ok() {
            return Ok(());
        }
        let detail = format!(
            "{} is the database of another book, not of {}: name another one in divvy.toml",
            project.database, project.book
        );
        Err(Error::new(Code::BookConflict, detail))
    }

    /// The project's book.
    pub(crate) fn book(&mut self) -> Result<Book<'_>, Error> {
        if self.divvy.books().all().next().is_none() {
            let detail = format!(
                "nothing was taken in for book {} yet: `divvy import` or `divvy run` begins it",
                self.project.book
            );
            return Err(Error::new(Code::BookUnknown, detail));
        }
        self.divvy.book(self.project.book.as_str())
    }

    /// The project's book in the hands of a person, if one acts.
    pub(crate) fn book_by<'a>(&'a mut self, judge: Option<Judge<'a>>) -> Result<Book<'a>, Error> {
        let book = self.book()?;
        Ok(match judge {
            Some(judge) => book.by(judge),
            None => book,
        })
    }

    /// Who says what things cost, if the settings name a file.
    pub(crate) fn quotes(&self) -> Option<Arc<dyn Quotes>> {
        let (file, age_secs_max) = self.project.quotes.as_ref()?;
        Some(Arc::new(FileQuotes::new(file, *age_secs_max)))
    }

    /// Brings the book up to what its rail charges now, where somebody's terms weigh it.
    pub(crate) async fn quote(&mut self, now: Time, out: &mut Out) -> Result<(), Error> {
        let Some(quotes) = self.quotes() else { return Ok(()) };
        let (book, rail) = (self.project.book.clone(), Name::new(&self.project.rail.kind)?);
        for (_, unsaid) in self.divvy.quote_fees(book.as_str(), &*quotes, &[rail], now).await? {
            out.say(&format!("look: {unsaid}"));
        }
        Ok(())
    }

    /// Sets the fees and terms of payouts that the settings name and the book does not know yet.
    pub(crate) async fn choose_terms(
        &mut self,
        judge: Option<Judge<'_>>,
        now: Time,
    ) -> Result<(), Error> {
        let own = self.project.fee_shares.clone();
        let (fees, terms) = self.next_terms(now).await?;
        let mut book = self.book_by(judge)?;
        if let Some(fees) = &fees {
            book.set_fees(fees, now).await?;
        }
        book.set_terms(&terms, now).await?;
        for (payee, share) in own {
            if book.fold()?.fee_share(payee.as_str()) != share {
                let set = TermsSet { fee_share: Some(share), ..TermsSet::NONE };
                book.set_payee_terms(&payee, &set, now).await?;
            }
        }
        Ok(())
    }

    /// The fees and terms of the settings that are not in force yet.
    pub(crate) async fn next_terms(
        &mut self,
        now: Time,
    ) -> Result<(Option<FeesSet>, TermsSet), Error> {
        let (fees, share) = (self.project.fees.clone(), self.project.fee_share);
        let mut terms = self.stated_terms(now).await?;
        let book = self.book()?;
        let fold = book.fold()?;
        terms.fee_share = share.filter(|share| *share != fold.payout_terms().fee_share);
        Ok((fees.filter(|fees| fold.fee_terms() != Some(fees)), terms))
    }

    /// The floor and the threshold that are stated in another asset, at the rate of now; nothing
    /// where they stand in the book already as stated, at the rate of then.
    async fn stated_terms(&mut self, now: Time) -> Result<TermsSet, Error> {
        let (floor, threshold) = (&self.project.floor_stated, &self.project.threshold_stated);
        let (floor, threshold) = (floor.clone(), threshold.clone());
        let terms = self.book()?.fold()?.payout_terms().clone();
        let mut set = TermsSet::NONE;
        if let Some(floor) = floor.filter(|floor| !is_stated(terms.floor_stated.as_ref(), floor)) {
            let stated = self.at_rate(floor, now).await?;
            set.floor = Some(stated.in_book()?);
            set.floor_stated = Some(stated);
        }
        let known = |least: &_| is_stated(terms.policy_stated.as_ref(), least);
        if let Some(least) = threshold.filter(|least| !known(least)) {
            let stated = self.at_rate(least, now).await?;
            let least = stated.in_book()?;
            set.policy = match self.project.opened.policy {
                Policy::Threshold { max_wait_secs, .. } => {
                    Some(Policy::Threshold { min: least, max_wait_secs })
                }
                Policy::Periodic { every, .. } => {
                    Some(Policy::Periodic { every, min: Some(least) })
                }
                policy @ (Policy::Instant | _) => Some(policy),
            };
            set.policy_stated = Some(stated);
        }
        Ok(set)
    }

    /// What is stated in another asset, with the rate of now into the book's.
    async fn at_rate(&self, (amount, from): (Amount, Asset), now: Time) -> Result<Stated, Error> {
        let Some(quotes) = self.quotes() else {
            let detail = format!(
                "{} {} in a book of {} needs a rate: name a file of quotes, as in quotes = {{ \
                 file = \"quotes.toml\" }}",
                from.text(amount),
                from.code(),
                self.project.opened.asset
            );
            return Err(Error::new(Code::QuoteMissing, detail));
        };
        let rate = quotes.rate(&from, &self.project.opened.asset, now).await?;
        Ok(Stated { amount, rate: rate.rounding(Rounding::Up) })
    }

    /// Keeps a checkpoint, so that the next opening costs only what is new.
    pub(crate) async fn close(self) -> Result<(), Error> {
        match self.divvy.checkpoint() {
            Some(checkpoint) => self.store.keep_checkpoint(checkpoint).await,
            None => Ok(()),
        }
    }

    /// Does what the settings say and the book does not know yet. Safe to do again.
    pub(crate) async fn set_up(&mut self, now: Time, out: &mut Out) -> Result<Vec<BadLine>, Error> {
        let project = self.project.clone();
        self.divvy.open_book_with(&project.book, project.opened.clone(), now).await?;
        let mut bad = Vec::new();
        for pool in project.pools.iter().chain(&project.pool) {
            let flow_millis = pool.flow_secs.map(|secs| secs.saturating_mul(1_000));
            let proofs = pool.proofs.then_some(1);
            let payee = pool.payee.clone();
            let opened = PoolOpened { supply: pool.supply, flow_millis, proofs, payee };
            self.book()?.open_pool_with(&pool.name, opened, now).await?;
            if let Some(file) = &pool.holders {
                bad.extend(self.import_holders(pool, file, now, out).await?);
            }
        }
        if let Some(key) = project.issuer
            && self.book()?.fold()?.issuer().is_none()
        {
            self.book()?.set_issuer(key, None, now).await?;
        }
        self.book()?.set_rule_whole(&project.rule, now).await?;
        if let Some(file) = &project.referrals {
            let import = read_referrals(&read_file(file)?)?;
            say_bad_lines(out, file, &import.bad);
            self.book()?.refer(&import.rows, now).await?;
            bad.extend(import.bad);
        }
        self.choose_terms(None, now).await?;
        self.choose_instant(now).await?;
        for (payee, reason) in &project.holds {
            let mut book = self.book()?;
            let known = book.balance(payee.as_str(), now).await;
            if !matches!(known, Ok(balance) if matches!(balance.obstacle, Some(Obstacle::Held(_))))
            {
                book.hold(payee, reason, now).await?;
            }
        }
        // Last, so that what the settings say from the start needs no signature.
        if let Some(guarded) = &project.guarded
            && self.book()?.fold()?.guarded().is_none()
        {
            self.book()?.guard(guarded, now).await?;
        }
        Ok(bad)
    }

    /// Issues units to the holders of a file, once, and sets what they wait for.
    pub(crate) async fn import_holders(
        &mut self,
        pool: &PoolSettings,
        file: &Path,
        now: Time,
        out: &mut Out,
    ) -> Result<Vec<BadLine>, Error> {
        let import = read_holders(&read_file(file)?)?;
        let entries: Vec<(Name, Units)> =
            import.rows.iter().map(|row| (row.holder.clone(), row.units)).collect();
        let supply = self.book()?.fold()?.pool(pool.name.as_str())?.supply();
        if supply == Units::ZERO {
            self.book()?.issue_first(pool.name.as_str(), &entries, now).await?;
            let supply = self.book()?.fold()?.pool(pool.name.as_str())?.supply();
            let holders = counted(entries.len(), "holder");
            let hold = one_or(entries.len(), "holds", "hold");
            out.say(&format!("{holders} {hold} {} of {}", counted(supply, "unit"), pool.name));
        }
        self.choose_thresholds(&import.rows, now, out).await?;
        Ok(import.bad)
    }

    /// Sets each holder's policy and destination where the book does not know them yet.
    async fn choose_thresholds(
        &mut self,
        rows: &[HolderRow],
        now: Time,
        out: &Out,
    ) -> Result<(), Error> {
        let progress = out.progress("setting payees", rows.len().try_into().unwrap_or(0));
        let mut turns = vec![0_usize; self.project.thresholds.len()];
        let mut payees: Vec<(Name, PayeeSet)> = Vec::new();
        for row in rows {
            let policy = self.policy_for(row, &mut turns);
            let rail = Name::new(&self.project.rail.kind)?;
            let destination =
                row.destination.clone().map(|address| divvy::core::Destination { rail, address });
            let known = self.book()?.fold()?.payee_head(&row.holder).n > 0;
            if known || (policy.is_none() && destination.is_none()) {
                continue;
            }
            payees.push((row.holder.clone(), PayeeSet { destination, policy }));
        }
        self.check_destinations(&payees, now)?;
        for chunk in payees.chunks(PAYEES_MAX) {
            self.book()?.set_payees(chunk, now).await?;
            progress.inc(chunk.len().try_into().unwrap_or(0));
        }
        progress.finish_and_clear();
        Ok(())
    }

    /// Refuses destinations that the rail refuses, and those that look like one that is known or
    /// like each other, until a person has said that they are meant.
    pub(crate) fn check_destinations(
        &mut self,
        payees: &[(Name, PayeeSet)],
        now: Time,
    ) -> Result<(), Error> {
        let Some(wallet) = self.project.rail.solana.clone() else { return Ok(()) };
        let rail = Till::quoting(&self.project)?;
        let refused = |why: String| Err(Error::new(Code::RailRefused, why));
        let mut fresh: Vec<&str> = Vec::new();
        for (payee, set) in payees {
            let Some(destination) = &set.destination else { continue };
            if let Err(error) = rail.check_address(&destination.address) {
                return refused(format!("the destination of {payee}: {error}"));
            }
            fresh.push(&destination.address);
        }
        let (mut known, book) = (Vec::new(), self.book()?);
        let fold = book.fold()?;
        for payee in fold.payees() {
            let destination = fold.balance(payee.as_str(), now)?.destination;
            known.extend(destination.map(|destination| destination.address));
        }
        wallet.look_alike(&known, &fresh).map_or(Ok(()), refused)
    }

    /// The next policy, in turn, of the tier that a holder's units reach.
    fn policy_for(&self, row: &HolderRow, turns: &mut [usize]) -> Option<Policy> {
        if self.project.instant.contains(&row.holder) {
            return Some(Policy::Instant);
        }
        let tiers = self.project.thresholds.iter().enumerate();
        let (at, tier) = tiers.rev().find(|(_, tier)| tier.units_from <= row.units)?;
        let turn = turns.get_mut(at)?;
        let policy = tier.policies.get(turn.checked_rem(tier.policies.len())?).copied();
        *turn = turn.wrapping_add(1);
        policy
    }

    /// Sets the policy of those who are paid at once and are not in the file of holders.
    async fn choose_instant(&mut self, now: Time) -> Result<(), Error> {
        let names = self.project.instant.clone();
        let mut book = self.book()?;
        let fold = book.fold()?;
        let set = || PayeeSet { destination: None, policy: Some(Policy::Instant) };
        let fresh = |name: &Name| fold.payee_head(name).n == 0;
        let payees: Vec<(Name, PayeeSet)> =
            names.into_iter().filter(fresh).map(|name| (name, set())).collect();
        if payees.is_empty() { Ok(()) } else { book.set_payees(&payees, now).await }
    }
}

/// Whether this is what was stated before, whatever the rate was.
fn is_stated(known: Option<&Stated>, (amount, asset): &(Amount, Asset)) -> bool {
    known.is_some_and(|known| known.amount == *amount && known.rate.from() == asset)
}

/// Says which lines could not be read.
pub(crate) fn say_bad_lines(out: &mut Out, file: &Path, bad: &[BadLine]) {
    for line in bad {
        out.say(&format!("{}:{}: {}", file.display(), line.line, line.problem));
    }
}

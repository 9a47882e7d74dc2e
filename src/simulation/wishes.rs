//! What only some seeds have: what is wished for there, drawn, and told to the front door.

use divvy_core::{Amount, Brought, Day, Error, Evidence, Funds, Hash, Name, Stream, Time};

use crate::Divvy;
use crate::book::Book;
use crate::simulation::dice::Dice;
use crate::simulation::differences::compare;
use crate::simulation::ear::ENDPOINT;
use crate::simulation::exports::export;
use crate::simulation::issuers::Ruling;
use crate::simulation::notes::draw_funds;
use crate::simulation::people::{By, decide, draw_by};
use crate::simulation::proofs::{BENDS, prove};
use crate::simulation::scene::{START_MILLIS, Scene, Shared};
use crate::simulation::town::Town;

/// Something that a process is told to do where a seed has it.
#[derive(Clone, Debug)]
pub(super) enum Wish {
    /// Somebody was brought by another.
    Refer { book: Name, who: Name, by: Name },
    /// Money that is payable becomes units.
    Compound { book: Name, pool: Name, holder: Name, percent: u64 },
    /// Somebody wants to be paid now, at a cost of so much.
    Demand { book: Name, payee: Name, fee_max: Amount },
    /// Somebody brings along what they earned and were paid before the book began.
    Bring { book: Name, payee: Name, earned: Amount, paid: Amount, by: By },
    /// The treasury has something to note.
    Note { book: Name, funds: Funds, by: By },
    /// The week of a moment is over.
    Close { book: Name, at: Time, by: By },
    /// Everything up to now is sealed.
    Seal,
    /// A rule or another issuer, signed in one way or another.
    Rule(Box<Ruling>),
    /// Somebody proves what they had of each declaration.
    Prove { book: Name, holder: Name, bend: u64 },
    /// A book is compared with the statements of its rails.
    Reconcile { book: Name },
    /// A book is exported and reported.
    Export { book: Name },
    /// An endpoint was mended.
    Resume { book: Name },
}

impl Wish {
    /// One of those that the town has; nothing where it has none.
    pub(super) fn draw(town: &Town, now: Time, dice: &mut Dice) -> Result<Option<Self>, Error> {
        let (book, payee, by) = (town.book(dice)?, town.payee(dice)?, draw_by(dice)?);
        let has = town.features;
        let (refers, notes, rules) = ([has.counts; 2], [has.notes; 3], [has.issues; 3]);
        let (proves, reconciles) = ([has.proves; 2], [has.reconciles; 2]);
        let kinds = [has.flows, has.asks, has.brings, has.tells].into_iter();
        let kinds: Vec<usize> = kinds
            .chain(refers)
            .chain(notes)
            .chain(rules)
            .chain(proves)
            .chain(reconciles)
            .enumerate()
            .filter_map(|(kind, has)| has.then_some(kind))
            .collect();
        let Some(kind) = dice.pick(&kinds).copied() else { return Ok(None) };
        Ok(Some(match kind {
            0 => {
                let (pool, percent) = (town.pool(dice)?.name, dice.within(1, 100));
                Self::Compound { book, pool, holder: payee, percent }
            }
            1 => Self::Demand { book, payee, fee_max: Amount::new(dice.below(9))? },
            2 => {
                let earned = Amount::new(dice.below(40_000))?;
                Self::Bring { book, payee, earned, paid: Amount::new(dice.below(40_000))?, by }
            }
            3 => Self::Resume { book },
            4 | 5 => Self::Refer { book, who: payee, by: town.payee(dice)? },
            6 => Self::Note { book, funds: draw_funds(dice, now)?, by },
            7 => {
                let ago = dice.below(9).saturating_mul(DAY_MILLIS);
                let at = Time::from_millis(now.millis().saturating_sub(ago));
                Self::Close { book, at, by }
            }
            8 => Self::Seal,
            9..=11 => Self::Rule(Box::new(Ruling::draw(town, now, dice)?)),
            14..=15 => Self::Reconcile { book },
            _ => Self::Prove { book, holder: payee, bend: dice.below(BENDS) },
        }))
    }

    pub(super) async fn tell(
        &self,
        divvy: &mut Divvy,
        scene: &Shared,
        now: Time,
    ) -> Result<String, Error> {
        match self {
            Self::Refer { book, who, by } => {
                let pair = [(who.clone(), by.clone())];
                divvy.book(book.as_str())?.refer(&pair, now).await?;
            }
            Self::Compound { book, pool, holder, percent } => {
                let mut book = divvy.book(book.as_str())?;
                let payable = book.balance(holder.as_str(), now).await?.payable.get();
                let part = u128::from(payable).saturating_mul((*percent).into()).div_ceil(100);
                book.compound(pool.as_str(), holder, Amount::from_wide(part)?, now).await?;
            }
            Self::Demand { book, payee, fee_max } => {
                divvy.book(book.as_str())?.demand(payee, *fee_max, now).await?;
            }
            Self::Bring { book, payee, earned, paid, by } => {
                let (source, said) = ("an old ledger".to_owned(), "its last page".to_owned());
                let evidence = Evidence { source, hash: Hash::of(b"ledger"), said };
                let entry = (payee.clone(), Brought { earned: *earned, paid: *paid, evidence });
                let stream = Stream::payee(book, payee);
                let bring = async |mut book: Book<'_>| book.bring(&[entry], now).await;
                return decide(divvy, scene, (book, &stream, by), bring).await;
            }
            Self::Note { book, funds, by } => {
                let (stream, funds) = (Stream::treasury(book), [funds.clone()]);
                let note = async |mut book: Book<'_>| book.note_funds(&funds, now).await.map(drop);
                return decide(divvy, scene, (book, &stream, by), note).await;
            }
            Self::Close { book, at, by } => {
                let (stream, day) = (Stream::treasury(book), Day::of(*at));
                let close =
                    async |mut book: Book<'_>| book.close_week(day, None, now).await.map(drop);
                return decide(divvy, scene, (book, &stream, by), close).await;
            }
            Self::Rule(ruling) => return ruling.tell(divvy, scene, now).await,
            Self::Reconcile { book } => return compare(divvy, scene, book, now).await,
            Self::Export { book } => return export(divvy, scene, book, now).await,
            Self::Prove { book, holder, bend } => {
                return prove(divvy, scene, (book, holder), *bend).await;
            }
            Self::Seal => {
                let sealed = divvy.seal(now).await?;
                return Ok(format!("sealed: {sealed:?}"));
            }
            Self::Resume { book } => {
                let endpoint = Name::new(ENDPOINT)?;
                divvy.book(book.as_str())?.resume_webhook(&endpoint, "mended", now).await?;
            }
        }
        Ok("yes".to_owned())
    }
}

impl Scene {
    /// What is wished for when the world heals: nothing stays broken.
    pub(super) fn last_wishes(&self, book: &Name) -> Vec<Wish> {
        let resume = Wish::Resume { book: book.clone() };
        if self.town.features.tells { vec![resume] } else { Vec::new() }
    }

    /// What is wished for when all is done.
    pub(super) fn closing(&self, book: &Name) -> Vec<Wish> {
        let (at, by) = (Time::from_millis(START_MILLIS), self.who_decides(book));
        let close = Wish::Close { book: book.clone(), at, by };
        let notes = if self.town.features.notes { vec![close, Wish::Seal] } else { Vec::new() };
        let proves = if self.town.features.proves { PROVERS } else { 0 };
        let holders = self.town.payees.iter().rev().take(proves).cloned().zip(0_u64..);
        let prove = |(holder, bend)| Wish::Prove { book: book.clone(), holder, bend };
        let compare = Wish::Reconcile { book: book.clone() };
        let compare = self.town.features.reconciles.then_some(compare);
        let export = Wish::Export { book: book.clone() };
        let export = self.town.features.exports.then_some(export);
        notes.into_iter().chain(holders.map(prove)).chain(compare).chain(export).collect()
    }
}

/// So many holders of each book prove their part at the end.
const PROVERS: usize = 3;
const DAY_MILLIS: u64 = 86_400_000;

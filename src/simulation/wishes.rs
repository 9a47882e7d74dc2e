//! What only some seeds have: what is wished for there, drawn, and told to the front door.

use divvy_core::{Amount, Error, Name, Time};

use crate::Divvy;
use crate::simulation::dice::Dice;
use crate::simulation::town::Town;

/// Something that a process is told to do where a seed has it.
#[derive(Clone, Debug)]
pub(super) enum Wish {
    /// Somebody was brought by another.
    Refer { book: Name, who: Name, by: Name },
    /// Money that is payable becomes units.
    Compound { book: Name, pool: Name, holder: Name, percent: u64 },
}

impl Wish {
    /// One of those that the town has; nothing where it has none.
    pub(super) fn draw(town: &Town, dice: &mut Dice) -> Result<Option<Self>, Error> {
        let (book, payee) = (town.book(dice)?, town.payee(dice)?);
        let mut wishes = Vec::new();
        if town.features.counts {
            wishes.push(Self::Refer {
                book: book.clone(),
                who: payee.clone(),
                by: town.payee(dice)?,
            });
        }
        if town.features.flows {
            let (pool, percent) = (town.pool(dice)?.name, dice.within(1, 100));
            wishes.push(Self::Compound { book, pool, holder: payee, percent });
        }
        Ok(dice.pick(&wishes).cloned())
    }

    pub(super) async fn tell(&self, divvy: &mut Divvy, now: Time) -> Result<String, Error> {
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
        }
        Ok("yes".to_owned())
    }
}

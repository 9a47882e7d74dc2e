//! What rails charge and quote, and whether every line was worth it: by plain integers.

use std::collections::BTreeMap;

use async_trait::async_trait;
use divvy_core::{
    Amount, Asset, Body, Code, Error, Fact, FeeQuote, FeeShare, FeesSet, Line, Name, Place,
    Planned, Rate, Stream, Time,
};

use crate::Quotes;
use crate::simulation::dice::Dice;
use crate::simulation::features::Features;
use crate::simulation::planted::Planted;
use crate::simulation::promise::{Broken, Promise};
use crate::simulation::scene::{Scene, Shared};
use crate::simulation::swap;
use crate::simulation::town::{RAILS, Town};
use crate::simulation::waits::Waits;

/// What a rail takes and says.
#[derive(Clone, Debug)]
pub(super) struct Price {
    /// For each line that it takes up.
    pub(super) charged: u64,
    /// In which asset; nothing where nobody keeps it.
    pub(super) asset: Option<Asset>,
    /// For each line, before it is signed.
    pub(super) quoted: Amount,
    /// What it pays in is worth so much, where that is another asset.
    pub(super) rate: Option<swap::Rate>,
}

/// What fees may cost in each book, and what was said of them.
#[derive(Debug, Default)]
pub(super) struct Prices {
    /// What each rail asks for a line just now, by its place.
    asked: BTreeMap<usize, u64>,
    /// What each process heard last of each rail's price, at its true height.
    heard: BTreeMap<(usize, usize), Option<u64>>,
    books: BTreeMap<Name, FeesSet>,
}

/// Who says what things cost, as one process hears it.
#[derive(Debug)]
pub(super) struct Board {
    pub(super) scene: Shared,
    pub(super) process: usize,
}

#[async_trait]
impl Quotes for Board {
    async fn rate(&self, from: &Asset, to: &Asset, _now: Time) -> Result<Rate, Error> {
        Err(Error::new(Code::QuoteMissing, format!("nobody changes {from} into {to}")))
    }

    async fn fee(&self, rail: &Name, now: Time) -> Result<FeeQuote, Error> {
        self.scene.with(|scene| scene.quote(self.process, rail, now))
    }
}

impl Price {
    pub(super) fn draw(features: Features, dice: &mut Dice) -> Result<Self, Error> {
        let charged = dice.pick(&[0, 0, 1, 3]).copied().unwrap_or(0);
        let own = Asset::parse("USD")?;
        let asset = match dice.below(3) {
            0 => None,
            1 => Some(Asset::parse("SOL@9")?),
            _ => Some(own),
        };
        let quoted = if dice.permille(500) { charged } else { dice.below(8) };
        let swaps = features.swaps && dice.permille(600);
        let rate = swaps.then(|| (dice.within(1, 200), dice.within(1, 200)));
        Ok(Self { charged, asset, quoted: Amount::new(quoted)?, rate })
    }
}

/// What payouts of a book may cost, and what payees bear.
pub(super) fn draw_fees(dice: &mut Dice) -> Result<FeesSet, Error> {
    let ceiling = dice.permille(400).then(|| Amount::new(dice.within(0, 12))).transpose()?;
    let borne_max = dice.permille(500).then(|| Amount::new(dice.within(1, 4))).transpose()?;
    Ok(FeesSet { ceiling, borne_max })
}

/// How much of a line its fee may be.
pub(super) fn draw_share(dice: &mut Dice) -> FeeShare {
    match dice.below(5) {
        0 => FeeShare::AtMost { bps: dice.within(20, 2_000), waits_secs: None },
        _ => FeeShare::Any,
    }
}

impl Prices {
    /// Holds a commit that somebody offers against what paying costs.
    pub(super) fn offered(
        &self,
        (process, read): (usize, usize),
        facts: &[Fact],
        waits: &Waits,
        town: &Town,
    ) -> Result<Option<Broken>, Error> {
        for fact in facts.iter().filter(|fact| fact.kind == "planned.1") {
            let (Place::Batch { book, .. }, Body::Planned(planned)) =
                (fact.stream.place(), fact.body()?)
            else {
                continue;
            };
            let Some(rail) = RAILS.iter().position(|(name, _)| *name == planned.rail.as_str())
            else {
                continue;
            };
            // Who asks to be paid now says what it may cost instead.
            if waits.is_asked(&Name::new(book)?, &planned.lines, (read, fact.at)) {
                continue;
            }
            let heard = self.heard.get(&(process, rail)).copied().flatten();
            if let Some(said) = too_dear(town.share_of(book), heard, &planned) {
                let said = format!("{}: {said}", fact.stream);
                return Ok(Some(Broken { promise: Promise::FeesFit, said }));
            }
        }
        Ok(None)
    }

    /// Holds what was written against the terms of fees that stood before it.
    pub(super) fn written(&mut self, facts: &[Fact], town: &Town) -> Result<Option<Broken>, Error> {
        for fact in facts {
            match (fact.stream.place(), &*fact.kind) {
                (Place::Run { book }, "fees_set.1") => {
                    if let Body::FeesSet(set) = fact.body()? {
                        self.books.insert(Name::new(book)?, set);
                    }
                }
                (Place::Batch { book, .. }, "planned.1") => {
                    let Body::Planned(planned) = fact.body()? else { continue };
                    let set = self.books.get(&Name::new(book)?);
                    if let Some(said) = unfit(&fact.stream, set, &planned, town) {
                        return Ok(Some(Broken { promise: Promise::FeesFit, said }));
                    }
                }
                _ => {}
            }
        }
        Ok(None)
    }
}

/// Whether a line costs more of itself than the book's share allows, by what its planner heard.
fn too_dear(share: FeeShare, heard: Option<u64>, planned: &Planned) -> Option<String> {
    let FeeShare::AtMost { bps, .. } = share else { return None };
    let Some(fee) = heard else { return Some("planned without a price".to_owned()) };
    let dear = |line: &&Line| {
        let debit = u128::from(line.amount.get())
            .saturating_add(line.fee.map_or(0, |fee| fee.get().into()));
        u128::from(fee).saturating_mul(10_000) > debit.saturating_mul(bps.into())
    };
    let line = planned.lines.iter().find(dear)?;
    Some(format!("{} gets {} at a cost of {fee}, {bps} bps at most", line.payee, line.amount))
}

/// Whether a batch costs too much, or makes somebody bear what they should not.
fn unfit(batch: &Stream, set: Option<&FeesSet>, planned: &Planned, town: &Town) -> Option<String> {
    let each = town.price(planned.rail.as_str())?.quoted.get();
    let lines = u64::try_from(planned.lines.len()).unwrap_or(u64::MAX);
    let quoted = each.saturating_mul(lines);
    if let Some(ceiling) = set.and_then(|set| set.ceiling)
        && quoted > ceiling.get()
    {
        return Some(format!("{batch} costs {quoted}, its book allows {ceiling}"));
    }
    let most = set.and_then(|set| set.borne_max).map_or(0, Amount::get);
    let part = each.min(most);
    let wrong = |line: &&Line| {
        let borne = line.fee.map_or(0, Amount::get);
        let debit = line.amount.get().saturating_add(borne);
        borne != if part < debit { part } else { 0 }
    };
    let line = planned.lines.iter().find(wrong)?;
    Some(format!("{} bears {:?} of {batch}, not {part}", line.payee, line.fee))
}

impl Scene {
    /// What a rail's price is said to be. It moves; nobody may know it for a while.
    fn quote(&mut self, process: usize, rail: &Name, now: Time) -> Result<FeeQuote, Error> {
        let at = RAILS.iter().position(|(name, _)| *name == rail.as_str()).unwrap_or(0);
        let moves = self.dice.permille(150);
        let drawn = if self.dice.permille(500) { self.dice.below(4) } else { self.dice.below(60) };
        let asked = self.prices.asked.entry(at).or_insert(drawn);
        if moves {
            *asked = drawn;
        }
        let fee = if self.faulty { *asked } else { 0 };
        if self.goes_wrong(500) {
            self.prices.heard.insert((process, at), None);
            self.trace.count("prices unknown");
            return Err(Error::new(Code::QuoteMissing, "nobody knows the price just now"));
        }
        self.prices.heard.insert((process, at), Some(fee));
        self.trace.count("prices said");
        let said = if self.is_planted(Planted::QuotesLow) { fee.div_euclid(2) } else { fee };
        let (rail, asset, source) = (rail.clone(), Asset::parse("USD")?, "board".to_owned());
        let (fee, until) = (Amount::new(said)?, now.plus_secs(60));
        Ok(FeeQuote { rail, asset, fee, rate: None, source, at: now, until })
    }
}

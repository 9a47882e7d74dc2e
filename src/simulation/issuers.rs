//! Rules that an issuer signs, and everything that others try instead.

use divvy_core::{
    Body, Code, Error, Fact, Hash, Name, PublicKey, RuleSet, Signature, Stream, Time,
};

use crate::Divvy;
use crate::book::Book;
use crate::simulation::dice::Dice;
use crate::simulation::people::{By, STRANGER, decide, draw_by, key_of};
use crate::simulation::planted::Planted;
use crate::simulation::rulings::{Paper, Word};
use crate::simulation::scene::Shared;
use crate::simulation::shift::forge;
use crate::simulation::town::Town;

/// Who may ever issue a book.
const ISSUERS: [&str; 3] = ["ivy", "jim", "kay"];

/// A rule, or the next issuer, and how it is signed.
#[derive(Clone, Debug)]
pub(super) struct Ruling {
    book: Name,
    paper: Paper,
    how: How,
    by: By,
}

/// How a rule is signed. All but the first must be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// By the issuer, for the place where it is to stand.
    Truly,
    NotAtAll,
    ByAStranger,
    /// By the issuer, who was shown something else.
    OverSomethingElse,
    /// By the issuer, for another book.
    ForAnotherBook,
    /// By the issuer, for a place that is taken.
    TooLate,
}

/// An issuer's key, and whether it is known before the first rule or after it.
#[derive(Clone, Debug)]
pub(super) struct Issuer {
    pub(super) key: PublicKey,
    pub(super) is_first: bool,
}

impl Issuer {
    pub(super) fn draw(issuers: &[(Name, PublicKey)], dice: &mut Dice) -> Option<Self> {
        let key = draw_issuer(issuers, dice)?;
        Some(Self { key, is_first: dice.permille(500) })
    }
}

/// Their keys are made once: it takes as long as a signature does.
pub(super) fn issuers() -> Result<Vec<(Name, PublicKey)>, Error> {
    let issuer = |name: &&str| -> Result<_, Error> {
        let name = Name::new(name)?;
        let key = key_of(&name).public();
        Ok((name, key))
    };
    ISSUERS.iter().map(issuer).collect()
}

fn draw_issuer(issuers: &[(Name, PublicKey)], dice: &mut Dice) -> Option<PublicKey> {
    dice.pick(issuers).map(|(_, key)| *key)
}

impl Ruling {
    /// Some hold from now on, some in days.
    pub(super) fn draw(town: &Town, now: Time, dice: &mut Dice) -> Result<Self, Error> {
        let hows = [
            How::NotAtAll,
            How::ByAStranger,
            How::OverSomethingElse,
            How::ForAnotherBook,
            How::TooLate,
        ];
        let truly = dice.permille(600);
        let how = dice.pick(&hows).copied().filter(|_| !truly).unwrap_or(How::Truly);
        let heir = draw_issuer(&town.issuers, dice).filter(|_| dice.permille(250));
        let paper = if let Some(heir) = heir {
            Paper::Heir(heir)
        } else {
            let most = if dice.permille(500) { 3_600 } else { 200_000 };
            let from = now.plus_secs(dice.below(most));
            Paper::Rule(Box::new(town.rule(from, from, dice)?))
        };
        Ok(Self { book: town.book(dice)?, paper, how, by: draw_by(dice)? })
    }

    pub(super) async fn tell(
        &self,
        divvy: &mut Divvy,
        scene: &Shared,
        now: Time,
    ) -> Result<String, Error> {
        let stream = Stream::rule(&self.book);
        let facts = divvy.host().read(&stream).await?;
        let issuer = issuer_of(&facts)?;
        if issuer.is_some() && scene.with(|scene| scene.is_planted(Planted::ForgesRule)) {
            return forge(divvy, &stream, &self.unsigned(), now).await;
        }
        let Some((statement, signature)) = self.sign(issuer, &facts, scene)? else {
            let set = async |mut book: Book<'_>| self.set(&mut book, None, now).await;
            let told = decide(divvy, scene, (&self.book, &stream, &self.by), set).await;
            return refused(told, "rules unsigned, refused", scene);
        };
        let mut book = divvy.book(self.book.as_str())?;
        let told = self.set(&mut book, Some(signature), now).await;
        let fold = book.fold()?;
        let stands = match &self.paper {
            Paper::Rule(rule) => fold.rule_whole_to_sign(rule) == statement,
            Paper::Heir(key) => fold.issuer_to_sign(*key) == statement,
        };
        let is_right = self.how == How::Truly && stands && fold.issuer() == issuer.as_ref();
        match &told {
            Ok(()) => scene.with(|scene| scene.trace.count(self.counted())),
            Err(error) if is_right && error.code() == Code::SignatureWrong => {
                let said = format!("{} does not take what its issuer signed", self.book);
                scene.with(|scene| scene.breaks(crate::simulation::Promise::IssuersSet, said));
            }
            Err(_) => {}
        }
        let counted = match self.how {
            How::Truly | How::TooLate => "rules signed too late, refused",
            How::NotAtAll | How::ByAStranger | How::OverSomethingElse | How::ForAnotherBook => {
                "rules forged, refused"
            }
        };
        refused(told.map(|()| "set".to_owned()), counted, scene)
    }

    /// What is signed, and by whom it seems to be; nothing where nobody signs. What an issuer
    /// really signs is remembered.
    fn sign(
        &self,
        issuer: Option<PublicKey>,
        facts: &[Fact],
        scene: &Shared,
    ) -> Result<Option<(Hash, Signature)>, Error> {
        if self.how == How::NotAtAll || (self.how == How::Truly && issuer.is_none()) {
            return Ok(None);
        }
        let issuers = scene.with(|scene| scene.town.issuers.clone());
        let known = issuers.iter().find(|(_, key)| Some(*key) == issuer);
        let Some((issuer, _)) = known.or(issuers.first()) else { return Ok(None) };
        let stranger = Name::new(STRANGER)?;
        let is_strange = self.how == How::ByAStranger;
        let is_stolen = is_strange && scene.with(|scene| scene.is_planted(Planted::StealsIssuer));
        let by = key_of(if is_strange && !is_stolen { &stranger } else { issuer });
        let late = usize::from(self.how == How::TooLate);
        let facts = facts.get(..facts.len().saturating_sub(late)).unwrap_or_default();
        let before = facts.last().map(|fact| fact.hash);
        let (own, other) = (self.book.clone(), Name::new("elsewhere")?);
        let word = Word {
            key: Some(by.public()),
            book: if self.how == How::ForAnotherBook { other } else { own },
            n: u64::try_from(facts.len()).unwrap_or(u64::MAX),
            before: before.unwrap_or_else(|| Hash::of_stream(&Stream::rule(&self.book))),
            paper: if self.how == How::OverSomethingElse {
                self.other(&issuers)
            } else {
                self.paper.clone()
            },
        };
        let statement = word.statement();
        if !is_stolen {
            scene.with(|scene| scene.rulings.say(word));
        }
        Ok(Some((statement, by.sign(&statement))))
    }

    /// Something much like it.
    fn other(&self, issuers: &[(Name, PublicKey)]) -> Paper {
        match &self.paper {
            Paper::Rule(rule) => {
                let from = Time::from_millis(rule.from.millis().saturating_add(1));
                Paper::Rule(Box::new(RuleSet { from, ..(**rule).clone() }))
            }
            Paper::Heir(key) => {
                let other = issuers.iter().map(|(_, other)| *other).find(|other| other != key);
                Paper::Heir(other.unwrap_or(*key))
            }
        }
    }

    async fn set(
        &self,
        book: &mut Book<'_>,
        signature: Option<Signature>,
        now: Time,
    ) -> Result<(), Error> {
        match &self.paper {
            Paper::Rule(rule) => {
                let rule = RuleSet { signature, ..(**rule).clone() };
                book.set_rule_whole(&rule, now).await
            }
            Paper::Heir(key) => book.set_issuer(*key, signature, now).await,
        }
    }

    fn unsigned(&self) -> Body {
        match &self.paper {
            Paper::Rule(rule) => Body::RuleSet((**rule).clone()),
            Paper::Heir(key) => {
                Body::IssuerSet(divvy_core::IssuerSet { key: *key, signature: None })
            }
        }
    }

    const fn counted(&self) -> &'static str {
        match self.paper {
            Paper::Rule(_) => "rules set by an issuer",
            Paper::Heir(_) => "issuers that others follow",
        }
    }
}

/// Whose key sets the rules of a book, by its own facts.
fn issuer_of(facts: &[Fact]) -> Result<Option<PublicKey>, Error> {
    for fact in facts.iter().rev() {
        if let Body::IssuerSet(set) = fact.body()? {
            return Ok(Some(set.key));
        }
    }
    Ok(None)
}

fn refused(
    told: Result<String, Error>,
    counted: &'static str,
    scene: &Shared,
) -> Result<String, Error> {
    match told {
        Err(error) if error.code() == Code::SignatureWrong => {
            scene.with(|scene| scene.trace.count(counted));
            Ok(format!("{error:?}"))
        }
        told => told,
    }
}

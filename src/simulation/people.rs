//! People who approve and decide: what they really sign, and what others sign in their name.

use divvy_core::{
    Amount, Approved, Code, Consent, Error, Guarded, Hash, Judge, Name, Person, Place, SecretKey,
    Stream, Time,
};

use crate::Divvy;
use crate::book::Book;
use crate::simulation::dice::Dice;
use crate::simulation::planted::Planted;
use crate::simulation::scene::{Scene, Shared};

/// Who may ever be asked.
const PEOPLE: [&str; 4] = ["ann", "bob", "cyd", "dot"];
/// Nobody asks them.
pub(super) const STRANGER: &str = "eve";

/// Something that is signed with somebody's name beside it.
#[derive(Clone, Debug)]
pub(super) struct Approval {
    batch: Stream,
    by: Name,
    is_real: bool,
}

/// Others are to answer from now on.
#[derive(Clone, Debug)]
pub(super) struct Rotation {
    book: Name,
    guarded: Guarded,
    /// So many of those in force sign.
    signers: usize,
}

/// Who decides, as far as anybody signs it.
pub(super) type By = Option<Name>;

/// The key of somebody, which nobody else has.
pub(super) fn key_of(name: &Name) -> SecretKey {
    SecretKey::new(Hash::of(name.as_str().as_bytes()).as_bytes())
}

/// Some of the people, and above which limit of a day they are asked.
pub(super) fn draw_guard(dice: &mut Dice) -> Result<Guarded, Error> {
    let (first, count) = (dice.place(2), dice.within(1, 3));
    let names = PEOPLE.iter().skip(first).take(usize::try_from(count).unwrap_or(1));
    let person = |name: &&str| -> Result<Person, Error> {
        let name = Name::new(name)?;
        Ok(Person { key: key_of(&name).public(), name })
    };
    let people = names.map(person).collect::<Result<Vec<_>, Error>>()?;
    let approvals = u32::try_from(dice.within(1, count)).unwrap_or(1);
    let expires_secs = dice.pick(&[900, 7_200, 259_200]).copied().unwrap_or(7_200);
    let limit = Amount::new(if dice.permille(300) { 0 } else { dice.within(1, 200_000) })?;
    Ok(Guarded { limit, approvals, people, expires_secs, consents: Vec::new(), unsigned: None })
}

/// Mostly one of the people; at times nobody, or somebody who is none of them.
pub(super) fn draw_by(dice: &mut Dice) -> Result<By, Error> {
    Ok(match dice.below(12) {
        0 => None,
        1 => Some(Name::new(STRANGER)?),
        _ => dice.pick(&PEOPLE).map(|name| Name::new(name)).transpose()?,
    })
}

impl Approval {
    pub(super) const fn real(batch: Stream, by: Name) -> Self {
        Self { batch, by, is_real: true }
    }

    /// Of any batch that waits, by any of those who are asked; at times by somebody in their name.
    pub(super) fn draw(waiting: &[(Stream, Vec<Name>)], dice: &mut Dice) -> Option<Self> {
        let (batch, people) = dice.pick(waiting)?;
        let by = dice.pick(people)?.clone();
        Some(Self { batch: batch.clone(), by, is_real: !dice.permille(150) })
    }

    pub(super) async fn tell(
        &self,
        divvy: &mut Divvy,
        scene: &Shared,
        now: Time,
    ) -> Result<String, Error> {
        let Place::Batch { book, .. } = self.batch.place() else { return Ok(String::new()) };
        let mut book = divvy.book(book)?;
        let digest = book.batch(&self.batch).await?.approval(now)?;
        let is_stolen = scene.with(|scene| scene.is_planted(Planted::StealsKey));
        let key = if self.is_real || is_stolen { self.by.clone() } else { Name::new(STRANGER)? };
        if self.is_real {
            scene.with(|scene| scene.witness.said.approve(&self.batch, &self.by, now));
        }
        let signature = key_of(&key).sign(&digest);
        let approved = Approved { by: self.by.clone(), signed_at: now, signature };
        let told = book.approve(&self.batch, &approved, now).await;
        if told.as_ref().is_err_and(|error| error.code() == Code::SignatureWrong) {
            scene.with(|scene| scene.trace.count("approvals forged, refused"));
            return Ok("refused".to_owned());
        }
        told.map(|()| format!("{} approves {}", self.by, self.batch))
    }
}

impl Rotation {
    pub(super) fn draw(book: Name, dice: &mut Dice) -> Result<Self, Error> {
        let signers = usize::try_from(dice.within(1, 3)).unwrap_or(1);
        Ok(Self { book, guarded: draw_guard(dice)?, signers })
    }

    pub(super) async fn tell(
        &self,
        divvy: &mut Divvy,
        scene: &Shared,
        now: Time,
    ) -> Result<String, Error> {
        let mut book = divvy.book(self.book.as_str())?;
        let fold = book.fold()?;
        let Some(before) = fold.guarded() else { return Ok("nobody decides".to_owned()) };
        let digest = fold.guard_digest(&self.guarded);
        let names = before.people.iter().take(self.signers).map(|person| person.name.clone());
        let names: Vec<Name> = names.collect();
        let consent = |by: &Name| Consent { by: by.clone(), signature: key_of(by).sign(&digest) };
        let consents = names.iter().map(consent).collect();
        scene.with(|scene| scene.witness.said.hand_over(&self.book, &self.guarded, names));
        let told = book.guard(&Guarded { consents, ..self.guarded.clone() }, now).await;
        scene.with(|scene| {
            scene.trace.count(match &told {
                Ok(()) => "guards handed over",
                Err(_) => "guards refused",
            });
        });
        told.map(|()| "others decide".to_owned())
    }
}

/// Does something that a person answers for, in the name of whoever does it. A book that knows
/// people takes it from nobody else.
pub(super) async fn decide(
    divvy: &mut Divvy,
    scene: &Shared,
    (book, stream, by): (&Name, &Stream, &By),
    act: impl AsyncFnOnce(Book<'_>) -> Result<(), Error>,
) -> Result<String, Error> {
    let book = divvy.book(book.as_str())?;
    let is_guarded = book.fold()?.guarded().is_some();
    let key = by.as_ref().map(key_of);
    let told = match by.as_ref().filter(|_| is_guarded) {
        Some(by) => {
            scene.with(|scene| scene.witness.said.decide(stream, by));
            let (by, reason) = (by.clone(), "they asked".to_owned());
            act(book.by(Judge { by, reason, key: key.as_ref() })).await
        }
        None => act(book).await,
    };
    let Err(error) = told else { return Ok("yes".to_owned()) };
    if is_guarded && matches!(error.code(), Code::SignatureWrong | Code::ActUnsigned) {
        scene.with(|scene| scene.trace.count("acts refused"));
        return Ok(format!("{error:?}"));
    }
    Err(error)
}

impl Scene {
    /// One of those who decide in a book, if anybody does.
    pub(super) fn who_decides(&self, book: &Name) -> By {
        let guarded = self.witness.books.book(book.as_str()).ok()?.guarded()?;
        guarded.people.first().map(|person| person.name.clone())
    }

    /// Whom to ask about what waits, so that it waits no more.
    pub(super) fn approvals_missing(&self) -> Vec<Approval> {
        let waiting = self.witness.waiting();
        let asked = waiting.into_iter().flat_map(|(batch, people)| {
            people.into_iter().map(move |by| Approval::real(batch.clone(), by))
        });
        asked.collect()
    }
}

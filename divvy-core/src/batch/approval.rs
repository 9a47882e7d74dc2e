//! Approvals: who has to say yes before a batch is signed, and to what exactly.

use crate::amount::Amount;
use crate::batch::{Batch, State, apply::refused};
use crate::checkpoint::stored;
use crate::error::{Code, Error};
use crate::fact::{Approved, Asked, Hash};
use crate::name::Name;
use crate::time::Time;

/// An approval that was given, until when it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Approval {
    by: Name,
    until: Time,
}

stored!(Approval { by, until });
stored!(Asked as cbor);

impl Batch {
    /// What was asked for, if the batch waits or waited for approvals.
    #[must_use]
    pub const fn asked(&self) -> Option<&Asked> {
        self.asked.as_ref()
    }

    /// Who has approved so far, and until when each approval counts.
    pub fn approvals(&self) -> impl Iterator<Item = (&Name, Time)> {
        self.approvals.iter().map(|approval| (&approval.by, approval.until))
    }

    /// Whether nothing but a rail is needed to sign it: nobody is asked, or enough have approved
    /// and none of those approvals has expired.
    #[must_use]
    pub fn is_approved(&self, now: Time) -> bool {
        let Some(asked) = &self.asked else { return true };
        let count = self.approvals.iter().filter(|approval| now <= approval.until).count();
        u32::try_from(count).is_ok_and(|count| count >= asked.approvals)
    }

    /// Whether as many have approved as were asked, whenever that was.
    pub(super) fn was_approved(&self) -> bool {
        self.asked.is_some() && self.is_approved(Time::ZERO)
    }

    /// What a person signs to approve the batch: its name, payees, amounts, destinations, asset,
    /// rail, wallet and fee ceiling, and when they sign. Whatever of it changes is another batch.
    ///
    /// # Errors
    /// [`Code::ApprovalMissing`] when nobody is asked.
    ///
    /// ```
    /// use divvy_core::{Amount, Asked, Asset, Batch, Body, Fact, Head, Line, Name, Person};
    /// use divvy_core::{Planned, SecretKey, Stream, Time};
    ///
    /// let (payee, to) = (Name::new("alice")?, "a1".to_owned());
    /// let lines = vec![Line { payee, amount: Amount::new(90)?, to, to_n: None, fee: None }];
    /// let planned = Planned { rail: Name::new("sandbox")?, wallet: Name::new("till")?, lines };
    /// let ann = SecretKey::new(&[7; 32]);
    /// let asked = Asked {
    ///     approvals: 1,
    ///     people: vec![Person { name: Name::new("ann")?, key: ann.public() }],
    ///     expires_secs: 3_600,
    ///     asset: Asset::parse("USD")?,
    ///     fee_max: Amount::ZERO,
    /// };
    /// let head = Head::start(Stream::batch(&Name::new("chapter-42")?, 0, 0));
    /// let bodies = [Body::Planned(planned), Body::Asked(asked)];
    /// let batch = Batch::fold(&Fact::chain(&head, Time::ZERO, &bodies))?;
    /// let signature = ann.sign(&batch.approval(Time::ZERO)?);
    /// assert!(ann.public().has_signed(&batch.approval(Time::ZERO)?, &signature));
    /// assert!(!batch.is_approved(Time::ZERO), "nobody has told the batch");
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    pub fn approval(&self, signed_at: Time) -> Result<Hash, Error> {
        let asked = self.asked.as_ref().ok_or_else(|| self.unasked())?;
        let stream = self.head.stream.as_str();
        let asset = asked.asset.to_string();
        let about = [stream, self.rail.as_str(), self.wallet.as_str(), asset.as_str()];
        let (fee_max, at) = (asked.fee_max.get().to_be_bytes(), signed_at.millis().to_be_bytes());
        let parts = [self.lines_hash.as_bytes().as_slice(), &fee_max, &at];
        Ok(Hash::of_said("divvy.approval.1", &about, &parts))
    }

    /// Whether a rail may charge so much for it: not more than those have signed who approved it.
    ///
    /// # Errors
    /// [`Code::FeeAboveCeiling`]: give it up then, so that it is planned and asked for anew.
    pub fn check_fee(&self, fee: Amount) -> Result<(), Error> {
        let Some(asked) = self.asked.as_ref().filter(|asked| fee > asked.fee_max) else {
            return Ok(());
        };
        let detail = format!(
            "rail {} asks {} {} for {} now, and people were asked for {} at most: it is planned \
             and asked for anew",
            self.rail,
            asked.asset.text(fee),
            asked.asset.code(),
            self.head.stream,
            asked.asset.text(asked.fee_max)
        );
        Err(Error::new(Code::FeeAboveCeiling, detail))
    }

    /// Whether it is not signed yet, or to be signed anew.
    fn waits(&self) -> bool {
        matches!(self.state(), State::Planned | State::Approved | State::Void)
    }

    /// Whether a person who approves comes in time: what has gone on meanwhile is nobody's fault.
    pub(crate) fn check_waits(&self) -> Result<(), Error> {
        if self.waits() {
            return Ok(());
        }
        let (batch, state) = (&self.head.stream, format!("{:?}", self.state()).to_lowercase());
        let detail = format!("{batch} is {state} by now: it waits for no approval any more");
        Err(Error::new(Code::BatchStale, detail))
    }

    pub(super) fn apply_asked(&mut self, asked: &Asked) -> Result<(), Error> {
        if self.state() != State::Planned || self.asked.is_some() {
            return Err(refused("being asked for twice, or late", "ask when it is planned"));
        }
        self.asked = Some(asked.clone());
        Ok(())
    }

    pub(super) fn apply_approved(&mut self, approved: &Approved, at: Time) -> Result<(), Error> {
        if !self.waits() {
            let what = format!("an approval while {:?}", self.state());
            return Err(refused(&what, "only what is not signed yet can be approved"));
        }
        let digest = self.approval(approved.signed_at)?;
        let asked = self.asked.as_ref().ok_or_else(|| self.unasked())?;
        let person = asked.people.iter().find(|person| person.name == approved.by);
        let signed =
            person.is_some_and(|person| person.key.has_signed(&digest, &approved.signature));
        if !signed || approved.signed_at > at {
            let detail = format!(
                "{} has not signed {} as it was planned: use the key of one who may approve, and \
                 sign what the batch says now",
                approved.by, self.head.stream
            );
            return Err(Error::new(Code::SignatureWrong, detail));
        }
        let until = approved.signed_at.plus_secs(asked.expires_secs);
        self.approvals.retain(|approval| approval.by != approved.by);
        self.approvals.push(Approval { by: approved.by.clone(), until });
        Ok(())
    }

    fn unasked(&self) -> Error {
        let detail = format!("{} waits for no approval: nothing to approve", self.head.stream);
        Error::new(Code::ApprovalMissing, detail)
    }
}

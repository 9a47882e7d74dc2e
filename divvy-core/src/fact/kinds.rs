//! Every kind of fact, with its version. Old kinds stay readable for ever.

use minicbor::decode::Error as DecodeError;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::error::{Code, Error};
use crate::fact::bodies::{
    Cancelled, Claimed, Declared, Declined, Held, Issued, Moved, Opened, PayeeSet, Planned,
    PoolOpened, Recorded, Redeemed, Refused, Released, Reopened, Returned, Review, Run, Sent,
    Settled, Signed, Voided,
};
use crate::fact::breaks::{BreakClosed, BreakExplained, BreakFound};
use crate::fact::fees::{Charged, FeesSet, Swapped};
use crate::fact::flows::{Accrued, Compounded, Flowing};
use crate::fact::people::{Approved, Asked, Decided, Guarded};
use crate::fact::reversals::{Brought, Lost, Mirrored, Restored, Reversed};
use crate::fact::rules::{Divided, IssuerSet, Referred, RuleSet};
use crate::fact::seals::Sealed;
use crate::fact::terms::{Demanded, TermsSet};
use crate::fact::treasury::{Alerted, Funds, WeekClosed};
use crate::fact::webhooks::{WebhookHeard, WebhookResumed, WebhookSilenced, WebhookUnheard};

/// Declares the kinds once: variant, kind and version, meaning.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $kind:literal;)+) => {
        /// What a fact says.
        ///
        /// ```
        /// use divvy_core::{Body, Released};
        ///
        /// let body = Body::Released(Released { reason: "address proven".into() });
        /// assert_eq!(body.kind(), "released.1");
        /// assert_eq!(Body::decode("released.1", &body.encode())?, body);
        /// # Ok::<(), divvy_core::Error>(())
        /// ```
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "kind")]
        #[non_exhaustive]
        pub enum Body {
            $($(#[doc = $doc])+ #[serde(rename = $kind)] $name($name),)+
        }

        impl Body {
            /// Every kind with its version.
            pub const KINDS: &'static [&'static str] = &[$($kind),+];

            /// The kind and version, as `settled.1`.
            #[must_use]
            pub const fn kind(&self) -> &'static str {
                match self { $(Self::$name(_) => $kind),+ }
            }

            /// The one encoding of this body (ADR 0001).
            #[must_use]
            pub fn encode(&self) -> Vec<u8> {
                let mut bytes = Vec::with_capacity(64);
                match self { $(Self::$name(body) => encode_into(body, &mut bytes)),+ }
                bytes
            }

            /// Reads a body. Fields that this build does not know are passed over.
            ///
            /// # Errors
            /// [`Code::FactUnknown`] for a kind or version of a newer build,
            /// [`Code::FactMalformed`] for bytes that are no body of that kind.
            pub fn decode(kind: &str, bytes: &[u8]) -> Result<Self, Error> {
                match kind {
                    $($kind => decode_whole(bytes).map(Self::$name).map_err(malformed),)+
                    _ => Err(unknown(kind)),
                }
            }
        }
    };
}

kinds! {
    /// A book begins.
    Opened = "opened.1";
    /// From a moment on, payments are divided so.
    RuleSet = "rule_set.1";
    /// From now on rules are set with a key.
    IssuerSet = "issuer_set.1";
    /// A person brought another.
    Referred = "referred.1";
    /// Payments were divided by a rule that counts.
    Divided = "divided.1";
    /// A pool begins.
    PoolOpened = "pool_opened.1";
    /// Holders got new units.
    Issued = "issued.1";
    /// Units went from one holder to another.
    Moved = "moved.1";
    /// Units were taken out of the pool.
    Redeemed = "redeemed.1";
    /// Payments were distributed over the units as held then.
    Declared = "declared.1";
    /// A part of a payment was taken from those who had held units at its record date.
    Mirrored = "mirrored.1";
    /// Payments begin to flow to the holders over time.
    Flowing = "flowing.1";
    /// What has flowed belongs to the holders.
    Accrued = "accrued.1";
    /// A payee's destination or policy was set.
    PayeeSet = "payee_set.1";
    /// A payee is not paid until released.
    Held = "held.1";
    /// A held payee may be paid again.
    Released = "released.1";
    /// A payee brought money along from before the book began.
    Brought = "brought.1";
    /// Money came in.
    Recorded = "recorded.1";
    /// Money of a payment went back.
    Reversed = "reversed.1";
    /// What had gone back came again.
    Restored = "restored.1";
    /// A dispute was lost.
    Lost = "lost.1";
    /// A payout run was planned, with all its batches in the same commit.
    Run = "run.1";
    /// Payable money became units.
    Compounded = "compounded.1";
    /// From now on rails may cost so much, and payees bear so much of it.
    FeesSet = "fees_set.1";
    /// From now on payouts above a limit need approvals.
    Guarded = "guarded.1";
    /// From now on payouts have other terms.
    TermsSet = "terms_set.1";
    /// A payee asks to be paid now.
    Demanded = "demanded.1";
    /// A person decided what follows.
    Decided = "decided.1";
    /// A batch was planned, with its lines.
    Planned = "planned.1";
    /// A batch waits for approvals.
    Asked = "asked.1";
    /// A person approved a batch.
    Approved = "approved.1";
    /// A try was signed: it may move money from now on.
    Signed = "signed.1";
    /// A try claimed what it needs to be signed.
    Claimed = "claimed.1";
    /// The rail took a try.
    Sent = "sent.1";
    /// A try moved its money, finally.
    Settled = "settled.1";
    /// A try can never move money.
    Voided = "voided.1";
    /// The rail documented that nothing moved or will.
    Refused = "refused.1";
    /// The rail documented that nothing moved or will, and no payee is to blame.
    Declined = "declined.1";
    /// A person has to decide.
    Review = "review.1";
    /// A batch that no try can pay any more was given up; its lines are payable again.
    Cancelled = "cancelled.1";
    /// Settled money came back.
    Returned = "returned.1";
    /// What was final was undone; the batch is open again.
    Reopened = "reopened.1";
    /// A rail charged a fee for a try.
    Charged = "charged.1";
    /// A rail said of a final try that it moved another asset.
    Swapped = "swapped.1";
    /// Something of a treasury that no payment and no payout tells.
    Funds = "funds.1";
    /// A week of a treasury was closed.
    WeekClosed = "week_closed.1";
    /// What a person should look at of a treasury has changed.
    Alerted = "alerted.1";
    /// Our books and a statement differ.
    BreakFound = "break_found.1";
    /// A person knows why they differ.
    BreakExplained = "break_explained.1";
    /// A break is over.
    BreakClosed = "break_closed.1";
    /// One hash over everything that was written since the last one.
    Sealed = "sealed.1";
    /// A webhook's endpoint has heard of everything up to here.
    WebhookHeard = "webhook_heard.1";
    /// An endpoint did not take a message.
    WebhookUnheard = "webhook_unheard.1";
    /// An endpoint is told nothing more.
    WebhookSilenced = "webhook_silenced.1";
    /// An endpoint is told again.
    WebhookResumed = "webhook_resumed.1";
}

#[expect(clippy::expect_used, reason = "no body has an encoder that could fail, nor has a vector")]
pub(super) fn encode_into<T: Encode<()>>(body: &T, bytes: &mut Vec<u8>) {
    minicbor::encode(body, bytes).expect("writing to a vector cannot fail");
}

fn decode_whole<'b, T: Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, DecodeError> {
    let mut decoder = minicbor::Decoder::new(bytes);
    let body = decoder.decode()?;
    if decoder.position() == bytes.len() {
        Ok(body)
    } else {
        Err(DecodeError::message("bytes follow the body").at(decoder.position()))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the form that `map_err` takes")]
fn malformed(error: DecodeError) -> Error {
    Error::new(Code::FactMalformed, format!("its body cannot be read: {error}"))
}

fn unknown(kind: &str) -> Error {
    let detail = format!("kind {kind:?} is unknown to this build: use the newer one that wrote it");
    Error::new(Code::FactUnknown, detail)
}

//! What Token-2022 adds to an account or a mint: numbered pieces behind it.

use crate::account::Account;
use crate::instruction::token;
use crate::wire::Reader;

/// One piece.
pub(crate) struct Extension<'a> {
    pub(crate) kind: u16,
    pub(crate) bytes: &'a [u8],
}

/// The numbers of what a payout must know.
pub(crate) mod kind {
    pub(crate) const TRANSFER_FEE: u16 = 1;
    pub(crate) const WITHHELD_FEE: u16 = 2;
    pub(crate) const CLOSE_AUTHORITY: u16 = 3;
    pub(crate) const CONFIDENTIAL_MINT: u16 = 4;
    pub(crate) const CONFIDENTIAL_ACCOUNT: u16 = 5;
    pub(crate) const DEFAULT_STATE: u16 = 6;
    pub(crate) const IMMUTABLE_OWNER: u16 = 7;
    pub(crate) const MEMO_REQUIRED: u16 = 8;
    pub(crate) const NON_TRANSFERABLE: u16 = 9;
    pub(crate) const INTEREST: u16 = 10;
    pub(crate) const CALL_GUARD: u16 = 11;
    pub(crate) const PERMANENT_DELEGATE: u16 = 12;
    pub(crate) const NON_TRANSFERABLE_ACCOUNT: u16 = 13;
    pub(crate) const TRANSFER_HOOK: u16 = 14;
    pub(crate) const HOOKED_ACCOUNT: u16 = 15;
    pub(crate) const CONFIDENTIAL_FEE: u16 = 16;
    pub(crate) const CONFIDENTIAL_WITHHELD: u16 = 17;
    pub(crate) const METADATA_POINTER: u16 = 18;
    pub(crate) const METADATA: u16 = 19;
    pub(crate) const GROUP_POINTER: u16 = 20;
    pub(crate) const GROUP: u16 = 21;
    pub(crate) const MEMBER_POINTER: u16 = 22;
    pub(crate) const MEMBER: u16 = 23;
    pub(crate) const SCALED: u16 = 25;
    pub(crate) const PAUSABLE: u16 = 26;
    pub(crate) const PAUSABLE_ACCOUNT: u16 = 27;
    pub(crate) const PERMISSIONED_BURN: u16 = 28;
}

/// Which of both an account with extensions is.
pub(super) const MINT_KIND: u8 = 1;
pub(super) const TOKEN_KIND: u8 = 2;

/// The part that every account of its kind has, and the pieces behind it. Nothing when the account
/// is of another program or kind, or cannot be read to its end.
pub(super) fn split(
    account: &Account,
    base_bytes: usize,
    kind: u8,
) -> Option<(&[u8], Vec<Extension<'_>>)> {
    let (base, rest) = account.data.split_at_checked(base_bytes)?;
    match account.program {
        token::PROGRAM => rest.is_empty().then(|| (base, Vec::new())),
        token::PROGRAM_2022 if rest.is_empty() => Some((base, Vec::new())),
        // A multisig account, which is told by its length alone.
        token::PROGRAM_2022 if account.data.len() == MULTISIG_BYTES => None,
        token::PROGRAM_2022 => {
            // A mint is filled up with zeros, so that both say what they are at the same place.
            let padding = KIND_PLACE.checked_sub(base_bytes)?;
            let (padding, rest) = rest.split_at_checked(padding)?;
            let (own_kind, pieces) = rest.split_first()?;
            let fits = padding.iter().all(|byte| *byte == 0) && *own_kind == kind;
            Some((base, read_all(pieces).filter(|_| fits)?))
        }
        _ => None,
    }
}

fn read_all(bytes: &[u8]) -> Option<Vec<Extension<'_>>> {
    let mut reader = Reader::new(bytes);
    let mut all: Vec<Extension<'_>> = Vec::new();
    loop {
        // Room that is not used yet is zeros, and may be cut anywhere.
        let Ok(kind) = reader.u16() else { return Some(all) };
        if kind == 0 {
            return Some(all);
        }
        let length = reader.u16().ok()?;
        let bytes = reader.take(length.into()).ok()?;
        // Two of a kind would leave open which one counts.
        if all.iter().any(|other| other.kind == kind) {
            return None;
        }
        all.push(Extension { kind, bytes });
    }
}

/// Where an account with extensions says which kind it is.
const KIND_PLACE: usize = 165;

const MULTISIG_BYTES: usize = 355;

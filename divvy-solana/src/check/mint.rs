//! Whether a token arrives as it was sent.

use crate::account::{Account, Extension, is_of_tokens, kind, read_mint};
use crate::concern::Concern;
use crate::wire::Reader;

/// What speaks against paying with a token: a mint that is none, other decimals than was said, and
/// every extension that changes what arrives.
///
/// ```
/// use divvy_solana::{Account, Concern, check_mint, token};
///
/// let data = [vec![0; 44], vec![9, 1], vec![0; 36]].concat();
/// let (program, executable) = (token::PROGRAM, false);
/// let mint = Account { program, lamports: 1_461_600, executable, data };
/// assert_eq!(check_mint(&mint, 6), [Concern::WrongDecimals(9)]);
/// ```
#[must_use]
pub fn check_mint(account: &Account, decimals: u8) -> Vec<Concern> {
    if !is_of_tokens(account) {
        return vec![Concern::WrongProgram(account.program)];
    }
    let Some((mint, extensions)) = read_mint(account) else { return vec![Concern::NoMint] };
    let mut concerns = Vec::new();
    if mint.decimals != decimals {
        concerns.push(Concern::WrongDecimals(mint.decimals));
    }
    concerns.extend(extensions.iter().filter_map(of_mint));
    concerns
}

/// What an extension of a mint means for whoever is paid with its token.
fn of_mint(piece: &Extension<'_>) -> Option<Concern> {
    match piece.kind {
        kind::TRANSFER_FEE => read(piece, transfer_fee),
        kind::TRANSFER_HOOK => read(piece, transfer_hook),
        kind::DEFAULT_STATE => read(piece, |reader| {
            Some((reader.byte().ok()? != USABLE).then_some(Concern::FrozenByDefault))
        }),
        kind::PERMANENT_DELEGATE => {
            read(piece, |reader| Some(is_set(reader)?.then_some(Concern::PermanentDelegate)))
        }
        kind::PAUSABLE => read(piece, |reader| {
            reader.address().ok()?;
            let paused = reader.byte().ok()? != 0;
            Some(Some(if paused { Concern::Paused } else { Concern::Pausable }))
        }),
        kind::NON_TRANSFERABLE => Some(Concern::NonTransferable),
        kind::INTEREST | kind::SCALED => Some(Concern::ShownOtherwise),
        // Who may close an empty mint, descriptions, groups, burning, and what is confidential
        // leave a plain transfer as it is.
        kind::CLOSE_AUTHORITY
        | kind::CONFIDENTIAL_MINT
        | kind::CONFIDENTIAL_FEE
        | kind::METADATA_POINTER
        | kind::METADATA
        | kind::GROUP_POINTER
        | kind::GROUP
        | kind::MEMBER_POINTER
        | kind::MEMBER
        | kind::PERMISSIONED_BURN => None,
        number => Some(Concern::UnknownExtension(number)),
    }
}

type Read = fn(&mut Reader<'_>) -> Option<Option<Concern>>;

/// What cannot be read is as good as unknown.
fn read(piece: &Extension<'_>, meaning: Read) -> Option<Concern> {
    let mut reader = Reader::new(piece.bytes);
    meaning(&mut reader).unwrap_or(Some(Concern::UnknownExtension(piece.kind)))
}

/// Who may change it and who takes it out, what is withheld, then two fees: the one of now, and the
/// one from an epoch on. Either may be in force.
fn transfer_fee(reader: &mut Reader<'_>) -> Option<Option<Concern>> {
    let may_change = is_set(reader)?;
    reader.address().ok()?;
    reader.u64().ok()?;
    let mut charged = false;
    for _ in 0..2 {
        let (_, most) = (reader.u64().ok()?, reader.u64().ok()?);
        charged |= reader.u16().ok()? > 0 && most > 0;
    }
    let possible = may_change.then_some(Concern::TransferFeePossible);
    Some(if charged { Some(Concern::TransferFee) } else { possible })
}

/// Who may change it, and the program.
fn transfer_hook(reader: &mut Reader<'_>) -> Option<Option<Concern>> {
    let (may_change, is_hooked) = (is_set(reader)?, is_set(reader)?);
    let possible = may_change.then_some(Concern::TransferHookPossible);
    Some(if is_hooked { Some(Concern::TransferHook) } else { possible })
}

/// Nobody is written as zeros.
fn is_set(reader: &mut Reader<'_>) -> Option<bool> {
    Some(reader.address().ok()?.bytes().iter().any(|byte| *byte != 0))
}

/// The state of an account that can be used.
const USABLE: u8 = 1;

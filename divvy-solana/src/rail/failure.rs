//! Why a transaction failed, and whose fault it was. It moved nothing, and never will.

use divvy_core::Answer;
use serde_json::Value;

use crate::address::Address;
use crate::instruction::{associated, system, token};
use crate::message::Message;
use crate::transaction::Transaction;

/// What the chain's word for a failure means: a payee who cannot be paid, or a wallet that cannot
/// pay.
pub(super) fn answer(error: &Value, transaction: &Transaction) -> Answer {
    let reason = error.to_string();
    match blamed(error, transaction) {
        Some(line) => Answer::Refused { reason, line: Some(line) },
        None => Answer::Declined { reason },
    }
}

/// The line that is to blame, if one is.
fn blamed(error: &Value, transaction: &Transaction) -> Option<u32> {
    let message = transaction.message();
    if let Some(index) = error.pointer("/InsufficientFundsForRent/account_index") {
        let place = usize::try_from(index.as_u64()?).ok()?;
        let line = transfers(message).position(|(to, _)| usize::from(to) == place);
        return line.and_then(|line| u32::try_from(line).ok());
    }
    let index = usize::try_from(error.pointer("/InstructionError/0")?.as_u64()?).ok()?;
    let why = error.pointer("/InstructionError/1")?;
    let (program, data, accounts) = message.order(index)?;
    let pays = transfer(program, data, accounts).is_some();
    if is_ours(program, why) || !(pays || program == associated::PROGRAM) {
        return None;
    }
    // Whoever's account is made is paid by the transfer that follows.
    let orders = message.orders().take(index);
    let before = orders.filter(|(program, data, to)| transfer(*program, data, to).is_some());
    u32::try_from(before.count()).ok()
}

/// Whether a failing instruction says something of the wallet, and nothing of the payee.
fn is_ours(program: Address, why: &Value) -> bool {
    let own_words = ["ComputationalBudgetExceeded", "MaxInstructionTraceLengthExceeded"];
    if why.as_str().is_some_and(|word| own_words.contains(&word)) {
        return true;
    }
    match why.get("Custom").and_then(Value::as_u64) {
        // Too little money, for both programs; then an owner of the source that is not us.
        Some(1) => true,
        Some(4) => program != associated::PROGRAM && program != system::PROGRAM,
        Some(_) | None => false,
    }
}

/// Every transfer of a message in its order: the place of whom it pays, and how much. Tables need
/// not be known for it.
pub(super) fn transfers(message: &Message) -> impl Iterator<Item = (u8, u64)> {
    message.orders().filter_map(|(program, data, accounts)| transfer(program, data, accounts))
}

/// Whom an order pays, by place, and how much.
fn transfer(program: Address, data: &[u8], accounts: &[u8]) -> Option<(u8, u64)> {
    let is_token = [token::PROGRAM, token::PROGRAM_2022].contains(&program);
    let (place, amount) = match data.split_first_chunk::<4>() {
        Some((&[2, 0, 0, 0], amount)) if program == system::PROGRAM => (1, amount),
        _ if is_token && data.first() == Some(&12) => (2, data.get(1..9)?),
        _ => return None,
    };
    let amount = u64::from_le_bytes(*amount.first_chunk::<8>()?);
    Some((*accounts.get::<usize>(place)?, amount))
}

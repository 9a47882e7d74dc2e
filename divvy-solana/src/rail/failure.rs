//! Why a transaction failed, and whose fault it was. It moved nothing, and never will.

use divvy_core::Answer;
use serde_json::Value;

use crate::address::Address;
use crate::instruction::{Instruction, associated, system, token};
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
    let orders = transaction.message().instructions(&[]).ok()?;
    if let Some(index) = error.pointer("/InsufficientFundsForRent/account_index") {
        let place = usize::try_from(index.as_u64()?).ok()?;
        let account = transaction.message().addresses().get(place)?;
        return line_to(&orders, account);
    }
    let index = usize::try_from(error.pointer("/InstructionError/0")?.as_u64()?).ok()?;
    let why = error.pointer("/InstructionError/1")?;
    let order = orders.get(index)?;
    if is_ours(order, why) || !(is_transfer(order) || order.program == associated::PROGRAM) {
        return None;
    }
    // Whoever's account is made is paid by the transfer that follows.
    let before = orders.iter().take(index).filter(|order| is_transfer(order));
    u32::try_from(before.count()).ok()
}

/// Whether a failing instruction says something of the wallet, and nothing of the payee.
fn is_ours(order: &Instruction, why: &Value) -> bool {
    let own_words = ["ComputationalBudgetExceeded", "MaxInstructionTraceLengthExceeded"];
    if why.as_str().is_some_and(|word| own_words.contains(&word)) {
        return true;
    }
    match why.get("Custom").and_then(Value::as_u64) {
        // Too little money, for both programs; then an owner of the source that is not us.
        Some(1) => true,
        Some(4) => order.program != associated::PROGRAM && order.program != system::PROGRAM,
        Some(_) | None => false,
    }
}

/// Whether this is what pays a line.
pub(super) fn is_transfer(order: &Instruction) -> bool {
    paid(order).is_some()
}

/// Where an instruction pays, and how much.
pub(super) fn paid(order: &Instruction) -> Option<(Address, u64)> {
    let is_token = [token::PROGRAM, token::PROGRAM_2022].contains(&order.program);
    let (place, amount) = match order.data.split_first_chunk::<4>() {
        Some((&[2, 0, 0, 0], amount)) if order.program == system::PROGRAM => (1, amount),
        _ if is_token && order.data.first() == Some(&12) => (2, order.data.get(1..9)?),
        _ => return None,
    };
    let amount = u64::from_le_bytes(*amount.first_chunk::<8>()?);
    Some((order.accounts.get(place)?.address, amount))
}

fn line_to(orders: &[Instruction], account: &Address) -> Option<u32> {
    let line = orders.iter().filter_map(paid).position(|(to, _)| to == *account);
    line.and_then(|line| u32::try_from(line).ok())
}

//! Takes an instruction of a vector apart and has our own encoder make it again.

use divvy_solana::{Address, Instruction, associated, budget, lookup, memo, stake, system, token};

/// The same order by our encoder; an error for a program or tag that this runner does not know.
pub(crate) fn rebuilt(order: &Instruction) -> Result<Instruction, String> {
    let at = |place: usize| {
        let access = order.accounts.get(place).ok_or(format!("no account {place}"));
        access.map(|access| access.address)
    };
    match order.program {
        system::PROGRAM => of_system(order, &at),
        token::PROGRAM | token::PROGRAM_2022 => transfer(order, &at),
        associated::PROGRAM => {
            let (payer, account, wallet) = (at(0)?, at(1)?, at(2)?);
            let (mint, token_program) = (at(3)?, at(5)?);
            let create = associated::Create { payer, wallet, mint, token_program, account };
            match order.data.as_slice() {
                [0] => Ok(create.strict()),
                [1] => Ok(create.idempotent()),
                other => Err(format!("unknown order {other:?} for a token account")),
            }
        }
        memo::PROGRAM => {
            let text = core::str::from_utf8(&order.data).map_err(|_| "a memo is text")?;
            let signers: Vec<_> = order.accounts.iter().map(|access| access.address).collect();
            Ok(memo::note(text, &signers))
        }
        budget::PROGRAM => match tag(order) {
            Some(1) => Ok(budget::heap_bytes(u32_at(order, 1)?)),
            Some(2) => Ok(budget::units(u32_at(order, 1)?)),
            Some(3) => Ok(budget::price(u64_at(order, 1)?)),
            Some(4) => Ok(budget::loaded_bytes(u32_at(order, 1)?)),
            other => Err(format!("unknown budget {other:?}")),
        },
        lookup::PROGRAM => of_tables(order, &at),
        stake::PROGRAM => of_stakes(order, &at),
        other => Err(format!("unknown program {other}")),
    }
}

type At<'a> = dyn Fn(usize) -> Result<Address, String> + 'a;

fn of_system(order: &Instruction, at: &At<'_>) -> Result<Instruction, String> {
    Ok(match tag(order) {
        Some(0) => system::CreateAccount {
            payer: at(0)?,
            account: at(1)?,
            lamports: u64_at(order, 4)?,
            space: u64_at(order, 12)?,
            owner: address_at(order, 20)?,
        }
        .instruction(),
        Some(2) => system::transfer(at(0)?, at(1)?, u64_at(order, 4)?),
        Some(4) => system::advance_nonce(at(0)?, at(2)?),
        Some(5) => {
            let (nonce, to, authority) = (at(0)?, at(1)?, at(4)?);
            let lamports = u64_at(order, 4)?;
            system::WithdrawNonce { nonce, authority, to, lamports }.instruction()
        }
        Some(6) => system::initialize_nonce(at(0)?, address_at(order, 4)?),
        other => return Err(format!("unknown order {other:?} for the system")),
    })
}

fn transfer(order: &Instruction, at: &At<'_>) -> Result<Instruction, String> {
    if tag(order) != Some(12) {
        return Err(format!("unknown order {:?} for a token", tag(order)));
    }
    // Whoever follows the owner signs for it, or is a reference.
    let rest = order.accounts.iter().skip(4);
    let (cosigners, references): (Vec<_>, Vec<_>) = rest.partition(|access| access.signs);
    let only = |accesses: Vec<&divvy_solana::Access>| {
        accesses.into_iter().map(|access| access.address).collect::<Vec<_>>()
    };
    let whole = token::TransferChecked {
        program: order.program,
        source: at(0)?,
        mint: at(1)?,
        destination: at(2)?,
        owner: at(3)?,
        cosigners: only(cosigners),
        amount: u64_at(order, 1)?,
        decimals: *order.data.get(9).ok_or("no decimals")?,
    };
    Ok(whole.instruction().with_references(&only(references)))
}

fn of_tables(order: &Instruction, at: &At<'_>) -> Result<Instruction, String> {
    match tag(order) {
        Some(0) => {
            let created = lookup::create(at(1)?, at(2)?, u64_at(order, 4)?);
            created.map(|(order, _)| order).map_err(|error| error.to_string())
        }
        Some(2) => {
            let count = u64_at(order, 4)?;
            let member = |n: u64| address_at(order, 12 + 32 * usize::try_from(n).unwrap_or(0));
            let members = (0..count).map(member).collect::<Result<Vec<_>, _>>()?;
            Ok(lookup::extend(at(0)?, at(1)?, at(2)?, &members))
        }
        other => Err(format!("unknown order {other:?} for a lookup table")),
    }
}

fn of_stakes(order: &Instruction, at: &At<'_>) -> Result<Instruction, String> {
    Ok(match tag(order) {
        Some(0) => {
            let time_secs = i64::from_le_bytes(u64_at(order, 68)?.to_le_bytes());
            let (epoch, custodian) = (u64_at(order, 76)?, address_at(order, 84)?);
            let lockup = stake::Lockup { time_secs, epoch, custodian };
            let (staker, withdrawer) = (address_at(order, 4)?, address_at(order, 36)?);
            stake::Initialize { account: at(0)?, staker, withdrawer, lockup }.instruction()
        }
        Some(1) => {
            let power = match u32_at(order, 36)? {
                0 => stake::Power::Stake,
                1 => stake::Power::Withdraw,
                other => return Err(format!("unknown power {other}")),
            };
            let (account, authority, next) = (at(0)?, at(2)?, address_at(order, 4)?);
            let custodian = at(3).ok();
            stake::Authorize { account, authority, next, power, custodian }.instruction()
        }
        Some(2) => stake::delegate(at(0)?, at(5)?, at(1)?),
        Some(3) => stake::split(at(0)?, at(2)?, at(1)?, u64_at(order, 4)?),
        Some(4) => stake::Withdraw {
            account: at(0)?,
            withdrawer: at(4)?,
            to: at(1)?,
            lamports: u64_at(order, 4)?,
            custodian: at(5).ok(),
        }
        .instruction(),
        Some(5) => stake::deactivate(at(0)?, at(2)?),
        Some(7) => stake::merge(at(0)?, at(1)?, at(4)?),
        other => return Err(format!("unknown order {other:?} for a stake")),
    })
}

/// The first byte; the programs whose tags have four use no more of them.
fn tag(order: &Instruction) -> Option<u8> {
    order.data.first().copied()
}

fn u32_at(order: &Instruction, place: usize) -> Result<u32, String> {
    array(order, place).map(u32::from_le_bytes)
}

fn u64_at(order: &Instruction, place: usize) -> Result<u64, String> {
    array(order, place).map(u64::from_le_bytes)
}

fn address_at(order: &Instruction, place: usize) -> Result<Address, String> {
    array(order, place).map(Address::new)
}

fn array<const N: usize>(order: &Instruction, place: usize) -> Result<[u8; N], String> {
    let bytes = order.data.get(place..).and_then(|rest| rest.first_chunk::<N>());
    bytes.copied().ok_or_else(|| format!("no {N} bytes at {place}"))
}

//! Runs the Solana vectors: transactions in both directions, what they are made of, and what must
//! be refused.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use divvy_solana::{
    Access, Address, Derived, Draft, Format, Instruction, Keypair, Lifetime, Limits, Signature,
    Table, Transaction, discriminator, read_length, write_length,
};
use serde_json::Value;

use crate::areas::Tally;
use crate::fields::Fields;
use crate::{solana_orders, solana_places, solana_plans};

pub(crate) type Held = Result<(), String>;

/// A part of the file, and what holds each of its cases.
type Part = (&'static str, fn(Fields, &mut Tally) -> Held);

pub(crate) fn run(file: &Value) -> Tally {
    let mut tally = Tally::default();
    let parts: [Part; 22] = [
        ("lengths", length),
        ("addresses", address),
        ("token_accounts", token_account),
        ("lookup_tables", lookup_table),
        ("seeded", seeded),
        ("derived", derived_of),
        ("curve", curve),
        ("nonces", nonce),
        ("discriminators", name),
        ("keys", key),
        ("signatures", signature),
        ("transactions", transaction),
        ("accepted", accepted),
        ("refused", refused),
        ("links", solana_places::link),
        ("wallets", solana_places::wallet),
        ("destinations", solana_places::destination),
        ("mints", solana_places::mint),
        ("capacities", solana_places::capacity),
        ("settlements", solana_plans::settlement),
        ("calls", solana_plans::call),
        ("stakes", solana_plans::stake),
    ];
    let known = |name: &String| {
        ["about"].contains(&name.as_str()) || parts.iter().any(|(part, _)| part == name)
    };
    for unknown in file.as_object().into_iter().flat_map(|file| file.keys()).filter(|n| !known(n)) {
        tally.failures.push(format!("file: unknown part {unknown:?}"));
    }
    for (part, hold) in parts {
        tally.hold_each(file, part, hold);
    }
    tally
}

fn length(mut case: Fields, tally: &mut Tally) -> Held {
    let bytes = bytes(&mut case, "hex")?;
    let read = read_length(&bytes);
    match case.optional("value") {
        Some(value) => {
            let value = value.as_u64().and_then(|value| u16::try_from(value).ok());
            let value = value.ok_or("a length fits two bytes")?;
            same(&read.map_err(told)?, &(value, [].as_slice()), tally)?;
            same(&write_length(value), &bytes, tally)?;
        }
        None => refusal(read, "wire_malformed", &case.text("why")?, tally)?,
    }
    case.done()
}

fn address(mut case: Fields, tally: &mut Tally) -> Held {
    let text = case.text("text")?;
    let read = Address::parse(&text);
    match (case.optional("why"), case.optional("slip_of")) {
        (None, None) => same(&read.map_err(told)?.to_string(), &text, tally)?,
        // A slip of one letter is another address, and nothing in it says so.
        (None, Some(meant)) => {
            let meant = Address::parse(meant.as_str().unwrap_or_default()).map_err(told)?;
            same(&read.is_ok_and(|read| read == meant), &false, tally)?;
        }
        (Some(why), _) => refusal(read, "address_malformed", &why.to_string(), tally)?,
    }
    case.done()
}

fn token_account(mut case: Fields, tally: &mut Tally) -> Held {
    let [wallet, mint, program] =
        ["wallet", "mint", "token_program"].map(|name| parsed(&mut case, name));
    let found = Derived::token_account(&wallet?, &mint?, &program?).map_err(told)?;
    derived(&mut case, "account", found, tally)?;
    case.done()
}

fn lookup_table(mut case: Fields, tally: &mut Tally) -> Held {
    let slot = case.text("slot")?.parse().map_err(|_| "a slot is a number")?;
    let found = Derived::lookup_table(&parsed(&mut case, "authority")?, slot).map_err(told)?;
    derived(&mut case, "table", found, tally)?;
    case.done()
}

fn derived(case: &mut Fields, name: &str, found: Derived, tally: &mut Tally) -> Held {
    let bump = case.value("bump")?.as_u64();
    same(&found.address, &parsed(case, name)?, tally)?;
    same(&Some(u64::from(found.bump)), &bump, tally)?;
    same(&found.address.is_on_curve(), &false, tally)
}

fn seeded(mut case: Fields, tally: &mut Tally) -> Held {
    let [base, owner] = ["base", "owner"].map(|name| parsed(&mut case, name));
    let found = Address::with_seed(&base?, &case.text("seed")?, &owner?);
    match case.optional("why") {
        Some(why) => refusal(found, "address_malformed", &why.to_string(), tally)?,
        None => same(&found.map_err(told)?, &parsed(&mut case, "address")?, tally)?,
    }
    case.done()
}

fn derived_of(mut case: Fields, tally: &mut Tally) -> Held {
    let seeds =
        case.texts("seeds")?.iter().map(|seed| unhex(seed)).collect::<Result<Vec<_>, _>>()?;
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    let found = Derived::find(&parsed(&mut case, "program")?, &seeds);
    match case.optional("why") {
        Some(why) => refusal(found, "address_malformed", &why.to_string(), tally)?,
        None => derived(&mut case, "address", found.map_err(told)?, tally)?,
    }
    case.done()
}

fn curve(mut case: Fields, tally: &mut Tally) -> Held {
    let address = parsed(&mut case, "address")?;
    same(&Value::from(address.is_on_curve()), &case.value("on_curve")?, tally)?;
    case.done()
}

fn nonce(mut case: Fields, tally: &mut Tally) -> Held {
    let [block, nonce] =
        ["blockhash", "nonce"].map(|name| Lifetime::parse(&case.text(name)?).map_err(told));
    same(&block?.nonce(), &nonce?, tally)?;
    case.done()
}

fn name(mut case: Fields, tally: &mut Tally) -> Held {
    let expected = bytes(&mut case, "hex")?;
    same(&discriminator(&case.text("name")?).as_slice(), &expected.as_slice(), tally)?;
    case.done()
}

fn key(mut case: Fields, tally: &mut Tally) -> Held {
    let read = Keypair::from_file(case.text("json")?.as_bytes());
    match case.optional("why") {
        Some(why) => refusal(read, "key_malformed", &why.to_string(), tally)?,
        None => {
            let address = parsed(&mut case, "address")?;
            same(&read.map_err(told)?.address(), &address, tally)?;
            let exported = Keypair::from_base58(&case.text("base58")?).map_err(told)?;
            same(&exported.address(), &address, tally)?;
        }
    }
    case.done()
}

fn signature(mut case: Fields, tally: &mut Tally) -> Held {
    let message = bytes(&mut case, "message")?;
    let expected = Signature::parse(&case.text("signature")?).map_err(told)?;
    if case.optional("why").is_some() {
        let signer = parsed(&mut case, "address")?;
        same(&expected.is_of(&signer, &message), &false, tally)?;
        return case.done();
    }
    let key = keypair(&mut case)?;
    same(&key.sign(&message), &expected, tally)?;
    same(&expected.is_of(&key.address(), &message), &true, tally)?;
    same(&expected.is_of(&key.address(), b"something else"), &false, tally)?;
    case.done()
}

/// Built, signed and read; and what others built of it means the same.
fn transaction(mut case: Fields, tally: &mut Tally) -> Held {
    case.text("id")?;
    let draft = draft(&mut case)?;
    let tables = if let Format::V0(tables) = &draft.format { tables.clone() } else { vec![] };
    let message = draft.compile().map_err(told)?;
    same(&message.encode(), &base64(&case.text("message")?)?, tally)?;

    let mut whole = Transaction::new(message);
    for signer in case.list("signers")? {
        let mut signer = Fields::of(&signer)?;
        let key = keypair(&mut signer)?;
        let signs = signer.value("signs")?;
        signer.done()?;
        if signs == true {
            whole.sign(&key).map_err(told)?;
        }
        same(&whole.missing().contains(&key.address()), &(signs == false), tally)?;
    }
    let expected = base64(&case.text("transaction")?)?;
    same(&whole.encode(), &expected, tally)?;
    same(&Value::from(expected.len()), &case.value("bytes")?, tally)?;
    same(&whole.message().transaction_bytes(), &expected.len(), tally)?;
    same(&whole.verify().is_ok(), &whole.missing().is_empty(), tally)?;
    same(&Transaction::decode(&expected).map_err(told)?, &whole, tally)?;

    let meant = merged(&draft);
    same(&whole.message().instructions(&tables).map_err(told)?, &meant, tally)?;
    for other in case.texts("other_orders")? {
        let other = Transaction::decode(&base64(&other)?).map_err(told)?;
        same(&other.message().instructions(&tables).map_err(told)?, &meant, tally)?;
        same(&other.verify().is_ok(), &whole.missing().is_empty(), tally)?;
    }
    for order in &draft.instructions {
        same(&solana_orders::rebuilt(order)?, order, tally)?;
    }
    case.done()
}

fn accepted(mut case: Fields, tally: &mut Tally) -> Held {
    case.text("id")?;
    let bytes = base64(&case.text("transaction")?)?;
    same(&Transaction::decode(&bytes).map_err(told)?.encode(), &bytes, tally)?;
    case.done()
}

fn refused(mut case: Fields, tally: &mut Tally) -> Held {
    let why = format!("{}, {}", case.text("id")?, case.text("why")?);
    let read = Transaction::decode(&base64(&case.text("transaction")?)?);
    refusal(read, &case.text("code")?, &why, tally)?;
    case.done()
}

fn draft(case: &mut Fields) -> Result<Draft, String> {
    let tables = case.list("tables")?.iter().map(table).collect::<Result<Vec<_>, _>>()?;
    let format = match case.text("format")?.as_str() {
        "legacy" => Format::Legacy,
        "v0" => Format::V0(tables),
        "v1" => Format::V1(limits(case)?),
        other => return Err(format!("unknown format {other:?}")),
    };
    let instructions = case.list("instructions")?;
    let lifetime = Lifetime::parse(&case.text("lifetime")?).map_err(told)?;
    let instructions = instructions.iter().map(instruction).collect::<Result<_, _>>()?;
    Ok(Draft { format, payer: parsed(case, "payer")?, lifetime, instructions })
}

fn table(value: &Value) -> Result<Table, String> {
    let mut table = Fields::of(value)?;
    let read = |text: &String| Address::parse(text).map_err(told);
    let addresses = table.texts("addresses")?.iter().map(read).collect::<Result<_, _>>()?;
    let address = parsed(&mut table, "address")?;
    table.done()?;
    Ok(Table { address, addresses })
}

fn limits(case: &mut Fields) -> Result<Limits, String> {
    let mut limits = Fields::of(&case.value("limits")?)?;
    let mut number = |name: &str| {
        limits.optional(name).map(|value| value.as_u64().ok_or(format!("{name} is no number")))
    };
    let fee = number("priority_fee_lamports").transpose()?;
    let [units, loaded, heap] = ["compute_units", "loaded_bytes", "heap_bytes"].map(|name| {
        let value = number(name).transpose()?;
        Ok::<_, String>(value.and_then(|value| u32::try_from(value).ok()))
    });
    limits.done()?;
    Ok(Limits {
        priority_fee_lamports: fee,
        compute_units: units?,
        loaded_bytes: loaded?,
        heap_bytes: heap?,
    })
}

fn instruction(value: &Value) -> Result<Instruction, String> {
    let mut order = Fields::of(value)?;
    let access = |row: &Vec<String>| {
        let [address, role] = row.as_slice() else { return Err("an account has a role".into()) };
        let (signs, writes) = match role.as_str() {
            "sw" => (true, true),
            "s-" => (true, false),
            "-w" => (false, true),
            "--" => (false, false),
            other => return Err(format!("unknown role {other:?}")),
        };
        Ok(Access { address: Address::parse(address).map_err(told)?, signs, writes })
    };
    let accounts = order.rows("accounts")?.iter().map(access).collect::<Result<_, String>>()?;
    let (program, data) = (parsed(&mut order, "program")?, bytes(&mut order, "data")?);
    order.done()?;
    Ok(Instruction { program, accounts, data })
}

/// What a message keeps of its instructions: an account that signs or is written in one of them
/// does so in all, and the payer does both.
fn merged(draft: &Draft) -> Vec<Instruction> {
    let mut roles: BTreeMap<Address, (bool, bool)> = BTreeMap::from([(draft.payer, (true, true))]);
    for access in draft.instructions.iter().flat_map(|order| &order.accounts) {
        let role = roles.entry(access.address).or_default();
        *role = (role.0 || access.signs, role.1 || access.writes);
    }
    let mut orders = draft.instructions.clone();
    for access in orders.iter_mut().flat_map(|order| &mut order.accounts) {
        (access.signs, access.writes) = roles[&access.address];
    }
    orders
}

fn keypair(case: &mut Fields) -> Result<Keypair, String> {
    let seed = bytes(case, "seed")?;
    let key = Keypair::from_seed(&seed.try_into().map_err(|_| "a seed has 32 bytes")?);
    let expected = parsed(case, "address")?;
    if key.address() == expected { Ok(key) } else { Err(format!("{key:?}, not {expected}")) }
}

pub(crate) fn parsed(case: &mut Fields, name: &str) -> Result<Address, String> {
    Address::parse(&case.text(name)?).map_err(told)
}

fn bytes(case: &mut Fields, name: &str) -> Result<Vec<u8>, String> {
    unhex(&case.text(name)?)
}

pub(crate) fn unhex(text: &str) -> Result<Vec<u8>, String> {
    let pair = |pair: &[u8]| {
        let digits = core::str::from_utf8(pair).ok().filter(|digits| digits.len() == 2);
        digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).ok_or("no hexadecimal".into())
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

fn base64(text: &str) -> Result<Vec<u8>, String> {
    STANDARD.decode(text).map_err(told)
}

pub(crate) fn refusal<T>(
    read: Result<T, divvy_core::Error>,
    code: &str,
    why: &str,
    tally: &mut Tally,
) -> Held {
    tally.checks += 1;
    match read {
        Err(error) if error.code().name() == code => Ok(()),
        Err(error) => Err(format!("refused by {:?}, not as {code}: {why}", error.code())),
        Ok(_) => Err(format!("accepted, though: {why}")),
    }
}

pub(crate) fn same<T: PartialEq + core::fmt::Debug>(
    found: &T,
    expected: &T,
    tally: &mut Tally,
) -> Held {
    tally.checks += 1;
    if found == expected { Ok(()) } else { Err(format!("{found:?}, and not {expected:?}")) }
}

pub(crate) fn told(error: impl core::fmt::Display) -> String {
    error.to_string()
}

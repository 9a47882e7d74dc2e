//! Settlements, calls of Anchor programs and states of stakes, held against a second
//! implementation; settlements were executed as well.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use divvy::core::{Amount, Leg, Legs, Ratio, Share, Target};
use divvy_solana::anchor::{Call, Value as Argument};
use divvy_solana::{
    Account, Address, Collaborator, Derived, Edition, Extra, Keypair, Lifetime, Limits, Rent,
    Settlement, StakeAccount, StakeHistory, Transaction, memo, stake, system, token,
};
use serde_json::Value;

use crate::areas::Tally;
use crate::fields::Fields;
use crate::solana::{Held, refusal, same, told, unhex};

pub(crate) fn settlement(mut case: Fields, tally: &mut Tally) -> Held {
    case.text("id")?;
    let keys = keys(&mut case)?;
    let sale = sale(&mut case, &keys)?;
    let [made, frozen] = ["made", "frozen"].map(|name| case.texts(name));
    let (made, frozen) = (made?, frozen?);
    let rent = Rent { byte_lamports: number(&case.text("byte_lamports")?)? };
    let found = seen(&sale, rent, &made, &frozen)?;
    let planned = sale.plan(&found, rent);
    if let Some(code) = case.optional("refused") {
        refusal(planned, code.as_str().unwrap_or_default(), "a settlement", tally)?;
        return case.done();
    }
    let settling = planned.map_err(told)?;
    let bytes = STANDARD.decode(case.text("transaction")?).map_err(told)?;
    let lifetime = Lifetime::parse(LIFETIME).map_err(told)?;
    let mut own = Transaction::new(settling.message(lifetime).map_err(told)?);
    for key in &keys {
        own.sign(key).map_err(told)?;
    }
    same(&own.encode(), &bytes, tally)?;
    same(&settling.receive(&bytes, lifetime).map_err(told)?.encode(), &bytes, tally)?;
    // The same by a library that puts its keys into another order.
    let other = STANDARD.decode(case.text("other_order")?).map_err(told)?;
    same(&settling.receive(&other, lifetime).map_err(told)?.encode(), &other, tally)?;
    same(&(other == bytes), &false, tally)?;
    same(&Value::from(settling.bytes), &case.value("bytes")?, tally)?;
    let parts: Vec<String> = case.texts("parts")?.into_iter().filter(|part| part != "0").collect();
    let own_parts = settling.parts.iter().map(|part| part.amount.to_string());
    same(&own_parts.collect(), &parts, tally)?;
    same(&settling.costs.fee().to_string(), &case.text("fee")?, tally)?;
    let rents: Vec<String> =
        settling.costs.rents.iter().map(|rented| rented.lamports.to_string()).collect();
    same(&rents, &case.texts("rents")?, tally)?;
    // What it used when it was executed, and how many orders ran, is within what was reckoned.
    let mut ran = Fields::of(&case.value("ran")?)?;
    let within = |most: u64, used: Value| used.as_u64().is_some_and(|used| used <= most);
    let units = within(settling.units.into(), ran.value("units")?);
    let steps = u64::try_from(settling.steps).map_err(told)?;
    same(&(units, within(steps, ran.value("steps")?)), &(true, true), tally)?;
    ran.done()?;
    case.done()
}

fn keys(case: &mut Fields) -> Result<Vec<Keypair>, String> {
    let key = |seed: &str| {
        let seed = unhex(seed)?.try_into().map_err(|_| "a seed has 32 bytes".to_owned())?;
        Ok::<_, String>(Keypair::from_seed(&seed))
    };
    let mut keys = vec![key(&case.text("till")?)?];
    if let Some(seed) = case.value("mint")?.as_str() {
        keys.push(key(seed)?);
    }
    Ok(keys)
}

fn sale(case: &mut Fields, keys: &[Keypair]) -> Result<Settlement, String> {
    let till = keys.first().ok_or("nobody pays")?.address();
    let (mut legs, mut payees) = (Vec::new(), Vec::new());
    for leg in case.list("legs")? {
        let mut leg = Fields::of(&leg)?;
        let (name, share) = (leg.text("name")?, leg.text("share")?);
        let share = match share.as_str() {
            "remaining" => Share::Remaining,
            portion => Share::Portion(Ratio::parse(portion).map_err(told)?),
        };
        let wallet = Address::parse(&leg.text("wallet")?).map_err(told)?;
        legs.push(Leg { to: Target::Payee(name.clone()), share });
        payees.push(Collaborator { name, wallet });
        leg.done()?;
    }
    let texts = case.texts("texts")?;
    let buyer = case.value("buyer")?;
    let edition = match (texts.as_slice(), keys.get(1)) {
        ([name, symbol, uri], Some(key)) => Some(Edition {
            mint: key.address(),
            authority: till,
            buyer: Address::parse(buyer.as_str().unwrap_or_default()).map_err(told)?,
            name: name.clone(),
            symbol: symbol.clone(),
            uri: uri.clone(),
        }),
        _ => None,
    };
    let compute_units = case.value("units")?.as_u64().and_then(|units| u32::try_from(units).ok());
    let priority = case.value("priority")?.as_str().map(number).transpose()?;
    let limits = Limits { compute_units, priority_fee_lamports: priority, ..Limits::default() };
    let note = memo::note(&case.text("memo")?, &[]);
    Ok(Settlement {
        amount: Amount::new(number(&case.text("amount")?)?).map_err(told)?,
        legs: Legs::new(legs).map_err(told)?,
        payees,
        edition,
        after: vec![Extra { units_max: 20_000, ..Extra::new(note) }],
        limits,
        makes_accounts: true,
        ..Settlement::empty(till).map_err(told)?
    })
}

/// Everyone has an account, apart from those whose account is made.
fn seen(
    sale: &Settlement,
    rent: Rent,
    made: &[String],
    frozen: &[String],
) -> Result<Vec<Option<Account>>, String> {
    let mut held = vec![(sale.source().map_err(told)?, Some((sale.treasury, 50_000_000_u64, 1)))];
    for payee in &sale.payees {
        let account = Derived::token_account(&payee.wallet, &sale.coin, &sale.program);
        let state = if frozen.contains(&payee.name) { 2 } else { 1 };
        let own = (!made.contains(&payee.name)).then_some((payee.wallet, 0, state));
        held.push((account.map_err(told)?.address, own));
    }
    let account =
        |program, data| Account { program, lamports: 10_000_000_000, executable: false, data };
    let look = |address: &Address| {
        if *address == sale.coin {
            let data = [vec![0; 44], vec![6, 1], vec![0; 36]].concat();
            return Some(account(token::PROGRAM, data));
        }
        if sale.edition.as_ref().is_some_and(|edition| edition.mint == *address) {
            return None;
        }
        let Some((_, own)) = held.iter().find(|(one, _)| one == address) else {
            return Some(account(system::PROGRAM, Vec::new()));
        };
        own.map(|(owner, amount, state)| {
            let start = [sale.coin.bytes().as_slice(), owner.bytes(), &amount.to_le_bytes()];
            let data = [start.concat(), vec![0; 36], vec![state], vec![0; 56]].concat();
            Account { lamports: rent.of(165), ..account(token::PROGRAM, data) }
        })
    };
    Ok(sale.asks().map_err(told)?.iter().map(look).collect())
}

pub(crate) fn call(mut case: Fields, tally: &mut Tally) -> Held {
    let arguments = case.list("arguments")?.iter().map(argument).collect::<Result<_, _>>()?;
    let (program, name) = (Address::new([1; 32]), case.text("name")?);
    let order = Call { program, name, accounts: Vec::new(), arguments }.instruction();
    match case.optional("why") {
        Some(why) => refusal(order, "wire_malformed", &why.to_string(), tally)?,
        None => same(&order.map_err(told)?.data, &unhex(&case.text("hex")?)?, tally)?,
    }
    case.done()
}

/// A kind and a value.
fn argument(value: &Value) -> Result<Argument, String> {
    let Some([kind, value]) = value.as_array().map(Vec::as_slice) else {
        return Err(format!("no kind and value: {value}"));
    };
    let text = || value.as_str().ok_or_else(|| format!("no text: {value}"));
    let small = || value.as_u64().ok_or_else(|| format!("no number: {value}"));
    let all = |value: &Value| {
        let items = value.as_array().ok_or_else(|| format!("no list: {value}"))?;
        items.iter().map(argument).collect::<Result<Vec<_>, String>>()
    };
    Ok(match kind.as_str().unwrap_or_default() {
        "bool" => Argument::Bool(value.as_bool().ok_or("no truth")?),
        "u8" => Argument::U8(small()?.try_into().map_err(told)?),
        "u16" => Argument::U16(small()?.try_into().map_err(told)?),
        "u32" => Argument::U32(small()?.try_into().map_err(told)?),
        "u64" => Argument::U64(text()?.parse().map_err(told)?),
        "u128" => Argument::U128(text()?.parse().map_err(told)?),
        "i64" => Argument::I64(text()?.parse().map_err(told)?),
        "i128" => Argument::I128(text()?.parse().map_err(told)?),
        "text" => Argument::Text(text()?.to_owned()),
        "bytes" => Argument::Bytes(unhex(text()?)?),
        "fixed" => Argument::Fixed(unhex(text()?)?),
        "key" => Argument::Key(Address::parse(text()?).map_err(told)?),
        "list" => Argument::List(all(value)?),
        "record" => Argument::Record(all(value)?),
        "maybe" if value.is_null() => Argument::Maybe(None),
        "maybe" => Argument::Maybe(Some(Box::new(argument(value)?))),
        "variant" => match value.as_array().map(Vec::as_slice) {
            Some([which, fields]) => {
                let which = which.as_u64().and_then(|which| u8::try_from(which).ok());
                Argument::Variant(which.ok_or("no variant")?, all(fields)?)
            }
            _ => return Err(format!("no variant: {value}")),
        },
        other => return Err(format!("unknown kind of argument {other:?}")),
    })
}

pub(crate) fn stake(mut case: Fields, tally: &mut Tally) -> Held {
    case.text("id")?;
    let account = |data| Account { program: stake::PROGRAM, lamports: 1, executable: false, data };
    let data = STANDARD.decode(case.text("data")?).map_err(told)?;
    let read = StakeAccount::read(&account(data));
    if let Some(why) = case.optional("why") {
        refusal(read, "rail_refused", &why.to_string(), tally)?;
        return case.done();
    }
    let history = STANDARD.decode(case.text("history")?).map_err(told)?;
    let history = StakeHistory::read(&account(history)).map_err(told)?;
    let epoch = case.value("epoch")?.as_u64().ok_or("an epoch is a number")?;
    let state = read.and_then(|read| read.at(epoch, &history)).map_err(told)?;
    let numbers = [state.effective, state.activating, state.deactivating].map(|n| n.to_string());
    let [one, two, three] = ["effective", "activating", "deactivating"].map(|name| case.text(name));
    same(&numbers, &[one?, two?, three?], tally)?;
    same(&state.name().to_owned(), &case.text("state")?, tally)?;
    case.done()
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(told)
}

/// The block that all of them live by.
const LIFETIME: &str = "HAsLh7SbYiBZfAc7AELq8qQEssS78U3UcENXX11UweWr";

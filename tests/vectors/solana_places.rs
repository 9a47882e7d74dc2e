//! Where money may go, and how many payees fit: checks, links and capacities of the Solana vectors.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use divvy_solana::{
    Account, Address, Concern, Destination, Format, Instruction, Lifetime, Limits, Money, Packing,
    PayLink, Payout, Prefunding, Presence, Table, Transfer, Weight, budget, check_mint,
    check_wallet, memo, system, token,
};
use serde_json::Value;

use crate::areas::Tally;
use crate::fields::Fields;
use crate::solana::{Held, parsed, refusal, same, told};

pub(crate) fn wallet(mut case: Fields, tally: &mut Tally) -> Held {
    case.text("id")?;
    let found = account(&case.value("found")?)?;
    let read = |text: &String| Address::parse(text).map_err(told);
    let known = case.texts("known")?.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let wallet = parsed(&mut case, "wallet")?;
    named(&check_wallet(&wallet, found.as_ref(), &known), case, tally)
}

pub(crate) fn destination(mut case: Fields, tally: &mut Tally) -> Held {
    case.text("id")?;
    let found = account(&case.value("found")?)?;
    let planned = match case.text("planned")?.as_str() {
        "there" => Presence::There,
        "missing" => Presence::Missing,
        other => return Err(format!("unknown presence {other:?}")),
    };
    let [wallet, mint, token_program] =
        ["wallet", "mint", "token_program"].map(|name| parsed(&mut case, name));
    let (wallet, mint, token_program) = (wallet?, mint?, token_program?);
    let destination = Destination { wallet, mint, token_program, planned };
    named(&destination.check(found.as_ref()), case, tally)
}

pub(crate) fn mint(mut case: Fields, tally: &mut Tally) -> Held {
    case.text("id")?;
    let account = account(&case.value("account")?)?.ok_or("a mint is there")?;
    let decimals = number(&case.value("decimals")?)?;
    let decimals = u8::try_from(decimals).map_err(|_| "decimals fit a byte")?;
    named(&check_mint(&account, decimals), case, tally)
}

/// The names of what was found, and a sentence for each.
fn named(concerns: &[Concern], mut case: Fields, tally: &mut Tally) -> Held {
    let names: Vec<String> = concerns.iter().map(|found| found.name().to_owned()).collect();
    same(&names, &case.texts("concerns")?, tally)?;
    let told = |found: &Concern| {
        let weighs = matches!(found.weight(), Weight::Ask | Weight::Refuse);
        weighs && found.to_string().len() > 10
    };
    same(&concerns.iter().all(told), &true, tally)?;
    case.done()
}

fn account(value: &Value) -> Result<Option<Account>, String> {
    if value.is_null() {
        return Ok(None);
    }
    let mut account = Fields::of(value)?;
    let program = parsed(&mut account, "program")?;
    let lamports = account.text("lamports")?.parse().map_err(told)?;
    let executable = account.value("executable")? == true;
    let data = STANDARD.decode(account.text("data")?).map_err(told)?;
    account.done()?;
    Ok(Some(Account { program, lamports, executable, data }))
}

pub(crate) fn link(mut case: Fields, tally: &mut Tally) -> Held {
    // What the library of the specification's authors does: told, and binds nobody.
    case.optional("library");
    let read = PayLink::parse(&case.text("link")?);
    if let Some(why) = case.optional("why") {
        refusal(read, "link_malformed", &why.to_string(), tally)?;
        return case.done();
    }
    let read = read.map_err(told)?;
    same(&PayLink::parse(&read.to_string()).map_err(told)?, &read, tally)?;
    match read {
        PayLink::Request(link) => same(&link, &case.text("request")?, tally)?,
        PayLink::Transfer(read) => {
            let mut text = |name: &str| {
                case.optional(name).and_then(|value| value.as_str().map(str::to_owned))
            };
            let expected = [text("amount"), text("label"), text("message"), text("memo")];
            let Transfer { amount, label, message, memo, .. } = read.clone();
            same(&[amount, label, message, memo], &expected, tally)?;
            let token = text("token");
            same(&read.token.map(|token| token.to_string()), &token, tally)?;
            same(&read.recipient, &parsed(&mut case, "recipient")?, tally)?;
            let references: Vec<_> = read.references.iter().map(ToString::to_string).collect();
            let expected = case.optional("references").unwrap_or_else(|| Value::Array(vec![]));
            same(&Value::from(references), &expected, tally)?;
            if let Some(minor) = case.optional("minor") {
                minors(&minor, &read, tally)?;
            }
        }
        other => return Err(format!("unknown link {other:?}")),
    }
    case.done()
}

/// By the number of decimals: the amount in the smallest unit, or null where it has too many.
fn minors(minor: &Value, read: &Transfer, tally: &mut Tally) -> Held {
    for (decimals, expected) in minor.as_object().ok_or("no object")? {
        let decimals = decimals.parse().map_err(told)?;
        let found = read.amount_minor(decimals).ok().flatten();
        let expected = expected.as_str().map(str::to_owned);
        same(&found.map(|found| found.to_string()), &expected, tally)?;
    }
    Ok(())
}

/// So many payees fit, not one more, and their batch weighs what was measured.
pub(crate) fn capacity(mut case: Fields, tally: &mut Tally) -> Held {
    case.text("id")?;
    let made = case.value("made")? == true;
    let presence = if made { Presence::Missing } else { Presence::There };
    let payouts: Vec<Payout> = (0..70).map(|n| payout(n, presence)).collect();
    let mut packing = packing(&mut case, &payouts)?;
    let first = |packing: &Packing| {
        let batches = packing.pack(&payouts).map_err(told)?;
        Ok::<usize, String>(batches.iter().map(Vec::len).max().unwrap_or_default())
    };
    let most = case.value("payees")?;
    same(&Value::from(first(&packing)?), &most, tally)?;
    let batch: Vec<Payout> = payouts.iter().copied().take(first(&packing)?).collect();
    let message = packing.message(&batch, Lifetime::new([9; 32])).map_err(told)?;
    if let Some(bytes) = case.optional("bytes") {
        same(&Value::from(message.transaction_bytes()), &bytes, tally)?;
        same(&Value::from(message.locks()), &case.value("locks")?, tally)?;
        let tables = if let Format::V0(tables) = &packing.format { tables.clone() } else { vec![] };
        let orders = message.instructions(&tables).map_err(told)?.len();
        same(&Value::from(orders), &case.value("instructions")?, tally)?;
    }
    if let Some(feared) = case.optional("payees_feared") {
        packing.prefunding = Prefunding::Feared;
        same(&Value::from(first(&packing)?), &feared, tally)?;
    }
    case.done()
}

fn packing(case: &mut Fields, payouts: &[Payout]) -> Result<Packing, String> {
    let (payer, source, mint) = (address(1, 0), address(2, 0), address(3, 0));
    let owner = match number(&case.value("signers")?)? {
        1 => payer,
        2 => address(4, 0),
        other => return Err(format!("unknown signers {other}")),
    };
    let limits = Limits {
        priority_fee_lamports: Some(4_321),
        compute_units: Some(20_000),
        loaded_bytes: Some(262_144),
        heap_bytes: None,
    };
    let format = match case.text("format")?.as_str() {
        "legacy" => Format::Legacy,
        "v0" => Format::V0(vec![]),
        "v0+alt" => {
            let members = payouts.iter().flat_map(|payout| [payout.account, payout.wallet]);
            let addresses = [source, mint].into_iter().chain(members).collect();
            Format::V0(vec![Table { address: address(9, 0), addresses }])
        }
        "v1" => Format::V1(limits),
        other => return Err(format!("unknown format {other:?}")),
    };
    let (mut before, mut after): (Vec<Instruction>, Vec<Instruction>) = (vec![], vec![]);
    for part in case.texts("frame")? {
        match part.as_str() {
            // A v1 message has its budget in its head.
            "budget" if matches!(format, Format::V1(_)) => {}
            "budget" => before.extend([budget::units(20_000), budget::price(1_000)]),
            "memo" => after.push(memo::note(&"m".repeat(38), &[])),
            "fence" => {
                let (base, seed, owner) = (payer, "s".repeat(32), system::PROGRAM);
                let (lamports, space) = (890_880, 0);
                let fence =
                    system::CreateAccountWithSeed { payer, base, seed, lamports, space, owner };
                before.push(fence.instruction().map_err(told)?);
            }
            other => return Err(format!("unknown part of a frame {other:?}")),
        }
    }
    let (program, decimals, cosigners) = (token::PROGRAM, 6, vec![]);
    let money = Money::Token { program, mint, decimals, source, owner, cosigners };
    let prefunding = Prefunding::AsSeen;
    Ok(Packing { format, payer, money, before, after, prefunding })
}

fn payout(n: u8, presence: Presence) -> Payout {
    Payout { wallet: address(5, n), account: address(6, n), amount: 1_000_000, presence }
}

fn address(kind: u8, n: u8) -> Address {
    let mut bytes = [kind; 32];
    bytes[31] = n;
    Address::new(bytes)
}

fn number(value: &Value) -> Result<u64, String> {
    value.as_u64().ok_or_else(|| format!("no number: {value}"))
}

//! A settlement with everything that must be known before it is signed: who gets what, what is
//! made for whom, what it weighs, uses and costs.

use divvy_core::{Amount, Error};

use crate::account::{Account, Presence, TokenAccount};
use crate::address::Address;
use crate::check::{Destination, check_mint, check_wallet};
use crate::concern::{Concern, Weight};
use crate::instruction::{associated, budget, token};
use crate::lifetime::Lifetime;
use crate::message::{Draft, Format, Limits, Message};
use crate::settlement::cost::{Costs, Rent, Rented};
use crate::settlement::edition::Edition;
use crate::settlement::room::UNITS_EDITION;
use crate::settlement::step::{Act, Extra, Order};
use crate::settlement::{Settlement, ShareOf, refused};
use crate::tariff::{
    LOADED_BYTES_MAX, SIGNATURE_LAMPORTS, TOKEN_BYTES, TOKEN_BYTES_2022, UNITS_BASE, UNITS_MADE,
    UNITS_MAX, UNITS_PAID, price, priority,
};

/// A settlement that fits and would land, as far as accounts tell: what is signed, and what it
/// costs.
///
/// It is plain data of public facts: whoever must sign it makes it for themselves and holds the
/// bytes that they are given against it, by [`Settling::differences`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settling {
    /// Who pays the fee, and signs first.
    pub payer: Address,
    /// In which format it is written.
    pub format: Format,
    /// Every order, and what it is for.
    pub orders: Vec<Order>,
    /// What each leg gets, in the order of the legs; shares of zero are left out.
    pub parts: Vec<Part>,
    /// The edition's mint, if there is one.
    pub edition: Option<Address>,
    /// What it costs the payer.
    pub costs: Costs,
    /// What only a person can know of the addresses in it.
    pub doubts: Vec<Doubt>,
    /// What the transaction weighs with all its signatures, of 1,232 bytes, or 4,096 in v1.
    pub bytes: usize,
    /// How many orders run at most, those included that programs give to others, of 64.
    pub steps: usize,
    /// The most compute units that it may use.
    pub units: u32,
}

/// What one leg gets.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part {
    /// The leg's payee.
    pub name: String,
    /// Their wallet.
    pub wallet: Address,
    /// The token account that is paid.
    pub account: Address,
    /// How much.
    pub amount: Amount,
    /// Whether it stays in the treasury, as a platform's fee does.
    pub is_kept: bool,
    /// Whether the account is made first.
    pub is_made: bool,
}

/// Something about an address that only a person can know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Doubt {
    /// Which address.
    pub address: Address,
    /// What speaks against it.
    pub concern: Concern,
}

impl Settlement {
    /// Plans it over what nodes show of the accounts that [`Settlement::asks`] names, in that
    /// order.
    ///
    /// # Errors
    /// [`divvy_core::Code::RailRefused`] for whatever would make it fail, or money strand, by name:
    /// a payee without a wallet or with somebody else's, a frozen or missing account, an edition
    /// whose key is taken, too little money. [`divvy_core::Code::WireUnfit`] when it does not fit
    /// into one transaction, with the number that would.
    pub fn plan(&self, found: &[Option<Account>], rent: Rent) -> Result<Settling, Error> {
        let asked = self.asks()?;
        if found.len() != asked.len() {
            return Err(refused("look at every account that it asks for, in that order"));
        }
        let sight = |address: &Address| {
            let place = asked.iter().position(|one| one == address);
            place.and_then(|place| found.get(place)?.as_ref())
        };
        let mut doubts = self.check_coin(sight(&self.coin))?;
        let mut made = Vec::new();
        let mut orders = Vec::new();
        if let Some(edition) = &self.edition {
            edition.check()?;
            doubts.extend(self.check_edition(edition, &sight)?);
            made.extend(rents_of(edition, rent)?);
            orders.extend(edition.orders(self.payer, rent.of(edition.bytes()))?);
        }
        let source = self.source()?;
        let mut parts = Vec::new();
        for share in self.shares()? {
            let presence = Presence::of(sight(&share.account));
            doubts.extend(self.check_share(&share, &sight)?);
            let part = self.part(&share, presence);
            if part.is_made {
                made.push(self.rented(&part, rent));
            }
            orders.extend(self.paying(&part, source));
            parts.push(part);
        }
        self.check_source(&parts, sight(&source))?;
        let settling = self.whole(orders, parts, made, doubts)?;
        self.check_payer(&settling, sight(&self.payer), rent)?;
        Ok(settling)
    }

    /// Puts it together, and weighs it.
    fn whole(
        &self,
        orders: Vec<Order>,
        parts: Vec<Part>,
        rents: Vec<Rented>,
        doubts: Vec<Doubt>,
    ) -> Result<Settling, Error> {
        let units = self.limits.compute_units.unwrap_or_else(|| self.units(&parts));
        let (limits, priority) = self.offered(units);
        let allowing = self.allowing(limits).into_iter();
        let allowing = allowing.map(|instruction| Order { act: Act::Allow, instruction });
        let extra = |(place, extra): (usize, &Extra)| Order {
            act: Act::Extra(place),
            instruction: extra.instruction.clone(),
        };
        let before = self.before.iter().enumerate().map(extra);
        let behind = |(place, one)| (self.before.len().saturating_add(place), one);
        let after = self.after.iter().enumerate().map(behind).map(extra);
        let made = parts.iter().filter(|part| part.is_made).count();
        let paid = parts.iter().filter(|part| !part.is_kept).count();
        let mut settling = Settling {
            payer: self.payer,
            format: self.format(limits),
            orders: allowing.chain(before).chain(orders).chain(after).collect(),
            parts,
            edition: self.edition.as_ref().map(|edition| edition.mint),
            costs: Costs { signatures: 0, priority, rents },
            doubts,
            bytes: 0,
            steps: self.steps(made, paid),
            units,
        };
        let message = settling.message(Lifetime::new([0xff; 32]));
        let message =
            message.and_then(|message| self.check_steps(settling.steps).map(|()| message));
        let message = message.map_err(|error| self.too_many(paid, made, error))?;
        let signatures = u64::try_from(message.signers().len()).unwrap_or(u64::MAX);
        settling.costs.signatures = signatures.saturating_mul(SIGNATURE_LAMPORTS);
        settling.bytes = message.transaction_bytes();
        Ok(settling)
    }

    fn part(&self, share: &ShareOf, presence: Presence) -> Part {
        let is_kept = share.wallet == self.treasury;
        Part {
            name: share.name.clone(),
            wallet: share.wallet,
            account: share.account,
            amount: share.amount,
            is_kept,
            is_made: !is_kept && presence != Presence::There,
        }
    }

    /// The orders that pay one share.
    pub(super) fn paying(&self, part: &Part, source: Address) -> Vec<Order> {
        if part.is_kept {
            return Vec::new();
        }
        let create = associated::Create {
            payer: self.payer,
            wallet: part.wallet,
            mint: self.coin,
            token_program: self.program,
            account: part.account,
        };
        let create = part.is_made.then(|| Order {
            act: Act::MakeAccount(part.name.clone()),
            instruction: create.idempotent(),
        });
        let transfer = token::TransferChecked {
            program: self.program,
            source,
            mint: self.coin,
            destination: part.account,
            owner: self.treasury,
            cosigners: Vec::new(),
            amount: part.amount.get(),
            decimals: self.decimals,
        };
        let (act, instruction) = (Act::Pay(part.name.clone()), transfer.instruction());
        create.into_iter().chain([Order { act, instruction }]).collect()
    }

    fn rented(&self, part: &Part, rent: Rent) -> Rented {
        let is_classic = self.program == token::PROGRAM;
        let bytes = if is_classic { TOKEN_BYTES } else { TOKEN_BYTES_2022 };
        let (what, account, lamports) = (part.name.clone(), part.account, rent.of(bytes));
        Rented { what, account, bytes, lamports }
    }

    /// The limits as the head of v1 has them, and what is offered: an older format states a price
    /// for each unit, so the last few lamports may find no place in it.
    pub(super) fn offered(&self, units: u32) -> (Limits, u64) {
        let most = self.limits.priority_fee_lamports.unwrap_or(0);
        let loaded_bytes = self.limits.loaded_bytes.or(self.uses_v1.then_some(LOADED_BYTES_MAX));
        let compute_units = Some(units);
        let limits = Limits { compute_units, loaded_bytes, ..self.limits };
        let charged = priority(units, price(most, units));
        (limits, if self.uses_v1 { most } else { charged })
    }

    /// The same as orders, where the format has no place for them.
    pub(super) fn allowing(&self, limits: Limits) -> Vec<crate::Instruction> {
        if self.uses_v1 {
            return Vec::new();
        }
        let units = limits.compute_units.unwrap_or(UNITS_MAX);
        let mut orders = vec![budget::units(units)];
        orders.extend(limits.priority_fee_lamports.map(|most| budget::price(price(most, units))));
        orders.extend(limits.loaded_bytes.map(budget::loaded_bytes));
        orders.extend(limits.heap_bytes.map(budget::heap_bytes));
        orders
    }

    /// What all orders use at most: the slowest programs that are known.
    fn units(&self, parts: &[Part]) -> u32 {
        let extra = self.before.iter().chain(&self.after).map(|extra| extra.units_max);
        let edition = self.edition.iter().map(|_| UNITS_EDITION);
        let part = |part: &Part| match (part.is_kept, part.is_made) {
            (true, _) => 0,
            (false, true) => UNITS_PAID.saturating_add(UNITS_MADE),
            (false, false) => UNITS_PAID,
        };
        let all = extra.chain(edition).chain(parts.iter().map(part));
        all.fold(UNITS_BASE, u32::saturating_add).min(UNITS_MAX)
    }
}

/// What speaks against it.
impl Settlement {
    fn check_coin(&self, found: Option<&Account>) -> Result<Vec<Doubt>, Error> {
        let found = found.filter(|found| found.program == self.program);
        let concerns = found.map_or(vec![Concern::NoMint], |one| check_mint(one, self.decimals));
        sorted("the coin", self.coin, concerns)
    }

    fn check_edition<'a>(
        &self,
        edition: &Edition,
        sight: &impl Fn(&Address) -> Option<&'a Account>,
    ) -> Result<Vec<Doubt>, Error> {
        if Presence::of(sight(&edition.mint)) != Presence::Missing {
            let why = format!("something is at {} already: make a fresh key", edition.mint);
            return Err(refused(&why));
        }
        self.check_person("the buyer", edition.buyer, sight(&edition.buyer))
    }

    fn check_share<'a>(
        &self,
        share: &ShareOf,
        sight: &impl Fn(&Address) -> Option<&'a Account>,
    ) -> Result<Vec<Doubt>, Error> {
        let ShareOf { name, wallet, account, .. } = share;
        if *wallet == self.treasury {
            return Ok(Vec::new());
        }
        let mut doubts = self.check_person(name, *wallet, sight(wallet))?;
        let planned = Presence::of(sight(account));
        if planned != Presence::There && !self.makes_accounts {
            return Err(refused(&format!("{name} has no token account, and none may be made")));
        }
        let (mint, token_program) = (self.coin, self.program);
        let to = Destination { wallet: *wallet, mint, token_program, planned };
        let concerns = to.check(sight(account));
        if concerns.contains(&Concern::MemoRequired) {
            return Err(refused(&format!("{name}: {}", Concern::MemoRequired)));
        }
        doubts.extend(sorted(name, *account, concerns)?);
        Ok(doubts)
    }

    /// A wallet that somebody gave.
    fn check_person(
        &self,
        name: &str,
        wallet: Address,
        found: Option<&Account>,
    ) -> Result<Vec<Doubt>, Error> {
        if [self.coin, self.source()?].contains(&wallet) {
            let why = format!("{name}: {wallet} is the paying account or its coin");
            return Err(refused(&why));
        }
        let others = self.payees.iter().map(|payee| payee.wallet).filter(|one| *one != wallet);
        let concerns = check_wallet(&wallet, found, &others.collect::<Vec<_>>());
        if concerns.contains(&Concern::OffCurve) && !self.pays_off_curve {
            return Err(refused(&format!("{name}: {wallet}: {}", Concern::OffCurve)));
        }
        sorted(name, wallet, concerns)
    }

    fn check_source(&self, parts: &[Part], found: Option<&Account>) -> Result<(), Error> {
        let leaving = parts.iter().filter(|part| !part.is_kept).map(|part| part.amount);
        let leaving = Amount::total(leaving)?.get();
        if leaving == 0 {
            return Ok(());
        }
        let (wallet, mint, token_program) = (self.treasury, self.coin, self.program);
        let own = Destination { wallet, mint, token_program, planned: Presence::There };
        let concerns = own.check(found);
        let barred =
            |concern: &&Concern| concern.weight() == Weight::Refuse || **concern == Concern::Closed;
        if let Some(concern) = concerns.iter().find(barred) {
            return Err(refused(&format!("the treasury {wallet} cannot pay: {concern}")));
        }
        let held = found.and_then(TokenAccount::read).map_or(0, |read| read.amount);
        if held < leaving {
            let why = format!("the treasury {wallet} holds {held} and must pay {leaving}");
            return Err(refused(&why));
        }
        Ok(())
    }

    fn check_payer(
        &self,
        settling: &Settling,
        found: Option<&Account>,
        rent: Rent,
    ) -> Result<(), Error> {
        let held = found.filter(|found| found.is_plain()).map_or(0, |found| found.lamports);
        let least = settling.costs.total().saturating_add(rent.of(0));
        if held < least {
            let why = format!("{} holds {held} lamports and must have {least}", self.payer);
            return Err(refused(&why));
        }
        Ok(())
    }
}

impl Settling {
    /// The message that everyone signs, for as long as a blockhash lives.
    ///
    /// # Errors
    /// [`divvy_core::Code::WireUnfit`] never: it was weighed when it was planned.
    pub fn message(&self, lifetime: Lifetime) -> Result<Message, Error> {
        let instructions = self.orders.iter().map(|order| order.instruction.clone()).collect();
        let (format, payer) = (self.format.clone(), self.payer);
        Draft { format, payer, lifetime, instructions }.compile()
    }
}

/// Refuses what nobody may say yes to, and keeps what a person may.
fn sorted(name: &str, address: Address, concerns: Vec<Concern>) -> Result<Vec<Doubt>, Error> {
    let refuses = concerns.iter().find(|concern| concern.weight() == Weight::Refuse);
    match refuses {
        Some(concern) => Err(refused(&format!("{name}: {address}: {concern}"))),
        None => Ok(concerns.into_iter().map(|concern| Doubt { address, concern }).collect()),
    }
}

/// The edition itself, and the buyer's account for it.
fn rents_of(edition: &Edition, rent: Rent) -> Result<Vec<Rented>, Error> {
    let rented = |what: &str, account, bytes| {
        let what = what.to_owned();
        Rented { what, account, bytes, lamports: rent.of(bytes) }
    };
    let (own, home) = (edition.mint, edition.home()?);
    Ok(vec![
        rented("the edition", own, edition.bytes()),
        rented("the buyer", home, TOKEN_BYTES_2022),
    ])
}

//! Which payouts go together: as few transactions as possible, each of which fits for certain.
//!
//! What fits is not calculated but tried: a message of the same orders, with accounts that are all
//! different, is compiled and weighed. Real ones weigh as much, or less where accounts coincide.

mod plan;
mod room;

use divvy_core::Error;

use crate::account::Presence;
use crate::address::Address;
use crate::instruction::{Instruction, associated, system, token};
use crate::lifetime::Lifetime;
use crate::message::{Draft, Format, Message, Table};

/// How a payout's transactions are made, and so how many payees fit into one.
///
/// ```
/// use divvy_solana::*;
///
/// let address = |byte| Address::new([byte; 32]);
/// let (payer, mint, source) = (address(1), address(2), address(3));
/// let packing = Packing {
///     format: Format::V1(Limits {
///         priority_fee_lamports: Some(5_000),
///         compute_units: Some(20_000),
///         loaded_bytes: Some(262_144),
///         heap_bytes: None,
///     }),
///     payer,
///     money: Money::Token {
///         program: token::PROGRAM,
///         mint,
///         decimals: 6,
///         source,
///         owner: payer,
///         cosigners: vec![],
///     },
///     before: vec![],
///     after: vec![],
///     prefunding: Prefunding::Feared,
/// };
/// let payee = |n: u8| Payout {
///     wallet: address(n),
///     account: Address::new([n; 32].map(|byte| byte ^ 0xff)),
///     amount: 5_000_000,
///     presence: Presence::There,
/// };
/// let payouts: Vec<Payout> = (10..110).map(payee).collect();
/// let batches = packing.pack(&payouts)?;
/// assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [60, 40]);
///
/// let first: Vec<Payout> = batches[0].iter().map(|place| payouts[*place]).collect();
/// let message = packing.message(&first, Lifetime::new([9; 32]))?;
/// assert_eq!(message.transaction_bytes(), 3_250);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain settings, written as a literal")]
pub struct Packing {
    /// In which format. A lookup table serves where it holds all accounts of a batch, and is left
    /// out where it does not.
    pub format: Format,
    /// Who pays the fee, and the rent of what is made.
    pub payer: Address,
    /// What is paid, and from where.
    pub money: Money,
    /// What comes before the transfers: a nonce to use up, a budget, a fence.
    pub before: Vec<Instruction>,
    /// What comes after them: a memo.
    pub after: Vec<Instruction>,
    /// Whether somebody might spoil a batch by sending lamports ahead of it.
    pub prefunding: Prefunding,
}

/// What is paid, and from where.
///
/// ```
/// use divvy_solana::{Address, Money};
///
/// let sol = Money::Sol { from: Address::new([1; 32]) };
/// assert_ne!(sol, Money::Sol { from: Address::new([2; 32]) });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Money {
    /// Lamports of a wallet.
    Sol {
        /// The wallet, which signs.
        from: Address,
    },
    /// Tokens of a token account.
    Token {
        /// The token program.
        program: Address,
        /// Which token.
        mint: Address,
        /// Those of the mint.
        decimals: u8,
        /// The token account that pays.
        source: Address,
        /// Who owns it, and signs, unless it is a multisig account.
        owner: Address,
        /// Who signs for an owner that is a multisig account.
        cosigners: Vec<Address>,
    },
}

/// One payee of a batch.
///
/// ```
/// use divvy_solana::{Address, Payout, Presence};
///
/// let wallet = Address::new([1; 32]);
/// // Lamports go to the wallet itself.
/// let payout = Payout { wallet, account: wallet, amount: 5, presence: Presence::There };
/// assert_eq!(payout.account, wallet);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, written as a literal")]
pub struct Payout {
    /// Whose it becomes.
    pub wallet: Address,
    /// Their token account, by [`crate::Derived::token_account`]; the wallet itself for lamports.
    pub account: Address,
    /// In the smallest unit.
    pub amount: u64,
    /// Whether that account is there or must be made first, which costs its rent.
    pub presence: Presence,
}

/// Anyone may send lamports to a token account's address before it is made. Making it takes two
/// steps more then, and a batch that has no room for them fails as a whole.
///
/// ```
/// use divvy_solana::Prefunding;
///
/// assert_ne!(Prefunding::Feared, Prefunding::AsSeen);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Prefunding {
    /// Nobody can spoil a batch: 7 or 8 accounts are made in one.
    Feared,
    /// What was seen stays so until the batch lands: 9 or 10 accounts are made in one, unless one
    /// of them was seen prefunded.
    AsSeen,
}

impl Packing {
    /// Divides payouts into batches, by their places: as few as there can be.
    ///
    /// # Errors
    /// [`divvy_core::Code::WireUnfit`] when not even one payout fits beside what comes before and
    /// after.
    pub fn pack(&self, payouts: &[Payout]) -> Result<Vec<Vec<usize>>, Error> {
        let (new, old) = self.sorted(payouts);
        let room = self.room(payouts)?;
        let sizes = plan::fewest(&room, new.len(), old.len())?;
        let (mut new, mut old) = (new.into_iter(), old.into_iter());
        let batch = |made: &usize| {
            let most = room.get(*made).copied().unwrap_or_default();
            let mut batch: Vec<usize> = new.by_ref().take(*made).collect();
            batch.extend(old.by_ref().take(most));
            batch.sort_unstable();
            batch
        };
        let batches: Vec<Vec<usize>> = sizes.iter().map(batch).collect();
        Ok(batches.into_iter().filter(|batch| !batch.is_empty()).collect())
    }

    /// The message of one batch.
    ///
    /// # Errors
    /// [`divvy_core::Code::WireUnfit`] when it does not fit, which no batch of [`Packing::pack`]
    /// does.
    pub fn message(&self, batch: &[Payout], lifetime: Lifetime) -> Result<Message, Error> {
        let orders = batch.iter().flat_map(|payout| self.orders(payout));
        let before = self.before.iter().cloned();
        let instructions: Vec<_> = before.chain(orders).chain(self.after.iter().cloned()).collect();
        let compiled = |format: Format| {
            let (payer, instructions) = (self.payer, instructions.clone());
            Draft { format, payer, lifetime, instructions }.compile()
        };
        let Format::V0(tables) = &self.format else { return compiled(self.format.clone()) };
        let serving = tables.iter().filter(|table| batch.iter().all(|one| self.serves(table, one)));
        let with_one = serving.filter_map(|table| compiled(Format::V0(vec![table.clone()])).ok());
        let smallest = with_one.min_by_key(Message::transaction_bytes);
        match (compiled(Format::V0(Vec::new())), smallest) {
            (Ok(bare), Some(small)) if bare.transaction_bytes() <= small.transaction_bytes() => {
                Ok(bare)
            }
            (_, Some(small)) => Ok(small),
            (bare, None) => bare,
        }
    }

    /// The orders that pay one payee.
    fn orders(&self, payout: &Payout) -> Vec<Instruction> {
        let Payout { wallet, account, amount, .. } = *payout;
        match &self.money {
            Money::Sol { from } => vec![system::transfer(*from, account, amount)],
            Money::Token { program, mint, decimals, source, owner, cosigners } => {
                let transfer = token::TransferChecked {
                    program: *program,
                    source: *source,
                    mint: *mint,
                    destination: account,
                    owner: *owner,
                    cosigners: cosigners.clone(),
                    amount,
                    decimals: *decimals,
                };
                let (payer, mint, token_program) = (self.payer, *mint, *program);
                let create = associated::Create { payer, wallet, mint, token_program, account };
                let create = self.is_new(payout).then(|| create.idempotent());
                create.into_iter().chain([transfer.instruction()]).collect()
            }
        }
    }

    /// Whether an account must be made first.
    fn is_new(&self, payout: &Payout) -> bool {
        matches!(self.money, Money::Token { .. }) && payout.presence != Presence::There
    }

    /// Whether a table holds what tells this payout from others.
    fn serves(&self, table: &Table, payout: &Payout) -> bool {
        let holds = |address: &Address| table.addresses.contains(address);
        holds(&payout.account) && (!self.is_new(payout) || holds(&payout.wallet))
    }

    /// The places of those whose account must be made, and of the others.
    fn sorted(&self, payouts: &[Payout]) -> (Vec<usize>, Vec<usize>) {
        let places = 0..payouts.len();
        places.partition(|place| payouts.get(*place).is_some_and(|one| self.is_new(one)))
    }
}

#[cfg(test)]
mod tests;

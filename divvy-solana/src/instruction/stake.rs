//! The stake program. Every order names the sysvars that older builds of the program ask for;
//! newer ones pass over them, so the same bytes serve every cluster.

use crate::address::Address;
use crate::instruction::{Access, Instruction, system};
use crate::wire::Writer;

/// The stake program.
pub const PROGRAM: Address = Address::known("Stake11111111111111111111111111111111111111");

/// How many bytes a stake account has.
pub const STAKE_BYTES: u64 = 200;

/// Until when a stake may not be withdrawn, and who may all the same.
///
/// ```
/// use divvy_solana::stake::Lockup;
///
/// // None, which is what most stakes have.
/// assert_eq!(Lockup::default().epoch, 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, written as a literal")]
pub struct Lockup {
    /// Seconds since 1970.
    pub time_secs: i64,
    /// The first epoch in which it may.
    pub epoch: u64,
    /// Who may before.
    pub custodian: Address,
}

impl Default for Lockup {
    fn default() -> Self {
        Self { time_secs: 0, epoch: 0, custodian: Address::new([0; 32]) }
    }
}

/// Makes a stake of an account that was created with [`STAKE_BYTES`].
///
/// ```
/// use divvy_solana::{Address, stake};
///
/// let [account, staker, withdrawer] = [1, 2, 3].map(|byte| Address::new([byte; 32]));
/// let lockup = stake::Lockup::default();
/// let order = stake::Initialize { account, staker, withdrawer, lockup }.instruction();
/// assert_eq!(order.data.len(), 4 + 32 + 32 + 8 + 8 + 32);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an order, written as a literal")]
pub struct Initialize {
    /// The stake account.
    pub account: Address,
    /// Who may delegate it.
    pub staker: Address,
    /// Who may take it out; better another key.
    pub withdrawer: Address,
    /// Until when not.
    pub lockup: Lockup,
}

impl Initialize {
    /// The order as bytes.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        let accounts = vec![Access::writing(self.account), Access::reading(system::RENT)];
        let data = tag(0).address(&self.staker).address(&self.withdrawer);
        let data = data.i64(self.lockup.time_secs).u64(self.lockup.epoch);
        Instruction::new(PROGRAM, accounts, data.address(&self.lockup.custodian))
    }
}

/// Delegates a stake to a validator's vote account.
#[must_use]
pub fn delegate(account: Address, staker: Address, vote: Address) -> Instruction {
    let accounts = vec![
        Access::writing(account),
        Access::reading(vote),
        Access::reading(CLOCK),
        Access::reading(HISTORY),
        Access::reading(CONFIG),
        Access::signing(staker),
    ];
    Instruction::new(PROGRAM, accounts, tag(2))
}

/// What an authority of a stake may do.
///
/// ```
/// use divvy_solana::stake::Power;
///
/// assert_ne!(Power::Stake, Power::Withdraw);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Power {
    /// Delegate, split, merge and deactivate it.
    Stake,
    /// Take it out.
    Withdraw,
}

/// Hands a power over.
///
/// ```
/// use divvy_solana::{Address, stake};
///
/// let [account, authority, next] = [1, 2, 3].map(|byte| Address::new([byte; 32]));
/// let (power, custodian) = (stake::Power::Withdraw, None);
/// let order = stake::Authorize { account, authority, next, power, custodian }.instruction();
/// assert_eq!(order.data.len(), 4 + 32 + 4);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an order, written as a literal")]
pub struct Authorize {
    /// The stake account.
    pub account: Address,
    /// Who has it, and signs; the withdrawer may hand over both.
    pub authority: Address,
    /// Who has it from now on.
    pub next: Address,
    /// Which power.
    pub power: Power,
    /// Who signs too while it is locked up.
    pub custodian: Option<Address>,
}

impl Authorize {
    /// The order as bytes.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        let mut accounts = vec![
            Access::writing(self.account),
            Access::reading(CLOCK),
            Access::signing(self.authority),
        ];
        accounts.extend(self.custodian.map(Access::signing));
        let power = match self.power {
            Power::Stake => 0,
            Power::Withdraw => 1,
        };
        Instruction::new(PROGRAM, accounts, tag(1).address(&self.next).u32(power))
    }
}

/// Moves a part of a stake into another stake account, which was created empty and holds its rent.
#[must_use]
pub fn split(account: Address, staker: Address, into: Address, lamports: u64) -> Instruction {
    let accounts = vec![Access::writing(account), Access::writing(into), Access::signing(staker)];
    Instruction::new(PROGRAM, accounts, tag(3).u64(lamports))
}

/// Moves all of one stake into another with the same authorities and lockup.
#[must_use]
pub fn merge(into: Address, from: Address, staker: Address) -> Instruction {
    let accounts = vec![
        Access::writing(into),
        Access::writing(from),
        Access::reading(CLOCK),
        Access::reading(HISTORY),
        Access::signing(staker),
    ];
    Instruction::new(PROGRAM, accounts, tag(7))
}

/// Ends a delegation with the epoch.
#[must_use]
pub fn deactivate(account: Address, staker: Address) -> Instruction {
    let accounts = vec![Access::writing(account), Access::reading(CLOCK), Access::signing(staker)];
    Instruction::new(PROGRAM, accounts, tag(5))
}

/// Takes lamports out of a stake that is not delegated; all of them close it.
///
/// ```
/// use divvy_solana::{Address, stake};
///
/// let [account, withdrawer, to] = [1, 2, 3].map(|byte| Address::new([byte; 32]));
/// let order = stake::Withdraw { account, withdrawer, to, lamports: 5, custodian: None };
/// assert_eq!(order.instruction().accounts.len(), 5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an order, written as a literal")]
pub struct Withdraw {
    /// The stake account.
    pub account: Address,
    /// Who may take it out, and signs.
    pub withdrawer: Address,
    /// Where it goes.
    pub to: Address,
    /// How much.
    pub lamports: u64,
    /// Who signs too while it is locked up.
    pub custodian: Option<Address>,
}

impl Withdraw {
    /// The order as bytes.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        let mut accounts = vec![
            Access::writing(self.account),
            Access::writing(self.to),
            Access::reading(CLOCK),
            Access::reading(HISTORY),
            Access::signing(self.withdrawer),
        ];
        accounts.extend(self.custodian.map(Access::signing));
        Instruction::new(PROGRAM, accounts, tag(4).u64(self.lamports))
    }
}

fn tag(number: u32) -> Writer {
    Writer::default().u32(number)
}

const CLOCK: Address = Address::known("SysvarC1ock11111111111111111111111111111111");
pub(crate) const HISTORY: Address = Address::known("SysvarStakeHistory1111111111111111111111111");
const CONFIG: Address = Address::known("StakeConfig11111111111111111111111111111111");

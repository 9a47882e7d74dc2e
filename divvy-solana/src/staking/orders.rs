//! Orders about stakes that are looked at before anybody signs: each is refused by name where the
//! program would refuse it, or where money would be stuck.

use divvy_core::Error;

use crate::account::Account;
use crate::address::Address;
use crate::instruction::stake::{self, Lockup};
use crate::instruction::{Instruction, system};
use crate::settlement::Rent;
use crate::staking::account::{Delegation, Stake, StakeAccount, StakeHistory, StakeState};
use crate::staking::refused;

/// Where the chain stands, as far as stakes need to know: by [`crate::Chain::staking`].
///
/// ```
/// use divvy_solana::*;
///
/// let staking = Staking {
///     epoch: 812,
///     now_secs: 1_790_000_000,
///     rent: Rent { byte_lamports: 5_080 },
///     lamports_min: 1_000_000_000,
///     history: StakeHistory::default(),
/// };
/// let [payer, account, vote] = [1, 2, 3].map(|byte| Address::new([byte; 32]));
/// let opening = Opening {
///     payer,
///     account,
///     staker: payer,
///     withdrawer: payer,
///     vote,
///     lamports: 5_000_000_000,
///     lockup: stake::Lockup::default(),
/// };
/// // It is created with its reserve on top, which never earns; three orders, one transaction.
/// assert_eq!(staking.open(&opening)?.len(), 3);
/// assert!(staking.open(&Opening { lamports: 999_999_999, ..opening }).is_err());
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, as it was read")]
pub struct Staking {
    /// The epoch of now.
    pub epoch: u64,
    /// Seconds since 1970, for lockups.
    pub now_secs: i64,
    /// What accounts must hold.
    pub rent: Rent,
    /// The least that may be delegated.
    pub lamports_min: u64,
    /// What began and ended before.
    pub history: StakeHistory,
}

/// A stake to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an order, written as a literal")]
pub struct Opening {
    /// Who pays for it, and signs.
    pub payer: Address,
    /// The account; a fresh key, which signs too.
    pub account: Address,
    /// Who may delegate it, and signs.
    pub staker: Address,
    /// Who may take it out; better another key, kept elsewhere.
    pub withdrawer: Address,
    /// The validator's vote account.
    pub vote: Address,
    /// How much is to work, in lamports; the reserve comes on top.
    pub lamports: u64,
    /// Until when it may not be taken out.
    pub lockup: Lockup,
}

/// What two stakes must have in common to become one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Inactive,
    Activating,
    Active,
}

impl Staking {
    /// What a stake account must hold for its bytes.
    #[must_use]
    pub const fn reserve(&self) -> u64 {
        self.rent.of(stake::STAKE_BYTES)
    }

    /// Makes a stake account and delegates it.
    ///
    /// # Errors
    /// [`divvy_core::Code::RailRefused`] for less than may be delegated.
    pub fn open(&self, opening: &Opening) -> Result<Vec<Instruction>, Error> {
        let Opening { payer, account, staker, withdrawer, vote, lockup, .. } = *opening;
        self.check_min(opening.lamports)?;
        let lamports = opening.lamports.saturating_add(self.reserve());
        Ok(vec![
            self.created(payer, account, lamports),
            stake::Initialize { account, staker, withdrawer, lockup }.instruction(),
            stake::delegate(account, staker, vote),
        ])
    }

    /// Moves a part of a stake into a new account, of which the payer pays the reserve. Both parts
    /// must be as large as may be delegated.
    ///
    /// # Errors
    /// [`divvy_core::Code::RailRefused`] for a part that is too small or too large, and for an
    /// account that holds no stake.
    pub fn split(
        &self,
        [account, into, payer]: [Address; 3],
        found: &Account,
        lamports: u64,
    ) -> Result<Vec<Instruction>, Error> {
        let read = StakeAccount::read(found)?;
        let own = owned(&read)?;
        self.check_min(lamports)?;
        let least = own.reserve.saturating_add(self.lamports_min);
        if found.lamports.saturating_sub(lamports) < least {
            let why = format!(
                "{account} holds {}, and {least} must stay when a part is taken",
                found.lamports
            );
            return Err(refused(&why));
        }
        let state = read.at(self.epoch, &self.history)?;
        if let StakeAccount::Delegated(_, delegation) = read {
            let still = delegation.lamports.saturating_sub(lamports);
            if state != StakeState::default() && still < self.lamports_min {
                let why = format!("{account} has {} delegated: take less", delegation.lamports);
                return Err(refused(&why));
            }
        }
        let create = self.created(payer, into, self.reserve());
        Ok(vec![create, stake::split(account, own.staker, into, lamports)])
    }

    /// Moves all of one stake into another.
    ///
    /// # Errors
    /// [`divvy_core::Code::RailRefused`] for stakes of other keys, lockups or validators, and for
    /// two that are not both resting or beginning, or both at work.
    pub fn merge(
        &self,
        [into, from]: [Address; 2],
        [found_into, found_from]: [&Account; 2],
    ) -> Result<Vec<Instruction>, Error> {
        let (one, two) = (StakeAccount::read(found_into)?, StakeAccount::read(found_from)?);
        let (own, other) = (owned(&one)?, owned(&two)?);
        let keys = |stake: &Stake| (stake.staker, stake.withdrawer, stake.lockup);
        if into == from || keys(own) != keys(other) {
            return Err(refused("two stakes of the same keys and lockup become one, not these"));
        }
        let (phase, phase_from) = (self.phase(&one)?, self.phase(&two)?);
        let at_work = [phase, phase_from].map(|phase| phase == Phase::Active);
        if at_work == [true, false] || at_work == [false, true] {
            return Err(refused("one stake is at work and the other is not: wait for an epoch"));
        }
        let vote = |read: &StakeAccount, phase| match read {
            StakeAccount::Delegated(_, one) if phase != Phase::Inactive => Some(one.vote),
            StakeAccount::Delegated(..) | StakeAccount::Idle(_) | StakeAccount::Empty => None,
        };
        let votes = (vote(&one, phase), vote(&two, phase_from));
        if let (Some(one), Some(two)) = votes
            && one != two
        {
            return Err(refused("they are delegated to two validators: end one first"));
        }
        Ok(vec![stake::merge(into, from, own.staker)])
    }

    /// Ends a delegation: it rests from the end of this epoch on.
    ///
    /// # Errors
    /// [`divvy_core::Code::RailRefused`] for one that never began, or ends already.
    pub fn deactivate(&self, account: Address, found: &Account) -> Result<Vec<Instruction>, Error> {
        match StakeAccount::read(found)? {
            StakeAccount::Delegated(stake, delegation)
                if delegation.until_epoch == Delegation::NEVER =>
            {
                Ok(vec![stake::deactivate(account, stake.staker)])
            }
            StakeAccount::Delegated(..) => Err(refused(&format!("{account} ends already"))),
            StakeAccount::Idle(_) | StakeAccount::Empty => {
                Err(refused(&format!("{account} is not delegated")))
            }
        }
    }

    /// What could be taken out now, and what of it would leave the account open. Rewards are added
    /// to what is delegated, so they come out when it rests.
    ///
    /// # Errors
    /// As for [`StakeAccount::read`].
    pub fn free(&self, found: &Account) -> Result<u64, Error> {
        let read = StakeAccount::read(found)?;
        let StakeAccount::Delegated(stake, delegation) = read else {
            return Ok(found.lamports);
        };
        let state = delegation.at(self.epoch, &self.history)?;
        // What ends works on until it has ended; what does not end is not free at all.
        let ends = self.epoch >= delegation.until_epoch;
        let bound = if ends { state.effective } else { delegation.lamports };
        if bound == 0 {
            return Ok(found.lamports);
        }
        Ok(found.lamports.saturating_sub(bound).saturating_sub(stake.reserve))
    }

    /// Takes lamports out of a stake; all of them close it.
    ///
    /// # Errors
    /// [`divvy_core::Code::RailRefused`] for more than is free, for a rest that is smaller than
    /// the reserve, and while a lockup holds it, unless its custodian signs.
    pub fn withdraw(
        &self,
        [account, to]: [Address; 2],
        found: &Account,
        lamports: u64,
        custodian: Option<Address>,
    ) -> Result<Vec<Instruction>, Error> {
        let read = StakeAccount::read(found)?;
        let own = owned(&read)?;
        let Lockup { time_secs, epoch, custodian: keeper } = own.lockup;
        let locked = time_secs > self.now_secs || epoch > self.epoch;
        if locked && custodian != Some(keeper) {
            let why = format!("{account} is locked up: {keeper} must sign as well");
            return Err(refused(&why));
        }
        let free = self.free(found)?;
        let rest = found.lamports.saturating_sub(lamports);
        if lamports > free || (rest > 0 && rest < own.reserve) {
            let why = format!(
                "{free} of {account} are free, and {} stay unless all are taken",
                own.reserve
            );
            return Err(refused(&why));
        }
        let custodian = custodian.filter(|_| locked);
        let withdrawer = own.withdrawer;
        Ok(vec![stake::Withdraw { account, withdrawer, to, lamports, custodian }.instruction()])
    }

    fn created(&self, payer: Address, account: Address, lamports: u64) -> Instruction {
        let (space, owner) = (stake::STAKE_BYTES, stake::PROGRAM);
        system::CreateAccount { payer, account, lamports, space, owner }.instruction()
    }

    fn check_min(&self, lamports: u64) -> Result<(), Error> {
        if lamports >= self.lamports_min {
            return Ok(());
        }
        let least = self.lamports_min;
        Err(refused(&format!("{lamports} is less than may be delegated: {least} at least")))
    }

    fn phase(&self, read: &StakeAccount) -> Result<Phase, Error> {
        let state = read.at(self.epoch, &self.history)?;
        match (state.effective, state.activating, state.deactivating) {
            (0, 0, _) => Ok(Phase::Inactive),
            (0, _, 0) => Ok(Phase::Activating),
            (_, 0, 0) => Ok(Phase::Active),
            _ => Err(refused("a stake is between two states: wait for an epoch")),
        }
    }
}

fn owned(read: &StakeAccount) -> Result<&Stake, Error> {
    read.stake().ok_or_else(|| refused("this stake account is empty: nobody owns it"))
}

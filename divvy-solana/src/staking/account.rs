//! Stake accounts, read strictly, and how much of a stake works at an epoch.

use divvy_core::Error;

use crate::account::Account;
use crate::address::Address;
use crate::instruction::stake::{self, Lockup};
use crate::staking::refused;
use crate::wire::Reader;

/// What a stake account says of itself.
///
/// ```
/// use divvy_solana::{Account, StakeAccount, stake};
///
/// let (program, executable, data) = (stake::PROGRAM, false, vec![0; 200]);
/// let empty = Account { program, lamports: 2_282_880, executable, data };
/// assert_eq!(StakeAccount::read(&empty)?, StakeAccount::Empty);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StakeAccount {
    /// It was made, and nobody owns it yet.
    Empty,
    /// It has authorities, and was never delegated.
    Idle(Stake),
    /// It is or was delegated.
    Delegated(Stake, Delegation),
}

/// Who may do what with a stake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stake {
    /// What the account must hold for its bytes: it never earns.
    pub reserve: u64,
    /// Who may delegate, split, merge and deactivate.
    pub staker: Address,
    /// Who may take it out.
    pub withdrawer: Address,
    /// Until when not.
    pub lockup: Lockup,
}

/// To whom, how much, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delegation {
    /// The validator's vote account.
    pub vote: Address,
    /// How much, in lamports.
    pub lamports: u64,
    /// It begins to work after this epoch.
    pub from_epoch: u64,
    /// It begins to rest after this epoch; [`Delegation::NEVER`] while nobody ended it.
    pub until_epoch: u64,
    /// Up to where the validator's votes were paid for.
    pub credits: u64,
}

/// How much of a stake works at an epoch.
///
/// Stakes begin and end at the borders of epochs, and no more than nine in a hundred of all stake
/// at each, so that a large one may take several.
///
/// ```
/// use divvy_solana::StakeState;
///
/// let state = StakeState { effective: 5, activating: 0, deactivating: 0 };
/// assert_eq!(state.name(), "active");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, to be compared")]
pub struct StakeState {
    /// Works, and earns.
    pub effective: u64,
    /// Will work.
    pub activating: u64,
    /// Works, and will rest.
    pub deactivating: u64,
}

impl StakeState {
    /// In a word: `active`, `activating`, `deactivating` or `inactive`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match (self.deactivating > 0, self.activating > 0, self.effective > 0) {
            (true, ..) => "deactivating",
            (_, true, _) => "activating",
            (.., true) => "active",
            _ => "inactive",
        }
    }
}

/// What of all stake on the chain worked, began and ended, epoch by epoch.
///
/// ```
/// use divvy_solana::StakeHistory;
///
/// assert_eq!(StakeHistory::default().epochs(), 0);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StakeHistory(Vec<(u64, StakeState)>);

impl StakeAccount {
    /// Reads the 200 bytes of a stake account, every one of them.
    ///
    /// # Errors
    /// [`divvy_core::Code::RailRefused`] for an account of another program, of another length, or
    /// with anything in it that this version does not know.
    pub fn read(account: &Account) -> Result<Self, Error> {
        let fits = u64::try_from(account.data.len()) == Ok(stake::STAKE_BYTES);
        if account.program != stake::PROGRAM || !fits {
            return Err(refused("this is no stake account"));
        }
        let odd = |_| refused("this stake account says something that this version does not know");
        let mut reader = Reader::new(&account.data);
        let read = Self::read_from(&mut reader).map_err(odd)?;
        let Some(read) = read.filter(|_| reader.rest().iter().all(|byte| *byte == 0)) else {
            return Err(odd(()));
        };
        Ok(read)
    }

    fn read_from(reader: &mut Reader<'_>) -> Result<Option<Self>, ()> {
        let told = |_| ();
        let tag = reader.u32().map_err(told)?;
        if tag == 0 {
            return Ok(Some(Self::Empty));
        }
        let reserve = reader.u64().map_err(told)?;
        let [staker, withdrawer] = [reader.address(), reader.address()];
        let time_secs = reader.array().map(i64::from_le_bytes).map_err(told)?;
        let epoch = reader.u64().map_err(told)?;
        let custodian = reader.address().map_err(told)?;
        let lockup = Lockup { time_secs, epoch, custodian };
        let (staker, withdrawer) = (staker.map_err(told)?, withdrawer.map_err(told)?);
        let stake = Stake { reserve, staker, withdrawer, lockup };
        if tag == 1 {
            return Ok(Some(Self::Idle(stake)));
        }
        let vote = reader.address().map_err(told)?;
        let numbers = [reader.u64(), reader.u64(), reader.u64()];
        let [Ok(lamports), Ok(from_epoch), Ok(until_epoch)] = numbers else { return Err(()) };
        // A rate that older programs wrote, and that nobody reads any more.
        reader.u64().map_err(told)?;
        let credits = reader.u64().map_err(told)?;
        // That a stake must be fully active before it is taken to another validator.
        let flags = reader.byte().map_err(told)?;
        let delegation = Delegation { vote, lamports, from_epoch, until_epoch, credits };
        Ok((tag == 2 && flags <= 1).then_some(Self::Delegated(stake, delegation)))
    }

    /// Who may do what with it; nobody while it is empty.
    #[must_use]
    pub const fn stake(&self) -> Option<&Stake> {
        match self {
            Self::Empty => None,
            Self::Idle(stake) | Self::Delegated(stake, _) => Some(stake),
        }
    }

    /// How much of it works at an epoch.
    ///
    /// # Errors
    /// As for [`Delegation::at`].
    pub fn at(&self, epoch: u64, history: &StakeHistory) -> Result<StakeState, Error> {
        match self {
            Self::Empty | Self::Idle(_) => Ok(StakeState::default()),
            Self::Delegated(_, delegation) => delegation.at(epoch, history),
        }
    }
}

impl Delegation {
    /// The epoch of what never comes.
    pub const NEVER: u64 = u64::MAX;

    /// How much of it works at an epoch: nothing, before it begins; and then its part of what may
    /// begin at the border of each epoch, as of all that wanted to. It ends in the same way.
    ///
    /// # Errors
    /// [`divvy_core::Code::RailRefused`] for an epoch that the history does not reach: it would be
    /// a guess.
    pub fn at(&self, epoch: u64, history: &StakeHistory) -> Result<StakeState, Error> {
        // Those who were there at the beginning of the chain work at once.
        let (effective, activating) = if self.from_epoch == Self::NEVER {
            (self.lamports, 0)
        } else if self.from_epoch == self.until_epoch || epoch < self.from_epoch {
            (0, 0)
        } else {
            let until = epoch.min(self.until_epoch);
            let moved = history
                .moved(self.lamports, self.from_epoch, until, epoch, |state| state.activating)?;
            (moved, self.lamports.saturating_sub(moved))
        };
        if epoch < self.until_epoch {
            return Ok(StakeState { effective, activating, deactivating: 0 });
        }
        let gone =
            history.moved(effective, self.until_epoch, epoch, epoch, |state| state.deactivating)?;
        let left = effective.saturating_sub(gone);
        Ok(StakeState { effective: left, activating: 0, deactivating: left })
    }
}

impl StakeHistory {
    /// Reads what the chain keeps at `SysvarStakeHistory1111111111111111111111111`, the newest
    /// epoch first.
    ///
    /// # Errors
    /// [`divvy_core::Code::RailRefused`] for anything else.
    pub fn read(account: &Account) -> Result<Self, Error> {
        let odd = || refused("this is not the chain's history of stakes");
        let mut reader = Reader::new(&account.data);
        let count = reader.u64().map_err(|_| odd())?;
        let mut epochs: Vec<(u64, StakeState)> = Vec::new();
        for _ in 0..count {
            let numbers = [reader.u64(), reader.u64(), reader.u64(), reader.u64()];
            let [Ok(epoch), Ok(effective), Ok(activating), Ok(deactivating)] = numbers else {
                return Err(odd());
            };
            if epochs.last().is_some_and(|(last, _)| *last <= epoch) {
                return Err(odd());
            }
            epochs.push((epoch, StakeState { effective, activating, deactivating }));
        }
        // It keeps room for 512.
        match reader.rest().iter().all(|byte| *byte == 0) {
            true => Ok(Self(epochs)),
            false => Err(odd()),
        }
    }

    /// How many epochs it holds.
    #[must_use]
    pub const fn epochs(&self) -> usize {
        self.0.len()
    }

    fn of(&self, epoch: u64) -> Option<&StakeState> {
        self.0.iter().find(|(own, _)| *own == epoch).map(|(_, state)| state)
    }

    /// How much of a stake has begun, or ended, by the border into an epoch. What wants to at one
    /// border shares what may, in proportion; what may is a part of all that works.
    fn moved(
        &self,
        whole: u64,
        from: u64,
        until: u64,
        asked: u64,
        wanting: fn(&StakeState) -> u64,
    ) -> Result<u64, Error> {
        let mut moved = 0_u64;
        for epoch in from..until {
            let Some(all) = self.of(epoch) else {
                // Older than the history reaches: it has long been done.
                let forgotten = self.0.last().is_some_and(|(oldest, _)| epoch < *oldest);
                if forgotten {
                    return Ok(whole);
                }
                let why = format!("the history of stakes does not reach epoch {asked}: ask again");
                return Err(refused(&why));
            };
            let left = whole.saturating_sub(moved);
            if wanting(all) == 0 || left == 0 {
                return Ok(moved);
            }
            let wide = u128::from(left).saturating_mul(all.effective.into());
            let wide = wide.saturating_mul(RATE_BP);
            let share = u128::from(wanting(all)).saturating_mul(BP_WHOLE);
            let share = wide.checked_div(share).unwrap_or(0);
            let share = u64::try_from(share).unwrap_or(u64::MAX).clamp(1, left);
            moved = moved.saturating_add(share);
        }
        Ok(moved)
    }
}

/// What of all stake may begin, and may end, at the border of an epoch.
const RATE_BP: u128 = 900;
const BP_WHOLE: u128 = 10_000;

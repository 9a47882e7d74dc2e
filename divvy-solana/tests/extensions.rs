//! Mints and token accounts that the official crate has written: we read the same of them, and know
//! what each extension does to a payout.

use divvy_solana::{
    Account, Address, Concern, Destination, Mint, Presence, TokenAccount, TokenState, check_mint,
    token,
};
use proptest::prelude::*;
use solana_program_option::COption;
use solana_program_pack::Pack as _;
use spl_token_2022_interface::extension::{
    BaseStateWithExtensionsMut as _, ExtensionType, StateWithExtensions, StateWithExtensionsMut,
    confidential_transfer::ConfidentialTransferAccount,
    cpi_guard::CpiGuard,
    default_account_state::DefaultAccountState,
    immutable_owner::ImmutableOwner,
    interest_bearing_mint::InterestBearingConfig,
    memo_transfer::MemoTransfer,
    metadata_pointer::MetadataPointer,
    mint_close_authority::MintCloseAuthority,
    non_transferable::{NonTransferable, NonTransferableAccount},
    pausable::PausableConfig,
    permanent_delegate::PermanentDelegate,
    scaled_ui_amount::ScaledUiAmountConfig,
    transfer_fee::{TransferFeeAmount, TransferFeeConfig},
    transfer_hook::TransferHook,
};
use spl_token_2022_interface::state;

type Theirs = solana_message::Address;

const OWNER: [u8; 32] = [1; 32];
const MINT: [u8; 32] = [2; 32];

/// What the official crate writes for one extension of a mint or an account.
macro_rules! written {
    ($base:expr, $state:ty, $extension:ty, $set:expr) => {{
        let types = [<$extension as spl_token_2022_interface::extension::Extension>::TYPE];
        let length = ExtensionType::try_calculate_account_len::<$state>(&types);
        let mut data = vec![0; length.expect("a length")];
        let uninitialized = StateWithExtensionsMut::<$state>::unpack_uninitialized(&mut data);
        let mut written = uninitialized.expect("zeros");
        let set: fn(&mut $extension) = $set;
        set(written.init_extension::<$extension>(true).expect("room"));
        written.base = $base;
        written.pack_base();
        written.init_account_type().expect("a kind");
        of_2022(data)
    }};
}

fn of_2022(data: Vec<u8>) -> Account {
    Account { program: token::PROGRAM_2022, lamports: 1, executable: false, data }
}

fn mint() -> state::Mint {
    let decimals = 6;
    state::Mint { decimals, is_initialized: true, supply: 9, ..state::Mint::default() }
}

fn account() -> state::Account {
    let [owner, mint] = [OWNER, MINT].map(Theirs::new_from_array);
    let state = state::AccountState::Initialized;
    state::Account { owner, mint, amount: 7, state, ..state::Account::default() }
}

fn somebody() -> Theirs {
    Theirs::new_from_array([9; 32])
}

#[test]
fn every_extension_of_a_mint_means_what_theirs_does() {
    macro_rules! concerns {
        ($($extension:ty, $set:expr => $expected:expr;)+) => {
            $(
                let found = written!(mint(), state::Mint, $extension, $set);
                let expected: &[Concern] = &$expected;
                assert_eq!(check_mint(&found, 6), expected, "{}", stringify!($extension, $set));
                assert_eq!(Mint::read(&found).map(|mint| mint.supply), Some(9));
            )+
        };
    }
    concerns! {
        TransferFeeConfig, |_| {} => [];
        TransferFeeConfig, |fee| {
            fee.older_transfer_fee.transfer_fee_basis_points = 1.into();
            fee.older_transfer_fee.maximum_fee = 1.into();
        } => [Concern::TransferFee];
        TransferFeeConfig, |fee| {
            fee.newer_transfer_fee.transfer_fee_basis_points = 1.into();
            fee.newer_transfer_fee.maximum_fee = 1.into();
        } => [Concern::TransferFee];
        TransferFeeConfig, |fee| {
            fee.withdraw_withheld_authority = Some(somebody()).try_into().expect("somebody");
            fee.withheld_amount = u64::MAX.into();
        } => [];
        TransferFeeConfig, |fee| {
            fee.transfer_fee_config_authority = Some(somebody()).try_into().expect("somebody");
        } => [Concern::TransferFeePossible];
        TransferHook, |_| {} => [];
        TransferHook, |hook| {
            hook.authority = Some(somebody()).try_into().expect("somebody");
        } => [Concern::TransferHookPossible];
        TransferHook, |hook| {
            hook.program_id = Some(somebody()).try_into().expect("somebody");
        } => [Concern::TransferHook];
        DefaultAccountState, |default| default.state = 1 => [];
        DefaultAccountState, |default| default.state = 2 => [Concern::FrozenByDefault];
        PermanentDelegate, |_| {} => [];
        PermanentDelegate, |delegate| {
            delegate.delegate = Some(somebody()).try_into().expect("somebody");
        } => [Concern::PermanentDelegate];
        PausableConfig, |_| {} => [Concern::Pausable];
        PausableConfig, |pause| pause.paused = true.into() => [Concern::Paused];
        NonTransferable, |_| {} => [Concern::NonTransferable];
        InterestBearingConfig, |_| {} => [Concern::ShownOtherwise];
        ScaledUiAmountConfig, |_| {} => [Concern::ShownOtherwise];
        MintCloseAuthority, |_| {} => [];
        MetadataPointer, |_| {} => [];
    }
}

#[test]
fn every_extension_of_an_account_means_what_theirs_does() {
    let (wallet, mint) = (Address::new(OWNER), Address::new(MINT));
    let planned = Presence::There;
    let payee = Destination { wallet, mint, token_program: token::PROGRAM_2022, planned };
    macro_rules! concerns {
        ($($extension:ty, $set:expr => $expected:expr;)+) => {
            $(
                let found = written!(account(), state::Account, $extension, $set);
                let expected: &[Concern] = &$expected;
                assert_eq!(payee.check(Some(&found)), expected, "{}", stringify!($extension, $set));
            )+
        };
    }
    concerns! {
        ImmutableOwner, |_| {} => [];
        TransferFeeAmount, |_| {} => [];
        CpiGuard, |guard| guard.lock_cpi = true.into() => [];
        MemoTransfer, |_| {} => [];
        MemoTransfer, |memo| memo.require_incoming_transfer_memos = true.into()
            => [Concern::MemoRequired];
        NonTransferableAccount, |_| {} => [Concern::NonTransferable];
        ConfidentialTransferAccount, |own| own.allow_confidential_credits = true.into()
            => [Concern::ConfidentialOnly];
        ConfidentialTransferAccount, |own| own.allow_non_confidential_credits = true.into() => [];
    }
}

proptest! {
    #![proptest_config(
        ProptestConfig { cases: 512, failure_persistence: None, ..Default::default() }
    )]

    /// Whatever stands in the part that every account has, both say the same of it.
    #[test]
    fn plain_accounts_and_mints_are_read_as_they_read_them(
        amount: u64, frozen: bool, decimals: u8, freezer: bool, spoilt: u8, place: usize,
        classic: bool,
    ) {
        let program = if classic { token::PROGRAM } else { token::PROGRAM_2022 };
        use state::AccountState::{Frozen, Initialized};
        let state = if frozen { Frozen } else { Initialized };
        let mut data = vec![0; 165];
        state::Account { amount, state, ..account() }.pack_into_slice(&mut data);
        let place = place % 165;
        for data in [data.clone(), { data[place] = spoilt; data }] {
            let found = Account { program, lamports: 1, executable: false, data };
            let theirs = StateWithExtensions::<state::Account>::unpack(&found.data).ok();
            let ours = TokenAccount::read(&found).filter(|read| read.state != TokenState::Unready);
            prop_assert_eq!(ours.is_some(), theirs.is_some());
            if let (Some(ours), Some(theirs)) = (ours, theirs) {
                prop_assert_eq!(ours.mint.bytes(), &theirs.base.mint.to_bytes());
                prop_assert_eq!(ours.owner.bytes(), &theirs.base.owner.to_bytes());
                prop_assert_eq!(ours.amount, theirs.base.amount);
                prop_assert_eq!(ours.state == TokenState::Frozen, theirs.base.is_frozen());
            }
        }
        let mut data = vec![0; 82];
        let freeze_authority = if freezer { COption::Some(somebody()) } else { COption::None };
        state::Mint { supply: amount, decimals, freeze_authority, ..mint() }
            .pack_into_slice(&mut data);
        let place = place % 82;
        for data in [data.clone(), { data[place] = spoilt; data }] {
            let found = Account { program, lamports: 1, executable: false, data };
            let theirs = StateWithExtensions::<state::Mint>::unpack(&found.data).ok();
            let ours = Mint::read(&found);
            prop_assert_eq!(ours.is_some(), theirs.is_some());
            if let (Some(ours), Some(theirs)) = (ours, theirs) {
                prop_assert_eq!(ours.supply, theirs.base.supply);
                prop_assert_eq!(ours.decimals, theirs.base.decimals);
                let freezer = Option::from(theirs.base.freeze_authority);
                let freezer = freezer.map(|freezer: Theirs| Address::new(freezer.to_bytes()));
                prop_assert_eq!(ours.freezer, freezer);
            }
        }
    }
}

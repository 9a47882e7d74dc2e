//! A chain with somebody rich on it.

use divvy_solana::{
    Account, Address, Derived, Draft, Format, Instruction, Keypair, Lifetime, Limits, TokenAccount,
    Transaction, associated, system, token,
};
use divvy_svm::machine::{Machine, Ran};

pub(crate) struct Lab {
    pub(crate) machine: Machine,
    pub(crate) payer: Keypair,
    /// Makes a blockhash another one for each transaction, so that none is twice the same.
    lifetime: Option<Lifetime>,
}

/// The key of a number.
pub(crate) fn key(number: u16) -> Keypair {
    let mut seed = [7; 32];
    seed[..2].copy_from_slice(&number.to_le_bytes());
    Keypair::from_seed(&seed)
}

/// The wallet of a number.
pub(crate) fn wallet(number: u16) -> Address {
    key(number).address()
}

/// All formats, with limits where they stand in the head.
pub(crate) fn formats() -> [Format; 3] {
    [Format::Legacy, Format::V0(vec![]), v1(1_400_000, 0)]
}

pub(crate) fn v1(units: u32, priority_fee_lamports: u64) -> Format {
    Format::V1(Limits {
        priority_fee_lamports: Some(priority_fee_lamports),
        compute_units: Some(units),
        loaded_bytes: Some(64 << 20),
        heap_bytes: None,
    })
}

impl Lab {
    pub(crate) fn new() -> Self {
        let mut machine = Machine::strict();
        let payer = key(1);
        machine.give(&payer.address(), 1_000 * SOL);
        Self { machine, payer, lifetime: None }
    }

    pub(crate) fn rich(&self) -> Address {
        self.payer.address()
    }

    /// Signs with the payer and these keys, and runs it.
    pub(crate) fn run(&mut self, format: Format, orders: &[Instruction], keys: &[Keypair]) -> Ran {
        let lifetime = self.lifetime.take().unwrap_or_else(|| {
            self.machine.next_block();
            self.machine.lifetime()
        });
        let (payer, instructions) = (self.rich(), orders.to_vec());
        let message = Draft { format, payer, lifetime, instructions }.compile().unwrap();
        let mut transaction = Transaction::new(message);
        transaction.sign(&self.payer).unwrap();
        keys.iter().for_each(|key| transaction.sign(key).unwrap());
        transaction.verify().unwrap();
        self.machine.run(&transaction.encode())
    }

    /// The next transaction lives by this.
    pub(crate) fn by(&mut self, lifetime: Lifetime) -> &mut Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// Runs what must succeed, in v0.
    #[track_caller]
    pub(crate) fn done(&mut self, orders: &[Instruction], keys: &[Keypair]) -> Ran {
        self.run(Format::V0(vec![]), orders, keys).done()
    }

    /// Makes a token with six decimals, and a million million of its smallest unit for the payer.
    pub(crate) fn token(&mut self, number: u16, program: Address) -> Token {
        let (mint, authority) = (key(number), self.rich());
        let create = system::CreateAccount {
            payer: authority,
            account: mint.address(),
            lamports: self.machine.rent(82),
            space: 82,
            owner: program,
        };
        let token = Token { program, mint: mint.address() };
        let (mint_address, decimals) = (token.mint, 6);
        let (freezer, account) = (None, token.account(&authority));
        let make =
            token::InitializeMint { program, mint: mint_address, authority, freezer, decimals };
        let orders = [
            create.instruction(),
            make.instruction(),
            token.create(authority, authority).strict(),
            token::MintTo { program, mint: token.mint, account, authority, amount: SUPPLY }
                .instruction(),
        ];
        self.done(&orders, &[mint]);
        token
    }

    /// What a wallet holds of a token, if it has an account for it.
    pub(crate) fn held(&self, token: &Token, wallet: &Address) -> Option<u64> {
        let account = self.machine.account(&token.account(wallet))?;
        TokenAccount::read(&account).map(|held| held.amount)
    }

    /// Gives wallets token accounts without running anything.
    pub(crate) fn with_accounts(&mut self, token: &Token, wallets: &[Address]) {
        let template = self.machine.account(&token.account(&self.rich())).unwrap();
        for wallet in wallets {
            let mut data = template.data.clone();
            data[32..64].copy_from_slice(wallet.bytes());
            data[64..72].fill(0);
            self.machine.put(&token.account(wallet), &Account { data, ..template.clone() });
        }
    }
}

/// A kind of token.
#[derive(Clone, Copy)]
pub(crate) struct Token {
    pub(crate) program: Address,
    pub(crate) mint: Address,
}

impl Token {
    pub(crate) fn account(&self, wallet: &Address) -> Address {
        Derived::token_account(wallet, &self.mint, &self.program).unwrap().address
    }

    pub(crate) fn create(&self, payer: Address, wallet: Address) -> associated::Create {
        let (mint, token_program) = (self.mint, self.program);
        let account = self.account(&wallet);
        associated::Create { payer, wallet, mint, token_program, account }
    }

    pub(crate) fn pay(&self, from: Address, to: Address, amount: u64) -> Instruction {
        let order = token::TransferChecked {
            program: self.program,
            source: self.account(&from),
            mint: self.mint,
            destination: self.account(&to),
            owner: from,
            cosigners: vec![],
            amount,
            decimals: 6,
        };
        order.instruction()
    }
}

pub(crate) const SOL: u64 = 1_000_000_000;
pub(crate) const SUPPLY: u64 = 1_000_000_000_000;

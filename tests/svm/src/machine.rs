//! The programs of the chain, fed with the bytes of transactions and nothing else.

use divvy_solana::{Account, Address, BYTES_MAX, BYTES_MAX_V1, Lifetime};
use litesvm::LiteSVM;
use serde_json::Value;
use solana_clock::Clock;
use solana_slot_hashes::SlotHashes;
use solana_transaction::versioned::VersionedTransaction;

/// What became of a transaction.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Why it failed, as nodes write it.
    pub err: Option<Value>,
    pub units: u64,
    pub fee: u64,
    pub logs: Vec<String>,
}

impl Ran {
    /// Holds it to have succeeded.
    #[track_caller]
    pub fn done(self) -> Self {
        assert_eq!(self.err, None, "{}", self.logs.join("\n"));
        self
    }

    /// Holds it to have failed, and says why.
    #[track_caller]
    pub fn failed(self) -> String {
        self.err.expect("it fails").to_string()
    }
}

/// LiteSVM as mainnet is: its features, its programs, its rent.
pub struct Machine(LiteSVM);

impl Machine {
    /// Checks signatures, knows one blockhash, and runs no transaction twice.
    pub fn strict() -> Self {
        let svm = LiteSVM::new().with_transaction_history(100_000).with_log_bytes_limit(None);
        Self(svm)
    }

    /// Leaves all of that to the chain around it.
    pub fn bare() -> Self {
        let svm = LiteSVM::new().with_sigverify(false).with_blockhash_check(false);
        Self(svm.with_transaction_history(0))
    }

    /// Runs the bytes of a transaction.
    pub fn run(&mut self, bytes: &[u8]) -> Ran {
        let transaction = match read(bytes) {
            Ok(transaction) => transaction,
            Err(why) => return unread(why),
        };
        match self.0.send_transaction(transaction) {
            Ok(meta) => ran(None, meta),
            Err(failed) => ran(serde_json::to_value(failed.err).ok(), failed.meta),
        }
    }

    /// What running them would do.
    pub fn try_out(&self, bytes: &[u8]) -> Ran {
        let transaction = match read(bytes) {
            Ok(transaction) => transaction,
            Err(why) => return unread(why),
        };
        match self.0.simulate_transaction(transaction) {
            Ok(done) => ran(None, done.meta),
            Err(failed) => ran(serde_json::to_value(failed.err).ok(), failed.meta),
        }
    }

    pub fn account(&self, address: &Address) -> Option<Account> {
        let found = self.0.get_account(&(*address.bytes()).into())?;
        Some(Account {
            program: Address::new(found.owner.to_bytes()),
            lamports: found.lamports,
            executable: found.executable,
            data: found.data,
        })
        .filter(|found| found.lamports > 0)
    }

    pub fn lamports(&self, address: &Address) -> u64 {
        self.account(address).map_or(0, |found| found.lamports)
    }

    /// Every account that a program owns.
    pub fn owned_by(&self, program: &Address) -> Vec<Address> {
        let found = self.0.get_program_accounts(&(*program.bytes()).into());
        found.into_iter().map(|(address, _)| Address::new(address.to_bytes())).collect()
    }

    /// Puts an account there, whatever was there.
    pub fn put(&mut self, address: &Address, account: &Account) {
        let account = solana_account::Account {
            lamports: account.lamports,
            data: account.data.clone(),
            owner: (*account.program.bytes()).into(),
            executable: account.executable,
            rent_epoch: u64::MAX,
        };
        self.0.set_account((*address.bytes()).into(), account).expect("an account");
    }

    /// Gives a wallet lamports out of nothing.
    pub fn give(&mut self, wallet: &Address, lamports: u64) {
        let program = divvy_solana::system::PROGRAM;
        let lamports = lamports + self.lamports(wallet);
        self.put(wallet, &Account { program, lamports, executable: false, data: vec![] });
    }

    /// The lamports that an account of so many bytes must hold.
    pub fn rent(&self, bytes: usize) -> u64 {
        self.0.minimum_balance_for_rent_exemption(bytes)
    }

    /// The hash that a transaction must carry now.
    pub fn lifetime(&self) -> Lifetime {
        Lifetime::new(self.0.latest_blockhash().to_bytes())
    }

    /// Lets the blockhash be another one.
    pub fn next_block(&mut self) {
        self.0.expire_blockhash();
    }

    pub fn slot(&self) -> u64 {
        self.0.get_sysvar::<Clock>().slot
    }

    /// Lets programs know a slot as a recent one.
    pub fn show_slot(&mut self, slot: u64) {
        let hash = self.0.latest_blockhash();
        self.0.set_sysvar(&SlotHashes::new(&[(slot, hash)]));
    }

    pub fn pass_to(&mut self, slot: u64, epoch: u64) {
        let clock = Clock { slot, epoch, ..self.0.get_sysvar::<Clock>() };
        self.0.set_sysvar(&clock);
    }
}

/// The bytes as the official crates read them, if a node would take so many.
fn read(bytes: &[u8]) -> Result<VersionedTransaction, &'static str> {
    let most = if bytes.first() == Some(&V1) { BYTES_MAX_V1 } else { BYTES_MAX };
    if bytes.len() > most {
        return Err("TooManyBytes");
    }
    wincode::deserialize(bytes).map_err(|_| "SanitizeFailure")
}

fn unread(why: &str) -> Ran {
    Ran { err: Some(why.into()), units: 0, fee: 0, logs: vec![] }
}

fn ran(err: Option<Value>, meta: litesvm::types::TransactionMetadata) -> Ran {
    Ran { err, units: meta.compute_units_consumed, fee: meta.fee, logs: meta.logs }
}

const V1: u8 = 129;

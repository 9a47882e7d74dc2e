//! What packing puts together runs, to the last payee; and one more is refused before it is sent.

use divvy_core::Code;
use divvy_solana::{
    Address, Format, Instruction, Money, Packing, Payout, Prefunding, Presence, Transaction,
    budget, memo, token,
};
use divvy_svm::machine::Ran;

use crate::lab::{Lab, Token, v1, wallet};

struct Case {
    format: Format,
    before: Vec<Instruction>,
    after: Vec<Instruction>,
    prefunding: Prefunding,
}

impl Case {
    fn plain(format: Format) -> Self {
        let prefunding = Prefunding::Feared;
        Self { format, before: vec![], after: vec![], prefunding }
    }

    fn with_budget(mut self) -> Self {
        self.before = vec![budget::units(1_400_000), budget::price(1)];
        self
    }

    fn with_memo(mut self) -> Self {
        self.after = vec![memo::note(&"x".repeat(38), &[])];
        self
    }

    fn trusting(mut self) -> Self {
        self.prefunding = Prefunding::AsSeen;
        self
    }

    fn packing(&self, lab: &Lab, token: &Token) -> Packing {
        let (payer, source) = (lab.rich(), token.account(&lab.rich()));
        let (program, mint) = (token.program, token.mint);
        let (owner, cosigners) = (payer, vec![]);
        Packing {
            format: self.format.clone(),
            payer,
            money: Money::Token { program, mint, decimals: 6, source, owner, cosigners },
            before: self.before.clone(),
            after: self.after.clone(),
            prefunding: self.prefunding,
        }
    }
}

fn payouts(token: &Token, wallets: &[Address], presence: Presence) -> Vec<Payout> {
    let payout = |wallet: &Address| {
        let (wallet, account) = (*wallet, token.account(wallet));
        Payout { wallet, account, amount: 7, presence }
    };
    wallets.iter().map(payout).collect()
}

/// Runs one batch as it is packed.
fn run(lab: &mut Lab, packing: &Packing, batch: &[Payout]) -> Ran {
    lab.machine.next_block();
    let message = packing.message(batch, lab.machine.lifetime()).unwrap();
    let mut transaction = Transaction::new(message);
    transaction.sign(&lab.payer).unwrap();
    lab.machine.run(&transaction.encode())
}

/// How many go into the first transaction when there are more; all of them are paid, and one more
/// is refused.
fn most(case: &Case, presence: Presence) -> usize {
    let mut lab = Lab::new();
    let token = lab.token(200, token::PROGRAM);
    let packing = case.packing(&lab, &token);
    let all: Vec<Address> = (1_000..1_130).map(wallet).collect();
    if presence == Presence::There {
        lab.with_accounts(&token, &all);
    }
    let payouts = payouts(&token, &all, presence);
    let batches = packing.pack(&payouts).unwrap();
    for batch in &batches {
        let batch: Vec<Payout> = batch.iter().map(|place| payouts[*place]).collect();
        run(&mut lab, &packing, &batch).done();
    }
    assert!(all.iter().all(|wallet| lab.held(&token, wallet) == Some(7)), "all are paid once");
    let most = batches[0].len();
    if presence == Presence::There {
        let more = packing.message(&payouts[..=most], lab.machine.lifetime()).unwrap_err();
        assert_eq!(more.code(), Code::WireUnfit);
    }
    most
}

#[test]
fn as_many_payees_are_paid_at_once_as_are_promised() {
    let (legacy, v0) = (|| Case::plain(Format::Legacy), || Case::plain(Format::V0(vec![])));
    let newest = || Case::plain(v1(1_400_000, 1));
    #[rustfmt::skip]
    let table = [
        (legacy(),                         20),
        (legacy().with_budget(),           19),
        (v0(),                             20),
        (v0().with_budget(),               19),
        (v0().with_budget().with_memo(),   17),
        (newest(),                         60),
        (newest().with_memo(),             59),
    ];
    for (at, (case, expected)) in table.into_iter().enumerate() {
        assert_eq!(most(&case, Presence::There), expected, "row {at}");
    }
}

#[test]
fn as_many_accounts_are_made_at_once_as_are_promised() {
    let v0 = || Case::plain(Format::V0(vec![])).with_budget();
    let newest = || Case::plain(v1(1_400_000, 1));
    #[rustfmt::skip]
    let table = [
        (v0(),                   7),
        (v0().trusting(),        9),
        (newest(),               8),
        (newest().with_memo(),   7),
        (newest().trusting(),   10),
    ];
    for (at, (case, expected)) in table.into_iter().enumerate() {
        assert_eq!(most(&case, Presence::Missing), expected, "row {at}");
    }
}

/// Goal: nobody can spoil a batch by sending lamports to the accounts that it makes. Method: they
/// do; what was packed in fear of it runs, and what was not fails as a whole.
#[test]
fn lamports_sent_ahead_spoil_no_batch_that_was_packed_in_fear_of_them() {
    for (case, spoilt) in [
        (Case::plain(v1(1_400_000, 1)), false),
        (Case::plain(Format::V0(vec![])).with_budget(), false),
        (Case::plain(v1(1_400_000, 1)).trusting(), true),
    ] {
        let mut lab = Lab::new();
        let token = lab.token(200, token::PROGRAM);
        let packing = case.packing(&lab, &token);
        let all: Vec<Address> = (1_000..1_030).map(wallet).collect();
        let payouts = payouts(&token, &all, Presence::Missing);
        let batches = packing.pack(&payouts).unwrap();
        let ahead = lab.machine.rent(0);
        all.iter().for_each(|wallet| lab.machine.give(&token.account(wallet), ahead));
        for batch in &batches {
            let batch: Vec<Payout> = batch.iter().map(|place| payouts[*place]).collect();
            let ran = run(&mut lab, &packing, &batch);
            let is_full = batch.len() == batches[0].len();
            assert_eq!(ran.err.is_some(), spoilt && is_full, "{:?}", ran.err);
        }
        let paid = all.iter().filter(|wallet| lab.held(&token, wallet) == Some(7)).count();
        assert!(spoilt || paid == all.len());
    }
}

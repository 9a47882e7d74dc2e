//! What can be typed, and how it ends.

mod adopt;
mod approve;
mod approver;
mod backup;
mod balance;
mod balances;
mod beside;
mod breaks;
mod demand;
mod diary;
mod explain;
mod export;
mod fees;
mod halves;
mod init;
mod key;
mod measure;
mod out;
mod page;
mod pay;
mod payee;
mod project;
mod proof;
mod reconcile;
mod refer;
mod refund;
mod rehearsal;
mod report;
mod review;
mod rule;
mod run;
mod setup;
mod signer;
mod split;
mod stake;
mod status;
mod store;
mod take;
mod till;
mod treasury;
mod waits;
mod webhook;
mod words;
mod work;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use divvy::core::{Code, Error, Who};

use out::Out;

/// Takes payments in, splits them exactly, pays everyone who is due, and proves that it did.
#[derive(Debug, Parser)]
#[command(name = "divvy", version, arg_required_else_help = true, after_help = EXIT_CODES)]
struct Cli {
    /// Print JSON instead of sentences.
    #[arg(long, global = true, display_order = 900)]
    json: bool,
    /// What is told on standard error while it works: off, error, warn, info, debug or trace.
    #[arg(long, global = true, display_order = 901, env = "DIVVY_LOG", default_value = "error")]
    log: tracing::level_filters::LevelFilter,
    #[command(subcommand)]
    command: Command,
}

/// How the command ends.
const EXIT_CODES: &str = "Exit codes: 0 done; 1 the input is wrong; 2 the arguments are wrong; \
    3 the world was not ready, try again; 4 a promise of ours is broken, stop paying; \
    5 done, but something wants to be looked at";

#[derive(Debug, Subcommand)]
enum Command {
    /// Do the whole job of a folder: take payments, declare, pay, verify, compare.
    Run(run::Run),
    /// Make a folder with settings to begin with.
    Init(Dir),
    /// Take in files.
    #[command(subcommand)]
    Import(take::Import),
    /// Take back what went back of a payment: a refund, a dispute or a failure.
    Refund(refund::Refund),
    /// Give back what a refund that failed, or a dispute that was won, had taken.
    Restore(refund::Ending),
    /// Record that a dispute is lost: what it took stays away.
    Lose(refund::Ending),
    /// Set where a payee is paid, and on which terms of their own.
    Payee(payee::Payee),
    /// Record who brought a person, for rules with an upline.
    Refer(refer::Refer),
    /// Give a holder new units of the pool.
    Stake(stake::Stake),
    /// Take units of a holder out of the pool.
    Unstake(stake::Stake),
    /// Turn payable money of a holder into units of the pool, one for each minor unit.
    Compound(stake::Compound),
    /// Declare what waits to the holders of this moment.
    Declare(Dir),
    /// Show who is due.
    Due(Dir),
    /// Pay who is due.
    Pay(pay::Pay),
    /// Work until told to stop: declare, pay and follow up, beside any number of others.
    Work(work::Work),
    /// Show what waits for approvals, and since when.
    Approvals(approve::Approvals),
    /// Approve batches as they are planned.
    Approve(approve::Approve),
    /// Show who approves, and let others follow them.
    #[command(subcommand)]
    Approver(approver::Approver),
    /// Make a key to sign with, or show its public half.
    #[command(subcommand)]
    Key(key::Key),
    /// Show the rules, sign the next one, and set it.
    #[command(subcommand)]
    Rule(rule::Rule),
    /// Show what payouts may cost and on which terms everyone is paid, and set it.
    #[command(subcommand)]
    Fees(fees::Fees),
    /// Take in what the rail has paid and no fact knows, after an older copy was put back.
    Adopt(adopt::Adopt),
    /// Show what waits for a person, and say what became of it.
    Review(review::Review),
    /// Show where a payee's money is, and when the rest comes.
    Balance(balance::Balance),
    /// Show where the money is, and what keeps any of it back.
    Status(status::Status),
    /// Write one page that shows where the money is, for any browser.
    Report(page::Page),
    /// Write the book for beancount, for hledger, or as tables.
    Export(export::Export),
    /// Tell the story of a payee, a payment or a batch.
    Explain(explain::Explain),
    /// Recompute every hash and every equation from the first fact, and look for a seal.
    Verify(status::Verify),
    /// Seal everything that was written since the last seal, and say the hash to keep.
    Seal(Dir),
    /// Write down what a holder can prove.
    Prove(proof::Prove),
    /// Check proofs against roots that were given before, without any database.
    CheckProof(proof::CheckProof),
    /// Copy the database into a new file while it is in use, and verify the copy.
    Backup(backup::Backup),
    /// Show how long the treasury's money lasts, or close a week.
    Treasury(treasury::Treasury),
    /// Compare our books with a rail's statement, and note what differs.
    Reconcile(breaks::Reconcile),
    /// List, explain or close differences with a statement.
    #[command(subcommand)]
    Break(breaks::Breaks),
    /// Show where webhooks stand, try the way, resume or stop one, change its secrets.
    #[command(subcommand)]
    Webhook(webhook::Webhooks),
    /// Write balances, payments and batches as tables to ask in SQL; they may be dropped.
    Project(Dir),
    /// Split an amount by weights, without a book.
    Split(split::Split),
    /// Serve the sandbox, a rail that can be made to fail.
    Sandbox(divvy::sandbox::Options),
}

/// The folder of a project.
#[derive(Args, Debug)]
struct Dir {
    /// The folder with `divvy.toml`.
    #[arg(default_value = ".")]
    dir: PathBuf,
}

/// What a command has to say beyond its output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Done,
    /// Done, but a person should look at something that was printed.
    Look,
}

pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    let ansi = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(ansi);
    log.with_max_level(cli.log).init();
    let mut out = Out::new(cli.json);
    match start(cli.command, &mut out) {
        Ok(Verdict::Done) => ExitCode::SUCCESS,
        Ok(Verdict::Look) => ExitCode::from(5),
        Err(error) => {
            out.error(&error);
            ExitCode::from(match error.who() {
                Who::You => 1,
                Who::World => 3,
                Who::Us | _ => 4,
            })
        }
    }
}

fn start(command: Command, out: &mut Out) -> Result<Verdict, Error> {
    if let Command::Sandbox(options) = &command {
        return divvy::sandbox::run_process(options).map(|()| Verdict::Done);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        Error::new(Code::StoreUnusable, format!("the system gives no event loop: {error}"))
    })?;
    runtime.block_on(dispatch(command, out))
}

async fn dispatch(command: Command, out: &mut Out) -> Result<Verdict, Error> {
    match command {
        Command::Sandbox(_) => Ok(Verdict::Done),
        Command::Run(run) => run.run(out).await,
        Command::Init(dir) => init::init(&dir.dir, out),
        Command::Import(import) => import.run(out).await,
        Command::Refund(refund) => refund.run(out).await,
        Command::Restore(ending) => ending.restore(out).await,
        Command::Lose(ending) => ending.lose(out).await,
        Command::Payee(payee) => payee.run(out).await,
        Command::Refer(refer) => refer.run(out).await,
        Command::Stake(stake) => stake.stake(out).await,
        Command::Unstake(stake) => stake.unstake(out).await,
        Command::Compound(compound) => compound.run(out).await,
        Command::Declare(dir) => take::declare(&dir.dir, out).await,
        Command::Due(dir) => status::due(&dir.dir, out).await,
        Command::Pay(pay) => pay.run(out).await,
        Command::Work(work) => work.run(out).await,
        Command::Approvals(approvals) => approvals.run(out).await,
        Command::Approve(approve) => approve.run(out).await,
        Command::Approver(approver) => approver.run(out).await,
        Command::Key(key) => key.run(out),
        Command::Rule(rule) => rule.run(out).await,
        Command::Fees(fees) => fees.run(out).await,
        Command::Adopt(adopt) => adopt.run(out).await,
        Command::Review(review) => review.run(out).await,
        Command::Balance(balance) => balance.run(out).await,
        Command::Status(status) => status.run(out).await,
        Command::Export(export) => export.run(out).await,
        Command::Report(page) => page.run(out).await,
        Command::Explain(explain) => explain.run(out).await,
        Command::Seal(dir) => proof::seal(&dir.dir, out).await,
        Command::Prove(prove) => prove.run(out).await,
        Command::CheckProof(check) => check.run(out),
        Command::Verify(verify) => verify.run(out).await,
        Command::Backup(backup) => backup.run(out).await,
        Command::Treasury(treasury) => treasury.run(out).await,
        Command::Reconcile(reconcile) => reconcile.run(out).await,
        Command::Break(breaks) => breaks.run(out).await,
        Command::Webhook(webhooks) => webhooks.run(out).await,
        Command::Project(dir) => project::project(&dir.dir, out).await,
        Command::Split(split) => split.run(out),
    }
}

//! Every way in which money comes, is shared, goes back and is paid, beside a ledger that is kept
//! by hand: whole numbers of 128 bits, loops over everybody, and the rules of `docs/`.

mod alarm;
mod bytes;
mod calendar;
mod deed;
mod diary;
mod expected;
mod fund;
mod issuer;
mod lab;
mod ledger;
mod pay;
mod people;
mod proofs;
mod rule;
mod same;
mod statement;
mod terms;
mod till;
mod wish;

pub(crate) use lab::run;

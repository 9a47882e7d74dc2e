//! Every way in which money comes, is shared, goes back and is paid, beside a ledger that is kept
//! by hand: whole numbers of 128 bits, loops over everybody, and the rules of `docs/`.

mod deed;
mod diary;
mod fund;
mod lab;
mod ledger;
mod pay;
mod people;
mod rule;
mod same;
mod terms;
mod till;
mod wish;

pub(crate) use lab::run;

//! Over rusqlite, on the file that Divvy has open.

use std::path::{Path, PathBuf};

use divvy::core::Code;
use divvy::{Divvy, Joined, Landed, Recording, Sqlite};
use rusqlite::{Connection, OptionalExtension, Transaction};

use crate::book::{block_on, gives, held, now, open, payment};

/// A file that is gone with its test.
struct Shop(PathBuf);

impl Shop {
    fn new(name: &str) -> (Self, Divvy, Connection) {
        let own = format!("joined-{name}-{}.db", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(own);
        let divvy = block_on(Divvy::open(Sqlite::open(&path).expect("a file"))).expect("a history");
        let shop = Connection::open(&path).expect("a connection");
        shop.execute_batch("CREATE TABLE orders (id TEXT)").expect("a table");
        (Self(path), divvy, shop)
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm"] {
            drop(std::fs::remove_file(format!("{}{end}", self.0.display())));
        }
    }
}

fn land(transaction: &Transaction<'_>, joined: &Joined) -> Vec<Landed> {
    let one = |row: divvy::JoinedRow<'_>| {
        let values = (row.stream, row.n, row.kind, row.body, row.at, row.hash);
        if transaction.execute(joined.insert(), values).expect("a row or nothing") == 1 {
            return Landed::Written;
        }
        let found = transaction.query_row(joined.read_back(), (row.stream, row.n), |found| {
            Ok(Landed::Found { kind: found.get(0)?, body: found.get(1)? })
        });
        found.optional().expect("an answer").unwrap_or(Landed::Nothing)
    };
    joined.rows().map(one).collect()
}

fn order(shop: &mut Connection, joined: &Joined) -> Vec<Landed> {
    let transaction = shop.transaction().expect("a transaction");
    transaction.execute("INSERT INTO orders VALUES ('1')", []).expect("an order");
    let landed = land(&transaction, joined);
    transaction.commit().expect("a commit");
    landed
}

fn orders(shop: &Connection) -> i64 {
    shop.query_row("SELECT count(*) FROM orders", [], |row| row.get(0)).expect("a count")
}

#[test]
fn an_order_and_its_payment_are_there_together_or_neither_is() {
    let (_file, mut divvy, mut shop) = Shop::new("together");
    block_on(async {
        let mut book = open(&mut divvy).await;
        let joined = book.record_joined(&[payment("1", "12.00")], now()).expect("a payment");
        let transaction = shop.transaction().expect("a transaction");
        transaction.execute("INSERT INTO orders VALUES ('1')", []).expect("an order");
        assert_eq!(land(&transaction, &joined), [Landed::Written]);
        transaction.rollback().expect("a change of mind");
        book.balance("ann", now()).await.expect("nothing happened");
        assert_eq!((orders(&shop), book.fold().expect("a fold").totals().recorded.get()), (0, 0));

        let landed = order(&mut shop, &joined);
        assert_eq!(joined.outcome(&landed), Ok(vec![Recording::New]));
        book.balance("ann", now()).await.expect("a balance");
        assert_eq!(
            (orders(&shop), book.fold().expect("a fold").totals().recorded.get()),
            (1, 1_200)
        );
    });
    block_on(divvy.verify()).expect("everything holds");
}

#[test]
fn a_duplicate_and_a_conflict_are_told_and_spoil_nothing() {
    let (_file, mut divvy, mut shop) = Shop::new("duplicate");
    block_on(async {
        let mut book = open(&mut divvy).await;
        book.record(&[payment("1", "12.00")], now()).await.expect("recorded before");
        let payments = [payment("1", "12.00"), payment("1", "13.00"), payment("2", "1.00")];
        let joined = book.record_joined(&payments, now()).expect("payments");
        let landed = order(&mut shop, &joined);
        let told = joined.outcome(&landed).expect("an outcome");
        assert_eq!((&told[0], &told[2]), (&Recording::Known, &Recording::New));
        let Recording::Conflict(conflict) = &told[1] else { panic!("{told:?}") };
        assert_eq!(conflict.code(), Code::PaymentConflict);
        assert_eq!(orders(&shop), 1);
        let short = joined.outcome(&landed[..2]).expect_err("an answer is missing");
        assert_eq!(short.code(), Code::PaymentMalformed);
    });
}

#[test]
fn a_move_that_others_were_quicker_than_is_retried_with_its_transaction() {
    let (_file, mut divvy, mut shop) = Shop::new("move");
    block_on(async {
        let mut book = open(&mut divvy).await;
        let (first, late) = (gives(&book, 300), gives(&book, 400));
        let landed = order(&mut shop, &first);
        assert_eq!(first.outcome(&landed), Ok(vec![Recording::New]));
        assert_eq!(held(&book, "ben"), 0, "no fold knows of it yet");

        let transaction = shop.transaction().expect("a transaction");
        let error = late.outcome(&land(&transaction, &late)).expect_err("too late");
        assert_eq!(error.code(), Code::AddressTaken);
        assert!(error.to_string().contains("retry your transaction"), "{error}");
        transaction.rollback().expect("a rollback");

        book.balance("ann", now()).await.expect("it catches up");
        let landed = order(&mut shop, &gives(&book, 400));
        assert_eq!(landed, [Landed::Written]);
        book.balance("ann", now()).await.expect("it catches up");
        assert_eq!((held(&book, "ann"), held(&book, "ben")), (300, 700));
    });
    block_on(divvy.verify()).expect("everything holds");
}

#[test]
fn a_move_over_a_database_that_lacks_what_was_folded_writes_nothing() {
    let (_file, mut divvy, mut shop) = Shop::new("orphan");
    block_on(async {
        let book = open(&mut divvy).await;
        shop.execute("DELETE FROM divvy_fact WHERE stream LIKE 'pool/%' AND n > 0", [])
            .expect("a loss");
        let joined = gives(&book, 1);
        let landed = order(&mut shop, &joined);
        assert_eq!(landed, [Landed::Nothing]);
        let error = joined.outcome(&landed).expect_err("nothing to rest on");
        assert_eq!(error.code(), Code::FactOrphan);
    });
}

//! Over tokio-postgres, on the database that Divvy has open.

use divvy::core::Code;
use divvy::{Divvy, Joined, Landed, Postgres, Recording};
use tokio_postgres::Client;

use crate::book::{block_on, gives, held, now, open, payment};
use crate::server::{Server, client};

async fn shop() -> (Divvy, Client, Client) {
    let url = Server::shared().database();
    let divvy = Divvy::open(Postgres::open(&url).await.expect("a database")).await;
    let (shop, other) = (client(&url).await, client(&url).await);
    shop.batch_execute("CREATE TABLE orders (id TEXT)").await.expect("a table");
    (divvy.expect("a history"), shop, other)
}

async fn say(client: &Client, sql: &str) {
    client.batch_execute(sql).await.expect("it is done");
}

async fn land(client: &Client, joined: &Joined) -> Vec<Landed> {
    let mut landed = Vec::new();
    for row in joined.rows() {
        let (stream, n) = (row.stream, row.n);
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
            [&stream, &n, &row.kind, &row.body, &row.at, &row.hash];
        let written = client.execute(joined.insert(), &values).await.expect("a row or nothing");
        let found = client.query_opt(joined.read_back(), &[&stream, &n]).await.expect("an answer");
        landed.push(match found {
            _ if written == 1 => Landed::Written,
            Some(found) => Landed::Found { kind: found.get(0), body: found.get(1) },
            None => Landed::Nothing,
        });
    }
    landed
}

async fn orders(client: &Client) -> i64 {
    client.query_one("SELECT count(*) FROM orders", &[]).await.expect("a count").get(0)
}

#[test]
fn an_order_and_its_payment_are_there_together_or_neither_is() {
    block_on(async {
        let (mut divvy, shop, _) = shop().await;
        let mut book = open(&mut divvy).await;
        let joined = book.record_joined(&[payment("1", "12.00")], now()).expect("a payment");
        for (end, there) in [("ROLLBACK", 0), ("COMMIT", 1)] {
            say(&shop, "BEGIN; INSERT INTO orders VALUES ('1')").await;
            let landed = land(&shop, &joined).await;
            assert_eq!(joined.outcome(&landed), Ok(vec![Recording::New]));
            assert_eq!(book.fold().expect("a fold").totals().recorded.get(), 0);
            say(&shop, end).await;
            book.balance("ann", now()).await.expect("it catches up");
            let recorded = book.fold().expect("a fold").totals().recorded.get();
            assert_eq!(
                (orders(&shop).await, recorded),
                (there, if there == 1 { 1_200 } else { 0 })
            );
        }
        divvy.verify().await.expect("everything holds");
    });
}

#[test]
fn a_duplicate_and_a_conflict_are_told_and_spoil_nothing() {
    block_on(async {
        let (mut divvy, shop, _) = shop().await;
        let mut book = open(&mut divvy).await;
        book.record(&[payment("1", "12.00")], now()).await.expect("recorded before");
        let payments = [payment("1", "12.00"), payment("1", "13.00"), payment("2", "1.00")];
        let joined = book.record_joined(&payments, now()).expect("payments");
        say(&shop, "BEGIN; INSERT INTO orders VALUES ('1')").await;
        let told = joined.outcome(&land(&shop, &joined).await).expect("an outcome");
        say(&shop, "COMMIT").await;
        assert_eq!((&told[0], &told[2]), (&Recording::Known, &Recording::New));
        assert!(matches!(told[1], Recording::Conflict(_)), "{told:?}");
        assert_eq!(orders(&shop).await, 1);
    });
}

#[test]
fn of_two_transactions_that_race_for_a_payment_the_second_waits_and_knows_it() {
    for (end, wanted) in [("COMMIT", Recording::Known), ("ROLLBACK", Recording::New)] {
        block_on(async {
            let (mut divvy, shop, other) = shop().await;
            let book = open(&mut divvy).await;
            let joined = book.record_joined(&[payment("1", "12.00")], now()).expect("a payment");
            say(&shop, "BEGIN").await;
            assert_eq!(land(&shop, &joined).await, [Landed::Written]);
            say(&other, "BEGIN").await;
            let (landed, ()) = tokio::join!(land(&other, &joined), say(&shop, end));
            assert_eq!(joined.outcome(&landed), Ok(vec![wanted]));
            say(&other, "COMMIT").await;
            divvy.verify().await.expect("everything holds");
            assert_eq!(divvy.books().count(), 5, "it is there once");
        });
    }
}

#[test]
fn a_move_that_others_were_quicker_than_is_retried_with_its_transaction() {
    block_on(async {
        let (mut divvy, shop, other) = shop().await;
        let mut book = open(&mut divvy).await;
        let (first, late) = (gives(&book, 300), gives(&book, 400));
        say(&shop, "BEGIN").await;
        assert_eq!(land(&shop, &first).await, [Landed::Written]);
        say(&other, "BEGIN").await;
        let (landed, ()) = tokio::join!(land(&other, &late), say(&shop, "COMMIT"));
        let error = late.outcome(&landed).expect_err("too late");
        assert_eq!(error.code(), Code::AddressTaken);
        say(&other, "ROLLBACK").await;

        book.balance("ann", now()).await.expect("it catches up");
        assert_eq!(land(&other, &gives(&book, 400)).await, [Landed::Written]);
        book.balance("ann", now()).await.expect("it catches up");
        assert_eq!((held(&book, "ann"), held(&book, "ben")), (300, 700));
        divvy.verify().await.expect("everything holds");
    });
}

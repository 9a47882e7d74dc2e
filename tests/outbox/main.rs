//! Webhooks: whatever is a fact is told, at least once, in order, whoever fails or dies.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests stop at the first thing that is not as it should be"
)]

/// The same test on a file and on a server.
macro_rules! on_each_host {
    ($test:ident) => {
        mod $test {
            use crate::desk::Folder;

            #[tokio::test]
            async fn on_a_file() {
                super::$test(Folder::on_a_file()).await;
            }

            #[tokio::test]
            async fn on_a_server() {
                super::$test(Folder::on_a_server().await).await;
            }
        }
    };
}

mod copies;
mod desk;
#[path = "../support/receiver.rs"]
mod receiver;
mod refused;
#[path = "../support/postgres.rs"]
mod server;
mod told;

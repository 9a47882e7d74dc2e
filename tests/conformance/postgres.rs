//! A server keeps every promise as well.

use std::sync::Arc;

use divvy::conformance::{Conformance, Opening, Options, Part};
use divvy::{Host, Postgres};

use crate::facts;
use crate::server::Server;

fn open(url: &str) -> Opening {
    let url = url.to_owned();
    Box::pin(async move {
        let host: Arc<dyn Host> = Arc::new(Postgres::open(&url).await?);
        Ok(host)
    })
}

#[test]
fn a_server_keeps_every_promise_and_does_so_again() {
    let server = Server::shared();
    let (shop, other) = (server.database(), server.database());
    let suite = Conformance::new(move || open(&shop), move || open(&other));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    for (seed, facts) in [(0, facts()), (1, 3_000)] {
        let options = Options { seed, facts, ..Options::default() };
        let report = runtime.block_on(suite.run(&options));
        println!("{facts} facts:\n{report}");
        assert!(report.is_kept(), "{report}");
        assert_eq!(report.outcomes().len(), Part::ALL.len());
    }
}

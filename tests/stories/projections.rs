//! Balances, payments and batches in SQL say what the fold says, on a file and on a server.

use crate::command::{Folder, divvy, done, ended};
use crate::server::{Server, run};

/// What a project of two people comes to, as rows of one query that both databases understand.
const TOLD: [(&str, &str, &str); 4] = [
    ("divvy_balances", "payee || ' ' || earned || ' ' || paid || ' ' || payable", "payee"),
    ("divvy_payments", "count(*) || ' ' || sum(amount) || ' ' || min(asset)", "1"),
    ("divvy_batches", "state || ' ' || count(*) || ' ' || sum(total)", "state"),
    ("divvy_projected", "count(*) || ''", "1"),
];

fn wanted(batches: u64) -> [Vec<String>; 4] {
    let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
    [
        lines(&["collaborator 3287 3196 91", "creator 62463 62463 0"]),
        lines(&["10 65750 USD"]),
        vec![format!("settled {batches} 65659")],
        lines(&["1"]),
    ]
}

fn query(table: &str, what: &str, order: &str) -> String {
    let group = if table == "divvy_batches" { " GROUP BY state" } else { "" };
    format!("SELECT {what} FROM {table}{group} ORDER BY {order}")
}

#[test]
fn tables_on_a_file_say_what_the_fold_says_and_may_be_dropped() {
    let folder = Folder::example("duet");
    let dir = folder.path().to_str().unwrap();
    done(&["run", dir]);
    done(&["project", dir]);
    let shop = rusqlite::Connection::open(folder.path().join("divvy.db")).unwrap();
    let rows = |sql: &str| {
        let mut statement = shop.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        rows.collect::<Result<Vec<_>, _>>().unwrap()
    };
    let batches = shop.query_row("SELECT count(*) FROM divvy_batches", [], |row| row.get(0));
    for ((table, what, order), wanted) in TOLD.into_iter().zip(wanted(batches.unwrap())) {
        assert_eq!(rows(&query(table, what, order)), wanted, "{table}");
    }
    // Again: replaced whole. Gone: nobody minds.
    done(&["project", dir]);
    assert_eq!(rows("SELECT count(*) || '' FROM divvy_payments"), ["10"]);
    shop.execute_batch("DROP TABLE divvy_batches").unwrap();
    done(&["verify", dir]);
    done(&["project", dir]);
    done(&["run", dir]);
}

#[test]
fn tables_on_a_server_say_what_the_fold_says_and_keep_what_people_built_on_them() {
    let url = Server::shared().database();
    let folder = Folder::example("duet");
    folder.edit("divvy.toml", "from = ", &format!("database = \"{url}\"\nfrom = "));
    let dir = folder.path().to_str().unwrap();
    done(&["run", dir]);
    done(&["project", dir]);
    run(&url, "CREATE VIEW debts AS SELECT * FROM divvy.divvy_balances WHERE owed_back > 0");
    done(&["project", dir]);
    let batches = done(&["status", dir])["batches"]["settled"].as_u64().unwrap();
    for ((table, what, order), wanted) in TOLD.into_iter().zip(wanted(batches)) {
        let sql = query(&format!("divvy.{table}"), what, order)
            .replace("divvy.divvy_batches ORDER", "divvy.divvy_batches GROUP BY state ORDER");
        let wanted = wanted.join("', '");
        run(
            &url,
            &format!(
                "DO $$ BEGIN IF ARRAY({sql}) <> ARRAY['{wanted}'] THEN
            RAISE '%', ARRAY({sql}); END IF; END $$"
            ),
        );
    }
    run(&url, "DROP VIEW debts; DROP TABLE divvy.divvy_batches");
    let verified = ended(&divvy(&["verify", dir]).output().unwrap());
    assert_eq!(verified.code, Some(0), "{}", verified.said);
}

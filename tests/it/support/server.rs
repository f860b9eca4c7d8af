//! Ledgers on the PostgreSQL server that `BUDGET_ALERTD_TEST_LEDGER` names, a schema of its own for
//! each folder: the same tests on the other engine. Where it names none, the ledger is a file.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::time::Duration;

use budget_alertd::ledger::{Config, Server};

/// The ledger of a folder.
pub(crate) fn ledger(path: &Path, retention: Duration) -> Config {
    let Some(url) = url_for(path) else {
        return Config { path: path.to_owned(), server: None, retention };
    };
    let server = Server::parse(&url).unwrap();
    Config { path: server.name(), server: Some(server), retention }
}

/// Its URL where it is on a server; its schema is made.
pub(crate) fn url_for(path: &Path) -> Option<String> {
    let server = std::env::var("BUDGET_ALERTD_TEST_LEDGER").ok()?;
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    let schema = format!("t{:016x}", hasher.finish());
    execute(&server, &format!("CREATE SCHEMA IF NOT EXISTS {schema}"));
    Some(format!("{server}?options=-csearch_path%3D{schema}"))
}

/// Runs statements on a server, from any thread.
pub(crate) fn execute(url: &str, sql: &str) {
    let (url, sql) = (url.to_owned(), sql.to_owned());
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (client, connection) =
                tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
            let asked = async {
                client.batch_execute(&sql).await.unwrap();
                drop(client);
            };
            tokio::join!(asked, connection).1.unwrap();
        });
    };
    std::thread::spawn(work).join().unwrap();
}

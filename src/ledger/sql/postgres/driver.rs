//! Connects to a server, and keeps a thread that carries what is asked and answered.

use std::sync::mpsc;
use std::time::Duration;

use tokio_postgres::Client;

use crate::ledger::server::Server;
use crate::ledger::sql::failure::{Failure, Kind};
use crate::ledger::sql::postgres::tls::Tls;

/// How long connecting may take for each host of the URL, with its name looked up: they are tried
/// one after another.
const CONNECT: Duration = Duration::from_secs(6);

/// What a session is like. A statement that hangs, and a transaction of a process that is frozen,
/// must not hold up the others for long; nor must a client that is gone without a word.
const SESSION: &str = "SET statement_timeout = '30s'; SET lock_timeout = '25s';
    SET idle_in_transaction_session_timeout = '20s'; SET tcp_keepalives_idle = 10;
    SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; SET client_min_messages = warning;
    SET standard_conforming_strings = on; SET bytea_output = hex; SET TimeZone = 'UTC'";

/// Connects. The thread ends when the client is dropped, or the connection is lost.
pub(super) fn connect(server: &Server) -> Result<Client, Failure> {
    let (config, tls) = (server.config().clone(), Tls::of(server)?);
    let hosts = u32::try_from(config.get_hosts().len().max(1)).unwrap_or(u32::MAX);
    let patience = CONNECT.saturating_mul(hosts);
    let (answer, answered) = mpsc::sync_channel(1);
    let carry = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            match tokio::time::timeout(patience, config.connect(tls)).await {
                Ok(Ok((client, connection))) => {
                    // Whoever waited has given up: the client is dropped, and the connection ends.
                    let _gone = answer.send(Ok(client));
                    // Its end shows at the next statement.
                    let _ended = connection.await;
                }
                Ok(Err(error)) => drop(answer.send(Err(refused(error)))),
                Err(_) => drop(answer.send(Err(Failure::away("it does not answer")))),
            }
        });
    };
    let started = std::thread::Builder::new().name("postgres".into()).spawn(carry);
    started.map_err(|error| Failure::new(Kind::Other, error.to_string()))?;
    let client = answered.recv().map_err(|_| Failure::away("its thread ended"))??;
    super::wait::wait(client.batch_execute(SESSION), CONNECT)
        .ok_or_else(|| Failure::away("it does not answer"))??;
    Ok(client)
}

/// Why connecting failed: nothing that is tried again later is worth more than trouble with the
/// network, but what the server itself refuses is.
fn refused(error: tokio_postgres::Error) -> Failure {
    let is_refusal = error.as_db_error().is_some();
    let failure = Failure::from(error);
    if is_refusal || failure.kind == Kind::Denied {
        failure
    } else {
        Failure { kind: Kind::Away, ..failure }
    }
}

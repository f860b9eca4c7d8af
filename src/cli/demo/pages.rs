//! The pages of the month, at the time of the story, for this machine alone.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::actions::ActionContext;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::daemon::pages_know;
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::poll::Cycle;
use crate::web::{self, Known, Limits, REFRESH, Shown};

/// How often the overview shows itself anew while the month plays, which is a minute long.
const LIVE: Duration = Duration::from_secs(3);

/// What the pages know of what is played.
pub(super) struct Pages {
    /// Where they are.
    pub(super) address: SocketAddr,
    known: watch::Sender<Arc<Known>>,
    /// Where visitors act; none while the server is rebooted.
    cycle: watch::Sender<Option<Arc<Cycle>>>,
}

impl Pages {
    /// Pages at this address.
    pub(super) fn new(address: SocketAddr, config: &Config, cycle: &Arc<Cycle>) -> Self {
        let known = Known { refresh: LIVE, ..pages_know(config) };
        Self {
            address,
            known: watch::Sender::new(Arc::new(known)),
            cycle: watch::Sender::new(Some(Arc::clone(cycle))),
        }
    }

    /// Replaces what visitors act on.
    pub(super) fn act_on(&self, cycle: Option<&Arc<Cycle>>) {
        self.cycle.send_replace(cycle.map(Arc::clone));
    }

    /// Says that nothing moves any more.
    pub(super) fn rest(&self) {
        self.known.send_modify(|known| {
            *known = Arc::new(Known { refresh: REFRESH, ..Known::clone(known) });
        });
    }

    /// What they show: all but what visitors order is read from the ledger's file, also after a
    /// reboot.
    pub(super) fn shown(
        &self,
        config: &Config,
        ledger: &Ledger,
        cycle: &Arc<Cycle>,
        metrics: &Metrics,
    ) -> Shown {
        let file = config.ledger.clone();
        let actions =
            ActionContext::in_process(Arc::clone(cycle), file.clone(), config.file.clone())
                .with_notifiers(&config.notifiers);
        Shown {
            metrics: metrics.clone(),
            ledger: ledger.clone(),
            ledger_file: file,
            customer_metrics: watch::Sender::new(false).subscribe(),
            clock: Arc::clone(&cycle.clock),
            // Half a day of the story is a second: no form would ever be sent in time.
            sessions: SystemClock::shared(),
            known: self.known.subscribe(),
            actions: Some(ActionContext { cycle: self.cycle.subscribe(), ..actions }),
        }
    }
}

/// A socket for the pages; loopback only, as whoever looks may act.
pub(super) fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listening = TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    listening.map_err(|error| {
        anyhow::anyhow!(
            "cannot serve the pages on {address}: {error}; --listen 127.0.0.1:0 takes a free port"
        )
    })
}

/// Serves them for as long as it is polled.
pub(super) async fn serve(listener: TcpListener, shown: Shown) -> io::Result<Infallible> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    Ok(web::run(listener, Limits::http(), shown).await)
}

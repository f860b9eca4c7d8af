//! The pages of a small world, through the real listener.

use std::net::SocketAddr;
use std::sync::Arc;

use budget_alertd::actions::ActionContext;
use budget_alertd::clock::Clock;
use budget_alertd::daemon::{assemble, pages_know};
use budget_alertd::secret::Secret;
use budget_alertd::web::{self, Known, Limits, Shown};
use reqwest::header::{HeaderMap, LOCATION, SET_COOKIE};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::support::client;
use crate::support::world::World;

/// A world whose pages are served.
pub(super) struct Site {
    pub(super) address: SocketAddr,
    task: JoinHandle<()>,
    client: reqwest::Client,
    _world: World,
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Site {
    /// Serves the pages of a world, to those who bear the token where there is one.
    pub(super) async fn of(world: World, token: Option<&str>) -> Self {
        let (config, ledger) = (world.config(), world.ledger());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (_sender, customer_metrics) = watch::channel(false);
        let known = Known { token: token.map(Secret::new), ..pages_know(&config) };
        let (_sender, known) = watch::channel(Arc::new(known));
        let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
        let cycle = assemble(&config, &ledger, &clock, &world.metrics).unwrap().cycle;
        let actions = ActionContext::in_process(cycle, config.ledger.clone(), config.file.clone());
        let shown = Shown {
            metrics: world.metrics.clone(),
            ledger,
            ledger_file: config.ledger,
            customer_metrics,
            clock,
            known,
            actions: Some(actions),
        };
        let task =
            tokio::spawn(async move { match web::run(listener, Limits::http(), shown).await {} });
        let client = client().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { address, task, client, _world: world }
    }

    /// What a browser gets.
    pub(super) async fn get(&self, path: &str) -> Answer {
        self.ask(path, &[("accept", "text/html,*/*;q=0.8")]).await
    }

    /// The same with these headers alone.
    pub(super) async fn ask(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let request = self.client.get(format!("http://{}{path}", self.address));
        Answer::of(request, headers).await
    }

    /// Sends a form.
    pub(super) async fn post(&self, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        let request = self.client.post(format!("http://{}{path}", self.address));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        Answer::of(request.body(body.to_owned()), headers).await
    }

    /// Where our own pages come from.
    pub(super) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Answer {
    async fn of(request: reqwest::RequestBuilder, headers: &[(&str, &str)]) -> Self {
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Self { status, headers, text: answer.text().await.unwrap() }
    }

    /// A header as text.
    pub(super) fn header(&self, name: impl reqwest::header::AsHeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Where it leads to.
    pub(super) fn location(&self) -> &str {
        self.header(LOCATION)
    }

    /// The cookie that it sets.
    pub(super) fn cookie(&self) -> &str {
        self.header(SET_COOKIE)
    }

    /// The value of the first field of this name in its forms.
    pub(super) fn field(&self, name: &str) -> String {
        let (_, rest) = self.text.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    /// What a person reads of it: words without tags, a line for each row of a table.
    pub(super) fn words(&self) -> String {
        let body = self.text.split("<main").nth(1).unwrap().split("</main>").next().unwrap();
        let body = body.replace('\n', " ");
        let text = body.split('<').map(|part| match part.split_once('>') {
            Some((tag, text)) if tag.starts_with("/tr") || tag.starts_with("/p") => {
                format!("\n{text}")
            }
            Some((_, text)) => format!(" {text}"),
            None => part.to_owned(),
        });
        let text: String = text.collect();
        let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    }
}

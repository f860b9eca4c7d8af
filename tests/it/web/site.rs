//! The pages of a small world, through the real listener.

use std::net::SocketAddr;
use std::sync::Arc;

use budget_alertd::actions::ActionContext;
use budget_alertd::clock::Clock;
use budget_alertd::daemon::{assemble, pages_know};
use budget_alertd::secret::Secret;
use budget_alertd::web::{self, Known, Limits, Shown};
use reqwest::header::{HeaderMap, LOCATION, SET_COOKIE};
use serde_json::Value;
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
        Self::at(TcpListener::bind("127.0.0.1:0").await.unwrap(), world, token)
    }

    /// The same at an address that the world may already name.
    pub(super) fn at(listener: TcpListener, world: World, token: Option<&str>) -> Self {
        let (config, ledger) = (world.config(), world.ledger());
        let address = listener.local_addr().unwrap();
        let (_sender, customer_metrics) = watch::channel(false);
        let known = Known { token: token.map(Secret::new), ..pages_know(&config) };
        let (_sender, known) = watch::channel(Arc::new(known));
        let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
        let cycle = assemble(&config, &ledger, &clock, &world.metrics).unwrap().cycle;
        let actions = ActionContext::in_process(cycle, config.ledger.clone(), config.file.clone())
            .with_notifiers(&config.notifiers);
        let shown = Shown {
            metrics: world.metrics.clone(),
            ledger,
            ledger_file: config.ledger,
            customer_metrics,
            sessions: Arc::clone(&clock),
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

    /// Sends JSON as a program does that bears the token of these tests; the answer must be this.
    pub(super) async fn order(&self, path: &str, body: &Value, status: u16) -> Value {
        let headers = [("authorization", "Bearer secret")];
        let answer = self.post(path, &body.to_string(), &headers).await;
        assert_eq!(answer.status, status, "{path} {body}: {}", answer.text);
        let kind = if status == 200 { "application/json" } else { "application/problem+json" };
        assert_eq!(answer.header("content-type"), kind, "{path}");
        serde_json::from_str(&answer.text).unwrap()
    }

    /// Presses a button as a person does who bears the token: sends the form with this end of a page,
    /// with its hidden fields and these.
    pub(super) async fn press(&self, page: &Answer, end: &str, fields: &str) -> Answer {
        let (action, hidden) = page.form(end);
        let origin = self.origin();
        let headers = [
            ("authorization", "Bearer secret"),
            ("origin", origin.as_str()),
            ("accept", "text/html"),
        ];
        self.post(&action, &format!("{hidden}&{fields}"), &headers).await
    }

    /// What a person sees who bears the token.
    pub(super) async fn see(&self, path: &str) -> Answer {
        self.ask(path, &[("accept", "text/html"), ("authorization", "Bearer secret")]).await
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

    /// The form that is sent to an address with this end.
    fn form_text(&self, end: &str) -> &str {
        let all = self.text.split("<form ").skip(1);
        let all = all.map(|rest| rest.split("</form>").next().unwrap());
        let mut fitting = all.filter(|form| value(form, "action=\"").ends_with(end));
        fitting.next().unwrap_or_else(|| panic!("{end}: {}", self.text))
    }

    /// Its address, and its hidden fields.
    pub(super) fn form(&self, end: &str) -> (String, String) {
        let form = self.form_text(end);
        let hidden = form.split("<input type=\"hidden\" name=\"").skip(1).map(|rest| {
            let name = rest.split('"').next().unwrap();
            format!("{name}={}", encoded(&value(rest, "value=\"")))
        });
        (value(form, "action=\""), hidden.collect::<Vec<_>>().join("&"))
    }

    /// What proves that it is of a page of ours.
    pub(super) fn proof(&self, end: &str) -> String {
        value(self.form_text(end), "name=\"form\" value=\"")
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

/// What stands after this up to the quote, as it was before it was escaped.
fn value(text: &str, start: &str) -> String {
    let rest = text.split_once(start).map_or("", |(_, rest)| rest);
    let escaped = rest.split('"').next().unwrap();
    escaped.replace("&#34;", "\"").replace("&#39;", "'").replace("&#38;", "&")
}

/// The same in the body of a form.
pub(super) fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |encoded, byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => encoded + &char::from(byte).to_string(),
        _ => format!("{encoded}%{byte:02X}"),
    })
}

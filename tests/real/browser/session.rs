//! One session of a browser over `WebDriver` (W3C Recommendation, and chromedriver's own commands
//! below `goog/` and `se/`). The crates for it would change the program that is tested:
//! `thirtyfour` the order of all JSON, `fantoccini` by older versions of twenty crates.

use std::fmt::Display;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client;

/// What the name of an element is called in JSON (`WebDriver` section 12).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A session; it ends, and its browser with it, when this is dropped.
pub(super) struct Session {
    client: reqwest::Client,
    port: u16,
    id: String,
}

/// An element of the page that is shown.
pub(super) struct Element(String);

impl Session {
    /// Begins one at a driver on this port.
    pub(super) async fn begin(port: u16, capabilities: Value) -> Self {
        let mut session = Self { client: client().build().unwrap(), port, id: String::new() };
        let wanted = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let begun = session.ask(reqwest::Method::POST, "", Some(wanted)).await.unwrap();
        session.id = format!("/{}", begun["sessionId"].as_str().unwrap());
        session
    }

    /// Orders something.
    pub(super) async fn order(&self, path: &str, parameters: Value) -> Result<Value, String> {
        self.ask(reqwest::Method::POST, path, Some(parameters)).await
    }

    /// Asks for something.
    pub(super) async fn get(&self, path: &str) -> Value {
        self.ask(reqwest::Method::GET, path, None).await.unwrap()
    }

    /// Removes something.
    pub(super) async fn delete(&self, path: &str) {
        self.ask(reqwest::Method::DELETE, path, None).await.unwrap();
    }

    /// The first element of a CSS selector.
    pub(super) async fn find(&self, css: &str) -> Result<Element, String> {
        let wanted = json!({ "using": "css selector", "value": css });
        let found = self.order("/element", wanted).await?;
        Ok(Element::of(&found).unwrap())
    }

    /// Clicks an element, and waits for the page that this leads to.
    pub(super) async fn click(&self, element: &Element) -> Result<Value, String> {
        self.order(&format!("/element/{}/click", element.0), json!({})).await
    }

    /// Empties a field.
    pub(super) async fn clear(&self, element: &Element) -> Result<Value, String> {
        self.order(&format!("/element/{}/clear", element.0), json!({})).await
    }

    /// Types into a field.
    pub(super) async fn type_into(&self, element: &Element, text: &str) -> Result<Value, String> {
        self.order(&format!("/element/{}/value", element.0), json!({ "text": text })).await
    }

    async fn ask(
        &self,
        method: reqwest::Method,
        path: impl Display,
        body: Option<Value>,
    ) -> Result<Value, String> {
        let url = format!("http://127.0.0.1:{}/session{}{path}", self.port, self.id);
        let request = self.client.request(method, url);
        let request =
            body.into_iter().fold(request, |request, body| request.body(body.to_string()));
        let answer = request.send().await.unwrap().bytes().await.unwrap();
        let mut answer: Value = serde_json::from_slice(&answer).unwrap();
        match answer["value"]["error"].as_str() {
            Some(error) => Err(format!("{error}: {}", answer["value"]["message"])),
            None => Ok(answer["value"].take()),
        }
    }
}

impl Element {
    /// What an answer names, if it names one.
    pub(super) fn of(answer: &Value) -> Option<Self> {
        answer[ELEMENT].as_str().map(|id| Self(id.to_owned()))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Ok(mut driver) = TcpStream::connect(("127.0.0.1", self.port)) else { return };
        let end = format!(
            "DELETE /session{} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
            self.id
        );
        // It answers once the browser has ended, and leaves the connection open.
        let _ended = driver
            .set_read_timeout(Some(Duration::from_secs(10)))
            .and_then(|()| driver.write_all(end.as_bytes()))
            .and_then(|()| driver.read(&mut [0]));
    }
}

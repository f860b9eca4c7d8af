//! What a person does with a page: reads, clicks, types, and waits for what comes of it.

use std::time::Instant;

use serde_json::{Value, json};

use super::chromium::{Browser, NAVIGATION, PATIENCE};
use super::session::Element;

impl Browser {
    /// Whether there is such an element.
    pub(super) async fn has(&self, css: &str) -> bool {
        self.run(&format!("return document.querySelector({}) !== null", json!(css))).await
    }

    /// Clicks the first element of a CSS selector, and waits for the page that this leads to.
    pub(super) async fn click(&self, css: &str) {
        let element = self.element(css).await;
        if let Err(error) = self.session.click(&element).await {
            panic!("{css} on {}: {error}", self.address().await);
        }
    }

    /// Opens what the first element of a CSS selector is folded into.
    pub(super) async fn unfold(&self, css: &str) {
        let folded = format!(
            "const folded = document.querySelector({}).closest('details:not([open])'); \
                return folded && folded.querySelector('summary')",
            json!(css)
        );
        let order = json!({ "script": folded, "args": [] });
        loop {
            let summary = self.session.order("/execute/sync", order.clone()).await.unwrap();
            let Some(summary) = Element::of(&summary) else { return };
            self.session.click(&summary).await.unwrap();
        }
    }

    /// Types into a field, or chooses the value in a list.
    pub(super) async fn fill(&self, css: &str, text: &str) {
        let field = self.element(css).await;
        let (selector, value) = (json!(css), json!(text));
        let choice = format!(
            "const field = document.querySelector({selector}), value = {value}; \
                const place = [...field.options ?? []].findIndex(one => one.value === value); \
                return field.type === 'radio' ? `[value='${{value}}']` \
                    : place < 0 ? '' : ` option:nth-of-type(${{place + 1}})`"
        );
        let choice: String = self.run(&choice).await;
        if !choice.is_empty() {
            return self.click(&format!("{css}{choice}")).await;
        }
        self.session.clear(&field).await.unwrap();
        self.session.type_into(&field, text).await.unwrap();
    }

    /// Presses a key, by its code point in `WebDriver`'s table or as it is, wherever the focus is.
    pub(super) async fn press(&self, key: char) {
        let actions =
            json!([{ "type": "keyDown", "value": key }, { "type": "keyUp", "value": key }]);
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": actions });
        self.session.order("/actions", json!({ "actions": [keyboard] })).await.unwrap();
    }

    /// All that a person reads on the page.
    pub(super) async fn text(&self) -> String {
        self.run("return document.body.innerText").await
    }

    /// Waits until the page says this.
    pub(super) async fn expect(&self, words: &str) {
        let holds = format!("return document.body.innerText.includes({})", json!(words));
        if !self.comes_true(&holds).await {
            let (address, text) = (self.address().await, self.text().await);
            panic!("\"{words}\" is not on {address}:\n{text}");
        }
    }

    /// Waits until a page is shown whose address ends so.
    pub(super) async fn arrive(&self, end: &str) {
        let holds = format!("return location.href.endsWith({})", json!(end));
        assert!(self.comes_true(&holds).await, "{} is shown, not {end}", self.address().await);
    }

    /// Waits until a page is shown whose address asks for this.
    pub(super) async fn arrive_with(&self, name: &str, value: &str) {
        let holds = format!(
            "return new URLSearchParams(location.search).get({}) === {}",
            json!(name),
            json!(value)
        );
        let arrived = self.comes_true(&holds).await;
        assert!(arrived, "{} is shown, without {name}={value}", self.address().await);
    }

    /// Waits until the page that is shown was answered with this status.
    pub(super) async fn expect_status(&self, status: u16) {
        let holds = format!("{NAVIGATION}.responseStatus === {status}");
        if !self.comes_true(&holds).await {
            let (address, text) = (self.address().await, self.text().await);
            panic!("{address} is answered with {}, not {status}:\n{text}", self.status().await);
        }
    }

    /// Asks the page again and again until a script says yes, for some seconds. A page that is just
    /// leaving has no answer.
    async fn comes_true(&self, script: &str) -> bool {
        let (order, start) = (json!({ "script": script, "args": [] }), Instant::now());
        while start.elapsed() < PATIENCE {
            if self.session.order("/execute/sync", order.clone()).await == Ok(Value::Bool(true)) {
                return true;
            }
        }
        false
    }

    async fn element(&self, css: &str) -> Element {
        match self.session.find(css).await {
            Ok(found) => found,
            Err(error) => panic!("{}: {error}\n{}", self.address().await, self.text().await),
        }
    }
}

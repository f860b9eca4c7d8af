//! What a browser tells of itself: whom it asked, what it complains of, what it shows.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::chromium::Browser;

impl Browser {
    /// The addresses that were asked since this was called last, in their order; not those that a
    /// policy of the page kept it from asking.
    pub(super) async fn asked(&self) -> Vec<String> {
        let event =
            |entry: String| serde_json::from_str::<Value>(&entry).unwrap()["message"].take();
        let events: Vec<Value> = self.log("performance").await.into_iter().map(event).collect();
        let of =
            |method: &'static str| events.iter().filter(move |event| event["method"] == method);
        let is_blocked = |sent: &Value| {
            of("Network.loadingFailed").any(|failed| {
                failed["params"]["requestId"] == sent["params"]["requestId"]
                    && failed["params"]["blockedReason"] == "csp"
            })
        };
        let sent = of("Network.requestWillBeSent").filter(|sent| !is_blocked(sent));
        let urls = sent.map(|sent| sent["params"]["request"]["url"].as_str().unwrap().to_owned());
        // It begins with a page of its own, which asks nobody.
        urls.filter(|url| !url.starts_with("chrome://") && !url.starts_with("data:")).collect()
    }

    /// What it has complained of since this was called last: scripts, policies, what is missing.
    pub(super) async fn complaints(&self) -> Vec<String> {
        self.log("browser").await
    }

    /// Puts a picture of the whole page into a folder.
    pub(super) async fn shoot(&self, folder: &Path, name: &str) {
        let size = "const page = document.documentElement; return [page.clientWidth, \
            Math.min(page.scrollHeight, 4000)]";
        let (width, height): (u32, u32) = self.run(size).await;
        let clip = json!({ "x": 0, "y": 0, "width": width, "height": height, "scale": 1 });
        let wanted = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let picture = self.devtools("Page.captureScreenshot", wanted).await;
        let picture = STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
        std::fs::write(folder.join(format!("{name}.png")), picture).unwrap();
    }

    async fn log(&self, name: &str) -> Vec<String> {
        let entries = self.session.order("/se/log", json!({ "type": name })).await.unwrap();
        let messages = entries.as_array().unwrap().iter();
        messages.map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }
}

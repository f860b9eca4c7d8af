//! Debian's Chromium with a profile of its own, as wide and as bright as is wanted. It finds no host
//! but this one.

use std::net::TcpStream;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::session::Session;
use crate::process::{Server, eventually, free_port};

/// How it is started: as root, asking nobody for anything of its own, and with a foreign name that
/// leads to this host.
const ARGUMENTS: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-sync",
    "--disable-component-update",
    "--disable-background-networking",
    "--disable-default-apps",
    // Nothing moves that a click would have to wait for.
    "--force-prefers-reduced-motion",
    "--host-resolver-rules=MAP attacker.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

/// How the page that is shown was come by.
pub(super) const NAVIGATION: &str = "return performance.getEntriesByType('navigation')[0]";

/// How long anything may take that a person waits for.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// How pages are looked at.
#[derive(Clone, Copy)]
pub(super) struct View {
    pub(super) name: &'static str,
    pub(super) width: u32,
    pub(super) scheme: &'static str,
}

const TELEPHONE: View = View { name: "360-light", width: 360, scheme: "light" };
const DESKTOP: View = View { name: "1280-light", width: 1280, scheme: "light" };

/// A telephone and a desktop, by day and by night.
pub(super) const VIEWS: [View; 4] = [
    TELEPHONE,
    View { name: "360-dark", scheme: "dark", ..TELEPHONE },
    DESKTOP,
    View { name: "1280-dark", scheme: "dark", ..DESKTOP },
];

/// A browser with a profile of its own; it ends with the test.
pub(super) struct Browser {
    pub(super) session: Session,
    _driver: Server,
    _folder: TempDir,
}

impl Browser {
    /// Starts it on a desktop, by day.
    pub(super) async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let port = free_port();
        let log = folder.path().join("chromedriver.log");
        let mut driver = Server::start("chromedriver", &[&format!("--port={port}")], &log);
        eventually(2 * PATIENCE, "chromedriver to listen", || {
            driver.assert_alive();
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        let profile = format!("--user-data-dir={}", folder.path().join("profile").display());
        let arguments: Vec<&str> = ARGUMENTS.into_iter().chain([profile.as_str()]).collect();
        let options = json!({ "binary": "/usr/bin/chromium", "args": arguments });
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
            // How long an element is waited for.
            "timeouts": { "implicit": PATIENCE.as_millis() },
        });
        let session = Session::begin(port, capabilities).await;
        let browser = Self { session, _driver: driver, _folder: folder };
        browser.look(DESKTOP).await;
        browser
    }

    /// From now on pages are as wide, and as bright, as this.
    pub(super) async fn look(&self, view: View) {
        let size = json!({
            "width": view.width, "height": 900, "deviceScaleFactor": 1, "mobile": false,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
        let scheme = json!([{ "name": "prefers-color-scheme", "value": view.scheme }]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": scheme })).await;
    }

    /// A command of its own protocol.
    pub(super) async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let order = json!({ "cmd": command, "params": parameters });
        self.session.order("/goog/cdp/execute", order).await.unwrap()
    }

    /// Opens an address.
    pub(super) async fn open(&self, url: &str) {
        let opened = self.session.order("/url", json!({ "url": url })).await;
        opened.unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    /// The address that is shown.
    pub(super) async fn address(&self) -> String {
        self.session.get("/url").await.as_str().unwrap().to_owned()
    }

    /// What a script returns.
    pub(super) async fn run<T: DeserializeOwned>(&self, script: &str) -> T {
        let order = json!({ "script": script, "args": [] });
        let returned = self.session.order("/execute/sync", order).await;
        let returned = returned.unwrap_or_else(|error| panic!("{script:.200}: {error}"));
        serde_json::from_value(returned).unwrap_or_else(|error| panic!("{script:.200}: {error}"))
    }

    /// The status that the page was answered with.
    pub(super) async fn status(&self) -> u16 {
        self.run(&format!("{NAVIGATION}.responseStatus")).await
    }

    /// Opens another tab, which is shown from now on; returns the one before.
    pub(super) async fn new_tab(&self) -> Value {
        let before = self.session.get("/window").await;
        let made = self.session.order("/window/new", json!({ "type": "tab" })).await.unwrap();
        self.tab(&made["handle"]).await;
        before
    }

    /// Shows a tab.
    pub(super) async fn tab(&self, tab: &Value) {
        self.session.order("/window", json!({ "handle": tab })).await.unwrap();
    }

    /// Forgets who has signed in.
    pub(super) async fn forget(&self) {
        self.session.delete("/cookie").await;
    }
}

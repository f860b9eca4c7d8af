//! The proxies that docs/security.md shows, in front of a daemon: the examples as they stand there,
//! with other ports and paths. Debian's nginx and Caddy, asked by curl as by a browser.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::HttpReceiver;
use serde_json::Value;
use tempfile::TempDir;

use super::authority::Authority;
use super::process::{Server, budget_alertd, eventually, free_port, traversable};

const SECURITY: &str = include_str!("../../docs/security.md");
/// The name that the examples answer to.
const NAME: &str = "alerts.partner.example";
const TOKEN: &str = "token-of-these-tests-4f1a";

/// A daemon, with a proxy in front of it.
struct Site {
    folder: TempDir,
    receiver: HttpReceiver,
    /// The port of the proxy.
    port: u16,
    /// What the proxy's certificate is trusted by.
    trust: PathBuf,
    _servers: [Server; 2],
}

impl Site {
    /// Behind a proxy that `start` starts: it gets the folder, its own port, and the daemon's.
    fn behind(start: impl FnOnce(&Path, u16, u16) -> (Server, PathBuf)) -> Self {
        let folder = tempfile::Builder::new().permissions(traversable()).tempdir().unwrap();
        let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
        let (port, own) = (free_port(), free_port());
        let configuration = include_str!("alert-rules.toml")
            .replace(
                "@HTTP@\"",
                &format!("{own}\"\ntoken = \"{TOKEN}\"\npublic_url = \"{}\"", origin(port)),
            )
            .replace("@HOOK@", &receiver.url("/hook"))
            .replace("/etc/budget-alertd/usage.json", "usage.json")
            .replace("/var/lib/budget-alertd", folder.path().join("state").to_str().unwrap())
            .replace("secret = ", "# ");
        let file = folder.path().join("alert-rules.toml");
        std::fs::write(&file, configuration).unwrap();
        let usage = include_str!("../fixtures/customers_usagerecords.json");
        // Links hold until some days after the billing period.
        let today = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S").to_string();
        let usage = usage.replace("2019-09-17T17:08:11", &today);
        std::fs::write(folder.path().join("usage.json"), usage).unwrap();
        let program = budget_alertd().display().to_string();
        let arguments = ["--config", file.to_str().unwrap(), "run"];
        let daemon = Server::start(&program, &arguments, &folder.path().join("log"));
        let (proxy, trust) = start(folder.path(), port, own);
        let site = Self { folder, receiver, port, trust, _servers: [daemon, proxy] };
        eventually(Duration::from_secs(20), "an answer through the proxy", || {
            let healthy = site.trust.exists() && site.curl("/healthz", &["-f"]).status.success();
            (healthy && !site.receiver.received().is_empty()).then_some(())
        });
        site
    }

    /// What curl makes of a path, as a browser asks and with its cookies.
    fn curl(&self, path: &str, arguments: &[&str]) -> std::process::Output {
        let cookies = self.folder.path().join("cookies");
        let mut command = Command::new("curl");
        command.args(["-sSi", "--noproxy", "*", "-H", "Accept: text/html", "-b"]).arg(&cookies);
        command.arg("-c").arg(&cookies).arg("--cacert").arg(&self.trust);
        command.arg("--resolve").arg(format!("{NAME}:{}:127.0.0.1", self.port));
        command.args(arguments).arg(format!("{}{path}", origin(self.port)));
        command.output().unwrap()
    }

    #[track_caller]
    fn ask(&self, path: &str, arguments: &[&str]) -> Answer {
        let output = self.curl(path, arguments);
        assert!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
        Answer(String::from_utf8(output.stdout).unwrap())
    }

    /// Sends the form of a page.
    fn post(&self, path: &str, page: &Answer, from: &str, fields: &[(&str, &str)]) -> Answer {
        let origin = format!("Origin: {from}");
        let fields = fields.iter().map(|(name, value)| format!("{name}={value}"));
        let all: Vec<String> = fields.chain([format!("form={}", page.field_of(path))]).collect();
        let mut arguments = vec!["-H", &origin];
        arguments.extend(all.iter().flat_map(|field| ["--data-urlencode", field]));
        self.ask(path, &arguments)
    }
}

/// The address that people know.
fn origin(port: u16) -> String {
    format!("https://{NAME}:{port}")
}

/// Head and body.
struct Answer(String);

impl Answer {
    fn status(&self) -> &str {
        self.0.split(' ').nth(1).unwrap()
    }

    /// A header; the text after it up to the end of its line.
    fn header(&self, name: &str) -> &str {
        let named = |line: &&str| line.to_ascii_lowercase().starts_with(&format!("{name}: "));
        let line = self.0.lines().take_while(|line| !line.is_empty()).find(named);
        line.map_or("", |line| line.split_at(name.len() + 2).1)
    }

    #[track_caller]
    fn after(&self, piece: &str) -> &str {
        let (_, rest) = self.0.split_once(piece).unwrap_or_else(|| panic!("{piece} in {}", self.0));
        rest.split('"').next().unwrap()
    }

    /// What proves that the form with this action comes from the page.
    #[track_caller]
    fn field_of(&self, action: &str) -> &str {
        let (_, form) = self.0.split_once(&format!("action=\"{action}\"")).unwrap();
        let (_, value) = form.split_once("name=\"form\" value=\"").unwrap();
        value.split('"').next().unwrap()
    }
}

/// What people do, from signing in to a link of a message.
fn people_reach_and_use_the_pages(site: &Site) {
    let stranger = site.ask("/", &[]);
    assert_eq!(stranger.status(), "401");
    let from = origin(site.port);
    let signed_in = site.post("/login", &stranger, &from, &[("token", TOKEN), ("to", "/")]);
    assert_eq!((signed_in.status(), signed_in.header("location")), ("303", "/"));
    let cookie = signed_in.header("set-cookie");
    for word in ["Secure", "HttpOnly", "SameSite=Strict"] {
        assert!(cookie.contains(word), "{cookie}");
    }

    let overview = site.ask("/", &[]);
    assert!(overview.0.contains("4 customers"), "{}", overview.0);
    let customer = overview.after("href=\"/customers/").to_owned();
    assert_eq!(site.ask(&format!("/customers/{customer}"), &[]).status(), "200");
    assert_eq!(site.ask(overview.after("rel=\"stylesheet\" href=\""), &[]).status(), "200");

    let alerts = site.ask("/alerts", &[]);
    let path = format!(
        "/alerts/{}/acknowledge",
        alerts.after("action=\"/alerts/").split('/').next().unwrap()
    );
    let fields = [("to", "/alerts"), ("note", "seen")];
    for foreign in ["https://evil.example", "null", &format!("http://127.0.0.1:{}", site.port)] {
        assert_eq!(site.post(&path, &alerts, foreign, &fields).status(), "403", "{foreign}");
    }
    let done = site.post(&path, &alerts, &from, &fields);
    assert_eq!((done.status(), done.header("location")), ("303", "/alerts"));
    let acknowledged = site.ask("/alerts?acknowledged=yes", &[]);
    assert!(acknowledged.0.contains("http token"), "{}", acknowledged.0);
    links_of_messages_lead_here(site);
}

/// Links lead to the proxy, and open without signing in.
fn links_of_messages_lead_here(site: &Site) {
    std::fs::remove_file(site.folder.path().join("cookies")).unwrap();
    let message: Value = serde_json::from_slice(&site.receiver.received()[0].body).unwrap();
    let links = message["data"]["links"].as_object().unwrap().values().next().unwrap();
    let path = |name: &str| {
        let link = links[name].as_str().unwrap();
        link.strip_prefix(&origin(site.port)).unwrap_or_else(|| panic!("{link}")).to_owned()
    };
    assert_eq!(site.ask(&path("explain"), &[]).status(), "200");
    let silence = path("silence");
    let page = site.ask(&silence, &[]);
    assert_eq!(page.status(), "200");
    let pressed = site.post(&silence, &page, &origin(site.port), &[]);
    assert!(pressed.0.contains("by the link in itsm"), "{}", pressed.0);
    assert_eq!(site.ask("/alerts", &[]).status(), "401");
}

/// The example of a proxy, for other ports.
fn example(language: &str, port: u16, own: u16) -> String {
    let (_, example) = SECURITY.split_once(&format!("```{language}\n")).unwrap();
    let example = example.split("```").next().unwrap();
    assert!(example.contains("127.0.0.1:9187"));
    example.replace("127.0.0.1:9187", &format!("127.0.0.1:{own}")).replace("443", &port.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_work_behind_the_nginx_of_the_documents() {
    let authority = Authority::new();
    let site = Site::behind(|folder, port, own| {
        let server = example("nginx", port, own)
            .replace("/etc/ssl/alerts.pem", authority.certificate().to_str().unwrap())
            .replace("/etc/ssl/alerts.key", authority.key().to_str().unwrap());
        let frame = "daemon off;\npid nginx.pid;\nevents {}\nhttp {\naccess_log off;\n";
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|what| format!("{what}_temp_path {what};\n"));
        let file = folder.join("nginx.conf");
        std::fs::write(&file, format!("{frame}{}{server}}}\n", temporary.concat())).unwrap();
        let arguments =
            ["-p", folder.to_str().unwrap(), "-e", "nginx.log", "-c", file.to_str().unwrap()];
        let server = Server::start("/usr/sbin/nginx", &arguments, &folder.join("nginx.out"));
        (server, authority.trust())
    });
    people_reach_and_use_the_pages(&site);
    for foreign in
        ["evil.example", &format!("evil.example:{}", site.port), "alerts.partner.example.evil"]
    {
        assert_eq!(
            site.ask("/", &["-H", &format!("Host: {foreign}")]).status(),
            "421",
            "{foreign}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_work_behind_the_caddy_of_the_documents() {
    let site = Site::behind(|folder, port, own| {
        // Certificates of an authority of its own: the public one cannot reach this machine.
        let global = format!(
            "{{\nadmin off\nlocal_certs\nskip_install_trust\nauto_https disable_redirects\nhttp_port {}\nhttps_port {port}\nstorage file_system {}\n}}\n",
            free_port(),
            folder.join("caddy").display()
        );
        let file = folder.join("Caddyfile");
        std::fs::write(&file, global + &example("caddy", port, own)).unwrap();
        let arguments = ["run", "--config", file.to_str().unwrap(), "--adapter", "caddyfile"];
        let server = Server::start("/usr/bin/caddy", &arguments, &folder.join("caddy.log"));
        (server, folder.join("caddy/pki/authorities/local/root.crt"))
    });
    people_reach_and_use_the_pages(&site);
    // Caddy has no site of that name, and asks nobody.
    let refused = site.ask("/", &["-H", "Host: evil.example"]);
    assert!(!refused.0.contains("<html"), "{}", refused.0);
    let unknown = format!("https://evil.example:{}/", site.port);
    let there = format!("evil.example:{}:127.0.0.1", site.port);
    let output =
        Command::new("curl").args(["-sSk", "--resolve", &there, &unknown]).output().unwrap();
    assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
}

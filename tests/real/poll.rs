//! `budget-alertd poll` on the documented answers of Partner Center, served by a real web server
//! that asks for a sign-in, with a real mail server and a real HTTPS server as its destinations.

use std::process::{Command, Output};
use std::time::Duration;

use mail_parser::MessageParser;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::authority::Authority;
use super::nginx::Nginx;
use super::postfix::{PASSWORD, Postfix};
use super::process::{budget_alertd, eventually, said};

const SOON: Duration = Duration::from_secs(20);
const RECORDS: &str = include_str!("../fixtures/customers_usagerecords.json");
/// The one customer of the records that is over its budget.
const SUBSCRIPTIONS: &str = "/v1/customers/11111111-6fb9-4b05-8f15-b3d72e0596e6/subscriptions";

/// Partner Center, three destinations, and an authority that the daemon may trust.
struct World {
    folder: TempDir,
    authority: Authority,
    center: Nginx,
    postfix: Postfix,
    hooks: Nginx,
}

impl World {
    /// Postfix takes mail for `ops` and refuses everybody else.
    fn new() -> Self {
        let authority = Authority::new();
        let (center, postfix, hooks) = (
            Nginx::start(&authority),
            Postfix::start(&authority, &["ops"]),
            Nginx::start(&authority),
        );
        let of_customer = include_str!("../fixtures/subscriptions_usagerecords_azure_plan.json");
        let summary = include_str!("../fixtures/subscription_usagesummary_azure_plan.json");
        std::fs::write(center.serve("/v1/customers/usagerecords"), RECORDS).unwrap();
        std::fs::write(center.serve(&format!("{SUBSCRIPTIONS}/usagerecords")), of_customer)
            .unwrap();
        let subscription = "11111111-25aa-ebb8-2bb4-fb406307babd";
        std::fs::write(
            center.serve(&format!("{SUBSCRIPTIONS}/{subscription}/usagesummary")),
            summary,
        )
        .unwrap();
        let world =
            Self { folder: tempfile::tempdir().unwrap(), authority, center, postfix, hooks };
        world.configure(&[]);
        world
    }

    /// Writes the configuration, with these texts in it replaced.
    fn configure(&self, changes: &[(&str, &str)]) {
        let mut text = include_str!("poll.toml")
            .replace("@FOLDER@", &self.folder.path().display().to_string())
            .replace("@CENTER@", &self.center.https_url(""))
            .replace("@SMTP_PORT@", &self.postfix.port().to_string())
            .replace("@SLACK@", &self.hooks.https_url("/hooks/slack"))
            .replace("@HOOK@", &self.hooks.https_url("/hooks/itsm"));
        for (old, new) in changes {
            assert!(text.contains(old), "{old} is not in the configuration");
            text = text.replace(old, new);
        }
        std::fs::write(self.folder.path().join("alert-rules.toml"), text).unwrap();
    }

    /// One poll that waits this long for its deliveries.
    fn poll(&self, wait: &str) -> Output {
        self.command(&["poll", "--format", "json", "--wait", wait]).output().unwrap()
    }

    /// A command that trusts the authority and has all secrets.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(budget_alertd());
        command.arg("--config").arg(self.folder.path().join("alert-rules.toml")).args(arguments);
        command.env("SSL_CERT_FILE", self.authority.trust());
        command
            .env("SMTP_PASSWORD", PASSWORD)
            .env("CLIENT_SECRET", "of the client")
            .env("REFRESH_TOKEN", "the first");
        command
    }

    /// The mails, and the posts by path, that arrived; once so many are there, or when they don't
    /// come.
    fn arrived(&self, mails: usize, posts: usize) -> (Vec<String>, Vec<(String, String)>) {
        eventually(
            SOON,
            &format!("{mails} mails and {posts} posts: {}", self.postfix.log()),
            || {
                let mail = self.postfix.messages("ops");
                let mut bodies: Vec<_> =
                    self.hooks.taken().into_iter().map(|taken| (taken.path, taken.body)).collect();
                bodies.sort();
                (mail.len() >= mails && bodies.len() >= posts).then_some((mail, bodies))
            },
        )
    }
}

/// What a poll printed.
#[track_caller]
fn printed(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {} {}", output.status, said(output)))
}

#[test]
fn the_documented_answer_polled_twice_reaches_every_destination_once() {
    let world = World::new();
    let first = world.poll("30s");
    let report = printed(&first);
    assert_eq!(
        (&report["records"], &report["source"], first.status.code()),
        (&json!(4), &json!("ok"), Some(0)),
        "{}",
        said(&first)
    );
    assert_eq!(
        report["deliveries"],
        json!({"sent": 3, "pending": 0, "dead": 0}),
        "{}",
        said(&first)
    );
    let [alert] = report["alerts"].as_array().unwrap().as_slice() else { panic!("{report}") };
    assert_eq!(
        (&alert["value"], &alert["cost"]["amount"]),
        (&json!("602.84"), &json!("120.5682999999995904716"))
    );
    assert_eq!(alert["billing_period"]["source"], "subscription-summary");

    let second = world.poll("30s");
    assert_eq!(
        (&printed(&second)["alerts"], second.status.code()),
        (&json!([]), Some(0)),
        "{}",
        said(&second)
    );
    let (mails, posts) = world.arrived(1, 2);
    let [(itsm, event), (slack, text)] = posts.as_slice() else { panic!("{posts:?}") };
    assert_eq!((mails.len(), itsm.as_str(), slack.as_str()), (1, "/hooks/itsm", "/hooks/slack"));
    assert_eq!(serde_json::from_str::<Value>(event).unwrap()["data"]["alerts"], json!([alert]));
    assert!(text.contains("602.84") && text.contains("Modern Azure Customer SE"), "{text}");
    assert!(
        mails[0].contains("602.84") && mails[0].contains("Auto-Submitted: auto-generated"),
        "{}",
        mails[0]
    );
    assert!(mails[0].contains("using TLSv1.3"), "{}", mails[0]);
    assert!(world.postfix.log().contains("sasl_username=alerts"), "{}", world.postfix.log());

    let tokens: Vec<_> = world.center.signed_in().into_iter().map(|taken| taken.body).collect();
    assert_eq!(tokens.len(), 2, "one sign-in for each poll");
    assert!(
        tokens[0].contains("refresh_token=the+first")
            && tokens[0].contains("client_secret=of+the+client"),
        "{tokens:?}"
    );
    assert!(tokens[1].contains("refresh_token=rotated"), "{tokens:?}");
}

#[test]
fn a_refused_recipient_costs_no_other() {
    let world = World::new();
    world.configure(&[(
        r#"["ops@partner.example"]"#,
        r#"["refused@partner.example", "ops@partner.example"]"#,
    )]);
    let output = world.poll("30s");
    assert_eq!(
        printed(&output)["deliveries"],
        json!({"sent": 3, "pending": 0, "dead": 1}),
        "{}",
        said(&output)
    );
    assert_eq!(output.status.code(), Some(1), "a dead delivery is a failure");
    assert!(
        world.postfix.log().contains("550 5.1.1 <refused@partner.example>"),
        "{}",
        world.postfix.log()
    );
    let (mails, posts) = world.arrived(1, 2);
    assert_eq!((mails.len(), posts.len()), (1, 2));
}

#[test]
fn what_was_owed_while_the_servers_were_down_arrives_once_when_they_are_back() {
    let mut world = World::new();
    world.postfix.down();
    world.hooks.down();
    let down = world.poll("1s");
    assert_eq!(
        printed(&down)["deliveries"],
        json!({"sent": 0, "pending": 3, "dead": 0}),
        "{}",
        said(&down)
    );
    assert_eq!(down.status.code(), Some(1));

    world.postfix.up();
    world.hooks.up();
    let up = world.poll("60s");
    assert_eq!(
        printed(&up)["deliveries"],
        json!({"sent": 3, "pending": 0, "dead": 0}),
        "{}",
        said(&up)
    );
    assert_eq!((&printed(&up)["alerts"], up.status.code()), (&json!([]), Some(0)));
    let (mails, posts) = world.arrived(1, 2);
    assert_eq!((mails.len(), posts.len()), (1, 2));
}

#[test]
fn servers_with_a_certificate_of_an_unknown_authority_are_sent_nothing() {
    let world = World::new();
    let (https, http) = (world.center.https_url(""), world.center.url(""));
    let untrusted = |world: &World| {
        world
            .command(&["poll", "--format", "json", "--wait", "1s"])
            .env_remove("SSL_CERT_FILE")
            .output()
            .unwrap()
    };
    let output = untrusted(&world);
    assert_eq!(
        (&printed(&output)["source"], world.center.signed_in().len()),
        (&json!("failed"), 0),
        "{}",
        said(&output)
    );

    world.configure(&[(&format!("_url = \"{https}"), &format!("_url = \"{http}"))]);
    let output = untrusted(&world);
    assert_eq!(
        printed(&output)["deliveries"],
        json!({"sent": 0, "pending": 3, "dead": 0}),
        "{}",
        said(&output)
    );
    assert!(world.hooks.taken().is_empty());
    assert!(!world.postfix.log().contains("sasl_username"), "{}", world.postfix.log());
}

#[test]
fn mail_is_signed_in_the_way_that_is_configured_and_never_without_tls_or_with_another_password() {
    let world = World::new();
    for (auth, logged) in [("plain", "sasl_method=PLAIN"), ("login", "sasl_method=LOGIN")] {
        world.configure(&[(
            "tls = \"starttls\"",
            &format!("tls = \"starttls\", auth = \"{auth}\""),
        )]);
        let output = world.command(&["notify-test", "ops"]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(said(&output).contains("250 2.0.0 Ok: queued as "), "{}", said(&output));
        assert!(world.postfix.log().contains(logged), "{}", world.postfix.log());
        let output = world
            .command(&["notify-test", "ops"])
            .env("SMTP_PASSWORD", "battery staple")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(
            said(&output).contains("535") && !said(&output).contains("battery staple"),
            "{}",
            said(&output)
        );
    }
    let output = world
        .command(&["poll", "--format", "json", "--wait", "1s"])
        .env("SMTP_PASSWORD", "battery staple")
        .output()
        .unwrap();
    assert_eq!(
        printed(&output)["deliveries"],
        json!({"sent": 2, "pending": 1, "dead": 0}),
        "it is the destination's: {}",
        said(&output)
    );
    world.configure(&[("tls = \"starttls\"", "tls = \"none\"")]);
    let output = world.command(&["notify-test", "ops"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert_eq!(world.arrived(2, 2).0.len(), 2);
}

#[test]
fn a_name_with_lines_of_smtp_in_it_arrives_on_one_line_of_one_mail() {
    let world = World::new();
    let name = "Åsa & Söner\\r\\n.\\r\\nQUIT\\r\\nBcc: refused@partner.example";
    std::fs::write(
        world.center.serve("/v1/customers/usagerecords"),
        RECORDS.replace("Modern Azure Customer SE", name),
    )
    .unwrap();
    let output = world.poll("30s");
    assert_eq!(
        printed(&output)["deliveries"],
        json!({"sent": 3, "pending": 0, "dead": 0}),
        "{}",
        said(&output)
    );
    let (mails, _) = world.arrived(1, 2);
    assert_eq!(
        (mails.len(), world.postfix.log().contains("refused@partner.example")),
        (1, false),
        "{}",
        world.postfix.log()
    );
    let mail = MessageParser::default().parse(&mails[0]).unwrap();
    let flat = "Åsa & Söner . QUIT Bcc: refused@partner.example";
    assert!(mail.subject().unwrap().contains(flat) && mail.bcc().is_none(), "{:?}", mail.subject());
    assert!(mail.body_text(0).unwrap().contains(flat), "{:?}", mail.body_text(0));
}

//! The documented answer of Partner Center, polled twice: one alert, to every destination, once.

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::{HttpReceiver, MailOptions, MailReceiver};
use serde_json::{Value, json};

use crate::support::process::House;

const CUSTOMER: &str = "/v1/customers/11111111-6fb9-4b05-8f15-b3d72e0596e6/subscriptions";
const SUBSCRIPTION: &str = "11111111-25aa-ebb8-2bb4-fb406307babd";

/// What must not be in any log, however much is logged.
const SECRETS: [&str; 8] = [
    "client-secret-5d1e",
    "refresh-token-0b7c",
    "refresh-token-rotated",
    "access-token-93af",
    "T0000/B0000/slack-secret",
    "bWVyZWx5LWEtdGVzdC1rZXktb2YtMzItYnl0ZXMhISE=",
    "smtp-password-77aa",
    "oncall@partner.example",
];

/// A Partner Center with the documented answers, and its sign-in.
async fn partner_center() -> mockito::ServerGuard {
    let mut server = mockito::Server::new_async().await;
    let token = json!({"token_type": "Bearer", "expires_in": 3599, "access_token": SECRETS[3], "refresh_token": SECRETS[2]});
    server
        .mock("POST", "/contoso.onmicrosoft.com/oauth2/v2.0/token")
        .with_body(token.to_string())
        .create_async()
        .await;
    let records = include_str!("../../fixtures/customers_usagerecords.json");
    let of_customer = include_str!("../../fixtures/subscriptions_usagerecords_azure_plan.json");
    let summary = include_str!("../../fixtures/subscription_usagesummary_azure_plan.json");
    for (path, body) in [
        ("/v1/customers/usagerecords", records),
        (&format!("{CUSTOMER}/usagerecords"), of_customer),
        (&format!("{CUSTOMER}/{SUBSCRIPTION}/usagesummary"), summary),
    ] {
        server
            .mock("GET", path)
            .match_header("authorization", "Bearer access-token-93af")
            .with_body(body)
            .create_async()
            .await;
    }
    server
}

fn configuration(
    center: &str,
    chat: &HttpReceiver,
    hook: &HttpReceiver,
    mail: &MailReceiver,
) -> String {
    let [client_secret, refresh_token, _, _, slack, key, password, address] = SECRETS;
    format!(
        r#"
[source]
type = "partner-center"
api_url = "{center}"
login_url = "{center}"
tenant_id = "contoso.onmicrosoft.com"
client_id = "11111111-2222-3333-4444-555555555555"
client_secret = "{client_secret}"
refresh_token = "{refresh_token}"
[rules.spend]
metric = "percent_used"
notify = ["chat", "hook", "mail"]
steps = [{{ at = 80 }}, {{ at = 100, severity = "critical" }}]
[notifiers.chat]
type = "slack"
url = "{}"
[notifiers.hook]
type = "webhook"
url = "{}"
secret = "whsec_{key}"
[notifiers.mail]
type = "email"
from = "alerts@partner.example"
to = ["{address}"]
smtp = {{ host = "{}", port = {}, tls = "none", username = "alerts", password = "{password}" }}
"#,
        chat.url(&format!("/services/{slack}")),
        hook.url("/hook"),
        mail.host(),
        mail.port()
    )
}

/// Polls once with everything logged; gives what it printed.
fn poll(house: &House) -> Value {
    let output = house.run(&["--log", "trace", "poll", "--format", "json"]);
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{log}");
    for secret in SECRETS {
        assert!(!log.contains(secret), "{secret} in the log:\n{log}");
    }
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_answer_polled_twice_is_one_alert_at_every_destination_once() {
    let center = partner_center().await;
    let (chat, hook) = (
        HttpReceiver::start(SystemClock::shared()).unwrap(),
        HttpReceiver::start(SystemClock::shared()).unwrap(),
    );
    let credentials = Some(("alerts".to_owned(), SECRETS[6].to_owned()));
    let mail = MailReceiver::start(SystemClock::shared(), MailOptions { credentials }).unwrap();
    let house = House::new(&configuration(&center.url(), &chat, &hook, &mail));

    let first = poll(&house);
    assert_eq!(
        (&first["records"], &first["skipped"], &first["source"]),
        (&json!(4), &json!(0), &json!("ok"))
    );
    assert_eq!(first["deliveries"], json!({"sent": 3, "pending": 0, "dead": 0}));
    let [alert] = first["alerts"].as_array().unwrap().as_slice() else { panic!("{first}") };
    let expected = json!({
        "rule": "spend", "metric": "percent_used", "threshold": "100", "passed": ["80"], "value": "602.84", "severity": "critical",
        "customer": {"id": "11111111-6fb9-4b05-8f15-b3d72e0596e6", "name": "Modern Azure Customer \
            SE", "label": null, "plan": "azure-plan"},
        "budget": {"amount": "20", "currency": "SEK", "source": "partner-center", "previous_amount": null},
        "cost": {"amount": "120.5682999999995904716", "currency": "SEK", "usd": "12.39999999999999985235"},
        "billing_period": {"start": "2019-09-01T00:00:00Z", "end": "2019-10-01T00:00:00Z", "source": "subscription-summary"},
        "usage_as_of": "2019-09-17T17:08:11.1433333Z", "state": "raised",
    });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&alert[field], value, "{field}");
    }

    let second = poll(&house);
    assert_eq!((&second["alerts"], &second["suppressed"]["duplicate"]), (&json!([]), &json!(1)));
    assert_eq!(second["deliveries"], json!({"sent": 0, "pending": 0, "dead": 0}));

    let (told, chatted, mailed) = (hook.attempts(), chat.attempts(), mail.attempts());
    assert_eq!((told.len(), chatted.len(), mailed.len()), (1, 1, 1));
    let body: Value = serde_json::from_str(&told[0].request.text()).unwrap();
    assert_eq!(body["data"]["alerts"][0], *alert);
    assert!(told[0].request.header("webhook-signature").unwrap().starts_with("v1,"));
    for text in [chatted[0].request.text(), mailed[0].subject.clone()] {
        assert!(
            text.contains("Modern Azure Customer SE")
                && text.contains("602.84")
                && text.contains("120.57"),
            "{text}"
        );
    }
}

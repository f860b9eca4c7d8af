//! The simulated world against clients that are not ours: it must be as awkward as the real one
//! before it can test us.

mod story;

use std::sync::Arc;

use budget_alertd::clock::{Clock, SimulatedClock, SystemClock};
use budget_alertd::simulator::{
    Answer, Endpoint, Fault, Form, HttpReceiver, Lifetime, MailFault, MailOptions, MailReceiver,
    PartnerCenter, SignIn, SimCustomer, Stage,
};
use lettre::message::MultiPart;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use reqwest::{Response, StatusCode};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::client;

fn clock() -> Arc<SimulatedClock> {
    SimulatedClock::starting_at("2019-09-18T12:00:00Z".parse().unwrap())
}

fn customers() -> Vec<SimCustomer> {
    let as_of = "2019-09-17T17:08:11.1433333Z".parse().unwrap();
    let dec = |text: &str| text.parse().unwrap();
    let modern = SimCustomer::azure_plan(
        "11111111-6fb9-4b05-8f15-b3d72e0596e6",
        "Modern \"Azure\" Customer SE",
        "SEK",
        as_of,
    )
    .with_usd_rate(dec("0.1028"))
    .with_budget(dec("20"))
    .with_cost(dec("120.5682999999995904716"))
    .with_subscription("plan-1", "Azure plan", dec("120.5682999999995904716"));
    vec![
        SimCustomer::legacy(
            "LEGACY-1",
            "Legacy FR",
            "fr-FR",
            28,
            "2019-09-01T23:04:41.193Z".parse().unwrap(),
        )
        .with_cost(dec("22.861172"))
        .with_subscription(
            "ABCDEFGH-F347-41B6-B02C-187B1B778A43",
            "Microsoft Azure",
            dec("22.861172"),
        ),
        modern,
        SimCustomer::azure_plan("third", "Third", "GBP", as_of),
    ]
}

async fn token(center: &PartnerCenter, refresh_token: &str) -> (StatusCode, Value) {
    let sign_in = SignIn::default();
    let scope = "https://api.partnercenter.microsoft.com/user_impersonation offline_access";
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", &sign_in.client_id),
        ("client_secret", sign_in.client_secret.as_deref().unwrap()),
        ("refresh_token", refresh_token),
        ("scope", scope),
    ];
    let url = format!("{}/{}/oauth2/v2.0/token", center.login_url(), sign_in.tenant_id);
    let response = client().build().unwrap().post(url).form(&form).send().await.unwrap();
    (response.status(), json(response).await)
}

async fn signed_in(center: &PartnerCenter) -> String {
    token(center, &center.refresh_token()).await.1["access_token"].as_str().unwrap().to_owned()
}

async fn bytes(mut response: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

async fn text(response: Response) -> String {
    String::from_utf8(bytes(response).await.unwrap()).unwrap()
}

async fn json(response: Response) -> Value {
    serde_json::from_str(text(response).await.trim_start_matches('\u{feff}')).unwrap()
}

async fn get(center: &PartnerCenter, token: &str, path: &str) -> Response {
    client()
        .build()
        .unwrap()
        .get(format!("{}{path}", center.api_url()))
        .bearer_auth(token)
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_collection_is_written_as_partner_center_writes_it() {
    let center = PartnerCenter::start(clock(), SignIn::default()).unwrap();
    center.set_customers(customers().into_iter().take(2).collect());
    let token = signed_in(&center).await;
    let body = text(get(&center, &token, "/v1/customers/usagerecords").await).await;
    let expected = r#"{
    "totalCount": 2,
    "items": [
        {
            "budget": {
                "attributes": {
                    "objectType": "SpendingBudget"
                }
            },
            "customerSpendingBudget": {
                "attributes": {
                    "objectType": "SpendingBudget"
                }
            },
            "percentUsed": 0,
            "isUpgraded": false,
            "resourceId": "LEGACY-1",
            "id": "LEGACY-1",
            "resourceName": "Legacy FR",
            "name": "Legacy FR",
            "totalCost": 22.861172,
            "currencyLocale": "fr-FR",
            "usdTotalCost": 0,
            "lastModifiedDate": "2019-09-01T23:04:41.193+00:00",
            "attributes": {
                "objectType": "CustomerMonthlyUsageRecord"
            }
        },
        {
            "budget": {
                "amount": 20,
                "attributes": {
                    "objectType": "SpendingBudget"
                }
            },
            "percentUsed": 602.84,
            "isUpgraded": true,
            "resourceId": "11111111-6fb9-4b05-8f15-b3d72e0596e6",
            "id": "11111111-6fb9-4b05-8f15-b3d72e0596e6",
            "resourceName": "Modern \"Azure\" Customer SE",
            "name": "Modern \"Azure\" Customer SE",
            "totalCost": 120.5682999999995904716,
            "currencyCode": "SEK",
            "usdTotalCost": 12.39000000000000085235,
            "lastModifiedDate": "2019-09-17T17:08:11.1433333+00:00",
            "attributes": {
                "objectType": "CustomerMonthlyUsageRecord"
            }
        }
    ],
    "links": {
        "self": {
            "uri": "/customers/usagerecords",
            "method": "GET",
            "headers": []
        }
    },
    "attributes": {
        "objectType": "Collection"
    }
}"#;
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_mark_packing_and_compact_text_change_the_form_only() {
    let center = PartnerCenter::start(clock(), SignIn::default()).unwrap();
    center.set_customers(customers());
    let token = signed_in(&center).await;
    let plain = json(get(&center, &token, "/v1/customers/usagerecords").await).await;
    center.set_form(Form { bom: true, gzip: true, compact: true, page_size: None });
    let body = bytes(get(&center, &token, "/v1/customers/usagerecords").await).await.unwrap();
    assert_eq!(body[..4], *b"\xef\xbb\xbf{");
    assert!(!body.contains(&b'\n'));
    assert_eq!(serde_json::from_slice::<Value>(&body[3..]).unwrap(), plain);
    let unpacking = client().no_gzip().build().unwrap();
    let packed = unpacking
        .get(format!("{}/v1/customers/usagerecords", center.api_url()))
        .header("accept-encoding", "gzip");
    let packed = bytes(packed.bearer_auth(&token).send().await.unwrap()).await.unwrap();
    assert_eq!(packed[..2], [0x1f, 0x8b]);
}

#[tokio::test]
async fn pages_follow_only_with_the_token_that_came_with_the_link() {
    let center = PartnerCenter::start(clock(), SignIn::default()).unwrap();
    center.set_customers(customers());
    center.set_form(Form { page_size: Some(2), ..Form::default() });
    let token = signed_in(&center).await;
    let first = json(get(&center, &token, "/v1/customers/usagerecords").await).await;
    let next = &first["links"]["next"];
    assert_eq!(
        (&first["totalCount"], &next["uri"]),
        (&2.into(), &"/customers/usagerecords?size=2&seekOperation=Next".into())
    );
    assert_eq!(next["headers"][0]["key"], "MS-ContinuationToken");
    let url = format!("{}/v1{}", center.api_url(), next["uri"].as_str().unwrap());
    let asked = |continuation: &str| {
        client()
            .build()
            .unwrap()
            .get(&url)
            .bearer_auth(&token)
            .header("MS-ContinuationToken", continuation)
            .send()
    };
    let second = json(asked(next["headers"][0]["value"].as_str().unwrap()).await.unwrap()).await;
    assert_eq!(
        (second["items"][0]["name"].as_str(), second["items"].as_array().unwrap().len()),
        (Some("Third"), 1)
    );
    assert_eq!(second["links"]["next"], Value::Null);
    assert_eq!(asked("another").await.unwrap().status(), 400);
}

#[tokio::test]
async fn subscriptions_and_summaries_name_the_periods_of_both_kinds() {
    let center = PartnerCenter::start(clock(), SignIn::default()).unwrap();
    center.set_customers(customers());
    let token = signed_in(&center).await;
    let mut table = String::new();
    for id in ["legacy-1", "11111111-6fb9-4b05-8f15-b3d72e0596e6"] {
        let list = json(
            get(&center, &token, &format!("/v1/customers/{id}/subscriptions/usagerecords")).await,
        )
        .await;
        let subscription = list["items"][0]["id"].as_str().unwrap();
        let summary = json(
            get(
                &center,
                &token,
                &format!("/v1/customers/{id}/subscriptions/{subscription}/usagesummary"),
            )
            .await,
        )
        .await;
        let field = |name: &str| {
            summary.get(name).map_or("-".to_owned(), |value| value.to_string().replace('"', ""))
        };
        let row = ["resourceId", "id", "billingStartDate", "billingEndDate", "usdTotalCost"]
            .map(field)
            .join(" ");
        table = format!("{table}{} {row}\n", list["items"][0]["offerId"].as_str().unwrap());
    }
    assert_eq!(
        table,
        "MS-AZR-0145P ABCDEFGH-F347-41B6-B02C-187B1B778A43 ABCDEFGH-F347-41B6-B02C-187B1B778A43 \
            2019-08-28T00:00:00-07:00 2019-09-27T00:00:00-07:00 -\nDZH318Z0BPS6:0001:DZH318Z0BML6 \
            plan-1 - 2019-09-01T00:00:00+00:00 2019-10-01T00:00:00+00:00 12.39\n"
    );
    assert_eq!(
        get(&center, &token, "/v1/customers/nobody/subscriptions/usagerecords").await.status(),
        403
    );
}

#[tokio::test]
async fn a_legacy_summary_is_the_documented_one_to_the_byte() {
    let center = PartnerCenter::start(clock(), SignIn::default()).unwrap();
    center.set_customers(customers());
    let token = signed_in(&center).await;
    let subscription = "ABCDEFGH-F347-41B6-B02C-187B1B778A43";
    let path = format!("/v1/customers/LEGACY-1/subscriptions/{subscription}/usagesummary");
    let documented = include_str!("../fixtures/subscription_usagesummary_legacy.json").trim_end();
    let documented = documented
        .replace("<customer-tenant-id>", "LEGACY-1")
        .replace("<subscription-id>", subscription);
    assert_eq!(text(get(&center, &token, &path).await).await, documented);
}

#[tokio::test]
async fn refresh_tokens_rotate_and_access_tokens_expire() {
    let clock = clock();
    let center = PartnerCenter::start(
        clock.clone(),
        SignIn { keeps_used: false, lifetime_form: Lifetime::Text, ..SignIn::default() },
    )
    .unwrap();
    let first = center.refresh_token();
    let (status, answer) = token(&center, &first).await;
    assert_eq!((status.as_u16(), &answer["expires_in"]), (200, &"3600".into()));
    assert_eq!(answer["refresh_token"], center.refresh_token());
    assert_ne!(first, center.refresh_token());
    let (status, refused) = token(&center, &first).await;
    assert_eq!((status.as_u16(), &refused["error"]), (400, &"invalid_grant".into()));

    let access = answer["access_token"].as_str().unwrap();
    let payload = base64::Engine::decode(
        &base64::prelude::BASE64_URL_SAFE_NO_PAD,
        access.split('.').nth(1).unwrap(),
    )
    .unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&payload).unwrap()["amr"],
        serde_json::json!(["pwd", "mfa"])
    );
    assert_eq!(get(&center, access, "/v1/customers/usagerecords").await.status(), 200);
    assert_eq!(get(&center, "made-up", "/v1/customers/usagerecords").await.status(), 401);
    clock.advance(std::time::Duration::from_hours(1));
    assert_eq!(get(&center, access, "/v1/customers/usagerecords").await.status(), 401);

    let access = signed_in(&center).await;
    center.change_sign_in(|sign_in| sign_in.mfa = false);
    let refused = json(get(&center, &access, "/v1/customers/usagerecords").await).await;
    assert_eq!(
        (refused["code"].as_str(), refused["description"].as_str()),
        (Some("900421"), Some("MFA required."))
    );
    center.revoke_sign_in();
    assert_eq!(token(&center, &center.refresh_token()).await.0, 400);
}

#[tokio::test]
async fn endpoints_go_wrong_as_planned_and_heal() {
    let center = PartnerCenter::start(clock(), SignIn::default()).unwrap();
    let access = signed_in(&center).await;
    for fault in [
        Fault::Answer(Answer::throttled(57)),
        Fault::Answer(Answer::mfa_required()),
        Fault::Slow(std::time::Duration::from_mins(9)),
    ] {
        center.fail_once(Endpoint::UsageRecords, fault);
    }
    let asked = || get(&center, &access, "/v1/customers/usagerecords");
    let throttled = asked().await;
    assert_eq!(
        (throttled.status().as_u16(), throttled.headers()["retry-after"].to_str().unwrap()),
        (429, "57")
    );
    assert_eq!(
        text(throttled).await,
        r#"{ "statusCode": 429, "message": "Rate limit is exceeded. Try again in 57 seconds." }"#
    );
    assert_eq!(asked().await.status(), 401);
    assert_eq!(asked().await.status(), 200, "late, by a clock that does not make anybody wait");

    center.fail_once(Endpoint::UsageRecords, Fault::Cut { after: 20 });
    assert!(bytes(asked().await).await.is_err());
    center.fail_once(Endpoint::UsageRecords, Fault::Reset);
    let reset = client()
        .build()
        .unwrap()
        .get(format!("{}/v1/customers/usagerecords", center.api_url()))
        .bearer_auth(&access)
        .send()
        .await;
    assert!(reset.is_err());

    center.fail(Endpoint::UsageRecords, Fault::status(503));
    assert_eq!((asked().await.status().as_u16(), asked().await.status().as_u16()), (503, 503));
    center.heal(Endpoint::UsageRecords);
    assert_eq!(asked().await.status(), 200);
    assert_eq!(
        center
            .requests()
            .iter()
            .filter(|request| request.path == "/v1/customers/usagerecords")
            .count(),
        8
    );
}

#[tokio::test]
async fn an_http_receiver_keeps_what_it_gets_and_answers_as_told() {
    let receiver = HttpReceiver::start(clock()).unwrap();
    let client = client().build().unwrap();
    let post = |body: &'static str| {
        client.post(receiver.url("/hooks/budget")).header("Webhook-Id", "msg_1").body(body).send()
    };
    assert_eq!(text(post("{}").await.unwrap()).await, "ok");
    receiver.fail_once(Fault::status(500));
    assert_eq!(post("again").await.unwrap().status(), 500);
    receiver.fail_once(Fault::Reset);
    assert!(post("once more").await.is_err());
    let requests = receiver.wait_for(1).await.unwrap();
    let seen = (
        requests[0].path.as_str(),
        requests[0].header("webhook-id"),
        requests[0].text(),
        requests[0].at.to_string(),
    );
    assert_eq!(
        seen,
        ("/hooks/budget", Some("msg_1"), "{}".to_owned(), "2019-09-18T12:00:00Z".to_owned())
    );
    let answers: Vec<_> = receiver.attempts().iter().map(|attempt| attempt.answer).collect();
    assert_eq!(answers, [Some(200), Some(500), None]);
}

#[tokio::test]
async fn a_receiver_that_is_down_refuses_connections_and_comes_back_on_its_port() {
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    let client = client().build().unwrap();
    let url = receiver.url("/");
    client.post(&url).send().await.unwrap();
    for round in 2..20 {
        receiver.go_down().await.unwrap();
        receiver.go_down().await.unwrap();
        assert!(client.post(&url).send().await.unwrap_err().is_connect());
        receiver.come_back().unwrap();
        receiver.come_back().unwrap();
        client.post(&url).send().await.unwrap();
        assert_eq!(receiver.wait_for(round).await.unwrap().len(), round);
    }
    drop(receiver);
    assert!(client.post(&url).send().await.is_err());
}

fn multipart(to: &str) -> Message {
    Message::builder()
        .from("Budget alerts <alerts@partner.example>".parse().unwrap())
        .to(to.parse().unwrap())
        .subject("Müşteri 東京: 602.84 %")
        .message_id(Some("<5f0c1c3e@partner.example>".to_owned()))
        .multipart(MultiPart::alternative_plain_html(
            "Cost: 120.57 SEK\r\n.a dot\r\n".to_owned(),
            "<p>Cost: 120.57 SEK</p>".to_owned(),
        ))
        .unwrap()
}

fn sender(receiver: &MailReceiver) -> AsyncSmtpTransport<Tokio1Executor> {
    let credentials = Credentials::new("alerts".to_owned(), "secret".to_owned());
    AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(receiver.host())
        .port(receiver.port())
        .credentials(credentials)
        .build()
}

#[tokio::test]
async fn a_mail_is_received_and_taken_apart() {
    let clock = clock();
    let options = MailOptions { credentials: Some(("alerts".to_owned(), "secret".to_owned())) };
    let receiver = MailReceiver::start(clock.clone(), options).unwrap();
    sender(&receiver).send(multipart("Ops <ops@partner.example>")).await.unwrap();
    let mail = receiver.wait_for(1).await.unwrap().remove(0);
    assert_eq!(
        (mail.sender.as_str(), mail.recipients.as_slice()),
        ("alerts@partner.example", &["ops@partner.example".to_owned()][..])
    );
    assert_eq!(
        (mail.from, mail.to),
        (vec!["alerts@partner.example".to_owned()], vec!["ops@partner.example".to_owned()])
    );
    assert_eq!(
        (mail.subject.as_str(), mail.message_id.as_str()),
        ("Müşteri 東京: 602.84 %", "5f0c1c3e@partner.example")
    );
    assert_eq!(
        (mail.text.trim_end(), mail.html.as_deref()),
        ("Cost: 120.57 SEK\r\n.a dot", Some("<p>Cost: 120.57 SEK</p>"))
    );
    assert!(
        mail.headers
            .iter()
            .any(|(name, value)| name == "Message-ID" && value == "<5f0c1c3e@partner.example>")
    );
    assert_eq!(mail.at, clock.now());
}

#[tokio::test]
async fn both_ways_of_signing_in_are_checked() {
    let options = MailOptions { credentials: Some(("alerts".to_owned(), "secret".to_owned())) };
    let receiver = MailReceiver::start(clock(), options).unwrap();
    let with = |password: &str, mechanism: Mechanism| {
        AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(receiver.host())
            .port(receiver.port())
            .credentials(Credentials::new("alerts".to_owned(), password.to_owned()))
            .authentication(vec![mechanism])
            .build()
    };
    for mechanism in [Mechanism::Plain, Mechanism::Login] {
        assert!(with("secret", mechanism).send(multipart("ops@partner.example")).await.is_ok());
        assert_eq!(
            with("wrong", mechanism)
                .send(multipart("ops@partner.example"))
                .await
                .unwrap_err()
                .status()
                .unwrap()
                .to_string(),
            "535"
        );
    }
    assert_eq!(receiver.received().len(), 2);
}

#[tokio::test]
async fn a_mail_server_refuses_fails_and_hangs_up_as_told() {
    let receiver = MailReceiver::start(clock(), MailOptions::default()).unwrap();
    let send = async |to: &str| {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(receiver.host())
            .port(receiver.port())
            .build();
        match transport.send(multipart(to)).await {
            Ok(response) => response.code().to_string(),
            Err(error) => error.status().map_or("no answer".to_owned(), |code| code.to_string()),
        }
    };
    receiver.refuse("Gone@partner.example", 550);
    let mut codes = vec![send("gone@partner.example").await, send("here@partner.example").await];
    for fault in [
        MailFault::reply(Stage::Greeting, 421, "4.3.2 Not now"),
        MailFault::reply(Stage::Sender, 451, "4.3.0 Try later"),
        MailFault::reply(Stage::Message, 554, "5.6.0 Not this"),
        MailFault::Close(Stage::Message),
    ] {
        receiver.fail_once(fault);
        codes.push(send("here@partner.example").await);
    }
    codes.push(send("here@partner.example").await);
    assert_eq!(codes, ["550", "250", "421", "451", "554", "no answer", "250"]);
    let answers: Vec<_> = receiver.attempts().iter().map(|mail| mail.answer).collect();
    assert_eq!(answers, [Some(250), Some(554), None, Some(250)]);
    receiver.go_down().await.unwrap();
    assert_eq!(send("here@partner.example").await, "no answer");
    receiver.come_back().unwrap();
    assert_eq!(send("here@partner.example").await, "250");
}

#[tokio::test]
async fn commands_that_come_at_once_are_answered_in_order() {
    let receiver = MailReceiver::start(clock(), MailOptions::default()).unwrap();
    receiver.refuse("gone@partner.example", 551);
    let mut stream = TcpStream::connect((receiver.host(), receiver.port())).await.unwrap();
    let commands = "HELO client\r\nDATA\r\nMAIL FROM:<a@partner.example> SIZE=99\r\nRSET\r\nRCPT \
        TO:<b@partner.example>\r\nmail from:<>\r\nRCPT TO:<gone@partner.example>\r\nRCPT \
        TO:<b@partner.example>\r\nNOOP\r\nDATA\r\nSubject: x\r\n\r\n..one \
        dot\r\nGr\u{fc}n\r\n.\r\nTURN\r\nQUIT\r\n";
    stream.write_all(commands.as_bytes()).await.unwrap();
    let mut replies = String::new();
    stream.read_to_string(&mut replies).await.unwrap();
    let codes: Vec<&str> = replies.lines().map(|line| &line[..3]).collect();
    assert_eq!(codes.join(" "), "220 250 503 250 250 503 250 551 250 250 354 250 500 221");
    let mail = receiver.received().remove(0);
    assert_eq!((mail.sender.as_str(), mail.recipients), ("", vec!["b@partner.example".to_owned()]));
    assert_eq!((mail.text.as_str(), mail.html), (".one dot\r\nGr\u{fc}n\r\n", None));
    assert_eq!(mail.raw, "Subject: x\r\n\r\n.one dot\r\nGr\u{fc}n\r\n".as_bytes());
}

#[tokio::test]
async fn who_hangs_answers_nobody_until_it_goes_down() {
    let (http, mail) = (
        HttpReceiver::start(clock()).unwrap(),
        MailReceiver::start(clock(), MailOptions::default()).unwrap(),
    );
    http.fail(Fault::Hang);
    mail.fail(MailFault::Hang(Stage::Message));
    let (url, transport) = (
        http.url("/"),
        AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(mail.host())
            .port(mail.port())
            .timeout(None)
            .build(),
    );
    let posted = tokio::spawn(client().build().unwrap().post(url).send());
    let sent = tokio::spawn(async move { transport.send(multipart("ops@partner.example")).await });
    assert_eq!(http.wait_for_attempts(1).await.unwrap()[0].answer, None);
    assert_eq!(mail.wait_for_attempts(1).await.unwrap()[0].answer, None);
    assert!(!posted.is_finished() && !sent.is_finished());
    http.go_down().await.unwrap();
    mail.go_down().await.unwrap();
    assert!(posted.await.unwrap().is_err() && sent.await.unwrap().is_err());
    assert!(http.received().is_empty() && mail.received().is_empty());
}

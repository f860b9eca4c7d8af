//! Mail through Microsoft 365 without a password: by Graph, and by SMTP with a token.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use budget_alertd::clock::{Clock, SimulatedClock};
use budget_alertd::daemon::assemble;
use budget_alertd::metrics::Metrics;
use budget_alertd::notify::{
    Channel, Config, DeliveryError, FailureReason, Kind, OAuthConfig, OAuthGrant, SmtpSignIn,
    SmtpTls, Verdict,
};
use budget_alertd::secret::Secret;
use serde_json::{Value, json};

use super::microsoft::{CLIENT_SECRET, MAILBOX, Microsoft, REFRESH_TOKEN};
use super::receivers::{Answer, Http, Script, Smtp};
use super::samples::{NOW, alert_delivery, attacked, channel, email_config, time};
use crate::support::world::{SPEND, World, plan};

const DESTINATION: Verdict = Verdict::Destination { retry_after: None };
const GRAPH: &str = "https://graph.microsoft.com/.default";
const GRAPH_AS_USER: &str = "https://graph.microsoft.com/Mail.Send offline_access";

async fn failure(channel: &Channel) -> DeliveryError {
    let error = channel.attempt(&alert_delivery(attacked())).await.unwrap_err();
    let said = format!("{error} {error:?}");
    let secrets = ["hunter2", "access-", "oncall@", "alerts@"];
    assert!(secrets.iter().all(|secret| !said.contains(secret)), "{said}");
    error
}

async fn send(channel: &Channel) -> String {
    channel.attempt(&alert_delivery(attacked())).await.unwrap().detail
}

fn clocked(config: &Config) -> (Channel, Arc<SimulatedClock>) {
    let clock = SimulatedClock::starting_at(time(NOW));
    (config.build(clock.clone(), Metrics::new()).unwrap(), clock)
}

#[tokio::test]
async fn graph_gets_the_same_mail_as_a_mail_server() {
    let (microsoft, server) = (Microsoft::start().await, Smtp::playing(Script::default()).await);
    let graph = channel(&microsoft.graph_config(microsoft.application(GRAPH)));
    assert_eq!(
        graph.probe().await.unwrap(),
        "Microsoft Entra gives a token, and 127.0.0.1 is reached; no mail was sent"
    );
    assert_eq!(send(&graph).await, "202 Accepted, request-id 4f2a");
    send(&channel(&email_config(server.port, SmtpTls::None))).await;
    // All but the boundaries of its parts, which are drawn by lot.
    let told = |mail: &str| {
        let (_, boundary) = mail.split_once("boundary=\"").unwrap();
        mail.trim_end().replace(boundary.split('"').next().unwrap(), "-")
    };
    let (by_graph, by_smtp) = (microsoft.mails().remove(0), server.seen().messages.remove(0));
    assert_eq!(told(&by_graph), told(&by_smtp));
    assert!(
        by_graph.contains("Message-ID: <00c0ffee000040008000000000000001@partner.example>"),
        "{by_graph}"
    );
    let asked = microsoft.asked().remove(0);
    assert_eq!(
        (asked["grant_type"].as_str(), asked["scope"].as_str()),
        ("client_credentials", GRAPH)
    );
}

#[tokio::test]
async fn a_token_is_used_until_shortly_before_its_end() {
    let microsoft = Microsoft::start().await;
    let (channel, clock) = clocked(&microsoft.graph_config(microsoft.application(GRAPH)));
    for _ in 0..3 {
        send(&channel).await;
    }
    assert_eq!((microsoft.asked().len(), microsoft.mails().len()), (1, 3));
    clock.advance(Duration::from_mins(53));
    send(&channel).await;
    assert_eq!(microsoft.asked().len(), 1);
    clock.advance(Duration::from_mins(2));
    send(&channel).await;
    assert_eq!((microsoft.asked().len(), microsoft.mails().len()), (2, 5));
}

#[tokio::test]
async fn attempts_at_the_same_time_share_one_token() {
    let microsoft = Microsoft::start().await;
    let channel = channel(&microsoft.graph_config(microsoft.application(GRAPH)));
    tokio::join!(send(&channel), send(&channel), send(&channel));
    assert_eq!((microsoft.asked().len(), microsoft.mails().len()), (1, 3));
}

#[tokio::test]
async fn a_revoked_token_is_renewed_once() {
    let microsoft = Microsoft::start().await;
    let channel = channel(&microsoft.graph_config(microsoft.application(GRAPH)));
    send(&channel).await;
    microsoft.revoke();
    send(&channel).await;
    assert_eq!((microsoft.asked().len(), microsoft.requests(), microsoft.mails().len()), (2, 3, 2));
    let refused = || {
        (
            401,
            "",
            json!({ "error": { "code": "InvalidAuthenticationToken", "message": "Invalid \
                audience." } }),
        )
    };
    microsoft.plan_send(refused());
    microsoft.plan_send(refused());
    let error = failure(&channel).await;
    assert_eq!((error.verdict, error.reason), (DESTINATION, FailureReason::SignInRefused));
    assert!(
        error.detail.starts_with(
            "401 Unauthorized InvalidAuthenticationToken: Invalid audience.; the token is refused"
        ),
        "{error}"
    );
    assert_eq!((microsoft.asked().len(), microsoft.requests()), (3, 5));
}

#[tokio::test]
async fn every_answer_of_graph_has_its_verdict() {
    let microsoft = Microsoft::start().await;
    let channel = channel(&microsoft.graph_config(microsoft.application(GRAPH)));
    let after = |seconds| Verdict::Destination { retry_after: Some(Duration::from_secs(seconds)) };
    let forbidden =
        "give it the application permission Mail.Send of Microsoft Graph with admin consent";
    for (status, headers, code, verdict, reason, said) in [
        (
            400,
            "",
            "ErrorMimeContentInvalid",
            Verdict::Message,
            FailureReason::MessageRefused,
            "does not take this message",
        ),
        (
            400,
            "",
            "ErrorInvalidRecipients",
            Verdict::Message,
            FailureReason::RecipientRefused,
            "check the notifier's `to`",
        ),
        (403, "", "ErrorAccessDenied", DESTINATION, FailureReason::SignInRefused, forbidden),
        (
            404,
            "",
            "ErrorInvalidUser",
            DESTINATION,
            FailureReason::NotFound,
            "must be a mailbox in Exchange Online",
        ),
        (413, "", "RequestTooLarge", Verdict::Message, FailureReason::MessageRefused, "too large"),
        (
            429,
            "retry-after: 30",
            "ApplicationThrottled",
            after(30),
            FailureReason::Throttled,
            "429 Too Many Requests",
        ),
        (
            429,
            "retry-after: 90000",
            "ApplicationThrottled",
            after(3600),
            FailureReason::Throttled,
            "",
        ),
        (500, "", "InternalServerError", DESTINATION, FailureReason::ServerError, "500"),
        (503, "retry-after: 5", "MailboxServerBusy", after(5), FailureReason::ServerError, "503"),
        (504, "", "", DESTINATION, FailureReason::ServerError, "504"),
        (
            302,
            "location: https://elsewhere.example/",
            "",
            DESTINATION,
            FailureReason::Redirected,
            "302",
        ),
        (200, "", "", DESTINATION, FailureReason::UnexpectedAnswer, "in place of 202"),
    ] {
        let body = if code.is_empty() {
            Value::Null
        } else {
            json!({ "error": { "code": code, "message": "Not for oncall@partner.example." } })
        };
        microsoft.plan_send((status, headers, body));
        let error = failure(&channel).await;
        assert_eq!((error.verdict, error.reason), (verdict, reason), "{status} {code}: {error}");
        assert!(error.detail.contains(said) && error.detail.contains(code), "{error}");
    }
}

#[tokio::test]
async fn what_the_sign_in_service_refuses_is_told_with_what_to_do() {
    let microsoft = Microsoft::start().await;
    let sent = |oauth: OAuthConfig| channel(&microsoft.graph_config(oauth));
    let secret = |secret: &str| OAuthGrant::Application { client_secret: Secret::new(secret) };
    let wrong_secret = sent(microsoft.oauth(secret("hunter2-wrong"), GRAPH));
    let wrong_scope = sent(microsoft.application("https://graph.microsoft.com/Mail.Send"));
    let mut elsewhere = microsoft.application(GRAPH);
    elsewhere.client_id = "another".into();
    for (channel, said) in [
        (
            wrong_secret,
            "AADSTS7000215: Invalid client secret provided.; put the secret's value, not its id, \
                where oauth.client_secret reads it",
        ),
        (
            wrong_scope,
            "AADSTS1002012: The provided value for scope is not valid.; give the application its \
                permission",
        ),
        (
            sent(elsewhere),
            "AADSTS700016: Application was not found in the directory.; check oauth.client_id and \
                oauth.tenant_id",
        ),
    ] {
        let error = failure(&channel).await;
        assert_eq!((error.verdict, error.reason), (DESTINATION, FailureReason::SignInRefused));
        assert!(
            error.detail.starts_with("Microsoft Entra refuses the sign-in: ")
                && error.detail.contains(said),
            "{error}"
        );
        assert_eq!(channel.probe().await.unwrap_err().detail, error.detail);
    }
    assert_eq!(microsoft.requests(), 0);
}

#[tokio::test]
async fn a_code_that_the_source_knows_is_known_to_a_notifier_too() {
    let microsoft = Microsoft::start().await;
    let channel = channel(&microsoft.graph_config(microsoft.application(GRAPH)));
    for (error, code, said) in [
        ("invalid_grant", "50105", "assign the user or the application that signs in"),
        ("invalid_request", "50126", "put a new refresh token where oauth.refresh_token reads it"),
        ("invalid_grant", "50057", "fix the user's account in the Entra admin center"),
        ("invalid_grant", "50020", "the user does not belong to this tenant"),
        ("invalid_grant", "530035", "the tenant's Conditional Access does not let this user pass"),
        ("unauthorized_client", "500014", "check oauth.client_id and oauth.tenant_id"),
        ("invalid_request", "650053", "give the application its permission"),
        ("access_denied", "1", "put a new refresh token where oauth.refresh_token reads it"),
    ] {
        let description = format!("AADSTS{code}: Something.");
        let body = json!({ "error": error, "error_description": description });
        microsoft.plan_token((400, "", body));
        let told = failure(&channel).await;
        assert_eq!((told.verdict, told.reason), (DESTINATION, FailureReason::SignInRefused));
        let start = format!("Microsoft Entra refuses the sign-in: {error}: {description}; {said}");
        assert!(told.detail.starts_with(&start), "{told}");
    }
}

#[tokio::test]
async fn a_sign_in_service_in_trouble_is_the_destinations_fault() {
    let microsoft = Microsoft::start().await;
    let channel = channel(&microsoft.graph_config(microsoft.application(GRAPH)));
    let after = Verdict::Destination { retry_after: Some(Duration::from_secs(7)) };
    for (planned, verdict, reason) in [
        ((429, "retry-after: 7", Value::Null), after, FailureReason::Throttled),
        (
            (503, "", json!({ "error": "temporarily_unavailable" })),
            DESTINATION,
            FailureReason::ServerError,
        ),
        (
            (200, "", json!({ "token_type": "Bearer" })),
            DESTINATION,
            FailureReason::UnexpectedAnswer,
        ),
        (
            (302, "location: https://elsewhere.example/", Value::Null),
            DESTINATION,
            FailureReason::UnexpectedAnswer,
        ),
    ] {
        microsoft.plan_token(planned);
        let error = failure(&channel).await;
        assert_eq!((error.verdict, error.reason), (verdict, reason), "{error}");
    }
    drop(microsoft);
    let error = failure(&channel).await;
    assert_eq!(
        (error.verdict, error.reason),
        (DESTINATION, FailureReason::CannotConnect),
        "{error}"
    );
}

/// A user's sign-in whose newest refresh token is kept in this folder.
fn user(microsoft: &Microsoft, configured: &str, folder: &Path) -> Channel {
    let (refresh_token, client_secret) =
        (Secret::new(configured), Some(Secret::new(CLIENT_SECRET)));
    let grant = OAuthGrant::User {
        refresh_token,
        client_secret,
        state_dir: folder.to_owned(),
        file: "sign-in-oncall.json".into(),
    };
    channel(&microsoft.graph_config(microsoft.oauth(grant, GRAPH_AS_USER)))
}

#[tokio::test]
async fn a_rotated_refresh_token_is_on_disk_for_its_owner_only_and_used_from_there() {
    let microsoft = Microsoft::start().await;
    let folder = tempfile::tempdir().unwrap();
    send(&user(&microsoft, REFRESH_TOKEN, folder.path())).await;
    let file = folder.path().join("sign-in-oncall.json");
    assert!(std::fs::read_to_string(&file).unwrap().contains("hunter2-refresh-1"));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    microsoft.accept_only("hunter2-refresh-1");
    send(&user(&microsoft, REFRESH_TOKEN, folder.path())).await;
    let used = |index: usize| microsoft.asked()[index]["refresh_token"].clone();
    assert_eq!((used(0), used(1)), (REFRESH_TOKEN.to_owned(), "hunter2-refresh-1".to_owned()));
    // Another one that is configured since replaces what is kept.
    microsoft.accept_only("hunter2-other-seed");
    send(&user(&microsoft, "hunter2-other-seed", folder.path())).await;
    assert!(std::fs::read_to_string(&file).unwrap().contains("hunter2-refresh-3"));
}

#[tokio::test]
async fn an_expired_refresh_token_is_told_and_a_damaged_file_costs_no_mail() {
    let microsoft = Microsoft::start().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("sign-in-oncall.json"), "{").unwrap();
    send(&user(&microsoft, REFRESH_TOKEN, folder.path())).await;
    microsoft.accept_only("hunter2-none-that-we-have");
    let error = failure(&user(&microsoft, REFRESH_TOKEN, folder.path())).await;
    assert_eq!((error.verdict, error.reason), (DESTINATION, FailureReason::SignInRefused));
    assert!(error.detail.contains("put a new one where oauth.refresh_token reads it"), "{error}");
}

#[tokio::test]
async fn a_refresh_token_that_cannot_be_kept_is_used_all_the_same() {
    let microsoft = Microsoft::start().await;
    let folder = tempfile::tempdir().unwrap();
    let no_folder = folder.path().join("file");
    std::fs::write(&no_folder, "").unwrap();
    let channel = user(&microsoft, REFRESH_TOKEN, &no_folder);
    send(&channel).await;
    microsoft.accept_only("hunter2-refresh-1");
    microsoft.revoke();
    send(&channel).await;
    assert_eq!(microsoft.mails().len(), 2);
}

/// A mail server that takes the tokens of this service.
async fn server(microsoft: &Microsoft) -> Smtp {
    Smtp::playing(Script {
        extensions: vec!["AUTH LOGIN XOAUTH2"],
        bearer: Some(microsoft.bearer()),
        ..Script::default()
    })
    .await
}

#[tokio::test]
async fn a_mail_server_is_signed_in_to_by_a_token() {
    let microsoft = Microsoft::start().await;
    let server = server(&microsoft).await;
    let channel = channel(&microsoft.smtp_config(server.port));
    assert!(channel.probe().await.unwrap().contains(", and takes the sign-in; no mail was sent"));
    send(&channel).await;
    send(&channel).await;
    assert_eq!((microsoft.asked().len(), server.seen().messages.len()), (1, 2));
    assert_eq!(microsoft.asked()[0]["scope"], "https://outlook.office365.com/.default");
}

#[tokio::test]
async fn a_token_that_the_mail_server_refuses_is_renewed_once() {
    let microsoft = Microsoft::start().await;
    let server = server(&microsoft).await;
    let (channel, clock) = clocked(&microsoft.smtp_config(server.port));
    send(&channel).await;
    microsoft.revoke();
    clock.advance(Duration::from_mins(1));
    send(&channel).await;
    assert_eq!((microsoft.asked().len(), server.seen().messages.len()), (2, 2));
    let mut other = microsoft.smtp_config(server.port);
    if let Kind::Email(email) = &mut other.kind
        && let Some(SmtpSignIn::Token { user, .. }) = &mut email.smtp.sign_in
    {
        *user = "somebody@partner.example".into();
    }
    let error = failure(&super::samples::channel(&other)).await;
    assert_eq!((error.verdict, error.reason), (DESTINATION, FailureReason::SignInRefused));
    assert_eq!(
        error.to_string(),
        "the mail server refused the sign-in: 535 5.7.3 Authentication unsuccessful; check that \
            `username` is the mailbox, and that the application may send for it \
            (docs/microsoft-365-mail.md) (the server's reason: invalid_token)"
    );
    assert_eq!((microsoft.asked().len(), server.seen().messages.len()), (4, 2));
}

#[tokio::test]
async fn a_mail_server_without_xoauth2_gets_no_token() {
    let microsoft = Microsoft::start().await;
    let server =
        Smtp::playing(Script { extensions: vec!["AUTH PLAIN LOGIN"], ..Script::default() }).await;
    let error = failure(&channel(&microsoft.smtp_config(server.port))).await;
    assert_eq!((error.verdict, error.reason), (DESTINATION, FailureReason::SignInRefused));
    assert!(error.detail.starts_with("the mail server offers no XOAUTH2 here"), "{error}");
    assert!(server.seen().commands.iter().all(|command| !command.starts_with("AUTH")));
}

#[tokio::test]
async fn a_graph_that_is_silent_or_breaks_off_may_have_got_the_mail() {
    let microsoft = Microsoft::start().await;
    for (answer, reason) in
        [(Answer::Close, FailureReason::ConnectionLost), (Answer::Silence, FailureReason::TimedOut)]
    {
        let receiver = Http::answering(answer).await;
        let mut config = microsoft.graph_config(microsoft.application(GRAPH));
        config.timeout = Duration::from_secs(3);
        if let Kind::GraphMail(mail) = &mut config.kind {
            mail.url = receiver.url.parse().unwrap();
        }
        let error = failure(&channel(&config)).await;
        assert_eq!((error.verdict, error.reason), (Verdict::Ambiguous, reason), "{error}");
        assert_eq!(receiver.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_silent_sign_in_service_is_named_and_nothing_was_sent() {
    let silent = Http::answering(Answer::Silence).await;
    let server =
        Smtp::playing(Script { extensions: vec!["AUTH XOAUTH2"], ..Script::default() }).await;
    let microsoft = Microsoft::start().await;
    let mut oauth = microsoft.application(GRAPH);
    oauth.token_url = silent.url.parse().unwrap();
    let mut by_smtp = email_config(server.port, SmtpTls::None);
    if let Kind::Email(email) = &mut by_smtp.kind {
        email.smtp.sign_in =
            Some(SmtpSignIn::Token { user: MAILBOX.into(), oauth: Box::new(oauth.clone()) });
    }
    for mut config in [microsoft.graph_config(oauth), by_smtp] {
        config.timeout = Duration::from_secs(3);
        let error = failure(&channel(&config)).await;
        assert_eq!(
            (error.verdict, error.reason),
            (DESTINATION, FailureReason::TimedOut),
            "{error}"
        );
        assert!(error.detail.starts_with("no token from the sign-in service: "), "{error}");
    }
    assert_eq!((microsoft.requests(), server.seen().commands.len()), (0, 0));
}

#[tokio::test]
async fn each_recipient_is_a_delivery_of_its_own_through_graph_too() {
    let microsoft = Microsoft::start().await;
    let world = World::new(&format!(
        "{SPEND}{}",
        microsoft.graph_table("hook", &["a@partner.example", "b@partner.example"])
    ));
    deliver(&world).await;
    let told: Vec<_> = microsoft
        .mails()
        .iter()
        .map(|mail| (line(mail, "To: "), line(mail, "Message-ID: ")))
        .collect();
    assert_eq!(
        told.iter().map(|(to, _)| to.as_str()).collect::<Vec<_>>(),
        ["a@partner.example", "b@partner.example"]
    );
    assert_eq!((told[0].1 == told[1].1, microsoft.asked().len()), (true, 1));
}

#[tokio::test]
async fn a_customers_contacts_are_told_through_graph_too() {
    let microsoft = Microsoft::start().await;
    let table = microsoft
        .graph_table("hook", &[])
        .replace("to = []", "audience = \"customer\"\nto_customer_contacts = true");
    let world =
        World::new(&format!("{SPEND}{table}[customers.A]\ncontacts = [\"it@contoso.example\"]\n"));
    let sentence = world.config().notifiers[0].sentence();
    assert!(
        sentence.starts_with(
            "hook: mail to the contacts of each customer by Microsoft Graph; customers read it"
        ),
        "{sentence}"
    );
    deliver(&world).await;
    let [mail] = microsoft.mails().try_into().unwrap();
    assert_eq!(line(&mail, "To: "), "it@contoso.example");
    assert!(mail.contains("Your Azure usage") && !mail.contains("SEK"), "{mail}");
}

/// Raises an alert for the customer A, and delivers it.
async fn deliver(world: &World) {
    world.poll("2019-09-17T00:00:00Z", &[plan("Z", "1", "100", "2019-09-17T00:00:00Z")]).await;
    world.poll("2019-09-17T00:00:00Z", &[plan("A", "85", "100", "2019-09-17T00:00:00Z")]).await;
    let ledger = world.ledger();
    let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
    let mut worker =
        assemble(&world.config(), &ledger, &clock, &world.metrics).unwrap().workers.remove(0);
    while worker.step(&|| false).await.unwrap().wait.is_some() {}
}

fn line(mail: &str, start: &str) -> String {
    mail.lines().find_map(|line| line.strip_prefix(start)).unwrap().to_owned()
}

//! What a mail server's answers mean, stage by stage, and what no answer means.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use budget_alertd::clock::SimulatedClock;
use budget_alertd::metrics::Metrics;
use budget_alertd::notify::{
    Accepted, AuthMechanism, Config, DeliveryError, FailureReason, Kind, SmtpSignIn, SmtpTls,
    Verdict,
};
use budget_alertd::secret::Secret;

use super::receivers::{Act, Script, Smtp, Stage};
use super::samples::{NOW, alert_delivery, attacked, channel, email_config, time};

const DESTINATION: Verdict = Verdict::Destination { retry_after: None };

/// Mail with a sign-in, so that every stage without TLS is passed.
fn signing_in(port: u16, auth: AuthMechanism) -> Config {
    let mut config = email_config(port, SmtpTls::None);
    if let Kind::Email(email) = &mut config.kind {
        let (user, password) = ("alerts".into(), Secret::new("open sesame"));
        email.smtp.sign_in = Some(SmtpSignIn::Password { user, password, mechanism: auth });
    }
    config
}

async fn attempt(act: Option<(Stage, Act)>, timeout: Duration) -> Result<Accepted, DeliveryError> {
    let (acts, extensions) = (act.into_iter().collect(), vec!["AUTH PLAIN LOGIN"]);
    let server = Smtp::playing(Script { acts, extensions, ..Script::default() }).await;
    let mut config = signing_in(server.port, AuthMechanism::Plain);
    config.timeout = timeout;
    let result = channel(&config).attempt(&alert_delivery(attacked())).await;
    if let Err(error) = &result {
        let said = format!("{error} {error:?}");
        assert!(!said.contains("sesame") && !said.contains("oncall@"), "{said}");
    }
    result
}

async fn verdict(stage: Stage, act: Act) -> Verdict {
    attempt(Some((stage, act)), Duration::from_secs(20)).await.unwrap_err().verdict
}

const STAGES: [Stage; 7] = ["", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "."];

#[tokio::test]
async fn every_refusal_has_its_verdict() {
    for stage in STAGES {
        let brief = if stage == "RCPT" { Verdict::Recipient } else { DESTINATION };
        assert_eq!(verdict(stage, Act::Say("451 4.3.0 later")).await, brief, "4xx at {stage}");
        let permanent = if matches!(stage, "DATA" | ".") { Verdict::Message } else { DESTINATION };
        assert_eq!(
            verdict(stage, Act::Say("554 5.0.0 <oncall@partner.example> no")).await,
            permanent,
            "5xx at {stage}"
        );
        assert_eq!(
            verdict(stage, Act::Say("421 4.3.2 closing")).await,
            DESTINATION,
            "421 at {stage}"
        );
    }
}

#[tokio::test]
async fn a_broken_or_silent_conversation_is_ambiguous_only_after_the_final_dot() {
    for stage in STAGES {
        let expected = if stage == "." { Verdict::Ambiguous } else { DESTINATION };
        assert_eq!(verdict(stage, Act::Close).await, expected, "closed at {stage}");
        assert_eq!(verdict(stage, Act::Say("gibberish")).await, expected, "gibberish at {stage}");
        // Long enough for a busy machine to come to the final dot.
        let timeout = Duration::from_millis(if stage == "." { 3000 } else { 800 });
        let error = attempt(Some((stage, Act::Silence)), timeout).await.unwrap_err();
        assert_eq!(
            (error.verdict, error.reason),
            (expected, FailureReason::TimedOut),
            "silent at {stage}"
        );
    }
}

#[tokio::test]
async fn a_refused_recipient_costs_the_others_nothing() {
    let acts = vec![("RCPT", Act::Say("550 5.1.1 <OnCall@partner.example>: unknown user"))];
    let server = Smtp::playing(Script { acts, ..Script::default() }).await;
    let channel = channel(&email_config(server.port, SmtpTls::None));
    for _ in 0..2 {
        let error = channel.attempt(&alert_delivery(attacked())).await.unwrap_err();
        assert_eq!(
            (error.verdict, error.reason),
            (Verdict::Message, FailureReason::RecipientRefused)
        );
        assert_eq!(
            error.to_string(),
            "the mail server refused the recipient: 550 5.1.1 <address>: unknown user; check the \
                notifier's `to`"
        );
    }
    let commands = server.seen().commands;
    assert_eq!(commands.iter().filter(|command| *command == "(connected)").count(), 1);
    assert_eq!(commands.iter().filter(|command| *command == "RSET").count(), 1);
}

#[tokio::test]
async fn microsoft_365_without_basic_authentication_is_named() {
    for (stage, reply, said) in [
        (
            "AUTH",
            "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
            "is switched off for this mailbox",
        ),
        (
            "AUTH",
            "535 5.7.3 Authentication unsuccessful",
            "check user name and password; at Microsoft 365",
        ),
        (
            "MAIL",
            "530 5.7.57 Client not authenticated to send mail.",
            "is switched off for this mailbox",
        ),
        (
            "RCPT",
            "550 5.7.30 Basic authentication is not supported for Client Submission.",
            "is switched off for this mailbox",
        ),
    ] {
        let error =
            attempt(Some((stage, Act::Say(reply))), Duration::from_secs(20)).await.unwrap_err();
        assert_eq!(
            (error.verdict, error.reason),
            (DESTINATION, FailureReason::SignInRefused),
            "{stage}"
        );
        let detail = &error.detail;
        assert!(
            detail.contains(said)
                && detail.contains(
                    "use auth = \"xoauth2\" or type = \"graph-mail\" (docs/microsoft-365-mail.md)"
                ),
            "{detail}"
        );
    }
}

#[tokio::test]
async fn a_mailbox_that_may_not_send_as_the_sender_costs_no_alert() {
    for reply in [
        "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
        "554 5.2.252 SendAsDenied",
    ] {
        let error =
            attempt(Some((".", Act::Say(reply))), Duration::from_secs(20)).await.unwrap_err();
        assert_eq!((error.verdict, error.reason), (DESTINATION, FailureReason::SignInRefused));
        assert!(
            error
                .detail
                .ends_with("; the mailbox that signs in may not send as the notifier's `from`"),
            "{}",
            error.detail
        );
    }
}

#[tokio::test]
async fn both_sign_ins_are_made_as_the_server_wants_them() {
    for (auth, said) in [
        (AuthMechanism::Plain, "AUTH PLAIN AGFsZXJ0cwBvcGVuIHNlc2FtZQ=="),
        (AuthMechanism::Login, "AUTH LOGIN"),
    ] {
        let server =
            Smtp::playing(Script { extensions: vec!["AUTH PLAIN LOGIN"], ..Script::default() })
                .await;
        channel(&signing_in(server.port, auth)).attempt(&alert_delivery(attacked())).await.unwrap();
        assert!(
            server.seen().commands.iter().any(|command| command == said),
            "{:?}",
            server.seen().commands
        );
    }
    let server = Smtp::playing(Script::default()).await;
    let error = channel(&signing_in(server.port, AuthMechanism::Plain))
        .attempt(&alert_delivery(attacked()))
        .await
        .unwrap_err();
    assert_eq!(
        (error.verdict, error.reason),
        (DESTINATION, FailureReason::SignInRefused),
        "no AUTH offered"
    );
}

#[tokio::test]
async fn stripped_starttls_fails_before_anything_is_said() {
    let server =
        Smtp::playing(Script { extensions: vec!["AUTH PLAIN"], ..Script::default() }).await;
    let mut config = signing_in(server.port, AuthMechanism::Plain);
    if let Kind::Email(email) = &mut config.kind {
        email.smtp.tls = SmtpTls::Starttls;
    }
    let error = channel(&config).attempt(&alert_delivery(attacked())).await.unwrap_err();
    assert_eq!((error.verdict, error.reason), (DESTINATION, FailureReason::TlsMissing));
    let seen = server.seen();
    assert!(
        seen.messages.is_empty()
            && seen
                .commands
                .iter()
                .all(|command| command == "(connected)" || command.starts_with("EHLO"))
    );
}

#[tokio::test]
async fn answers_out_of_step_are_no_acceptance() {
    let slipped_in = "250 2.1.0 Ok\r\n250 2.1.5 slipped in";
    assert_eq!(verdict("MAIL", Act::Say(slipped_in)).await, DESTINATION);
    assert_eq!(verdict(".", Act::Say("354 go on")).await, Verdict::Ambiguous);
}

/// Whom a permanent refusal at RCPT is about.
#[tokio::test]
async fn a_refusal_of_us_at_the_recipient_is_the_destinations() {
    let outcome = async |reply: &'static str| {
        let error =
            attempt(Some(("RCPT", Act::Say(reply))), Duration::from_secs(20)).await.unwrap_err();
        assert!(
            error.verdict == DESTINATION || error.detail.ends_with("; check the notifier's `to`"),
            "{error}"
        );
        error
    };
    for recipient in [
        "550 5.1.1 <a@b.example>: unknown user",
        "550 5.1.10 the domain takes no mail",
        "554 5.2.1 mailbox disabled",
        "552 5.2.2 over quota",
        "550 no such user",
        "551 user not local",
        "552 too much",
        "553 mailbox name not allowed",
        "550 sorry, no mailbox here by that name (#5.1.1)",
        "550",
    ] {
        assert_eq!(outcome(recipient).await.verdict, Verdict::Message, "{recipient}");
    }
    for us in [
        "504 5.5.2 <vm>: Helo command rejected: need fully-qualified hostname",
        "504 need a full name",
        "554 5.7.1 <a@b.example>: Relay access denied",
        "554 refused",
        "550 5.7.1 not from your address",
        "530 5.7.0 authentication required",
        "530 sign in first",
        "503 5.5.1 bad sequence of commands",
        "550 5.1.8 sender address rejected: domain not found",
        "550 5.1.7 sender address rejected",
        "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
        "500 what?",
        "521 5.3.2 takes no mail",
    ] {
        assert_eq!(outcome(us).await.verdict, DESTINATION, "{us}");
    }
    assert!(
        outcome("504 5.5.2 need fully-qualified hostname")
            .await
            .detail
            .contains("set `hello_name`")
    );
    assert!(
        outcome("554 5.7.1 Relay access denied")
            .await
            .detail
            .contains("check whether it wants a sign-in")
    );
}

/// Each is sent and answered once.
#[tokio::test]
async fn what_a_server_says_after_the_final_dot_is_decided_by_its_code() {
    let outcome = async |reply: &'static [u8]| {
        let server =
            Smtp::playing(Script { acts: vec![(".", Act::Instead(reply))], ..Script::default() })
                .await;
        channel(&email_config(server.port, SmtpTls::None))
            .attempt(&alert_delivery(attacked()))
            .await
            .map_err(|error| error.verdict)
    };
    for (reply, detail) in [
        (
            b"250 2.6.0 Nachricht zur \xdcbermittlung angenommen\r\n".as_slice(),
            "250 2.6.0 Nachricht zur \u{fffd}bermittlung angenommen",
        ),
        (b"250 Ok\n", "250 Ok"),
        (b"250\r\n", "250"),
        (b"250Ok\r\n", "250 Ok"),
        (b"251 forwarded\r\n", "251 forwarded"),
        (b"202 whatever\r\n", "202 whatever"),
        (b"\r\n250 Ok\r\n", "250 Ok"),
        (b"250-first\r\n250 last\r\n", "250 first last"),
        (b"250-first\r\nwithout a code\r\n250 last\r\n", "250 first without a code last"),
    ] {
        assert_eq!(outcome(reply).await.unwrap().detail.trim_end(), detail);
    }
    for (reply, verdict) in [
        (b"550 abgelehnt f\xfcr immer\r\n".as_slice(), Verdict::Message),
        (b"451 sp\xe4ter\r\n", DESTINATION),
        (b"250-first\r\n554 no\r\n", Verdict::Message),
        (b"554-no\r\n250 yes\r\n", Verdict::Message),
        (b"354 go on\r\n", Verdict::Ambiguous),
        (b"150 soon\r\n", Verdict::Ambiguous),
        (b"Ok\r\n", Verdict::Ambiguous),
    ] {
        assert_eq!(
            outcome(reply).await.unwrap_err(),
            verdict,
            "{}",
            String::from_utf8_lossy(reply)
        );
    }
}

#[tokio::test]
async fn a_reply_without_end_is_neither_read_nor_waited_for() {
    for stage in STAGES {
        for (start, more) in [("", "x"), ("", "250-x\r\n"), ("", "\r\n"), ("250-", "x")] {
            let error = attempt(Some((stage, Act::Endless(start, more))), Duration::from_mins(10))
                .await
                .unwrap_err();
            let verdict = if stage == "." { Verdict::Ambiguous } else { DESTINATION };
            assert_eq!(
                (error.verdict, error.reason),
                (verdict, FailureReason::UnexpectedAnswer),
                "{stage}: {error}"
            );
        }
        let refused =
            attempt(Some((stage, Act::Endless("550 5.1.1 ", "x"))), Duration::from_mins(10))
                .await
                .unwrap_err();
        let verdict =
            if matches!(stage, "RCPT" | "DATA" | ".") { Verdict::Message } else { DESTINATION };
        assert_eq!(refused.verdict, verdict, "{stage}: {refused}");
        assert!(refused.detail.len() < 1000, "{refused}");
    }
    let accepted =
        attempt(Some((".", Act::Endless("250 2.0.0 Ok ", "x"))), Duration::from_mins(10))
            .await
            .unwrap();
    assert!(
        accepted.detail.starts_with("250 2.0.0 Ok xxx") && accepted.detail.len() <= 300,
        "{}",
        accepted.detail
    );
}

#[tokio::test]
async fn what_comes_before_tls_is_no_answer_behind_it() {
    let replies = b"220 go\r\n250-mail.example\r\n250 AUTH PLAIN\r\n235 ok\r\n250 ok\r\n250 \
        ok\r\n354 go on\r\n250 2.0.0 Ok\r\n";
    let acts = vec![("STARTTLS", Act::Instead(replies))];
    let server = Smtp::playing(Script {
        acts,
        extensions: vec!["STARTTLS", "AUTH PLAIN"],
        ..Script::default()
    })
    .await;
    let mut config = signing_in(server.port, AuthMechanism::Plain);
    if let Kind::Email(email) = &mut config.kind {
        email.smtp.tls = SmtpTls::Starttls;
    }
    let error = channel(&config).attempt(&alert_delivery(attacked())).await.unwrap_err();
    assert_eq!((error.verdict, error.reason), (DESTINATION, FailureReason::TlsFailed));
    assert!(error.detail.contains("before TLS began: nothing of it is believed"), "{error}");
    let commands = server.seen().commands;
    assert_eq!(
        commands.iter().map(|line| line.split(' ').next().unwrap()).collect::<Vec<_>>(),
        ["(connected)", "EHLO", "STARTTLS"]
    );
}

#[tokio::test]
async fn keywords_are_understood_in_any_case() {
    for extensions in
        [vec!["auth plain login"], vec!["AUTH=PLAIN LOGIN"], vec!["Auth LOGIN", "AUTH=plain"]]
    {
        let server =
            Smtp::playing(Script { extensions: extensions.clone(), ..Script::default() }).await;
        channel(&signing_in(server.port, AuthMechanism::Plain))
            .attempt(&alert_delivery(attacked()))
            .await
            .unwrap();
        assert_eq!(server.seen().messages.len(), 1, "{extensions:?}");
    }
    // It offers TLS: what comes of it is not looked at here.
    let server = Smtp::playing(Script { extensions: vec!["starttls"], ..Script::default() }).await;
    let error = channel(&email_config(server.port, SmtpTls::Starttls))
        .attempt(&alert_delivery(attacked()))
        .await
        .unwrap_err();
    assert_eq!(error.reason, FailureReason::TlsFailed, "{error}");
}

/// What a server is told at EHLO, MAIL and RCPT, and the message; by a notifier that sends from
/// here to there.
async fn conversation(
    from: &str,
    to: &str,
    hello_name: Option<&str>,
    extensions: Vec<&'static str>,
) -> Result<(Vec<String>, String), DeliveryError> {
    let server = Smtp::playing(Script { extensions, ..Script::default() }).await;
    let mut config = email_config(server.port, SmtpTls::None);
    if let Kind::Email(email) = &mut config.kind {
        (email.from, email.to) = (from.parse().unwrap(), vec![to.parse().unwrap()]);
        email.smtp.hello_name = hello_name.map(str::to_owned);
    }
    let mut delivery = alert_delivery(attacked());
    delivery.recipient = Some(to.to_owned());
    channel(&config).attempt(&delivery).await?;
    let seen = server.seen();
    let said =
        |command: &&String| ["EHLO", "MAIL", "RCPT"].iter().any(|verb| command.starts_with(verb));
    Ok((seen.commands.iter().filter(said).cloned().collect(), seen.messages[0].clone()))
}

#[tokio::test]
async fn a_server_is_greeted_by_the_configured_name_or_one_that_means_something() {
    let greeted = async |name| {
        conversation("a@b.example", "c@d.example", name, vec![]).await.unwrap().0[0].clone()
    };
    assert_eq!(greeted(Some("alerts.partner.example")).await, "EHLO alerts.partner.example");
    let own = greeted(None).await;
    assert!(own == "EHLO [127.0.0.1]" || own == "EHLO [IPv6:::1]" || own.contains('.'), "{own}");
}

#[tokio::test]
async fn domains_beyond_ascii_are_written_as_servers_know_them() {
    let (commands, mail) =
        conversation("alerts@b\u{fc}cher.example", "ops@m\u{fc}nchen.example", None, vec![])
            .await
            .unwrap();
    assert_eq!(
        commands[1..],
        ["MAIL FROM:<alerts@xn--bcher-kva.example>", "RCPT TO:<ops@xn--mnchen-3ya.example>"]
    );
    assert!(mail.is_ascii() && mail.contains("To: ops@xn--mnchen-3ya.example\r\n"), "{mail}");
    assert!(
        mail.contains("From: alerts@xn--bcher-kva.example\r\n")
            && mail.contains("@xn--bcher-kva.example>\r\n"),
        "{mail}"
    );
}

#[tokio::test]
async fn a_name_beyond_ascii_before_the_at_wants_a_server_that_takes_it() {
    let (from, to) = ("alerts@partner.example", "j\u{f6}rg@partner.example");
    let (commands, _) = conversation(from, to, None, vec!["8BITMIME", "smtputf8"]).await.unwrap();
    assert_eq!(
        commands[1..],
        [format!("MAIL FROM:<{from}> BODY=8BITMIME SMTPUTF8"), format!("RCPT TO:<{to}>")]
    );
    let error = conversation(from, to, None, vec![]).await.unwrap_err();
    assert_eq!(
        (error.verdict, error.reason),
        (Verdict::Message, FailureReason::RecipientRefused),
        "{error}"
    );
    let error = conversation(to, from, None, vec![]).await.unwrap_err();
    assert_eq!(
        (error.verdict, error.reason),
        (DESTINATION, FailureReason::ServerError),
        "it is wrong for every recipient: {error}"
    );
    let server = Smtp::playing(Script::default()).await;
    let mut config = email_config(server.port, SmtpTls::None);
    if let Kind::Email(email) = &mut config.kind {
        email.to.push(to.parse().unwrap());
    }
    assert!(channel(&config).probe().await.unwrap_err().detail.contains("no SMTPUTF8"));
}

/// Servers end connections, and limit what goes over each.
#[tokio::test]
async fn a_connection_that_was_used_is_replaced_at_once_and_once() {
    for (stage, reply) in [
        ("RSET", "421 4.4.2 timeout"),
        ("RSET", "451 4.3.0 later"),
        ("MAIL", "421 4.7.0 too many messages"),
        ("MAIL", "450 4.7.1 too many messages on this connection"),
        ("RCPT", "421 4.4.2 closing"),
        ("RCPT", "450 4.2.1 not over this connection"),
        ("DATA", "421 4.3.2 closing"),
        (".", "421 4.3.2 closing"),
    ] {
        // The second message finds the fault, a new connection does not.
        let healed = Arc::new(AtomicBool::new(true));
        let script = Script {
            acts: vec![(stage, Act::Say(reply))],
            healed: Some(Arc::clone(&healed)),
            ..Script::default()
        };
        let server = Smtp::playing(script).await;
        let channel = channel(&email_config(server.port, SmtpTls::None));
        channel.attempt(&alert_delivery(attacked())).await.unwrap();
        healed.store(false, Ordering::SeqCst);
        channel
            .attempt(&alert_delivery(attacked()))
            .await
            .unwrap_or_else(|error| panic!("{stage} {reply}: {error}"));
        let connections =
            server.seen().commands.iter().filter(|command| *command == "(connected)").count();
        assert_eq!(connections, 2, "{stage} {reply}");
    }
    let server = Smtp::playing(Script {
        acts: vec![("MAIL", Act::Say("421 4.3.2 closing"))],
        ..Script::default()
    })
    .await;
    let error = channel(&email_config(server.port, SmtpTls::None))
        .attempt(&alert_delivery(attacked()))
        .await
        .unwrap_err();
    assert_eq!(
        (error.verdict, error.reason),
        (DESTINATION, FailureReason::Deferred),
        "a new connection is not replaced"
    );
    assert_eq!(
        server.seen().commands.iter().filter(|command| *command == "(connected)").count(),
        1
    );
}

#[tokio::test]
async fn the_connection_is_kept_while_it_is_good() {
    let connections = async |script: Script, pause: Duration| {
        let server = Smtp::playing(script).await;
        let clock = SimulatedClock::starting_at(time(NOW));
        let channel =
            email_config(server.port, SmtpTls::None).build(clock.clone(), Metrics::new()).unwrap();
        for _ in 0..3 {
            channel.attempt(&alert_delivery(attacked())).await.unwrap();
            clock.advance(pause);
        }
        let seen = server.seen();
        assert_eq!(seen.messages.len(), 3);
        seen.commands.iter().filter(|command| *command == "(connected)").count()
    };
    assert_eq!(connections(Script::default(), Duration::from_secs(1)).await, 1);
    assert_eq!(
        connections(Script::default(), Duration::from_mins(5)).await,
        3,
        "idle for too long"
    );
    let closing = Script { one_message_only: true, ..Script::default() };
    assert_eq!(connections(closing, Duration::from_secs(1)).await, 3, "closed by the server");
}

#[tokio::test]
async fn a_message_to_nobody_is_never_finished() {
    let acts = vec![("RCPT", Act::Say("550 5.1.1 unknown user"))];
    let server = Smtp::playing(Script { acts, ..Script::default() }).await;
    let channel = channel(&email_config(server.port, SmtpTls::None));
    for _ in 0..2 {
        let error = channel.attempt(&alert_delivery(attacked())).await.unwrap_err();
        assert_eq!(
            (error.verdict, error.reason),
            (Verdict::Message, FailureReason::RecipientRefused)
        );
    }
    let seen = server.seen();
    assert!(seen.messages.is_empty(), "{:?}", seen.messages);
    let said = |what: &str| seen.commands.iter().filter(|command| *command == what).count();
    assert_eq!((said("DATA"), said("(connected)")), (0, 1), "{:?}", seen.commands);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_the_destinations_fault() {
    let port =
        tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port();
    let error = channel(&email_config(port, SmtpTls::None))
        .attempt(&alert_delivery(attacked()))
        .await
        .unwrap_err();
    assert_eq!(
        (error.verdict, error.reason),
        (DESTINATION, FailureReason::CannotConnect),
        "{error}"
    );
}

#[tokio::test]
async fn an_attempt_that_is_dropped_leaves_nothing_behind() {
    let server =
        Smtp::playing(Script { acts: vec![(".", Act::Silence)], ..Script::default() }).await;
    let channel = channel(&email_config(server.port, SmtpTls::None));
    for _ in 0..2 {
        let before = server.seen().messages.len();
        let delivery = alert_delivery(attacked());
        let attempt = channel.attempt(&delivery);
        let arrived = async {
            while server.seen().messages.len() == before {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            result = attempt => panic!("{result:?}"),
            () = arrived => {}
        }
    }
    assert_eq!(
        server.seen().commands.iter().filter(|command| *command == "(connected)").count(),
        2
    );
}

//! Every way a mail server can fail, or be odd, at every stage of the conversation, once, and what
//! becomes of the alert.
//!
//! TLS and sign-in are real here; the wait for the next attempt is the simulated clock's.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use budget_alertd::clock::Clock;
use budget_alertd::daemon::assemble;
use budget_alertd::ledger::{DeliveryFilter, Ledger, Reader};
use budget_alertd::simulator::{MailOptions, MailReceiver};
use futures_util::future::join_all;
use mail_parser::MessageParser;
use rcgen::{Issuer, KeyPair};
use tokio_rustls::TlsAcceptor;

use super::receivers::{Act, Script, Smtp, Stage, Tls};
use super::tls::{acceptor, in_a_process_that_trusts};
use crate::support::world::{SPEND, World, plan};

const DAY: &str = "2019-09-17T00:00:00Z";
const STAGES: [(Stage, &str); 8] = [
    ("", "banner"),
    ("EHLO", "EHLO"),
    ("STARTTLS", "STARTTLS"),
    ("AUTH", "AUTH"),
    ("MAIL", "MAIL"),
    ("RCPT", "RCPT"),
    ("DATA", "DATA"),
    (".", "final dot"),
];
/// Long enough for a busy machine to come to the final dot while others are silent too.
const SILENCE: &str = "timeout = \"6s\"";

/// What it means for the destination or the message, what becomes of the delivery, how many mails
/// were read to their final dot, and under how many identities.
///
/// A mail that was read and then refused (4xx at the final dot) did not arrive; one that was
/// followed by silence or a reset may have.
const EXPECTED: &str = "\
banner    | 4xx           destination-failed, sent, 1 mail
banner    | 5xx           destination-failed, sent, 1 mail
banner    | silence       destination-failed, sent, 1 mail
banner    | reset         destination-failed, sent, 1 mail
banner    | endless line  destination-failed, sent, 1 mail
banner    | endless reply destination-failed, sent, 1 mail
banner    | more behind   destination-failed, sent, 1 mail
banner    | in Latin-1    accepted, sent, 1 mail
EHLO      | 4xx           destination-failed, sent, 1 mail
EHLO      | 5xx           destination-failed, sent, 1 mail
EHLO      | silence       destination-failed, sent, 1 mail
EHLO      | reset         destination-failed, sent, 1 mail
EHLO      | endless line  destination-failed, sent, 1 mail
EHLO      | endless reply destination-failed, sent, 1 mail
EHLO      | more behind   destination-failed, sent, 1 mail
EHLO      | in Latin-1    accepted, sent, 1 mail
STARTTLS  | 4xx           destination-failed, sent, 1 mail
STARTTLS  | 5xx           destination-failed, sent, 1 mail
STARTTLS  | silence       destination-failed, sent, 1 mail
STARTTLS  | reset         destination-failed, sent, 1 mail
STARTTLS  | endless line  destination-failed, sent, 1 mail
STARTTLS  | endless reply destination-failed, sent, 1 mail
STARTTLS  | more behind   destination-failed, sent, 1 mail
STARTTLS  | in Latin-1    accepted, sent, 1 mail
AUTH      | 4xx           destination-failed, sent, 1 mail
AUTH      | 5xx           destination-failed, sent, 1 mail
AUTH      | silence       destination-failed, sent, 1 mail
AUTH      | reset         destination-failed, sent, 1 mail
AUTH      | endless line  destination-failed, sent, 1 mail
AUTH      | endless reply destination-failed, sent, 1 mail
AUTH      | more behind   destination-failed, sent, 1 mail
AUTH      | in Latin-1    accepted, sent, 1 mail
MAIL      | 4xx           destination-failed, sent, 1 mail
MAIL      | 5xx           destination-failed, sent, 1 mail
MAIL      | silence       destination-failed, sent, 1 mail
MAIL      | reset         destination-failed, sent, 1 mail
MAIL      | endless line  destination-failed, sent, 1 mail
MAIL      | endless reply destination-failed, sent, 1 mail
MAIL      | more behind   destination-failed, sent, 1 mail
MAIL      | in Latin-1    accepted, sent, 1 mail
RCPT      | 4xx           recipient-deferred, sent, 1 mail
RCPT      | 5xx           destination-failed, sent, 1 mail
RCPT      | silence       destination-failed, sent, 1 mail
RCPT      | reset         destination-failed, sent, 1 mail
RCPT      | endless line  destination-failed, sent, 1 mail
RCPT      | endless reply destination-failed, sent, 1 mail
RCPT      | more behind   destination-failed, sent, 1 mail
RCPT      | in Latin-1    accepted, sent, 1 mail
DATA      | 4xx           destination-failed, sent, 1 mail
DATA      | 5xx           message-refused, dead, 0 mails
DATA      | silence       destination-failed, sent, 1 mail
DATA      | reset         destination-failed, sent, 1 mail
DATA      | endless line  destination-failed, sent, 1 mail
DATA      | endless reply destination-failed, sent, 1 mail
DATA      | more behind   destination-failed, sent, 1 mail
DATA      | in Latin-1    accepted, sent, 1 mail
final dot | 4xx           destination-failed, sent, 2 mails under 1 Message-ID
final dot | 5xx           message-refused, dead, 1 mail
final dot | silence       ambiguous, sent, 2 mails under 1 Message-ID
final dot | reset         ambiguous, sent, 2 mails under 1 Message-ID
final dot | endless line  ambiguous, sent, 2 mails under 1 Message-ID
final dot | endless reply ambiguous, sent, 2 mails under 1 Message-ID
final dot | more behind   accepted, sent, 1 mail
final dot | in Latin-1    accepted, sent, 1 mail
";

#[test]
fn every_failure_at_every_stage_costs_no_alert_and_makes_no_second_identity() {
    let test = "notify::smtp_matrix::every_failure_at_every_stage_costs_no_alert_and_makes_no_second_identity";
    in_a_process_that_trusts(test, async |authority: Issuer<'static, KeyPair>| {
        let acceptor = acceptor(&authority, "localhost", false);
        let silent =
            join_all(STAGES.map(|(stage, _)| cell(&acceptor, stage, Act::Silence, SILENCE))).await;
        let mut matrix = String::new();
        for ((stage, name), silent) in STAGES.into_iter().zip(silent) {
            let later = cell(&acceptor, stage, Act::Say("451 4.3.0 later"), "").await;
            let never = cell(&acceptor, stage, Act::Say("554 5.0.0 no"), "").await;
            let mut rows = vec![("4xx", later), ("5xx", never), ("silence", silent)];
            for (failure, act) in [
                ("reset", Act::Reset),
                ("endless line", Act::Endless("", "x")),
                ("endless reply", Act::Endless("", "250-x\r\n")),
                ("more behind", Act::WithMore),
                ("in Latin-1", Act::InLatin1),
            ] {
                rows.push((failure, cell(&acceptor, stage, act, "").await));
            }
            for (failure, told) in rows {
                writeln!(matrix, "{name:<9} | {failure:<14}{told}").unwrap();
            }
        }
        assert!(matrix == EXPECTED, "expected:\n{EXPECTED}\nfound:\n{matrix}");
    });
}

/// One alert to a server that fails once so, and then never again.
async fn cell(acceptor: &TlsAcceptor, stage: Stage, act: Act, more: &str) -> String {
    let server = Smtp::playing(Script {
        acts: vec![(stage, act)],
        healed: Some(Arc::new(AtomicBool::new(false))),
        extensions: vec!["STARTTLS", "AUTH PLAIN"],
        tls: Some((acceptor.clone(), Tls::AfterStarttls)),
        ..Script::default()
    })
    .await;
    let sign_in = "username = \"alerts\", password = \"open sesame\"";
    let world = World::new(&format!(
        "{SPEND}[notifiers.hook]\ntype = \"email\"\nfrom = \"alerts@partner.example\"\nto = \
            [\"oncall@partner.example\"]\nsmtp = {{ host = \"localhost\", port = {}, {sign_in} \
            }}\n{more}\n",
        server.port
    ));
    delivered(&world).await;
    let seen = server.seen();
    for conversation in seen.commands.split(|command| command == "(connected)") {
        let in_clear = conversation.split(|command| command == "STARTTLS").next().unwrap();
        assert!(
            in_clear.iter().all(|command| command.starts_with("EHLO ") || command == "QUIT"),
            "{in_clear:?}"
        );
    }
    let id = |mail: &String| {
        MessageParser::default().parse(mail).unwrap().message_id().unwrap().to_owned()
    };
    let identities: BTreeSet<_> = seen.messages.iter().map(id).collect();
    let mails = match seen.messages.len() {
        1 => "1 mail".to_owned(),
        0 => "0 mails".to_owned(),
        many => format!("{many} mails under {} Message-ID", identities.len()),
    };
    let outcomes = ["destination-failed", "recipient-deferred", "message-refused", "ambiguous"];
    let counted = |outcome: &&str| {
        let series = format!(
            "budget_alertd_delivery_attempts_total{{notifier=\"hook\",outcome=\"{outcome}\"}} 1\n"
        );
        world.metrics.render().unwrap().contains(&series)
    };
    let mut outcomes: Vec<_> = outcomes.into_iter().filter(counted).collect();
    if outcomes.is_empty() {
        outcomes.push("accepted");
    }
    format!("{}, {}, {mails}", outcomes.join(" and "), states(&world).join(" and "))
}

/// Raises an alert for one customer, and delivers until there is nothing to do.
async fn delivered(world: &World) {
    world.poll(DAY, &[plan("Z", "1", "100", DAY)]).await;
    world.poll(DAY, &[plan("A", "85", "100", DAY)]).await;
    let ledger = world.ledger();
    deliver(world, &ledger).await;
    ledger.close().await.unwrap();
}

async fn deliver(world: &World, ledger: &Ledger) {
    let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
    let mut worker =
        assemble(&world.config(), ledger, &clock, &world.metrics).unwrap().workers.remove(0);
    while let Some(wait) = worker.step(&|| false).await.unwrap().wait {
        world.clock.advance(wait);
    }
}

/// The states of all deliveries, with their recipients where there are several.
fn states(world: &World) -> Vec<String> {
    let reader = Reader::open(&world.config().ledger).unwrap();
    let rows = reader.deliveries(&DeliveryFilter::default()).unwrap();
    let several = rows.len() > 1;
    let state = |state: &str, recipient: Option<&str>| match recipient.filter(|_| several) {
        Some(recipient) => format!("{recipient} {state}"),
        None => state.to_owned(),
    };
    let mut states: Vec<_> =
        rows.iter().map(|row| state(row.state.as_str(), row.recipient.as_deref())).collect();
    states.sort();
    states
}

#[tokio::test]
async fn one_refused_recipient_of_three_costs_the_others_nothing() {
    let receiver =
        MailReceiver::start(budget_alertd::clock::SystemClock::shared(), MailOptions::default())
            .unwrap();
    receiver.refuse("b@partner.example", 550);
    let world = World::new(&format!(
        "{SPEND}[notifiers.hook]\ntype = \"email\"\nfrom = \"alerts@partner.example\"\n\
         to = [\"a@partner.example\", \"b@partner.example\", \"c@partner.example\"]\n\
         smtp = {{ host = \"127.0.0.1\", port = {}, tls = \"none\" }}\n",
        receiver.port()
    ));
    delivered(&world).await;
    assert_eq!(
        states(&world),
        ["a@partner.example sent", "b@partner.example dead", "c@partner.example sent"]
    );
    let mails = receiver.received();
    let recipients: BTreeSet<_> = mails.iter().flat_map(|mail| mail.recipients.clone()).collect();
    assert_eq!(
        recipients.into_iter().collect::<Vec<_>>(),
        ["a@partner.example", "c@partner.example"]
    );
    let ids: BTreeSet<_> = mails.iter().map(|mail| mail.message_id.clone()).collect();
    assert_eq!((mails.len(), ids.len()), (2, 1));
}

//! All addresses of the API.

use crate::actions::{
    AckRequest, EvidenceRequest, ExpireRequest, NotifyTestRequest, PollRequest, PushRequest,
    ReadRequest, ReleaseRequest, ReloadRequest, ResolveRequest, RetryRequest, SignInRequest,
    SilenceRequest,
};
use crate::domain::{AlertState, Severity};
use crate::web::api::endpoint::{Endpoint, Parameter, Shape, part, query, words};
use crate::web::api::{about, reads, status};

const YES_OR_NO: &[&str] = &["yes", "no"];
const CURSOR: Parameter =
    query("cursor", "Where the page begins: taken from the header Link, not made up");
const CUSTOMER: Parameter = query("customer", "Of the customer with this id");
const OF_CUSTOMERS: &[Parameter] = &[
    query("q", "A part of the name, the label or the id"),
    words("plan", "Of this plan", &["azure-plan", "legacy"]),
    query("currency", "With costs in this currency; unknown for those of which it is not known"),
    query("tag", "With this tag of the configuration"),
    words("severity", "With an alert of this severity that is not over", Severity::NAMES),
    words("budget", "Whether there is a budget", YES_OR_NO),
    words("acknowledged", "Whether all its open alerts are acknowledged", YES_OR_NO),
    CURSOR,
];
const OF_ALERTS: &[Parameter] = &[
    CUSTOMER,
    words("severity", "Of this severity", Severity::NAMES),
    words("state", "In this state", AlertState::NAMES),
    words("acknowledged", "Whether somebody has said that they know", YES_OR_NO),
    CURSOR,
];
const OF_DELIVERIES: &[Parameter] = &[
    CUSTOMER,
    words(
        "state",
        "In this state; held are those to customers that wait to be released",
        &["pending", "sent", "dead", "held"],
    ),
    query("notifier", "To this notifier"),
    CURSOR,
];

/// Every address, in the order of the document.
pub(super) fn endpoints() -> Vec<Endpoint> {
    reading().into_iter().chain(ordering()).chain(on_socket()).collect()
}

fn reading() -> [Endpoint; 8] {
    [
        Endpoint::read(
            "status",
            "Status",
            "Health, polls, notifiers, the 20 worst customers: status --format json",
            status::show,
        ),
        Endpoint::read(
            "customers",
            "Customer",
            "Customers, the worst first: those of status --format json",
            reads::customers,
        )
        .taking(OF_CUSTOMERS)
        .in_shape(Shape::Pages),
        Endpoint::read(
            "customers/{id}",
            "CustomerStory",
            "One customer: explain --format json",
            reads::customer,
        )
        .taking(const { &[part("id", "Its id")] }),
        Endpoint::read(
            "alerts",
            "ListedAlert",
            "Alerts, the newest first: alerts --format json",
            reads::alerts,
        )
        .taking(OF_ALERTS)
        .in_shape(Shape::Pages),
        Endpoint::read(
            "deliveries",
            "Delivery",
            "Deliveries, the newest first: deliveries --format json",
            reads::deliveries,
        )
        .taking(OF_DELIVERIES)
        .in_shape(Shape::Pages),
        Endpoint::read(
            "deliveries/{id}",
            "ShownDelivery",
            "One delivery, its message as it was sent, every attempt: deliveries show --format json",
            reads::delivery,
        )
        .taking(const { &[part("id", "Its whole id")] }),
        Endpoint::read(
            "silences",
            "ListedSilence",
            "Silences in force: silence list --format json",
            reads::silences,
        )
        .taking(const { &[words("all", "yes: those that are over too", YES_OR_NO), CURSOR] })
        .in_shape(Shape::Pages),
        Endpoint::read(
            "security-alerts",
            "SecurityAlert",
            "Security alerts of Microsoft: security list --format json",
            reads::security,
        )
        .taking(const { &[CURSOR] })
        .in_shape(Shape::Pages),
    ]
}

fn ordering() -> [Endpoint; 8] {
    [
        Endpoint::order::<AckRequest>(
            "AckRequest",
            "Acknowledged",
            "Acknowledges alerts, says of spikes what they were, or takes that back: ack",
        )
        .in_shape(Shape::List),
        Endpoint::order::<SilenceRequest>(
            "SilenceRequest",
            "SilenceAdded",
            "Makes a silence, and says what it hides now: silence add",
        ),
        Endpoint::order::<ExpireRequest>(
            "ExpireRequest",
            "Expired",
            "Ends a silence before its time: silence expire",
        ),
        Endpoint::order::<RetryRequest>(
            "RetryRequest",
            "Retried",
            "Owes again what was given up: deliveries retry",
        ),
        Endpoint::order::<ReleaseRequest>(
            "ReleaseRequest",
            "Released",
            "Lets held messages to customers go, or discards them: deliveries release",
        ),
        Endpoint::order::<ResolveRequest>(
            "ResolveRequest",
            "SecurityAnswered",
            "Answers a security alert at Microsoft; only a person may order it: security resolve",
        ),
        Endpoint::order::<PollRequest>(
            "PollRequest",
            "PollAnswer",
            "Polls now, and waits for the deliveries: poll",
        ),
        Endpoint::order::<NotifyTestRequest>(
            "NotifyTestRequest",
            "NotifyTested",
            "Sends a made-up message, marked [TEST], through a notifier: notify-test",
        )
        .in_shape(Shape::List),
    ]
}

fn on_socket() -> [Endpoint; 6] {
    let endpoints = [
        Endpoint::read("daemon", "About", "Which daemon answers", about::show),
        Endpoint::order::<PushRequest>(
            "PushRequest",
            "PushedBudget",
            "Writes budgets to Partner Center; root only: budgets push",
        )
        .in_shape(Shape::List),
        Endpoint::order::<ReloadRequest>(
            "ReloadRequest",
            "Reloaded",
            "Loads the configuration again; root only: reload",
        ),
        Endpoint::order::<SignInRequest>(
            "SignInRequest",
            "SignInKept",
            "Keeps a refresh token of Partner Center; root only: login",
        ),
        Endpoint::order::<EvidenceRequest>(
            "EvidenceRequest",
            "EvidenceNoted",
            "Notes that evidence was gathered: evidence --incident",
        ),
        Endpoint::order::<ReadRequest>(
            "ReadRequest",
            "ReadAnswer",
            "Runs a command that only reads",
        )
        .for_who_waits::<ReadRequest>(),
    ];
    endpoints.map(Endpoint::on_socket_only)
}

//! A PagerDuty that takes events by the documented rules of its Events API v2, and keeps incidents
//! by their keys as it does: a trigger opens one or adds to the open one, a resolve ends it or is
//! about nothing.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::clock::Clock;
use crate::simulator::Request;
use crate::simulator::fault::Faults;
use crate::simulator::http_server::{self, Reply};
use crate::simulator::port::Port;
use crate::simulator::{Answer, Fault};

/// An event may be this long.
const LONGEST_EVENT: usize = 512 * 1024;

/// An incident, open or over.
#[derive(Debug, Clone)]
pub struct SimIncident {
    /// The key that its events have in common.
    pub dedup_key: String,
    /// Whether nobody has resolved it.
    pub open: bool,
    /// The events that triggered it, the first one first.
    pub triggers: Vec<Value>,
}

/// The service, on the loopback; dropping it ends it.
pub struct PagerDutyService {
    port: Port,
    incidents: Arc<Mutex<Vec<SimIncident>>>,
    faults: Arc<Faults<Fault>>,
}

impl PagerDutyService {
    /// Starts it on a free port with one integration, known by this key.
    pub fn start(clock: Arc<dyn Clock>, routing_key: &str) -> io::Result<Self> {
        let incidents: Arc<Mutex<Vec<SimIncident>>> = Arc::default();
        let faults = Arc::new(Faults::none());
        let (kept, plan, key) =
            (Arc::clone(&incidents), Arc::clone(&faults), routing_key.to_owned());
        let respond = move |request: Request| {
            let fault = plan.take();
            // What is answered with something else was not taken.
            let taken = !matches!(fault, Some(Fault::Answer(_) | Fault::Reset | Fault::Hang));
            let answer = answer(&request, &key, &mut lock(&kept), taken);
            Reply { answer, fault }
        };
        Ok(Self {
            port: Port::open(http_server::serve(clock, Arc::new(respond)))?,
            incidents,
            faults,
        })
    }

    /// Where it takes events.
    pub fn url(&self) -> String {
        format!("http://{}/v2/enqueue", self.port.address())
    }

    /// Every incident, the oldest first.
    pub fn incidents(&self) -> Vec<SimIncident> {
        lock(&self.incidents).clone()
    }

    /// Answers the next event so, or fails with it so; several are taken in order.
    pub fn fail_once(&self, fault: Fault) {
        self.faults.once(fault);
    }

    /// Fails with every event so, until [`Self::heal`].
    pub fn fail(&self, fault: Fault) {
        self.faults.until_healed(fault);
    }

    /// Forgets every planned fault.
    pub fn heal(&self) {
        self.faults.heal();
    }
}

impl SimIncident {
    /// What stands above it: the summary of the event that opened it.
    pub fn summary(&self) -> &str {
        self.triggers
            .first()
            .and_then(|event| event.pointer("/payload/summary"))
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

fn lock(incidents: &Mutex<Vec<SimIncident>>) -> MutexGuard<'_, Vec<SimIncident>> {
    incidents.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(request: &Request, key: &str, incidents: &mut Vec<SimIncident>, taken: bool) -> Answer {
    if (request.method.as_str(), request.path.as_str()) != ("POST", "/v2/enqueue") {
        return Answer::new(404);
    }
    let Ok(event) = serde_json::from_slice::<Value>(&request.body) else {
        return invalid(&["the body is no JSON".to_owned()]);
    };
    let errors = mistakes(&event, request.body.len(), key);
    if !errors.is_empty() {
        return invalid(&errors);
    }
    let dedup_key = event.get("dedup_key").and_then(Value::as_str).unwrap_or_default().to_owned();
    if taken {
        take(event, &dedup_key, incidents);
    }
    Answer::json(
        202,
        json!({ "status": "success", "message": "Event processed", "dedup_key": dedup_key })
            .to_string(),
    )
}

fn invalid(errors: &[String]) -> Answer {
    Answer::json(400, json!({ "status": "invalid event", "message": "Event object is invalid", "errors": errors }).to_string())
}

/// What is wrong with an event, as documented ("Send an event to PagerDuty").
fn mistakes(event: &Value, length: usize, key: &str) -> Vec<String> {
    let text = |path: &str| event.pointer(path).and_then(Value::as_str);
    let mut errors = Vec::new();
    let mut unless = |sound: bool, error: &str| {
        if !sound {
            errors.push(error.to_owned());
        }
    };
    let given = text("/routing_key").unwrap_or_default();
    unless(given.len() == 32, "Length of 'routing_key' is incorrect (should be 32 characters)");
    unless(given.len() != 32 || given == key, "Invalid routing key");
    unless(length <= LONGEST_EVENT, "the event is longer than 512 KB");
    unless(
        text("/dedup_key").is_none_or(|key| key.chars().count() <= 255),
        "'dedup_key' is longer than 255 characters",
    );
    match text("/event_action") {
        Some("trigger") => {
            unless(
                text("/payload/summary").is_some_and(|text| !text.is_empty()),
                "'payload.summary' is missing or blank",
            );
            unless(
                text("/payload/summary").is_none_or(|text| text.chars().count() <= 1024),
                "'payload.summary' is too long",
            );
            unless(
                text("/payload/source").is_some_and(|text| !text.is_empty()),
                "'payload.source' is missing or blank",
            );
            let severity = text("/payload/severity").unwrap_or_default();
            unless(
                ["critical", "error", "warning", "info"].contains(&severity),
                "'payload.severity' is invalid",
            );
            let dated = text("/payload/timestamp")
                .is_none_or(|text| text.parse::<jiff::Timestamp>().is_ok());
            unless(dated, "'payload.timestamp' is no date");
            for optional in ["component", "group", "class"] {
                let value = event.pointer(&format!("/payload/{optional}"));
                unless(
                    value.is_none_or(Value::is_string),
                    "'payload' has a property of another type",
                );
            }
        }
        Some("acknowledge" | "resolve") => {
            unless(text("/dedup_key").is_some(), "'dedup_key' is missing");
        }
        _ => unless(
            false,
            "'event_action' is missing or invalid (should be one of trigger, acknowledge, resolve)",
        ),
    }
    errors
}

fn take(event: Value, dedup_key: &str, incidents: &mut Vec<SimIncident>) {
    let open =
        incidents.iter_mut().find(|incident| incident.open && incident.dedup_key == dedup_key);
    match (event.get("event_action").and_then(Value::as_str), open) {
        (Some("trigger"), Some(incident)) => incident.triggers.push(event),
        (Some("trigger"), None) => incidents.push(SimIncident {
            dedup_key: dedup_key.to_owned(),
            open: true,
            triggers: vec![event],
        }),
        (Some("resolve"), Some(incident)) => incident.open = false,
        _ => {}
    }
}

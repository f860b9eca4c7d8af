//! The command line as people and programs use it: the real binary, a real ledger, a real receiver;
//! what goes in, and the text that comes out.

mod backing_up;
mod budgets;
mod calibrating;
mod checking;
mod claiming;
mod coverage;
mod deferring;
mod evidence;
mod explaining;
mod generating;
mod listing;
mod marking;
mod polling;
mod releasing;
mod reporting;
mod retrying;
mod schemas;
mod secrets;
mod showing;
mod signing_in;
mod silencing;
mod simulating;
mod starting;
mod starting_again;
mod starting_person;
mod status;
mod testing;
mod unknown;

use std::process::Output;

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::HttpReceiver;
use regex::{Captures, Regex};

use crate::support::process::House;

/// The seed's customers: one far over its budget, one well within, one without usage, one without a
/// budget.
const USAGE: &str = include_str!("../../fixtures/customers_usagerecords.json");
const SWEDEN: &str = "11111111-6fb9-4b05-8f15-b3d72e0596e6";
const BRITAIN: &str = "11111111-641b-4c53-b7fc-0f2bfca8a581";

/// Two rules, two notifiers at one receiver, and what is known of one customer.
const CONFIGURATION: &str = r#"
[source]
type = "file"
path = "{dir}/usage.json"
[rules.spend]
metric = "percent_used"
notify = ["hook"]
then_every = 100
steps = [{ at = 80 }, { at = 100, severity = "critical", notify = ["hook", "other"] }]
[rules.pounds]
metric = "total_cost"
notify = ["hook"]
steps = [{ at = { GBP = 20 } }]
[rules.gold]
metric = "percent_used"
notify = ["hook"]
steps = [{ at = 20 }, { at = 90 }]
[rules.gold.match]
tags = ["gold"]
[customers."11111111-641b-4c53-b7fc-0f2bfca8a581"]
label = "Contoso UK"
budget = { amount = 100, currency = "GBP" }
tags = ["gold"]
mute_rules = ["pounds"]
[notifiers.hook]
type = "webhook"
url = "{receiver}/hook"
[notifiers.other]
type = "webhook"
url = "{receiver}/other"
"#;

/// A house and the receiver that its notifiers point at.
struct Desk {
    house: House,
    receiver: HttpReceiver,
}

impl Desk {
    fn new() -> Self {
        Self::with(CONFIGURATION)
    }

    fn with(configuration: &str) -> Self {
        let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
        let house = House::new(&configuration.replace("{receiver}", &receiver.url("")));
        std::fs::write(house.path("usage.json"), USAGE).unwrap();
        Self { house, receiver }
    }

    /// A desk with one notifier only.
    fn with_one_notifier() -> Self {
        Self::with(&one_notifier())
    }

    /// A desk whose alerts are raised and delivered.
    fn polled() -> Self {
        let desk = Self::new();
        assert_eq!(desk.run(&["poll"]).code, 0);
        desk
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let output = self.house.run(arguments);
        let folder = self.house.path("").display().to_string();
        Ended::of(&output, folder.trim_end_matches('/'))
    }

    /// The standard output of a command that succeeds.
    #[track_caller]
    fn told(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{}", ended.out);
        ended.out
    }

    /// The JSON that a command prints.
    #[track_caller]
    fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let output = self.house.run(arguments);
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
    }
}

/// The configuration without the notifier `other`.
fn one_notifier() -> String {
    CONFIGURATION.split("[notifiers.other]").next().unwrap().replace(", \"other\"", "")
}

/// How a command ended, what differs from run to run masked.
struct Ended {
    code: i32,
    out: String,
    err: String,
}

impl Ended {
    fn of(output: &Output, folder: &str) -> Self {
        let text = |bytes: &[u8]| {
            masked(&String::from_utf8(bytes.to_vec()).unwrap().replace(folder, "{dir}"))
        };
        // The seed's data is of 2019, which every first poll says.
        let err = text(&output.stderr)
            .split_inclusive('\n')
            .filter(|line| !line.contains("usage-stale"))
            .collect();
        Self { code: output.status.code().unwrap(), out: text(&output.stdout), err }
    }
}

/// Identities, references, times of now, ages and ports give way to words; the seed's ids and dates
/// stay. Runs of spaces inside a line are as long as what differs, and become two.
fn masked(text: &str) -> String {
    let uuid = Regex::new(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").unwrap();
    let kept = |found: &Captures<'_>| {
        if found[0].starts_with("11111111") { found[0].to_owned() } else { "UUID".to_owned() }
    };
    let mut text = uuid.replace_all(text, kept).into_owned();
    let masks = [
        (r"\b([0-9A-F]{8}|[0-9a-f]{8})\b([^-]|$)", "REF$2"),
        (r"20[2-9]\d-\d\d-\d\dT[\d:.]+Z", "TIME"),
        // The end of a December is in another year.
        (r"([A-Z][a-z]{2} )?1 Jan 20\d\d 00:00( UTC)?", "NOW"),
        (r"([A-Z][a-z]{2} )?\d{1,2} [A-Z][a-z]{2} \d\d:\d\d( UTC)?", "NOW"),
        (r"\d+ d( \d+ h)? old", "AGE old"),
        (r"next try (within a minute|is due)", "next try SOON"),
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"(\S)  +", "$1  "),
        // The second line of a cell stands below the first: a day of two digits moves both.
        (r"(?m)^ {40,}", "                                                  "),
    ];
    for (pattern, mask) in masks {
        text = Regex::new(pattern).unwrap().replace_all(&text, mask).into_owned();
    }
    text
}

/// Holds the ledger as a daemon does.
fn hold(desk: &Desk) -> budget_alertd::ledger::Ledger {
    budget_alertd::ledger::Ledger::open(
        &desk.house.ledger(),
        budget_alertd::metrics::Metrics::new(),
        SystemClock::shared(),
    )
    .unwrap()
}

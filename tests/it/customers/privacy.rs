//! Whatever customers, contacts, rules, notifiers, polls, failures, retries, holds and reloads
//! there are: what reaches a customer is about that customer only, and holds no amount unless it
//! may.
//!
//! Every customer has marks of its own: id, name, label, owner, amounts and percentages that occur
//! nowhere else. Messages come from a real ledger through real sockets; what the receivers got is
//! searched for the marks of others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use budget_alertd::alerting::{Followup, NewAlert};
use budget_alertd::clock::{Clock, SimulatedClock};
use budget_alertd::config::{self, Config, Environment};
use budget_alertd::delivery::OperatorFindings;
use budget_alertd::domain::{
    Addresses, Audience, CustomerKey, Keeps, Latest, Occasion, Readers, Recipients, Route,
};
use budget_alertd::ledger;
use budget_alertd::ledger::{AttemptRecord, HoldFilter, Ledger, RetryFilter, RetryTo};
use budget_alertd::metrics::Metrics;
use budget_alertd::notify::Channel;
use budget_alertd::poll::Cycle;
use budget_alertd::simulator::{HttpReceiver, MailOptions, MailReceiver, ReceivedMail, Request};
use proptest::prelude::*;
use rust_decimal::Decimal;
use tempfile::TempDir;
use uuid::Uuid;

/// Cases in all, and how many share receivers.
const CASES: u32 = 100;
const PORTION: u32 = 50;
/// The notifiers of every case.
const NAMES: [&str; 7] = ["contacts", "amounts", "one", "portal", "ops", "hook", "box"];

/// What one poll finds, and what happens after it.
#[derive(Debug, Clone)]
struct Step {
    /// The share of the budget of each customer, by its place among [`shares`].
    shares: Vec<u8>,
    /// Which customers have another budget from now on.
    raised: u8,
    /// What happens to the deliveries that are due: 0 they wait, 1 they are given up, else they are
    /// sent.
    deliveries: u8,
    /// 0 nothing, 1 all held ones are let go, 2 all are discarded, 3 the given up are owed again, 4
    /// the same to `ops`.
    order: u8,
    /// Which variant of the notifiers is loaded before the next poll.
    variant: u8,
}

#[derive(Debug, Clone)]
struct Case {
    customers: usize,
    /// Which customer each shares an address with: itself for most.
    shares_with: Vec<u8>,
    digest_above: u8,
    /// The notifiers of each rule, as bits.
    told: [u8; 3],
    variant: u8,
    steps: Vec<Step>,
}

fn case() -> impl Strategy<Value = Case> {
    // Mostly a few; sometimes enough for a mass crossing.
    let customers = prop_oneof![60 => 2_usize..5, 1 => Just(22_usize)];
    customers.prop_flat_map(|customers| {
        let step =
            (proptest::collection::vec(0_u8..6, customers), any::<u8>(), 0_u8..6, 0_u8..5, 0_u8..4);
        let step = step.prop_map(|(shares, raised, deliveries, order, variant)| Step {
            shares,
            raised,
            deliveries,
            order,
            variant,
        });
        let shares_with = proptest::collection::vec(
            prop_oneof![4 => Just(u8::MAX), 1 => 0..u8::try_from(customers).unwrap()],
            customers,
        );
        (shares_with, 0_u8..7, any::<[u8; 3]>(), 0_u8..4, proptest::collection::vec(step, 1..3))
            .prop_map(move |(shares_with, digest_above, told, variant, steps)| Case {
                customers,
                shares_with,
                digest_above,
                told,
                variant,
                steps,
            })
    })
}

/// The marks of a customer, as they stand in a message: letters that nobody else has, and digits
/// without separators.
struct Marks {
    letters: Vec<String>,
    own: Vec<String>,
    digits: Vec<String>,
    percents: Vec<String>,
}

fn id(customer: usize) -> String {
    format!("idmark{customer:02}x")
}

/// The budget: nine digits, of which the middle ones are the customer's.
fn budget(customer: usize, raised: bool) -> u64 {
    let budget = 400_000_000 + u64::try_from(customer).unwrap() * 7_130_000;
    if raised { budget * 2 } else { budget }
}

/// The share of a budget, in hundredths of a percent: unlike every other customer's in every poll.
fn share(customer: usize, place: u8) -> u64 {
    (60 + u64::from(place) * 120) * 100 + u64::try_from(customer).unwrap() + 11
}

fn marks(customer: usize) -> Marks {
    let budgets = [false, true].map(|raised| budget(customer, raised));
    let costs = budgets
        .iter()
        .flat_map(|budget| (0..6).map(move |place| budget * share(customer, place) / 10_000));
    Marks {
        letters: vec![
            id(customer),
            format!("Nmark{customer:02}x"),
            format!("subscriber{customer:02}x"),
        ],
        own: vec![format!("Lmark{customer:02}x"), format!("Owner{customer:02}x")],
        digits: budgets.iter().copied().chain(costs).map(|number| number.to_string()).collect(),
        percents: (0..6)
            .map(|place| share(customer, place))
            .map(|share| format!("{}.{:02}", share / 100, share % 100))
            .collect(),
    }
}

/// The addresses of a customer, and whose messages each of them may get.
fn contact(case: &Case, customer: usize) -> Vec<String> {
    let shared = case
        .shares_with
        .get(customer)
        .map(|other| usize::from(*other))
        .filter(|other| *other < case.customers);
    let own = format!("c{customer:02}@customer.example");
    shared.map_or(vec![own.clone(), format!("d{customer:02}@customer.example")], |other| {
        vec![own, format!("c{other:02}@customer.example")]
    })
}

fn owners(case: &Case) -> BTreeMap<String, BTreeSet<usize>> {
    let mut owners: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for customer in 0..case.customers {
        for address in contact(case, customer) {
            owners.entry(address).or_default().insert(customer);
        }
    }
    owners.entry("one@customer.example".to_owned()).or_default().insert(0);
    // A mailbox of the partner's own.
    owners.insert("box@partner.example".to_owned(), (0..case.customers).collect());
    owners
}

/// The receivers, and a channel for every notifier in every variant.
struct Town {
    dir: TempDir,
    mail: MailReceiver,
    http: HttpReceiver,
    channels: Mutex<BTreeMap<(String, u8), Arc<Channel>>>,
    clock: Arc<SimulatedClock>,
}

impl Town {
    fn new() -> Self {
        let clock = SimulatedClock::starting_at("2026-11-01T00:00:00Z".parse().unwrap());
        let shared = Arc::clone(&clock) as Arc<dyn Clock>;
        Self {
            dir: TempDir::new().unwrap(),
            mail: MailReceiver::start(Arc::clone(&shared), MailOptions::default()).unwrap(),
            http: HttpReceiver::start(shared).unwrap(),
            channels: Mutex::default(),
            clock,
        }
    }

    /// The configuration in a variant: 0 as named; 1 customers see amounts; 2 `contacts` and
    /// `portal` are the partner's; 3 `ops` and `hook` are the customers'.
    fn config(&self, case: &Case, variant: u8) -> Config {
        let port = self.mail.port();
        let mail = |to: &str| {
            format!(
                "type = \"email\"\nfrom = \"alerts@partner.example\"\nsmtp = \
                    {{ host = \"127.0.0.1\", port = {port}, tls = \"none\" }}\nsend_resolved = \
                    true\n{to}\n"
            )
        };
        let hook = |path: &str| {
            format!("type = \"webhook\"\nsend_resolved = true\nurl = \"{}\"\n", self.http.url(path))
        };
        let cost = if variant == 1 { "show_cost = true\n" } else { "" };
        let digest = if case.digest_above == 6 {
            "digest_above = \"off\"".to_owned()
        } else {
            format!("digest_above = {}", case.digest_above)
        };
        let customers = |more: &str| format!("audience = \"customer\"\n{more}{digest}\n");
        let to_contacts = customers(&format!("to_customer_contacts = true\n{cost}"));
        let partner = format!("{digest}\nto = [\"partner@partner.example\"]");
        let tables = [
            mail(if variant == 2 { &partner } else { &to_contacts }),
            mail(&customers("to_customer_contacts = true\nshow_cost = true\n")),
            mail(&customers(&format!(
                "to = [\"one@customer.example\", \"C00@customer.example\"]\n{cost}"
            ))),
            format!(
                "{}{}",
                hook("/portal"),
                if variant == 2 { digest.clone() } else { customers(cost) }
            ),
            mail(if variant == 3 { &to_contacts } else { &partner }),
            format!(
                "{}{}",
                hook(if variant == 3 { "/portal" } else { "/hook" }),
                if variant == 3 { customers(cost) } else { digest.clone() }
            ),
            mail(&customers(&format!("to = [\"box@partner.example\"]\n{cost}"))),
        ];
        let notifiers: Vec<String> = NAMES
            .iter()
            .zip(tables)
            .map(|(name, table)| format!("[notifiers.{name}]\n{table}\n"))
            .collect();
        let rules = [
            (
                "percentrule",
                "metric = \"percent_used\"\nthen_every = 50\nremind_every = \"1h\"\nsteps = \
                    [{ at = 100 }, { at = 150, severity = \"critical\" }]",
            ),
            (
                "moneyrule",
                "metric = \"total_cost\"\nthen_every = { SEK = 300000000 }\nremind_every = \
                    \"1h\"\nsteps = [{ at = { SEK = 300000001 } }]",
            ),
            (
                "forecastrule",
                "metric = \"forecast_percent\"\nthen_every = 200\nsteps = \
                    [{ at = 100, severity = \"info\" }]",
            ),
        ];
        let rules: Vec<String> = rules
            .iter()
            .zip(case.told)
            .map(|((name, rule), told)| {
                // All but the one of fixed addresses, which a rule may not name.
                let named = NAMES
                    .iter()
                    .enumerate()
                    .filter(|(place, name)| **name != "one" && told & (1 << place) != 0)
                    .map(|(_, name)| format!("\"{name}\""));
                let named: Vec<String> = named
                    .chain(["\"contacts\"".to_owned()])
                    .collect::<BTreeSet<_>>()
                    .into_iter()
                    .collect();
                format!(
                    "[rules.{name}]\ndescription = \"internalnote\"\nnotify = [{}]\n{rule}\n",
                    named.join(", ")
                )
            })
            .collect();
        let customers: Vec<String> = (0..case.customers)
            .map(|customer| {
                let contacts = contact(case, customer).join("\", \"");
                let one = if customer == 0 { "notify = [\"one\"]\n" } else { "" };
                format!(
                    "[customers.{}]\nlabel = \"Lmark{customer:02}x\"\nowner = \
                        \"Owner{customer:02}x\"\ncontacts = [\"{contacts}\"]\n{one}",
                    id(customer)
                )
            })
            .collect();
        let (rules, customers, notifiers) =
            (rules.concat(), customers.concat(), notifiers.concat());
        let text = format!(
            "[source]\ntype = \"file\"\npath = \"{}\"\n[daemon]\nstate_dir = \
                \"{}\"\n{rules}{customers}{notifiers}",
            self.dir.path().join("usage.json").display(),
            self.dir.path().join("state").display()
        );
        config::parse(&text, &PathBuf::from("rules.toml"), &Environment::default())
            .unwrap_or_else(|mistakes| panic!("{mistakes}\n{text}"))
    }

    fn channel(&self, config: &Config, name: &str, variant: u8) -> Arc<Channel> {
        let notifier = config.notifiers.iter().find(|notifier| *notifier.name == *name).unwrap();
        let mut channels = self.channels.lock().unwrap();
        let build = || {
            Arc::new(
                notifier.build(Arc::clone(&self.clock) as Arc<dyn Clock>, Metrics::new()).unwrap(),
            )
        };
        Arc::clone(channels.entry((name.to_owned(), variant)).or_insert_with(build))
    }

    fn write_usage(&self, case: &Case, step: &Step, raised: &BTreeSet<usize>, date: &str) {
        let record = |customer: usize| {
            let budget = budget(customer, raised.contains(&customer));
            let cost = budget * share(customer, step.shares[customer]) / 10_000;
            format!(
                "{{\"resourceId\": \"{}\", \"resourceName\": \"Nmark{customer:02}x\", \
                    \"isUpgraded\": true, \"totalCost\": {cost}, \"budget\": \
                    {{\"amount\": {budget}}}, \"currencyCode\": \"SEK\", \"usdTotalCost\": {cost}, \
                    \"lastModifiedDate\": \"{date}\"}}",
                id(customer)
            )
        };
        let items: Vec<String> = (0..case.customers).map(record).collect();
        std::fs::write(
            self.dir.path().join("usage.json"),
            format!("{{\"totalCount\": {}, \"items\": [{}]}}", items.len(), items.join(",")),
        )
        .unwrap();
    }

    /// Plays a case; returns which variant each message was sent under, by its identity and
    /// recipient.
    async fn play(&self, case: &Case) -> Sent {
        let clock = SimulatedClock::starting_at("2026-11-10T00:00:00Z".parse().unwrap());
        let (metrics, shared) = (Metrics::new(), Arc::clone(&clock) as Arc<dyn Clock>);
        let nowhere = ledger::Config {
            path: self.dir.path().join("no-such-ledger.db"),
            server: None,
            retention: std::time::Duration::from_hours(9_000),
        };
        let ledger = Ledger::preview(&nowhere, metrics.clone(), Arc::clone(&shared)).unwrap();
        let mut sent = Sent::default();
        let mut raised = BTreeSet::new();
        let first = Step {
            shares: vec![0; case.customers],
            raised: 0,
            deliveries: 2,
            order: 0,
            variant: case.variant,
        };
        let mut variant = case.variant;
        for (index, step) in std::iter::once(&first).chain(&case.steps).enumerate() {
            let config = self.config(case, variant);
            (0..case.customers)
                .filter(|customer| step.raised >> (customer % 8) & 1 == 1)
                .for_each(|customer| _ = raised.insert(customer));
            let date = format!("2026-11-{:02}T00:00:00Z", 9 + index);
            clock.advance_to(format!("2026-11-{:02}T03:00:00Z", 10 + index).parse().unwrap());
            self.write_usage(case, step, &raised, &date);
            self.poll(&config, &ledger, &shared, &metrics).await;
            self.deliver(&config, variant, step.deliveries, &ledger, &mut sent).await;
            self.order(&config, step.order, &ledger).await;
            variant = step.variant;
        }
        let config = self.config(case, variant);
        ledger.release(HoldFilter::default(), self.clock.now()).await.unwrap();
        self.deliver(&config, variant, 2, &ledger, &mut sent).await;
        ledger.close().await.unwrap();
        sent
    }

    async fn poll(
        &self,
        config: &Config,
        ledger: &Ledger,
        clock: &Arc<dyn Clock>,
        metrics: &Metrics,
    ) {
        let desk = OperatorFindings::new(
            ledger.clone(),
            Arc::clone(clock),
            Vec::new(),
            std::time::Duration::from_hours(3),
        );
        let cycle = Cycle {
            security: None,
            ask_first: Mutex::default(),
            slice: budget_alertd::poll::SLICE,
            source: config.source.build(Arc::clone(clock), metrics.clone()).unwrap(),
            budgets: config.budgets.clone(),
            rules: config.rules.clone(),
            routes: config.notifiers.iter().map(budget_alertd::notify::Config::route).collect(),
            findings: desk,
            ledger: ledger.clone(),
            clock: Arc::clone(clock),
            metrics: metrics.clone(),
        };
        let report = cycle.run(false).await.unwrap();
        assert!(report.good, "{:?}", report.errors);
    }

    async fn deliver(
        &self,
        config: &Config,
        variant: u8,
        how: u8,
        ledger: &Ledger,
        sent: &mut Sent,
    ) {
        if how == 0 {
            return;
        }
        for name in NAMES {
            let channel = self.channel(config, name, variant);
            loop {
                let due = ledger.due(name, Vec::new(), 1_000).await.unwrap();
                if due.is_empty() {
                    break;
                }
                for delivery in due {
                    let attempt = AttemptRecord {
                        delivery: delivery.id,
                        at: self.clock.now(),
                        outcome: "accepted",
                        detail: String::new(),
                        message: None,
                    };
                    if how != 1
                        && delivery.audience == Audience::Partner
                        && channel.route().readers.audience() == Audience::Partner
                    {
                        // What the partner's own people read may say everything.
                        ledger.mark_sent(attempt).await.unwrap();
                    } else if how == 1 || channel.attempt(&delivery).await.is_err() {
                        sent.refused += u64::from(how != 1);
                        ledger.mark_dead(attempt).await.unwrap();
                    } else {
                        let amounts = delivery.audience == Audience::Partner
                            || variant == 1
                                && matches!(name, "contacts" | "one" | "portal" | "box")
                            || name == "amounts";
                        sent.amounts.push(amounts);
                        sent.to_customers += u64::from(delivery.audience == Audience::Customer);
                        ledger.mark_sent(attempt).await.unwrap();
                        if delivery.recipient.is_some() {
                            sent.mails.push(amounts);
                        } else {
                            sent.posts.push(amounts);
                        }
                    }
                }
            }
        }
    }

    async fn order(&self, config: &Config, order: u8, ledger: &Ledger) {
        let now = self.clock.now();
        match order {
            1 => {
                _ = ledger
                    .release(
                        HoldFilter {
                            customer: Some(CustomerKey::of(&id(1))),
                            ..HoldFilter::default()
                        },
                        now,
                    )
                    .await
                    .unwrap();
            }
            2 => _ = ledger.discard(HoldFilter::default(), "wrong".to_owned(), now).await.unwrap(),
            3 => _ = ledger.retry(RetryFilter::default(), now, None).await.unwrap(),
            4 => {
                let ops = config
                    .notifiers
                    .iter()
                    .find(|notifier| *notifier.name == *"ops")
                    .unwrap()
                    .route();
                // What the command refuses is not tried here.
                if ops.readers.audience() == Audience::Partner {
                    ledger
                        .retry(
                            RetryFilter::default(),
                            now,
                            Some(RetryTo {
                                notifier: "ops".into(),
                                recipients: ops.recipients,
                                has_incidents: false,
                            }),
                        )
                        .await
                        .unwrap();
                }
            }
            _ => {}
        }
    }
}

/// What was sent, in the order of sending: whether its reader may see amounts.
#[derive(Default)]
struct Sent {
    amounts: Vec<bool>,
    mails: Vec<bool>,
    posts: Vec<bool>,
    to_customers: u64,
    refused: u64,
}

/// The text without what separates digits.
fn joined(text: &str) -> String {
    text.replace([',', '\u{a0}', ' '], "")
}

/// What must not be in `text`, which is for the customers that `owners` says; none when it is
/// sound.
fn leak(
    text: &str,
    owners: &BTreeSet<usize>,
    customers: usize,
    amounts: bool,
    marks: &[Marks],
) -> Option<String> {
    let joined = joined(text);
    let holds =
        |text: &str, mark: &str| memchr::memmem::find(text.as_bytes(), mark.as_bytes()).is_some();
    let has = |marks: &[String]| {
        marks.iter().find(|mark| holds(text, mark) || holds(&joined, mark)).cloned()
    };
    let about: Vec<usize> =
        (0..customers).filter(|customer| has(&marks[*customer].letters).is_some()).collect();
    let [about] = about.as_slice() else { return Some(format!("about {about:?}")) };
    if !owners.contains(about) {
        return Some(format!("{about} is none of {owners:?}"));
    }
    for other in (0..customers).filter(|other| other != about) {
        let marks = &marks[other];
        if let Some(mark) = has(&marks.digits).or_else(|| has(&marks.percents)) {
            return Some(format!("{mark} of {other} in what is about {about}"));
        }
    }
    if let Some(mark) = (0..customers).find_map(|customer| has(&marks[customer].own)) {
        return Some(format!("{mark} is the partner's own"));
    }
    for word in [
        "percentrule",
        "moneyrule",
        "forecastrule",
        "internalnote",
        "budget-alertd explain",
        "budget-alertd ack",
    ] {
        if text.contains(word) {
            return Some(format!("{word} is the partner's own"));
        }
    }
    if !amounts {
        if let Some(mark) = has(&marks[*about].digits) {
            return Some(format!("the amount {mark}"));
        }
        if text.contains("SEK") || text.contains("USD") {
            return Some("a currency".to_owned());
        }
    }
    None
}

fn of_mail(mail: &ReceivedMail) -> String {
    // The boundary of the parts is made of random letters.
    let told = mail.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
    let headers: Vec<String> = told.map(|(name, value)| format!("{name}: {value}")).collect();
    format!(
        "{}\n{}\n{}\n{}",
        headers.join("\n"),
        mail.subject,
        mail.text,
        mail.html.as_deref().unwrap_or_default()
    )
}

fn check(case: &Case, town: &Town, from: (usize, usize), sent: &Sent) -> Result<(), TestCaseError> {
    let marks: Vec<Marks> = (0..case.customers).map(marks).collect();
    let (owners, everybody) = (owners(case), (0..case.customers).collect());
    let (mails, posts): (Vec<ReceivedMail>, Vec<Request>) =
        (town.mail.received().split_off(from.0), town.http.received().split_off(from.1));
    prop_assert_eq!((mails.len(), posts.len()), (sent.mails.len(), sent.posts.len()));
    for (mail, amounts) in mails.iter().zip(&sent.mails) {
        let to = mail.recipients.first().cloned().unwrap_or_default();
        // What was given up may have been moved to the partner's own people.
        if to == "partner@partner.example" {
            continue;
        }
        let Some(owners) = owners.get(&to.to_lowercase()) else {
            return Err(TestCaseError::fail(format!("a mail to {to}")));
        };
        let text = of_mail(mail);
        prop_assert_eq!(leak(&text, owners, case.customers, *amounts, &marks), None, "{}", text);
        prop_assert!(mail.to.iter().all(|shown| *shown == to), "{:?}", mail.to);
    }
    for (post, amounts) in
        posts.iter().zip(&sent.posts).filter(|(post, _)| post.path.contains("portal"))
    {
        let text = String::from_utf8_lossy(&post.body).into_owned();
        prop_assert_eq!(
            leak(&text, &everybody, case.customers, *amounts, &marks),
            None,
            "{}",
            text
        );
    }
    Ok(())
}

/// A mailbox of the partner's own beside an address that is known as a contact of one customer.
fn box_of(customer: usize) -> Readers {
    let owners = BTreeMap::from([(
        format!("c{customer}.0@customer.example"),
        BTreeSet::from([CustomerKey::of(&id(customer))]),
    )]);
    Readers::Addresses(Addresses { about: None, owners })
}

/// Whether a message carries an alert.
fn carries(message: &budget_alertd::alerting::NewMessage, alert: Uuid) -> bool {
    message.content.alerts().iter().any(|carried| carried.id == alert)
}

/// An alert about one of a few customers; which is true of it is drawn.
fn alert(number: usize, customer: usize, baseline: bool) -> budget_alertd::domain::AlertSnapshot {
    let mut snapshot = budget_alertd::notify::sample_alert("2026-11-10T00:00:00Z".parse().unwrap());
    snapshot.alert.customer.id =
        budget_alertd::domain::CustomerId::try_new(if number.is_multiple_of(2) {
            id(customer)
        } else {
            id(customer).to_uppercase()
        })
        .unwrap();
    snapshot.alert.subscription =
        (number.is_multiple_of(3)).then(|| format!("subscription {number}"));
    snapshot.alert.baseline = baseline;
    snapshot
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(5_000) })]

    #[test]
    fn a_message_to_a_customer_is_about_that_customer_alone_however_many_alerts_there_are(
        about in proptest::collection::vec((0_usize..5, any::<bool>()), 1..30),
        digest_above in proptest::option::of(0_u32..5),
        (contacts, digest_part, one) in (proptest::collection::vec(0_usize..4, 5), 1_u32..4, 0_usize..5),
    ) {
        let addresses = |customer: usize| -> Vec<String> {
            (0..contacts[customer]).map(|place| format!("Name {place} \
                <c{customer}.{}@customer.example>", place / 2)).collect()
        };
        let route = |name: &str, readers: Readers, recipients: Recipients| Route {
            keeps: Keeps::Messages,
            notifier: name.into(), readers, recipients, digest_above, send_resolved: true, digest_part, digest_parts: None,
        };
        let routes = [
            route("contacts", Readers::Contacts, Recipients::Addresses(Vec::new())),
            route("one", Readers::Addresses(Addresses { about: Some(BTreeSet::from([CustomerKey::of(&id(one))])), ..Addresses::default() }), Recipients::Addresses(vec![format!("c{one}.one@customer.example")])),
            route("portal", Readers::Program, Recipients::Destination),
            route("box", box_of(one), Recipients::Addresses(vec!["me@partner.example".to_owned(), format!("C{one}.0@customer.example")])),
        ];
        let notify: Vec<Box<str>> = routes.iter().map(|route| route.notifier.clone()).collect();
        let new: Vec<NewAlert> = about.iter().enumerate().map(|(number, (customer, baseline))| {
            let mut snapshot = alert(number, *customer, *baseline);
            snapshot.context.contacts = addresses(*customer);
            NewAlert { snapshot, notify: notify.clone(), remind_every: None }
        }).collect();
        let told: Vec<Followup> = new.iter().map(|new| Followup {
            still_open_for: Vec::new(),
            alert: new.snapshot.alert.clone(),
            latest: Latest { usage_as_of: new.snapshot.alert.usage_as_of, cost: Decimal::ONE, value: None, budget: None, ended: None, spike: None, run: None, security: None, security_now: None },
            contacts: new.snapshot.context.contacts.clone(),
            notify: notify.clone(),
        }).collect();
        let mut messages = budget_alertd::alerting::messages(&new, &routes, Uuid::nil());
        messages.extend(budget_alertd::alerting::followups(Occasion::Resolved, &told, &routes, Uuid::nil()));
        for message in &messages {
            let alerts: Vec<_> = message.content.alerts().iter().map(|one| new.iter().find(|new| new.snapshot.alert.id == one.id).unwrap()).collect();
            let customers: BTreeSet<String> = alerts.iter().map(|new| new.snapshot.alert.customer.id.key().as_str().to_owned()).collect();
            prop_assert_eq!(customers.len(), 1);
            prop_assert_eq!(message.audience, Audience::Customer);
            prop_assert!(alerts.iter().all(|new| !new.snapshot.alert.baseline));
            let number = (0..5).find(|customer| customers.contains(&id(*customer))).unwrap();
            let beginning = format!("c{number}.");
            let own = |to: &str| *message.notifier == *"box" && to == "me@partner.example";
            let sound = |to: &str| own(to) || to.to_lowercase().starts_with(&beginning) && !to.contains('<');
            prop_assert!(message.recipients.each().into_iter().flatten().all(sound), "{:?}", message.recipients);
            prop_assert_eq!(message.recipients.each().into_iter().collect::<BTreeSet<_>>().len(), message.recipients.count());
        }
        // The partner's own mailbox gets each alert that is no first look.
        for new in new.iter().filter(|new| !new.snapshot.alert.baseline) {
            let own = |message: &&budget_alertd::alerting::NewMessage| *message.notifier == *"box" && carries(message, new.snapshot.alert.id);
            prop_assert_eq!(messages.iter().filter(own).count(), 2);
        }
        // Each alert that is no first look reaches its customer's contacts, each once.
        for new in new.iter().filter(|new| !new.snapshot.alert.baseline && !new.snapshot.context.contacts.is_empty()) {
            let id = new.snapshot.alert.id;
            let times = messages.iter().filter(|message| *message.notifier == *"contacts" && carries(message, id)).count();
            prop_assert_eq!(times, 2);
        }
    }
}

#[test]
fn nothing_of_one_customer_ever_reaches_another_and_no_amount_whoever_must_not_see_it() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (mut told, mut refused) = (0, 0);
    for portion in 0..CASES / PORTION {
        let town = runtime.block_on(async { Town::new() });
        let counts = Mutex::new((0, 0));
        let seed = [u8::try_from(portion).unwrap(); 32];
        let config =
            ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(PORTION) };
        let random = proptest::test_runner::TestRng::from_seed(
            proptest::test_runner::RngAlgorithm::ChaCha,
            &seed,
        );
        let mut runner = proptest::test_runner::TestRunner::new_with_rng(config, random);
        let result = runner.run(&case(), |case| {
            let from = (town.mail.received().len(), town.http.received().len());
            let sent = runtime.block_on(town.play(&case));
            let mut counts = counts.lock().unwrap();
            *counts = (counts.0 + sent.to_customers, counts.1 + sent.refused);
            check(&case, &town, from, &sent)
        });
        if let Err(error) = result {
            panic!("{error}");
        }
        let counts = counts.lock().unwrap();
        (told, refused) = (told + counts.0, refused + counts.1);
    }
    // The cases are worth something: customers were told much, and some of what was recorded for
    // the partner was refused.
    assert!(told > 1_000 && refused > 20, "{told} told, {refused} refused");
}

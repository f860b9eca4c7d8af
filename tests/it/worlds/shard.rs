//! Worlds that share a ledger: the same polls through the program and through the model.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use budget_alertd::clock::{Clock, SimulatedClock};
use budget_alertd::config::{self, Config, Environment};
use budget_alertd::delivery::OperatorFindings;
use budget_alertd::domain::{Glob, MessageKind, Silence};
use budget_alertd::ledger::{self, AlertFilter, AttemptRecord, Ledger};
use budget_alertd::metrics::Metrics;
use budget_alertd::notify;
use budget_alertd::poll::Cycle;
use budget_alertd::source::Source;
use jiff::{SignedDuration, Timestamp};

use super::life::{Day, Life, Person};
use super::line;
use super::model::{Model, Poll};
use super::number::written;
use super::random::Random;
use super::rules::Rule;
use super::server::{Answers, Shared};

/// Worlds that share a ledger.
pub(super) const WORLDS: usize = 10;
/// Polls of each.
const POLLS: usize = 14;
const NOTIFIERS: [&str; 2] = ["ops", "oncall"];

/// What each thread makes once: the program's source, and what it is answered.
pub(super) struct Office {
    pub(super) source: Option<Source>,
    pub(super) answers: Shared,
    pub(super) metrics: Metrics,
}

struct Shard {
    random: Random,
    now: Timestamp,
    rules: Vec<Rule>,
    removed: Vec<Rule>,
    legacy_currency: Option<&'static str>,
    lives: Vec<Life>,
    models: Vec<Model>,
    settled: Vec<String>,
    silences: Vec<(String, Timestamp)>,
    /// The setting that was parsed last, and what it says.
    parsed: Option<(String, Arc<Config>)>,
}

/// Runs the worlds of a seed; an account of the first difference, if there is one.
pub(super) async fn run(seed: u64, office: &mut Office, folder: &Path) -> Result<u64, String> {
    let mut shard = Shard::new(seed);
    let clock = SimulatedClock::starting_at(shard.now);
    let mut ledger = open(&shard.config(folder), &clock);
    let (mut story, mut alerts) = (String::new(), 0);
    for number in 0..POLLS {
        shard.pass_time(number);
        clock.advance_to(shard.now);
        if shard.random.one_in(9) {
            ledger.close().await.unwrap();
            ledger = open(&shard.config(folder), &clock);
        }
        if shard.random.one_in(8) {
            ledger.add_silence(shard.silence()).await.unwrap();
        }
        let days: Vec<Day> = shard.lives.iter_mut().map(|life| life.day(shard.now)).collect();
        let fails = shard.random.one_in(14);
        *office.answers.lock().unwrap() = shard.answers(&days, fails);
        let told = poll(&shard.config(folder), &ledger, &clock, office).await;
        let wanted = shard.wanted(number, &days, fails);
        writeln!(story, "poll {number} at {}{}", shard.now, if fails { ", refused" } else { "" })
            .unwrap();
        story.extend(shard.rules.iter().map(Rule::toml));
        shard.tell(&mut story, &days, &told);
        if told != wanted {
            ledger.close().await.unwrap();
            return Err(format!(
                "{}\n{story}{}",
                difference(&told, &wanted),
                shard.setting(folder)
            ));
        }
        alerts += told.lines().filter(|line| line.contains(" .. ")).count() as u64;
    }
    ledger.close().await.unwrap();
    Ok(alerts)
}

fn open(config: &Config, clock: &Arc<SimulatedClock>) -> Ledger {
    Ledger::open(&config.ledger, Metrics::new(), Arc::clone(clock) as Arc<dyn Clock>).unwrap()
}

/// What the program tells of one poll: the counts, then a line for each alert.
async fn poll(
    config: &Config,
    ledger: &Ledger,
    clock: &Arc<SimulatedClock>,
    office: &mut Office,
) -> String {
    let (now, clock) = (clock.now(), Arc::clone(clock) as Arc<dyn Clock>);
    let cycle = Cycle {
        security: None,
        source: office.source.take().unwrap(),
        budgets: config.budgets.clone(),
        rules: config.rules.clone(),
        routes: config.notifiers.iter().map(notify::Config::route).collect(),
        findings: OperatorFindings::new(
            ledger.clone(),
            Arc::clone(&clock),
            Vec::new(),
            Duration::from_hours(1),
        ),
        ledger: ledger.clone(),
        clock,
        metrics: office.metrics.clone(),
        ask_first: Mutex::default(),
        slice: usize::MAX,
    };
    let report = cycle.run(false).await.unwrap();
    office.source = Some(cycle.source);
    let suppressed = report.suppressed;
    let raised = text(
        suppressed.duplicate,
        suppressed.passed,
        report.alerts.iter().map(line::raised).collect(),
    );
    let twice = deliver(ledger, now).await;
    let raised = raised + &twice;
    let alerts = ledger::read(&config.ledger, |reader| reader.alerts(&AlertFilter::default()))
        .await
        .unwrap();
    raised + &sorted(alerts.iter().map(line::told).collect())
}

/// Marks all that is owed as accepted: reminders are for whoever has nothing coming. A line for
/// each customer of which a poll tells a notifier in two messages of a kind: what a silence has
/// hidden until now is told beside what is new.
async fn deliver(ledger: &Ledger, at: Timestamp) -> String {
    let mut twice = String::new();
    for notifier in NOTIFIERS {
        let mut told = HashSet::new();
        for delivery in ledger.due(notifier, Vec::new(), 1000).await.unwrap() {
            let customers: HashSet<_> =
                delivery.message.alerts().iter().map(|one| one.alert.key()).collect();
            let hidden = delivery.message.alerts().iter().all(|one| one.context.latest.is_some());
            let occasion = match delivery.message.kind() {
                MessageKind::Digest => MessageKind::Raised,
                kind => kind,
            };
            for customer in customers {
                if !told.insert((customer.clone(), occasion, hidden)) {
                    writeln!(twice, "{} twice to {notifier}", customer.as_str()).unwrap();
                }
            }
            ledger
                .mark_sent(AttemptRecord {
                    delivery: delivery.id,
                    at,
                    outcome: "ok",
                    detail: String::new(),
                    message: None,
                })
                .await
                .unwrap();
        }
    }
    twice
}

fn text(duplicates: u64, passed: u64, alerts: Vec<String>) -> String {
    format!("{duplicates} duplicate, {passed} passed\n{}", sorted(alerts))
}

fn sorted(mut lines: Vec<String>) -> String {
    lines.sort_unstable();
    lines.into_iter().map(|line| line + "\n").collect()
}

fn difference(told: &str, wanted: &str) -> String {
    let only = |of: &str, other: &str| -> String {
        of.lines()
            .filter(|line| !other.lines().any(|known| known == *line))
            .flat_map(|line| ["  ", line, "\n"])
            .collect()
    };
    format!("the program tells:\n{}instead of:\n{}", only(told, wanted), only(wanted, told))
}

impl Shard {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let start: Timestamp = random
            .of(&["2026-09-24T06:00:00Z", "2026-10-25T06:00:00Z", "2027-01-25T06:00:00Z"])
            .parse()
            .unwrap();
        let rules = ["spend", "more", "third"]
            .iter()
            .take(random.between(1, 3) as usize)
            .map(|name| Rule::random(name, &mut random))
            .collect();
        let persons: Vec<Person> =
            (0..WORLDS).map(|number| Person::random(number, &mut random)).collect();
        let lives = persons
            .iter()
            .map(|person| Life::new(person.clone(), Random::new(random.next())))
            .collect();
        let models = persons.into_iter().map(Model::new).collect();
        let legacy_currency = random.one_in(3).then_some("SEK");
        let (removed, settled, silences) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            random,
            now: start,
            rules,
            removed,
            legacy_currency,
            lives,
            models,
            settled,
            silences,
            parsed: None,
        }
    }

    /// Some hours, seldom days; now and then other rules.
    fn pass_time(&mut self, number: usize) {
        let hours = self.random.of(&[1, 4, 6, 12, 12, 24, 24, 36, 60]);
        self.now += SignedDuration::from_hours(hours);
        let random = &mut self.random;
        for rule in &mut self.rules {
            // What was done under the former name has been renamed by now.
            rule.formerly = None;
        }
        match random.between(0, 11) {
            0 if number > 0 => {
                let rule = random.next() as usize % self.rules.len();
                self.rules[rule].add_step(random);
            }
            1 if self.rules.len() > 1 => self.removed.push(self.rules.pop().unwrap()),
            2 | 3 => self.rules.extend(self.removed.pop()),
            4 if number > 0 => {
                let rule = &mut self.rules[0];
                rule.formerly = Some(std::mem::replace(&mut rule.name, format!("renamed{number}")));
            }
            _ => {}
        }
    }

    fn silence(&mut self) -> Silence {
        let customer = format!("C{}", self.random.between(0, WORLDS as i64 - 1));
        let end = self.now + SignedDuration::from_hours(self.random.between(1, 100));
        self.silences.push((customer.clone(), end));
        Silence {
            id: 0,
            customers: vec![Glob::try_new(&customer).unwrap()],
            rules: Vec::new(),
            unless_above: None,
            created_at: self.now,
            as_of: self.now,
            ends_at: Some(end),
            author: "alice".into(),
            reason: "migration".into(),
            expired_at: None,
        }
    }

    fn answers(&self, days: &[Day], fails: bool) -> Answers {
        let persons = || self.lives.iter().map(|life| &life.person).zip(days);
        let items: Vec<String> = persons()
            .flat_map(|(person, day)| day.records.iter().map(|record| record.json(person)))
            .collect();
        let page = format!(r#"{{"totalCount":{},"items":[{}]}}"#, items.len(), items.join(","));
        let customers =
            persons().map(|(person, day)| (person.id.clone(), day.answer.clone())).collect();
        Answers { page: (!fails).then_some(page), customers }
    }

    fn wanted(&mut self, number: usize, days: &[Day], fails: bool) -> String {
        for rule in &self.rules {
            let Some(before) = &rule.formerly else { continue };
            self.models.iter_mut().for_each(|model| model.rename_rule(before, &rule.name));
            self.settled
                .iter_mut()
                .filter(|name| *name == before)
                .for_each(|name| name.clone_from(&rule.name));
        }
        let config = self.toml();
        let (mut alerts, mut duplicates, mut passed) = (Vec::new(), 0, 0);
        let (rules, settled, silences) = (&self.rules, &self.settled.clone(), &self.silences);
        let poll = Poll {
            number,
            now: self.now,
            rules,
            config: &config,
            settled,
            legacy_currency: self.legacy_currency,
            silences,
        };
        if !fails {
            for (model, day) in self.models.iter_mut().zip(days) {
                let told = model.poll(poll, day);
                alerts.extend(told.alerts);
                duplicates += told.duplicates;
                passed += told.passed;
            }
            // An answer without items is no good poll where none was before.
            if days.iter().any(|day| !day.records.is_empty()) {
                self.settled.extend(self.rules.iter().map(|rule| rule.name.clone()));
            }
        }
        let dates = days.iter().flat_map(|day| &day.records).map(|record| record.date);
        let newest = dates.max().filter(|_| !fails);
        self.models.iter_mut().for_each(|model| model.follow_up(poll, newest));
        let known: Vec<String> = self
            .rules
            .iter()
            .flat_map(|rule| [Some(rule.name.clone()), rule.formerly.clone()])
            .flatten()
            .collect();
        self.settled.retain(|name| known.contains(name));
        self.models.iter_mut().for_each(|model| model.forget_rules(&known));
        text(duplicates, passed, alerts)
            + &sorted(self.models.iter().flat_map(Model::told).collect())
    }

    /// What is configured, as far as it bears on a judgement.
    fn toml(&self) -> String {
        let mut toml = String::new();
        for person in self.lives.iter().map(|life| &life.person) {
            writeln!(toml, "[customers.{}]", person.id).unwrap();
            if let Some(currency) = person.local_currency {
                writeln!(toml, "currency = \"{currency}\"").unwrap();
            }
            if let Some((amount, currency)) = person.local_budget {
                writeln!(
                    toml,
                    "budget = {{ amount = {}, currency = \"{currency}\" }}",
                    written(amount)
                )
                .unwrap();
            }
        }
        self.rules.iter().for_each(|rule| toml.push_str(&rule.toml()));
        toml
    }

    fn setting(&self, folder: &Path) -> String {
        let legacy = self
            .legacy_currency
            .map_or(String::new(), |currency| format!("legacy_currency = \"{currency}\"\n"));
        let hooks = NOTIFIERS.map(|name| {
            format!("[notifiers.{name}]\ntype = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\n")
        });
        let state = folder.display();
        let rules = self.toml();
        format!(
            "[source]\ntype = \"file\"\npath = \"usage.json\"\n{legacy}[daemon]\nstate_dir = \
                \"{state}\"\n{}{rules}",
            hooks.concat()
        )
    }

    /// Parsed again only when the setting has changed.
    fn config(&mut self, folder: &Path) -> Arc<Config> {
        let setting = self.setting(folder);
        if let Some((before, config)) = &self.parsed
            && *before == setting
        {
            return Arc::clone(config);
        }
        let config = config::parse(&setting, "worlds.toml".as_ref(), &Environment::default());
        let config = Arc::new(config.unwrap_or_else(|mistakes| panic!("{mistakes}")));
        self.parsed = Some((setting, Arc::clone(&config)));
        config
    }

    fn tell(&self, story: &mut String, days: &[Day], told: &str) {
        for (life, day) in self.lives.iter().zip(days) {
            for record in &day.records {
                writeln!(story, "  {}", record.json(&life.person)).unwrap();
            }
            writeln!(story, "    {:?}", day.answer).unwrap();
        }
        writeln!(story, "{told}").unwrap();
    }
}

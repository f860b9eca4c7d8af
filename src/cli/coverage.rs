//! `coverage`: the customers that can never alert, and why; what to do about each reason; read
//! beside a running daemon.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::actions::SilenceView;
use crate::alerting::CustomerState;
use crate::alerting::{Gap, gap, silent_about};
use crate::analysis::{LearningCustomer, Strangers, learning};
use crate::cli::exit::Outcome;
use crate::cli::output::Tone;
use crate::cli::table::{Column, Listing};
use crate::cli::{Format, open, output, spreadsheet, text};
use crate::clock::SystemClock;
use crate::config::{Config, SecretsFor};
use crate::domain::{CustomerView, Route};
use crate::ledger::Reader;
use crate::listings::silences::{scope, until};
use crate::notify;
use crate::poll::Namesakes;
use crate::text::money;

/// Customers that are listed without `--all`.
const LISTED: usize = 20;
/// Customers without contacts that are named; the rest are counted.
const NAMED: usize = 5;

#[derive(Debug, Args)]
pub(super) struct Coverage {
    /// List every customer, not only the 20 costliest
    #[arg(long)]
    all: bool,
    /// How to print it; as CSV, the customers
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What there is to tell.
struct Gaps {
    /// How many customers there are.
    customers: u64,
    /// Those that nobody would be told about, the costliest first.
    uncovered: Vec<(Gap, CustomerState)>,
    /// The customers' notifiers, with the customers about which they tell nobody.
    silent: BTreeMap<String, Silent>,
    /// The silences in force: what they cover is not told as long as they last.
    silences: Vec<SilenceView>,
    /// What the configuration says of nobody.
    strangers: Strangers,
    /// The customers that rules about spikes do not judge yet, those with the fewest days first.
    learning: Vec<LearningCustomer>,
}

/// The customers about which a notifier tells nobody.
#[derive(Default)]
struct Silent {
    number: usize,
    /// Those that are named.
    first: Vec<CustomerState>,
}

impl Coverage {
    pub(super) fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let config = open::look(path, SecretsFor::Nothing)?;
        let now = SystemClock::shared().now();
        let reader = Reader::open(&config.ledger)?;
        let gaps = Gaps::gather(&config, &reader, now)?;
        match self.format {
            Format::Text => {
                let listed = gaps.uncovered.iter().take(self.listed()).map(|(_, seen)| seen);
                let listed = listed.chain(gaps.silent.values().flat_map(|silent| &silent.first));
                let learnt = gaps.learning.iter().take(self.listed()).map(|one| &one.seen);
                let listed = listed.chain(learnt);
                let namesakes = Namesakes::find(listed.map(text::named), Some(&reader))?;
                output::page(&self.page(&gaps, &namesakes, now, &config.time_zone))?;
            }
            Format::Json => output::json(&gaps.document())?,
            Format::Csv => gaps.print_csv()?,
        }
        Ok(Outcome::Done)
    }

    /// How many customers are listed.
    fn listed(&self) -> usize {
        if self.all { usize::MAX } else { LISTED }
    }

    fn page(&self, gaps: &Gaps, namesakes: &Namesakes, now: Timestamp, zone: &TimeZone) -> String {
        let never = gaps.number(|gap| gap != Gap::DeadNotifier);
        let unheard = gaps.number(|gap| gap == Gap::DeadNotifier);
        let mut lines = vec![match (never, unheard) {
            (0, 0) => format!("Each of {} can alert.", text::count(gaps.customers, "customer")),
            (0, _) => {
                let customers = text::count(gaps.customers, "customer");
                format!(
                    "Each of {customers} has a rule that can alert, but of {unheard} nobody would \
                        hear now: the notifiers fail."
                )
            }
            _ => format!("{never} of {} can never alert.", text::count(gaps.customers, "customer")),
        }];
        for &gap in Gap::ALL {
            let number = gaps.number(|found| found == gap);
            if number > 0 {
                let beside = if gap == Gap::DeadNotifier { " as long as it lasts" } else { "" };
                lines.push(format!(
                    "  {}: {}{beside}",
                    Tone::Uneasy.paint(gap.as_str()),
                    text::count(number, "customer")
                ));
                lines.push(format!("    → {}", gap.action()));
            }
        }
        lines.extend(gaps.silent.iter().map(|(notifier, silent)| {
            let known = Tone::Uneasy.paint("no contacts");
            let names: Vec<String> =
                silent.first.iter().map(|seen| text::called(seen, namesakes)).collect();
            let more = silent.number.saturating_sub(names.len());
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let (number, names) =
                (text::count(silent.number, "customer"), names.join(", ") + &more);
            format!(
                "  {known}: the notifier {} tells nobody about {number}: {names}",
                text::clean(notifier)
            )
        }));
        if !gaps.learning.is_empty() {
            lines.push(format!(
                "  {}: {}, which rules about spikes judge from 7 usable days of data on",
                Tone::Uneasy.paint("learning"),
                text::count(gaps.learning.len(), "customer")
            ));
        }
        lines.extend(gaps.silences.iter().map(|silence| {
            let (scope, until) = (scope(silence), until(silence, now, zone));
            format!(
                "  {}: silence {} of {scope}, until {until}",
                Tone::Uneasy.paint("silenced"),
                silence.id
            )
        }));
        for (heading, list) in strangers(&gaps.strangers) {
            lines.push(format!("\n{}", Tone::Strong.paint(heading)));
            lines.extend(list.iter().map(|line| format!("  {}", Tone::Uneasy.paint(line))));
        }
        if !gaps.uncovered.is_empty() {
            let listed = self.listed();
            let heading = if gaps.uncovered.len() > listed {
                format!("Customers, the {LISTED} costliest (--all lists all)")
            } else {
                "Customers, costliest first".to_owned()
            };
            lines.push(format!("\n{}", Tone::Strong.paint(&heading)));
            lines.extend(listing(gaps.uncovered.iter().take(listed), namesakes));
        }
        if !gaps.learning.is_empty() {
            let heading = "Not judged by rules about spikes yet";
            lines.push(format!("\n{}", Tone::Strong.paint(heading)));
            lines.extend(learnt(gaps.learning.iter().take(self.listed()), namesakes));
            let more = gaps.learning.len().saturating_sub(self.listed());
            lines.extend((more > 0).then(|| format!("  … and {more} more (--all lists all)")));
        }
        lines.join("\n") + "\n"
    }
}

/// What the configuration says of nobody, each kind with its heading.
pub(super) fn strangers(strangers: &Strangers) -> impl Iterator<Item = (&'static str, &[String])> {
    let lists = [
        ("Described here, and no usage was ever seen of them", strangers.customers.as_slice()),
        ("Patterns in match.customers that fit no customer", strangers.patterns.as_slice()),
    ];
    lists.into_iter().filter(|(_, list)| !list.is_empty())
}

fn listing<'a>(
    uncovered: impl Iterator<Item = &'a (Gap, CustomerState)>,
    namesakes: &Namesakes,
) -> Vec<String> {
    let mut listing = Listing::new(&[
        Column::Left("CUSTOMER"),
        Column::Right("COST"),
        Column::Right("IN USD"),
        Column::Left("REASON"),
    ]);
    for (gap, seen) in uncovered {
        listing.add(vec![
            text::called(seen, namesakes),
            money(seen.cost, seen.currency),
            seen.usd_cost.map(|cost| money(cost, None)).unwrap_or_default(),
            gap.as_str().to_owned(),
        ]);
    }
    listing.lines(2)
}

fn learnt<'a>(
    learning: impl Iterator<Item = &'a LearningCustomer>,
    namesakes: &Namesakes,
) -> Vec<String> {
    let mut listing = Listing::new(&[Column::Left("CUSTOMER"), Column::Left("REASON")]);
    for one in learning {
        listing.add(vec![text::called(&one.seen, namesakes), in_words(one)]);
    }
    listing.lines(2)
}

/// `learning, 4 of 7 days`.
fn in_words(one: &LearningCustomer) -> String {
    format!("learning, {} of 7 days", one.days)
}

fn view(seen: &CustomerState) -> CustomerView {
    CustomerView {
        id: seen.customer.clone(),
        name: seen.name.clone(),
        label: seen.label.clone(),
        plan: seen.plan,
    }
}

impl Gaps {
    fn gather(config: &Config, reader: &Reader, now: Timestamp) -> anyhow::Result<Self> {
        let states = reader.notifier_states()?.into_iter();
        let failing: BTreeSet<Box<str>> =
            states.filter(|(_, state)| state.failures > 0).map(|(name, _)| name.into()).collect();
        let silences = reader.silences()?;
        let silences = silences
            .iter()
            .filter(|silence| silence.is_in_force(now))
            .map(SilenceView::of)
            .collect();
        let strangers = Strangers::find(&config.budgets, &config.rules, reader)?;
        let mut gaps = Self {
            customers: 0,
            uncovered: Vec::new(),
            silent: BTreeMap::new(),
            silences,
            strangers,
            learning: learning(&config.budgets, &config.rules, reader, now)?,
        };
        let routes: Vec<Route> = config.notifiers.iter().map(notify::Config::route).collect();
        reader.each_customer(|seen| {
            gaps.customers += 1;
            if let Some(gap) = gap(&config.budgets, &config.rules, &seen, &failing) {
                gaps.uncovered.push((gap, seen));
                return;
            }
            for notifier in silent_about(&config.budgets, &config.rules, &seen, &routes) {
                let silent = gaps.silent.entry(notifier.to_owned()).or_default();
                silent.number += 1;
                silent.first.extend(Some(seen.clone()).filter(|_| silent.number <= NAMED));
            }
        })?;
        let id = |seen: &CustomerState| seen.customer.to_string();
        gaps.uncovered
            .sort_by_cached_key(|(_, seen)| (Reverse((seen.usd_cost, seen.cost)), id(seen)));
        Ok(gaps)
    }

    fn number(&self, meant: impl Fn(Gap) -> bool) -> usize {
        self.uncovered.iter().filter(|(gap, _)| meant(*gap)).count()
    }

    fn document(&self) -> Value {
        let reasons = Gap::ALL.iter().map(|gap| {
            let customers = self.number(|found| found == *gap);
            json!({ "reason": gap.as_str(), "customers": customers, "action": gap.action() })
        });
        let reasons: Vec<Value> = reasons.collect();
        let customer = |(gap, seen): &(Gap, CustomerState)| {
            json!({
                "customer": view(seen),
                "reason": gap.as_str(),
                "cost": { "amount": seen.cost, "currency": seen.currency, "usd": seen.usd_cost },
                "usage_as_of": seen.usage_as_of,
            })
        };
        json!({
            "customers": self.customers,
            "without_coverage": self.number(|gap| gap != Gap::DeadNotifier),
            "reasons": reasons,
            "without_contacts": self.silent.iter().map(|(notifier, silent)| json!({ "notifier": notifier, "customers": silent.number })).collect::<Vec<_>>(),
            "silences": self.silences,
            "unknown_customers": self.strangers.customers,
            "unknown_patterns": self.strangers.patterns,
            "learning": self.learning.iter().map(|one| json!({ "customer": view(&one.seen), "reason": in_words(one), "days": one.days })).collect::<Vec<_>>(),
            "uncovered": self.uncovered.iter().map(customer).collect::<Vec<_>>(),
        })
    }

    fn print_csv(&self) -> anyhow::Result<()> {
        let heading = [
            "customer_id",
            "customer",
            "plan",
            "reason",
            "cost",
            "currency",
            "usd_cost",
            "usage_as_of",
        ];
        let cells = |(gap, seen): &(Gap, CustomerState)| {
            vec![
                seen.customer.to_string(),
                text::bare_called(seen),
                seen.plan.as_str().to_owned(),
                gap.as_str().to_owned(),
                seen.cost.to_string(),
                text::or_nothing(seen.currency),
                text::or_nothing(seen.usd_cost),
                seen.usage_as_of.to_string(),
            ]
        };
        spreadsheet::print(&heading, self.uncovered.iter().map(cells))
    }
}

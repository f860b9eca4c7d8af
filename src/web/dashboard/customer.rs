//! `/customers/{id}`: everything that bears on one customer, as `explain` tells it.

use askama::Template;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;

use crate::domain::{Assessed, CustomerKey, Plan};
use crate::ledger::Reader;
use crate::listings::story::{Books, Story};
use crate::listings::story_words::{budget, in_words, period, usage};
use crate::listings::{Tone, words};
use crate::text::{Name, clean, moment, money};
use crate::web::dashboard::curve::{Curve, curve};
use crate::web::dashboard::customer_alerts::{AlertLine, alert_lines};
use crate::web::dashboard::customer_line::{cost_of_budget, used_in_words};
use crate::web::dashboard::customer_rules::{RuleLine, rule_lines};
use crate::web::dashboard::spark::{Bar, bar};
use crate::web::dashboard::split::{Split, split};
use crate::web::fault::Fault;
use crate::web::frame::{Frame, html};
use crate::web::look::Look;
use crate::web::query::Query;
use crate::web::shown::Shown;

/// How many dates and events are shown.
const MOST: usize = 12;

#[derive(Template)]
#[template(path = "customer.html")]
struct Page {
    frame: Frame,
    /// Its address, where forms lead back to.
    to: String,
    id: String,
    /// The rules that a silence may be about.
    rule_names: Vec<String>,
    headline: Headline,
    facts: Vec<(&'static str, Vec<String>)>,
    curve: Option<Curve>,
    split: Option<Split>,
    rules: Vec<RuleLine>,
    subscriptions: Vec<Subscription>,
    alerts: Vec<AlertLine>,
    others: Option<(String, String)>,
    dates: Vec<Date>,
    events: Vec<(String, String)>,
}

/// What is to be seen first.
struct Headline {
    /// How much of its budget is used; none without one.
    used: Option<(String, Bar)>,
    cost: String,
    /// How old that is.
    as_of: String,
}

/// A subscription that has a budget of its own.
struct Subscription {
    name: String,
    cost: String,
    rules: Vec<RuleLine>,
}

/// A date of the data.
struct Date {
    at: String,
    cost: String,
    budget: String,
    read: String,
}

/// All that is told of the customer with an id.
pub(in crate::web) fn find(reader: &Reader, look: &Look, id: &str) -> Result<Story, Fault> {
    find_at(reader, look, id, None)
}

/// The same as it was at an earlier time.
pub(in crate::web) fn find_at(
    reader: &Reader,
    look: &Look,
    id: &str,
    then: Option<Timestamp>,
) -> Result<Story, Fault> {
    let key = CustomerKey::written(id);
    let missing =
        || Fault::Missing(format!("No usage of a customer \"{}\" was read.", clean(id, 60)));
    let remembered = reader.recollection(&key)?.ok_or_else(missing)?;
    let books = Books {
        budgets: &look.known.budgets,
        rules: &look.known.rules,
        zone: look.zone(),
        reader,
        now: then.unwrap_or(look.now),
        past: then.is_some(),
        today: look.now,
        newest: reader.poll_memory()?.newest,
    };
    Ok(books.gather(&remembered)?)
}

pub(super) async fn show(
    State(shown): State<Shown>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let look = Look::of(&shown, &request);
    let own = look.clone();
    look.answer(look.read(move |reader| Ok(page(&find(reader, &own, &id)?, &own))).await)
}

/// The same for somebody who may see nothing else: without a way to other pages.
pub(in crate::web) fn alone(story: &Story, look: &Look) -> Response {
    let page = page(story, look);
    let frame = Frame { made: page.frame.made, ..Frame::bare(page.frame.title) };
    html(StatusCode::OK, &Page { frame, others: None, ..page })
}

fn page(story: &Story, look: &Look) -> Page {
    let assessed = &story.explanation.assessed;
    let record = &assessed.record;
    let id = record.customer.as_str();
    let all = Query::default().with("/alerts", "customer", Some(id));
    let others = (story.other_alerts > 0).then(|| words::count(story.other_alerts, "alert"));
    let subscriptions = story.subscriptions.iter().filter_map(|(seen, explanation)| {
        let subscription = seen.subscription.as_ref()?;
        Some(Subscription {
            name: clean(&subscription.name, 80),
            cost: of_budget(&explanation.assessed),
            rules: rule_lines(explanation, story, look),
        })
    });
    Page {
        frame: look.frame(title(assessed), "/"),
        to: look.path.clone(),
        id: id.to_owned(),
        rule_names: look.known.rules.facts().map(|rule| rule.name.to_string()).collect(),
        headline: headline(story, look),
        facts: facts(story, look),
        curve: curve(story),
        split: split(story, look),
        rules: rule_lines(&story.explanation, story, look),
        subscriptions: subscriptions.collect(),
        alerts: alert_lines(story, look),
        others: others.map(|count| (format!("{count} in other periods"), all)),
        dates: dates(story, look),
        events: events(story, look),
    }
}

fn headline(story: &Story, look: &Look) -> Headline {
    let as_of = story.seen.usage_as_of.instant();
    let at = moment(as_of, story.now, look.zone());
    Headline {
        used: story.seen.percent_used().map(|used| (used_in_words(used), bar(used))),
        cost: cost_of_budget(&story.seen),
        as_of: format!("as of {at}, {} old", words::age(as_of, story.now)),
    }
}

fn title(assessed: &Assessed) -> String {
    let label = assessed.profile.label.as_deref().unwrap_or_default();
    let record = &assessed.record;
    Name::among(&[label, &record.name], record.customer.as_str(), false).whole()
}

fn of_budget(assessed: &Assessed) -> String {
    let budget = assessed.budget.as_ref().map_or_else(|| "no budget".to_owned(), in_words);
    format!("{} of {budget}", money(assessed.record.cost, assessed.currency))
}

/// What is known of it, a label each.
fn facts(story: &Story, look: &Look) -> Vec<(&'static str, Vec<String>)> {
    let assessed = &story.explanation.assessed;
    let (record, profile, zone) = (&assessed.record, &assessed.profile, look.zone());
    let plan = if record.plan == Plan::AzurePlan { "Azure plan" } else { "legacy subscription" };
    let listed = |words: &[String]| match words {
        [] => Vec::new(),
        words => vec![clean(&words.join(", "), 300)],
    };
    let owned =
        |names: &[Box<str>]| listed(&names.iter().map(ToString::to_string).collect::<Vec<_>>());
    let as_it_is = |_: Tone, text: &str| text.to_owned();
    let called = profile.label.as_ref().map(|_| clean(&record.name, 80));
    let facts = [
        ("Usage", usage(story, zone, as_it_is)),
        ("Budget", budget(story, look.known.budgets.prefer, look.zone())),
        ("Period", period(story, zone)),
        ("Plan", vec![plan.to_owned()]),
        ("Id", vec![clean(record.customer.as_str(), 80)]),
        ("Name there", called.into_iter().collect()),
        ("Owner", profile.owner.iter().map(|owner| clean(owner, 100)).collect()),
        ("Tags", listed(&profile.tags)),
        ("Contacts", listed(&profile.contacts)),
        ("Also told", owned(&profile.notify)),
        ("Muted for", owned(&profile.mute_rules)),
    ];
    facts.into_iter().filter(|(_, texts)| !texts.is_empty()).collect()
}

fn dates(story: &Story, look: &Look) -> Vec<Date> {
    let currency = story.explanation.assessed.currency;
    let at = |at| words::short_moment(at, look.now, look.zone());
    let shown = story.dates.iter().take(MOST).map(|sample| Date {
        at: at(sample.usage_as_of),
        cost: money(sample.cost, currency),
        budget: sample.partner_center_budget.map(|budget| money(budget, None)).unwrap_or_default(),
        read: format!(
            "{}{}",
            at(sample.seen_at),
            if sample.carried_over { ", late data of the period before" } else { "" }
        ),
    });
    shown.collect()
}

fn events(story: &Story, look: &Look) -> Vec<(String, String)> {
    let latest = story.events.iter().rev().take(MOST).map(|event| {
        let what = event.code.as_str().replace('-', " ");
        let at = moment(event.at, look.now, look.zone());
        (at, format!("{what}: {}", clean(&event.detail, 300)))
    });
    latest.collect()
}

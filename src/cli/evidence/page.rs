//! The page for people: what was seen, decided, told and done, in this order. It loads nothing and
//! needs no script.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};
use rust_decimal::Decimal;

use crate::cli::evidence::document::{Evidence, Sample};
use crate::cli::evidence::incident_page;
use crate::cli::evidence::shared::ANOTHER;
use crate::cli::evidence::shown::Told;
use crate::domain::Alert;
use crate::ledger::AlertRow;
use crate::text::amounts::{money, percent};
use crate::text::bare;

/// The most of a text from outside, in characters.
const LONGEST: usize = 500;

/// The page.
pub(super) fn html(evidence: &Evidence, zone: &TimeZone) -> anyhow::Result<String> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_template("page", include_str!("page.html"))?;
    let at = |at: Timestamp| moment(at, zone);
    let customer = &evidence.customer;
    let currency = customer.currency;
    let amount = |value: Decimal| money(value, currency);
    let usage = evidence.usage.iter().map(|sample| reading(sample, at, amount));
    let alerts = evidence.rows.iter().zip(&evidence.in_words);
    let page = environment.get_template("page")?.render(context! {
        name => customer.name.as_str(),
        label => customer.label.as_deref(),
        id => customer.id.as_str(),
        called => customer.called(),
        incident => evidence.incident.as_ref()
            .map(|facts| incident_page::incident(facts, &evidence.done, &at)),
        another => ANOTHER,
        program => evidence.program,
        ledger => evidence.ledger.identity.to_string(),
        head => evidence.ledger.head.as_str(),
        events_in_ledger => evidence.ledger.events,
        changed => evidence.ledger.changed,
        from => at(evidence.span.from),
        until => at(evidence.span.until),
        made_at => at(evidence.span.made_at),
        usage => usage.collect::<Vec<_>>(),
        events => evidence.events.iter()
            .map(|event| context! { at => at(event.at), what => event.detail.as_str() })
            .collect::<Vec<_>>(),
        alerts => alerts.map(|(row, words)| raised(row, words, at)).collect::<Vec<_>>(),
        told => evidence.deliveries.iter().map(|told| message(told, at)).collect::<Vec<_>>(),
        silences => evidence.silences.iter().map(|silence| context! {
            author => bare(&silence.author, LONGEST),
            reason => bare(&silence.reason, LONGEST),
            from => at(silence.created_at),
            until => silence.expired_at.or(silence.ends_at).map(at),
            rules => silence.rules.join(", "),
        }).collect::<Vec<_>>(),
        record => evidence.record.iter().map(|event| context! {
            number => event.number,
            at => at(event.at),
            kind => event.kind.as_str(),
            about => event.about.as_str(),
            content => event.content.to_string(),
            hash => event.hash.as_str(),
        }).collect::<Vec<_>>(),
    })?;
    Ok(page)
}

/// With the year and the seconds, and what it is in the zone: read years later, elsewhere.
fn moment(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

fn reading(
    sample: &Sample,
    at: impl Fn(Timestamp) -> String,
    amount: impl Fn(Decimal) -> String,
) -> Value {
    context! {
        usage_as_of => at(sample.usage_as_of),
        seen_at => at(sample.seen_at),
        cost => amount(sample.cost),
        budget => sample.partner_center_budget.map(amount),
        percent => sample.reported_percent.map(percent),
    }
}

fn raised(row: &AlertRow, words: &str, at: impl Fn(Timestamp) -> String) -> Value {
    let alert: &Alert = &row.snapshot.alert;
    context! {
        reference => alert.reference.as_str(),
        at => at(alert.raised_at),
        words => words,
        rule => alert.rule.as_str(),
        usage_as_of => alert.has_usage().then(|| at(alert.usage_as_of.instant())),
        state => alert.state.as_str(),
        acknowledged => row.acknowledged.as_ref().map(|(when, by)| context! {
            at => at(*when),
            by => bare(by, LONGEST),
            note => row.note.as_ref().map(|note| bare(note, LONGEST)),
        }),
        marked => row.marked.as_ref().map(|note| context! {
            mark => note.mark.as_str(),
            by => bare(&note.by, LONGEST),
            at => at(note.at),
            until => note.until.map(|day| day.to_string()),
        }),
    }
}

/// A body of a request with a line for each of its parts.
fn readable(body: &str) -> String {
    let parts = serde_json::from_str::<serde_json::Value>(body).ok();
    let lines = parts.and_then(|parts| serde_json::to_string_pretty(&parts).ok());
    lines.unwrap_or_else(|| body.to_owned())
}

fn message(told: &Told, at: impl Fn(Timestamp) -> String) -> Value {
    let attempts = told.attempts.iter().map(|attempt| {
        context! {
            at => at(attempt.at),
            outcome => attempt.outcome.as_str(),
            answer => bare(&attempt.answer, LONGEST),
        }
    });
    let said = told.message.as_ref().map(|message| {
        context! {
            subject => message.subject.as_deref(),
            text => message.text.clone().or_else(|| message.body.as_deref().map(readable)),
            redacted => message.redacted,
            sha256 => message.sha256.as_str(),
        }
    });
    context! {
        id => told.id.to_string(),
        notifier => told.notifier.as_str(),
        recipient => told.recipient.as_deref(),
        kind => told.kind.as_str(),
        state => if told.held { "held" } else { told.state.as_str() },
        alerts => told.alerts.join(", "),
        recorded_at => at(told.created_at),
        ended_at => told.ended_at.map(&at),
        attempts => attempts.collect::<Vec<_>>(),
        message => said,
    }
}

//! The user's own words for messages: templates for a subject and a body, compiled and tried with a
//! made-up message of every kind when the configuration is read. One that fails later never costs
//! an alert: the built-in message goes out instead.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::value::{Serde, ValueKind};
use minijinja::{AutoEscape, Environment, Output, State, UndefinedBehavior, Value};
use serde::Serialize;

use crate::domain::{Alert, AlertLinks, AlertSnapshot, Digest, Ended, Message, OperatorNews};
use crate::notify::SampleKind;
use crate::notify::message::{
    ALSO, AlertWording, MailText, Member, Rendered, Row, is_marked_within,
};
use crate::notify::sample::{sample_alert, sample_message};
use crate::text::clean;

/// What a template may do: far more than a message needs.
const FUEL: u64 = 1_000_000;
/// A longer text is no message.
const MOST: usize = 100_000;
const SLACK: &str = "slack";
const NAME: &str = "template";

/// What values are made harmless for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escape {
    /// Plain text: nothing.
    Plain,
    /// Slack's mrkdwn: `&`, `<` and `>`.
    Slack,
    /// JSON: each value is written as JSON, a text with its quotes.
    Json,
}

/// A template that has rendered a message of every kind.
#[derive(Debug, Clone)]
pub struct Template {
    environment: Environment<'static>,
    escape: Escape,
}

/// A template that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{place}{text}")]
pub struct TemplateError {
    /// The line of the template, where one is to blame.
    place: String,
    text: String,
}

/// A notifier's own words.
#[derive(Debug, Clone, Default)]
pub struct Templates {
    /// In place of the subject of a mail.
    pub subject: Option<Template>,
    /// In place of the text.
    pub body: Option<Template>,
}

/// What a template is given. Words that there are none for are empty.
#[derive(Serialize)]
struct Given<'a> {
    kind: &'static str,
    severity: &'static str,
    test: bool,
    subject: String,
    who: String,
    first: String,
    second: String,
    text: String,
    rows: Vec<Row>,
    members: Vec<Member>,
    reasons: Vec<String>,
    percent: String,
    cost: String,
    budget: String,
    reference: String,
    links: GivenLinks<'a>,
    alert: Option<&'a Alert>,
    alerts: Vec<&'a Alert>,
    operator: Option<&'a OperatorNews>,
}

/// The links of the alert of a message about one customer.
#[derive(Default, Serialize)]
struct GivenLinks<'a> {
    acknowledge: &'a str,
    silence: &'a str,
    explain: &'a str,
    customer: &'a str,
}

impl<'a> GivenLinks<'a> {
    fn of(links: &'a AlertLinks) -> Self {
        Self {
            acknowledge: &links.acknowledge,
            silence: links.silence.as_deref().unwrap_or_default(),
            explain: &links.explain,
            customer: links.customer.as_deref().unwrap_or_default(),
        }
    }
}

impl Template {
    /// Compiles a template and tries it with a made-up message of every kind.
    pub fn try_new(source: &str, escape: Escape) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_auto_escape_callback(move |_| match escape {
            Escape::Plain => AutoEscape::None,
            Escape::Slack => AutoEscape::Custom(SLACK.into()),
            Escape::Json => AutoEscape::Json,
        });
        environment.set_formatter(formatted);
        environment
            .add_template_owned(NAME, source.to_owned())
            .map_err(|error| TemplateError::of(&error, source))?;
        let template = Self { environment, escape };
        for (what, message) in samples() {
            let tried = template.render(&message, &TimeZone::UTC, Timestamp::UNIX_EPOCH);
            tried.map_err(|error| TemplateError {
                text: format!("{} (tried with {what})", error.text),
                ..error
            })?;
        }
        Ok(template)
    }

    /// The text for `message`, sent at `sent`, with times in `zone`.
    pub(crate) fn render(
        &self,
        message: &Message,
        zone: &TimeZone,
        sent: Timestamp,
    ) -> Result<String, TemplateError> {
        let given =
            Given::of(message, zone, sent).map_err(|error| TemplateError::of(&error, ""))?;
        let template =
            self.environment.get_template(NAME).map_err(|error| TemplateError::of(&error, ""))?;
        let text = template
            .render(Serde(&given))
            .map_err(|error| TemplateError::of(&error, template.source()))?;
        let wrong = |text: String| Err(TemplateError { place: String::new(), text });
        if text.trim().is_empty() {
            return wrong("it comes to an empty text".to_owned());
        }
        if text.len() > MOST {
            return wrong(format!("it comes to {} bytes; at most {MOST} are sent", text.len()));
        }
        if self.escape == Escape::Json
            && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&text)
        {
            return wrong(format!(
                "it comes to no JSON: {error}; write values without quotes around them, as in \
                    {{\"text\": {{{{ first }}}}}}"
            ));
        }
        Ok(text)
    }

    /// The same, or none with a word in the log: then the built-in message goes out. So it does for
    /// the regular report, which is made of other things than messages about alerts are.
    pub(crate) fn render_if_sound(
        &self,
        notifier: &str,
        message: &Message,
        zone: &TimeZone,
        sent: Timestamp,
    ) -> Option<String> {
        if matches!(message, Message::Report(_)) {
            return None;
        }
        self.render(message, zone, sent)
            .inspect_err(|error| {
                tracing::warn!(notifier, kind = message.kind().as_str(), %error, "a template \
                    failed; the built-in message is sent instead");
            })
            .ok()
    }
}

impl Template {
    /// The same for plain text and for a chat. What it does not name of several reasons about one
    /// customer stands below it: words that were written for one reason must not lose the others.
    pub(crate) fn body_if_sound(
        &self,
        notifier: &str,
        message: &Message,
        zone: &TimeZone,
        sent: Timestamp,
    ) -> Option<String> {
        let mut text = self.render_if_sound(notifier, message, zone, sent)?;
        let Rendered::Alert(told) = Rendered::new(message, zone, sent) else { return Some(text) };
        for reason in &told.also {
            let reference = reason.rsplit(" · ").next().unwrap_or_default();
            if !text.contains(reference) {
                let reason = match self.escape {
                    Escape::Slack => without_markup(reason),
                    Escape::Plain | Escape::Json => reason.clone(),
                };
                text = format!("{}\n{ALSO}: {reason}\n", text.trim_end());
            }
        }
        Some(text)
    }
}

impl TemplateError {
    fn of(error: &minijinja::Error, source: &str) -> Self {
        let line = error
            .line()
            .and_then(|number| Some((number, source.lines().nth(number.checked_sub(1)?)?)));
        let place = line
            .map(|(number, line)| format!("line {number} of the template, `{}`: ", clean(line, 60)))
            .unwrap_or_default();
        let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
        Self { place, text: format!("{}{detail}", error.kind()) }
    }
}

impl<'a> Given<'a> {
    fn of(
        message: &'a Message,
        zone: &TimeZone,
        sent: Timestamp,
    ) -> Result<Self, minijinja::Error> {
        let mail = MailText::of(message, zone, sent)?;
        let (mut members, mut reasons) = (Vec::new(), Vec::new());
        let (first, second, rows) = match Rendered::new(message, zone, sent) {
            Rendered::Alert(text) | Rendered::Test(text) => {
                reasons = text.also;
                (text.first, text.second, text.rows)
            }
            Rendered::Digest(text) => {
                let above = (text.first_line(), text.second_line(), text.totals());
                members = text.each;
                above
            }
            Rendered::Operator(text) => (text.first, text.second, text.rows),
            Rendered::Report(text) => (text.first, text.second, text.rows),
        };
        let alerts: Vec<_> = message.alerts().iter().map(|snapshot| &snapshot.alert).collect();
        let now = one(message).map(crate::notify::message::brought_up_to_date);
        let telling = now.as_ref().map(|snapshot| AlertWording::new(snapshot, zone));
        let told = |words: &dyn Fn(&AlertWording<'_>) -> Option<String>| {
            telling.as_ref().and_then(words).unwrap_or_default()
        };
        Ok(Self {
            kind: message.kind().as_str(),
            severity: message.severity().as_str(),
            test: matches!(message, Message::Test(_)) || is_marked_within(message),
            subject: mail.subject,
            text: mail.plain,
            first,
            second,
            rows,
            members,
            reasons,
            who: told(&|telling| Some(telling.who.clone())),
            percent: told(&|telling| telling.alert.computed_percent.map(crate::text::percent)),
            cost: told(&|telling| Some(telling.money(telling.alert.cost.amount))),
            budget: told(&|telling| {
                telling.alert.budget.as_ref().map(|budget| telling.money(budget.amount))
            }),
            reference: told(&|telling| Some(telling.reference())),
            links: one(message)
                .and_then(|snapshot| snapshot.context.links.as_ref())
                .map(GivenLinks::of)
                .unwrap_or_default(),
            alert: one(message).map(|snapshot| &snapshot.alert),
            alerts,
            operator: if let Message::Operator(news) = message { Some(news) } else { None },
        })
    }
}

/// The alert of a message about one customer: the worst.
fn one(message: &Message) -> Option<&AlertSnapshot> {
    match message.alerts() {
        [one] => Some(one),
        [worst, ..] if message.is_of_one_customer() => Some(worst),
        _ => None,
    }
}

/// Writes a value so that the destination takes it for text.
fn formatted(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), minijinja::Error> {
    if !matches!(state.auto_escape(), AutoEscape::Custom(name) if name == SLACK)
        || value.is_safe()
        || value.kind() == ValueKind::Number
    {
        return minijinja::escape_formatter(out, state, value);
    }
    out.write_str(&without_markup(&value.to_string())).map_err(minijinja::Error::from)
}

/// A text in which Slack sees no mention and no link.
fn without_markup(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A made-up message of every kind, and alerts of which little is known.
fn samples() -> Vec<(&'static str, Message)> {
    let now = Timestamp::UNIX_EPOCH;
    let raised = |change: fn(&mut Alert)| {
        let mut snapshot = sample_alert(now);
        change(&mut snapshot.alert);
        Message::Alert(Box::new(snapshot))
    };
    let mut over = sample_message(SampleKind::Resolved, now);
    if let Message::Resolved(Digest { alerts, .. }) = &mut over {
        let latest = alerts.iter_mut().filter_map(|snapshot| snapshot.context.latest.as_mut());
        latest.for_each(|latest| latest.ended = Some(Ended::Period));
    }
    let mut settled = sample_message(SampleKind::Operator, now);
    if let Message::Operator(news) = &mut settled {
        news.over = true;
    }
    let without_budget = raised(|alert| {
        (alert.budget, alert.value, alert.reported_percent, alert.computed_percent) =
            (None, None, None, None);
        (alert.cost.currency, alert.cost.usd) = (None, None);
        alert.subscriptions.clear();
    });
    let reasons =
        Message::Alerts(Digest::of_one_customer(vec![sample_alert(now), sample_alert(now)]));
    vec![
        ("a new alert", raised(|_| {})),
        ("an alert about a customer without budget and currency", without_budget),
        ("several reasons about one customer", reasons),
        ("a test", sample_message(SampleKind::Raised, now)),
        ("a digest", sample_message(SampleKind::Digest, now)),
        ("a reminder", sample_message(SampleKind::Reminder, now)),
        ("a resolved alert", sample_message(SampleKind::Resolved, now)),
        ("an alert whose period is over", over),
        ("news for the operator", sample_message(SampleKind::Operator, now)),
        ("the end of trouble", settled),
    ]
}

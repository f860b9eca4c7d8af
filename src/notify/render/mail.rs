//! The text and the HTML of a mail, from templates. Everything in the HTML is escaped by the template engine, and nothing
//! in it is loaded from elsewhere.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::value::Serde;
use minijinja::{Environment, Error, UndefinedBehavior};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::Serialize;

use crate::domain::{AlertSnapshot, Digest, Message, Severity};
use crate::notify::render::telling::{Standing, Telling};
use crate::notify::render::{DigestText, Row, TEST_MARK, TEST_SENTENCE, clean};

/// A mail's texts.
pub(crate) struct MailText {
    /// One line.
    pub subject: String,
    /// For readers of plain text.
    pub plain: String,
    /// For all others.
    pub html: String,
}

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    for (name, source) in [
        ("frame.html", include_str!("../templates/frame.html")),
        ("alert.html", include_str!("../templates/alert.html")),
        ("digest.html", include_str!("../templates/digest.html")),
        ("alert.txt", include_str!("../templates/alert.txt")),
        ("digest.txt", include_str!("../templates/digest.txt")),
    ] {
        templates.add_template(name, source).expect("the templates are part of the program and rendered by its tests");
    }
    templates
});

impl MailText {
    /// The texts of `message`, sent at `sent`, with times in `zone`.
    pub(crate) fn of(message: &Message, zone: &TimeZone, sent: Timestamp) -> Result<Self, Error> {
        match message {
            Message::Alert(snapshot) => AlertMail::new(snapshot, zone, sent).render(None),
            Message::Test(snapshot) => AlertMail::new(snapshot, zone, sent).render(Some(TEST_SENTENCE)),
            Message::Digest(digest) | Message::Reminder(digest) | Message::Resolved(digest) => DigestMail::new(digest, zone, sent).render(),
            Message::Operator(news) => Ok(Self { subject: news.summary.clone(), plain: news.action.clone(), html: String::new() }),
        }
    }
}

/// What the templates of an alert show.
#[derive(Serialize)]
struct AlertMail {
    subject: String,
    severity: &'static str,
    color: &'static str,
    test: Option<&'static str>,
    name: String,
    badge: Option<String>,
    brief: String,
    first: String,
    second: String,
    bar: Option<Bar>,
    rows: Vec<Row>,
}

/// The budget as a bar, in whole percent of its width: what is used, then what is over or left.
#[derive(Serialize)]
struct Bar {
    used: u32,
    rest: u32,
    over: bool,
    /// What stands below its two ends.
    legend: (String, String),
}

impl AlertMail {
    fn new(snapshot: &AlertSnapshot, zone: &TimeZone, sent: Timestamp) -> Self {
        let telling = Telling::new(snapshot, zone);
        let severity = telling.alert.severity;
        Self {
            subject: clean(&telling.subject(), 240),
            severity: severity.as_str(),
            color: color(severity),
            test: None,
            badge: telling.badge(),
            brief: telling.brief(),
            first: telling.first_line(),
            second: telling.second_line(),
            bar: bar(&telling),
            rows: telling.rows(sent),
            name: telling.who,
        }
    }

    fn render(mut self, test: Option<&'static str>) -> Result<MailText, Error> {
        if test.is_some() {
            self.subject = format!("{TEST_MARK} {}", self.subject);
        }
        self.test = test;
        texts(&self.subject, "alert", &self)
    }
}

/// What the templates of a digest show.
#[derive(Serialize)]
struct DigestMail {
    subject: String,
    color: &'static str,
    total: u32,
    criticals: u32,
    part: Option<String>,
    first: String,
    second: String,
    note: Option<String>,
    members: Vec<Member>,
}

/// One line of a digest.
#[derive(Serialize)]
struct Member {
    severity: &'static str,
    color: &'static str,
    name: String,
    badge: Option<String>,
    brief: String,
    origin: String,
    news: Option<String>,
}

impl DigestMail {
    fn new(digest: &Digest, zone: &TimeZone, sent: Timestamp) -> Self {
        let told = DigestText::new(digest, zone);
        let worst = told.members.iter().map(|member| member.alert.severity).max().unwrap_or_default();
        let (subject, first, second) = (clean(&told.subject(), 240), told.first_line(), told.second_line());
        let (part, note) = (told.part(), told.note(sent));
        let members = told.members.into_iter().map(Member::new).collect();
        Self { subject, color: color(worst), total: digest.total, criticals: digest.criticals, part, first, second, note, members }
    }

    fn render(self) -> Result<MailText, Error> {
        texts(&self.subject, "digest", &self)
    }
}

impl Member {
    fn new(telling: Telling<'_>) -> Self {
        let severity = telling.alert.severity;
        Self {
            severity: severity.as_str(),
            color: color(severity),
            badge: telling.badge(),
            brief: telling.brief(),
            origin: telling.origin(),
            news: telling.budget_news(),
            name: telling.who,
        }
    }
}

fn texts(subject: &str, template: &str, shown: &impl Serialize) -> Result<MailText, Error> {
    let render = |kind: &str| TEMPLATES.get_template(&format!("{template}.{kind}"))?.render(Serde(shown));
    Ok(MailText { subject: subject.to_owned(), plain: render("txt")?, html: render("html")? })
}

fn color(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "#b42318",
        Severity::Warning => "#b45309",
        Severity::Info => "#1d4ed8",
    }
}

fn bar(telling: &Telling<'_>) -> Option<Bar> {
    let (cost, budget) = (telling.alert.cost.amount, telling.alert.budget.as_ref()?.amount);
    let share = |part: Decimal, whole: Decimal| {
        let percent = part.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(whole)?.round().to_u32()?;
        Some(percent.clamp(2, 98))
    };
    let (used, over, difference) = match telling.standing() {
        Standing::Over(over) => (share(budget, cost)?, true, over),
        Standing::Left(left) if cost >= budget => (100, false, left),
        Standing::Left(left) => (share(cost.max(Decimal::ZERO), budget)?, false, left),
        _ => return None,
    };
    let legend = if over {
        (format!("budget {}", telling.money(budget)), format!("{} over", telling.money(difference)))
    } else {
        (format!("used {}", telling.money(cost)), format!("{} left", telling.money(difference)))
    };
    Some(Bar { used, rest: 100_u32.saturating_sub(used), over, legend })
}

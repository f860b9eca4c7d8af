//! The text and the HTML of a mail, from templates. Everything in the HTML is escaped by the
//! template engine, and nothing in it is loaded from elsewhere.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::value::Serde;
use minijinja::{Environment, Error, UndefinedBehavior};
use serde::Serialize;

use crate::domain::{Digest, Message, Occasion, Severity};
use crate::notify::message::customer;
use crate::notify::message::customer::{CustomerTelling, Disclosed};
use crate::notify::message::member::Member;
use crate::notify::message::rows::Row;
use crate::notify::message::{
    AlertText, DigestText, Mood, Rendered, ReportText, TEST_MARK, TEST_SENTENCE, is_marked_within,
};
use crate::text::clean::{END, ISOLATE};
use crate::text::{line, short_hash, without_isolation};

/// A mail's texts.
pub(crate) struct MailText {
    /// One line.
    pub subject: String,
    /// For readers of plain text.
    pub plain: String,
    /// For all others.
    pub html: String,
    /// The picture that the HTML shows.
    pub picture: Option<Picture>,
}

/// A picture that is carried in a mail.
pub(crate) struct Picture {
    /// What the HTML calls it by (RFC 2392): the same for the same picture, and for no other.
    pub id: String,
    /// The picture itself.
    pub png: Vec<u8>,
}

impl MailText {
    /// The mail with the user's own words in place of the built-in ones, marked as a test where
    /// `message` is one.
    pub(crate) fn in_own_words(
        self,
        message: &Message,
        subject: Option<&str>,
        body: Option<&str>,
    ) -> Result<Self, Error> {
        let mark = if matches!(message, Message::Test(_)) || is_marked_within(message) {
            format!("{TEST_MARK} ")
        } else {
            String::new()
        };
        let subject = subject
            .map_or(self.subject.clone(), |own| line(&format!("{mark}{own}"), SUBJECT_CHARS));
        let Some(body) = body else { return Ok(Self { subject, ..self }) };
        let plain = if mark.is_empty() {
            body.to_owned()
        } else {
            format!("{mark}{TEST_SENTENCE}\n\n{body}")
        };
        let shown = OwnMail {
            subject: &subject,
            first: plain.lines().next().unwrap_or_default(),
            second: "",
            lines: plain.lines().collect(),
        };
        let html = with_elements(&TEMPLATES.get_template("own.html")?.render(Serde(&shown))?);
        Ok(Self { subject, plain, html, picture: None })
    }
}

/// What the template of a mail in the user's own words shows.
#[derive(Serialize)]
struct OwnMail<'a> {
    subject: &'a str,
    first: &'a str,
    second: &'a str,
    lines: Vec<&'a str>,
}

/// How much of a subject is shown.
const SUBJECT_CHARS: usize = 240;

#[expect(clippy::expect_used, reason = "constants of this program: its message says why")]
static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.add_filter("undirected", |text: String| without_isolation(&text));
    for (name, source) in [
        ("frame.html", include_str!("../templates/frame.html")),
        ("rows.html", include_str!("../templates/rows.html")),
        ("above.html", include_str!("../templates/above.html")),
        ("alert.html", include_str!("../templates/alert.html")),
        ("digest.html", include_str!("../templates/digest.html")),
        ("notices.html", include_str!("../templates/notices.html")),
        ("operator.html", include_str!("../templates/operator.html")),
        ("report.html", include_str!("../templates/report.html")),
        ("own.html", include_str!("../templates/own.html")),
        ("alert.txt", include_str!("../templates/alert.txt")),
        ("digest.txt", include_str!("../templates/digest.txt")),
        ("notices.txt", include_str!("../templates/notices.txt")),
        ("operator.txt", include_str!("../templates/operator.txt")),
        ("report.txt", include_str!("../templates/report.txt")),
    ] {
        templates
            .add_template(name, source)
            .expect("the templates are part of the program and rendered by its tests");
    }
    templates
});

impl MailText {
    /// The texts of `message`, sent at `sent`, with times in `zone`.
    pub(crate) fn of(message: &Message, zone: &TimeZone, sent: Timestamp) -> Result<Self, Error> {
        let mut mail = match Rendered::new(message, zone, sent) {
            Rendered::Alert(text) => AlertMail::new(*text, None).render(),
            Rendered::Test(text) => AlertMail::new(*text, Some(TEST_SENTENCE)).render(),
            Rendered::Digest(text) => DigestMail::new(text).render(),
            Rendered::Operator(text) => {
                texts("operator", &line(&text.subject, SUBJECT_CHARS), &text)
            }
            Rendered::Report(text) => ReportMail::new(*text).render(),
        }?;
        if is_marked_within(message) {
            mail.subject =
                format!("{TEST_MARK} {}", mail.subject.replace(&format!("{TEST_MARK} "), ""));
        }
        Ok(mail)
    }
}

impl MailText {
    /// The texts of `message` for the one customer it is about, likewise. None where it is no
    /// message for one customer.
    pub(crate) fn for_customer(
        message: &Message,
        disclosed: Disclosed<'_>,
        zone: &TimeZone,
        sent: Timestamp,
    ) -> Result<Option<Self>, Error> {
        if !is_about_one(message) {
            return Ok(None);
        }
        let (occasion, digest, test) = match message {
            Message::Operator(_) | Message::Report(_) => return Ok(None),
            Message::Alert(_) => (Occasion::New, None, None),
            Message::Test(_) => (Occasion::New, None, Some(TEST_SENTENCE)),
            Message::Alerts(digest) | Message::Digest(digest) => {
                (Occasion::New, Some(digest), None)
            }
            Message::Reminder(digest) => (Occasion::Reminder, Some(digest), None),
            Message::Resolved(digest) => (Occasion::Resolved, Some(digest), None),
        };
        let shown: Vec<_> = message
            .alerts()
            .iter()
            .map(|snapshot| customer::shown(occasion, snapshot, sent))
            .collect();
        let pairs = message.alerts().iter().zip(&shown);
        let tellings = pairs.map(|(raised, shown)| {
            CustomerTelling::new(occasion, raised, shown, disclosed, zone, sent)
        });
        let tellings: Vec<_> = tellings.collect();
        let mut mail = match (tellings.as_slice(), digest.filter(|digest| digest.total > 1)) {
            ([one], None) => AlertMail::new(one.text(), test).render()?,
            ([worst, others @ ..], _) if message.is_of_one_customer() => {
                AlertMail::new(worst.text_with(others), test).render()?
            }
            (several, _) => NoticesMail::new(occasion, digest, several).render()?,
        };
        if is_marked_within(message) {
            mail.subject = format!("{TEST_MARK} {}", mail.subject);
        }
        Ok(Some(mail))
    }
}

impl MailText {
    /// The same with a sentence of its own: above all else where there is a frame, below all else
    /// in plain text, whose first two lines are what a lock screen shows.
    pub(crate) fn with_sentence(self, sentence: &str) -> Result<Self, Error> {
        const CARD: &str = "<!-- card -->";
        let above =
            TEMPLATES.get_template("above.html")?.render(minijinja::context! { sentence })?;
        let html = self.html.replacen(CARD, &format!("{CARD}{above}"), 1);
        let plain = format!("{}\n\n{sentence}\n", self.plain.trim_end());
        Ok(Self { plain, html, ..self })
    }
}

/// Whether every alert of a message is about the same customer.
pub(crate) fn is_about_one(message: &Message) -> bool {
    let mut customers = message.alerts().iter().map(|snapshot| snapshot.alert.customer.id.key());
    customers.next().is_some_and(|first| customers.all(|other| other == first))
}

impl Picture {
    fn new(png: Vec<u8>) -> Self {
        Self { id: format!("chart.{:016x}@budget-alertd", short_hash(&png) >> 64), png }
    }
}

/// What the templates of an alert show.
#[derive(Serialize)]
struct AlertMail {
    color: &'static str,
    test: Option<&'static str>,
    picture: Option<String>,
    #[serde(flatten)]
    text: AlertText,
}

/// What the templates of a report show.
#[derive(Serialize)]
struct ReportMail {
    color: &'static str,
    #[serde(flatten)]
    text: ReportText,
}

/// What the templates of a digest show.
#[derive(Serialize)]
struct DigestMail {
    subject: String,
    title: String,
    color: &'static str,
    banner: Option<&'static str>,
    part: Option<String>,
    first: String,
    second: String,
    note: Option<String>,
    rows: Vec<Row>,
    totals: Vec<Row>,
    table: Vec<String>,
    groups: Vec<Group>,
}

/// What the templates of several alerts about one customer show, which that customer reads.
#[derive(Serialize)]
struct NoticesMail {
    subject: String,
    title: String,
    color: &'static str,
    banner: Option<&'static str>,
    part: Option<String>,
    first: String,
    second: String,
    contact: Option<String>,
    members: Vec<ColoredMember>,
}

#[derive(Serialize)]
struct ColoredMember {
    color: &'static str,
    #[serde(flatten)]
    text: Member,
}

/// The members of a digest that are equally bad.
#[derive(Serialize)]
struct Group {
    color: &'static str,
    label: String,
    members: Vec<Member>,
}

impl AlertMail {
    fn new(mut alert: AlertText, test: Option<&'static str>) -> Self {
        if test.is_some() {
            (alert.label, alert.subject) =
                (format!("{TEST_MARK} {}", alert.label), format!("{TEST_MARK} {}", alert.subject));
        }
        alert.subject = line(&alert.subject, SUBJECT_CHARS);
        Self { color: color(alert.occasion, alert.severity), test, picture: None, text: alert }
    }

    fn render(mut self) -> Result<MailText, Error> {
        let picture =
            self.text.chart.as_ref().and_then(|chart| chart.drawing.png()).map(Picture::new);
        self.picture = picture.as_ref().map(|picture| picture.id.clone());
        Ok(MailText { picture, ..texts("alert", &self.text.subject, &self)? })
    }
}

impl ReportMail {
    fn new(mut text: ReportText) -> Self {
        text.subject = line(&text.subject, SUBJECT_CHARS);
        let color = match text.mood {
            Mood::Quiet => "#067647",
            Mood::Uneasy => "#344054",
            Mood::Alarmed => "#b42318",
        };
        Self { color, text }
    }

    fn render(self) -> Result<MailText, Error> {
        texts("report", &self.text.subject, &self)
    }
}

impl NoticesMail {
    /// Several alerts about one customer, for that customer.
    fn new(occasion: Occasion, digest: Option<&Digest>, told: &[CustomerTelling<'_>]) -> Self {
        let members: Vec<_> = told.iter().map(CustomerTelling::member).collect();
        let worst = members.iter().map(|member| member.severity).max().unwrap_or_default();
        let total = digest.map_or(0, |digest| digest.total);
        let part = digest
            .filter(|digest| digest.parts > 1)
            .map(|digest| format!("part {} of {}", digest.part, digest.parts));
        let (what, banner) = match occasion {
            Occasion::New => ("notices about your Azure usage", None),
            Occasion::Reminder => ("reminders about your Azure usage", Some("REMINDER")),
            Occasion::Resolved => ("notices about your Azure usage are over", None),
        };
        let urgent = if worst == Severity::Critical && occasion == Occasion::New {
            "Important: "
        } else {
            ""
        };
        let beside = part.as_ref().map(|part| format!(" ({part})")).unwrap_or_default();
        Self {
            subject: line(
                &format!(
                    "{urgent}{}: {total} {what}{beside}",
                    told.first().map_or("", CustomerTelling::who)
                ),
                SUBJECT_CHARS,
            ),
            title: format!("{total} {what}"),
            color: color(occasion, worst),
            banner,
            part,
            first: format!("{total} {what}, the most important first."),
            second: told.first().map(CustomerTelling::second).unwrap_or_default(),
            contact: told.first().and_then(CustomerTelling::contact),
            members: members
                .into_iter()
                .map(|text| ColoredMember { color: color(occasion, text.severity), text })
                .collect(),
        }
    }

    fn render(self) -> Result<MailText, Error> {
        texts("notices", &self.subject, &self)
    }
}

impl DigestMail {
    fn new(told: DigestText<'_>) -> Self {
        let occasion = told.occasion;
        let worst = told.members.iter().map(|member| member.severity).max().unwrap_or_default();
        let (first, second, title, part, note) =
            (told.first_line(), told.second_line(), told.title(), told.part(), told.note());
        let subject = line(&told.subject(), SUBJECT_CHARS);
        let banner = (occasion == Occasion::Reminder).then_some("REMINDER · not acknowledged");
        let (totals, table) = (told.totals(), told.table());
        let mut groups: Vec<Group> = Vec::new();
        for member in told.members {
            match groups.last_mut().filter(|group| group.label == member.label) {
                Some(group) => group.members.push(member),
                None => groups.push(Group {
                    color: color(occasion, member.severity),
                    label: member.label.clone(),
                    members: vec![member],
                }),
            }
        }
        Self {
            subject,
            title,
            color: color(occasion, worst),
            banner,
            part,
            first,
            second,
            note,
            rows: totals.clone(),
            totals,
            table,
            groups,
        }
    }

    fn render(self) -> Result<MailText, Error> {
        texts("digest", &self.subject, &self)
    }
}

fn texts(template: &str, subject: &str, shown: &impl Serialize) -> Result<MailText, Error> {
    let render =
        |kind: &str| TEMPLATES.get_template(&format!("{template}.{kind}"))?.render(Serde(shown));
    // A number and its sign stay on one line.
    let html = with_elements(&render("html")?.replace(" %", "\u{a0}%"));
    Ok(MailText { subject: subject.to_owned(), plain: render("txt")?, html, picture: None })
}

/// HTML with each isolation as an element; nothing of an attribute is one.
fn with_elements(html: &str) -> String {
    html.replace(ISOLATE, "<bdi>").replace(END, "</bdi>")
}

fn color(occasion: Occasion, severity: Severity) -> &'static str {
    match (occasion, severity) {
        (Occasion::Resolved, _) => "#067647",
        (_, Severity::Critical) => "#b42318",
        (_, Severity::Warning) => "#b45309",
        (_, Severity::Info) => "#1d4ed8",
    }
}

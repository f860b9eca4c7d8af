//! Writes mails, however they are sent: who they are from and to, their headers, parts and threads.
//! The words are in `message`.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, MultiPartKind, SinglePart};
use lettre::{Address, Message as Mail};
use uuid::Uuid;

use crate::domain::{Audience, Delivery, Message, OperatorNews, SentMessage, Severity};
use crate::notify::address::in_ascii;
use crate::notify::message::{Disclosed, MailText, Picture, in_place_of};
use crate::notify::{Config, DeliveryError, FailureReason, Partner, Templates, Verdict};
use crate::text::{bare, sha256_hex, short_hash};

/// So many further alerts are named in a header.
const REFERENCES: usize = 20;

/// Writes the mails of one sender.
pub(crate) struct Letters {
    pub(crate) from: Mailbox,
    pub(crate) to: Vec<Mailbox>,
    reply_to: Option<Mailbox>,
    partner: Option<Partner>,
    zone: TimeZone,
    show_cost: bool,
    templates: Templates,
}

impl Letters {
    pub(crate) fn new(
        config: &Config,
        from: &Mailbox,
        to: &[Mailbox],
        reply_to: Option<&Mailbox>,
    ) -> Self {
        let (zone, show_cost, templates) =
            (config.time_zone.clone(), config.show_cost, config.templates.clone());
        let (reply_to, partner) = (reply_to.map(harmless), config.partner.clone());
        Self {
            from: harmless(from),
            to: to.iter().map(harmless).collect(),
            reply_to,
            partner,
            zone,
            show_cost,
            templates,
        }
    }

    /// The delivery's recipient, by the name that the configuration has for it.
    pub(crate) fn recipient(&self, delivery: &Delivery) -> Result<Mailbox, DeliveryError> {
        let address = delivery
            .recipient
            .as_deref()
            .and_then(|text| text.parse::<Address>().ok())
            .map(|address| in_ascii(&address))
            .ok_or_else(|| {
                DeliveryError::new(
                    Verdict::Message,
                    FailureReason::RecipientRefused,
                    "the recipient is no mail address",
                )
            })?;
        let configured = self.to.iter().find(|mailbox| mailbox.email == address).cloned();
        Ok(configured.unwrap_or_else(|| Mailbox::new(None, address)))
    }

    /// The texts for the partner's own people, in the user's own words where there are any.
    fn own_words(
        &self,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<Option<MailText>, minijinja::Error> {
        let text = MailText::of(&delivery.message, &self.zone, now)?;
        let (notifier, message, zone) = (&delivery.notifier, &delivery.message, &self.zone);
        let Templates { subject, body } = &self.templates;
        let subject =
            subject.as_ref().and_then(|own| own.render_if_sound(notifier, message, zone, now));
        let body = body.as_ref().and_then(|own| own.body_if_sound(notifier, message, zone, now));
        text.in_own_words(&delivery.message, subject.as_deref(), body.as_deref()).map(Some)
    }

    /// What customers are told beside their own numbers.
    fn disclosed(&self) -> Disclosed<'_> {
        Disclosed { show_cost: self.show_cost, partner: self.partner.as_ref() }
    }

    /// The mail that a delivery is: on each attempt the same, under the same Message-ID.
    pub(crate) fn mail(
        &self,
        delivery: &Delivery,
        to: &Mailbox,
        now: Timestamp,
    ) -> Result<Letter, DeliveryError> {
        let text = match delivery.audience {
            Audience::Partner => self.own_words(delivery, now),
            Audience::Customer => {
                MailText::for_customer(&delivery.message, self.disclosed(), &self.zone, now)
            }
        };
        let mut text =
            text.map_err(|error| unwritable().caused_by(error))?.ok_or_else(not_for_one)?;
        if let Some(sentence) = in_place_of(delivery) {
            text = text.with_sentence(&sentence).map_err(|error| unwritable().caused_by(error))?;
        }
        let domain = self.from.email.domain();
        let mut builder = Mail::builder()
            .from(self.from.clone())
            .to(to.clone())
            .subject(text.subject.clone())
            .date(delivery.created_at.max(Timestamp::UNIX_EPOCH).into())
            .message_id(Some(format!("<{}@{domain}>", delivery.identity.simple())));
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(reply_to.clone());
        }
        let thread = thread(&delivery.message, domain);
        if let Some(parent) = thread.last() {
            builder = builder.in_reply_to(parent.clone()).references(thread.join(" "));
        }
        let stands_in = delivery
            .stands_in_for
            .as_deref()
            .map(|failed| (header("X-Budget-Alert-Fallback-For"), bare(failed, 60)));
        for (name, value) in
            headers(&delivery.message, delivery.audience, domain).into_iter().chain(stands_in)
        {
            builder = builder.raw_header(HeaderValue::new(name, value));
        }
        let (subject, plain, html) = (text.subject.clone(), text.plain.clone(), text.html.clone());
        let mail = builder
            .multipart(parts(text, delivery.identity))
            .map_err(|error| unwritable().caused_by(error))?;
        Ok(Letter { mail, subject, plain, html })
    }
}

/// A mail with the texts that it was made of.
pub(crate) struct Letter {
    pub(crate) mail: Mail,
    subject: String,
    plain: String,
    html: String,
}

impl Letter {
    /// The mail as it is kept; `formatted` is the whole of it.
    pub(crate) fn copy(&self, formatted: &[u8]) -> SentMessage {
        // Lines that begin with a blank go on with the header before (RFC 5322, section 2.2.3).
        let headers = self.mail.headers().to_string().replace("\r\n ", " ");
        let headers = headers.lines().filter_map(|line| line.split_once(": "));
        SentMessage {
            subject: Some(self.subject.clone()),
            text: Some(self.plain.clone()),
            html: Some(self.html.clone()),
            body: None,
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            sha256: sha256_hex(formatted),
        }
    }
}

/// A mail that cannot be made of its texts.
pub(crate) fn unwritable() -> DeliveryError {
    DeliveryError::new(
        Verdict::Message,
        FailureReason::MessageRefused,
        "the mail cannot be written",
    )
}

/// A message for a customer that is not about one customer.
fn not_for_one() -> DeliveryError {
    DeliveryError::new(
        Verdict::Message,
        FailureReason::MessageRefused,
        "a message that is not about one customer is for no customer",
    )
}

/// The text, and beside it the HTML with the picture it shows (RFC 2387). The boundaries are the
/// message's own, so that every attempt sends the same.
#[expect(clippy::expect_used, reason = "constants of this program: its message says why")]
fn parts(text: MailText, identity: Uuid) -> MultiPart {
    let start = |kind: MultiPartKind, number: u32| {
        MultiPart::builder().kind(kind).boundary(format!("part-{number}-{}", identity.simple()))
    };
    let alternatives =
        start(MultiPartKind::Alternative, 1).singlepart(SinglePart::plain(text.plain));
    let html = SinglePart::html(text.html);
    let Some(Picture { id, png }) = text.picture else { return alternatives.singlepart(html) };
    let content_type = ContentType::parse("image/png").expect("a media type of RFC 2083");
    let png = Attachment::new_inline_with_name(id, "chart.png".to_owned()).body(png, content_type);
    alternatives.multipart(start(MultiPartKind::Related, 2).singlepart(html).singlepart(png))
}

/// A mailbox whose name breaks no header, with an address as mail servers take it.
fn harmless(mailbox: &Mailbox) -> Mailbox {
    let name = mailbox.name.as_deref().map(|name| bare(name, 80)).filter(|name| !name.is_empty());
    Mailbox::new(name, in_ascii(&mailbox.email))
}

/// The ids of messages that never were, which mail clients thread these under: one for a customer
/// and period, below it one for each alert, so that a reminder is found beside what it reminds of.
/// News for the operator have one for each trouble.
fn thread(message: &Message, domain: &str) -> Vec<String> {
    match (message, message.alerts()) {
        (Message::Operator(OperatorNews { code, subject, since, .. }), _) => {
            vec![format!(
                "<operator.{}@{domain}>",
                hash(&format!("{code}\n{subject}\n{since}\n{domain}"))
            )]
        }
        (
            Message::Alert(_) | Message::Alerts(_) | Message::Reminder(_) | Message::Resolved(_),
            [worst, others @ ..],
        ) if message.is_of_one_customer() => {
            let alert = &worst.alert;
            let since = match &alert.security {
                Some(security) => security.id.to_ascii_lowercase(),
                None => alert.billing_period.start.to_string(),
            };
            let period = format!("{}\n{since}\n{domain}", alert.customer.id.key().as_str());
            // A client replies to the last: the worst.
            let alerts = others.iter().take(REFERENCES).rev().chain([worst]);
            let alerts = alerts.map(|one| format!("<alert.{}@{domain}>", one.alert.id.simple()));
            std::iter::once(format!("<budget.{}@{domain}>", hash(&period))).chain(alerts).collect()
        }
        _ => Vec::new(),
    }
}

fn hash(text: &str) -> String {
    format!("{:032x}", short_hash(text))
}

fn header(name: &'static str) -> HeaderName {
    HeaderName::new_from_ascii_str(name)
}

/// What machines read: filters, vacation responders, mail clients.
fn headers(message: &Message, audience: Audience, domain: &str) -> Vec<(HeaderName, String)> {
    let mut headers = vec![
        // No vacation notice answers (RFC 3834).
        (header("Auto-Submitted"), "auto-generated".to_owned()),
        (header("X-Budget-Alert-Type"), message.kind().as_str().to_owned()),
    ];
    // For filters: one list for each rule (RFC 2919).
    let list = |name: &str| (header("List-Id"), format!("<{name}.budget-alerts.{domain}>"));
    if let Message::Report(_) = message {
        headers.push(list("report"));
    } else if audience == Audience::Customer {
        // What rule it comes of is the partner's own.
        let references: Vec<_> =
            message.alerts().iter().take(50).map(|one| bare(&one.alert.reference, 16)).collect();
        headers.push((header("X-Budget-Alert-Ref"), references.join(", ")));
    } else if let Message::Operator(news) = message {
        headers.extend([
            list("operator"),
            (header("X-Budget-Alert-Code"), news.code.as_str().to_owned()),
        ]);
    } else {
        let (list_of, rules) = match rules(message).as_slice() {
            [] => ("digest".to_owned(), "several".to_owned()),
            all @ [worst, ..] => {
                let all: Vec<String> = all.iter().map(|rule| bare(rule, 60)).collect();
                (slug(worst), all.join(", "))
            }
        };
        let alerts = || message.alerts().iter().map(|snapshot| &snapshot.alert);
        let references: Vec<_> =
            alerts().take(50).map(|alert| bare(&alert.reference, 16)).collect();
        headers.extend([
            list(&list_of),
            (header("X-Budget-Alert-Severity"), message.severity().as_str().to_owned()),
            (header("X-Budget-Alert-Rule"), rules),
            (header("X-Budget-Alert-Ref"), references.join(", ")),
        ]);
    }
    if is_urgent(message) {
        headers.push((header("Importance"), "high".to_owned()));
        headers.push((header("X-Priority"), "1 (Highest)".to_owned()));
    }
    headers
}

/// The rules that a message about alerts comes of, that of the worst first; none of a digest that
/// comes of several.
fn rules(message: &Message) -> Vec<&str> {
    let mut all: Vec<&str> = Vec::new();
    for rule in message.alerts().iter().map(|snapshot| snapshot.alert.rule.as_str()) {
        if !all.contains(&rule) {
            all.push(rule);
        }
        if all.len() > 1 && !message.is_of_one_customer() {
            return Vec::new();
        }
    }
    all.truncate(REFERENCES);
    all
}

/// Whether somebody should see it before other mail.
fn is_urgent(message: &Message) -> bool {
    match message {
        Message::Resolved(_) => false,
        Message::Operator(news) => !news.over,
        Message::Alert(_)
        | Message::Alerts(_)
        | Message::Digest(_)
        | Message::Test(_)
        | Message::Reminder(_)
        | Message::Report(_) => message.severity() == Severity::Critical,
    }
}

/// A name as a label of a domain name (RFC 2919); one that the label cannot spell gets a digest of
/// its own.
fn slug(name: &str) -> String {
    let label: String = name
        .chars()
        .take(40)
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .collect();
    let label = label.trim_matches('-');
    if label == name.to_ascii_lowercase() {
        return label.to_owned();
    }
    let short = short_hash(name) >> 96;
    if label.is_empty() { format!("rule-{short:08x}") } else { format!("{label}-{short:08x}") }
}

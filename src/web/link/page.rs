//! The page of a link: whom it is about, what its button does, and who was first.

use askama::Template;
use jiff::SignedDuration;

use crate::domain::{LinkAction, Occasion};
use crate::notify::message::{AlertText, AlertWording};
use crate::text::{clean, moment};
use crate::web::frame::Frame;
use crate::web::link::opened::Opened;
use crate::web::look::Look;

/// How long a form may be sent after its page was shown.
const FORM: SignedDuration = SignedDuration::from_hours(12);

#[derive(Template)]
#[template(path = "link.html")]
pub(super) struct Page {
    frame: Frame,
    /// The alert's first line.
    first: String,
    facts: Vec<(&'static str, String)>,
    /// What was done, by whom.
    done: Option<String>,
    /// What there is to do.
    button: Option<Button>,
    /// Why there is nothing to do.
    over: Option<&'static str>,
}

/// The one thing that can be done.
struct Button {
    address: String,
    name: &'static str,
    /// What it comes to.
    what: String,
    /// What the form brings back.
    form: String,
    author: String,
}

/// The page of a link as things are.
pub(super) fn page(look: &Look, opened: &Opened) -> Page {
    let (snapshot, zone) = (&opened.row.snapshot, look.zone());
    let text = AlertText::new(Occasion::New, snapshot, zone, look.now);
    let wording = AlertWording::new(snapshot, zone);
    let alert = &snapshot.alert;
    let can_act = opened.done.is_none() && opened.over.is_none();
    let facts = vec![
        ("Rule", format!("{}, step {}", clean(&alert.rule, 60), wording.on_scale(alert.threshold))),
        ("Raised", moment(alert.raised_at, look.now, zone)),
        ("Ref", wording.reference()),
    ];
    let title = match opened.link.action {
        LinkAction::Acknowledge => "Acknowledge",
        LinkAction::Silence => "Silence",
        LinkAction::Explain => "Explain",
    };
    let named = Frame::bare(format!("{title}: {}", text.name));
    Page {
        frame: Frame { made: moment(look.now, look.now, zone), ..named },
        first: text.first,
        facts,
        done: opened.done.clone(),
        button: can_act.then(|| button(look, opened, &wording)).flatten(),
        over: opened.over.filter(|_| opened.done.is_none()),
    }
}

fn button(look: &Look, opened: &Opened, wording: &AlertWording<'_>) -> Option<Button> {
    let (name, what) = match opened.link.action {
        LinkAction::Acknowledge => {
            let what = "Says that somebody knows of it, and of all that its message told of this \
                customer. Reminders end until a higher step is reached.";
            ("Acknowledge", what.to_owned())
        }
        LinkAction::Silence => ("Silence until the period's end", silence(opened, wording)),
        LinkAction::Explain => return None,
    };
    let until = look.now.saturating_add(FORM).unwrap_or(look.now);
    Some(Button {
        address: look.path.clone(),
        name,
        what,
        form: opened.key.sign_form(&opened.link, until),
        author: clean(&opened.link.notifier, 60),
    })
}

fn silence(opened: &Opened, wording: &AlertWording<'_>) -> String {
    let rule = clean(&opened.row.snapshot.alert.rule, 60);
    let who = &wording.who;
    let above = opened.row.snapshot.context.next_at.map_or_else(
        || ", however high it goes".to_owned(),
        |at| format!(", unless it goes above {}", wording.on_scale(at)),
    );
    format!("Nobody is told of rule \"{rule}\" for {who} until the billing period ends{above}.")
}

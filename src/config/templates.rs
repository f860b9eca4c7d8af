//! Reads the templates of a notifier. What they are given, and how they are tried, is in `notify`.

use crate::config::reader::Table;
use crate::fs;
use crate::notify::{Escape, Template, Templates};
use crate::text::decode;

/// The most bytes that a file with a template may have.
const MOST: u64 = 1 << 20;

/// The templates of the notifier in `table`.
pub(crate) fn read(table: &Table<'_>) -> Templates {
    let body = match table.text("type").map(|kind| kind.value) {
        Some("email" | "graph-mail") => Some(Escape::Plain),
        Some("slack") => Some(Escape::Slack),
        Some("webhook") => Some(Escape::Json),
        _ => None,
    };
    // A template is given all that is known of an alert, which is not for customers.
    let body =
        body.filter(|_| table.text("audience").is_none_or(|audience| audience.value != "customer"));
    let subject = body.filter(|escape| *escape == Escape::Plain);
    Templates {
        subject: template(
            table,
            "subject",
            subject,
            "only mails to your own people can have a subject of yours: remove it, or write what \
                it says into body",
        ),
        body: template(
            table,
            "body",
            body,
            "messages of this type, and all messages to customers, have a form of their own: \
                remove it",
        ),
    }
}

/// One template; `impossible` says why there can be none where values are made harmless for
/// nothing.
fn template(
    table: &Table<'_>,
    name: &str,
    escape: Option<Escape>,
    impossible: &str,
) -> Option<Template> {
    let entry = table.entry(name)?;
    let Some(escape) = escape else {
        table.reader.mistake(entry.key, impossible);
        return None;
    };
    let Some(place) = table.table(name) else {
        let text = table.text(name)?;
        return table.reader.accept(&text.span, Template::try_new(text.value, escape));
    };
    let file = place.text("file")?;
    let bytes = fs::read(&table.reader.read_path(&file), MOST)
        .map_err(|error| format!("cannot read the template: {error}"));
    let source = bytes.and_then(|bytes| {
        decode(bytes).map_err(|error| format!("cannot read the template: {error}"))
    });
    let source = table.reader.accept(&file.span, source)?;
    table.reader.accept(&file.span, Template::try_new(&source, escape))
}

//! Security alerts for people.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::actions::SecurityAnswered;
use crate::alerting::SecurityPoll;
use crate::cli::output::labelled;
use crate::cli::table::{Column, Listing};
use crate::cli::text::{clean, count, short_moment, zone_note};
use crate::domain::{SecurityAlert, SecurityEnd};
use crate::listings::security::{SENTENCE, SecurityRow, how_old, status};
use crate::text::moment;

/// All of them.
pub(super) fn list(
    rows: &[SecurityRow],
    poll: Option<&SecurityPoll>,
    now: Timestamp,
    zone: &TimeZone,
) -> String {
    let read = how_old(poll, now);
    if rows.is_empty() {
        return format!("No security alerts. {read}\n");
    }
    let mut listing = Listing::new(&[
        Column::Whole("REF"),
        Column::Left("SEVERITY"),
        Column::Left("TYPE"),
        Column::Left("CUSTOMER"),
        Column::Left("SINCE"),
        Column::Right("HOURS"),
        Column::Left("STATUS"),
    ]);
    for row in rows {
        listing.add(vec![
            row.reference.clone().unwrap_or_else(|| "-".to_owned()),
            clean(&row.alert.severity),
            clean(&row.alert.kind),
            clean(row.called()),
            short_moment(row.since, now, zone),
            row.hours.to_string(),
            status(row, poll),
        ]);
    }
    let open = rows.iter().filter(|row| row.answered_at.is_none() && !row.alert.is_test).count();
    format!(
        "{}\n\n{}, {open} not answered. {} {read}\n",
        listing.lines(0).join("\n"),
        count(rows.len(), "security alert"),
        zone_note(zone)
    )
}

/// One with all that is known of it.
pub(super) fn one(
    row: &SecurityRow,
    alert: &SecurityAlert,
    poll: Option<&SecurityPoll>,
    now: Timestamp,
    zone: &TimeZone,
) -> String {
    let at = |at: Timestamp| moment(at, now, zone);
    let dates = [
        ("detected", alert.detected_at),
        ("first observed", alert.first_observed),
        ("last observed", alert.last_observed),
    ];
    let dates: Vec<String> = dates
        .into_iter()
        .filter_map(|(what, date)| Some(format!("{what} {}", at(date?.instant()))))
        .collect();
    let long = |text: &str| crate::text::clean(text, SENTENCE);
    let resources: Vec<String> = alert.resources.iter().map(|resource| long(resource)).collect();
    let subscriptions: Vec<String> = alert.subscriptions().into_iter().map(clean).collect();
    let lines = [
        ("Alert", long(&alert.id)),
        ("Ref", row.reference.clone().unwrap_or_default()),
        ("Customer", format!("{} ({})", clean(row.called()), clean(&row.customer.id))),
        (
            "Type",
            format!(
                "{}, severity {}, confidence {}",
                clean(&alert.kind),
                clean(&alert.severity),
                clean(&alert.confidence)
            ),
        ),
        ("Status", status(row, poll)),
        ("Seen", dates.join(", ")),
        ("Subscription", subscriptions.join(", ")),
        ("Resources", resources.join(", ")),
        ("Says", [long(&alert.display_name), long(&alert.description)].join(" ")),
        ("Age", how_old(poll, now)),
    ];
    let shown = lines.iter().filter(|(_, text)| !text.trim().is_empty());
    let lines: Vec<String> =
        shown.flat_map(|(label, text)| labelled(&format!("{label:<13}"), text.trim())).collect();
    lines.join("\n") + "\n"
}

/// What became of an answer.
pub(super) fn answered(answered: &SecurityAnswered, now: Timestamp, zone: &TimeZone) -> String {
    let alert = &answered.alert;
    let what = format!("{} of {}", clean(&alert.kind), clean(answered.customer.as_str()));
    let SecurityEnd { reason, by, at, unlisted, .. } = &answered.end;
    let reason = reason.as_deref().map(|reason| format!(" as {}", clean(reason)));
    let reason = reason.unwrap_or_default();
    let by = by.as_deref().map(|by| format!(" by {}", clean(by))).unwrap_or_default();
    let at = moment(*at, now, zone);
    match (answered.already, unlisted) {
        (true, true) => format!("{what} is no longer listed since {at}; nothing was written.\n"),
        (true, false) => {
            format!("{what} was answered already{reason}{by}, {at}; nothing was written.\n")
        }
        (false, _) => format!(
            "{what} is answered{reason}, and Microsoft shows it so. That stops nothing in Azure.\n"
        ),
    }
}

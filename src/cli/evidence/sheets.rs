//! The alerts and the messages as spreadsheets, with names and texts.

use crate::cli::evidence::document::Evidence;
use crate::cli::evidence::shown::Told;
use crate::cli::{alerts, spreadsheet, text};
use crate::text::bare;

/// `alerts.csv`: the columns of `alerts --format csv`, and each alert in words.
pub(super) fn alerts(evidence: &Evidence) -> anyhow::Result<String> {
    let heading: Vec<&str> = alerts::HEADING.into_iter().chain(["in_words"]).collect();
    let rows = evidence.rows.iter().zip(&evidence.in_words).map(|(row, words)| {
        let mut cells = alerts::cells(&row.snapshot.alert, Some(row));
        cells.push(words.clone());
        cells
    });
    spreadsheet::text(&heading, rows, b',')
}

/// `deliveries.csv`: a row for each message to each receiver.
pub(super) fn deliveries(evidence: &Evidence) -> anyhow::Result<String> {
    let heading = [
        "id",
        "identity",
        "notifier",
        "recipient",
        "kind",
        "state",
        "alerts",
        "other_alerts",
        "recorded_at",
        "ended_at",
        "attempts",
        "last_answer",
        "subject",
        "text",
        "sha256",
    ];
    spreadsheet::text(&heading, evidence.deliveries.iter().map(cells), b',')
}

fn cells(told: &Told) -> Vec<String> {
    let message = told.message.as_ref();
    let said = message.and_then(|it| it.text.clone().or_else(|| it.body.clone()));
    vec![
        told.id.to_string(),
        told.identity.to_string(),
        told.notifier.clone(),
        bare(told.recipient.as_deref().unwrap_or_default(), 320),
        told.kind.as_str().to_owned(),
        told.state.as_str().to_owned(),
        told.alerts.join(" "),
        told.other_alerts.to_string(),
        told.created_at.to_string(),
        text::or_nothing(told.ended_at),
        told.attempts.len().to_string(),
        bare(told.last_detail.as_deref().unwrap_or_default(), 500),
        message.and_then(|it| it.subject.clone()).unwrap_or_default(),
        said.unwrap_or_default(),
        message.map(|it| it.sha256.clone()).unwrap_or_default(),
    ]
}

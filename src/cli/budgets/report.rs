//! What an import did or would do: for people, for programs, for spreadsheets.

use serde_json::{Value, json};

use crate::cli::budgets::changes::Raised;
use crate::cli::budgets::outcome::{RowOutcome, Status, Summary};
use crate::cli::output::Tone;
use crate::cli::{spreadsheet, text};
use crate::domain::Severity;

/// For people.
pub(super) fn page(summary: &Summary) -> String {
    let mut lines = vec![heading(summary)];
    let mut list = |heading: &str, items: Vec<String>| {
        if !items.is_empty() {
            lines.push(format!("\n{}", Tone::Strong.paint(heading)));
            lines.extend(items.into_iter().map(|item| format!("  {item}")));
        }
    };
    let rows =
        |chosen: fn(Status) -> bool| summary.rows.iter().filter(move |row| chosen(row.status));
    list("Refused", rows(Status::is_refused).map(refused).collect());
    list("Changed", rows(|status| status == Status::Changed).map(changed).collect());
    list(
        "Would alert at the next poll",
        rows(|_| true).flat_map(|row| row.raised.iter().map(|raised| alert(row, raised))).collect(),
    );
    list("Dropped", summary.dropped.clone());
    list(
        "Notes",
        rows(|_| true)
            .flat_map(|row| row.notes.iter().map(|note| format!("line {}: {note}", row.line)))
            .collect(),
    );
    list("Warnings", summary.warnings.iter().map(|warning| Tone::Uneasy.paint(warning)).collect());
    lines.push(String::new());
    lines.push(end(summary));
    lines.join("\n") + "\n"
}

/// `4 rows of budgets.csv: 2 changed, 1 unchanged, 1 unknown`.
fn heading(summary: &Summary) -> String {
    let counts = Status::ALL.iter().map(|status| (summary.count(*status), status));
    let counts: Vec<String> = counts
        .filter(|(count, _)| *count > 0)
        .map(|(count, status)| format!("{count} {}", status.as_str()))
        .collect();
    let rows = count(summary.rows.len(), "row");
    format!(
        "{rows} of {}{}{}",
        summary.file.display(),
        if counts.is_empty() { "" } else { ": " },
        counts.join(", ")
    )
}

fn count(number: usize, noun: &str) -> String {
    text::count(u64::try_from(number).unwrap_or(u64::MAX), noun)
}

fn refused(row: &RowOutcome) -> String {
    let why = row.details.join("; ");
    let called = Some(called(row))
        .filter(|name| !name.is_empty())
        .map(|name| name + ": ")
        .unwrap_or_default();
    format!("line {}: {called}{}: {why}", row.line, Tone::Bad.paint(row.status.as_str()))
}

fn changed(row: &RowOutcome) -> String {
    format!("line {}: {}: {}", row.line, called(row), row.details.join("; "))
}

fn called(row: &RowOutcome) -> String {
    match &row.subscription_id {
        Some(subscription) => format!("{}, subscription {}", row.name, text::clean(subscription)),
        None => row.name.clone(),
    }
}

fn alert(row: &RowOutcome, raised: &Raised) -> String {
    let tone = match raised.severity {
        Severity::Critical => Tone::Bad,
        Severity::Warning => Tone::Uneasy,
        Severity::Info => Tone::Good,
    };
    let severity = tone.paint(&raised.severity.as_str().to_uppercase());
    let rule = text::clean(&raised.rule);
    format!(
        "{severity} {}: rule {rule}, {}, to {}",
        row.name,
        raised.told,
        raised.notify.join(", ")
    )
}

fn end(summary: &Summary) -> String {
    let kept = match summary.kept {
        0 => String::new(),
        kept => format!(
            " What the old one says in {} that this file does not have stays.",
            count(kept, "row")
        ),
    };
    let Some(output) = summary.output.as_ref().map(|output| output.display()) else {
        return "Nothing was written: this was a dry run, and no [customers_csv] names a file."
            .to_owned();
    };
    let force = if summary.in_force {
        "; \"systemctl reload budget-alertd\" takes it into force".to_owned()
    } else {
        format!(
            "; to take it into force, add [customers_csv] with path = \"{output}\" to the \
                configuration and reload"
        )
    };
    if summary.rows.is_empty() && summary.faults.is_empty() {
        "Nothing was written: below its first row there is none, so that it says nothing of \
            anybody."
            .to_owned()
    } else if summary.is_refused() {
        "Nothing was written: put the refused rows right, or take them out.".to_owned()
    } else if summary.dry_run {
        format!(
            "Nothing was written: this was a dry run. Without --dry-run it goes to {output}.{kept}"
        )
    } else if summary.written {
        format!("Wrote {output}{force}.{kept}")
    } else {
        format!("Nothing was written: {output} says all of it already.")
    }
}

/// For programs.
pub(super) fn document(summary: &Summary) -> Value {
    let counts = Status::ALL
        .iter()
        .map(|status| (status.as_str().to_owned(), json!(summary.count(*status))));
    json!({
        "file": summary.file,
        "counts": Value::Object(counts.collect()),
        "rows": summary.rows.iter().map(row).collect::<Vec<_>>(),
        "mistakes": summary.faults,
        "warnings": summary.warnings,
        "kept": summary.kept,
        "dropped": summary.dropped,
        "output": summary.output,
        "in_force_after_reload": summary.in_force,
        "dry_run": summary.dry_run,
        "written": summary.written,
    })
}

fn row(row: &RowOutcome) -> Value {
    let raised = row.raised.iter().map(|raised| {
        json!({
            "rule": raised.rule,
            "threshold": raised.threshold.to_string(),
            "value": raised.value.map(|value| value.to_string()),
            "severity": raised.severity,
            "notify": raised.notify,
        })
    });
    json!({
        "line": row.line,
        "status": row.status.as_str(),
        "customer_id": row.customer_id,
        "name": row.name,
        "subscription_id": row.subscription_id,
        "matched_by": row.matched_by,
        "budget_before": row.budgets.0,
        "budget_after": row.budgets.1,
        "details": row.details,
        "notes": row.notes,
        "would_alert": raised.collect::<Vec<_>>(),
    })
}

/// The rows for spreadsheets.
pub(super) fn print_csv(summary: &Summary) -> anyhow::Result<()> {
    let heading = [
        "line",
        "status",
        "customer_id",
        "name",
        "subscription_id",
        "matched_by",
        "budget_before",
        "budget_after",
        "would_alert",
        "details",
    ];
    let cells = |row: &RowOutcome| {
        let raised: Vec<String> = row
            .raised
            .iter()
            .map(|raised| format!("{} {}", raised.rule, raised.threshold))
            .collect();
        vec![
            row.line.to_string(),
            row.status.as_str().to_owned(),
            row.customer_id.clone().unwrap_or_default(),
            row.name.clone(),
            row.subscription_id.clone().unwrap_or_default(),
            row.matched_by.unwrap_or_default().to_owned(),
            row.budgets.0.clone(),
            row.budgets.1.clone(),
            raised.join("; "),
            row.details.iter().chain(&row.notes).cloned().collect::<Vec<_>>().join("; "),
        ]
    };
    spreadsheet::print(&heading, summary.rows.iter().map(cells))
}

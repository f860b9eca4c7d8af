//! `silence add`: makes a silence, and says what it hides now.

use std::path::Path;
use std::time::Duration;

use clap::{ArgGroup, Args};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::actions::{SilenceAdded, SilenceRequest, UntilWord};
use crate::analysis::{Hidden, SilencePreview};
use crate::cli::control::Control;
use crate::cli::exit::{Outcome, WrongUsage};
use crate::cli::open::CommandContext;
use crate::cli::output::{self, Tone};
use crate::cli::silence::now;
use crate::cli::text;
use crate::config::parse_duration;
use crate::domain::{Severity, parse_decimal};
use crate::listings::silences::{HiddenLine, hidden, scope, until};
use crate::text::clean;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("scope").required(true).multiple(true).args(["customers", "rules"])))]
#[command(group(ArgGroup::new("end").required(true).args(["length", "until"])))]
pub(super) struct Add {
    /// Customers, by patterns of id, name or label: "Contoso*"; all by default
    #[arg(long = "customer", value_name = "GLOB", num_args = 1..)]
    customers: Vec<String>,
    /// Rules, by patterns of their names; all by default
    #[arg(long = "rule", value_name = "GLOB", num_args = 1..)]
    rules: Vec<String>,
    /// How long: 2h, 3d
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    length: Option<Duration>,
    /// Until when: a time, a date (that day included), or period-end, the end of each customer's
    /// billing period
    #[arg(long, value_name = "TIME", value_parser = End::parse)]
    until: Option<End>,
    /// Why, for those who wonder later
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Tell it all the same when the value is above this, on the scale of the rule's steps
    #[arg(long, value_name = "VALUE", value_parser = parse_value)]
    unless_above: Option<Decimal>,
    /// Make it although it fits nobody, or lasts for more than 90 days
    #[arg(long)]
    yes: bool,
}

/// An end as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Period,
    At(Timestamp),
    Local(DateTime),
    Day(Date),
}

fn parse_value(text: &str) -> Result<Decimal, String> {
    parse_decimal(text.trim())
        .map(|parsed| parsed.value)
        .map_err(|_| "write a number, such as 300 or 99.5".to_owned())
}

impl End {
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text == "period-end" {
            return Ok(Self::Period);
        }
        if parse_duration(text).is_ok() {
            return Err(format!("that is a length: write --for {text}"));
        }
        let day = || text.parse().map(Self::Day).ok().filter(|_| text.len() == 10);
        let end = text
            .parse()
            .map(Self::At)
            .ok()
            .or_else(day)
            .or_else(|| text.parse().map(Self::Local).ok());
        end.ok_or_else(|| {
            "write 2026-11-14T18:00, 2026-11-14T18:00:00Z, 2026-11-14 or period-end".to_owned()
        })
    }

    fn settle(self, zone: &TimeZone) -> Option<crate::actions::Until> {
        let local = |at: DateTime| {
            at.to_zoned(zone.clone()).ok().map(|zoned| crate::actions::Until::At(zoned.timestamp()))
        };
        match self {
            Self::Period => Some(crate::actions::Until::Word(UntilWord::PeriodEnd)),
            Self::At(at) => Some(crate::actions::Until::At(at)),
            Self::Local(at) => local(at),
            Self::Day(day) => {
                local(day.tomorrow().ok()?.to_datetime(jiff::civil::Time::midnight()))
            }
        }
    }
}

impl Add {
    pub(super) async fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let context = CommandContext::look(path)?;
        let zone = context.paths.time_zone.clone();
        let order = self.order(&zone)?;
        let added = Control::open(context).await?.ask(order).await?;
        output::page(&page(&added, &zone))?;
        Ok(Outcome::Done)
    }

    fn order(&self, zone: &TimeZone) -> Result<SilenceRequest, WrongUsage> {
        let after = |length: Duration| {
            now()
                .checked_add(SignedDuration::try_from(length).ok()?)
                .ok()
                .map(crate::actions::Until::At)
        };
        let end = self.length.and_then(after).or_else(|| self.until?.settle(zone));
        Ok(SilenceRequest {
            customers: self.customers.clone(),
            rules: self.rules.clone(),
            unless_above: self.unless_above,
            until: end.ok_or_else(|| WrongUsage("that end is too far away".to_owned()))?,
            reason: self.reason.clone(),
            yes: self.yes,
        })
    }
}

fn page(added: &SilenceAdded, zone: &TimeZone) -> String {
    let SilenceAdded { silence, reach } = added;
    let SilencePreview { customers, crossing, worst, reminders, warnings } = reach;
    let mut lines = vec![
        format!("Silence {} of {}", silence.id, scope(silence)),
        format!("  until {}", until(silence, now(), zone)),
        format!("  by {}: {}", text::clean(&silence.author), clean(&silence.reason, 500)),
    ];
    lines.extend(
        warnings
            .iter()
            .map(|warning| format!("  {} {}", Tone::Uneasy.paint("!"), clean(warning, 500))),
    );
    lines.push(format!(
        "\nIt fits {}. Over a step now and covered: {}.",
        text::count(*customers, "customer"),
        nothing_or(*crossing)
    ));
    lines.extend(worst.iter().map(|hidden| format!("  {}", line(hidden))));
    let unnamed = crossing.saturating_sub(u64::try_from(worst.len()).unwrap_or(u64::MAX));
    if unnamed > 0 {
        lines.push(format!("  … and {unnamed} more"));
    }
    if *reminders > 0 {
        lines.push(format!(
            "Nobody is reminded of {} meanwhile.",
            text::count(*reminders, "open alert")
        ));
    }
    lines.push(
        "What comes up meanwhile is recorded, and told afterwards if it is still true then."
            .to_owned(),
    );
    lines.join("\n") + "\n"
}

fn nothing_or(crossing: u64) -> String {
    if crossing == 0 { "nothing".to_owned() } else { format!("{crossing}, worst first") }
}

fn line(covered: &Hidden) -> String {
    let tone = match covered.severity {
        Severity::Critical => Tone::Bad,
        Severity::Warning => Tone::Uneasy,
        Severity::Info => Tone::Good,
    };
    let HiddenLine { severity, who, rule, value, step, reference, told } = hidden(covered);
    let severity = tone.paint(&format!("{:<8}", severity.to_uppercase()));
    let step = format!("step {step}");
    let parts = [value.as_str(), &step, &reference, told].into_iter();
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    format!("{severity} {who}, {rule}: {}", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_times_in_a_zone_days_and_the_end_of_the_period() {
        let zone = TimeZone::get("Europe/Stockholm").unwrap();
        let end = |text: &str| {
            End::parse(text).map(|end| serde_json::to_string(&end.settle(&zone).unwrap()).unwrap())
        };
        assert_eq!(end("2026-11-14T18:00:00Z").unwrap(), "\"2026-11-14T18:00:00Z\"");
        assert_eq!(end("2026-11-14T18:00").unwrap(), "\"2026-11-14T17:00:00Z\"");
        assert_eq!(end("2026-11-14").unwrap(), "\"2026-11-14T23:00:00Z\"", "that day included");
        assert_eq!(end("period-end").unwrap(), "\"period-end\"");
        assert_eq!(end("2h").unwrap_err(), "that is a length: write --for 2h");
        assert!(end("soon").is_err());
    }
}

//! The regular report in words: whether it can be trusted, what stands, then one short list for
//! each question. What it looks like is each destination's.

use jiff::tz::TimeZone;
use serde::Serialize;

use crate::domain::{Every, OpenAlerts, Report};
use crate::notify::message::report_lists::{self, Section};
use crate::notify::message::report_numbers::{about_usd, count, grouped, were};
use crate::notify::message::rows::{Row, known};
use crate::notify::message::security::security_in_words;
use crate::text::capitalized;
use crate::text::clean::{clean, line, sentence};
use crate::text::times::{moment, seconds_between, span};

/// A report in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ReportText {
    pub subject: String,
    /// What stands large above a mail.
    pub title: String,
    /// Above that: `Daily report · Fri 20 Nov 08:00 CET`.
    pub kind: String,
    pub mood: Mood,
    /// Whether it can be trusted.
    pub first: String,
    /// What is open and owed.
    pub second: String,
    /// Why it cannot be trusted as it is, a sentence each.
    pub alarms: Vec<String>,
    pub rows: Vec<Row>,
    pub sections: Vec<Section>,
}

/// How it is, all in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mood {
    /// Nothing wants a look.
    Quiet,
    /// Something wants a look.
    Uneasy,
    /// Somebody has to act.
    Alarmed,
}

impl ReportText {
    /// The words for `report`, with times in `zone`.
    pub(crate) fn new(report: &Report, zone: &TimeZone) -> Self {
        let words = Words { report, zone };
        let date = report.at.to_zoned(zone.clone()).strftime("%a %-d %b").to_string();
        let kind = match report.every {
            Every::Day => "Daily",
            Every::Week => "Weekly",
            Every::Month => "Monthly",
        };
        let (title, alarms) = (words.title(), words.alarms());
        Self {
            subject: format!("{kind} budget report {date}: {title}"),
            kind: format!("{kind} report · {}", moment(report.at, report.at, zone)),
            mood: words.mood(),
            first: words.trust(),
            second: words.open_alerts(),
            title: capitalized(&title),
            alarms,
            rows: known([
                ("Microsoft", report.security.as_ref().map(security_in_words)),
                ("Owed", words.backlog()),
                ("Coverage", words.coverage()),
                ("Silenced", words.silenced()),
                ("Data", words.data()),
                ("Record", words.record()),
            ]),
            sections: report_lists::sections(report, zone),
        }
    }
}

struct Words<'a> {
    report: &'a Report,
    zone: &'a TimeZone,
}

impl Words<'_> {
    /// `3 over budget (about 5,120 USD), 1 critical not acknowledged`; `all quiet`.
    fn title(&self) -> String {
        let Report { over_budget, alerts, .. } = self.report;
        let trouble = (!self.alarms().is_empty()).then(|| "needs attention".to_owned());
        let over = (over_budget.total > 0).then(|| {
            format!("{} over budget{}", grouped(over_budget.total), about_usd(over_budget.usd))
        });
        let critical = (alerts.critical_unacknowledged > 0).then(|| {
            format!("{} critical not acknowledged", grouped(alerts.critical_unacknowledged))
        });
        let parts: Vec<String> = [trouble, over, critical].into_iter().flatten().collect();
        match parts.is_empty() {
            false => parts.join(", "),
            true if self.report.is_quiet() => "all quiet".to_owned(),
            true => "nobody over budget".to_owned(),
        }
    }

    fn mood(&self) -> Mood {
        if !self.alarms().is_empty() || self.report.alerts.critical_unacknowledged > 0 {
            Mood::Alarmed
        } else if self.report.is_quiet() {
            Mood::Quiet
        } else {
            Mood::Uneasy
        }
    }

    /// `2,500 customers read Fri 20 Nov 07:41 CET; the newest data is of Fri 20 Nov 03:10 CET (4 h 50 min old).`
    fn trust(&self) -> String {
        let trust = &self.report.trust;
        let Some(read) = trust.last_good_poll else {
            return "No poll has been good yet: nothing below can be trusted.".to_owned();
        };
        let at = self.report.at;
        let newest = trust.newest_data.map(|newest| {
            let age = seconds_between(newest, at).max(0);
            format!("; the newest data is of {} ({} old)", moment(newest, at, self.zone), span(age))
        });
        let stale = if trust.stale > 0 {
            format!(" {} had nothing new for three days.", count(trust.stale, "customer"))
        } else {
            String::new()
        };
        let read = moment(read, at, self.zone);
        format!(
            "{} read {read}{}.{stale}",
            count(trust.customers, "customer"),
            newest.unwrap_or_default()
        )
    }

    /// What is wrong with the daemon itself.
    fn alarms(&self) -> Vec<String> {
        let trust = &self.report.trust;
        let poll = (!trust.last_poll_good && trust.last_good_poll.is_some())
            .then(|| "The last poll failed.".to_owned());
        let notifier =
            |name: &String| format!("Notifier \"{}\" takes no messages.", clean(name, 60));
        let dead = (self.report.deliveries.dead > 0).then(|| {
            format!(
                "{} given up: run budget-alertd deliveries --state dead.",
                were(self.report.deliveries.dead, "delivery")
            )
        });
        let trouble = trust.trouble.iter().map(|text| sentence(&line(text, 300)));
        poll.into_iter()
            .chain(trust.failing_notifiers.iter().map(notifier))
            .chain(dead)
            .chain(trouble)
            .collect()
    }

    /// `Open alerts: 1 critical (1 not acknowledged), 11 warnings. 3 deliveries owed.`
    fn open_alerts(&self) -> String {
        let alerts = self.report.alerts;
        let critical = (alerts.critical > 0).then(|| {
            let open = alerts.critical_unacknowledged;
            format!(
                "{} critical{}",
                grouped(alerts.critical),
                if open > 0 {
                    format!(" ({} not acknowledged)", grouped(open))
                } else {
                    String::new()
                }
            )
        });
        let warnings = (alerts.warning > 0).then(|| count(alerts.warning, "warning"));
        let info = (alerts.info > 0).then(|| format!("{} for information", alerts.info));
        let open: Vec<String> = [critical, warnings, info].into_iter().flatten().collect();
        let open = if open.is_empty() {
            "No alert is open.".to_owned()
        } else {
            format!("Open alerts: {}.", open.join(", "))
        };
        let nobody = self.report.over_budget.total == 0 && alerts == OpenAlerts::default();
        if nobody && self.report.trust.last_good_poll.is_some() {
            format!("{open} Nobody is over budget.")
        } else {
            open
        }
    }

    fn backlog(&self) -> Option<String> {
        let owed = &self.report.deliveries;
        let oldest = owed.oldest.map(|oldest| {
            format!(", the oldest since {}", moment(oldest, self.report.at, self.zone))
        });
        (owed.owed > 0)
            .then(|| format!("{}{}", count(owed.owed, "delivery"), oldest.unwrap_or_default()))
    }

    /// `388 customers can never alert: 301 no budget, 87 muted`. Notifiers that fail are told on
    /// their own.
    fn coverage(&self) -> Option<String> {
        let coverage = &self.report.coverage;
        let reasons = coverage.reasons.iter().filter(|one| one.reason != "dead-notifier");
        let reasons: Vec<String> = reasons
            .map(|one| {
                format!("{} {}", grouped(one.customers), clean(&one.reason, 40).replace('-', " "))
            })
            .collect();
        (!reasons.is_empty()).then(|| {
            format!(
                "{} can never alert: {}; see budget-alertd coverage",
                count(coverage.never, "customer"),
                reasons.join(", ")
            )
        })
    }

    fn silenced(&self) -> Option<String> {
        let silences = self.report.trust.silences;
        (silences > 0).then(|| {
            format!("{} in force: see budget-alertd silence list", count(silences, "silence"))
        })
    }

    /// What `ledger verify --head` takes.
    fn record(&self) -> Option<String> {
        let record: String = clean(&self.report.record, 64).chars().take(16).collect();
        (!record.is_empty()).then_some(record)
    }

    fn data(&self) -> Option<String> {
        let data = &self.report.data;
        let parts = [
            (data.missing, "without a record"),
            (data.skipped, "unusable"),
            (data.currency_unknown, "of unknown currency"),
            (data.costs_fell, "with a cost that fell"),
            (data.percents_disagree, "with percentages that disagree"),
        ];
        let parts: Vec<String> = parts
            .iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, what)| format!("{} {what}", grouped(*number)))
            .collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

//! A digest as it is told: its subject, its first lines and its members in one line each. Amounts of different
//! currencies are never added.

use std::collections::HashSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::{Digest, Severity};
use crate::notify::render::rows::lateness;
use crate::notify::render::telling::Telling;
use crate::notify::render::{shortened, times};

/// How many customers a subject names.
const NAMED: usize = 5;

/// A digest as it is told.
pub(crate) struct DigestText<'a> {
    digest: &'a Digest,
    /// The members, worst first.
    pub members: Vec<Telling<'a>>,
    zone: &'a TimeZone,
}

impl<'a> DigestText<'a> {
    /// Tells `digest` with times in `zone`.
    pub(crate) fn new(digest: &'a Digest, zone: &'a TimeZone) -> Self {
        let mut members: Vec<_> = digest.alerts.iter().map(|snapshot| Telling::new(snapshot, zone)).collect();
        members.sort_by(|a, b| a.alert.worst_first(b.alert));
        Self { digest, members, zone }
    }

    /// `[12 alerts, 3 CRITICAL] Contoso Nord 900 %, Fabrikam 300 %, Wingtip 120 %`.
    pub(crate) fn subject(&self) -> String {
        let Digest { total, criticals, baseline, .. } = *self.digest;
        let criticals = if criticals == 0 { String::new() } else { format!(", {criticals} CRITICAL") };
        let first_look = if baseline { "First look: " } else { "" };
        let part = self.part().map(|part| format!(", {part}")).unwrap_or_default();
        format!("[{total} {}{criticals}{part}] {first_look}{}", plural(total, "alert", "alerts"), self.worst_named())
    }

    /// The criticals by name; without any, the worst one.
    fn worst_named(&self) -> String {
        let criticals = self.members.iter().filter(|member| member.alert.severity == Severity::Critical).count();
        let wanted = if criticals == 0 { 1 } else { criticals };
        let name = |member: &Telling<'_>| {
            let badge = member.badge().map(|badge| format!(" {}", badge.replace(' ', ""))).unwrap_or_default();
            format!("{}{badge}", shortened(&member.who, 24))
        };
        let mut names: Vec<_> = self.members.iter().take(wanted.min(NAMED)).map(name).collect();
        let unnamed = self.members.len().saturating_sub(names.len());
        if unnamed > 0 {
            names.push(format!("{unnamed} more"));
        }
        names.join(", ")
    }

    /// `part 1 of 3`, where there are several.
    pub(crate) fn part(&self) -> Option<String> {
        (self.digest.parts > 1).then(|| format!("part {} of {}", self.digest.part, self.digest.parts))
    }

    /// `First look: 12 customers are over their limits, 3 critical.`
    pub(crate) fn first_line(&self) -> String {
        let Digest { total, criticals, baseline, parts, .. } = *self.digest;
        let customers: HashSet<_> = self.members.iter().map(|member| member.alert.customer.id.key()).collect();
        let customers = u32::try_from(customers.len()).unwrap_or(u32::MAX);
        // One part knows its own members only.
        let (many, who) =
            if parts > 1 { (total, plural(total, "limit", "limits")) } else { (customers, plural(customers, "customer", "customers")) };
        let critical = if criticals == 0 { "none critical".to_owned() } else { format!("{criticals} critical") };
        let part = self.part().map(|part| format!(" This is {part}, worst first.")).unwrap_or_default();
        match (baseline, parts > 1) {
            (true, false) => format!("First look: {many} {who} {} over {} limits, {critical}.", are(many), plural(many, "its", "their")),
            (false, false) => format!("{many} {who} went over {} limits, {critical}.", plural(many, "its", "their")),
            (true, true) => format!("First look: {many} {who} {} exceeded, {critical}.{part}", are(many)),
            (false, true) => format!("{many} {who} {} exceeded in one poll, {critical}.{part}", are(many)),
        }
    }

    /// How old the data is, and what comes next.
    pub(crate) fn second_line(&self) -> String {
        let dates = self.members.iter().map(Telling::as_of);
        let (oldest, newest) = (dates.clone().min(), dates.max());
        let seen = self.members.iter().map(|member| member.alert.raised_at).max();
        let age = match (oldest, newest, seen) {
            (Some(oldest), Some(newest), Some(seen)) if oldest == newest => {
                format!(
                    "Usage as of {} ({} old).",
                    times::as_of_and_seen(oldest, seen, self.zone),
                    times::span(times::seconds_between(oldest, seen))
                )
            }
            (Some(oldest), Some(newest), Some(seen)) => {
                let age = |at: Timestamp| times::span(times::seconds_between(at, seen));
                format!("Usage between {} and {} old, seen {}.", age(newest), age(oldest), times::moment(seen, seen, self.zone))
            }
            _ => String::new(),
        };
        let next = if self.digest.baseline { " From now on, each new step is told once." } else { "" };
        format!("{age}{next}")
    }

    /// What must be known to read the numbers right, for the digest as a whole.
    pub(crate) fn note(&self, sent: Timestamp) -> Option<String> {
        let over = self.members.iter().filter(|member| sent >= member.alert.billing_period.end).count();
        let assumed =
            self.members.iter().filter(|member| member.alert.billing_period.source == crate::domain::PeriodSource::Assumed).count();
        let over = (over > 0).then(|| format!("For {over} of them the billing period is over by now."));
        let assumed = (assumed > 0).then(|| format!("For {assumed} of them the billing period is assumed."));
        let late = self.members.iter().map(|member| member.alert.raised_at).max().and_then(|seen| lateness(seen, sent));
        let notes: Vec<_> = [over, assumed, late].into_iter().flatten().collect();
        (!notes.is_empty()).then(|| notes.join(" "))
    }
}

fn plural(count: u32, one: &'static str, many: &'static str) -> &'static str {
    if count == 1 { one } else { many }
}

fn are(count: u32) -> &'static str {
    plural(count, "is", "are")
}

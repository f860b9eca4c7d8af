//! One read of Microsoft's security alerts: reads the list, asks about those that are missing from
//! it, decides what is told, records it. Usage is read by itself, and neither waits for the other.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use crate::alerting::security::{SecurityCase, SecurityNews, SecurityUnder};
use crate::alerting::{
    ANSWERED_WITHIN, NewAlert, NewSecurityStep, PollMemory, SecurityMemory, SecurityPoll,
    SecurityRecording, SecurityScoreSeen, followups, messages,
};
use crate::delivery::operator_findings::FindingClosure;
use crate::domain::{
    AlertSnapshot, FindingCode, Metric, Occasion, Profile, SecurityAlert, Suppression, has_passed,
};
use crate::ledger::{LedgerError, Reader};
use crate::poll::cycle::Cycle;
use crate::poll::security_list::Read;
use crate::poll::security_standing::{Standing, last_listed, standing};
use crate::source::{ACCESS, SecurityAlerts, SecurityError};
use crate::text::log_words;

/// How often Microsoft is asked how fast it finds that alerts are answered.
const SCORE_EVERY: Duration = Duration::from_hours(1);

/// What a read of security alerts came to.
#[derive(Debug, Clone, Default)]
pub struct SecurityReport {
    /// Whether they were read whole.
    pub good: bool,
    /// What it raised.
    pub alerts: Vec<AlertSnapshot>,
    /// How many of these are told to nobody yet.
    pub silenced: u64,
    /// What went wrong, in words.
    pub errors: Vec<String>,
    /// The source asked not to be read again before this time is over.
    pub retry_after: Option<Duration>,
}

impl Cycle {
    /// Reads security alerts once; `None` where none are to be read.
    ///
    /// Fails when the ledger cannot be read or written; what was not recorded is found again by
    /// the next read.
    pub async fn read_security(&self) -> Result<Option<SecurityReport>, LedgerError> {
        let Some(reading) = &self.security else { return Ok(None) };
        let _turn = reading.turn.lock().await;
        let now = self.clock.now();
        let since = now.saturating_sub(ANSWERED_WITHIN).unwrap_or(Timestamp::MIN);
        let mut memory = self.ledger.read(move |reader| reader.security(since)).await?;
        let mut read = Self::read_list(&reading.alerts, &memory, since).await;
        self.remember_listed(&mut memory, &read).await?;
        read.ask(&reading.alerts, &memory).await;
        let score = self.read_score(&reading.alerts, &memory, &read).await;
        let report = self.judge_security(&memory, &read, score).await?;
        self.tell_security(&read, &report).await?;
        Ok(Some(report))
    }

    /// How fast Microsoft finds that alerts are answered, now and then. That it does not say so is
    /// no trouble.
    async fn read_score(
        &self,
        source: &SecurityAlerts,
        memory: &SecurityMemory,
        read: &Read,
    ) -> (Option<SecurityScoreSeen>, Option<Timestamp>) {
        let now = self.clock.now();
        let own = |poll: &&SecurityPoll| poll.source == source.source().as_str();
        let before = memory.poll.as_ref().filter(own);
        let (score, asked) =
            before.map_or((None, None), |poll| (poll.score.clone(), poll.score_at));
        if read.failure.is_some() || asked.is_some_and(|at| !has_passed(SCORE_EVERY, at, now)) {
            return (score, asked);
        }
        let score = match source.score().await {
            Ok(score) => score.map(|score| SecurityScoreSeen {
                hours: score.hours,
                is_compliant: score.is_compliant,
            }),
            Err(error) => {
                tracing::debug!(%error, "Microsoft's mean time to answer is not known");
                score
            }
        };
        (score, Some(now))
    }

    /// Decides about all that are open, listed or not, and records it.
    async fn judge_security(
        &self,
        memory: &SecurityMemory,
        read: &Read,
        (score, score_at): (Option<SecurityScoreSeen>, Option<Timestamp>),
    ) -> Result<SecurityReport, LedgerError> {
        let now = self.clock.now();
        let good = read.failure.is_none();
        let good_before = self.good_before(memory);
        let stands = standing(memory, read, now);
        let usage = self.usage_of(&stands).await?;
        let silences = self.ledger.read(Reader::silences).await?;
        let polls: PollMemory = self.ledger.read(Reader::poll_memory).await?;
        let under = SecurityUnder {
            rules: &self.rules,
            routes: &self.routes,
            silences: &silences,
            polls: &polls,
            is_first: good_before.is_none(),
            ledger: self.ledger.identity(),
            now,
        };
        let nobody = Profile::default();
        let mut recording = SecurityRecording { now, ..SecurityRecording::default() };
        let mut all = SecurityNews::default();
        for one in &stands {
            let alert = &one.state.alert;
            let key = alert.customer.key();
            let local = self.budgets.customers.get(&key);
            let customer = usage.customer(alert);
            let since = alert.began(one.state.first_seen).0;
            let good_at = memory.poll.as_ref().and_then(|poll| poll.good_at);
            let gap = (!good && !one.is_listed).then(|| last_listed(one, good_at)).flatten();
            let case = SecurityCase {
                state: &one.state,
                remembered: one.remembered,
                customer: customer.map(|customer| &customer.seen),
                profile: local.map_or(&nobody, |local| &local.profile),
                spent: usage.spent(alert, since),
                last_listed: gap,
                is_elsewhere: one.is_elsewhere,
            };
            let mut news = case.decide(&under);
            self.name_freely(&mut news.alerts, &mut news.steps).await?;
            if one.is_changed {
                recording.states.push((key, one.state.clone()));
            }
            let tied = news.alerts.iter().map(|new| (alert.key(), new.clone()));
            recording.alerts.extend(tied);
            all.add(news);
        }
        let report = self.owe(&mut recording, all);
        recording.poll = Some(SecurityPoll {
            at: now,
            good_at: if good { Some(now) } else { good_before },
            source: self.source_name().to_owned(),
            errors: read.failure.iter().map(SecurityError::in_full).collect(),
            score,
            score_at,
        });
        if good {
            let own = self.rules.facts().filter(|rule| rule.metric == Metric::SecurityAlertHours);
            recording.settled_rules = own.map(|rule| rule.name.clone()).collect();
        }
        self.ledger.record_security(recording).await?;
        self.count_security(&stands, now);
        Ok(SecurityReport {
            good,
            errors: read.failure.iter().map(prefixed).collect(),
            retry_after: read.failure.as_ref().and_then(SecurityError::retry_after),
            ..report
        })
    }

    /// When they were last read whole from where they are read now.
    fn good_before(&self, memory: &SecurityMemory) -> Option<Timestamp> {
        let poll = memory.poll.as_ref().filter(|poll| poll.source == self.source_name());
        poll.and_then(|poll| poll.good_at)
    }

    fn source_name(&self) -> &'static str {
        self.security.as_ref().map_or("", |reading| reading.alerts.source().as_str())
    }

    /// Gives alerts of a rule that was removed and is back the identities after those that they
    /// had.
    async fn name_freely(
        &self,
        alerts: &mut [NewAlert],
        steps: &mut [NewSecurityStep],
    ) -> Result<(), LedgerError> {
        let wanted: Vec<Uuid> = alerts.iter().map(|new| new.snapshot.alert.id).collect();
        let free = self.ledger.free_alert_ids(wanted).await?;
        for (new, free) in alerts.iter_mut().zip(free) {
            let alert = &mut new.snapshot.alert;
            for step in steps.iter_mut().filter(|step| step.alert == alert.id) {
                step.alert = free;
            }
            alert.id = free;
            alert.reference = crate::domain::Alert::reference_of(free);
        }
        Ok(())
    }

    /// The messages that all of it owes.
    fn owe(&self, recording: &mut SecurityRecording, news: SecurityNews) -> SecurityReport {
        let ledger = self.ledger.identity();
        let (mut told, latest): (Vec<NewAlert>, Vec<_>) = news
            .released
            .into_iter()
            .map(|(new, latest)| (new.clone(), (new.snapshot.alert.id, latest)))
            .unzip();
        let latest: HashMap<Uuid, _> = latest.into_iter().collect();
        told.extend(news.alerts.iter().cloned());
        recording.messages = messages(&told, &self.routes, ledger);
        for message in &mut recording.messages {
            message.content.know_latest(|id| latest.get(&id).cloned());
        }
        for (occasion, told) in
            [(Occasion::Reminder, news.reminders), (Occasion::Resolved, news.resolved)]
        {
            recording.messages.extend(followups(occasion, &told, &self.routes, ledger));
        }
        recording.messages.extend(news.endings);
        recording.steps = news.steps;
        recording.changes = news.changes;
        let silenced = news.alerts.iter().filter(|new| !new.is_told()).count();
        let alerts = news.alerts.into_iter().map(|new| new.snapshot).collect();
        let silenced = u64::try_from(silenced).unwrap_or(u64::MAX);
        SecurityReport { alerts, silenced, ..SecurityReport::default() }
    }

    /// Sets the gauges; tests are in no counter.
    fn count_security(&self, stands: &[Standing<'_>], now: Timestamp) {
        let open = || {
            stands
                .iter()
                .map(|one| &one.state)
                .filter(|state| state.ended_at.is_none() && !state.alert.is_test)
        };
        for severity in crate::metrics::SECURITY_SEVERITIES {
            let is = |alert: &SecurityAlert| {
                crate::metrics::security_severity(&alert.severity) == severity
            };
            let count = open().filter(|state| is(&state.alert)).count();
            let gauge = self.metrics.security_alerts_open.with_label_values(&[severity]);
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        let since = open().map(|state| state.alert.began(state.first_seen).0).min();
        let age = since.map_or(0, |since| now.duration_since(since).as_secs().max(0));
        self.metrics.security_alert_oldest.set(age);
    }

    /// Tells the log, the metrics and the operator.
    async fn tell_security(&self, read: &Read, report: &SecurityReport) -> Result<(), LedgerError> {
        for AlertSnapshot { alert, .. } in &report.alerts {
            let is_test = alert.security.as_ref().is_some_and(|security| security.is_test);
            if !is_test {
                let labels = [alert.rule.as_str(), alert.severity.as_str()];
                self.metrics.alerts.with_label_values(&labels).inc();
            }
            tracing::info!(
                alert.r#ref = %alert.reference,
                rule = alert.rule,
                customer = alert.customer.id.as_str(),
                "{}",
                log_words::alert(alert)
            );
        }
        let silenced = Suppression::Silenced.as_str();
        self.metrics.alerts_suppressed.with_label_values(&[silenced]).inc_by(report.silenced);
        match &read.failure {
            Some(failure) => {
                let finding = failure.finding();
                let code = finding.code;
                let other = if finding.subject.is_empty() { ACCESS } else { "" };
                self.findings.report(finding).await?;
                self.findings.replace(code, other).await?;
            }
            None => {
                for subject in ["", ACCESS] {
                    let ending = FindingClosure::of("security alerts are read again");
                    let code = FindingCode::SecuritySourceFailing;
                    self.findings.clear(code, subject, ending).await?;
                }
            }
        }
        self.findings.tell_overdue().await
    }
}

fn prefixed(error: &SecurityError) -> String {
    format!("security alerts: {}", error.in_full())
}

impl SecurityNews {
    fn add(&mut self, other: Self) {
        self.alerts.extend(other.alerts);
        self.steps.extend(other.steps);
        self.changes.extend(other.changes);
        self.released.extend(other.released);
        self.reminders.extend(other.reminders);
        self.resolved.extend(other.resolved);
        self.endings.extend(other.endings);
    }
}

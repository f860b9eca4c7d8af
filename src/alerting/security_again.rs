//! Security alerts that were over and are active again: their steps are spent, so that what was told
//! of them is told once more.

use crate::alerting::security::{SecurityCase, SecurityNews, SecurityUnder, followup, told_of};
use crate::alerting::{AlertChange, OpenAlert};

impl SecurityCase<'_> {
    /// Alerts about one that is active again are not over any more. Who was told of any step hears
    /// so once, by the last alert of each rule, unless a new one tells it. A test is told once.
    pub(super) fn reopen(&self, under: &SecurityUnder<'_>, news: &mut SecurityNews) {
        let is_back = self.is_back() && !self.state.alert.is_test;
        let Some(remembered) = self.remembered.filter(|_| is_back) else { return };
        let is_open = |rule: &str| remembered.alerts.iter().any(|open| open.rule == *rule);
        let over: Vec<&OpenAlert> =
            remembered.over.iter().filter(|one| !is_open(&one.rule)).collect();
        for (place, last) in over.iter().enumerate() {
            if !over.iter().skip(place + 1).any(|other| other.rule == last.rule) {
                let of_rule = over.iter().filter(|one| one.rule == last.rule).copied();
                self.reopen_rule(last, &of_rule.collect::<Vec<_>>(), under, news);
            }
        }
    }

    /// The same for the alerts of one rule.
    fn reopen_rule(
        &self,
        last: &OpenAlert,
        alerts: &[&OpenAlert],
        under: &SecurityUnder<'_>,
        news: &mut SecurityNews,
    ) {
        let silenced = self.is_still_silenced(last, under);
        let ids = alerts.iter().map(|one| one.snapshot.alert.id);
        news.changes.extend(ids.map(|alert| AlertChange::Reopened { alert, silenced }));
        let mut notify = told_of(alerts.iter().copied());
        let told = news.alerts.iter().filter(|new| new.snapshot.alert.rule == last.rule);
        for new in told {
            notify.retain(|name| !new.notify.contains(name));
        }
        if !silenced && !notify.is_empty() {
            news.reminders.push(followup(last, notify, self.latest(under.now, None)));
        }
    }
}

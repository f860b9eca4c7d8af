//! What a line of the log says of an alert or a message, so that it can be read alone: who, how
//! much, by which rule. Names are cleaned; addresses are never in it.

use crate::domain::{Alert, Message, MetricValue};
use crate::text::amounts::{amount, money, percent};
use crate::text::{Name, clean};

/// `CRITICAL Contoso Nord 602.84 %, 120.57 of 20 SEK, rule spend at 100, ref 5F0C1C3E`.
pub(crate) fn alert(alert: &Alert) -> String {
    let value = match alert.value {
        Some(MetricValue::Number(value)) if alert.metric.is_percent() => {
            format!(" {},", percent(value))
        }
        _ => String::new(),
    };
    if let Some(security) = &alert.security {
        let hours = alert.number().map(amount).unwrap_or_default();
        return format!(
            "{} {} security alert {} not answered for {hours} h, rule {} at {}, ref {}",
            alert.severity.as_str().to_ascii_uppercase(),
            who(alert),
            clean(&security.kind, 60),
            clean(&alert.rule, 60),
            alert.threshold.normalize(),
            alert.reference
        );
    }
    let cost = match &alert.budget {
        Some(budget) => {
            format!("{} of {}", amount(alert.cost.amount), money(budget.amount, budget.currency))
        }
        None => money(alert.cost.amount, alert.cost.currency),
    };
    format!(
        "{} {}{value} {cost}, rule {} at {}, ref {}",
        alert.severity.as_str().to_ascii_uppercase(),
        who(alert),
        clean(&alert.rule, 60),
        alert.threshold.normalize(),
        alert.reference
    )
}

/// How many references a line names.
const MOST: usize = 10;

/// `alert 5F0C1C3E (CRITICAL Contoso Nord)`, `digest of 12 alerts (CRITICAL Contoso Nord first)`,
/// `news source-failing`.
pub(crate) fn message(message: &Message) -> String {
    let alerts = message.alerts();
    let what = match message {
        Message::Alert(_) | Message::Alerts(_) => "alert",
        Message::Digest(_) => "digest",
        Message::Test(_) => "test",
        Message::Reminder(_) => "reminder",
        Message::Resolved(_) => "end",
        Message::Operator(news) => {
            let over = if news.over { "end of news" } else { "news" };
            return format!("{over} {}", news.code.as_str());
        }
        Message::Report(_) => return "report".to_owned(),
    };
    let worst = alerts.first().map(|snapshot| {
        let alert = &snapshot.alert;
        format!("{} {}", alert.severity.as_str().to_ascii_uppercase(), who(alert))
    });
    match (alerts, worst) {
        ([one], Some(worst)) => format!("{what} {} ({worst})", one.alert.reference),
        (several, Some(worst)) if message.is_of_one_customer() => {
            let references: Vec<&str> =
                several.iter().take(MOST).map(|one| one.alert.reference.as_str()).collect();
            format!("{what} {} ({worst})", references.join(", "))
        }
        (several, Some(worst)) => {
            format!("{what} of {} alerts ({worst} first)", several.len())
        }
        (_, None) => what.to_owned(),
    }
}

fn who(alert: &Alert) -> String {
    let name = Name::of(&alert.customer, false);
    match &alert.subscription {
        Some(subscription) => name.within(&clean(subscription, 60)).bare(),
        None => name.bare(),
    }
}

//! Mails by the notifier alone: each is an alert of its own, rendered and sent on one of four
//! connections, by threads of as many as there are cores. No ledger.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use budget_alertd::clock::SystemClock;
use budget_alertd::domain::{Audience, Delivery, Message, Point, Readers};
use budget_alertd::metrics::Metrics;
use budget_alertd::notify::{
    Channel, Config, EmailConfig, Kind, SmtpConfig, SmtpTls, Templates, sample_alert,
};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use uuid::Uuid;

const CONNECTIONS: usize = 4;

/// Mails a second of so many, each with a chart or none.
pub(crate) fn rate(port: u16, mails: usize, chart: bool) -> f64 {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let channel = Arc::new(channel(port));
        let deliveries: Arc<Vec<_>> =
            Arc::new((0..mails).map(|number| delivery(number, chart)).collect());
        let next = Arc::new(AtomicUsize::new(0));
        let start = Instant::now();
        let limit = [(); CONNECTIONS].map(|()| {
            let (channel, deliveries, next) =
                (Arc::clone(&channel), Arc::clone(&deliveries), Arc::clone(&next));
            tokio::spawn(async move {
                while let Some(delivery) = deliveries.get(next.fetch_add(1, Ordering::Relaxed)) {
                    channel.attempt(delivery).await.unwrap();
                }
            })
        });
        for lane in limit {
            lane.await.unwrap();
        }
        mails as f64 / start.elapsed().as_secs_f64()
    })
}

fn channel(port: u16) -> Channel {
    let smtp = SmtpConfig {
        host: "127.0.0.1".into(),
        port,
        tls: SmtpTls::None,
        hello_name: None,
        sign_in: None,
    };
    let (from, to) = (
        "Budget alerts <alerts@partner.example>".parse().unwrap(),
        "oncall@partner.example".parse().unwrap(),
    );
    let config = Config {
        kind: Kind::Email(Box::new(EmailConfig { from, to: vec![to], reply_to: None, smtp })),
        name: "out".into(),
        digest_above: None,
        send_resolved: true,
        give_up_after: Duration::from_hours(1),
        timeout: Duration::from_secs(20),
        fallback: Vec::new(),
        fallback_after: Duration::from_hours(1),
        time_zone: TimeZone::UTC,
        readers: Readers::Partner,
        show_cost: true,
        templates: Templates::default(),
        partner: None,
    };
    config.build(SystemClock::shared(), Metrics::new()).unwrap()
}

fn delivery(number: usize, chart: bool) -> Delivery {
    let now = SystemClock::shared().now();
    let mut snapshot = sample_alert(now);
    snapshot.alert.customer.name = crate::overspend::name(number);
    if chart {
        // A dozen dates of the period, whose costs are those of no other customer.
        let as_of = snapshot.alert.usage_as_of.instant();
        let start = snapshot.alert.billing_period.start;
        let step = as_of.duration_since(start).as_secs() / 12;
        let cost =
            |part: i64| Decimal::from(part * part * 5 + i64::try_from(number).unwrap() * part % 97);
        let point = |part: i64| Point {
            at: start + SignedDuration::from_secs(step * part),
            cost: cost(part),
        };
        snapshot.context.cost_history = (0..12).map(point).collect();
    }
    Delivery {
        id: Uuid::new_v4(),
        identity: Uuid::new_v4(),
        notifier: "out".into(),
        recipient: Some("oncall@partner.example".into()),
        stands_in_for: None,
        audience: Audience::Partner,
        created_at: now,
        message: Message::Alert(Box::new(snapshot)),
    }
}

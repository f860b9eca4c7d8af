//! The nouns of budget alerting with their invariants; no I/O and no clock, `now` is always an
//! argument.

mod alert;
mod assessed;
mod audience;
mod budget;
mod cost_history;
mod customer;
mod decimal;
mod delivery;
mod digest_totals;
mod elapsed;
mod event;
pub mod exact;
mod finding;
mod folded;
mod glob;
mod inputs;
mod links;
mod metric;
pub mod metric_value;
mod named;
mod occasion;
mod period;
mod push_outcome;
mod reason;
mod recipients;
pub mod recorded;
mod report;
mod rule;
mod security;
mod sent_message;
mod severity;
mod silence;
pub mod spike;
mod usage;

pub use alert::{
    Alert, AlertContext, AlertSnapshot, AlertState, BudgetView, CostView, CustomerView, Ended,
    Latest, Previous,
};
pub use assessed::{Assessed, Judged, Profile};
pub use audience::{Addresses, Audience, Readers, bare_address, people};
pub use budget::{Budget, BudgetSource};
pub use cost_history::{Point, cost_history};
pub use customer::{CustomerId, CustomerKey, Plan, ResourceCost, Subscription, SubscriptionCost};
pub use decimal::{
    Currency, InvalidCurrency, Number, NumberError, canonical, grouped, parse_decimal,
    parse_wire_number, percent_of, rounded,
};
pub use delivery::{
    Delivery, DeliveryState, Digest, Keeps, Message, MessageKind, OperatorNews, Origin, Route,
};
pub use digest_totals::{DigestSum, DigestTotals};
pub use elapsed::{has_passed, is_ahead, latest};
pub use event::{CustomerEvent, EventCode};
pub use finding::{FindingCode, OperatorFinding};
pub(crate) use folded::{folded, has_no_width, name_key, same_name};
pub use glob::{Glob, InvalidGlob};
pub use inputs::{FormulaInputs, Inputs, MissingInput, Rise, Sample, Timing};
pub use links::{AlertLinks, LinkAction, in_partner_center};
pub use metric::{CrossedStep, Crossing, Direction, Metric, Unit};
pub use metric_value::MetricValue;
pub use named::NamedPeriods;
pub use occasion::Occasion;
pub use period::{BillingPeriod, LegacyCycle, PeriodSource, SummaryDates, utc_day};
pub use push_outcome::{PushOutcome, WrittenBudget};
pub use reason::{Reason, Suppression, Verdict};
pub use recipients::Recipients;
pub use report::{
    Backlog, BudgetLost, Coverage, DataQuality, Every, Growth, Named, OpenAlerts, OverBudget,
    RepeatedlyOver, Report, Spend, Sum, Top, Trust, Uncovered,
};
pub use rule::{Evaluation, Rearm, RuleFacts, SpikeReading};
pub use security::{
    ANSWER_WITHIN, Began, SecurityAlert, SecurityContext, SecurityEnd, SecurityNow, SecuritySource,
    SecuritySummary, SecurityView, Spent, SpentOf,
};
pub use sent_message::SentMessage;
pub use severity::Severity;
pub use silence::{Silence, Silenceable};
pub use usage::{UsageDate, UsageRecord};

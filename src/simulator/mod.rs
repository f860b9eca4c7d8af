//! A simulated world on real loopback sockets: a Partner Center, a mail server, HTTP receivers, and
//! a month's story for them to live through. It knows nothing of the program that is run against
//! it, and its wire forms are its own, so that a mistake in ours cannot hide in it.

mod audit;
mod consent;
mod fault;
mod http;
mod http_receiver;
mod http_server;
mod journal;
mod mail;
mod mail_receiver;
mod mailroom;
mod pagerduty;
mod partner_center;
mod port;
mod security;
mod sign_in;
mod smtp;
mod spending_budget;
mod story;
mod wire;
mod world;

pub use audit::SimAuditRecord;
pub use consent::Person;
pub use fault::{Fault, MailFault, Stage};
pub use http::{Answer, Request};
pub use http_receiver::{HttpReceiver, ReceivedRequest};
pub use journal::StillWaiting;
pub use mail::ReceivedMail;
pub use mail_receiver::MailReceiver;
pub use mailroom::MailOptions;
pub use pagerduty::{PagerDutyService, SimIncident};
pub use partner_center::{Endpoint, PartnerCenter};
pub use security::SimSecurityAlert;
pub use sign_in::{Lifetime, SignIn};
pub use spending_budget::{BudgetChange, SimBudget};
pub use story::{EventKind, Outages, Story, StoryEvent};
pub use wire::Form;
pub use world::{SimCustomer, SimPlan, SimResource, SimSubscription};

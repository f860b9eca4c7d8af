//! The simulated Partner Center: one server for the API and for the sign-in. Its customers are what
//! they were last set to; how they change over time is the story's part.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::clock::Clock;
use crate::simulator::audit::AuditTrail;
use crate::simulator::fault::Faults;
use crate::simulator::http_server::{self, Reply};
use crate::simulator::journal::Journal;
use crate::simulator::port::Port;
use crate::simulator::security::{Security, graph_error};
use crate::simulator::sign_in::{AUDIENCE, GRAPH_AUDIENCE, Tokens};
use crate::simulator::spending_budget::SpendingBudgets;
use crate::simulator::wire::{
    Collection, CustomerRecord, ResourceRecord, SubscriptionRecord, Summary,
};
use crate::simulator::{
    Answer, BudgetChange, Fault, Form, Request, SignIn, SimAuditRecord, SimBudget, SimCustomer,
    SimPlan, SimSecurityAlert, StillWaiting,
};

/// Where the collection of usage records is.
const USAGE_RECORDS: &str = "/v1/customers/usagerecords";

/// What can be asked for, and go wrong on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// `POST /{tenant}/oauth2/v2.0/token`
    Token,
    /// `POST /{tenant}/oauth2/v2.0/devicecode`
    DeviceCode,
    /// `GET /{tenant}/oauth2/v2.0/authorize`
    Authorize,
    /// `GET /v1/customers/usagerecords`
    UsageRecords,
    /// `GET /v1/customers/{id}/subscriptions/usagerecords`
    Subscriptions,
    /// `GET /v1/customers/{id}/subscriptions/{id}/usagesummary`
    Summary,
    /// `GET /v1/customers/{id}/subscriptions/{id}/resourceusagerecords`
    ResourceUsage,
    /// `GET /v1/customers/{id}/usagebudget`
    Budget,
    /// `PATCH /v1/customers/{id}/usagebudget`: a fault that answers something else makes no change,
    /// any other one makes it.
    BudgetChange,
    /// `GET /v1/auditrecords`
    AuditRecords,
    /// `GET`, `PATCH /beta/security/partner/securityAlerts`
    SecurityAlerts,
    /// `GET /beta/security/partner/securityScore/requirements`
    SecurityScore,
    /// `GET /v1/fraudEvents`, `POST /v1/fraudEvents/subscription/{id}/status`
    FraudEvents,
}

struct World {
    clock: Arc<dyn Clock>,
    seen: Journal<Request>,
    state: Mutex<State>,
    token: Faults<Fault>,
    device_code: Faults<Fault>,
    authorize: Faults<Fault>,
    usage_records: Faults<Fault>,
    subscriptions: Faults<Fault>,
    summary: Faults<Fault>,
    resource_usage: Faults<Fault>,
    budget: Faults<Fault>,
    budget_change: Faults<Fault>,
    audit_records: Faults<Fault>,
    security_alerts: Faults<Fault>,
    security_score: Faults<Fault>,
    fraud_events: Faults<Fault>,
}

struct State {
    customers: Vec<SimCustomer>,
    security: Security,
    form: Form,
    tokens: Tokens,
    budgets: SpendingBudgets,
    audit: AuditTrail,
}

/// A Partner Center on the loopback; dropping it ends it.
pub struct PartnerCenter {
    port: Port,
    world: Arc<World>,
}

impl PartnerCenter {
    /// Starts one without customers on a free port.
    pub fn start(clock: Arc<dyn Clock>, sign_in: SignIn) -> io::Result<Self> {
        let world = Arc::new(World {
            clock: Arc::clone(&clock),
            seen: Journal::new(),
            state: Mutex::new(State {
                customers: Vec::new(),
                security: Security::default(),
                form: Form::default(),
                tokens: Tokens::new(sign_in),
                budgets: SpendingBudgets::default(),
                audit: AuditTrail::default(),
            }),
            token: Faults::none(),
            device_code: Faults::none(),
            authorize: Faults::none(),
            usage_records: Faults::none(),
            subscriptions: Faults::none(),
            summary: Faults::none(),
            resource_usage: Faults::none(),
            budget: Faults::none(),
            budget_change: Faults::none(),
            audit_records: Faults::none(),
            security_alerts: Faults::none(),
            security_score: Faults::none(),
            fraud_events: Faults::none(),
        });
        let answering = Arc::clone(&world);
        let serve = http_server::serve(clock, Arc::new(move |request| answering.respond(request)));
        Ok(Self { port: Port::open(serve)?, world })
    }

    /// Base of the API, without `/v1`.
    pub fn api_url(&self) -> String {
        format!("http://{}", self.port.address())
    }

    /// Base of Microsoft Graph, with its version.
    pub fn graph_url(&self) -> String {
        format!("{}/beta", self.api_url())
    }

    /// From now on these are the security alerts.
    pub fn set_security_alerts(&self, alerts: Vec<SimSecurityAlert>) {
        self.world.state().security.alerts = alerts;
    }

    /// The security alerts, answered or not.
    pub fn security_alerts(&self) -> Vec<SimSecurityAlert> {
        self.world.state().security.alerts.clone()
    }

    /// From now on a page of security alerts holds so many.
    pub fn set_security_page(&self, size: usize) {
        self.world.state().security.page_size = Some(size);
    }

    /// From now on a page of fraud events has no more than this, whatever is asked for.
    pub fn set_most_events(&self, most: usize) {
        self.world.state().security.most_events = Some(most);
    }

    /// From now on Microsoft finds that security alerts are answered in so many hours.
    pub fn set_response_hours(&self, hours: &str) {
        self.world.state().security.hours = Some(hours.to_owned());
    }

    /// From now on answers to security alerts are taken, but change nothing.
    pub fn forget_answers(&self) {
        self.world.state().security.forgets_answers = true;
    }

    /// Base of the sign-in, without the tenant.
    pub fn login_url(&self) -> String {
        self.api_url()
    }

    /// From now on these are the customers.
    pub fn set_customers(&self, customers: Vec<SimCustomer>) {
        self.world.state().customers = customers;
    }

    /// From now on this is what the customer's `usagebudget` answers; its record stays as it is,
    /// and no `MS-RequestId` of before is known any more.
    pub fn set_spending_budget(&self, customer: &str, budget: SimBudget) {
        self.world.state().budgets.set(customer, budget);
    }

    /// Every change of a `usagebudget` so far, in order.
    pub fn budget_changes(&self) -> Vec<BudgetChange> {
        self.world.state().budgets.changes()
    }

    /// Adds a record of who did what.
    pub fn add_audit_record(&self, record: SimAuditRecord) {
        self.world.state().audit.records.push(record);
    }

    /// From now on a page of audit records holds so many.
    pub fn set_audit_page(&self, size: usize) {
        self.world.state().audit.page_size = Some(size);
    }

    /// From now on answers are written so.
    pub fn set_form(&self, form: Form) {
        self.world.state().form = form;
    }

    /// From now on the sign-in behaves as changed.
    pub fn change_sign_in(&self, change: impl FnOnce(&mut SignIn)) {
        change(&mut self.world.state().tokens.sign_in);
    }

    /// The newest refresh token; empty once revoked.
    pub fn refresh_token(&self) -> String {
        self.world.state().tokens.newest()
    }

    /// No refresh token works any more: `invalid_grant`.
    pub fn revoke_sign_in(&self) {
        self.world.state().tokens.revoke();
    }

    /// The endpoint's next request goes wrong so; several are taken in order.
    pub fn fail_once(&self, endpoint: Endpoint, fault: Fault) {
        self.world.faults(endpoint).once(fault);
    }

    /// The endpoint's requests go wrong so, until [`Self::heal`].
    pub fn fail(&self, endpoint: Endpoint, fault: Fault) {
        self.world.faults(endpoint).until_healed(fault);
    }

    /// Forgets the endpoint's planned faults.
    pub fn heal(&self, endpoint: Endpoint) {
        self.world.faults(endpoint).heal();
    }

    /// Every request so far, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.world.seen.entries()
    }

    /// Waits until at least `count` requests came, and returns them.
    pub async fn wait_for(&self, count: usize) -> Result<Vec<Request>, StillWaiting> {
        self.world.seen.wait_for(count, |_| true).await
    }

    /// Closes every connection and refuses new ones.
    pub async fn go_down(&self) -> io::Result<()> {
        self.port.go_down().await
    }

    /// Accepts connections again, on the same port.
    pub fn come_back(&self) -> io::Result<()> {
        self.port.come_back()
    }
}

impl World {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn faults(&self, endpoint: Endpoint) -> &Faults<Fault> {
        match endpoint {
            Endpoint::Token => &self.token,
            Endpoint::DeviceCode => &self.device_code,
            Endpoint::Authorize => &self.authorize,
            Endpoint::UsageRecords => &self.usage_records,
            Endpoint::Subscriptions => &self.subscriptions,
            Endpoint::Summary => &self.summary,
            Endpoint::ResourceUsage => &self.resource_usage,
            Endpoint::Budget => &self.budget,
            Endpoint::BudgetChange => &self.budget_change,
            Endpoint::AuditRecords => &self.audit_records,
            Endpoint::SecurityAlerts => &self.security_alerts,
            Endpoint::SecurityScore => &self.security_score,
            Endpoint::FraudEvents => &self.fraud_events,
        }
    }

    fn respond(&self, request: Request) -> Reply {
        let (endpoint, answer) = self.state().answer(&request, self.clock.now());
        let fault = endpoint.and_then(|endpoint| self.faults(endpoint).take());
        let is_done = answer.status == 200 && !matches!(fault, Some(Fault::Answer(_)));
        if endpoint == Some(Endpoint::BudgetChange) && is_done {
            self.state().change_budget(&request, self.clock.now());
        }
        let echoed = ["MS-RequestId", "MS-CorrelationId"]
            .into_iter()
            .filter_map(|name| Some((name, request.header(name)?)));
        let answer = echoed
            .fold(answer, |answer, (name, value)| answer.with_header(name, value))
            .with_header("MS-CV", "simulated.0");
        self.seen.push(request);
        Reply { answer, fault }
    }
}

impl State {
    fn answer(&mut self, request: &Request, now: Timestamp) -> (Option<Endpoint>, Answer) {
        let path = request.path.split('?').next().unwrap_or_default().to_owned();
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (endpoint, answer) = match (request.method.as_str(), segments.as_slice()) {
            ("POST", [tenant, "oauth2", "v2.0", "token"]) => {
                return (Some(Endpoint::Token), self.tokens.exchange(tenant, request, now));
            }
            ("POST", [tenant, "oauth2", "v2.0", "devicecode"]) => {
                let base = format!("http://{}", request.header("host").unwrap_or_default());
                return (
                    Some(Endpoint::DeviceCode),
                    self.tokens.device_code(tenant, request, &base, now),
                );
            }
            ("GET", [tenant, "oauth2", "v2.0", "authorize"]) => {
                return (Some(Endpoint::Authorize), self.tokens.authorize(tenant, request));
            }
            ("GET", ["v1", "customers", "usagerecords"]) => {
                (Endpoint::UsageRecords, self.usage_records(request))
            }
            ("GET", ["v1", "customers", id, "subscriptions", "usagerecords"]) => {
                (Endpoint::Subscriptions, self.subscriptions(request, &path, id))
            }
            ("GET", ["v1", "customers", id, "subscriptions", subscription, "usagesummary"]) => {
                (Endpoint::Summary, self.summary(request, &path, id, subscription))
            }
            ("GET", ["v1", "customers", id, "subscriptions", plan, "resourceusagerecords"]) => {
                (Endpoint::ResourceUsage, self.resource_usage(request, &path, id, plan))
            }
            ("GET", ["v1", "customers", id, "usagebudget"]) => {
                (Endpoint::Budget, self.spending_budget(id))
            }
            ("PATCH", ["v1", "customers", id, "usagebudget"]) => {
                (Endpoint::BudgetChange, self.budgets.answer_to_write(id, request))
            }
            ("GET", ["v1", "auditrecords"]) => {
                (Endpoint::AuditRecords, self.audit_records(request, now))
            }
            ("GET", ["v1", "fraudEvents"]) => {
                (Endpoint::FraudEvents, self.security.fraud_events(request))
            }
            (_, ["v1", "fraudEvents", ..] | ["beta", ..]) => {
                return self.security(request, now, &segments);
            }
            _ => return (None, Answer::error(404, "1000", "Not found.")),
        };
        if !self.tokens.admits(request, AUDIENCE, now) {
            return (
                Some(endpoint),
                Answer::error(401, "800001", "Partner Token missing in request context."),
            );
        }
        if !self.tokens.sign_in.mfa {
            return (Some(endpoint), Answer::error(401, "900421", "MFA required."));
        }
        (Some(endpoint), answer)
    }

    /// What Microsoft Graph is asked for, and what changes anything.
    fn security(
        &mut self,
        request: &Request,
        now: Timestamp,
        segments: &[&str],
    ) -> (Option<Endpoint>, Answer) {
        let is_graph = segments.first() == Some(&"beta");
        let endpoint = match segments {
            ["beta", "security", "partner", "securityAlerts", ..] => Endpoint::SecurityAlerts,
            ["beta", "security", "partner", "securityScore", "requirements"] => {
                Endpoint::SecurityScore
            }
            ["v1", "fraudEvents", "subscription", _, "status"] => Endpoint::FraudEvents,
            _ => return (None, graph_error(404, "ResourceNotFound", "Not found.")),
        };
        let audience = if is_graph { GRAPH_AUDIENCE } else { AUDIENCE };
        if !self.tokens.admits(request, audience, now) {
            let refused = graph_error(401, "InvalidAuthenticationToken", "The token is not good.");
            return (Some(endpoint), refused);
        }
        if !self.tokens.sign_in.mfa {
            // With capitals, as it comes.
            let body = r#"{"Error":{"Code":"Unauthorized_MissingMFA","Message":"MFA is required for this request. The provided authentication token does not have MFA claims."}}"#;
            return (Some(endpoint), Answer::json(403, body));
        }
        let security = &mut self.security;
        let answer = match (request.method.as_str(), segments) {
            ("GET", ["beta", _, _, "securityAlerts"]) => security.list(request),
            ("GET", ["beta", _, _, "securityAlerts", id]) => security.one(id),
            ("PATCH", ["beta", _, _, "securityAlerts", id]) => security.patch(id, request, now),
            ("GET", ["beta", ..]) => security.requirements(),
            ("POST", ["v1", _, _, subscription, _]) => {
                security.answer_events(subscription, request, now)
            }
            _ => graph_error(405, "MethodNotAllowed", "Not allowed."),
        };
        (Some(endpoint), answer)
    }

    fn usage_records(&self, request: &Request) -> Answer {
        let size = self.form.page_size.unwrap_or(usize::MAX).max(1);
        let Some(from) = page_start(request) else { return wrong_token() };
        let items: Vec<_> =
            self.customers.iter().skip(from).take(size).map(CustomerRecord::of).collect();
        let next = from.saturating_add(items.len());
        let mut page = Collection::of(items, USAGE_RECORDS);
        if next < self.customers.len() {
            page = page.with_next(USAGE_RECORDS, size, continuation_token(next));
        }
        self.form.answer(request, &page)
    }

    fn subscriptions(&self, request: &Request, path: &str, id: &str) -> Answer {
        let Some(customer) = self.customer(id) else { return not_a_customer() };
        let items = customer
            .subscriptions
            .iter()
            .map(|subscription| SubscriptionRecord::of(customer, subscription))
            .collect();
        self.form.answer(request, &Collection::of(items, path))
    }

    fn summary(&self, request: &Request, path: &str, id: &str, subscription: &str) -> Answer {
        let Some(customer) = self.customer(id) else { return not_a_customer() };
        let found =
            customer.subscriptions.iter().find(|known| known.id.eq_ignore_ascii_case(subscription));
        found.and_then(|found| Summary::of(customer, found, path)).map_or_else(
            || Answer::error(404, "20003", "The subscription was not found."),
            |summary| self.form.answer(request, &summary),
        )
    }

    fn resource_usage(&self, request: &Request, path: &str, id: &str, plan: &str) -> Answer {
        let Some(customer) =
            self.customer(id).filter(|customer| matches!(customer.plan, SimPlan::AzurePlan { .. }))
        else {
            return not_a_customer();
        };
        let Some(found) =
            customer.subscriptions.iter().find(|known| known.id.eq_ignore_ascii_case(plan))
        else {
            return Answer::error(404, "20003", "The subscription was not found.");
        };
        let items = found
            .resources
            .iter()
            .map(|resource| ResourceRecord::of(customer, found, resource))
            .collect();
        self.form.answer(request, &Collection::of(items, path))
    }

    fn spending_budget(&self, id: &str) -> Answer {
        let recorded = self.customer(id).and_then(|customer| customer.budget);
        self.budgets.read(id, recorded)
    }

    fn audit_records(&self, request: &Request, now: Timestamp) -> Answer {
        page_start(request).map_or_else(wrong_token, |from| {
            self.audit.answer(request, from, now, continuation_token)
        })
    }

    /// Makes a change, and records who made it.
    fn change_budget(&mut self, request: &Request, now: Timestamp) {
        let mut segments = request.path.trim_matches('/').split('/');
        let Some(customer) = segments.nth(2) else { return };
        let Some(change) = self.budgets.write(customer, request) else { return };
        let amount = change.amount.map(|amount| amount.to_string());
        self.audit.records.push(SimAuditRecord {
            correlation: request.header("MS-CorrelationId").map(str::to_owned),
            ..SimAuditRecord::budget(customer, "daemon@partner.example", amount.as_deref(), now)
        });
    }

    fn customer(&self, id: &str) -> Option<&SimCustomer> {
        self.customers.iter().find(|customer| customer.id.eq_ignore_ascii_case(id))
    }
}

fn not_a_customer() -> Answer {
    Answer::error(403, "20002", "The partner ID has no commerce relationship with the customer ID.")
}

fn wrong_token() -> Answer {
    Answer::error(400, "3000", "Invalid property: MS-ContinuationToken.")
}

fn continuation_token(from: usize) -> String {
    use base64::Engine;
    base64::prelude::BASE64_STANDARD.encode(format!("from {from}"))
}

/// Where a page begins: at the start, or where the token that came back says; none for another
/// token.
fn page_start(request: &Request) -> Option<usize> {
    use base64::Engine;
    if !request.path.contains("seekOperation=Next") {
        return Some(0);
    }
    let token =
        base64::prelude::BASE64_STANDARD.decode(request.header("MS-ContinuationToken")?).ok()?;
    std::str::from_utf8(&token).ok()?.strip_prefix("from ")?.parse().ok()
}

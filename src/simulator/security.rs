//! The security alerts of the simulated Microsoft, as its two APIs tell of them: Microsoft Graph
//! with links to further pages, and Partner Center's fraud events as a bare list with page numbers.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::simulator::{Answer, Request};

/// What stands where there is no date.
const NO_DATE: &str = "9999-12-31T23:59:59.9970000";

/// A security alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimSecurityAlert {
    /// Its id.
    pub id: String,
    /// The customer's tenant.
    pub customer: String,
    /// The subscription; may be empty.
    pub subscription: String,
    /// The resources by their ids; of none, there is one in the subscription.
    pub resources: Vec<String>,
    /// `alertType`.
    pub kind: String,
    /// `severity`.
    pub severity: String,
    /// `confidenceLevel`.
    pub confidence: String,
    /// `status`, in small letters.
    pub status: String,
    /// `isTest`.
    pub is_test: bool,
    /// `detectedDateTime`.
    pub detected_at: Timestamp,
    /// `resolvedReason`, once it is answered.
    pub reason: Option<String>,
    /// Who answered it, and when.
    pub resolved: Option<(String, Timestamp)>,
}

impl SimSecurityAlert {
    /// An active alert of high severity about crypto mining.
    pub fn crypto_mining(id: &str, customer: &str, detected_at: Timestamp) -> Self {
        Self {
            id: id.to_owned(),
            customer: customer.to_owned(),
            subscription: "22222222-1111-4b05-8f15-b3d72e0596e6".to_owned(),
            resources: Vec::new(),
            kind: "CryptoMining".to_owned(),
            severity: "high".to_owned(),
            confidence: "medium".to_owned(),
            status: "active".to_owned(),
            is_test: false,
            detected_at,
            reason: None,
            resolved: None,
        }
    }

    /// The resources that it is about, as Microsoft Graph writes them.
    fn graph_resources(&self) -> Vec<Value> {
        let subscription = &self.subscription;
        let own = format!(
            "/subscriptions/{subscription}/resourceGroups/rg-batch/providers/Microsoft.Compute/\
                virtualMachines/vm-7"
        );
        let all = if self.resources.is_empty() { &vec![own] } else { &self.resources };
        let resource = |id| json!({ "resourceId": id, "resourceType": "AzureResource" });
        all.iter().map(resource).collect()
    }

    /// The same as Partner Center writes them: often none.
    fn event_resources(&self) -> Vec<Value> {
        let resource = |id| json!({ "azureResourceId": id, "type": "AzureResource" });
        self.resources.iter().map(resource).collect()
    }

    /// As Microsoft Graph writes it.
    fn graph(&self) -> Value {
        let (by, at) = self.resolved.clone().unzip();
        json!({
            "id": self.id, "displayName": "Action required", "description": "Something was seen.",
            "alertType": self.kind, "status": self.status, "severity": self.severity,
            "confidenceLevel": self.confidence, "customerTenantId": self.customer,
            "subscriptionId": self.subscription, "valueAddedResellerTenantId": null,
            "catalogOfferId": "MS-AZR-0017G", "detectedDateTime": self.detected_at,
            "firstObservedDateTime": self.detected_at, "lastObservedDateTime": self.detected_at,
            "resolvedReason": self.reason, "resolvedOnDateTime": at, "resolvedBy": by,
            // The documents show both forms.
            "isTest": if self.is_test { json!("true") } else { json!(false) },
            "affectedResources": self.graph_resources(),
            "activityLogs": [], "additionalDetails": { "ConnectionCount": "31" },
        })
    }

    /// As a fraud event: dates have no offset, numbers and flags are texts.
    fn fraud_event(&self) -> Value {
        let date = |at: Timestamp| at.to_string().trim_end_matches('Z').to_owned();
        let (by, at) = self.resolved.clone().unzip();
        json!({
            "eventTime": date(self.detected_at), "eventId": self.id,
            "customerTenantId": self.customer, "customerFriendlyName": "Customer by its event",
            "subscriptionId": self.subscription, "subscriptionName": "Production",
            "hitCount": "31", "eventStatus": capital(&self.status),
            "resolvedReason": self.reason.as_deref().map_or("None".to_owned(), capital),
            "resolvedOn": at.map_or(NO_DATE.to_owned(), date), "resolvedBy": by.unwrap_or_default(),
            "firstObserved": date(self.detected_at), "lastObserved": NO_DATE,
            "eventType": self.kind, "severity": capital(&self.severity),
            "confidenceLevel": self.confidence, "displayName": "Action required",
            "description": "Something was seen.", "IsTest": self.is_test.to_string(),
            "affectedResources": self.event_resources(),
            "activityLogs": "[{\"statusFrom\":\"Active\" \"broken\"}]",
        })
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The security alerts that both APIs tell of.
#[derive(Debug, Default)]
pub(crate) struct Security {
    pub(crate) alerts: Vec<SimSecurityAlert>,
    /// How many a page of Microsoft Graph holds; all where none is said.
    pub(crate) page_size: Option<usize>,
    /// More fraud events than this are on no page, whatever is asked for.
    pub(crate) most_events: Option<usize>,
    /// How fast Microsoft finds that alerts are answered.
    pub(crate) hours: Option<String>,
    /// Whether an answer is taken, but never seen afterwards.
    pub(crate) forgets_answers: bool,
}

/// The account that answers.
const ACCOUNT: &str = "budgets@partner.onmicrosoft.example";

impl Security {
    /// `GET /beta/security/partner/securityAlerts`.
    pub(crate) fn list(&self, request: &Request) -> Answer {
        let size = self.page_size.unwrap_or(usize::MAX).max(1);
        let token = query(request, "$skiptoken").and_then(|token| token.parse().ok());
        let from: usize = token.unwrap_or_default();
        let page: Vec<Value> =
            self.alerts.iter().skip(from).take(size).map(SimSecurityAlert::graph).collect();
        let next = from.saturating_add(page.len());
        let mut body = json!({ "@odata.context": "https://graph.microsoft.com/beta/$metadata" });
        if next < self.alerts.len() {
            let host = request.header("host").unwrap_or_default();
            let link = format!(
                "http://{host}/beta/security/partner/securityAlerts?$filter=status%20ne%20\
                    'resolved'&$skiptoken={next}"
            );
            set(&mut body, "@odata.nextLink", link.into());
        }
        set(&mut body, "value", page.into());
        Answer::json(200, body.to_string())
    }

    /// `GET /beta/security/partner/securityAlerts/{id}`.
    pub(crate) fn one(&self, id: &str) -> Answer {
        self.alerts.iter().find(|alert| alert.id.eq_ignore_ascii_case(id)).map_or_else(
            || graph_error(404, "ResourceNotFound", "There is no such alert."),
            |alert| Answer::json(200, alert.graph().to_string()),
        )
    }

    /// `PATCH /beta/security/partner/securityAlerts/{id}`.
    pub(crate) fn patch(&mut self, id: &str, request: &Request, now: Timestamp) -> Answer {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let (Some(status), Some(kind)) = (text("status"), text("@odata.type")) else {
            return graph_error(400, "BadRequest", "The status is missing.");
        };
        if !kind.ends_with("partner.security.partnerSecurityAlert") {
            return graph_error(400, "BadRequest", "The type is wrong.");
        }
        let reason = text("resolvedReason").map(str::to_owned);
        let forgets = self.forgets_answers;
        let Some(alert) = self.alerts.iter_mut().find(|alert| alert.id.eq_ignore_ascii_case(id))
        else {
            return self.one(id);
        };
        if !forgets {
            status.clone_into(&mut alert.status);
            alert.reason = reason;
            alert.resolved = Some((ACCOUNT.to_owned(), now));
        }
        Answer::json(200, alert.graph().to_string())
    }

    /// `GET /beta/security/partner/securityScore/requirements`.
    pub(crate) fn requirements(&self) -> Answer {
        let hours = self.hours.iter().map(|hours| {
            json!({
                "@odata.type": "#microsoft.graph.partner.security.responseTimeSecurityRequirement",
                "requirementType": "securityAlertsPromptlyResolved",
                "complianceStatus": "noncomplaint", "averageResponseTimeInHours": hours,
            })
        });
        let contact = json!({
            "@odata.type": "#microsoft.graph.partner.security.securityRequirement",
            "requirementType": "securityContactProvided", "complianceStatus": "compliant",
        });
        let all: Vec<Value> = std::iter::once(contact).chain(hours).collect();
        Answer::json(200, json!({ "value": all }).to_string())
    }

    /// `GET /v1/fraudEvents`.
    pub(crate) fn fraud_events(&self, request: &Request) -> Answer {
        if request.header("X-NewEventsModel") != Some("true") {
            return Answer::json(200, "[]");
        }
        let number = |name: &str| query(request, name).and_then(|text| text.parse::<usize>().ok());
        let most = self.most_events.unwrap_or(usize::MAX);
        let size = number("PageSize").unwrap_or(usize::MAX).min(most);
        let skipped = number("PageNumber").unwrap_or(1).saturating_sub(1).saturating_mul(size);
        let of = query(request, "SubscriptionId");
        let asked = |alert: &&SimSecurityAlert| {
            of.as_deref().is_none_or(|id| alert.subscription.eq_ignore_ascii_case(id))
        };
        let page: Vec<Value> = self
            .alerts
            .iter()
            .filter(asked)
            .skip(skipped)
            .take(size)
            .map(SimSecurityAlert::fraud_event)
            .collect();
        Answer::json(200, Value::from(page).to_string())
    }

    /// `POST /v1/fraudEvents/subscription/{id}/status`.
    pub(crate) fn answer_events(
        &mut self,
        subscription: &str,
        request: &Request,
        now: Timestamp,
    ) -> Answer {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let ids = body.get("EventIds").and_then(Value::as_array).into_iter().flatten();
        let ids: Vec<&str> = ids.filter_map(Value::as_str).collect();
        if ids.is_empty() {
            return Answer::error(400, "2000", "No event is named: that would be all of them.");
        }
        let reason = text("ResolvedReason");
        if text("EventStatus") != "Resolved" || !matches!(reason, "Fraud" | "Ignore") {
            return Answer::error(400, "2000", "Unknown status or reason.");
        }
        let meant = |alert: &&mut SimSecurityAlert| {
            alert.subscription.eq_ignore_ascii_case(subscription)
                && ids.iter().any(|id| alert.id.eq_ignore_ascii_case(id))
        };
        for alert in self.alerts.iter_mut().filter(meant) {
            "resolved".clone_into(&mut alert.status);
            alert.reason = Some(reason.to_lowercase());
            alert.resolved = Some((ACCOUNT.to_owned(), now));
        }
        Answer::json(200, "[]")
    }
}

/// An error as Microsoft Graph words it.
pub(crate) fn graph_error(status: u16, code: &str, message: &str) -> Answer {
    let body = json!({ "error": { "code": code, "message": message, "innerError": {
        "date": "2026-11-14T09:50:00", "request-id": "44444444-0000-4000-8000-000000000001",
        "client-request-id": "44444444-0000-4000-8000-000000000002",
    } } });
    Answer::json(status, body.to_string())
}

fn set(body: &mut Value, name: &str, value: Value) {
    if let Some(fields) = body.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

/// A parameter of the address.
pub(super) fn query(request: &Request, name: &str) -> Option<String> {
    let url = reqwest::Url::parse(&format!("http://simulator{}", request.path)).ok()?;
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

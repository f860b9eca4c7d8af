//! The audit records of the simulated Partner Center: changes of budgets by anybody, a page at a
//! time, and what else was recorded.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use crate::simulator::security::query;
use crate::simulator::{Answer, Request};

/// How far back records may be asked for, in days.
const LONGEST: i64 = 90;

/// A record of who did what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimAuditRecord {
    /// The customer's tenant; none of what is about the partner.
    pub customer: Option<String>,
    /// `userPrincipalName`; none of an application alone.
    pub user: Option<String>,
    /// `applicationId`: an id or a name.
    pub application: Option<String>,
    /// `operationType`.
    pub operation: String,
    /// `operationStatus`.
    pub status: String,
    /// `resourceNewValue`: a text that holds JSON.
    pub new_value: Option<String>,
    /// `originalCorrelationId`.
    pub correlation: Option<String>,
    /// `operationDate`.
    pub at: Timestamp,
}

impl SimAuditRecord {
    /// A change of a customer's budget to this amount; none clears it.
    pub fn budget(customer: &str, user: &str, amount: Option<&str>, at: Timestamp) -> Self {
        let amount = amount.unwrap_or("null");
        let body =
            format!("{{\"Amount\":{amount},\"Attributes\":{{\"ObjectType\":\"SpendingBudget\"}}}}");
        Self {
            customer: Some(customer.to_owned()),
            user: Some(user.to_owned()),
            application: Some("11111111-2222-3333-4444-555555555555".to_owned()),
            operation: "update_customer_spending_budget".to_owned(),
            status: "succeeded".to_owned(),
            new_value: Some(body),
            correlation: None,
            at,
        }
    }

    fn json(&self, number: usize) -> Value {
        let Self { customer, user, application, operation, status, new_value, at, .. } = self;
        json!({
            "id": format!("record_{number}"), "partnerId": "33333333-ef58-4347-8351-be51e4ec148c",
            "customerId": customer, "customerName": null, "userPrincipalName": user,
            "applicationId": application, "resourceType": "customer", "resourceOldValue": null,
            "resourceNewValue": new_value, "operationType": operation,
            "originalCorrelationId": self.correlation, "operationDate": format!("{at:.7}"),
            "operationStatus": status, "customizedData": [{ "key": "Amount", "value": null }],
            "attributes": { "objectType": "AuditRecord" },
        })
    }
}

/// All records, in the order in which they were made.
#[derive(Debug, Default)]
pub(crate) struct AuditTrail {
    pub(crate) records: Vec<SimAuditRecord>,
    /// How many records a page holds; none: as many as are asked for.
    pub(crate) page_size: Option<usize>,
}

impl AuditTrail {
    /// What a question is answered, from the record on where the page begins; `next` makes the
    /// token of the next page.
    pub(crate) fn answer(
        &self,
        request: &Request,
        from: usize,
        now: Timestamp,
        next: fn(usize) -> String,
    ) -> Answer {
        let wrong = |what: &str| Answer::error(400, "3000", &format!("Invalid property: {what}."));
        let today = now.to_zoned(TimeZone::UTC).date();
        let since = query(request, "startDate").map_or(Some(today), |text| day(&text));
        let Some(since) = since.filter(|day| *day >= today.saturating_sub(LONGEST.days())) else {
            return wrong("startDate");
        };
        let filter = query(request, "filter").map(|text| customer_of(&text));
        if filter == Some(None) {
            return wrong("filter");
        }
        let customer = filter.flatten();
        let fits = |record: &&SimAuditRecord| {
            let of = record.customer.as_deref().unwrap_or_default();
            record.at.to_zoned(TimeZone::UTC).date() >= since
                && customer.as_deref().is_none_or(|id| id.eq_ignore_ascii_case(of))
        };
        let all: Vec<_> = self.records.iter().filter(fits).collect();
        let asked = query(request, "size").and_then(|size| size.parse().ok()).unwrap_or(500);
        let size = self.page_size.unwrap_or(asked).max(1);
        let items = all.iter().enumerate().skip(from).take(size);
        let items: Vec<_> = items.map(|(number, record)| record.json(number)).collect();
        let end = from.saturating_add(items.len());
        let own = request.path.trim_start_matches("/v1").to_owned();
        let mut links = json!({ "self": { "uri": own, "method": "GET", "headers": [] } });
        if end < all.len() {
            let uri = own.replace("&seekOperation=Next", "") + "&seekOperation=Next";
            let headers = json!([{ "key": "MS-ContinuationToken", "value": next(end) }]);
            let link = json!({ "uri": uri, "method": "GET", "headers": headers });
            links.as_object_mut().map(|links| links.insert("next".to_owned(), link));
        }
        let body = json!({
            "totalCount": all.len(), "items": items, "links": links,
            "attributes": { "objectType": "Collection" },
        });
        Answer::json(200, body.to_string())
    }
}

/// The forms that the page and the libraries of Microsoft write.
fn day(text: &str) -> Option<Date> {
    let forms = ["%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p"];
    let moment = |form: &str| DateTime::strptime(form, text).ok().map(DateTime::date);
    text.parse().ok().or_else(|| forms.into_iter().find_map(moment))
}

/// The customer of a filter; none where it is another filter.
fn customer_of(filter: &str) -> Option<String> {
    let filter: Value = serde_json::from_str(filter).ok()?;
    let is_known = filter.get("Field")? == "CustomerId" && filter.get("Operator")? == "equals";
    filter.get("Value")?.as_str().filter(|_| is_known).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_taken_in_all_three_forms() {
        for text in ["2026-11-13", "11/13/2026 00:00:00", "11/13/2026 12:00:00 AM"] {
            assert_eq!(day(text), Some(jiff::civil::date(2026, 11, 13)), "{text}");
        }
        assert_eq!(day("yesterday"), None);
    }
}

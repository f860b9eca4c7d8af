//! Security alerts of Partner Center: `fraudEvents` in their new model, page by page, those of one
//! subscription, and the answer to one.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use reqwest::{Method, RequestBuilder, Url};
use serde_json::json;

use crate::domain::{SecurityAlert, SecuritySource};
use crate::source::call::Endpoint;
use crate::source::client::{Client, Target};
use crate::source::scan::Form;
use crate::source::security::asking::{Asking, with_json};
use crate::source::security::list::{MOST_KEPT, Pages};
use crate::source::security::score::SecurityScore;
use crate::source::security::{
    AnswerReason, Answered, Api, SecurityError, SecurityList, SecurityWanted,
};
use crate::source::{Place, SourceError};

/// How many events a page is asked for. It may have fewer and not be the last: how pages end is not
/// documented.
const PAGE_SIZE: usize = 100;
/// More pages than events of years fill.
const MOST_PAGES: usize = 10_000;
/// What switches to the new model, which has types, severities and tests.
const NEW_MODEL: (&str, &str) = ("X-NewEventsModel", "true");

/// Partner Center.
pub(super) struct FraudEvents {
    pub(super) client: Arc<Client>,
}

impl Api for FraudEvents {
    fn source(&self) -> SecuritySource {
        SecuritySource::PartnerCenter
    }

    fn list<'a>(
        &'a self,
        wanted: &'a SecurityWanted,
    ) -> Pin<Box<dyn Future<Output = SecurityList> + Send + 'a>> {
        Box::pin(self.read(None, wanted))
    }

    fn one<'a>(&'a self, alert: &'a SecurityAlert) -> Answered<'a, Option<SecurityAlert>> {
        Box::pin(async move {
            let wanted = SecurityWanted { open: [alert.key()].into(), ..SecurityWanted::default() };
            let list = self.read(alert.subscription.as_deref(), &wanted).await;
            let found = list.alerts.into_iter().find(|one| one.key() == alert.key());
            match (found, list.failure) {
                (Some(found), _) => Ok(Some(found)),
                (None, Some(failure)) => Err(failure),
                (None, None) => Ok(None),
            }
        })
    }

    fn answer<'a>(&'a self, alert: &'a SecurityAlert, reason: AnswerReason) -> Answered<'a, ()> {
        Box::pin(async move {
            let subscription = alert.only_subscription().ok_or(SecurityError::NoSubscription)?;
            let word = match reason {
                AnswerReason::Fraud => "Fraud",
                AnswerReason::Ignore => "Ignore",
                AnswerReason::Legitimate => return Err(SecurityError::ReasonRefused("legitimate")),
            };
            let url = self.client.address(&["fraudEvents", "subscription", subscription, "status"]);
            // Without an id every event of the subscription would be answered: there is always one.
            let ids = [alert.id.as_str()];
            let body =
                json!({ "EventIds": ids, "EventStatus": "Resolved", "ResolvedReason": word });
            let request = || with_json(self.request(Method::POST, &url), &body);
            let sent = self.asking().send(Endpoint::FraudEvents, request).await;
            sent.map(drop).map_err(|error| SecurityError::of(error, Place::PartnerCenter))
        })
    }

    fn takes(&self, reason: AnswerReason) -> Result<(), SecurityError> {
        match reason {
            AnswerReason::Fraud | AnswerReason::Ignore => Ok(()),
            AnswerReason::Legitimate => Err(SecurityError::ReasonRefused(reason.as_str())),
        }
    }

    fn score(&self) -> Answered<'_, Option<SecurityScore>> {
        Box::pin(std::future::ready(Ok(None)))
    }
}

impl FraudEvents {
    /// Reads all events, or those of a subscription.
    async fn read(&self, subscription: Option<&str>, wanted: &SecurityWanted) -> SecurityList {
        let mut pages = Pages::default();
        let failure = self.pages(subscription, wanted, &mut pages).await.err();
        pages.into_list(failure.map(|error| SecurityError::of(error, Place::PartnerCenter)))
    }

    /// Reads page after page, until one holds nothing that an earlier one did not.
    async fn pages(
        &self,
        subscription: Option<&str>,
        wanted: &SecurityWanted,
        pages: &mut Pages,
    ) -> Result<(), SourceError> {
        for number in 1..=MOST_PAGES {
            let mut url = self.client.address(&["fraudEvents"]);
            url.query_pairs_mut()
                .extend_pairs(subscription.map(|id| ("SubscriptionId", id)))
                .append_pair("PageSize", &PAGE_SIZE.to_string())
                .append_pair("PageNumber", &number.to_string());
            let request = || self.request(Method::GET, &url);
            let read = self.asking().page(Endpoint::FraudEvents, request, wanted, pages).await;
            let is_new = match read {
                // There is no such page.
                Err(SourceError::Refused { status: 404, .. }) if number > 1 => false,
                read => read?.1,
            };
            if pages.is_full() {
                return Err(garbled(format!("there are {MOST_KEPT} open alerts or more")));
            }
            if !is_new && pages.unreadable > 0 {
                let unreadable = pages.unreadable;
                return Err(garbled(format!("{unreadable} of the alerts cannot be read")));
            }
            if !is_new {
                return Ok(());
            }
        }
        Err(SourceError::Link { reason: format!("there were {MOST_PAGES} pages before it") })
    }

    fn asking(&self) -> Asking<'_> {
        let target = Target { place: Place::PartnerCenter, scope: None };
        Asking { client: &self.client, target, source: self.source(), form: Form::LIST }
    }

    /// A request for the new model.
    fn request(&self, method: Method, url: &Url) -> RequestBuilder {
        self.client.request(method, url.clone()).header(NEW_MODEL.0, NEW_MODEL.1)
    }
}

fn garbled(reason: String) -> SourceError {
    SourceError::Garbled { place: Place::PartnerCenter, reason }
}

//! The room's front door: one source of usage, whatever it is. Which one it is, is the
//! configuration's choice.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::clock::Clock;
use crate::domain::CustomerId;
use crate::metrics::Metrics;
use crate::secret::Secret;
use crate::source::client::Client;
use crate::source::file::FileSource;
use crate::source::{
    AuditedChange, BuildError, ChangeIds, Config, Login, ReadReport, ResourceUsage, SecurityAlerts,
    SecurityConfig, Sink, SourceError, SpendingBudget, SubscriptionSummary, SubscriptionUsage,
    audit, budget, pages, resources, summaries,
};

/// Where usage is read from.
pub struct Source {
    kind: Kind,
    metrics: Metrics,
}

enum Kind {
    PartnerCenter(Arc<Client>),
    File(FileSource),
}

impl Config {
    /// Makes the source. Nothing is read or asked yet.
    pub fn build(&self, clock: Arc<dyn Clock>, metrics: Metrics) -> Result<Source, BuildError> {
        let kind = match self {
            Self::PartnerCenter(config) => {
                Kind::PartnerCenter(Arc::new(Client::new(config, clock, metrics.clone())?))
            }
            Self::File { path } => Kind::File(FileSource::new(path)),
        };
        Ok(Source { kind, metrics })
    }
}

impl Source {
    /// Reads the whole collection ("Get usage records for all customers"), handing each usable
    /// record to `into` as it arrives; memory does not grow with the collection. `now` dates what
    /// has no usable date of its own.
    pub async fn read(&self, now: Timestamp, into: &mut dyn Sink) -> ReadReport {
        match &self.kind {
            Kind::PartnerCenter(client) => pages::read(client, now, &self.metrics, into).await,
            Kind::File(file) => file.read(now, &self.metrics, into).await,
        }
    }

    /// Whether it can be read: signs in and reads the first bytes of the collection, no more.
    pub async fn probe(&self) -> Result<(), SourceError> {
        match &self.kind {
            Kind::PartnerCenter(client) => client.probe(None).await,
            Kind::File(file) => file.probe().await,
        }
    }

    /// Renews the sign-in where that is due, as a read would.
    pub async fn renew_sign_in(&self) -> Result<(), SourceError> {
        match &self.kind {
            Kind::PartnerCenter(client) => client.sign_in().access(None).await.map(drop),
            Kind::File(_) => Ok(()),
        }
    }

    /// Why the newest sign-in is not on disk, if it is not.
    pub async fn unsaved_sign_in(&self) -> Option<String> {
        match &self.kind {
            Kind::PartnerCenter(client) => client.sign_in().unsaved().await,
            Kind::File(_) => None,
        }
    }

    /// How a person signs in; `None` for a source that needs no sign-in (a file).
    pub fn login(&self) -> Option<Login<'_>> {
        match &self.kind {
            Kind::PartnerCenter(client) => Some(Login::new(client)),
            Kind::File(_) => None,
        }
    }

    /// When the sign-in in force was issued; none where there is none, it was not looked at yet, or
    /// nobody knows.
    pub async fn sign_in_issued_at(&self) -> Option<Timestamp> {
        match &self.kind {
            Kind::PartnerCenter(client) => client.sign_in().issued_at().await,
            Kind::File(_) => None,
        }
    }

    /// What each subscription of a customer has cost, the costliest first; `None` when the source
    /// cannot tell (a file).
    pub async fn subscriptions(
        &self,
        customer: &CustomerId,
    ) -> Result<Option<Vec<SubscriptionUsage>>, SourceError> {
        match &self.kind {
            Kind::PartnerCenter(client) => {
                summaries::subscriptions(client, customer).await.map(Some)
            }
            Kind::File(_) => Ok(None),
        }
    }

    /// The period and the cost of one subscription ("Get usage summary for customer's
    /// subscription"); `None` when there is none, or the source cannot tell (a file).
    pub async fn summary(
        &self,
        customer: &CustomerId,
        subscription: &str,
    ) -> Result<Option<SubscriptionSummary>, SourceError> {
        match &self.kind {
            Kind::PartnerCenter(client) => summaries::summary(client, customer, subscription).await,
            Kind::File(_) => Ok(None),
        }
    }

    /// What the resources of an Azure plan have cost, by resource group ("Get usage data for
    /// subscription by resource"); `None` when the source cannot tell (a file).
    pub async fn resources(
        &self,
        customer: &CustomerId,
        plan: &str,
    ) -> Result<Option<ResourceUsage>, SourceError> {
        match &self.kind {
            Kind::PartnerCenter(client) => {
                resources::resources(client, customer, plan).await.map(Some)
            }
            Kind::File(_) => Ok(None),
        }
    }

    /// The budget that Partner Center has for a customer ("Get a customer's usage spending
    /// budget"); `None` when the source has no such budgets (a file).
    pub async fn spending_budget(
        &self,
        customer: &CustomerId,
    ) -> Result<Option<SpendingBudget>, SourceError> {
        match &self.kind {
            Kind::PartnerCenter(client) => budget::get(client, customer).await.map(Some),
            Kind::File(_) => Ok(None),
        }
    }

    /// Asks once to change that budget ("Update a customer's usage spending budget"), by order of a
    /// person only. `amount` is sent with the digits it has, in the currency of the customer's
    /// usage. Neither success nor failure says what the budget is now: read it. `false` when the
    /// source has no such budgets (a file).
    pub async fn change_spending_budget(
        &self,
        customer: &CustomerId,
        amount: Decimal,
        ids: ChangeIds,
    ) -> Result<bool, SourceError> {
        match &self.kind {
            Kind::PartnerCenter(client) => {
                budget::change(client, customer, amount, ids).await.map(|()| true)
            }
            Kind::File(_) => Ok(false),
        }
    }

    /// Who has changed a customer's budget since a UTC day ("Get a record of Partner Center activity
    /// by user"), in no order; the records may come late. None of a file.
    pub async fn budget_changes(
        &self,
        customer: &CustomerId,
        since: Date,
    ) -> Result<Vec<AuditedChange>, SourceError> {
        match &self.kind {
            Kind::PartnerCenter(client) => audit::budget_changes(client, customer, since).await,
            Kind::File(_) => Ok(Vec::new()),
        }
    }

    /// What reads Microsoft's security alerts by the same sign-in; `None` for a source that needs
    /// none (a file).
    pub fn security(&self, config: &SecurityConfig) -> Option<SecurityAlerts> {
        match &self.kind {
            Kind::PartnerCenter(client) => Some(SecurityAlerts::new(Arc::clone(client), config)),
            Kind::File(_) => None,
        }
    }

    /// Keeps a refresh token that a person has just signed in for: on disk when this returns, and
    /// used from the next request on. `false` when the source wants no sign-in (a file).
    pub async fn keep_sign_in(&self, token: Secret) -> std::io::Result<bool> {
        match &self.kind {
            Kind::PartnerCenter(client) => {
                client.sign_in().keep(token).await?;
                Ok(true)
            }
            Kind::File(_) => Ok(false),
        }
    }
}

//! News about the daemon itself for its operator: a value that a stage reports and assembly tells.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

/// What kind of trouble; the metric's label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[derive(IntoStaticStr, VariantArray, EnumString)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum FindingCode {
    /// The source failed; alerts may be late.
    SourceFailing,
    /// Security alerts cannot be read; usage may be.
    SecuritySourceFailing,
    /// The sign-in was refused (`invalid_grant` and the like).
    SignInRefused,
    /// The sign-in was made without multi-factor authentication.
    MfaRequired,
    /// The account lacks the role.
    RoleMissing,
    /// No items where the last good poll had some, or where there was none yet. Older ledgers call
    /// it `no-items`.
    #[serde(alias = "no-items")]
    #[strum(to_string = "usage-empty", serialize = "no-items")]
    UsageEmpty,
    /// Records that could not be used. Older ledgers call it `unusable-records`.
    #[serde(alias = "unusable-records")]
    #[strum(to_string = "records-unusable", serialize = "unusable-records")]
    RecordsUnusable,
    /// A local budget in another currency than the record's.
    CurrencyClash,
    /// A notifier refuses or cannot be reached.
    NotifierFailing,
    /// Deliveries were given up.
    DeliveryDead,
    /// A reload was refused.
    ReloadRefused,
    /// The ledger cannot be written.
    LedgerUnwritable,
    /// The sign-in is 60, 76 or 87 of its 90 days old. Older ledgers call it `sign-in-aging`.
    #[serde(alias = "sign-in-aging")]
    #[strum(to_string = "sign-in-expiring", serialize = "sign-in-aging")]
    SignInExpiring,
    /// The newest data of the whole collection is older than 36 hours.
    UsageStale,
    /// The disk of the state folder is almost full.
    DiskAlmostFull,
    /// Suspiciously many customers crossed a step in one poll.
    MassCrossing,
    /// More customers than before can never alert. Older ledgers call it `coverage-lost`.
    #[serde(alias = "coverage-lost")]
    #[strum(to_string = "coverage-grew", serialize = "coverage-lost")]
    CoverageGrew,
    /// Budgets of subscriptions could not be judged: their usage could not be read.
    SubscriptionsUnread,
    /// A claim for fraud must be filed with Microsoft soon.
    ClaimDue,
    /// The clock of this host jumped.
    ClockJumped,
    /// The configuration describes customers of whom no usage was ever seen, or has patterns that
    /// fit nobody.
    CustomersUnknown,
}

impl FindingCode {
    /// Every code.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The name used in logs, metrics, JSON and the ledger.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether overspends go unseen while it is open, whatever else works.
    pub fn hides_overspends(self) -> bool {
        matches!(
            self,
            Self::SourceFailing
                | Self::SignInRefused
                | Self::MfaRequired
                | Self::RoleMissing
                | Self::UsageEmpty
                | Self::LedgerUnwritable
                | Self::SubscriptionsUnread
        )
    }

    /// Reads the name used in the ledger.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One piece of news for the operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperatorFinding {
    /// What kind of trouble.
    pub code: FindingCode,
    /// What it is about where there can be several: a notifier's name, a customer's id; else empty.
    pub subject: String,
    /// What happened, one sentence without secrets.
    pub summary: String,
    /// What to do about it, one sentence.
    pub action: String,
}

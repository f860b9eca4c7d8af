//! What `check` doubts of a configuration that loads: files that are not there yet, ids that cannot
//! be right, and what it says of nobody.

use crate::analysis::Strangers;
use crate::cli::readable;
use crate::config::Config;
use crate::domain::CustomerKey;
use crate::ledger::Reader;
use crate::notify::{Kind, OAuthConfig, SmtpSignIn};
use crate::source;

/// The file's own warnings, and what is seen from outside it.
pub(super) fn warnings(config: &Config) -> Vec<String> {
    let mut warnings = config.warnings.clone();
    match &config.source {
        source::Config::File { path } if !path.exists() => {
            warnings.push(format!(
                "source.path: {} is not there: nothing can be read until it is",
                path.display()
            ));
        }
        source::Config::File { .. } => {}
        source::Config::PartnerCenter(partner_center) => {
            warnings.extend(application("source", &partner_center.client_id));
        }
    }
    for notifier in &config.notifiers {
        if let Some(oauth) = oauth(&notifier.kind) {
            warnings.extend(application(
                &format!("notifiers.{}.oauth", notifier.name),
                &oauth.client_id,
            ));
        }
    }
    warnings.extend(readable::warnings(config));
    warnings
}

/// What the file says of nobody, where a ledger knows who there is. One that cannot be read is no
/// fault of the file.
pub(super) fn strangers(config: &Config) -> Strangers {
    let reader = config.ledger.path.exists().then(|| Reader::open(&config.ledger).ok()).flatten();
    let found =
        reader.and_then(|reader| Strangers::find(&config.budgets, &config.rules, &reader).ok());
    found.unwrap_or_default()
}

fn oauth(kind: &Kind) -> Option<&OAuthConfig> {
    match kind {
        Kind::GraphMail(mail) => Some(&mail.oauth),
        Kind::Email(email) => match &email.smtp.sign_in {
            Some(SmtpSignIn::Token { oauth, .. }) => Some(oauth),
            _ => None,
        },
        Kind::Slack(_)
        | Kind::Webhook(_)
        | Kind::Teams(_)
        | Kind::PagerDuty(_)
        | Kind::Alertmanager(_) => None,
    }
}

/// An application's id that Microsoft Entra cannot have given.
fn application(place: &str, client_id: &str) -> Option<String> {
    let text = "an application's id is a GUID: \"Application (client) ID\" in the Entra admin \
        center (App registrations)";
    (!CustomerKey::of(client_id).is_guid()).then(|| format!("{place}.client_id: {text}"))
}

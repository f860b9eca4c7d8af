//! Which secrets a destination is sent, so that none comes back in what it says. How they are found
//! is `secret`'s.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;

use crate::http;
use crate::notify::{Kind, OAuthConfig, OAuthGrant, SmtpSignIn};
use crate::secret::{Redactor, Secret};

/// Knows the secrets of a destination; tokens that are renewed are added by those that renew them.
pub(crate) fn redactor(kind: &Kind) -> Redactor {
    let mut redactor = http::redactor();
    match kind {
        Kind::Email(email) => match &email.smtp.sign_in {
            Some(SmtpSignIn::Password { password, .. }) => redactor.add(password.expose()),
            Some(SmtpSignIn::Token { oauth, .. }) => add_grant(&mut redactor, oauth),
            None => {}
        },
        Kind::GraphMail(mail) => add_grant(&mut redactor, &mail.oauth),
        Kind::Slack(slack) => add_secret_address(&mut redactor, &slack.url),
        Kind::Teams(teams) => add_secret_address(&mut redactor, &teams.url),
        Kind::PagerDuty(pagerduty) => redactor.add(pagerduty.routing_key.expose()),
        Kind::Alertmanager(alertmanager) => {
            add_request(&mut redactor, &alertmanager.url, &alertmanager.headers);
        }
        Kind::Webhook(webhook) => {
            add_request(&mut redactor, &webhook.url, &webhook.headers);
            webhook.keys.iter().for_each(|key| redactor.add(&STANDARD.encode(key.expose())));
        }
    }
    redactor
}

fn add_grant(redactor: &mut Redactor, oauth: &OAuthConfig) {
    let (client_secret, refresh_token) = match &oauth.grant {
        OAuthGrant::Application { client_secret } => (Some(client_secret), None),
        OAuthGrant::User { client_secret, refresh_token, .. } => {
            (client_secret.as_ref(), Some(refresh_token))
        }
    };
    [client_secret, refresh_token]
        .into_iter()
        .flatten()
        .for_each(|secret| redactor.add(secret.expose()));
}

fn add_secret_address(redactor: &mut Redactor, address: &Secret) {
    if let Ok(url) = Url::parse(address.expose()) {
        redactor.add_address(&url);
    }
}

fn add_request(
    redactor: &mut Redactor,
    url: &Url,
    headers: &[(reqwest::header::HeaderName, reqwest::header::HeaderValue)],
) {
    redactor.add_address(url);
    headers
        .iter()
        .filter_map(|(_, value)| value.to_str().ok())
        .for_each(|value| redactor.add_header(value));
}

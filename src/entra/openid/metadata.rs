//! What the sign-in service says of itself (`OpenID` Connect Discovery 1.0), and whether that is
//! the service and the tenant that were meant.

use reqwest::Url;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use uuid::Uuid;

use crate::entra::openid::fault::SignInFault;
use crate::entra::openid::settings::OpenIdConfig;

/// What is used of it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Metadata {
    pub(super) issuer: String,
    #[serde(deserialize_with = "url")]
    pub(super) authorization_endpoint: Url,
    #[serde(deserialize_with = "url")]
    pub(super) token_endpoint: Url,
    #[serde(deserialize_with = "url")]
    pub(super) jwks_uri: Url,
}

fn url<'de, D: Deserializer<'de>>(from: D) -> Result<Url, D::Error> {
    String::deserialize(from)?.parse().map_err(D::Error::custom)
}

impl Metadata {
    /// Reads it; all addresses must be of the service that was asked.
    pub(super) fn parse(body: &[u8], settings: &OpenIdConfig) -> Result<Self, SignInFault> {
        let read: Self = serde_json::from_slice(body)
            .map_err(|_| SignInFault::Foreign("its description cannot be read"))?;
        let addresses = [&read.authorization_endpoint, &read.token_endpoint, &read.jwks_uri];
        if addresses.iter().any(|url| url.origin() != settings.authority.origin()) {
            return Err(SignInFault::Foreign("it names addresses of another server"));
        }
        let tenant = read.tenant(settings);
        let is_meant = Uuid::try_parse(&settings.tenant).map_or(true, |meant| {
            tenant.is_some_and(|tenant| Uuid::try_parse(tenant) == Ok(meant))
        });
        if tenant.is_none() || !is_meant {
            return Err(SignInFault::Foreign("its issuer is not {authority}/{tenant}/v2.0"));
        }
        Ok(read)
    }

    /// The tenant's id, which stands in the issuer.
    pub(super) fn tenant(&self, settings: &OpenIdConfig) -> Option<&str> {
        let base = settings.authority.as_str().trim_end_matches('/');
        let path = self.issuer.strip_prefix(base)?.strip_prefix('/')?;
        path.strip_suffix("/v2.0").filter(|tenant| Uuid::try_parse(tenant).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    const ID: &str = "5c1f1e0a-8a3e-4d6b-9f55-0d6f6f0a2c11";
    const OTHER: &str = "11111111-8a3e-4d6b-9f55-0d6f6f0a2c11";

    fn parsed(tenant: &str, issuer: &str, keys: &str) -> Result<String, String> {
        let settings = OpenIdConfig {
            authority: "https://login.example".parse().unwrap(),
            tenant: tenant.to_owned(),
            client_id: String::new(),
            client_secret: Secret::new("s"),
        };
        let body = serde_json::json!({
            "issuer": issuer,
            "authorization_endpoint": "https://login.example/a",
            "token_endpoint": "https://login.example/t",
            "jwks_uri": keys,
        });
        let read = Metadata::parse(body.to_string().as_bytes(), &settings);
        let read = read.map_err(|fault| fault.to_string())?;
        Ok(read.tenant(&settings).unwrap().to_owned())
    }

    #[test]
    fn only_the_tenant_that_was_meant_at_the_service_that_was_asked_is_accepted() {
        let issuer = format!("https://login.example/{ID}/v2.0");
        let keys = "https://login.example/k";
        assert_eq!(parsed(ID, &issuer, keys).unwrap(), ID);
        assert_eq!(parsed("partner.example", &issuer, keys).unwrap(), ID);
        assert!(parsed(OTHER, &issuer, keys).is_err());
        assert!(parsed(ID, &issuer, "https://attacker.example/k").is_err());
        assert!(parsed(ID, &issuer, "http://login.example/k").is_err());
        for issuer in [
            format!("https://attacker.example/{ID}/v2.0"),
            format!("https://login.example.attacker.example/{ID}/v2.0"),
            format!("https://login.example/{ID}"),
            "https://login.example/{tenantid}/v2.0".to_owned(),
        ] {
            assert!(parsed("partner.example", &issuer, keys).is_err(), "{issuer}");
        }
    }
}

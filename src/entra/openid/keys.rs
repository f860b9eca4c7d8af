//! The keys that the sign-in service has published (RFC 7517).

use jsonwebtoken::DecodingKey;
use serde::Deserialize;

/// The service has a handful.
const MOST: usize = 100;

/// Keys by their names.
#[derive(Default)]
pub(super) struct Keys(Vec<(String, DecodingKey)>);

#[derive(Deserialize)]
struct Published {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Key {
    kty: String,
    kid: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    n: String,
    e: String,
}

impl Keys {
    /// Those of a document that can verify; none where it is no such document.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let published: Published = serde_json::from_slice(body).ok()?;
        let keys = published.keys.into_iter().take(MOST).filter_map(|key| {
            let key: Key = serde_json::from_value(key).ok()?;
            let verifies = key.kty == "RSA" && key.purpose.is_none_or(|purpose| purpose == "sig");
            let usable = DecodingKey::from_rsa_components(&key.n, &key.e).ok()?;
            verifies.then_some((key.kid, usable))
        });
        Some(Self(keys.collect()))
    }

    /// The key of a name.
    pub(super) fn get(&self, name: &str) -> Option<&DecodingKey> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, key)| key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_to_verify_with_is_left_out() {
        let keys = br#"{ "keys": [
            { "kty": "RSA", "kid": "a", "use": "sig", "n": "0vx7", "e": "AQAB" },
            { "kty": "RSA", "kid": "b", "use": "enc", "n": "0vx7", "e": "AQAB" },
            { "kty": "EC", "kid": "c", "crv": "P-256", "x": "f83O", "y": "x_FE" },
            { "kty": "RSA", "kid": "d", "n": "?", "e": "AQAB" }, 7
        ] }"#;
        let keys = Keys::parse(keys).unwrap();
        let known = ["a", "b", "c", "d"].map(|name| keys.get(name).is_some());
        assert_eq!(known, [true, false, false, false]);
        assert!(Keys::parse(b"<html>").is_none());
    }
}

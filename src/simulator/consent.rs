//! How a person signs in to the simulated Partner Center: what they do, the codes they are given,
//! and what becomes of them. The tokens that come of it are `sign_in`'s.

use std::collections::HashMap;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};

use crate::simulator::Answer;

/// How long a device code is good for.
const DEVICE_CODE_LIFE: SignedDuration = SignedDuration::from_mins(15);

/// What the person does who is to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Person {
    /// Signs in and accepts; a device code is asked about this often before it is done.
    Accepts {
        /// Questions answered with `authorization_pending`.
        after: u32,
    },
    /// Says no.
    Declines,
    /// Never comes.
    StaysAway,
}

/// The codes that were given out and not used yet.
#[derive(Debug, Default)]
pub(crate) struct Consents {
    devices: HashMap<String, Device>,
    /// The redirect address and the proof key's challenge, by code.
    codes: HashMap<String, (String, String)>,
    given: u32,
}

#[derive(Debug)]
struct Device {
    asked: u32,
    expires: Timestamp,
}

/// Why there are no tokens: the word, the AADSTS code, the sentence.
pub(crate) type No = (&'static str, u32, &'static str);

impl Consents {
    /// Answers `POST /{tenant}/oauth2/v2.0/devicecode` (RFC 8628 section 3.2).
    pub(crate) fn device_code(&mut self, base: &str, now: Timestamp) -> Answer {
        self.given += 1;
        let code = format!("simulated-device-code-{}", self.given);
        let expires = now.saturating_add(DEVICE_CODE_LIFE).unwrap_or(Timestamp::MAX);
        let user_code = format!("SIM{:06}", self.given);
        let page = format!("{base}/device");
        let body = serde_json::json!({
            "user_code": user_code, "device_code": code, "verification_uri": page, "expires_in": DEVICE_CODE_LIFE.as_secs(),
            "interval": 1, "message": format!("To sign in, open the page {page} and enter the code \
                {user_code} to authenticate."),
        });
        self.devices.insert(code, Device { asked: 0, expires });
        Answer::json(200, body.to_string())
    }

    /// What becomes of a device code at the token endpoint (RFC 8628 section 3.5).
    pub(crate) fn redeem_device(
        &mut self,
        code: &str,
        person: Person,
        now: Timestamp,
    ) -> Result<(), No> {
        let Some(device) = self.devices.get_mut(code) else {
            return Err(("bad_verification_code", 70018, "The verification code is not known."));
        };
        device.asked += 1;
        match person {
            _ if now >= device.expires => {
                Err(("expired_token", 70020, "The device code has expired."))
            }
            Person::Declines => Err((
                "authorization_declined",
                70017,
                "The end user denied the authorization request.",
            )),
            Person::Accepts { after } if device.asked > after => {
                self.devices.remove(code);
                Ok(())
            }
            Person::Accepts { .. } | Person::StaysAway => {
                Err(("authorization_pending", 70016, "Authorization is pending."))
            }
        }
    }

    /// Answers `GET /{tenant}/oauth2/v2.0/authorize`: sends the browser back, as if the person had
    /// done their part.
    pub(crate) fn authorize(&mut self, asked: &HashMap<String, String>, person: Person) -> Answer {
        let given = |name: &str| asked.get(name).map_or("", String::as_str);
        let (redirect, state) = (given("redirect_uri"), given("state"));
        let Ok(mut back) = reqwest::Url::parse(redirect) else { return Answer::new(400) };
        let whole = given("response_type") == "code"
            && given("code_challenge_method") == "S256"
            && !state.is_empty();
        if !whole || back.host_str() != Some("localhost") || back.path() != "/" {
            return Answer::new(400).with_body("AADSTS50011: The redirect URI does not match.");
        }
        match person {
            Person::Accepts { .. } => {
                self.given += 1;
                let code = format!("simulated-code-{}", self.given);
                back.query_pairs_mut().append_pair("code", &code);
                self.codes.insert(code, (redirect.to_owned(), given("code_challenge").to_owned()));
            }
            Person::Declines => {
                back.query_pairs_mut().append_pair("error", "access_denied").append_pair(
                    "error_description",
                    "AADSTS65004: User declined to consent to access the app.",
                );
            }
            // The page that asks for the password.
            Person::StaysAway => return Answer::new(200),
        }
        back.query_pairs_mut().append_pair("state", state);
        Answer::new(302).with_header("Location", back.as_str())
    }

    /// What becomes of a code that the browser brought (RFC 7636 section 4.6): it is good once,
    /// with its proof key.
    pub(crate) fn redeem_code(
        &mut self,
        code: &str,
        redirect: &str,
        verifier: &str,
    ) -> Result<(), No> {
        let known = self.codes.remove(code);
        let digest = ring::digest::digest(&ring::digest::SHA256, verifier.as_bytes());
        match known {
            Some((address, challenge))
                if address == redirect && challenge == BASE64_URL_SAFE_NO_PAD.encode(digest) =>
            {
                Ok(())
            }
            Some(_) => Err((
                "invalid_grant",
                501_481,
                "The Code_Verifier does not match the code_challenge.",
            )),
            None => Err((
                "invalid_grant",
                70000,
                "The provided authorization code is malformed or was used before.",
            )),
        }
    }
}

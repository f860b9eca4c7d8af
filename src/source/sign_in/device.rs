//! The device code flow (RFC 8628): a person types a short code into any browser, anywhere, while
//! we ask again and again whether it is done.

use std::time::Duration;

use serde::Deserialize;

use crate::entra::{TokenAnswer, error_word};
use crate::http::one_line;
use crate::secret::Secret;
use crate::source::sign_in::authority::{Authority, SCOPE};
use crate::source::{Place, SourceError};

/// How much longer to wait between two questions once we were too fast (RFC 8628 section 3.5), or
/// were not heard.
const SLOWER_BY: Duration = Duration::from_secs(5);
/// The interval where the answer names none (RFC 8628 section 3.2).
const USUAL_INTERVAL: u64 = 5;

/// What to tell the person who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevicePrompt {
    /// The page to open.
    pub address: String,
    /// What to type there.
    pub code: String,
    /// How long the code is good for.
    pub good_for: Duration,
}

/// `devicecode`'s answer.
#[derive(Deserialize)]
struct Offer {
    device_code: String,
    user_code: String,
    #[serde(alias = "verification_url")]
    verification_uri: String,
    expires_in: u64,
    interval: Option<u64>,
}

/// Signs a person in; `show` is called once, with what they have to do.
pub(crate) async fn sign_in(
    authority: &Authority,
    show: impl FnOnce(&DevicePrompt),
) -> Result<TokenAnswer, SourceError> {
    let offer = offer(authority).await?;
    let good_for = Duration::from_secs(offer.expires_in);
    show(&DevicePrompt {
        address: one_line(&offer.verification_uri),
        code: one_line(&offer.user_code),
        good_for,
    });
    let clock = authority.clock();
    let ends = clock.monotonic().saturating_add(good_for);
    let mut interval = Duration::from_secs(offer.interval.unwrap_or(USUAL_INTERVAL).max(1));
    let device_code = Secret::new(offer.device_code);
    let grant = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("device_code", device_code.expose()),
    ];
    while clock.monotonic() < ends {
        clock.sleep(interval).await;
        let answered = match authority.ask_for_tokens(&grant).await {
            Ok(answered) => answered,
            Err(error)
                if error.is_transient() || matches!(error, SourceError::Throttled { .. }) =>
            {
                tracing::warn!("{error}");
                interval += SLOWER_BY.max(error.retry_after().unwrap_or_default().min(good_for));
                continue;
            }
            Err(error) => return Err(error),
        };
        match error_word(&answered.body).as_deref() {
            Some("authorization_pending") => {}
            Some("slow_down") => interval += SLOWER_BY,
            _ if answered.status.is_server_error() => interval += SLOWER_BY,
            _ => return authority.tokens_of(&answered, &device_code),
        }
    }
    Err(SourceError::SignInRefused {
        reason: "expired_token: nobody finished signing in while the code was good".into(),
    })
}

async fn offer(authority: &Authority) -> Result<Offer, SourceError> {
    let answered = authority.ask("devicecode", &[("scope", SCOPE)]).await?;
    if !answered.status.is_success() {
        return Err(authority.refusal(&answered, None));
    }
    let garbled = |_| SourceError::Garbled {
        place: Place::SignIn,
        reason: "the answer holds no code to sign in with".into(),
    };
    serde_json::from_slice(&answered.body).map_err(garbled)
}

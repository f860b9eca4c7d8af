//! The device code flow (RFC 8628): a person types a short code into any browser, anywhere, while
//! we ask again and again whether it is done.

use std::time::Duration;

use serde::Deserialize;

use crate::entra::{Application, TokenAnswer, TokenError};
use crate::http::one_line;
use crate::secret::Secret;
use crate::source::sign_in::SCOPE;
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
    application: &Application,
    show: impl FnOnce(&DevicePrompt),
) -> Result<TokenAnswer, SourceError> {
    let offer = offer(application).await?;
    let good_for = Duration::from_secs(offer.expires_in);
    show(&DevicePrompt {
        address: one_line(&offer.verification_uri),
        code: one_line(&offer.user_code),
        good_for,
    });
    let clock = &application.clock;
    let ends = clock.monotonic().saturating_add(good_for);
    let mut interval = Duration::from_secs(offer.interval.unwrap_or(USUAL_INTERVAL).max(1));
    let device_code = Secret::new(offer.device_code);
    let grant = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("device_code", device_code.expose()),
    ];
    application.redactor.renew(&device_code);
    while clock.monotonic() < ends {
        clock.sleep(interval).await;
        match application.tokens(&grant).await {
            Err(TokenError::Refused { refusal, .. })
                if refusal.error == "authorization_pending" => {}
            Err(TokenError::Refused { status, refusal })
                if refusal.error == "slow_down" || status.is_server_error() =>
            {
                interval += SLOWER_BY;
            }
            Err(
                error @ (TokenError::Unanswered(_)
                | TokenError::TooLarge { .. }
                | TokenError::Throttled { .. }),
            ) => {
                let error = SourceError::from(error);
                tracing::warn!("{error}");
                interval += SLOWER_BY.max(error.retry_after().unwrap_or_default().min(good_for));
            }
            answer => return Ok(answer?),
        }
    }
    Err(SourceError::SignInRefused {
        reason: "expired_token: nobody finished signing in while the code was good".into(),
    })
}

async fn offer(application: &Application) -> Result<Offer, SourceError> {
    let (_, body) = application.ask(application.beside("devicecode"), &[("scope", SCOPE)]).await?;
    let garbled = |_| SourceError::Garbled {
        place: Place::SignIn,
        reason: "the answer holds no code to sign in with".into(),
    };
    serde_json::from_slice(&body).map_err(garbled)
}

//! The links of messages by which somebody acts without signing in: each is signed for one alert,
//! one action, one notifier and a time. What they do is left to `web`; who keeps the keys, to the
//! ledger.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use uuid::Uuid;

use crate::domain::{Alert, Direction, LinkAction};

/// How long a key signs.
const SIGNS_FOR: SignedDuration = SignedDuration::from_hours(365 * 24);
/// How long it is kept after that: longer than anything holds that it has signed.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(120 * 24);
/// How long a link holds after the billing period.
const AFTER_PERIOD: SignedDuration = SignedDuration::from_hours(3 * 24);
/// How long it holds where there is no billing period: as long as the longest month, and after.
const WITHOUT_PERIOD: SignedDuration = SignedDuration::from_hours(34 * 24);
/// The bytes of a token: the key's number, the end, the alert; then the notifier, then the tag.
const HEAD: usize = 4 + 8 + 16;
const TAG: usize = 32;

/// A key that signs links. It never prints.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkKey {
    /// Its number.
    pub id: u32,
    /// Since when it signs.
    pub since: Timestamp,
    /// Known to the ledger only.
    secret: Vec<u8>,
}

/// What a link is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What it does.
    pub action: LinkAction,
    /// The alert.
    pub alert: Uuid,
    /// The notifier that it was sent by.
    pub notifier: String,
    /// Until when it holds.
    pub until: Timestamp,
}

/// Why a link does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It was not signed here, or changed since.
    #[error("this link was not made by this daemon, or it is not whole: copy all of it")]
    Forged,
    /// Its time is over.
    #[error("this link has expired: links hold until three days after the billing period")]
    Expired,
}

impl LinkKey {
    /// A key.
    pub fn new(id: u32, since: Timestamp, secret: Vec<u8>) -> Self {
        Self { id, since, secret }
    }

    /// The bytes, for the ledger, which keeps them.
    pub(crate) fn expose(&self) -> &[u8] {
        &self.secret
    }

    /// The last part of a link's address: the same for the same link.
    pub fn sign(&self, link: &Link) -> String {
        let mut token = self.id.to_be_bytes().to_vec();
        token.extend(link.until.as_second().to_be_bytes());
        token.extend(link.alert.as_bytes());
        token.extend(link.notifier.as_bytes());
        let tag = hmac::sign(&self.hmac(), &signed(link.action, &token));
        token.extend(tag.as_ref());
        URL_SAFE_NO_PAD.encode(token)
    }

    /// What the form of a link's page brings back, until some time.
    pub fn sign_form(&self, link: &Link, until: Timestamp) -> String {
        let until = until.as_second();
        let tag = hmac::sign(&self.hmac(), form(link, until).as_bytes());
        format!("{until}.{}", URL_SAFE_NO_PAD.encode(tag))
    }

    /// Whether that was signed here for this link, and holds still.
    pub fn holds_form(&self, link: &Link, text: &str, now: Timestamp) -> bool {
        let Some((until, tag)) = text.split_once('.') else { return false };
        let (Ok(until), Ok(tag)) = (until.parse::<i64>(), URL_SAFE_NO_PAD.decode(tag)) else {
            return false;
        };
        let genuine = hmac::verify(&self.hmac(), form(link, until).as_bytes(), &tag).is_ok();
        genuine && now.as_second() < until
    }

    fn hmac(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.secret)
    }
}

impl std::fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LinkKey({}, ***)", self.id)
    }
}

fn signed(action: LinkAction, token: &[u8]) -> Vec<u8> {
    [b"budget-alertd link\0", action.as_str().as_bytes(), b"\0", token].concat()
}

fn form(link: &Link, until: i64) -> String {
    let Link { action, alert, notifier, .. } = link;
    format!("budget-alertd link form\0{}\0{alert}\0{until}\0{notifier}", action.as_str())
}

/// The link that a token stands for, and the key that has signed it.
pub fn verified<'a>(
    keys: &'a [LinkKey],
    action: LinkAction,
    token: &str,
    now: Timestamp,
) -> Result<(Link, &'a LinkKey), LinkError> {
    let (link, key) = genuine(keys, action, token).ok_or(LinkError::Forged)?;
    if now < link.until { Ok((link, key)) } else { Err(LinkError::Expired) }
}

fn genuine<'a>(
    keys: &'a [LinkKey],
    action: LinkAction,
    token: &str,
) -> Option<(Link, &'a LinkKey)> {
    let token = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (signed_part, tag) = token.split_at_checked(token.len().checked_sub(TAG)?)?;
    let (head, notifier) = signed_part.split_at_checked(HEAD)?;
    let (id, rest) = head.split_first_chunk::<4>()?;
    let (until, alert) = rest.split_first_chunk::<8>()?;
    let key = keys.iter().find(|key| key.id == u32::from_be_bytes(*id))?;
    // In constant time, as ring compares.
    hmac::verify(&key.hmac(), &signed(action, signed_part), tag).ok()?;
    let link = Link {
        action,
        alert: Uuid::from_slice(alert).ok()?,
        notifier: String::from_utf8(notifier.to_vec()).ok()?,
        until: Timestamp::from_second(i64::from_be_bytes(*until)).ok()?,
    };
    Some((link, key))
}

/// The key that signs what was recorded at an instant: the one of then, so that a message has the
/// same links however late it is sent again.
pub fn key_of(keys: &[LinkKey], recorded: Timestamp) -> Option<&LinkKey> {
    let then = keys.iter().filter(|key| key.since <= recorded).max_by_key(|key| key.since);
    then.or_else(|| keys.iter().min_by_key(|key| key.since))
}

/// Whether a new key has to be made. One of the future was made by a clock that was wrong.
pub fn wants_new_key(keys: &[LinkKey], now: Timestamp) -> bool {
    let newest = keys.iter().map(|key| key.since).filter(|since| *since <= now).max();
    newest.is_none_or(|since| now.duration_since(since) >= SIGNS_FOR)
}

/// The numbers of the keys that have signed nothing for so long that nothing of it holds: those
/// whose successor signs for that time. By when they were made themselves it cannot be said, since
/// the clock may have been wrong then.
pub fn forgotten(keys: &[LinkKey], now: Timestamp) -> Vec<u32> {
    let mut past: Vec<&LinkKey> = keys.iter().filter(|key| key.since <= now).collect();
    past.sort_by_key(|key| key.since);
    past.windows(2)
        .filter_map(|pair| if let [key, next] = pair { Some((key, next)) } else { None })
        .filter(|(_, next)| now.duration_since(next.since) >= KEPT_FOR)
        .map(|(key, _)| key.id)
        .collect()
}

/// Until when links of an alert hold.
pub fn holds_until(alert: &Alert) -> Timestamp {
    let (from, after) = if alert.security.is_some() || !alert.has_usage() {
        (alert.raised_at, WITHOUT_PERIOD)
    } else {
        (alert.billing_period.end, AFTER_PERIOD)
    };
    from.saturating_add(after).unwrap_or(Timestamp::MAX)
}

/// Whether an alert may be silenced by a link: not where nothing of what is worse would be told,
/// or where it is about more than this alert.
pub fn may_be_silenced(alert: &Alert) -> bool {
    alert.security.is_none()
        && alert.has_usage()
        && alert.metric.direction() == Direction::Up
        && !alert.is_over_zero()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn key(id: u32, since: &str) -> LinkKey {
        LinkKey::new(id, at(since), vec![u8::try_from(id).unwrap(); 32])
    }

    #[test]
    fn a_token_stands_for_its_link_and_for_no_other() {
        let keys = [key(1, "2026-01-01T00:00:00Z"), key(2, "2027-01-01T00:00:00Z")];
        let now = at("2027-01-02T00:00:00Z");
        for (key, notifier) in keys.iter().zip(["oncall", ""]) {
            let link = Link {
                action: LinkAction::Silence,
                alert: Uuid::from_u128(7),
                notifier: notifier.to_owned(),
                until: at("2027-01-03T00:00:00Z"),
            };
            let token = key.sign(&link);
            assert_eq!(token, key.sign(&link), "the same each time");
            let read = |action, now| verified(&keys, action, &token, now);
            assert_eq!(read(LinkAction::Silence, now), Ok((link.clone(), key)));
            assert_eq!(read(LinkAction::Acknowledge, now), Err(LinkError::Forged));
            assert_eq!(read(LinkAction::Silence, link.until), Err(LinkError::Expired));
            assert_eq!(verified(&[], LinkAction::Silence, &token, now), Err(LinkError::Forged));
            let stranger = [LinkKey::new(key.id, now, vec![9; 32])];
            let foreign = verified(&stranger, LinkAction::Silence, &token, now);
            assert_eq!(foreign, Err(LinkError::Forged));
            let form = key.sign_form(&link, link.until);
            assert!(key.holds_form(&link, &form, now) && !key.holds_form(&link, &form, link.until));
            let other = Link { action: LinkAction::Acknowledge, ..link };
            assert!(!key.holds_form(&other, &form, now));
        }
        for text in ["", "AAAA", "%", &"A".repeat(100)] {
            let read = verified(&keys, LinkAction::Silence, text, now);
            assert_eq!(read, Err(LinkError::Forged), "{text}");
        }
    }

    #[test]
    fn what_was_recorded_is_signed_by_the_key_of_then() {
        let keys = [key(1, "2026-01-01T00:00:00Z"), key(2, "2027-01-01T00:00:00Z")];
        let of = |text| key_of(&keys, at(text)).map(|key| key.id);
        assert_eq!(of("2026-12-31T23:59:59Z"), Some(1));
        assert_eq!(of("2027-01-01T00:00:00Z"), Some(2));
        assert_eq!(of("2025-01-01T00:00:00Z"), Some(1), "before there was any");
        assert_eq!(key_of(&[], at("2027-01-01T00:00:00Z")), None);
    }
}

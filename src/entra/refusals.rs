//! The sign-in service's refusals in plain words: what each code means, and what to do about it for
//! those that sign in. The codes are those of "Microsoft Entra authentication and authorization
//! error codes" (AADSTS…), and the words of RFC 6749 and RFC 8628.

/// What a refusal means, and what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Advice {
    /// What it means for a person, a sentence.
    pub(crate) means: &'static str,
    /// What to do where a person signs in to Partner Center, sentences.
    pub(crate) for_source: &'static str,
    /// What to do where a notifier signs in by what is configured, a fragment.
    pub(crate) for_notifier: &'static str,
}

struct Refusal {
    /// `AADSTS` codes without these letters, or words of OAuth.
    signs: &'static [&'static str],
    advice: Advice,
}

const fn refusal(
    signs: &'static [&'static str],
    means: &'static str,
    for_source: &'static str,
    for_notifier: &'static str,
) -> Refusal {
    Refusal { signs, advice: Advice { means, for_source, for_notifier } }
}

/// What to do where nothing but another refresh token helps.
pub(crate) const NEW_REFRESH_TOKEN: &str =
    "put a new refresh token where oauth.refresh_token reads it";
const EXPIRED: &str = "the refresh token has expired or was revoked: put a new one where \
    oauth.refresh_token reads it";
const DOES_NOT_PASS: &str = "the tenant's Conditional Access does not let this user pass: sign in \
    again for a refresh token, or leave oauth.refresh_token out and let the application sign in by \
    its secret";
const NO_PERMISSION: &str = "give the application its permission (SMTP.SendAsApp of Office 365 \
    Exchange Online, or Mail.Send of Microsoft Graph) in the Entra admin center (App \
    registrations, API permissions), and grant admin consent there";

const TABLE: &[Refusal] = &[
    refusal(
        &["50076", "50074", "50078"],
        "The sign-in lacks multi-factor authentication.",
        "Sign in again (`budget-alertd login`) and complete multi-factor authentication there.",
        DOES_NOT_PASS,
    ),
    refusal(
        &["50079", "50072", "53004"],
        "The account must register for multi-factor authentication first.",
        "Open https://aka.ms/mfasetup as this account and register, then sign in again \
            (`budget-alertd login`).",
        DOES_NOT_PASS,
    ),
    refusal(
        &["50158"],
        "A further check that the tenant asks for, such as another provider's multi-factor \
            authentication, was not passed.",
        "Sign in again (`budget-alertd login --browser`) and complete every step there.",
        DOES_NOT_PASS,
    ),
    refusal(
        &[
            "53003", "53000", "53001", "53002", "50005", "50097", "50199", "530032", "530035",
            "530084",
        ],
        "The tenant's Conditional Access does not let this sign-in pass; many tenants block device \
            codes.",
        "Sign in by `budget-alertd login --browser`; if that is blocked too, ask the tenant's \
            administrator to let this account and application pass (sign-in log in the Entra admin \
            center).",
        DOES_NOT_PASS,
    ),
    refusal(
        &["70008", "700081", "700082", "700084", "50173", "50132", "50133"],
        "The kept sign-in has expired or was revoked.",
        "Sign in again: `budget-alertd login`.",
        EXPIRED,
    ),
    refusal(
        &["70043", "70044"],
        "The tenant's Conditional Access limits how long a sign-in lasts (sign-in frequency).",
        "Sign in again (`budget-alertd login`), and ask the tenant's administrator to take this \
            account out of that policy: else it ends again and again.",
        EXPIRED,
    ),
    refusal(
        &["7000222"],
        "The application's secret has expired.",
        "Make a new one in the Entra admin center (App registrations, Certificates & secrets), and \
            put it where source.client_secret reads it.",
        "the application's secret has expired: make a new one in the Entra admin center (App \
            registrations, Certificates & secrets) and put it where oauth.client_secret reads it",
    ),
    refusal(
        &["7000215"],
        "The application's secret is wrong.",
        "Put the secret's value, not its id, where source.client_secret reads it; if it is lost, \
            make a new one in the Entra admin center (App registrations, Certificates & secrets).",
        "put the secret's value, not its id, where oauth.client_secret reads it; if it is lost, \
            make a new one in the Entra admin center (App registrations, Certificates & secrets)",
    ),
    refusal(
        &["7000218"],
        "The application is a confidential one, and no secret was sent.",
        "Set source.client_secret, or switch on \"Allow public client flows\" for the application \
            (App registrations, Authentication).",
        "the application is a confidential one: set oauth.client_secret",
    ),
    refusal(
        &["700025"],
        "The application is a public one, and a secret was sent.",
        "Leave source.client_secret out, or register the address http://localhost under the \
            platform \"Web\" in place of \"Mobile and desktop applications\".",
        "the application is a public one: leave oauth.client_secret out",
    ),
    refusal(
        &["700016", "7000112", "500014"],
        "This tenant has no such application, or it is disabled there.",
        "Check source.client_id (\"Application (client) ID\") and source.tenant_id: they must be \
            of the same registration.",
        "check oauth.client_id and oauth.tenant_id: they must be of the same registration",
    ),
    refusal(
        &["90002", "900023", "90019", "50059", "900021"],
        "There is no such tenant.",
        "Check source.tenant_id, a domain such as contoso.onmicrosoft.com or the tenant's id, and \
            source.cloud.",
        "there is no such tenant: check oauth.tenant_id",
    ),
    refusal(
        &["65001", "65004", "90094", "90095", "650056", "consent_required"],
        "Nobody has consented that this application reads Partner Center as this account.",
        "Add the delegated permission user_impersonation of Microsoft Partner Center to the \
            application (App registrations, API permissions), and grant admin consent there.",
        NO_PERMISSION,
    ),
    refusal(
        &["500011", "650052", "650057", "650053", "70011", "1002012", "invalid_scope"],
        "The application does not know Partner Center in this tenant.",
        "Add the delegated permission user_impersonation of Microsoft Partner Center \
            (fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd) to the application (App registrations, API \
            permissions); tenant_id must be the partner's own tenant.",
        NO_PERMISSION,
    ),
    refusal(
        &["50011", "500113", "900971"],
        "The application does not take its answer on this machine.",
        "Add the redirect address http://localhost to the application (App registrations, \
            Authentication): under \"Mobile and desktop applications\" for a public one, under \
            \"Web\" for one with a secret.",
        "add the redirect address that the refresh token was obtained by to the application (App \
            registrations, Authentication)",
    ),
    refusal(
        &["50126", "50034", "50056"],
        "User name or password is wrong.",
        "Sign in again: `budget-alertd login`.",
        NEW_REFRESH_TOKEN,
    ),
    refusal(
        &["50057", "50053", "50055", "50144", "50142"],
        "The account is disabled, locked, or has an expired password.",
        "Fix the account in the Entra admin center, then sign in again: `budget-alertd login`.",
        "fix the user's account in the Entra admin center, then put a new refresh token where \
            oauth.refresh_token reads it",
    ),
    refusal(
        &["50020", "90072", "16000"],
        "The account does not belong to this tenant.",
        "Sign in with an account of the partner's own tenant, or check source.tenant_id.",
        "the user does not belong to this tenant: check oauth.tenant_id, or put a refresh token \
            of one of its users where oauth.refresh_token reads it",
    ),
    refusal(
        &["50105"],
        "The account is not assigned to the application.",
        "Assign it (Entra admin center, Enterprise applications, Users and groups), or switch \
            \"Assignment required\" off there.",
        "assign the user or the application that signs in (Entra admin center, Enterprise \
            applications, Users and groups), or switch \"Assignment required\" off there",
    ),
    refusal(
        &["70019", "70020", "50089", "expired_token", "code_expired"],
        "The time to sign in is over.",
        "Start again: `budget-alertd login`. If the browser says that the sign-in is blocked, use \
            `budget-alertd login --browser`.",
        NEW_REFRESH_TOKEN,
    ),
    refusal(
        &["authorization_declined", "access_denied"],
        "The sign-in was declined.",
        "Start again (`budget-alertd login`) and accept; if it is blocked there, use \
            `budget-alertd login --browser`.",
        NEW_REFRESH_TOKEN,
    ),
];

/// What a refusal such as `invalid_grant: AADSTS70008: …` means; none for one that is not known.
pub(crate) fn advice(reason: &str) -> Option<Advice> {
    let words = || {
        reason
            .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
            .filter(|word| !word.is_empty())
    };
    let of = |sign: &str| {
        TABLE.iter().find(|refusal| refusal.signs.contains(&sign)).map(|refusal| refusal.advice)
    };
    let coded = words().filter_map(|word| word.strip_prefix("AADSTS")).find_map(of);
    coded.or_else(|| of(words().next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sign_has_one_meaning_and_is_found_in_its_refusal() {
        let mut seen = std::collections::HashSet::new();
        for sign in TABLE.iter().flat_map(|refusal| refusal.signs) {
            assert!(seen.insert(sign), "{sign} is there twice");
            let coded = sign.starts_with(|letter: char| letter.is_ascii_digit());
            let said = if coded {
                format!("invalid_grant: AADSTS{sign}: Something.")
            } else {
                format!("{sign}: something")
            };
            let Advice { means, for_source, for_notifier } = advice(&said).unwrap();
            assert!(means.ends_with('.') && for_source.ends_with('.'), "{sign}");
            assert!(!for_notifier.is_empty() && !for_notifier.ends_with('.'), "{sign}");
        }
    }

    #[test]
    fn the_first_known_code_counts_and_an_unknown_one_says_nothing() {
        let means = |reason: &str| advice(reason).map_or("", |advice| advice.means);
        assert_eq!(
            means("invalid_grant: AADSTS70002: Error validating credentials. AADSTS50126: Invalid"),
            "User name or password is wrong."
        );
        assert_eq!(means("invalid_grant: AADSTS1: 70008"), "");
        assert_eq!(means(""), "");
    }
}

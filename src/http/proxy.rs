//! The proxy that requests go by, as `HTTPS_PROXY` or `ALL_PROXY` says and `NO_PROXY` excepts.
//!
//! What goes to this machine goes by none, and neither does what goes in the clear: a proxy would
//! read it, and its answer would count as the receiver's.

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{NoProxy, Proxy, Url};

use crate::secret::Redactor;

/// The variables that name it, the first that says something counts.
const NAMED_BY: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
/// Those that say where it is not wanted.
const EXCEPTED_BY: [&str; 2] = ["NO_PROXY", "no_proxy"];
/// This machine, as `NO_PROXY` would have it.
const THIS_MACHINE: &str = "localhost,127.0.0.0/8,::1";
/// How one can be spoken to.
const SCHEMES: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];

/// A variable that holds no address of a proxy. The address is not shown: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the environment variable {0} holds no address of a proxy: write http://HOST:PORT or \
        socks5h://HOST:PORT, or unset it"
)]
pub(crate) struct ProxyError(&'static str);

/// The proxy of an environment.
pub(super) struct ProxySetting {
    variable: &'static str,
    address: Url,
    except: String,
}

impl ProxySetting {
    /// Of this process. One that cannot be understood keeps the configuration from loading.
    pub(super) fn of_process() -> Option<Self> {
        Self::read(|name| std::env::var(name).ok()).ok().flatten()
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, ProxyError> {
        let said = |name: &&'static str| {
            variable(name).filter(|text| !text.trim().is_empty()).map(|text| (*name, text))
        };
        let Some((name, text)) = NAMED_BY.iter().find_map(said) else { return Ok(None) };
        let address = address(text.trim()).ok_or(ProxyError(name))?;
        let except = EXCEPTED_BY
            .iter()
            .find_map(said)
            .map(|(_, except)| format!("{except},"))
            .unwrap_or_default();
        Ok(Some(Self { variable: name, address, except: except + THIS_MACHINE }))
    }

    /// As the client takes it: for `https` only.
    pub(super) fn proxy(&self) -> Result<Proxy, reqwest::Error> {
        Ok(Proxy::https(self.address.as_str())?.no_proxy(NoProxy::from_string(&self.except)))
    }

    /// `the proxy HOST:PORT of VARIABLE`, where it stands between here and `url`.
    pub(super) fn between(&self, url: &Url) -> Option<String> {
        let matcher =
            Matcher::builder().https(self.address.as_str()).no(self.except.as_str()).build();
        let intercepted = matcher.intercept(&url.as_str().parse().ok()?);
        intercepted
            .map(|_| format!("the proxy {} of {}", super::place(&self.address), self.variable))
    }
}

/// What is wrong with the proxy of an environment.
pub(crate) fn check_proxy(variable: impl Fn(&str) -> Option<String>) -> Result<(), ProxyError> {
    ProxySetting::read(variable).map(drop)
}

/// What takes secrets out of the answers to requests; it knows those of the proxies, which may send
/// them back like any receiver.
pub(crate) fn redactor() -> Redactor {
    let mut redactor = Redactor::default();
    for url in NAMED_BY.iter().filter_map(|name| address(std::env::var(name).ok()?.trim())) {
        let Some(password) = url.password() else { continue };
        redactor.add(password);
        // As it is sent, and as it is written in a variable.
        let decoded = format!("http://proxy/?p={}", password.replace('+', "%2B"));
        let decoded = decoded
            .parse::<Url>()
            .ok()
            .and_then(|url| url.query_pairs().next().map(|(_, value)| value.into_owned()));
        if let Some(password) = decoded {
            redactor.add(&password);
        }
    }
    redactor
}

/// An address with or without its scheme.
fn address(text: &str) -> Option<Url> {
    let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url: Url = text.parse().ok()?;
    (SCHEMES.contains(&url.scheme()) && url.has_host()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<ProxySetting>, ProxyError> {
        ProxySetting::read(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn between(variables: &[(&str, &str)], url: &str) -> Option<String> {
        read(variables).unwrap().and_then(|setting| setting.between(&url.parse().unwrap()))
    }

    #[test]
    fn https_goes_by_it_and_nothing_else() {
        let proxy = [("HTTPS_PROXY", "http://user:hunter2@proxy.example:3128")];
        let by = Some("the proxy proxy.example:3128 of HTTPS_PROXY".to_owned());
        assert_eq!(between(&proxy, "https://hooks.example/secret"), by);
        for url in [
            "http://hooks.example/",
            "https://localhost/",
            "https://localhost:8443/",
            "https://127.0.0.1/",
            "https://127.8.9.1:1/",
            "https://[::1]/",
            "http://127.0.0.1/",
        ] {
            assert_eq!(between(&proxy, url), None, "{url}");
        }
    }

    #[test]
    fn every_spelling_counts_and_what_is_for_http_does_not() {
        for name in NAMED_BY {
            let by = format!("the proxy proxy.example:3128 of {name}");
            assert_eq!(
                between(&[(name, " proxy.example:3128 ")], "https://hooks.example/"),
                Some(by)
            );
        }
        for name in ["HTTP_PROXY", "http_proxy"] {
            assert_eq!(between(&[(name, "proxy.example:3128")], "https://hooks.example/"), None);
        }
        let both = [
            ("ALL_PROXY", "all.example:1"),
            ("https_proxy", "https.example:2"),
            ("HTTPS_PROXY", ""),
        ];
        assert_eq!(
            between(&both, "https://hooks.example/").as_deref(),
            Some("the proxy https.example:2 of https_proxy")
        );
    }

    #[test]
    fn what_is_excepted_goes_by_none() {
        for (name, except) in [
            ("NO_PROXY", "corp.example"),
            ("no_proxy", "10.0.0.0/8, .corp.example"),
            ("NO_PROXY", "*"),
        ] {
            let variables = [("ALL_PROXY", "socks5h://proxy.example"), (name, except)];
            assert_eq!(between(&variables, "https://hooks.corp.example/"), None, "{except}");
        }
        let variables = [("ALL_PROXY", "socks5h://proxy.example"), ("NO_PROXY", "corp.example")];
        assert!(between(&variables, "https://hooks.example/").is_some());
    }

    #[test]
    fn an_address_that_is_none_is_refused_without_being_shown() {
        for text in ["ftp://proxy.example", "http://", "proxy example:x", "socks5h:hunter2"] {
            let error = read(&[("https_proxy", text)]).err().unwrap().to_string();
            assert!(
                error.starts_with(
                    "the environment variable https_proxy holds no address of a \
                    proxy: write http://HOST:PORT"
                ),
                "{error}"
            );
        }
    }
}

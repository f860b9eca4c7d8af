//! The names that this host is asked by: addresses, `localhost`, its own name and its full one. Any
//! other name is a page in somebody's browser trying to reach this address (DNS rebinding).

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::{Version, header};
use dns_lookup::{AddrInfoHints, getaddrinfo};
use tokio::sync::OnceCell;

/// `AI_CANONNAME` of `getaddrinfo`, as Linux has it.
const CANONICAL_NAME: i32 = 2;

/// What this host is called. Cloning shares it.
#[derive(Clone)]
pub(super) struct Names {
    /// Its name, lower case.
    own: Arc<str>,
    /// Its name with its domain, as the resolver has it; asked for once it matters.
    full: Arc<OnceCell<String>>,
}

impl Names {
    /// Of this host.
    pub(super) fn of_this_host() -> Self {
        let system = rustix::system::uname();
        Self {
            own: system.nodename().to_string_lossy().to_lowercase().into(),
            full: Arc::default(),
        }
    }

    /// Whether a host is asked by one of its names.
    pub(super) async fn have(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        if host == "localhost"
            || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
            || host == &*self.own
        {
            return true;
        }
        let short = self.own.split('.').next().filter(|short| !short.is_empty());
        match host.split_once('.') {
            None => Some(host) == short,
            // Nobody else's name is worth asking the resolver.
            Some((first, _)) => Some(first) == short && self.full().await == Some(host),
        }
    }

    async fn full(&self) -> Option<&str> {
        let own = Arc::clone(&self.own);
        let asked = self.full.get_or_try_init(|| async {
            tokio::task::spawn_blocking(move || full_name(&own)).await.ok().flatten().ok_or(())
        });
        asked.await.ok().map(String::as_str)
    }
}

/// The host that a request is for, lower case and without its port; none where it does not say so,
/// or not clearly.
pub(super) fn asked_host(request: &Request) -> Option<String> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = match (request.uri().authority(), hosts.next()) {
        // HTTP/2 has it there, and so has a request that goes by a proxy.
        (Some(authority), _) => authority.as_str(),
        (None, Some(host)) if hosts.next().is_none() => host.to_str().ok()?,
        // No browser speaks HTTP/1.0, which need not say it.
        (None, None) if request.version() <= Version::HTTP_10 => "localhost",
        _ => return None,
    };
    // What makes a URL of a name and a port is no part of either.
    let url: reqwest::Url = (!host.contains(['@', '/', '?', '#', '\\']))
        .then(|| format!("http://{host}/").parse().ok())??;
    url.host_str().map(str::to_owned)
}

/// A host's name with its domain; none while the resolver does not know it.
fn full_name(own: &str) -> Option<String> {
    let hints = AddrInfoHints { flags: CANONICAL_NAME, ..AddrInfoHints::default() };
    let name =
        getaddrinfo(Some(own), None, Some(hints)).ok()?.find_map(|found| found.ok()?.canonname)?;
    Some(name.trim_end_matches('.').to_lowercase())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn request(version: Version, uri: &str, hosts: &[&str]) -> Request {
        let builder = Request::builder().version(version).uri(uri);
        hosts
            .iter()
            .fold(builder, |builder, host| builder.header(header::HOST, *host))
            .body(Body::empty())
            .unwrap()
    }

    /// Whether a host with these names is the one that is asked.
    async fn is_asked(own: &str, full: &str, asked: &str) -> bool {
        let names =
            Names { own: own.into(), full: Arc::new(OnceCell::new_with(Some(full.to_owned()))) };
        match asked_host(&request(Version::HTTP_11, "/metrics", &[asked])) {
            Some(host) => names.have(&host).await,
            None => false,
        }
    }

    #[tokio::test]
    async fn a_host_has_its_own_name_its_full_name_and_no_other() {
        for asked in [
            "web1",
            "WEB1:9187",
            "web1.",
            "web1.corp.example",
            "Web1.Corp.Example.:80",
            "localhost:1",
            "192.0.2.1",
            "[::1]:80",
        ] {
            assert!(is_asked("web1", "web1.corp.example", asked).await, "{asked}");
        }
        for asked in [
            "web1.evil",
            "web1.corp.example.evil",
            "web1.corp",
            "corp.example",
            "web2",
            "localhost.evil",
            "x@web1",
            "",
            ".",
            "web1/x",
        ] {
            assert!(!is_asked("web1", "web1.corp.example", asked).await, "{asked}");
        }
        assert!(
            is_asked("web1.corp.example", "", "web1").await
                && is_asked("web1.corp.example", "", "web1.corp.example").await
        );
        assert!(
            !is_asked("web1.corp.example", "", "web1.evil").await
                && !is_asked("", "", "x.evil").await
        );
    }

    #[test]
    fn a_request_says_once_which_host_it_is_for() {
        let host = |version, uri, hosts: &[&str]| asked_host(&request(version, uri, hosts));
        assert_eq!(host(Version::HTTP_10, "/metrics", &[]).as_deref(), Some("localhost"));
        assert_eq!(
            host(Version::HTTP_10, "/metrics", &["evil.example"]).as_deref(),
            Some("evil.example")
        );
        assert_eq!(host(Version::HTTP_11, "/metrics", &[]), None);
        assert_eq!(host(Version::HTTP_11, "/metrics", &["web1", "evil.example"]), None);
        assert_eq!(
            host(Version::HTTP_11, "http://evil.example/metrics", &["web1"]).as_deref(),
            Some("evil.example")
        );
        assert_eq!(host(Version::HTTP_2, "http://web1:9187/metrics", &[]).as_deref(), Some("web1"));
    }
}

//! The proxies that requests take by the environment, as far as they hold secrets: a proxy sees its own sign-in, and may send it
//! back like any receiver.

use reqwest::Url;

use crate::secret::Redactor;

/// The variables that name them; in capitals too.
const VARIABLES: [&str; 3] = ["http_proxy", "https_proxy", "all_proxy"];

/// What takes secrets out of the answers to requests; it knows those of the proxies.
pub(crate) fn redactor() -> Redactor {
    let mut redactor = Redactor::default();
    let names = VARIABLES.iter().flat_map(|name| [(*name).to_owned(), name.to_uppercase()]);
    for address in names.filter_map(|name| std::env::var(name).ok()) {
        let address = if address.contains("://") { address } else { format!("http://{address}") };
        let Ok(url) = address.parse::<Url>() else { continue };
        let Some(password) = url.password() else { continue };
        redactor.add(password);
        // As it is sent, and as it is written in a variable.
        let decoded = format!("http://proxy/?p={}", password.replace('+', "%2B"));
        let decoded = decoded.parse::<Url>().ok().and_then(|url| url.query_pairs().next().map(|(_, value)| value.into_owned()));
        if let Some(password) = decoded {
            redactor.add(&password);
        }
    }
    redactor
}

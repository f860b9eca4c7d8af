//! Mail addresses and host names as servers take them: domains in ASCII (IDNA, RFC 5891), whatever
//! letters they are written in. And texts of servers without addresses.

use std::borrow::Cow;

use lettre::Address;

use crate::http;

/// The address with its domain in ASCII; what stands before the `@` has no such form.
pub(crate) fn in_ascii(address: &Address) -> Address {
    Address::new(address.user(), domain_in_ascii(address.domain()))
        .unwrap_or_else(|_| address.clone())
}

/// The domain in ASCII, such as `xn--mnchen-3ya.example`; as it is where it has no such form.
pub(crate) fn domain_in_ascii(domain: &str) -> Cow<'_, str> {
    if domain.is_ascii() {
        domain.into()
    } else {
        idna::domain_to_ascii(domain).map_or(domain.into(), Cow::Owned)
    }
}

/// A server's answer as one short line without mail addresses.
pub(crate) fn without_addresses(text: &str) -> String {
    let word = |word: &str| match word.contains('@') {
        true if word.ends_with(':') => "<address>:".to_owned(),
        true => "<address>".to_owned(),
        false => word.to_owned(),
    };
    let words: Vec<_> = http::one_line(text).split(' ').map(word).collect();
    words.join(" ").chars().take(300).collect()
}

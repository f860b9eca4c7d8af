//! The name by which a mail server is greeted, where none is configured. Many refuse one that is
//! not a full domain name.

use std::path::Path;

use crate::fs;

/// The name of this host, where it is a full one; else the server is better told the address.
pub(crate) fn own_name() -> Option<String> {
    let name = fs::read_text(Path::new("/proc/sys/kernel/hostname"), 1 << 10).unwrap_or_default();
    Some(name.trim().to_owned()).filter(|name| is_full(name))
}

fn is_full(name: &str) -> bool {
    let is_label = |label: &str| {
        let letters = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        letters && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    let means_nothing =
        ["localdomain", "localhost"].iter().any(|end| name.to_ascii_lowercase().ends_with(end));
    let is_number =
        name.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    name.contains('.') && name.split('.').all(is_label) && !means_nothing && !is_number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_full_domain_name_is_a_name() {
        assert!(is_full("alerts.partner.example") && is_full("vm-1.internal"));
        for name in [
            "",
            "alerts",
            "(none)",
            "localhost",
            "alerts.localdomain",
            "alerts.",
            "al_erts.example",
            "192.0.2.7",
            "-a.example",
        ] {
            assert!(!is_full(name), "{name}");
        }
    }
}

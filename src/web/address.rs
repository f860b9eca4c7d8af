//! Addresses of pages about one thing.

use uuid::Uuid;

/// The page of a customer.
pub(super) fn customer(id: &str) -> String {
    below("customers", id)
}

/// The page of a delivery.
pub(super) fn delivery(id: Uuid) -> String {
    format!("/deliveries/{id}")
}

/// The page that answers a security alert of Microsoft.
pub(super) fn security_answer(id: &str) -> String {
    format!("{}/answer", below("security-alerts", id))
}

/// Where a test of a notifier is asked for.
pub(super) fn notifier_test(name: &str) -> String {
    format!("{}/test", below("notifiers", name))
}

/// An address below another one, whatever letters its last part has.
pub(super) fn below(folder: &str, part: &str) -> String {
    let fallback = format!("/{folder}/");
    let Ok(mut url) = "http://localhost/".parse::<reqwest::Url>() else { return fallback };
    let Ok(mut parts) = url.path_segments_mut() else { return fallback };
    parts.extend([folder, part]);
    drop(parts);
    url.path().to_owned()
}

/// A path of this server; any other address is the overview.
pub(super) fn own_path(to: &str) -> &str {
    let elsewhere = to.starts_with("//") || to.contains('\\') || to.chars().any(char::is_control);
    let form = matches!(to, "/login" | "/logout") || to.starts_with("/sign-in");
    if to.starts_with('/') && !elsewhere && !form { to } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_any_letters_is_one_part_of_an_address() {
        assert_eq!(customer("A/b c?#<\"%"), "/customers/A%2Fb%20c%3F%23%3C%22%25");
    }
}

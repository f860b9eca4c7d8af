//! Names of variables, credentials and files as messages show them: what looks like no name may be
//! the secret itself, written in the wrong place.

use std::path::Path;

/// The longest name.
const LONGEST: usize = 64;
/// The longest word of a name, in letters, and the longest number.
const LONGEST_WORD: usize = 20;
const LONGEST_NUMBER: usize = 4;
/// `slackUrlOfOps` begins so many words within one.
const HUMPS: usize = 3;

/// Whether a text is made of words, as names are, and not of random letters, as secrets are.
pub(crate) fn looks_like_a_name(text: &str) -> bool {
    let words = || text.split(['_', '-', '.', '@']).filter(|word| !word.is_empty());
    (1..=LONGEST).contains(&text.len()) && words().next().is_some() && words().all(is_word)
}

/// Letters, then a small number; either may be missing.
fn is_word(word: &str) -> bool {
    let letters = word.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let humps = letters
        .as_bytes()
        .windows(2)
        .filter(|pair| matches!(pair, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase()));
    letters.bytes().all(|byte| byte.is_ascii_alphabetic())
        && letters.len() <= LONGEST_WORD
        && word.len().saturating_sub(letters.len()) <= LONGEST_NUMBER
        && humps.count() <= HUMPS
}

/// Whether a text looks like what `place` holds: the name of a variable (`env`) or of a credential,
/// or the path of a file.
pub(crate) fn looks_right_for(place: &str, text: &str) -> bool {
    match place {
        "env" => !text.contains(['-', '.', '@']) && looks_like_a_name(text),
        "file" => text.rsplit('/').next().is_some_and(looks_like_a_name),
        _ => looks_like_a_name(text) || is_a_way_out(text),
    }
}

/// The name of a variable for a message.
pub(crate) fn shown_variable(name: &str) -> &str {
    if looks_right_for("env", name) { name } else { "***" }
}

/// The name of a credential for a message.
pub(crate) fn shown(name: &str) -> &str {
    if looks_right_for("credential", name) { name } else { "***" }
}

/// A path for a message.
pub(crate) fn shown_path(path: &Path) -> String {
    match path.file_name().and_then(|name| name.to_str()) {
        Some(name) if !looks_like_a_name(name) => path.with_file_name("***").display().to_string(),
        _ => path.display().to_string(),
    }
}

/// Nothing but words and the signs that lead out of a folder.
fn is_a_way_out(name: &str) -> bool {
    name.contains('/')
        && name.split('/').filter(|part| !matches!(*part, "" | "." | "..")).all(looks_like_a_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_and_what_looks_like_a_secret_is_not() {
        for name in [
            "SLACK_URL",
            "slack-url",
            "client-secret",
            "HEARTBEAT_URL2",
            "smtp.password",
            "db@prod",
            "slackUrl",
            "tls-2026",
        ] {
            assert!(looks_like_a_name(name), "{name}");
        }
        for secret in [
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "https://hooks.slack.com/services/T0/B0/x",
            "xoxb-123456789012-abc",
            "S3cr3t",
            "0123456789abcdef0123456789abcdef",
            "two words",
            "qwertzuiopasdfghjklyxcvbnm",
            "",
            "--",
        ] {
            assert!(!looks_like_a_name(secret), "{secret}");
        }
        assert_eq!(shown_variable("my-password"), "***");
        assert_eq!(
            (shown("../shadow"), shown("/etc/shadow"), shown("a/S3cr3t")),
            ("../shadow", "/etc/shadow", "***")
        );
        assert_eq!(shown_path(Path::new("/run/secrets/S3cr3t")), "/run/secrets/***");
        assert_eq!(shown_path(Path::new("/run/3/x1y2/smtp.password")), "/run/3/x1y2/smtp.password");
    }
}

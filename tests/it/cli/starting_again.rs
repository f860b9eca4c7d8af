//! `init` over a configuration that is there: what it says is proposed, what is not asked for stays,
//! the file before is kept.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};

use crate::notify::microsoft::Microsoft;

use super::starting::{Empty, TENANT};

/// What a person has made of the first file, in the form of people: comments, order, own names.
const GROWN: &str = r#"# Ours.
[source]
type = "partner-center"
client_id = "0b8a7d52-3c1e-4c55-9a41-6f2d1f5f7a10" # registered by Anna
tenant_id = "partner.onmicrosoft.example"
client_secret = { env = "OUR_SECRET" }
legacy_currency = "SEK"

[notifiers.ops]
url = "https://hooks.slack.com/services/T/B/X"   # the channel #ops
type = "slack"
fallback = ["oncall"]
[notifiers.oncall]
type = "email"
from = "alerts@partner.example"
to = ["oncall@partner.example"]
smtp = { host = "mail.partner.example", tls = "implicit", hello_name = "a.partner.example" }

[rules.spend] # the one
metric = "percent_used"
notify = ["ops"]
steps = [
  # early
  { at = 50, severity = "info" },
  { at = "100", notify = ["oncall"], severity = "critical", remind_every = "24h" }, # late
]
[rules.gold]
metric = "pace"
notify = ["oncall"]
steps = [{ at = 10 }]
[rules.gold.match]
tags = ["gold"]

[customers."11111111-6fb9-4b05-8f15-b3d72e0596e6"]
tags = ["gold"]
"#;

/// The copies of the configuration, each with its text.
fn copies(house: &Empty) -> Vec<String> {
    let entries = std::fs::read_dir(house.0.path("")).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let is_copy = |path: &std::path::PathBuf| {
        path.file_name().unwrap().to_str().unwrap().starts_with("alert-rules.toml.20")
    };
    let copies = paths.into_iter().filter(is_copy);
    copies
        .map(|path| {
            let mode = path.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", path.display());
            std::fs::read_to_string(path).unwrap()
        })
        .collect()
}

#[test]
fn its_own_file_is_proposed_and_stays_as_it_is() {
    let house = Empty::new();
    let hook = house.0.path("hook");
    std::fs::write(&hook, "https://hooks.slack.com/services/T/B/X").unwrap();
    let slack = ["--slack-url-file", hook.to_str().unwrap(), "--secrets", "credentials"];
    let mail =
        ["--mail-server", "mail.partner.example:25", "--mail-to", "a@b.example, c@d.example"];
    let rest =
        ["--mail-from", "Ä <e@f.example>", "--steps", "70,90", "--time-zone", "Europe/Paris"];
    assert_eq!(house.init(&[&TENANT[..], &slack, &mail, &rest].concat(), "").code, 0);
    let before = house.file("alert-rules.toml");
    let again = house.init(&[], "");
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(again.out.starts_with("✓ unchanged {dir}/alert-rules.toml\n"), "{}", again.out);
    for proposed in [
        "Tenant of the partner, a domain or an id [partner.onmicrosoft.example]: ",
        "Its secret, Enter for a public application: ",
        "(with commas between them) [email, slack]: ",
        "Mail server, such as smtp.partner.example:587 [mail.partner.example:25]: ",
        "Recipients, with commas between them [a@b.example, c@d.example]: ",
        "Sender [Ä <e@f.example>]: ",
        "Address of a Slack webhook [the one that is there]: ",
        "the last one critical [70, 90]: ",
        "Time zone of messages [Europe/Paris]: ",
    ] {
        assert!(again.err.contains(proposed), "{proposed} is not in {}", again.err);
    }
    assert_eq!(house.file("alert-rules.toml"), before);
    assert_eq!(copies(&house), [""; 0]);
}

#[test]
fn what_a_file_says_may_stay_even_where_it_would_be_no_answer() {
    let house = Empty::new();
    let text = GROWN
        .replace("0b8a7d52-3c1e-4c55-9a41-6f2d1f5f7a10", "app")
        .replace("\"oncall@partner.example\"", "\"Contoso, Ltd <a@b.example>\", \"c@d.example\"");
    std::fs::write(house.0.path("alert-rules.toml"), &text).unwrap();
    let ended = house.init(&[], "");
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(house.file("alert-rules.toml").0, text);
}

#[test]
fn a_file_of_windows_keeps_its_lines_and_its_copy_is_the_same_bytes() {
    let house = Empty::new();
    let path = house.0.path("alert-rules.toml");
    let text = GROWN.replace('\n', "\r\n");
    std::fs::write(&path, format!("\u{feff}{text}")).unwrap();
    let same = house.init(&[], "");
    assert!(same.out.starts_with("✓ unchanged"), "{} {}", same.out, same.err);
    let ended = house.init(&["--time-zone", "Europe/Paris"], "");
    assert_eq!(ended.code, 0, "{}", ended.err);
    let zone = "\r\n[daemon]\r\ntime_zone = \"Europe/Paris\"\r\n";
    assert_eq!(house.file("alert-rules.toml").0, text.clone() + zone);
    assert_eq!(copies(&house), [format!("\u{feff}{text}")]);
}

#[test]
fn what_is_not_asked_for_stays_and_the_file_before_is_kept() {
    let house = Empty::new();
    let path = house.0.path("alert-rules.toml");
    std::fs::write(&path, GROWN).unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    let key = house.0.path("key");
    std::fs::write(&key, "0123456789abcdef0123456789abcdef\n").unwrap();
    let options = ["--pagerduty-key-file", key.to_str().unwrap(), "--secrets", "credentials"];
    // Tenant, application, its secret, destinations, the mail server, recipients; then as it was.
    let lines = "\n\n\n\nmail.partner.example:2525\n\n\n\n\n50, 80, 100\nEurope/Stockholm\n";
    let ended = house.init(&options, lines);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.err.contains("\nOf [notifiers.oncall]:\nMail server"), "{}", ended.err);
    let (text, mode) = house.file("alert-rules.toml");
    let expected = GROWN
        .replace(
            "\"mail.partner.example\", tls = \"implicit\"",
            "\"mail.partner.example\", tls = \"starttls\"",
        )
        .replace("example\" } ", "example\", port = 2525 }")
        .replace("  { at = \"100\"", "  { at = 80, severity = \"warning\" },\n  { at = \"100\"")
        .replace("notify = [\"ops\"]", "notify = [\"ops\", \"pagerduty\"]")
        .replace("notify = [\"oncall\"]\nsteps", "notify = [\"oncall\", \"pagerduty\"]\nsteps");
    insta::assert_snapshot!(text, @r#"
    # Ours.
    [source]
    type = "partner-center"
    client_id = "0b8a7d52-3c1e-4c55-9a41-6f2d1f5f7a10" # registered by Anna
    tenant_id = "partner.onmicrosoft.example"
    client_secret = { env = "OUR_SECRET" }
    legacy_currency = "SEK"

    [notifiers.ops]
    url = "https://hooks.slack.com/services/T/B/X"   # the channel #ops
    type = "slack"
    fallback = ["oncall"]
    [notifiers.oncall]
    type = "email"
    from = "alerts@partner.example"
    to = ["oncall@partner.example"]
    smtp = { host = "mail.partner.example", tls = "starttls", hello_name = "a.partner.example", port = 2525 }

    [notifiers.pagerduty]
    type = "pagerduty"
    routing_key = { credential = "pagerduty-key" }

    [rules.spend] # the one
    metric = "percent_used"
    notify = ["ops", "pagerduty"]
    steps = [
      # early
      { at = 50, severity = "info" },
      { at = 80, severity = "warning" },
      { at = "100", notify = ["oncall"], severity = "critical", remind_every = "24h" }, # late
    ]
    [rules.gold]
    metric = "pace"
    notify = ["oncall", "pagerduty"]
    steps = [{ at = 10 }]
    [rules.gold.match]
    tags = ["gold"]

    [customers."11111111-6fb9-4b05-8f15-b3d72e0596e6"]
    tags = ["gold"]

    [operator]
    notify = ["pagerduty"]

    [daemon]
    time_zone = "Europe/Stockholm"
    "#);
    let _ = expected;
    assert_eq!(mode, 0o640);
    assert_eq!(copies(&house), [GROWN]);
    assert_eq!(house.file("credentials/pagerduty-key").1, 0o400);

    // Nothing is taken out of it, and a mistake in it is mended first.
    let gone = house.init(&["--secrets", "inline"], "\n\n\nslack, pagerduty\n");
    let said = "email stays: take it out of the file by hand (--destinations)";
    assert!(gone.code == 2 && gone.err.contains(said), "{}", gone.err);
    std::fs::write(&path, "[source]\ntyp = \"file\"\n").unwrap();
    let mistaken = house.init(&[], "");
    assert_eq!(mistaken.code, 2, "{}", mistaken.err);
    assert!(
        mistaken.err.starts_with("{dir}/alert-rules.toml has mistakes: mend it first"),
        "{}",
        mistaken.err
    );
    assert!(
        mistaken.err.contains("alert-rules.toml:1:2: [source] has no type"),
        "{}",
        mistaken.err
    );
}

#[test]
fn a_new_secret_takes_the_place_of_the_one_before() {
    let house = Empty::new();
    let lines = "\n\n127.0.0.1\na@b.example\nc@d.example\nme\nfirst\n\n\n\ncredentials\n";
    // The secret of the application and the mail server come first.
    let ended = house.init(&TENANT, &lines[1..]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(house.file("credentials/smtp").0, "first");
    let text = house.file("alert-rules.toml").0;
    let changed = house.init(&[], "\n\n\n\n\n\n\nyou\nsecond\n");
    assert_eq!(changed.code, 0, "{}", changed.err);
    assert_eq!(house.file("credentials/smtp"), ("second".to_owned(), 0o400));
    assert_eq!(house.file("alert-rules.toml").0, text.replace("\"me\"", "\"you\""));
}

#[test]
fn a_file_with_secrets_stays_with_whoever_has_read_it() {
    let house = Empty::new();
    let path = house.0.path("alert-rules.toml");
    std::fs::write(&path, GROWN).unwrap();
    // Only root can give it away.
    let is_given = chown(&path, Some(65534), None).is_ok();
    let before = path.metadata().unwrap().uid();
    assert!(before == 65534 || !is_given);
    let hook = house.0.path("hook");
    std::fs::write(&hook, "https://teams.example/x").unwrap();
    let teams = ["--teams-url-file", hook.to_str().unwrap(), "--secrets", "inline"];
    let ended = house.init(&teams, "");
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(house.file("alert-rules.toml").0.contains("url = \"https://teams.example/x\""));
    assert_eq!((path.metadata().unwrap().uid(), house.file("alert-rules.toml").1), (before, 0o600));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_of_microsoft_365_sends_the_test_message() {
    let microsoft = Microsoft::start().await;
    let house = Empty::new();
    let secret = house.0.path("secret");
    std::fs::write(&secret, crate::notify::microsoft::CLIENT_SECRET).unwrap();
    let options = [
        "--destinations",
        "graph-mail",
        "--mail-tenant",
        "partner.example",
        "--mail-client-id",
        "11111111-2222-3333-4444-555555555555",
        "--mail-client-secret-file",
        secret.to_str().unwrap(),
        "--mail-from",
        "Alerts <alerts@partner.example>",
        "--mail-to",
        "oncall@partner.example",
        "--test",
    ];
    let url = microsoft.url();
    let graph = format!("{url}/v1.0");
    let urls = ["--login-url", url, "--graph-url", &graph];
    let ended = house.init(&[&TENANT[..], &options, &urls].concat(), "");
    assert_eq!(ended.code, 0, "{} {}", ended.out, ended.err);
    assert!(ended.out.contains("✓ test  accepted by graph-mail\n"), "{}", ended.out);
    assert!(microsoft.mails()[0].contains("[TEST]"));
    assert_eq!(house.file("alert-rules.toml").1, 0o644);
}

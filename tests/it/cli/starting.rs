//! `init`: from a few answers to a configuration that `check` accepts, a sign-in and a test
//! message.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::{HttpReceiver, PartnerCenter, SignIn};

use super::Ended;
use crate::support::process::House;

pub(super) const TENANT: [&str; 4] = [
    "--tenant",
    "partner.onmicrosoft.example",
    "--client-id",
    "0b8a7d52-3c1e-4c55-9a41-6f2d1f5f7a10",
];

/// A house without a configuration.
pub(super) struct Empty(pub(super) House);

impl Empty {
    pub(super) fn new() -> Self {
        let house = House::new("");
        std::fs::remove_file(house.path("alert-rules.toml")).unwrap();
        Self(house)
    }

    /// Runs `init` with these options, and these lines behind stdin.
    pub(super) fn init(&self, options: &[&str], lines: &str) -> Ended {
        self.run(&[&["init"][..], options].concat(), lines)
    }

    pub(super) fn run(&self, arguments: &[&str], lines: &str) -> Ended {
        let mut command = self.0.command(arguments);
        command
            .env("CREDENTIALS_DIRECTORY", self.0.path("credentials"))
            .env("TZ", "Europe/Stockholm");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It may have ended before it has read all.
        drop(child.stdin.take().unwrap().write_all(lines.as_bytes()));
        let folder = self.0.path("").display().to_string();
        Ended::of(&child.wait_with_output().unwrap(), folder.trim_end_matches('/'))
    }

    /// A file's text and its rights.
    pub(super) fn file(&self, name: &str) -> (String, u32) {
        let path = self.0.path(name);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        (text, std::fs::metadata(path).unwrap().permissions().mode() & 0o777)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.path(name).exists()
    }
}

#[test]
fn answers_become_a_configuration_that_check_accepts() {
    let house = Empty::new();
    let lines = [
        "partner.onmicrosoft.example",
        "0b8a7d52-3c1e-4c55-9a41-6f2d1f5f7a10",
        "client \"secret\"",
        "smtp.partner.example:465",
        "oncall@partner.example, Ops <ops@partner.example>",
        "Budget alerts <alerts@partner.example>",
        "alerts",
        "pass\\phrase",
        "https://hooks.slack.com/services/T/B/X",
        "75, 90.5, 120",
        "",
        "credentials",
        "no",
        "no",
    ];
    let ended = house.init(&[], &lines.join("\n"));
    assert_eq!(ended.code, 0, "{}", ended.err);
    let out = ended.out.split_whitespace().collect::<Vec<_>>().join(" ");
    let ticks = "✓ written {dir}/alert-rules.toml ✓ secrets client-secret, smtp, slack-url in \
                 {dir}/credentials, which the daemon reads itself ! sign-in not yet: budget-alertd \
                 --config {dir}/alert-rules.toml login ! service not started: ";
    assert!(out.starts_with(ticks), "{out}");
    assert!(ended.err.contains("Time zone of messages [Europe/Stockholm]: "), "{}", ended.err);
    let (text, mode) = house.file("alert-rules.toml");
    assert!(!text.contains("phrase") && !text.contains("hooks.slack.com"), "{text}");
    assert_eq!(mode, 0o644, "the unit's own user reads it");
    for (name, secret) in [
        ("client-secret", "client \"secret\""),
        ("smtp", "pass\\phrase"),
        ("slack-url", "https://hooks.slack.com/services/T/B/X"),
    ] {
        assert_eq!(house.file(&format!("credentials/{name}")), (secret.to_owned(), 0o400));
    }
    let checked = house.run(&["check"], "");
    assert_eq!(checked.code, 0, "{}", checked.err);
    for said in [
        "Time zone Europe/Stockholm",
        "75 % of its budget is a warning to mail and slack, 90.5 % is a warning to mail and slack",
        "120 % is critical to mail and slack",
        "no-budget: a customer without a budget that has cost 1,000 EUR",
        "mail: mail to 2 addresses by smtp.partner.example:465",
        "nobody has signed in yet: run `budget-alertd login`",
    ] {
        let out = checked.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(out.contains(said), "{said} is not in {out}");
    }

    // Where no file names a credential, another secret is not lost unasked; the same is none.
    std::fs::remove_file(house.0.path("alert-rules.toml")).unwrap();
    let other = lines.join("\n").replace("client \"secret\"", "another");
    let again = house.init(&[], &other);
    assert!(
        again.code == 2
            && again
                .err
                .contains("{dir}/credentials/client-secret is there already; --force replaces it"),
        "{}",
        again.err
    );
    assert!(!house.has("alert-rules.toml"));
    assert_eq!(house.init(&[], &lines.join("\n")).code, 0);
}

#[test]
fn options_answer_without_a_terminal_and_inline_secrets_are_for_the_owner_only() {
    let house = Empty::new();
    std::fs::write(house.0.path("secret"), "hush\n").unwrap();
    let secret = house.0.path("secret").display().to_string();
    let mail = [
        "--mail-server",
        "127.0.0.1:2525",
        "--mail-to",
        "a@b.example",
        "--mail-from",
        "c@d.example",
        "--secrets",
        "inline",
    ];
    let options = [&TENANT[..], &["--client-secret-file", &secret], &mail[..]].concat();
    let ended = house.init(&options, "");
    assert_eq!(ended.code, 0, "{}", ended.err);
    let (text, mode) = house.file("alert-rules.toml");
    assert!(
        text.contains("client_secret = \"hush\"") && text.contains("then_every = 100"),
        "{text}"
    );
    assert_eq!(mode, 0o600);
    assert!(!house.has("credentials") && !house.has("state"));
    assert_eq!(house.run(&["check"], "").code, 0);

    let ended = house.init(&[&options[..], &["--force", "--steps", "50"]].concat(), "");
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(house.file("alert-rules.toml").0.contains("{ at = 50, severity = \"critical\" }"));
}

#[test]
fn folders_that_are_made_let_the_daemon_in() {
    let house = Empty::new();
    let hook = house.0.path("hook");
    std::fs::write(&hook, "https://hooks.example/x").unwrap();
    let slack = ["--slack-url-file", hook.to_str().unwrap(), "--secrets", "credentials"];
    let mut command = house.0.command(&[&["init"][..], &TENANT, &slack].concat());
    command.env("CREDENTIALS_DIRECTORY", house.0.path("made/credentials")).stdin(Stdio::null());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mode = |name| house.0.path(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("made"), mode("made/credentials")), (0o755, 0o700));
}

#[test]
fn a_secret_in_a_file_is_read_as_everywhere_and_what_nobody_sees_in_it_is_named() {
    let house = Empty::new();
    let path = house.0.path("secret").display().to_string();
    let rest = [
        "--mail-server",
        "127.0.0.1",
        "--mail-to",
        "a@b.example",
        "--mail-from",
        "c@d.example",
        "--secrets",
        "inline",
        "--force",
    ];
    let options = [&TENANT[..], &["--client-secret-file", &path], &rest[..]].concat();
    let wide = |text: &str, bytes: fn(u16) -> [u8; 2]| {
        text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>()
    };
    let marked = "\u{feff}hush ö\r\n";
    for bytes in [
        wide(marked, u16::to_le_bytes),
        wide(marked, u16::to_be_bytes),
        marked.into(),
        "hush ö\n".into(),
    ] {
        std::fs::write(&path, &bytes).unwrap();
        let ended = house.init(&options, "");
        assert_eq!(ended.code, 0, "{}", ended.err);
        assert!(
            house.file("alert-rules.toml").0.contains("client_secret = \"hush ö\""),
            "{bytes:?}"
        );
    }
    std::fs::remove_file(house.0.path("alert-rules.toml")).unwrap();
    let unclean = [
        (" hush\n", "the secret begins with a blank"),
        ("hush \n", "the secret ends with a blank"),
        ("hush\u{a0}\n", "the secret holds a no-break space (U+00A0)"),
        ("hu\u{200b}sh\n", "the secret holds a letter without width (U+200B)"),
        ("hush\n\n", "the secret holds a line break (U+000A)"),
    ];
    for (text, said) in unclean {
        std::fs::write(&path, text).unwrap();
        let ended = house.init(&options, "");
        assert_eq!(ended.code, 2, "{text:?}: {}", ended.err);
        assert!(
            ended.err.contains(&format!(
                "--client-secret-file {{dir}}/secret: {said}: write it again without that"
            )),
            "{}",
            ended.err
        );
        if !text.ends_with("\n\n") {
            let typed = house.init(&TENANT, text);
            assert!(
                typed.code == 2 && typed.err.contains(&format!("{said}: write it again")),
                "{}",
                typed.err
            );
        }
    }
    std::fs::write(&path, b"caf\xe9").unwrap();
    let ended = house.init(&options, "");
    assert!(ended.code == 2 && ended.err.contains("/secret is no UTF-8 text"), "{}", ended.err);
    std::fs::remove_file(&path).unwrap();
    let ended = house.init(&options, "");
    assert!(
        ended.code == 2 && ended.err.contains("cannot read {dir}/secret: No such file"),
        "{}",
        ended.err
    );
    assert!(!house.has("alert-rules.toml"));
}

#[test]
fn a_wrong_or_missing_answer_writes_nothing() {
    for (options, lines, said) in [
        (&[][..], "", "Tenant of the partner, a domain or an id: there is no answer (--tenant)"),
        (
            &["--tenant", "https://x"],
            "",
            "a tenant is a domain such as contoso.onmicrosoft.com, or its id, a GUID (--tenant)",
        ),
        (
            &TENANT,
            "",
            "alerts need somewhere to go: a mail server (--mail-server), Slack (--slack-url-file) or \
                another destination (--destinations)",
        ),
        (
            &TENANT,
            "\nsmtp.x.example\nnobody",
            "Recipients, with commas between them: \"nobody\" is no mail address: write",
        ),
        (&["--tenant", "x.example", "--client-id", "7"], "", "an application's id is a GUID"),
        (&TENANT, "\nsmtp.x.example:0", "write a host and a port as in smtp.partner.example:587"),
        (&TENANT, "\nmails", "write some of: graph-mail, email, teams, slack, pagerduty, webhook"),
        (&TENANT, "\nteams\nhttps:/", "Address of the Teams workflow: "),
        (&TENANT, "\npagerduty\nkey", "a routing key is 32 letters and digits"),
        (&TENANT, "\nwebhook\nhttps://u:p@x.example", "must not hold a user name or a password"),
        (&TENANT, "\ngraph-mail\n\n7", "an application's id is a GUID"),
        (
            &TENANT,
            "\nsmtp.x.example\na@b.example\nc@d.example\nme\n",
            "Its password: there is no answer",
        ),
        (&TENANT, "\n\nhttp://hooks.example/x\n\n\n\n", "http:// is allowed to this machine only"),
        (
            &TENANT,
            "\n\nhttps://hooks.example/x\n100, 80\n",
            "write ascending percents as in 80, 100 (--steps)",
        ),
        (&TENANT, "\n\nhttps://hooks.example/x\n\nMars\n", "there is no such time zone"),
    ] {
        let house = Empty::new();
        let ended = house.init(options, lines);
        assert!(ended.code == 2 && ended.err.contains(said), "{} {}", ended.code, ended.err);
        assert!(!house.has("alert-rules.toml") && !house.has("credentials"), "{said}");
        assert!(!ended.err.contains("hooks.example"), "{}", ended.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_signs_in_and_sends_a_test_message_when_that_is_wanted() {
    let partner_center = PartnerCenter::start(
        SystemClock::shared(),
        SignIn { client_secret: None, ..SignIn::default() },
    )
    .unwrap();
    let slack = HttpReceiver::start(SystemClock::shared()).unwrap();
    let house = Empty::new();
    let url = partner_center.api_url();
    let lines = format!("\n\n{}\n\n\ncredentials\nyes\ny\n", slack.url("/services/T/B/X"));
    let ended =
        house.init(&[&TENANT[..], &["--api-url", &url, "--login-url", &url]].concat(), &lines);
    assert_eq!(ended.code, 0, "{} {}", ended.out, ended.err);
    let told: Vec<&str> = ended.out.lines().map(|line| line.split("  ").next().unwrap()).collect();
    assert_eq!(
        told[..6],
        ["✓ written", "✓ secrets", "✓ account", "✓ MFA", "✓ role", "✓ saved"],
        "{}",
        ended.out
    );
    assert!(ended.out.contains("slack: accepted: 200 ok"), "{}", ended.out);
    assert!(slack.received()[0].text().contains("[TEST]"));
    assert!(house.has("state/sign-in.json"));
    let live = house.run(&["check", "--live"], "");
    assert_eq!(live.code, 0, "{}", live.out);
}

//! What sound configurations mean: defaults, exact numbers, durations, secrets, paths.

use std::path::Path;
use std::time::Duration;

use budget_alertd::config::{Config, Environment, load, parse};
use budget_alertd::domain::CustomerKey;
use budget_alertd::notify::{OAuthConfig, OAuthGrant, SmtpSignIn};
use budget_alertd::{notify, source};

const RULE: &str =
    "[rules.spend]\nmetric = \"percent_used\"\nnotify = [\"ops\"]\nsteps = [{ at = 80 }]\n";

/// A configuration in `/etc/x`, with `top` in front and `more` behind.
fn read(source: &str, more: &str, variables: [(&str, &str); 2]) -> Config {
    let text = format!(
        "[source]\n{source}\n{RULE}\n[notifiers.ops]\ntype = \"slack\"\nurl = \
            {{ env = \"SLACK\" }}\n{more}\n"
    );
    parse(&text, Path::new("/etc/x/alert-rules.toml"), &Environment::from(variables))
        .unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

const VARIABLES: [(&str, &str); 2] = [
    ("SLACK", "https://hooks.slack.com/services/T/B/X\n"),
    ("STATE_DIRECTORY", "/var/lib/a:/var/lib/b"),
];
const PARTNER_CENTER: &str =
    "type = \"partner-center\"\ntenant_id = \"contoso.onmicrosoft.com\"\nclient_id = \"abc\"";

#[test]
fn defaults_are_those_of_the_reference() {
    let config = read(PARTNER_CENTER, "", VARIABLES);
    assert_eq!(config.poll_interval, Duration::from_hours(1));
    assert_eq!(config.state_dir, Path::new("/var/lib/a"));
    assert_eq!(config.ledger.path, Path::new("/var/lib/a/ledger.db"));
    assert_eq!(config.ledger.retention, Duration::from_hours(400 * 24));
    let backups = config.backups.as_ref().unwrap();
    assert_eq!((&*backups.folder, backups.keep), (Path::new("/var/lib/a/backups"), 7));
    assert_eq!(config.operator.source_failing_after, Duration::from_hours(3));
    assert_eq!(config.time_zone, jiff::tz::TimeZone::UTC);
    assert!(
        config.http.is_none()
            && config.operator.notify.is_empty()
            && config.budgets.customers.is_empty()
    );
    let ops = &config.notifiers[0];
    assert_eq!(
        (ops.digest_above, ops.give_up_after, ops.timeout),
        (Some(5), Duration::from_hours(72), Duration::from_secs(20))
    );
    let source::Config::PartnerCenter(partner_center) = &config.source else {
        panic!("another source")
    };
    assert_eq!(partner_center.api_url.as_str(), "https://api.partnercenter.microsoft.com/");
    assert_eq!(partner_center.login_url.as_str(), "https://login.microsoftonline.com/");
    assert_eq!(partner_center.timeout, Duration::from_mins(3));
    assert!(partner_center.client_secret.is_none() && partner_center.refresh_token.is_none());
}

#[test]
fn without_a_state_directory_state_is_kept_beside_the_process() {
    let [slack, _] = VARIABLES;
    assert_eq!(
        read(PARTNER_CENTER, "", [slack, ("STATE_DIRECTORY", "")]).ledger.path,
        Path::new("state/ledger.db")
    );
    let config = read(
        PARTNER_CENTER,
        "[daemon]\nstate_dir = \"/srv/x\"\n[ledger]\nurl = \"sqlite:/mnt/l.db\"",
        VARIABLES,
    );
    assert_eq!(
        (config.state_dir.as_path(), config.ledger.path.as_path()),
        (Path::new("/srv/x"), Path::new("/mnt/l.db"))
    );
}

#[test]
fn the_government_cloud_signs_in_elsewhere_and_addresses_can_be_overridden() {
    let of = |more: &str| match read(&format!("{PARTNER_CENTER}\n{more}"), "", VARIABLES).source {
        source::Config::PartnerCenter(config) => format!("{} {}", config.api_url, config.login_url),
        source::Config::File { .. } => panic!("another source"),
    };
    assert_eq!(
        of("cloud = \"us-government\""),
        "https://api.partnercenter.microsoft.com/ https://login.microsoftonline.us/"
    );
    let local = "api_url = \"http://127.0.0.1:8080\"\nlogin_url = \"http://[::1]:9/x\"";
    assert_eq!(of(local), "http://127.0.0.1:8080/ http://[::1]:9/x");
}

#[test]
fn a_file_source_is_relative_to_the_configuration() {
    let source::Config::File { path } =
        read("type = \"file\"\npath = \"saved/usage.json\"", "", VARIABLES).source
    else {
        panic!("another source")
    };
    assert_eq!(path, Path::new("/etc/x/saved/usage.json"));
}

#[test]
fn a_file_source_leaves_the_keys_of_partner_center_alone_so_that_a_dry_run_changes_two_lines() {
    let source = "type = \"file\"\npath = \"/u.json\"\ntenant_id = \"x\"\ntimeout = \
        \"5s\"\nclient_secret = { credential = \"none\" }";
    assert!(matches!(read(source, "", VARIABLES).source, source::Config::File { .. }));
}

#[test]
fn that_a_machine_may_act_without_a_token_is_worth_a_warning() {
    let http = "[http]\nlisten = \"127.0.0.1:9187\"\nlocal_actions = true\n";
    let warnings = read(PARTNER_CENTER, http, VARIABLES).warnings;
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0].contains("every user and every program of this machine may acknowledge"),
        "{}",
        warnings[0]
    );
    let with_token = format!("{http}token = \"open sesame\"\n");
    assert_eq!(read(PARTNER_CENTER, &with_token, VARIABLES).warnings, Vec::<String>::new());
}

#[test]
fn a_notifier_that_nothing_tells_is_worth_a_warning() {
    let more = "[notifiers.spare]\ntype = \"webhook\"\nurl = \"https://x.example\"";
    let warnings = read(PARTNER_CENTER, more, VARIABLES).warnings;
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0].starts_with(
            "/etc/x/alert-rules.toml:13:12: no rule, customer, operator or \
            report tells the notifier \"spare\"\n"
        ),
        "{}",
        warnings[0]
    );
    assert_eq!(
        read(PARTNER_CENTER, &format!("{more}\n[operator]\nnotify = [\"spare\"]"), VARIABLES)
            .warnings,
        Vec::<String>::new()
    );
}

#[test]
fn steps_may_be_written_as_tables_of_their_own() {
    let rule = "[rules.r]\nmetric = \"total_cost\"\nnotify = [\"ops\"]\n[[rules.r.steps]]\nat.SEK \
        = 5\n[[rules.r.steps]]\nat = { SEK = 6 }\nseverity = \"info\"";
    let rules =
        super::read(&super::with_rules(rule)).unwrap_or_else(|mistakes| panic!("{mistakes}")).rules;
    assert!(
        rules.sentences()[0].contains("has cost 5 SEK is a warning to ops, 6 SEK is news to ops;"),
        "{}",
        rules.sentences()[0]
    );
}

#[test]
fn numbers_are_exact_in_every_form() {
    let budget = |amount: &str| {
        let more = format!(
            "[customers.\"11111111-ABCD-4b05-8f15-b3d72e0596e6\"]\nbudget = {{ amount = {amount}, \
                currency = \"sek\" }}"
        );
        let config = read(PARTNER_CENTER, &more, VARIABLES);
        let budget = config.budgets.customers
            [&CustomerKey::of("11111111-abcd-4b05-8f15-b3d72e0596e6")]
            .budget
            .unwrap();
        format!("{} {}", budget.amount, budget.currency)
    };
    assert_eq!(budget("1_000"), "1000 SEK");
    assert_eq!(budget("99.5"), "99.5 SEK");
    assert_eq!(budget("\"99.50\""), "99.50 SEK");
    assert_eq!(budget("0.1"), "0.1 SEK");
    assert_eq!(budget("1_234.567_8"), "1234.5678 SEK");
    assert_eq!(budget("1e3"), "1000 SEK");
    assert_eq!(budget("0x10"), "16 SEK");
    assert_eq!(budget("120.5682999999995904716"), "120.5682999999995904716 SEK");
    assert_eq!(budget("9007199254740993"), "9007199254740993 SEK");
    assert_eq!(budget("9999999999999999999999999999"), "9999999999999999999999999999 SEK");
}

#[test]
fn durations_add_their_units() {
    let seconds = |text: &str| {
        read(&format!("{PARTNER_CENTER}\npoll_interval = \"{text}\""), "", VARIABLES)
            .poll_interval
            .as_secs()
    };
    assert_eq!(
        ["1s", "90s", "15m", "1h30m", "2d", "1d1h1m1s"].map(seconds),
        [1, 90, 900, 5400, 172_800, 90_061]
    );
    for wrong in ["", "1", "s", "1.5h", "1m1h", "1h1h", "-1s", "1w", "1 h", "٣s", "1h 30m"] {
        let text = super::with_rules(RULE)
            .replace("path =", &format!("poll_interval = \"{wrong}\"\npath ="));
        assert!(super::mistakes(&text).contains("alert-rules.toml:3:17: "), "{wrong}");
    }
}

#[test]
fn digests_can_be_set_and_switched_off() {
    let above = |text: &str| {
        let more =
            format!("[notifiers.more]\ntype = \"webhook\"\nurl = \"https://x.example\"\n{text}");
        read(PARTNER_CENTER, &more, VARIABLES).notifiers[1].digest_above
    };
    assert_eq!(
        [above(""), above("digest_above = 0"), above("digest_above = 7")],
        [None, Some(0), Some(7)]
    );
    assert_eq!([above("digest_above = false"), above("digest_above = \"off\"")], [None, None]);
}

#[test]
fn ports_follow_the_kind_of_protection() {
    let smtp = |text: &str| {
        let more = format!(
            "[notifiers.mail]\ntype = \"email\"\nfrom = \"a@b.example\"\nto = [\"Å \
                <c@d.example>\", \"c@d.example\"]\nsmtp = {{ {text} }}"
        );
        match &read(PARTNER_CENTER, &more, VARIABLES).notifiers[1].kind {
            notify::Kind::Email(email) => {
                assert_eq!(email.to.len(), 1, "an address given twice is one recipient");
                let sign_in = match &email.smtp.sign_in {
                    None => "nobody".to_owned(),
                    Some(SmtpSignIn::Password { user, mechanism, .. }) => {
                        format!("{user} {mechanism:?}")
                    }
                    Some(SmtpSignIn::Token { user, .. }) => format!("{user} by a token"),
                };
                format!("{} {} {:?} {sign_in}", email.smtp.host, email.smtp.port, email.smtp.tls)
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(smtp("host = \"m.example\""), "m.example 587 Starttls nobody");
    let signed_in = "username = \"u\", password = \"p\"";
    assert_eq!(
        smtp(&format!("host = \"m.example\", {signed_in}")),
        "m.example 587 Starttls u Plain"
    );
    assert_eq!(
        smtp(&format!("host = \"m.example\", tls = \"implicit\", auth = \"login\", {signed_in}")),
        "m.example 465 Implicit u Login"
    );
    assert_eq!(smtp("host = \"::1\", tls = \"none\""), "::1 25 None nobody");
    assert_eq!(
        smtp("host = \"m.example\", tls = \"none\", port = 2525, allow_plaintext = true"),
        "m.example 2525 None nobody"
    );
    let oauth = "oauth = { tenant_id = \"t\", client_id = \"c\", client_secret = \"s\" }";
    assert_eq!(
        smtp(&format!(
            "host = \"m.example\", auth = \"xoauth2\", username = \"a@b.example\", {oauth}"
        )),
        "m.example 587 Starttls a@b.example by a token"
    );
}

#[test]
fn a_mail_server_is_greeted_by_a_full_name_or_an_address() {
    let hello_name = |text: &str| {
        let more = format!(
            "[notifiers.mail]\ntype = \"email\"\nfrom = \"a@b.example\"\nto = \
                [\"c@d.example\"]\nsmtp = {{ host = \"m.example\"{text} }}"
        );
        match read(PARTNER_CENTER, &more, VARIABLES).notifiers[1].kind.clone() {
            notify::Kind::Email(email) => email.smtp.hello_name,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(hello_name(""), None);
    for (written, name) in [
        ("alerts.partner.example", "alerts.partner.example"),
        ("alerts.b\u{fc}cher.example", "alerts.xn--bcher-kva.example"),
        ("[192.0.2.7]", "[192.0.2.7]"),
        ("[IPv6:2001:db8::7]", "[IPv6:2001:db8::7]"),
    ] {
        assert_eq!(hello_name(&format!(", hello_name = \"{written}\"")).as_deref(), Some(name));
    }
}

#[test]
fn a_name_beyond_ascii_before_the_at_is_warned_of_and_a_domain_is_not() {
    let warned = |from: &str, to: &str| {
        let more = format!(
            "[notifiers.mail]\ntype = \"email\"\nfrom = \"{from}\"\nto = [\"{to}\"]\nsmtp = \
                {{ host = \"m.example\" }}"
        );
        let warnings = read(PARTNER_CENTER, &more, VARIABLES).warnings;
        warnings
            .iter()
            .filter(|warning| warning.contains("only mail servers with SMTPUTF8 take it"))
            .count()
    };
    assert_eq!(warned("a@b\u{fc}cher.example", "J\u{f6}rg <c@m\u{fc}nchen.example>"), 0);
    assert_eq!(
        [
            warned("a@b.example", "j\u{f6}rg@d.example"),
            warned("j\u{f6}rg@b.example", "j\u{f6}rg@d.example")
        ],
        [1, 2]
    );
}

/// The `oauth` of a notifier called `name`, with `more` in it, under a source with `cloud`.
fn oauth(name: &str, cloud: &str, notifier: &str, more: &str) -> OAuthConfig {
    let oauth = format!("oauth = {{ tenant_id = \"partner.example\", client_id = \"c\", {more} }}");
    let table = notifier.replace("OAUTH", &oauth);
    let more =
        format!("[notifiers.\"{name}\"]\nfrom = \"a@b.example\"\nto = [\"c@d.example\"]\n{table}");
    let config = read(&format!("{PARTNER_CENTER}\n{cloud}"), &more, VARIABLES);
    match config.notifiers[1].kind.clone() {
        notify::Kind::GraphMail(mail) => mail.oauth,
        notify::Kind::Email(email) => match email.smtp.sign_in {
            Some(SmtpSignIn::Token { oauth, .. }) => *oauth,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn tokens_are_asked_for_where_and_for_what_the_cloud_and_the_user_say() {
    let graph = "type = \"graph-mail\"\nOAUTH";
    let smtp = "type = \"email\"\nsmtp = \
        { host = \"m.example\", auth = \"xoauth2\", username = \"a@b.example\", OAUTH }";
    let government = "cloud = \"us-government\"";
    let (application, user) = ("client_secret = \"s\"", "refresh_token = \"r\"");
    let place = |cloud: &str, notifier: &str, more: &str| {
        let oauth = oauth("mail", cloud, notifier, more);
        format!("{} {}", oauth.token_url.host_str().unwrap(), oauth.scope)
    };
    for (cloud, notifier, more, expected) in [
        ("", graph, application, "login.microsoftonline.com https://graph.microsoft.com/.default"),
        (
            "",
            graph,
            user,
            "login.microsoftonline.com https://graph.microsoft.com/Mail.Send offline_access",
        ),
        ("", smtp, application, "login.microsoftonline.com https://outlook.office365.com/.default"),
        (
            "",
            smtp,
            user,
            "login.microsoftonline.com https://outlook.office.com/SMTP.Send offline_access",
        ),
        (
            government,
            graph,
            application,
            "login.microsoftonline.us https://graph.microsoft.us/.default",
        ),
        (
            government,
            smtp,
            application,
            "login.microsoftonline.us https://outlook.office365.us/.default",
        ),
    ] {
        assert_eq!(place(cloud, notifier, more), expected);
    }
    let other = oauth(
        "mail",
        "",
        graph,
        "client_secret = \"s\", login_url = \"https://login.example/x/\", scope = \"y\"",
    );
    assert_eq!(
        other.token_url.as_str(),
        "https://login.example/x/partner.example/oauth2/v2.0/token"
    );
    assert_eq!(other.scope, "y");
}

#[test]
fn a_refresh_token_has_a_file_of_its_notifier_and_never_one_elsewhere() {
    let file =
        |name: &str| match oauth(name, "", "type = \"graph-mail\"\nOAUTH", "refresh_token = \"r\"")
            .grant
        {
            OAuthGrant::User { state_dir, file, .. } => {
                assert_eq!(state_dir, Path::new("/var/lib/a"));
                file
            }
            OAuthGrant::Application { .. } => panic!("no user"),
        };
    assert_eq!(file("ops-mail_2"), "sign-in-ops-mail_2.json");
    let odd = [file("../x"), file("a/b"), file("Ålesund"), file(&"x".repeat(300))];
    assert!(
        odd.iter().all(|name| name.len() == "sign-in-.json".len() + 32 && !name.contains('/')),
        "{odd:?}"
    );
}

#[test]
fn a_password_for_exchange_online_is_warned_of() {
    let warnings = |smtp: &str| {
        let mail = format!(
            "[notifiers.ops2]\ntype = \"email\"\nfrom = \"a@b.example\"\nto = \
                [\"c@d.example\"]\nsmtp = {{ {smtp} }}"
        );
        let mut warnings = read(PARTNER_CENTER, &mail, VARIABLES).warnings;
        warnings.retain(|warning| !warning.contains("tells the notifier"));
        warnings
    };
    let password = "username = \"a@b.example\", password = \"p\"";
    let said = warnings(&format!("host = \"SMTP.office365.com\", {password}"));
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("December 2026: use auth = \"xoauth2\" or type = \"graph-mail\""),
        "{}",
        said[0]
    );
    assert_eq!(
        warnings(&format!("host = \"smtp.partner.example\", {password}")),
        Vec::<String>::new()
    );
    assert_eq!(warnings("host = \"smtp.office365.com\""), Vec::<String>::new());
}

#[test]
fn a_fallback_for_a_notifier_that_is_owed_nothing_is_warned_of() {
    let board = "[notifiers.board]\ntype = \"alertmanager\"\nurl = \
        \"http://127.0.0.1:9093\"\nfallback = [\"ops\"]\n";
    let mut warnings = read(PARTNER_CENTER, board, VARIABLES).warnings;
    warnings.retain(|warning| !warning.contains("tells the notifier"));
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("let the rules name the others too"), "{}", warnings[0]);
}

#[test]
fn secrets_come_from_every_place() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("id"), "from-credential\n").unwrap();
    std::fs::write(folder.path().join("token"), "from-file\n").unwrap();
    let text = format!(
        "[source]\n{PARTNER_CENTER}\nclient_secret = {{ credential = \"id\" }}\nrefresh_token = \
            {{ file = \"token\" }}\n{RULE}\n[notifiers.ops]\ntype = \"slack\"\nurl = \
            {{ env = \"SLACK\" }}\n[http]\nlisten = \"0.0.0.0:1\"\ntoken = \"inline\"\n"
    );
    let file = folder.path().join("alert-rules.toml");
    std::fs::write(&file, text).unwrap();
    let environment = Environment::from([
        ("CREDENTIALS_DIRECTORY", folder.path().to_str().unwrap()),
        VARIABLES[0],
    ]);
    let open = load(&file, &environment).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let source::Config::PartnerCenter(config) = &open.source else { panic!("another source") };
    let exposed = |secret: &Option<budget_alertd::secret::Secret>| {
        secret.as_ref().unwrap().expose().to_owned()
    };
    assert_eq!(exposed(&config.client_secret), "from-credential");
    assert_eq!(exposed(&config.refresh_token), "from-file");
    assert_eq!(exposed(&open.http.as_ref().unwrap().token), "inline");
    let notify::Kind::Slack(slack) = &open.notifiers[0].kind else { panic!("no Slack") };
    assert_eq!(slack.url.expose(), "https://hooks.slack.com/services/T/B/X");
    warns_only_while_others_can_read(&file, &environment);
}

fn warns_only_while_others_can_read(file: &Path, environment: &Environment) {
    use std::os::unix::fs::PermissionsExt as _;
    let warnings = |mode| {
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
        load(file, environment).unwrap().warnings
    };
    assert_eq!(warnings(0o600), Vec::<String>::new());
    let said = warnings(0o640);
    assert_eq!(said.len(), 1);
    assert!(
        said[0].contains("others can read the secret")
            && said[0].contains("token = \"***\"")
            && !said[0].contains("inline"),
        "{}",
        said[0]
    );
}

#[test]
fn a_customer_is_what_its_table_says() {
    let more = "[budgets]\nprefer = \
        \"partner-center\"\n[customers.\"11111111-ABCD-4b05-8f15-b3d72e0596e6\"]\nlabel = \
        \"Nord\"\ncurrency = \"gbp\"\ntags = [\"gold\"]\ncontacts = [\"it@contoso.example, Bo \
        <bo@contoso.example>\", \"Contoso, Ltd <ltd@contoso.example>\"]\nnotify = \
        [\"ops\"]\nmute_rules = [\"spend\"]";
    let config =
        read(&format!("{PARTNER_CENTER}\nlegacy_currency = \"SEK\""), more, VARIABLES).budgets;
    assert_eq!(config.prefer, budget_alertd::budgets::Prefer::PartnerCenter);
    assert_eq!(config.legacy_currency.unwrap().as_str(), "SEK");
    let customer = &config.customers[&CustomerKey::of("11111111-abcd-4b05-8f15-b3d72e0596e6")];
    assert_eq!(customer.currency.unwrap().as_str(), "GBP");
    let profile = &customer.profile;
    assert_eq!((profile.label.as_deref(), profile.tags.join(" ").as_str()), (Some("Nord"), "gold"));
    assert_eq!(
        (profile.contacts.join(" ").as_str(), &*profile.notify[0], &*profile.mute_rules[0]),
        (
            "it@contoso.example Bo <bo@contoso.example> \"Contoso, Ltd\" <ltd@contoso.example>",
            "ops",
            "spend"
        )
    );
}

#[test]
fn customers_mails_name_the_partner_and_answers_go_where_it_says() {
    let customers = "[notifiers.told]\ntype = \"email\"\naudience = \"customer\"\nto_customer_contacts = true\n\
                     from = \"budgets@partner.example\"\nreply_to = \"Support <support@partner.example>\"\n\
                     smtp = { host = \"localhost\", tls = \"none\" }\n[customers.\"11111111-6fb9-4b05-8f15-b3d72e0596e6\"]\ncontacts = [\"it@a.example\"]\nnotify = [\"told\"]\n";
    let partner = "[partner]\nname = \"Contoso Cloud\"\ncontact = \"+46 8 123 45 67\"\n";
    let config = read(PARTNER_CENTER, &format!("{customers}{partner}"), VARIABLES);
    assert_eq!(config.warnings, Vec::<String>::new());
    let told = config.notifiers.iter().find(|notifier| &*notifier.name == "told").unwrap();
    let partner = told.partner.as_ref().unwrap();
    assert_eq!(
        (partner.name.as_str(), partner.contact.as_deref()),
        ("Contoso Cloud", Some("+46 8 123 45 67"))
    );
    let budget_alertd::notify::Kind::Email(email) = &told.kind else { panic!("{told:?}") };
    assert_eq!(email.reply_to.as_ref().unwrap().to_string(), "Support <support@partner.example>");
    assert!(
        config
            .notifiers
            .iter()
            .filter(|notifier| &*notifier.name != "told")
            .all(|notifier| notifier.partner.is_none())
    );
    let unnamed = read(PARTNER_CENTER, customers, VARIABLES).warnings;
    assert!(
        unnamed.len() == 1
            && unnamed[0].contains("say who that is in [partner], with name and contact"),
        "{unnamed:?}"
    );
}

#[test]
fn the_systems_own_configuration_has_the_state_folder_of_the_unit() {
    let text = format!(
        "[source]\n{PARTNER_CENTER}\n{RULE}\n[notifiers.ops]\ntype = \"slack\"\nurl = \"https://x.example\"\n"
    );
    let state_dir = |file: &str, variables: &[(&str, &str)]| {
        let environment = match variables {
            [] => Environment::default(),
            [one] => Environment::from([*one]),
            _ => unreachable!(),
        };
        let config = budget_alertd::config::parse(&text, Path::new(file), &environment);
        config.unwrap_or_else(|mistakes| panic!("{mistakes}")).state_dir
    };
    let system = "/etc/budget-alertd/alert-rules.toml";
    assert_eq!(state_dir(system, &[]), Path::new("/var/lib/budget-alertd"));
    assert_eq!(state_dir(system, &[("STATE_DIRECTORY", "/srv/a:/srv/b")]), Path::new("/srv/a"));
    assert_eq!(state_dir("/etc/other/alert-rules.toml", &[]), Path::new("state"));
}

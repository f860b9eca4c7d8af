//! The first configuration as text, with a comment where a reader may ask why. It is the file that
//! `check` reads.

use std::fmt::Write as _;
use std::path::Path;

use rust_decimal::Decimal;

use crate::cli::init::answers::{Answers, Keeping, Mail};
use crate::secret::Secret;

/// Writes down the answers; secrets where `keeping` says.
pub(super) fn page(answers: &Answers, state_dir: &Path, keeping: Keeping) -> String {
    let mut page = String::from(
        "# Written by `budget-alertd init`. All keys there are: the alert-rules.toml that comes \
            with the program.\n# After a change: `budget-alertd check`, then `systemctl reload \
            budget-alertd`.\n\n",
    );
    page.push_str(&source(answers, keeping));
    let notifiers = list(&answers.notifiers());
    let _infallible = write!(
        page,
        "\n[daemon]\n\
         state_dir = {}   # the ledger and the sign-in\n\
         time_zone = {}   # of times in messages\n\n\
         [http]\n\
         listen = \"127.0.0.1:9187\"          # metrics and health, for this machine only\n\n\
         [operator]\n\
         notify = {notifiers}   # who is to hear when the daemon itself is in trouble\n\n",
        quoted(&state_dir.display().to_string()),
        quoted(&answers.time_zone),
    );
    page.push_str(&rules(&answers.steps, &notifiers));
    page.push_str(
        "\n# A budget of our own for a customer:\n\
         # [customers.\"11111111-6fb9-4b05-8f15-b3d72e0596e6\"]\n\
         # label = \"Contoso Nord\"\n\
         # budget = { amount = 5000, currency = \"SEK\" }\n",
    );
    page.extend(answers.mail.as_ref().map(|server| mail(server, keeping)));
    if let Some(url) = &answers.slack_url {
        let _infallible = write!(
            page,
            "\n[notifiers.slack]\ntype = \"slack\"\nurl = {}\n",
            kept("slack-url", url, keeping)
        );
    }
    page
}

fn source(answers: &Answers, keeping: Keeping) -> String {
    let mut text = String::from("[source]\ntype = \"partner-center\"\n");
    for (key, url) in [("api_url", &answers.api_url), ("login_url", &answers.login_url)] {
        text.extend(url.as_deref().map(|url| format!("{key} = {}\n", quoted(url))));
    }
    let _infallible = write!(
        text,
        "tenant_id = {}\nclient_id = {}\n",
        quoted(&answers.tenant),
        quoted(&answers.client_id)
    );
    let secret = answers.client_secret.as_ref();
    let secret = secret
        .map(|secret| format!("client_secret = {}\n", kept("client-secret", secret, keeping)));
    text.push_str(
        secret.as_deref().unwrap_or("# client_secret: none, the application is a public one\n"),
    );
    text + "# refresh_token: none, `budget-alertd login` keeps the sign-in itself\n\
            poll_interval = \"1h\"               # usage is about a day old whatever is set here\n"
}

fn rules(steps: &[Decimal], notifiers: &str) -> String {
    let mut text = format!(
        "[rules.spend]\n\
         description = \"Share of the monthly budget\"\n\
         metric = \"percent_used\"\n\
         notify = {notifiers}\n\
         then_every = 100                   # and again at every further 100 % above\n\
         steps = [\n"
    );
    for (index, step) in steps.iter().enumerate() {
        let severity = if index + 1 == steps.len() { "critical" } else { "warning" };
        let _infallible =
            writeln!(text, "  {{ at = {}, severity = \"{severity}\" }},", step.normalize());
    }
    let _infallible = write!(
        text,
        "]\n\n[rules.no-budget]                  # most customers of an Azure plan have none in \
            Partner Center\ndescription = \"Cost that nobody has budgeted\"\nmetric = \
            \"unbudgeted_cost\"\nnotify = {notifiers}\nsteps = \
            [{{ at = {{ USD = 1000, EUR = 1000, GBP = 1000, SEK = 10_000 }} }}]\nthen_every = \
            {{ USD = 1000, EUR = 1000, GBP = 1000, SEK = 10_000 }}\n"
    );
    text
}

fn mail(mail: &Mail, keeping: Keeping) -> String {
    let mut smtp = format!("host = {}", quoted(&mail.host));
    smtp.extend(mail.port.map(|port| format!(", port = {port}")));
    let loopback = mail.host == "localhost"
        || mail.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    smtp.push_str(match mail.port {
        _ if loopback => ", tls = \"none\"",
        Some(465) => ", tls = \"implicit\"",
        _ => ", tls = \"starttls\"",
    });
    if let Some((user, password)) = &mail.sign_in {
        let _infallible = write!(
            smtp,
            ", username = {}, password = {}",
            quoted(user),
            kept("smtp", password, keeping)
        );
    }
    let to: Vec<&str> = mail.to.iter().map(String::as_str).collect();
    format!(
        "\n[notifiers.mail]\ntype = \"email\"\nfrom = {}\nto = {}\nsmtp = {{ {smtp} }}\n",
        quoted(&mail.from),
        list(&to)
    )
}

/// A secret, or the name of its place.
fn kept(credential: &str, secret: &Secret, keeping: Keeping) -> String {
    match keeping {
        Keeping::Credentials => format!("{{ credential = \"{credential}\" }}"),
        Keeping::Inline => quoted(secret.expose()),
    }
}

fn list(texts: &[&str]) -> String {
    format!("[{}]", texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "))
}

/// A text as TOML's basic string, whose escapes are JSON's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

//! The demonstration as a new user starts it, without a terminal: what it tells, what it comes to,
//! what its pages show, what it leaves behind.

use std::io::{BufRead as _, BufReader, Lines, Read as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::LazyLock;

use tempfile::TempDir;

use crate::support::client;

/// The customer without a budget.
const SCHOOL: &str = "56f891ac-4159-4067-b2cc-44f90c30daeb";

struct Show {
    text: String,
    errors: String,
    code: Option<i32>,
    left_behind: usize,
}

fn demo(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_budget-alertd"));
    command.arg("demo").args(arguments).current_dir(folder).env_clear().env("TMPDIR", folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// Two shows of the same month, beside each other.
static SHOWS: LazyLock<[Show; 2]> = LazyLock::new(|| {
    let started = [(); 2].map(|()| {
        let folder = TempDir::new().unwrap();
        (demo(folder.path(), &["--fast"]).spawn().unwrap(), folder)
    });
    started.map(|(show, folder)| {
        let Output { status, stdout, stderr } = show.wait_with_output().unwrap();
        let left_behind = std::fs::read_dir(folder.path()).unwrap().count();
        Show { text: text(stdout), errors: text(stderr), code: status.code(), left_behind }
    })
});

/// A show whose pages somebody looks at and acts on, until it is told to end.
struct Served {
    show: Child,
    lines: Lines<BufReader<ChildStdout>>,
    address: String,
    client: reqwest::Client,
    _folder: TempDir,
}

impl Served {
    /// Starts a show, and reads its first lines up to the address.
    fn start(arguments: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let mut show = demo(folder.path(), arguments).spawn().unwrap();
        let mut lines = BufReader::new(show.stdout.take().unwrap()).lines();
        let address = lines.by_ref().take(8).map(Result::unwrap).find_map(|line| {
            Some(line.split_once("The pages: ")?.1.trim_end_matches('/').to_owned())
        });
        let address = address.expect("the first lines name the address");
        // The month may take longer than a connection without a request stays open.
        let client = client().pool_max_idle_per_host(0).build().unwrap();
        Self { show, lines, address, client, _folder: folder }
    }

    /// What is told up to the line with these words, in one line.
    fn told_until(&mut self, words: &str) -> String {
        let mut told = String::new();
        for line in self.lines.by_ref().map(Result::unwrap) {
            told.push_str(&line);
            told.push(' ');
            if line.contains(words) {
                return told.split_whitespace().collect::<Vec<_>>().join(" ");
            }
        }
        panic!("it ended without telling: {words}\n\n{told}");
    }

    async fn page(&self, path: &str) -> String {
        let answer = self.client.get(format!("{}{path}", self.address)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().await.unwrap()
    }

    /// Sends a form with what its page gave it; the page that it leads to.
    async fn send(&self, page: &str, action: &str, fields: &str) -> String {
        let text = self.page(page).await;
        let (_, token) = text.split_once("name=\"form\" value=\"").unwrap();
        let token = token.split('"').next().unwrap();
        let request = self.client.post(format!("{}{action}", self.address));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let body = format!("form={token}&to=/&{fields}");
        let answer = request.header("origin", &self.address).body(body).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, 200, "{action}: {text}");
        text
    }

    /// Ends it by a signal; its exit code, and what it said of errors.
    fn end(&mut self, signal: &str) -> (Option<i32>, String) {
        let told = Command::new("kill").args([signal, &self.show.id().to_string()]).status();
        assert!(told.unwrap().success());
        let mut errors = String::new();
        self.show.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        (self.show.wait().unwrap().code(), errors)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // One that has ended already is no trouble.
        let _ended = self.show.kill().and_then(|()| self.show.wait());
    }
}

/// The show in one line, each run of blanks as one.
fn told() -> String {
    SHOWS[0].text.replace('▌', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn assert_told_in_order(points: &[&str]) {
    let told = told();
    let mut rest = told.as_str();
    for point in points {
        let at = rest.find(point).unwrap_or_else(|| {
            panic!("not told, or not in this order: {point}\n\n{}", SHOWS[0].text)
        });
        rest = &rest[at + point.len()..];
    }
}

#[test]
fn who_has_seen_enough_of_it_ends_it_quietly() {
    let folder = TempDir::new().unwrap();
    let mut show = demo(folder.path(), &["--fast"]).spawn().unwrap();
    show.stdout.take().unwrap().read_exact(&mut [0; 64]).unwrap();
    let ended = show.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), text(ended.stderr).as_str()), (Some(0), ""));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn it_ends_well_and_leaves_nothing_behind() {
    for show in &*SHOWS {
        assert_eq!(
            (show.code, show.errors.as_str(), show.left_behind),
            (Some(0), "", 0),
            "{}",
            show.text
        );
    }
}

#[test]
fn without_a_terminal_it_is_plain_text_that_fits() {
    let text = &SHOWS[0].text;
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    assert!(!text.contains(['\u{1b}', '\r']), "{text}");
}

#[test]
fn the_first_poll_reads_everybody_and_tells_nobody() {
    assert_told_in_order(&[
        "The daemon starts",
        "First poll: signed in, 14 customers read, 0 limits exceeded.",
    ]);
}

#[test]
fn an_outage_of_the_source_alerts_nobody() {
    assert_told_in_order(&[
        "08:00 ▸ Partner Center is down",
        "08:00 ✗ The poll failed, retries included: Partner Center answered 503.",
        "13:00 ▸ Partner Center is back",
        "13:00 ✓ 14 customers read again after 5 polls failed; 0 alerts raised.",
    ]);
}

#[test]
fn the_attack_is_told_to_everybody_as_critical_though_slack_is_down_and_the_server_is_rebooted() {
    assert_told_in_order(&[
        "22:00 ▸ Slack is down",
        "09:00 # ops is down: its message waits WARNING Fabrikam Maschinenbau GmbH: 1,313 EUR of \
            1,500 EUR",
        "15:00 ✉ oncall@partner.example · ⇢ itsm · # ops is down: its message waits",
        "CRITICAL Fabrikam Maschinenbau GmbH spent 181.07 times the usual: 3,103.46 EUR on 12 Oct \
            (usually 17.14)",
        "\"severity\": \"critical\", \"threshold\": \"10\", \"value\": \"181.07\"",
        "The server is rebooted",
        "The ledger still owes 2 of the 2 messages to Slack, and knows that all 5 exceeded limits \
            were told before: 0 told again.",
        "16:00 ▸ Slack is back",
        "# ops, ",
        "Fabrikam Maschinenbau GmbH 181.07 times the usual — 3,103.46 EUR on 12 Oct (usually 17.14)",
        "Delivered 1 h",
        "Fabrikam Maschinenbau GmbH 87.54 %",
        "Delivered 7 h",
        "Slack has the 2 messages it missed: nothing lost, nothing twice.",
        "✉ oncall@partner.example · # ops · ⇢ itsm CRITICAL Fabrikam Maschinenbau GmbH 260.58% of \
            budget",
    ]);
}

#[test]
fn a_raised_budget_is_alerted_about_again_and_the_message_says_why() {
    assert_told_in_order(&[
        "CRITICAL Adventure Works Cykel AB 102.11% of budget: 5,105.44 of 5,000 SEK",
        "Adventure Works raises its budget",
        "# ops Adventure Works Cykel AB 80.25 % — 6,419.90 of 8,000 SEK, 1,580.10 left",
        "5,000 → 8,000 SEK",
        "CRITICAL Adventure Works Cykel AB 100.02% of budget: 8,001.58 of 8,000 SEK",
    ]);
}

#[test]
fn a_spike_at_a_customer_without_a_budget_is_told() {
    assert_told_in_order(&[
        "Fri 23 Oct",
        "01:00 ▸ Forty machines start at School of Fine Art",
        "Sat 24 Oct",
        "15:00 ✉ oncall@partner.example · # ops · ⇢ itsm WARNING School of Fine Art spent 6.26 \
            times the usual: 822.68 EUR on 23 Oct (usually 131.52)",
        "School of Fine Art 3 × 6 × ✉ ⇢ #",
    ]);
}

#[test]
fn a_security_alert_is_told_to_more_people_until_it_is_answered() {
    assert_told_in_order(&[
        "18:40 ▸ Microsoft sees miners at Nordwind",
        "19:00 # ops Nordwind Logistik AB security alert not answered yet — CryptoMining (high)",
        "20:00 ✉ oncall@partner.example · # ops WARNING Microsoft security alert not answered for \
            1 h: Nordwind Logistik AB",
        "07:00 ✉ oncall@partner.example · # ops · ⇢ itsm CRITICAL Microsoft security alert not \
            answered for 12 h: Nordwind Logistik AB",
        "09:20 ▸ Somebody answers Microsoft's alert",
        "10:00 ✓ Answered after 14.7 h, of 24 that Microsoft allows: nobody else is called.",
    ]);
}

#[test]
fn the_turn_of_the_month_raises_nothing_by_late_data_and_begins_anew() {
    assert_told_in_order(&[
        "CRITICAL Trey Research (offboarded) 106.33 SEK with a budget of 0",
        "The calendar month turns over",
        "The first data of the new month arrives",
        "Wingtip Airlines: data dated Sun 1 Nov, but with the cost of the month before. Recognised \
            as carried over: no new alert.",
        "CRITICAL Trey Research (offboarded) 169.06 SEK with a budget of 0",
        "in November",
        "Wingtip's own data of the new month arrives",
    ]);
    let late = told();
    let after = late.split("Late data of the old month").nth(1).unwrap();
    assert_eq!(
        after.matches("Wingtip Airlines").count(),
        3,
        "the late data is told, and the two alerts of October in the table"
    );
}

#[test]
fn the_accounts_at_its_end_are_even() {
    assert_told_in_order(&[
        "Who was told of what",
        "764 polls, 5 of them failed 10,626 records read 30 alerts 1 reboot",
        "57 messages: ✉ 19 mails # 24 in Slack ⇢ 14 webhooks",
        "Compared one by one: 57 messages owed by the ledger, 57 received. lost: 0 received twice: \
            0 raised twice: 0 given up: 0",
        "budget-alertd poll --dry-run",
    ]);
}

/// Without what differs from show to show: ports, references, how long it took, and the minutes
/// after which Slack is probed.
fn lasting(text: &str) -> Vec<String> {
    let probed =
        |word: &str| word.starts_with("16:") || word.starts_with("+6") || word.starts_with("+7");
    let lasting = |line: &&str| {
        !["Partner Center :", "The pages:", "A month and two days took", "Delivered", " late"]
            .iter()
            .any(|what| line.contains(what))
    };
    let reference = regex::Regex::new("^[0-9A-F]{8}$").unwrap();
    let differs = |word: &str| probed(word) || reference.is_match(word);
    let words = |line: &str| {
        line.split_whitespace().filter(|word| !differs(word)).collect::<Vec<_>>().join(" ")
    };
    text.lines().filter(lasting).map(words).collect()
}

#[test]
fn the_same_month_is_told_the_same_way_twice() {
    assert_eq!(lasting(&SHOWS[0].text), lasting(&SHOWS[1].text));
}

#[test]
fn the_configuration_it_prints_is_good() {
    let folder = TempDir::new().unwrap();
    let printed = demo(folder.path(), &["--print-config"]).output().unwrap();
    let file = folder.path().join("alert-rules.toml");
    std::fs::write(&file, &printed.stdout).unwrap();
    let mut check = Command::new(env!("CARGO_BIN_EXE_budget-alertd"));
    let checked = check.arg("--config").arg(&file).arg("check").output().unwrap();
    assert_eq!(checked.status.code(), Some(0), "{}", text(checked.stderr));
}

#[tokio::test]
async fn its_pages_show_the_month_take_orders_and_stay_until_it_is_told_to_end() {
    let mut served = Served::start(&["--fast", "--serve"]);
    served.told_until("First poll: signed in");
    assert!(served.page("/").await.contains("shows itself anew every 3 s"), "while it plays");
    let silence = format!("customer={SCHOOL}&rule=&until=30d&reason=agreed");
    served.send(&format!("/silences/new?{silence}"), "/silences/add", &silence).await;
    let tested = served.send("/notifiers", "/notifiers/itsm/test", "").await;
    assert!(tested.contains("accepted"), "{tested}");
    let told = served.told_until("The pages stay: ");
    assert!(told.contains("lost: 0 received twice: 0 raised twice: 0 given up: 0"), "{told}");
    assert!(!told.contains("School of Fine Art spent"), "it is silenced: {told}");
    assert!(told.ends_with(&format!("The pages stay: {}/ until Ctrl-C", served.address)), "{told}");

    let overview = served.page("/").await;
    for words in ["14 customers", "Fabrikam Maschinenbau GmbH", "As of Tue 3 Nov", "every minute"] {
        assert!(overview.contains(words), "{words}\n{overview}");
    }
    assert!(served.page("/silences?all=yes").await.contains("agreed"));
    let (_, alert) = overview.split_once("/customers/").unwrap();
    let worst = format!("/customers/{}", alert.split('"').next().unwrap());
    let customer = served.page(&worst).await;
    let (_, action) = customer.split_once("action=\"/alerts/").unwrap();
    let action = format!("/alerts/{}", action.split('"').next().unwrap());
    served.send(&worst, &action, "note=seen").await;
    assert!(served.page(&worst).await.contains("acknowledged by someone on"));
    assert_eq!(served.end("-TERM"), (Some(0), String::new()));
}

#[test]
fn its_pages_are_for_this_machine_alone() {
    let folder = TempDir::new().unwrap();
    for address in ["0.0.0.0:8080", "192.0.2.1:0", "8080"] {
        let refused = demo(folder.path(), &["--listen", address]).output().unwrap();
        assert_eq!(refused.status.code(), Some(2), "{address}");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = demo(folder.path(), &["--listen", &address]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let why = text(refused.stderr);
    assert!(why.contains(&format!("cannot serve the pages on {address}: ")), "{why}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn interrupted_it_leaves_nothing_behind_either() {
    let folder = TempDir::new().unwrap();
    let mut show = demo(folder.path(), &[]).spawn().unwrap();
    let mut beginning = [0; 64];
    show.stdout.as_mut().unwrap().read_exact(&mut beginning).unwrap();
    let told = Command::new("kill").args(["-INT", &show.id().to_string()]).status().unwrap();
    assert!(told.success());
    let ended = show.wait_with_output().unwrap();
    assert_eq!(
        (ended.status.code(), text(ended.stderr).as_str()),
        (Some(1), "budget-alertd: interrupted; nothing is left behind\n")
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_month_that_is_none_is_wrong_usage() {
    let folder = TempDir::new().unwrap();
    for month in ["soon", "1999-12-31", "9999-12-31"] {
        let refused = demo(folder.path(), &["--start", month]).output().unwrap();
        assert_eq!(refused.status.code(), Some(2), "{month}");
    }
}

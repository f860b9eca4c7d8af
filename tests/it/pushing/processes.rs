//! The command as a process, with and without a daemon beside it, and killed in the middle.

use std::process::Output;

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::{Endpoint, Fault, PartnerCenter, SignIn, SimBudget};
use serde_json::{Value, json};

use super::{NORD, local, nord};
use crate::support::process::{House, SOON, eventually};
use crate::support::terminal::at_terminal;

/// A house whose source is the Partner Center; one poll has read its usage.
fn house(center: &PartnerCenter) -> House {
    let sign_in = SignIn::default();
    center.set_customers(vec![nord()]);
    let house = House::new(&format!(
        "[source]\ntype = \"partner-center\"\napi_url = \"{0}\"\nlogin_url = \"{0}\"\ntenant_id = \
            \"{1}\"\nclient_id = \"{2}\"\nclient_secret = \"{3}\"\nrefresh_token = \"{4}\"\n\
            [http]\nlisten = \"127.0.0.1:0\"\n[rules.spend]\nmetric = \"percent_used\"\nnotify = \
            [\"hook\"]\nsteps = [{{ at = 80 }}]\n[notifiers.hook]\ntype = \"webhook\"\nurl = \
            \"http://127.0.0.1:9/\"\n{5}",
        center.api_url(),
        sign_in.tenant_id,
        sign_in.client_id,
        sign_in.client_secret.unwrap(),
        center.refresh_token(),
        local(NORD, "5000", "SEK")
    ));
    let polled = house.run(&["poll"]);
    assert_eq!(polled.status.code(), Some(0), "{polled:?}");
    house
}

fn center() -> PartnerCenter {
    PartnerCenter::start(SystemClock::shared(), SignIn::default()).unwrap()
}

/// The one row, and the exit code.
#[track_caller]
fn row(output: &Output) -> (Value, Option<i32>) {
    let rows: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(rows.as_array().unwrap().len(), 1, "{rows}");
    (rows[0].clone(), output.status.code())
}

const PUSH: [&str; 5] = ["budgets", "push", "--yes", "--format", "json"];

fn patches(center: &PartnerCenter) -> Vec<String> {
    let requests = center.requests().into_iter().filter(|request| request.method == "PATCH");
    requests.map(|patch| patch.header("MS-RequestId").unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_shows_what_it_would_write_and_writes_by_order_only() {
    let center = center();
    let house = house(&center);
    let unasked = house.run(&["budgets", "push"]);
    assert_eq!(unasked.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unasked.stderr).contains("then write them with --yes"));
    let (planned, code) = row(&house.run(&["budgets", "push", "--dry-run", "--format", "json"]));
    assert_eq!(code, Some(0));
    assert_eq!(
        planned,
        json!({
            "customer": NORD, "from": "4000", "to": "5000", "currency": "SEK", "outcome": null,
            "words": "would be written", "ms_request_id": null, "name": "Contoso Nord"
        })
    );
    assert!(patches(&center).is_empty());
    assert_eq!(house.number("SELECT count(*) FROM budget_push"), 0);
    let (written, code) = row(&house.run(&PUSH));
    assert_eq!((&written["outcome"], code), (&json!("written"), Some(0)), "{written}");
    assert_eq!(written["ms_request_id"], json!(patches(&center)[0]));
    let text = house.run(&["budgets", "push", "--yes"]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("Contoso Nord") && text.contains("same"), "{text}");
    center.set_spending_budget(NORD, SimBudget::Malformed);
    let (skipped, code) = row(&house.run(&PUSH));
    assert_eq!((&skipped["outcome"], code), (&json!("skipped"), Some(1)));
    let csv = String::from_utf8(house.run(&["budgets", "push", "--yes", "--format", "csv"]).stdout);
    let csv = csv.unwrap();
    assert!(
        csv.starts_with("customer,from,to,currency,outcome,words,ms_request_id,name\n"),
        "{csv}"
    );
    assert!(csv.contains(&format!("{NORD},,5000,SEK,skipped,")), "{csv}");
    let unknown = house.run(&["budgets", "push", "--dry-run", "--customer", "Fabrikam"]);
    assert_eq!(unknown.status.code(), Some(2), "{unknown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_sees_the_plan_and_is_asked() {
    let center = center();
    let house = house(&center);
    let ask = |answer: &str| {
        let question = "Write 1 budget to Partner Center? yes or no [no]: ";
        at_terminal(&house.command(&["budgets", "push"]), &[], &[(question, answer)])
    };
    let refused = ask("\r");
    let text = String::from_utf8_lossy(&refused.stdout);
    assert!(text.contains("Contoso Nord") && text.contains("Nothing was written."), "{text}");
    assert_eq!((refused.status.code(), patches(&center).len()), (Some(0), 0));
    let agreed = ask("yes\r");
    let text = String::from_utf8_lossy(&agreed.stdout);
    assert!(text.contains("would be written") && text.contains("read back"), "{text}");
    assert_eq!((agreed.status.code(), patches(&center).len()), (Some(0), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_is_killed_is_finished_by_the_next_one() {
    let center = center();
    let house = house(&center);
    let killed = |expected: usize| {
        center.fail_once(Endpoint::BudgetChange, Fault::Hang);
        let mut child = house.begin(&PUSH);
        eventually(SOON, "the change to be asked for", || {
            (patches(&center).len() == expected).then_some(())
        });
        child.kill().unwrap();
        child.wait().unwrap();
    };
    // The change was made.
    killed(1);
    assert_eq!(house.number("SELECT count(*) FROM budget_push WHERE outcome IS NULL"), 1);
    let (written, code) = row(&house.run(&PUSH));
    assert_eq!((&written["outcome"], code), (&json!("written"), Some(0)), "{written}");
    let ids = patches(&center);
    assert_eq!((ids.len(), &written["ms_request_id"]), (1, &json!(ids[0])));
    assert_eq!(house.number("SELECT count(*) FROM budget_push WHERE outcome = 'written'"), 1);

    // The change was not made.
    center.set_spending_budget(NORD, SimBudget::Amount(4000.into()));
    killed(2);
    center.set_spending_budget(NORD, SimBudget::Amount(4000.into()));
    let (written, code) = row(&house.run(&PUSH));
    assert_eq!((&written["outcome"], code), (&json!("written"), Some(0)), "{written}");
    let ids = patches(&center);
    assert_eq!((ids.len(), &ids[1]), (3, &ids[2]));
    assert_eq!(written["ms_request_id"], json!(ids[2]));
    assert_eq!(house.number("SELECT count(*) FROM budget_push"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_daemon_the_daemon_writes_and_never_by_itself() {
    let center = center();
    let house = house(&center);
    let process = house.start_ready(&house.systemd());
    process.wait_for_metric("polls_total{result=\"ok\"}", "1");
    assert!(!center.requests().iter().any(|request| request.path.contains("usagebudget")));
    let (written, code) = row(&house.run(&PUSH));
    assert_eq!((&written["outcome"], code), (&json!("written"), Some(0)), "{written}");
    process.wait_for_log("budgets are pushed to Partner Center");
    process.wait_for_log(&patches(&center)[0]);
    process.wait_for_metric(
        "partner_center_requests_total{code=\"200\",endpoint=\"usagebudget\"}",
        "4",
    );
}

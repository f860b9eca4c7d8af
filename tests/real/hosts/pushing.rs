//! Hosts that share a ledger and push the same budget: one of them writes it, once.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use budget_alertd::actions::{Action as _, ActionContext, Author, PushRequest, PushedBudget};
use budget_alertd::clock::SystemClock;
use budget_alertd::config::{self, Config, Environment};
use budget_alertd::daemon::assemble;
use budget_alertd::domain::PushOutcome;
use budget_alertd::ledger::{BudgetPush, Ledger, PushTry};
use budget_alertd::metrics::Metrics;
use budget_alertd::poll::Cycle;
use budget_alertd::simulator::{Endpoint, Fault, PartnerCenter, SignIn, SimCustomer};
use tempfile::TempDir;
use uuid::Uuid;

use crate::hosts::cluster::Cluster;
use crate::hosts::url;

const NORD: &str = "11111111-6fb9-4b05-8f15-b3d72e0596e6";

fn configuration(center: &PartnerCenter, ledger: &str, folder: &Path) -> Config {
    let sign_in = SignIn::default();
    let text = format!(
        "[source]\ntype = \"partner-center\"\napi_url = \"{0}\"\nlogin_url = \"{0}\"\ntenant_id = \
            \"{1}\"\nclient_id = \"{2}\"\nclient_secret = \"{3}\"\nrefresh_token = \"{4}\"\n\
            [daemon]\nstate_dir = \"{5}\"\n[ledger]\nurl = \"{ledger}\"\n[rules.spend]\nmetric = \
            \"percent_used\"\nnotify = [\"hook\"]\nsteps = [{{ at = 80 }}]\n[notifiers.hook]\n\
            type = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\n[customers.\"{NORD}\"]\nbudget = \
            {{ amount = 5000, currency = \"SEK\" }}\n",
        center.api_url(),
        sign_in.tenant_id,
        sign_in.client_id,
        sign_in.client_secret.unwrap(),
        center.refresh_token(),
        folder.display(),
    );
    config::parse(&text, &PathBuf::from("alert-rules.toml"), &Environment::default())
        .unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// A host with a ledger of its own to the server.
struct Host {
    ledger: Ledger,
    cycle: Arc<Cycle>,
    context: ActionContext,
    _folder: TempDir,
}

impl Host {
    fn of(center: &PartnerCenter, cluster: &Cluster) -> Self {
        let folder = TempDir::new().unwrap();
        let config = configuration(center, &url(&cluster.address()), folder.path());
        let clock = SystemClock::shared();
        let ledger = Ledger::open(&config.ledger, Metrics::new(), Arc::clone(&clock)).unwrap();
        let cycle = assemble(&config, &ledger, &clock, &Metrics::new()).unwrap().cycle;
        let (path, file) = (config.ledger.clone(), config.file.clone());
        let context = ActionContext::in_process(Arc::clone(&cycle), path, file);
        Self { ledger, cycle, context, _folder: folder }
    }

    async fn push(&self, plan: Option<&PushedBudget>) -> PushedBudget {
        let confirmed = plan.map(|row| vec![row.confirmed()]);
        let request = PushRequest { customer: None, confirmed };
        request.run(&self.context, &Author::of(0)).await.unwrap().remove(0)
    }
}

/// Two hosts; the first one has read the usage of a customer with 4,000 SEK in Partner Center.
async fn two_hosts(center: &PartnerCenter, cluster: &Cluster) -> (Host, Host) {
    let nord = SimCustomer::azure_plan(NORD, "Contoso Nord", "SEK", SystemClock::shared().now());
    center.set_customers(vec![nord.with_budget(4000.into())]);
    let (one, other) = (Host::of(center, cluster), Host::of(center, cluster));
    one.ledger.stand("one").unwrap();
    assert!(one.cycle.run(false).await.unwrap().good);
    (one, other)
}

fn patches(center: &PartnerCenter) -> usize {
    center.requests().iter().filter(|request| request.method == "PATCH").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_that_two_hosts_push_at_once_is_written_once() {
    let cluster = Cluster::start();
    let center = PartnerCenter::start(SystemClock::shared(), SignIn::default()).unwrap();
    let (one, other) = two_hosts(&center, &cluster).await;
    let plan = one.push(None).await;
    assert_eq!(plan.words, "would be written");
    // Both read the old budget before either writes.
    for _ in 0..2 {
        center.fail_once(Endpoint::Budget, Fault::Slow(Duration::from_secs(1)));
    }
    let (first, second) = tokio::join!(one.push(Some(&plan)), other.push(Some(&plan)));
    let mut outcomes = [first, second];
    outcomes.sort_by_key(|row| row.outcome != Some(PushOutcome::Written));
    assert_eq!(outcomes[0].outcome, Some(PushOutcome::Written), "{outcomes:?}");
    assert_ne!(outcomes[1].outcome, Some(PushOutcome::Written), "{outcomes:?}");
    assert_eq!(patches(&center), 1);
    assert_eq!(cluster.ask("SELECT count(*), count(outcome) FROM budget_push"), "1|1");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_host_is_at_is_left_to_it() {
    let cluster = Cluster::start();
    let center = PartnerCenter::start(SystemClock::shared(), SignIn::default()).unwrap();
    let (one, other) = two_hosts(&center, &cluster).await;
    let plan = other.push(None).await;
    let push = BudgetPush {
        request_id: Uuid::new_v4(),
        author: "alice (uid 1000)".into(),
        at: SystemClock::shared().now(),
        customer: budget_alertd::domain::CustomerKey::of(NORD),
        before: Some(4000.into()),
        amount: 5000.into(),
        currency: plan.currency,
        outcome: None,
    };
    let attempt = || PushTry { correlation_id: Uuid::new_v4(), at: push.at, known: Vec::new() };
    assert_eq!(one.ledger.begin_budget_push(push.clone(), attempt()).await.unwrap(), None);
    // The same process tries again.
    assert_eq!(one.ledger.begin_budget_push(push.clone(), attempt()).await.unwrap(), None);
    let row = other.push(Some(&plan)).await;
    assert_eq!(row.outcome, Some(PushOutcome::Skipped));
    assert_eq!(
        row.words,
        "changed meanwhile: alice (uid 1000) pushes 5,000 SEK from another host: push again in 10 \
            minutes"
    );
    assert_eq!(patches(&center), 0);
    // It was broken off.
    let long_ago = "UPDATE budget_push SET tried_at = tried_at - 600000000000";
    cluster.ask(long_ago);
    assert_eq!(other.push(Some(&plan)).await.outcome, Some(PushOutcome::Written));
    assert_eq!(patches(&center), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_to_another_amount_that_another_host_is_at_is_left_to_it_too() {
    let cluster = Cluster::start();
    let center = PartnerCenter::start(SystemClock::shared(), SignIn::default()).unwrap();
    let (one, other) = two_hosts(&center, &cluster).await;
    let plan = other.push(None).await;
    let push = BudgetPush {
        request_id: Uuid::new_v4(),
        author: "alice (uid 1000)".into(),
        at: SystemClock::shared().now(),
        customer: budget_alertd::domain::CustomerKey::of(NORD),
        before: Some(4000.into()),
        amount: 4500.into(),
        currency: plan.currency,
        outcome: None,
    };
    let attempt = PushTry { correlation_id: Uuid::new_v4(), at: push.at, known: Vec::new() };
    assert_eq!(one.ledger.begin_budget_push(push, attempt).await.unwrap(), None);
    let row = other.push(Some(&plan)).await;
    assert_eq!(row.outcome, Some(PushOutcome::Skipped), "{row:?}");
    assert!(row.words.contains("alice (uid 1000) pushes 4,500 SEK from another host"), "{row:?}");
    assert_eq!(patches(&center), 0);
    assert_eq!(cluster.ask("SELECT count(*), count(outcome) FROM budget_push"), "1|0");
    cluster.ask("UPDATE budget_push SET tried_at = tried_at - 600000000000");
    assert_eq!(other.push(Some(&plan)).await.outcome, Some(PushOutcome::Written));
    assert_eq!(cluster.ask("SELECT count(*), count(outcome) FROM budget_push"), "2|2");
}

//! Budgets pushed to a simulated Partner Center: what is asked over the wire, what becomes of each
//! budget, what the ledger keeps, and what a kill leaves behind.

mod audit;
mod awaited;
mod journal;
mod outcomes;
mod processes;

use std::fmt::Write as _;
use std::sync::Arc;

use budget_alertd::actions::{
    Action, ActionContext, ActionError, Author, ConfirmedBudget, PushRequest, PushedBudget,
};
use budget_alertd::clock::Clock;
use budget_alertd::daemon::assemble;
use budget_alertd::simulator::{PartnerCenter, Request, SignIn, SimCustomer};

use crate::support::world::{SPEND, World};

const NORD: &str = "11111111-6fb9-4b05-8f15-b3d72e0596e6";
const JAPAN: &str = "11111111-641b-4c53-b7fc-0f2bfca8a581";
const NOW: &str = "2026-11-10T12:00:00Z";

/// A simulated Partner Center, and who pushes budgets to it.
struct Desk {
    center: PartnerCenter,
    world: World,
}

/// A customer with 4,000 SEK in Partner Center.
fn nord() -> SimCustomer {
    SimCustomer::azure_plan(NORD, "Contoso Nord", "SEK", NOW.parse().unwrap())
        .with_budget(4000.into())
        .with_cost(100.into())
}

/// A table of the configuration.
fn local(id: &str, amount: &str, currency: &str) -> String {
    format!("[customers.\"{id}\"]\nbudget = {{ amount = {amount}, currency = \"{currency}\" }}\n")
}

impl Desk {
    /// Usage of these customers has been read once, and these are the budgets here.
    async fn new(customers: Vec<SimCustomer>, budgets: &str) -> Self {
        let world = World::new(&format!("{SPEND}{budgets}"));
        let sign_in = SignIn {
            client_id: "app".into(),
            tenant_id: "contoso.example".into(),
            client_secret: None,
            ..SignIn::default()
        };
        let center = PartnerCenter::start(Arc::clone(&world.clock) as Arc<dyn Clock>, sign_in);
        let center = center.unwrap();
        let source = format!(
            "[source]\ntype = \"partner-center\"\napi_url = \"{0}\"\nlogin_url = \
                \"{0}\"\ntenant_id = \"contoso.example\"\nclient_id = \"app\"\nrefresh_token = \
                \"{1}\"\n",
            center.api_url(),
            center.refresh_token()
        );
        let world = world.with_source(source);
        center.set_customers(customers);
        assert!(world.poll_source(NOW).await.good);
        Self { center, world }
    }

    /// A customer with 4,000 SEK in Partner Center and 5,000 SEK here.
    async fn of_nord() -> Self {
        Self::new(vec![nord()], &local(NORD, "5000", "SEK")).await
    }

    async fn ask(
        &self,
        author: &Author,
        request: PushRequest,
    ) -> Result<Vec<PushedBudget>, ActionError> {
        let (ledger, config) = (self.world.ledger(), self.world.config());
        let clock = Arc::clone(&self.world.clock) as Arc<dyn Clock>;
        let cycle = assemble(&config, &ledger, &clock, &self.world.metrics).unwrap().cycle;
        let context = ActionContext::in_process(cycle, config.ledger.clone(), config.file.clone());
        let answer = request.run(&context, author).await;
        ledger.close().await.unwrap();
        answer
    }

    async fn plan(&self, customer: Option<&str>) -> Vec<PushedBudget> {
        let request = PushRequest { customer: customer.map(str::to_owned), confirmed: None };
        self.ask(&Author::of(0), request).await.unwrap()
    }

    async fn write(&self, plan: &[PushedBudget], customer: Option<&str>) -> Vec<PushedBudget> {
        let confirmed: Vec<ConfirmedBudget> =
            plan.iter().filter(|row| row.outcome.is_none()).map(PushedBudget::confirmed).collect();
        let request =
            PushRequest { customer: customer.map(str::to_owned), confirmed: Some(confirmed) };
        self.ask(&Author::of(0), request).await.unwrap()
    }

    /// Plans, and writes what may be written.
    async fn push(&self) -> Vec<PushedBudget> {
        let plan = self.plan(None).await;
        self.write(&plan, None).await
    }

    /// The changes that were asked for.
    fn patches(&self) -> Vec<Request> {
        let all = self.center.requests().into_iter();
        all.filter(|request| request.method == "PATCH").collect()
    }

    /// The `MS-RequestId` of each change that was asked for.
    fn request_ids(&self) -> Vec<String> {
        let id = |request: &Request| request.header("MS-RequestId").unwrap().to_owned();
        self.patches().iter().map(id).collect()
    }
}

/// A line for each budget.
fn told(rows: &[PushedBudget]) -> String {
    let mut text = String::new();
    for row in rows {
        let from = row.from.map_or_else(|| "-".to_owned(), |from| from.to_string());
        let outcome = row.outcome.map_or("planned", |outcome| outcome.as_str());
        let PushedBudget { to, currency, words, name, .. } = row;
        writeln!(text, "{name}: {from} → {to} {currency}, {outcome}: {words}").unwrap();
    }
    text.trim_end().to_owned()
}

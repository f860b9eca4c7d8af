//! The pages of a month with everything that they can show: alerts of all kinds, messages that
//! arrived, wait, are held and are given up, acknowledgements, silences, security alerts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use budget_alertd::actions::{AckRequest, SilenceRequest, Until, UntilWord};
use budget_alertd::clock::{Clock, SimulatedClock};
use budget_alertd::daemon::assemble;
use budget_alertd::ledger::{AlertFilter, Reader};
use budget_alertd::simulator::{Answer, Fault, HttpReceiver, PartnerCenter, SignIn};
use rust_decimal::Decimal;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::OnceCell;

use super::month::{ATTACK, CONTOSO, MARKUP, OVERRIDE, RULES, customers, security};
use super::site::Site;
use crate::support::world::World;

/// What people sign in with.
pub(super) const TOKEN: &str = "open sesame";

/// Where the links of messages lead, in place of where the pages are.
const PUBLIC: &str = "http://127.0.0.1:1";
const BEGIN: &str = "2026-11-06T00:00:00Z";
const END: &str = "2026-11-14T18:05:00Z";

/// The pages of that month.
pub(super) struct Scene {
    pub(super) site: Site,
    pub(super) clock: Arc<SimulatedClock>,
    /// The links of a message about Contoso.
    links: Value,
    _outside: Outside,
}

/// What is left of the month.
struct Played {
    /// The folder with the ledger.
    state: PathBuf,
    links: Value,
}

/// Whom the daemon talks to: Microsoft, and the receivers of `hook`, `desk`, `pager`, `customers`.
struct Outside {
    microsoft: PartnerCenter,
    receivers: [HttpReceiver; 4],
}

/// It is played once, and every test goes on with a copy of its own.
static PLAYED: OnceCell<Played> = OnceCell::const_new();

impl Scene {
    /// Serves the pages of a copy of the month.
    pub(super) async fn begin() -> Self {
        Self::of(PLAYED.get_or_init(|| Played::play("month")).await).await
    }

    /// The same of another ledger, which signs with a key of its own.
    pub(super) async fn of_another_ledger() -> Self {
        Self::of(&Played::play("another-month").await).await
    }

    async fn of(played: &Played) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let world = World::new("").with_clock_at(END);
        let (clock, outside) = (Arc::clone(&world.clock), Outside::start(&world));
        let world = outside.around(world, &url);
        copy(&played.state, &state(&world));
        let site = Site::at(listener, world, Some(TOKEN));
        Self { site, clock, links: played.links.clone(), _outside: outside }
    }

    /// The address of a path of the pages.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.site.origin())
    }

    /// The path of a link of a message.
    pub(super) fn link(&self, action: &str) -> String {
        self.links[action].as_str().unwrap().replace(PUBLIC, "")
    }
}

impl Played {
    /// Lets the month pass, and leaves its ledger in a folder of this name.
    async fn play(name: &str) -> Self {
        let world = World::new("").with_clock_at(BEGIN);
        let outside = Outside::start(&world);
        let world = outside.around(world, PUBLIC);
        outside.receivers[1].fail(Fault::Answer(Answer::new(400).with_body(ATTACK)));
        outside.receivers[2].fail(Fault::status(503));
        for day in 6..=14 {
            outside.microsoft.set_customers(customers(day));
            let report = world.poll_source(&format!("2026-11-{day:02}T18:00:00Z")).await;
            assert!(report.good, "{:?}", report.errors);
            deliver(&world).await;
        }
        assert!(world.read_security(END).await.good);
        deliver(&world).await;
        orders(&world).await;
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _none_yet = std::fs::remove_dir_all(&folder);
        copy(&state(&world), &folder);
        let messages = outside.receivers[0].received();
        let links = messages.iter().find_map(|message| links(&message.text())).unwrap();
        Self { state: folder, links }
    }
}

impl Outside {
    /// By the clock of a world.
    fn start(world: &World) -> Self {
        let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
        let microsoft = PartnerCenter::start(Arc::clone(&clock), SignIn::default()).unwrap();
        microsoft.set_security_alerts(security());
        let receiver = || HttpReceiver::start(Arc::clone(&clock)).unwrap();
        Self { microsoft, receivers: [(); 4].map(|()| receiver()) }
    }

    /// That world, which talks to them, and whose links lead to these pages.
    fn around(&self, world: World, pages: &str) -> World {
        let mut world = world.with_source(source(&self.microsoft));
        let named = [
            ("hook", "partner"),
            ("desk", "partner"),
            ("pager", "partner"),
            ("customers", "customer"),
        ];
        let notifier = |((name, audience), receiver): ((&str, &str), &HttpReceiver)| {
            let url = receiver.url("/in");
            format!(
                "[notifiers.{name}]\ntype = \"webhook\"\nurl = \"{url}\"\naudience = \"{audience}\"\n"
            )
        };
        let notifiers: String = named.into_iter().zip(&self.receivers).map(notifier).collect();
        let http = format!(
            "[http]\nlisten = \"127.0.0.1:1\"\npublic_url = \"{pages}\"\ntoken = \"{TOKEN}\"\n"
        );
        world.change_rules(&format!("{RULES}{notifiers}{http}"));
        world
    }
}

/// The folder of a world's state.
fn state(world: &World) -> PathBuf {
    Path::new(&world.write_beside("place", "")).with_file_name("state")
}

/// Copies the ledger of a folder; not the sign-in, which the Microsoft of that time gave.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        if file.file_name().to_string_lossy().starts_with("ledger.") {
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
}

fn source(microsoft: &PartnerCenter) -> String {
    let sign_in = SignIn::default();
    format!(
        "[source]\ntype = \"partner-center\"\napi_url = \"{}\"\nlogin_url = \"{}\"\n\
            tenant_id = \"{}\"\nclient_id = \"{}\"\nclient_secret = \"{}\"\n\
            refresh_token = \"{}\"\n[security_alerts]\nsource = \"graph\"\nurl = \"{}\"\n",
        microsoft.api_url(),
        microsoft.login_url(),
        sign_in.tenant_id,
        sign_in.client_id,
        sign_in.client_secret.as_deref().unwrap(),
        sign_in.refresh_token,
        microsoft.graph_url()
    )
}

/// Attempts what is owed.
async fn deliver(world: &World) {
    let (ledger, clock) = (world.ledger(), Arc::clone(&world.clock) as Arc<dyn Clock>);
    let mut assembly = assemble(&world.config(), &ledger, &clock, &world.metrics).unwrap();
    for worker in &mut assembly.workers {
        worker.step(&|| false).await.unwrap();
    }
    drop(assembly);
    ledger.close().await.unwrap();
}

/// What people did: one alert is known, two silences, with words that attack.
async fn orders(world: &World) {
    let alerts = Reader::open(&world.config().ledger).unwrap().alerts(&AlertFilter::default());
    let alerts = alerts.unwrap();
    let of = |id: &str| alerts.iter().find(|row| row.snapshot.alert.customer.id.as_str() == id);
    let known = AckRequest {
        alerts: vec![of(MARKUP).unwrap().snapshot.alert.id.to_string()],
        reason: Some(ATTACK.to_owned()),
        ..AckRequest::default()
    };
    world.order(known).await.unwrap();
    for (customer, reason) in [("many-01", ATTACK), ("many-02", OVERRIDE)] {
        let silence = SilenceRequest {
            customers: vec![customer.to_owned()],
            rules: Vec::new(),
            unless_above: Some(Decimal::from(500)),
            until: Until::Word(UntilWord::PeriodEnd),
            reason: reason.to_owned(),
            yes: true,
        };
        world.order(silence).await.unwrap();
    }
}

/// The links of a message about Contoso's spending, if it is one.
fn links(message: &str) -> Option<Value> {
    let message: Value = serde_json::from_str(message).unwrap();
    let alerts = message["data"]["alerts"].as_array()?;
    let is_spending =
        |alert: &&Value| alert["customer"]["id"] == CONTOSO && alert["rule"] == "spend";
    let alert = alerts.iter().find(is_spending)?;
    let links = &message["data"]["links"][alert["id"].as_str()?];
    links.is_object().then(|| links.clone())
}

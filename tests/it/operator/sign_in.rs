//! A sign-in that is refused, or that gets old.

use std::sync::Arc;

use budget_alertd::clock::{Clock, SimulatedClock};
use budget_alertd::domain::Message;
use budget_alertd::simulator::{PartnerCenter, SignIn, SimCustomer};

use crate::support::world::{SPEND, World};

fn start() -> (PartnerCenter, World) {
    let clock: Arc<dyn Clock> =
        SimulatedClock::starting_at("2019-09-01T00:00:00Z".parse().unwrap());
    let sign_in = SignIn {
        client_id: "app".into(),
        tenant_id: "contoso.example".into(),
        client_secret: None,
        ..SignIn::default()
    };
    let center = PartnerCenter::start(clock, sign_in).unwrap();
    let (api, login) = (center.api_url(), center.login_url());
    let rules = format!("{SPEND}[operator]\nnotify = [\"hook\"]\n");
    let world = World::new(&rules).with_source(format!(
        "[source]\ntype = \"partner-center\"\napi_url = \"{api}\"\nlogin_url = \
            \"{login}\"\ntenant_id = \"contoso.example\"\nclient_id = \"app\"\nrefresh_token = \
            \"{}\"\n",
        center.refresh_token()
    ));
    (center, world)
}

/// Polls when there is data of that day; what the operator has been told by then.
async fn poll(center: &PartnerCenter, world: &World, now: &str) -> Vec<String> {
    center.set_customers(vec![
        SimCustomer::azure_plan("A", "Contoso", "SEK", now.parse().unwrap())
            .with_cost(1.into())
            .with_budget(100.into()),
    ]);
    world.poll_source(now).await;
    let owed = world.owed("hook").await.into_iter();
    let news = owed.filter_map(|delivery| {
        if let Message::Operator(news) = delivery.message { Some(news) } else { None }
    });
    news.map(|news| {
        if news.over {
            format!("over: {}", news.summary)
        } else {
            format!("{}: {}", news.code, news.summary)
        }
    })
    .collect()
}

#[tokio::test]
async fn a_refused_sign_in_is_told_at_once_and_its_end_says_what_is_late() {
    let (center, world) = start();
    assert_eq!(poll(&center, &world, "2019-09-17T00:00:00Z").await, Vec::<String>::new());
    center.change_sign_in(|sign_in| sign_in.tenant_id = "gone.example".to_owned());
    let told = poll(&center, &world, "2019-09-17T01:00:00Z").await;
    assert_eq!(told.len(), 1);
    assert!(
        told[0].starts_with("sign-in-refused: Usage cannot be read: the sign-in is refused"),
        "{told:?}"
    );
    assert_eq!(poll(&center, &world, "2019-09-17T02:00:00Z").await, told);
    center.change_sign_in(|sign_in| sign_in.tenant_id = "contoso.example".to_owned());
    assert_eq!(
        poll(&center, &world, "2019-09-17T02:30:00Z").await[1..],
        ["over: the sign-in is accepted again after 1 h 30 min; nothing was read for 2 h 30 \
                min, and no new alert came of it"]
    );
}

#[tokio::test]
async fn a_sign_in_that_is_not_renewed_is_told_at_60_76_and_87_days_once_each() {
    let (center, world) = start();
    poll(&center, &world, "2019-09-01T00:00:00Z").await;
    center.change_sign_in(|sign_in| sign_in.rotates = false);
    assert_eq!(poll(&center, &world, "2019-10-30T23:00:00Z").await, Vec::<String>::new());
    let mut told = Vec::new();
    for now in [
        "2019-10-31T00:00:00Z",
        "2019-11-15T00:00:00Z",
        "2019-11-16T00:00:00Z",
        "2019-11-26T00:00:00Z",
        "2019-11-27T00:00:00Z",
        "2019-11-28T00:00:00Z",
    ] {
        told = poll(&center, &world, now).await;
    }
    let aged = |days: u32| {
        format!(
            "sign-in-expiring: the sign-in to Partner Center is {days} of its 90 days old and was \
                not renewed since"
        )
    };
    assert_eq!(told, [60, 76, 87].map(aged));
    center.change_sign_in(|sign_in| sign_in.rotates = true);
    poll(&center, &world, "2019-11-28T01:00:00Z").await;
    assert_eq!(
        poll(&center, &world, "2019-11-28T02:00:00Z").await[3..],
        ["over: the sign-in was renewed after 25 h"]
    );
}

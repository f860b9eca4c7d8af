//! People who sign in with accounts of their own: an operator acts under its name, a reader sees
//! the pages, finds no button, and is refused when it acts all the same.

use std::sync::Arc;

use budget_alertd::clock::Clock as _;
use tokio::net::TcpListener;

use super::chromium::Browser;
use super::site::Site;
use crate::support::openid::{CLIENT, OpenIdService, SECRET, TENANT};
use crate::support::world::{SPEND, World, plan};

const NOW: &str = "2026-11-14T21:41:00Z";

/// Pages of one customer over its budget, to which accounts with this role sign in.
async fn site(role: &str) -> (Site, OpenIdService) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let service = OpenIdService::start(NOW.parse().unwrap()).await;
    let http = format!(
        "{SPEND}\n[http]\nlisten = \"127.0.0.1:1\"\npublic_url = \"{url}\"\n\
            [http.sign_in]\ntype = \"entra\"\ntenant_id = \"{TENANT}\"\nclient_id = \"{CLIENT}\"\n\
            client_secret = \"{SECRET}\"\nlogin_url = \"{}\"\n",
        service.url()
    );
    let world = World::new(&http);
    world.report(NOW, &[plan("A", "900", "100", "2026-11-14T17:08:00Z")]).await;
    let now = Arc::clone(&world.clock).now();
    service.plan(|plan| {
        plan.now = now;
        plan.roles = vec![role.to_owned()];
    });
    (Site::at(listener, world, None), service)
}

/// Signs in by the button that the pages show instead of themselves.
async fn sign_in(browser: &Browser, site: &Site) {
    browser.open(&format!("{}/customers/A", site.origin())).await;
    browser.expect_status(401).await;
    browser.click("a.button").await;
    // A page of ours stands between, so that the cookie comes along.
    browser.arrive("/customers/A").await;
    browser.expect("anna@partner.example").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_sees_everything_finds_no_button_and_is_refused() {
    let ((site, _service), browser) = (site("reader").await, Browser::start().await);
    sign_in(&browser, &site).await;
    browser.expect("(reader)").await;
    for path in ["/", "/customers/A", "/alerts", "/deliveries", "/notifiers", "/silences"] {
        browser.open(&format!("{}{path}", site.origin())).await;
        browser.expect_status(200).await;
        assert!(!browser.has("form[method=post]:not([action='/logout'])").await, "{path}");
    }
    // It makes the form itself that an operator would see.
    let form = "document.querySelector('main').insertAdjacentHTML('beforeend', \
        '<form method=post action=/silences/add class=made><input name=customer value=A>\
        <input name=until value=7d><input name=reason value=quiet><button>Silence</button></form>'); \
        document.querySelector('.made').append(document.querySelector('.out [name=form]').cloneNode())";
    browser.run::<()>(form).await;
    browser.click(".made button").await;
    browser.expect_status(403).await;
    browser.expect("This account may look, but not act").await;
    browser.open(&format!("{}/silences", site.origin())).await;
    browser.expect("No silences are in force.").await;
    browser.click("form.out button").await;
    browser.expect("Sign in with Microsoft").await;
    browser.open(&site.origin()).await;
    browser.expect_status(401).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_acts_under_the_name_of_its_account() {
    let ((site, _service), browser) = (site("operator").await, Browser::start().await);
    sign_in(&browser, &site).await;
    browser.fill("form[action$='/acknowledge'] [name=note]", "we call them").await;
    browser.click("form[action$='/acknowledge'] button").await;
    browser.expect("acknowledged by anna@partner.example").await;
    browser.expect("we call them").await;
}

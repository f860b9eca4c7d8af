//! What goes by the proxy of the environment, and what must not.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::{HttpReceiver, PartnerCenter, SignIn, SimCustomer};

use super::life::from_partner_center;
use super::{configuration, over_budget};
use crate::support::process::{House, SOON};

/// A proxy that answers everything with 200, and tells the first bytes of each connection.
fn proxy() -> (SocketAddr, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut start = [0; 64];
            let length = stream.read(&mut start).unwrap_or(0);
            drop(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
            if tell.send(start[..length].to_vec()).is_err() {
                break;
            }
        }
    });
    (address, told)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_proxy_comes_between_the_daemon_and_this_machine() {
    let (address, told) = proxy();
    for variable in
        ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
    {
        let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
        let center = PartnerCenter::start(SystemClock::shared(), SignIn::default()).unwrap();
        let customer =
            SimCustomer::azure_plan("customer-0001", "Contoso", "SEK", SystemClock::shared().now());
        center.set_customers(vec![SimCustomer {
            budget: Some(100.into()),
            cost: 150.into(),
            ..customer
        }]);
        let house = House::new(&from_partner_center(&center, &receiver));
        let output =
            house.command(&["poll"]).env(variable, format!("http://{address}")).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{variable}: {output:?}");
        assert_eq!(receiver.received().len(), 1, "{variable}");
    }
    assert!(told.try_recv().is_err(), "the proxy was asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_to_others_over_tls_goes_by_the_proxy_and_names_it_where_it_fails() {
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    let house = House::new(
        &configuration(&receiver, "1h")
            .replace(&receiver.url("/hook"), "https://hooks.invalid/secret-path"),
    );
    house.save_usage(over_budget(0..1));
    let test = |variable: &str, value: &str| {
        house.command(&["notify-test", "hook"]).env(variable, value).output().unwrap()
    };
    let (address, told) = proxy();
    test("https_proxy", &address.to_string());
    assert!(told.recv_timeout(SOON).unwrap().starts_with(b"CONNECT hooks.invalid:443 "));
    test("ALL_PROXY", &format!("socks5h://{address}"));
    assert_eq!(told.recv_timeout(SOON).unwrap().first(), Some(&5), "SOCKS 5");
    let output = test("HTTPS_PROXY", "http://user:hunter2@127.0.0.1:9");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(
        said.contains("cannot connect to hooks.invalid by the proxy 127.0.0.1:9 of HTTPS_PROXY: "),
        "{said}"
    );
    assert!(!said.contains("hunter2") && !said.contains("secret-path"), "{said}");
    let output = house
        .command(&["check"])
        .env("all_proxy", "ftp://user:hunter2@proxy.example")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("the environment variable all_proxy holds no address of a proxy")
            && !said.contains("hunter2"),
        "{said}"
    );
}

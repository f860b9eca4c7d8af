//! Connects to a host that may have several addresses, some of them dead (RFC 8305, "Happy
//! Eyeballs"): each is given a little time alone, and the first that answers is taken.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::sleep;

use crate::http::one_line;
use crate::notify::smtp::connection::Deadline;
use crate::notify::{DeliveryError, FailureReason, Verdict};

/// How long an address is alone before the next one is tried beside it ("Connection Attempt
/// Delay").
const ALONE: Duration = Duration::from_millis(250);
/// How many addresses an error names.
const NAMED: usize = 4;

/// A connection to `host`, without Nagle's delay: the message and its final dot would wait for a
/// delayed acknowledgement.
pub(crate) async fn connect(
    host: &str,
    port: u16,
    deadline: Deadline,
) -> Result<TcpStream, DeliveryError> {
    let found =
        deadline.keep(lookup_host((host, port))).await.ok_or_else(|| unknown(None, deadline))?;
    let addresses: Vec<_> = found.map_err(|error| unknown(Some(error), deadline))?.collect();
    let tcp = to_any(taking_turns(addresses), deadline).await?;
    tcp.set_nodelay(true).map_err(|error| failed(&[(None, Some(in_words(&error)))], deadline))?;
    Ok(tcp)
}

/// The families take turns, the one of the first address first.
fn taking_turns(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut ordered = Vec::new();
    loop {
        let before = ordered.len();
        ordered.extend(first.next());
        ordered.extend(second.next());
        if ordered.len() == before {
            return ordered;
        }
    }
}

/// An address with why it gave no connection; without a reason where it has not answered.
type Tried = (Option<SocketAddr>, Option<String>);

async fn to_any(
    addresses: Vec<SocketAddr>,
    deadline: Deadline,
) -> Result<TcpStream, DeliveryError> {
    let mut tried: Vec<Tried> = Vec::new();
    let connected = deadline.keep(race(addresses, &mut tried)).await.flatten();
    connected.ok_or_else(|| failed(&tried, deadline))
}

/// The first connection; none when every address has refused.
async fn race(addresses: Vec<SocketAddr>, tried: &mut Vec<Tried>) -> Option<TcpStream> {
    type Attempt = Pin<Box<dyn Future<Output = (SocketAddr, io::Result<TcpStream>)> + Send>>;
    let mut under_way: FuturesUnordered<Attempt> = FuturesUnordered::new();
    let mut waiting = addresses.into_iter();
    loop {
        if let Some(next) = waiting.next() {
            tried.push((Some(next), None));
            under_way.push(Box::pin(async move { (next, TcpStream::connect(next).await) }));
        }
        let more = !waiting.as_slice().is_empty();
        loop {
            tokio::select! {
                ended = under_way.next() => match ended? {
                    (_, Ok(tcp)) => return Some(tcp),
                    (address, Err(error)) => {
                        tried.iter_mut().filter(|(known, _)| *known == Some(address)).for_each(|(_, why)| *why = Some(in_words(&error)));
                        if more {
                            break;
                        }
                    }
                },
                () = sleep(ALONE), if more => break,
            }
        }
    }
}

fn in_words(error: &io::Error) -> String {
    one_line(&error.to_string())
}

fn unknown(error: Option<io::Error>, deadline: Deadline) -> DeliveryError {
    let Some(error) = error else {
        let detail = format!(
            "the name of the mail server was not found out within {} s; check the name servers",
            deadline.patience.as_secs_f32()
        );
        return DeliveryError::new(Verdict::DESTINATION, FailureReason::TimedOut, detail);
    };
    failed(&[(None, Some(in_words(&error)))], deadline)
}

fn failed(tried: &[Tried], deadline: Deadline) -> DeliveryError {
    let hangs = tried.is_empty() || tried.iter().any(|(_, why)| why.is_none());
    let silent = || format!("no answer within {} s", deadline.patience.as_secs_f32());
    let told = |(address, why): &Tried| {
        let why = why.clone().unwrap_or_else(silent);
        address.map_or_else(|| why.clone(), |address| format!("{address}: {why}"))
    };
    let mut named: Vec<_> = tried.iter().take(NAMED).map(told).collect();
    if let Some(more) = tried.len().checked_sub(NAMED).filter(|more| *more > 0) {
        named.push(format!("{more} more"));
    }
    let detail =
        format!("cannot connect to the mail server: {}; check host and port", named.join(", "));
    let reason = if hangs { FailureReason::TimedOut } else { FailureReason::CannotConnect };
    DeliveryError::new(Verdict::DESTINATION, reason, detail)
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    /// Takes no more connections: whoever comes now gets no answer.
    struct Full {
        address: SocketAddr,
        _listener: TcpListener,
        _waiting: TcpStream,
    }

    async fn full(place: &str) -> Full {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(place.parse().unwrap()).unwrap();
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        // One may wait to be accepted.
        let waiting = TcpStream::connect(address).await.unwrap();
        Full { address, _listener: listener, _waiting: waiting }
    }

    const LONG: Duration = Duration::from_mins(1);

    #[tokio::test]
    async fn an_address_that_hangs_costs_a_living_one_nothing() {
        let dead = full("127.0.0.1:0").await;
        let living = TcpListener::bind("127.0.0.2:0").await.unwrap();
        let address = living.local_addr().unwrap();
        let tcp = to_any(vec![dead.address, address], Deadline::within(LONG)).await.unwrap();
        assert_eq!(tcp.peer_addr().unwrap(), address);
    }

    #[tokio::test]
    async fn the_addresses_that_hang_and_refuse_are_named() {
        let dead = full("127.0.0.1:0").await;
        let closed = TcpListener::bind("127.0.0.2:0").await.unwrap().local_addr().unwrap();
        let error =
            to_any(vec![closed, dead.address], Deadline::within(Duration::from_millis(500)))
                .await
                .unwrap_err();
        assert_eq!((error.verdict, error.reason), (Verdict::DESTINATION, FailureReason::TimedOut));
        let expected = format!(
            "cannot connect to the mail server: {closed}: Connection refused (os error 111), {}: \
                no answer within 0.5 s; check host and port",
            dead.address
        );
        assert_eq!(error.detail, expected);
    }

    #[test]
    fn the_families_take_turns() {
        let addresses = ["[::1]:25", "[::2]:25", "[::3]:25", "192.0.2.1:25"]
            .map(|address| address.parse().unwrap());
        let turns: Vec<_> =
            taking_turns(addresses.to_vec()).iter().map(ToString::to_string).collect();
        assert_eq!(turns, ["[::1]:25", "192.0.2.1:25", "[::2]:25", "[::3]:25"]);
    }
}

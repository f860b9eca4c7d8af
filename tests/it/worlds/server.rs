//! A Partner Center of few words: a token for everybody, one page of records, and what is answered
//! about each customer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::life::Answer;
use super::number::written;

/// What is answered; without a page the collection is refused.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pub(super) page: Option<String>,
    pub(super) customers: HashMap<String, Answer>,
}

pub(super) type Shared = Arc<Mutex<Answers>>;

/// Serves on a free port of the loopback as long as the runtime lives; returns the address.
pub(super) async fn start(answers: Shared) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&answers)));
        }
    });
    format!("http://{address}")
}

async fn serve(stream: TcpStream, answers: Shared) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut stream = BufReader::new(stream);
    loop {
        let (mut first, mut length) = (String::new(), 0);
        stream.read_line(&mut first).await.ok().filter(|read| *read > 0)?;
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await.ok()?;
            let line = line.trim().to_ascii_lowercase();
            if let Some(bytes) = line.strip_prefix("content-length:") {
                length = bytes.trim().parse().ok()?;
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        let path = first.split(' ').nth(1)?.to_owned();
        let (status, body) = answer(&path, &answers.lock().unwrap());
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).await.ok()?;
    }
}

fn answer(path: &str, answers: &Answers) -> (&'static str, String) {
    const REFUSED: (&str, &str) = ("403 Forbidden", r#"{"code":"20002","description":"refused"}"#);
    let refused = || (REFUSED.0, REFUSED.1.to_owned());
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let (customer, asked) = match parts.as_slice() {
        [_, "oauth2", "v2.0", "token"] => {
            return (
                "200 OK",
                r#"{"access_token":"token","token_type":"Bearer","expires_in":999999999}"#
                    .to_owned(),
            );
        }
        ["v1", "customers", "usagerecords"] => {
            return answers.page.as_ref().map_or_else(refused, |page| ("200 OK", page.clone()));
        }
        ["v1", "customers", customer, "subscriptions", asked @ ..] => (*customer, asked),
        _ => return ("404 Not Found", "{}".to_owned()),
    };
    match (answers.customers.get(customer), asked) {
        (Some(Answer::Nothing), _) => ("404 Not Found", "{}".to_owned()),
        (Some(Answer::Refused), _) | (Some(Answer::NoSummary), [_, "usagesummary"]) => refused(),
        (Some(Answer::Named(named)), ["usagerecords"]) => {
            ("200 OK", subscriptions(&written(named.listed)))
        }
        (Some(Answer::NoSummary), ["usagerecords"]) => ("200 OK", subscriptions("1")),
        (Some(Answer::Named(named)), [_, "usagesummary"]) => {
            let zone = if named.starts.to_string().contains("T00:00:00Z") {
                "+00:00"
            } else {
                pacific(named.starts)
            };
            let (first, last, total) = (named.first, named.last, written(named.total));
            let dates = format!(
                r#""billingStartDate":"{first}T00:00:00{zone}","billingEndDate":"{last}T00:00:00{zone}""#
            );
            ("200 OK", format!(r#"{{"resourceId":"S","totalCost":{total},{dates}}}"#))
        }
        _ => ("200 OK", r#"{"totalCount":0,"items":[]}"#.to_owned()),
    }
}

fn subscriptions(cost: &str) -> String {
    format!(
        r#"{{"totalCount":1,"items":[{{"resourceId":"S","resourceName":"Azure","totalCost":{cost}}}]}}"#
    )
}

/// The offset of a midnight in Los Angeles.
fn pacific(midnight: jiff::Timestamp) -> &'static str {
    if midnight.to_string().contains("T07:") { "-07:00" } else { "-08:00" }
}

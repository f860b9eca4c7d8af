//! AUTH by user name and password, as PLAIN (RFC 4616) or LOGIN.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::notify::smtp::connection::{Connection, Trouble};
use crate::notify::smtp::judge::{Stage, judged};
use crate::notify::smtp::reply::Reply;
use crate::notify::{AuthMechanism, DeliveryError, FailureReason, Verdict};
use crate::secret::Secret;

/// Signs `user` in by `password`.
pub(crate) async fn sign_in(
    connection: &mut Connection,
    mechanism: AuthMechanism,
    user: &str,
    password: &Secret,
) -> Result<(), DeliveryError> {
    let (name, answers) = match mechanism {
        AuthMechanism::Plain => ("PLAIN", vec![format!("\0{user}\0{}", password.expose())]),
        // What it asks is worded differently everywhere; the order is the same.
        AuthMechanism::Login => ("LOGIN", vec![user.to_owned(), password.expose().to_owned()]),
    };
    if !connection.offers.signs_in_by(name) {
        let detail = format!("the mail server offers no sign-in by {name}; try the other `auth`");
        return Err(DeliveryError::new(Verdict::DESTINATION, FailureReason::SignInRefused, detail));
    }
    let reply = conversation(connection, mechanism, answers)
        .await
        .map_err(|trouble| judged(Stage::SignIn, &trouble))?;
    if reply.is_done() { Ok(()) } else { Err(judged(Stage::SignIn, &Trouble::OutOfStep)) }
}

/// What the server says to the last of the answers.
async fn conversation(
    connection: &mut Connection,
    mechanism: AuthMechanism,
    answers: Vec<String>,
) -> Result<Reply, Trouble> {
    let mut answers = answers.into_iter().map(|answer| STANDARD.encode(answer));
    let first = match mechanism {
        AuthMechanism::Plain => {
            format!("AUTH PLAIN {}\r\n", answers.clone().next().unwrap_or_default())
        }
        AuthMechanism::Login => "AUTH LOGIN\r\n".to_owned(),
    };
    let mut reply = connection.command(&first).await?;
    // Some take no answer before they have asked.
    while reply.is_asking()
        && let Some(answer) = answers.next()
    {
        reply = connection.command(&format!("{answer}\r\n")).await?;
    }
    Ok(reply)
}

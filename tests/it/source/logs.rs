//! What the log says of a failing source: the ids that support asks for, and nothing secret.

use std::io;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tracing_subscriber::fmt::MakeWriter;

use super::script::{Answer, Script, answer};
use super::stage::Stage;

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[tokio::test]
async fn a_failure_is_logged_with_its_ids_and_nothing_secret_is_ever_written() {
    let log = Log::default();
    // With a single subscriber, tests on other threads, which have none, would switch our lines off
    // for all threads.
    let _second = tracing::Dispatch::new(tracing_subscriber::fmt().with_writer(io::sink).finish());
    let subscriber = tracing_subscriber::fmt()
        .with_writer(log.clone())
        .with_ansi(false)
        .without_time()
        .with_max_level(tracing::Level::TRACE);
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    let claims = URL_SAFE_NO_PAD.encode(r#"{"amr":["pwd"]}"#);
    let access = format!("header-secret.{claims}.signature-secret");
    let mut stage = Stage::bare().await;
    stage
        .token(&format!(r#"{{"access_token":"{access}","refresh_token":"refresh-secret"}}"#))
        .create_async()
        .await;
    let ids = "MS-RequestId: their-request\r\nMS-CorrelationId: their-correlation\r\nMS-CV: \
        UGInjBojP0y0mAqo.0\r\n";
    let echo = format!("{{\"description\":\"bad token {access}\"}}");
    let script = Script::serve(vec![
        Answer::HangUp,
        answer("500 Oops", ids, echo.as_bytes()),
        answer("403 Forbidden", ids, echo.as_bytes()),
    ])
    .await;
    stage.config.api_url = script.url.parse().unwrap();
    let reading = stage.read().await;
    let text = log.text();
    let ours = script.header("ms-requestid")[0].clone();
    let lines: Vec<_> =
        text.lines().filter(|line| line.contains("budget_alertd::source")).collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert!(
        lines[0].contains("WARN") && lines[0].contains("without multi-factor authentication"),
        "{}",
        lines[0]
    );
    assert!(
        lines[1].contains(&ours)
            && lines[1].contains("retry_in_ms=500")
            && lines[1].contains("endpoint=\"usagerecords\""),
        "{}",
        lines[1]
    );
    for line in &lines[2..] {
        assert!(
            line.contains("their-request")
                && line.contains("their-correlation")
                && line.contains("UGInjBojP0y0mAqo.0"),
            "{line}"
        );
    }
    let debug =
        format!("{:?} {:?} {:?}", reading.report, stage.config, stage.metrics.render().unwrap());
    for secret in
        ["header-secret", "signature-secret", "refresh-secret", "refresh-seed", "client-secret-1"]
    {
        assert!(!text.contains(secret) && !debug.contains(secret), "{secret} in {text} {debug}");
    }
    assert!(
        reading.report.errors[0].starts_with("Partner Center denies access (403): bad token ***."),
        "{:?}",
        reading.report.errors
    );
}

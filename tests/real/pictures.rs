//! Every mail as a browser shows it: on a light page, on a dark one, and as wide as a telephone.
//! The pictures are left in `target/messages` for whoever wants to look at them.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use budget_alertd::domain::{
    AlertSnapshot, Audience, Delivery, Ended, Message, Metric, MetricValue, Readers, Severity,
};
use budget_alertd::notify::{Config, SmtpTls, sample_alert};
use mail_parser::{MessageParser, MimeHeaders as _};
use serde::Deserialize;
use tiny_skia::{IntRect, Pixmap};

use crate::process::succeed;
use receivers::{Script, Smtp};
use samples::{
    NOW, attacked, channel, decimal, delivery, digest, email_config, ended, later, legacy, news,
    placed, time, together, told_by, watched,
};

#[path = "../it/notify/receivers.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod receivers;
#[path = "../it/notify/reports.rs"]
mod reports;
#[path = "../it/notify/samples.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod samples;

/// How a mail is looked at.
struct View {
    name: &'static str,
    width: u32,
    scheme: &'static str,
}

const VIEWS: [View; 3] = [
    View { name: "light", width: 640, scheme: "light" },
    View { name: "dark", width: 640, scheme: "dark" },
    View { name: "phone", width: 360, scheme: "light" },
];

/// What the browser says of one mail in its frame.
#[derive(Deserialize)]
struct Shown {
    name: String,
    x: i32,
    y: i32,
    width: u32,
    height: u32,
    /// How wide its content is; wider than its frame would have to be pushed to and fro.
    needs: u32,
    /// How many pictures it has, and how many of them can be seen.
    pictures: u32,
    seen: u32,
}

#[tokio::test]
async fn every_mail_can_be_read_on_light_and_dark_pages_and_on_a_telephone() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/messages");
    std::fs::create_dir_all(&folder).unwrap();
    let mails = mails().await;
    for view in VIEWS {
        let shown = look(&folder, &view, &mails);
        assert_eq!(shown.len(), mails.len());
        for one in &shown {
            assert!(one.needs <= one.width, "{} is {} wide on {}", one.name, one.needs, view.name);
            assert_eq!(one.seen, one.pictures, "{} shows all its pictures", one.name);
            assert!(one.height > 150, "{} shows something on {}", one.name, view.name);
        }
        let charts = shown.iter().filter(|one| one.pictures == 1).count();
        assert!(charts >= 10, "single alerts and reminders have a chart: {charts}");
    }
}

/// Each kind of mail: its name, and its HTML with the pictures it carries.
async fn mails() -> Vec<(&'static str, String)> {
    let server = Smtp::playing(Script::default()).await;
    let ours = email_config(server.port, SmtpTls::None);
    let mut names = Vec::new();
    for (name, message) in messages() {
        names.push(name);
        channel(&ours).attempt(&delivery(message)).await.unwrap();
    }
    names.push("in-place-of-another");
    let instead = Delivery {
        stands_in_for: Some("ops-slack".into()),
        ..delivery(Message::Alert(Box::new(placed())))
    };
    channel(&ours).attempt(&instead).await.unwrap();
    for (show_cost, of_customers) in [(false, CUSTOMERS), (true, WITH_COST)] {
        let config = Config { readers: Readers::Contacts, show_cost, ..ours.clone() };
        for (name, message) in of_customers.iter().zip(for_customers()) {
            names.push(name);
            channel(&config)
                .attempt(&Delivery { audience: Audience::Customer, ..delivery(message) })
                .await
                .unwrap();
        }
    }
    names.into_iter().zip(server.seen().messages.iter().map(|mail| page(mail))).collect()
}

const CUSTOMERS: [&str; 4] =
    ["customer", "customer-reminder", "customer-resolved", "customer-several"];
const WITH_COST: [&str; 4] =
    ["customer-cost", "customer-cost-reminder", "customer-cost-resolved", "customer-cost-several"];

/// What customers read, once of each kind.
fn for_customers() -> [Message; 4] {
    let now = || later(attacked(), "47000", Some("940"), Some("5000"));
    let several = vec![attacked(), told_by(Metric::ForecastPercent, "129", "120")];
    [
        Message::Alert(Box::new(attacked())),
        Message::Reminder(together(vec![now()])),
        Message::Resolved(together(vec![ended(now(), Ended::Budget)])),
        Message::Digest(together(several)),
    ]
}

fn messages() -> Vec<(&'static str, Message)> {
    let raised = |one: AlertSnapshot| Message::Alert(Box::new(one));
    let grown = |mut one: AlertSnapshot| {
        one.alert.raised_at = time("2026-11-12T21:41:20Z");
        later(one, "47000", Some("940"), Some("5000"))
    };
    let over = |by, budget| {
        ended(
            later(told_by(Metric::PercentUsed, "900", "80"), "48800", Some("61"), Some(budget)),
            by,
        )
    };
    let called = |name: &str| {
        let mut one = attacked();
        one.alert.customer.label = Some(name.into());
        raised(one)
    };
    let mut info = watched(Metric::TotalCost, "2500");
    info.alert.severity = Severity::Info;
    let mut zero = told_by(Metric::PercentUsed, "1", "80");
    (zero.alert.value, zero.alert.computed_percent) = (Some(MetricValue::OverZero), None);
    zero.alert.budget.as_mut().unwrap().amount = decimal("0");
    let mut near = watched(Metric::PercentUsed, "80");
    near.alert.cost.amount = decimal("4234.57");
    (near.alert.value, near.alert.computed_percent) =
        (Some(MetricValue::Number(decimal("84.69"))), Some(decimal("84.69")));
    let mut large = digest(200, false);
    (large.part, large.parts, large.total) = (1, 3, 512);
    vec![
        ("critical", raised(attacked())),
        ("warning", raised(near)),
        ("info", raised(info)),
        ("legacy", raised(legacy())),
        ("over-zero", raised(zero)),
        ("forecast", raised(watched(Metric::ForecastPercent, "120"))),
        ("pace", raised(watched(Metric::Pace, "9"))),
        ("daily", raised(watched(Metric::DailyCost, "1000"))),
        ("stale", raised(watched(Metric::StaleHours, "48"))),
        ("reminder", Message::Reminder(together(vec![grown(attacked())]))),
        (
            "reminders",
            Message::Reminder(together(digest(6, false).alerts.into_iter().map(grown).collect())),
        ),
        ("resolved-by-budget", Message::Resolved(together(vec![over(Ended::Budget, "80000")]))),
        ("resolved-by-period", Message::Resolved(together(vec![over(Ended::Period, "5000")]))),
        (
            "resolved-several",
            Message::Resolved(together(vec![
                over(Ended::Budget, "80000"),
                over(Ended::Period, "5000"),
            ])),
        ),
        ("digest", Message::Digest(digest(12, false))),
        ("digest-baseline", Message::Digest(digest(14, true))),
        ("digest-large", Message::Digest(large)),
        ("operator", Message::Operator(news(false))),
        ("operator-over", Message::Operator(news(true))),
        ("report-quiet", Message::Report(Box::new(reports::quiet()))),
        ("report", Message::Report(Box::new(reports::eventful()))),
        ("placed", raised(placed())),
        ("test", Message::Test(Box::new(sample_alert(time(NOW))))),
        ("hostile-name", called(&"<b>Contoso</b>&amp;\u{202e}\"Nord'".repeat(4))),
        ("long-word", called(&"Donaudampfschifffahrtsgesellschaft".repeat(3))),
        ("right-to-left", called("شركة كونتوسو الشمالية")),
    ]
}

/// The HTML of a mail, each picture that it carries in the place where it is shown.
fn page(mail: &str) -> String {
    let mail = MessageParser::default().parse(mail).unwrap();
    let html = mail.body_html(0).unwrap().into_owned();
    mail.attachments()
        .filter_map(|part| Some((part.content_id()?.to_owned(), part.contents().to_vec())))
        .fold(html, |html, (id, png)| {
            assert!(png.len() < 15_000, "a small picture: {}", png.len());
            html.replace(
                &format!("cid:{id}"),
                &format!("data:image/png;base64,{}", STANDARD.encode(png)),
            )
        })
}

/// Lets a browser show all mails in one page, and cuts that into a picture for each.
fn look(folder: &Path, view: &View, mails: &[(&str, String)]) -> Vec<Shown> {
    let sheet = folder.join(format!("{}.html", view.name));
    std::fs::write(&sheet, all(view, mails)).unwrap();
    let dom = succeed(browser((1000, 1000)).arg("--dump-dom").arg(url(&sheet)));
    let json =
        dom.split("<pre id=\"shown\" hidden=\"\">").nth(1).unwrap().split("</pre>").next().unwrap();
    let shown: Vec<Shown> = serde_json::from_str(json).unwrap();
    let picture = folder.join(format!("{}.png", view.name));
    let right = shown.iter().map(|one| one.x.unsigned_abs() + one.width).max().unwrap();
    let bottom = shown.iter().map(|one| one.y.unsigned_abs() + one.height).max().unwrap();
    succeed(
        browser((right.max(500), bottom))
            .arg(format!("--screenshot={}", picture.display()))
            .arg(url(&sheet)),
    );
    let whole = Pixmap::load_png(&picture).unwrap();
    for one in &shown {
        let cut = whole
            .clone_rect(IntRect::from_xywh(one.x, one.y, one.width, one.height).unwrap())
            .unwrap();
        let first = *cut.pixels().first().unwrap();
        let differing = cut.pixels().iter().filter(|pixel| **pixel != first).count();
        assert!(differing > cut.pixels().len() / 20, "{} is not blank on {}", one.name, view.name);
        cut.save_png(folder.join(format!("{}-{}.png", one.name, view.name))).unwrap();
    }
    shown
}

fn browser((width, height): (u32, u32)) -> Command {
    let mut command = Command::new("chromium");
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--virtual-time-budget=20000",
    ]);
    command.arg(format!("--window-size={width},{height}"));
    command
}

fn url(path: &Path) -> String {
    format!("file://{}", path.display())
}

/// A page with a frame for each mail, side by side, and a script that says how each is shown.
fn all(view: &View, mails: &[(&str, String)]) -> String {
    let escaped = |html: &str| html.replace('&', "&amp;").replace('"', "&quot;");
    let frame = |(name, html): &(&str, String)| {
        format!("<iframe title=\"{name}\" srcdoc=\"{}\"></iframe>\n", escaped(html))
    };
    let frames: String = mails.iter().map(frame).collect();
    let View { width, scheme, .. } = view;
    format!(
        r#"<!DOCTYPE html><html style="color-scheme:{scheme}"><meta charset="utf-8">
<style>body {{ margin: 0 }} iframe {{ position: absolute; border: 0; width: {width}px; height: 400px }}</style>
{frames}<pre id="shown" hidden></pre>
<script>
addEventListener("load", () => {{
  let x = 0, y = 0;
  const shown = [...document.querySelectorAll("iframe")].map(frame => {{
    const page = frame.contentDocument.documentElement, images = [...frame.contentDocument.images];
    const height = Math.min(page.offsetHeight, 4000);
    if (y > 0 && y + height > 4400) {{ x += {width}; y = 0; }}
    Object.assign(frame.style, {{ left: x + "px", top: y + "px", height: height + "px" }});
    const told = {{ name: frame.title, x, y, width: {width}, height, needs: page.scrollWidth, pictures: images.length,
      seen: images.filter(image => image.complete && image.naturalWidth > 0).length }};
    y += height;
    return told;
  }});
  document.getElementById("shown").textContent = JSON.stringify(shown);
}});
</script></html>"#
    )
}

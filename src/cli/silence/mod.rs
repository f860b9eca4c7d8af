//! `silence`: keeps alerts of some customers and rules from being told for a time; who did it, why
//! and until when stays written.

mod add;
mod list;

use std::path::Path;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::actions::{ExpireRequest, Expired, SilenceView, Until};
use crate::cli::control::Control;
use crate::cli::exit::Outcome;
use crate::cli::open::CommandContext;
use crate::cli::{output, text};
use crate::clock::SystemClock;
use crate::domain::{BillingPeriod, PeriodSource};
use crate::text::{clean, moment};

#[derive(Debug, Args)]
pub(super) struct Silence {
    #[command(subcommand)]
    order: Order,
}

#[derive(Debug, Subcommand)]
enum Order {
    /// Make a silence, and say what it hides now
    #[command(
        after_help = "What comes up meanwhile is recorded. When no silence covers it any more, it \
            is told if it is still true.\n\nExample: budget-alertd silence add --customer \
            \"Contoso*\" --until period-end --reason \"migration, agreed\" --unless-above 300"
    )]
    Add(add::Add),
    /// List silences: who, why, until when, and how much they have hidden
    #[command(after_help = "Example: budget-alertd silence list --all --format json")]
    List(list::List),
    /// End a silence now
    #[command(after_help = "Example: budget-alertd silence expire 3")]
    Expire(Expire),
}

#[derive(Debug, Args)]
struct Expire {
    /// Its number, as listed
    id: i64,
}

impl Silence {
    /// Whether it lists, and changes nothing.
    pub(super) fn only_lists(&self) -> bool {
        matches!(self.order, Order::List(_))
    }

    pub(super) async fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        match &self.order {
            Order::Add(add) => add.run(path).await,
            Order::List(list) => list.run(path),
            Order::Expire(expire) => expire.run(path).await,
        }
    }
}

impl Expire {
    async fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let control = Control::open(CommandContext::look(path)?).await?;
        let Expired { silence, already, uncovered } =
            control.ask(ExpireRequest { id: self.id }).await?;
        let scope = scope(&silence);
        output::page(&match (already, uncovered) {
            (true, _) => format!("Silence {} of {scope} was over already.\n", silence.id),
            (false, 0) => format!(
                "Silence {} of {scope} is over. It hides nothing that would now be told.\n",
                silence.id
            ),
            (false, hidden) => {
                let hidden = text::count(hidden, "silenced alert");
                format!(
                    "Silence {} of {scope} is over. The next poll tells what is still true of \
                        {hidden}.\n",
                    silence.id
                )
            }
        })?;
        Ok(Outcome::Done)
    }
}

/// `customers Contoso*, rules spend and pace`: whom and what it is about, and above which value it
/// is not.
pub(super) fn scope(silence: &SilenceView) -> String {
    let named = |what: &str, globs: &[String]| match globs {
        [] => format!("all {what}s"),
        [one] => format!("{what} {}", clean(one, 80)),
        _ => format!(
            "{what}s {}",
            globs.iter().map(|glob| clean(glob, 80)).collect::<Vec<_>>().join(", ")
        ),
    };
    let unless =
        silence.unless_above.map(|limit| format!(", unless above {limit}")).unwrap_or_default();
    format!("{}, {}{unless}", named("customer", &silence.customers), named("rule", &silence.rules))
}

/// When it ends: a moment, or the end of a billing period, with that of Azure plans.
pub(super) fn until(silence: &SilenceView, now: Timestamp, zone: &TimeZone) -> String {
    match (silence.expired_at, silence.until) {
        (Some(ended), _) => format!("{}, ended early", moment(ended, now, zone)),
        (None, Until::At(end)) => moment(end, now, zone),
        (None, Until::Word(_)) => {
            let month = BillingPeriod::calendar_month(silence.as_of, PeriodSource::CalendarMonth);
            format!(
                "the end of each customer's billing period ({} for Azure plans)",
                moment(month.end, now, zone)
            )
        }
    }
}

fn now() -> Timestamp {
    SystemClock::shared().now()
}

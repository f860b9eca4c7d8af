//! `budgets push`: shows which local budgets Partner Center lacks, and writes those that a person
//! confirms. How they are written is the action's.

use std::io::IsTerminal as _;
use std::path::Path;

use clap::Args;

use crate::actions::{ConfirmedBudget, PushRequest, PushedBudget};
use crate::cli::control::Control;
use crate::cli::exit::{Outcome, WrongUsage};
use crate::cli::open::CommandContext;
use crate::cli::table::{Column, Listing};
use crate::cli::{Format, output, spreadsheet, text};
use crate::config::SecretsFor;
use crate::domain::PushOutcome;
use crate::text::{amount, money};

/// How many are ordered at once: those after are not lost with them.
const AT_ONCE: usize = 50;

#[derive(Debug, Args)]
pub(super) struct Push {
    /// Only this customer: its id, its name or its label; its budget may be far higher than before
    #[arg(long, value_name = "CUSTOMER")]
    customer: Option<String>,
    /// Only show what would be written, whatever else is said
    #[arg(long)]
    dry_run: bool,
    /// Write without asking
    #[arg(long)]
    yes: bool,
    /// How to print what became of them
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Push {
    pub(super) async fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let is_person = std::io::stdin().is_terminal() && self.format == Format::Text;
        if !self.dry_run && !self.yes && !is_person {
            return Err(WrongUsage(
                "this writes budgets to Partner Center: look at them with --dry-run, then write \
                    them with --yes"
                    .to_owned(),
            )
            .into());
        }
        let control = Control::open(CommandContext::look_for(path, SecretsFor::Source)?).await?;
        let pushed = self.push(&control).await;
        control.close().await?;
        let Pushed { rows, is_shown, failure } = pushed?;
        if !is_shown {
            self.print(&rows)?;
        }
        if let Some(failure) = failure {
            return Err(failure);
        }
        let is_good = |row: &PushedBudget| row.outcome.is_none_or(PushOutcome::is_good);
        Ok(if rows.iter().all(is_good) { Outcome::Done } else { Outcome::Failed })
    }

    /// Shows the plan where it asks, and does what of it is agreed to.
    async fn push(&self, control: &Control) -> anyhow::Result<Pushed> {
        let plan = control.ask_first(self.request(None));
        let rows = text::while_waiting("reading budgets", plan).await?;
        let mut pushed = Pushed { rows, is_shown: false, failure: None };
        let open = pushed.open();
        if self.dry_run || open.is_empty() {
            return Ok(pushed);
        }
        if !self.yes && !agreed(&pushed.rows, open.len())? {
            output::aside("Nothing was written.\n");
            return Ok(Pushed { is_shown: true, ..pushed });
        }
        for some in open.chunks(AT_ONCE) {
            let written = control.ask_first(self.request(Some(pushed.confirmed(some))));
            match text::while_waiting("writing budgets", written).await {
                Ok(written) => pushed.take(some, written),
                Err(failure) => return Ok(Pushed { failure: Some(failure), ..pushed }),
            }
        }
        Ok(pushed)
    }

    fn request(&self, confirmed: Option<Vec<ConfirmedBudget>>) -> PushRequest {
        PushRequest { customer: self.customer.clone(), confirmed }
    }

    fn print(&self, rows: &[PushedBudget]) -> anyhow::Result<()> {
        match self.format {
            Format::Text => output::page(&page(rows)),
            Format::Json => output::json(&rows),
            Format::Csv => spreadsheet::print(
                &[
                    "customer",
                    "from",
                    "to",
                    "currency",
                    "outcome",
                    "words",
                    "ms_request_id",
                    "name",
                ],
                rows.iter().map(cells),
            ),
        }
    }
}

/// What became of each budget.
struct Pushed {
    rows: Vec<PushedBudget>,
    /// Whether the person has seen the rows already.
    is_shown: bool,
    /// What broke it off.
    failure: Option<anyhow::Error>,
}

impl Pushed {
    /// Where the rows are that would be written.
    fn open(&self) -> Vec<usize> {
        let rows = self.rows.iter().enumerate();
        rows.filter(|(_, row)| row.outcome.is_none()).map(|(index, _)| index).collect()
    }

    fn confirmed(&self, some: &[usize]) -> Vec<ConfirmedBudget> {
        some.iter().filter_map(|index| Some(self.rows.get(*index)?.confirmed())).collect()
    }

    fn take(&mut self, some: &[usize], written: Vec<PushedBudget>) {
        for (index, row) in some.iter().zip(written) {
            if let Some(place) = self.rows.get_mut(*index) {
                *place = row;
            }
        }
    }
}

/// Shows the plan, and asks whether it is to be done.
fn agreed(rows: &[PushedBudget], count: usize) -> anyhow::Result<bool> {
    output::page(&page(rows))?;
    let budgets = text::count(u64::try_from(count)?, "budget");
    output::aside(&format!("Write {budgets} to Partner Center? yes or no [no]: "));
    let mut said = String::new();
    std::io::stdin().read_line(&mut said)?;
    Ok(matches!(said.trim().to_lowercase().as_str(), "y" | "yes"))
}

fn outcome(row: &PushedBudget) -> &'static str {
    row.outcome.map_or("", |outcome| outcome.as_str())
}

fn page(rows: &[PushedBudget]) -> String {
    if rows.is_empty() {
        return "No customer has a budget of its own here.\n".to_owned();
    }
    let mut table = Listing::new(&[
        Column::Left("CUSTOMER"),
        Column::Right("IN PARTNER CENTER"),
        Column::Right("HERE"),
        Column::Whole("OUTCOME"),
        Column::Left("WHY"),
    ]);
    for row in rows {
        table.add(vec![
            text::clean(&row.name),
            row.from.map(amount).unwrap_or_default(),
            money(row.to, Some(row.currency)),
            outcome(row).to_owned(),
            text::clean(&row.words),
        ]);
    }
    table.lines(0).join("\n") + "\n"
}

fn cells(row: &PushedBudget) -> Vec<String> {
    vec![
        row.customer.clone(),
        row.from.map(|from| from.to_string()).unwrap_or_default(),
        row.to.to_string(),
        row.currency.to_string(),
        outcome(row).to_owned(),
        row.words.clone(),
        row.ms_request_id.map(|id| id.to_string()).unwrap_or_default(),
        row.name.clone(),
    ]
}

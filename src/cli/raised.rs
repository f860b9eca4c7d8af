//! What a poll raised, printed one after another: the worst first, which its answer has, then what
//! it left in the ledger. So memory does not grow with a mass crossing.

use std::collections::HashSet;

use uuid::Uuid;

use crate::actions::PollAnswer;
use crate::cli::{alerts, output, spreadsheet};
use crate::domain::Alert;
use crate::ledger::{AlertRows, Ledger, Reader};

/// How many alerts are read from the ledger at a time.
const AT_ONCE: u32 = 500;

/// The ledger that a poll has written to.
pub(super) enum PolledLedger {
    /// The one in place; none where nothing was left out.
    Place(Option<Reader>),
    /// A copy, for a try; and the one in place, where there is one.
    Copy(Box<Ledger>, Option<Reader>),
}

impl PolledLedger {
    /// Reads the one in place.
    pub(super) fn reader(&self) -> Option<&Reader> {
        let (Self::Place(reader) | Self::Copy(_, reader)) = self;
        reader.as_ref()
    }

    async fn read(&self, rows: AlertRows) -> anyhow::Result<Vec<(i64, Alert)>> {
        Ok(match self {
            Self::Place(reader) => {
                reader.as_ref().map_or(Ok(Vec::new()), |reader| reader.raised(rows, AT_ONCE))?
            }
            Self::Copy(ledger, _) => {
                ledger.read(move |reader| reader.raised(rows, AT_ONCE)).await?
            }
        })
    }
}

/// All that a poll raised.
pub(super) struct Raised<'a> {
    listed: &'a [Alert],
    known: HashSet<Uuid>,
    rows: Option<AlertRows>,
    ledger: &'a PolledLedger,
}

impl<'a> Raised<'a> {
    /// What this answer lists, and what it leaves out.
    pub(super) fn by(answer: &'a PollAnswer, ledger: &'a PolledLedger) -> Self {
        Self {
            listed: &answer.alerts,
            known: answer.alerts.iter().map(|alert| alert.id).collect(),
            rows: answer.rows,
            ledger,
        }
    }

    /// Prints the answer as one object.
    pub(super) async fn print_json(mut self, answer: &PollAnswer) -> anyhow::Result<()> {
        let bare = output::json_line(&PollAnswer {
            alerts: Vec::new(),
            raised: None,
            rows: None,
            ..answer.clone()
        })?;
        let (before, after) = bare.split_once("\"alerts\":[").unwrap_or((&bare, ""));
        output::document(&format!("{before}\"alerts\":["))?;
        let mut comma = "";
        self.each_page(|page| {
            let mut text = String::new();
            for alert in page {
                text.push_str(comma);
                text.push_str(&output::json_line(alert)?);
                comma = ",";
            }
            output::document(&text)
        })
        .await?;
        output::document(&format!("{after}\n"))
    }

    /// Prints them as rows.
    pub(super) async fn print_csv(mut self) -> anyhow::Result<()> {
        spreadsheet::print(&alerts::HEADING, std::iter::empty())?;
        self.each_page(|page| {
            spreadsheet::print_rows(page.iter().map(|alert| alerts::cells(alert, None)))
        })
        .await
    }

    async fn each_page(
        &mut self,
        mut print: impl FnMut(&[Alert]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        print(self.listed)?;
        while let Some(rows) = self.rows {
            let read = self.ledger.read(rows).await?;
            self.rows = read.last().map(|(row, _)| AlertRows { after: *row, ..rows });
            let page: Vec<Alert> = read
                .into_iter()
                .map(|(_, alert)| alert)
                .filter(|alert| !self.known.contains(&alert.id))
                .collect();
            print(&page)?;
        }
        Ok(())
    }
}

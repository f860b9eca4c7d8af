//! One alert or digest as it reached people: who got it, what they see first, who still waits.

use anstyle::Style;
use jiff::Timestamp;

use crate::cli::demo::books::{Books, is_about};
use crate::cli::demo::inbox::{Door, Received};
use crate::cli::demo::narrator::Paragraph;
use crate::cli::demo::words::{BOLD, DIM, YELLOW, colour, harmless, is_late, paint, span, whole};
use crate::domain::{Alert, AlertSnapshot, Severity};

/// What came about one alert at one time; nothing yet, where it waits.
pub(super) struct Block {
    /// Where the alert stands in the books.
    position: usize,
    came: Vec<Received>,
}

/// What came, by alert, the worst first; and the `fresh` alerts of which nothing could come yet.
pub(super) fn blocks(books: &Books, came: Vec<Received>, fresh: usize) -> Vec<Block> {
    let mut blocks: Vec<Block> =
        (fresh..books.alerts.len()).map(|position| Block { position, came: Vec::new() }).collect();
    for received in came {
        let position = books.position(&received);
        match blocks.iter_mut().find(|block| block.position == position) {
            Some(block) => block.came.push(received),
            None => blocks.push(Block { position, came: vec![received] }),
        }
    }
    for block in &mut blocks {
        block.came.sort_by(|a, b| a.door.cmp(&b.door));
    }
    blocks.sort_by_key(|block| (std::cmp::Reverse(block.severity(books)), block.position));
    // What a message tells beside its first alert has no block of its own.
    blocks.retain(|block| !block.came.is_empty() || (block.waits(books) && block.is_first(books)));
    blocks
}

impl Block {
    fn alert<'a>(&self, books: &'a Books) -> Option<&'a AlertSnapshot> {
        books.alerts.get(self.position)
    }

    fn severity(&self, books: &Books) -> Severity {
        self.alert(books).map(|snapshot| snapshot.alert.severity).unwrap_or_default()
    }

    fn waits(&self, books: &Books) -> bool {
        self.alert(books)
            .is_some_and(|snapshot| books.waiting().any(|delivery| is_about(delivery, snapshot)))
    }

    /// Whether no message that waits tells of an earlier alert before this one.
    fn is_first(&self, books: &Books) -> bool {
        let Some(own) = self.alert(books) else { return false };
        let earlier = books.alerts.iter().take(self.position);
        !books
            .waiting()
            .filter(|delivery| is_about(delivery, own))
            .any(|delivery| earlier.clone().any(|earlier| is_about(delivery, earlier)))
    }

    /// The first line says who got it, the next what the person there sees first.
    pub(super) fn paragraphs(&self, books: &Books) -> Vec<Paragraph> {
        let bar = colour(self.severity(books));
        let raised = self.alert(books).map(|snapshot| snapshot.alert.raised_at);
        let mut doors: Vec<_> = self.came.iter().map(|received| door(received, raised)).collect();
        if self.waits(books) {
            doors.push(paint(YELLOW, "# ops is down: its message waits"));
        }
        let mut paragraphs = vec![Paragraph::told(Style::new(), doors.join(&paint(DIM, " · ")))];
        match self.came.first() {
            Some(shown) => {
                let styles = [bar.bold(), Style::new()].into_iter().chain(std::iter::repeat(DIM));
                paragraphs.extend(
                    shown
                        .lines
                        .iter()
                        .zip(styles)
                        .map(|(line, style)| Paragraph::quoted(bar, style, line)),
                );
                paragraphs
                    .extend(shown.notes.iter().map(|note| Paragraph::quoted(bar, BOLD, note)));
            }
            None => paragraphs.extend(
                self.alert(books)
                    .map(|snapshot| Paragraph::quoted(DIM, DIM, untold(&snapshot.alert))),
            ),
        }
        paragraphs
    }

    /// What a program got, to be shown once.
    pub(super) fn payload(&self) -> Option<Paragraph> {
        let webhook = self.came.iter().find(|received| received.door == Door::Webhook)?;
        Some(Paragraph::told(DIM, format!("⇢ as signed JSON: {}", webhook.lines.join(" "))))
    }
}

/// What nobody could be told yet.
fn untold(alert: &Alert) -> String {
    let amount = |value| {
        format!(
            "{}{}",
            whole(value),
            alert.cost.currency.map(|currency| format!(" {currency}")).unwrap_or_default()
        )
    };
    let budget = alert
        .budget
        .as_ref()
        .map(|budget| format!(" of {}", amount(budget.amount)))
        .unwrap_or_default();
    format!(
        "{} {}: {}{budget}",
        alert.severity.as_str().to_ascii_uppercase(),
        harmless(alert.customer.called()),
        amount(alert.cost.amount)
    )
}

fn door(received: &Received, raised: Option<Timestamp>) -> String {
    let name = match &received.door {
        Door::Mail(to) => format!("✉ {}", harmless(to)),
        Door::Slack => "# ops".to_owned(),
        Door::Webhook => "⇢ itsm".to_owned(),
    };
    let late = raised.filter(|raised| is_late(*raised, received.at));
    let late = late
        .map(|raised| paint(YELLOW, &format!(", {} late", span(raised, received.at))))
        .unwrap_or_default();
    format!("{}{late}", paint(BOLD, &name))
}

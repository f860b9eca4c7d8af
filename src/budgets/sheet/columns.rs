//! The columns of a spreadsheet of customers, recognised by the names in its first row.

use std::ops::Range;

use crate::budgets::sheet::Fault;
use crate::budgets::sheet::cells::{Line, Lines};

/// A column that means something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// Whose row it is.
    CustomerId,
    /// Set in a row about one subscription of the customer.
    SubscriptionId,
    /// The name in Partner Center; for people, and to find the customer by.
    Name,
    /// The name we call it by.
    Label,
    /// The amount for one billing period.
    Budget,
    /// Its currency.
    Currency,
    /// Mail addresses.
    Contacts,
    /// Who looks after it on our side.
    Owner,
    /// Words that rules select by.
    Tags,
    /// Notifiers in addition to the rule's.
    Notify,
    /// Rules that do not apply.
    MuteRules,
    /// For people only.
    Told,
}

/// The names of the columns that are read.
const READ: [(&str, Column); 11] = [
    ("customer_id", Column::CustomerId),
    ("subscription_id", Column::SubscriptionId),
    ("name", Column::Name),
    ("label", Column::Label),
    ("budget", Column::Budget),
    ("currency", Column::Currency),
    ("contacts", Column::Contacts),
    ("owner", Column::Owner),
    ("tags", Column::Tags),
    ("notify", Column::Notify),
    ("mute_rules", Column::MuteRules),
];

/// The names of the columns that an export adds for people.
pub const TOLD: [&str; 5] =
    ["plan", "partner_center_budget", "cost", "percent_used", "usage_as_of"];

/// The first row: what each column holds, `None` where it has no name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) columns: Vec<Option<Column>>,
    pub(super) span: Range<usize>,
}

impl Column {
    fn from_name(name: &str) -> Option<Self> {
        let name = plain(name);
        let read = READ.iter().find(|(known, _)| *known == name).map(|(_, column)| *column);
        read.or_else(|| TOLD.contains(&name.as_str()).then_some(Self::Told))
    }
}

/// `Customer ID` as `customer_id`.
fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '-', '\u{a0}'], "_")
}

/// Finds out what separates the cells, and goes past a line `sep=;` that some programs begin with.
pub(super) fn separated(text: &str) -> Lines<'_> {
    let mut lines = Lines::of(text, ',');
    let mut named = lines.peek().trim_end_matches('\r').chars();
    if lines.peek().to_lowercase().starts_with("sep=")
        && let Some(separator) = named.nth(4)
        && named.next().is_none()
    {
        lines.next();
        return lines.with_separator(separator);
    }
    let known = |separator: char| {
        let header = Lines::of(text, separator).next();
        header.map_or(0, |line| {
            line.cells.iter().filter(|cell| Column::from_name(&cell.value).is_some()).count()
        })
    };
    let separator =
        [',', ';', '\t'].into_iter().rev().max_by_key(|separator| known(*separator)).unwrap_or(',');
    Lines::of(text, separator)
}

/// Reads the first row. A column that is not known, or there twice, is a fault: its amounts would
/// be lost silently.
pub(super) fn header(line: &Line<'_>, faults: &mut Vec<Fault>) -> Header {
    let mut columns: Vec<Option<Column>> = Vec::new();
    for cell in &line.cells {
        let column = Column::from_name(&cell.value);
        if column.is_none() && !cell.value.is_empty() {
            faults.push(Fault { span: cell.span.clone(), text: unknown(&cell.value) });
        }
        if column.is_some_and(|column| column != Column::Told && columns.contains(&Some(column))) {
            faults.push(Fault {
                span: cell.span.clone(),
                text: format!("the column \"{}\" is there twice", plain(&cell.value)),
            });
        }
        // What stands below an unknown name is not said to be wrong again in each row.
        columns.push(column.or((!cell.value.is_empty()).then_some(Column::Told)));
    }
    let ends = (line.cells.first(), line.cells.last());
    let span =
        if let (Some(first), Some(last)) = ends { first.span.start..last.span.end } else { 0..0 };
    Header { columns, span }
}

fn unknown(name: &str) -> String {
    let wanted = plain(name);
    let names: Vec<&str> = READ.iter().map(|(name, _)| *name).collect();
    let near = |name: &str| strsim::jaro_winkler(&wanted, name);
    let nearest = names
        .iter()
        .copied()
        .max_by(|a, b| near(a).total_cmp(&near(b)))
        .filter(|name| near(name) >= 0.75);
    let hint = nearest.map_or_else(
        || format!("known are {}", names.join(", ")),
        |name| format!("did you mean \"{name}\"?"),
    );
    let shown: String = name
        .chars()
        .take(60)
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    format!("unknown column \"{shown}\"; {hint}")
}

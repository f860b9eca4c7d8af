//! The description of every key of a file of rule tests. What values mean is left to `cases`.

use crate::config::keys::{Kind, PLANS, SEVERITIES, Shape, key};

/// The keys of a file of rule tests.
pub(crate) const ROOT: Shape = &[
    key(
        "rules",
        Kind::Text,
        "the configuration that is tested, relative to this file; by default the one of --config",
    ),
    key("test", Kind::Tables(TEST), "one test, which remembers nothing of the others"),
];

const TEST: Shape = &[
    key("name", Kind::Text, "what must hold, as a sentence"),
    key("history", Kind::Tables(HISTORY), "customers that cost the same every day before it"),
    key("poll", Kind::Tables(POLL), "what is read, in the order of time"),
];

const HISTORY: Shape = &[
    key("customer", Kind::Text, "its id; all else is as in the first poll that has it"),
    key("from", Kind::Text, "the first day"),
    key("days", Kind::Whole, "how many days"),
    key("per_day", Kind::Number, "what each of them costs"),
];

const POLL: Shape = &[
    key("at", Kind::Moment, "when it polls"),
    key("records", Kind::Rows(RECORD), "what it reads"),
    key("expect", Kind::Rows(EXPECTED), "every alert it must raise; leave it out to check nothing"),
];

const RECORD: Shape = &[
    key("customer", Kind::Text, "its id"),
    key("name", Kind::Text, "its name; by default the id"),
    key("plan", Kind::Choice(&PLANS), "how it buys; by default azure-plan"),
    key("cost", Kind::Number, "so far in the billing period"),
    key("usd", Kind::Number, "the same in US dollars"),
    key("currency", Kind::Text, "a code of three letters"),
    key("budget", Kind::Number, "in Partner Center; none by default"),
    key("percent", Kind::Number, "percentUsed as reported"),
    key("as_of", Kind::Moment, "the date of the data; by default the time of the poll"),
    key(
        "billing",
        Kind::Table(BILLING),
        "the billing period that a legacy customer's usage summary names",
    ),
];

const BILLING: Shape = &[
    key("first_day", Kind::Text, "billingStartDate"),
    key("last_day", Kind::Text, "billingEndDate"),
];

const EXPECTED: Shape = &[
    key("customer", Kind::Text, "its id"),
    key("rule", Kind::Text, "its name"),
    key("at", Kind::Number, "the step"),
    key("value", Kind::Number, "the metric's value"),
    key("severity", Kind::Choice(&SEVERITIES), "how bad"),
    key("passed", Kind::Numbers, "lower steps passed by the same jump"),
    key("notify", Kind::Texts, "the notifiers that are owed it, in any order"),
    key("budget", Kind::Number, "the amount it is raised under"),
    key("baseline", Kind::Boolean, "whether it is of the first poll of its rule"),
];

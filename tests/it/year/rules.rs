//! The rules of the year, twice: as the program reads them, and as plain facts for the naive model.

/// Rules and notifiers, as in `alert-rules.toml`; customers are added.
pub(crate) const TOML: &str = r#"
[source]
type = "file"
path = "usage.json"

[rules.spend]
metric = "percent_used"
notify = ["ops"]
then_every = 100
steps = [{ at = 80 }, { at = 100, severity = "critical", notify = ["ops", "oncall"] }, { at = 150, severity = "critical" }]
match = { exclude = ["*[Test]*"] }

[rules.once]
metric = "percent_used"
notify = ["ops"]
rearm = "never"
steps = [{ at = 50, severity = "info" }, { at = "99.5" }]
match = { usd_cost = { at_least = 50 } }

[rules.left]
metric = "amount_left"
notify = ["ops"]
steps = [{ at = { SEK = 500, EUR = 50 } }, { at = { SEK = 0, EUR = 0, GBP = 0 }, severity = "critical" }]
then_every = { SEK = 5000, EUR = 4000 }

[rules.over]
metric = "amount_over"
notify = ["ops"]
steps = [{ at = { SEK = "0.01", GBP = 10 } }, { at = { SEK = 1000, EUR = 100, GBP = 100 }, notify = ["oncall"] }]
match = { budget = { currency = "SEK", at_least = 100, below = 50000 } }

[rules.total]
metric = "total_cost"
notify = ["ops"]
steps = [{ at = { SEK = 5000, EUR = 500 } }]
then_every = { SEK = 5000, EUR = 4000 }
match = { plan = "azure-plan" }

[rules.dollars]
metric = "usd_total_cost"
notify = ["ops"]
steps = [{ at = 100 }, { at = 1000, severity = "critical" }]
match = { tags = ["gold"] }

[rules.unbudgeted]
metric = "unbudgeted_cost"
notify = ["oncall"]
steps = [{ at = { SEK = 100, EUR = 10, GBP = 10 } }, { at = { SEK = 3000, EUR = 300, GBP = 300 } }]

[notifiers.ops]
type = "webhook"
url = "https://ops.example/"
[notifiers.oncall]
type = "webhook"
url = "https://oncall.example/"
[notifiers.account]
type = "webhook"
url = "https://account.example/"
"#;

/// What a rule measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    Percent,
    Left,
    Over,
    Total,
    Dollars,
    Unbudgeted,
}

/// A number in a currency, or without one; in hundredths.
pub(crate) type Amounts = &'static [(Option<&'static str>, i64)];

/// A step: its amounts, its severity, its notifiers.
pub(crate) type Step = (Amounts, &'static str, &'static [&'static str]);

/// A rule in plain facts.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) measure: Measure,
    pub(crate) again: bool,
    pub(crate) steps: &'static [Step],
    pub(crate) every: Amounts,
}

const OPS: &[&str] = &["ops"];
const SEK: Option<&str> = Some("SEK");
const EUR: Option<&str> = Some("EUR");
const GBP: Option<&str> = Some("GBP");

/// The same rules.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "spend",
        measure: Measure::Percent,
        again: true,
        steps: &[
            (&[(None, 80_00)], "warning", OPS),
            (&[(None, 100_00)], "critical", &["ops", "oncall"]),
            (&[(None, 150_00)], "critical", OPS),
        ],
        every: &[(None, 100_00)],
    },
    Rule {
        name: "once",
        measure: Measure::Percent,
        again: false,
        steps: &[(&[(None, 50_00)], "info", OPS), (&[(None, 99_50)], "warning", OPS)],
        every: &[],
    },
    Rule {
        name: "left",
        measure: Measure::Left,
        again: true,
        steps: &[
            (&[(SEK, 500_00), (EUR, 50_00)], "warning", OPS),
            (&[(SEK, 0), (EUR, 0), (GBP, 0)], "critical", OPS),
        ],
        every: &[(SEK, 5000_00), (EUR, 4000_00)],
    },
    Rule {
        name: "over",
        measure: Measure::Over,
        again: true,
        steps: &[
            (&[(SEK, 1), (GBP, 10_00)], "warning", OPS),
            (&[(SEK, 1000_00), (EUR, 100_00), (GBP, 100_00)], "warning", &["oncall"]),
        ],
        every: &[],
    },
    Rule {
        name: "total",
        measure: Measure::Total,
        again: true,
        steps: &[(&[(SEK, 5000_00), (EUR, 500_00)], "warning", OPS)],
        every: &[(SEK, 5000_00), (EUR, 4000_00)],
    },
    Rule {
        name: "dollars",
        measure: Measure::Dollars,
        again: true,
        steps: &[(&[(None, 100_00)], "warning", OPS), (&[(None, 1000_00)], "critical", OPS)],
        every: &[],
    },
    Rule {
        name: "unbudgeted",
        measure: Measure::Unbudgeted,
        again: true,
        steps: &[
            (&[(SEK, 100_00), (EUR, 10_00), (GBP, 10_00)], "warning", &["oncall"]),
            (&[(SEK, 3000_00), (EUR, 300_00), (GBP, 300_00)], "warning", &["oncall"]),
        ],
        every: &[],
    },
];

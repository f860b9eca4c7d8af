//! Adds a silence, and says what it hides now. What it then does is the polls'.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::actions::{Action, ActionContext, ActionError, Author};
use crate::analysis::{SilencePreview, reach};
use crate::domain::{Glob, Silence};
use crate::ledger::Reader;
use crate::rules::Rules;
use crate::text::clean;

/// A silence to be made; at least one pattern, a reason and an end are needed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SilenceRequest {
    /// Patterns of a customer's id, name or label; empty = all customers.
    #[serde(default)]
    pub customers: Vec<String>,
    /// Patterns of rule names; empty = all rules.
    #[serde(default)]
    pub rules: Vec<String>,
    /// Values above this are told all the same.
    #[serde(default, with = "crate::domain::exact")]
    pub unless_above: Option<Decimal>,
    /// When it ends.
    pub until: Until,
    /// Why.
    pub reason: String,
    /// Make it although it is about nobody, or lasts for very long.
    #[serde(default)]
    pub yes: bool,
}

/// How many patterns a silence has at most, since each poll looks at all of them, and how long one
/// may be, in bytes.
const MOST_PATTERNS: usize = 1000;
const LONGEST_PATTERN: usize = 500;
/// How much of a reason is kept, in characters.
const LONGEST_REASON: usize = 500;

/// The longest silence that nobody asks about again.
const LONGEST: SignedDuration = SignedDuration::from_hours(90 * 24);

/// When a silence ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Until {
    /// At an instant.
    At(Timestamp),
    /// With each customer's billing period.
    Word(UntilWord),
}

/// The ends of silences that have a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UntilWord {
    /// With each customer's billing period.
    PeriodEnd,
}

/// A silence that is made, with what it hides now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilenceAdded {
    /// The silence.
    pub silence: SilenceView,
    /// What it hides now.
    #[serde(flatten)]
    pub reach: SilencePreview,
}

/// A silence in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilenceView {
    /// Its number.
    pub id: i64,
    /// Patterns of a customer's id, name or label; empty = all customers.
    pub customers: Vec<String>,
    /// Patterns of rule names; empty = all rules.
    pub rules: Vec<String>,
    /// Values above this are told all the same.
    #[serde(with = "crate::domain::exact")]
    pub unless_above: Option<Decimal>,
    /// When it was made.
    pub created_at: Timestamp,
    /// The newest date of the data then, which places it in billing periods.
    pub as_of: Timestamp,
    /// When it ends.
    pub until: Until,
    /// Who made it.
    pub author: String,
    /// Why.
    pub reason: String,
    /// When somebody ended it before its time.
    pub expired_at: Option<Timestamp>,
}

impl SilenceView {
    /// The view of a silence.
    pub fn of(silence: &Silence) -> Self {
        let texts = |globs: &[Glob]| globs.iter().map(|glob| glob.as_str().to_owned()).collect();
        Self {
            id: silence.id,
            customers: texts(&silence.customers),
            rules: texts(&silence.rules),
            unless_above: silence.unless_above,
            created_at: silence.created_at,
            as_of: silence.as_of,
            until: silence.ends_at.map_or(Until::Word(UntilWord::PeriodEnd), Until::At),
            author: silence.author.clone(),
            reason: silence.reason.clone(),
            expired_at: silence.expired_at,
        }
    }
}

/// What a silence would be, before it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SilencePreviewed {
    /// The silence.
    pub silence: SilenceView,
    /// What it would hide now.
    pub reach: SilencePreview,
    /// Why it is most likely not what is meant: it is made only where `yes` is said.
    pub doubt: Option<String>,
}

impl Action for SilenceRequest {
    const NAME: &'static str = "silence/add";
    type Answer = SilenceAdded;

    async fn run(
        self,
        context: &ActionContext,
        author: &Author,
    ) -> Result<SilenceAdded, ActionError> {
        let cycle = context.cycle()?;
        let yes = self.yes;
        let Surveyed { silence, reach, doubt } = self.survey(context, author).await?;
        if let Some(doubt) = doubt.filter(|_| !yes) {
            return Err(ActionError::Invalid(format!(
                "{doubt}. No silence was made; if it is meant so, add --yes (\"yes\": true)"
            )));
        }
        let id = cycle.ledger.add_silence(silence.clone()).await?;
        tracing::info!(%author, silence.id = id, silence.customers = reach.customers, silence.hides = reach.crossing, "a silence is made");
        Ok(SilenceAdded { silence: SilenceView::of(&Silence { id, ..silence }), reach })
    }
}

/// A silence that makes sense, with what it hides now.
struct Surveyed {
    silence: Silence,
    reach: SilencePreview,
    doubt: Option<String>,
}

/// Why a silence is most likely not what is meant.
fn doubt(
    silence: &Silence,
    reach: &SilencePreview,
    nothing_read: bool,
    rules: &Rules,
    now: Timestamp,
) -> Option<String> {
    let no_rule = !silence.rules.is_empty()
        && !rules
            .facts()
            .any(|rule| silence.rules.iter().any(|glob| glob.fits_any([Some(&*rule.name)])));
    let nobody = !nothing_read && !silence.customers.is_empty() && reach.customers == 0;
    if no_rule || nobody {
        return Some(if reach.warnings.is_empty() {
            "it fits nobody".to_owned()
        } else {
            reach.warnings.join("; ")
        });
    }
    let length =
        silence.ends_at.map(|end| end.duration_since(now)).filter(|length| *length > LONGEST)?;
    // Rounded up: a moment has passed since it was ordered.
    Some(format!("it would last for {} days, longer than 90", (length.as_hours() + 23) / 24))
}

impl SilenceRequest {
    /// What it would be, and would hide now; nothing is made.
    pub async fn preview(
        self,
        context: &ActionContext,
        author: &Author,
    ) -> Result<SilencePreviewed, ActionError> {
        let Surveyed { silence, reach, doubt } = self.survey(context, author).await?;
        Ok(SilencePreviewed { silence: SilenceView::of(&silence), reach, doubt })
    }

    async fn survey(
        self,
        context: &ActionContext,
        author: &Author,
    ) -> Result<Surveyed, ActionError> {
        let cycle = context.cycle()?;
        let (now, who) = (cycle.clock.now(), author.clone());
        let survey = move |reader: &Reader| {
            let last_good = reader.polls()?.last_good;
            let newest = last_good.as_ref().and_then(|poll| poll.newest);
            let silence = self.checked(&who, newest, now)?;
            let reach = reach(reader, &cycle.budgets, &cycle.rules, &silence, now)?;
            // Before the first poll no customer is known.
            let doubt = doubt(&silence, &reach, last_good.is_none(), &cycle.rules, now);
            Ok(Surveyed { silence, reach, doubt })
        };
        context.read(survey).await
    }

    fn checked(
        &self,
        author: &Author,
        newest: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Silence, ActionError> {
        let wrong = |text: String| ActionError::Invalid(text);
        let patterns = || self.customers.iter().chain(&self.rules);
        if patterns().count() > MOST_PATTERNS || patterns().any(|glob| glob.len() > LONGEST_PATTERN)
        {
            return Err(wrong(format!(
                "a silence has at most {MOST_PATTERNS} patterns of {LONGEST_PATTERN} letters: use * \
                    for several"
            )));
        }
        if self.customers.is_empty() && self.rules.is_empty() {
            return Err(wrong(
                "say whom or what it is about: a pattern of customers or of rules; \"*\" fits all"
                    .to_owned(),
            ));
        }
        if self.reason.trim().is_empty() {
            return Err(wrong("say why: the next person on call has to understand it".to_owned()));
        }
        let ends_at = match self.until {
            Until::At(end) if end <= now => {
                return Err(wrong(format!("it would end before it begins: {end} is over")));
            }
            Until::At(end) => Some(end),
            Until::Word(UntilWord::PeriodEnd) => None,
        };
        let globs = |texts: &[String]| {
            texts.iter().map(|text| Glob::try_new(text.trim())).collect::<Result<Vec<_>, _>>()
        };
        Ok(Silence {
            id: 0,
            customers: globs(&self.customers).map_err(|error| wrong(error.to_string()))?,
            rules: globs(&self.rules).map_err(|error| wrong(error.to_string()))?,
            unless_above: self.unless_above,
            created_at: now,
            as_of: newest.unwrap_or(now),
            ends_at,
            author: author.to_string(),
            reason: clean(&self.reason, LONGEST_REASON),
            expired_at: None,
        })
    }
}

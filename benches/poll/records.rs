//! A collection of usage records in the wire form, of any size and always the same. Whom it alerts
//! is counted while it is made.

use std::fs::File;
use std::io::{BufWriter, Result, Write};
use std::path::Path;

/// How the answer is laid out; Partner Center sends either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Indented,
    Compact,
}

/// Words of customer names, some beyond ASCII.
const WORDS: [&str; 8] =
    ["Contoso", "Fabrikam", "Société", "Nordwind", "Müşteri", "東京", "Tailspin", "Proseware"];
const CURRENCIES: [&str; 6] = ["SEK", "EUR", "USD", "GBP", "NOK", "CHF"];
const BUDGETS: [u64; 6] = [20, 97, 250, 500, 2_500, 10_000];

/// Of so many records one changes from one generation to the next.
const ONE_CHANGES_OF: u64 = 20;

/// Writes `count` records; about 5 % are over 80 % of their budget, 3 % have none, 5 % are legacy.
/// Gives how many are over 80 %.
pub(crate) fn write(path: &Path, count: u64, form: Form) -> Result<u64> {
    write_generation(path, count, form, 0)
}

/// Writes the same records some time later: from one generation to the next, 5 % of them have a
/// later date and a higher cost, and none reaches another step. There are 1,000 generations.
pub(crate) fn write_generation(
    path: &Path,
    count: u64,
    form: Form,
    generation: u64,
) -> Result<u64> {
    let mut out = BufWriter::new(File::create(path)?);
    let mut dice = Dice(0x2019_0917);
    let mut over = 0;
    layout(&mut out, form, &format!("{{\n    \"totalCount\": {count},\n    \"items\": [\n"))?;
    for number in 1..=count {
        let changes =
            (generation + ONE_CHANGES_OF - 1 - (number - 1) % ONE_CHANGES_OF) / ONE_CHANGES_OF;
        let (text, crosses) = record(&mut dice, number, changes);
        over += u64::from(crosses);
        layout(&mut out, form, &text)?;
        layout(&mut out, form, if number < count { ",\n" } else { "\n" })?;
    }
    layout(&mut out, form, END)?;
    out.flush()?;
    Ok(over)
}

const END: &str = r#"    ],
    "links": {
        "self": {
            "uri": "/customers/usagerecords",
            "method": "GET",
            "headers": []
        }
    },
    "attributes": {
        "objectType": "Collection"
    }
}
"#;

/// One record after so many changes, indented, and whether it is over 80 %.
fn record(dice: &mut Dice, number: u64, changes: u64) -> (String, bool) {
    let budget = dice.pick(&BUDGETS);
    let hundredths = match dice.below(1000) {
        0..950 => dice.below(7_900),
        950..975 => 8_000 + dice.below(1_900),
        975..995 => 10_000 + dice.below(4_900),
        _ => 15_000 + dice.below(60_000),
    };
    // Each change is a hundredth more, and a minute later.
    let hundredths = hundredths + changes;
    let budgeted = dice.below(100) >= 3;
    let amount =
        if budgeted { format!("                \"amount\": {budget},\n") } else { String::new() };
    let percent = if budgeted {
        format!("{}.{:02}", hundredths / 100, hundredths % 100)
    } else {
        "0".to_owned()
    };
    // budget × percent, exact to 10^-4, and 16 more digits as the real ones have.
    let cost = budget * hundredths;
    let cost = format!("{}.{:04}{:016}", cost / 10_000, cost % 10_000, dice.below(10_u64.pow(16)));
    let legacy = dice.below(20) == 0;
    let currency = if legacy {
        r#""currencyLocale": "sv-SE""#.to_owned()
    } else {
        format!(r#""currencyCode": "{}""#, dice.pick(&CURRENCIES))
    };
    let id =
        format!("{:08x}-{:04x}-4000-8000-{number:012x}", dice.below(1 << 32), dice.below(1 << 16));
    let name = format!("{} {} {number}", dice.pick(&WORDS), dice.pick(&WORDS));
    let (day, hour, fraction) = (1 + dice.below(28), dice.below(24), dice.below(10_000_000));
    let text = format!(
        r#"        {{
            "budget": {{
{amount}                "attributes": {{
                    "objectType": "SpendingBudget"
                }}
            }},
            "percentUsed": {percent},
            "isUpgraded": {upgraded},
            "resourceId": "{id}",
            "id": "{id}",
            "resourceName": "{name}",
            "name": "{name}",
            "totalCost": {cost},
            {currency},
            "usdTotalCost": {cost},
            "lastModifiedDate": "2019-09-{day:02}T{hour:02}:{minute:02}:11.{fraction:07}+00:00",
            "attributes": {{
                "objectType": "CustomerMonthlyUsageRecord"
            }}
        }}"#,
        upgraded = !legacy,
        minute = 8 + changes,
    );
    (text, budgeted && hundredths >= 8_000)
}

/// Writes indented text in the wanted form.
fn layout(out: &mut impl Write, form: Form, text: &str) -> Result<()> {
    match form {
        Form::Indented => out.write_all(text.as_bytes()),
        Form::Compact => text.lines().try_for_each(|line| {
            out.write_all(line.trim_start().replacen("\": ", "\":", 1).as_bytes())
        }),
    }
}

/// Numbers that look random and are the same every time (xorshift64*).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 1) % end
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}

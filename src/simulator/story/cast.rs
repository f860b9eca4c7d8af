//! Who is in the story: names, currencies, budgets, what a whole period costs them; what happens to
//! them is in `plot` and `usage`.

/// How a customer is billed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Billing {
    /// By an Azure plan: the currency, and ten-thousandths of a US dollar for one unit of it.
    Plan(&'static str, i64),
    /// By a legacy subscription: the culture, and the day on which a period begins.
    Legacy(&'static str, i8),
}

/// What happens to a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// It uses what it uses.
    Steady,
    /// Somebody runs miners in its second subscription.
    Attacked,
    /// Its budget is raised to this amount.
    Raised(i64),
    /// The last of its old month arrives dated in the new one.
    Late,
    /// For a day, somebody computes much more there than usual.
    Busy,
    /// Microsoft sees miners there, and somebody answers.
    Watched,
    /// It should use nothing at all, and does from some day on.
    Idle,
}

/// One customer of the story.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Role {
    pub(crate) name: &'static str,
    pub(crate) billing: Billing,
    /// The monthly budget, in whole units of its currency.
    pub(crate) budget: Option<i64>,
    /// What a whole billing period costs, likewise.
    pub(crate) period_cost: i64,
    /// Its subscriptions, each with its share of the cost in percent; the first takes what is left.
    pub(crate) subscriptions: &'static [(&'static str, i64)],
    pub(crate) part: Part,
}

const SEK: Billing = Billing::Plan("SEK", 1_045);
const EUR: Billing = Billing::Plan("EUR", 11_620);
const USD: Billing = Billing::Plan("USD", 10_000);
const GBP: Billing = Billing::Plan("GBP", 13_310);
const JPY: Billing = Billing::Plan("JPY", 66);

const PROD: &[(&str, i64)] = &[("Prod", 100)];
const PROD_AND_TEST: &[(&str, i64)] = &[("Prod", 78), ("Dev/Test", 22)];
const THREE: &[(&str, i64)] = &[("Prod", 61), ("Dev/Test", 14), ("Analytics", 25)];
const LEGACY: &[(&str, i64)] = &[("Microsoft Azure", 100)];

const fn role(
    name: &'static str,
    billing: Billing,
    budget: i64,
    cost: i64,
    subscriptions: &'static [(&'static str, i64)],
) -> Role {
    Role {
        name,
        billing,
        budget: Some(budget),
        period_cost: cost,
        subscriptions,
        part: Part::Steady,
    }
}

/// The attacked customer.
pub(crate) const ATTACKED: Role = Role {
    part: Part::Attacked,
    ..role("Fabrikam Maschinenbau GmbH", EUR, 1_500, 530, PROD_AND_TEST)
};
/// The customer whose budget is raised.
pub(crate) const RAISED: Role = Role {
    part: Part::Raised(8_000),
    ..role("Adventure Works Cykel AB", SEK, 5_000, 12_400, PROD_AND_TEST)
};
/// The customer with late data at the turn of the month.
pub(crate) const LATE: Role =
    Role { part: Part::Late, ..role("Wingtip Airlines", USD, 30_000, 31_400, THREE) };
/// The customer that left, with a budget of zero.
pub(crate) const IDLE: Role =
    Role { part: Part::Idle, ..role("Trey Research (offboarded)", SEK, 0, 0, PROD) };
/// The legacy customer that comes near its budget.
pub(crate) const LEGACY_NEAR: Role =
    role("Blue Yonder Airports", Billing::Legacy("fr-FR", 14), 1_200, 1_115, LEGACY);
/// The customer without a budget.
pub(crate) const UNBUDGETED: Role = Role {
    budget: None,
    part: Part::Busy,
    ..role("School of Fine Art", EUR, 0, 3_400, PROD_AND_TEST)
};
/// The customer about which Microsoft sends a security alert.
pub(crate) const WATCHED: Role = Role {
    part: Part::Watched,
    ..role("Nordwind Logistik AB", SEK, 25_000, 17_750, PROD_AND_TEST)
};

/// Everybody, in the order Partner Center lists them.
pub(crate) const CAST: [Role; 14] = [
    RAISED,
    role("Bäckerei Sommer & Söhne", EUR, 300, 165, PROD),
    LEGACY_NEAR,
    role("Contoso Retail", USD, 4_000, 3_520, THREE),
    ATTACKED,
    role("Graphic Design Institute", EUR, 650, 540, PROD),
    role("Litware Health", GBP, 2_200, 2_112, THREE),
    WATCHED,
    role("O'Reilly & Dunne Solicitors", GBP, 900, 405, PROD),
    UNBUDGETED,
    role("Tailspin Toys 東京", JPY, 400_000, 312_000, PROD_AND_TEST),
    IDLE,
    role("VanArsdel, Ltd.", Billing::Legacy("en-US", 14), 800, 320, LEGACY),
    LATE,
];

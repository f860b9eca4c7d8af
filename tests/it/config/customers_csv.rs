//! Customers from a spreadsheet: a real file beside a real configuration.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use budget_alertd::budgets::{LocalCustomer, SubscriptionKey};
use budget_alertd::config::{Config, Environment, load, load_with};
use budget_alertd::domain::CustomerKey;
use tempfile::TempDir;

const RULES: &str =
    "[rules.spend]\nmetric = \"percent_used\"\nnotify = [\"ops\"]\nsteps = [{ at = 80 }]\n";

/// A folder with a configuration that names `customers.csv`, and that file.
struct Folder {
    dir: TempDir,
}

impl Folder {
    fn new(csv: impl AsRef<[u8]>, more: &str) -> Self {
        let folder = Self { dir: TempDir::new().unwrap() };
        let text =
            super::with_rules(&format!("[customers_csv]\npath = \"customers.csv\"\n{RULES}{more}"));
        std::fs::write(folder.path("alert-rules.toml"), text).unwrap();
        std::fs::write(folder.path("customers.csv"), csv).unwrap();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    #[track_caller]
    fn load(&self) -> Config {
        load(&self.path("alert-rules.toml"), &Environment::default())
            .unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }

    /// What is wrong, with the folder left out.
    #[track_caller]
    fn mistakes(&self) -> String {
        let mistakes =
            load(&self.path("alert-rules.toml"), &Environment::default()).expect_err("it loads");
        self.short(&mistakes.to_string())
    }

    fn short(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.dir.path().display()), "")
    }

    /// Each customer in a line, by id.
    fn customers(&self) -> String {
        let config = self.load();
        assert_eq!(config.warnings, Vec::<String>::new());
        let mut customers: Vec<_> = config.budgets.customers.iter().collect();
        customers.sort_by_key(|(key, _)| key.as_str());
        customers.into_iter().fold(String::new(), |text, (key, local)| {
            text + key.as_str() + ": " + &told(local) + "\n"
        })
    }
}

fn told(local: &LocalCustomer) -> String {
    let mut told = Vec::new();
    let profile = &local.profile;
    told.extend(profile.label.clone());
    told.extend(local.budget.map(|budget| format!("{} {}", budget.amount, budget.currency)));
    told.extend(local.currency.map(|currency| format!("in {currency}")));
    told.extend(profile.owner.as_ref().map(|owner| format!("owner {owner}")));
    let lists = [
        profile.contacts.join(" "),
        profile.tags.join(" "),
        profile.notify.join(" "),
        profile.mute_rules.join(" "),
    ];
    told.extend(lists.into_iter().filter(|list| !list.is_empty()));
    for (id, subscription) in &local.subscriptions {
        let label = subscription.label.as_deref().unwrap_or("-");
        told.push(format!(
            "[{} {label} {} {}]",
            id.as_str(),
            subscription.budget.amount,
            subscription.budget.currency
        ));
    }
    told.join(", ")
}

#[test]
fn a_spreadsheet_describes_customers_as_tables_do() {
    let csv = "\u{feff}label;Customer \
        ID;budget;currency;contacts;tags;owner;notify;mute_rules;name;cost\r\n# the \
        north\r\nContoso Nord;AAA-1;1 234,50;sek;it@contoso.example, it@contoso.example;gold \
        nord;Anna;ops;spend;ignored;ignored\r\n\r\n\"Fabrikam; \
        \"\"Syd\"\"\";bbb-2;;;;;;;;;\r\n;ccc-3;;;;\"\"\"Berg, Bo\"\" <bo@contoso.example>, Anna \
        <anna@contoso.example>\";;;;Nobody;1\r\n";
    assert_eq!(
        Folder::new(csv, "").customers(),
        "aaa-1: Contoso Nord, 1234.50 SEK, in SEK, owner Anna, it@contoso.example, gold nord, ops, \
            spend\nbbb-2: Fabrikam; \"Syd\"\nccc-3: \"Berg Bo\" <bo@contoso.example> Anna \
            <anna@contoso.example>\n"
    );
}

#[test]
fn lines_may_end_as_on_any_system() {
    for end in ["\n", "\r\n", "\r"] {
        let csv = ["customer_id;budget;currency", "A;5;SEK", "B;6;SEK"].join(end);
        assert_eq!(
            Folder::new(csv, "").customers(),
            "a: 5 SEK, in SEK\nb: 6 SEK, in SEK\n",
            "{end:?}"
        );
    }
}

#[test]
fn subscriptions_have_budgets_of_their_own() {
    let csv = "customer_id,subscription_id,label,budget,currency\nA,S-1,Production,500,SEK\nA,,Contoso,800,SEK\nA,s-2,,90,SEK\nA,S-3,empty,,\nB,s-1,,7,EUR\n";
    let folder = Folder::new(csv, "");
    assert_eq!(
        folder.customers(),
        "a: Contoso, 800 SEK, in SEK, [s-1 Production 500 SEK], [s-2 - 90 SEK]\nb: [s-1 - 7 EUR]\n"
    );
    let config = folder.load();
    let source = config.customers_csv.unwrap();
    assert_eq!((source.customers, source.subscriptions), (2, 3));
    assert_eq!(config.budgets.customers_with_subscription_budgets().count(), 2);
    assert!(
        config.budgets.customers[&CustomerKey::of("B")]
            .subscriptions
            .contains_key(&SubscriptionKey::of("S-1"))
    );
}

#[test]
fn a_table_wins_field_by_field_and_two_budgets_are_worth_a_warning() {
    let more = "[customers.\"AAA\"]\nlabel = \"Nord\"\nbudget = \
        { amount = 5, currency = \"SEK\" }\n[customers.BBB]\nbudget = \
        { amount = 7.0, currency = \"SEK\" }\nowner = \"Bo\"\n";
    let csv = "customer_id,label,budget,currency,tags,owner\naaa,Söder,6,SEK,gold,Anna\nBBB,Öst,7,SEK,,Anna\n";
    let folder = Folder::new(csv, more);
    let config = folder.load();
    let of = |id| told(&config.budgets.customers[&CustomerKey::of(id)]);
    assert_eq!(
        (of("aaa"), of("bbb")),
        (
            "Nord, 5 SEK, in SEK, owner Anna, gold".to_owned(),
            "Öst, 7.0 SEK, in SEK, owner Bo".to_owned()
        )
    );
    let warnings: Vec<String> =
        config.warnings.iter().map(|warning| folder.short(warning)).collect();
    assert_eq!(
        warnings,
        ["alert-rules.toml:13:10: the budget is 5 SEK here and 6 SEK in customers.csv:2: the \
                one here is in force\n   13 | budget = { amount = 5, currency = \"SEK\" }\n      \
                |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"]
    );
}

#[test]
fn every_bad_row_is_named_with_its_place_together_with_the_mistakes_of_the_other_file() {
    let csv = "customer_id,label,budget,currency,contacts,notify,mute_rules\n\
               AAA,Nord,\"1,234\",SEK,,,\n\
               BBB,Syd,500,,it@contoso,,\n\
               aaa,Väst,5,SEK,,op,spendd\n\
               ,Öst,5,SEK,,,\n\
               CCC,Åkeri,1,500,SEK,,,\n\
               DDD,fine,5,SEK,,ops,spend\n";
    let folder = Folder::new(csv, "[customers.X]\nlabl = \"x\"\n");
    insta::assert_snapshot!(folder.mistakes(), @r#"
    alert-rules.toml:12:1: unknown key "labl" in [customers.X]; did you mean "label"?
       12 | labl = "x"
          | ^^^^
    customers.csv:2:10: "1,234" can mean 1234 or 1.2340: write 1234, or 1.2340
        2 | AAA,Nord,"1,234",SEK,,,
          |          ^^^^^^^
    customers.csv:3:9: a budget needs a currency: 500 of what?
        3 | BBB,Syd,500,,it@contoso,,
          |         ^^^
    customers.csv:4:1: the customer "aaa" has a row already: line 2; ids in other case are the same
        4 | aaa,Väst,5,SEK,,op,spendd
          | ^^^
    customers.csv:4:17: unknown notifier "op"; did you mean "ops"?
        4 | aaa,Väst,5,SEK,,op,spendd
          |                 ^^
    customers.csv:4:20: unknown rule "spendd"; did you mean "spend"?
        4 | aaa,Väst,5,SEK,,op,spendd
          |                    ^^^^^^
    customers.csv:5:1: the row has no customer_id
        5 | ,Öst,5,SEK,,,
          | ^^^^^^^^^^^^^
    customers.csv:6:13: "500" is not a currency code of three letters
        6 | CCC,Åkeri,1,500,SEK,,,
          |             ^^^
    customers.csv:6:17: "SEK" is no mail address: write "name@example.com" or "Name <name@example.com>"
        6 | CCC,Åkeri,1,500,SEK,,,
          |                 ^^^
    "#);
}

#[test]
fn a_header_that_is_not_understood_is_a_mistake() {
    let said = |csv: &str| Folder::new(csv, "").mistakes();
    assert_eq!(
        said("customer,budgt\nA,5\n"),
        "customers.csv:1:1: unknown column \"customer\"; did you mean \"customer_id\"?\n    1 | \
            customer,budgt\n      | ^^^^^^^^\ncustomers.csv:1:1: no column is called customer_id: \
            each row is found by it\n    1 | customer,budgt\n      | \
            ^^^^^^^^^^^^^^\ncustomers.csv:1:10: unknown column \"budgt\"; did you mean \
            \"budget\"?\n    1 | customer,budgt\n      |          ^^^^^"
    );
    assert!(
        said("").starts_with(
            "customers.csv:1:1: there is nothing in it: the first row names the columns"
        ),
        "{}",
        said("")
    );
}

#[test]
fn a_row_about_a_subscription_holds_nothing_of_the_customer() {
    let csv = "customer_id,subscription_id,budget,currency,tags\nA,S,5,SEK,gold\nA,s,6,SEK,\n";
    assert_eq!(
        Folder::new(csv, "").mistakes(),
        "customers.csv:2:11: \"tags\" belongs into the customer's own row, the one without a \
            subscription_id\n    2 | A,S,5,SEK,gold\n      |           ^^^^\ncustomers.csv:3:3: \
            the subscription has a row already: line 2\n    3 | A,s,6,SEK,\n      |   ^"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named_where_it_is_asked_for() {
    let folder = Folder::new(b"customer_id,label\nA,Malm\xf6\n", "");
    assert_eq!(
        folder.mistakes(),
        "alert-rules.toml:6:8: customers.csv:2: not UTF-8 text: save it as \"CSV UTF-8\"\n    6 | \
            path = \"customers.csv\"\n      |        ^^^^^^^^^^^^^^^"
    );
    std::fs::remove_file(folder.path("customers.csv")).unwrap();
    assert!(
        folder.mistakes().contains("cannot read customers.csv: No such file or directory"),
        "{}",
        folder.mistakes()
    );
}

#[test]
fn a_notifier_that_only_a_spreadsheet_tells_is_told() {
    let more = "[notifiers.account]\ntype = \"webhook\"\nurl = \"https://x.example\"\n";
    assert_eq!(
        Folder::new("customer_id,notify\nA,account\n", more).load().warnings,
        Vec::<String>::new()
    );
    assert_eq!(Folder::new("customer_id,notify\nA,ops\n", more).load().warnings.len(), 1);
}

#[test]
fn another_text_can_be_tried_in_place_of_the_file() {
    let folder = Folder::new("broken", "");
    let with = |text: Option<&str>| {
        load_with(
            &folder.path("alert-rules.toml"),
            &Environment::default(),
            text.map(|text| (Path::new("new.csv"), text)),
        )
    };
    assert!(with(None).unwrap().budgets.customers.is_empty());
    assert_eq!(with(Some("customer_id,label\nA,x\n")).unwrap().budgets.customers.len(), 1);
    assert!(
        with(Some("customer_id,labell\nA,x\n"))
            .unwrap_err()
            .to_string()
            .starts_with("new.csv:1:13: ")
    );
}

#[test]
fn a_hundred_thousand_rows_are_read_and_a_mistake_in_each_is_shown() {
    let mut csv = "customer_id,label,budget,currency\n".to_owned();
    for number in 0..100_000 {
        writeln!(
            csv,
            "00000000-0000-0000-0000-{number:012},Customer {number},\"1 234,{}\",SEK",
            number % 100
        )
        .unwrap();
    }
    let config = Folder::new(&csv, "").load();
    assert_eq!(config.budgets.customers.len(), 100_000);
    let broken = csv.replace("\"1 234,", "\"x");
    assert_eq!(Folder::new(&broken, "").mistakes().matches(" is no amount").count(), 100_000);
}

#[test]
fn a_line_of_very_many_columns_is_shown_around_each_of_its_mistakes() {
    let names: Vec<String> = (0..20_000).map(|number| format!("column{number:05}")).collect();
    let said = Folder::new(format!("customer_id,{}\n", names.join(",")), "").mistakes();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3 * 20_000);
    let (first, middle, last) = (&lines[..3], &lines[30_000..30_003], &lines[59_997..]);
    assert!(
        first[0].starts_with("customers.csv:1:13: unknown column \"column00000\""),
        "{}",
        first[0]
    );
    assert!(
        first[1].starts_with("    1 | customer_id,column00000,column00001,")
            && first[1].ends_with('…'),
        "{}",
        first[1]
    );
    assert_eq!(first[2], format!("      | {}{}", " ".repeat(12), "^".repeat(11)));
    assert!(
        middle[0].starts_with("customers.csv:1:120013: unknown column \"column10000\""),
        "{}",
        middle[0]
    );
    assert!(
        middle[1].starts_with("    1 | …996,column09997,column09998,column09999,column10000,"),
        "{}",
        middle[1]
    );
    assert_eq!(middle[2], format!("      | {}{}", " ".repeat(41), "^".repeat(11)));
    assert!(last[1].ends_with("column19998,column19999…"), "{}", last[1]);
}

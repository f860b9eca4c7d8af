//! `budgets export` and `budgets import`: spreadsheets out and in, and what they mean for the next
//! poll.

use std::fmt::Write as _;

use serde_json::json;

use super::{BRITAIN, CONFIGURATION, Desk, Ended, SWEDEN};

const LEGACY: &str = "11111111-1843-4b3b-872f-206e08a08e51";

/// A desk whose configuration names `customers.csv`, which is not there yet, after a poll.
fn desk() -> Desk {
    let desk = Desk::new();
    assert_eq!(desk.run(&["poll"]).code, 0);
    desk.house.configure(&with_spreadsheet(&desk, CONFIGURATION));
    desk
}

fn with_spreadsheet(desk: &Desk, configuration: &str) -> String {
    let configuration = configuration.replace("{receiver}", &desk.receiver.url(""));
    format!("{configuration}\n[customers_csv]\npath = \"customers.csv\"\n")
}

fn write(desk: &Desk, name: &str, text: &str) -> String {
    let path = desk.house.path(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn read(desk: &Desk, name: &str) -> String {
    std::fs::read_to_string(desk.house.path(name)).unwrap_or_default()
}

/// The text without its line breaks, whose places depend on the length of the folder's name.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn import(desk: &Desk, text: &str, more: &[&str]) -> Ended {
    let file = write(desk, "sheet.csv", text);
    desk.run(&[&["budgets", "import", &file], more].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_has_a_row_for_each_customer_and_comes_back_unchanged() {
    let desk = desk();
    let expected = "\
customer_id,name,label,plan,currency,partner_center_budget,budget,cost,percent_used,usage_as_of,contacts,owner,tags,mute_rules
11111111-1843-4b3b-872f-206e08a08e51,LEGACY AZURE CUSTOMER SE,,legacy,,,,0,,2019-08-01T23:00:16.57Z,,,,
11111111-6fb9-4b05-8f15-b3d72e0596e6,Modern Azure Customer SE,,azure-plan,SEK,20,,120.57,602.84,2019-09-17T17:08:11.1433333Z,,,,
11111111-641b-4c53-b7fc-0f2bfca8a581,Modern Azure Customer UK,Contoso UK,azure-plan,GBP,97,100,27.23,27.23,2019-09-17T17:08:11.1433333Z,,,gold,pounds
11111111-5892-4326-8541-9da1fdb233fb,Test_Test_MA20190829_14,,azure-plan,GBP,,,0,,2019-09-17T17:08:11.1433333Z,,,,
";
    assert_eq!(desk.told(&["budgets", "export"]), expected);
    let file = desk.house.path("out.csv");
    let file = file.to_str().unwrap();
    for comma in [&[][..], &["--decimal-comma"]] {
        assert_eq!(
            desk.told(&[&["budgets", "export", "--output", file, "--force"], comma].concat()),
            "Wrote 4 customers to {dir}/out.csv.\n"
        );
        assert!(
            read(&desk, "out.csv").starts_with("\u{feff}customer_id"),
            "spreadsheet programs need the mark"
        );
        let said = desk.told(&["budgets", "import", file]);
        assert_eq!(
            said,
            "4 rows of {dir}/out.csv: 4 unchanged\n\nNothing was written: {dir}/customers.csv says \
                all of it already.\n"
        );
        assert_eq!(read(&desk, "customers.csv"), "");
    }
    assert!(read(&desk, "out.csv").contains(";120,57;602,84;"));
    // The configuration takes an export as it is, too.
    desk.house
        .configure(&with_spreadsheet(&desk, CONFIGURATION).replace("customers.csv", "out.csv"));
    assert_eq!(desk.run(&["check"]).code, 0);
    assert_eq!(
        desk.told(&["budgets", "import", file]).lines().next().unwrap(),
        "4 rows of {dir}/out.csv: 4 unchanged"
    );
    assert_eq!(desk.told(&["budgets", "export"]), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_for_people_and_for_programs() {
    let desk = desk();
    assert_eq!(
        desk.told(&["budgets", "export", "--format", "text"]),
        "\
CUSTOMER  BUDGET HERE  IN PARTNER CENTER  COST  USED  OWNER
LEGACY AZURE CUSTOMER SE  0
Modern Azure Customer SE  20 SEK  120.57 SEK  602.84 %
Contoso UK  100 GBP  97 GBP  27.23 GBP  27.23 %
Test_Test_MA20190829_14  0 GBP
"
    );
    let said = desk.json(&["budgets", "export", "--format", "json"]);
    assert_eq!(
        said[2],
        json!({
            "customer_id": BRITAIN, "name": "Modern Azure Customer UK", "label": "Contoso UK", "plan": "azure-plan", "currency": "GBP",
            "partner_center_budget": "97", "budget": "100", "cost": "27.23292827625710931604", "percent_used": "27.23",
            "usage_as_of": "2019-09-17T17:08:11.1433333Z", "contacts": [], "owner": null, "tags": ["gold"], "notify": [],
            "mute_rules": ["pounds"], "subscriptions": []
        })
    );
    let ended = desk.run(&["budgets", "export", "--format", "text", "--output", "x"]);
    assert_eq!(
        (ended.code, ended.err.as_str()),
        (2, "budget-alertd: a file is written as csv or json, not as text\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_finds_customers_says_what_would_alert_and_is_judged_by_the_next_poll() {
    let desk = desk();
    let sheet = format!(
        "name;budget;currency;tags;customer_id;contacts;owner\n\
         legacy  azure customer se;1 000,50;eur;;;it@legacy.example;Anna\n\
         ;200;;gold;{};;\n\
         Contoso UK;;;gold;;;\n\
         Test_Test_MA20190829_14;0;;;;;\n",
        SWEDEN.to_uppercase()
    );
    let dry = import(&desk, &sheet, &["--dry-run"]);
    let told = "\
4 rows of {dir}/sheet.csv: 3 changed, 1 unchanged

Changed
  line 2: LEGACY AZURE CUSTOMER SE: budget none → 1,000.5 EUR; owner none → \"Anna\"; contacts none →
    it@legacy.example
  line 3: Modern Azure Customer SE: budget none → 200 SEK (Partner Center has 20); tags none → gold
  line 5: Test_Test_MA20190829_14: budget none → 0 GBP

Would alert at the next poll
  WARNING Modern Azure Customer SE: rule gold, step 20 %, 60.28 % of the budget used, to hook
";
    assert_eq!((dry.code, dry.err.as_str()), (0, ""));
    assert_eq!(
        dry.out,
        format!(
            "{told}\nNothing was written: this was a dry run. Without --dry-run it goes to \
                {{dir}}/customers.csv.\n"
        )
    );
    assert_eq!(read(&desk, "customers.csv"), "");
    let done = import(&desk, &sheet, &[]);
    assert_eq!(
        done.out,
        format!(
            "{told}\nWrote {{dir}}/customers.csv; \"systemctl reload budget-alertd\" takes it into \
                force.\n"
        )
    );
    assert_eq!(
        read(&desk, "customers.csv"),
        "customer_id,name,label,currency,budget,contacts,owner,tags\n\
         11111111-1843-4b3b-872f-206e08a08e51,LEGACY AZURE CUSTOMER SE,,EUR,1000.50,it@legacy.example,Anna,\n\
         11111111-6fb9-4b05-8f15-b3d72e0596e6,Modern Azure Customer SE,,SEK,200,,,gold\n\
         11111111-5892-4326-8541-9da1fdb233fb,Test_Test_MA20190829_14,,GBP,0,,,\n"
    );
    let poll = desk.told(&["poll"]);
    assert!(
        poll.contains(
            "1 new alert raised.\n  WARNING  Modern Azure Customer SE: 60.28 %, 120.57 \
            of 200 SEK (rule gold, step 20 %)"
        ),
        "{poll}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_rows_are_all_listed_and_nothing_is_written() {
    let desk = Desk::new();
    let other = super::USAGE.replace("Test_Test_MA20190829_14", "Modern Azure Customer SE");
    std::fs::write(desk.house.path("usage.json"), other).unwrap();
    assert_eq!(desk.run(&["poll"]).code, 0);
    desk.house.configure(&with_spreadsheet(&desk, CONFIGURATION));
    let sheet = format!(
        "customer_id,name,label,budget,currency\n\
         ,Modern Azure Custmer UK,,5,GBP\n\
         {SWEDEN},,,200,EUR\n\
         {LEGACY},,,\"1,234\",SEK\n\
         ,Modern Azure Customer SE,,5,SEK\n\
         unheard-of,,,5,SEK\n\
         {BRITAIN},,,25,GBP\n\
         ,,Contoso UK,,\n\
         ,,,5,SEK\n\
         11111111-5892-4326-8541-9da1fdb233fb,,,7,GBP\n"
    );
    let ended = import(&desk, &sheet, &[]);
    assert_eq!(ended.code, 1);
    assert_eq!(
        words(&ended.out),
        words(
            "\
9 rows of {dir}/sheet.csv: 1 changed, 3 unknown, 1 ambiguous, 1 clash, 1 overruled, 1 duplicate, 1 invalid

Refused
  line 2: Modern Azure Custmer UK: unknown: no customer is called \"Modern Azure Custmer UK\"; did you
    mean \"Modern Azure Customer UK\"?
  line 3: Modern Azure Customer SE: clash: its usage is in SEK, not in EUR: a budget in EUR would
    not be used
  line 4: LEGACY AZURE CUSTOMER SE: invalid: \"1,234\" can mean 1234 or 1.2340: write 1234, or 1.2340
  line 5: Modern Azure Customer SE: ambiguous: 2 customers are called \"Modern Azure Customer SE\";
    give the customer_id of one: 11111111-5892-4326-8541-9da1fdb233fb,
    11111111-6fb9-4b05-8f15-b3d72e0596e6
  line 6: unheard-of: unknown: no usage of a customer with the id \"unheard-of\" was ever read
  line 7: Contoso UK: overruled: [customers] in {dir}/alert-rules.toml sets its budget to 100 GBP,
    which wins: change it there
  line 8: Contoso UK: duplicate: line 7 is about the same; keep one of them
  line 9: unknown: the row has neither customer_id nor name

Changed
  line 10: Modern Azure Customer SE: budget none → 7 GBP

Nothing was written: put the refused rows right, or take them out.
"
        )
    );
    assert_eq!(ended.err, "", "each is said once");
    assert_eq!(read(&desk, "customers.csv"), "");
    let said = desk.json(&[
        "budgets",
        "import",
        desk.house.path("sheet.csv").to_str().unwrap(),
        "--format",
        "json",
    ]);
    assert_eq!(
        (&said["written"], &said["counts"]["unknown"], &said["counts"]["changed"]),
        (&json!(false), &json!(3), &json!(1))
    );
    assert_eq!(said["mistakes"].as_array().unwrap().len(), 1);
    assert_eq!(
        (
            &said["rows"][7]["status"],
            &said["rows"][8]["matched_by"],
            &said["rows"][8]["budget_after"]
        ),
        (&json!("unknown"), &json!("customer_id"), &json!("7 GBP"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_sheet_does_not_name_stays_unless_it_is_to_be_replaced() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = desk();
    let old = format!(
        "# ours\ncustomer_id;label;budget;currency;tags;notify;subscription_id\n{SWEDEN};Nord;300;SEK;;other;\n{SWEDEN};Prod;90;SEK;;;S-1\n{LEGACY};Old;50;EUR;nord;;\n"
    );
    let file = write(&desk, "customers.csv", &old);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let sheet = format!("Customer ID,budget\n{SWEDEN},250\n");
    let kept = import(&desk, &sheet, &[]);
    assert!(
        kept.out.contains("line 2: Nord: budget 300 SEK → 250 SEK (Partner Center has 20)"),
        "{}",
        kept.out
    );
    assert!(
        words(&kept.out)
            .contains("What the old one says in 2 rows that this file does not have stays."),
        "{}",
        kept.out
    );
    assert_eq!(
        read(&desk, "customers.csv"),
        format!(
            "# ours\ncustomer_id,subscription_id,name,label,currency,budget,contacts,owner,tags,notify\n\
             {SWEDEN},,Modern Azure Customer SE,Nord,SEK,250,,,,other\n{SWEDEN},S-1,Modern Azure Customer SE,Prod,SEK,90,,,,\n\
             {LEGACY},,LEGACY AZURE CUSTOMER SE,Old,EUR,50,,,nord,\n"
        )
    );
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(
        words(&desk.told(&["check"]))
            .contains("3 described here, 2 of them and a budget for one subscription in")
    );
    let replaced = import(&desk, &sheet, &["--replace"]);
    assert!(replaced.out.contains("Dropped\n  Prod, 90 SEK\n  Old, 50 EUR\n"), "{}", replaced.out);
    assert_eq!(
        read(&desk, "customers.csv"),
        format!(
            "customer_id,name,label,currency,budget,contacts,owner,tags\n{SWEDEN},Modern Azure \
                Customer SE,,SEK,250,,,\n"
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn formulas_are_defused_on_the_way_out_and_are_themselves_again_on_the_way_in() {
    let desk = desk();
    let sheet = format!("customer_id,name,label\n{SWEDEN},Modern Azure Customer XX,=cmd()\n");
    let ended = import(&desk, &sheet, &[]);
    assert!(
        words(&ended.out).contains(
            "line 2: the row is called \"Modern Azure Customer XX\", the customer with \
                its id \"Modern Azure Customer SE\""
        ),
        "{}",
        ended.out
    );
    assert!(read(&desk, "customers.csv").contains(",'=cmd(),"), "{}", read(&desk, "customers.csv"));
    assert!(desk.told(&["budgets", "export"]).contains(",'=cmd(),"));
    assert_eq!(desk.json(&["budgets", "export", "--format", "json"])[1]["label"], "=cmd()");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spreadsheet_that_does_not_load_is_not_written_over_unless_it_is_to_be_replaced() {
    let desk = desk();
    write(&desk, "customers.csv", "customer_id,budgt\nA,5\n");
    let sheet = format!("customer_id,budget\n{SWEDEN},250\n");
    let ended = import(&desk, &sheet, &[]);
    assert_eq!((ended.code, ended.out.as_str()), (2, ""));
    assert!(
        ended.err.starts_with(
            "{dir}/customers.csv:1:13: unknown column \"budgt\"; did you mean \"budget\"?"
        ),
        "{}",
        ended.err
    );
    assert_eq!(desk.run(&["budgets", "export"]).code, 2);
    assert_eq!(desk.run(&["check"]).code, 2);
    assert_eq!(import(&desk, &sheet, &["--replace"]).code, 0);
    assert_eq!(desk.run(&["check"]).code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_place_to_write_to_or_a_file_to_read_it_is_used_wrongly() {
    let desk = Desk::polled();
    let sheet = format!("customer_id,budget\n{SWEDEN},250\n");
    let ended = import(&desk, &sheet, &[]);
    assert_eq!(ended.code, 2);
    assert!(
        ended.err.contains("names no spreadsheet of customers: add [customers_csv]"),
        "{}",
        ended.err
    );
    let dry = import(&desk, &sheet, &["--dry-run"]);
    assert!(
        dry.code == 0
            && words(&dry.out)
                .ends_with("this was a dry run, and no [customers_csv] names a file."),
        "{}",
        dry.out
    );
    let elsewhere = desk.house.path("new.csv");
    let done = import(&desk, &sheet, &["--output", elsewhere.to_str().unwrap()]);
    assert!(
        words(&done.out).contains(
            "add [customers_csv] with path = \"{dir}/new.csv\" to the configuration and reload"
        ),
        "{}",
        done.out
    );
    assert!(read(&desk, "new.csv").contains(",250,"));
    let missing = desk.run(&["budgets", "import", "/nonexistent.csv"]);
    assert_eq!(missing.code, 2);
    assert!(
        missing.err.starts_with("budget-alertd: cannot read /nonexistent.csv: No such file"),
        "{}",
        missing.err
    );
    assert_eq!(import(&desk, "", &["--dry-run"]).code, 1);
    assert_eq!(import(&desk, "budget\n5\n", &["--dry-run"]).code, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_of_the_spreadsheet_are_judged_as_those_of_tables() {
    let desk = Desk::new();
    let configuration = with_spreadsheet(&desk, CONFIGURATION)
        .replace(
            "[rules.spend]",
            "[budgets]\nprefer = \"partner-center\"\n[rules.legacy]\nmetric \
            = \"total_cost\"\nnotify = [\"hook\"]\nsteps = [{ at = { NOK = 1 } }]\n[rules.spend]",
        )
        .replace(
            "path = \"{dir}/usage.json\"",
            "path = \"{dir}/usage.json\"\nlegacy_currency = \
            \"DKK\"",
        );
    desk.house.configure(&configuration);
    std::fs::write(
        desk.house.path("usage.json"),
        super::USAGE.replacen("\"totalCost\": 0,", "\"totalCost\": 7,", 1),
    )
    .unwrap();
    let mut csv = "customer_id,currency,budget,tags,mute_rules,contacts\n".to_owned();
    writeln!(csv, "{LEGACY},NOK,,,,").unwrap();
    writeln!(csv, "{SWEDEN},SEK,1000,gold,spend,it@contoso.example").unwrap();
    write(&desk, "customers.csv", &csv);
    let told = desk.told(&["poll"]);
    // The tag selects it, the rule is muted, Partner Center's budget is preferred, the currency is
    // the row's.
    let lines: Vec<&str> = told.lines().filter(|line| line.contains("(rule ")).collect();
    assert_eq!(
        lines,
        [
            "  WARNING  Contoso UK: 28.08 %, 27.23 of 97 GBP (rule gold, step 20 %) REF",
            "  WARNING  Modern Azure Customer SE: 602.84 %, 120.57 of 20 SEK (rule gold, step 90 \
                %) REF",
            "  WARNING  LEGACY AZURE CUSTOMER SE: 7 NOK (rule legacy, step 1 NOK) REF",
        ]
    );
    assert!(desk.told(&["explain", SWEDEN]).contains("it@contoso.example"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rows_are_there_for_spreadsheets_too() {
    let desk = desk();
    let file =
        write(&desk, "sheet.csv", &format!("customer_id,budget\n{SWEDEN},100\n{BRITAIN},100\n"));
    assert_eq!(
        desk.told(&["budgets", "import", &file, "--dry-run", "--format", "csv"]),
        format!(
            "line,status,customer_id,name,subscription_id,matched_by,budget_before,budget_after,would_alert,details\n\
             2,changed,{SWEDEN},Modern Azure Customer SE,,customer_id,none,100 SEK,,budget none → 100 SEK (Partner Center has 20)\n\
             3,unchanged,{BRITAIN},Contoso UK,,customer_id,100 GBP,100 GBP,,\n"
        )
    );
}

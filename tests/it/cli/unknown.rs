//! Customers that are described and that nobody is, patterns that fit nobody: in `check`,
//! `coverage`, `status` and the errors of a configuration; and the export, which is wanted before
//! anybody was seen.

use super::{BRITAIN, CONFIGURATION, Desk};

/// One digit of the customer's id is off.
const OFF: &str = "11111111-641b-4c53-b7fc-0f2bfca8a582";

fn configure(desk: &Desk, configuration: &str) {
    desk.house.configure(&configuration.replace("{receiver}", &desk.receiver.url("")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_for_nobody_is_told_with_whom_it_may_mean() {
    let desk = Desk::polled();
    configure(
        &desk,
        &CONFIGURATION
            .replace(BRITAIN, OFF)
            .replace("tags = [\"gold\"]\nmute", "tags = [\"gold\"]\ncurrency = \"GBP\"\nmute"),
    );
    let meant = format!("{OFF} (Contoso UK); did you mean {BRITAIN}, Modern Azure Customer UK?");
    for command in ["check", "coverage"] {
        let said = desk.run(&[command]).out;
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("no usage was ever seen of them") && said.contains(&meant), "{said}");
    }
    assert_eq!(desk.json(&["check", "--format", "json"])["unknown_customers"][0], meant);
    assert_eq!(desk.json(&["coverage", "--format", "json"])["unknown_customers"][0], meant);
    desk.run(&["poll"]);
    let said = desk.run(&["status"]).out;
    assert!(
        said.contains("customers-unknown") && said.contains("1 customer that is described here"),
        "{said}"
    );
    configure(&desk, CONFIGURATION);
    desk.run(&["poll"]);
    assert!(!desk.run(&["status"]).out.contains("customers-unknown"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_in_place_of_an_id_is_a_mistake_that_names_the_customer() {
    let desk = Desk::polled();
    let source = "type = \"partner-center\"\ntenant_id = \"t.example\"\nclient_id = \
        \"11111111-2222-3333-4444-555555555555\"";
    let configuration =
        CONFIGURATION.replace("type = \"file\"\npath = \"{dir}/usage.json\"", source);
    configure(&desk, &configuration.replace(BRITAIN, "modern  azure customer UK"));
    let ended = desk.run(&["check"]);
    assert_eq!(ended.code, 2, "{}", ended.out);
    assert!(
        ended.err.contains(&format!("did you mean \"{BRITAIN}\", Modern Azure Customer UK?")),
        "{}",
        ended.err
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pattern_that_fits_nobody_is_told() {
    let desk = Desk::polled();
    let rule = "[rules.gold.match]\ncustomers = [\"Modern Azure Custommer*\", \"Modern \
        A\\u0301zure*\", \"*Customer  SE\"]\n";
    configure(&desk, &CONFIGURATION.replace("[rules.gold.match]\n", rule));
    let said = desk.run(&["check"]).out;
    assert!(
        said.contains("\"Modern Azure Custommer*\" of rule \"gold\"")
            && !said.contains("*Customer  SE\" of"),
        "{said}"
    );
    desk.run(&["poll"]);
    let said = desk.run(&["status"]).out;
    assert!(
        said.contains("customers-unknown")
            && said.contains("patterns in match.customers fit no customer"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_opens_the_circle_before_the_first_poll_and_replaces_nothing_unasked() {
    let desk = Desk::with(&format!("{CONFIGURATION}[customers_csv]\npath = \"customers.csv\"\n"));
    assert_eq!(desk.run(&["poll"]).code, 2);
    let file = desk.house.path("customers.csv").display().to_string();
    let said = desk.told(&["budgets", "export", "--output", &file]);
    assert!(said.contains("No poll has read usage yet"), "{said}");
    assert_eq!(desk.run(&["poll"]).code, 0);
    let ended = desk.run(&["budgets", "export", "--output", &file]);
    assert_eq!((ended.code, ended.out.as_str()), (2, ""));
    assert!(ended.err.contains("--force replaces it"), "{}", ended.err);
    assert_eq!(
        desk.told(&["budgets", "export", "--output", &file, "--force"]).trim(),
        "Wrote 4 customers to {dir}/customers.csv."
    );
    std::fs::write(desk.house.path("empty.csv"), "customer_id,budget,currency\n").unwrap();
    let said =
        desk.run(&["budgets", "import", &desk.house.path("empty.csv").display().to_string()]).out;
    assert!(said.contains("it says nothing of anybody"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_right_is_said_by_check() {
    let desk = Desk::new();
    std::fs::remove_file(desk.house.path("usage.json")).unwrap();
    assert!(
        desk.run(&["check"])
            .out
            .contains("usage.json is not there: nothing can be read until it is")
    );
    let source = "type = \"partner-center\"\ntenant_id = \"t.example\"\nclient_id = \"abc\"";
    configure(
        &desk,
        &CONFIGURATION.replace("type = \"file\"\npath = \"{dir}/usage.json\"", source),
    );
    let said = desk.json(&["check", "--format", "json"])["warnings"].to_string();
    assert!(said.contains("source.client_id: an application's id is a GUID"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_may_be_saved_as_utf_16() {
    let desk = Desk::new();
    let wide: Vec<u8> = format!("\u{feff}{}", super::USAGE.trim_start_matches('\u{feff}'))
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    std::fs::write(desk.house.path("usage.json"), wide).unwrap();
    assert!(desk.run(&["poll"]).out.contains("source read whole"));
}

//! Ids under which customers are described, names in any Unicode form, and files as people save
//! them.

use std::path::Path;

use budget_alertd::config::{Environment, load};
use budget_alertd::domain::CustomerKey;

use super::{mistakes, read, with_rules};

const ID: &str = "11111111-641b-4c53-b7fc-0f2bfca8a581";
const RULE: &str =
    "[rules.spend]\nmetric = \"percent_used\"\nnotify = [\"ops\"]\nsteps = [{ at = 80 }]\n";

/// A configuration that reads Partner Center and describes a customer by this id.
fn described(id: &str) -> String {
    let source = "type = \"partner-center\"\ntenant_id = \"contoso.example\"\nclient_id = \
        \"11111111-2222-3333-4444-555555555555\"\n";
    let customer = format!("[customers.\"{id}\"]\nbudget = {{ amount = 5, currency = \"SEK\" }}\n");
    with_rules(&format!("{customer}{RULE}"))
        .replace("type = \"file\"\npath = \"usage.json\"\n", source)
}

#[test]
fn a_customer_is_described_by_a_guid_in_any_case_with_or_without_braces() {
    for id in [
        ID.to_owned(),
        ID.to_uppercase(),
        format!("{{{ID}}}"),
        format!("{{{}}}", ID.to_uppercase()),
    ] {
        let config = read(&described(&id)).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        assert!(config.budgets.customers.contains_key(&CustomerKey::of(ID)), "{id}");
    }
}

#[test]
fn an_id_that_can_be_nobodys_is_a_mistake() {
    for (id, said) in [
        (
            "Contoso UK Ltd",
            "\"Contoso UK Ltd\" is no customer's id, which is a GUID in Partner Center",
        ),
        (
            "11111111641b4c53b7fc0f2bfca8a581",
            "did you mean \"11111111-641b-4c53-b7fc-0f2bfca8a581\"?",
        ),
        ("11111111-641b-4c53-b7fc-0f2bfca8a58", "is no customer's id"),
        (
            "11111111-641b\u{200b}-4c53-b7fc-0f2bfca8a581",
            "holds a letter without width (U+200B), which nobody sees: write it again; did you mean",
        ),
    ] {
        let told = mistakes(&described(id));
        assert!(told.starts_with("alert-rules.toml:6:") && told.contains(said), "{told}");
    }
}

#[test]
fn ids_of_a_saved_collection_are_its_own() {
    let customer = "[customers.\"Contoso UK Ltd\"]\nlabel = \"Contoso\"\n";
    assert!(read(&with_rules(&format!("{customer}{RULE}"))).is_ok());
    let unseen = customer.replace("Contoso UK", "Contoso\u{a0}UK");
    assert!(
        mistakes(&with_rules(&format!("{unseen}{RULE}")))
            .contains("holds a no-break space (U+00A0)")
    );
}

#[test]
fn the_ids_of_a_spreadsheet_are_checked_alike() {
    let folder = tempfile::tempdir().unwrap();
    let text = described(ID) + "[customers_csv]\npath = \"customers.csv\"\n";
    std::fs::write(folder.path().join("alert-rules.toml"), text).unwrap();
    let file = folder.path().join("customers.csv");
    let loaded = || load(&folder.path().join("alert-rules.toml"), &Environment::default());
    std::fs::write(&file, format!("customer_id,label\n{{{ID}}},Contoso\n")).unwrap();
    assert_eq!(
        loaded().unwrap().budgets.customers[&CustomerKey::of(ID)].profile.label.as_deref(),
        Some("Contoso")
    );
    std::fs::write(&file, "customer_id,label\nContoso UK Ltd,Contoso\n").unwrap();
    let told = loaded().unwrap_err().to_string();
    assert!(told.contains("customers.csv:2:1: \"Contoso UK Ltd\" is no customer's id"), "{told}");
}

#[test]
fn a_tag_that_nobody_has_is_a_warning() {
    let rule = format!(
        "[customers.\"c-1\"]\ntags = [\"Gold\"]\n{RULE}[rules.spend.match]\ntags = [\"gild\", \
            \"GOLD\"]\n"
    );
    let warnings = read(&with_rules(&rule)).unwrap().warnings.join("\n");
    assert!(
        warnings.contains("no customer has the tag \"gild\"; did you mean \"Gold\"?"),
        "{warnings}"
    );
    assert_eq!(warnings.matches("no customer has the tag").count(), 1, "{warnings}");
}

/// A text as UTF-16 with a byte order mark.
fn wide(text: &str) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn every_file_may_be_saved_as_people_save_files() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let text = with_rules(RULE)
        .replace("url = ", "secret = { file = \"secret\" }\nbody = { file = \"body\" }\nurl = ")
        + "[customers_csv]\npath = \"customers.csv\"\n";
    let secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
    let csv = format!("sep=;\ncustomer_id;label;budget;currency\n{ID};Åsa;1234,50;SEK\n");
    let save = |encode: &dyn Fn(&str) -> Vec<u8>| {
        for (name, text) in [
            ("alert-rules.toml", &*text),
            ("customers.csv", &*csv),
            ("secret", secret),
            ("body", "{\"ö\": 1}"),
        ] {
            std::fs::write(at(name), encode(text)).unwrap();
        }
    };
    for encode in [
        &wide as &dyn Fn(&str) -> Vec<u8>,
        &|text: &str| format!("\u{feff}{text}").into_bytes(),
        &|text: &str| text.into(),
    ] {
        save(encode);
        let config = load(&at("alert-rules.toml"), &Environment::default())
            .unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let local = &config.budgets.customers[&CustomerKey::of(ID)];
        assert_eq!(
            (local.profile.label.as_deref(), local.budget.unwrap().amount.to_string().as_str()),
            (Some("Åsa"), "1234.50")
        );
    }
}

#[test]
fn what_nobody_sees_in_a_secret_is_refused_by_name() {
    for (secret, said) in [
        ("hush\u{a0}", "the secret holds a no-break space (U+00A0)"),
        ("hu\u{200b}sh", "the secret holds a letter without width (U+200B)"),
        (" hush", "the secret begins with a blank"),
        ("hush ", "the secret ends with a blank"),
    ] {
        let text = with_rules(RULE)
            .replace("url = ", &format!("headers = {{ Authorization = \"{secret}\" }}\nurl = "));
        let told = mistakes(&text);
        assert!(told.contains(said) && !told.contains("hush"), "{told}");
    }
}

#[test]
fn a_secret_in_place_of_a_name_is_not_repeated() {
    for (place, secret) in [
        ("env", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("credential", "S3cr3tPassw0rd"),
        ("file", "x0xb-1234567890-abc"),
    ] {
        let told = mistakes(
            &with_rules(RULE)
                .replace("url = ", &format!("secret = {{ {place} = \"{secret}\" }}\nurl = ")),
        );
        assert!(
            told.contains("the secret notifiers.ops.secret is missing")
                && told.contains("***")
                && !told.contains(secret),
            "{told}"
        );
    }
}

#[test]
fn slips_of_the_pen_are_told_what_to_write() {
    for (said, wanted) in [
        (
            mistakes(&(with_rules(RULE) + "[daemon]\ntime_zone = \"W. Europe Standard Time\"\n")),
            "write \"Europe/Berlin\"",
        ),
        (
            mistakes(&(with_rules(RULE) + "[daemon]\nstate_dir = \"~/state\"\n")),
            "\"~\" is known to shells only",
        ),
        (
            mistakes(&with_rules(RULE).replace("usage.json", "~/usage.json")),
            "\"~\" is known to shells only",
        ),
        (
            mistakes(&with_rules(&RULE.replace("80", "\"80%\""))),
            "write 80: a percentage is a number without the sign",
        ),
        (
            mistakes(&mail("tls = \"ssl\"")),
            "write \"implicit\" for TLS from the first byte (port 465)",
        ),
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
}

/// A mail notifier with this in its `smtp`.
fn mail(smtp: &str) -> String {
    with_rules(RULE)
        + &format!(
            "[notifiers.mail]\ntype = \"email\"\nfrom = \"Contoso, Ltd <a@b.example>\"\nto = \
                [\"a@b.example\"]\nsmtp = {{ host = \"localhost\", {smtp} }}\n"
        )
}

#[test]
fn a_name_with_a_comma_needs_no_quotes() {
    let config = read(&mail("tls = \"none\"")).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let budget_alertd::notify::Kind::Email(email) = &config.notifiers[1].kind else {
        panic!("no mail")
    };
    assert_eq!(email.from.name.as_deref(), Some("Contoso, Ltd"));
}

#[test]
fn without_a_configuration_it_is_said_what_makes_one() {
    let told = load(Path::new("/tmp/there-is-none.toml"), &Environment::default())
        .unwrap_err()
        .to_string();
    assert!(told.contains("`budget-alertd init` makes one"), "{told}");
}

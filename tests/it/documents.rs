//! The documents are true: their configurations load, the commands and links they name exist, and
//! what there is to know of keys, commands and metrics is in them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use budget_alertd::config::{self, Config, Environment};
use regex::Regex;
use serde_json::Value;

/// How long the README may be, in lines.
const README_LINES: usize = 200;
/// How large a picture may be, in bytes.
const PICTURE_BYTES: u64 = 150_000;

/// A document.
pub(crate) struct Page {
    /// Its path from the project's folder.
    pub(crate) path: PathBuf,
    text: String,
}

impl Page {
    fn read(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { path, text }
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// The contents of its fenced blocks in this language, in order.
    pub(crate) fn blocks(&self, language: &str) -> Vec<String> {
        let fence = Regex::new(&format!("(?ms)^```{language}\n(.*?)^```$")).unwrap();
        fence.captures_iter(&self.text).map(|block| block[1].to_owned()).collect()
    }

    /// What is not in a fenced block.
    fn prose(&self) -> String {
        Regex::new("(?ms)^```[a-z]*\n(.*?)^```$").unwrap().replace_all(&self.text, "").into_owned()
    }

    /// What is in code: fenced blocks, and what stands between backticks.
    fn code(&self) -> String {
        let fenced = Regex::new("(?ms)^```[a-z]*\n(.*?)^```$").unwrap();
        let inline = Regex::new("`([^`\n]+)`").unwrap();
        let prose = self.prose();
        let inside = fenced.captures_iter(&self.text).chain(inline.captures_iter(&prose));
        inside.map(|code| code[1].to_owned()).collect::<Vec<_>>().join("\n")
    }

    /// Where its links lead, pictures included, without those to other hosts: a path, and the
    /// heading on that page.
    fn links(&self) -> Vec<(PathBuf, Option<String>)> {
        let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
        let prose = self.prose();
        let targets = link
            .captures_iter(&prose)
            .map(|link| link[1].to_owned())
            .filter(|target| !target.contains("://"));
        let folder = self.path.parent().unwrap();
        let split = |target: String| match target.split_once('#') {
            Some(("", heading)) => (self.path.clone(), Some(heading.to_owned())),
            Some((path, heading)) => (folder.join(path), Some(heading.to_owned())),
            None => (folder.join(target), None),
        };
        targets.map(split).collect()
    }

    /// Its headings as links name them.
    fn headings(&self) -> Vec<String> {
        let headings = self.prose();
        let headings = headings
            .lines()
            .filter(|line| line.starts_with('#'))
            .map(|line| line.trim_start_matches('#').trim().to_lowercase());
        let kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
        headings
            .map(|heading| heading.chars().filter(kept).collect::<String>().replace(' ', "-"))
            .collect()
    }
}

/// The README.
pub(crate) fn readme() -> Page {
    Page::read("README.md")
}

/// The pages beside it, by name.
fn pages() -> Vec<Page> {
    let entries = std::fs::read_dir("docs").unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|found| found == "md")).collect();
    paths.sort();
    paths.into_iter().map(Page::read).collect()
}

/// All that users and developers read.
fn documents() -> Vec<Page> {
    let others = ["CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"].map(Page::read);
    std::iter::once(readme()).chain(pages()).chain(others).collect()
}

fn page(name: &str) -> Page {
    Page::read(Path::new("docs").join(name))
}

/// The configuration that the README begins with.
fn first_configuration() -> String {
    readme().blocks("toml").remove(0)
}

/// Every configuration of the README and the pages, whole or added to the first one, with where it
/// stands; no rule tests.
pub(crate) fn configurations() -> Vec<(String, String)> {
    let first = first_configuration();
    let whole = |block: String| {
        if block.contains("[source]") { block } else { format!("{first}\n{block}") }
    };
    let of_page = |page: Page| {
        let blocks = page.blocks("toml").into_iter().filter(|block| !block.contains("[[test]]"));
        blocks.map(|block| (page.name(), whole(block))).collect::<Vec<_>>()
    };
    std::iter::once(readme()).chain(pages()).flat_map(of_page).collect()
}

/// Loads a text; each secret that it names has a value of the form that is wanted there.
fn load(text: &str) -> Config {
    let folder = tempfile::tempdir().unwrap();
    let credential = Regex::new(r#"credential = "([a-z-]+)""#).unwrap();
    for name in credential.captures_iter(text) {
        let value = match &name[1] {
            url if url.ends_with("-url") => "https://hooks.example/x",
            key if key.ends_with("-routing-key") => "0123456789abcdef0123456789abcdef",
            _ => "dummy",
        };
        std::fs::write(folder.path().join(&name[1]), value).unwrap();
    }
    let key = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    let environment = Environment::from([
        ("CREDENTIALS_DIRECTORY", folder.path().to_str().unwrap()),
        ("HOOK_SECRET", key),
    ]);
    std::fs::write(folder.path().join("customers.csv"), &page("budgets.md").blocks("csv")[0])
        .unwrap();
    config::parse(text, &folder.path().join("alert-rules.toml"), &environment)
        .unwrap_or_else(|mistakes| panic!("{mistakes}\n{text}"))
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_budget-alertd"))
}

fn help(arguments: &[&str]) -> String {
    let output = program().args(arguments).arg("--help").output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that a page of the help lists.
fn commands_of(help: &str) -> BTreeSet<String> {
    let listed = help
        .split("Commands:\n")
        .nth(1)
        .and_then(|rest| rest.split("\n\n").next())
        .unwrap_or_default();
    let command = Regex::new(r"(?m)^  ([a-z][a-z-]*) ").unwrap();
    command
        .captures_iter(listed)
        .map(|command| command[1].to_owned())
        .filter(|command| command != "help")
        .collect()
}

#[test]
fn each_configuration_loads_whole_or_added_to_the_first() {
    let configurations = configurations();
    assert!(configurations.len() >= 15, "{}", configurations.len());
    for (page, text) in configurations {
        assert_eq!(load(&text).warnings, Vec::<String>::new(), "{page}\n{text}");
    }
}

#[test]
fn each_rule_test_passes_under_the_first_configuration() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("alert-rules.toml"), first_configuration()).unwrap();
    let blocks = std::iter::once(readme()).chain(pages()).flat_map(|page| page.blocks("toml"));
    let tests: Vec<String> = blocks.filter(|block| block.contains("[[test]]")).collect();
    assert!(!tests.is_empty());
    for test in tests {
        let file = folder.path().join("alert-rules.test.toml");
        std::fs::write(&file, &test).unwrap();
        let output = program().arg("test").arg(&file).output().unwrap();
        assert!(
            output.status.success(),
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn each_command_exists_with_its_options_and_each_one_is_named() {
    let call = Regex::new(r"(?m)(?:^|\s)(?:budget-alertd (?:--config \S+ )?|cargo run --release -- )([a-z][a-z-]*)([^#\n|]*)").unwrap();
    let option = Regex::new(r"--[a-z][a-z-]*").unwrap();
    let all = commands_of(&help(&[]));
    let mut named = BTreeSet::new();
    for page in documents() {
        let code = page.code();
        for call in call.captures_iter(&code) {
            let (command, rest) = (&call[1], &call[2]);
            assert!(
                all.contains(command),
                "{}: budget-alertd has no command {command}",
                page.name()
            );
            let own = help(&[command]);
            let order =
                rest.split_whitespace().next().filter(|order| commands_of(&own).contains(*order));
            let known = order.map_or(own, |order| help(&[command, order]));
            for option in option.find_iter(rest) {
                assert!(
                    known.contains(option.as_str()),
                    "{}: budget-alertd {command}{rest} has no {}",
                    page.name(),
                    option.as_str()
                );
            }
            named.insert(command.to_owned());
        }
    }
    assert_eq!(all.difference(&named).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn each_link_leads_to_a_file_and_a_heading_that_are_there() {
    for page in documents() {
        for (path, heading) in page.links() {
            let data = std::fs::metadata(&path)
                .unwrap_or_else(|error| panic!("{} -> {}: {error}", page.name(), path.display()));
            let picture = path.extension().is_some_and(|extension| extension == "png");
            assert!(
                !picture || data.len() <= PICTURE_BYTES,
                "{} has {} bytes",
                path.display(),
                data.len()
            );
            if let Some(heading) = heading {
                assert!(
                    Page::read(&path).headings().contains(&heading),
                    "{} -> {}#{heading}",
                    page.name(),
                    path.display()
                );
            }
        }
    }
}

#[test]
fn the_readme_is_short_and_leads_to_each_page_and_picture() {
    let readme = readme();
    let lines = readme.text.lines().count();
    assert!(lines <= README_LINES, "{lines} lines");
    let linked: BTreeSet<PathBuf> = readme.links().into_iter().map(|(path, _)| path).collect();
    for entry in std::fs::read_dir("docs").unwrap() {
        let path = entry.unwrap().path();
        let read =
            path.extension().is_some_and(|extension| extension == "md" || extension == "png");
        assert!(!read || linked.contains(&path), "the README does not lead to {}", path.display());
    }
}

#[test]
fn each_page_that_a_message_of_the_program_names_is_there() {
    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { sources(&path, found) } else { found.push(path) }
        }
    }
    let mut files = vec!["alert-rules.toml".into(), "systemd/budget-alertd.service".into()];
    sources(Path::new("src"), &mut files);
    let name = Regex::new(r"docs/[a-z0-9-]+\.md").unwrap();
    let mut named = 0;
    for file in files {
        let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        for page in name.find_iter(&text) {
            assert!(
                Path::new(page.as_str()).exists(),
                "{} names {}",
                file.display(),
                page.as_str()
            );
            named += 1;
        }
    }
    assert!(named > 0);
}

#[test]
fn each_key_of_the_configuration_is_named() {
    fn keys<'s>(schema: &'s Value, found: &mut BTreeSet<&'s str>) {
        match schema {
            Value::Object(entries) => {
                found.extend(
                    entries
                        .get("properties")
                        .and_then(Value::as_object)
                        .into_iter()
                        .flatten()
                        .map(|(name, _)| name.as_str()),
                );
                entries.values().for_each(|value| keys(value, found));
            }
            Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
            _ => {}
        }
    }
    let schema = config::schema();
    let mut all = BTreeSet::new();
    keys(&schema, &mut all);
    let code = page("configuration.md").code();
    let missing: Vec<&&str> = all
        .iter()
        .filter(|key| !Regex::new(&format!(r"\b{key}\b")).unwrap().is_match(&code))
        .collect();
    assert!(all.len() > 60 && missing.is_empty(), "{missing:?}");
}

#[test]
fn the_name_that_mail_servers_are_greeted_by_is_described_with_the_mail_server() {
    let page = page("configuration.md");
    let at = |what: &str| {
        page.text.find(what).unwrap_or_else(|| panic!("{what} is not in {}", page.name()))
    };
    let described = at("| `hello_name` of `smtp` |");
    assert!(
        at("| value | where it comes from |") < described
            && described < at("hello_name = \"alerts.partner.example\"")
    );
}

#[test]
fn each_metric_is_named() {
    let metrics = budget_alertd::metrics::Metrics::new();
    metrics.know_rule("r");
    metrics.know_notifier("n");
    let scraped = metrics.render().unwrap();
    let text = page("operating.md").text;
    let family = Regex::new(r"(?m)^# TYPE budget_alertd_([a-z_]+) ").unwrap();
    let missing: Vec<&str> = family
        .captures_iter(&scraped)
        .map(|family| family.extract::<1>().1[0])
        .filter(|name| {
            !text.contains(&format!("`{name}`")) && !text.contains(&format!("`{name}{{"))
        })
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn the_monitoring_that_is_shipped_asks_for_metrics_that_there_are() {
    let metrics = budget_alertd::metrics::Metrics::new();
    metrics.know_rule("r");
    metrics.know_notifier("n");
    let scraped = metrics.render().unwrap();
    let family = Regex::new(r"(?m)^# TYPE (budget_alertd_[a-z_]+) ").unwrap();
    let there: BTreeSet<&str> =
        family.captures_iter(&scraped).map(|family| family.extract::<1>().1[0]).collect();
    let asked = Regex::new(r"budget_alertd_[a-z_]+").unwrap();
    for file in ["prometheus/budget-alertd.rules.yml", "grafana/budget-alertd.json"] {
        let text = Page::read(Path::new("packaging").join(file)).text;
        let without_its_parts = |name: &'_ str| {
            let parts = ["_bucket", "_sum", "_count"];
            parts.iter().find_map(|part| name.strip_suffix(part)).unwrap_or(name).to_owned()
        };
        let asked: BTreeSet<String> =
            asked.find_iter(&text).map(|name| without_its_parts(name.as_str())).collect();
        let gone: Vec<_> = asked.iter().filter(|name| !there.contains(name.as_str())).collect();
        assert!(asked.len() > 10 && gone.is_empty(), "{file}: {gone:?}");
    }
}

#[test]
fn each_code_of_the_operators_news_is_named() {
    let text = page("operating.md").text;
    let codes = budget_alertd::domain::FindingCode::ALL.iter().map(|code| code.as_str());
    let missing: Vec<&str> = codes.filter(|code| !text.contains(&format!("`{code}`"))).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn the_architecture_names_each_room_and_files_that_are_there() {
    let code = page("architecture.md").code();
    let words: BTreeSet<&str> = code.lines().collect();
    for entry in std::fs::read_dir("src").unwrap() {
        let path = entry.unwrap().path();
        let room = path.file_name().unwrap().to_str().unwrap();
        assert!(
            !path.is_dir() || words.contains(room),
            "docs/architecture.md does not name the room {room}"
        );
    }
    let path = Regex::new(r"^(?:src|tests|docs|benches)/[A-Za-z0-9_./-]+$").unwrap();
    let gone: Vec<&&str> =
        words.iter().filter(|word| path.is_match(word) && !Path::new(word).exists()).collect();
    assert_eq!(gone, Vec::<&&str>::new());
}

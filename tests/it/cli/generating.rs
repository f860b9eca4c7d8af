//! What packages ship of the command line: man pages and completions.

use std::collections::BTreeMap;
use std::process::Command;

fn program(arguments: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_budget-alertd")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The files that are made, by name.
fn generated(what: &str) -> BTreeMap<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("new/one");
    program(&["generate", what, inside.to_str().unwrap()]);
    let entries = std::fs::read_dir(&inside).unwrap().map(|entry| entry.unwrap());
    let file = |entry: std::fs::DirEntry| {
        let text = std::fs::read_to_string(entry.path()).unwrap();
        (entry.file_name().into_string().unwrap(), text)
    };
    entries.map(file).collect()
}

/// The commands that a help lists.
fn commands_of(help: &str) -> Vec<String> {
    let list = help.split("Commands:\n").nth(1).unwrap_or_default().split("\n\n").next().unwrap();
    let name = |line: &str| line.strip_prefix("  ")?.split(' ').next().map(str::to_owned);
    list.lines().filter_map(name).filter(|name| !name.is_empty() && name != "help").collect()
}

#[test]
fn each_command_has_a_man_page_with_an_example() {
    let pages = generated("man");
    let mut names = vec!["budget-alertd".to_owned()];
    for command in commands_of(&program(&["--help"])) {
        names.push(format!("budget-alertd-{command}"));
        let orders = commands_of(&program(&[&command, "--help"]));
        names.extend(orders.iter().map(|order| format!("budget-alertd-{command}-{order}")));
    }
    names.sort();
    let mut there: Vec<_> = pages.keys().map(|name| name.trim_end_matches(".1")).collect();
    there.sort_unstable();
    assert_eq!(there, names);
    for (name, page) in &pages {
        assert!(page.contains("\n.SH EXAMPLES\n.PP\nbudget\\-alertd "), "{name}: {page}");
        assert!(!page.contains("generate"), "{name}: {page}");
    }
    let page = &pages["budget-alertd-silence-add.1"];
    for text in [
        ".TH budget-alertd-silence-add 1 ",
        "\n.SH SYNOPSIS\n.PP\nbudget\\-alertd silence add [OPTIONS] \\-\\-reason <TEXT>",
        "What comes up meanwhile is recorded.",
        "\\fB\\-\\-unless\\-above\\fR",
        ".SH \"OPTIONS OF EVERY COMMAND\"",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
}

#[test]
fn each_shell_completes_the_commands_that_people_are_to_know() {
    let files = generated("completions");
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["_budget-alertd", "budget-alertd", "budget-alertd.fish"]);
    for (name, text) in &files {
        assert!(text.contains("notify-test") && text.contains("unless-above"), "{name}");
        assert!(!text.contains("generate"), "{name}");
    }
    let script = "source /dev/stdin; COMP_WORDS=(budget-alertd sil) COMP_CWORD=1
        _budget__alertd budget-alertd sil budget-alertd; echo \"${COMPREPLY[@]}\"";
    let mut bash = Command::new("bash")
        .args(["-c", script])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut bash.stdin.take().unwrap(), files["budget-alertd"].as_bytes())
        .unwrap();
    let output = bash.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "silence\n");
}

//! The rpm: what is in it, by whose rights, and that what it installs runs.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process::{budget_alertd, succeed};

/// Of each kind of file in the package, one, with who owns it and its mode.
const FILES: [(&str, &str); 9] = [
    ("/etc/budget-alertd/alert-rules.toml", "-rw-r--r--"),
    ("/usr/bin/budget-alertd", "-rwxr-xr-x"),
    ("/usr/lib/budget-alertd/prepare", "-rwxr-xr-x"),
    ("/usr/lib/systemd/system/budget-alertd.service", "-rw-r--r--"),
    ("/usr/lib/sysusers.d/budget-alertd.conf", "-rw-r--r--"),
    ("/usr/share/budget-alertd/prometheus/budget-alertd.rules.yml", "-rw-r--r--"),
    ("/usr/share/man/man1/budget-alertd.1", "-rw-r--r--"),
    ("/usr/share/zsh/site-functions/_budget-alertd", "-rw-r--r--"),
    ("/usr/share/doc/budget-alertd/docs/operating.md", "-rw-r--r--"),
];

/// The sources as they are, beside what is built of them: the program under test, stripped.
fn sources(folder: &Path) -> PathBuf {
    let sources = folder.join("sources");
    std::fs::create_dir_all(sources.join("target/debug")).unwrap();
    for entry in std::fs::read_dir(".").unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != "target" {
            let original = entry.path().canonicalize().unwrap();
            symlink(original, sources.join(entry.file_name())).unwrap();
        }
    }
    for what in ["man", "completions"] {
        let place = sources.join("target/generated").join(what);
        succeed(Command::new(budget_alertd()).args(["generate", what]).arg(place));
    }
    succeed(
        Command::new("install")
            .args(["--strip", "-m", "755"])
            .arg(budget_alertd())
            .arg(sources.join("target/debug/budget-alertd")),
    );
    sources
}

#[test]
fn the_rpm_holds_what_the_debian_package_holds_and_what_it_installs_runs() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rpm");
    let _none_yet = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let package = folder.join("budget-alertd.rpm");
    succeed(
        Command::new(Path::new("target/tools/bin/cargo-generate-rpm").canonicalize().unwrap())
            .args(["--profile", "dev", "--payload-compress", "none", "--output"])
            .arg(&package)
            .current_dir(sources(&folder)),
    );
    let asked = |what: &[&str]| succeed(Command::new("rpm").arg("-qp").args(what).arg(&package));
    let listed = asked(&["--list", "--verbose"]);
    for (file, mode) in FILES {
        let line = listed.lines().find(|line| line.ends_with(&format!(" {file}")));
        let line = line.unwrap_or_else(|| panic!("{file} is not in\n{listed}"));
        assert!(line.starts_with(mode) && line.contains(" root "), "{line}");
    }
    // A changed configuration stays when it is upgraded.
    assert!(asked(&["--configfiles"]).contains("/etc/budget-alertd/alert-rules.toml"));
    let needed = asked(&["--requires"]);
    assert!(needed.contains("systemd >= 252") && needed.contains("libc.so.6"), "{needed}");
    let scripts = asked(&["--scripts"]);
    for said in ["/usr/lib/budget-alertd/prepare", "systemctl"] {
        assert!(scripts.contains(said), "{scripts}");
    }

    let root = folder.join("root");
    std::fs::create_dir(&root).unwrap();
    let install = ["--install", "--nodeps", "--noscripts", "--root"];
    succeed(Command::new("rpm").args(install).arg(&root).arg(&package));
    let version = succeed(Command::new(root.join("usr/bin/budget-alertd")).arg("--version"));
    assert_eq!(version, concat!("budget-alertd ", env!("CARGO_PKG_VERSION"), "\n"));
}

//! Files that somebody else has put in the place of the program's own: as root, in a folder of the
//! daemon's user, and as anybody.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::SystemTime;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::support::process::House;

/// The user that the daemon would run as.
const NOBODY: u32 = 65534;

/// One rule, one notifier that nobody listens for, a saved collection.
const CONFIGURATION: &str = r#"
[source]
type = "file"
path = "usage.json"
[rules.spend]
metric = "percent_used"
steps = [{ at = 80, severity = "critical", notify = ["hook"] }]
[notifiers.hook]
type = "webhook"
url = "http://127.0.0.1:9/"
"#;

/// A house whose state folder belongs to the daemon's user where this test may give it away, and a
/// file that is none of that user's business.
struct Trap {
    house: House,
    victim: PathBuf,
}

/// What must not change of a file.
type Facts = (Vec<u8>, u32, u32, u32, SystemTime);

impl Trap {
    fn new() -> Self {
        Self::with(CONFIGURATION)
    }

    fn with(configuration: &str) -> Self {
        let house = House::new(configuration);
        house.save_usage([("c1".to_owned(), 10)]);
        fs::create_dir(house.path("state")).unwrap();
        let _only_root_can = chown(house.path("state"), Some(NOBODY), Some(NOBODY));
        let victim = house.path("victim");
        fs::write(&victim, "precious").unwrap();
        fs::set_permissions(&victim, fs::Permissions::from_mode(0o640)).unwrap();
        Self { house, victim }
    }

    fn facts(&self) -> Facts {
        let data = self.victim.metadata().unwrap();
        (
            fs::read(&self.victim).unwrap(),
            data.uid(),
            data.gid(),
            data.mode(),
            data.modified().unwrap(),
        )
    }

    fn state(&self, name: &str) -> PathBuf {
        self.house.path("state").join(name)
    }

    /// Puts the victim in the place of a file, by a link as the daemon's user would make it.
    fn plant(&self, name: &str, hard: bool) {
        let place = self.state(name);
        let _gone = fs::remove_file(&place);
        if hard {
            fs::hard_link(&self.victim, &place).unwrap();
        } else {
            symlink(&self.victim, &place).unwrap();
            let _only_root_can = lchown(&place, Some(NOBODY), Some(NOBODY));
        }
    }
}

/// The same with a notifier whose address is a secret in a file.
fn with_a_secret() -> String {
    CONFIGURATION
        .replace("\"webhook\"", "\"slack\"")
        .replace("\"http://127.0.0.1:9/\"", "{ file = \"secret\" }")
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

fn pipe(path: &Path) {
    let _gone = fs::remove_file(path);
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

#[test]
fn a_link_in_the_place_of_a_file_of_the_ledger_is_refused_and_leads_nowhere() {
    for hard in [false, true] {
        for name in
            ["ledger.db.lock", "ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db-journal"]
        {
            let trap = Trap::new();
            if name != "ledger.db" {
                assert_eq!(trap.house.run(&["poll"]).status.code(), Some(0));
            }
            trap.plant(name, hard);
            let before = trap.facts();
            let polled = trap.house.run(&["poll"]);
            let said = told(&polled);
            let why = if hard {
                "it has 2 names (hard links)"
            } else {
                "it is a symbolic link, not a regular file"
            };
            assert!(
                said.contains(&format!("{name} cannot be used")) && said.contains(why),
                "{said}"
            );
            assert_eq!(polled.status.code(), Some(1), "{said}");
            if name == "ledger.db" {
                for command in [&["poll", "--dry-run"][..], &["status"]] {
                    assert_eq!(trap.house.run(command).status.code(), Some(1));
                }
            }
            assert_eq!(trap.facts(), before, "{name}, hard: {hard}");
        }
    }
}

#[test]
fn a_link_in_the_place_of_what_can_be_done_without_leads_nowhere() {
    for hard in [false, true] {
        let trap = Trap::new();
        trap.plant("ledger.db.new", hard);
        let before = trap.facts();
        for _ in 0..2 {
            let polled = trap.house.run(&["poll"]);
            assert_eq!(polled.status.code(), Some(0), "{}", told(&polled));
        }
        assert_eq!(trap.facts(), before, "hard: {hard}");
    }
}

#[test]
fn what_root_makes_belongs_to_the_daemon_and_what_it_finds_is_left_to_whom_it_belongs() {
    let trap = Trap::new();
    let owner = fs::metadata(trap.house.path("state")).unwrap().uid();
    let ours = rustix::process::geteuid().as_raw();
    fs::write(trap.state("ledger.db.lock"), "4711\n").unwrap();
    assert_eq!(trap.house.run(&["poll"]).status.code(), Some(0));
    for name in ["ledger.db", "ledger.made"] {
        let data = fs::symlink_metadata(trap.state(name)).unwrap();
        assert_eq!((data.uid(), data.mode() & 0o7777), (owner, 0o600), "{name}");
    }
    assert_eq!(fs::metadata(trap.state("ledger.db.lock")).unwrap().uid(), ours);
}

/// The modes of files in the state folder.
fn modes(trap: &Trap, names: &[&str]) -> Vec<u32> {
    names
        .iter()
        .map(|name| fs::symlink_metadata(trap.state(name)).unwrap().mode() & 0o7777)
        .collect()
}

#[test]
fn what_others_could_use_is_theirs_no_more_and_that_is_said_once() {
    let trap = Trap::new();
    assert_eq!(trap.house.run(&["poll"]).status.code(), Some(0));
    let names = ["ledger.db", "ledger.db.lock", "ledger.made", "sign-in.json", "sign-in-mail.json"];
    fs::write(trap.state("sign-in.json"), "{}").unwrap();
    fs::write(trap.state("sign-in-mail.json"), "{}").unwrap();
    for (index, name) in names.iter().enumerate() {
        fs::set_permissions(
            trap.state(name),
            fs::Permissions::from_mode([0o644, 0o660, 0o602][index % 3]),
        )
        .unwrap();
    }
    fs::write(trap.state("notes"), "of a person").unwrap();
    fs::set_permissions(trap.state("notes"), fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(trap.house.path("state"), fs::Permissions::from_mode(0o777)).unwrap();
    trap.plant("sign-in-link.json", false);
    trap.plant("sign-in-hard.json", true);
    let before = trap.facts();
    let said = told(&trap.house.run(&["poll"]));
    assert_eq!(modes(&trap, &names), [0o600; 5], "{said}");
    assert_eq!(modes(&trap, &["notes", "."]), [0o644, 0o755], "{said}");
    for name in names.iter().chain(&["state"]) {
        let lines = said
            .lines()
            .filter(|line| line.contains(&format!("/{name} could be used by others (mode ")))
            .count();
        assert_eq!(lines, 1, "{name}: {said}");
    }
    assert_eq!(trap.facts(), before);
    assert!(!told(&trap.house.run(&["poll"])).contains("could be used"), "it is said once");
}

#[test]
fn what_a_killed_command_of_root_left_is_given_back_by_the_next_one() {
    let trap = Trap::new();
    let owner = fs::metadata(trap.house.path("state")).unwrap().uid();
    let left = ["ledger.db.lock", "ledger.db-wal", "sign-in.json"];
    let others = ["notes", "ledger.db.copy"];
    for name in left.iter().chain(&others) {
        fs::write(trap.state(name), "").unwrap();
    }
    fs::write(trap.state("ledger.made"), "not empty").unwrap();
    fs::write(trap.house.path("empty"), "").unwrap();
    fs::hard_link(trap.house.path("empty"), trap.state("ledger.db-shm")).unwrap();
    symlink(trap.house.path("empty"), trap.state("ledger.db-journal")).unwrap();
    let said = told(&trap.house.run(&["status"]));
    let own = rustix::process::geteuid().as_raw();
    let owners = |names: &[&str]| {
        names.iter().map(|name| fs::metadata(trap.state(name)).unwrap().uid()).collect::<Vec<_>>()
    };
    assert_eq!(owners(&left), [owner; 3], "{said}");
    assert_eq!(
        owners(&["notes", "ledger.db.copy", "ledger.made", "ledger.db-shm", "ledger.db-journal"]),
        [own; 5],
        "{said}"
    );
    assert_eq!(
        said.matches("belonged to root").count(),
        if owner == own { 0 } else { left.len() },
        "{said}"
    );
}

#[test]
fn who_meets_a_file_of_root_is_told_which_and_how_to_get_it_back() {
    use std::os::unix::process::CommandExt as _;
    let trap = Trap::new();
    if fs::metadata(trap.house.path("state")).unwrap().uid() != NOBODY {
        // Only root can leave such a file.
        return;
    }
    fs::set_permissions(trap.house.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    let poll = || {
        trap.house
            .command(&["poll"])
            .uid(NOBODY)
            .gid(NOBODY)
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap()
    };
    let polled = poll();
    assert_eq!(polled.status.code(), Some(0), "{}", told(&polled));
    // What is its own it tightens itself.
    fs::set_permissions(trap.state("ledger.db"), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(told(&poll()).contains("/ledger.db could be used by others (mode 644)"));
    assert_eq!(modes(&trap, &["ledger.db"]), [0o600]);
    for name in ["ledger.db.lock", "ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        let path = trap.state(name);
        let there = path.exists();
        if !there {
            fs::write(&path, "").unwrap();
        }
        chown(&path, Some(0), Some(0)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let polled = poll();
        let said = told(&polled);
        let words = format!(
            "it belongs to another user (uid 0); give it back, as root: chown {NOBODY}:{NOBODY} {}",
            path.display()
        );
        assert!(polled.status.code() == Some(1) && said.contains(&words), "{name}: {said}");
        if there {
            chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
        } else {
            fs::remove_file(&path).unwrap();
        }
    }
    assert_eq!(poll().status.code(), Some(0));
}

/// Root reads everything; the daemon does not.
#[test]
fn check_says_to_root_what_the_daemons_user_may_not_read() {
    let trap = Trap::with(&with_a_secret());
    let secret = trap.house.path("secret");
    fs::write(&secret, "https://hooks.slack.com/services/T/B/X").unwrap();
    let check = || told(&trap.house.run(&["check"]));
    let given = fs::metadata(trap.house.path("state")).unwrap().uid() == NOBODY;
    fs::set_permissions(trap.house.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    let warned = |said: &str| said.replace("\n ", "").contains("may not read");
    for (mode, owner, closed) in [(0o644, 0, false), (0o600, 0, true), (0o400, NOBODY, false)] {
        fs::set_permissions(&secret, fs::Permissions::from_mode(mode)).unwrap();
        let _only_root_can = chown(&secret, Some(owner), None);
        assert_eq!(warned(&check()), closed && given, "{mode:o} {owner}: {}", check());
    }
    fs::set_permissions(trap.house.path(""), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(warned(&check()), given, "not even the folder");
}

#[test]
fn a_state_folder_is_reached_by_links_of_root_and_of_oneself_only() {
    let trap = Trap::new();
    fs::rename(trap.house.path("state"), trap.house.path("elsewhere")).unwrap();
    symlink("elsewhere", trap.house.path("state")).unwrap();
    assert_eq!(trap.house.run(&["poll"]).status.code(), Some(0));
    fs::remove_file(trap.house.path("elsewhere/ledger.db")).unwrap();
    fs::remove_file(trap.house.path("elsewhere/ledger.made")).unwrap();
    let foreign = lchown(trap.house.path("state"), Some(NOBODY), Some(NOBODY)).is_ok();
    let polled = trap.house.run(&["poll"]);
    let refused = told(&polled).contains(
        "\"state\" is a symbolic link of another user (uid 65534), which is not followed",
    );
    assert_eq!(
        (refused, trap.house.path("elsewhere/ledger.db").exists()),
        (foreign, !foreign),
        "{}",
        told(&polled)
    );
}

#[test]
fn a_pipe_in_the_place_of_a_file_holds_nobody_up() {
    let trap = Trap::with(&with_a_secret());
    fs::write(trap.house.path("secret"), "https://127.0.0.1:9/").unwrap();
    assert_eq!(trap.house.run(&["poll"]).status.code(), Some(0));
    let is_a_pipe = "it is a pipe, not a regular file";
    for (file, command, code) in [
        ("state/ledger.db", "poll", 1),
        ("state/ledger.db.lock", "poll", 1),
        ("usage.json", "poll", 1),
        ("secret", "poll", 2),
        ("alert-rules.toml", "check", 2),
    ] {
        let path = trap.house.path(file);
        let sound = fs::read(&path).unwrap();
        pipe(&path);
        let output = trap.house.run(&[command]);
        assert!(told(&output).contains(is_a_pipe), "{file}: {}", told(&output));
        assert_eq!(output.status.code(), Some(code), "{file}: {}", told(&output));
        fs::remove_file(&path).unwrap();
        fs::write(&path, sound).unwrap();
    }
    pipe(&trap.house.path("customers.csv"));
    trap.house.configure(&format!("{CONFIGURATION}[customers_csv]\npath = \"customers.csv\"\n"));
    assert!(told(&trap.house.run(&["check"])).contains(is_a_pipe));
    trap.house.configure(&format!("{CONFIGURATION}body = {{ file = \"customers.csv\" }}\n"));
    assert!(told(&trap.house.run(&["check"])).contains(is_a_pipe));
    pipe(&trap.house.path("cases.toml"));
    assert!(
        told(&trap.house.run(&["test", trap.house.path("cases.toml").to_str().unwrap()]))
            .contains(is_a_pipe)
    );
}

#[test]
fn a_device_in_the_place_of_a_file_is_refused_and_a_huge_file_is_not_read() {
    let trap = Trap::with(&with_a_secret());
    symlink("/dev/zero", trap.house.path("secret")).unwrap();
    let said = told(&trap.house.run(&["check"]));
    assert!(said.contains("it is a device, not a regular file"), "{said}");
    fs::remove_file(trap.house.path("secret")).unwrap();
    let huge =
        |path: &str| fs::File::create(trap.house.path(path)).unwrap().set_len(1 << 40).unwrap();
    huge("secret");
    let said = told(&trap.house.run(&["check"]));
    assert!(
        said.contains("it is larger than 64 KiB, too large to be what is expected here"),
        "{said}"
    );
    huge("alert-rules.toml");
    let said = told(&trap.house.run(&["check"]));
    assert!(said.contains("it is larger than 256 MiB"), "{said}");
}

#[test]
fn a_descriptor_that_the_shell_hands_over_is_read_like_a_file() {
    let trap = Trap::new();
    let script = "cat \"$1\" | \"$2\" --config /dev/stdin check";
    let output = std::process::Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(trap.house.path("alert-rules.toml"))
        .arg(env!("CARGO_BIN_EXE_budget-alertd"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
}

#[test]
fn a_file_is_replaced_whole_and_what_a_killed_process_left_goes() {
    use budget_alertd::fs as files;
    use budget_alertd::fs::Rights;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let left = [".token.json.4711", ".token.json.4711-0.unfinished"];
    let others = [
        ".token.json.written-now.unfinished",
        ".other.json.4711-0.unfinished",
        ".token.json.bak",
        "token.json.4711",
    ];
    for name in left.iter().chain(&others) {
        fs::write(path(name), "half").unwrap();
    }
    let written_now = fs::File::open(path(others[0])).unwrap();
    written_now.lock().unwrap();
    fs::write(path("token.json"), "old").unwrap();
    fs::set_permissions(path("token.json"), fs::Permissions::from_mode(0o644)).unwrap();
    files::replace(&path("token.json"), b"new", Rights::Daemon).unwrap();
    let data = fs::metadata(path("token.json")).unwrap();
    assert_eq!(
        (fs::read(path("token.json")).unwrap(), data.mode() & 0o7777),
        (b"new".to_vec(), 0o600)
    );
    assert_eq!(left.map(|name| path(name).exists()), [false; 2]);
    assert_eq!(others.map(|name| path(name).exists()), [true; 4]);
    files::sweep(folder.path());
    assert_eq!(others.map(|name| path(name).exists()), [true, false, true, true]);
    assert_eq!(
        files::create(&path("token.json"), b"", Rights::Daemon).unwrap_err().kind(),
        std::io::ErrorKind::AlreadyExists
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
}

#[test]
fn a_file_that_cannot_be_written_to_its_end_leaves_the_one_before() {
    use budget_alertd::fs as files;
    use budget_alertd::fs::Rights;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sheet.csv");
    fs::write(&path, "old").unwrap();
    let half = files::replace_by(&path, Rights::AsBefore(0o644), |out| {
        out.write_all(&[b'x'; 10_000])?;
        Err(std::io::Error::other("no more"))
    });
    assert_eq!(half.unwrap_err().to_string(), "no more");
    assert_eq!(
        (fs::read(&path).unwrap(), fs::read_dir(folder.path()).unwrap().count()),
        (b"old".to_vec(), 1)
    );
}

#[test]
fn what_replaces_a_file_keeps_its_owner_and_rights_and_a_link_of_ones_own() {
    use budget_alertd::fs as files;
    use budget_alertd::fs::Rights;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("shared")).unwrap();
    fs::write(path("shared/customers.csv"), "old").unwrap();
    fs::set_permissions(path("shared/customers.csv"), fs::Permissions::from_mode(0o660)).unwrap();
    let is_root = chown(path("shared/customers.csv"), Some(NOBODY), Some(NOBODY)).is_ok();
    symlink("shared/customers.csv", path("customers.csv")).unwrap();
    let facts = |name: &str| {
        let data = fs::metadata(path(name)).unwrap();
        (data.uid(), data.gid(), data.mode() & 0o7777, fs::read_to_string(path(name)).unwrap())
    };
    let (uid, gid, ..) = facts("shared/customers.csv");
    let write = |text: &str| {
        files::replace(&path("customers.csv"), text.as_bytes(), Rights::AsBefore(0o644))
    };
    write("new").unwrap();
    assert_eq!(facts("shared/customers.csv"), (uid, gid, 0o660, "new".to_owned()));
    assert!(fs::symlink_metadata(path("customers.csv")).unwrap().is_symlink());
    // A link of another user could lead to any file that root may write.
    if is_root {
        lchown(path("customers.csv"), Some(NOBODY), Some(NOBODY)).unwrap();
        let error = write("newer").unwrap_err().to_string();
        assert_eq!(
            error,
            "\"customers.csv\" is a symbolic link of another user (uid 65534), which is not \
                followed"
        );
        assert_eq!(facts("shared/customers.csv").3, "new");
    }
}

//! The Debian package on a real systemd: installed, upgraded, rolled back, removed, purged, and put
//! over an installation by hand.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use super::process::{budget_alertd, eventually, free_port, said, succeed};
use super::systemd::Machine;

pub(super) const UNIT: &str = "budget-alertd";
const PROGRAM: &str = "/usr/bin/budget-alertd";
pub(super) const CONFIGURATION: &str = "/etc/budget-alertd/alert-rules.toml";
const CREDENTIAL: &str = "/etc/budget-alertd/credentials/itsm";
const CLIENT: &str = "11111111-2222-3333-4444-555555555555";
pub(super) const STATE: &str = "/var/lib/budget-alertd";
const PRIVATE: &str = "/var/lib/private/budget-alertd";
const BY_HAND: &str = "/etc/systemd/system/budget-alertd.service";
const PACKAGED: &str = "/usr/lib/systemd/system/budget-alertd.service";
const AT_BOOT: &str = "/etc/systemd/system/multi-user.target.wants/budget-alertd.service";

/// Of each kind of file in the package, one.
const FILES: [&str; 10] = [
    "usr/lib/systemd/system/budget-alertd.service",
    "usr/share/bash-completion/completions/budget-alertd",
    "usr/share/budget-alertd/grafana/budget-alertd.json",
    "usr/share/budget-alertd/prometheus/budget-alertd.rules.yml",
    "usr/share/doc/budget-alertd/alert-rules.toml",
    "usr/share/doc/budget-alertd/copyright",
    "usr/share/doc/budget-alertd/docs/operating.md",
    "usr/share/fish/vendor_completions.d/budget-alertd.fish",
    "usr/share/man/man1/budget-alertd-silence-add.1.gz",
    "usr/share/zsh/vendor-completions/_budget-alertd",
];

/// The package around the program under test, in an older and a newer version.
pub(super) static PACKAGES: LazyLock<Packages> = LazyLock::new(Packages::build);

pub(super) struct Packages {
    pub(super) older: PathBuf,
    pub(super) newer: PathBuf,
}

impl Packages {
    /// As `packaging/build.sh` makes it, but of the program that is there, and hardly compressed.
    fn build() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("package");
        let _none_yet = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let (built, tree) = (folder.join("built.deb"), folder.join("tree"));
        for what in ["man", "completions"] {
            let place = Path::new("target/generated").join(what);
            succeed(Command::new(budget_alertd()).args(["generate", what]).arg(place));
        }
        succeed(
            Command::new("target/tools/bin/cargo-deb")
                .args([
                    "--no-build",
                    "--profile",
                    "dev",
                    "--strip",
                    "--fast",
                    "--compress-system",
                    "-Zgz",
                ])
                .arg("--output")
                .arg(&built),
        );
        succeed(Command::new("dpkg-deb").arg("--raw-extract").args([&built, &tree]));
        for file in FILES {
            assert!(tree.join(file).exists(), "{file}");
        }
        succeed(
            Command::new("install")
                .args(["--strip", "-m", "755"])
                .arg(budget_alertd())
                .arg(tree.join("usr/bin/budget-alertd")),
        );
        let packed = |version: &str| {
            let control = tree.join("DEBIAN/control");
            let text = std::fs::read_to_string(&control).unwrap();
            let lines = text.lines().map(|line| {
                if line.starts_with("Version: ") {
                    format!("Version: {version}\n")
                } else {
                    format!("{line}\n")
                }
            });
            std::fs::write(&control, lines.collect::<String>()).unwrap();
            let package = folder.join(format!("{version}.deb"));
            succeed(
                Command::new("dpkg-deb")
                    .args(["--root-owner-group", "-Znone", "--build"])
                    .args([&tree, &package]),
            );
            package
        };
        Self { older: packed("0.0.1-1"), newer: packed("0.0.2-1") }
    }
}

/// A machine whose packages may start services, as those of a container may not.
pub(super) fn boot() -> Machine {
    let machine = Machine::boot();
    machine.succeed("rm", &["-f", "/usr/sbin/policy-rc.d"]);
    machine
}

impl Machine {
    /// Has `dpkg` install a package; a changed configuration is kept, as `apt-get` asks for.
    #[track_caller]
    pub(super) fn dpkg_install(&self, package: &Path) {
        let inside = "/tmp/budget-alertd.deb";
        std::fs::copy(package, self.path(inside)).unwrap();
        self.succeed("dpkg", &["--force-confold", "--install", inside]);
        std::fs::remove_file(self.path(inside)).unwrap();
    }

    /// Runs the program as root; fails the test unless it succeeds.
    #[track_caller]
    pub(super) fn program(&self, arguments: &[&str]) -> String {
        self.succeed(PROGRAM, arguments)
    }

    #[track_caller]
    pub(super) fn assert_runs(&self) {
        assert_eq!(self.property(UNIT, "ActiveState"), "active", "{}", self.unit_journal());
    }

    fn unit_journal(&self) -> String {
        self.journal(&format!("--unit={UNIT}"))
    }

    fn append(&self, inside: &str, text: &str) {
        let whole = std::fs::read_to_string(self.path(inside)).unwrap() + text;
        std::fs::write(self.path(inside), whole).unwrap();
    }

    /// Who a name of the machine's users stands for.
    pub(super) fn uid(&self, user: &str) -> u32 {
        self.succeed("id", &["-u", user]).trim().parse().unwrap()
    }

    /// Fails the test unless all in this folder is the daemon's and nobody else's.
    #[track_caller]
    pub(super) fn assert_private(&self, folder: &str) {
        let uid = self.uid(UNIT);
        let folder = self.path(folder);
        let inside = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        for path in inside.chain([folder.clone()]) {
            let data = path.symlink_metadata().unwrap();
            assert_eq!((data.uid(), data.mode() & 0o077), (uid, 0), "{}", path.display());
        }
    }
}

/// Waits for the first poll of the daemon that runs.
fn polled(machine: &Machine) {
    let ok = || machine.output(PROGRAM, &["status"]).stdout.starts_with(b"ok").then_some(());
    eventually(Duration::from_secs(20), "the status to be ok", ok);
}

#[test]
fn the_package_installs_runs_is_upgraded_rolled_back_removed_and_purged() {
    let machine = boot();
    machine.dpkg_install(&PACKAGES.older);
    machine.assert_runs();
    assert_eq!(machine.succeed("systemctl", &["is-enabled", UNIT]).trim(), "enabled");
    assert!(machine.program(&["check"]).contains("alert-rules.toml is good"));
    assert!(
        machine.program(&["poll"]).starts_with("3 records, 0 skipped; source read whole.\n0 new")
    );
    polled(&machine);
    let status = machine.program(&["status"]);
    assert!(status.contains("Contoso Nord (sample)") && !status.contains('!'), "{status}");
    machine.assert_private(STATE);
    machine.assert_private("/etc/budget-alertd/credentials");

    // A member of the group asks the daemon, which knows who that is.
    machine.succeed("useradd", &["--groups", UNIT, "anna"]);
    let as_anna = |command: &[&str]| {
        let anna = ["--reuid=anna", "--regid=anna", "--init-groups", PROGRAM];
        machine.succeed("setpriv", &[&anna, command].concat())
    };
    as_anna(&["poll"]);
    assert!(as_anna(&["status"]).contains("Contoso Nord (sample)"));
    assert!(as_anna(&["explain", "Contoso Nord (sample)"]).contains("spend"));
    let journal = machine.unit_journal();
    let asked = |line: &str| line.contains("asked to poll") && line.contains("anna");
    assert!(journal.lines().any(asked), "{journal}");

    // The daemon may read what `init` makes.
    machine.write("/tmp/secret", "s3cret");
    let init = ["--config", "/etc/budget-alertd/own.toml", "init", "--tenant", "partner.example"];
    let secrets = ["--client-secret-file", "/tmp/secret", "--secrets", "credentials"];
    let rest = ["--client-id", CLIENT, "--mail-server", "mail.example", "--mail-to", "a@b.example"];
    machine.program(&[&init[..], &secrets, &rest, &["--mail-from", "c@b.example"]].concat());
    assert!(machine.path("/etc/budget-alertd/credentials/client-secret").exists());
    machine.assert_private("/etc/budget-alertd/credentials");

    // What people have changed and recorded stays.
    let listen = format!("\n[http]\nlisten = \"127.0.0.1:{}\"\n", free_port());
    machine.append(CONFIGURATION, &listen);
    machine.program(&[
        "silence",
        "add",
        "--customer",
        "Contoso*",
        "--for",
        "1d",
        "--reason",
        "agreed",
    ]);
    let silences = machine.program(&["silence", "list", "--format", "json"]);
    assert!(silences.contains("agreed"), "{silences}");
    let unchanged = || {
        machine.assert_runs();
        let text = std::fs::read_to_string(machine.path(CONFIGURATION)).unwrap();
        assert!(text.ends_with(&listen), "{text}");
        assert_eq!(machine.program(&["silence", "list", "--format", "json"]), silences);
    };
    let mut process = machine.property(UNIT, "MainPID");
    for package in [&PACKAGES.newer, &PACKAGES.older] {
        machine.dpkg_install(package);
        unchanged();
        let started = machine.property(UNIT, "MainPID");
        assert_ne!(process, started, "not started again");
        process = started;
    }

    machine.succeed("dpkg", &["--remove", UNIT]);
    assert!(!machine.path(PROGRAM).exists());
    assert!(machine.path(STATE).join("sample.db").exists() && machine.path(CONFIGURATION).exists());
    let left = machine.output("systemctl", &["is-active", UNIT]);
    assert_eq!(said(&left).trim(), "inactive");
    machine.dpkg_install(&PACKAGES.newer);
    unchanged();

    machine.succeed("dpkg", &["--purge", UNIT]);
    for gone in
        [PROGRAM, STATE, "/etc/budget-alertd", "/run/budget-alertd", "/usr/lib/budget-alertd"]
    {
        assert!(!machine.path(gone).exists(), "{gone}");
    }
    for database in ["passwd", "group"] {
        assert!(!machine.output("getent", &[database, UNIT]).status.success(), "{database}");
    }
}

#[test]
fn a_machine_is_prepared_without_the_help_of_systemd_too() {
    let machine = boot();
    machine.succeed("rm", &["/usr/bin/systemd-sysusers"]);
    machine.install(Path::new("packaging/prepare"), "/usr/local/sbin/prepare");
    // A unit that would not start afterwards is to be replaced first.
    machine.write(BY_HAND, &dynamic_unit());
    let refused = machine.output("/usr/local/sbin/prepare", &[]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(!machine.output("getent", &["group", UNIT]).status.success());
    machine.write(BY_HAND, include_str!("../../systemd/budget-alertd.service"));
    for _ in 0..2 {
        machine.succeed("/usr/local/sbin/prepare", &[]);
        machine.assert_private(STATE);
        machine.assert_private("/etc/budget-alertd/credentials");
    }
    let user = machine.succeed("getent", &["passwd", UNIT]);
    assert!(user.ends_with(":/var/lib/budget-alertd:/usr/sbin/nologin\n"), "{user}");
}

/// What an installation by hand had that let systemd give the daemon a user of the moment.
fn dynamic_unit() -> String {
    include_str!("../../systemd/budget-alertd.service")
        .replace("User=budget-alertd\nGroup=budget-alertd\n", "DynamicUser=yes\nPrivateUsers=yes\n")
}

const DYNAMIC_CONFIGURATION: &str = r#"[source]
type = "file"
path = "/etc/budget-alertd/usage.json"

[daemon]
state_dir = "/var/lib/budget-alertd"

[rules.spend]
metric = "percent_used"
notify = ["itsm"]
steps = [{ at = 80 }]

[notifiers.itsm]
type = "webhook"
url = "http://127.0.0.1:9/nobody"
secret = { credential = "itsm" }
"#;

/// Makes of what was moved what a unit with `DynamicUser=` leaves.
const UNMOVE: &str = "set -e
mv -T /var/lib/budget-alertd /var/lib/private/budget-alertd
ln -s private/budget-alertd /var/lib/budget-alertd
ln -s private/budget-alertd /run/budget-alertd
ln -sf /etc/systemd/system/budget-alertd.service /etc/systemd/system/multi-user.target.wants/
chown -R 61234:61234 /var/lib/private/budget-alertd
chown -R root:root /etc/budget-alertd/credentials
rm /etc/systemd/system/budget-alertd.service.replaced";

/// Kills the script before the step that is given.
const KILLED_PREPARE: &str = r#"set -T
step=0
trap '[ $((++step)) -lt "$0" ] || kill -KILL $$' DEBUG
source /usr/lib/budget-alertd/prepare"#;

/// What the ledger and its neighbours hold that does not change by itself.
fn kept(machine: &Machine, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(machine.path(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            let inner = kept(machine, &format!("{folder}/{name}"));
            found
                .extend(inner.into_iter().map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)));
            continue;
        }
        // The ledger and its log go on; its alerts are compared.
        let bytes = if name.starts_with("ledger.db") {
            Vec::new()
        } else {
            std::fs::read(entry.path()).unwrap()
        };
        if !name.ends_with("-wal") && !name.ends_with("-shm") {
            found.insert(name, bytes);
        }
    }
    found
}

#[test]
fn an_installation_with_a_dynamic_user_is_moved_without_a_lost_file() {
    let machine = boot();
    machine.install(&budget_alertd(), PROGRAM);
    machine.write(BY_HAND, &dynamic_unit());
    let credential = format!("[Service]\nLoadCredential=itsm:{CREDENTIAL}\n");
    machine.write("/etc/systemd/system/budget-alertd.service.d/credentials.conf", &credential);
    machine.write(CREDENTIAL, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    machine.succeed("chmod", &["600", CREDENTIAL]);
    let usage = include_str!("../fixtures/customers_usagerecords.json");
    machine.write("/etc/budget-alertd/usage.json", usage);
    machine.write(CONFIGURATION, DYNAMIC_CONFIGURATION);
    machine.systemctl(&["daemon-reload"]);
    machine.systemctl(&["enable", "--now", UNIT]);
    let alerts = || machine.program(&["alerts", "--format", "json"]);
    eventually(Duration::from_secs(20), "the alert", || alerts().contains("Modern").then_some(()));
    let raised = alerts();
    machine.write(&format!("{PRIVATE}/sign-in.json"), "{}");
    let before = kept(&machine, PRIVATE);
    assert!(before.contains_key("ledger.db") && before.contains_key("ledger.made"), "{before:?}");

    machine.dpkg_install(&PACKAGES.older);
    machine.assert_runs();
    let moved = || {
        assert!(!machine.path(PRIVATE).exists());
        assert!(!machine.path(STATE).symlink_metadata().unwrap().is_symlink());
        assert_eq!(kept(&machine, STATE), before);
        machine.assert_private(STATE);
        machine.assert_private("/etc/budget-alertd/credentials");
        assert!(machine.path(&format!("{BY_HAND}.replaced")).exists());
        assert!(!machine.path(BY_HAND).exists());
        // The next boot starts it.
        assert_eq!(std::fs::read_link(machine.path(AT_BOOT)).unwrap(), Path::new(PACKAGED));
    };
    moved();
    assert_eq!(alerts(), raised);
    assert_eq!(machine.property(UNIT, "DynamicUser"), "no");
    assert_eq!(machine.systemctl(&["is-enabled", UNIT]).trim(), "enabled");
    // Without the line for systemd, the daemon reads the credential itself.
    machine.succeed("rm", &["-r", "/etc/systemd/system/budget-alertd.service.d"]);
    machine.systemctl(&["daemon-reload"]);
    machine.systemctl(&["restart", UNIT]);

    // Killed before any of its steps, it ends where it would have ended.
    machine.systemctl(&["stop", UNIT]);
    let prepare = || said(&machine.output("/usr/lib/budget-alertd/prepare", &[]));
    assert_eq!(prepare(), "");
    let killed_before = |step: u32| {
        machine.succeed("sh", &["-c", UNMOVE]);
        machine.write(BY_HAND, &dynamic_unit());
        let died =
            !machine.output("bash", &["-c", KILLED_PREPARE, &step.to_string()]).status.success();
        prepare();
        moved();
        died
    };
    let steps = (1..100).take_while(|step| killed_before(*step)).count();
    assert!((20..99).contains(&steps), "{steps}");
    machine.systemctl(&["start", UNIT]);
    assert_eq!(alerts(), raised);

    // Of two folders it takes none away.
    machine.systemctl(&["stop", UNIT]);
    machine.write(&format!("{PRIVATE}/ledger.db"), "another one");
    assert!(prepare().ends_with("is left as it is: there is a /var/lib/budget-alertd too\n"));
    assert_eq!(std::fs::read(machine.path(PRIVATE).join("ledger.db")).unwrap(), b"another one");
    assert_eq!(kept(&machine, STATE), before);
}

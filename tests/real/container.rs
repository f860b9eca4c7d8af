//! The container image, unpacked and run as its configuration says: by its own user, over nothing
//! but its own files.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::process::{Server, budget_alertd, eventually, said, succeed};

const ARCHIVE: &str = "target/packages/budget-alertd.oci.tar";

/// Runs a command in a root file system as a user, with an empty environment.
const IN_IMAGE: &str = r#"set -e
mkdir -p "$0/proc"
mount -t proc proc "$0/proc"
root=$0 user=$1
shift
exec env -i /usr/sbin/chroot "$user" "$root" "$@""#;

/// An image that is unpacked.
struct Image {
    folder: TempDir,
    config: Value,
}

impl Image {
    /// As `packaging/container/build.sh` makes it, of the program under test.
    fn build() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("budget-alertd");
        succeed(
            Command::new("install")
                .args(["--strip", "-m", "755"])
                .arg(budget_alertd())
                .arg(&program),
        );
        succeed(Command::new("packaging/container/build.sh").env("BUDGET_ALERTD", &program));
        let unpacked = folder.path().join("image");
        std::fs::create_dir(&unpacked).unwrap();
        succeed(Command::new("tar").args(["-xf", ARCHIVE, "-C"]).arg(&unpacked));
        let blob = |described: &Value| {
            let digest = described["digest"].as_str().unwrap().replace(':', "/");
            unpacked.join("blobs").join(digest)
        };
        let index = read(&unpacked.join("index.json"));
        let manifest = read(&blob(&index["manifests"][0]));
        let root = folder.path().join("root");
        std::fs::create_dir(&root).unwrap();
        for layer in manifest["layers"].as_array().unwrap() {
            succeed(Command::new("tar").arg("-xf").arg(blob(layer)).arg("-C").arg(&root));
        }
        let config = read(&blob(&manifest["config"]))["config"].clone();
        Self { folder, config }
    }

    /// A command in it, as its configuration says, with `/proc` as a container has it.
    fn command(&self, arguments: &[&str]) -> Vec<String> {
        let user = format!("--userspec={}", self.config["User"].as_str().unwrap());
        let root = self.folder.path().join("root").display().to_string();
        let entry = self.config["Entrypoint"].as_array().unwrap();
        let entry = entry.iter().map(|word| word.as_str().unwrap().to_owned());
        let arguments = arguments.iter().map(|word| (*word).to_owned());
        let mounted = ["--mount", "--", "sh", "-c", IN_IMAGE].map(str::to_owned).into_iter();
        mounted.chain([root, user]).chain(entry).chain(arguments).collect()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new("unshare").args(self.command(arguments)).output().unwrap()
    }
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn the_image_runs_as_its_own_user_and_keeps_its_state() {
    let image = Image::build();
    assert_eq!(image.config["Cmd"], serde_json::json!(["run"]));
    let checked = said(&image.run(&["check"]));
    assert!(checked.contains("alert-rules.toml is good"), "{checked}");
    let polled = said(&image.run(&["poll"]));
    assert!(polled.starts_with("3 records, 0 skipped; source read whole."), "{polled}");
    let state = image.folder.path().join("root/var/lib/budget-alertd");
    let data = state.metadata().unwrap();
    assert_eq!((data.uid(), data.mode() & 0o077), (65532, 0));
    let shown = said(&image.run(&["demo", "--fast"]));
    assert!(shown.contains("budget-alertd poll --dry-run"), "{shown}");

    // What it runs by itself ends when it is told to.
    let words = image.command(&["run"]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let log = image.folder.path().join("log");
    let mut daemon = Server::start("unshare", &words, &log);
    let ok = || image.run(&["status"]).stdout.starts_with(b"ok").then_some(());
    eventually(Duration::from_secs(20), "the status to be ok", ok);
    succeed(Command::new("kill").arg(daemon.id().to_string()));
    assert!(daemon.ended(Duration::from_secs(20)));
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("poll good"), "{log}");
}

//! What root finds readable and the daemon's user would not: root's `check` would call good what
//! the daemon refuses. The daemon's user is the owner of the state folder.

use crate::actions::user_name;
use crate::config::Config;
use crate::fs::User;
use crate::text::clean;

/// Files of the configuration that the daemon's user may not read, each with what to do.
pub(super) fn warnings(config: &Config) -> Vec<String> {
    let Some(user) = User::owner_of(&config.state_dir) else { return Vec::new() };
    if !rustix::process::geteuid().is_root() || user.uid == 0 {
        return Vec::new();
    }
    let name = user_name(user.uid).unwrap_or_else(|| user.uid.to_string());
    let closed = config.files.paths().filter(|path| !user.may_read(path));
    closed
        .map(|path| {
            let path = clean(&path.display().to_string(), 300);
            format!(
                "the daemon's user {name} may not read {path}: as root, chown {name} {path} and the \
                    folder it is in, unless LoadCredential= hands it over"
            )
        })
        .collect()
}

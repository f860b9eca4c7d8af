//! The one place that opens, makes, replaces and removes files, and that gives them to another
//! user. What is in them is left to the rooms that use them.
//!
//! A command that runs as root works in a folder of the daemon's user, and whoever is that user may
//! put anything there. So the program's own files are reached from the folder's descriptor and by
//! no link of another user; they are regular files with one name; what is made is made exclusively,
//! and nothing but that is given away. Files that people write and name in the configuration may be
//! links; but they are regular files too, of a bounded size, and opening one never waits.

mod error;
mod folder;
mod list;
mod own;
mod program;
mod read;
mod replace;
mod seen;
mod socket;
mod sweep;
mod tend;
mod unfinished;
mod user;
mod walk;

pub use folder::{make_folder, make_private_folder, remove_folder};
pub use list::{free_space, move_aside, names_in};
pub use own::{
    check_makeable, check_usable, exists, open_or_make, open_own, read_own, real_path, remove,
};
pub use program::OWN_PROGRAM;
pub use read::{open, open_streaming, read, read_text};
pub use replace::{Rights, create, replace, replace_by};
pub use seen::SeenFiles;
pub use socket::listen;
pub use sweep::sweep;
pub use tend::{Tightened, give_back, tighten, tighten_folder};
pub use unfinished::Unfinished;
pub use user::User;

//! The names of all keys, for those who read letters and not TOML.

use crate::config::case_keys;
use crate::config::keys::{self, Kind, Shape, TYPE_KEY};

/// The names of all keys, wherever they stand, those of rule tests included.
pub(crate) fn all() -> Vec<&'static str> {
    let mut names = vec![TYPE_KEY.name, "env", "file", "credential"];
    add_names(keys::ROOT, &mut names);
    add_names(case_keys::ROOT, &mut names);
    names.sort_unstable();
    names.dedup();
    names
}

fn add_names(shape: Shape, names: &mut Vec<&'static str>) {
    for key in shape {
        names.push(key.name);
        if let Kind::Table(inner) | Kind::Tables(inner) | Kind::Rows(inner) | Kind::Named(inner) =
            key.kind
        {
            add_names(inner, names);
        } else if let Kind::Typed(types) | Kind::NamedTyped(types) = key.kind {
            add_names(types.common, names);
            types.own.iter().for_each(|own| add_names(own, names));
        }
    }
}

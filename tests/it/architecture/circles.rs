//! Finds the files of a room that import each other in a circle. What a file imports is read from
//! its code: `crate::…`, `super::…`, `self::…` and its own modules, with lists in braces. A name
//! that another module only hands on (`pub use`) counts as its owner's.

use std::collections::{BTreeMap, BTreeSet};

/// A path in the crate, in words: of a module, or of something in it.
type Words = Vec<String>;

/// What one file names.
struct File {
    path: String,
    /// What `use` brings in: the name that it has here, and its path as written.
    uses: Vec<(String, Words)>,
    /// Paths written out in the code, as written.
    paths: Vec<Words>,
}

/// The circles, each in words: who imports whom. `files` are paths below `src`, with their code.
pub(crate) fn circles(files: &[(String, String)]) -> Vec<String> {
    let modules =
        Modules(files.iter().map(|(path, code)| (module(path), file(path, code))).collect());
    let graph: BTreeMap<&Words, BTreeSet<&Words>> =
        modules.0.keys().map(|from| (from, modules.imports(from))).collect();
    let reach: BTreeMap<&Words, BTreeSet<&Words>> =
        graph.keys().map(|from| (*from, reachable(from, &graph))).collect();
    let circle = |one: &&Words| -> BTreeSet<&Words> {
        reach[one].iter().filter(|other| reach[*other].contains(one)).copied().collect()
    };
    let found: BTreeSet<_> = graph.keys().map(circle).filter(|files| !files.is_empty()).collect();
    let name = |module: &Words| format!("src/{}", modules.0[module].path);
    let line = |from: &Words, circle: &BTreeSet<&Words>| {
        let to: Vec<_> = graph[from].intersection(circle).map(|to| name(to)).collect();
        format!("  {} imports {}", name(from), to.join(", "))
    };
    let in_words = |circle: BTreeSet<&Words>| {
        let lines: Vec<_> = circle.iter().map(|from| line(from, &circle)).collect();
        format!("{} files in a circle:\n{}", circle.len(), lines.join("\n"))
    };
    found.into_iter().map(in_words).collect()
}

/// Every module that can be reached, by one step or more.
fn reachable<'a>(
    from: &'a Words,
    graph: &BTreeMap<&'a Words, BTreeSet<&'a Words>>,
) -> BTreeSet<&'a Words> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(next) = open.pop() {
        open.extend(graph[next].iter().filter(|to| seen.insert(**to)));
    }
    seen
}

/// `notify/message/mod.rs` is `notify::message`.
fn module(path: &str) -> Words {
    let path = path.trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').map(str::to_owned).collect()
}

fn file(path: &str, code: &str) -> File {
    let (mut uses, mut rest, mut lines) = (Vec::new(), String::new(), code.lines());
    while let Some(line) = lines.next() {
        let start = line.trim_start();
        let after_pub = start.strip_prefix("pub").and_then(|rest| rest.split_once(' '));
        let Some(first) = after_pub.map_or(start, |(_, rest)| rest).strip_prefix("use ") else {
            rest.push_str(if start.starts_with("//") { "" } else { line });
            rest.push('\n');
            continue;
        };
        let mut tree = first.to_owned();
        while !tree.contains(';') {
            tree.push_str(lines.next().expect("a use ends with a semicolon"));
        }
        let tree = tree.replace(" as ", "@").replace([' ', ';'], "");
        uses.extend(expanded(&tree).iter().map(|path| named(path)));
    }
    let is_path = |letter: char| letter.is_ascii_alphanumeric() || "_:".contains(letter);
    let paths = rest.split(|letter| !is_path(letter)).filter(|path| path.contains("::"));
    File { path: path.to_owned(), uses, paths: paths.map(words).collect() }
}

fn words(path: &str) -> Words {
    path.split("::").filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// `a::{b, c::{self, d}}` is `a::b`, `a::c::self` and `a::c::d`.
fn expanded(tree: &str) -> Vec<String> {
    let Some((prefix, list)) = tree.split_once('{') else { return vec![tree.to_owned()] };
    let mut depth = 0;
    let items = list.strip_suffix('}').unwrap_or(list).split(|letter| {
        depth += i32::from(letter == '{') - i32::from(letter == '}');
        letter == ',' && depth == 0
    });
    let items = items.filter(|item| !item.is_empty());
    items.flat_map(|item| expanded(&format!("{prefix}{item}"))).collect()
}

/// The name that a path has where it is used, and the path.
fn named(path: &str) -> (String, Words) {
    let (path, alias) =
        path.split_once('@').map_or((path, None), |(path, name)| (path, Some(name)));
    let mut path = words(path);
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    let name = alias.map(str::to_owned).or_else(|| path.last().cloned()).unwrap_or_default();
    (name, path)
}

struct Modules(BTreeMap<Words, File>);

impl Modules {
    /// The other files of the room that a file imports. What a module takes of those it is in is
    /// no import: both are one thing.
    fn imports(&self, from: &Words) -> BTreeSet<&Words> {
        let file = &self.0[from];
        let written = file.uses.iter().map(|(_, path)| path).chain(&file.paths);
        let owners = written.filter_map(|path| self.owner(&self.absolute(from, path)?, 0));
        owners.filter(|to| to[0] == from[0] && !from.starts_with(to)).collect()
    }

    /// A path as seen from the crate; none for what is not of the crate.
    fn absolute(&self, module: &Words, path: &[String]) -> Option<Words> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([module, rest].concat()),
            "super" => {
                let parent = module[..module.len() - 1].to_vec();
                let again = rest.first().is_some_and(|next| next == "super");
                if again { self.absolute(&parent, rest) } else { Some([&parent, rest].concat()) }
            }
            _ => {
                let own = [module, path].concat();
                self.0.contains_key(&own[..=module.len()]).then_some(own)
            }
        }
    }

    /// The module that has what is at this path, wherever it is handed on.
    fn owner(&self, path: &[String], depth: usize) -> Option<&Words> {
        let longest =
            (1..=path.len()).rev().find(|length| self.0.contains_key(&path[..*length]))?;
        let (module, file) = self.0.get_key_value(&path[..longest])?;
        let handed_on = path.get(longest).and_then(|name| {
            let (_, target) = file.uses.iter().find(|(known, _)| known == name)?;
            Some([self.absolute(module, target)?.as_slice(), &path[longest + 1..]].concat())
        });
        match handed_on {
            Some(target) if target != path && depth < 9 => self.owner(&target, depth + 1),
            _ => Some(module),
        }
    }
}

fn found(files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<_> =
        files.iter().map(|(path, code)| ((*path).to_owned(), (*code).to_owned())).collect();
    circles(&files)
}

#[test]
fn a_circle_is_found_however_it_is_written() {
    let text =
        "2 files in a circle:\n  src/a/b.rs imports src/a/c.rs\n  src/a/c.rs imports src/a/b.rs";
    let hands_on = "mod b;\nmod c;\npub use b::{self, B};\npub(crate) use c::C as D;\n";
    for (b, c) in [
        ("use crate::a::c::C;\n", "use crate::a::b::B;\n"),
        (
            "use crate::{\n    a::{\n        c::{self, C},\n    },\n};\n",
            "fn f() { super::b::f() }\n",
        ),
        ("use crate::a::D;\n", "use crate::a::B;\n"),
        ("use super::{D, b};\n", "const B: u8 = crate::a::b::B;\n"),
    ] {
        assert_eq!(found(&[("a/mod.rs", hands_on), ("a/b.rs", b), ("a/c.rs", c)]), [text]);
    }
}

#[test]
fn a_line_is_no_circle_nor_is_a_module_that_uses_what_it_is_in() {
    let files = [
        ("a/mod.rs", "mod b;\nmod c;\npub use b::B;\npub struct A;\nfn f() { c::f() }\n"),
        ("a/b.rs", "use crate::a::{A, c::C};\n// use crate::z::Z;\n"),
        ("a/c.rs", "use super::A;\nuse crate::z::Z;\n// crate::a::b\n"),
        ("z/mod.rs", "use crate::a::A;\n"),
    ];
    assert_eq!(found(&files), Vec::<String>::new());
}

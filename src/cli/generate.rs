//! `generate`: what packages ship of the command line, made of its own description: a man page for
//! each command, and completions of the shells.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, CommandFactory as _, ValueEnum};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::cli::Arguments;
use crate::cli::exit::Outcome;
use crate::fs::{self, Rights};

/// The program's name.
const PROGRAM: &str = "budget-alertd";
/// What begins an example, in the text after the options of a command.
const EXAMPLE: &str = "Example: ";

#[derive(Debug, Args)]
pub(super) struct Generate {
    /// What
    what: What,
    /// The folder that gets the files
    folder: PathBuf,
}

/// What is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// A page for each command
    Man,
    /// A file for each of bash, zsh and fish
    Completions,
}

impl Generate {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let mut program = for_people();
        let files = match self.what {
            What::Man => {
                program.build();
                let mut pages = Vec::new();
                man_pages(&program, &mut pages)?;
                pages
            }
            What::Completions => completions(&mut program),
        };
        for (name, bytes) in files {
            write(&self.folder.join(name), &bytes)?;
        }
        Ok(Outcome::Done)
    }
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::make_folder(folder, 0o755)
        .and_then(|()| fs::replace(path, bytes, Rights::Mode(0o644)))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// The program without the commands that are hidden, and without the one that prints help.
fn for_people() -> clap::Command {
    let whole = Arguments::command();
    let orders = whole.get_subcommands().filter(|order| !order.is_hide_set());
    clap::Command::new(PROGRAM)
        .version(env!("CARGO_PKG_VERSION"))
        .about(whole.get_about().cloned().unwrap_or_default())
        .args(whole.get_arguments())
        .subcommands(orders)
        .subcommand_required(true)
        .disable_help_subcommand(true)
}

/// A file's name and what is in it.
type File = (String, Vec<u8>);

/// The completions of each shell, by the names that the shells look for.
fn completions(program: &mut clap::Command) -> Vec<File> {
    let names = [
        (Shell::Bash, PROGRAM.to_owned()),
        (Shell::Zsh, format!("_{PROGRAM}")),
        (Shell::Fish, format!("{PROGRAM}.fish")),
    ];
    let file = |(shell, file): (Shell, String)| {
        let mut bytes = Vec::new();
        clap_complete::generate(shell, program, PROGRAM, &mut bytes);
        (file, bytes)
    };
    names.into_iter().map(file).collect()
}

/// The page of a command, and those of the commands below it.
fn man_pages(command: &clap::Command, pages: &mut Vec<File>) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    pages.push((format!("{name}.1"), man_page(command, name)?));
    command.get_subcommands().try_for_each(|order| man_pages(order, pages))
}

fn man_page(command: &clap::Command, name: &str) -> io::Result<Vec<u8>> {
    let version = format!("{PROGRAM} {}", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone()).title(name).source(version);
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    section("SYNOPSIS", &[usage(command)], &mut page)?;
    man.render_description_section(&mut page)?;
    let (notes, _) = notes_and_example(command);
    let notes: Vec<_> = notes.split_terminator("\n\n").map(str::to_owned).collect();
    paragraphs(Roff::new(), &notes, &mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    section("EXAMPLES", &examples(command), &mut page)?;
    section("SEE ALSO", &["The pages in /usr/share/doc/budget-alertd/docs".into()], &mut page)?;
    Ok(page)
}

/// How it is called, without the word before it.
fn usage(command: &clap::Command) -> String {
    let usage = command.clone().render_usage().to_string();
    usage.strip_prefix("Usage: ").unwrap_or(&usage).to_owned()
}

fn section(heading: &str, texts: &[String], page: &mut Vec<u8>) -> io::Result<()> {
    let mut section = Roff::new();
    section.control("SH", [heading]);
    paragraphs(section, texts, page)
}

/// Ends a section with these texts, each a paragraph of its own.
fn paragraphs(mut section: Roff, texts: &[String], page: &mut Vec<u8>) -> io::Result<()> {
    for text in texts {
        section.control("PP", []).text([roman(text)]);
    }
    section.to_writer(page)
}

/// The text after a command's options: what it says, and its example.
fn notes_and_example(command: &clap::Command) -> (String, Option<String>) {
    let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    match text.split_once(EXAMPLE) {
        Some((notes, example)) => (notes.to_owned(), Some(example.to_owned())),
        None => (text, None),
    }
}

/// The example of a command; where it has none, those of the commands below it.
fn examples(command: &clap::Command) -> Vec<String> {
    match notes_and_example(command).1 {
        Some(example) => vec![example],
        None => command.get_subcommands().flat_map(examples).collect(),
    }
}

//! A command on a terminal of its own, and a person who types.

use std::io::{Read as _, Write as _};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use crate::support::process::{SOON, eventually};

/// Runs a command on a terminal of its own, with `environment`. Each answer is typed when its
/// question is there: the piece of text that is waited for, and the keys. Keys wait until the line
/// ends as questions do: an echo before that would stand in the middle of what is being written.
#[track_caller]
pub(crate) fn at_terminal(
    command: &Command,
    environment: &[(&str, &str)],
    answers: &[(&str, &str)],
) -> Output {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let quoted: Vec<String> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
    let mut child = Command::new("script")
        .args(["--quiet", "--return", "--flush", "--command", &quoted.join(" "), "/dev/null"])
        .envs(environment.iter().copied())
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut keys, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let shown = Arc::new(Mutex::new(Vec::new()));
    let reading = std::thread::spawn({
        let shown = Arc::clone(&shown);
        move || {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = screen.read(&mut piece) {
                shown.lock().unwrap().extend_from_slice(&piece[..length]);
            }
        }
    });
    let mut seen = 0;
    for (question, typed) in answers {
        seen = eventually(SOON, question, || {
            let shown = String::from_utf8_lossy(&shown.lock().unwrap()).into_owned();
            let rest = shown.get(seen..)?;
            let found = rest.find(question).map(|at| seen + at + question.len())?;
            (typed.is_empty() || shown.ends_with(": ")).then_some(found)
        });
        keys.write_all(typed.as_bytes()).unwrap();
    }
    drop(keys);
    let status = child.wait().unwrap();
    reading.join().unwrap();
    let stdout = shown.lock().unwrap().clone();
    Output { status, stdout, stderr: Vec::new() }
}

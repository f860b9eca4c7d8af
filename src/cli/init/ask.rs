//! Questions to a person, or to whatever stands behind stdin: one line each, Enter for what is
//! proposed. What is asked is `answers`'.

use std::cell::Cell;
use std::io::{self, BufRead as _, IsTerminal as _};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::cli::exit::WrongUsage;
use crate::cli::output;

/// Where answers come from.
pub(super) struct Questions {
    terminal: bool,
    /// Whether the input is over.
    ended: Cell<bool>,
}

/// One question.
pub(super) struct Question<'a> {
    /// What is asked, such as `Time zone of messages`.
    pub(super) text: &'a str,
    /// What Enter, or the end of the input, stands for.
    pub(super) proposal: Option<&'a str>,
    /// The answer that was given as an option already; then nothing is asked.
    pub(super) given: Option<&'a str>,
    /// The option that answers it, for messages.
    pub(super) option: &'a str,
    /// Whether the answer is not shown while it is typed.
    pub(super) secret: bool,
}

impl Questions {
    pub(super) fn of_stdin() -> Self {
        Self { terminal: io::stdin().is_terminal(), ended: Cell::new(false) }
    }

    /// An answer that must be there. A person is asked again until it is right; a program has one
    /// try.
    pub(super) fn answer<T>(
        &self,
        question: &Question<'_>,
        right: impl Fn(&str) -> Result<T, String>,
    ) -> anyhow::Result<T> {
        loop {
            let wrong = match self.read(question)? {
                Said::Text(text) => match right(&text) {
                    Ok(answer) => return Ok(answer),
                    Err(wrong) => wrong,
                },
                Said::Nothing | Said::End => "there is no answer".to_owned(),
            };
            if !self.terminal || question.given.is_some() || self.ended.get() {
                return Err(WrongUsage(format!(
                    "{}: {wrong} ({})",
                    question.text, question.option
                ))
                .into());
            }
            output::aside(&format!("  {wrong}\n"));
        }
    }

    /// An answer that may be left out.
    pub(super) fn choice<T>(
        &self,
        question: &Question<'_>,
        right: impl Fn(&str) -> Result<T, String>,
    ) -> anyhow::Result<Option<T>> {
        self.answer(
            &Question { proposal: Some(question.proposal.unwrap_or_default()), ..*question },
            |text| {
                if text.is_empty() { Ok(None) } else { right(text).map(Some) }
            },
        )
    }

    /// Yes or no; Enter is a yes, the end of the input a no.
    pub(super) fn agreed(&self, text: &str) -> anyhow::Result<bool> {
        let question =
            Question { text, proposal: None, given: None, option: "yes or no", secret: false };
        loop {
            output::aside(&format!("{text} [yes]: "));
            match self.typed(&question)? {
                Said::Nothing => return Ok(true),
                Said::End => return Ok(false),
                Said::Text(text) => match text.to_lowercase().as_str() {
                    "y" | "yes" => return Ok(true),
                    "n" | "no" => return Ok(false),
                    _ => output::aside("  yes or no?\n"),
                },
            }
        }
    }

    /// What was given or typed, else what is proposed.
    fn read(&self, question: &Question<'_>) -> anyhow::Result<Said> {
        let said = if let Some(given) = question.given {
            Said::of(given.trim())
        } else {
            let proposal = question
                .proposal
                .filter(|text| !text.is_empty())
                .map(|text| format!(" [{text}]"))
                .unwrap_or_default();
            output::aside(&format!("{}{proposal}: ", question.text));
            self.typed(question)?
        };
        Ok(match (said, question.proposal) {
            (Said::Nothing | Said::End, Some(proposal)) => Said::Text(proposal.to_owned()),
            (said, _) => said,
        })
    }

    fn typed(&self, question: &Question<'_>) -> anyhow::Result<Said> {
        let line = if question.secret && self.terminal { hidden_line() } else { line() };
        let line = line.map_err(|error| anyhow::anyhow!("cannot read the answer: {error}"))?;
        self.ended.set(!line.ends_with('\n'));
        if !self.terminal || self.ended.get() || question.secret {
            // Nobody has seen an Enter.
            output::aside("\n");
        }
        // Blanks at the ends of a secret may be meant, and are then refused by name.
        let text = if question.secret { line.trim_end_matches(['\r', '\n']) } else { line.trim() };
        Ok(if line.is_empty() { Said::End } else { Said::of(text) })
    }
}

/// What came as an answer.
enum Said {
    Text(String),
    /// Enter alone.
    Nothing,
    /// There is no more input.
    End,
}

impl Said {
    fn of(text: &str) -> Self {
        if text.trim().is_empty() { Self::Nothing } else { Self::Text(text.to_owned()) }
    }
}

fn line() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line)
}

/// A line that the terminal does not show.
fn hidden_line() -> io::Result<String> {
    let stdin = io::stdin();
    let shown = tcgetattr(&stdin)?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Now, &hidden)?;
    let line = line();
    tcsetattr(&stdin, OptionalActions::Now, &shown)?;
    line
}

//! Questions to a person, or to whatever stands behind stdin: one line each, Enter for what is
//! proposed. What is asked is the others'.

use std::cell::{Cell, RefCell};
use std::io::{self, BufRead as _, IsTerminal as _};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};

use crate::cli::exit::WrongUsage;
use crate::cli::output;

/// What the keys Ctrl and C send.
const CTRL_C: u8 = 3;

/// Where answers come from.
pub(super) struct Questions {
    /// Whether a person answers, who may be asked again.
    pub(super) terminal: bool,
    /// Whether the input is over.
    ended: Cell<bool>,
    /// What was answered so far and is no secret, as options.
    answered: RefCell<Vec<String>>,
}

/// One question.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    /// What is asked, such as `Time zone of messages`.
    pub(super) text: &'a str,
    /// What Enter, or the end of a program's input, stands for.
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
        Self {
            terminal: io::stdin().is_terminal(),
            ended: Cell::new(false),
            answered: RefCell::default(),
        }
    }

    /// An answer that must be there. A person is asked again until it is right; a program has one
    /// try.
    pub(super) fn answer<T>(
        &self,
        question: &Question<'_>,
        right: impl Fn(&str) -> Result<T, String>,
    ) -> anyhow::Result<T> {
        let mut question = *question;
        loop {
            let wrong = match self.read(&question)? {
                Said::Text(text) => match right(&text) {
                    Ok(answer) => {
                        self.note(&question, &text);
                        return Ok(answer);
                    }
                    Err(wrong) => wrong,
                },
                Said::End if self.terminal => "the input ended".to_owned(),
                Said::Nothing | Said::End => "there is no answer".to_owned(),
            };
            if !self.may_ask_again() {
                let text = format!("{}: {wrong} ({})", question.text, question.option);
                return Err(WrongUsage(text).into());
            }
            let of = if question.given.take().is_some() { question.option } else { "" };
            output::aside(&format!("  {of}{}{wrong}\n", if of.is_empty() { "" } else { ": " }));
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

    /// Yes or no; Enter is `usual`, the end of the input a no.
    pub(super) fn agreed(&self, text: &str, usual: bool) -> anyhow::Result<bool> {
        let usual = if usual { "yes" } else { "no" };
        Ok(self.pick(text, &["yes", "no"], usual)? == "yes")
    }

    /// One of these words, or how it begins; Enter is `usual`, the end of the input the last one.
    pub(super) fn pick<'w>(
        &self,
        text: &str,
        words: &[&'w str],
        usual: &'w str,
    ) -> anyhow::Result<&'w str> {
        loop {
            output::aside(&format!("{text} [{usual}]: "));
            let said = match self.typed(false)? {
                Said::Nothing => return Ok(usual),
                Said::End => return Ok(words.last().copied().unwrap_or(usual)),
                Said::Text(said) => said.to_lowercase(),
            };
            match words.iter().find(|word| word.starts_with(&said)) {
                Some(word) => return Ok(word),
                None => output::aside(&format!("  one of: {}\n", words.join(", "))),
            }
        }
    }

    /// Whether a person may be asked the same again.
    pub(super) fn may_ask_again(&self) -> bool {
        self.terminal && !self.ended.get()
    }

    /// The options that answer again what was answered so far, secrets left out; `None` where
    /// nothing was.
    pub(super) fn options_so_far(&self) -> Option<String> {
        let answered = self.answered.borrow();
        (!answered.is_empty()).then(|| answered.join(" "))
    }

    fn note(&self, question: &Question<'_>, text: &str) {
        if !question.secret && !text.is_empty() && question.option.starts_with("--") {
            let text = text.replace('\'', r"'\''");
            self.answered.borrow_mut().push(format!("{} '{text}'", question.option));
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
            self.typed(question.secret)?
        };
        Ok(match (said, question.proposal) {
            (Said::Nothing, Some(proposal)) => Said::Text(proposal.to_owned()),
            (Said::End, Some(proposal)) if !self.terminal => Said::Text(proposal.to_owned()),
            (said, _) => said,
        })
    }

    fn typed(&self, secret: bool) -> anyhow::Result<Said> {
        let line = if secret && self.terminal { hidden_line() } else { line() };
        let line = line.map_err(|error| anyhow::anyhow!("cannot read the answer: {error}"))?;
        self.ended.set(!line.ends_with('\n'));
        if !self.terminal || self.ended.get() || secret {
            // Nobody has seen an Enter.
            output::aside("\n");
        }
        // Blanks at the ends of a secret may be meant, and are then refused by name.
        let text = if secret { line.trim_end_matches(['\r', '\n']) } else { line.trim() };
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

/// A line that the terminal does not show. Ctrl-C ends the line, and the input: a process that died
/// here would leave a terminal that shows nothing.
fn hidden_line() -> io::Result<String> {
    let stdin = io::stdin();
    let shown = tcgetattr(&stdin)?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG);
    hidden.special_codes[SpecialCodeIndex::VEOL] = CTRL_C;
    tcsetattr(&stdin, OptionalActions::Now, &hidden)?;
    let line = line_or_stop();
    tcsetattr(&stdin, OptionalActions::Now, &shown)?;
    line
}

/// A line; an empty one, as at the end of the input, where Ctrl-C was pressed.
fn line_or_stop() -> io::Result<String> {
    let mut stdin = io::stdin().lock();
    let mut line = Vec::new();
    loop {
        let piece = stdin.fill_buf()?;
        let end = piece.iter().position(|byte| [b'\n', CTRL_C].contains(byte));
        let taken = end.map_or(piece.len(), |end| end.saturating_add(1));
        line.extend(piece.iter().take(taken));
        stdin.consume(taken);
        if end.is_some() || taken == 0 {
            break;
        }
    }
    if line.last() == Some(&CTRL_C) {
        line.clear();
    }
    String::from_utf8(line).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

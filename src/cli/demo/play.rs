//! Plays a month from its beginning to its end, with its pages beside it, until somebody ends it.

use std::net::SocketAddr;

use crate::cli::demo::narrator::Narrator;
use crate::cli::demo::pages;
use crate::cli::demo::screen::Screen;
use crate::cli::demo::show::Show;
use crate::cli::demo::signals::Signals;
use crate::cli::demo::stage::Stage;
use crate::simulator::Story;

/// How a month is played.
pub(super) struct Manner {
    /// Without waiting for the reader.
    pub(super) fast: bool,
    /// Where the pages are served.
    pub(super) listen: SocketAddr,
    /// Whether they stay at the end.
    pub(super) stays: bool,
}

/// Plays a story to its end; says whether the accounts are even.
pub(super) async fn play(story: Story, manner: &Manner) -> anyhow::Result<bool> {
    // Before there is anything to leave behind.
    let mut signals = Signals::take()?;
    let narrator = Narrator::new(Screen::new(manner.fast));
    let listener = pages::listen(manner.listen)?;
    let stage = Stage::open(story, listener.local_addr()?)?;
    let pages = pages::serve(listener, stage.shown());
    let mut show = Show::new(story, stage, narrator);
    let even = tokio::select! {
        even = follow(&mut show, &mut signals, manner.stays) => even,
        failed = pages => failed.map(|never| match never {}).map_err(Into::into),
    };
    show.close().await?;
    even
}

/// The month, and the time after it for those who still look at its pages.
async fn follow(show: &mut Show, signals: &mut Signals, stays: bool) -> anyhow::Result<bool> {
    let even = tokio::select! {
        even = show.run() => even?,
        ended = signals.first() => anyhow::bail!("{ended}; nothing is left behind"),
    };
    if stays {
        show.tell_served()?;
        signals.first().await;
    }
    Ok(even)
}

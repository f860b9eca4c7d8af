//! `demo`: the whole pipeline against simulated servers, a month in about a minute, no
//! configuration needed.

mod block;
mod books;
mod day;
mod inbox;
mod narrator;
mod pages;
mod play;
mod screen;
mod show;
mod signals;
mod stage;
mod summary;
mod words;

use std::net::SocketAddr;

use clap::Args;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::cli::demo::play::{Manner, play};
use crate::cli::exit::Outcome;
use crate::cli::output;
use crate::simulator::Story;

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Don't wait for the reader
    #[arg(long)]
    fast: bool,
    /// Any day of the month that is played
    #[arg(long, value_name = "DATE", default_value = "2026-10-01", value_parser = playable)]
    start: Date,
    /// Keep the pages up at the end, until Ctrl-C
    #[arg(long)]
    serve: bool,
    /// Where the pages are served: an address of this machine alone; port 0 is a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = loopback)]
    listen: SocketAddr,
    /// Print the alert-rules.toml that the demonstration runs with, and do nothing else
    #[arg(long)]
    print_config: bool,
}

impl Demo {
    pub(super) async fn run(&self) -> anyhow::Result<Outcome> {
        if self.print_config {
            output::document(stage::CONFIGURATION)?;
            return Ok(Outcome::Done);
        }
        let story = Story::new(self.start.to_zoned(TimeZone::UTC)?.timestamp());
        let manner = Manner { fast: self.fast, listen: self.listen, stays: self.serve };
        let even = Box::pin(play(story, &manner)).await?;
        Ok(if even { Outcome::Done } else { Outcome::Failed })
    }
}

/// A date that usage data may have.
fn playable(text: &str) -> Result<Date, String> {
    let date: Date = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    if (2011..=2100).contains(&date.year()) {
        Ok(date)
    } else {
        Err("from 2011 to 2100, please".to_owned())
    }
}

/// An address and port that only this machine reaches.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr =
        text.parse().map_err(|_| "an address and a port, such as 127.0.0.1:8080".to_owned())?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("whoever sees the pages may act on them: 127.0.0.1 or [::1], please".to_owned())
    }
}

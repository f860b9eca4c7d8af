//! Random worlds through the program and through a naive model of what it promises: both must raise
//! the same alerts and keep the same ones silent. `BUDGET_ALERTD_SEED` runs the worlds of one seed
//! again, `BUDGET_ALERTD_WORLDS` as many as are wanted, of seeds that nobody has seen before.
#![allow(
    clippy::cast_sign_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::format_push_string,
    reason = "small numbers, and texts that nobody waits for"
)]

mod life;
mod line;
mod model;
mod number;
mod owed;
mod periods;
mod random;
mod rules;
mod server;
mod shard;
mod values;

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use budget_alertd::clock::SimulatedClock;
use budget_alertd::config::{self, Environment};
use budget_alertd::metrics::Metrics;

use shard::{Office, WORLDS};

const COUNT: u64 = 2000;

/// The first of the seeds that are always run.
const FIRST: u64 = 1;

#[test]
fn the_program_tells_what_the_promise_says_whatever_happens() {
    let said = |name: &str| std::env::var(name).ok().map(|number| number.parse::<u64>().unwrap());
    let seeds = match (said("BUDGET_ALERTD_SEED"), said("BUDGET_ALERTD_WORLDS")) {
        (Some(seed), _) => vec![seed],
        (None, None) => (FIRST..=COUNT / WORLDS as u64).collect(),
        (None, Some(count)) => {
            let first = RandomState::new().build_hasher().finish();
            (0..count / WORLDS as u64).map(|number| first.wrapping_add(number)).collect()
        }
    };
    let next = AtomicU64::new(0);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let (mut alerts, mut differences) = (0, Vec::new());
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(|| some(&seeds, &next))).collect();
        for (told, wrong) in threads.into_iter().map(|thread| thread.join().unwrap()) {
            alerts += told;
            differences.extend(wrong);
        }
    });
    differences.sort_unstable();
    if let Some((_, first)) = differences.first() {
        let others: Vec<u64> = differences.iter().skip(1).map(|(seed, _)| *seed).collect();
        panic!("{first}\nother seeds that differ: {others:?}");
    }
    assert!(alerts >= seeds.len() as u64, "{alerts} alerts are too few to compare");
}

/// Runs one seed after another; how many alerts there were, and what differs, by seed.
fn some(seeds: &[u64], next: &AtomicU64) -> (u64, Vec<(u64, String)>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = folder();
    runtime.block_on(async {
        let mut office = office(folder.path()).await;
        let (mut alerts, mut differences) = (0, Vec::new());
        while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
            let own = tempfile::tempdir_in(folder.path()).unwrap();
            match shard::run(*seed, &mut office, own.path()).await {
                Ok(told) => alerts += told,
                Err(difference) => {
                    differences.push((*seed, format!("BUDGET_ALERTD_SEED={seed}\n{difference}")));
                }
            }
        }
        (alerts, differences)
    })
}

/// Where ledgers lie: in memory where that can be, for thousands of them wait for the disk
/// otherwise.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

async fn office(folder: &Path) -> Office {
    let answers = server::Shared::default();
    let url = server::start(server::Shared::clone(&answers)).await;
    let toml = format!(
        "[source]\ntype = \"partner-center\"\napi_url = \"{url}\"\nlogin_url = \
            \"{url}\"\ntenant_id = \"contoso.example\"\nclient_id = \"app\"\nrefresh_token = \
            \"refresh\"\n[daemon]\nstate_dir = \"{}\"\n[rules.any]\nmetric = \
            \"percent_used\"\nnotify = [\"ops\"]\nsteps = [{{ at = 1 }}]\n[notifiers.ops]\ntype = \
            \"webhook\"\nurl = \"http://127.0.0.1:9/\"\n",
        folder.display()
    );
    let config = config::parse(&toml, "worlds.toml".as_ref(), &Environment::default())
        .unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let metrics = Metrics::new();
    let clock = SimulatedClock::starting_at("2026-09-01T00:00:00Z".parse().unwrap());
    let source = config.source.build(clock, metrics.clone()).unwrap();
    Office { source: Some(source), answers, metrics }
}

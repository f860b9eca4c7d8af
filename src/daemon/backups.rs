//! Lets a copy of the ledger be made every day, on a thread of its own, and says when none can be
//! made. What it holds and which ones stay is the ledger's.

use std::time::Duration;

use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::config::Config;
use crate::daemon::ledger_failure::causes;
use crate::delivery::{FindingClosure, OperatorFindings};
use crate::domain::{FindingCode, OperatorFinding};
use crate::entra::token_files;
use crate::ledger::{BACKUP_EVERY, Backups, DailyCopy, KeptFile, LedgerError, copy_if_due};

/// What the finding that there is no room for a copy is about.
const SUBJECT: &str = "backups";
/// How soon it is tried again when none could be made.
const RETRY: Duration = Duration::from_hours(1);

/// The copies that this process makes.
#[derive(Default)]
pub(super) struct DailyBackups {
    /// When to look again, by the monotonic clock.
    look_at: Duration,
    /// The copy under way.
    copying: Option<JoinHandle<Result<DailyCopy, LedgerError>>>,
}

impl DailyBackups {
    /// Looks whether the copy under way is made, or one is due; waits for nothing.
    pub(super) async fn tend(
        &mut self,
        config: &Config,
        findings: &OperatorFindings,
        clock: &dyn Clock,
    ) -> Result<(), LedgerError> {
        let Some(backups) = &config.backups else { return Ok(()) };
        let now = clock.monotonic();
        match self.copying.take() {
            Some(copying) if copying.is_finished() => {
                let made = copying.await.unwrap_or(Err(LedgerError::Gone));
                self.look_at = now.saturating_add(wait_after(&made));
                tell(&made, backups, findings).await
            }
            None if now >= self.look_at => {
                self.copying = Some(begin(config, backups, clock));
                Ok(())
            }
            waiting => {
                self.copying = waiting;
                Ok(())
            }
        }
    }
}

fn begin(
    config: &Config,
    backups: &Backups,
    clock: &dyn Clock,
) -> JoinHandle<Result<DailyCopy, LedgerError>> {
    let (ledger, backups, now) = (config.ledger.clone(), backups.clone(), clock.now());
    let state_dir = config.state_dir.clone();
    tokio::task::spawn_blocking(move || {
        let tokens = token_files(&state_dir)
            .map_err(|source| LedgerError::Io { path: state_dir.clone(), source })?;
        let files: Vec<_> =
            tokens.into_iter().map(|(name, content)| KeptFile { name, content }).collect();
        copy_if_due(&ledger, &backups, &files, now)
    })
}

fn wait_after(made: &Result<DailyCopy, LedgerError>) -> Duration {
    match made {
        Ok(DailyCopy::Made(_)) => BACKUP_EVERY.unsigned_abs(),
        Ok(DailyCopy::NotDue(age)) => BACKUP_EVERY.saturating_sub(*age).unsigned_abs(),
        Ok(DailyCopy::NoRoom { .. }) | Err(_) => RETRY,
    }
}

/// Says what became of it: that none can be made once, however often it is tried.
async fn tell(
    made: &Result<DailyCopy, LedgerError>,
    backups: &Backups,
    findings: &OperatorFindings,
) -> Result<(), LedgerError> {
    let folder = backups.folder.display();
    match made {
        Ok(DailyCopy::Made(path)) => {
            tracing::info!("the ledger is backed up: {}", path.display());
        }
        Ok(DailyCopy::NotDue(_)) => {}
        Ok(DailyCopy::NoRoom { .. }) => {
            return findings
                .report(OperatorFinding {
                    code: FindingCode::DiskAlmostFull,
                    subject: SUBJECT.to_owned(),
                    summary: format!(
                        "the ledger is not backed up: the disk of {folder} has less than twice its \
                            size free"
                    ),
                    action: "make room, or name a folder on another disk in [ledger] backups; it \
                        is tried again every hour"
                        .to_owned(),
                })
                .await;
        }
        Err(error) => {
            tracing::error!("the ledger is not backed up to {folder}: {}", causes(error));
            return Ok(());
        }
    }
    let ending = FindingClosure::of("the ledger is backed up again");
    findings.clear(FindingCode::DiskAlmostFull, SUBJECT, ending).await
}

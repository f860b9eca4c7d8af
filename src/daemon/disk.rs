//! Watches the disk of the state folder: a ledger that cannot be written records no alert.

use std::path::Path;

use crate::domain::{FindingCode, OperatorFinding};
use crate::ledger::LedgerError;
use crate::pipeline::{Desk, Ending};

const MIB: u64 = 1 << 20;

/// Opens or closes the finding of a disk that is almost full.
pub async fn look_at_disk(state_dir: &Path, desk: &Desk) -> Result<(), LedgerError> {
    let Ok(space) = rustix::fs::statvfs(state_dir) else { return Ok(()) };
    let bytes = |blocks: u64| blocks.saturating_mul(space.f_frsize);
    let (free, least) = (bytes(space.f_bavail), least_free(bytes(space.f_blocks)));
    if free < least {
        let finding = OperatorFinding {
            code: FindingCode::DiskAlmostFull,
            subject: String::new(),
            // Not how much is free: that changes all the time.
            summary: format!("The disk of {} has less than {} MiB free", state_dir.display(), least / MIB),
            action: "Make room before it is full: what cannot be recorded is told late".to_owned(),
        };
        return desk.report(finding).await;
    }
    // A little more than the limit, so that it does not come and go.
    if free >= least.saturating_add(least / 4) {
        desk.clear(FindingCode::DiskAlmostFull, "", Ending::of("The disk has room again")).await?;
    }
    Ok(())
}

/// How many bytes must be free on a disk of this size: 5 %, at least 100 MiB, at most 1 GiB.
fn least_free(size: u64) -> u64 {
    (size / 20).clamp(100 * MIB, 1024 * MIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_twentieth_must_be_free_within_bounds() {
        let mib = |size: u64| least_free(size * MIB) / MIB;
        assert_eq!([0, 1000, 10_000, 100_000].map(mib), [100, 100, 500, 1024]);
    }
}

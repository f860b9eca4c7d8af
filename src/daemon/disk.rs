//! Watches the disk of the state folder: a ledger that cannot be written records no alert.

use std::path::Path;

use crate::delivery::{FindingClosure, OperatorFindings};
use crate::domain::{FindingCode, OperatorFinding};
use crate::ledger::LedgerError;

const MIB: u64 = 1 << 20;

/// What is written at once must find room; below this it may not.
const SCARCE: u64 = 16 * MIB;

/// Whether a write into this folder may fail.
pub(super) fn is_scarce(folder: &Path) -> bool {
    let may_fail = |space: rustix::fs::StatVfs| {
        let free = space.f_bavail.saturating_mul(space.f_frsize);
        free < SCARCE || space.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY)
    };
    rustix::fs::statvfs(folder).is_ok_and(may_fail)
}

/// Opens or closes the finding of a disk that is almost full.
pub async fn look_at_disk(
    state_dir: &Path,
    findings: &OperatorFindings,
) -> Result<(), LedgerError> {
    let Ok(space) = rustix::fs::statvfs(state_dir) else { return Ok(()) };
    let bytes = |blocks: u64| blocks.saturating_mul(space.f_frsize);
    let size = bytes(space.f_blocks);
    match has_room(size, bytes(space.f_bavail)) {
        Some(true) => {
            findings
                .clear(
                    FindingCode::DiskAlmostFull,
                    "",
                    FindingClosure::of("the disk has room again"),
                )
                .await
        }
        Some(false) => {
            let finding = OperatorFinding {
                code: FindingCode::DiskAlmostFull,
                subject: String::new(),
                // Not how much is free: that changes all the time.
                summary: format!(
                    "the disk of {} has less than {} MiB free",
                    state_dir.display(),
                    least_free(size) / MIB
                ),
                action: "make room before it is full: what cannot be recorded is told late"
                    .to_owned(),
            };
            findings.report(finding).await
        }
        None => Ok(()),
    }
}

/// Whether a disk has room; none for one without a size, and between the limit and a little more,
/// so that the finding does not come and go.
fn has_room(size: u64, free: u64) -> Option<bool> {
    let least = least_free(size);
    let enough = least.saturating_add(least / 4);
    match size {
        0 => None,
        _ if free < least => Some(false),
        _ if free >= enough => Some(true),
        _ => None,
    }
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

    #[test]
    fn a_disk_is_full_below_its_limit_and_has_room_again_a_quarter_above_it() {
        let room = |free: u64| has_room(10_000 * MIB, free * MIB);
        assert_eq!([499, 500, 624, 625].map(room), [Some(false), None, None, Some(true)]);
        assert_eq!(has_room(0, 0), None);
    }
}

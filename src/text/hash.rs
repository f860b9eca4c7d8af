//! SHA-256, as what is too long, too secret or too foreign to be shown is named.

use ring::digest::{SHA256, digest};

/// All of it.
#[expect(clippy::expect_used, reason = "the algorithm has one length")]
pub(crate) fn sha256(bytes: impl AsRef<[u8]>) -> [u8; 32] {
    let digest = digest(&SHA256, bytes.as_ref());
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// Its first 128 bits.
pub(crate) fn short_hash(bytes: impl AsRef<[u8]>) -> u128 {
    sha256(bytes).iter().take(16).fold(0, |folded, byte| (folded << 8) | u128::from(*byte))
}

//! What reads security alerts; what comes of a read is `security`'s.

use crate::source::SecurityAlerts;

/// What reads security alerts, one read at a time.
pub struct SecurityReading {
    /// The API.
    pub alerts: SecurityAlerts,
    /// Whose turn it is.
    pub turn: tokio::sync::Mutex<()>,
}

//! What is written into a ledger that is a file, seen from beside it: by triggers, since the file
//! itself is emptied and filled in ways of its own.

use rusqlite::Connection;

/// From now on each row that is written of a ledger is noted.
pub(super) fn watch(ledger: &Connection) {
    ledger.execute_batch("CREATE TABLE IF NOT EXISTS written (what TEXT)").unwrap();
    ledger.execute("DELETE FROM written", ()).unwrap();
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name != 'written' \
        AND name NOT LIKE 'sqlite_%'";
    let mut tables = ledger.prepare(sql).unwrap();
    let tables = tables.query_map((), |row| row.get::<_, String>(0)).unwrap();
    for table in tables.map(Result::unwrap) {
        for act in ["INSERT", "UPDATE", "DELETE"] {
            let note = format!(
                "CREATE TRIGGER IF NOT EXISTS note_{act}_{table} AFTER {act} ON {table} BEGIN \
                    INSERT INTO written VALUES ('{table}'); END"
            );
            ledger.execute_batch(&note).unwrap();
        }
    }
}

/// What was written since then: each table with how many rows of it.
pub(super) fn seen(ledger: &Connection) -> Vec<String> {
    let sql = "SELECT what || ': ' || count(*) FROM written GROUP BY what ORDER BY what";
    let mut written = ledger.prepare(sql).unwrap();
    let written = written.query_map((), |row| row.get(0)).unwrap();
    written.map(Result::unwrap).collect()
}

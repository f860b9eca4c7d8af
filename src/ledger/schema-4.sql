-- Version 4: what a poll loads and what is forgotten, by indexes; recipients that are deferred.

CREATE INDEX step_by_date ON step (customer, day, belongs_at);
CREATE INDEX step_by_alert ON step (alert);
CREATE INDEX alert_open_by_customer ON alert (customer) WHERE state IN ('raised', 'silenced');
CREATE INDEX delivery_held ON delivery (notifier) WHERE state = 'pending' AND held;

-- Names of rules under which steps were ever recorded.
CREATE TABLE rule_name (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO rule_name SELECT DISTINCT rule FROM step;

-- When an alert of an older ledger ended is not known: not before it was raised.
UPDATE alert SET ended_at = raised_at WHERE ended_at IS NULL AND state IN ('resolved', 'closed');

-- How each recipient is doing for whom the destination of its notifier does not take messages at the moment, like notifier.
CREATE TABLE recipient (
    notifier      TEXT NOT NULL,
    recipient     TEXT NOT NULL,
    failures      INTEGER NOT NULL,
    failing_since INTEGER,
    next_probe_at INTEGER,
    probes        INTEGER NOT NULL,
    possible      INTEGER NOT NULL,
    last_error    TEXT,
    PRIMARY KEY (notifier, recipient)
) STRICT, WITHOUT ROWID;

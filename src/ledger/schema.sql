-- The ledger, version 1. Decimals are text with all their digits, instants are nanoseconds since 1970 (UTC),
-- identities are 16 bytes, names of closed sets are the words that JSON uses.

-- Who was ever seen, with the little that is read in one scan.
CREATE TABLE customer (
    id          INTEGER PRIMARY KEY,
    key         TEXT NOT NULL UNIQUE,        -- the id in lower case
    fingerprint INTEGER NOT NULL             -- of the last seen record, the local configuration and the rules
) STRICT;

-- The last seen state of each.
CREATE TABLE seen (
    customer              INTEGER PRIMARY KEY REFERENCES customer (id),
    received_id           TEXT NOT NULL,
    name                  TEXT NOT NULL,
    label                 TEXT,
    plan                  TEXT NOT NULL,
    usage_as_of           TEXT NOT NULL,     -- as displayed: with the digits it came with
    seen_at               INTEGER NOT NULL,
    cost                  TEXT NOT NULL,
    usd_cost              TEXT,
    currency              TEXT,
    reported_percent      TEXT,
    computed_percent      TEXT,
    budget                TEXT,
    partner_center_budget TEXT,
    period_start          INTEGER NOT NULL,
    period_end            INTEGER NOT NULL,
    period_source         TEXT NOT NULL,
    closing_cost          TEXT NOT NULL,
    cycle_first_day       TEXT,
    cycle_last_day        TEXT,
    asked_at              INTEGER,
    asked_for             INTEGER
) STRICT;

CREATE TABLE alert (
    seq          INTEGER PRIMARY KEY,
    id           BLOB NOT NULL UNIQUE,
    customer     INTEGER NOT NULL REFERENCES customer (id),
    subscription TEXT NOT NULL DEFAULT '',   -- for alerts about one subscription
    rule         TEXT NOT NULL,
    severity     TEXT NOT NULL,
    state        TEXT NOT NULL,              -- holds, whatever the snapshot says
    raised_at    INTEGER NOT NULL,
    snapshot     TEXT NOT NULL               -- JSON: the alert and what its messages need
) STRICT;
CREATE INDEX alert_by_customer ON alert (customer);
CREATE INDEX alert_open_by_rule ON alert (rule) WHERE state = 'raised';

-- Every step raised or passed: what keeps an alert from being raised twice.
CREATE TABLE step (
    id           INTEGER PRIMARY KEY,
    customer     INTEGER NOT NULL REFERENCES customer (id),
    subscription TEXT NOT NULL DEFAULT '',   -- for alerts about one subscription
    rule         TEXT NOT NULL,
    metric       TEXT NOT NULL,
    at           TEXT NOT NULL,              -- canonical: 80.0 stands as 80
    amount       TEXT NOT NULL,              -- canonical; empty for metrics that read no budget
    day          TEXT NOT NULL DEFAULT '',   -- for alerts that may come once a day
    period_start INTEGER NOT NULL,
    period_end   INTEGER NOT NULL,
    belongs_at   INTEGER NOT NULL,
    raised       INTEGER NOT NULL,
    alert        BLOB NOT NULL REFERENCES alert (id),
    seen_below   TEXT,                       -- the highest amount under which the customer was seen below it
    UNIQUE (customer, subscription, rule, metric, at, amount, day, period_start, period_end)
) STRICT;

CREATE TABLE message (
    id         INTEGER PRIMARY KEY,
    identity   BLOB NOT NULL UNIQUE,         -- the same for every attempt and every recipient
    kind       TEXT NOT NULL,
    part       INTEGER NOT NULL,             -- of a digest; 0 for a single alert, as are the four below
    parts      INTEGER NOT NULL,
    total      INTEGER NOT NULL,
    criticals  INTEGER NOT NULL,
    baseline   INTEGER NOT NULL
) STRICT;

CREATE TABLE message_alert (
    message  INTEGER NOT NULL REFERENCES message (id),
    position INTEGER NOT NULL,
    alert    BLOB NOT NULL REFERENCES alert (id),
    PRIMARY KEY (message, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX message_by_alert ON message_alert (alert);

CREATE TABLE delivery (
    seq           INTEGER PRIMARY KEY,
    id            BLOB NOT NULL UNIQUE,
    message       INTEGER NOT NULL REFERENCES message (id),
    notifier      TEXT NOT NULL,
    recipient     TEXT,
    severity      INTEGER NOT NULL,          -- 2 critical, 1 warning, 0 info
    state         TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    ended_at      INTEGER,                   -- when it was accepted or given up
    attempts      INTEGER NOT NULL DEFAULT 0,
    last_detail   TEXT,                      -- what the destination said last, or why it was given up
    probes_then   INTEGER NOT NULL,          -- the notifier's counts when it was recorded
    possible_then INTEGER NOT NULL
) STRICT;
CREATE INDEX delivery_owed ON delivery (notifier, severity DESC, seq) WHERE state = 'pending';
CREATE INDEX delivery_dead ON delivery (notifier) WHERE state = 'dead';
CREATE UNIQUE INDEX delivery_by_message ON delivery (message, notifier, ifnull(recipient, ''));

CREATE TABLE attempt (
    id       INTEGER PRIMARY KEY,
    delivery INTEGER NOT NULL REFERENCES delivery (seq),
    at       INTEGER NOT NULL,
    outcome  TEXT NOT NULL,
    detail   TEXT NOT NULL
) STRICT;
CREATE INDEX attempt_by_delivery ON attempt (delivery);

-- How each notifier's destination is doing.
CREATE TABLE notifier (
    name          TEXT PRIMARY KEY,
    failures      INTEGER NOT NULL,
    failing_since INTEGER,
    next_probe_at INTEGER,
    probes        INTEGER NOT NULL,
    possible      INTEGER NOT NULL,
    last_error    TEXT
) STRICT, WITHOUT ROWID;

-- Findings for the operator.
CREATE TABLE finding (
    code       TEXT NOT NULL,
    subject    TEXT NOT NULL,
    summary    TEXT NOT NULL,
    action     TEXT NOT NULL,
    since      INTEGER NOT NULL,
    cleared_at INTEGER,                      -- none while it is open
    PRIMARY KEY (code, subject)
) STRICT, WITHOUT ROWID;

-- The last poll, and the last good one.
CREATE TABLE poll (
    which   TEXT PRIMARY KEY,                -- 'last' or 'good'
    at      INTEGER NOT NULL,
    good    INTEGER NOT NULL,
    records INTEGER NOT NULL,
    skipped INTEGER NOT NULL,
    alerts  INTEGER NOT NULL,
    newest  INTEGER,
    errors  TEXT NOT NULL                    -- JSON: a list of texts
) STRICT, WITHOUT ROWID;

-- Rules that have been through a good poll.
CREATE TABLE rule (
    name       TEXT PRIMARY KEY,
    settled_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row: about the file itself.
CREATE TABLE file (
    only       INTEGER PRIMARY KEY CHECK (only = 1),
    created_at INTEGER NOT NULL,
    clean      INTEGER NOT NULL              -- whether it was closed in order
) STRICT;

-- Version 8: budgets that are pushed, security alerts, and what people say of spikes.

-- Budgets that are pushed: each change is noted before it is asked for, and what came of it after. One without an outcome may have
-- been made or not: it is read first when the order is given again.
CREATE TABLE budget_push (
    request_id     BLOB PRIMARY KEY,         -- MS-RequestId, the same for every try
    author         TEXT NOT NULL,
    at             INTEGER NOT NULL,
    holder         BLOB,                     -- the process that asks for it, where several hosts share the ledger
    tried_at       INTEGER NOT NULL,         -- when it was asked for last
    customer       TEXT NOT NULL,            -- its key; it need not have usage any more
    before         TEXT,                     -- what was there; none = no budget
    amount         TEXT NOT NULL,
    currency       TEXT NOT NULL,
    outcome        TEXT,                     -- written, skipped, refused, failed; none = not known yet
    words          TEXT,
    ended_at       INTEGER
) STRICT;
CREATE INDEX budget_push_open ON budget_push (at) WHERE outcome IS NULL;
CREATE INDEX budget_push_customer ON budget_push (customer, at);

-- The tries of each change: Microsoft's audit records name them.
CREATE TABLE budget_push_try (
    correlation_id BLOB PRIMARY KEY,         -- MS-CorrelationId
    request_id     BLOB NOT NULL REFERENCES budget_push (request_id)
) STRICT;
CREATE INDEX budget_push_try_request ON budget_push_try (request_id);

-- Security alerts of Microsoft: as they were last read, the steps of rules that they have reached, and how reading them went.
CREATE TABLE security_alert (
    id         INTEGER PRIMARY KEY,
    key        TEXT NOT NULL UNIQUE,         -- Microsoft's id in lower case
    state      TEXT NOT NULL,                -- JSON: as it was last read
    first_seen INTEGER NOT NULL,
    listed_at  INTEGER NOT NULL,             -- when it was last written because it had changed
    ended_at   INTEGER,                      -- when it was answered, or found to be gone; none while it is open
    unlisted   INTEGER NOT NULL DEFAULT 0,   -- it is no longer listed
    ordered_by TEXT,                         -- who answered it from here
    evidence_at INTEGER,                     -- when somebody has gathered the evidence of it, as fraud
    evidence_by TEXT
) STRICT;
CREATE INDEX security_alert_open ON security_alert (id) WHERE ended_at IS NULL;
CREATE INDEX security_alert_ended ON security_alert (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE security_step (
    security INTEGER NOT NULL REFERENCES security_alert (id),
    rule     TEXT NOT NULL,
    at       TEXT NOT NULL,                  -- canonical
    raised   INTEGER NOT NULL,
    alert    BLOB NOT NULL REFERENCES alert (id),
    PRIMARY KEY (security, rule, at)
) STRICT, WITHOUT ROWID;
CREATE INDEX security_step_by_alert ON security_step (alert);

-- One row: the last read.
CREATE TABLE security_poll (
    only     INTEGER PRIMARY KEY CHECK (only = 1),
    at       INTEGER NOT NULL,
    good_at  INTEGER,                        -- when it was last read whole
    source   TEXT NOT NULL,
    errors   TEXT NOT NULL,                  -- JSON: a list of texts
    score    TEXT,                           -- JSON: how fast Microsoft finds that alerts are answered
    score_at INTEGER                         -- when it was last asked for that
) STRICT;

ALTER TABLE alert ADD COLUMN security INTEGER REFERENCES security_alert (id);
CREATE INDEX alert_of_security ON alert (security) WHERE security IS NOT NULL;

-- Who marked a day, when, why, and up to which day of the data that is so; when people were told of the day.
ALTER TABLE spike_day ADD COLUMN told_at INTEGER;
ALTER TABLE spike_day ADD COLUMN marked_at INTEGER;
ALTER TABLE spike_day ADD COLUMN marked_by TEXT;
ALTER TABLE spike_day ADD COLUMN reason TEXT;
ALTER TABLE spike_day ADD COLUMN until TEXT;                             -- days of all rules about spikes are expected up to it

-- When somebody has gathered the evidence of what is marked as fraud, and who: nobody is reminded of a claim any more.
ALTER TABLE spike_day ADD COLUMN evidence_at INTEGER;
ALTER TABLE spike_day ADD COLUMN evidence_by TEXT;
CREATE INDEX spike_day_fraud ON spike_day (day) WHERE mark = 'fraud';

ALTER TABLE alert ADD COLUMN acked_note TEXT;                            -- what the first who knew of it has noted

-- What signs the links of messages; an old key is kept while something holds that it has signed.
CREATE TABLE link_key (
    id     INTEGER PRIMARY KEY,
    secret BLOB NOT NULL,                    -- 32 bytes
    since  INTEGER NOT NULL                  -- since when it signs
) STRICT;

-- The date of the data from which on a customer's currency and plan are what they are now.
ALTER TABLE seen ADD COLUMN series_since INTEGER;

-- By which customers are listed, the worst first: over the budget by US dollars, over it without those by percent, below it by
-- percent, and without a budget by US dollars. Hundredths, above a number for each of the four; it only orders, and is never shown.
ALTER TABLE seen ADD COLUMN used INTEGER GENERATED ALWAYS AS (CASE
    WHEN budget IS NULL THEN NULL
    WHEN CAST(budget AS REAL) > 0 THEN CAST(min(9e14, max(0.0, CAST(cost AS REAL) / CAST(budget AS REAL) * 10000.0,
        CASE WHEN partner_center_budget = budget THEN CAST(coalesce(reported_percent, '0') AS REAL) * 100.0 ELSE 0.0 END)) AS INTEGER)
    WHEN CAST(cost AS REAL) > 0 THEN 900000000000000
    ELSE 0 END) VIRTUAL;
ALTER TABLE seen ADD COLUMN worst INTEGER GENERATED ALWAYS AS (CASE
    WHEN budget IS NULL THEN CAST(round(min(9e14, max(0.0, CAST(coalesce(usd_cost, '0') AS REAL) * 100.0))) AS INTEGER)
    WHEN used < 10000 THEN 1000000000000000 + used
    WHEN CAST(coalesce(usd_cost, '0') AS REAL) <= 0 OR CAST(cost AS REAL) <= 0 THEN 2000000000000000 + used
    ELSE 3000000000000000 + CAST(round(min(9e14, max(0.0,
        CAST(usd_cost AS REAL) * (1.0 - CAST(budget AS REAL) / CAST(cost AS REAL)) * 100.0))) AS INTEGER) END) VIRTUAL;
CREATE INDEX seen_worst ON seen (worst DESC, customer);

-- By which alerts are listed, and what the overview counts of those that are not over: without reading their snapshots.
CREATE INDEX alert_listed ON alert (seq, raised_at, severity, state, acked_at);
CREATE INDEX alert_open_listed ON alert (customer, severity, acked_at, state) WHERE state IN ('raised', 'silenced');

-- The customers of the last collection in its order, and what tells their items, as bytes: what is the same again need not be
-- read. Deleted whenever a customer's own row changes, and kept anew at the end of the poll.
CREATE TABLE collection (
    configuration INTEGER PRIMARY KEY,       -- the fingerprint of what they were judged by
    idle          TEXT NOT NULL              -- JSON: a list of patterns that fit nobody
) STRICT;
CREATE TABLE collection_part (
    part      INTEGER PRIMARY KEY,
    customers BLOB NOT NULL                  -- 48 bytes a customer
) STRICT;

-- Version 2: history, what becomes of an alert after it is raised, silences, news for the operator, budgets of subscriptions.

-- Records of a version 1 ledger are judged anew once: they have no history and no count yet.
ALTER TABLE customer ADD COLUMN crossed INTEGER NOT NULL DEFAULT 0;      -- rules of which the last seen record has reached a step
ALTER TABLE customer ADD COLUMN missing_since INTEGER;                   -- none while it has a record in the last good poll
UPDATE customer SET fingerprint = ~fingerprint;

-- A subscription with a budget of its own is judged like a customer; its key is the customer's, a unit separator and its own.
ALTER TABLE seen ADD COLUMN subscription TEXT;                           -- its id as received
ALTER TABLE seen ADD COLUMN subscription_name TEXT;

-- History: the data of each customer at each of its dates, by the customer's row. Thinned and kept as `retention` says.
CREATE TABLE sample (
    customer              INTEGER NOT NULL REFERENCES customer (id),
    usage_as_of           INTEGER NOT NULL,
    seen_at               INTEGER NOT NULL,
    cost                  TEXT NOT NULL,
    usd_cost              TEXT,
    partner_center_budget TEXT,
    reported_percent      TEXT,
    carried_over          INTEGER NOT NULL,    -- taken for late data of the period before
    PRIMARY KEY (customer, usage_as_of, seen_at)
) STRICT, WITHOUT ROWID;

-- The last seen data of a version 1 ledger is the first of its history. Its date has up to 9 digits behind the second, and Z.
INSERT INTO sample (customer, usage_as_of, seen_at, cost, usd_cost, partner_center_budget, reported_percent, carried_over)
    SELECT customer, at, seen_at, cost, usd_cost, partner_center_budget, reported_percent, at >= period_end FROM (
        SELECT *, second * 1000000000 + CAST(substr(rtrim(substr(usage_as_of, 21), 'Z') || '000000000', 1, 9) AS INTEGER) AS at
        FROM (SELECT *, CAST(strftime('%s', substr(usage_as_of, 1, 19)) AS INTEGER) AS second FROM seen)
        WHERE second BETWEEN -9000000000 AND 9000000000
    );

-- What happened to a customer's data that may hide something: a budget cut, a cost that fell, a record that is gone.
CREATE TABLE event (
    id       INTEGER PRIMARY KEY,
    customer INTEGER NOT NULL REFERENCES customer (id),
    at       INTEGER NOT NULL,
    code     TEXT NOT NULL,
    detail   TEXT NOT NULL
) STRICT;
CREATE INDEX event_by_customer ON event (customer, at);

ALTER TABLE alert ADD COLUMN period_end INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alert ADD COLUMN notify TEXT NOT NULL DEFAULT '[]';          -- JSON: the notifiers it is owed to
ALTER TABLE alert ADD COLUMN remind_every INTEGER;                       -- nanoseconds; none = never
ALTER TABLE alert ADD COLUMN told_at INTEGER;                            -- when it was last told: raised, released or reminded of
ALTER TABLE alert ADD COLUMN acked_at INTEGER;
ALTER TABLE alert ADD COLUMN acked_by TEXT;
UPDATE alert SET period_end = CAST(strftime('%s', json_extract(snapshot, '$.alert.billing_period.end')) AS INTEGER) * 1000000000,
    told_at = raised_at,
    notify = (SELECT json_group_array(DISTINCT delivery.notifier) FROM message_alert
        JOIN delivery ON delivery.message = message_alert.message WHERE message_alert.alert = alert.id);
CREATE INDEX alert_open ON alert (period_end) WHERE state IN ('raised', 'silenced');
CREATE INDEX alert_silenced ON alert (customer) WHERE state = 'silenced';
CREATE INDEX alert_reminding ON alert (told_at) WHERE state = 'raised' AND remind_every IS NOT NULL AND acked_at IS NULL;

ALTER TABLE message ADD COLUMN operator TEXT;                            -- JSON: news for the operator instead of alerts
CREATE INDEX message_of_operator ON message (id) WHERE operator IS NOT NULL;
ALTER TABLE message_alert ADD COLUMN latest TEXT;                        -- JSON: how things were when a later message was recorded

CREATE TABLE silence (
    id           INTEGER PRIMARY KEY,
    customers    TEXT NOT NULL,                -- JSON: patterns of id, name or label
    rules        TEXT NOT NULL,                -- JSON: patterns of rule names
    unless_above TEXT,
    created_at   INTEGER NOT NULL,
    as_of        INTEGER NOT NULL,             -- the newest date of the data then
    ends_at      INTEGER,                      -- none = with the billing period that holds as_of
    author       TEXT NOT NULL,
    reason       TEXT NOT NULL,
    expired_at   INTEGER                       -- when somebody ended it before its time
) STRICT;

ALTER TABLE finding ADD COLUMN told INTEGER NOT NULL DEFAULT 0;          -- whether the operator was sent it
ALTER TABLE poll ADD COLUMN uncovered INTEGER;                           -- customers that could never alert, or fewer; none = not counted
ALTER TABLE file ADD COLUMN pruned_at INTEGER;                           -- when history was last thinned

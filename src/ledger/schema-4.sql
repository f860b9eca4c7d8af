-- Version 4: what a poll loads and what is forgotten, by indexes; all billing periods that were named; recipients that are deferred.

CREATE INDEX step_by_date ON step (customer, day, belongs_at);
CREATE INDEX step_by_alert ON step (alert);
CREATE INDEX alert_open_by_customer ON alert (customer) WHERE state IN ('raised', 'silenced');
CREATE INDEX delivery_held ON delivery (notifier) WHERE state = 'pending' AND held;

-- Names of rules under which steps were ever recorded.
CREATE TABLE rule_name (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO rule_name SELECT DISTINCT rule FROM step;

-- When an alert of an older ledger ended is not known: not before it was raised.
UPDATE alert SET ended_at = raised_at WHERE ended_at IS NULL AND state IN ('resolved', 'closed');

-- What an answer without items is called.
UPDATE finding SET code = 'usage-empty' WHERE code = 'no-items';
-- All billing periods that usage summaries named, and the currency of the record itself.
ALTER TABLE seen ADD COLUMN named TEXT;                                  -- "first..last first..last …" in days, the last named first
UPDATE seen SET named = cycle_first_day || '..' || cycle_last_day WHERE cycle_first_day IS NOT NULL AND cycle_last_day IS NOT NULL;
ALTER TABLE seen DROP COLUMN cycle_first_day;
ALTER TABLE seen DROP COLUMN cycle_last_day;
ALTER TABLE seen ADD COLUMN own_currency TEXT;                           -- that the record itself named
UPDATE seen SET own_currency = currency;
-- Whether a legacy record named its currency itself is not known: the next poll looks at it again.
UPDATE customer SET fingerprint = -1 - fingerprint WHERE id IN (SELECT customer FROM seen WHERE plan = 'legacy');

-- To have been below a step before it alerted again says nothing.
UPDATE step SET seen_below = NULL WHERE seen_below IS NOT NULL AND EXISTS (
    SELECT 1 FROM step AS later WHERE later.customer = step.customer AND later.subscription = step.subscription
        AND later.rule = step.rule AND later.metric = step.metric AND later.at = step.at AND later.day = step.day
        AND later.period_start = step.period_start AND later.period_end = step.period_end AND later.id > step.id
);

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

-- What identities are derived from; copies of a ledger have the same. A ledger of before takes that of its first alert.
ALTER TABLE file ADD COLUMN identity BLOB;
UPDATE file SET identity = ifnull((SELECT id FROM alert ORDER BY seq LIMIT 1), randomblob(16));

ALTER TABLE message ADD COLUMN totals TEXT;                              -- JSON: what a digest comes to of which not all alerts are in a part

-- What is gathered for digests while a mass crossing is recorded in slices: owed, and made into messages after the last slice. The
-- worst come first.
CREATE TABLE gathered (
    notifier TEXT NOT NULL,
    mildness INTEGER NOT NULL,               -- 0 critical, 1 warning, 2 info
    dollars  INTEGER NOT NULL,               -- over the budget, else of cost, in cents; negative, as is the next
    percent  INTEGER NOT NULL,
    alert    BLOB NOT NULL REFERENCES alert (id),
    baseline INTEGER NOT NULL,
    customer INTEGER NOT NULL REFERENCES customer (id),
    currency TEXT,
    over     TEXT,                           -- over the budget, in the currency
    PRIMARY KEY (notifier, mildness, dollars, percent, alert)
) STRICT, WITHOUT ROWID;
CREATE INDEX gathered_by_alert ON gathered (alert);
CREATE INDEX gathered_by_customer ON gathered (customer);

-- Version 3: deliveries that stand in for others, messages to customers that are held, reports.

ALTER TABLE delivery ADD COLUMN stands_in_for TEXT;                      -- the notifier in whose place it is sent
ALTER TABLE delivery ADD COLUMN held INTEGER NOT NULL DEFAULT 0;         -- owed, but not sent until somebody releases it

ALTER TABLE message ADD COLUMN audience TEXT;                            -- 'customer': worded for the one customer it is about; NULL: for the partner
ALTER TABLE alert ADD COLUMN ended_at INTEGER;                           -- when it was resolved or closed
CREATE INDEX alert_ended ON alert (ended_at) WHERE ended_at IS NOT NULL;
ALTER TABLE notifier ADD COLUMN shown_at INTEGER;                        -- when one that is shown what is open was last shown everything

ALTER TABLE message ADD COLUMN report TEXT;                              -- JSON: a report instead of alerts
ALTER TABLE file ADD COLUMN reported_at INTEGER;                         -- the occasion that was reported last
ALTER TABLE delivery ADD COLUMN aided INTEGER NOT NULL DEFAULT 0;        -- another notifier stands in for it, or need not
UPDATE delivery SET aided = 1 WHERE state = 'dead';
CREATE INDEX delivery_unaided ON delivery (notifier) WHERE state = 'dead' AND aided = 0;

-- Version 5: mass crossings are told and held as a whole, over kills and whatever becomes of them later.

ALTER TABLE file ADD COLUMN interim TEXT;    -- JSON: what a poll that records in slices knows so far; none once it is over

-- What is gathered for digests while a mass crossing, or what becomes of one, is recorded in slices: owed, and made into messages
-- after the last slice. The worst come first.
CREATE TABLE gathered_5 (
    notifier TEXT NOT NULL,
    kind     TEXT NOT NULL,                  -- what is told: that it is raised, that it is still true, that it is over
    mildness INTEGER NOT NULL,               -- 0 critical, 1 warning, 2 info
    dollars  INTEGER NOT NULL,               -- over the budget, else of cost, in cents; negative, as is the next
    percent  INTEGER NOT NULL,
    alert    BLOB NOT NULL REFERENCES alert (id),
    baseline INTEGER NOT NULL,
    customer INTEGER NOT NULL REFERENCES customer (id),
    currency TEXT,
    over     TEXT,                           -- over the budget, in the currency
    latest   TEXT,                           -- JSON: how it is when it is told later
    PRIMARY KEY (notifier, kind, mildness, dollars, percent, alert)
) STRICT, WITHOUT ROWID;
INSERT INTO gathered_5
SELECT notifier, 'budget.alert.raised', mildness, dollars, percent, alert, baseline, customer, currency, over, NULL FROM gathered;
DROP TABLE gathered;
ALTER TABLE gathered_5 RENAME TO gathered;
CREATE INDEX gathered_by_alert ON gathered (alert);
CREATE INDEX gathered_by_customer ON gathered (customer);

-- Codes of news for the operator as they are promised.
UPDATE OR REPLACE finding SET code = 'records-unusable' WHERE code = 'unusable-records';
UPDATE OR REPLACE finding SET code = 'sign-in-expiring' WHERE code = 'sign-in-aging';
UPDATE OR REPLACE finding SET code = 'coverage-grew' WHERE code = 'coverage-lost';

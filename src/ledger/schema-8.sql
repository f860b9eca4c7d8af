-- Version 8: what people order of Partner Center.

-- Budgets that are pushed: each change is noted before it is asked for, and what came of it after. One without an outcome may have
-- been made or not: it is read first when the order is given again.
CREATE TABLE budget_push (
    request_id     BLOB PRIMARY KEY,         -- MS-RequestId, the same for every try
    correlation_id BLOB NOT NULL,            -- MS-CorrelationId of the last try
    author         TEXT NOT NULL,
    at             INTEGER NOT NULL,
    customer       TEXT NOT NULL,            -- its key; it need not have usage any more
    before         TEXT,                     -- what was there; none = no budget
    amount         TEXT NOT NULL,
    currency       TEXT NOT NULL,
    outcome        TEXT,                     -- written, skipped, refused, failed; none = not known yet
    words          TEXT,
    ended_at       INTEGER
) STRICT;
CREATE INDEX budget_push_open ON budget_push (at) WHERE outcome IS NULL;

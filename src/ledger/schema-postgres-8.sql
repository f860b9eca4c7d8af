-- Version 8: see schema-8.sql.

CREATE TABLE budget_push (
    request_id     BYTEA PRIMARY KEY,
    correlation_id BYTEA NOT NULL,
    author         TEXT COLLATE "C" NOT NULL,
    at             BIGINT NOT NULL,
    customer       TEXT COLLATE "C" NOT NULL,
    before         TEXT COLLATE "C",
    amount         TEXT COLLATE "C" NOT NULL,
    currency       TEXT COLLATE "C" NOT NULL,
    outcome        TEXT COLLATE "C",
    words          TEXT COLLATE "C",
    ended_at       BIGINT
);
CREATE INDEX budget_push_open ON budget_push (at) WHERE outcome IS NULL;

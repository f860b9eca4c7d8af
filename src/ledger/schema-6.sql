-- Version 6: messages as they were handed to their receivers.

-- What the last attempt of a delivery handed over. Texts depend on the configuration, the time and the version of the program, so
-- that what was sent cannot be written again from the alert.
CREATE TABLE sent_message (
    delivery INTEGER PRIMARY KEY REFERENCES delivery (seq),
    at       INTEGER NOT NULL,
    message  BLOB NOT NULL                   -- JSON in the zlib format (RFC 1950)
) STRICT;

-- The chain: what happened, in its order, each event with the hash of itself and of the one before, so that nothing of it can be
-- changed, added or taken away later without the hash of the last one being another. The numbers have no gaps.
CREATE TABLE chain (
    number  INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    ref     TEXT NOT NULL,                   -- what it is about: an alert, a delivery, a silence, a file
    content TEXT NOT NULL,                   -- JSON; of what is large, its SHA-256
    hash    BLOB NOT NULL
) STRICT;

ALTER TABLE file ADD COLUMN chain_number INTEGER NOT NULL DEFAULT 0;     -- the last event that was forgotten
ALTER TABLE file ADD COLUMN chain_hash BLOB;                             -- its hash; none while all are there
ALTER TABLE file ADD COLUMN chain_cut INTEGER;                           -- what was recorded before may be forgotten

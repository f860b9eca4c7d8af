-- Version 6: messages as they were handed to their receivers.

-- What the last attempt of a delivery handed over. Texts depend on the configuration, the time and the version of the program, so
-- that what was sent cannot be written again from the alert.
CREATE TABLE sent_message (
    delivery INTEGER PRIMARY KEY REFERENCES delivery (seq),
    at       INTEGER NOT NULL,
    message  BLOB NOT NULL                   -- JSON in the zlib format (RFC 1950)
) STRICT;

-- Version 7: days that were spikes.

-- The days on which a customer spent far more than usual, by the rules that say so, told or not. A rule needs them to know what is
-- usual, and whether people have been told already.
CREATE TABLE spike_day (
    customer INTEGER NOT NULL REFERENCES customer (id),
    rule     TEXT NOT NULL,
    day      TEXT NOT NULL,                  -- of the data, in UTC
    rate     TEXT NOT NULL,                  -- what was spent in 24 hours
    usual    TEXT NOT NULL,                  -- what was usual then
    told     TEXT,                           -- the excess that people were told of
    mark     TEXT,                           -- expected, fraud
    alert    BLOB,                           -- the last one about it
    ended    TEXT,                           -- the day on which its run was over
    ended_by TEXT,                           -- why: usual, new-normal, expected
    PRIMARY KEY (customer, rule, day)
) STRICT, WITHOUT ROWID;

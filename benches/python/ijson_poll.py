#!/usr/bin/env python3
"""The honest rival: the cron script of cron_poll.py, with records that ijson reads from the stream one by one.

usage: ijson_poll.py URL DATABASE ALERTS [history]

Compares each customer with 80, 100 and 150 % of the budget with exact decimals and keeps what was alerted before in SQLite (WAL,
synchronous=FULL), as cron_poll.py does. With `history` it writes besides, in one transaction, what the daemon's ledger has after its
first poll:

* a row of the customer: its key and a fingerprint of its record;
* a row of its state: id, name, plan, date, time of reading, cost, cost in US dollars, currency, percent, budget and billing period;
  with an index by how far it is over its budget;
* a row of history: date, time of reading, cost, cost in US dollars, budget and percent, by customer and date;
* for each customer over a step, an alert with its text, the steps that were reached, and the message and the delivery that are
  owed, each with the keys that keep it from being raised or sent twice.

It does not write what the daemon's ledger has beyond that: the chain of hashes over alerts and messages, the bytes of the message as
sent, and what tells the items apart in the next poll. It sends nothing. Prints counts as JSON.
"""

import json
import sqlite3
import sys
import time
import uuid
import zlib

import ijson
import requests

sys.dont_write_bytecode = True
from cron_poll import alert_line, crossed, open_database

TABLES = """
CREATE TABLE IF NOT EXISTS customer (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, fingerprint INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS state (
    customer INTEGER PRIMARY KEY, received_id TEXT, name TEXT, plan TEXT, usage_as_of TEXT, seen_at INTEGER, cost TEXT, usd_cost TEXT,
    currency TEXT, percent TEXT, budget TEXT, period_start INTEGER, period_end INTEGER, worst INTEGER
);
CREATE INDEX IF NOT EXISTS state_worst ON state (worst DESC, customer);
CREATE TABLE IF NOT EXISTS history (
    customer INTEGER, usage_as_of INTEGER, seen_at INTEGER, cost TEXT, usd_cost TEXT, budget TEXT, percent TEXT,
    PRIMARY KEY (customer, usage_as_of, seen_at)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alert (
    seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, customer INTEGER NOT NULL, rule TEXT, severity TEXT, state TEXT, raised_at INTEGER,
    snapshot TEXT
);
CREATE INDEX IF NOT EXISTS alert_by_customer ON alert (customer);
CREATE TABLE IF NOT EXISTS step (
    id INTEGER PRIMARY KEY, customer INTEGER, rule TEXT, at TEXT, period_start INTEGER, raised INTEGER, alert BLOB,
    UNIQUE (customer, rule, at, period_start)
);
CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY, identity BLOB NOT NULL UNIQUE, kind TEXT, alert BLOB);
CREATE TABLE IF NOT EXISTS delivery (
    seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, message INTEGER, notifier TEXT, state TEXT, created_at INTEGER, attempts INTEGER
);
CREATE INDEX IF NOT EXISTS delivery_owed ON delivery (notifier, seq) WHERE state = 'pending';
"""


def stream(url):
    response = requests.get(url, headers={"Authorization": "Bearer access", "Accept": "application/json"}, timeout=180, stream=True)
    response.raise_for_status()
    response.raw.decode_content = True
    return ijson.items(response.raw, "items.item", buf_size=65536)


class History:
    """What is written beside the alerts."""

    def __init__(self, database):
        self.database = database
        self.now = time.time_ns()

    def record(self, record):
        """Writes the customer, its state and its history; gives the row of the customer."""
        date, amount = record["lastModifiedDate"], record["budget"].get("amount")
        cost, dollars, percent = str(record["totalCost"]), str(record["usdTotalCost"]), str(record["percentUsed"])
        budget = None if amount is None else str(amount)
        day = int(date[8:10])
        as_of = ((day * 24 + int(date[11:13])) * 60 + int(date[14:16])) * 60 * 10**9
        fingerprint = zlib.crc32(f"{date}|{cost}|{percent}|{budget}".encode())
        execute = self.database.execute
        row = execute("INSERT INTO customer (key, fingerprint) VALUES (?, ?)", (record["resourceId"].lower(), fingerprint)).lastrowid
        execute(
            "INSERT INTO state VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (row, record["resourceId"], record["resourceName"], "azure" if record["isUpgraded"] else "legacy", date, self.now, cost, dollars,
             record.get("currencyCode"), percent, budget, 0, 30 * 86400 * 10**9, int(record["percentUsed"] * 100)),
        )
        execute("INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?)", (row, as_of, self.now, cost, dollars, budget, percent))
        return row

    def alert(self, row, steps, snapshot):
        """Writes an alert, the steps that it is about, its message and its delivery."""
        alert, execute = uuid.uuid4().bytes, self.database.execute
        execute(
            "INSERT INTO alert (id, customer, rule, severity, state, raised_at, snapshot) VALUES (?, ?, 'spend', ?, 'raised', ?, ?)",
            (alert, row, "critical" if steps[-1] >= 150 else "warning", self.now, snapshot),
        )
        for step in steps:
            execute("INSERT INTO step (customer, rule, at, period_start, raised, alert) VALUES (?, 'spend', ?, 0, 1, ?)", (row, str(step), alert))
        message = execute("INSERT INTO message (identity, kind, alert) VALUES (?, 'raised', ?)", (uuid.uuid4().bytes, alert)).lastrowid
        execute(
            "INSERT INTO delivery (id, message, notifier, state, created_at, attempts) VALUES (?, ?, 'itsm', 'pending', ?, 0)",
            (uuid.uuid4().bytes, message, self.now),
        )


def main(url, database_path, alerts_path, history=None):
    database = open_database(database_path)
    database.executescript(TABLES)
    history = History(database) if history == "history" else None
    records = over = new = 0
    with open(alerts_path, "a", encoding="utf-8") as alerts:
        for record in stream(url):
            records += 1
            row = history.record(record) if history else None
            steps = crossed(record)
            over += bool(steps)
            for threshold in steps:
                key = (record["resourceId"], threshold, record["lastModifiedDate"][:7])
                if database.execute("INSERT OR IGNORE INTO alerted VALUES (?, ?, ?)", key).rowcount == 1:
                    alerts.write(alert_line(record, threshold) + "\n")
                    new += 1
            if history and steps:
                history.alert(row, steps, alert_line(record, steps[-1]))
        alerts.flush()
        database.commit()
    database.close()
    print(json.dumps({"records": records, "over": over, "new": new, "backend": ijson.backend}))


if __name__ == "__main__":
    main(*sys.argv[1:])

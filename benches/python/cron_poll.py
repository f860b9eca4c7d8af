#!/usr/bin/env python3
"""What a partner would write instead: a cron script that alerts once per customer, threshold and month.

usage: cron_poll.py URL DATABASE ALERTS

Downloads the usage records with exact decimals, compares each customer with 80, 100 and 150 % of the budget, keeps in SQLite
what was alerted before (as durable as the daemon's ledger: WAL, synchronous=FULL) and appends each new alert to ALERTS as a
line of JSON. Prints counts as JSON.
"""

import json
import sqlite3
import sys
from decimal import Decimal

import requests

THRESHOLDS = (80, 100, 150)


def download(url):
    response = requests.get(url, headers={"Authorization": "Bearer access", "Accept": "application/json"}, timeout=180)
    response.raise_for_status()
    return json.loads(response.content.decode("utf-8-sig"), parse_float=Decimal)["items"]


def open_database(path):
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute(
        "CREATE TABLE IF NOT EXISTS alerted (customer TEXT, threshold INTEGER, month TEXT,"
        " PRIMARY KEY (customer, threshold, month)) WITHOUT ROWID"
    )
    return database


def crossed(record):
    if record["budget"].get("amount") is None:
        return ()
    return tuple(threshold for threshold in THRESHOLDS if record["percentUsed"] >= threshold)


def alert_line(record, threshold):
    return json.dumps(
        {
            "customer": record["resourceId"],
            "name": record["resourceName"],
            "threshold": threshold,
            "percent_used": str(record["percentUsed"]),
            "cost": str(record["totalCost"]),
            "budget": str(record["budget"]["amount"]),
            "currency": record.get("currencyCode"),
            "usage_as_of": record["lastModifiedDate"],
        }
    )


def main(url, database_path, alerts_path):
    records = download(url)
    database = open_database(database_path)
    customers = set()
    new = 0
    with open(alerts_path, "a", encoding="utf-8") as alerts:
        for record in records:
            for threshold in crossed(record):
                customers.add(record["resourceId"])
                key = (record["resourceId"], threshold, record["lastModifiedDate"][:7])
                if database.execute("INSERT OR IGNORE INTO alerted VALUES (?, ?, ?)", key).rowcount == 1:
                    alerts.write(alert_line(record, threshold) + "\n")
                    new += 1
        alerts.flush()
        database.commit()
    database.close()
    print(json.dumps({"records": len(records), "over": len(customers), "new": new}))


if __name__ == "__main__":
    main(*sys.argv[1:])

#!/usr/bin/env bash
# Runs the tests of the ledger, of polls and of deliveries with the ledger on a PostgreSQL server of their own, a schema for each.
# Left out is what looks into the ledger's file, and hundreds of polls that are about reading. Wants Debian's postgresql.
set -euo pipefail
cd "$(dirname "$0")/.."

programs=$(find /usr/lib/postgresql -maxdepth 2 -name bin | sort -V | tail -n 1)
folder=$(mktemp -d)
as=()
if [ "$(id -u)" -eq 0 ]; then
  # The server refuses to run as root.
  as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
  chown postgres "$folder"
fi
server() { (cd / && "${as[@]}" "$programs/$1" -D "$folder/data" "${@:2}"); }
end() {
  server pg_ctl -m immediate stop || true
  rm -rf "$folder"
}
trap end EXIT >/dev/null

server initdb -A trust -U budget >"$folder.log"
port=$((20000 + RANDOM % 10000))
server pg_ctl -w -l "$folder/log" start \
  -o "-p $port -k $folder -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=300" >>"$folder.log"
rm "$folder.log"

BUDGET_ALERTD_TEST_LEDGER=postgres://budget@127.0.0.1:$port/postgres cargo test --locked --test it "$@" -- \
  ledger::identities ledger::links ledger::listing ledger::overview ledger::owing ledger::recording \
  ledger::snapshots cycle:: delivery:: fallback:: operator:: pushing::audit pushing::awaited pushing::outcomes \
  security::again security::claims security::destinations security::reading security::sending security::switching \
  security::telling \
  --skip what_is_known_by_its_bytes_says_what_it_would_say \
  --skip a_poll_without_news_writes_nothing_into_the_ledger \
  --skip a_steady_poll_with_a_rule_about_spikes_writes_no_more \
  --skip what_is_known_is_kept_anew_only_where_there_is_news \
  --skip two_copies_of_a_ledger_give_the_same_identities \
  --skip without_a_ledger_there_is_nothing_to_read \
  --skip a_steady_poll_with_open_findings_writes_none \
  --skip what_ends_between_two_slices_is_gone_on_with \
  --skip an_incident_of_an_older_version_is_gone_on_with \
  --skip years_leave_what_is_kept_for_retention \
  --skip what_was_accepted_but_cannot_be_marked

#!/usr/bin/env bash
# PyMySQL: the connection's server_status says "no transaction" while one is open that has read.
#
# PyMySQL 1.2.4 with mariadb-server-core 1:10.11.19 (Debian 12), autocommit off: after a SELECT of an
# InnoDB table the server has begun a transaction (@@in_transaction is 1, and the snapshot stays as
# it was), but SERVER_STATUS_IN_TRANS is not set in connection.server_status. The status that the
# server sends behind a result set stays with the result; only that of answers without rows, such as
# that to an UPDATE, reaches the connection.
# A pool that rolls back only where that flag is set hands on a transaction with an old snapshot.
# Run on Debian 12 as a user who may read its package archive.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
version=1:10.11.19-0+deb12u1
(cd "$folder" && apt-get download -q "mariadb-server-core=$version" "mariadb-client-core=$version" >/dev/null 2>&1)
for package in "$folder"/*.deb; do dpkg -x "$package" "$folder/debian"; done
mkdir "$folder/run"
"$folder/debian/usr/bin/mariadb-install-db" --no-defaults --basedir="$folder/debian/usr" \
  --datadir="$folder/data" --skip-test-db --auth-root-authentication-method=normal \
  --tmpdir="$folder/run" --user="$(id -un)" >"$folder/log" 2>&1
"$folder/debian/usr/sbin/mariadbd" --no-defaults --basedir="$folder/debian/usr" \
  --datadir="$folder/data" --tmpdir="$folder/run" --skip-networking \
  --socket="$folder/run/s" --pid-file="$folder/run/pid" --user="$(id -un)" >>"$folder/log" 2>&1 &
server=$!
for _ in $(seq 300); do [ -S "$folder/run/s" ] && break; sleep 0.1; done
[ -S "$folder/run/s" ] || { echo "it did not start:"; tail -n 3 "$folder/log"; exit 1; }
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check PyMySQL==1.2.4
status=0
"$folder/venv/bin/python" - "$folder/run/s" <<'PYTHON' || status=$?
import sys
from importlib.metadata import version

import pymysql
from pymysql.constants import SERVER_STATUS

connection = pymysql.connect(unix_socket=sys.argv[1], user="root", autocommit=False)
other = pymysql.connect(unix_socket=sys.argv[1], user="root", autocommit=True)
with other.cursor() as cursor:
    cursor.execute("CREATE DATABASE d")
    cursor.execute("CREATE TABLE d.t (id INT PRIMARY KEY) ENGINE=InnoDB")
    cursor.execute("INSERT INTO d.t VALUES (1)")


def flag():
    return bool(connection.server_status & SERVER_STATUS.SERVER_STATUS_IN_TRANS)


def ask(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()


ask("SELECT COUNT(*) FROM d.t")
after_select = flag()
with other.cursor() as cursor:
    cursor.execute("INSERT INTO d.t VALUES (2)")
(seen,) = ask("SELECT COUNT(*) FROM d.t")
(is_open,) = ask("SELECT @@in_transaction")
ask("UPDATE d.t SET id = 3 WHERE id = 1")
after_update = flag()
connection.rollback()
print(f"PyMySQL {version('PyMySQL')}; rows seen: {seen} of 2; @@in_transaction: {is_open}")
print(f"flag after SELECT: {after_select}; after UPDATE: {after_update}; after rollback: {flag()}")
expected = (seen, is_open, after_select, after_update, flag()) == (1, 1, False, True, False)
sys.exit(0 if expected else 1)
PYTHON
kill "$server"; wait "$server" || true
[ "$status" -eq 0 ] || { echo "that has changed"; exit 1; }

#!/usr/bin/env bash
# MariaDB: INSERT (a, b, c) ... ON DUPLICATE KEY UPDATE c = 5 asks for UPDATE on a and b as well.
#
# mariadb-server-core 1:10.11.19 (Debian 12): an account that has INSERT on a table, and UPDATE on
# its column c only, may run INSERT ... VALUES ... ON DUPLICATE KEY UPDATE c = 5, which updates
# nothing but c. The same statement with the columns listed after the table's name is refused:
# ERROR 1143, UPDATE command denied for column 'a', though neither updates a.
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
"$folder/debian/usr/sbin/mariadbd" --version
"$folder/debian/usr/sbin/mariadbd" --no-defaults --basedir="$folder/debian/usr" \
  --datadir="$folder/data" --tmpdir="$folder/run" --skip-networking \
  --socket="$folder/run/s" --pid-file="$folder/run/pid" --user="$(id -un)" >>"$folder/log" 2>&1 &
server=$!
for _ in $(seq 300); do [ -S "$folder/run/s" ] && break; sleep 0.1; done
[ -S "$folder/run/s" ] || { echo "it did not start:"; tail -n 3 "$folder/log"; exit 1; }
run() { "$folder/debian/usr/bin/mariadb" --no-defaults --socket="$folder/run/s" "$@"; }
run -uroot -e "CREATE DATABASE d; CREATE TABLE d.t (a INT, b INT, c INT, PRIMARY KEY (a, b));
  CREATE USER u@localhost IDENTIFIED BY 'x'; GRANT SELECT, INSERT, UPDATE (c) ON d.t TO u@localhost"
end="VALUES (1, 1, 1), (1, 2, 1) ON DUPLICATE KEY UPDATE c = 5"
without=0; run -uu -px -e "INSERT INTO d.t $end" || without=$?
with=0; run -uu -px -e "INSERT INTO d.t (a, b, c) $end" || with=$?
kill "$server"; wait "$server" || true
[ "$without" = 0 ] || { echo "refused without a list of columns as well now"; exit 1; }
[ "$with" != 0 ] || { echo "allowed with a list of columns now"; exit 1; }
echo "allowed without a list of columns, refused with one"

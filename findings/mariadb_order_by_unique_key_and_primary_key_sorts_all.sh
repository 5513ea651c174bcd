#!/usr/bin/env bash
# MariaDB: ORDER BY a unique key LIMIT 10 reads ten rows; with the primary key after it, all rows.
#
# mariadb-server-core 1:10.11.19 (Debian 12): "name" is UNIQUE NOT NULL, so nothing that follows it
# in ORDER BY changes the order. ORDER BY name LIMIT 10 is read from the index; ORDER BY name, id
# LIMIT 10 reads the whole index and sorts, although InnoDB's index ends with the primary key.
# (With an index that is not unique, ORDER BY name, id is read from it.) Who ends each order with
# the primary key, for pages by key, has to leave it out after a unique key.
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
ask() { "$folder/debian/usr/bin/mariadb" --no-defaults --socket="$folder/run/s" --user=root --batch --skip-column-names -e "$1"; }
ask "CREATE DATABASE d; USE d;
  CREATE TABLE image (id INT PRIMARY KEY, name VARCHAR(40) NOT NULL, series INT NOT NULL,
    UNIQUE KEY (name), KEY (series)) ENGINE=InnoDB;
  INSERT INTO image SELECT seq, MD5(seq), seq DIV 5 FROM seq_1_to_100000; ANALYZE TABLE image;" >/dev/null
read_by() { ask "USE d; FLUSH STATUS; SELECT id FROM image ORDER BY $1 LIMIT 10; SHOW SESSION STATUS LIKE 'Handler_read%'" | awk '/Handler/ {n += $2} END {print n}'; }
unique=$(read_by "name"); both=$(read_by "name, id"); plain=$(read_by "series, id")
kill "$server"; wait "$server" || true
echo "rows read for ten: by a unique key $unique, and the primary key after it $both; by another index and the primary key $plain"
if [ "$unique" -gt 100 ] || [ "$plain" -gt 100 ] || [ "$both" -lt 100000 ]; then
  echo "that has changed"; exit 1
fi

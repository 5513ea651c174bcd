#!/usr/bin/env bash
# MariaDB: WHERE EXISTS (…) reads every row once the query stands in FROM (…) and is merged.
#
# mariadb-server-core 1:10.11.19 (Debian 12): a correlated EXISTS becomes a semi-join, and one row
# of a hundred thousand is found by the index of the table inside. Within
# SELECT COUNT(*) FROM (SELECT 1 FROM image WHERE EXISTS …) AS some, which is what SQLAlchemy's
# select(func.count()).select_from(statement.subquery()) sends, the derived table is merged, the
# EXISTS stays a dependent subquery, and all rows are read. SELECT COUNT(*) FROM image WHERE
# EXISTS … does not, nor does a derived table with a LIMIT, which is not merged.
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
  CREATE TABLE image (id INT PRIMARY KEY, x INT) ENGINE=InnoDB;
  CREATE TABLE mask (id INT PRIMARY KEY, image INT, person INT, KEY (image), KEY (person)) ENGINE=InnoDB;
  INSERT INTO image SELECT seq, seq FROM seq_1_to_100000;
  INSERT INTO mask SELECT seq, seq, seq FROM seq_1_to_1000; ANALYZE TABLE image, mask;" >/dev/null
where="FROM image WHERE EXISTS (SELECT 1 FROM mask WHERE mask.image = image.id AND mask.person = 3)"
read_by() { ask "USE d; FLUSH STATUS; $1; SHOW SESSION STATUS LIKE 'Handler_read%'" | awk '/Handler/ {n += $2} END {print n}'; }
alone=$(read_by "SELECT COUNT(*) $where")
derived=$(read_by "SELECT COUNT(*) FROM (SELECT 1 $where) AS some")
limited=$(read_by "SELECT COUNT(*) FROM (SELECT 1 $where LIMIT 1000) AS some")
kill "$server"; wait "$server" || true
echo "rows read for one that is found: $alone; in a derived table: $derived; with a LIMIT: $limited"
if [ "$alone" -gt 100 ] || [ "$limited" -gt 100 ] || [ "$derived" -lt 100000 ]; then
  echo "that has changed"; exit 1
fi

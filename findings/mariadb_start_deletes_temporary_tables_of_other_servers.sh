#!/usr/bin/env bash
# MariaDB: a server that starts deletes the temporary tables of every server with the same tmpdir.
#
# mariadb-server-core 1:10.11.19 (Debian 12): when mariadbd starts, it deletes each file in its
# tmpdir whose name begins with "#sql", without looking whose it is. tmpdir is /tmp unless
# somebody says otherwise, for all servers of a machine. So a second server, started for a test
# beside the one that is at work, takes away the internal tables of its running statements, and
# those fail now and then: (6, "Error on delete of '/tmp/#sql-temptable-….MAI' (Errcode: 2)").
# A server for the moment needs a tmpdir of its own (TMPDIR, or --tmpdir).
# Run on Debian 12 as a user who may read its package archive.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
version=1:10.11.19-0+deb12u1
(cd "$folder" && apt-get download -q "mariadb-server-core=$version" "mariadb-client-core=$version" >/dev/null 2>&1)
for package in "$folder"/*.deb; do dpkg -x "$package" "$folder/debian"; done
mkdir "$folder/shared_tmp" "$folder/run"
"$folder/debian/usr/bin/mariadb-install-db" --no-defaults --basedir="$folder/debian/usr" \
  --datadir="$folder/data" --skip-test-db --auth-root-authentication-method=normal \
  --tmpdir="$folder/run" --user="$(id -un)" >"$folder/log" 2>&1
"$folder/debian/usr/sbin/mariadbd" --version
theirs="$folder/shared_tmp/#sql-temptable-1-2-3.MAI"
touch "$theirs" "$folder/shared_tmp/other"
"$folder/debian/usr/sbin/mariadbd" --no-defaults --basedir="$folder/debian/usr" \
  --datadir="$folder/data" --tmpdir="$folder/shared_tmp" --skip-networking \
  --socket="$folder/run/s" --pid-file="$folder/run/pid" --user="$(id -un)" >>"$folder/log" 2>&1 &
server=$!
for _ in $(seq 300); do [ -S "$folder/run/s" ] && break; sleep 0.1; done
[ -S "$folder/run/s" ] || { echo "it did not start:"; tail -n 3 "$folder/log"; exit 1; }
echo "left in the shared tmpdir after the start: $(ls "$folder/shared_tmp" | tr '\n' ' ')"
kill "$server"; wait "$server" || true
[ -e "$folder/shared_tmp/other" ] || { echo "it deletes other files as well now"; exit 1; }
if [ -e "$theirs" ]; then echo "another server's table is left alone now"; exit 1; fi
echo "the other server's table is gone"

#!/bin/sh
# Installs the PostgreSQL servers of other majors and the dbmate that tests and benchmarks use, and
# prints the folder they are in: FOLDER/node_modules/postgresql-16/native/bin/postgres and
# FOLDER/node_modules/dbmate/bin/dbmate. Their versions stand in package.json beside this script.
#
# They live outside the clone: the servers run as a user who may not be able to read it.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
say() { echo "servers.sh: $*" >&2; }

if [ "$(id -u)" = 0 ]; then
    cache=/var/cache/vaxdb-test
else
    cache=${XDG_CACHE_HOME:-$HOME/.cache}/vaxdb-test
fi
wanted=$(cat "$here/package.json" "$here/package-lock.json" | sha256sum | cut -c1-12)
folder=$cache/servers-$wanted
if [ -e "$folder/installed" ]; then
    echo "$folder"
    exit 0
fi

command -v npm >/dev/null || { say "npm is missing; ./run test installs it"; exit 1; }
umask 022
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
if [ ! -e "$folder/installed" ]; then
    say "installing PostgreSQL 13, 14, 16, 17, 18 and dbmate from npm into $folder (300 MB)"
    rm -rf "$folder"
    mkdir -p "$folder"
    cp "$here/package.json" "$here/package-lock.json" "$here/../.npmrc" "$folder/"
    # The links between the shared libraries are made by the packages' install step, which newer
    # versions of npm may not run by themselves.
    (cd "$folder" && npm ci --no-progress --loglevel=error >&2)
    for package in "$folder"/node_modules/postgresql-*; do
        (cd "$package" && node scripts/hydrate-symlinks.js)
        "$package/native/bin/postgres" --version >&2
    done
    touch "$folder/installed"
fi
echo "$folder"

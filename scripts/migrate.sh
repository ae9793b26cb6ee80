#!/bin/sh
# Runs pending migrations.
#   migrate.sh production
set -u
usage="usage: migrate.sh ENVIRONMENT [FLAGS of vaxdb migrate up]"
# shellcheck source=scripts/common.sh
. "$(dirname "$(readlink -f "$0")")/common.sh"
prepare "$@"
env=$1
shift

# Without a configuration the program would look for migrations in the working directory only.
if [ -z "$config" ] && [ -z "${VAXDB_MIGRATIONS:-}" ] && [ ! -d backend/database/migrations ] &&
    [ -d "$root/backend/database/migrations" ]; then
    VAXDB_MIGRATIONS=$root/backend/database/migrations
    export VAXDB_MIGRATIONS
fi
run_vaxdb migrate up --env "$env" "$@"

#!/bin/sh
# Puts a backup in the place of a database: see `vaxdb restore --help` for the five steps.
#   restore-db.sh staging /backups/vaxtrace-production-20240101-120000.sql.gz
set -u
usage="usage: restore-db.sh ENVIRONMENT FILE [FLAGS of vaxdb restore]"
# shellcheck source=scripts/common.sh
. "$(dirname "$(readlink -f "$0")")/common.sh"
check_environment "$@"
[ -n "${2:-}" ] || fail "which backup?" "$usage"
prepare "$@"
env=$1
shift

run_vaxdb restore --env "$env" "$@"

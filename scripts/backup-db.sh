#!/bin/sh
# Backs a database up and deletes backups that are old enough. For cron, every night at two:
#   0 2 * * * /path/to/scripts/backup-db.sh production
set -u
usage="usage: backup-db.sh ENVIRONMENT [FLAGS of vaxdb backup create]"
# shellcheck source=scripts/common.sh
. "$(dirname "$(readlink -f "$0")")/common.sh"
prepare "$@"
env=$1
shift

run_vaxdb backup create --env "$env" "$@" || exit
# A new backup is safe: that an old one could not be deleted must not look like a failed backup.
if [ $# -eq 0 ] && ! url='' run_vaxdb backup prune --quiet --env "$env" >/dev/null; then
    echo "warning: old backups could not be deleted (see above)" >&2
fi

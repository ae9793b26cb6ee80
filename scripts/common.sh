# shellcheck shell=sh
# What the guide's three scripts share: they find the program, the configuration and the database,
# and leave everything else to the program. Read by them, not run.
#
#   VAXDB          the program; without it ../build/vaxdb beside the scripts, else the one in PATH
#   DB_HOST, DB_NAME                a database outside the configuration: both or neither
#   DB_PORT, DB_USER, DB_PASSWORD   complete it
#   BACKUP_BUCKET  bucket of S3 that backups are pushed to

fail() {
    echo "error: $1" >&2
    [ $# -lt 2 ] || echo "hint: $2" >&2
    exit 2
}

: "${usage:?a script sets it before it reads this}"
here=$(dirname "$(readlink -f "$0")")
root=$(dirname "$here")

find_program() {
    if [ -n "${VAXDB:-}" ]; then
        program=$VAXDB
    elif [ -x "$root/build/vaxdb" ]; then
        program=$root/build/vaxdb
    else
        program=$(command -v vaxdb) || fail "vaxdb was not found" "build it: $root/run build"
    fi
}

# The configuration: $VAXDB_CONFIG, the working directory, beside the scripts, then where the program
# looks by itself. Sets config to a file, or to nothing.
find_config() {
    config=${VAXDB_CONFIG:-}
    [ -z "$config" ] || return 0 # named, so it must be there: the program says when it is not
    for candidate in ./vaxdb.ini "$here/vaxdb.ini" "$root/vaxdb.ini" \
        "${XDG_CONFIG_HOME:-${HOME:-/nonexistent}/.config}/vaxdb/vaxdb.ini" /etc/vaxdb/vaxdb.ini; do
        if [ -f "$candidate" ]; then
            config=$candidate
            return
        fi
    done
}

# A value of a conninfo: in quotes, with quotes and backslashes escaped.
quoted() {
    printf "'%s'" "$(printf '%s' "$1" | sed "s/[\\\\']/\\\\&/g")"
}

# Sets url from DB_*; the password goes by the environment, where no list of processes shows it.
find_database() {
    url=
    if [ -z "${DB_HOST:-}" ] && [ -z "${DB_NAME:-}" ]; then
        [ -n "$config" ] || fail "no database is configured" \
            "set DB_HOST and DB_NAME, or write a vaxdb.ini: vaxdb init"
        return
    fi
    [ -n "${DB_HOST:-}" ] || fail "DB_NAME is set but DB_HOST is not" "set both, or neither"
    [ -n "${DB_NAME:-}" ] || fail "DB_HOST is set but DB_NAME is not" "set both, or neither"
    url="host=$(quoted "$DB_HOST") dbname=$(quoted "$DB_NAME")"
    [ -z "${DB_PORT:-}" ] || url="$url port=$(quoted "$DB_PORT")"
    [ -z "${DB_USER:-}" ] || url="$url user=$(quoted "$DB_USER")"
    if [ -n "${DB_PASSWORD:-}" ]; then
        PGPASSWORD=$DB_PASSWORD
        export PGPASSWORD
    fi
}

# vaxdb WORDS... with configuration and database.
run_vaxdb() {
    [ -z "$url" ] || set -- "$@" --url "$url"
    [ -z "$config" ] || set -- "$@" --config "$config"
    "$program" "$@"
}

# The first argument of every script.
check_environment() {
    case ${1:-} in
    development | staging | production | test) ;;
    -h | --help | '')
        echo "$usage" >&2
        [ -n "${1:-}" ] || exit 2
        exit 0
        ;;
    *) fail "there is no environment \"$1\"" "development, staging, production or test" ;;
    esac
}

prepare() {
    check_environment "$@"
    find_program
    find_config
    find_database
}

# Sourced by ./run: Debian packages and system users, installed when they are missing.
# shellcheck shell=sh disable=SC2034,SC2086 # lists of names are split on purpose

packages_build='gcc libc6-dev meson ninja-build pkg-config python3 libpq-dev libsqlite3-dev
    libjansson-dev libssl-dev libisal-dev libdeflate-dev libidn-dev libpg-query-dev
    libcurl4-openssl-dev'
packages_server='postgresql-15 postgresql-15-hypopg'
packages_unit='libcmocka-dev'
packages_test='python3-pytest python3-pytest-timeout python3-pytest-xdist python3-psycopg git
    groff-base zsh pgbouncer openssh-server'
# A server that speaks S3, and Amazon's own client.
packages_s3='swift-proxy swift-account swift-container swift-object awscli'
# Whose histories vaxdb adopts, and whose speed it is measured against.
packages_rivals='sqitch libdbd-pg-perl'
packages_bench='python3-psycopg pigz zstd'
packages_lint='clang-format clang-tidy cppcheck shellcheck pyflakes3'
packages_fuzz='clang libclang-rt-14-dev'

# How to become root, in $root: nothing to do, or sudo (which asks only on a terminal).
become_root() {
    root=
    [ "$(id -u)" != 0 ] || return 0
    if ! command -v sudo >/dev/null; then
        say "root is needed for:  $*"
        say "there is no sudo here: run that as root, then this again"
        exit 2
    fi
    root='sudo -n'
    [ ! -t 0 ] || root=sudo
    $root true || exit 2
}

# Prints those of the packages that are not installed.
missing_packages() {
    for package in "$@"; do
        state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) || state=absent
        [ "$state" = installed ] || printf '%s ' "$package"
    done
}

# The tests want PgBouncer, Swift and sshd as programs. Their packages would start services, now and at each
# boot. Prints those of the packages named. A mask in /run is gone at the next boot even if we are
# killed here.
services_of() {
    [ -d /run/systemd/system ] || return 0
    for package in "$@"; do
        case $package in
        pgbouncer | swift-proxy) echo $package ;;
        openssh-server) echo ssh ;;
        swift-account) echo swift-account swift-account-auditor swift-account-reaper \
            swift-account-replicator ;;
        swift-container) echo swift-container swift-container-auditor swift-container-reconciler \
            swift-container-replicator swift-container-sharder swift-container-sync \
            swift-container-updater ;;
        swift-object) echo swift-object swift-object-auditor swift-object-reconstructor \
            swift-object-replicator swift-object-updater ;;
        esac
    done
}

# Debian's postgresql starts a cluster of its own on port 5432 unless told not to. The setting is
# ours, so it goes again after: what the owner of the machine installs later behaves as ever.
install_packages() {
    folder=/etc/postgresql-common/createcluster.d
    $root apt-get -q update || return 1
    $root mkdir -p $folder || return 1
    echo 'create_main_cluster = false' | $root tee $folder/vaxdb.conf >/dev/null || return 1
    services=$(services_of "$@")
    [ -z "$services" ] || $root systemctl --quiet mask --runtime $services || return 1
    status=0
    # env, because sudo does not pass variables on.
    $root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 \
        --no-install-recommends install "$@" || status=1
    if [ -n "$services" ]; then
        $root systemctl --quiet disable $services || status=1
        $root systemctl --quiet unmask --runtime $services || status=1
    fi
    $root rm -f $folder/vaxdb.conf
    $root rmdir --ignore-fail-on-non-empty $folder /etc/postgresql-common
    return $status
}

# Installs what is missing of the packages, and says so.
need_packages() {
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    say "installing Debian packages: $missing"
    become_root apt-get install $missing
    mkdir -p .cache
    if ! install_packages $missing >.cache/install.log 2>&1 </dev/null; then
        tail -n 20 .cache/install.log >&2
        say 'the packages could not be installed (the whole log: .cache/install.log)'
        exit 1
    fi
}

# npm comes with Node.js from other sources than Debian, where no package is called npm.
need_npm() {
    command -v npm >/dev/null || need_packages nodejs npm ca-certificates
}

# PostgreSQL refuses root: run by root, private clusters belong to vaxdb, and restored SQL runs in
# clusters of vaxdb-drill. Run by anyone else they are the caller's and no user is needed.
need_users() {
    [ "$(id -u)" = 0 ] || return 0
    for user in vaxdb vaxdb-drill; do
        if ! getent passwd $user >/dev/null; then
            say "creating the system user $user"
            useradd --system --user-group --no-create-home --home-dir /nonexistent \
                --shell /usr/sbin/nologin $user
        fi
    done
}

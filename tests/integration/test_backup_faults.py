"""What must never happen to backups: damage that verify misses, a last good one that is pruned, a
password that gets out, a restore that leaves no database, a drill that touches anything else.

$VAXDB_DAMAGES sets how many ways of damage are tried, $VAXDB_CUTS how many of a restore's messages
the network is cut at; $VAXDB_FAULT_SEED repeats them."""

import gzip
import os
import random
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from support.backups import NASTY, databases, fill, fingerprint, rewrite_manifest
from support.program import binary
from support.waiting import wait_until
from support.wire import HOW, Wire

DAMAGES = int(os.environ.get("VAXDB_DAMAGES", "400"))
CUTS = int(os.environ.get("VAXDB_CUTS", "8"))
SEED = int(os.environ.get("VAXDB_FAULT_SEED", random.randrange(10**6)))
PG_BINDIR = Path("/usr/lib/postgresql/15/bin")


def create(vaxdb, database, *more, **kwargs):
    command = ("backup", "create", "-e", "production", "--url", database.url, "--json", *more)
    return Path(vaxdb.ok(*command, **kwargs).json["file"])


def scratches(server):
    return {name for name in databases(server) if name.startswith("vaxdb_")}


@pytest.mark.slow
def test_no_damage_is_missed(vaxdb, database, scratch):
    """Of a real backup with everything in it: flipped bits and cuts, with its manifest and alone."""
    fill(database, rows=5000, sql=NASTY)
    path = create(vaxdb, database)
    for file in path.parent.iterdir():
        shutil.copy(file, scratch)
    before = {file.name: file.read_bytes() for file in scratch.iterdir()}
    program = binary().parent / "tests/soak/damage"
    done = subprocess.run(
        [program, scratch / path.name, str(DAMAGES), str(SEED)], capture_output=True, text=True
    )
    print(f"VAXDB_FAULT_SEED={SEED}")
    assert done.returncode == 0, done.stdout + done.stderr
    (flips, cuts, missed) = map(int, re.findall(r"\d+", done.stdout))
    assert (flips + cuts, missed) == (DAMAGES, 0)
    assert flips > cuts > DAMAGES // 5 and len(before) == 4
    assert {file.name: file.read_bytes() for file in scratch.iterdir()} == before


# ---- a disk that fails -------------------------------------------------------------------------

FAILING_DISK = r"""
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <stdio.h>

static int is_meant(int descriptor, const char *variable)
{
    char link[64], path[4096];
    const char *end = getenv(variable);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", descriptor);
    ssize_t got = end ? readlink(link, path, sizeof(path) - 1) : -1;
    if (got < 0 || (size_t)got < strlen(end))
        return 0;
    path[got] = 0;
    return strcmp(path + got - strlen(end), end) == 0;
}

int fsync(int descriptor)
{
    if (is_meant(descriptor, "FAIL_SYNC_OF")) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, descriptor);
}

ssize_t write(int descriptor, const void *bytes, size_t length)
{
    if (length > 1000 && is_meant(descriptor, "SHORT_WRITES_OF"))
        length = 1000;
    return syscall(SYS_write, descriptor, bytes, length);
}
"""


@pytest.fixture
def failing_disk(scratch):
    (scratch / "disk.c").write_text(FAILING_DISK)
    library = scratch / "disk.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, scratch / "disk.c"], check=True)
    sanitizer = f"{os.environ['ASAN_OPTIONS']}:verify_asan_link_order=0"
    return {"LD_PRELOAD": str(library), "ASAN_OPTIONS": sanitizer}


def test_a_disk_that_fails_leaves_nothing(vaxdb, database, scratch, failing_disk):
    """EIO on fsync: the data may never reach the disk, however well it was written."""
    fill(database)
    folder = scratch / "backups"
    command = ("backup", "create", "-e", "production", "--url", database.url, "--dir", folder)
    for name in (".sql.gz.partial", ".sql.gz.json.partial", ".sql.gz.sha256", "/backups"):
        outcome = vaxdb.fails(1, *command, env={**failing_disk, "FAIL_SYNC_OF": name})
        assert "Input/output error" in outcome.stderr
        assert not any(folder.iterdir()), name
    outcome = vaxdb.ok(*command, "--json", env={**failing_disk, "SHORT_WRITES_OF": ".partial"})
    vaxdb.ok("backup", "verify", outcome.json["file"])


# ---- prune -------------------------------------------------------------------------------------


def test_what_the_disk_has_damaged_since_makes_nothing_go(vaxdb, database):
    """It was verified and has its size still; only its bytes tell."""
    fill(database)
    good = create(vaxdb, database)
    database.execute("DELETE FROM stock WHERE id = 1")  # or both would be the same bytes
    rotten = create(vaxdb, database)

    def years_ago(years):
        def change(manifest):
            for part, key in ((manifest, "finished_at"), (manifest["snapshot"], "at")):
                part[key] = f"{int(part[key][:4]) - years}-06-01T00:00:00Z"

        return change

    rewrite_manifest(Path(f"{good}.json"), years_ago(20))
    rewrite_manifest(Path(f"{rotten}.json"), years_ago(19))
    assert vaxdb.ok("backup", "verify", rotten).status == 0
    prune = ("backup", "prune", "-e", "production", "--keep-min", "1", "--keep-yearly", "0", "--json")
    planned = vaxdb.ok(*prune, "--dry-run").json["removed"]
    assert [row["file"] for row in planned] == [good.name]
    data = bytearray(rotten.read_bytes())
    data[len(data) // 2] ^= 1
    rotten.write_bytes(data)
    for more in (("--dry-run",), ()):
        outcome = vaxdb.ok(*prune, *more)
        assert not outcome.json["removed"] and f"{rotten.name} was verified" in outcome.stderr
    assert good.exists() and rotten.exists()
    shown = {row["file"]: row["verified"] for row in vaxdb.ok("backup", "list", "--json").json["backups"]}
    assert shown == {good.name: True, rotten.name: False}


def test_a_backup_that_is_being_made_is_not_pruned(vaxdb, database, scratch):
    fill(database)
    go = scratch / "go"
    tool = scratch / "pg_dump"
    tool.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] || while [ ! -e {go} ]; do sleep 0.05; done\n'
        f'exec {PG_BINDIR}/pg_dump "$@"\n'
    )
    tool.chmod(0o755)
    folder = scratch / "backups"
    command = ("backup", "create", "-e", "production", "--url", database.url, "--dir", folder, "--json")
    process = vaxdb.start(*command, env={"VAXDB_PG_BINDIR": str(scratch)})
    wait_until(lambda: folder.exists() and any(folder.glob(".*.sql.gz.partial")))
    begun = sorted(folder.iterdir())
    pruned = vaxdb.ok("backup", "prune", "-e", "production", "--dir", folder, "--json").json
    assert not pruned["removed"] and not pruned["kept"] and sorted(folder.iterdir()) == begun
    go.touch()
    made = vaxdb.finish(process)
    assert made.status == 0, made
    vaxdb.ok("backup", "verify", made.json["file"])


# ---- secrets -----------------------------------------------------------------------------------


def tools_that_look_around(folder):
    """pg_dump and pg_restore that first note the arguments of every process there is."""
    folder.mkdir()
    seen = folder / "processes"
    for name in ("pg_dump", "pg_restore"):
        tool = folder / name
        tool.write_text(
            f"#!/bin/sh\ncat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' >>{seen}\n"
            f'exec {PG_BINDIR}/{name} "$@"\n'
        )
        tool.chmod(0o755)
    return seen


def test_a_password_stays_where_it_was_given(vaxdb, database, server, scratch):
    role, secret = f"boss_of_{database.name}", "Unm1stakable"
    server.execute(f"CREATE ROLE {role} SUPERUSER LOGIN PASSWORD '{secret}'")
    try:
        fill(database)
        url = server.url(database.name, user=role, password=secret)
        ini = vaxdb.write_config(staging=url, production=url)
        seen = tools_that_look_around(scratch / "bin")
        more = {"env": {"VAXDB_PG_BINDIR": str(scratch / "bin")}}
        path = vaxdb.ok("backup", "create", "-e", "production", "-v", "--json", **more).json["file"]
        said = []
        for command in (
            ("backup", "verify", "--level", "4", "-e", "production"),
            ("restore", path, "-e", "production", "--confirm", database.name),
            ("restore", path, "-e", "staging", "--database", "no/such\n", "-y"),
            ("drill", "show", "--html", scratch / "drill.html"),
            ("backup", "show", path),
            ("config", "show"),
        ):
            outcome = vaxdb(*command, "-v", **more)
            said += [outcome.stdout, outcome.stderr]
        server.execute(f"ALTER ROLE {role} PASSWORD 'another'")
        said.append(vaxdb.fails(5, "backup", "create", "-e", "production", "-v", **more).stderr)
        assert "Unm1" not in "".join(said)
        noted = seen.read_text(errors="replace")
        assert "pg_dump" in noted and secret not in noted
        files = [file for file in vaxdb.folder.rglob("*") if file.is_file() and file != ini]
        files += [file for file in scratch.rglob("*") if file.is_file()]
        assert Path(f"{path}.json") in files
        for file in files:
            assert secret.encode() not in file.read_bytes(), file
        assert secret.encode() not in gzip.decompress(Path(path).read_bytes())
    finally:
        database.drop()
        server.execute(f"DROP ROLE {role}")


# ---- restore -----------------------------------------------------------------------------------


@pytest.fixture
def target(new_database):
    made = new_database()
    fill(made, rows=50)
    return made


def test_a_step_that_fails_leaves_the_database(vaxdb, database, target, server, scratch):
    fill(database)
    path = create(vaxdb, database)
    before = fingerprint(target)
    command = ("restore", path, "-e", "staging")

    def fails(status, message, *more, url=target.url, env=None):
        outcome = vaxdb.fails(status, *command, "--url", url, *more, env=env)
        assert message in outcome.stderr, outcome
        assert fingerprint(target) == before
        assert not scratches(server)

    # 1: no backup of what is there
    tool = scratch / "pg_dump"
    tool.write_text(
        f'#!/bin/sh\n[ "$1" != --version ] || exec {PG_BINDIR}/pg_dump "$@"\necho oh no >&2\nexit 3\n'
    )
    tool.chmod(0o755)
    fails(1, "nothing was changed", env={"VAXDB_PG_BINDIR": str(scratch)})
    # 2: no new database
    role = f"modest_{target.name}"
    server.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'm'")
    try:
        url = server.url(target.name, user=role, password="m")
        fails(1, "permission denied to create database", "--no-safety-backup", "a test", url=url)
    finally:
        server.execute(f"DROP ROLE {role}")
    # 4: what was restored is not what is wanted
    vaxdb.write_config("[vaxdb]\ncritical_tables = stock, patients\n")
    fails(4, "lacks the critical table patients")
    vaxdb.write_config("[vaxdb]\ncritical_tables = stock, public.stock\n")
    kept = vaxdb.ok(*command, "--url", target.url, "--keep-old", "--json").json["kept_old"]
    try:
        again = vaxdb.ok(*command, "--url", target.url, "--no-safety-backup", "a test")
        assert f"{kept} is still there" in again.stderr
    finally:
        server.execute(f'DROP DATABASE "{kept}"')


@pytest.mark.slow
def test_a_restore_cut_anywhere_leaves_a_database(vaxdb, database, target, server):
    """The network ends at a message, or the program: what has the name then is the old database or
    the new one."""
    chance = random.Random(SEED)
    print(f"VAXDB_FAULT_SEED={SEED}")
    fill(database, rows=300)
    path = create(vaxdb, database)
    old, new = fingerprint(target)[1], fingerprint(database)[1]
    wire = Wire(server)
    command = ("restore", path, "-e", "staging", "--url", wire.url(target), "--no-safety-backup", "a test")
    try:
        vaxdb.ok(*command)
        last = wire.messages
        near_the_end = range(max(1, last - CUTS // 2), last + 1)  # where the swap is
        cuts = [*near_the_end, *(chance.randrange(1, last) for _ in range(CUTS - len(near_the_end)))]
        ends = set()
        for number, cut in enumerate(cuts):
            if fingerprint(target)[1] == new:
                target.drop()
                target.create()
                fill(target, rows=50)
                old = fingerprint(target)[1]
            process = vaxdb.start(*command)
            killed = number % 2
            wire.cut_at(cut, HOW[number % len(HOW)], process.kill if killed else None)
            outcome = vaxdb.finish(process)
            wire.mend()
            content = fingerprint(target)[1]
            assert content in (old, new), (cut, outcome)
            assert outcome.status in (0, 1, 5, -signal.SIGKILL), (cut, outcome)
            assert outcome.status or content == new, (cut, outcome)
            ends.add((outcome.status == 0, content == new))
            kept = {name for name in databases(server) if name.startswith(f"{target.name}_old_")}
            for name in kept:
                assert outcome.status == -signal.SIGKILL or name in outcome.stderr, (cut, outcome)
                server.execute(f'DROP DATABASE "{name}"')
        assert (False, False) in ends
        vaxdb.ok(*command)
        assert not scratches(server)
    finally:
        wire.close()


# ---- drill -------------------------------------------------------------------------------------

GLOBALS = (
    "SELECT oid, datname, datdba, datacl::text, datconnlimit, datallowconn FROM pg_database ORDER BY 1",
    "SELECT oid, * FROM pg_authid ORDER BY oid",
    "SELECT * FROM pg_auth_members ORDER BY roleid, member",
    "SELECT setdatabase, setrole, setconfig FROM pg_db_role_setting ORDER BY 1, 2",
    "SELECT oid, spcname FROM pg_tablespace ORDER BY 1",
    "SELECT name, setting FROM pg_file_settings ORDER BY seqno",
)


def test_a_drill_touches_nothing_but_its_scratch(vaxdb, own_server):
    server = own_server(
        settings={"log_statement": "all", "log_connections": "on", "log_line_prefix": "in <%d> "}
    )
    server.execute("CREATE DATABASE precious")
    server.execute("CREATE TABLE stock AS SELECT 1 AS id", dbname="precious")
    url = server.url("precious")
    path = Path(vaxdb.ok("backup", "create", "-e", "production", "--url", url, "--json").json["file"])
    vaxdb.write_config(production=url)
    folder = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in path.parent.iterdir()}
    before = [server.execute(query) for query in GLOBALS]
    asked = server.log.stat().st_size
    vaxdb.ok("drill", "run", "-e", "production")
    assert server.log.stat().st_size == asked
    vaxdb.ok("drill", "run", "-e", "production", "--on", server.url())
    logged = server.log.read_bytes()[asked:].decode()
    touched = set(re.findall(r"^in <(.*?)> ", logged, re.M))
    ours = {name for name in touched if name.startswith("vaxdb_drill_")}
    assert len(ours) == 1 and touched - ours <= {"", "postgres", "[unknown]"}
    assert not re.search(r"(?i)\balter system\b", logged)
    assert [server.execute(query) for query in GLOBALS] == before
    after = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in path.parent.iterdir()}
    assert after == folder

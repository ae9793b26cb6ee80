"""backup create, list, show, verify, prune."""

import datetime
import fcntl
import gzip
import json
import os
import pty
import random
import re
import shutil
import signal
import struct
import subprocess
import termios
import threading
import time
from pathlib import Path

import pytest

from support.backups import NASTY, NASTY_ROWS, NASTY_TABLES, fill, rewrite_manifest
from support.waiting import wait_until

NAME = re.compile(r"vaxtrace-production-\d{8}-\d{6}\.sql\.gz$")


@pytest.fixture
def filled(database):
    fill(database)
    return database


def create(vaxdb, database, *more):
    return vaxdb.ok("backup", "create", "-e", "production", "--url", database.url, "--json", *more).json


def listed(vaxdb, *more):
    return vaxdb.ok("backup", "list", "--json", *more).json["backups"]


def test_a_backup_is_what_every_tool_expects(vaxdb, new_database, database):
    database.execute(NASTY)
    made = create(vaxdb, database)
    path = Path(made["file"])
    assert NAME.match(path.name) and path.is_absolute()
    assert made["bytes"] == path.stat().st_size
    assert made["tables"] == NASTY_TABLES and made["rows"] == NASTY_ROWS
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert len(gzip.decompress(path.read_bytes())) == made["raw_bytes"]
    subprocess.run(["gunzip", "-t", path], check=True)
    subprocess.run(["sha256sum", "-c", f"{path.name}.sha256"], cwd=path.parent, check=True)
    fresh = new_database()
    subprocess.run(
        f"gunzip -c {path} | psql -qX -v ON_ERROR_STOP=1",
        shell=True,
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, **fresh.environment},
    )
    assert fresh.scalar('SELECT count(*) FROM "we ird"."Ta.b""le"') == 100


def test_the_manifest_says_what_is_in_the_file(vaxdb, filled):
    path = Path(create(vaxdb, filled, "--jobs", "3")["file"])
    manifest = json.loads(Path(f"{path}.json").read_text())
    assert manifest["file"] == path.name
    assert manifest["database"]["name"] == filled.name
    assert manifest["server"]["version_number"] // 10000 == 15
    ((table,),) = [manifest["tables"]]
    assert (table["schema"], table["name"], table["rows"]) == ("public", "stock", 2000)
    assert {index["name"] for index in manifest["indexes"]} == {"stock_pkey", "stock_at"}
    shown = vaxdb.ok("backup", "show", path, "--json").json
    assert shown["manifest"] == manifest


def test_list_shows_what_was_verified(vaxdb, filled):
    made = create(vaxdb, filled)
    (entry,) = listed(vaxdb)
    assert entry["path"] == made["file"] and entry["verified"] and entry["verified_at"]
    assert entry["drilled_at"] is None and entry["rows"] == 2000
    path = Path(made["file"])
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"x")
    vaxdb.fails(4, "backup", "verify", path)
    (entry,) = listed(vaxdb)
    assert not entry["verified"]
    path.write_bytes(whole)
    assert vaxdb.ok("backup", "verify", "--json").json["ok"]
    (entry,) = listed(vaxdb)
    assert entry["verified"]
    assert not listed(vaxdb, "-e", "staging")


def test_list_fits_a_terminal_of_80_columns(vaxdb, filled):
    file = create(vaxdb, filled)["file"]
    child, terminal = pty.fork()
    if child == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        os.execve(vaxdb.binary, ["vaxdb", "backup", "list"], vaxdb.environment)
    shown = ""
    try:
        while piece := os.read(terminal, 4096):
            shown += piece.decode()
    except OSError:  # how a terminal says that nobody is left
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, shown
    os.close(terminal)
    title, _, row = shown.splitlines()
    assert title.split() == ["File", "Size", "State", "Off-site"]
    assert row.split() == [Path(file).name, *row.split()[1:3], "verified", "no"]
    assert len(row) <= 80


def test_truncated_and_flipped_backups_do_not_verify(vaxdb, filled):
    path = Path(create(vaxdb, filled)["file"])
    whole = path.read_bytes()
    noise = random.Random(1)
    offsets = [0, 1, 4, 9, 10, len(whole) - 9, len(whole) - 1, *noise.sample(range(len(whole)), 8)]
    for offset in offsets:
        for damaged in (
            whole[:offset],
            whole[:offset] + bytes([whole[offset] ^ (1 << noise.randrange(8))]) + whole[offset + 1 :],
        ):
            path.write_bytes(damaged)
            outcome = vaxdb.fails(4, "backup", "verify", path, "--json")
            assert not outcome.json["ok"] and outcome.json["errors"], outcome
    path.write_bytes(whole + b"\0")
    vaxdb.fails(4, "backup", "verify", path)
    path.write_bytes(whole)
    for beside in (f"{path}.json", f"{path}.sha256"):
        text = Path(beside).read_bytes()
        offset = noise.randrange(60)
        Path(beside).write_bytes(text[:offset] + bytes([text[offset] ^ 1]) + text[offset + 1 :])
        vaxdb.fails(4, "backup", "verify", path)
        Path(beside).write_bytes(text)
    vaxdb.ok("backup", "verify", path)


def test_a_damage_that_gzip_itself_does_not_see_is_seen(vaxdb, filled, scratch):
    """A foreign file has no manifest: its end marker and its structure still count."""
    dump = subprocess.run(
        ["pg_dump"], env={**os.environ, **filled.environment}, capture_output=True, check=True
    ).stdout
    path = scratch / "foreign.sql.gz"
    path.write_bytes(gzip.compress(dump))
    report = vaxdb.ok("backup", "verify", path, "--json").json
    assert report["ok"] and not report["manifest"] and report["notes"] and report["rows"] == 2000
    lines = dump.splitlines(keepends=True)
    end = lines.index(b"\\.\n")
    for cut in (lines[: end - 5], lines[:end], lines[: end + 3]):
        path.write_bytes(gzip.compress(b"".join(cut)))
        vaxdb.fails(4, "backup", "verify", path)
    assert vaxdb.ok("backup", "verify", path, "--level", "1", "--json").json["level"] == 1
    path.write_bytes(gzip.compress(b"\\! touch /tmp/vaxdb-obeyed\n" + dump))
    assert "\\!" in vaxdb.fails(4, "backup", "verify", path).stderr
    assert not Path("/tmp/vaxdb-obeyed").exists()


def test_a_manifest_that_lies_is_seen(vaxdb, filled):
    path = Path(create(vaxdb, filled)["file"])

    def one_row_more(manifest):
        manifest["tables"][0]["rows"] += 1

    rewrite_manifest(Path(f"{path}.json"), one_row_more)
    assert "2000 rows, the manifest says 2001" in vaxdb.fails(4, "backup", "verify", path).stderr


@pytest.mark.parametrize("delay_s", [0.02, 0.1, 0.2, 0.4])
def test_a_killed_run_leaves_nothing_that_lists(vaxdb, database, scratch, delay_s):
    fill(database, rows=200_000)
    folder = scratch / "backups"
    process = vaxdb.start("backup", "create", "-e", "production", "--url", database.url, "--dir", folder)
    time.sleep(delay_s)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    whole = {entry["file"] for entry in listed(vaxdb, "--dir", folder)}
    for name in whole:  # the kill came after the last rename: then it is whole
        vaxdb.ok("backup", "verify", folder / name)
    made = Path(create(vaxdb, database, "--dir", folder)["file"])
    expected = {f"{name}{suffix}" for name in {made.name, *whole} for suffix in ("", ".json", ".sha256")}
    expected |= {name.replace(".sql.gz", ".globals.sql.gz") for name in {made.name, *whole}}
    assert {path.name for path in folder.iterdir()} == expected


def test_ctrl_c_stops_in_order(vaxdb, database, scratch):
    fill(database, rows=200_000)
    folder = scratch / "backups"
    process = vaxdb.start("backup", "create", "-e", "production", "--url", database.url, "--dir", folder)
    wait_until(lambda: folder.exists() and any(folder.glob(".*.sql.gz.partial")))
    process.send_signal(signal.SIGINT)
    outcome = vaxdb.finish(process)
    assert outcome.status == 130, outcome
    assert not any(folder.iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_leaves_nothing(vaxdb, database, scratch):
    fill(database, rows=200_000)
    folder = scratch / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1M", "tmpfs", folder], check=True)
    try:
        outcome = vaxdb.fails(
            1, "backup", "create", "-e", "production", "--url", database.url, "--dir", folder
        )
        assert "No space left on device" in outcome.stderr
        assert not any(folder.iterdir())
        assert not listed(vaxdb, "--dir", folder)
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_lost_connection_leaves_nothing(vaxdb, own_server, scratch):
    server = own_server()
    server.execute("CREATE TABLE big AS SELECT i, md5(i::text) FROM generate_series(1, 300000) i")
    folder = scratch / "backups"
    process = vaxdb.start("backup", "create", "-e", "production", "--url", server.url(), "--dir", folder)
    wait_until(lambda: folder.exists() and any(folder.glob(".*.sql.gz.partial")))
    server.kill()
    outcome = vaxdb.finish(process)
    assert outcome.status in (1, 5), outcome
    assert not any(folder.iterdir())


def test_a_dump_that_fails_fails_the_backup(vaxdb, filled, scratch):
    """A pg_dump that writes a good dump and then says that it failed."""
    fake = scratch / "bin"
    fake.mkdir()
    tool = fake / "pg_dump"
    real = "/usr/lib/postgresql/15/bin/pg_dump"
    tool.write_text(f'#!/bin/sh\n{real} "$@" || exit\n[ "$1" = --version ] || {{ echo oh no >&2; exit 3; }}\n')
    tool.chmod(0o755)
    outcome = vaxdb.fails(
        1, "backup", "create", "-e", "production", "--url", filled.url, env={"VAXDB_PG_BINDIR": str(fake)}
    )
    assert "status 3" in outcome.stderr and "oh no" in outcome.stderr
    assert not listed(vaxdb)


@pytest.mark.parametrize("program, section", [("pg_restore", "pre-data"), ("pg_restore", "list"), ("pg_dump", "=data")])
def test_a_text_that_was_cut_off_fails_the_backup(vaxdb, filled, scratch, program, section):
    """Of each part that others write, without its last line and with a status of 0."""
    filled.execute("SELECT lo_from_bytea(0, 'x')")
    tool = scratch / program
    real = f"/usr/lib/postgresql/15/bin/{program}"
    tool.write_text(
        f'#!/bin/sh\ncase "$*" in *--version*) exec {real} "$@";;\n'
        f'*{section}*) {real} "$@" | sed "s/dump complete//";;\n*) exec {real} "$@";; esac\n'
    )
    tool.chmod(0o755)
    outcome = vaxdb.fails(
        1, "backup", "create", "-e", "production", "--url", filled.url, env={"VAXDB_PG_BINDIR": str(scratch)}
    )
    assert f"{program} did not write its last line" in outcome.stderr
    assert not listed(vaxdb)


def test_two_at_once_are_refused(vaxdb, filled):
    with filled.connect() as holder:
        # The key that src/backup/snapshot.c documents.
        holder.execute("SELECT pg_advisory_lock(x'76617864'::int, x'6261636B'::int)")
        outcome = vaxdb.fails(3, "backup", "create", "-e", "production", "--url", filled.url)
        assert "another backup" in outcome.stderr
    create(vaxdb, filled)


def test_a_bucket_is_never_ignored(vaxdb, filled):
    command = ("backup", "create", "-e", "production", "--url", filled.url)
    for env in ({"BACKUP_BUCKET": "b"}, {"VAXDB_BACKUP_URL": "s3://b"}):
        assert "no credentials for S3" in vaxdb.fails(2, *command, env=env).stderr
    vaxdb.write_config("[vaxdb]\nbackup_url = s3://b\n")
    vaxdb.fails(2, *command)
    assert not listed(vaxdb)


def test_newer_servers_need_their_own_pg_dump(vaxdb, any_server):
    database = any_server.url()
    outcome = vaxdb("backup", "create", "-e", "production", "--url", database)
    if any_server.major <= 15:
        assert outcome.status == 0, outcome
    elif outcome.status != 0:  # no newer pg_dump here
        assert outcome.status == 1, outcome
        assert f"postgresql-client-{any_server.major}" in outcome.stderr


def age(path, days):
    """Makes a backup look as old as that."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - days * 86400))

    def change(manifest):
        manifest["finished_at"] = manifest["snapshot"]["at"] = moment

    rewrite_manifest(Path(f"{path}.json"), change)


def globals_of(path):
    return Path(str(path).replace(".sql.gz", ".globals.sql.gz"))


def copy_backup(path, name, days):
    """Another backup with the same content: what is remembered of one holds for the other."""
    copy = path.with_name(name)
    shutil.copy(path, copy)
    shutil.copy(f"{path}.sha256", f"{copy}.sha256")
    shutil.copy(globals_of(path), globals_of(copy))
    manifest = json.loads(Path(f"{path}.json").read_text())
    manifest["file"] = name
    Path(f"{copy}.json").write_text(json.dumps(manifest))
    age(copy, days)
    return copy


@pytest.fixture
def clerk(database):
    """A role with a password, which owns the database and is no superuser."""
    name = f"clerk_of_{database.name}"
    server = database.server
    server.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'of clerk'")
    server.execute(f"ALTER DATABASE {database.name} OWNER TO {name}")
    yield name
    database.execute(f"REASSIGN OWNED BY {name} TO postgres; DROP ROLE {name}")


def test_roles_stand_beside_the_backup(vaxdb, filled, clerk):
    path = Path(create(vaxdb, filled)["file"])
    beside = globals_of(path)
    text = gzip.decompress(beside.read_bytes()).decode()
    assert f"CREATE ROLE {clerk};" in text and "PASSWORD 'SCRAM-SHA-256" in text
    assert beside.stat().st_mode & 0o777 == 0o600
    assert "SCRAM" not in Path(f"{path}.json").read_text()
    assert "with passwords" in vaxdb.ok("backup", "show", path).stdout
    whole = beside.read_bytes()
    beside.write_bytes(whole[:-20] + bytes([whole[-20] ^ 1]) + whole[-19:])
    assert beside.name in vaxdb.fails(4, "backup", "verify", path, "--level", "1").stderr
    beside.write_bytes(whole[:-1])
    assert beside.name in vaxdb.fails(4, "backup", "verify", path, "--level", "0").stderr
    beside.unlink()
    assert f"{beside.name} is missing" in vaxdb.ok("backup", "verify", path).stderr
    vaxdb.ok("backup", "list")  # and counts none of them as a file of others


def test_only_a_superuser_reads_passwords(vaxdb, filled, clerk, scratch):
    filled.execute("ALTER TABLE stock OWNER TO " + clerk)
    url = filled.server.url(filled.name, user=clerk, password="of clerk")
    command = ("backup", "create", "-e", "production", "--url", url, "--json")
    path = Path(vaxdb.ok(*command).json["file"])
    text = gzip.decompress(globals_of(path).read_bytes()).decode()
    assert f"CREATE ROLE {clerk};" in text and "PASSWORD" not in text
    (scratch / "pg_dumpall").write_text("#!/bin/sh\n[ $1 = --version ] && echo 'pg_dumpall (PostgreSQL) 15.1'\n")
    (scratch / "pg_dumpall").chmod(0o755)
    outcome = vaxdb.ok(*command, env={"VAXDB_PG_BINDIR": str(scratch)})
    assert "roles and tablespaces are not backed up: pg_dumpall ended" in outcome.stderr
    path = Path(outcome.json["file"])
    assert not globals_of(path).exists()
    vaxdb.ok("backup", "verify", path)


def test_prune_deletes_by_manifest_and_keeps_the_newest(vaxdb, filled):
    newest = Path(create(vaxdb, filled)["file"])
    old = copy_backup(newest, "vaxtrace-production-20200101-000000.sql.gz", 50)
    older = copy_backup(newest, "vaxtrace-production-20190101-000000.sql.gz", 60)
    stranger = newest.with_name("vaxtrace-production-20180101-000000.sql.gz")
    stranger.write_bytes(b"not ours: no manifest")
    prune = ("backup", "prune", "-e", "production", "--json", "--keep-min", "2", "--keep-yearly", "0")
    planned = vaxdb.ok(*prune, "--dry-run").json
    assert [row["file"] for row in planned["removed"]] == [older.name]
    assert older.exists()
    assert vaxdb.ok(*prune).json["removed"] == planned["removed"]
    assert not any(Path(f"{older}{suffix}").exists() for suffix in ("", ".json", ".sha256"))
    assert old.exists() and stranger.exists() and newest.exists()
    age(newest, 400)
    kept = vaxdb.ok("backup", "prune", "-e", "production", "--json", "--keep-min", "1").json
    assert newest.exists() or old.exists(), kept


def test_prune_keeps_the_last_of_each_year_and_month(vaxdb, filled):
    newest = Path(create(vaxdb, filled)["file"])
    today = datetime.datetime.now(datetime.timezone.utc).date()

    def copy_of(day):
        name = f"vaxtrace-production-{day:%Y%m%d}-000000.sql.gz"
        return copy_backup(newest, name, (today - day).days).name

    years = [copy_of(datetime.date(today.year - back, 12, 31)) for back in range(1, 9)]
    earlier = [copy_of(datetime.date(today.year - back, 6, 1)) for back in range(1, 3)]
    prune = ("backup", "prune", "-e", "production", "--json", "--keep-min", "1", "--keep-days", "1")

    def removed(*more):
        return {row["file"] for row in vaxdb.ok(*prune, *more).json["removed"]}

    assert removed("--dry-run") == {years[7], *earlier}
    assert removed("--dry-run", "--keep-yearly", "2") == {*years[2:], *earlier}
    assert removed("--dry-run", "--keep-yearly", "1", "--keep-monthly", "2") == {*years[1:], earlier[1]}
    reasons = {row["file"]: row["reason"] for row in vaxdb.ok(*prune, "--dry-run").json["kept"]}
    assert reasons[years[1]] == "the last of its year, 7 are kept"
    vaxdb.write_config("[vaxdb]\nkeep_yearly = 3\n")
    assert removed() == {*years[3:], *earlier}
    kept = {newest.name, *years[:3]}
    left = {path.name for path in newest.parent.glob("*.sql.gz")}
    assert left == kept | {globals_of(name).name for name in kept}


def test_prune_refuses_an_incomplete_list(vaxdb, filled):
    newest = Path(create(vaxdb, filled)["file"])
    old = copy_backup(newest, "vaxtrace-production-20200101-000000.sql.gz", 50)
    broken = newest.with_name("vaxtrace-production-20210101-000000.sql.gz.json")
    broken.write_text("{")
    vaxdb.fails(3, "backup", "prune", "-e", "production", "--keep-min", "1", "--keep-yearly", "0")
    assert old.exists()
    broken.unlink()
    vaxdb.ok("backup", "prune", "-e", "production", "--keep-min", "1", "--keep-yearly", "0")
    assert not old.exists()


def test_a_queued_change_of_a_table_is_let_through(vaxdb, database, scratch):
    """TRUNCATE waits for the backup's lock, pg_dump would wait behind it, and the backup for pg_dump:
    a deadlock that the server cannot see. The backup starts over, and the change comes first."""
    fill(database)
    go = scratch / "go"
    tool = scratch / "pg_dump"
    tool.write_text(
        f"""#!/bin/sh
        [ "$1" = --version ] || while [ ! -e {go} ]; do sleep 0.05; done
        exec /usr/lib/postgresql/15/bin/pg_dump "$@"
        """
    )
    tool.chmod(0o755)
    command = ("backup", "create", "-e", "production", "--url", database.url, "--json")
    process = vaxdb.start(*command, env={"VAXDB_PG_BINDIR": str(scratch)})
    locks = (
        "SELECT count(*) > 0 FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid) "
        "WHERE a.application_name {} 'vaxdb backup' AND l.relation = 'stock'::regclass AND {} l.granted"
    )
    wait_until(lambda: database.scalar(locks.format("=", "")))
    change = threading.Thread(target=database.execute, args=["TRUNCATE stock"])
    change.start()
    wait_until(lambda: database.scalar(locks.format("<>", "NOT")))
    go.touch()
    outcome = vaxdb.finish(process)
    change.join()
    assert outcome.status == 0 and outcome.json["rows"] == 0, outcome
    assert "starting over" in outcome.stderr

"""Drills in a scratch cluster of their own."""

import fcntl
import gzip
import os
import re
import signal
from pathlib import Path

import pytest
from support.backups import NASTY, fill, rewrite_manifest
from support.waiting import wait_until


@pytest.fixture
def source(database):
    fill(database)
    return database


def create(vaxdb, database):
    command = ("backup", "create", "-e", "production", "--url", database.url, "--json")
    return Path(vaxdb.ok(*command).json["file"])


def drill(vaxdb, *more, status=0):
    outcome = vaxdb("drill", "run", "-e", "production", "--json", *more)
    assert outcome.status == status, outcome
    return outcome.json


def left(vaxdb):
    folder = vaxdb.state / "scratch"
    return sorted(os.listdir(folder)) if folder.exists() else []


def servers_in(folder):
    """Processes that work below a folder: a server's do in its data directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            working = os.readlink(process / "cwd")
        except OSError:
            continue
        if working.startswith(str(folder)):
            found.append((int(process.name), working))
    return found


def check_of(report, name):
    (check,) = [check for check in report["checks"] if check["name"] == name]
    return check


def test_no_other_server_is_asked(vaxdb, new_database, database):
    database.execute(NASTY)
    path = create(vaxdb, database)
    before = database.server.execute("SELECT datname FROM pg_database ORDER BY 1")
    # neither a configuration nor a URL says where production is
    report = drill(vaxdb)
    assert report["verdict"] == "pass" and report["backup"] == str(path)
    assert all(check["ok"] for check in report["checks"])
    assert report["server"].startswith(f"a scratch cluster of its own: PostgreSQL {database.server.major}")
    assert ("vaxdb-drill" in report["server"]) == (os.geteuid() == 0)
    assert [phase["name"] for phase in report["phases"]][:3] == ["verify", "cluster", "create"]
    assert not check_of(report, "same_locale")["skipped"]
    assert left(vaxdb) == [] and not servers_in(vaxdb.state)
    assert database.server.execute("SELECT datname FROM pg_database ORDER BY 1") == before


def test_the_cluster_listens_on_its_socket_and_starts_nothing(vaxdb, source):
    create(vaxdb, source)
    queries = vaxdb.work / "queries"
    queries.mkdir()
    wanted = {
        "listen_addresses": "",
        "shared_preload_libraries": "",
        "session_preload_libraries": "",
        "max_logical_replication_workers": "0",
        "max_wal_senders": "0",
        "archive_mode": "off",
    }
    for name, value in wanted.items():
        query = f"SELECT 1 / (current_setting('{name}') = '{value}')::int;\n"
        (queries / f"{name}.sql").write_text(query)
    vaxdb.write_config(f"[vaxdb]\nqueries_dir = {queries}\n")
    assert check_of(drill(vaxdb), "critical_queries")["detail"].startswith(f"{len(wanted)} queries")
    (queries / "archive_mode.sql").write_text("SELECT 1 / (current_setting('port') = '0')::int;\n")
    assert "division by zero" in check_of(drill(vaxdb, status=4), "critical_queries")["detail"]
    assert left(vaxdb) == []


def test_the_application_logs_in(vaxdb, source, server):
    role = f"App of {source.name}"
    queries = vaxdb.work / "queries"
    queries.mkdir()
    (queries / "all.sql").write_text("SELECT * FROM stock;\n")
    vaxdb.write_config(f"[vaxdb]\nqueries_dir = {queries}\napp_role = {role}\n")
    create(vaxdb, source)
    connects = check_of(drill(vaxdb), "application_connects")
    assert connects["skipped"] and f"nothing in the backup names the role {role}" in connects["detail"]
    server.execute(f'CREATE ROLE "{role}" NOLOGIN')
    try:
        source.execute(f'CREATE TABLE other (); GRANT SELECT ON other TO "{role}"')
        create(vaxdb, source)
        report = drill(vaxdb, status=4)
        assert check_of(report, "application_connects")["detail"] == f"as {role}, logged in"
        assert "permission denied for table stock" in check_of(report, "critical_queries")["detail"]
        source.execute(f'GRANT SELECT ON stock TO "{role}"')
        create(vaxdb, source)
        assert drill(vaxdb)["verdict"] == "pass"
    finally:
        source.execute(f'DROP OWNED BY "{role}"')
        server.execute(f'DROP ROLE "{role}"')


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_drill_leaves_nothing(vaxdb, database, how):
    fill(database, rows=300_000)
    create(vaxdb, database)
    process = vaxdb.start("drill", "run", "-e", "production")
    wait_until(lambda: servers_in(vaxdb.state / "scratch"))
    process.send_signal(how)
    if how == signal.SIGINT:
        assert vaxdb.finish(process).status == 130
    else:
        process.communicate()
        assert left(vaxdb)
        outcome = vaxdb("drill", "run", "-e", "production")
        assert outcome.status == 0 and "left by a run that was killed" in outcome.stderr
    assert left(vaxdb) == []
    wait_until(lambda: not servers_in(vaxdb.state))


def test_only_what_is_tagged_and_free_is_removed(vaxdb, source):
    create(vaxdb, source)
    drill(vaxdb)
    folder = vaxdb.state / "scratch"
    for name in ("untagged", "taken", "free"):
        (folder / name).mkdir()
        (folder / name / "file").write_text("x")
    (folder / "free.lock").touch()
    with open(folder / "taken.lock", "w") as tag:
        fcntl.flock(tag, fcntl.LOCK_EX)
        drill(vaxdb)
        assert left(vaxdb) == ["taken", "taken.lock", "untagged"]
    assert (folder / "untagged" / "file").exists()


def test_a_major_that_is_not_here_is_named(vaxdb, source):
    path = create(vaxdb, source)
    rewrite_manifest(Path(f"{path}.json"), lambda manifest: manifest["server"].update(version_number=990001))
    outcome = vaxdb.fails(1, "drill", "run", "-e", "production")
    assert "the backup is of PostgreSQL 99" in outcome.stderr
    assert "postgresql-99" in outcome.stderr and "--on" in outcome.stderr
    assert left(vaxdb) == []


def test_a_url_is_not_ignored(vaxdb, source):
    create(vaxdb, source)
    outcome = vaxdb.fails(2, "drill", "run", "-e", "production", "--url", source.url)
    assert "--on CONNINFO" in outcome.stderr


def test_a_damaged_backup_makes_no_cluster(vaxdb, source):
    path = create(vaxdb, source)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    report = drill(vaxdb, status=4)
    assert [check["name"] for check in report["checks"]] == ["backup_verified"]
    assert report["server"] is None and left(vaxdb) == []


END = "--\n-- PostgreSQL database dump complete\n--\n"


def adopted(vaxdb, folder, sql):
    """A backup of a dump that changes its rows once it has loaded them: no reader can tell."""
    path = folder / f"prod_{len(list(folder.iterdir()))}.sql.gz"
    text = f"CREATE TABLE a (b int);\nCOPY public.a (b) FROM stdin;\n1\n2\n\\.\n{sql}\n{END}"
    path.write_bytes(gzip.compress(text.encode()))
    command = ("backup", "adopt", "-e", "production", "--database", "d", "--json", path)
    return vaxdb.ok(*command).json["adopted"][0]["file"]


def test_the_highest_level_of_verify_is_a_drill(vaxdb, source):
    path = create(vaxdb, source)
    outcome = vaxdb.ok("backup", "verify", path, "--level", "4", "-e", "production")
    assert "content_equal" in outcome.stdout and "good (level 4: 2,000 rows of 1 tables" in outcome.stdout
    (drilled,) = vaxdb.ok("drill", "list", "--json").json["drills"]
    assert (drilled["verdict"], drilled["env"]) == ("pass", "production")
    assert re.search("drilled +[0-9.]+ m?s ago", vaxdb.ok("backup", "show").stdout)
    assert left(vaxdb) == [] and not servers_in(vaxdb.state)
    vaxdb.fails(2, "backup", "verify", "--level", "5")


def test_what_only_a_restore_shows(vaxdb, scratch):
    """Level 3: the rows are as many as they were. Level 4 would look at each of them."""
    lost = adopted(vaxdb, scratch, "DELETE FROM public.a WHERE b = 1;")
    changed = adopted(vaxdb, scratch, "UPDATE public.a SET b = 3 WHERE b = 1;")

    def verify(file, level, status):
        outcome = vaxdb("backup", "verify", file, "--level", level, "--json")
        assert outcome.status == status, outcome
        assert outcome.json["ok"] == (status == 0) == (not outcome.json["errors"])
        assert outcome.json["level"] == level and outcome.json["rows"] == 2
        listed = vaxdb.ok("backup", "list", "--json").json["backups"]
        assert [row["verified"] for row in listed if row["path"] == file] == [status == 0]
        return outcome.json

    assert "trial" not in verify(lost, 2, 0)
    assert "row_counts: public.a: 1 rows, the manifest says 2" in verify(lost, 3, 4)["errors"]
    names = [check["name"] for check in verify(changed, 3, 0)["trial"]["checks"]]
    assert "indexes_valid" in names and "content_equal" not in names
    assert not vaxdb.ok("drill", "list", "--json").json["drills"]
    assert left(vaxdb) == []


def test_a_hostile_dump_learns_nothing_and_reaches_nobody(vaxdb, scratch):
    """What it restores may run programs: as a user of its own, without a network, and knowing none of
    the passwords and keys that vaxdb was given."""
    vaxdb.environment |= {"AWS_SECRET_ACCESS_KEY": "S3cret", "PGPASSWORD": "S3cret"}
    program = "echo $(id -un),$(grep -c : /proc/net/dev),$(env | grep -c S3cret)"
    adopted(
        vaxdb,
        scratch,
        "CREATE TABLE public.seen (who text, networks int, secrets int);\n"
        f"COPY public.seen FROM PROGRAM '{program}' (FORMAT csv);",
    )
    queries = vaxdb.work / "queries"
    queries.mkdir()
    (queries / "secrets.sql").write_text("SELECT 1 / (secrets = 0)::int FROM public.seen;\n")
    if os.geteuid() == 0:
        (queries / "who.sql").write_text("SELECT 1 / (who = 'vaxdb-drill')::int FROM public.seen;\n")
    (queries / "networks.sql").write_text("SELECT 1 / (networks = 1)::int FROM public.seen;\n")
    vaxdb.write_config(f"[vaxdb]\nqueries_dir = {queries}\n")
    outcome = vaxdb("drill", "run", "-e", "production", "--json")
    ran = check_of(outcome.json, "critical_queries")
    isolated = "no network" in outcome.json["server"]
    assert (ran["ok"], outcome.status) == ((True, 0) if isolated else (False, 4)), ran
    assert isolated or ran["detail"].count("division by zero") == 1

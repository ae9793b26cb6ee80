"""restore and drill."""

import html.parser
import os
import random
import re
import signal
import subprocess
import time
from pathlib import Path

import psycopg
import pytest
from support import archive
from support.backups import (
    NASTY,
    NASTY_ROWS,
    NASTY_TABLES,
    databases,
    fill,
    fingerprint,
    rewrite_manifest,
)
from support.waiting import wait_until


def create(vaxdb, database, *more):
    outcome = vaxdb.ok("backup", "create", "-e", "production", "--url", database.url, "--json", *more)
    return Path(outcome.json["file"])


def restore(vaxdb, path, database, *more):
    return vaxdb.ok("restore", path, "-e", "staging", "--url", database.url, "--json", *more).json


def drill(vaxdb, database, *more, status=0):
    outcome = vaxdb("drill", "run", "-e", "production", "--on", database.url, "--json", *more)
    assert outcome.status == status, outcome
    return outcome.json


def scratches(server):
    return {name for name in databases(server) if name.startswith("vaxdb_")}


def schema_and_data(database):
    done = subprocess.run(
        ["pg_dump"], env={**os.environ, **database.environment}, capture_output=True, check=True
    )
    return [line for line in done.stdout.splitlines() if b"restrict " not in line]


@pytest.fixture
def source(database):
    fill(database)
    return database


@pytest.fixture
def target(new_database):
    made = new_database()
    fill(made, rows=50)
    return made


def test_everything_comes_back(vaxdb, new_database, database):
    database.execute(NASTY)
    target = new_database()
    target.drop()
    result = restore(vaxdb, create(vaxdb, database), target)
    assert result["created"] and result["safety_backup"] is None
    assert (result["tables"], result["rows"]) == (NASTY_TABLES, NASTY_ROWS)
    assert schema_and_data(target) == schema_and_data(database)
    assert not Path("/tmp/vaxdb-obeyed").exists()
    assert not scratches(database.server)


def test_a_restore_takes_the_place_of_the_database(vaxdb, source, target):
    path = create(vaxdb, source)
    before = fingerprint(target)
    with target.connect() as application:
        result = restore(vaxdb, path, target)
        with pytest.raises(psycopg.OperationalError):
            application.execute("SELECT 1")
    assert result["database"] == target.name and not result["created"]
    assert (result["tables"], result["rows"], result["indexes"]) == (1, 2000, 2)
    assert fingerprint(target)[1] == fingerprint(source)[1]
    # the way back: the safety backup
    restore(vaxdb, result["safety_backup"], target)
    assert fingerprint(target)[1] == before[1]
    assert not [n for n in databases(target.server) if n.startswith(f"{target.name}_old")]


def test_the_five_steps_are_told(vaxdb, source, target):
    outcome = vaxdb.ok("restore", create(vaxdb, source), "-e", "staging", "--url", target.url)
    for step in range(1, 6):
        assert f"[{step}/5]" in outcome.stderr
    assert "public.stock" in outcome.stdout and "2,000" in outcome.stdout


def test_settings_of_the_database_are_carried_over(vaxdb, source, target, server):
    name = target.name
    role = f"role_{name}"
    server.execute(f"CREATE ROLE {role} LOGIN")
    for sql in (
        f"""ALTER DATABASE {name} SET search_path = "$user", 'we ird', public""",
        f"ALTER DATABASE {name} SET work_mem = '8MB'",
        f"ALTER ROLE {role} IN DATABASE {name} SET statement_timeout = '5s'",
        f"ALTER DATABASE {name} CONNECTION LIMIT 77",
        f"COMMENT ON DATABASE {name} IS 'it''s real'",
        f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC",
        f"GRANT CREATE ON DATABASE {name} TO {role}",
        f"ALTER DATABASE {name} OWNER TO {role}",
    ):
        server.execute(sql)
    query = """SELECT datconnlimit, datdba, (SELECT array_agg(a::text ORDER BY a::text)
        FROM unnest(datacl) a), shobj_description(oid, 'pg_database'), encoding, datcollate,
        (SELECT array_agg(setrole || setconfig::text ORDER BY setrole) FROM pg_db_role_setting
         WHERE setdatabase = d.oid) FROM pg_database d WHERE datname = %s"""
    try:
        before = server.execute(query, [name])
        result = restore(vaxdb, create(vaxdb, source), target, "--keep-old")
        assert server.execute(query, [name]) == before
        old = result["kept_old"]
        assert old.startswith(f"{name}_old_")
        assert server.execute("SELECT count(*) FROM stock", dbname=old) == [(50,)]
        server.execute(f'DROP DATABASE "{old}"')
    finally:
        target.drop()
        server.execute(f"DROP ROLE {role}")


def test_damaged_files_change_nothing(vaxdb, source, target):
    path = create(vaxdb, source)
    before = fingerprint(target)
    whole = path.read_bytes()
    noise = random.Random(2)
    for _ in range(4):
        offset = noise.randrange(10, len(whole))
        flipped = whole[:offset] + bytes([whole[offset] ^ 4]) + whole[offset + 1 :]
        for damaged in (whole[:offset], flipped):
            path.write_bytes(damaged)
            vaxdb.fails(4, "restore", path, "-e", "staging", "--url", target.url)
    assert fingerprint(target) == before
    assert not scratches(target.server)


def foreign(path, sql):
    """A plain dump that others made: by text."""
    process = subprocess.run(["gzip", "-c"], input=sql.encode(), stdout=subprocess.PIPE, check=True)
    path.write_bytes(process.stdout)
    return path


END = "--\n-- PostgreSQL database dump complete\n--\n"


def test_a_dump_that_does_not_load_changes_nothing(vaxdb, target, scratch):
    before = fingerprint(target)
    for number, sql in enumerate(
        (
            "CREATE TABLE a (b int);\nCREATE TABLE a (b int);\n",
            "CREATE TABLE a (b int);\nCOPY a (b) FROM stdin;\n1\nx\n\\.\n",
            "CREATE TABLE a (b int);\nCOPY a (b) FROM stdin;\n1\t2\n\\.\n",
            "SELECT no_such_function();\n",
            "BEGIN; SELECT 1/0;\n",
        )
    ):
        path = foreign(scratch / f"{number}.sql.gz", sql + END)
        outcome = vaxdb.fails(1, "restore", path, "-e", "staging", "--url", target.url)
        assert "line " in outcome.stderr or "loading a" in outcome.stderr
    path = foreign(scratch / "psql.sql.gz", "\\! touch /tmp/vaxdb-obeyed\n" + END)
    vaxdb.fails(4, "restore", path, "-e", "staging", "--url", target.url)
    assert not Path("/tmp/vaxdb-obeyed").exists()
    assert fingerprint(target) == before
    assert not scratches(target.server)


def test_a_foreign_dump_restores(vaxdb, target, scratch):
    sql = (
        "SET transaction_timeout = 0;\nSET default_tablespace = 'elsewhere';\n"
        "CREATE TABLE a (b int);\nCOPY a (b) FROM stdin;\n1\n2\n\\.\n"
        "INSERT INTO a VALUES (3);\n"
    )
    result = restore(vaxdb, foreign(scratch / "x.sql.gz", sql + END), target)
    assert result["rows"] == 3 and len(result["left_out"]) == 2
    assert target.scalar("SELECT sum(b) FROM a") == 6


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_restore_that_is_stopped_changes_nothing(vaxdb, new_database, target, how):
    source = new_database()
    fill(source, rows=100_000)
    path = create(vaxdb, source)
    before = fingerprint(target)
    process = vaxdb.start("restore", path, "-e", "staging", "--url", target.url)
    wait_until(lambda: scratches(target.server))
    time.sleep(0.2)
    process.send_signal(how)
    if how == signal.SIGINT:
        assert vaxdb.finish(process).status == 130
        assert not scratches(target.server)
    else:
        process.communicate()
    assert fingerprint(target) == before
    restore(vaxdb, path, target)  # which removes what the killed one left
    assert not scratches(target.server)


def test_production_wants_to_be_named(vaxdb, source, target):
    path = create(vaxdb, source)
    production = ("restore", path, "-e", "production", "--url", target.url)
    before = fingerprint(target)
    for more in ((), ("-y",), ("--confirm", "other")):
        vaxdb.fails(3, *production, *more)
    # the label does not matter: the database of production's backup is production
    vaxdb.fails(3, "restore", path, "-e", "staging", "--url", source.url, "-y")
    vaxdb.fails(3, "restore", path, "-e", "staging", "--url", target.url, "--database", source.name)
    assert fingerprint(target) == before
    vaxdb.ok(*production, "--confirm", target.name)
    assert fingerprint(target)[1] == fingerprint(source)[1]


def test_missing_roles_are_made_or_left_out(vaxdb, own_server, source):
    sql = "CREATE ROLE {0}; ALTER TABLE stock OWNER TO {0}; GRANT SELECT ON stock TO {0}"
    role = f"owner_of_{source.name}"
    with source.connect() as connection:
        connection.execute(sql.format(role))
    path = create(vaxdb, source)
    other = own_server()
    try:
        result = vaxdb.ok("restore", path, "-e", "staging", "--url", other.url("copy"), "--json").json
        assert result["roles_created"] == [role] and not result["left_out"]
        owner = "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'stock'"
        assert other.execute(owner, dbname="copy") == [(role,)]
        assert other.execute("SELECT rolcanlogin FROM pg_roles WHERE rolname = %s", [role]) == [(False,)]
        other.execute("DROP DATABASE copy")
        other.execute(f"DROP ROLE {role}")
        # a drill leaves no role behind
        vaxdb.ok("drill", "run", path, "-e", "staging", "--on", other.url())
        assert not other.execute("SELECT FROM pg_roles WHERE rolname = %s", [role])
        # a role that may make databases but no roles
        other.execute("CREATE ROLE modest LOGIN CREATEDB PASSWORD 'm'")
        url = other.url("copy", user="modest", password="m")
        result = vaxdb.ok("restore", path, "-e", "staging", "--url", url, "--json").json
        assert not result["roles_created"] and len(result["left_out"]) == 1
        assert other.execute(owner, dbname="copy") == [("modest",)]
    finally:
        source.execute(f"REASSIGN OWNED BY {role} TO postgres; DROP OWNED BY {role}; DROP ROLE {role}")


def test_what_ties_a_database_refuses(vaxdb, own_server, source):
    path = create(vaxdb, source)
    server = own_server(settings={"wal_level": "logical", "max_prepared_transactions": "2"})
    server.execute("CREATE DATABASE tied")
    command = ("restore", path, "-e", "staging", "--url", server.url("tied"))
    server.execute(
        "SELECT pg_create_logical_replication_slot('a_slot', 'test_decoding')", dbname="tied"
    )
    assert "a_slot" in vaxdb.fails(3, *command).stderr
    server.execute("SELECT pg_drop_replication_slot('a_slot')", dbname="tied")
    with server.connect("tied", autocommit=False) as connection:
        connection.execute("CREATE TABLE t ()")
        connection.execute("PREPARE TRANSACTION 'a_gid'")
    assert "a_gid" in vaxdb.fails(3, *command).stderr
    server.execute("ROLLBACK PREPARED 'a_gid'", dbname="tied")
    vaxdb.ok(*command)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_room_is_checked_first(vaxdb, source, target, scratch):
    path = create(vaxdb, source)
    before = fingerprint(target)

    def was_huge(manifest):
        manifest["database"]["bytes"] = 1 << 60

    rewrite_manifest(Path(f"{path}.json"), was_huge)
    assert "free" in vaxdb.fails(1, "restore", path, "-e", "staging", "--url", target.url).stderr
    small = scratch / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], check=True)
    try:
        fresh = create(vaxdb, source)
        command = ("restore", fresh, "-e", "staging", "--url", target.url, "--dir", small)
        assert "safety backup" in vaxdb.fails(1, *command).stderr
        vaxdb.ok(*command, "--no-safety-backup", "a test")
    finally:
        subprocess.run(["umount", small], check=True)
    assert fingerprint(target)[0] != before[0]


def test_a_drill_passes_and_is_recorded(vaxdb, source, scratch):
    path = create(vaxdb, source)
    queries = scratch / "queries"
    queries.mkdir()
    query = queries / "newest.sql"
    query.write_text("-- Screen: stock.\n-- bind $1: SELECT 7\nSELECT * FROM stock WHERE id = $1;\n")
    vaxdb.write_config(f"[vaxdb]\nqueries_dir = {queries}\n")
    report = drill(vaxdb, source)
    assert report["verdict"] == "pass" and report["backup"] == str(path)
    names = [check["name"] for check in report["checks"]]
    assert {
        "database_restored",
        "tables_present",
        "row_counts",
        "indexes_valid",
        "sequences_equal",
        "content_equal",
        "application_connects",
        "critical_queries",
    } <= set(names)
    assert all(check["ok"] and not check["skipped"] for check in report["checks"])
    assert all(phase["seconds"] >= 0 for phase in report["phases"])
    assert not scratches(source.server)
    (entry,) = vaxdb.ok("backup", "list", "--json").json["backups"]
    assert entry["drilled_at"] and entry["drill_passed"]
    query.write_text("SELECT * FROM gone;\n")
    report = drill(vaxdb, source, status=4)
    (failed,) = [check for check in report["checks"] if not check["ok"]]
    assert failed["name"] == "critical_queries" and "gone" in failed["detail"]
    history = vaxdb.ok("drill", "list", "--json").json["drills"]
    assert [entry["verdict"] for entry in history] == ["fail", "pass"]
    (entry,) = vaxdb.ok("backup", "list", "--json").json["backups"]
    assert not entry["drill_passed"]


def test_the_report_of_a_drill_is_kept_and_shown(vaxdb, source, scratch):
    outcome = vaxdb.fails(2, "drill", "show")
    assert "no drill was run yet" in outcome.stderr
    path = create(vaxdb, source)
    page = scratch / "drill.html"
    report = drill(vaxdb, source, "--html", page)
    assert report["bytes"] == path.stat().st_size and report["rows"] == 2000
    assert 0 <= report["recovery_point_age_seconds"] < 600 and report["tool_version"]
    assert "PASS" in page.read_text()
    query = scratch / "queries" / "a.sql"
    query.parent.mkdir()
    query.write_text('SELECT * FROM "<script>alert(1)</script>&";\n')
    vaxdb.write_config(f"[vaxdb]\nqueries_dir = {query.parent}\n")
    drill(vaxdb, source, "--html", page, status=4)
    text = page.read_text()
    assert page.stat().st_mode & 0o777 == 0o600
    assert "<script" not in text and "&lt;script&gt;alert(1)&lt;/script&gt;&amp;" in text
    assert not re.search(r"""(src|href)\s*=|url\(|@import|https?:""", text)
    assert text.count("PASS") >= 6 and text.count("FAIL") == 3  # verdict, check, history
    parser = html.parser.HTMLParser()
    parser.feed(text)
    shown = vaxdb.ok("drill", "show", "--json").json
    assert (shown["id"], shown["verdict"], shown["env"]) == (2, "fail", "production")
    first = vaxdb.ok("drill", "show", "1", "--html", page, "--json").json
    assert first["checks"] == report["checks"] and first["phases"] == report["phases"]
    assert "Recovery drill of vaxtrace-production" in page.read_text()
    printed = vaxdb.ok("drill", "show", "1").stdout
    assert "Drill 1 of production" in printed and "content_equal" in printed and "PASS" in printed
    assert "there is no drill 3" in vaxdb.fails(2, "drill", "show", "3").stderr
    assert '"x" is no ID' in vaxdb.fails(2, "drill", "show", "x").stderr
    assert "no drill of staging" in vaxdb.fails(2, "drill", "show", "-e", "staging").stderr
    assert [row["id"] for row in vaxdb.ok("drill", "list", "--json").json["drills"]] == [2, 1]


def test_a_drill_connects_as_the_application(vaxdb, source, scratch, server):
    role = f"app_of_{source.name}"
    queries = scratch / "queries"
    queries.mkdir()
    (queries / "all.sql").write_text("SELECT * FROM stock;\n")
    vaxdb.write_config(f"[vaxdb]\nqueries_dir = {queries}\napp_role = {role}\n")
    create(vaxdb, source)
    report = drill(vaxdb, source, status=4)
    assert "there is no role" in str(report["checks"])
    server.execute(f"CREATE ROLE {role} LOGIN")
    try:
        report = drill(vaxdb, source, status=4)
        assert "permission denied" in str(report["checks"])
        source.execute(f"GRANT SELECT ON stock TO {role}")
        create(vaxdb, source)
        assert drill(vaxdb, source)["verdict"] == "pass"
    finally:
        source.execute(f"DROP OWNED BY {role}")
        server.execute(f"DROP ROLE {role}")


def test_a_drill_sees_a_row_that_is_not_there(vaxdb, source):
    path = create(vaxdb, source)

    def one_more(manifest):
        manifest["tables"][0]["rows"] += 1

    rewrite_manifest(Path(f"{path}.json"), one_more)
    report = drill(vaxdb, source, status=4)
    assert report["verdict"] == "fail" and "2001" in str(report["checks"])


def tamper(path, sql):
    """A backup that is whole, and whose dump changes its rows after it has loaded them: the file
    cannot tell, only the restored database."""
    members = [member for member in archive.read(path) if member.kind < archive.INDEX]
    loaded = b"ALTER TABLE ONLY public.stock\n    ADD CONSTRAINT"
    (text,) = [member for member in members if loaded in member.raw]
    text.change(text.raw.replace(loaded, f"{sql}\n\n".encode() + loaded))
    archive.write(path, members)


def test_a_row_that_is_lost_while_restoring_is_seen(vaxdb, source):
    path = create(vaxdb, source)
    tamper(path, "DELETE FROM public.stock WHERE id = 1;")
    vaxdb.ok("backup", "verify", path)
    report = drill(vaxdb, source, status=4)
    failed = {check["name"]: check["detail"] for check in report["checks"] if not check["ok"]}
    assert set(failed) == {"row_counts", "content_equal"}
    assert "1999 rows, the manifest says 2000" in failed["row_counts"]
    outcome = vaxdb.fails(4, "restore", path, "-e", "staging", "--url", source.server.url("elsewhere"))
    assert "1999" in outcome.stderr
    assert "elsewhere" not in databases(source.server)


def test_a_value_that_changed_is_seen(vaxdb, source):
    source.execute("CREATE SEQUENCE counter; SELECT nextval('counter')")
    path = create(vaxdb, source)
    tamper(path, "UPDATE public.stock SET note = 'x' WHERE id = 1; SELECT nextval('public.counter');")
    report = drill(vaxdb, source, status=4)
    failed = {check["name"]: check["detail"] for check in report["checks"] if not check["ok"]}
    assert failed == {
        "content_equal": "public.stock",
        "sequences_equal": "public.counter is at 2, the manifest says 1",
    }
    outcome = vaxdb.fails(4, "restore", path, "-e", "staging", "--url", source.server.url("elsewhere"))
    assert "sequence" in outcome.stderr and "public.counter is at 2" in outcome.stderr


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_drill_on_a_named_server_that_is_stopped_leaves_nothing(vaxdb, database, how):
    fill(database, rows=100_000)
    create(vaxdb, database)
    process = vaxdb.start("drill", "run", "-e", "production", "--on", database.url)
    wait_until(lambda: scratches(database.server))
    time.sleep(0.2)
    process.send_signal(how)
    if how == signal.SIGINT:
        assert vaxdb.finish(process).status == 130
    else:
        process.communicate()
        assert drill(vaxdb, database)["verdict"] == "pass"
    assert not scratches(database.server)

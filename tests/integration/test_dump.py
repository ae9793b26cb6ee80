"""The parallel dump: exact, consistent, in order, and the same again."""

import gzip
import os
import re
import subprocess
import threading
from pathlib import Path

import pytest

from support import archive
from support.pgbouncer import PgBouncer
from support.waiting import wait_until

EVERYTHING = Path(__file__).with_name("everything.sql")
PROGRAMS = Path("/usr/lib/postgresql/15/bin")


def psql(database, *arguments, **more):
    return subprocess.run(
        ["psql", "-qX", "-v", "ON_ERROR_STOP=1", *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, **database.environment},
        **more,
    )


def pour(path, database):
    """What anyone can do without us."""
    with gzip.open(path) as dump:
        psql(database, input=dump.read())


def dumped(database):
    """What pg_dump says of a database, without the order of objects and rows."""
    text = subprocess.run(
        ["pg_dump"], env={**os.environ, **database.environment}, capture_output=True, check=True
    ).stdout.decode(errors="surrogateescape")
    text = re.sub(r"^\\(un)?restrict .*\n", "", text, flags=re.M)
    blocks = []
    routed = []
    for block in text.split("\n--\n-- ")[2:]:
        head, copy, rows = block.partition(" FROM stdin;\n")
        if "load via partition root" in head:  # which partition gets a row is up to the database
            routed += rows.splitlines()
        else:
            blocks.append((head, copy, sorted(rows.splitlines())))
    assert blocks
    return sorted(blocks), sorted(routed)


SETTINGS = (
    "SET TimeZone = 'UTC'; SET DateStyle = ISO; SET IntervalStyle = postgres; SET bytea_output = hex; "
    "SET extra_float_digits = 3; SET search_path = pg_catalog"
)


def check_text(path, database, tables):
    """Rows are in the dump to the byte as COPY writes them."""
    with gzip.open(path) as opened:
        dump = opened.read()
    with database.connect() as connection:
        connection.execute(SETTINGS)
        for table in tables:
            head = dump.index(b"COPY public.%s (" % table.encode())
            columns = dump[dump.index(b"(", head) : dump.index(b" FROM stdin;\n", head)].decode()
            with connection.cursor().copy(f"COPY public.{table} {columns} TO STDOUT") as stream:
                wanted = b"".join(stream)
            assert wanted and dump[dump.index(b"\n", head) + 1 :].startswith(wanted + b"\\.\n"), table


def create(vaxdb, database, *more):
    return vaxdb.ok("backup", "create", "-e", "production", "--url", database.url, "--json", *more).json


def row_members(made):
    return [member for member in archive.read(made["file"]) if member.kind == archive.ROWS]


@pytest.mark.parametrize("major", [13, 15])  # before 14 there are no ranges of blocks
def test_every_kind_of_object_comes_back(vaxdb, own_server, new_database, major):
    server = own_server(major)
    source = new_database("source", server)
    psql(source, "-f", str(EVERYTHING))
    before = dumped(source)
    made = create(vaxdb, source, "--jobs", "3")
    assert dumped(source) == before
    check_text(made["file"], source, ("plain_values", "hard_values", "odd_types", "serials", "tree_1_new"))

    poured = new_database("poured", server)
    pour(made["file"], poured)
    assert dumped(poured) == before
    assert not Path("/tmp/vaxdb-obeyed").exists()

    target = new_database("target", server)
    restored = vaxdb.ok("restore", made["file"], "-e", "staging", "--url", target.url, "--json").json
    assert restored["rows"] == made["rows"]
    assert dumped(target) == before
    for database in (poured, target):
        assert database.scalar("SELECT nextval('serials_id_seq')") == 20001
        assert database.scalar("SELECT nextval('\"down ward\"')") == 96


def test_settings_and_encoding_of_the_database_change_nothing(vaxdb, server, new_database, database):
    """Text is in the database's encoding, names too, which no JSON can hold as they are."""

    def in_latin1(name):
        made = new_database(name)
        server.execute(f"DROP DATABASE {name}")
        server.execute(f"CREATE DATABASE {name} ENCODING LATIN1 LOCALE 'C' TEMPLATE template0")
        return made

    source, poured = in_latin1(f"{database.name}_source"), in_latin1(f"{database.name}_poured")
    source.execute(
        'CREATE TABLE "Déjà" (é text PRIMARY KEY, at timestamptz, i interval, f float8, b bytea, '
        "big regclass); CREATE SEQUENCE \"Zähler\"; SELECT nextval('\"Zähler\"');"
        "INSERT INTO \"Déjà\" VALUES ('à', '2026-02-03 04:05:06.789+00', '-1 mon 2 days', 1e-300, "
        "'\\x00ff5c', 'pg_class'), ('ÿ', NULL, '5 hours', 0.1::float8 + 0.2, NULL, '\"Déjà\"')"
    )
    before = dumped(source)
    for setting in (
        "DateStyle = 'SQL, DMY'",
        "IntervalStyle = 'iso_8601'",
        "extra_float_digits = -5",
        "bytea_output = 'escape'",
        "TimeZone = 'Asia/Kathmandu'",
        "default_transaction_read_only = on",
        "default_transaction_isolation = 'serializable'",
        "search_path = 'nowhere'",
        "quote_all_identifiers = on",
        "standard_conforming_strings = off",
        "enable_tidscan = off",
    ):
        server.execute(f"ALTER DATABASE {source.name} SET {setting}")
    made = create(vaxdb, source)
    server.execute(f"ALTER DATABASE {source.name} RESET ALL")
    pour(made["file"], poured)
    assert dumped(poured) == before
    restored = new_database(f"{database.name}_restored")
    server.execute(f"DROP DATABASE {restored.name}")
    vaxdb.ok("restore", made["file"], "-e", "staging", "--url", restored.url)
    assert dumped(restored) == before
    assert restored.scalar("SHOW server_encoding") == "LATIN1"
    vaxdb.ok("drill", "run", "-e", "production")


def test_a_pooler_that_changes_connections_is_refused(vaxdb, server, database, scratch):
    """Its sessions lose their settings, and the lock of the backup would stay behind."""
    database.execute("CREATE TABLE t AS SELECT i FROM generate_series(1, 10) AS i")
    for mode, status in (("transaction", 2), ("session", 0)):
        folder = scratch / mode
        folder.mkdir(mode=0o777)
        pooler = PgBouncer(folder, server, mode)
        try:
            outcome = vaxdb("backup", "create", "-e", "production", "--url", pooler.url(database))
        finally:
            pooler.close()
        assert outcome.status == status and ("pooler" in outcome.stderr) == (status == 2), outcome
    create(vaxdb, database)


@pytest.fixture
def large(database):
    """Some ranges of blocks, rows that are gone, and one that has moved to the end."""
    database.execute(
        "CREATE TABLE large WITH (autovacuum_enabled = off) AS SELECT i, repeat(md5(i::text), 8) AS t FROM generate_series(1, 60000) AS i;"
        "DELETE FROM large WHERE i % 3 = 0; UPDATE large SET t = 'moved' WHERE i = 1;"
        "CREATE TABLE small (a int); INSERT INTO small VALUES (1)"
    )
    assert database.scalar("SELECT pg_relation_size('large') / 8192") > 4 * 512
    return database


@pytest.mark.parametrize("compress", ["fast", "balanced", "small"])
def test_a_large_table_is_copied_by_ranges(vaxdb, large, new_database, compress):
    made = create(vaxdb, large, "--jobs", "4", "--compress", compress)
    assert made["rows"] == 40001
    assert len(row_members(made)) > 4
    written = archive.read(made["file"])
    content = [member for member in written if member.kind < archive.INDEX]
    index = b"".join(member.packed for member in written[len(content) :])
    assert index == archive.tail(content)
    fresh = new_database()
    pour(made["file"], fresh)
    assert dumped(fresh) == dumped(large)


def test_what_has_not_changed_packs_to_the_same_bytes(vaxdb, large):
    def rows(*more):
        return [member.packed for member in row_members(create(vaxdb, large, *more))]

    first = rows("--jobs", "1")
    assert rows("--jobs", "4") == first
    large.execute("INSERT INTO large VALUES (-1, 'new')")
    changed = rows()
    assert sum(data not in first for data in changed) == 1


def test_a_table_that_comes_or_goes_leaves_the_others_as_they_are(vaxdb, large):
    def members():
        content = archive.read(create(vaxdb, large)["file"])
        return [member.packed for member in content if member.kind < archive.INDEX]

    first = members()
    assert members() == first, "statements, too"
    large.execute("CREATE TABLE aaa AS SELECT 1 AS i; CREATE TABLE between AS SELECT 2 AS i")
    more = members()
    assert len(set(more) - set(first)) == 2 + 2 * 3 and len(set(first) - set(more)) == 2
    large.execute("DROP TABLE aaa, small")
    fewer = members()
    assert len(set(fewer) - set(more)) == 2, "the statements before and after the rows"
    large.execute("DROP TABLE between; COMMENT ON TABLE large IS E'x\\n\\\\unrestrict y'")
    assert len(set(members()) - set(members())) == 2, "a random key"


def test_rows_keep_their_order_where_the_server_would_read_them_in_parallel(vaxdb, server, database):
    database.execute(
        "CREATE TABLE r AS SELECT i, i::real AS f, i AS a, i AS b FROM generate_series(1, 60000) AS i; ANALYZE r"
    )
    for setting in ("min_parallel_table_scan_size", "parallel_setup_cost", "parallel_tuple_cost"):
        server.execute(f"ALTER DATABASE {database.name} SET {setting} = 0")
    check_text(create(vaxdb, database)["file"], database, ["r"])


def test_all_rows_are_of_one_moment(vaxdb, database, new_database):
    """Money moves between tables all the time; a dump of two moments would make or lose some."""
    tables = range(6)
    for table in tables:
        database.execute(
            f"CREATE TABLE purse_{table} AS SELECT i, 100 AS coins, repeat('x', 500) AS weight "
            "FROM generate_series(1, 3000) AS i"
        )
    done = threading.Event()

    def move(number):
        turn = number
        with database.connect() as connection:
            while not done.is_set():
                turn += 1
                connection.execute(
                    f"WITH taken AS (UPDATE purse_{turn % 6} SET coins = coins - 1 WHERE i = %s) "
                    f"UPDATE purse_{(turn + 1 + number) % 6} SET coins = coins + 1 WHERE i = %s",
                    [turn % 3000 + 1, turn * 7 % 3000 + 1],
                )

    movers = [threading.Thread(target=move, args=[number]) for number in range(2)]
    for mover in movers:
        mover.start()
    try:
        made = create(vaxdb, database, "--jobs", "4")
    finally:
        done.set()
        for mover in movers:
            mover.join()
    fresh = new_database()
    pour(made["file"], fresh)
    coins = " + ".join(f"(SELECT sum(coins) FROM purse_{table})" for table in tables)
    assert fresh.scalar(f"SELECT {coins}") == 6 * 3000 * 100
    moved = " + ".join(f"(SELECT count(*) FROM purse_{table} WHERE coins <> 100)" for table in tables)
    assert fresh.scalar(f"SELECT {moved}") > 0


def test_wide_rows_stand_alone(vaxdb, database, new_database):
    database.execute(
        "CREATE TABLE wide (i int, b bytea); INSERT INTO wide VALUES (1, 'a'), (2, "
        "decode(repeat('5c', 20000000), 'hex')), (3, 'b')"
    )
    made = create(vaxdb, database)
    fresh = new_database()
    pour(made["file"], fresh)
    assert fresh.scalar("SELECT sum(length(b)) FROM wide") == 20000002


def test_rows_that_are_not_wanted_are_left_out(vaxdb, large, new_database):
    made = create(vaxdb, large, "--exclude-table-data", "public.l*")
    assert made["rows"] == 1
    shown = vaxdb.ok("backup", "show", made["file"], "--json").json["manifest"]
    assert {table["name"]: table["kind"] for table in shown["tables"]} == {
        "large": "excluded",
        "small": "table",
    }
    fresh = new_database()
    vaxdb.ok("restore", made["file"], "-e", "staging", "--url", fresh.url)
    assert fresh.scalar("SELECT (SELECT count(*) FROM large) + (SELECT sum(a) FROM small)") == 1
    command = ("backup", "create", "-e", "production", "--url", large.url)
    assert "no table lager" in vaxdb.fails(2, *command, "--exclude-table-data", "lager").stderr


def test_a_schema_that_was_cut_off_fails_the_backup(vaxdb, large, scratch):
    tool = scratch / "pg_dump"
    real = "/usr/lib/postgresql/15/bin/pg_dump"
    tool.write_text(f'#!/bin/sh\n[ "$1" = --version ] && exec {real} "$@"\n{real} "$@" | head -c 1000\n')
    tool.chmod(0o755)
    command = ("backup", "create", "-e", "production", "--url", large.url)
    outcome = vaxdb.fails(1, *command, env={"VAXDB_PG_BINDIR": str(scratch)})
    assert "pg_restore" in outcome.stderr
    assert not vaxdb.ok("backup", "list", "--json").json["backups"]


class Gate:
    """A pg_dump that has done its work, and lets go of the tables, and waits before it ends."""

    def __init__(self, folder):
        self.folder = folder
        self._reached = folder / "reached"
        self._opened = folder / "opened"
        tool = folder / "pg_dump"
        tool.write_text(
            f'#!/bin/sh\n[ "$1" = --version ] || {PROGRAMS}/pg_dump "$@" || exit\n'
            f'[ "$1" = --version ] && exec {PROGRAMS}/pg_dump "$@"\n'
            f"touch {self._reached}\nwhile [ ! -e {self._opened} ]; do sleep 0.02; done\n"
        )
        tool.chmod(0o755)

    def start(self, vaxdb, database):
        """The one worker has copied a row of `early` and waits until that is taken, which is after
        pg_dump; `late` it has not begun."""
        database.execute(
            "CREATE TABLE early AS SELECT i, repeat('x', 9000000) FROM generate_series(1, 2) AS i;"
            "CREATE TABLE late AS SELECT i FROM generate_series(1, 100) AS i"
        )
        command = ("backup", "create", "-e", "production", "--url", database.url, "--jobs", "1", "--json")
        process = vaxdb.start(*command, env={"VAXDB_PG_BINDIR": str(self.folder)})
        wait_until(self._reached.exists)
        return process

    def open(self):
        self._opened.touch()


@pytest.fixture
def gate(scratch):
    made = Gate(scratch)
    yield made
    made.open()


def waiting(database, relation):
    """How many wait for a lock on it."""
    return database.scalar(
        f"SELECT count(*) FROM pg_locks WHERE relation = '{relation}'::regclass AND NOT granted"
    )


def test_no_worker_queues_behind_who_waits_for_the_dump(vaxdb, database, new_database, gate):
    """It would wait for the ALTER, the ALTER for the leader, and the leader for the worker."""
    process = gate.start(vaxdb, database)
    alter = threading.Thread(target=database.execute, args=["ALTER TABLE late ADD COLUMN more int"])
    alter.start()
    try:
        wait_until(lambda: waiting(database, "late"))
    finally:
        gate.open()
        made = vaxdb.finish(process)
        alter.join()
    assert made.status == 0, made
    fresh = new_database()
    pour(made.json["file"], fresh)
    assert fresh.scalar("SELECT sum(i) FROM late") == 5050


def test_a_table_that_was_taken_away_is_fatal(vaxdb, database, gate):
    """What the leader locks stays; so its session must be ended first, by hand or by a fault."""
    process = gate.start(vaxdb, database)
    leader = (
        "FROM pg_locks WHERE locktype = 'advisory' AND database = "
        "(SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    database.execute(f"SELECT pg_terminate_backend(pid) {leader}")
    wait_until(lambda: not database.scalar(f"SELECT count(*) {leader}"))
    database.execute("DROP TABLE late")
    gate.open()
    outcome = vaxdb.finish(process)
    assert outcome.status == 1 and "snapshot" in outcome.stderr, outcome
    assert not vaxdb.ok("backup", "list", "--json").json["backups"]


def test_a_truncate_before_the_lock_is_in_the_dump_with_all_that_came_with_it(
    vaxdb, database, new_database
):
    """A snapshot taken before the lock would show the moment before the TRUNCATE, without rows."""
    database.execute(
        "CREATE TABLE rows AS SELECT i FROM generate_series(1, 100) AS i; CREATE TABLE marks (a int)"
    )
    with database.connect(autocommit=False) as other:
        other.execute("TRUNCATE rows")
        other.execute("INSERT INTO marks VALUES (1)")
        process = vaxdb.start("backup", "create", "-e", "production", "--url", database.url, "--json")
        wait_until(lambda: waiting(database, "rows"))
        other.commit()
    made = vaxdb.finish(process)
    assert made.status == 0, made
    fresh = new_database()
    pour(made.json["file"], fresh)
    assert fresh.scalar("SELECT (SELECT count(*) FROM rows) + 10 * (SELECT count(*) FROM marks)") == 10


def test_a_dump_that_waits_lets_others_through(vaxdb, database):
    """It has asked for the lock of `later` and holds that of `early`, which a migration wants."""
    database.execute("CREATE TABLE early (a int); CREATE TABLE later (a int)")
    with database.connect(autocommit=False) as other:
        other.execute("ALTER TABLE later ADD COLUMN b int")
        process = vaxdb.start("backup", "create", "-e", "production", "--url", database.url, "--json")
        wait_until(lambda: waiting(database, "later"))
        database.execute("SET lock_timeout = '20s'; ALTER TABLE early ADD COLUMN b int")
        wait_until(lambda: waiting(database, "later"))
        other.commit()
    made = vaxdb.finish(process)
    assert made.status == 0 and "later is locked by process" in made.stderr, made


def test_rows_of_an_extension_are_those_that_it_wants(vaxdb, database):
    database.execute(
        "CREATE EXTENSION pgcrypto; CREATE TABLE conf (a int); INSERT INTO conf VALUES (1), (2), (3);"
        "ALTER EXTENSION pgcrypto ADD TABLE conf;"
        "UPDATE pg_extension SET extconfig = ARRAY['conf'::regclass], extcondition = "
        "ARRAY['WHERE a > 1'] WHERE extname = 'pgcrypto'"
    )
    made = create(vaxdb, database)
    (rows,) = row_members(made)
    assert rows.raw == b"2\n3\n"
    with database.connect(autocommit=False) as other:  # no leader has locked it
        other.execute("TRUNCATE conf")
        process = vaxdb.start("backup", "create", "-e", "production", "--url", database.url)
        wait_until(lambda: waiting(database, "conf"))
        other.commit()
    outcome = vaxdb.finish(process)
    assert outcome.status == 1 and "public.conf was truncated" in outcome.stderr, outcome

"""vaxdb migrate: what runs, what is recorded, what is refused, and what is said."""

import signal
from pathlib import Path

import psycopg
import pytest
from support.migrations import Project, checksum
from support.site import PAST_THE_GATES
from support.waiting import wait_until

GUIDE = Path(__file__).parents[2] / "backend/database/migrations"


@pytest.fixture
def project(vaxdb, database):
    return Project(vaxdb, database)


# ---- the guide ---------------------------------------------------------------------------------


def test_every_major_runs_the_guides_migrations_there_and_back(vaxdb, any_database):
    project = Project(vaxdb, any_database)
    for path in GUIDE.glob("*.sql"):
        project.write(path.name, path.read_bytes())
    names = sorted(path.name for path in GUIDE.glob("*.sql") if ".down." not in path.name)
    before = project.fingerprint()
    up = project.ok("up")
    assert up.stdout.splitlines() == [
        line
        for name in names
        for line in (f"[INFO] Running migration: {name}", "[SUCCESS] ✓ Migration completed")
    ]
    assert project.ledger() == names
    after = project.fingerprint()
    assert project.states() == {name: "applied" for name in names}
    project.ok("verify")
    project.ok("down", str(len(names)))
    assert project.fingerprint() == before
    assert project.applied() == names
    assert project.fingerprint() == after


def test_the_ledger_is_the_guides(project):
    project.write("001_a.sql", "CREATE TABLE a (id int);\n")
    project.ok("up")
    columns = project.query(
        "SELECT column_name, data_type, character_maximum_length, is_nullable, column_default "
        "FROM information_schema.columns WHERE table_name = 'schema_migrations' "
        "ORDER BY ordinal_position"
    )
    assert columns == [
        ("id", "integer", None, "NO", "nextval('schema_migrations_id_seq'::regclass)"),
        ("name", "character varying", 255, "NO", None),
        ("checksum", "character varying", 64, "NO", None),
        ("applied_at", "timestamp without time zone", None, "NO", "now()"),
    ]
    assert project.query("SELECT name, checksum FROM schema_migrations") == [
        ("001_a.sql", checksum("CREATE TABLE a (id int);\n"))
    ]


def test_a_hand_made_delete_makes_the_file_pending(project):
    project.pair("001_a", "CREATE TABLE a (id int)", "DROP TABLE a")
    project.ok("up")
    with project.database.connect() as connection:
        connection.execute((project.folder / "001_a.down.sql").read_text())
        connection.execute("DELETE FROM schema_migrations WHERE name = '001_a.sql'")
    assert project.states() == {"001_a.sql": "pending"}
    assert project.applied() == ["001_a.sql"]


def test_status_and_dry_run_touch_nothing(project):
    project.pair("001_a", "CREATE TABLE a (id int);", "DROP TABLE a;")
    assert project.states() == {"001_a.sql": "pending"}
    project.ok("verify")
    plan = project.ok("up", "--dry-run")
    assert "one transaction" in plan.stdout and "CREATE TABLE a (id int);" in plan.stdout
    assert not project.exists("schema_migrations")
    project.ok("up")
    assert project.ok("down", "--dry-run", "--json").json["plan"][0]["sql"] == "DROP TABLE a;"
    assert project.states() == {"001_a.sql": "applied"}


# ---- order, to, down ---------------------------------------------------------------------------


def make_three(project):
    for number, name in ((9, "a"), (10, "b"), (11, "c")):
        project.pair(f"{number}_{name}", f"CREATE TABLE {name} ()", f"DROP TABLE {name}")


def test_to_applies_it_and_down_to_leaves_it(project):
    make_three(project)
    assert project.applied("--to", "10_b") == ["9_a.sql", "10_b.sql"]
    assert project.applied() == ["11_c.sql"]
    assert project.ok("down", "--to", "9_a.sql", "--json").json["undone"] == ["11_c.sql", "10_b.sql"]
    assert project.ledger() == ["9_a.sql"]
    assert project.exists("a") and not project.exists("b")
    assert project.applied() == ["10_b.sql", "11_c.sql"]
    assert project.ok("down", "2", "--json").json["undone"] == ["11_c.sql", "10_b.sql"]
    did_you_mean = project.fails(2, "up", "--to", "9_aa")
    assert "9_a.sql" in did_you_mean.stderr
    project.fails(2, "down", "--to", "11_c")
    project.fails(2, "down", "1", "--to", "9_a")
    project.fails(2, "down", "zero")


def test_redo_runs_the_last_again(project):
    make_three(project)
    project.ok("up")
    oid = project.value("SELECT 'c'::regclass::oid")
    project.ok("redo")
    assert project.value("SELECT 'c'::regclass::oid") != oid
    assert project.ledger() == ["9_a.sql", "10_b.sql", "11_c.sql"]


def test_down_without_its_file_is_refused_before_anything(project):
    make_three(project)
    (project.folder / "10_b.down.sql").unlink()
    project.ok("up")
    refused = project.fails(3, "down", "2")
    assert "10_b.sql" in refused.stderr
    assert project.exists("c")


def test_up_files_pair_too(project):
    project.write("001_a.up.sql", "CREATE TABLE a ()")
    project.write("001_a.down.sql", "DROP TABLE a")
    assert project.applied() == ["001_a.up.sql"]
    project.ok("down")
    assert not project.exists("a")


def test_production_is_not_undone_without_its_name(project):
    make_three(project)
    project.vaxdb.write_config(production=project.database.url)
    project.vaxdb.ok("migrate", "up", "-e", "production", *PAST_THE_GATES)
    for command in ("down", "redo"):
        project.vaxdb.fails(3, "migrate", command, "-e", "production", "-y")
        # The guard follows the database, not the label.
        project.fails(3, command)
    name = project.value("SELECT current_database()")
    assert project.exists("c")
    project.vaxdb.ok("migrate", "down", "-e", "production", "--confirm", name)
    assert not project.exists("c")


# ---- refusals ----------------------------------------------------------------------------------


def test_changed_files_are_refused_and_named(project):
    make_three(project)
    project.ok("up", "--to", "10_b")
    project.write("9_a.sql", "CREATE TABLE a (changed int)")
    refused = project.fails(3, "up")
    assert "9_a.sql" in refused.stderr and "10_b.sql" not in refused.stderr
    assert project.states()["9_a.sql"] == "changed"
    findings = project.fails(4, "verify", "--json").json["findings"]
    assert [(f["name"], f["problem"]) for f in findings] == [("9_a.sql", "changed")]
    assert not project.exists("c")


def test_line_ends_and_byte_order_marks_are_no_change(project):
    text = "CREATE TABLE a (t text);\nINSERT INTO a VALUES ('x\ny');\n"
    project.write("001_a.sql", text)
    project.ok("up")
    project.write("001_a.sql", b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert project.states() == {"001_a.sql": "applied"}
    with project.database.connect() as connection:
        connection.execute("DROP TABLE a; DELETE FROM schema_migrations")
    project.ok("up")
    assert project.value("SELECT t FROM a") == "x\ny"


def test_missing_files_are_named_and_do_not_stop_up(project):
    make_three(project)
    project.ok("up", "--to", "10_b")
    (project.folder / "9_a.sql").unlink()
    (project.folder / "9_a.down.sql").unlink()
    up = project.ok("up")
    assert "9_a.sql" in up.stderr
    assert project.states()["9_a.sql"] == "missing"
    project.fails(4, "verify")


@pytest.mark.parametrize(
    "files, named",
    [
        ({"001_a.sql": "", "002_x.down.sql": ""}, "002_x.down.sql"),
        ({"001_a.sql": "", "01_b.sql": ""}, "01_b.sql"),
        ({"001_a.sql": "", "001_a.up.sql": ""}, "001_a.up.sql"),
        ({"001_a.sql": "SELECT 1;\n\\i other.sql\n"}, "001_a.sql:2:1"),
        ({"001_a.sql": "CREATE TABLE a (); \\! touch owned"}, "001_a.sql:1:20"),
        ({"001_a.sql": "CREATE TABLE a ()\n\\g\n"}, "001_a.sql:2:1"),
        ({"001_a.sql": "SELECT 'CREATE TABLE a ()' \\gexec"}, "001_a.sql:1:28"),
        ({"001_a.sql": "-- migrate:transaction none\n\\copy a FROM 'a.csv'"}, "001_a.sql:2:1"),
        ({"001_a.sql": "SET standard_conforming_strings = off;"}, "standard_conforming_strings"),
        ({"001_a.sql": "CREATE TABLE a ();\nVACUUM a;"}, "001_a.sql:2:1"),
        ({"001_a.sql": "CREATE TABLE a ();\nCOMMIT;\nCREATE TABLE b ()"}, "001_a.sql:2:1"),
        ({"001_a.sql": "-- migrate:transction none\nSELECT 1"}, "001_a.sql:1:"),
        ({"001_a.sql": "SELECT 1;\n-- migrate:transaction none\nSELECT 2"}, "001_a.sql:2:1"),
        ({"001_a.sql": "SELECT 1;\n-- migrate:down\nSELECT 2"}, "down section"),
        (
            {
                "001_a.sql": "-- migrate:up\n-- migrate:down\nSELECT 1",
                "001_a.down.sql": "SELECT 1",
            },
            "001_a.down.sql",
        ),
        ({"001_a.sql": "COPY t TO STDOUT"}, "COPY TO STDOUT"),
        ({"001_a.sql": "SELECT 'caf\xe9'".encode("latin-1")}, "UTF-8"),
        ({"001_a.sql": "SELECT 'open"}, "001_a.sql:1:8"),
    ],
)
def test_what_may_not_run_is_refused_before_anything(project, files, named):
    for name, text in files.items():
        project.write(name, text)
    refused = project.run("up")
    assert refused.status in (2, 3), refused
    assert named in refused.stderr
    assert not project.exists("schema_migrations") or project.ledger() == []


def test_files_before_the_newest_applied_one_are_refused(project):
    for stem in ("001_a", "003_c", "005_e"):
        project.pair(stem, f"CREATE TABLE {stem[-1]} ();", f"DROP TABLE {stem[-1]};")
    project.ok("up", "--to", "003_c")
    for stem in ("002_b", "0002_bb", "004_d"):
        project.pair(stem, f"CREATE TABLE {stem[4:]} ();", f"DROP TABLE {stem[4:]};")
    (project.folder / "0002_bb.sql").rename(project.folder / "000_bb.sql")
    (project.folder / "0002_bb.down.sql").rename(project.folder / "000_bb.down.sql")
    for how in ([], ["--dry-run"], ["--to", "002_b"]):
        refused = project.fails(3, "up", *how)
        assert "000_bb.sql, 002_b.sql" in refused.stderr
        assert "003_c.sql" in refused.stderr and "--allow-out-of-order" in refused.stderr
    assert project.ledger() == ["001_a.sql", "003_c.sql"]
    assert project.applied("--allow-out-of-order") == [
        "000_bb.sql",
        "002_b.sql",
        "004_d.sql",
        "005_e.sql",
    ]
    project.database.execute("DELETE FROM schema_migrations WHERE name = '005_e.sql'; DROP TABLE e")
    assert project.applied() == ["005_e.sql"]


def test_a_half_done_file_goes_on_whatever_was_applied_after_it(project):
    half = "-- migrate:transaction none\nCREATE TABLE half ();\nSELECT 1 / 0;\n"
    project.write("001_half.sql", half)
    project.fails(1, "up")
    project.database.execute(
        "INSERT INTO schema_migrations (name, checksum) VALUES ('002_b.sql', 'by hand')"
    )
    project.write("002_b.sql", "SELECT 1;")
    project.write("001_half.sql", half.replace("1 / 0", "1"))
    assert project.applied() == ["001_half.sql"]


def test_a_table_of_runs_of_an_earlier_version_is_brought_up_to_date(project):
    project.pair("001_a", "CREATE TABLE a ();", "DROP TABLE a;")
    project.ok("up")
    project.database.execute("ALTER TABLE schema_migrations_runs DROP COLUMN overrides")
    assert project.states() == {"001_a.sql": "applied"}
    assert project.ok("down", "--json").json["undone"] == ["001_a.sql"]
    assert project.query("SELECT direction, overrides FROM schema_migrations_runs ORDER BY id") == [
        ("up", None),
        ("down", None),
    ]


@pytest.mark.parametrize("name", ["our_books", "Our Books", "books.log", "Books.Odd Log"])
def test_the_ledger_and_its_side_tables_follow_the_setting(project, name):
    schema, _, table = name.rpartition(".")
    project.vaxdb.write_config(f"[vaxdb]\nledger_table = {name}\n")
    if schema:
        project.database.execute(f'CREATE SCHEMA "{schema}"')
    project.pair("001_a", "CREATE TABLE a ();", "DROP TABLE a;")
    assert project.applied() == ["001_a.sql"]
    assert project.states() == {"001_a.sql": "applied"}
    assert project.ok("verify")
    tables = (
        "SELECT nspname, relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace "
        "WHERE relkind = 'r' AND nspname !~ '^pg_|^information_schema' ORDER BY 1, 2"
    )
    there = project.query(tables)
    assert sorted(row for row in there if row[1] != "a") == sorted(
        (schema or "public", f"{table}{side}") for side in ("", "_runs", "_schema")
    )
    assert project.ok("down", "--json").json["undone"] == ["001_a.sql"]
    assert project.states() == {"001_a.sql": "pending"}


def test_names_over_the_column_are_refused(project):
    # A file system takes 255 bytes, so the limit of 255 characters is met by its own limit.
    name = "1_" + "x" * 249 + ".sql"
    project.write(name, "CREATE TABLE a ()")
    assert project.applied() == [name]


def test_a_ledger_of_another_tool_is_refused(project):
    project.write("001_a.sql", "CREATE TABLE a ()")
    with project.database.connect() as connection:
        connection.execute("CREATE TABLE schema_migrations (version bigint, dirty boolean)")
    refused = project.fails(3, "up")
    assert "ledger_table" in refused.stderr
    project.vaxdb.write_config("[vaxdb]\nledger_table = our_migrations\n")
    project.ok("up")
    assert project.value("SELECT count(*) FROM our_migrations") == 1


def test_entries_of_others_are_met_as_they_are(project):
    make_three(project)
    with project.database.connect() as connection:
        connection.execute("CREATE TABLE a ()")
        connection.execute(
            "CREATE TABLE schema_migrations (id serial primary key, name varchar(255) not null "
            "unique, checksum varchar(64) not null, applied_at timestamp not null default now())"
        )
        connection.execute(
            "INSERT INTO schema_migrations (name, checksum) VALUES ('9_a.sql', 'd41d8'), "
            "('9_a.down.sql', 'd41d8')"
        )
    status = project.ok("status", "--json").json
    assert {row["name"]: row["state"] for row in status["migrations"]} == {
        "9_a.sql": "applied",
        "10_b.sql": "pending",
        "11_c.sql": "pending",
    }
    assert any("9_a.down.sql" in warning for warning in status["warnings"])
    assert project.applied() == ["10_b.sql", "11_c.sql"]
    assert project.ok("down", "3", "--json").json["undone"] == ["11_c.sql", "10_b.sql", "9_a.sql"]


# ---- errors ------------------------------------------------------------------------------------


def test_an_error_names_file_line_and_column(project):
    project.write("001_a.sql", "CREATE TABLE a ()")
    text = "-- é\nCREATE TABLE b ();\n\nSELECT 'é',\n\tmissing_column FROM a;\n"
    project.write("002_b.sql", text)
    failed = project.fails(1, "up")
    assert '002_b.sql:5:2: column "missing_column" does not exist' in failed.stderr
    assert "    5 | \tmissing_column FROM a;\n      | \t^\n" in failed.stderr
    assert "nothing of 002_b.sql was kept" in failed.stderr
    assert project.states() == {"001_a.sql": "applied", "002_b.sql": "pending"}
    assert not project.exists("b")
    error = project.fails(1, "up", "--json").json["error"]
    assert (error["file"], error["line"], error["column"]) == ("002_b.sql", 5, 2)
    assert error["sqlstate"] == "42703"
    project.write("002_b.sql", "CREATE TABLE b ();")
    assert project.applied() == ["002_b.sql"]


def test_json_of_a_failed_run_says_what_was_applied_before(project):
    project.write("001_a.sql", "CREATE TABLE a ()")
    project.write("002_b.sql", "FROBNICATE")
    assert project.fails(3, "up", "--json").json["applied"] == []
    assert project.fails(1, "up", "--json", "--no-lint").json["applied"] == []
    assert not project.exists("a"), "the syntax error is found before anything runs"
    project.write("002_b.sql", "SELECT 1/0")
    assert project.fails(1, "up", "--json").json["applied"] == ["001_a.sql"]


def test_copy_data_is_sent_and_its_errors_have_their_line(project):
    project.write(
        "001_a.sql",
        "CREATE TABLE a (n int, t text);\nCOPY a FROM STDIN;\n1\ta;b\n2\t'\n\\.\nSELECT 1;\n",
    )
    project.ok("up")
    assert project.query("SELECT * FROM a ORDER BY n") == [(1, "a;b"), (2, "'")]
    project.write("002_b.sql", "COPY a FROM STDIN;\n3\tx\nfour\ty\n\\.\n")
    assert "002_b.sql:3:1" in project.fails(1, "up").stderr
    assert project.value("SELECT count(*) FROM a") == 2


# ---- transactions and sessions -----------------------------------------------------------------


def test_bodies_and_dollar_quotes_run_whole(project):
    project.write(
        "001_a.sql",
        "CREATE FUNCTION f(a int) RETURNS text LANGUAGE sql BEGIN ATOMIC\n"
        "  SELECT CASE WHEN a > 0 THEN 'x;' ELSE 'y' END;\nEND;\n"
        "DO $body$ BEGIN EXECUTE $q$CREATE TABLE t (c text DEFAULT ';')$q$; END $body$;\n",
    )
    project.ok("up")
    assert project.value("SELECT f(1)") == "x;"
    assert project.exists("t")


def test_a_frame_of_begin_and_commit_is_left_out(project):
    project.write("001_a.sql", "BEGIN;\nCREATE TABLE a ();\nSELECT 1/0;\nCOMMIT;\n")
    project.fails(1, "up")
    assert not project.exists("a")
    project.write("001_a.sql", "SET lock_timeout = '2s';\nBEGIN;\nCREATE TABLE a ();\nCOMMIT;\n")
    project.ok("up")
    assert project.exists("a")


def test_enum_values_in_use_get_a_hint(project):
    project.write("001_a.sql", "CREATE TYPE e AS ENUM ('a'); CREATE TABLE t (v e)")
    project.ok("up")
    project.write("002_b.sql", "ALTER TYPE e ADD VALUE 'b'; INSERT INTO t VALUES ('b')")
    assert "later migration" in project.fails(1, "up").stderr
    project.write("002_b.sql", "ALTER TYPE e ADD VALUE 'b'")
    project.ok("up")


def test_newer_grammar_is_put_to_the_server(vaxdb, servers, new_database):
    project = Project(vaxdb, new_database(server=servers.get(18)))
    virtual = "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a * 2) VIRTUAL);"
    project.write("001_t.sql", virtual)
    project.ok("up")
    old = Project(vaxdb.__class__(vaxdb.folder / "old"), new_database())
    old.write("001_a.sql", "CREATE TABLE a ();")
    old.write("002_t.sql", virtual)
    for refused in (old.fails(3, "up"), old.fails(1, "up", "--no-lint")):
        assert "002_t.sql:1:" in refused.stderr
    assert not old.exists("a"), "a syntax error is found before anything runs"


def test_lock_timeout_retries_until_the_lock_is_free(project):
    project.write("001_a.sql", "CREATE TABLE a (id int)")
    project.ok("up")
    project.write("002_b.sql", "ALTER TABLE a ADD COLUMN b int")
    with project.database.connect() as blocker:
        blocker.execute("BEGIN; LOCK TABLE a")
        process = project.start("up", "--lock-timeout", "100ms")
        line = process.stderr.readline()
        assert "002_b.sql" in line and "trying again" in line
        blocker.execute("COMMIT")
    assert project.vaxdb.finish(process).status == 0
    assert project.states()["002_b.sql"] == "applied"


def test_ctrl_c_cancels_on_the_server(project):
    project.write("001_a.sql", "CREATE TABLE a (); SELECT pg_sleep(60)")
    process = project.start("up")
    sleeping = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query ~ 'sleep.60'"
    wait_until(lambda: project.value(sleeping + " AND pid <> pg_backend_pid()") == 1)
    process.send_signal(signal.SIGINT)
    assert project.vaxdb.finish(process, timeout_s=10).status == 130
    assert project.value(sleeping + " AND pid <> pg_backend_pid()") == 0
    assert project.states() == {"001_a.sql": "pending"}
    assert "cancel" in project.value("SELECT error FROM schema_migrations_runs")


# ---- without a transaction ---------------------------------------------------------------------


def test_a_mixed_file_runs_when_annotated(project):
    project.write(
        "001_a.sql",
        "-- migrate:transaction none\nCREATE TABLE a (id int);\n"
        "CREATE INDEX CONCURRENTLY a_id ON a (id);\nINSERT INTO a VALUES (1);\nVACUUM a;\n",
    )
    project.ok("up")
    assert project.value("SELECT count(*) FROM a") == 1


@pytest.mark.parametrize(
    "annotation",
    ["-- migrate:up transaction:false", "-- +goose NO TRANSACTION", "--atlas:txmode none"],
)
def test_annotations_of_other_tools(project, annotation):
    project.write("001_a.sql", f"{annotation}\nCREATE TABLE a ();\nVACUUM a;\n")
    project.ok("up")


def test_a_partial_file_continues_at_the_right_statement(project):
    project.write("000_t.sql", "CREATE TABLE t (id int); CREATE TABLE log (n int)")
    head = (
        "-- migrate:transaction none\nSET search_path = public;\n"
        "INSERT INTO log VALUES (1);\nCREATE INDEX CONCURRENTLY t1 ON t (id);\n"
    )
    project.write("001_a.sql", head + "INSERT INTO log VALUES (1/0);\nINSERT INTO log VALUES (3);")
    failed = project.fails(1, "up")
    assert "3 of 5 statements" in failed.stderr and "line 5" in failed.stderr
    assert project.states()["001_a.sql"] == "partial"
    assert "001_a.sql" in project.fails(4, "verify").stdout
    project.write("001_a.sql", head.replace("(1)", "(9)") + "SELECT 1;")
    changed = project.fails(3, "up")
    assert "was changed in what has run already" in changed.stderr
    project.write("001_a.sql", head + "INSERT INTO log VALUES (2);\nINSERT INTO log VALUES (3);")
    assert project.applied() == ["001_a.sql"]
    assert project.query("SELECT n FROM log ORDER BY n") == [(1,), (2,), (3,)]


def test_a_partial_file_can_be_undone(project):
    project.pair(
        "001_a",
        "-- migrate:transaction none\nCREATE TABLE a ();\nSELECT 1/0;\n",
        "DROP TABLE IF EXISTS a;",
    )
    project.fails(1, "up")
    assert project.states() == {"001_a.sql": "partial"}
    project.ok("down")
    assert project.states() == {"001_a.sql": "pending"}
    assert not project.exists("a")


def test_a_partial_down_goes_on_too(project):
    project.pair(
        "001_a",
        "CREATE TABLE a (); CREATE TABLE b ();",
        "-- migrate:transaction none\nDROP TABLE a;\nSELECT 1/0;\nDROP TABLE b;\n",
    )
    project.ok("up")
    project.fails(1, "down")
    assert project.states() == {"001_a.sql": "partial"}
    assert "migrate down" in project.fails(3, "up").stderr
    project.write("001_a.down.sql", "-- migrate:transaction none\nDROP TABLE a;\nDROP TABLE b;\n")
    project.ok("down")
    assert project.states() == {"001_a.sql": "pending"}
    assert not project.exists("b")


def test_an_invalid_leftover_is_built_again(project):
    project.write("000_t.sql", "CREATE TABLE t (id int); INSERT INTO t VALUES (1), (1)")
    project.write("001_u.sql", "CREATE UNIQUE INDEX CONCURRENTLY t_u ON t (id)")
    project.fails(1, "up")
    assert project.states()["001_u.sql"] == "partial"
    assert project.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_u'::regclass") is False
    with project.database.connect() as connection:
        connection.execute("DELETE FROM t WHERE ctid = (SELECT min(ctid) FROM t)")
    again = project.ok("up")
    assert "INVALID" in again.stderr
    assert project.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_u'::regclass")


def make_invalid(project, name):
    with project.database.connect() as connection:
        connection.execute("INSERT INTO t VALUES (1), (1)")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute(f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON t (id)")
        connection.execute("TRUNCATE t")


def test_if_not_exists_over_an_invalid_index_builds_it(project):
    project.write("000_t.sql", "CREATE TABLE t (id int)")
    project.ok("up")
    make_invalid(project, "t_u")
    make_invalid(project, "t_other")
    project.write("001_u.sql", "CREATE INDEX CONCURRENTLY IF NOT EXISTS t_u ON t (id)")
    project.ok("up")
    invalid = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
    assert project.query(invalid) == [("t_other",)], "only what the file names is touched"


def interrupted_at(project, text, attempted, before):
    """As if a kill had come between the statement's end and our note of it."""
    project.write("001_a.sql", text)
    with project.database.connect() as connection:
        connection.execute(
            "INSERT INTO schema_migrations_runs (name, direction, checksum, transactional, state, "
            "statements, completed, attempting, before) VALUES ('001_a.sql', 'up', %s, false, "
            "'running', 1, 0, %s, %s)",
            (checksum(text), attempted, before),
        )


def test_an_index_that_was_finished_unseen_is_accepted(project):
    project.write("000_t.sql", "CREATE TABLE t (id int)")
    project.ok("up")
    text = "CREATE INDEX CONCURRENTLY t_id ON t (id);"
    interrupted_at(project, text, 0, checksum(text[:-1])[:16] + ",")
    with project.database.connect() as connection:
        connection.execute("CREATE INDEX t_id ON t (id)")
    assert project.states()["001_a.sql"] == "partial"
    assert project.applied() == ["001_a.sql"]


@pytest.mark.parametrize("object_text", ["DROP INDEX CONCURRENTLY t_id;", "DROP DATABASE {name};"])
def test_a_drop_that_was_finished_unseen_is_accepted(project, object_text):
    project.write("000_t.sql", "CREATE TABLE t (id int)")
    project.ok("up")
    interrupted_at(project, object_text.format(name="no_such_database"), 0, None)
    assert project.applied("--no-lint") == ["001_a.sql"]


def test_a_call_of_unknown_outcome_is_put_to_the_user(project):
    project.write(
        "000_t.sql",
        "CREATE TABLE log (n int); CREATE PROCEDURE p() LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO log VALUES (1); COMMIT; END $$",
    )
    project.ok("up")
    interrupted_at(project, "-- migrate:transaction none\nCALL p();", 0, None)
    refused = project.fails(3, "up")
    assert "--interrupted done" in refused.stderr and "001_a.sql:2:1" in refused.stderr
    assert project.states()["001_a.sql"] == "partial"
    project.fails(2, "up", "--interrupted", "maybe")
    project.ok("up", "--interrupted", "again")
    assert project.value("SELECT count(*) FROM log") == 1


def test_a_half_detached_partition_is_finalized(project):
    project.write(
        "000_t.sql",
        "CREATE TABLE p (id int) PARTITION BY RANGE (id);"
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (9);",
    )
    project.ok("up")
    with project.database.connect() as reader, project.database.connect() as detacher:
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM p")
        detacher.execute("SET statement_timeout = '300ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            detacher.execute("ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY")
    assert project.value("SELECT inhdetachpending FROM pg_inherits")
    interrupted_at(project, "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY", 0, None)
    project.ok("up")
    assert project.value("SELECT count(*) FROM pg_inherits") == 0


def test_a_transaction_that_a_file_leaves_open_is_refused(project):
    project.write("001_a.sql", "-- migrate:transaction none\nBEGIN;\nCREATE TABLE a ();\n")
    failed = project.fails(1, "up")
    assert "COMMIT is missing" in failed.stderr
    assert not project.exists("a")
    text = "-- migrate:transaction none\nBEGIN;\nCREATE TABLE a ();\nCOMMIT;\nVACUUM a;\n"
    project.write("001_a.sql", text)
    project.ok("up")
    assert project.exists("a")


# ---- several runners ---------------------------------------------------------------------------


def test_four_runners_at_once(project):
    for number in range(1, 13):
        project.write(f"{number:03}_t.sql", f"CREATE TABLE t{number} (); SELECT pg_sleep(0.02)")
    project.write("013_i.sql", "CREATE INDEX CONCURRENTLY x ON log (n)")
    project.write("000_log.sql", "CREATE TABLE log (n int)")
    runners = [project.start("up", "--json") for _ in range(4)]
    outcomes = [project.vaxdb.finish(runner) for runner in runners]
    assert [outcome.status for outcome in outcomes] == [0, 0, 0, 0], outcomes
    applied = [name for outcome in outcomes for name in outcome.json["applied"]]
    assert sorted(applied) == sorted(project.ledger()) and len(applied) == 14


def test_a_waiter_says_for_whom_and_gives_up_in_time(project):
    project.write("001_a.sql", "CREATE TABLE a (); SELECT pg_sleep(30)")
    holder = project.start("up")
    sleeping = "SELECT pid FROM pg_stat_activity WHERE query ~ 'sleep.30' AND pid <> pg_backend_pid()"
    wait_until(lambda: project.query(sleeping))
    refused = project.fails(3, "up", "--wait", "300ms")
    assert "Waiting for another migration run: server process" in refused.stderr
    assert "in progress" in project.ok("status", "--json").json["running"]
    holder.send_signal(signal.SIGINT)
    assert project.vaxdb.finish(holder).status == 130


def test_a_runner_waits_for_the_statement_that_a_killed_one_left(vaxdb, servers, new_database):
    # PostgreSQL 13 does not notice that the client is gone, so the statement goes on.
    project = Project(vaxdb, new_database(server=servers.get(13)))
    project.write("000_t.sql", "CREATE TABLE t (id int)")
    project.ok("up")
    project.write("001_i.sql", "CREATE INDEX CONCURRENTLY t_id ON t (id)")
    with project.database.connect() as blocker:
        blocker.execute("BEGIN; INSERT INTO t VALUES (1)")
        killed = project.start("up")
        building = "SELECT count(*) FROM pg_stat_progress_create_index"
        wait_until(lambda: project.value(building) == 1)
        killed.kill()
        assert killed.wait() == -signal.SIGKILL
        killed.communicate()
        refused = project.fails(3, "up", "--wait", "300ms")
        assert "CREATE INDEX CONCURRENTLY" in refused.stderr
        assert "still in progress" in project.ok("status", "--json").json["running"]
        waiting = project.start("up")
        blocker.execute("COMMIT")
    assert project.vaxdb.finish(waiting).status == 0
    assert project.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_id'::regclass")
    assert project.states()["001_i.sql"] == "applied"


# ---- new ---------------------------------------------------------------------------------------


def test_new_makes_the_next_pair(project):
    made = project.vaxdb.ok("migrate", "new", "Add cold-chain alerts!", "--json").json
    assert Path(made["file"]).name == "001_add_cold_chain_alerts.sql"
    assert Path(made["down"]).name == "001_add_cold_chain_alerts.down.sql"
    project.ok("up")
    project.write("0041_x.sql", "SELECT 1")
    made = project.vaxdb.ok("migrate", "new", "y", "--json").json
    assert Path(made["file"]).name == "0042_y.sql"
    project.write("20240101120000_z.sql", "SELECT 1")
    made = project.vaxdb.ok("migrate", "new", "later", "--json").json
    assert Path(made["file"]).name.startswith("20") and len(Path(made["file"]).name) == 24
    project.vaxdb.fails(2, "migrate", "new", "!!!")


def test_the_folder_is_found_or_named(project):
    project.write("001_a.sql", "CREATE TABLE a ()")
    elsewhere = project.vaxdb.work / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "7_z.sql").write_text("CREATE TABLE z ()")
    assert project.applied("--dir", "elsewhere") == ["7_z.sql"]
    project.vaxdb.write_config("[vaxdb]\nmigrations = elsewhere\n")
    assert project.applied() == []
    missing = project.fails(2, "up", "--dir", "nowhere")
    assert "nowhere" in missing.stderr

"""`migrate baseline --from` our own ledger: what an earlier script wrote into it is not believed."""

import pytest
from support.earlier import earlier_script
from support.migrations import Project
from support.vaxtrace import MIGRATIONS

ADOPT = ["baseline", "--from", "schema_migrations"]


@pytest.fixture
def project(vaxdb, database):
    return Project(vaxdb, database)


def good(project):
    project.pair("001_a", "CREATE TABLE a (id int, b int);", "DROP TABLE IF EXISTS a;")
    project.pair("002_i", "CREATE INDEX i ON a (b);", "DROP INDEX IF EXISTS i;")


def suspects(result):
    return {item["name"]: item["missing"] for item in result.json["suspects"]}


def refused(project, *arguments):
    """The suspects; nothing was written."""
    before = project.query("SELECT * FROM schema_migrations ORDER BY id")
    result = project.fails(4, *ADOPT, "--json", *arguments)
    assert result.json["baselined"] == []
    assert project.query("SELECT * FROM schema_migrations ORDER BY id") == before
    assert not project.exists("schema_migrations_runs")
    return suspects(result)


def warnings(project):
    return " ".join(project.ok("status", "--json").json["warnings"])


def test_a_history_that_is_true_is_taken_over(project):
    """Downs were listed too, each before its up, and undid nothing."""
    good(project)
    earlier_script(project)
    assert len(project.ledger()) == 4
    rows = project.query("SELECT * FROM schema_migrations ORDER BY id")
    assert "vaxdb migrate baseline --from schema_migrations" in warnings(project)
    assert "001_a.down.sql" in warnings(project)
    dry = project.ok(*ADOPT, "--dry-run", "--json").json
    assert dry["baselined"] == ["001_a.sql", "002_i.sql"]
    assert not project.exists("schema_migrations_runs")
    done = project.ok(*ADOPT, "--json").json
    assert done["baselined"] == ["001_a.sql", "002_i.sql"] and done["suspects"] == []
    assert rows == project.query("SELECT * FROM schema_migrations ORDER BY id")
    assert project.states() == {"001_a.sql": "applied", "002_i.sql": "applied"}
    assert warnings(project) == ""
    assert project.ok("verify", "--json").json["drift"]["state"] == "none"
    records = project.vaxdb.ok("migrate", "evidence", "list", "--json").json["evidence"]
    assert sorted((row["name"], row["kind"]) for row in records) == [
        ("001_a.sql", "baseline"),
        ("002_i.sql", "baseline"),
    ]
    again = project.ok(*ADOPT, "--json").json
    assert (again["baselined"], again["already"]) == ([], 2)
    project.ok("down")
    assert project.states()["002_i.sql"] == "pending"


def test_what_failed_is_named_with_what_to_do(project):
    good(project)
    project.write(
        "003_many.sql",
        "CREATE TABLE b (id int PRIMARY KEY, day date, raw bytea);\n"
        "CREATE INDEX today ON b (id) WHERE day = CURRENT_DATE;\n"
        "CREATE INDEX sum ON b (id + 1);\n"
        "CREATE INDEX bytes ON b USING gin (raw);\n"
        "CREATE INDEX nowhere ON missing (id);\n"
        "CREATE INDEX not_there ON b (nothing);\n"
        "ALTER TABLE b ADD CONSTRAINT one UNIQUE (nothing), ADD COLUMN more int;\n"
        "CREATE TRIGGER changed BEFORE UPDATE ON b FOR EACH ROW EXECUTE FUNCTION no_function();\n"
        "CREATE VIEW v AS SELECT nothing FROM b;\n"
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT nothing';\n"
        "CREATE INDEX fine ON b (day);\n",
    )
    project.write("004_alone.sql", "CREATE INDEX alone ON elsewhere (id);")
    earlier_script(project)
    found = refused(project)
    assert found == {
        "003_many.sql": [
            "column public.b.more",
            "constraint one of public.b",
            "function public.f",
            "index public.bytes",
            "index public.not_there",
            "index public.nowhere",
            "index public.today",
            "line 3: syntax error at or near \"+\"",
            "trigger changed of public.b",
            "view public.v",
        ],
        "004_alone.sql": ["index public.alone"],
    }
    said = project.fails(4, *ADOPT)
    assert "003_many.sql: 10 of 16 missing" in said.stdout
    assert "vaxdb migrate repair 004_alone.sql --pending REASON" in said.stdout
    assert "drop what there is of it" in said.stdout
    assert "--accept-missing REASON" in said.stderr


def test_an_invalid_index_is_not_there(project):
    good(project)
    project.database.execute("CREATE TABLE c (id int)")
    project.database.execute("INSERT INTO c VALUES (1), (1)")
    project.write("003_unique.sql", "CREATE UNIQUE INDEX CONCURRENTLY u ON c (id);")
    earlier_script(project)
    assert refused(project) == {"003_unique.sql": ["index public.u (INVALID)"]}


def test_a_down_that_was_written_later_undid_its_up(project):
    project.write("001_a.sql", "CREATE TABLE a (id int);")
    project.write("002_rows.sql", "INSERT INTO a VALUES (1);")
    earlier_script(project)
    project.write("001_a.down.sql", "DROP TABLE a;")
    project.write("002_rows.down.sql", "DELETE FROM a;")
    earlier_script(project)
    result = project.fails(4, *ADOPT, "--json").json["suspects"]
    assert [(item["name"], item["undone_by"]) for item in result] == [
        ("001_a.sql", "001_a.down.sql"),
        ("002_rows.sql", "002_rows.down.sql"),
    ]
    assert "leaves nothing that could be looked for" in project.fails(4, *ADOPT).stdout
    for name in ("001_a.sql", "002_rows.sql"):
        project.ok("repair", name, "--pending", "its down ran after it")
    assert project.ok(*ADOPT, "--json").json["baselined"] == []
    assert project.states() == {"001_a.sql": "pending", "002_rows.sql": "pending"}
    assert project.applied("--no-lint") == ["001_a.sql", "002_rows.sql"]
    assert project.value("SELECT count(*) FROM a") == 1


def test_an_up_that_ran_again_after_its_down_counts(project):
    project.write("001_a.sql", "CREATE TABLE a (id int);")
    earlier_script(project)
    project.write("001_a.down.sql", "DROP TABLE a;")
    earlier_script(project)
    project.write("001_a.sql", "CREATE TABLE a (id bigint);")
    earlier_script(project)
    assert project.ledger() == ["001_a.sql", "001_a.down.sql"]
    done = project.ok(*ADOPT, "--json").json
    assert (done["baselined"], done["warnings"]) == (["001_a.sql"], [])


def test_a_down_that_failed_is_told(project):
    project.write("001_a.sql", "CREATE TABLE a (id int);")
    earlier_script(project)
    project.write("001_a.down.sql", "DROP TABLE aa;")
    earlier_script(project)
    done = project.ok(*ADOPT, "--json").json
    assert any("001_a.down.sql was recorded after" in warning for warning in done["warnings"])


def test_later_files_are_followed(project):
    files = {
        "001_make": "CREATE SCHEMA s; CREATE TYPE mood AS ENUM ('ok'); CREATE TYPE pair AS (a int);"
        "CREATE TABLE t (id serial PRIMARY KEY, old int, gone int, UNIQUE (old));"
        "CREATE TABLE dropped (id serial); CREATE INDEX i ON t (gone);"
        "CREATE INDEX ON t (old, id); CREATE VIEW v AS SELECT id FROM t;"
        "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';"
        "CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 1';"
        "CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION tf();"
        "CREATE TRIGGER h BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION tf();"
        "CREATE POLICY y ON t USING (true); CREATE SEQUENCE q; CREATE DOMAIN d AS int;",
        "002_change": "ALTER TABLE t RENAME old TO new; ALTER TABLE t DROP gone;"
        "ALTER TABLE t RENAME TO u; ALTER TABLE u SET SCHEMA s; DROP TABLE dropped;"
        "ALTER FUNCTION f(int) RENAME TO ff; ALTER FUNCTION ff(int) SET SCHEMA s;"
        "DROP PROCEDURE p(); ALTER TYPE mood RENAME TO temper; ALTER TYPE temper SET SCHEMA s;"
        "ALTER TYPE pair RENAME TO couple; DROP DOMAIN d; ALTER VIEW v RENAME TO w;"
        "ALTER TRIGGER g ON s.u RENAME TO gg; DROP TRIGGER h ON s.u; DROP POLICY y ON s.u;"
        "ALTER SEQUENCE q RENAME TO qq; ALTER SCHEMA s RENAME TO z;",
    }
    for name, text in files.items():
        project.write(f"{name}.sql", text)
    earlier_script(project)
    done = project.ok(*ADOPT, "--json").json
    assert done["suspects"] == [] and len(done["baselined"]) == 2
    assert project.exists("z.u") and project.exists("w")


def test_a_rename_that_failed_is_held_against_its_file(project):
    """Its table still has the old name, and what other files made of it is not in question."""
    project.write("001_a.sql", "CREATE TABLE a (id int); CREATE TABLE k (id int);")
    project.write("002_i.sql", "CREATE INDEX b ON k (id); CREATE INDEX i ON a (id);")
    project.write("003_b.sql", "ALTER TABLE a RENAME TO b;")
    project.write("004_c.sql", "ALTER TABLE b ADD COLUMN c int;")
    earlier_script(project)
    assert refused(project) == {
        "003_b.sql": ["table public.b"],
        "004_c.sql": ["column public.b.c"],
    }


def test_code_may_have_removed_it_on_purpose(project):
    good(project)
    project.write("003_do.sql", "DO $$ BEGIN EXECUTE 'DROP TABLE a'; END $$;")
    earlier_script(project)
    result = project.fails(4, *ADOPT, "--json").json["suspects"]
    assert {item["doubt"] for item in result} == {"003_do.sql"}
    reason = project.fails(2, *ADOPT, "--accept-missing", " ")
    assert "wants a reason" in reason.stderr
    done = project.ok(*ADOPT, "--accept-missing", "003 drops it", "--json").json
    assert len(done["baselined"]) == 3 and len(done["suspects"]) == 2
    overrides = dict(project.query("SELECT name, overrides FROM schema_migrations_runs"))
    assert overrides["001_a.sql"] == '{"accept_missing":"003 drops it"}'
    assert overrides["003_do.sql"] is None


def test_names_with_up_and_commands_of_psql(project):
    project.write("001_a.up.sql", "\\echo begin\nCREATE TABLE a (id int);\n\\set x 1\n")
    project.write("001_a.down.sql", "DROP TABLE IF EXISTS a;")
    earlier_script(project)
    done = project.ok(*ADOPT, "--json").json
    assert done["baselined"] == ["001_a.up.sql"]
    assert any("commands of psql" in warning for warning in done["warnings"])


def test_an_entry_without_its_file_is_listed(project):
    good(project)
    earlier_script(project)
    (project.folder / "002_i.sql").unlink()
    (project.folder / "002_i.down.sql").unlink()
    done = project.ok(*ADOPT, "--json").json
    assert done["unmatched"] == ["002_i.sql"] and done["baselined"] == ["001_a.sql"]
    assert "never checked" not in warnings(project)


def test_a_ledger_of_that_form_elsewhere_is_told(project):
    good(project)
    earlier_script(project)
    project.vaxdb.write_config("[vaxdb]\nledger_table = vaxdb_migrations\n")
    told = project.fails(2, *ADOPT).stderr
    assert "set ledger_table = schema_migrations" in told
    assert "set ledger_table = schema_migrations" in warnings(project)


def test_vaxdb_goes_on_where_the_script_stopped(project):
    """What vaxdb itself ran is known; only the script's entries are judged."""
    good(project)
    earlier_script(project)
    project.write("003_c.sql", "CREATE TABLE c (id int);")
    done = project.ok("up", "--no-lint", "--json").json
    assert done["applied"] == ["003_c.sql"]
    assert "baseline --from schema_migrations" in " ".join(done["warnings"])
    project.database.execute("DROP TABLE c")
    assert project.ok(*ADOPT, "--json").json["baselined"] == ["001_a.sql", "002_i.sql"]


def test_the_database_of_the_guide_is_taken_over(project):
    """Its own files, which the script ran without an error: nothing is held against them."""
    for path in MIGRATIONS.glob("*.sql"):
        project.write(path.name, path.read_bytes())
    earlier_script(project)
    done = project.ok(*ADOPT, "--json").json
    assert len(done["baselined"]) >= 3
    assert (done["suspects"], done["warnings"]) == ([], [])
    project.database.execute("DROP INDEX idx_alerts_critical")
    project.database.execute("DELETE FROM schema_migrations_runs")
    found = suspects(project.fails(4, *ADOPT, "--json"))
    assert list(found.values()) == [["index public.idx_alerts_critical"]]

"""`migrate baseline`: a database that holds its migrations already is taken over."""

import pytest
from support.migrations import Project, checksum


@pytest.fixture
def project(vaxdb, database):
    project = Project(vaxdb, database)
    for name in ("001_a", "002_b", "003_c"):
        project.pair(name, f"CREATE TABLE {name[-1]} (id int);", f"DROP TABLE {name[-1]};")
    return project


def by_hand(project, *tables):
    for table in tables:
        project.database.execute(f"CREATE TABLE {table} (id int)")


def runs(project):
    return project.query("SELECT name, state FROM schema_migrations_runs ORDER BY id")


def evidence(project):
    records = project.vaxdb.ok("migrate", "evidence", "list", "--json").json["evidence"]
    return sorted((record["name"], record["kind"], record["roundtrip"]) for record in records)


def test_what_is_there_is_entered_and_not_run(project):
    by_hand(project, "a", "b")
    done = project.ok("baseline", "--to", "002_b", "--json").json
    assert done["baselined"] == ["001_a.sql", "002_b.sql"]
    assert done["already"] == 0 and not done["dry_run"]
    assert project.states() == {
        "001_a.sql": "applied",
        "002_b.sql": "applied",
        "003_c.sql": "pending",
    }
    assert runs(project) == [("001_a.sql", "baseline"), ("002_b.sql", "baseline")]
    assert project.value("SELECT checksum FROM schema_migrations WHERE name = '001_a.sql'") == (
        checksum("CREATE TABLE a (id int);")
    )
    assert project.ok("verify", "--json").json["drift"]["state"] == "none"
    assert evidence(project) == [
        ("001_a.sql", "baseline", "not_run"),
        ("002_b.sql", "baseline", "not_run"),
    ]
    assert project.applied() == ["003_c.sql"]
    project.ok("down", "2")
    assert project.exists("a") and not project.exists("b")


def test_a_change_by_hand_after_it_is_drift(project):
    by_hand(project, "a")
    project.ok("baseline", "--to", "001_a.sql")
    project.database.execute("ALTER TABLE a ADD COLUMN by_hand int")
    assert project.fails(4, "verify", "--json").json["drift"]["state"] == "found"


def test_entries_that_are_there_are_left_alone(project):
    project.applied("--to", "001_a")
    before = project.query("SELECT * FROM schema_migrations")
    by_hand(project, "b")
    again = project.ok("baseline", "--to", "002_b", "--json").json
    assert (again["baselined"], again["already"]) == (["002_b.sql"], 1)
    assert project.query("SELECT * FROM schema_migrations ORDER BY id LIMIT 1") == before
    once_more = project.ok("baseline", "--to", "002_b")
    assert "Nothing to do" in once_more.stdout
    assert runs(project) == [("001_a.sql", "done"), ("002_b.sql", "baseline")]


def test_a_dry_run_changes_nothing(project):
    dry = project.ok("baseline", "--to", "002_b", "--dry-run", "--json").json
    assert dry["baselined"] == ["001_a.sql", "002_b.sql"] and dry["dry_run"]
    assert not project.exists("schema_migrations")
    assert evidence(project) == []


def test_it_is_all_or_nothing(project):
    project.ok("up", "--to", "001_a")
    project.database.execute(
        "ALTER TABLE schema_migrations ADD CHECK (name NOT LIKE '003%')",
    )
    failed = project.fails(1, "baseline", "--to", "003_c")
    assert "nothing was changed" in failed.stderr
    assert project.ledger() == ["001_a.sql"]
    assert runs(project) == [("001_a.sql", "done")]


def test_a_half_done_one_is_refused(project):
    text = "-- migrate:transaction none\nCREATE TABLE half ();\nSELECT 1 / 0;\n"
    project.write("000_half.sql", text)
    project.fails(1, "up", "--no-lint")
    refused = project.fails(3, "baseline", "--to", "002_b")
    assert "migrate repair 000_half.sql" in refused.stderr
    assert project.ledger() == []


def test_a_changed_entry_is_named_and_left_alone(project):
    project.ok("up", "--to", "001_a")
    project.write("001_a.sql", "CREATE TABLE a (id int, more int);")
    done = project.ok("baseline", "--to", "002_b", "--json").json
    assert any("--accept-checksum" in warning for warning in done["warnings"])
    assert project.states()["001_a.sql"] == "changed"


@pytest.mark.parametrize(
    "arguments, said", [([], "--to MIGRATION"), (["--to", "002_bb"], "did you mean 002_b.sql?")]
)
def test_what_cannot_be_meant_is_refused(project, arguments, said):
    assert said in project.fails(2, "baseline", *arguments).stderr
    assert not project.exists("schema_migrations") or project.ledger() == []


def test_production_wants_its_name(project):
    vaxdb, database = project.vaxdb, project.database
    vaxdb.write_config(f"[production]\nurl = {database.url}\n")
    arguments = ["migrate", "baseline", "--to", "002_b", "-e", "production"]
    assert f"--confirm {database.name}" in vaxdb.fails(3, *arguments).stderr
    assert not project.exists("schema_migrations")
    vaxdb.ok(*arguments, "--confirm", database.name)
    assert project.ledger() == ["001_a.sql", "002_b.sql"]

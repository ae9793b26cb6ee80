"""`migrate repair`: the books put right, with a reason that stays."""

import json

import pytest
from support.migrations import Project, checksum

HALF = "-- migrate:transaction none\nCREATE TABLE half ();\nSELECT 1 / 0;\n"


@pytest.fixture
def project(vaxdb, database):
    return Project(vaxdb, database)


def reasons(project):
    rows = project.query(
        "SELECT name, overrides FROM schema_migrations_runs WHERE state = 'repaired' ORDER BY id"
    )
    return [(name, json.loads(said)["repair"], json.loads(said)["reason"]) for name, said in rows]


def test_a_changed_checksum_is_accepted(project):
    project.write("001_a.sql", "CREATE TABLE a ();")
    project.ok("up")
    project.write("001_a.sql", "CREATE TABLE a (); -- the same")
    assert project.states() == {"001_a.sql": "changed"}
    dry = project.ok("repair", "001_a", "--accept-checksum", "a comment", "--dry-run", "--json").json
    assert (dry["before"], dry["after"], dry["changed"]) == ("changed", "applied", False)
    assert project.states() == {"001_a.sql": "changed"}
    done = project.ok("repair", "001_a", "--accept-checksum", "a 'comment'", "--json").json
    assert done["changed"] and done["checksum"] == checksum("CREATE TABLE a (); -- the same")
    assert done["old_checksum"] == checksum("CREATE TABLE a ();")
    assert project.states() == {"001_a.sql": "applied"}
    assert reasons(project) == [("001_a.sql", "accept_checksum", "a 'comment'")]
    assert project.ok("verify", "--json").json["ok"]
    again = project.ok("repair", "001_a", "--accept-checksum", "again", "--json").json
    assert not again["changed"] and len(reasons(project)) == 1


def test_a_half_done_up_is_called_applied(project):
    project.write("001_half.sql", HALF)
    project.fails(1, "up")
    project.ok("repair", "001_half.sql", "--applied", "the rest was made by hand")
    assert project.states() == {"001_half.sql": "applied"}
    assert project.applied() == []
    assert project.ledger() == ["001_half.sql"]


def test_a_half_done_up_is_forgotten(project):
    project.write("001_half.sql", HALF)
    project.fails(1, "up")
    project.database.execute("DROP TABLE half")
    project.ok("repair", "001_half.sql", "--pending", "it was dropped by hand")
    assert project.states() == {"001_half.sql": "pending"}
    project.write("001_half.sql", HALF.replace("1 / 0", "1"))
    assert project.applied() == ["001_half.sql"]
    assert project.exists("half")


@pytest.mark.parametrize("kind, state", [("--applied", "applied"), ("--pending", "pending")])
def test_a_half_done_down_is_settled(project, kind, state):
    project.write("001_a.sql", "CREATE TABLE a ();")
    project.write("001_a.down.sql", HALF)
    project.ok("up", "--no-lint")
    project.fails(1, "down")
    assert project.states() == {"001_a.sql": "partial"}
    project.ok("repair", "001_a", kind, "looked")
    assert project.states() == {"001_a.sql": state}
    assert project.ledger() == (["001_a.sql"] if state == "applied" else [])


def test_the_entry_of_a_missing_file_is_taken_out(project):
    project.write("001_a.sql", "CREATE TABLE a ();")
    project.write("002_b.sql", "CREATE TABLE b ();")
    project.ok("up")
    (project.folder / "001_a.sql").unlink()
    project.ok("repair", "001_a", "--pending", "it was never meant")
    assert project.states() == {"002_b.sql": "applied"}
    assert project.ok("verify", "--json").json["ok"]


def test_drift_is_not_accepted_along_with_it(project):
    project.write("001_a.sql", "CREATE TABLE a ();")
    project.ok("up")
    project.database.execute("CREATE TABLE by_hand ()")
    project.write("001_a.sql", "CREATE TABLE a (); -- the same")
    project.ok("repair", "001_a", "--accept-checksum", "a comment")
    found = project.fails(4, "verify", "--json").json["drift"]
    assert [change["name"] for change in found["changes"]] == ["public.by_hand"]


@pytest.mark.parametrize(
    "arguments, status, said",
    [
        (["001_a"], 2, "give one of"),
        (["001_a", "--pending", "x", "--applied", "y"], 2, "give one of"),
        (["001_a", "--pending", ""], 2, "wants a reason"),
        (["001_b", "--pending", "x"], 2, "did you mean 001_a.sql?"),
        (["002_b", "--accept-checksum", "x"], 3, "no checksum to accept"),
        (["001_a", "--applied", "x"], 3, "--accept-checksum"),
    ],
)
def test_what_cannot_be_meant_is_refused(project, arguments, status, said):
    project.write("001_a.sql", "CREATE TABLE a ();")
    project.ok("up")
    project.write("001_a.sql", "CREATE TABLE a (); -- more")
    project.write("002_b.sql", "CREATE TABLE b ();")
    assert said in project.fails(status, "repair", *arguments).stderr
    assert project.states() == {"001_a.sql": "changed", "002_b.sql": "pending"}


def test_production_wants_its_name(vaxdb, database):
    project = Project(vaxdb, database)
    project.write("001_a.sql", "CREATE TABLE a ();")
    project.ok("up")
    vaxdb.write_config(f"[production]\nurl = {database.url}\n")
    arguments = ["migrate", "repair", "001_a", "--pending", "x", "-e", "production"]
    refused = vaxdb.fails(3, *arguments)
    assert f"--confirm {database.name}" in refused.stderr
    assert project.ledger() == ["001_a.sql"]
    vaxdb.ok(*arguments, "--confirm", database.name)
    assert project.ledger() == []

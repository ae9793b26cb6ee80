"""A migration and its way back in one file: sections as dbmate and goose write them."""

import pytest
from support import rivals
from support.migrations import Project, checksum

DBMATE = """-- Shelves of a fridge.
-- migrate:up
CREATE TABLE shelf (id int PRIMARY KEY);
INSERT INTO shelf VALUES (1);

-- migrate:down
DROP TABLE shelf;
"""
GOOSE = """-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION one() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    RETURN 1;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION one();
"""


@pytest.fixture
def project(vaxdb, database):
    return Project(vaxdb, database)


def test_up_and_down_of_one_file(project):
    project.write("001_shelf.sql", DBMATE)
    project.write("002_one.sql", GOOSE)
    assert project.applied() == ["001_shelf.sql", "002_one.sql"]
    assert project.value("SELECT count(*) FROM shelf") == 1
    assert project.value("SELECT one()") == 1
    assert project.value("SELECT checksum FROM schema_migrations ORDER BY id") == checksum(DBMATE)
    for row in project.ok("status", "--json").json["migrations"]:
        assert row["state"] == "applied" and row["down"] == row["name"]
    assert project.ok("verify")
    assert project.ok("down", "2", "--json").json["undone"] == ["002_one.sql", "001_shelf.sql"]
    assert not project.exists("shelf")
    assert project.ledger() == []
    assert project.applied() == ["001_shelf.sql", "002_one.sql"]
    assert project.ok("redo")


def test_a_changed_down_section_is_a_changed_file(project):
    project.write("001_shelf.sql", DBMATE)
    project.ok("up")
    project.write("001_shelf.sql", DBMATE.replace("DROP TABLE", "DROP TABLE IF EXISTS"))
    assert project.states() == {"001_shelf.sql": "changed"}


def test_errors_in_a_down_section_have_their_line(project):
    project.write("001_shelf.sql", DBMATE.replace("DROP TABLE shelf", "DROP TABLE shelves"))
    project.ok("up", "--no-lint")
    failed = project.fails(1, "down")
    assert "001_shelf.sql:7:1" in failed.stderr
    assert project.ledger() == ["001_shelf.sql"]


def test_an_empty_down_section_is_none(project):
    project.write("001_a.sql", "-- migrate:up\nCREATE TABLE a ();\n\n-- migrate:down\n-- no way\n")
    project.ok("up")
    refused = project.fails(3, "down")
    assert "there is no down" in refused.stderr
    assert project.exists("a")


def test_an_up_with_an_open_quote_takes_nothing_of_the_down(project):
    project.write("001_a.sql", "CREATE TABLE a ();")
    project.write(
        "002_b.sql",
        "-- migrate:up\nCOMMENT ON TABLE a IS 'open;\n-- migrate:down\n"
        "COMMENT ON TABLE a IS 'x'; DROP TABLE a;\n",
    )
    refused = project.run("up")
    assert refused.status in (2, 3)
    assert "002_b.sql:2:" in refused.stderr
    project.ok("up", "--to", "001_a.sql")
    assert project.exists("a")


def test_each_section_has_its_own_transaction_mode(project):
    project.write("001_t.sql", "CREATE TABLE t (a int);")
    project.write(
        "002_i.sql",
        "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY i ON t (a);\n"
        "-- migrate:down\nDROP INDEX i;\n",
    )
    project.write(
        "003_j.sql",
        "-- migrate:up\nCREATE INDEX j ON t (a);\n"
        "-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY j;\n",
    )
    project.ok("up")
    modes = "SELECT transactional FROM schema_migrations_runs ORDER BY id"
    assert project.query(modes) == [(True,), (False,), (True,)]
    project.ok("down", "2")
    assert project.query(modes)[3:] == [(False,), (True,)]


def test_a_half_done_up_section_is_continued_or_undone(project):
    text = (
        "-- migrate:up transaction:false\nCREATE TABLE half (a int);\nSELECT 1/0;\n"
        "-- migrate:down\nDROP TABLE IF EXISTS half;\n"
    )
    project.write("001_half.sql", text)
    project.fails(1, "up")
    assert project.states() == {"001_half.sql": "partial"}
    project.write("001_half.sql", text.replace("1/0", "1"))
    assert project.applied() == ["001_half.sql"]
    assert project.exists("half")


def test_dbmate_and_we_do_the_same(project, new_database):
    project.write("20240101000000_shelf.sql", DBMATE)
    project.write(
        "20240102000000_index.sql",
        "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY shelf_i ON shelf ((id + 1));\n"
        "-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY shelf_i;\n",
    )
    theirs = Project.__new__(Project)
    theirs.database = new_database()
    assert rivals.dbmate(theirs.database, project.folder, "up").returncode == 0
    project.ok("up")
    for there in (True, False):
        for side in (project, theirs):
            assert side.exists("shelf_i") == there
            assert side.exists("shelf")
        assert rivals.dbmate(theirs.database, project.folder, "down").returncode == 0
        project.ok("down")
    assert not project.exists("shelf") and not theirs.exists("shelf")


def test_lint_reads_each_section_as_what_it_is(project):
    project.write("001_shelf.sql", DBMATE)
    project.write("002_bad.sql", "-- migrate:up\nSELECT 1;\n\n-- migrate:down\nSELEC 2;\n")
    found = project.vaxdb("migrate", "lint", "--json", "--dir", project.folder).json["findings"]
    errors = [(f["file"].rpartition("/")[2], f["line"]) for f in found if f["severity"] == "error"]
    assert errors == [("002_bad.sql", 5)]

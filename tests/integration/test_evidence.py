"""`vaxdb migrate evidence`: what staging proved, carried to a host that cannot see staging."""

import json
import sqlite3

import pytest
from support.site import Site

STOCK = "-- Stock of a facility.\nCREATE TABLE stock (id bigint PRIMARY KEY, amount bigint NOT NULL);\n"
NOTES = "ALTER TABLE stock ADD COLUMN note text;\n"


@pytest.fixture
def site(vaxdb, new_database):
    site = Site(vaxdb, new_database(), new_database())
    site.pair("001_stock", STOCK, "DROP TABLE stock;\n")
    site.pair("002_notes", NOTES, "ALTER TABLE stock DROP COLUMN note;\n")
    return site


@pytest.fixture
def far(site, new_vaxdb):
    """Production's host: the same files, another state directory, no way to staging."""
    far = new_vaxdb()
    (far.work / "backend").symlink_to(site.vaxdb.work / "backend")
    far.write_config(production=site.production.url)
    return far


def evidence(vaxdb):
    return vaxdb.ok("migrate", "evidence", "--json").json["evidence"]


def test_each_file_leaves_a_record(site):
    site.ok_on("staging", "up")
    second, first = evidence(site.vaxdb)
    assert [first["name"], second["name"]] == ["001_stock.sql", "002_notes.sql"]
    assert [first["sequence"], second["sequence"]] == [1, 2]
    assert first["fingerprint_after"] == second["fingerprint_before"]
    assert first["fingerprint_before"] != first["fingerprint_after"]
    for record in (first, second):
        assert record["kind"] == "up" and record["env"] == "staging"
        assert record["roundtrip"] == "passed"
        assert record["server_major"] == 15
        assert record["lint_errors"] == 0
        assert record["duration_ms"] >= 0
        assert record["database"] == site.staging.name
        assert len(record["up_checksum"]) == len(record["down_checksum"]) == 64
    shown = site.vaxdb.ok("migrate", "evidence", "list").stdout
    assert "001_stock.sql" in shown and "passed" in shown


def test_it_travels(site, far, scratch):
    site.ok_on("staging", "up")
    refused = far.fails(3, "migrate", "up", "-e", "production")
    assert "vaxdb migrate evidence import FILE" in refused.stderr
    file = scratch / "proved.jsonl"
    site.vaxdb.ok("migrate", "evidence", "export", file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert far.ok("migrate", "evidence", "import", file, "--json").json["added"] == 2
    again = far.ok("migrate", "evidence", "import", file, "--json").json
    assert (again["added"], again["known"]) == (0, 2)
    done = far.ok("migrate", "up", "-e", "production", "--json").json
    assert done["applied"] == ["001_stock.sql", "002_notes.sql"]


def test_it_travels_by_standard_input_and_output(site, far):
    site.ok_on("staging", "up")
    lines = site.vaxdb.ok("migrate", "evidence", "export", "-").stdout
    assert far.ok("migrate", "evidence", "import", "-", "--json", stdin=lines).json["added"] == 2
    assert evidence(far) == evidence(site.vaxdb)


def test_what_differs_is_shown_on_the_other_host_too(site, far):
    site.ok_on("staging", "up")
    lines = site.vaxdb.ok("migrate", "evidence", "export", "-").stdout
    far.ok("migrate", "evidence", "import", "-", stdin=lines)
    site.production.execute("CREATE TABLE by_hand (a int)")
    refused = far.fails(3, "migrate", "up", "-e", "production")
    assert "+ table public.by_hand" in refused.stderr


def test_edits_are_found_and_named(site, far):
    site.ok_on("staging", "up")
    lines = site.vaxdb.ok("migrate", "evidence", "export", "-").stdout.splitlines(keepends=True)

    def refuse(edited, *words):
        outcome = far.fails(4, "migrate", "evidence", "import", "-", stdin="".join(edited))
        for word in words:
            assert word in outcome.stderr
        assert evidence(far) == []

    record = json.loads(lines[1])
    record["record"]["roundtrip"] = "passed by hand"
    forged = json.dumps(record, sort_keys=True, separators=(",", ":")) + "\n"
    refuse([lines[0], forged, *lines[2:]], "line 2", "002_notes.sql was changed")
    refuse([lines[1], lines[0], *lines[2:]], "line 1")
    refuse(lines[1:], "line 1", "a record is missing")
    refuse([lines[0], "not evidence\n"], "line 2")
    refuse([], "no evidence")
    refuse(["".join(lines)[: len(lines[0]) + 20]], "line 2")
    # A snapshot whose content was changed does not come in either.
    (snapshot,) = [line for line in lines if '"public.stock"' in line and "by_hand" not in line][:1]
    refuse(
        [*lines[: lines.index(snapshot)], snapshot.replace("public.stock", "public.stick")],
        "the snapshot of a schema was changed",
    )


def test_words_that_are_not_understood(vaxdb):
    assert "list, export, import" in vaxdb.fails(2, "migrate", "evidence", "forge").stderr
    assert "needs a file" in vaxdb.fails(2, "migrate", "evidence", "export").stderr
    assert "no evidence to export" in vaxdb.fails(1, "migrate", "evidence", "export", "-").stderr


def test_restoring_production_into_staging_keeps_the_evidence(site):
    """The records are not in the database, so the newest one still proves the file."""
    site.ok_on("staging", "up", "--to", "001_stock.sql")
    site.ok_on("production", "up", "--to", "001_stock.sql")
    site.ok_on("staging", "up")
    before = evidence(site.vaxdb)
    backup = site.vaxdb.ok("backup", "create", "-e", "production", "--json").json["file"]
    site.vaxdb.ok("restore", backup, "-e", "staging", "--confirm", site.staging.name)
    assert site.staging.scalar("SELECT count(*) FROM schema_migrations") == 1
    assert evidence(site.vaxdb) == before
    assert site.applied_on_production() == ["002_notes.sql"]


def test_the_newest_of_several_proofs_counts(site):
    site.ok_on("staging", "up")
    site.ok_on("staging", "down")
    site.write("002_notes.sql", NOTES + "COMMENT ON COLUMN stock.note IS 'free text';\n")
    site.ok_on("staging", "up")
    assert [row["name"] for row in evidence(site.vaxdb)].count("002_notes.sql") == 2
    assert site.applied_on_production() == ["001_stock.sql", "002_notes.sql"]


def test_a_state_file_that_was_edited_is_found(site):
    site.ok_on("staging", "up")
    with sqlite3.connect(site.vaxdb.state / "vaxdb.sqlite") as state:
        state.execute("UPDATE evidence SET record = replace(record, 'passed', 'failed') WHERE sequence = 2")
    state.close()
    refused = site.vaxdb.fails(4, "migrate", "up", "-e", "production")
    assert "evidence of 002_notes.sql was changed" in refused.stderr
    assert not site.exists("stock")


def test_two_runs_at_once_keep_one_chain(site, new_database):
    """Two processes that record at the same time take different numbers."""
    other = new_database()
    processes = [
        site.vaxdb.start("migrate", "up", "-e", "staging", *more)
        for more in ((), ("--url", other.url))
    ]
    for process in processes:
        assert site.vaxdb.finish(process).status == 0
    assert sorted(row["sequence"] for row in evidence(site.vaxdb)) == [1, 2, 3, 4]
    lines = site.vaxdb.ok("migrate", "evidence", "export", "-").stdout
    assert site.vaxdb.ok("migrate", "evidence", "import", "-", "--json", stdin=lines).json["known"] == 4

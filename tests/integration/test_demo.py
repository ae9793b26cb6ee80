"""The tour: every step done, every claim measured, and nothing of anybody else's touched."""

import shutil

import psycopg
import pytest
from support.program import ROOT

ROWS = 30_000


@pytest.fixture
def project(vaxdb):
    """The working directory holds the VaxTrace database, as a clone does."""
    shutil.copytree(ROOT / "backend", vaxdb.work / "backend")
    return vaxdb


def claims_of(report):
    return {claim["id"]: claim for claim in report["claims"]}


@pytest.mark.slow
def test_the_tour_and_the_tour_again(project):
    report = project.ok("demo", "--rows", ROWS, "--json", timeout_s=400).json
    assert all(step["done"] for step in report["steps"])
    claims = claims_of(report)
    with_index, without = claims["query_with_index"], claims["query_without_index"]
    assert 0 < with_index["value"] < without["value"]
    assert claims["index_speedup"]["value"] == pytest.approx(
        without["value"] / with_index["value"], rel=0.01
    )
    assert claims["index_speedup"]["value"] > 5  # few rows: the whole table is read fast, too
    assert claims["covering_heap_fetches"]["value"] == 0
    assert claims["covering_heap_fetches"]["met"]
    assert claims["brin_size"]["value"] > 10
    steps = {step["id"]: step for step in report["steps"]}
    assert steps["data"]["stock_snapshots"] == ROWS
    assert steps["drill"]["drill"]["verdict"] == "pass"
    assert 0 < steps["backup"]["bytes"] < steps["backup"]["raw_bytes"]
    assert steps["migrations"]["staging"] == steps["migrations"]["production"] > 0
    assert steps["migrations"]["backup"].endswith(".sql.gz")
    proved = project.ok("migrate", "evidence", "--json").json["evidence"]
    assert {record["roundtrip"] for record in proved} == {"passed"}
    items = steps["checklist"]["items"]
    assert [i["status"] for i in items if i["id"] == "migrations.backup-first"] == ["pass"]
    assert len(items) == 34
    assert all(item["evidence"] for item in items)
    assert (project.work / "vaxdb.ini").read_text().count("url = private") == 4
    # What was measured in transactions is rolled back: every index is still there.
    kinds = project.ok("index", "kinds", "-e", "production", "--json").json["indexes"]
    names = {index["name"] for index in kinds}
    assert "idx_stock_snapshots_facility_status_date" in names
    assert "demo_comparison" not in names

    again = project.ok("demo", "--rows", ROWS, timeout_s=400)
    assert "Already there" in again.stdout
    # A command to type may hold a long path of this machine.
    lines = [line for line in again.stdout.splitlines() if str(project.folder) not in line]
    too_wide = [line for line in lines if len(line) > 80]
    assert not too_wide, "\n".join(too_wide)
    other = project.fails(3, "demo", "--rows", ROWS + 1)
    assert "holds other data" in other.stderr

    migrations = project.work / "backend/database/migrations"
    (migrations / "900_more.sql").write_text("CREATE TABLE more (id int PRIMARY KEY);\n")
    (migrations / "900_more.down.sql").write_text("DROP TABLE more;\n")
    with psycopg.connect(project.ok("dev", "url", "-e", "production").stdout.strip()) as connection:
        connection.execute("ALTER TABLE users ADD COLUMN by_hand text")
    changed = project.fails(3, "demo", "--rows", ROWS)
    assert "public.users.by_hand" in changed.stderr
    assert "vaxdb dev reset" in changed.stderr


def test_it_refuses_where_production_is_a_real_server(project, database):
    project.write_config(production=database.url)
    refused = project.fails(3, "demo", "--rows", 1000)
    assert "production is a server of its own" in refused.stderr
    assert not (project.state / "cluster").exists()


def test_without_the_project_it_says_where_to_run_it(vaxdb):
    refused = vaxdb.fails(2, "demo", "--rows", 1000)
    assert "./run demo" in refused.stderr
    assert not (vaxdb.state / "cluster").exists()

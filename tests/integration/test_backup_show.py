"""backup list and backup show: what is in a backup, how old it is, and how far it is proved."""

from pathlib import Path

import pytest
from support.backups import fill


@pytest.fixture
def made(vaxdb, database):
    fill(database, sql="CREATE TABLE big (a int); INSERT INTO big SELECT generate_series(1, 10)")
    command = ("backup", "create", "-e", "production", "--url", database.url, "--json")
    return Path(vaxdb.ok(*command, "--exclude-table-data", "big").json["file"])


def test_show_says_what_is_known_of_a_backup(vaxdb, database, made):
    text = vaxdb.ok("backup", "show").stdout
    lines = {line.split()[0]: line for line in text.splitlines() if line.strip()}
    assert text.startswith(f"{made.name}\n")
    assert database.name in lines["database"] and "production" in lines["database"]
    assert lines["shows"].endswith(" s ago") and lines["verified"].endswith(" s ago")
    assert lines["drilled"].split() == ["drilled", "never"]
    assert "2,000 rows of 2 tables, 2 indexes" in lines["holds"]
    assert "2,000" in lines["public.stock"] and "left out" in lines["public.big"]
    assert max(map(len, text.splitlines())) <= 80
    shown = vaxdb.ok("backup", "show", made, "--json").json
    (listed,) = vaxdb.ok("backup", "list", "--json").json["backups"]
    ages = {"age_seconds": 0}
    assert {**shown, **ages, "manifest": 0, "command": 0} == {
        **listed, **ages, "manifest": 0, "command": 0, "schema": 1
    }  # fmt: skip
    assert {table["name"]: table["rows"] for table in shown["manifest"]["tables"]} == {
        "stock": 2000,
        "big": 0,
    }


def test_show_and_list_say_what_became_of_it(vaxdb, made):
    whole = made.read_bytes()
    made.write_bytes(whole[:-1] + b"x")
    vaxdb.fails(4, "backup", "verify")
    assert "verified   FAILED" in vaxdb.ok("backup", "show").stdout
    assert "FAILED" in vaxdb.ok("backup", "list").stdout
    made.write_bytes(whole[:-1])
    shown = vaxdb.ok("backup", "show").stdout
    assert "DAMAGED" in shown and "its manifest says" in shown
    assert "DAMAGED" in vaxdb.ok("backup", "list").stdout
    made.unlink()
    outcome = vaxdb.ok("backup", "list", "--json").json["backups"]
    assert "missing" in outcome[0]["problem"]

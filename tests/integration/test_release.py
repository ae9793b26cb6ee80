"""The optimised binary, which people run: everything else runs the sanitized one."""

import shutil

import pytest
from support.program import ROOT


@pytest.mark.release
def test_from_an_empty_database_to_a_drill(vaxdb, database):
    shutil.copytree(ROOT / "backend", vaxdb.work / "backend")
    vaxdb.write_config(staging=database.url)
    assert len(vaxdb.ok("migrate", "up", "-e", "staging", "--json").json["applied"]) == 3
    loaded = vaxdb.ok("dev", "load", "--rows", 2000, "-e", "staging", "--json").json
    assert database.scalar("SELECT count(*) FROM stock_snapshots") == 2000
    made = vaxdb.ok("backup", "create", "-e", "staging", "--json").json
    assert made["rows"] > 2000, (made, loaded)
    drill = vaxdb.ok("drill", "run", "-e", "staging", "--json").json
    assert drill["verdict"] == "pass"
    assert all(check["ok"] for check in drill["checks"])
